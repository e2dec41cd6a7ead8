/*
 * identity/callout.h - who it is, by a program or a service of the house (Superset:
 * MCP_AUTH_FACTORY)
 *
 * It is asked about the headers that the room `callout:` names, and about nothing else:
 *
 *     {"id":"8f…","method":"POST","path":"/mcp","peer":"10.0.0.7","headers":{"x-session":"…"}}
 *
 * and answers in one JSON object (a program: in one line, with the same `id`):
 *
 *     {"id":"8f…","active":true,"user_id":"ann","client_id":"ide","roles":["reader"],
 *      "scopes":["a"],"attributes":{"region_codes":["north"]},"ttl_s":60}
 *     {"id":"8f…","active":false}
 *
 * `active` alone is required, and `user_id` where it is true; what is left out is empty. The answer
 * is for these headers from this peer, whatever method and path are: it is kept for `ttl_s`, a no
 * for five seconds. Any other answer, and none, lets nobody in (503).
 *
 * A request with one of the headers is the callout's, and a second credential beside it refuses it.
 * Where `Authorization` is one of them the callout is asked about bearer tokens that nobody else
 * knows.
 *
 * Threads: any number at once.
 */
#ifndef WEIR_IDENTITY_CALLOUT_H
#define WEIR_IDENTITY_CALLOUT_H

#include "identity/issuers.h"
#include "text/problem.h"

struct identity_provider;
struct identity_sources;
struct token_judge;
extern const struct identity_provider provider_callout;
extern const struct token_judge judge_callout;

/* Loaded; NULL: off. */
const struct callout_settings *callout_load(const struct identity_sources *sources,
                                            struct problems *problems);

#endif
