/* Which limits a call falls under, and who is counted by each. */
#include "base/limits.h"
#include "base/rand.h"
#include "identity/digest.h"
#include "policy/inner.h"

#include <inttypes.h>

struct charging {
    const struct policy *policy;
    const struct principal *principal;
    const struct policy_question *question;
    struct arena *arena;
    struct store_window *windows;
    struct str *rules;
    struct policy_cost *costs; /* of budgets, else NULL */
    size_t n;
    const char *failed; /* why it cannot be counted */
};

static const char NO_MEMORY[] = "there is no memory left to count the call with";

/* -- keys ------------------------------------------------------------------------------------- */

enum { KEY_PARTS_MAX = 3 };

/* What a limit is counted by: "r" and "7:analyst3:ann", so that no two lists of names are alike. */
struct key_parts {
    const char *sort;
    struct str parts[KEY_PARTS_MAX];
};

/* Written by hand: a call may have a dozen, and snprintf() would cost more than all the rest. */
static size_t put_length(char *out, size_t length) {
    char digits[20];
    size_t n = 0, at = 0;
    do digits[n++] = (char)('0' + length % 10);
    while ((length /= 10) > 0);
    while (n > 0) out[at++] = digits[--n];
    out[at++] = ':';
    return at;
}

static struct str print_key(const struct key_parts *key, struct arena *arena) {
    size_t n = strlen(key->sort), max = n;
    for (size_t i = 0; i < KEY_PARTS_MAX; i++) max += key->parts[i].len + 21;
    char *out = arena_alloc(arena, max, 1);
    if (out == NULL) return STR_NONE;
    memcpy(out, key->sort, n);
    for (size_t i = 0; i < KEY_PARTS_MAX; i++) {
        struct str part = key->parts[i];
        if (part.ptr == NULL) continue;
        n += put_length(out + n, part.len);
        if (part.len > 0) memcpy(out + n, part.ptr, part.len);
        n += part.len;
    }
    return (struct str){out, n};
}

/* Names that are longer than a store takes are counted by their digest. */
static struct str shorten(struct str key, struct arena *arena) {
    uint8_t digest[DIGEST_SIZE];
    if (key.len <= STORE_KEY_BYTES_MAX / 2) return key;
    char *out = arena_alloc(arena, 2 * DIGEST_SIZE + 2, 1);
    if (out == NULL || !digest_sha256(key, digest)) return STR_NONE;
    out[0] = '#';
    hex_encode(out + 1, digest, DIGEST_SIZE);
    return (struct str){out, 2 * DIGEST_SIZE + 1};
}

/* -- limits ----------------------------------------------------------------------------------- */

static void charge(struct charging *c, const struct key_parts *parts, struct str rule, int64_t max,
                   int64_t window_s) {
    if (max == 0 || c->failed != NULL) return;
    struct str key = print_key(parts, c->arena);
    if (key.ptr != NULL) key = shorten(key, c->arena);
    if (key.ptr == NULL) {
        c->failed = NO_MEMORY;
        return;
    }
    for (size_t i = 0; i < c->n; i++)
        if (str_eq(c->windows[i].key, key)) return; /* a role that the token names twice */
    if (c->n == POLICY_CHARGES_MAX) {
        c->failed = "the call falls under more limits than can be counted";
        return;
    }
    c->windows[c->n] = (struct store_window){key, max, window_s * 1000};
    c->rules[c->n++] = rule;
}

/* An empty name is a part all the same, a missing one is none. */
static struct str part(struct str name) {
    return name.ptr == NULL ? STR("") : name;
}

static void charge_token(struct charging *c) {
    const struct principal *p = c->principal;
    bool has_id = p->token_id.len > 0;
    struct key_parts by = {has_id ? "t" : "u", {part(has_id ? p->token_id : p->user_id)}};
    charge(c, &by, STR("token"), p->rate_n, p->rate_window_s);
}

enum { DAY_S = 86400 };

static void charge_party(struct charging *c, const struct policy_party *party,
                         const struct key_parts *by, bool is_quota) {
    if (is_quota)
        charge(c, by, party->rule, party->quota_daily, DAY_S);
    else
        charge(c, by, party->rule, party->rate_n, party->rate_window_s);
}

static void charge_parties(struct charging *c, bool is_quota) {
    const struct principal *p = c->principal;
    const struct policy_party *client = policy_client(c->policy, p->client_id);
    struct key_parts by = {is_quota ? "qc" : "c", {part(p->client_id)}};
    if (client != NULL) charge_party(c, client, &by, is_quota);
    for (size_t i = 0; i < p->n_roles; i++) {
        const struct policy_party *role = map_get(&c->policy->roles, p->roles[i]);
        by = (struct key_parts){is_quota ? "qr" : "r", {part(p->roles[i]), part(p->user_id)}};
        if (role != NULL) charge_party(c, role, &by, is_quota);
    }
}

