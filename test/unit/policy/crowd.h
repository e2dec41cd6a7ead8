/*
 * crowd.h - a large policy and many people: 1,000 rules, 50 roles, 20 clients, 10,000 users
 *
 * What decisions are measured on, and counted for locks. Half of the rules name a tool; of the
 * patterns most say how a name begins, some how it ends, a few neither. Each rule has a condition
 * or a rate, one in ten denies. A call matches six of them or so.
 */
#ifndef WEIR_TEST_POLICY_CROWD_H
#define WEIR_TEST_POLICY_CROWD_H

#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CROWD_RULES = 1000,
    CROWD_ROLES = 50,
    CROWD_CLIENTS = 20,
    CROWD_USERS = 10000,
    CROWD_TOOLS = 500,
};

struct crowd {
    struct arena arena;
    const struct policy *policy;
    struct principal *users;
    struct str tools[CROWD_TOOLS];
    const struct json *arguments;
};

static inline void crowd_die(const char *what) {
    (void)fprintf(stderr, "crowd: %s\n", what);
    exit(1);
}

static inline void crowd_rule(struct buf *out, int i) {
    int n = i % CROWD_TOOLS;
    bool is_pattern = i >= CROWD_TOOLS;
    if (i < 500)
        buf_addf(out, "  'tool_%d': {", n);
    else if (i < 900)
        buf_addf(out, "  'tool_%d*': {", n);
    else if (i < 980)
        buf_addf(out, "  '*_%dx': {", n);
    else
        buf_addf(out, "  '*%d?*': {", n);
    if (i % 10 == 9 && !is_pattern)
        buf_addf(out, "action: deny, reason: not this one}\n");
    else if (i % 3 == 0)
        buf_addf(out, "rate_limit: {max: %d, window: 60, by: principal}}\n", 5 + i % 50);
    else
        buf_addf(out,
                 "conditions: [{path: args.limit, op: lte, value: %d},"
                 " {path: args.sql, op: starts_with, value: SELECT}]}\n",
                 100 + i);
}

static inline const struct yaml *crowd_tree(struct crowd *crowd, struct buf *text) {
    const struct yaml *tree = NULL;
    struct report report = {0};
    struct str flat = str_dup(&crowd->arena, buf_flat(text, &crowd->arena));
    result r = yaml_read(flat, STR("crowd"), NULL, &crowd->arena, &tree, &report);
    if (r.why != FAIL_NONE) crowd_die(report.sentence);
    buf_deinit(text);
    return tree;
}

static inline const struct yaml *crowd_rules(struct crowd *crowd) {
    struct buf text;
    buf_init(&text, 1 << 22);
    buf_addf(&text, "version: '1'\ndefault: deny\ntools:\n  '*': {rate_limit: 100000/minute}\n");
    for (int i = 0; i < CROWD_RULES - 1; i++) crowd_rule(&text, i);
    return crowd_tree(crowd, &text);
}

static inline const struct yaml *crowd_parties(struct crowd *crowd) {
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_addf(&text, "roles:\n");
    for (int i = 0; i < CROWD_ROLES; i++)
        buf_addf(&text,
                 "  role_%d: {allowed_tools: ['tool_%d*', 'tool_*'], rate_limit: %d/minute}\n", i,
                 i, 50 + i);
    buf_addf(&text, "clients:\n");
    for (int i = 0; i < CROWD_CLIENTS; i++)
        buf_addf(&text, "  client_%d: {allowed_tools: ['tool_*'], rate_limit: 100000/hour}\n", i);
    return crowd_tree(crowd, &text);
}

static inline struct str crowd_name(struct crowd *crowd, const char *form, int i) {
    struct str name = str_printf(&crowd->arena,
                                 form[0] == 'u'   ? "user_%d"
                                 : form[0] == 'r' ? "role_%d"
                                 : form[0] == 'c' ? "client_%d"
                                                  : "tool_%d",
                                 i);
    if (name.ptr == NULL) crowd_die("no memory");
    return name;
}

static inline void crowd_people(struct crowd *crowd) {
    crowd->users = arena_new_array(&crowd->arena, CROWD_USERS, struct principal);
    for (int i = 0; i < CROWD_USERS; i++) {
        struct principal *p = &crowd->users[i];
        struct str *roles = arena_new_array(&crowd->arena, 2, struct str);
        roles[0] = crowd_name(crowd, "role", i % CROWD_ROLES);
        roles[1] = crowd_name(crowd, "role", (i * 7 + 1) % CROWD_ROLES);
        *p = (struct principal){.user_id = crowd_name(crowd, "user", i),
                                .client_id = crowd_name(crowd, "client", i % CROWD_CLIENTS),
                                .roles = roles,
                                .n_roles = 2};
    }
    for (int i = 0; i < CROWD_TOOLS; i++) crowd->tools[i] = crowd_name(crowd, "tool", i);
}

static inline void crowd_open(struct crowd *crowd) {
    struct problems problems;
    struct buf empty;
    arena_init(&crowd->arena, 1 << 28);
    problems_init(&problems, &crowd->arena);
    buf_init(&empty, 64);
    buf_addf(&empty, "tables: {}");
    struct policy_sources sources = {.policy = crowd_tree(crowd, &empty),
                                     .enterprise = crowd_parties(crowd),
                                     .rules = crowd_rules(crowd),
                                     .policy_text = STR("crowd")};
    result r = policy_load(&sources, &crowd->arena, &problems, &crowd->policy);
    if (r.why != FAIL_NONE) crowd_die("the policy is wrong");
    r = json_read(STR("{\"sql\":\"SELECT a FROM t WHERE pt = '20261120'\",\"limit\":50}"), NULL,
                  &crowd->arena, &crowd->arguments, NULL);
    if (r.why != FAIL_NONE) crowd_die("the arguments are wrong");
    crowd_people(crowd);
}

static inline void crowd_close(struct crowd *crowd) {
    arena_deinit(&crowd->arena);
}

struct crowd_counts {
    uint64_t allowed, denied, limited;
};

/* The i-th decision: judged, and counted against its limits. */
static inline void crowd_decide(const struct crowd *crowd, struct policy_limiter *limiter,
                                uint64_t i, struct arena *arena, struct crowd_counts *counts) {
    const struct principal *p = &crowd->users[i * 7919 % CROWD_USERS];
    struct policy_question question = {.tool = crowd->tools[i * 104729 % CROWD_TOOLS],
                                       .arguments = crowd->arguments,
                                       .session_id = STR("session")};
    struct verdict verdict;
    struct store_admission admission;
    arena_reset(arena);
    policy_judge(crowd->policy, p, &question, arena, &verdict);
    if (verdict.effect == EFFECT_DENY) {
        counts->denied++;
        return;
    }
    policy_limiter_admit(limiter, &verdict.charges, (int64_t)(i / 10), &admission);
    counts->allowed += admission.is_admitted;
    counts->limited += !admission.is_admitted;
}

#endif
