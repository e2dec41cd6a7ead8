/* Which toolsets are on for whom: token, roles and client must each allow. */
#include "fixture.h"

static const char enterprise[] = "roles:\n"
                                 "  plain: {}\n"
                                 "  house: {allowed_toolsets: [warehouse]}\n"
                                 "  ops: {allowed_toolsets: [ack, 'dash*']}\n"
                                 "  none: {allowed_toolsets: []}\n"
                                 "  all: {allowed_toolsets: ['*']}\n"
                                 "clients:\n"
                                 "  desk: {allowed_toolsets: [warehouse, ack]}\n"
                                 "  shut: {allowed_toolsets: []}\n"
                                 "  open: {}\n";

static const struct {
    const char *token, *roles, *client, *toolset;
    bool is_on;
} rows[] = {
    {NULL, "", "", "warehouse", true},
    {NULL, "plain", "open", "warehouse", true},
    {NULL, "unknown", "unknown", "warehouse", true},
    {"warehouse", "", "", "warehouse", true},
    {"ack", "", "", "warehouse", false},
    {"", "", "", "warehouse", false},
    {"", "all", "", "warehouse", false},
    {"*", "none", "", "warehouse", false},
    {"", "mcp_admin", "", "warehouse", true},      /* overrides its own token's lists… */
    {"", "mcp_admin", "shut", "warehouse", false}, /* …and no others */
    {NULL, "house", "", "warehouse", true},
    {NULL, "house", "", "ack", false},
    {NULL, "house,ops", "", "ack", true},
    {NULL, "ops", "", "dashboards", true},
    {NULL, "ops", "", "warehouse", false},
    {NULL, "plain,none", "", "warehouse", false}, /* a role without a list opens nothing */
    {NULL, "none,house", "", "warehouse", true},
    {NULL, "all", "desk", "warehouse", true},
    {NULL, "all", "desk", "dashboards", false},
    {NULL, "all", "shut", "warehouse", false},
    {NULL, "house", "desk", "Warehouse", false},
};

static void are_on_where_all_allow(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {p.t: {}}\n", enterprise);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct principal p = somebody(rows[i].roles, NULL, NULL, rows[i].client);
        p.allowed_toolsets = set_of(rows[i].token);
        print_message("row %zu\n", i);
        assert_true(policy_may_toolset(policy, &p, str_of(rows[i].toolset)) == rows[i].is_on);
    }
    assert_false(policy_may_toolset(policy, &(struct principal){0}, STR("warehouse")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(are_on_where_all_allow, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
