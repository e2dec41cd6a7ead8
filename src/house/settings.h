/*
 * house/settings.h - weir.yaml: the program itself
 *
 * Each room states its settings as rows (base/option.h); the sections of weir.yaml are one table
 * over these rows. From it come reading, bounds, environment names, `weir help settings` and
 * doc/configuration.md. A flag wins over the environment, the environment over the file, the file
 * over the default.
 *
 * Memory:  settings live in the arena of the configuration.
 * Errors:  go to the problems, with positions.
 */
#ifndef WEIR_HOUSE_SETTINGS_H
#define WEIR_HOUSE_SETTINGS_H

#include "admin/admin.h"
#include "audit/audit.h"
#include "call/snapshot.h"
#include "identity/identity.h"
#include "net/fetch.h"
#include "net/gate.h"
#include "net/http.h"
#include "store/store.h"

enum transport { TRANSPORT_HTTP = 0, TRANSPORT_STDIO };

struct server_settings {
    struct str host;
    int64_t port;
    int transport; /* enum transport */
    int log_level; /* enum log_level */
    struct str logs_directory, state_directory;
    struct str secret_file; /* relative to the state directory */
    struct str welcome_token;
};

struct listener {
    struct str host;
    int64_t port;
    struct option_list paths;
    struct option_list toolsets;
};

struct settings {
    struct server_settings server;
    struct http_settings http;
    struct fetch_settings fetch;
    struct identity_settings auth;
    struct audit_settings audit;
    struct store_settings store;
    struct call_settings limits;
    struct mask_settings masks;
    struct approval_settings approvals;
    struct admin_settings admin;
    struct admin_session_settings admin_session;
    struct admin_csrf_settings admin_csrf;
    struct gate gate; /* security.yaml */
    const struct listener *listeners;
    size_t n_listeners;
};

struct section {
    const char *name; /* MCP_…: also of an environment variable with members of it as JSON */
    const struct option *options;
    size_t offset;        /* in struct settings */
    const char *sentence; /* for people */
};

extern const struct section settings_sections[]; /* ends with a row whose name is NULL */

/* From the command line; empty texts and 0 are not given. */
struct settings_flags {
    struct str host, transport;
    struct str port;
};

/* `weir` and `security` are trees or NULL. Everything that is wrong goes to `problems`. */
MUST_USE result settings_read(const struct yaml *weir, struct str weir_name,
                              const struct yaml *security, struct str security_name,
                              const struct settings_flags *flags, struct arena *arena,
                              struct problems *problems, struct settings *out);

/* An address of this machine's own, which nobody reaches from elsewhere. */
bool settings_is_loopback(struct str host);
bool settings_all_loopback(const struct settings *settings);

/* The table as a page of Markdown (doc/configuration.md). */
void settings_print(struct buf *out);

#endif
