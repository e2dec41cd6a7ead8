/* Who may share an answer: held against whole grants, rendered as text. */
#include "policy/policy_digest.h"

#include "base/fault.h"
#include "base/rand.h"
#include "fixture.h"

static const char policy_text[] =
    "domains:\n"
    "  north: {name: North, owner: o, default_project: p}\n"
    "  south: {name: South, owner: o, default_project: q}\n"
    "tables:\n"
    "  p.orders: {domain: north, denied_columns: [c], row_policies: [\n"
    "    {role: seller, predicate: 'a in (${user.regions})'},\n"
    "    {role: seller2, predicate: 'a in (${user.regions})'},\n"
    "    {role: narrow, predicate: \"b = 'x'\"}]}\n"
    "  p.days: {domain: north}\n"
    "  q.stock: {domain: south, masks: {b: \"'*'\"}, row_policies: [\n"
    "    {role: '*', predicate: 'a <> ${user.home}'}]}\n"
    "  q.shut: {domain: south, max_limit: 0}\n"
    "  q.free: {allowed_columns: [a]}\n";
static const char enterprise_text[] = "roles:\n"
                                      "  seller: {}\n"
                                      "  seller2: {}\n"
                                      "  narrow: {}\n"
                                      "  northern: {allowed_domains: [north]}\n"
                                      "  southern: {allowed_domains: [south]}\n"
                                      "  all: {allowed_domains: ['*']}\n"
                                      "clients:\n"
                                      "  phone: {client_id: phone, allowed_domains: [south]}\n"
                                      "  desk: {client_id: desk}\n";

/* -- what a principal may, as a text ----------------------------------------------------------- */

static const struct schema_column columns[] = {
    {.name = STR_INIT("a")}, {.name = STR_INIT("b")}, {.name = STR_INIT("c")}};
#define RELATION(p, t)                                                                             \
    { STR_INIT(p), STR_INIT("default"), STR_INIT(t), STR_INIT(""), columns, 3, STR_INIT("x") }
static const struct schema_relation relations[] = {RELATION("p", "orders"), RELATION("p", "days"),
                                                   RELATION("q", "stock"),  RELATION("q", "shut"),
                                                   RELATION("q", "free"),   RELATION("r", "other")};

static result find_relation(const struct schema_source *source, struct str project,
                            struct str schema, struct str name, struct arena *in,
                            const struct schema_relation **out, struct report *why) {
    (void)source;
    (void)schema;
    (void)in;
    (void)why;
    *out = NULL;
    for (size_t i = 0; i < COUNT(relations); i++)
        if (str_eq(relations[i].project, project) && str_eq(relations[i].name, name))
            *out = &relations[i];
    return OK;
}

static const struct schema_source source = {.find = find_relation};

static void render_relation(const struct grant *grant, const struct schema_relation *of,
                            struct buf *out) {
    const struct grant_relation *r = NULL;
    result found = grant->find(grant, of->project, STR("default"), of->name, &arena, &r, &report);
    assert_int_equal(found.why, FAIL_NONE);
    buf_addf(out, STR_FMT ": %d %d %lld;", STR_ARG(of->name), r->effect, r->is_restricted,
             (long long)r->max_limit);
    for (size_t i = 0; i < of->n_columns; i++)
        buf_addf(out, " %d " STR_FMT ",", r->columns[i].effect, STR_ARG(r->columns[i].mask));
    for (size_t i = 0; i < r->n_row_filters; i++)
        buf_addf(out, " [" STR_FMT "]", STR_ARG(r->row_filters[i]));
    buf_add_byte(out, '\n');
}

static struct str rendered(const struct policy *policy, const struct principal *principal) {
    static const char *const projects[] = {"p", "q", "r"};
    struct grant grant;
    struct buf out;
    const struct policy_table *const *tables;
    size_t n;
    buf_init(&out, 1 << 20);
    result r = policy_grant(policy, principal, &source, NULL, 0, STR_NONE, &arena, &grant, &report);
    assert_int_equal(r.why, FAIL_NONE);
    buf_addf(&out, "default " STR_FMT "\n", STR_ARG(grant.default_project));
    for (size_t i = 0; i < COUNT(projects); i++)
        buf_addf(&out, "%d ", policy_may_project(policy, principal, str_of(projects[i])));
    for (size_t i = 0; i < COUNT(relations); i++) render_relation(&grant, &relations[i], &out);
    assert_int_equal(policy_tables(policy, principal, &arena, &tables, &n, &report).why, FAIL_NONE);
    for (size_t i = 0; i < n; i++) buf_addf(&out, "sees " STR_FMT "\n", STR_ARG(tables[i]->name));
    struct str text = str_dup(&arena, buf_flat(&out, &arena));
    buf_deinit(&out);
    return text;
}

