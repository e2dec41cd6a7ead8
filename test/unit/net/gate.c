#include "net/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NO_ORIGIN                                                                                  \
    { NULL, 0 }

struct row {
    struct str host;
    struct str origin;
    enum gate_answer answer;
};

static void check(const struct gate *gate, bool bind_is_loopback, const struct row *rows,
                  size_t n) {
    for (size_t i = 0; i < n; i++) {
        enum gate_answer answer = gate_check(gate, rows[i].host, rows[i].origin, bind_is_loopback);
        if (answer != rows[i].answer)
            print_error("host '" STR_FMT "' origin '" STR_FMT "': %d\n", STR_ARG(rows[i].host),
                        STR_ARG(rows[i].origin), (int)answer);
        assert_int_equal(answer, rows[i].answer);
    }
}

/* Nothing configured, bound to loopback: only what is on this machine. */
static void test_loopback(void **state) {
    static const struct row rows[] = {
        {STR_INIT("localhost"), NO_ORIGIN, GATE_ALLOW},
        {STR_INIT("LOCALHOST:8000"), NO_ORIGIN, GATE_ALLOW},
        {STR_INIT("localhost.:8000"), NO_ORIGIN, GATE_ALLOW},
        {STR_INIT("127.0.0.1:1"), NO_ORIGIN, GATE_ALLOW},
        {STR_INIT("[::1]:8000"), NO_ORIGIN, GATE_ALLOW},
        {STR_INIT("[0:0:0:0:0:0:0:1]"), NO_ORIGIN, GATE_ALLOW},
        {{NULL, 0}, NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT(""), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("."), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("evil.example.com"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("localhost.evil.com"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("localhost@evil.com"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("evil.com@localhost"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("localhost evil.com"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("localhost, evil.com"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("127.0.0.1.evil.com"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("127.1"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("0.0.0.0"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("[::]"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("[::ffff:127.0.0.1]"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("localhost"), STR_INIT("http://localhost"), GATE_ALLOW},
        {STR_INIT("localhost"), STR_INIT("https://LocalHost:6274"), GATE_ALLOW},
        {STR_INIT("localhost"), STR_INIT("http://127.0.0.1:3000"), GATE_ALLOW},
        {STR_INIT("localhost"), STR_INIT("http://[::1]:3000"), GATE_ALLOW},
        {STR_INIT("localhost"), STR_INIT(""), GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("localhost"), STR_INIT("null"), GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("localhost"), STR_INIT("http://evil.example.com"), GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("localhost"), STR_INIT("http://localhost.evil.com"), GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("localhost"), STR_INIT("http://localhost@evil.com"), GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("localhost"), STR_INIT("http://localhost/"), GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("localhost"), STR_INIT("http://localhost http://evil.com"),
         GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("localhost"), STR_INIT("localhost"), GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("localhost"), STR_INIT("file://localhost"), GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("evil.example.com"), STR_INIT("http://evil.example.com"), GATE_HOST_NOT_ALLOWED},
    };
    struct gate gate = {{NULL, 0, false}, {NULL, 0, false}};

    (void)state;
    check(&gate, true, rows, COUNT(rows));
}

/* Nothing configured, bound elsewhere: any name, but no page of another's. */
static void test_public(void **state) {
    static const struct row rows[] = {
        {STR_INIT("mcp.example.com"), NO_ORIGIN, GATE_ALLOW},
        {{NULL, 0}, NO_ORIGIN, GATE_ALLOW},
        {STR_INIT("mcp.example.com"), STR_INIT("https://mcp.example.com"), GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("mcp.example.com"), STR_INIT("http://localhost"), GATE_ORIGIN_NOT_ALLOWED},
    };
    struct gate gate = {{NULL, 0, false}, {NULL, 0, false}};

    (void)state;
    check(&gate, false, rows, COUNT(rows));
}

static void test_lists(void **state) {
    static struct str origins[] = {STR_INIT("https://App.example.com"),
                                   STR_INIT("http://10.0.0.1:8080"),
                                   STR_INIT("vscode-webview://x")};
    static struct str hosts[] = {STR_INIT("mcp.example.com"), STR_INIT("other.example:8443"),
                                 STR_INIT("[2001:db8::1]")};
    static const struct row rows[] = {
        {STR_INIT("MCP.example.com.:443"), NO_ORIGIN, GATE_ALLOW},
        {STR_INIT("other.example:8443"), NO_ORIGIN, GATE_ALLOW},
        {STR_INIT("other.example"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("other.example:80"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("[2001:db8:0::1]:80"), NO_ORIGIN, GATE_ALLOW},
        {STR_INIT("example.com"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("localhost"), NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {{NULL, 0}, NO_ORIGIN, GATE_HOST_NOT_ALLOWED},
        {STR_INIT("mcp.example.com"), STR_INIT("https://app.example.com"), GATE_ALLOW},
        {STR_INIT("mcp.example.com"), STR_INIT("https://app.example.com:443"), GATE_ALLOW},
        {STR_INIT("mcp.example.com"), STR_INIT("http://app.example.com"), GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("mcp.example.com"), STR_INIT("https://app.example.com:8443"),
         GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("mcp.example.com"), STR_INIT("https://app.example.com.evil.com"),
         GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("mcp.example.com"), STR_INIT("http://10.0.0.1:8080"), GATE_ALLOW},
        {STR_INIT("mcp.example.com"), STR_INIT("http://10.0.0.1"), GATE_ORIGIN_NOT_ALLOWED},
        {STR_INIT("mcp.example.com"), STR_INIT("vscode-webview://x"), GATE_ALLOW},
        {STR_INIT("mcp.example.com"), STR_INIT("vscode-webview://y"), GATE_ORIGIN_NOT_ALLOWED},
    };
    struct gate gate = {{origins, COUNT(origins), true}, {hosts, COUNT(hosts), true}};

    (void)state;
    check(&gate, false, rows, COUNT(rows));
    /* On loopback the machine's own names stay. */
    assert_int_equal(gate_check(&gate, STR("localhost"), STR_NONE, true), GATE_ALLOW);
    assert_int_equal(gate_check(&gate, STR("mcp.example.com"), STR_NONE, true), GATE_ALLOW);
}

static void test_star_and_empty(void **state) {
    static struct str star[] = {STR_INIT("*")};
    static struct str null[] = {STR_INIT("null")};
    struct gate open = {{star, 1, true}, {star, 1, true}};
    struct gate shut = {{NULL, 0, true}, {NULL, 0, true}};
    struct gate nulls = {{null, 1, true}, {star, 1, true}};

    (void)state;
    assert_int_equal(gate_check(&open, STR("a"), STR("http://b"), false), GATE_ALLOW);
    assert_int_equal(gate_check(&open, STR("a"), STR("null"), true), GATE_ALLOW);
    assert_int_equal(gate_check(&shut, STR("a"), STR_NONE, false), GATE_HOST_NOT_ALLOWED);
    assert_int_equal(gate_check(&nulls, STR("a"), STR("null"), false), GATE_ALLOW);
    assert_int_equal(gate_check(&nulls, STR("a"), STR("http://a"), false), GATE_ORIGIN_NOT_ALLOWED);
}

static void test_codes(void **state) {
    (void)state;
    assert_string_equal(gate_code(GATE_HOST_NOT_ALLOWED), "HOST_NOT_ALLOWED");
    assert_string_equal(gate_code(GATE_ORIGIN_NOT_ALLOWED), "ORIGIN_NOT_ALLOWED");
    assert_null(gate_code(GATE_ALLOW));
    assert_int_equal((enum gate_answer)0, GATE_HOST_NOT_ALLOWED); /* zero means deny */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loopback), cmocka_unit_test(test_public),
        cmocka_unit_test(test_lists),    cmocka_unit_test(test_star_and_empty),
        cmocka_unit_test(test_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
