/*
 * identity/issuers.h - the rooms `introspection:`, `feishu:` and `callout:` of weir.yaml: others
 * who can tell whose a credential is
 *
 * Each is on when it says whom to ask. What they say is kept for a while (identity/answers.h); when
 * they do not answer nobody comes in (ISSUER_UNAVAILABLE, 503): not even with what was good before.
 *
 *     introspection:                     # RFC 7662: opaque tokens of an authorization server
 *       url: https://issuer.example.com/introspect
 *       client_id: weir
 *       client_secret: ${INTROSPECTION_SECRET}
 *
 * Memory:  settings as base/option.h says; what is loaded is immutable, in the snapshot's arena.
 * Errors:  go to the problems; never a part of a secret.
 */
#ifndef WEIR_IDENTITY_ISSUERS_H
#define WEIR_IDENTITY_ISSUERS_H

#include "base/option.h"

enum issuer_unknown { ISSUER_UNKNOWN_REFUSE = 0, ISSUER_UNKNOWN_ACCEPT };
enum introspection_auth { INTROSPECTION_BASIC = 0, INTROSPECTION_POST };

struct introspection_settings {
    struct str url, client_id, client_secret;
    int client_auth; /* enum introspection_auth */
    struct option_list issuers, audiences, scopes, user_claims, role_claims;
    int unknown_users; /* enum issuer_unknown */
    int64_t cache_ms, timeout_ms, clock_skew_ms;
};
extern const struct option introspection_options[];

struct feishu_settings {
    bool is_enabled;         /* FEISHU_ENABLED */
    struct str userinfo_url; /* FEISHU_USERINFO_URL */
    int64_t cache_ms, timeout_ms;
};
extern const struct option feishu_options[];

struct callout_settings {
    struct str url, secret;
    struct option_list command, headers;
    int64_t processes, timeout_ms;
    int unknown_users; /* enum issuer_unknown */
};
extern const struct option callout_options[];

#endif
