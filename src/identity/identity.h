/*
 * identity/identity.h - who asks
 *
 * Headers, a token on stdio or a name on the command line become a principal: a user, the client it
 * came through, roles and attributes. Providers are tried in the order of one table (identity.c), a
 * file each; the first that finds its kind of credential decides, and a bad credential is never
 * passed on to the next. Zeroed memory is nobody.
 *
 * Memory:  an identity is part of a snapshot and immutable; principals live in the call's arena and
 *          borrow from the snapshot.
 * Errors:  FAIL_DENIED with AUTH_REQUIRED or AUTH_INVALID_TOKEN: the road stops with 401.
 * Threads: immutable after load.
 */
#ifndef WEIR_IDENTITY_IDENTITY_H
#define WEIR_IDENTITY_IDENTITY_H

#include "base/arena.h"
#include "base/fail.h"
#include "base/option.h"
#include "identity/issuers.h"
#include "identity/jwt_settings.h"
#include "text/problem.h"
#include "text/yaml.h"

/* Names that may be used. Absent (is_set false) does not restrict, an empty list is nothing, `*` is
 * all (design, section 10). */
struct name_set {
    const struct str *items;
    size_t n;
    bool is_set;
};
bool name_set_has(const struct name_set *set, struct str name); /* by glob; absent: true */

/* The one role that needs no definition: its holder is not bound by the lists of the own token. It
 * gives no right to a table. */
#define ROLE_ADMIN STR("mcp_admin")

struct attribute {
    struct str name;
    const struct str *values;
    size_t n_values;
};

struct principal {
    struct str user_id;
    struct str client_id;   /* may be empty: then no client rule applies */
    struct str name;        /* for people */
    struct str auth_method; /* "bearer_token", "development", "command_line" */
    struct str token_id;    /* what a log may show of the token: never the token */
    const struct str *roles;
    size_t n_roles;
    const struct attribute *attributes;
    size_t n_attributes;
    struct name_set allowed_toolsets, allowed_tools, allowed_projects; /* of the token */
    struct name_set scopes; /* of the token, no patterns; absent: not restricted (protected.h) */
    int64_t rate_n, rate_window_s; /* of the token; 0: none */
};
bool principal_has_role(const struct principal *principal, struct str role);
/* The values of `${user.NAME}`; NULL when the principal has no such attribute. */
const struct attribute *principal_attribute(const struct principal *principal, struct str name);

/* Where a call comes from. Header values, target and body are untrusted. */
enum origin_kind { ORIGIN_HTTP = 0, ORIGIN_STDIO };
struct origin {
    enum origin_kind kind;
    struct str (*header)(const void *with, struct str name);   /* STR_NONE: absent; HTTP only */
    size_t (*header_count)(const void *with, struct str name); /* lines of that name; HTTP only */
    const void *with;
    struct str peer; /* address as text; empty on stdio */
    bool peer_is_loopback;
    struct str token; /* stdio: WEIR_TOKEN from the environment */
    /* HTTP: "POST", "/mcp?x=1" and the bytes behind the headers, for a signature over them. */
    struct str method, target, body;
    bool may_wait; /* on a thread that may block */
};

/* What identities remember from call to call and share with other replicas, through reloads: keys
 * and answers of issuers, nonces. Lives as long as the process. */
struct identity_state;
struct store;
struct clock;

/* Both are borrowed. `store` NULL: what needs one (single-use nonces) is refused. */
MUST_USE result identity_state_new(struct store *store, const struct clock *clock,
                                   struct identity_state **out, struct report *report);
void identity_state_free(struct identity_state *state); /* takes NULL */

struct identity;

/* The settings under `auth:` of weir.yaml. */
struct identity_settings {
    bool require_auth;       /* MCP_REQUIRE_AUTH, default true */
    bool auth_enabled;       /* MCP_AUTH_ENABLED, default true */
    struct str dev_username; /* MCP_DEV_USERNAME; used when authentication is off */
    /* identity/gateway.h */
    bool gateway_enabled;             /* GATEWAY_HEADER_ENABLED, default false */
    struct str gateway_secret;        /* GATEWAY_SIGNATURE_SECRET */
    struct option_list gateway_peers; /* absent: loopback */
    /* identity/protected.h */
    struct str resource, resource_name;
    struct option_list authorization_servers, scopes_supported;
    struct jwt_settings jwt;                     /* the room `jwt:`, identity/jwt_trust.h */
    struct introspection_settings introspection; /* rooms of their own: identity/issuers.h */
    struct feishu_settings feishu;
    struct callout_settings callout;
};
extern const struct option identity_options[];
/* Keys of `auth:` that hold maps, which identity_load() reads itself; ends with NULL. */
extern const char *const identity_maps[];

struct fetch_settings;
struct identity_sources {
    const struct identity_settings *settings;
    const struct fetch_settings *fetch; /* how issuers are asked; NULL: zeroed ones */
    /* Trees as read, NULL where the file is absent; names for problems. */
    const struct yaml *weir, *auth, *auth_local, *enterprise;
    struct str weir_name, auth_name, auth_local_name, enterprise_name;
    bool all_listeners_loopback; /* without which nobody may come unauthenticated */
};

/* Adds every problem; FAIL_CONFIG when there are errors. The identity lives in `arena`. */
MUST_USE result identity_load(const struct identity_sources *sources, struct arena *arena,
                              struct problems *problems, const struct identity **out);

/* What we are to OAuth (identity/protected.h). NULL gives nothing. */
struct protected_resource;
const struct protected_resource *identity_protected(const struct identity *identity);

/* Who is it? FAIL_DENIED when nobody that we know. FAIL_WAIT, without a report: an issuer or the
 * store has to be asked, and the thread may not wait; then once more, from one that may. `out`
 * borrows from the identity and the arena. */
MUST_USE result identity_identify(const struct identity *identity, struct identity_state *state,
                                  const struct origin *origin, struct arena *arena,
                                  struct principal *out, struct report *report);

/* `--as USER[@CLIENT]`: a user_id of auth.yaml or enterprise.yaml (FAIL_ABSENT, USER_NOT_FOUND,
 * with the nearest known name). The user's first token that fits gives lists and client; its rate
 * does not count. The client borrows from `user_at_client` when it is named there. */
MUST_USE result identity_named(const struct identity *identity, struct str user_at_client,
                               struct arena *arena, struct principal *out, struct report *report);

/* How a token is stored: "sha256:" + hex of its SHA-256. A token has 256 random bits, so a plain
 * hash is enough: there is nothing to guess that stretching would slow down. */
enum { TOKEN_HASH_SIZE = 7 + 64 + 1, TOKEN_TEXT_SIZE = 5 + 64 + 1 };
void token_hash(struct str token, char out[TOKEN_HASH_SIZE]);
void token_new(char out[TOKEN_TEXT_SIZE]); /* "weir_" + 64 hex digits */

#endif
