#include "policy/budget.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdio.h>

/* -- amounts ---------------------------------------------------------------------------------- */

/* At most so long as the largest is; leading zeros are of no JSON, and of no file of ours. */
enum { AMOUNT_WHOLE_DIGITS_MAX = 12 };

/* Digits, and perhaps a point with one to four of them behind it. */
static bool read_amount(struct str text, int64_t *parts) {
    struct str fraction = text, whole = str_cut(&fraction, '.');
    uint64_t n = 0, rest = 0;
    bool has_point = fraction.ptr != NULL;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '.' && (text.ptr[i] < '0' || text.ptr[i] > '9')) return false;
    if (whole.len > AMOUNT_WHOLE_DIGITS_MAX || !str_to_u64(whole, &n)) return false;
    if (has_point && (fraction.len > BUDGET_SCALE_DIGITS || !str_to_u64(fraction, &rest)))
        return false;
    for (size_t i = fraction.len; has_point && i < BUDGET_SCALE_DIGITS; i++) rest *= 10;
    *parts = (int64_t)(n * BUDGET_SCALE + rest);
    return *parts <= BUDGET_AMOUNT_MAX;
}

struct str amount_text(int64_t parts, char out[AMOUNT_TEXT_MAX]) {
    int n = snprintf(out, AMOUNT_TEXT_MAX, "%" PRId64 ".%0*" PRId64, parts / BUDGET_SCALE,
                     BUDGET_SCALE_DIGITS, parts % BUDGET_SCALE);
    struct str text = {out, (size_t)n};
    while (str_ends(text, STR("0"))) text.len--;
    if (str_ends(text, STR("."))) text.len--;
    return text;
}

/* -- in the file ------------------------------------------------------------------------------ */

struct budget_row {
    struct str max, window, from, reason;
    int by; /* enum rate_by */
};

const char *const rate_by_names[] = {"session", "principal", "client", "tool", NULL};
#define AT(member) .offset = offsetof(struct budget_row, member)
static const struct bind_key budget_keys[] = {
    {.name = "max", .type = BIND_TEXT, AT(max), .is_required = true},
    {.name = "window", .type = BIND_TEXT, AT(window), .is_required = true},
    {.name = "from", .type = BIND_TEXT, AT(from), .is_required = true},
    {.name = "by", .type = BIND_CHOICE, AT(by), .choices = rate_by_names},
    {.name = "reason", .type = BIND_TEXT, AT(reason)},
    {.name = NULL}};
#undef AT
static const struct bind_kind budget_kind = {.what = "a budget", .keys = budget_keys};

static bool read_window(struct str text, int64_t *seconds) {
    static const struct {
        const char *name;
        int64_t seconds;
    } names[] = {{"minute", 60}, {"hour", 3600}, {"day", 86400}};
    for (size_t i = 0; i < COUNT(names); i++) {
        *seconds = names[i].seconds;
        if (str_eq(text, str_of(names[i].name))) return true;
    }
    return str_to_i64(text, seconds) && *seconds >= BUDGET_WINDOW_S_MIN &&
           *seconds <= POLICY_WINDOW_S_MAX;
}

/* Of a key that is there; that one is missing is told already. */
static void wrong(const struct binder *binder, const struct yaml *node, struct str where,
                  const char *must_be, struct str got) {
    if (node == NULL) return;
    problem_add(binder->problems, SEVERITY_ERROR, binder->file, node,
                STR_FMT ": budget %s, got \"" STR_FMT "\"", STR_ARG(where), must_be, STR_ARG(got));
}

result budget_read(const struct binder *binder, const struct yaml *node, struct str rule,
                   struct str where, struct budget *out) {
    struct budget_row row = {0};
    TRY(bind_map(binder, &budget_kind, node, &row));
    *out = (struct budget){.by = (enum rate_by)row.by, .reason = row.reason};
    out->id = str_printf(binder->arena, STR_FMT ".budget", STR_ARG(rule));
    if (out->id.ptr == NULL) return fail_memory(NULL);
    if (!read_amount(row.max, &out->max) || out->max == 0)
        wrong(binder, yaml_get(node, STR("max")), where,
              "max must be a number above 0, not too large, with at most 4 digits behind the point",
              row.max);
    if (!read_window(row.window, &out->window_s))
        wrong(binder, yaml_get(node, STR("window")), where,
              "window must be minute, hour, day or seconds (60 to 2678400)", row.window);
    return policy_argument_read(binder, yaml_get(node, STR("from")), row.from, where, "budget from",
                                &out->from);
}

/* -- in a call -------------------------------------------------------------------------------- */

bool budget_amount(const struct budget *budget, const struct json *arguments, int64_t *amount) {
    const struct json *value = policy_argument_find(&budget->from, arguments);
    return value != NULL && value->type == JSON_NUMBER && read_amount(value->text, amount);
}

struct str budget_sentence(const struct budget *budget, struct arena *arena) {
    char most[AMOUNT_TEXT_MAX];
    return str_printf(arena,
                      "the argument '" STR_FMT "' must be a number from 0 to " STR_FMT
                      " with at most 4 digits behind the point",
                      STR_ARG(utf8_clip(budget->from.path, 128)),
                      STR_ARG(amount_text(BUDGET_AMOUNT_MAX, most)));
}
