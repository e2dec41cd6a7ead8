/* Challenges, and where the metadata stand: whatever Host and texts hold, one line comes out. */
#include "mcp/oauth.h"
#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WELL_KNOWN "/.well-known/oauth-protected-resource"

static struct arena arena;

static int setup(void **state) {
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static struct str server = STR_INIT("https://login.example.com");
static struct str paths[] = {STR_INIT("/mcp"), STR_INIT("/mcp/v1")};
static const struct option_list served = {paths, COUNT(paths), true};

static void writes_challenges(void **state) {
    (void)state;
    static const struct {
        struct challenge challenge;
        const char *text;
    } rows[] = {
        {{NULL, {NULL, 0}, {NULL, 0}, {NULL, 0}}, "Bearer realm=\"weir\""},
        {{"invalid_token", STR_INIT("no"), {NULL, 0}, {NULL, 0}},
         "Bearer realm=\"weir\", error=\"invalid_token\", error_description=\"no\""},
        {{NULL, {NULL, 0}, STR_INIT("a b"), STR_INIT("https://x/y")},
         "Bearer realm=\"weir\", resource_metadata=\"https://x/y\", scope=\"a b\""},
        {{NULL, STR_INIT("a\"\r\nX: \\y\x7f\xc3"), {NULL, 0}, {NULL, 0}},
         "Bearer realm=\"weir\", error_description=\"a   X:  y  \""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(str_cstr(&arena, oauth_challenge(&rows[i].challenge, &arena)),
                            rows[i].text);
}

static void says_where_the_metadata_stand(void **state) {
    (void)state;
    static const struct {
        const char *uri, *host, *path;
        bool is_tls;
        const char *at; /* NULL: nowhere */
    } rows[] = {
        {"", "a.example.com", "/mcp", true, "https://a.example.com" WELL_KNOWN "/mcp"},
        {"", "A.example.com:8000", "/mcp/v1", false,
         "http://a.example.com:8000" WELL_KNOWN "/mcp/v1"},
        {"", "[::1]:8000", "/sse", false, "http://[::1]:8000" WELL_KNOWN "/mcp"},
        {"https://b/x/mcp", "a", "/mcp", false, "https://b" WELL_KNOWN "/x/mcp"},
        {"https://b", "a", "/mcp", false, "https://b" WELL_KNOWN},
        {"", "", "/mcp", false, NULL},
        {"", "a\"b", "/mcp", false, NULL},
        {"", "a/b", "/mcp", false, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct protected_resource resource = {.uri = str_of(rows[i].uri),
                                              .servers = {&server, 1, true}};
        struct http_request req = {
            .host = str_of(rows[i].host), .path = str_of(rows[i].path), .is_tls = rows[i].is_tls};
        struct str at = oauth_metadata_uri(&resource, &served, &req, &arena);
        assert_true(str_eq(at, str_of(rows[i].at)));
        assert_true((at.ptr == NULL) == (rows[i].at == NULL));
        resource.servers.n = 0;
        assert_null(oauth_metadata_uri(&resource, &served, &req, &arena).ptr);
    }
}

/* MCP 2025-03-26, Authorization: "Access tokens MUST NOT be included in the URI query string". */
static void finds_a_token_in_the_query(void **state) {
    (void)state;
    static const struct {
        const char *query;
        bool has_token;
    } rows[] = {{NULL, false},
                {"", false},
                {"sessionId=access_token", false},
                {"my_access_token=a", false},
                {"access_tokens=a", false},
                {"access_token=a", true},
                {"access_token", true},
                {"access_token=", true},
                {"a=b&access_token=c", true},
                {"a=b&&ACCESS_TOKEN=c", true}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_true(oauth_query_has_token(str_of(rows[i].query)) == rows[i].has_token);
}

/* Whole, or none at all: never a part of a list of scopes, or of an address. */
static void says_nothing_by_halves(void **state) {
    (void)state;
    struct str scopes[] = {STR("a"), STR("b"), STR("c")};
    struct protected_resource resource = {.servers = {&server, 1, true},
                                          .scopes = {scopes, COUNT(scopes), true}};
    struct http_request req = {.host = STR("h"), .path = STR("/mcp")};
    const struct challenge challenge = {"invalid_token", STR("no"), STR("a b c"), STR("http://h")};
    static const char *const whole[] = {
        "a b c", "http://h" WELL_KNOWN "/mcp",
        ("Bearer realm=\"weir\", error=\"invalid_token\", error_description=\"no\", "
         "resource_metadata=\"http://h\", scope=\"a b c\"")};
    for (size_t what = 0; what < COUNT(whole); what++) {
        bool is_over = false;
        for (long n = 0; !is_over; n++) {
            struct arena own;
            arena_init(&own, 1 << 16);
            fault_set(n);
            struct str text = what == 0   ? oauth_first_scopes(&resource, &own)
                              : what == 1 ? oauth_metadata_uri(&resource, &served, &req, &own)
                                          : oauth_challenge(&challenge, &own);
            is_over = fault_unused();
            fault_off();
            assert_true(str_eq(text, str_of(whole[what])) || (text.ptr == NULL && !is_over));
            arena_deinit(&own);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_challenges, setup, teardown),
        cmocka_unit_test_setup_teardown(says_where_the_metadata_stand, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_a_token_in_the_query, setup, teardown),
        cmocka_unit_test_setup_teardown(says_nothing_by_halves, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
