#include "house/settings.h"

#include "backend/backend.h"
#include "base/limits.h"
#include "base/log.h"
#include "house/section_json.h"
#include "house/toolsets.h"
#include "shape/settings.h"
#include "text/rows.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>

static const char *const transports[] = {"http", "stdio", NULL};
static const char *const store_failures[] = {"closed", "open", NULL};
static const char *const log_levels[] = {"debug", "info", "warn", "error", "off", NULL};

#define AT(member) offsetof(struct server_settings, member)
static const struct option server_options[] = {
    {.name = "host",
     .type = OPTION_TEXT,
     .offset = AT(host),
     .fallback = "127.0.0.1",
     .env = "HTTP_HOST",
     .sentence = "The address to listen on, where `listeners` names none."},
    {.name = "port",
     .type = OPTION_INT,
     .offset = AT(port),
     .fallback = "8000",
     .min = 0,
     .max = 65535,
     .env = "HTTP_PORT MCP_SERVICE_PORT",
     .sentence = "The port of the first listener; 0 lets the kernel choose."},
    {.name = "transport",
     .type = OPTION_CHOICE,
     .offset = AT(transport),
     .fallback = "http",
     .choices = transports,
     .sentence = "How clients reach us: by HTTP, or over standard input and output."},
    {.name = "log_level",
     .type = OPTION_CHOICE,
     .offset = AT(log_level),
     .fallback = "info",
     .choices = log_levels,
     .env = "WEIR_LOG_LEVEL",
     .reloadable = true,
     .sentence = "The lowest level that the operational log on standard error keeps."},
    {.name = "logs_directory",
     .type = OPTION_TEXT,
     .offset = AT(logs_directory),
     .fallback = "logs",
     .env = "LOGS_DIRECTORY",
     .sentence = "Where the audit log is written; relative to the working directory."},
    {.name = "state_directory",
     .type = OPTION_TEXT,
     .offset = AT(state_directory),
     .fallback = "state",
     .env = "STATE_DIRECTORY",
     .sentence = "Where the store, the secret, loaded databases and the head of the audit log are "
                 "kept."},
    {.name = "secret_file",
     .type = OPTION_TEXT,
     .offset = AT(secret_file),
     .fallback = "secret",
     .sentence =
         "What cursors and request states are sealed with; relative to the state directory, "
         "made at the first start, the same on all replicas. A second line is the secret "
         "before, still accepted. `WEIR_SECRET` in the environment (the two separated by a "
         "comma) takes its place."},
    {.name = "welcome_token",
     .type = OPTION_TEXT,
     .offset = AT(welcome_token),
     .fallback = "",
     .sentence = "A token to print with the welcome of `weir serve`; for demonstrations that "
                 "listen on loopback only."},
    {0},
};
#undef AT

#define AT(member) offsetof(struct call_settings, member)
static const struct option limits_options[] = {
    {.name = "reply_max_bytes",
     .type = OPTION_BYTES,
     .offset = AT(reply_max_bytes),
     .fallback = "8MiB",
     .min = 4 * KIB,
     .max = 256 * MIB,
     .unit = "bytes",
     .reloadable = true,
     .sentence = "The rows of one reply take at most so many bytes; the rest is cut, and said so."},
    {.name = "reply_max_tokens",
     .type = OPTION_INT,
     .offset = AT(reply_max_tokens),
     .fallback = "0",
     .min = 0,
     .max = INT64_C(1) << 40,
     .reloadable = true,
     .sentence = "A whole reply takes at most so many estimated tokens, whatever the tool; 0 sets "
                 "no limit."},
    {.name = "queue_max",
     .type = OPTION_INT,
     .offset = AT(queue_max),
     .fallback = "1024",
     .min = 1,
     .max = 1000000,
     .sentence = "Calls of one class that may wait for a thread; one more is told to come back."},
    {.name = "task_after",
     .type = OPTION_DURATION,
     .offset = AT(task_after_ms),
     .fallback = "10s",
     .min = 0,
     .max = INT64_C(3600) * 1000,
     .unit = "ms",
     .reloadable = true,
     .sentence = "A call that runs longer is answered by a task, where the client knows tasks."},
    {.name = "on_store_failure",
     .type = OPTION_CHOICE,
     .offset = AT(on_store_failure),
     .fallback = "closed",
     .choices = store_failures,
     .reloadable = true,
     .sentence = "What becomes of a limit that the store should count and cannot: the call is "
                 "refused, or rates and running queries are counted by each replica for itself "
                 "and daily quotas not at all."},
    {.name = "day_begins",
     .type = OPTION_INT,
     .offset = AT(day_begins_min),
     .fallback = "0",
     .min = -720,
     .max = 840,
     .reloadable = true,
     .sentence = "When the day of daily quotas begins, in minutes after midnight UTC; -480 is "
                 "midnight in China."},
    {0},
};
#undef AT

