/* weir.yaml, environment and flags: who wins, and what is said of everything that is wrong. */
#include "house/settings.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct problems problems;
static struct settings settings;

static const char *const names[] = {"HTTP_HOST",        "HTTP_PORT",      "MCP_SERVICE_PORT",
                                    "WEIR_LOG_LEVEL",   "LOGS_DIRECTORY", "STATE_DIRECTORY",
                                    "MCP_REQUIRE_AUTH", "REDIS_URL",      "MCP_STORE_CONFIG"};

static int setup(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) unsetenv(names[i]);
    arena_init(&arena, 16 * MIB);
    return 0;
}

static int teardown(void **state) {
    arena_deinit(&arena);
    for (size_t i = 0; i < COUNT(names); i++) unsetenv(names[i]);
    (void)state;
    return 0;
}

static const struct yaml *tree(const char *text, const char *name) {
    const struct yaml *out = NULL;
    struct report report = {0};
    if (text == NULL) return NULL;
    result r = yaml_read(str_of(text), str_of(name), NULL, &arena, &out, &report);
    assert_string_equal(report.sentence, "");
    assert_int_equal(r.why, FAIL_NONE);
    return out;
}

static void read_all(const char *weir, const char *security, struct settings_flags flags) {
    problems_init(&problems, &arena);
    result r =
        settings_read(tree(weir, "weir.yaml"), STR("weir.yaml"), tree(security, "security.yaml"),
                      STR("security.yaml"), &flags, &arena, &problems, &settings);
    assert_int_equal(r.why, FAIL_NONE);
}

static const char *complaints(void) {
    struct str all = STR("");
    for (size_t p = 0; p < problems.n; p++)
        all = str_printf(&arena, STR_FMT "%s" STR_FMT, STR_ARG(all), p > 0 ? "\n" : "",
                         STR_ARG(problem_print(&problems.items[p], &arena)));
    return str_cstr(&arena, all);
}

static const struct settings_flags no_flags;

/* -- who wins --------------------------------------------------------------------------------- */

static const struct {
    const char *what;
    const char *file, *env_http, *env_mcp, *flag; /* of the port; NULL: not given */
    int64_t port;
} ports[] = {
    {"the default", NULL, NULL, NULL, NULL, 8000},
    {"an empty file", "", NULL, NULL, NULL, 8000},
    {"the file", "server: {port: 1}", NULL, NULL, NULL, 1},
    {"the environment over the file", "server: {port: 1}", "2", NULL, NULL, 2},
    {"the second name", "server: {port: 1}", NULL, "3", NULL, 3},
    {"the first name over the second", "server: {port: 1}", "2", "3", NULL, 2},
    {"an empty variable is none", "server: {port: 1}", "", NULL, NULL, 1},
    {"the flag over all", "server: {port: 1}", "2", "3", "4", 4},
    {"the flag over the default", NULL, NULL, NULL, "4", 4},
    {"a listener", "listeners: [{port: 5}]", NULL, NULL, NULL, 5},
    {"a listener without a port", "listeners: [{host: 127.0.0.1}]", NULL, NULL, NULL, 8000},
    {"a listener beside server.port", "{server: {port: 1}, listeners: [{port: 5}]}", NULL, NULL,
     NULL, 5},
    {"the environment over a listener", "listeners: [{port: 5}]", "2", NULL, NULL, 2},
    {"the flag over a listener", "listeners: [{port: 5}]", "2", NULL, "4", 4},
    {"a flag that says the default, over a listener", "listeners: [{port: 5}]", NULL, NULL, "8000",
     8000},
    {"a variable that says the file's, over a listener",
     "{server: {port: 1}, listeners: [{port: 5}]}", "1", NULL, NULL, 1},
};

static void knows_who_wins(void **state) {
    for (size_t i = 0; i < COUNT(ports); i++) {
        if (i > 0) setup(state);
        print_message("%s\n", ports[i].what);
        if (ports[i].env_http != NULL) setenv("HTTP_PORT", ports[i].env_http, 1);
        if (ports[i].env_mcp != NULL) setenv("MCP_SERVICE_PORT", ports[i].env_mcp, 1);
        read_all(ports[i].file, NULL, (struct settings_flags){.port = str_of(ports[i].flag)});
        assert_string_equal(complaints(), "");
        assert_int_equal(settings.listeners[0].port, ports[i].port);
        assert_int_equal(settings.n_listeners, 1);
        if (i + 1 < COUNT(ports)) teardown(state);
    }
}

