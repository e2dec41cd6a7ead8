/*
 * What holds for every policy: random rules, roles, clients and calls, held against each other. The
 * seed is printed with what fails; WEIR_SEED sets it.
 *
 *   - a further deny, condition, hidden name or client never allows what was refused
 *   - user and client: what either refuses both refuse
 *   - the order of rules in the file decides nothing
 *   - what is hidden is refused, in lists and calls, like what never was
 *   - of several limits the strictest counts: a call is admitted only where each alone would
 */
#include "fixture.h"

#include "base/limits.h"

static uint64_t seed, first_seed;

/* Knuth's MMIX generator: the same on every machine. */
static unsigned draw(unsigned n) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % n;
}

#define PICK(list) ((list)[draw(COUNT(list))])

static int setup_seed(void **state) {
    const char *told = getenv("WEIR_SEED");
    uint64_t value = 20261120;
    if (told != NULL) (void)str_to_u64(str_of(told), &value);
    seed = first_seed = value;
    return setup(state);
}

#define CHECK(holds, round, ...)                                                                   \
    do {                                                                                           \
        if (holds) break;                                                                          \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fail_msg("WEIR_SEED=%llu, round %d", (unsigned long long)first_seed, round);               \
    } while (0)

/* -- random files ----------------------------------------------------------------------------- */

static const char *const tools[] = {"run_sql", "run_job", "list_tables", "drop_table", "ab", "a"};
static const char *const names[] = {"run_sql", "run_*", "*_table*", "list_tables", "*",
                                    "a?",      "*s",    "drop_*",   "*b*",         "ab"};
static const char *const actions[] = {"allow", "allow", "deny", "confirm", "approve"};
static const char *const conditions[] = {
    "{path: args.n, op: lte, value: 5}",
    "{path: args.n, op: gt, value: 2, otherwise: confirm}",
    "{path: args.env, op: neq, value: prod}",
    "{path: args.env, op: in, value: [dev, test], otherwise: approve}",
    "{path: /list/0, op: eq, value: 1, optional: true}",
    "{path: args.env, op: regex, value: '^[a-z]+$'}",
    "{path: args.force, op: exists, value: false}",
};
static const char *const budgets[] = {
    ", budget: {max: 5, window: day, from: args.n}",
    ", budget: {max: 0.5, window: 90, from: /list/0, by: tool}",
};
static const char *const calls[] = {
    "{}",
    "{\"n\":1,\"env\":\"dev\"}",
    "{\"n\":9,\"env\":\"dev\"}",
    "{\"n\":3,\"env\":\"prod\",\"list\":[1]}",
    "{\"n\":\"3\",\"env\":\"test\"}",
    "{\"n\":4,\"env\":\"test\",\"force\":true}",
    "{\"n\":4,\"env\":\"test\",\"list\":[2]}",
    "{\"n\":4,\"env\":5}",
};

enum { RULES_MAX = 6, CONDITIONS_MAX = 3 };

/* One line of `tools:` each. */
struct draft {
    bool denies_unnamed;
    struct str hidden, rules[RULES_MAX];
    size_t n;
};

static struct str a_rule(const char *name, const char *action, bool with_rate) {
    bool is_deny = strcmp(action, "deny") == 0;
    struct str all = STR("");
    for (unsigned n = is_deny ? 0 : draw(CONDITIONS_MAX); n > 0; n--)
        all = str_printf(&arena, STR_FMT "%s%s", STR_ARG(all), all.len > 0 ? ", " : "",
                         PICK(conditions));
    struct str rate = STR("");
    if (with_rate && !is_deny && draw(2) == 0)
        rate = str_printf(&arena, ", rate_limit: {max: %u, window: %u, by: %s}", 1 + draw(4),
                          1 + draw(3), draw(2) == 0 ? "session" : "tool");
    const char *budget = !is_deny && draw(6) == 0 ? PICK(budgets) : "";
    return str_printf(&arena, "'%s': {action: %s, conditions: [" STR_FMT "]" STR_FMT "%s}", name,
                      action, STR_ARG(all), STR_ARG(rate), budget);
}

