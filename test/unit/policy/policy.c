/* The compiled policy: defaults, versions, grants over schemas, the corpus, the Nth failure. */
#include "fixture.h"

#include "base/fault.h"

/* -- a source of schemas ---------------------------------------------------------------------- */

struct fake_source {
    struct schema_source source;
    const struct schema_relation *relations;
    size_t n;
    int asked;
};

static result fake_find(const struct schema_source *source, struct str project, struct str schema,
                        struct str name, struct arena *in, const struct schema_relation **out,
                        struct report *why) {
    (void)in;
    (void)why;
    struct fake_source *fake = source->with;
    fake->asked++;
    *out = NULL;
    for (size_t i = 0; i < fake->n; i++) {
        const struct schema_relation *r = &fake->relations[i];
        if (str_eq(r->project, project) && str_eq(r->schema, schema) && str_eq(r->name, name))
            *out = r;
    }
    return OK;
}

static const struct schema_column order_columns[] = {
    {.name = STR_INIT("id")},
    {.name = STR_INIT("region")},
    {.name = STR_INIT("phone")},
    {.name = STR_INIT("ext")},
    {.name = STR_INIT("card")},
    {.name = STR_INIT("amount")},
    {.name = STR_INIT("pt"), .is_partition = true}};
static const struct schema_relation relations[] = {
    {STR_INIT("s"), STR_INIT("default"), STR_INIT("orders"), STR_INIT(""), order_columns,
     COUNT(order_columns), STR_INIT("b")},
    {STR_INIT("s"), STR_INIT("default"), STR_INIT("secret"), STR_INIT(""), order_columns, 2,
     STR_INIT("b")},
    {STR_INIT("s"), STR_INIT("default"), STR_INIT("shut"), STR_INIT(""), order_columns, 2,
     STR_INIT("b")},
    {STR_INIT("s"), STR_INIT("x"), STR_INIT("orders"), STR_INIT(""), order_columns, 2,
     STR_INIT("b")},
};

static struct fake_source fake;

static const struct schema_source *source(void) {
    fake = (struct fake_source){.relations = relations, .n = COUNT(relations)};
    fake.source = (struct schema_source){.find = fake_find, .with = &fake};
    return &fake.source;
}

static struct grant grant_of(const struct policy *policy, const struct principal *principal) {
    struct grant grant;
    result r =
        policy_grant(policy, principal, source(), NULL, 0, STR_NONE, &arena, &grant, &report);
    assert_int_equal(r.why, FAIL_NONE);
    return grant;
}

static const struct grant_relation *find(const struct grant *grant, const char *schema,
                                         const char *name) {
    const struct grant_relation *relation = NULL;
    result r =
        grant->find(grant, STR("s"), str_of(schema), str_of(name), &arena, &relation, &report);
    assert_int_equal(r.why, FAIL_NONE);
    return relation;
}

/* Effects of the columns, a letter each: D(eny) A(llow) M(ask). */
static const char *effects(const struct grant_relation *relation) {
    char *letters = arena_alloc(&arena, relation->schema->n_columns + 1, 1);
    for (size_t i = 0; i < relation->schema->n_columns; i++) {
        assert_ptr_equal(relation->columns[i].schema, &relation->schema->columns[i]);
        letters[i] = "DAM"[relation->columns[i].effect];
    }
    return letters;
}

/* -- columns ---------------------------------------------------------------------------------- */

struct columns_case {
    const char *table; /* what policy.yaml says of it */
    const char *effects;
    bool is_restricted;
};

