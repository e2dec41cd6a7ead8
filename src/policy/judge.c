/* May this call be made: first who asks for which tool, then what the rules say of it. */
#include "base/limits.h"
#include "policy/inner.h"

const char *const policy_effect_name[] = {[EFFECT_DENY] = "deny",
                                          [EFFECT_ALLOW] = "allow",
                                          [EFFECT_CONFIRM] = "confirm",
                                          [EFFECT_APPROVE] = "approve"};

const char *const policy_look_name[] = {[LOOK_DENIES] = "denies",
                                        [LOOK_ALLOWS] = "allows",
                                        [LOOK_CONFIRMS] = "asks the user",
                                        [LOOK_APPROVES] = "asks an approver",
                                        [LOOK_SILENT] = "says nothing"};

struct judging {
    const struct policy *policy;
    const struct principal *principal;
    const struct policy_question *question;
    struct arena *arena;
    struct rule_list rules;    /* those that speak of the tool */
    bool is_spent;             /* no memory for one of them */
    struct policy_look *looks; /* the verdict's; NULL: nobody asks for them */
    size_t max_looks;
    struct verdict *out;
};

static void look(struct judging *j, struct str rule, enum look outcome) {
    if (j->out->n_looks == j->max_looks) return;
    j->looks[j->out->n_looks++] = (struct policy_look){rule, outcome};
}

/* -- token, roles, client --------------------------------------------------------------------- */

static bool deny_nobody(struct judging *j) {
    j->out->code = "AUTH_REQUIRED";
    j->out->rule = STR("default");
    j->out->sentence = STR("authentication is required");
    look(j, j->out->rule, LOOK_DENIES);
    return false;
}

static bool deny(struct judging *j, struct str rule) {
    struct verdict *out = j->out;
    look(j, rule, LOOK_DENIES);
    out->code = "TOOL_NOT_ALLOWED";
    out->rule = rule;
    out->sentence = str_printf(j->arena, "the tool '" STR_FMT "' is not allowed by " STR_FMT,
                               STR_ARG(utf8_clip(j->question->tool, 128)), STR_ARG(rule));
    if (out->sentence.ptr == NULL) out->sentence = STR("the tool is not allowed");
    out->hint =
        STR("Use a tool that tools/list shows, or ask a keeper of this server for the right.");
    return false;
}

/* What one party's list says; who has none does not speak, and forbids nothing. */
struct party_says {
    struct str rule;
    bool speaks, allows;
};

/* The verdict is named by the roles where they speak, else by the first that does. */
static bool parties_allow(struct judging *j) {
    const struct principal *p = j->principal;
    struct str tool = j->question->tool;
    bool is_admin = policy_is_admin(p);
    const struct policy_party *client = policy_client(j->policy, p->client_id);
    struct roles_say roles = policy_roles_say(j->policy, p, ASK_TOOL, tool);
    const struct party_says all[] = {
        {is_admin ? STR("role:mcp_admin") : STR("token"), is_admin || p->allowed_tools.is_set,
         is_admin || name_set_has(&p->allowed_tools, tool)},
        {roles.by != NULL ? roles.by->rule : STR("roles"), roles.by != NULL, roles.is_allowed},
        {client != NULL ? client->rule : STR("client"), client != NULL && client->tools.is_set,
         client == NULL || name_set_has(&client->tools, tool)},
    };
    enum { ROLES = 1 };
    struct str by = STR_NONE;
    for (size_t i = 0; i < COUNT(all); i++) {
        if (!all[i].allows) return deny(j, all[i].rule);
        look(j, all[i].rule, all[i].speaks ? LOOK_ALLOWS : LOOK_SILENT);
        if (all[i].speaks && (by.len == 0 || i == ROLES)) by = all[i].rule;
    }
    j->out->rule = by.len > 0 ? by : STR("default");
    return true;
}

/* -- rules ------------------------------------------------------------------------------------ */

static void remember(void *with, const struct policy_rule *rule) {
    struct judging *j = with;
    const struct policy_rule **at = ARENA_PUSH(j->arena, j->rules.items, j->rules.n, j->rules.cap);
    if (at == NULL)
        j->is_spent = true;
    else
        *at = rule;
}

/* Denial before all, then the higher the stricter. */
static bool is_stricter(enum effect effect, enum effect than) {
    if (effect == EFFECT_DENY || than == EFFECT_DENY) return than != EFFECT_DENY;
    return effect > than;
}