static const struct option security_options[] = {
    {.name = "allowed_origins",
     .type = OPTION_LIST,
     .offset = offsetof(struct gate, allowed_origins),
     .sentence = "Origins of web pages that may call, as scheme://host[:port]."},
    {.name = "allowed_hosts",
     .type = OPTION_LIST,
     .offset = offsetof(struct gate, allowed_hosts),
     .sentence = "Host names that are served, with or without a port."},
    {0},
};

const struct section settings_sections[] = {
    {"server", server_options, offsetof(struct settings, server), "Where and how we serve."},
    {"http", http_options, offsetof(struct settings, http),
     "What a peer may send, and how long it may take."},
    {"fetch", fetch_options, offsetof(struct settings, fetch),
     "How other servers are asked: issuers of tokens, callouts."},
    {"auth", identity_options, offsetof(struct settings, auth), "Who may come in."},
    {"introspection", introspection_options, offsetof(struct settings, auth.introspection),
     "Opaque tokens, by asking the server that gave them out."},
    {"callout", callout_options, offsetof(struct settings, auth.callout),
     "A program or a service of one's own, asked about headers."},
    {"feishu", feishu_options, offsetof(struct settings, auth.feishu),
     "User access tokens of Feishu."},
    {"jwt", jwt_options, offsetof(struct settings, auth.jwt),
     "Tokens that an issuer signs; `issuers` names more of them, with keys of their own."},
    {"audit", audit_options, offsetof(struct settings, audit), "The record of every call."},
    {"store", store_options, offsetof(struct settings, store), "What replicas share."},
    {"MCP_STORE_CONFIG", store_superset_options, offsetof(struct settings, store),
     "The same as Superset's users say it; names and defaults are Superset's."},
    {"masks", mask_options, offsetof(struct settings, masks),
     "What masked columns are made with (policy.yaml says which)."},
    {"approvals", approval_options, offsetof(struct settings, approvals),
     "What another person has to say yes to (rules.yaml and security.risk say what)."},
    {"limits", limits_options, offsetof(struct settings, limits), "What one call may hold."},
    {"replies", replies_options, offsetof(struct settings, limits), "How replies are written."},
    {"MCP_RESPONSE_SIZE_CONFIG", size_options, offsetof(struct settings, limits.size),
     "What a model can take of one reply; names and defaults are Superset's."},
    {"MCP_CACHE_CONFIG", cache_options, offsetof(struct settings, limits.cache),
     "Answers given again; names and defaults are Superset's."},
    {"admin", admin_options, offsetof(struct settings, admin), "The keepers' door, /admin."},
    {"MCP_SESSION_CONFIG", admin_session_options, offsetof(struct settings, admin_session),
     "Sessions of keepers; names are Superset's, defaults are stricter."},
    {"MCP_CSRF_CONFIG", admin_csrf_options, offsetof(struct settings, admin_csrf),
     "What proves that a page of ours asks; names are Superset's."},
    {0},
};

/* -- listeners -------------------------------------------------------------------------------- */

