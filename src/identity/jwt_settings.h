/*
 * identity/jwt_settings.h - the settings of the room `jwt:` (identity/jwt_trust.h says what they
 * mean)
 *
 * Memory:  as base/option.h says.
 */
#ifndef WEIR_IDENTITY_JWT_SETTINGS_H
#define WEIR_IDENTITY_JWT_SETTINGS_H

#include "base/option.h"

enum jwt_unknown { JWT_UNKNOWN_REFUSE = 0, JWT_UNKNOWN_ACCEPT };

struct jwt_settings {
    struct option_list algorithms, issuers, audiences, scopes;
    struct str jwks_uri, public_key, secret;
    struct option_list user_claims, role_claims;
    int unknown_users; /* enum jwt_unknown */
    int64_t clock_skew_ms, keys_ttl_ms, keys_stale_ms, keys_pause_ms;
    bool debug_errors;
};
extern const struct option jwt_options[];
extern const char *const jwt_maps[]; /* keys that hold maps, which jwt_trusts_load() reads */

#endif
