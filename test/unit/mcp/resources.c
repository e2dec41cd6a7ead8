/* Resources: who is shown which, and that what is not shown is as if it were not there. */
#include "world.h"

static const struct {
    const char *role, *listed, *templates;
} listings[] = {
    {"seller",
     "weir://catalog weir://table/shop.days weir://table/shop.orders "
     "weir://table/shop.eu.visits",
     "weir://table/{project}.{table} weir://result/{id}{?from}"},
    {"keeper",
     "weir://catalog weir://table/shop.days weir://table/shop.orders "
     "weir://table/shop.eu.visits weir://table/staff.pay",
     "weir://table/{project}.{table} weir://result/{id}{?from}"},
    {"lister", "weir://catalog", ""},
    {"asker", "", "weir://result/{id}{?from}"},
    {"nobody", "", ""},
    {"elsewhere", "", ""},
};

static void lists_what_the_caller_may_read(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(listings); i++) {
        struct answer answer = world_ask(listings[i].role, "resources/list", "");
        assert_string_equal(world_names(&answer, "/result/resources", "uri"), listings[i].listed);
        answer = world_ask(listings[i].role, "resources/templates/list", "");
        assert_string_equal(world_names(&answer, "/result/resourceTemplates", "uriTemplate"),
                            listings[i].templates);
    }
}

static void tells_each_resource_whole(void **state) {
    (void)state;
    struct answer answer = world_ask("keeper", "resources/list", "");
    const struct json *list = world_at(&answer, "/result/resources");
    static const char *const members[] = {"uri", "name", "title", "description", "mimeType"};
    for (uint32_t i = 0; i < list->n; i++)
        for (size_t m = 0; m < COUNT(members); m++)
            assert_true(json_get_text(&list->items[i], str_of(members[m])).len > 0);
    assert_null(world_at(&answer, "/result/nextCursor"));
}

static struct str read_in(const char *version, const char *role, struct str uri) {
    struct str params = str_printf(&world.rig.arena, "\"uri\":\"" STR_FMT "\"", STR_ARG(uri));
    return world_ask_in(version, role, "resources/read", str_cstr(&world.rig.arena, params)).body;
}

/* -- reading ---------------------------------------------------------------------------------- */

static void reads_what_the_tool_would_tell(void **state) {
    (void)state;
    struct answer told =
        world_ask("seller", "tools/call",
                  "\"name\":\"describe_table\",\"arguments\":{\"table\":\"shop.orders\"}");
    struct answer read =
        world_ask("seller", "resources/read", "\"uri\":\"weir://table/shop.orders\"");
    struct str text = world_at(&read, "/result/contents/0/text")->text;
    struct str data = json_raw(world_at(&told, "/result/structuredContent/data"));
    assert_true(str_eq(text, data));
    assert_true(str_find(text, STR("phone")) == text.len);
    assert_true(
        json_is_text(world_at(&read, "/result/contents/0/uri"), STR("weir://table/shop.orders")));
    assert_true(
        json_is_text(world_at(&read, "/result/contents/0/mimeType"), STR("application/json")));
    assert_null(world_at(&read, "/result/ttlMs"));
}

static void marks_a_modern_read(void **state) {
    (void)state;
    struct answer read =
        world_ask_in("2026-07-28", "seller", "resources/read", "\"uri\":\"weir://catalog\"");
    assert_true(json_is_text(world_at(&read, "/result/resultType"), STR("complete")));
    assert_true(json_is_text(world_at(&read, "/result/cacheScope"), STR("private")));
    assert_true(world_at(&read, "/result/ttlMs")->integer >= 0);
}

static const struct {
    const char *what, *uri;
    bool is_there; /* for the seller */
} uris[] = {
    {"the catalogue", "weir://catalog", true},
    {"a table", "weir://table/shop.orders", true},
    {"in the default schema, said", "weir://table/shop.default.orders", true},
    {"in a schema", "weir://table/shop.eu.visits", true},
    {"percent-encoded", "weir://table/shop%2Eorders", true},
    {"lower-case digits", "weir://table/%73hop.%6frders", true},
    {"nothing", "", false},
    {"a scheme", "weir:", false},
    {"no name", "weir://table/", false},
    {"a table of no project", "weir://table/orders", false},
    {"a project of no table", "weir://table/shop.", false},
    {"a table of the empty project", "weir://table/.orders", false},
    {"four parts", "weir://table/a.shop.default.orders", false},
    {"back quotes", "weir://table/%60shop%60.orders", false},
    {"blanks", "weir://table/shop.orders%20", false},
    {"a bare blank", "weir://table/shop. orders", false},
    {"a newline", "weir://table/shop.orders%0A", false},
    {"a NUL", "weir://table/shop.orders%00", false},
    {"half an escape", "weir://table/shop.order%7", false},
    {"no escape", "weir://table/shop.order%zz", false},
    {"escaped twice", "weir://table/shop%252Eorders", false},
    {"no UTF-8", "weir://table/shop.%ff", false},
    {"a path", "weir://table/shop.orders/", false},
    {"a path up", "weir://table/../catalog", false},
    {"a query", "weir://table/shop.orders?x=1", false},
    {"a fragment", "weir://table/shop.orders#x", false},
    {"the template itself", "weir://table/{project}.{table}", false},
    {"another's table", "weir://table/staff.pay", false},
    {"no table", "weir://table/staff.nope", false},
    {"a table that no backend has", "weir://table/shop.ghost", false},
    {"another scheme", "file:///etc/passwd", false},
    {"upper case", "WEIR://catalog", false},
    {"behind the catalogue", "weir://catalog/", false},
};