static const struct option listener_options[] = {
    {.name = "host",
     .type = OPTION_TEXT,
     .offset = offsetof(struct listener, host),
     .fallback = "127.0.0.1",
     .sentence = "The address to listen on."},
    {.name = "port",
     .type = OPTION_INT,
     .offset = offsetof(struct listener, port),
     .fallback = "8000",
     .min = 0,
     .max = 65535,
     .sentence = "The port; 0 lets the kernel choose."},
    {.name = "paths",
     .type = OPTION_LIST,
     .offset = offsetof(struct listener, paths),
     .sentence = "Where MCP is served: /mcp and /mcp/v1 unless told otherwise. HTTP+SSE stands "
                 "beside each: /mcp has /sse and /messages."},
    {.name = "toolsets",
     .type = OPTION_LIST,
     .offset = offsetof(struct listener, toolsets),
     .sentence = "Toolsets that are served here, by name or pattern; all where this is absent."},
    {0},
};

static result check_paths(const struct binder *b, const struct yaml *node,
                          struct listener *listener) {
    static const struct str usual[] = {STR_INIT("/mcp"), STR_INIT("/mcp/v1")};
    if (!listener->paths.is_set) {
        listener->paths.items = arena_new_array(b->arena, COUNT(usual), struct str);
        if (listener->paths.items == NULL) return (result){FAIL_MEMORY};
        memcpy(listener->paths.items, usual, sizeof usual);
        listener->paths.n = COUNT(usual);
    }
    for (size_t i = 0; i < listener->paths.n; i++)
        if (!str_starts(listener->paths.items[i], STR("/")))
            problem_add(b->problems, SEVERITY_ERROR, b->file, node,
                        "path '" STR_FMT "' must begin with '/'",
                        STR_ARG(listener->paths.items[i]));
    return OK;
}

/* Host and port as environment and flags name them, told apart from those of the file even where
 * they are the same: they win over the file's first listener, too. */
enum { PORT_UNTOLD = -1 };
struct outside {
    struct str host; /* STR_NONE: untold */
    int64_t port;
};

static result read_listeners(const struct binder *b, const struct yaml *list,
                             const struct outside *outside, struct settings *out) {
    size_t n = list != NULL && list->type == YAML_LIST && list->n > 0 ? list->n : 1;
    struct listener *listeners = arena_new_array(b->arena, n, struct listener);
    if (listeners == NULL) return (result){FAIL_MEMORY};
    if (list != NULL && list->type != YAML_LIST)
        problem_add(b->problems, SEVERITY_ERROR, b->file, list, "'listeners' must be a list");
    for (size_t i = 0; i < n; i++) {
        const struct yaml *node =
            list != NULL && list->type == YAML_LIST && list->n > 0 ? &list->items[i] : NULL;
        option_defaults(listener_options, &listeners[i]);
        if (node == NULL) {
            listeners[i].host = out->server.host;
            listeners[i].port = out->server.port;
        }
        TRY(rows_read(b, listener_options, &listeners[i], node, "a listener", NULL));
        TRY(check_paths(b, node, &listeners[i]));
        toolsets_check(b, node, &listeners[i].toolsets, toolsets);
    }
    if (outside->host.ptr != NULL) listeners[0].host = outside->host;
    if (outside->port != PORT_UNTOLD) listeners[0].port = outside->port;
    out->listeners = listeners;
    out->n_listeners = n;
    return OK;
}

/* -- the whole -------------------------------------------------------------------------------- */

static const struct section *section_find(struct str name) {
    for (const struct section *s = settings_sections; s->name != NULL; s++)
        if (str_eq(str_of(s->name), name)) return s;
    return NULL;
}

static struct str nearest_section(struct str name) {
    static const struct str others[] = {STR_INIT("listeners"), STR_INIT("backends")};
    struct str names[32];
    size_t n = 0;
    for (const struct section *s = settings_sections; s->name != NULL; s++) {
        assert(n < COUNT(names) - COUNT(others));
        names[n++] = str_of(s->name);
    }
    for (size_t i = 0; i < COUNT(others); i++) names[n++] = others[i];
    return bind_nearest(name, names, n);
}