static void takes_host_and_transport_from_flags(void **state) {
    (void)state;
    setenv("HTTP_HOST", "10.0.0.1", 1);
    read_all("listeners: [{host: 10.0.0.2}, {host: 10.0.0.3, port: 9}]", NULL, no_flags);
    assert_true(str_eq(settings.listeners[0].host, STR("10.0.0.1")));
    assert_true(str_eq(settings.listeners[1].host, STR("10.0.0.3")));
    assert_int_equal(settings.server.transport, TRANSPORT_HTTP);
    read_all(NULL, NULL, (struct settings_flags){.host = STR("::1"), .transport = STR("stdio")});
    assert_true(str_eq(settings.listeners[0].host, STR("::1")));
    assert_int_equal(settings.server.transport, TRANSPORT_STDIO);
}

/* -- what is read ----------------------------------------------------------------------------- */

static void reads_every_section(void **state) {
    (void)state;
    read_all("server: {log_level: WARN, logs_directory: /var/l, state_directory: s, "
             "welcome_token: w}\n"
             "http: {max_body_bytes: 1MiB, request_timeout: 5s}\n"
             "auth: {require_auth: no}\n"
             "audit: {sync: always, keep_days: 7}\n"
             "limits: {reply_max_bytes: 64KiB, reply_max_tokens: 100, queue_max: 1}\n"
             "backends: [{name: x, kind: whatever}]\n"
             "x-anything: {a: [b]}\n",
             "allowed_origins: [https://a.example, 'http://b:1']\nallowed_hosts: []\n", no_flags);
    assert_string_equal(complaints(), "");
    assert_int_equal(settings.server.log_level, LOG_WARN);
    assert_true(str_eq(settings.server.logs_directory, STR("/var/l")));
    assert_int_equal(settings.http.max_body_bytes, MIB);
    assert_int_equal(settings.http.request_timeout, 5000);
    assert_false(settings.auth.require_auth);
    assert_int_equal(settings.audit.sync, AUDIT_ALWAYS);
    assert_int_equal(settings.audit.keep_days, 7);
    assert_int_equal(settings.limits.reply_max_bytes, 64 * KIB);
    assert_int_equal(settings.limits.reply_max_tokens, 100);
    assert_int_equal(settings.limits.queue_max, 1);
    assert_int_equal(settings.gate.allowed_origins.n, 2);
    assert_true(settings.gate.allowed_hosts.is_set);
    assert_int_equal(settings.gate.allowed_hosts.n, 0);
}

static void requires_authentication_unless_told(void **state) {
    (void)state;
    read_all(NULL, NULL, no_flags);
    assert_true(settings.auth.require_auth);
    setenv("MCP_REQUIRE_AUTH", "false", 1);
    read_all("auth: {require_auth: true}", NULL, no_flags);
    assert_false(settings.auth.require_auth);
}

static void gives_listeners_their_paths(void **state) {
    (void)state;
    read_all("listeners: [{port: 1}, {port: 2, paths: [/a, /b/c]}, {port: 3, paths: []}]", NULL,
             no_flags);
    assert_string_equal(complaints(), "");
    assert_int_equal(settings.n_listeners, 3);
    assert_int_equal(settings.listeners[0].paths.n, 2);
    assert_true(str_eq(settings.listeners[0].paths.items[1], STR("/mcp/v1")));
    assert_int_equal(settings.listeners[1].paths.n, 2);
    assert_true(str_eq(settings.listeners[1].paths.items[1], STR("/b/c")));
    assert_int_equal(settings.listeners[2].paths.n, 0);
}

/* -- what is wrong ---------------------------------------------------------------------------- */

