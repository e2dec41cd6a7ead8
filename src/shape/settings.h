/*
 * shape/settings.h - the rows of MCP_RESPONSE_SIZE_CONFIG, MCP_CACHE_CONFIG and `replies`
 *
 * Names and defaults of the first two are Superset's, as its users have them; both stand in
 * weir.yaml under these names, or as JSON in environment variables of these names. The structs are
 * parts of call_settings (call/snapshot.h).
 */
#ifndef WEIR_SHAPE_SETTINGS_H
#define WEIR_SHAPE_SETTINGS_H

#include "call/snapshot.h"

extern const struct option size_options[];    /* over struct size_settings */
extern const struct option cache_options[];   /* over struct cache_settings */
extern const struct option replies_options[]; /* over struct call_settings */

/* Is the tool left out? A list that was not given is Superset's default. */
bool size_excludes(const struct size_settings *settings, struct str tool);
bool cache_excludes(const struct cache_settings *settings, struct str tool);

#endif
