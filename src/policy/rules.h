/*
 * policy/rules.h - rules.yaml: what may be done with a tool, in PolicyLayer's words
 *
 *     version: "1"
 *     default: deny                     # tools that no rule names: allow (the default) or deny
 *     hide: [drop_*]                    # these do not exist
 *     tools:
 *       list_tables: {}                 # allowed, where default is deny
 *       run_*:
 *         action: approve               # allow (the default), deny, confirm, approve
 *         reason: queries cost money
 *         rate_limit: {max: 10, window: 60, by: session}      # or 10/minute
 *         budget: {max: 500, window: day, from: args.amount, by: principal}  # policy/budget.h
 *         conditions:
 *           - {path: args.limit, op: lte, value: 1000, reason: at most 1000 rows}
 *           - {path: /tables/0, op: in, value: [a, b], otherwise: confirm}
 *       "*": {rate_limit: 100/minute}   # every call
 *
 * A name is a tool's or a glob. All rules whose names match a tool apply to it: the strictest
 * action counts, every condition has to hold, every rate and budget has to have room, so that the
 * order in the file decides nothing and a further rule never allows more. `*` stands for every
 * call, and lists no tool where the default is deny. A condition that does not hold denies, or asks
 * as its `otherwise` says. Rates and budgets count all tools of their rule together, apart for each
 * session (of a user), principal, client or tool.
 *
 * Memory:  all in the arena of the load; texts are copied by the tree.
 * Errors:  FAIL_MEMORY; what is wrong in the file goes to the binder's problems.
 * Threads: immutable once loaded.
 */
#ifndef WEIR_POLICY_RULES_H
#define WEIR_POLICY_RULES_H

#include "base/map.h"
#include "policy/budget.h"
#include "policy/condition.h"

struct policy_rule {
    struct str name;        /* as in the file */
    const struct yaml *key; /* where it stands */
    struct str id;          /* "rules.yaml#tools.NAME" */
    enum effect effect;
    struct str reason; /* may be empty */
    int64_t rate_max, rate_window_s;
    enum rate_by rate_by; /* rate_max 0: none */
    struct budget budget; /* max 0: none */
    const struct condition *conditions;
    size_t n_conditions;
};

/* Rules whose names share a beginning, or an end. */
struct rule_bucket {
    const struct policy_rule **rules;
    size_t n, cap;
};

/* A call looks at the rule of its name, at those patterns whose beginning (or, where that is open,
 * whose end) is the name's, and at the few that are open on both sides: so a thousand rules cost
 * what the matching ones do. */
struct rule_ends {
    struct map by_text; /* → rule_bucket */
    size_t *lengths;    /* of the texts, each once, ascending */
    size_t n_lengths, cap_lengths;
};

struct policy_rules {
    bool denies_unnamed; /* default: deny */
    const struct str *hidden;
    const struct yaml *hidden_list; /* where they stand */
    size_t n_hidden;
    const struct policy_rule *all; /* in order of name */
    size_t n;
    struct map exact;
    struct rule_ends beginnings, ends;
    struct rule_bucket open;
};

/* NULL as a tree: no rules, which denies nothing. */
MUST_USE result policy_rules_load(const struct binder *binder, const struct yaml *tree,
                                  const struct policy_rules **out);

bool policy_rules_hide(const struct policy_rules *rules, struct str tool);

/* Shows each rule that matches, in an order that hangs on the names alone. */
void policy_rules_each(const struct policy_rules *rules, struct str tool,
                       void (*see)(void *with, const struct policy_rule *rule), void *with);

/* `*` and nothing else: every call, but no tool by name. */
bool policy_rule_is_for_all(const struct policy_rule *rule);

#endif