/* Refusals differ in nothing but the address that the caller sent. */
static void refuses_the_unseen_as_the_unknown(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(uris); i++) {
        print_message("%s\n", uris[i].what);
        struct str uri = str_of(uris[i].uri);
        struct str legacy = read_in("2025-11-25", "seller", uri);
        bool is_there =
            json_at(rig_json(&world.rig.arena, legacy), STR("/result/contents/0/text")) != NULL;
        assert_true(is_there == uris[i].is_there);
        if (is_there) continue;
        struct str expected = str_printf(
            &world.rig.arena,
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32002,\"message\":\"the resource "
            "is not there\",\"data\":{\"uri\":\"" STR_FMT "\"}}}",
            STR_ARG(uri));
        assert_true(str_eq(legacy, expected));
        struct str modern = read_in("2026-07-28", "seller", uri);
        const struct json *error = json_get(rig_json(&world.rig.arena, modern), STR("error"));
        assert_int_equal(json_get(error, STR("code"))->integer, -32602);
        assert_true(json_is_text(json_at(error, STR("/data/uri")), uri));
    }
}

/* Everything listed can be read; everything else that anybody is shown cannot. */
static void reads_just_what_it_lists(void **state) {
    (void)state;
    struct answer all = world_ask("keeper", "resources/list", "");
    const struct json *whole = world_at(&all, "/result/resources");
    for (const char *const *role = world_roles; *role != NULL; role++) {
        struct answer mine = world_ask(*role, "resources/list", "");
        struct str listed = str_of(world_names(&mine, "/result/resources", "uri"));
        for (uint32_t i = 0; i < whole->n; i++) {
            struct str uri = json_get_text(&whole->items[i], STR("uri"));
            bool is_listed = str_find(listed, uri) < listed.len;
            struct str body = read_in("2025-11-25", *role, uri);
            bool is_read = json_get(rig_json(&world.rig.arena, body), STR("result")) != NULL;
            assert_true(is_read == is_listed);
        }
    }
}

static void needs_an_address(void **state) {
    (void)state;
    static const char *const params[] = {"", "\"uri\":7", "\"uri\":null", "\"name\":\"x\""};
    for (size_t i = 0; i < COUNT(params); i++) {
        struct answer answer = world_ask("seller", "resources/read", params[i]);
        assert_int_equal(world_at(&answer, "/error/code")->integer, -32602);
    }
}

/* -- what a read leaves behind ---------------------------------------------------------------- */

static void records_and_meters_a_read(void **state) {
    (void)state;
    struct answer first = world_ask("rare", "resources/read", "\"uri\":\"weir://catalog\"");
    assert_non_null(world_at(&first, "/result"));
    struct answer second =
        world_ask("rare", "resources/read", "\"uri\":\"weir://table/shop.orders\"");
    assert_int_equal(world_at(&second, "/error/code")->integer, -32603);
    assert_true(json_is_text(world_at(&second, "/error/data/code"), STR("RATE_LIMIT_EXCEEDED")));
    rig_end(&world.rig);
    static struct rig_log log;
    rig_read_log(&world.rig, &log);
    assert_int_equal(log.n, 2);
    static const char *const tools[] = {"list_allowed_tables", "describe_table"};
    static const char *const outcomes[] = {"success", "denied"};
    for (size_t i = 0; i < log.n; i++) {
        assert_true(json_is_text(json_get(log.lines[i], STR("method")), STR("resources/read")));
        assert_true(json_is_text(json_get(log.lines[i], STR("tool_name")), str_of(tools[i])));
        assert_true(json_is_text(json_get(log.lines[i], STR("outcome")), str_of(outcomes[i])));
    }
}

/* Each allocation fails in turn: an answer comes each time, and it is never a part of one. */
static void answers_once_whatever_fails(void **state) {
    (void)state;
    static const char *const methods[][2] = {
        {"resources/list", ""},
        {"resources/read", "\"uri\":\"weir://table/shop.orders\""},
        {"prompts/get", "\"name\":\"write_safe_query\",\"arguments\":{\"question\":\"q\"}"},
        {"completion/complete",
         "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"explain_number\"},\"argument\":{\"name\":"
         "\"table\",\"value\":\"d\"}"},
    };
    for (size_t m = 0; m < COUNT(methods); m++) {
        struct str whole = world_ask("seller", methods[m][0], methods[m][1]).body;
        for (long n = 0;; n++) {
            assert_true(n < 2000);
            struct answer answer = {.waiter = RIG_WAITER};
            struct turn *turn = turn_new(world.mcp, door_finish, &answer);
            struct str name = STR("seller");
            struct str body =
                str_printf(&world.rig.arena,
                           "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{%s}}",
                           methods[m][0], methods[m][1]);
            turn->call->principal =
                (struct principal){.user_id = STR("ann"), .roles = &name, .n_roles = 1};
            assert_true(turn_read(turn, body));
            fault_set(n);
            turn_take_as(turn, ERA_LEGACY, STR("2025-11-25"));
            bool was_reached = !fault_unused();
            fault_off();
            door_wait(&world, &answer, turn);
            if (!was_reached) break;
            if (answer.is_failed) continue; /* the door says so */
            const struct json *told = rig_json(&world.rig.arena, answer.body);
            assert_true(json_get(told, STR("error")) != NULL || str_eq(answer.body, whole));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WORLD_TEST(lists_what_the_caller_may_read),
        WORLD_TEST(tells_each_resource_whole),
        WORLD_TEST(reads_what_the_tool_would_tell),
        WORLD_TEST(marks_a_modern_read),
        WORLD_TEST(refuses_the_unseen_as_the_unknown),
        WORLD_TEST(reads_just_what_it_lists),
        WORLD_TEST(needs_an_address),
        WORLD_TEST(records_and_meters_a_read),
        WORLD_TEST(answers_once_whatever_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
