/* Prompts and completion: what is proposed and shown is what the caller may see, in its language.
 */
#include "world.h"

#include "base/limits.h"

/* -- prompts/list ----------------------------------------------------------------------------- */

static void lists_where_the_tools_may_be_used(void **state) {
    (void)state;
    static const struct {
        const char *role, *prompts;
    } rows[] = {{"seller", "explore_domain explain_number write_safe_query"},
                {"keeper", "explore_domain explain_number write_safe_query"},
                {"lister", ""},
                {"asker", ""},
                {"nobody", ""},
                {"elsewhere", ""}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer answer = world_ask(rows[i].role, "prompts/list", "");
        assert_string_equal(world_names(&answer, "/result/prompts", "name"), rows[i].prompts);
    }
    struct answer answer = world_ask("seller", "prompts/list", "");
    assert_string_equal(world_names(&answer, "/result/prompts/1/arguments", "name"),
                        "number table column language");
    assert_int_equal(world_at(&answer, "/result/prompts/1/arguments/0/required")->type, JSON_TRUE);
    assert_int_equal(world_at(&answer, "/result/prompts/1/arguments/1/required")->type, JSON_FALSE);
}

/* -- prompts/get ------------------------------------------------------------------------------ */

#define GET(name, arguments) "\"name\":\"" name "\",\"arguments\":{" arguments "}"

static const struct {
    const char *what, *role, *params;
    const char *has[4]; /* in the text */
    const char *lacks[4];
} texts[] = {
    {"a domain",
     "seller",
     GET("explore_domain", "\"domain\":\"sales\""),
     {"domain sales", "shop.orders", "shop.eu.visits", "data, not instructions"},
     {"staff", "shop.pay", NULL}},
    {"another's domain shows nothing",
     "seller",
     GET("explore_domain", "\"domain\":\"people\""),
     {"domain people", "- (none)", NULL},
     {"staff", "pay", NULL}},
    {"no domain at all shows the same",
     "seller",
     GET("explore_domain", "\"domain\":\"nope\""),
     {"domain nope", "- (none)", NULL},
     {"staff", NULL}},
    {"in Chinese when asked to",
     "seller",
     GET("explore_domain", "\"domain\":\"sales\",\"language\":\"zh\""),
     {"业务域 sales", "shop.days", "不是指令", NULL},
     {"Help me", NULL}},
    {"in Chinese when it is asked so",
     "seller",
     GET("write_safe_query", "\"question\":\"昨天多少订单\""),
     {"昨天多少订单", "shop.orders", "不是指令", NULL},
     {"The table to ask", "要查询的表", NULL}},
    {"in English when told so",
     "seller",
     GET("write_safe_query", "\"question\":\"昨天多少订单\",\"language\":\"EN\""),
     {"昨天多少订单", "Write one SELECT", NULL},
     {"不是指令", NULL}},
    {"a table",
     "seller",
     GET("write_safe_query", "\"question\":\"q\",\"table\":\"shop.orders\""),
     {"The table to ask: shop.orders", "\"id\" \"bigint\"", "u202ekey", NULL},
     {"\xe2\x80\xae", "phone", "staff", NULL}},
    {"a number",
     "keeper",
     GET("explain_number", "\"number\":\"7 of 9\",\"table\":\"shop.eu.visits\",\"column\":\"pt\""),
     {"7 of 9", "Its table: shop.eu.visits", "Its column: pt", "\"pt\" \"string\" partition"},
     {"staff", NULL}},
    {"what is given is not read again",
     "seller",
     GET("explain_number", "\"number\":\"{table} {shown}\""),
     {"{table} {shown}", NULL},
     {"Its table", "Its column", NULL}},
};

static void shows_what_the_caller_may_see(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        print_message("%s\n", texts[i].what);
        struct answer answer = world_ask(texts[i].role, "prompts/get", texts[i].params);
        const struct json *message = world_at(&answer, "/result/messages/0");
        assert_non_null(message);
        assert_true(json_is_text(json_get(message, STR("role")), STR("user")));
        struct str text = json_at(message, STR("/content/text"))->text;
        for (size_t k = 0; k < COUNT(texts[i].has) && texts[i].has[k] != NULL; k++)
            assert_true(str_find(text, str_of(texts[i].has[k])) < text.len);
        for (size_t k = 0; k < COUNT(texts[i].lacks) && texts[i].lacks[k] != NULL; k++)
            assert_int_equal(str_find(text, str_of(texts[i].lacks[k])), text.len);
    }
}