/* Keys that hold maps, which their floor reads by itself. */
static const char *const *maps_of(const struct section *s) {
    if (s->options == jwt_options) return jwt_maps;
    return s->options == identity_options ? identity_maps : NULL;
}

static result read_sections(const struct binder *b, const struct yaml *weir, struct settings *out) {
    if (weir == NULL) return OK;
    for (size_t i = 0; i < weir->n; i++) {
        const struct yaml *key = &weir->pairs[i].key;
        const struct section *s = section_find(key->text);
        bool is_list = str_eq(key->text, STR("listeners")) || str_eq(key->text, STR("backends"));
        if (s != NULL) {
            TRY(rows_read(b, s->options, (char *)out + s->offset, &weir->pairs[i].value, s->name,
                          maps_of(s)));
        } else if (!is_list && !str_starts(key->text, STR("x-"))) {
            struct str near = nearest_section(key->text);
            problem_add(b->problems, SEVERITY_ERROR, b->file, key, "unknown key '" STR_FMT "'",
                        STR_ARG(key->text));
            if (near.len > 0)
                problem_hint(b->problems, "did you mean '" STR_FMT "'?", STR_ARG(near));
        }
    }
    return OK;
}

static bool has_variable(const struct section *s) {
    return str_starts(str_of(s->name), STR("MCP_"));
}

static result read_section_env(const struct section *s, struct arena *arena,
                               struct problems *problems, struct settings *out) {
    struct str text = str_of(has_variable(s) ? getenv(s->name) : NULL);
    if (text.len == 0) return OK;
    return section_read_json(s->options, (char *)out + s->offset, str_of(s->name), text, arena,
                             problems);
}

/* Row by row, so that one bad variable does not hide the next. */
static result read_environment(struct arena *arena, struct problems *problems,
                               struct settings *out) {
    for (const struct section *s = settings_sections; s->name != NULL; s++) {
        TRY(read_section_env(s, arena, problems, out));
        for (const struct option *row = s->options; row->name != NULL; row++) {
            struct option one[2] = {*row, {0}};
            struct report report = {0};
            result r = option_env(one, (char *)out + s->offset, arena, &report);
            if (r.why == FAIL_MEMORY) return r;
            if (r.why != FAIL_NONE)
                problem_add(problems, SEVERITY_ERROR, STR("environment"), NULL, "%s",
                            report.sentence);
        }
    }
    return OK;
}

static result set_flag(const char *name, struct str value, struct arena *arena,
                       struct problems *problems, struct settings *out) {
    struct report report = {0};
    if (value.len == 0) return OK;
    result r =
        option_set(option_find(server_options, str_of(name)), &out->server, value, arena, &report);
    if (r.why == FAIL_MEMORY) return r;
    if (r.why != FAIL_NONE)
        problem_add(problems, SEVERITY_ERROR, STR("command line"), NULL, "--%s: %s", name,
                    report.sentence);
    return OK;
}

/* The environment over the file, the flags over both. */
static result read_outside(const struct settings_flags *flags, struct arena *arena,
                           struct problems *problems, struct settings *out,
                           struct outside *outside) {
    struct server_settings in_file = out->server;
    out->server.host = STR_NONE;
    out->server.port = PORT_UNTOLD;
    TRY(read_environment(arena, problems, out));
    TRY(set_flag("host", flags->host, arena, problems, out));
    TRY(set_flag("port", flags->port, arena, problems, out));
    TRY(set_flag("transport", flags->transport, arena, problems, out));
    *outside = (struct outside){out->server.host, out->server.port};
    if (outside->host.ptr == NULL) out->server.host = in_file.host;
    if (outside->port == PORT_UNTOLD) out->server.port = in_file.port;
    return OK;
}

/* What no row sees alone. The address holds a password, and is not repeated. */
static void check_store(const struct settings *settings, struct str weir_name,
                        struct problems *problems) {
    struct report report = {0};
    if (store_check(&settings->store, &report).why == FAIL_NONE) return;
    problem_add(problems, SEVERITY_ERROR, weir_name, NULL, "%s", report.sentence);
    problem_hint(problems, "%s", report.hint);
}