static struct draft a_draft(bool with_rate) {
    struct draft d = {.denies_unnamed = draw(4) == 0, .hidden = STR("")};
    bool is_used[COUNT(names)] = {false};
    if (draw(5) == 0) d.hidden = str_of(PICK(names));
    for (size_t n = draw(RULES_MAX); d.n < n;) {
        unsigned i = draw(COUNT(names));
        if (is_used[i]) continue;
        is_used[i] = true;
        d.rules[d.n++] = a_rule(names[i], PICK(actions), with_rate);
    }
    return d;
}

static const char *print_draft(const struct draft *d) {
    struct str all = str_printf(
        &arena, "version: '1'\ndefault: %s\nhide: [" STR_FMT "%s" STR_FMT "]\n",
        d->denies_unnamed ? "deny" : "allow", STR_ARG(str_of(d->hidden.len > 0 ? "'" : "")),
        d->hidden.len > 0 ? str_cstr(&arena, d->hidden) : "",
        STR_ARG(str_of(d->hidden.len > 0 ? "'" : "")));
    if (d->n > 0) all = str_printf(&arena, STR_FMT "tools:\n", STR_ARG(all));
    for (size_t i = 0; i < d->n; i++)
        all = str_printf(&arena, STR_FMT "  " STR_FMT "\n", STR_ARG(all), STR_ARG(d->rules[i]));
    return str_cstr(&arena, all);
}

static bool are_same_charges(const struct policy_charges *a, const struct policy_charges *b) {
    bool is_same = a->n == b->n;
    for (size_t i = 0; is_same && i < a->n; i++)
        is_same = str_eq(a->windows[i].key, b->windows[i].key) &&
                  a->windows[i].max == b->windows[i].max &&
                  (a->costs == NULL || a->costs[i].amount == b->costs[i].amount);
    return is_same;
}

static const char PARTIES[] = "roles:\n"
                              "  all: {}\n"
                              "  runner: {allowed_tools: ['run_*', ab], rate_limit: 3/second}\n"
                              "  lister: {allowed_tools: [list_tables], rate_limit: 2/second}\n"
                              "clients:\n"
                              "  bot: {allowed_tools: ['*_*'], rate_limit: 4/second}\n"
                              "  none: {allowed_tools: []}\n";
static const char *const role_lists[] = {NULL, "all", "runner", "lister,runner", "mcp_admin"};
static const char *const client_names[] = {NULL, "bot", "none", "other"};
static const char *const token_lists[] = {NULL, "*", "run_sql,a", ""};

static const struct policy *load_draft(const struct draft *d) {
    const struct policy *policy = NULL;
    struct files files = {.policy = "tables: {}", .enterprise = PARTIES, .rules = print_draft(d)};
    result r = load(&files, &policy);
    if (r.why != FAIL_NONE) fail_msg("%s\n%s", files.rules, complaints());
    return policy;
}

static struct principal a_principal(void) {
    return somebody(PICK(role_lists), PICK(token_lists), NULL, PICK(client_names));
}

static struct policy_question a_call(void) {
    struct policy_question q = {.tool = str_of(PICK(tools)), .session_id = STR("s")};
    const char *arguments = PICK(calls);
    if (draw(10) == 0) return q;
    result r = json_read(str_of(arguments), NULL, &arena, &q.arguments, &report);
    assert_int_equal(r.why, FAIL_NONE);
    return q;
}

static struct verdict judge(const struct policy *policy, const struct principal *p,
                            const struct policy_question *q) {
    struct verdict v;
    policy_judge(policy, p, q, &arena, &v);
    return v;
}

/* How free: 0 is refused, 3 is allowed at once. */
static int freedom(enum effect effect) {
    switch (effect) {
    case EFFECT_DENY: break;
    case EFFECT_APPROVE: return 1;
    case EFFECT_CONFIRM: return 2;
    case EFFECT_ALLOW: return 3;
    }
    return 0;
}

/* -- what holds ------------------------------------------------------------------------------- */

enum { ROUNDS = 600, CALLS_EACH = 12 };

/* Puts one more restriction into the draft. */
static void restrict_draft(struct draft *d) {
    switch (draw(4)) {
    case 0: d->denies_unnamed = true; break;
    case 1:
        if (d->hidden.len == 0) d->hidden = str_of(PICK(names));
        break;
    case 2:
        if (d->n > 0) {
            struct str *rule = &d->rules[draw((unsigned)d->n)];
            struct str name = *rule;
            name = str_cut(&name, ':');
            *rule = str_printf(&arena, STR_FMT ": {action: deny}", STR_ARG(name));
        }
        break;
    default:
        /* a name that no other rule has */
        d->rules[d->n++] = a_rule(draw(2) == 0 ? "??*" : "*_*", PICK(actions), false);
        break;
    }
}