static const struct {
    const char *weir, *security, *said;
} slips[] = {
    {"sever: {port: 1}", NULL,
     "weir.yaml:1:1: error: unknown key 'sever' (did you mean 'server'?)"},
    {"listener: []", NULL,
     "weir.yaml:1:1: error: unknown key 'listener' (did you mean 'listeners'?)"},
    {"[1]", NULL, "weir.yaml:1:1: error: a map of sections is expected"},
    {"listeners: 7", NULL, "weir.yaml:1:12: error: 'listeners' must be a list"},
    {"listeners: [{paths: [mcp]}]", NULL, "weir.yaml:1:13: error: path 'mcp' must begin with '/'"},
};

static void tells_what_is_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(slips); i++) {
        read_all(slips[i].weir, slips[i].security, no_flags);
        assert_string_equal(complaints(), slips[i].said);
    }
}

/* The sentences of single values are text/rows.h's and base/option.h's; here: that each is told, at
 * its place, and none hides another. */
static const struct {
    const char *weir, *security, *place;
} places[] = {
    {"server: {\n  prot: 1}", NULL, "weir.yaml:2:3: error: "},
    {"server:\n  port: 65536", NULL, "weir.yaml:2:9: error: "},
    {"server:\n  port: -1", NULL, "weir.yaml:2:9: error: "},
    {"server:\n  port: [1]", NULL, "weir.yaml:2:9: error: "},
    {"server: 7", NULL, "weir.yaml:1:9: error: "},
    {"server: {transport: pigeon}", NULL, "weir.yaml:1:21: error: "},
    {"http: {max_body_bytes: lots}", NULL, "weir.yaml:1:24: error: "},
    {"limits: {reply_max_bytes: 1}", NULL, "weir.yaml:1:27: error: "},
    {"listeners: [{}, {prot: 1}]", NULL, "weir.yaml:1:18: error: "},
    {"listeners: [7]", NULL, "weir.yaml:1:13: error: "},
    {NULL, "allowed_origin: []", "security.yaml:1:1: error: "},
    {NULL, "allowed_hosts: [[x]]", "security.yaml:1:17: error: "},
    {NULL, "[]", "security.yaml:1:1: error: "},
};

static void tells_where(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        read_all(places[i].weir, places[i].security, no_flags);
        print_message("%s\n", complaints());
        assert_int_equal(problems.n_errors, 1);
        assert_true(str_starts(str_of(complaints()), str_of(places[i].place)));
    }
}

static void tells_everything_at_once(void **state) {
    (void)state;
    setenv("HTTP_PORT", "many", 1);
    setenv("WEIR_LOG_LEVEL", "loud", 1);
    read_all("server: {prot: 1, port: x}\nhttp: {max_headers: x}\nlog: {}\n"
             "listeners: [{port: x}, {paths: [x]}]\n",
             "allowed_origin: []", (struct settings_flags){.transport = STR("pigeon")});
    print_message("%s\n", complaints());
    assert_int_equal(problems.n_errors, 10);
    static const char *const some[] = {"environment variable HTTP_PORT", "variable WEIR_LOG_LEVEL",
                                       "command line: error: --transport: "};
    for (size_t i = 0; i < COUNT(some); i++) assert_non_null(strstr(complaints(), some[i]));
}

/* -- the store -------------------------------------------------------------------------------- */

static void knows_where_the_store_is(void **state) {
    (void)state;
    static const struct {
        const char *weir, *redis_url, *superset, *complaint;
        enum store_kind_id kind;
    } cases[] = {
        {"{}", NULL, NULL, NULL, STORE_SQLITE},
        {"{}", "redis://h", NULL, NULL, STORE_REDIS},
        {"store: {redis_url: 'redis://h'}", NULL, NULL, NULL, STORE_REDIS},
        {"store: {kind: sqlite}", "redis://h", NULL, NULL, STORE_SQLITE},
        {"MCP_STORE_CONFIG: {enabled: true, CACHE_REDIS_URL: 'redis://h'}", NULL, NULL, NULL,
         STORE_REDIS},
        {"{}", NULL, "{\"enabled\": true, \"CACHE_REDIS_URL\": \"rediss://h:6380/1\"}", NULL,
         STORE_REDIS},
        {"{}", NULL, "{\"enabled\": true, \"CACHE_REDIS_URL\": null}", NULL, STORE_SQLITE},
        {"store: {kind: redis}", NULL, NULL, "begins with none of redis://", STORE_REDIS},
        {"{}", "http://hidden", NULL, "begins with none of redis://", STORE_REDIS},
        {"{}", "redis://u:hidden@h:99999", NULL, "has a port that is none", STORE_REDIS},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (cases[i].redis_url != NULL) setenv("REDIS_URL", cases[i].redis_url, 1);
        if (cases[i].superset != NULL) setenv("MCP_STORE_CONFIG", cases[i].superset, 1);
        read_all(cases[i].weir, NULL, no_flags);
        unsetenv("REDIS_URL");
        unsetenv("MCP_STORE_CONFIG");
        assert_int_equal(problems.n_errors, cases[i].complaint != NULL);
        assert_int_equal(store_kind_of(&settings.store), cases[i].kind);
        if (cases[i].complaint != NULL) assert_non_null(strstr(complaints(), cases[i].complaint));
        assert_null(strstr(complaints(), "hidden"));
    }
}