result settings_read(const struct yaml *weir, struct str weir_name, const struct yaml *security,
                     struct str security_name, const struct settings_flags *flags,
                     struct arena *arena, struct problems *problems, struct settings *out) {
    struct binder in_weir = {arena, problems, weir_name};
    struct binder in_security = {arena, problems, security_name};
    *out = (struct settings){0};
    for (const struct section *section = settings_sections; section->name != NULL; section++)
        option_defaults(section->options, (char *)out + section->offset);
    if (weir != NULL && weir->type != YAML_MAP) {
        problem_add(problems, SEVERITY_ERROR, weir_name, weir, "a map of sections is expected");
        weir = NULL;
    }
    TRY(read_sections(&in_weir, weir, out));
    TRY(rows_read(&in_security, security_options, &out->gate, security, "security.yaml", NULL));
    struct outside outside;
    TRY(read_outside(flags, arena, problems, out, &outside));
    check_store(out, weir_name, problems);
    return read_listeners(&in_weir, yaml_get(weir, STR("listeners")), &outside, out);
}

/* A name that only looks like such an address ("127.example.org") may lead anywhere. */
bool settings_is_loopback(struct str host) {
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (str_ieq(host, STR("localhost"))) return true;
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_slice(host, 1, host.len - 1);
    if (host.len >= sizeof text) return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1) return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
    return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool settings_all_loopback(const struct settings *settings) {
    if (settings->server.transport == TRANSPORT_STDIO) return true;
    for (size_t i = 0; i < settings->n_listeners; i++)
        if (!settings_is_loopback(settings->listeners[i].host)) return false;
    return true;
}

/* -- for people ------------------------------------------------------------------------------- */

static void print_row(const struct option *row, struct buf *out) {
    static const char *const types[] = {"yes or no", "integer", "size", "duration",
                                        "text",      "choice",  "list"};
    buf_addf(out, "| `%s` | ", row->name);
    if (row->type == OPTION_CHOICE) {
        for (size_t i = 0; row->choices[i] != NULL; i++)
            buf_addf(out, "%s`%s`", i > 0 ? ", " : "", row->choices[i]);
    } else {
        buf_add(out, str_of(types[row->type]));
    }
    bool has_default = row->fallback != NULL && row->fallback[0] != '\0';
    buf_addf(out, " | %s%s%s | ", has_default ? "`" : "", has_default ? row->fallback : "–",
             has_default ? "`" : "");
    if (row->env != NULL) buf_addf(out, "`%s`", row->env);
    buf_addf(out, " | %s%s |\n", row->sentence, row->reloadable ? " *Reloadable.*" : "");
}

static void print_rows(const struct option *rows, struct buf *out) {
    buf_add(out, STR("| setting | type | default | environment | meaning |\n"
                     "|---|---|---|---|---|\n"));
    for (const struct option *row = rows; row->name != NULL; row++) print_row(row, out);
}

void settings_print(struct buf *out) {
    for (const struct section *s = settings_sections; s->name != NULL; s++) {
        buf_addf(out, "### `%s`\n\n%s", s->name, s->sentence);
        if (has_variable(s))
            buf_addf(out, " Or as JSON in the environment variable `%s`.", s->name);
        buf_add(out, STR("\n\n"));
        print_rows(s->options, out);
        buf_add_byte(out, '\n');
    }
    buf_add(out, STR("### `listeners`\n\nA list; without one, `server.host` and `server.port` make "
                     "it.\n\n"));
    print_rows(listener_options, out);
    const struct backend_kind *kind;
    for (size_t i = 0; (kind = backend_kind_at(i)) != NULL; i++) {
        buf_addf(out, "\n### `backends`, of kind `%s`\n\nBeside `name` and `kind`:\n\n",
                 kind->name);
        print_rows(kind->options, out);
    }
    buf_add(out, STR("\n### `security.yaml`\n\nWhich web pages and host names may reach us.\n\n"));
    print_rows(security_options, out);
}