static enum look look_of(enum effect effect) {
    switch (effect) {
    case EFFECT_DENY: break;
    case EFFECT_ALLOW: return LOOK_ALLOWS;
    case EFFECT_CONFIRM: return LOOK_CONFIRMS;
    case EFFECT_APPROVE: return LOOK_APPROVES;
    }
    return LOOK_DENIES;
}

/* What a rule, or one condition of it, or its budget, says of the call. The first of the strictest
 * names the verdict; what it says in words is made when all are heard. */
struct said {
    enum effect effect;
    const struct policy_rule *rule;
    const struct condition *condition; /* NULL: the rule itself */
    const struct budget *budget;       /* whose argument is none; else NULL */
};

static void hear(struct said *strictest, const struct said *one) {
    if (strictest->rule == NULL || is_stricter(one->effect, strictest->effect)) *strictest = *one;
}

static enum effect ask_condition(const struct condition *condition, const struct json *arguments) {
    switch (condition_look(condition, arguments)) {
    case CONDITION_UNREADABLE: break;
    case CONDITION_FAILS: return condition->otherwise;
    case CONDITION_HOLDS: return EFFECT_ALLOW;
    }
    return EFFECT_DENY;
}

static bool is_countable(const struct budget *budget, const struct json *arguments) {
    int64_t amount;
    return budget->max == 0 || budget_amount(budget, arguments, &amount);
}

static struct said ask_rule(struct judging *j, const struct policy_rule *rule,
                            bool with_conditions) {
    struct said said = {rule->effect, rule, NULL, NULL};
    for (size_t i = 0; with_conditions && i < rule->n_conditions; i++) {
        const struct condition *c = &rule->conditions[i];
        struct said one = {ask_condition(c, j->question->arguments), rule, c, NULL};
        hear(&said, &one);
    }
    if (with_conditions && !is_countable(&rule->budget, j->question->arguments))
        hear(&said, &(struct said){EFFECT_DENY, rule, NULL, &rule->budget});
    look(j, rule->id, look_of(said.effect));
    return said;
}

/* -- what is said in words -------------------------------------------------------------------- */

static bool is_of_argument(const struct said *said) {
    return said->condition != NULL || said->budget != NULL;
}

static const char *code_of(const struct said *said) {
    switch (said->effect) {
    case EFFECT_DENY: break;
    case EFFECT_ALLOW: return NULL;
    case EFFECT_CONFIRM: return "CONFIRMATION_REQUIRED";
    case EFFECT_APPROVE: return "APPROVAL_REQUIRED";
    }
    return is_of_argument(said) ? "ARGUMENT_NOT_ALLOWED" : "TOOL_NOT_ALLOWED";
}

static struct str rule_of(const struct said *said, struct arena *arena) {
    if (said->budget != NULL) return said->budget->id;
    if (said->condition == NULL) return said->rule->id;
    return str_printf(arena, STR_FMT ".conditions[%zu]", STR_ARG(said->rule->id),
                      (size_t)(said->condition - said->rule->conditions));
}

/* The nearest reason that the keeper wrote; empty: none. A budget's is of a spent one. */
static struct str reason_of(const struct said *said) {
    if (said->budget != NULL) return STR_NONE;
    bool has_own = said->condition != NULL && said->condition->reason.len > 0;
    return has_own ? said->condition->reason : said->rule->reason;
}

static struct str why_asked(const struct said *said, struct arena *arena) {
    struct str reason = reason_of(said);
    const char *who = said->effect == EFFECT_CONFIRM
                          ? "the user has to confirm this call first"
                          : "somebody else has to approve this call first";
    if (reason.len == 0) return str_of(who);
    return str_printf(arena, "%s: " STR_FMT, who, STR_ARG(utf8_clip(reason, 400)));
}

static void put_words(struct judging *j, const struct said *said) {
    struct verdict *out = j->out;
    struct str reason = reason_of(said);
    out->effect = said->effect;
    if (said->effect == EFFECT_DENY && !is_of_argument(said) && reason.len == 0) {
        (void)deny(j, said->rule->id);
        return;
    }
    out->code = code_of(said);
    out->rule = rule_of(said, j->arena);
    out->hint = STR_NONE;
    if (said->effect != EFFECT_DENY)
        out->sentence = why_asked(said, j->arena);
    else if (reason.len > 0)
        out->sentence = reason;
    else if (said->budget != NULL)
        out->sentence = budget_sentence(said->budget, j->arena);
    else
        out->sentence = condition_sentence(said->condition, j->arena);
    if (out->sentence.ptr == NULL) out->sentence = STR("a rule does not let this call pass");
    if (said->effect == EFFECT_DENY && is_of_argument(said))
        out->hint = STR("Change the argument, and call again.");
}