/* -- principals -------------------------------------------------------------------------------- */

static struct attribute *attributes(const char *regions, const char *home) {
    struct attribute *a = arena_new_array(&arena, 2, struct attribute);
    struct name_set r = set_of(regions), h = set_of(home);
    a[0] = (struct attribute){STR("regions"), r.items, r.n};
    a[1] = (struct attribute){STR("home"), h.items, h.n};
    return a;
}

struct digest {
    uint8_t bytes[DIGEST_SIZE];
};

static struct digest digest_of(const struct policy *policy, const struct principal *principal) {
    struct digest d;
    result r = policy_digest(policy, principal, &arena, d.bytes, &report);
    assert_int_equal(r.why, FAIL_NONE);
    return d;
}

static bool is_same(struct digest a, struct digest b) {
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

static const struct {
    const char *what;
    const char *roles, *projects, *client, *regions, *home;
    const char *roles2, *projects2, *client2, *regions2, *home2;
    bool share;
} pairs[] = {
    {"the same", "seller", NULL, NULL, "1", "h", "seller", NULL, NULL, "1", "h", true},
    {"other regions", "seller", NULL, NULL, "1", "h", "seller", NULL, NULL, "2", "h", false},
    {"another home", "seller", NULL, NULL, "1", "h", "seller", NULL, NULL, "1", "i", false},
    {"a value within a value", "seller", NULL, NULL, "1,2", "h", "seller", NULL, NULL, "1', '2",
     "h", false},
    {"regions that nobody asks for", "all", NULL, NULL, "1", "h", "all", NULL, NULL, "2", "h",
     true},
    {"a role with the same filter", "seller", NULL, NULL, "1", "h", "seller2", NULL, NULL, "1", "h",
     true},
    {"both of them", "seller", NULL, NULL, "1", "h", "seller,seller2", NULL, NULL, "1", "h", false},
    {"no role with a filter", "seller", NULL, NULL, "1", "h", "all", NULL, NULL, "1", "h", false},
    {"no attribute and an empty one", "seller", NULL, NULL, NULL, "h", "seller", NULL, NULL, "",
     "h", true},
    {"roles by another name", "all", NULL, NULL, "", "h", "mcp_admin", NULL, NULL, "", "h", true},
    {"a domain less", "all", NULL, NULL, "", "h", "northern", NULL, NULL, "", "h", false},
    {"two domains in two roles", "northern,southern", NULL, NULL, "", "h", "northern", NULL, NULL,
     "", "h", false},
    {"through a client that sees less", "all", NULL, "desk", "", "h", "all", NULL, "phone", "", "h",
     false},
    {"through another client", "all", NULL, "desk", "", "h", "all", NULL, NULL, "", "h", true},
    {"a project less", "all", NULL, NULL, "", "h", "all", "p", NULL, "", "h", false},
    {"all projects, said otherwise", "all", NULL, NULL, "", "h", "all", "*", NULL, "", "h", true},
    {"projects in another order", "all", "p,q", NULL, "", "h", "all", "q,p", NULL, "", "h", true},
    {"no project", "all", "", NULL, "", "h", "all", NULL, NULL, "", "h", false},
    {"an admin's list", "mcp_admin", "p", NULL, "", "h", "mcp_admin", NULL, NULL, "", "h", true},
};

static struct principal person(const char *roles, const char *projects, const char *client,
                               const char *regions, const char *home) {
    struct principal p = somebody(roles, NULL, projects, client);
    p.attributes = attributes(regions, home);
    p.n_attributes = 2;
    return p;
}

static void tells_rights_apart_and_nothing_else(void **state) {
    (void)state;
    const struct policy *policy = loaded(policy_text, enterprise_text);
    for (size_t i = 0; i < COUNT(pairs); i++) {
        print_message("%s\n", pairs[i].what);
        struct principal a = person(pairs[i].roles, pairs[i].projects, pairs[i].client,
                                    pairs[i].regions, pairs[i].home);
        struct principal b = person(pairs[i].roles2, pairs[i].projects2, pairs[i].client2,
                                    pairs[i].regions2, pairs[i].home2);
        b.user_id = STR("bob");
        b.token_id = STR("tok_2");
        b.allowed_tools = set_of("one_tool");
        assert_int_equal(is_same(digest_of(policy, &a), digest_of(policy, &b)), pairs[i].share);
        assert_int_equal(str_eq(rendered(policy, &a), rendered(policy, &b)), pairs[i].share);
    }
}

static void changes_with_the_policy(void **state) {
    (void)state;
    struct principal p = person("all", NULL, NULL, "", "h");
    const struct policy *one = loaded(policy_text, enterprise_text);
    struct str more = str_printf(&arena, "%s# a word more\n", policy_text);
    const struct policy *two = loaded(str_cstr(&arena, more), enterprise_text);
    assert_true(is_same(digest_of(one, &p), digest_of(one, &p)));
    assert_false(is_same(digest_of(one, &p), digest_of(two, &p)));
}

/* -- any two ----------------------------------------------------------------------------------- */

static const char *one_of(const char *const *from, size_t n) {
    return from[rand_u64() % n];
}

static struct principal anybody(void) {
    static const char *const roles[] = {
        "",       "seller",    "seller2",           "seller,narrow",
        "narrow", "northern",  "southern",          "northern,southern",
        "all",    "mcp_admin", "all,seller,seller2"};
    static const char *const projects[] = {NULL, NULL, "*", "p", "q,p", "p,q", ""};
    static const char *const clients[] = {NULL, NULL, "phone", "desk"};
    static const char *const values[] = {NULL, "", "1", "2", "1,2", "2,1", "1','2"};
    return person(one_of(roles, COUNT(roles)), one_of(projects, COUNT(projects)),
                  one_of(clients, COUNT(clients)), one_of(values, COUNT(values)),
                  one_of(values, COUNT(values)));
}

/* Property: who shares sees the same; and of those with all projects, who sees the same shares. */
static void agrees_with_grants(void **state) {
    (void)state;
    enum { PEOPLE = 300 };
    const struct policy *policy = loaded(policy_text, enterprise_text);
    static struct principal people[PEOPLE];
    static struct digest digests[PEOPLE];
    static struct str rights[PEOPLE];
    size_t n_sharing = 0;
    for (size_t i = 0; i < PEOPLE; i++) {
        people[i] = anybody();
        digests[i] = digest_of(policy, &people[i]);
        rights[i] = rendered(policy, &people[i]);
    }
    for (size_t i = 0; i < PEOPLE; i++)
        for (size_t k = 0; k < i; k++) {
            bool shares = is_same(digests[i], digests[k]), sees = str_eq(rights[i], rights[k]);
            bool is_plain =
                !people[i].allowed_projects.is_set && !people[k].allowed_projects.is_set;
            if (shares) assert_true(sees);
            if (is_plain && sees) assert_true(shares);
            n_sharing += shares;
        }
    print_message("%zu pairs share\n", n_sharing);
    assert_true(n_sharing > 0);
}

static void fails_whole(void **state) {
    (void)state;
    const struct policy *policy = loaded(policy_text, enterprise_text);
    struct principal p = person("seller", "p,q", "desk", "1,2", "h");
    struct digest right = digest_of(policy, &p);
    for (long n = 0;; n++) {
        struct digest d;
        struct report why = {0};
        fault_set(n);
        result r = policy_digest(policy, &p, &arena, d.bytes, &why);
        bool was_reached = !fault_unused();
        fault_off();
        assert_int_equal(r.why, was_reached ? FAIL_MEMORY : FAIL_NONE);
        if (r.why == FAIL_NONE) assert_true(is_same(d, right));
        if (!was_reached) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_rights_apart_and_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_with_the_policy, setup, teardown),
        cmocka_unit_test_setup_teardown(agrees_with_grants, setup, teardown),
        cmocka_unit_test_setup_teardown(fails_whole, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