static void a_restriction_never_allows_more(void **state) {
    (void)state;
    int n_free = 0, n_refused = 0, n_changed = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct draft d = a_draft(false);
        const struct policy *before = load_draft(&d);
        bool was_denying = d.denies_unnamed;
        size_t had = d.n;
        restrict_draft(&d);
        /* where the default is deny, a further name may allow: that is what it is for */
        if (was_denying && d.n > had) continue;
        const struct policy *after = load_draft(&d);
        for (int i = 0; i < CALLS_EACH; i++) {
            struct principal p = a_principal();
            struct policy_question q = a_call();
            struct verdict v = judge(before, &p, &q), w = judge(after, &p, &q);
            CHECK(freedom(w.effect) <= freedom(v.effect), round, "%s\n" STR_FMT " was %d, is %d\n",
                  print_draft(&d), STR_ARG(q.tool), v.effect, w.effect);
            n_free += v.effect == EFFECT_ALLOW;
            n_refused += v.effect == EFFECT_DENY;
            n_changed += v.effect != w.effect;
        }
        arena_reset(&arena);
    }
    assert_true(n_free > 200 && n_refused > 1000 && n_changed > 100);
}

static void user_and_client_must_both_allow(void **state) {
    (void)state;
    int n_both = 0, n_one = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct draft d = a_draft(false);
        const struct policy *policy = load_draft(&d);
        for (int i = 0; i < CALLS_EACH; i++) {
            struct principal both = a_principal(), alone = both, client = both;
            struct policy_question q = a_call();
            alone.client_id = STR_NONE;
            client.n_roles = 0;
            client.allowed_tools = (struct name_set){0};
            int free_both = freedom(judge(policy, &both, &q).effect);
            int free_alone = freedom(judge(policy, &alone, &q).effect);
            int free_client = freedom(judge(policy, &client, &q).effect);
            int least = free_alone < free_client ? free_alone : free_client;
            CHECK(free_both == least, round, "%s\n" STR_FMT " by " STR_FMT ": %d, alone %d, %d\n",
                  print_draft(&d), STR_ARG(q.tool), STR_ARG(both.client_id), free_both, free_alone,
                  free_client);
            n_both += free_both > 0;
            n_one += free_both == 0 && free_alone + free_client > 0;
        }
        arena_reset(&arena);
    }
    assert_true(n_both > 200 && n_one > 200);
}

static void shuffle(struct draft *d) {
    for (size_t i = d->n; i > 1; i--) {
        size_t k = draw((unsigned)i);
        struct str rule = d->rules[i - 1];
        d->rules[i - 1] = d->rules[k];
        d->rules[k] = rule;
    }
}

static void check_same(const struct verdict *v, const struct verdict *w, int round) {
    bool is_same = v->effect == w->effect && str_eq(v->rule, w->rule) && v->code == w->code &&
                   str_eq(v->sentence, w->sentence) && v->n_looks == w->n_looks &&
                   are_same_charges(&v->charges, &w->charges) &&
                   are_same_charges(&v->budgets, &w->budgets);
    for (size_t i = 0; is_same && i < v->n_looks; i++)
        is_same = str_eq(v->looks[i].rule, w->looks[i].rule) &&
                  v->looks[i].outcome == w->looks[i].outcome;
    CHECK(is_same, round, "'" STR_FMT "' and '" STR_FMT "'\n", STR_ARG(v->rule), STR_ARG(w->rule));
}

static void the_order_of_rules_decides_nothing(void **state) {
    (void)state;
    int n_ruled = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct draft d = a_draft(true);
        const struct policy *one = load_draft(&d);
        shuffle(&d);
        const struct policy *other = load_draft(&d);
        for (int i = 0; i < CALLS_EACH; i++) {
            struct principal p = a_principal();
            struct policy_question q = a_call();
            struct verdict v = judge(one, &p, &q), w = judge(other, &p, &q);
            check_same(&v, &w, round);
            n_ruled += str_starts(v.rule, STR("rules.yaml#"));
        }
        arena_reset(&arena);
    }
    assert_true(n_ruled > 500);
}

