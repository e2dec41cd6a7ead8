/* Which rules speak of a tool. */
#include "policy/rules.h"

#include "text/glob.h"

bool policy_rule_is_for_all(const struct policy_rule *rule) {
    return str_eq(rule->name, STR("*"));
}

bool policy_rules_hide(const struct policy_rules *rules, struct str tool) {
    for (size_t i = 0; i < rules->n_hidden; i++)
        if (glob_match(rules->hidden[i], tool)) return true;
    return false;
}

struct asking {
    struct str tool;
    void (*see)(void *with, const struct policy_rule *rule);
    void *with;
};

static void ask_bucket(const struct asking *a, const struct rule_bucket *bucket) {
    for (size_t i = 0; bucket != NULL && i < bucket->n; i++)
        if (glob_match(bucket->rules[i]->name, a->tool)) a->see(a->with, bucket->rules[i]);
}

static void ask_ends(const struct asking *a, const struct rule_ends *ends, bool is_end) {
    for (size_t i = 0; i < ends->n_lengths && ends->lengths[i] <= a->tool.len; i++) {
        size_t n = ends->lengths[i], from = is_end ? a->tool.len - n : 0;
        ask_bucket(a, map_get(&ends->by_text, str_slice(a->tool, from, from + n)));
    }
}

void policy_rules_each(const struct policy_rules *rules, struct str tool,
                       void (*see)(void *with, const struct policy_rule *rule), void *with) {
    const struct asking a = {tool, see, with};
    const struct policy_rule *named = map_get(&rules->exact, tool);
    if (named != NULL) see(with, named);
    ask_ends(&a, &rules->beginnings, false);
    ask_ends(&a, &rules->ends, true);
    ask_bucket(&a, &rules->open);
}