/* Without a client or a session the call is the user's own. A session is its user's: nobody counts
 * for somebody else by naming one. */
static struct key_parts who_counts(const struct charging *c, struct str rule, enum rate_by by) {
    const struct principal *p = c->principal;
    struct str session = c->question->session_id;
    switch (by) {
    case RATE_BY_SESSION:
        if (session.len == 0) break;
        return (struct key_parts){"ps", {part(rule), part(p->user_id), session}};
    case RATE_BY_PRINCIPAL: break;
    case RATE_BY_CLIENT:
        if (p->client_id.len == 0) break;
        return (struct key_parts){"pc", {part(rule), p->client_id}};
    case RATE_BY_TOOL: return (struct key_parts){"pt", {part(rule), part(c->question->tool)}};
    }
    return (struct key_parts){"pp", {part(rule), part(p->user_id)}};
}

static void charge_rule(struct charging *c, const struct policy_rule *rule) {
    struct key_parts parts = who_counts(c, rule->name, rule->rate_by);
    charge(c, &parts, rule->id, rule->rate_max, rule->rate_window_s);
}

/* Counters are another sort than rates to the store, so the names may be the same. */
static void charge_budget(struct charging *c, const struct policy_rule *rule) {
    const struct budget *budget = &rule->budget;
    int64_t amount;
    size_t at = c->n;
    if (budget->max == 0 || c->failed != NULL) return;
    if (!budget_amount(budget, c->question->arguments, &amount)) {
        c->failed = "the call does not say what it takes of a budget";
        return;
    }
    struct key_parts parts = who_counts(c, rule->name, budget->by);
    charge(c, &parts, budget->id, budget->max, budget->window_s);
    if (c->n > at) c->costs[at] = (struct policy_cost){amount, budget->reason};
}

/* -- the whole -------------------------------------------------------------------------------- */

/* Room for token, client, each role and each rule, as far as there may be so many. */
static void begin(struct charging *c, size_t n_rules) {
    size_t max = 2 + c->principal->n_roles + n_rules;
    if (max > POLICY_CHARGES_MAX) max = POLICY_CHARGES_MAX;
    c->windows = arena_new_array(c->arena, max, struct store_window);
    c->rules = arena_new_array(c->arena, max, struct str);
    if (c->windows == NULL || c->rules == NULL) c->failed = NO_MEMORY;
}

static void end(const struct charging *c, struct policy_charges *out) {
    *out = (struct policy_charges){c->windows, c->rules, c->costs, c->failed == NULL ? c->n : 0};
}

static const char *charge_budgets(struct charging *c, const struct rule_list *rules,
                                  struct policy_charges *out) {
    size_t n = 0;
    for (size_t i = 0; i < rules->n; i++) n += rules->items[i]->budget.max > 0;
    if (n == 0) return NULL;
    begin(c, n);
    c->costs = arena_new_array(c->arena, n, struct policy_cost);
    if (c->costs == NULL) c->failed = NO_MEMORY;
    for (size_t i = 0; i < rules->n; i++) charge_budget(c, rules->items[i]);
    end(c, out);
    return c->failed;
}

const char *policy_charge(const struct policy *policy, const struct principal *principal,
                          const struct policy_question *question, const struct rule_list *rules,
                          struct arena *arena, struct verdict *out) {
    struct charging c = {
        .policy = policy, .principal = principal, .question = question, .arena = arena};
    struct charging budgets = c;
    begin(&c, rules->n);
    charge_token(&c);
    charge_parties(&c, false);
    for (size_t i = 0; i < rules->n; i++) charge_rule(&c, rules->items[i]);
    end(&c, &out->charges);
    return c.failed != NULL ? c.failed : charge_budgets(&budgets, rules, &out->budgets);
}

bool policy_quotas(const struct policy *policy, const struct principal *principal,
                   struct arena *arena, struct policy_charges *out) {
    struct charging c = {.policy = policy, .principal = principal, .arena = arena};
    begin(&c, 0);
    charge_parties(&c, true);
    end(&c, out);
    return c.failed == NULL;
}

void policy_refuse_rate(struct verdict *verdict, const struct store_admission *admission,
                        struct arena *arena) {
    struct str rule = verdict->charges.rules[admission->tightest];
    const struct store_window *window = &verdict->charges.windows[admission->tightest];
    verdict->effect = EFFECT_DENY;
    verdict->code = "RATE_LIMIT_EXCEEDED";
    verdict->rule = rule;
    verdict->sentence =
        str_printf(arena, "too many calls: " STR_FMT " allows %" PRId64 " in %" PRId64 " seconds",
                   STR_ARG(rule), window->max, window->window_ms / 1000);
    if (verdict->sentence.ptr == NULL) verdict->sentence = STR("too many calls");
    verdict->hint = str_printf(arena, "Try again in %" PRId64 " seconds.",
                               (admission->retry_after_ms + 999) / 1000);
}
