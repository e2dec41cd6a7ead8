/*
 * world.h - the rig's door over a larger house: two domains, a schema of its own, a table that no
 * backend has, and callers who see different parts of it
 */
#ifndef WEIR_TEST_MCP_WORLD_H
#define WEIR_TEST_MCP_WORLD_H

#include "rig.h"

static const char world_policy[] =
    "default_project: shop\n"
    "domains: {sales: {name: 销售域}, people: {name: 人力域}}\n"
    "tables:\n"
    "  shop.orders: {domain: sales, denied_columns: [phone]}\n"
    "  shop.days: {domain: sales}\n"
    "  shop.eu.visits: {domain: sales, require_partition_filter: true}\n"
    "  shop.ghost: {domain: sales}\n"
    "  staff.pay: {domain: people}\n";

static const char world_enterprise[] =
    "roles:\n"
    "  seller: {allowed_domains: [sales], allowed_tools: [list_allowed_tables, describe_table, "
    "preview_table, run_select_sql]}\n"
    "  keeper: {allowed_tools: ['*'], allowed_domains: ['*']}\n"
    "  lister: {allowed_tools: [list_allowed_tables]}\n"
    "  asker: {allowed_tools: [run_select_sql]}\n"
    "  nobody: {allowed_tools: []}\n"
    "  elsewhere: {allowed_toolsets: [ack]}\n"
    "  rare: {allowed_tools: ['*'], rate_limit: 1/minute}\n";
static const char *const world_roles[] = {"seller", "keeper",    "lister", "asker",
                                          "nobody", "elsewhere", NULL};

static const char world_schema[] = "tables:\n"
                                   "  shop.orders:\n"
                                   "    columns:\n"
                                   "      - {name: id, type: bigint, comment: \"the \\u202Ekey\"}\n"
                                   "      - {name: phone, type: string}\n"
                                   "      - {name: paid, type: boolean}\n"
                                   "  shop.days:\n"
                                   "    columns:\n"
                                   "      - {name: day, type: string}\n"
                                   "  shop.eu.visits:\n"
                                   "    columns:\n"
                                   "      - {name: visit, type: string}\n"
                                   "      - {name: pt, type: string, partition: true}\n"
                                   "  staff.pay:\n"
                                   "    columns:\n"
                                   "      - {name: amount, type: bigint}\n";

static inline struct snapshot *world_snapshot(struct rig *rig) {
    static const struct rig_house house = {world_policy, world_enterprise, world_schema};
    return rig_snapshot(rig, &house);
}

static struct door world;
static struct snapshot *world_house; /* the current one */

static inline int world_open(void **state) {
    (void)state;
    door_init(&world);
    world_house = world_snapshot(&world.rig);
    snapshot_swap(world.snapshots, world_house);
    return 0;
}

static inline int world_close(void **state) {
    (void)state;
    door_deinit(&world);
    return 0;
}

/* One request in the version; `params` are the members of the object, without braces. */
static inline struct answer world_ask_in(const char *version, const char *role, const char *method,
                                         const char *params) {
    bool is_modern = strcmp(version, "2026-07-28") == 0;
    struct answer answer = {.waiter = RIG_WAITER};
    struct turn *turn = turn_new(world.mcp, door_finish, &answer);
    assert_non_null(turn);
    struct str name = str_of(role);
    turn->call->principal = (struct principal){.user_id = STR("ann"),
                                               .auth_method = STR("test"),
                                               .token_id = STR("t1"),
                                               .roles = &name,
                                               .n_roles = 1};
    struct str body = str_printf(
        &world.rig.arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{%s%s%s}}",
        method,
        is_modern ? "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                    "\"io.modelcontextprotocol/clientCapabilities\":{}}"
                  : "",
        is_modern && params[0] != '\0' ? "," : "", params);
    assert_true(turn_read(turn, body));
    turn_take_as(turn, is_modern ? ERA_MODERN : ERA_LEGACY, str_of(version));
    door_wait(&world, &answer, turn);
    assert_false(answer.is_failed);
    return answer;
}

static inline struct answer world_ask(const char *role, const char *method, const char *params) {
    return world_ask_in("2025-11-25", role, method, params);
}

/* The value at the pointer of the answer, or NULL. */
static inline const struct json *world_at(const struct answer *answer, const char *pointer) {
    return json_at(rig_json(&world.rig.arena, answer->body), str_of(pointer));
}

/* The text of `member` in each item of a list, blanks between. */
static inline const char *world_names(const struct answer *answer, const char *pointer,
                                      const char *member) {
    const struct json *list = world_at(answer, pointer);
    struct str names = STR("");
    assert_non_null(list);
    for (uint32_t i = 0; i < list->n; i++) {
        const struct json *item = &list->items[i];
        struct str name = member == NULL ? item->text : json_get_text(item, str_of(member));
        names = str_printf(&world.rig.arena, STR_FMT "%s" STR_FMT, STR_ARG(names), i > 0 ? " " : "",
                           STR_ARG(name));
    }
    return str_cstr(&world.rig.arena, names);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

#endif
