/*
 * identity/jwt_judge.h - bearer tokens that issuers signed
 *
 * What is remembered between calls: the issuers' keys (identity/jwks.h) and which signatures were
 * checked (identity/jwt_cache.h). The judge itself is a row of the table in bearer.c.
 *
 * Memory:  the state lives as long as the process; principals in the call's arena.
 * Errors:  those of a token judge. Why a token is refused stands in the log as `jwt_refused`, at
 * most one line a second of each kind, without anything that the token says; the client hears one
 * sentence for all. Threads: any number at once.
 */
#ifndef WEIR_IDENTITY_JWT_JUDGE_H
#define WEIR_IDENTITY_JWT_JUDGE_H

#include "identity/jwks.h"

struct jwt_state;
struct token_judge;
extern const struct token_judge judge_jwt;

MUST_USE result jwt_state_new(const struct clock *clock, struct jwks_getter getter,
                              struct jwt_state **out, struct report *report);
void jwt_state_free(struct jwt_state *state); /* takes NULL */

#endif
