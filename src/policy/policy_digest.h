/*
 * policy/policy_digest.h - what a principal may, as one number
 *
 * Two principals with equal digests see the same of the same data: the same projects, domains and
 * tables, the same columns and masks, the same rows. So what was answered to one may be answered to
 * the other. Who they are, by which token they came and how their roles are called does not count;
 * neither do tools and rates, which are decided and counted for each call.
 *
 * Hashed are the policy's text (columns, masks, joins, limits, functions are the same for all who
 * may see a table), the salt of masks, and all that decide.c and grant.c ask the principal for:
 *
 *   - is a project allowed: the list of the token;
 *   - is a domain allowed: token, roles and client, for each domain of the policy;
 *   - is a table seen, for each table of the policy;
 *   - the row filters of each seen table, with the principal's attributes put in.
 *
 * test/unit/policy/policy_digest.c holds it against whole grants.
 *
 * Memory:  works in the given arena.
 * Errors:  FAIL_MEMORY; what binding a filter gives.
 * Threads: no state.
 */
#ifndef WEIR_POLICY_POLICY_DIGEST_H
#define WEIR_POLICY_POLICY_DIGEST_H

#include "identity/digest.h"
#include "policy/policy.h"

MUST_USE result policy_digest(const struct policy *policy, const struct principal *principal,
                              struct arena *arena, uint8_t out[DIGEST_SIZE], struct report *report);

#endif
