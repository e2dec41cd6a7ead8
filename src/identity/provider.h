/*
 * identity/provider.h - what the files of this floor share: the loaded identity and the providers
 *
 * A provider is a file with one const struct, and a word in the table of identity.c. It looks for
 * its kind of credential; when there is one it decides, for good or bad, and nobody is asked after.
 * Where a credential names its audience the provider refuses all that protected_is_audience() does
 * not know (MCP 2025-06-18, Token Handling: MUST); tokens of auth.yaml are of this server alone.
 * What it says of scopes becomes the principal's, as it stands.
 *
 * Memory:  the identity is immutable and lives in the snapshot's arena.
 * Threads: any number of readers.
 */
#ifndef WEIR_IDENTITY_PROVIDER_H
#define WEIR_IDENTITY_PROVIDER_H

#include "base/map.h"
#include "identity/callout.h"
#include "identity/digest.h"
#include "identity/feishu.h"
#include "identity/gateway.h"
#include "identity/introspection.h"
#include "identity/jwt_judge.h"
#include "identity/jwt_trust.h"
#include "identity/protected.h"
#include "net/fetch.h"

struct identity_token {
    uint8_t hash[DIGEST_SIZE];
    struct principal principal; /* complete: copied to whoever shows the token */
};

struct identity_user {
    struct str user_id, name;
    const struct str *roles;
    size_t n_roles;
    const struct attribute *attributes;
    size_t n_attributes;
};

/* Names of a user elsewhere, as enterprise.yaml says; each belongs to one user at most. */
enum user_id_kind { USER_ID_FEISHU = 0, USER_ID_WECOM, USER_ID_DINGTALK, USER_ID_KINDS };

struct identity {
    struct map tokens; /* first TOKEN_INDEX_SIZE bytes of the hash → identity_token */
    struct map users;  /* user_id → identity_user, of enterprise.yaml */
    struct map users_by[USER_ID_KINDS]; /* a name elsewhere → identity_user */
    bool is_bearer_on;
    struct fetch_settings fetch;    /* for fetch(), beside the state's fetcher */
    const struct principal *anyone; /* who comes without a credential; NULL: refused */
    struct protected_resource resource;
    struct gateway gateway;
    struct jwt_trusts jwt;
    struct introspection introspection;
    const struct feishu_settings *feishu;   /* NULL: off */
    const struct callout_settings *callout; /* likewise */
    const struct header_user *header_users; /* of enterprise.yaml (identity/header_user.h) */
    size_t n_header_users;
};

/* The map finds by a part of the hash; the whole is compared in constant time. */
enum { TOKEN_INDEX_SIZE = 16 };

/* See identity.h. Each member is made by its own file and guards itself. */
struct identity_state {
    struct store *store; /* NULL: there is none */
    const struct clock *clock;
    struct fetcher *fetcher; /* asks issuers; only where origin->may_wait */
    struct jwt_state *jwt;
    struct callout_pool *callouts;
    struct answers *answers; /* of the issuers that are asked of each token */
};

/* One caller who is to be identified. */
struct identifying {
    const struct identity *identity;
    struct identity_state *state;
    const struct origin *origin;
    struct arena *arena; /* of the call: what a principal borrows */
};

struct identity_provider {
    const char *name;
    /* Sets *found when the caller shows this kind of credential (or needs none); then the result
     * stands: OK with `out` filled, or FAIL_DENIED. May block only where origin->may_wait: else
     * FAIL_WAIT, before any side effect and without a report. */
    result (*identify)(const struct identifying *who, bool *found, struct principal *out,
                       struct report *report);
};

/* The header's value; STR_NONE: absent, or there are no headers. */
struct str identifying_header(const struct identifying *who, struct str name);
/* How often it stands there. */
size_t identifying_header_count(const struct identifying *who, struct str name);

/* Who may know whose a bearer token is: auth.yaml, an issuer. Asked in the order of the table in
 * bearer.c until one knows; what nobody knows is refused. Without another judge auth.yaml decides
 * alone. */
struct token_judge {
    const char *name;
    /* Sets *is_known and fills `out`. Leaves both as they are when the token is none of its own,
     * and the next is asked. Fails when the token is its own and bad (FAIL_DENIED), or it cannot
     * tell (FAIL_WAIT as above; FAIL_IO ISSUER_UNAVAILABLE): nobody is asked after. A judge that no
     * setting switches on knows nothing. */
    result (*judge)(const struct identifying *who, struct str token, bool *is_known,
                    struct principal *out, struct report *report);
};

/* What a log may show of a token: the beginning of its hash. STR_NONE: no memory. */
struct str token_shown(struct str token, struct arena *arena);
struct str token_shown_hash(const uint8_t hash[DIGEST_SIZE], struct arena *arena);

/* A bearer token that is no good, in one sentence for the client that says no more than it must. */
result token_refuse(struct report *report, const char *sentence);
/* The same for claims that were judged: of all verdicts only missing scopes are told apart. */
result token_refuse_claims(struct report *report, enum jwt_verdict verdict);

extern const struct identity_provider provider_bearer;
extern const struct identity_provider provider_development;
extern const struct identity_provider provider_gateway;
extern const struct identity_provider provider_header_user;

/* The user of enterprise.yaml with this user_id, and the one who has this name elsewhere; NULL:
 * there is none. An empty name is nobody's. */
const struct identity_user *identity_user_find(const struct identity *identity, struct str user_id);
const struct identity_user *identity_user_by(const struct identity *identity,
                                             enum user_id_kind kind, struct str id);

/* Adds to what a credential says (user_id, roles, attributes) what enterprise.yaml says of the
 * user: roles = both; of two attributes with one name the credential's counts, as the narrower
 * thing; the name where there is none. `user` may be NULL. A user_id that is empty becomes the
 * user's. */
MUST_USE result principal_join(struct principal *principal, const struct identity_user *user,
                               struct arena *arena);

/* The token with this hash, or NULL. */
const struct identity_token *identity_token_find(const struct identity *identity,
                                                 const uint8_t hash[DIGEST_SIZE]);

/* Fills `out` with user and client as the first fitting token and the user's entry say; false: no
 * such user. `client` may be empty: then that of the token. */
bool identity_resolve(const struct identity *identity, struct str user, struct str client,
                      struct principal *out);

#endif