/* Hidden, refused by the list, refused in a call: each within the next. */
static void what_is_hidden_is_refused(void **state) {
    (void)state;
    int n_hidden = 0, n_unlisted = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct draft d = a_draft(false);
        const struct policy *policy = load_draft(&d);
        for (int i = 0; i < CALLS_EACH; i++) {
            struct principal p = a_principal();
            struct policy_question q = a_call();
            struct verdict listed, v = judge(policy, &p, &q);
            policy_decide(policy, &p, q.tool, &arena, &listed);
            bool is_hidden = policy_hides(policy, q.tool);
            CHECK(!is_hidden || listed.effect == EFFECT_DENY, round, "hidden, and listed\n");
            CHECK(listed.effect != EFFECT_DENY || v.effect == EFFECT_DENY, round,
                  "%s\n" STR_FMT " is not listed, and allowed\n", print_draft(&d), STR_ARG(q.tool));
            CHECK(!is_hidden || strcmp(v.code, "TOOL_NOT_FOUND") == 0, round,
                  "hidden, and known\n");
            n_hidden += is_hidden;
            n_unlisted += listed.effect == EFFECT_DENY;
        }
        arena_reset(&arena);
    }
    assert_true(n_hidden > 100 && n_unlisted > 1000);
}

/* -- limits ----------------------------------------------------------------------------------- */

/* One limit alone, as slow and plain as can be: the times of what was admitted. */
struct plain {
    struct str key;
    int64_t times[4096];
    size_t n;
};

static struct plain *plain_of(struct plain *all, size_t *n, struct str key) {
    for (size_t i = 0; i < *n; i++)
        if (str_eq(all[i].key, key)) return &all[i];
    assert_true(*n < 64);
    all[*n].key = key;
    return &all[(*n)++];
}

static bool has_room(const struct plain *plain, const struct store_window *window, int64_t now) {
    int64_t n = 0;
    for (size_t i = 0; i < plain->n; i++) n += plain->times[i] > now - window->window_ms;
    return n < window->max;
}

static void of_several_limits_the_strictest_counts(void **state) {
    (void)state;
    int n_admitted = 0, n_refused = 0, n_several = 0;
    for (int round = 0; round < 40; round++) {
        struct draft d = a_draft(true);
        const struct policy *policy = load_draft(&d);
        struct policy_limiter *limiter = policy_limiter_new();
        struct plain *plain = arena_new_array(&arena, 64, struct plain);
        size_t n_plain = 0;
        assert_non_null(limiter);
        assert_non_null(plain);
        int64_t now = 1000;
        for (int i = 0; i < 150; i++) {
            struct principal p = a_principal();
            struct policy_question q = a_call();
            struct verdict v = judge(policy, &p, &q);
            struct store_admission got;
            now += draw(200);
            if (v.effect == EFFECT_DENY) continue;
            bool may = true;
            for (size_t k = 0; k < v.charges.n; k++) {
                const struct store_window *w = &v.charges.windows[k];
                may = may && has_room(plain_of(plain, &n_plain, w->key), w, now);
            }
            policy_limiter_admit(limiter, &v.charges, now, &got);
            CHECK(got.is_admitted == may, round, "%s\ncall %d: %d, not %d\n", print_draft(&d), i,
                  got.is_admitted, may);
            for (size_t k = 0; may && k < v.charges.n; k++) {
                struct plain *one = plain_of(plain, &n_plain, v.charges.windows[k].key);
                one->times[one->n++] = now;
            }
            n_admitted += may;
            n_refused += !may;
            n_several += v.charges.n > 1;
        }
        policy_limiter_free(limiter);
        arena_reset(&arena);
    }
    assert_true(n_admitted > 200 && n_refused > 50 && n_several > 50);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup_seed, teardown)

int main(void) {
    const struct CMUnitTest all[] = {
        CASE(a_restriction_never_allows_more),        CASE(user_and_client_must_both_allow),
        CASE(the_order_of_rules_decides_nothing),     CASE(what_is_hidden_is_refused),
        CASE(of_several_limits_the_strictest_counts),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