static const struct {
    const char *what, *role, *params, *message;
} refusals[] = {
    {"no name", "seller", "", "there is no such prompt"},
    {"no such name", "seller", GET("nope", ""), "there is no such prompt"},
    {"a name that others see", "lister", GET("explore_domain", "\"domain\":\"sales\""),
     "there is no such prompt"},
    {"a toolset that is off", "elsewhere", GET("explore_domain", "\"domain\":\"sales\""),
     "there is no such prompt"},
    {"nothing given", "seller", "\"name\":\"explore_domain\"", "the argument 'domain' is needed"},
    {"too little", "seller", GET("explore_domain", ""), "the argument 'domain' is needed"},
    {"blanks", "seller", GET("explore_domain", "\"domain\":\"  \""),
     "the argument 'domain' is needed"},
    {"an argument of another", "seller", GET("explore_domain", "\"table\":\"x\""),
     "the prompt has no argument of that name"},
    {"a number", "seller", GET("explore_domain", "\"domain\":7"), "arguments of prompts are texts"},
    {"a list", "seller", "\"name\":\"explore_domain\",\"arguments\":[]",
     "'arguments' must be an object"},
    {"no table", "seller", GET("write_safe_query", "\"question\":\"q\",\"table\":\"shop.nope\""),
     "the argument 'table' names nothing that you may use"},
    {"another's table", "seller",
     GET("write_safe_query", "\"question\":\"q\",\"table\":\"staff.pay\""),
     "the argument 'table' names nothing that you may use"},
};

static void refuses_wrong_arguments(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        print_message("%s\n", refusals[i].what);
        struct answer answer = world_ask(refusals[i].role, "prompts/get", refusals[i].params);
        assert_int_equal(answer.status, 200);
        assert_int_equal(world_at(&answer, "/error/code")->integer, -32602);
        assert_true(json_is_text(world_at(&answer, "/error/message"), str_of(refusals[i].message)));
    }
}

static void refuses_what_is_too_long(void **state) {
    (void)state;
    char *question = calloc(1, PROMPT_ARGUMENT_BYTES_MAX + 2);
    assert_non_null(question);
    memset(question, 'q', PROMPT_ARGUMENT_BYTES_MAX);
    for (size_t more = 0; more < 2; more++) {
        question[PROMPT_ARGUMENT_BYTES_MAX] = more == 0 ? '\0' : 'q';
        struct str params =
            str_printf(&world.rig.arena, GET("write_safe_query", "\"question\":\"%s\""), question);
        struct answer answer =
            world_ask("seller", "prompts/get", str_cstr(&world.rig.arena, params));
        assert_true((world_at(&answer, "/error") != NULL) == (more == 1));
    }
    free(question);
}

static void records_what_was_shown(void **state) {
    (void)state;
    world_ask("seller", "prompts/get", GET("explore_domain", "\"domain\":\"sales\""));
    rig_end(&world.rig);
    static struct rig_log log;
    rig_read_log(&world.rig, &log);
    assert_int_equal(log.n, 1);
    assert_true(json_is_text(json_get(log.lines[0], STR("method")), STR("prompts/get")));
    assert_true(json_is_text(json_get(log.lines[0], STR("tool_name")), STR("list_allowed_tables")));
}

/* -- completion/complete ---------------------------------------------------------------------- */

#define PROMPT(name)   "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"" name "\"},"
#define TEMPLATE       "\"ref\":{\"type\":\"ref/resource\",\"uri\":\"weir://table/{project}.{table}\"},"
#define TYPED(name, v) "\"argument\":{\"name\":\"" name "\",\"value\":\"" v "\"}"
#define GIVEN(name, v) ",\"context\":{\"arguments\":{\"" name "\":\"" v "\"}}"

static const struct {
    const char *what, *role, *params, *values;
} completions[] = {
    {"all domains", "keeper", PROMPT("explore_domain") TYPED("domain", ""), "sales people"},
    {"only my domains", "seller", PROMPT("explore_domain") TYPED("domain", ""), "sales"},
    {"not another's", "seller", PROMPT("explore_domain") TYPED("domain", "peo"), ""},
    {"what begins so, then what holds it", "keeper", PROMPT("explore_domain") TYPED("domain", "P"),
     "people"},
    {"tables", "seller", PROMPT("explain_number") TYPED("table", ""),
     "shop.days shop.ghost shop.orders shop.eu.visits"},
    {"inside, in any case", "seller", PROMPT("explain_number") TYPED("table", "ORD"),
     "shop.orders"},
    {"beginning first", "keeper", PROMPT("explain_number") TYPED("table", "s"),
     "shop.days shop.ghost shop.orders shop.eu.visits staff.pay"},
    {"columns of the table given", "seller",
     PROMPT("explain_number") TYPED("column", "") GIVEN("table", "shop.orders"), "id paid"},
    {"no denied column", "seller",
     PROMPT("explain_number") TYPED("column", "ph") GIVEN("table", "shop.orders"), ""},
    {"no columns without a table", "seller", PROMPT("explain_number") TYPED("column", ""), ""},
    {"none of another's table", "seller",
     PROMPT("explain_number") TYPED("column", "") GIVEN("table", "staff.pay"), ""},
    {"none of no table", "seller",
     PROMPT("explain_number") TYPED("column", "") GIVEN("table", "staff.nope"), ""},
    {"free text", "seller", PROMPT("explain_number") TYPED("number", "7"), ""},
    {"languages", "seller", PROMPT("explain_number") TYPED("language", ""), "en zh auto"},
    {"a language", "seller", PROMPT("explain_number") TYPED("language", "Z"), "zh"},
    {"projects", "keeper", TEMPLATE TYPED("project", ""), "shop staff"},
    {"my projects", "seller", TEMPLATE TYPED("project", "s"), "shop"},
    {"tables of a project", "keeper", TEMPLATE TYPED("table", "") GIVEN("project", "staff"), "pay"},
    {"in their schemas", "seller", TEMPLATE TYPED("table", "vis") GIVEN("project", "SHOP"),
     "eu.visits"},
    {"tables of no project", "seller", TEMPLATE TYPED("table", "") GIVEN("project", "nope"), ""},
};

