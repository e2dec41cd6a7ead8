/*
 * house/section_json.h - a section of settings as one JSON object
 *
 * Superset's users give whole dictionaries in environment variables:
 *
 *     MCP_CACHE_CONFIG='{"enabled": true, "call_tool_ttl": 60}'
 *
 * Each member is a row of the section; null leaves what was there; the others keep what the file
 * said. Numbers, truths, texts and lists of texts mean what they mean in the file.
 *
 * Errors:  FAIL_MEMORY; what is wrong goes to `problems`.
 */
#ifndef WEIR_HOUSE_SECTION_JSON_H
#define WEIR_HOUSE_SECTION_JSON_H

#include "base/option.h"
#include "text/problem.h"

/* `name` is the variable's, for people. */
MUST_USE result section_read_json(const struct option *rows, void *settings, struct str name,
                                  struct str text, struct arena *arena, struct problems *problems);

#endif
