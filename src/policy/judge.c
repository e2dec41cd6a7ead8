/* May this call be made. */
#include "base/limits.h"
#include "policy/inner.h"

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
    struct policy_look *looks; /* the verdict's; NULL: nobody asks for them */
    struct verdict *out;
};

static void look(struct judging *j, struct str rule, enum look outcome) {
    if (j->looks == NULL || j->out->n_looks == POLICY_LOOKS_MAX) return;
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
    if (!policy_is_somebody(p)) return deny_nobody(j);
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

/* -- the whole -------------------------------------------------------------------------------- */

bool policy_hides(const struct policy *policy, struct str tool) {
    (void)policy;
    (void)tool;
    return false;
}

void policy_decide(const struct policy *policy, const struct principal *principal, struct str tool,
                   struct arena *arena, struct verdict *out) {
    struct policy_question question = {.tool = tool};
    struct judging j = {policy, principal, &question, arena, NULL, out};
    *out = (struct verdict){.version = policy_version(policy)};
    if (parties_allow(&j)) out->effect = EFFECT_ALLOW;
}

void policy_judge(const struct policy *policy, const struct principal *principal,
                  const struct policy_question *question, struct arena *arena,
                  struct verdict *out) {
    struct judging j = {policy, principal, question, arena, NULL, out};
    *out = (struct verdict){.version = policy_version(policy)};
    j.looks = arena_new_array(arena, POLICY_LOOKS_MAX, struct policy_look);
    out->looks = j.looks;
    if (j.looks == NULL) {
        out->code = "OUT_OF_MEMORY";
        out->rule = STR("default");
        out->sentence = STR("there is no memory left to decide with");
        return;
    }
    if (parties_allow(&j)) out->effect = EFFECT_ALLOW;
}