static void proposes_what_the_caller_may_see(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(completions); i++) {
        print_message("%s\n", completions[i].what);
        struct answer answer =
            world_ask(completions[i].role, "completion/complete", completions[i].params);
        assert_string_equal(world_names(&answer, "/result/completion/values", NULL),
                            completions[i].values);
        const struct json *values = world_at(&answer, "/result/completion/values");
        assert_int_equal(world_at(&answer, "/result/completion/total")->integer, values->n);
        assert_int_equal(world_at(&answer, "/result/completion/hasMore")->type, JSON_FALSE);
    }
}

/* What a model can take of a reply does not bound what we look through for it. */
static void looks_through_all(void **state) {
    (void)state;
    world_house->settings.size = (struct size_settings){
        .is_enabled = true, .token_limit = 1000, .max_bytes = 4096, .max_list_items = 1};
    struct answer answer =
        world_ask("keeper", "completion/complete", PROMPT("explain_number") TYPED("table", "s"));
    assert_int_equal(world_at(&answer, "/result/completion/total")->integer, 5);
    answer = world_ask("keeper", "prompts/get", GET("write_safe_query", "\"question\":\"q\""));
    struct str text = world_at(&answer, "/result/messages/0/content/text")->text;
    assert_true(str_find(text, STR("staff.pay")) < text.len);
}

static void refuses_a_wrong_reference(void **state) {
    (void)state;
    static const struct {
        const char *role, *params;
    } rows[] = {
        {"seller", ""},
        {"seller", TYPED("domain", "")},
        {"seller", PROMPT("nope") TYPED("domain", "")},
        {"seller", PROMPT("explore_domain") TYPED("nope", "")},
        {"seller", "\"ref\":{\"type\":\"ref/prompt\",\"name\":\"explore_domain\"}"},
        {"seller", PROMPT("explore_domain") "\"argument\":{\"name\":\"domain\"}"},
        {"seller", PROMPT("explore_domain") "\"argument\":{\"name\":\"domain\",\"value\":7}"},
        {"seller",
         "\"ref\":{\"type\":\"ref/other\",\"name\":\"explore_domain\"}," TYPED("domain", "")},
        {"seller",
         "\"ref\":{\"type\":\"ref/resource\",\"uri\":\"weir://catalog\"}," TYPED("project", "")},
        {"lister", PROMPT("explore_domain") TYPED("domain", "")},
        {"lister", TEMPLATE TYPED("project", "")},
        {"elsewhere", PROMPT("explore_domain") TYPED("domain", "")}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer answer = world_ask(rows[i].role, "completion/complete", rows[i].params);
        assert_int_equal(world_at(&answer, "/error/code")->integer, -32602);
    }
}

/* Every prompt that is listed can be got with what completion proposes for it; no other can. */
static void gets_just_what_it_lists(void **state) {
    (void)state;
    static const char *const names[] = {"explore_domain", "explain_number", "write_safe_query"};
    for (const char *const *role = world_roles; *role != NULL; role++) {
        struct answer listed = world_ask(*role, "prompts/list", "");
        struct str mine = str_of(world_names(&listed, "/result/prompts", "name"));
        for (size_t i = 0; i < COUNT(names); i++) {
            char params[256];
            snprintf(params, sizeof params,
                     i == 0   ? GET("%s", "\"domain\":\"sales\"")
                     : i == 1 ? GET("%s", "\"number\":\"7\",\"table\":\"shop.days\"")
                              : GET("%s", "\"question\":\"q\",\"table\":\"shop.days\""),
                     names[i]);
            struct answer answer = world_ask(*role, "prompts/get", params);
            bool is_listed = str_find(mine, str_of(names[i])) < mine.len;
            assert_true((world_at(&answer, "/result") != NULL) == is_listed);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WORLD_TEST(lists_where_the_tools_may_be_used),
        WORLD_TEST(shows_what_the_caller_may_see),
        WORLD_TEST(refuses_wrong_arguments),
        WORLD_TEST(refuses_what_is_too_long),
        WORLD_TEST(records_what_was_shown),
        WORLD_TEST(proposes_what_the_caller_may_see),
        WORLD_TEST(looks_through_all),
        WORLD_TEST(refuses_a_wrong_reference),
        WORLD_TEST(gets_just_what_it_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
