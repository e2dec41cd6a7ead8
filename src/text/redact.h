/*
 * text/redact.h - a JSON value for people and logs, without what must not be kept
 *
 * Members whose names speak of a secret (password, api_key, X-Api-Key, accessToken …) are written
 * as "[redacted]", wherever they stand; long texts are clipped at a character.
 *
 * Threads: no shared state.
 */
#ifndef WEIR_TEXT_REDACT_H
#define WEIR_TEXT_REDACT_H

#include "text/json.h"

void redact_put(struct json_writer *w, const struct json *value, size_t text_max);

#endif