static const struct columns_case columns_table[] = {
    /*                                                id region phone ext card amount pt */
    {"{}", "AAAAAAA", false},
    {"{allowed_columns: ['*']}", "AAAAAAA", false},
    {"{allowed_columns: [ID, Region, pt]}", "AADDDDA", true},
    {"{denied_columns: [PHONE]}", "AADAAAA", true},
    {"{allowed_columns: [id, phone], denied_columns: [phone]}", "ADDDDDD", true},
    {"{allowed_columns: ['*'], denied_columns: [phone, card]}", "AADADAA", true},
    {"{masks: {Phone: \"'*'\"}}", "AAMAAAA", true},
    {"{denied_columns: [ext.Device.imei, ext.ip]}", "AAAAAAA", true},
    {"{denied_columns: [ext, ext.ip]}", "AAADAAA", true},
    {"{denied_columns: [nothing_of_it]}", "AAAAAAA", false},
};

static void columns_are_ruled(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(columns_table); i++) {
        struct str text = str_printf(&arena, "tables: {s.orders: %s}", columns_table[i].table);
        const struct policy *policy = loaded(str_cstr(&arena, text), NULL);
        struct principal p = somebody(NULL, NULL, NULL, NULL);
        struct grant grant = grant_of(policy, &p);
        const struct grant_relation *relation = find(&grant, "default", "orders");
        assert_int_equal(relation->effect, GRANT_ALLOW);
        assert_string_equal(effects(relation), columns_table[i].effects);
        assert_true(relation->is_restricted == columns_table[i].is_restricted);
    }
}