/* What does not exist is denied like what never did. */
static bool deny_hidden(struct judging *j) {
    struct str tool = utf8_clip(j->question->tool, 128);
    j->out->effect = EFFECT_DENY;
    j->out->code = "TOOL_NOT_FOUND";
    j->out->rule = STR("rules.yaml#hide");
    j->out->sentence = str_printf(j->arena, "there is no tool '" STR_FMT "'", STR_ARG(tool));
    if (j->out->sentence.ptr == NULL) j->out->sentence = STR("there is no such tool");
    j->out->hint = STR("tools/list tells the tools that you may use");
    look(j, j->out->rule, LOOK_DENIES);
    return false;
}

static bool deny_for_want(struct judging *j, const char *why) {
    *j->out = (struct verdict){.code = "OUT_OF_MEMORY",
                               .rule = STR("default"),
                               .sentence = str_of(why),
                               .version = j->out->version};
    return false;
}

static const char WANT_OF_MEMORY[] = "there is no memory left to decide with";

/* True: not denied; out->effect says whether somebody has to be asked. */
static bool rules_allow(struct judging *j, bool with_conditions) {
    const struct policy_rules *rules = j->policy->rules;
    struct said strictest = {.effect = EFFECT_ALLOW};
    bool is_named = false;
    for (size_t i = 0; i < j->rules.n; i++) {
        struct said said = ask_rule(j, j->rules.items[i], with_conditions);
        hear(&strictest, &said);
        is_named = is_named || !policy_rule_is_for_all(said.rule);
    }
    j->out->effect = EFFECT_ALLOW;
    if (rules->denies_unnamed && !is_named) {
        j->out->effect = EFFECT_DENY;
        return deny(j, STR("rules.yaml#default"));
    }
    if (strictest.effect != EFFECT_ALLOW) put_words(j, &strictest);
    return j->out->effect != EFFECT_DENY;
}

/* -- the whole -------------------------------------------------------------------------------- */

bool policy_hides(const struct policy *policy, struct str tool) {
    return policy_rules_hide(policy->rules, tool);
}

void policy_each_rule_name(const struct policy *policy,
                           void (*see)(struct str name, const struct yaml *at, void *with),
                           void *with) {
    const struct policy_rules *rules = policy->rules;
    for (size_t i = 0; i < rules->n_hidden; i++)
        see(rules->hidden[i], &rules->hidden_list->items[i], with);
    for (size_t i = 0; i < rules->n; i++) see(rules->all[i].name, rules->all[i].key, with);
}

static bool judge(struct judging *j, bool with_conditions) {
    if (!policy_is_somebody(j->principal)) return deny_nobody(j);
    if (policy_hides(j->policy, j->question->tool)) return deny_hidden(j);
    return parties_allow(j) && rules_allow(j, with_conditions);
}

static void begin(struct judging *j) {
    *j->out = (struct verdict){.version = policy_version(j->policy)};
    policy_rules_each(j->policy->rules, j->question->tool, remember, j);
}

void policy_decide(const struct policy *policy, const struct principal *principal, struct str tool,
                   struct arena *arena, struct verdict *out) {
    struct policy_question question = {.tool = tool};
    struct judging j = {policy, principal, &question, arena, .out = out};
    begin(&j);
    bool is_allowed = j.is_spent ? deny_for_want(&j, WANT_OF_MEMORY) : judge(&j, false);
    if (is_allowed)
        *out = (struct verdict){.effect = EFFECT_ALLOW, .rule = out->rule, .version = out->version};
}

/* One look for each party, one for each rule, one for what no rule names. */
enum { LOOKS_BESIDE_RULES = 4 };

void policy_judge(const struct policy *policy, const struct principal *principal,
                  const struct policy_question *question, struct arena *arena,
                  struct verdict *out) {
    struct judging j = {policy, principal, question, arena, .out = out};
    begin(&j);
    j.max_looks = j.rules.n + LOOKS_BESIDE_RULES;
    if (j.max_looks > POLICY_LOOKS_MAX) j.max_looks = POLICY_LOOKS_MAX;
    j.looks = arena_new_array(arena, j.max_looks, struct policy_look);
    out->looks = j.looks;
    if (j.is_spent || j.looks == NULL) {
        (void)deny_for_want(&j, WANT_OF_MEMORY);
        return;
    }
    if (!judge(&j, true)) return;
    const char *failed = policy_charge(policy, principal, question, &j.rules, arena, out);
    if (failed != NULL) (void)deny_for_want(&j, failed);
}