/* -- loopback --------------------------------------------------------------------------------- */

static void knows_what_is_loopback(void **state) {
    (void)state;
    static const struct {
        const char *weir;
        bool all;
    } cases[] = {
        {"server: {host: 127.0.0.1}", true},
        {"server: {host: 127.9.8.7}", true},
        {"server: {host: localhost}", true},
        {"server: {host: '::1'}", true},
        {"server: {host: '[::1]'}", true},
        {"server: {host: 0.0.0.0}", false},
        {"server: {host: '::'}", false},
        {"server: {host: 10.1.2.3}", false},
        {"server: {host: ''}", false},
        /* names that only look like an address: a resolver may say anything */
        {"server: {host: 127.example.org}", false},
        {"server: {host: 127.0.0.1.example.org}", false},
        {"server: {host: localhost.example.org}", false},
        {"server: {host: '127.1'}", false},
        {"listeners: [{}, {host: 0.0.0.0}]", false},
        {"listeners: [{}, {host: '::1'}]", true},
        {"{server: {transport: stdio}, listeners: [{host: 0.0.0.0}]}", true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].weir);
        read_all(cases[i].weir, NULL, no_flags);
        assert_string_equal(complaints(), "");
        assert_true(settings_all_loopback(&settings) == cases[i].all);
    }
}

/* -- the rest --------------------------------------------------------------------------------- */

static void prints_every_row(void **state) {
    (void)state;
    struct buf page;
    buf_init(&page, MIB);
    settings_print(&page);
    struct str text = buf_flat(&page, &arena);
    for (const struct section *s = settings_sections; s->name != NULL; s++)
        for (const struct option *row = s->options; row->name != NULL; row++) {
            struct str want = str_printf(&arena, "| `%s` | ", row->name);
            assert_true(str_find(text, want) < text.len);
            assert_true(row->sentence != NULL && row->sentence[strlen(row->sentence) - 1] == '.');
        }
    buf_deinit(&page);
}

static void runs_out_of_memory_cleanly(void **state) {
    (void)state;
    const struct yaml *weir =
        tree("server: {host: h, prot: 1}\nlisteners: [{paths: [/a]}, {}]\n", "weir.yaml");
    setenv("LOGS_DIRECTORY", "somewhere", 1);
    for (long n = 0;; n++) {
        struct arena small; /* every allocation a block of its own would hide faults: one arena */
        arena_init(&small, MIB);
        problems_init(&problems, &small);
        fault_set(n);
        result r = settings_read(weir, STR("weir.yaml"), NULL, STR("security.yaml"), &no_flags,
                                 &small, &problems, &settings);
        bool was_reached = !fault_unused();
        fault_off();
        assert_true(r.why == FAIL_NONE || r.why == FAIL_MEMORY);
        if (was_reached) assert_true(r.why == FAIL_MEMORY || problems.is_full);
        arena_deinit(&small);
        if (!was_reached) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(knows_who_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_host_and_transport_from_flags, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_every_section, setup, teardown),
        cmocka_unit_test_setup_teardown(requires_authentication_unless_told, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_listeners_their_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_what_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_where, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_everything_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_where_the_store_is, setup, teardown),
        cmocka_unit_test_setup_teardown(knows_what_is_loopback, setup, teardown),
        cmocka_unit_test_setup_teardown(prints_every_row, setup, teardown),
        cmocka_unit_test_setup_teardown(runs_out_of_memory_cleanly, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