static void masks_and_fields_travel(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {s.orders: {masks: {phone: \"concat(phone, "
                                         "'*')\"}, denied_columns: [ext.Device.imei, "
                                         "EXT.ip]}}",
                                         NULL);
    struct principal p = somebody("mcp_admin", NULL, NULL, NULL);
    struct grant grant = grant_of(policy, &p);
    const struct grant_relation *relation = find(&grant, "", "orders");
    assert_true(str_eq(relation->columns[2].mask, STR("concat(phone, '*')")));
    assert_int_equal(relation->columns[3].n_denied_fields, 2);
    assert_true(str_eq(relation->columns[3].denied_fields[0], STR("device.imei")));
    assert_true(str_eq(relation->columns[3].denied_fields[1], STR("ip")));
}

/* -- relations -------------------------------------------------------------------------------- */

static void what_is_not_granted_exists_and_is_denied(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {s.orders: {}, s.shut: {max_limit: 0}}", NULL);
    struct principal p = somebody(NULL, NULL, NULL, NULL), nobody = {0};
    struct grant grant = grant_of(policy, &p);
    assert_int_equal(find(&grant, "default", "orders")->effect, GRANT_ALLOW);
    static const char *const denied[][2] = {
        {"default", "secret"}, {"default", "shut"}, {"x", "orders"}};
    for (size_t i = 0; i < COUNT(denied); i++) {
        const struct grant_relation *relation = find(&grant, denied[i][0], denied[i][1]);
        assert_int_equal(relation->effect, GRANT_DENY);
        assert_string_equal(effects(relation), "DD");
        assert_true(relation->is_restricted);
    }
    assert_null(find(&grant, "default", "absent"));
    assert_null(find(&grant, "Default", "orders"));
    struct grant of_nobody = grant_of(policy, &nobody);
    assert_int_equal(find(&of_nobody, "default", "orders")->effect, GRANT_DENY);
}

static void a_relation_is_made_once(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {s.orders: {}}", NULL);
    struct principal p = somebody(NULL, NULL, NULL, NULL);
    struct grant grant = grant_of(policy, &p);
    const struct grant_relation *first = find(&grant, "default", "orders");
    assert_ptr_equal(find(&grant, "default", "orders"), first);
    assert_ptr_equal(find(&grant, "", "orders"), first);
    assert_int_equal(fake.asked, 1);
}

/* -- rows ------------------------------------------------------------------------------------- */

static void rows_are_filtered_by_role(void **state) {
    (void)state;
    const struct policy *policy =
        loaded("tables:\n"
               "  s.orders:\n"
               "    require_partition_filter: true\n"
               "    max_limit: 7\n"
               "    row_policies:\n"
               "    - {role: '*', predicate: \"region <> 'test'\"}\n"
               "    - {role: manager, predicate: 'region IN (${user.region_codes})'}\n"
               "    - {role: trainee, predicate: 'amount < 100'}\n",
               NULL);
    const struct str regions[] = {STR_INIT("华南"), STR_INIT("'); DROP")};
    const struct attribute attribute = {STR("region_codes"), regions, 2};
    struct principal p = somebody("manager", NULL, NULL, NULL);
    struct grant grant = grant_of(policy, &p);
    const struct grant_relation *relation = find(&grant, "default", "orders");
    assert_int_equal(relation->n_row_filters, 2);
    assert_true(str_eq(relation->row_filters[1], STR("FALSE")));
    assert_int_equal(relation->max_limit, 7);
    assert_true(relation->require_partition_filter);

    p.attributes = &attribute;
    p.n_attributes = 1;
    grant = grant_of(policy, &p);
    relation = find(&grant, "default", "orders");
    assert_true(str_eq(relation->row_filters[1], STR("region IN ('华南','\\'); DROP')")));

    p = somebody("trainee,mcp_admin", NULL, NULL, NULL);
    grant = grant_of(policy, &p);
    relation = find(&grant, "default", "orders");
    assert_int_equal(relation->n_row_filters, 2);
    assert_true(str_eq(relation->row_filters[0], STR("region <> 'test'")));
    assert_true(str_eq(relation->row_filters[1], STR("amount < 100")));

    p = somebody(NULL, NULL, NULL, NULL);
    grant = grant_of(policy, &p);
    assert_int_equal(find(&grant, "default", "orders")->n_row_filters, 1);
}

/* -- limits and settings ---------------------------------------------------------------------- */

static void defaults_are_the_seeds(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {}", NULL);
    struct principal p = somebody(NULL, NULL, NULL, NULL);
    struct grant g = grant_of(policy, &p);
    struct policy_limits limits;
    policy_limits(policy, &limits);
    assert_int_equal(g.default_limit, 100);
    assert_int_equal(g.max_limit, 200);
    assert_int_equal(g.max_join_tables, 3);
    assert_false(g.allow_unapproved_join);
    assert_false(g.allow_no_table);
    assert_int_equal(g.star, GRANT_STAR_DENY);
    assert_int_equal(g.max_scan_bytes, 0);
    assert_int_equal(g.approval_at, RISK_GATE_NONE);
    assert_int_equal(g.deny_at, RISK_GATE_NONE);
    assert_int_equal(g.limits.bytes, 1048576);
    assert_int_equal(g.limits.nesting, 256);
    assert_int_equal(g.limits.in_list, 10000);
    assert_int_equal(g.limits.select_items, 4096);
    assert_int_equal(g.limits.ctes, 256);
    assert_int_equal(limits.query_timeout_s, 300);
    assert_int_equal(limits.max_concurrent_queries_per_user, 5);
}

static void settings_are_taken(void **state) {
    (void)state;
    const struct policy *policy = loaded(
        "default_limit: 50\nmax_limit: 20\n"
        "security:\n"
        "  select_star: expand\n  functions: {allow: [My_UDF], deny: [GET_USER_ID]}\n"
        "  table_reference_required: false\n  deny_unapproved_join: false\n"
        "  max_join_tables: 9\n  max_estimated_scan_bytes: 10GiB\n  query_timeout_seconds: 5\n"
        "  max_concurrent_queries_per_user: 0\n  max_sql_bytes: 1KiB\n  max_nesting: 3\n"
        "  risk: {approval_at: high, deny_at: critical}\n",
        NULL);
    struct principal p = somebody(NULL, NULL, NULL, NULL);
    struct grant g = grant_of(policy, &p);
    struct policy_limits limits;
    policy_limits(policy, &limits);
    assert_int_equal(g.default_limit, 20);
    assert_int_equal(g.max_limit, 20);
    assert_int_equal(g.star, GRANT_STAR_EXPAND);
    assert_true(str_eq(g.functions_allowed[0], STR("my_udf")));
    assert_true(str_eq(g.functions_denied[0], STR("get_user_id")));
    assert_true(g.allow_no_table);
    assert_true(g.allow_unapproved_join);
    assert_int_equal(g.max_join_tables, 9);
    assert_int_equal(g.max_scan_bytes, INT64_C(10) << 30);
    assert_int_equal(g.limits.bytes, 1024);
    assert_int_equal(g.limits.nesting, 3);
    assert_int_equal(g.approval_at, RISK_GATE_HIGH);
    assert_int_equal(g.deny_at, RISK_GATE_CRITICAL);
    assert_int_equal(limits.max_concurrent_queries_per_user, 0);
    assert_int_equal(limits.query_timeout_s, 5);
}

static struct str default_project(const char *policy_text, const char *roles, const char *asked) {
    const struct policy *policy =
        loaded(policy_text, "roles: {a: {allowed_domains: [a]}, b: {allowed_domains: [b]}}");
    struct principal p = somebody(roles, NULL, NULL, NULL);
    struct grant grant;
    result r = policy_grant(policy, &p, source(), NULL, 0, str_of(asked), &arena, &grant, &report);
    assert_int_equal(r.why, FAIL_NONE);
    return grant.default_project;
}

static void the_default_project(void **state) {
    (void)state;
    const char *domains = "domains: {a: {default_project: PA}, b: {default_project: pb}, c: {}}";
    assert_true(str_eq(default_project(domains, "a", "Mine"), STR("mine")));
    assert_true(str_eq(default_project(domains, "a", NULL), STR("pa")));
    assert_true(str_eq(default_project(domains, "b", NULL), STR("pb")));
    assert_int_equal(default_project(domains, NULL, NULL).len, 0);
    assert_true(str_eq(default_project("default_project: Home", "a", NULL), STR("home")));
}

static void the_version_is_of_the_text(void **state) {
    (void)state;
    const struct policy *a = loaded("max_limit: 1", NULL), *b = loaded("max_limit: 2", NULL);
    const struct policy *again = loaded("max_limit: 1", NULL);
    assert_int_equal(policy_version(a).len, 12);
    assert_true(str_eq(policy_version(a), policy_version(again)));
    assert_false(str_eq(policy_version(a), policy_version(b)));
}

static void count_table(const struct policy_table *table, void *with) {
    assert_true(table->name.len > 0);
    ++*(int *)with;
}

static void projects_and_tables_are_told(void **state) {
    (void)state;
    const struct policy *policy = loaded("domains: {d: {name: 域}}\n"
                                         "tables: {s.t: {domain: d, owner: o, sensitivity: "
                                         "internal, max_limit: 5, default_partition: "
                                         "{field: PT, strategy: range, format: yyyymmdd, "
                                         "time_column: Day}}, s.shut: {allowed_columns: []}}",
                                         NULL);
    struct principal p = somebody(NULL, NULL, "s", NULL);
    assert_true(policy_may_project(policy, &p, STR("S")));
    assert_false(policy_may_project(policy, &p, STR("t")));
    char long_name[1000];
    memset(long_name, 's', sizeof long_name);
    assert_false(policy_may_project(policy, &p, (struct str){long_name, sizeof long_name}));
    const struct policy_table *t = policy_table_find(policy, &p, STR("S"), STR(""), STR("T"));
    assert_true(str_eq(t->domain_name, STR("域")));
    assert_true(str_eq(t->owner, STR("o")));
    assert_true(str_eq(t->sensitivity, STR("internal")));
    assert_int_equal(t->max_limit, 5);
    assert_int_equal(t->default_partition_strategy, PARTITION_RANGE);
    assert_true(str_eq(t->default_partition_field, STR("pt")));
    assert_true(str_eq(t->default_partition_time_column, STR("day")));
    assert_null(policy_table_find(policy, &p, STR("s"), STR("x"), STR("t")));
    assert_null(policy_table_find(policy, &p, STR("s"), STR(""), STR("shut")));
    assert_null(policy_table_find(policy, &p, STR(""), STR(""), STR("")));
    int n = 0;
    policy_each_table(policy, count_table, &n);
    assert_int_equal(n, 2);
}

static void note_column(struct str column, void *with) {
    struct str *all = with;
    *all = str_printf(&arena, STR_FMT STR_FMT ";", STR_ARG(*all), STR_ARG(column));
}

static void stray_columns_are_told(void **state) {
    (void)state;
    const struct policy *policy =
        loaded("tables: {s.orders: {denied_columns: [Phone, phon, ext.ip, exd.ip], masks: {crad: "
               "\"1\"}}, s.secret: {}}",
               NULL);
    struct str all = STR("");
    policy_each_stray_column(policy, &relations[0], note_column, &all);
    assert_true(str_eq(all, STR("phon;exd;crad;")));
    policy_each_stray_column(policy, &relations[1], note_column, &all);
    policy_each_stray_column(policy, &relations[2], note_column, &all);
    assert_true(str_eq(all, STR("phon;exd;crad;")));
}

static void the_environment_is_put_in(void **state) {
    (void)state;
    setenv("POLICY_TEST_REGION", "'cn'", 1);
    const struct policy *policy =
        loaded("tables: {s.orders: {row_policies: [{role: '*', predicate: "
               "'region = ${POLICY_TEST_REGION} OR region = ${user.r}'}]}}",
               NULL);
    const struct str value = STR("x");
    const struct attribute attribute = {STR("r"), &value, 1};
    struct principal p = somebody(NULL, NULL, NULL, NULL);
    p.attributes = &attribute;
    p.n_attributes = 1;
    struct grant grant = grant_of(policy, &p);
    assert_true(
        str_eq(find(&grant, "", "orders")->row_filters[0], STR("region = 'cn' OR region = 'x'")));
}

/* -- the corpus ------------------------------------------------------------------------------- */

static const char *const CORPUS_ENTERPRISE =
    /* what principals.yaml says, as roles */
    "roles:\n"
    "  data_analyst: {allowed_domains: [sales, product, supply_chain, after_sales]}\n"
    "  region_manager: {allowed_domains: [sales, product, supply_chain, after_sales]}\n"
    "  sales_bot: {allowed_domains: [sales, product]}\n";

static size_t n_tables(const struct policy *policy, const char *role) {
    struct principal p = somebody(role, NULL, NULL, NULL);
    const struct policy_table *const *tables;
    size_t n;
    assert_int_equal(policy_tables(policy, &p, &arena, &tables, &n, &report).why, FAIL_NONE);
    return n;
}

static void the_planners_policy_loads(void **state) {
    (void)state;
    char *text = read_all(SOURCE_ROOT "/test/policy/planner/policy.yaml");
    loaded(text, NULL);
    const struct policy *policy = loaded(text, CORPUS_ENTERPRISE);
    free(text);
    assert_int_equal(n_tables(policy, "data_analyst"), 9);
    assert_int_equal(n_tables(policy, "region_manager"), 9);
    assert_int_equal(n_tables(policy, "sales_bot"), 6);
    struct principal p = somebody("data_analyst", NULL, NULL, NULL);
    assert_null(
        policy_table_find(policy, &p, STR("saky_dw_cdm"), STR(""), STR("dwd_hr_salary_df")));
}

/* -- the Nth failure -------------------------------------------------------------------------- */

static void no_half_policy(void **state) {
    (void)state;
    const char *text =
        "default_project: P\ndomains: {d: {default_project: X}}\n"
        "tables: {s.orders: {domain: d, denied_columns: [card, ext.ip], allowed_columns: [id, "
        "ext], "
        "masks: {id: \"1\"}, row_policies: [{role: r, predicate: 'id IN (${user.a})'}]}, t: {}}\n"
        "security: {functions: {allow: [f], deny: [concat]}}\n";
    const char *enterprise =
        "roles: {r: {allowed_tools: [x]}}\nclients: {c: {rate_limit: 1/minute}}";
    long tried = 0;
    for (long n = 0;; n++, tried++) {
        arena_reset(&arena);
        const struct policy *policy = NULL;
        struct policy_sources sources = {.policy = tree_of(text, "pol"),
                                         .enterprise = tree_of(enterprise, "ent"),
                                         .policy_name = STR("pol"),
                                         .enterprise_name = STR("ent"),
                                         .policy_text = str_of(text)};
        problems_init(&problems, &arena);
        fault_set(n);
        result r = policy_load(&sources, &arena, &problems, &policy);
        bool is_done = fault_unused();
        fault_off();
        if (is_done) break;
        assert_int_equal(r.why, FAIL_MEMORY);
        assert_null(policy);
    }
    assert_true(tried > 50);
}

/* Nothing may be granted, and no filter be missing, when memory ends in the middle. */
static void no_half_grant(void **state) {
    (void)state;
    const struct policy *policy = loaded(
        "tables: {s.orders: {denied_columns: [card], row_policies: [{role: '*', predicate: 'id = "
        "1'}, {role: r, predicate: 'id IN (${user.a})'}]}}",
        NULL);
    const struct str value = STR("x");
    const struct attribute attribute = {STR("a"), &value, 1};
    struct principal p = somebody("r", NULL, NULL, NULL);
    p.attributes = &attribute;
    p.n_attributes = 1;
    long tried = 0;
    for (long n = 0;; n++, tried++) {
        struct grant grant;
        const struct grant_relation *relation = NULL;
        const struct schema_source *from = source();
        fault_set(n);
        result r = policy_grant(policy, &p, from, NULL, 0, STR("S"), &arena, &grant, NULL);
        if (r.why == FAIL_NONE)
            r = grant.find(&grant, STR("s"), STR(""), STR("orders"), &arena, &relation, NULL);
        bool is_done = fault_unused();
        fault_off();
        if (is_done) break;
        assert_int_equal(r.why, FAIL_MEMORY);
        assert_null(relation);
    }
    assert_true(tried > 5);
}

static void a_denial_needs_no_memory(void **state) {
    (void)state;
    const struct policy *policy = loaded("tables: {}", NULL);
    struct principal p = somebody(NULL, "", NULL, NULL);
    struct verdict verdict;
    fault_set(0);
    policy_decide(policy, &p, STR("x"), &arena, &verdict);
    fault_off();
    assert_int_equal(verdict.effect, EFFECT_DENY);
    assert_string_equal(verdict.code, "TOOL_NOT_ALLOWED");
    assert_true(verdict.sentence.len > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(columns_are_ruled, setup, teardown),
        cmocka_unit_test_setup_teardown(masks_and_fields_travel, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_granted_exists_and_is_denied, setup, teardown),
        cmocka_unit_test_setup_teardown(a_relation_is_made_once, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_are_filtered_by_role, setup, teardown),
        cmocka_unit_test_setup_teardown(defaults_are_the_seeds, setup, teardown),
        cmocka_unit_test_setup_teardown(settings_are_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(the_default_project, setup, teardown),
        cmocka_unit_test_setup_teardown(the_version_is_of_the_text, setup, teardown),
        cmocka_unit_test_setup_teardown(projects_and_tables_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(stray_columns_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(the_environment_is_put_in, setup, teardown),
        cmocka_unit_test_setup_teardown(the_planners_policy_loads, setup, teardown),
        cmocka_unit_test_setup_teardown(no_half_policy, setup, teardown),
        cmocka_unit_test_setup_teardown(no_half_grant, setup, teardown),
        cmocka_unit_test_setup_teardown(a_denial_needs_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
