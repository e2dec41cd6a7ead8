/* Toolsets that are off, for a listener or a caller, do not exist: in no list, by no call. */
#include "world.h"

static struct str on[2];

/* One request on a listener with these toolsets; n < 0: it names none. */
static struct answer ask_at(int n, const char *role, const char *method, const char *params) {
    struct answer answer = {.waiter = RIG_WAITER};
    struct turn *turn = turn_new(world.mcp, door_finish, &answer);
    struct str name = str_of(role);
    assert_non_null(turn);
    turn->call->principal = (struct principal){.user_id = STR("ann"), .roles = &name, .n_roles = 1};
    if (n >= 0) turn->call->origin.toolsets = (struct name_set){on, (size_t)n, true};
    struct str body = str_printf(&world.rig.arena,
                                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{%s}}",
                                 method, params);
    assert_true(turn_read(turn, body));
    turn_take_as(turn, ERA_LEGACY, STR("2025-11-25"));
    door_wait(&world, &answer, turn);
    return answer;
}

static const struct {
    const char *what;
    int n; /* of toolsets at the listener */
    const char *toolsets[2];
    const char *role;
    bool is_on;
} rows[] = {
    {"none named", -1, {NULL}, "seller", true},
    {"all", 1, {"*"}, "seller", true},
    {"this one", 1, {"warehouse"}, "seller", true},
    {"this beside another", 2, {"ack", "warehouse"}, "seller", true},
    {"by pattern", 1, {"ware*"}, "seller", true},
    {"nothing", 0, {NULL}, "seller", false},
    {"another", 1, {"ack"}, "seller", false},
    {"in other letters", 1, {"Warehouse"}, "seller", false},
    {"off for the role", -1, {NULL}, "elsewhere", false},
    {"off for the role, on at the listener", 1, {"warehouse"}, "elsewhere", false},
    {"on for the role, off at the listener", 0, {NULL}, "keeper", false},
};

static void exist_only_where_they_are_on(void **state) {
    (void)state;
    static const struct {
        const char *method, *pointer;
    } lists[] = {{"tools/list", "/result/tools"},
                 {"resources/list", "/result/resources"},
                 {"resources/templates/list", "/result/resourceTemplates"},
                 {"prompts/list", "/result/prompts"}};
    static const struct {
        const char *method, *params;
    } uses[] = {
        {"tools/call", "\"name\":\"list_allowed_tables\""},
        {"resources/read", "\"uri\":\"weir://catalog\""},
        {"prompts/get", "\"name\":\"explore_domain\",\"arguments\":{\"domain\":\"sales\"}"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].what);
        for (int k = 0; k < rows[i].n; k++) on[k] = str_of(rows[i].toolsets[k]);
        for (size_t k = 0; k < COUNT(lists); k++) {
            struct answer answer = ask_at(rows[i].n, rows[i].role, lists[k].method, "");
            assert_true((world_at(&answer, lists[k].pointer)->n > 0) == rows[i].is_on);
        }
        for (size_t k = 0; k < COUNT(uses); k++) {
            struct answer answer = ask_at(rows[i].n, rows[i].role, uses[k].method, uses[k].params);
            assert_true((world_at(&answer, "/result") != NULL) == rows[i].is_on);
        }
    }
}

/* Not to be told from a tool that nobody has. */
static void are_refused_as_unknown(void **state) {
    (void)state;
    struct answer off = ask_at(0, "seller", "tools/call", "\"name\":\"run_select_sql\"");
    struct answer none = ask_at(-1, "seller", "tools/call", "\"name\":\"run_select_sqx\"");
    assert_int_equal(world_at(&off, "/error/code")->integer, -32602);
    struct str expected = str_dup(&world.rig.arena, none.body);
    size_t at = str_find(expected, STR("sqx"));
    assert_true(at < expected.len);
    assert_int_equal(off.body.len, expected.len);
    assert_memory_equal(off.body.ptr, expected.ptr, at + 2);
    assert_memory_equal(off.body.ptr + at + 3, expected.ptr + at + 3, expected.len - at - 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WORLD_TEST(exist_only_where_they_are_on),
        WORLD_TEST(are_refused_as_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
