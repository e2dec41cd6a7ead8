#include "policy/condition.h"

#include "base/limits.h"

/* -- in the file ------------------------------------------------------------------------------ */

#define AT(member) .offset = offsetof(struct condition_row, member)
static const struct bind_key condition_keys[] = {
    {.name = "path", .type = BIND_TEXT, AT(path), .is_required = true},
    {.name = "op", .type = BIND_TEXT, AT(op), .is_required = true},
    {.name = "value", .type = BIND_SKIP},
    {.name = "reason", .type = BIND_TEXT, AT(reason)},
    {.name = "otherwise", .type = BIND_TEXT, AT(otherwise)},
    {.name = "optional", .type = BIND_BOOL, AT(optional)},
    {.name = NULL}};
#undef AT
const struct bind_kind condition_kind = {
    .what = "a condition", .keys = condition_keys, .size = sizeof(struct condition_row)};

/* What an operator is held against. */
enum wants { WANTS_ANY, WANTS_NUMBER, WANTS_TEXT, WANTS_LIST, WANTS_PATTERN, WANTS_TRUTH };

static const struct {
    const char *name;
    enum wants wants;
    const char *sentence; /* of what is wanted; the value follows where there is a colon */
} ops[] = {
    [CONDITION_EQ] = {"eq", WANTS_ANY, "must be:"},
    [CONDITION_NEQ] = {"neq", WANTS_ANY, "has a value that is not allowed"},
    [CONDITION_IN] = {"in", WANTS_LIST, "must be one of:"},
    [CONDITION_NOT_IN] = {"not_in", WANTS_LIST, "has a value that is not allowed"},
    [CONDITION_LT] = {"lt", WANTS_NUMBER, "must be a number less than:"},
    [CONDITION_LTE] = {"lte", WANTS_NUMBER, "must be a number of at most:"},
    [CONDITION_GT] = {"gt", WANTS_NUMBER, "must be a number greater than:"},
    [CONDITION_GTE] = {"gte", WANTS_NUMBER, "must be a number of at least:"},
    [CONDITION_CONTAINS] = {"contains", WANTS_ANY, "must contain:"},
    [CONDITION_STARTS_WITH] = {"starts_with", WANTS_TEXT, "must begin with:"},
    [CONDITION_ENDS_WITH] = {"ends_with", WANTS_TEXT, "must end with:"},
    [CONDITION_REGEX] = {"regex", WANTS_PATTERN, "must match:"},
    [CONDITION_EXISTS] = {"exists", WANTS_TRUTH, "must be given"},
};

struct reading {
    const struct binder *binder;
    const struct condition_row *row;
    struct str where;
    struct condition *out;
};

static void wrong(const struct reading *r, const struct yaml *node, const char *before,
                  struct str what, const char *after) {
    if (node == NULL) node = r->row->head.node;
    problem_add(r->binder->problems, SEVERITY_ERROR, r->binder->file, node,
                STR_FMT ": %s\"" STR_FMT "\"%s", STR_ARG(r->where), before, STR_ARG(what), after);
}

static const struct yaml *member(const struct reading *r, struct str key) {
    return yaml_get(r->row->head.node, key);
}

/* -- values ----------------------------------------------------------------------------------- */

/* How a number is printed: integers without a fraction, others as short as can be read back. */
static result print_number(const struct json *number, struct arena *arena, struct str *out) {
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, 64);
    json_writer_init(&w, &buf);
    if (number->is_integer)
        json_int(&w, number->integer);
    else
        json_real(&w, json_double(number));
    result r = buf_failed(&buf, NULL);
    *out = str_dup(arena, buf_flat(&buf, arena)); /* a flat buf may be its own bytes */
    buf_deinit(&buf);
    return r.why == FAIL_NONE && out->ptr != NULL ? OK : fail_memory(NULL);
}

/* A plain scalar that is a number of JSON is a number, any other one is a text. */
static result read_operand(const struct reading *r, const struct yaml *node, struct operand *out) {
    const struct json *json = NULL;
    struct report unused = {0};
    TRY(bind_text(r->binder, node, &out->text));
    bool may_be = out->text.len > 0 &&
                  (out->text.ptr[0] == '-' || (out->text.ptr[0] >= '0' && out->text.ptr[0] <= '9'));
    if (!may_be) return OK;
    result read = json_read(out->text, NULL, r->binder->arena, &json, &unused);
    if (read.why == FAIL_MEMORY) return fail_memory(NULL);
    if (read.why != FAIL_NONE || json->type != JSON_NUMBER) return OK;
    struct str printed;
    TRY(print_number(json, r->binder->arena, &printed));
    out->is_number = node->is_plain;
    out->is_numeric = node->is_plain || str_eq(printed, out->text);
    out->is_integer = json->is_integer;
    out->integer = json->integer;
    out->real = json_double(json);
    if (out->is_number) out->text = printed;
    return OK;
}

static bool is_scalar(const struct yaml *node) {
    return node != NULL && node->type == YAML_SCALAR && !yaml_is_null(node);
}

static void wrong_value(const struct reading *r, const char *wanted) {
    char after[64];
    snprintf(after, sizeof after, " requires %s", wanted);
    const struct yaml *value = member(r, STR("value"));
    wrong(r, value, "operator ", str_of(ops[r->out->op].name), after);
}

static result read_operands(const struct reading *r, const struct yaml *nodes, size_t n) {
    struct operand *operands = arena_new_array(r->binder->arena, n, struct operand);
    if (operands == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < n; i++) {
        if (!is_scalar(&nodes[i])) {
            wrong_value(r, "texts, numbers or truths");
            return OK;
        }
        TRY(read_operand(r, &nodes[i], &operands[i]));
    }
    r->out->operands = operands;
    r->out->n_operands = n;
    return OK;
}

static result read_pattern(const struct reading *r, const struct yaml *value) {
    struct report report = {0};
    struct str text;
    TRY(bind_text(r->binder, value, &text));
    result read = regex_read(text, r->binder->arena, &r->out->regex, &report);
    if (read.why == FAIL_MEMORY) return fail_memory(NULL);
    if (read.why == FAIL_NONE) return read_operands(r, value, 1);
    wrong(r, value, "invalid regex ", text, "");
    problem_hint(r->binder->problems, "%s", report.sentence);
    return OK;
}

static result read_value(const struct reading *r) {
    const struct yaml *value = member(r, STR("value"));
    bool is_one = is_scalar(value);
    struct str text = is_one ? value->text : STR_NONE;
    switch (ops[r->out->op].wants) {
    case WANTS_LIST:
        if (value != NULL && value->type == YAML_LIST)
            return read_operands(r, value->items, value->n);
        wrong_value(r, "a list value");
        return OK;
    case WANTS_NUMBER:
        if (is_one) TRY(read_operands(r, value, 1));
        if (r->out->n_operands == 0 || !r->out->operands[0].is_number)
            wrong_value(r, "a numeric value");
        return OK;
    case WANTS_TEXT:
    case WANTS_ANY:
        if (is_one && (text.len > 0 || r->out->op <= CONDITION_NEQ))
            return read_operands(r, value, 1);
        wrong_value(r, "one value");
        return OK;
    case WANTS_PATTERN:
        if (is_one && !(value->is_plain && text.len == 0)) return read_pattern(r, value);
        wrong_value(r, "a text value");
        return OK;
    case WANTS_TRUTH:
        r->out->must_exist = str_eq(text, STR("true"));
        if (!r->out->must_exist && !str_eq(text, STR("false"))) wrong_value(r, "a boolean value");
        return OK;
    }
    return OK;
}

/* -- the whole -------------------------------------------------------------------------------- */

static bool read_op(const struct reading *r) {
    struct str names[COUNT(ops)];
    for (size_t i = 0; i < COUNT(ops); i++) names[i] = str_of(ops[i].name);
    for (size_t i = 0; i < COUNT(ops); i++) {
        r->out->op = (enum condition_op)i;
        if (str_eq(names[i], r->row->op)) return true;
    }
    if (member(r, STR("op")) == NULL) return false;
    wrong(r, member(r, STR("op")), "unknown operator ", r->row->op, "");
    struct str near = bind_nearest(r->row->op, names, COUNT(ops));
    if (near.ptr != NULL)
        problem_hint(r->binder->problems, "did you mean '" STR_FMT "'?", STR_ARG(near));
    return false;
}

static void read_otherwise(const struct reading *r) {
    struct str text = r->row->otherwise;
    if (str_eq(text, STR("confirm")))
        r->out->otherwise = EFFECT_CONFIRM;
    else if (str_eq(text, STR("approve")))
        r->out->otherwise = EFFECT_APPROVE;
    else if (text.len > 0 && !str_eq(text, STR("deny")))
        wrong(r, member(r, STR("otherwise")),
              "otherwise must be \"deny\", \"confirm\" or \"approve\", got ", text, "");
}

result condition_read(const struct binder *binder, const struct condition_row *row,
                      struct str where, struct condition *out) {
    struct reading r = {binder, row, where, out};
    *out = (struct condition){.reason = row->reason, .is_optional = row->optional};
    read_otherwise(&r);
    TRY(policy_argument_read(binder, member(&r, STR("path")), row->path, where, "path",
                             &out->argument));
    return read_op(&r) ? read_value(&r) : OK;
}

/* -- looking ---------------------------------------------------------------------------------- */

/* Below 0, 0, above: integers exactly, all else as doubles. */
static int compare(const struct json *number, const struct operand *operand) {
    if (number->is_integer && operand->is_integer)
        return (number->integer > operand->integer) - (number->integer < operand->integer);
    double left = json_double(number), right = operand->real;
    return (left > right) - (left < right);
}

static bool is_same(const struct json *value, const struct operand *operand) {
    switch (value->type) {
    case JSON_NUMBER: return operand->is_numeric && compare(value, operand) == 0;
    case JSON_STRING: return str_eq(value->text, operand->text);
    case JSON_TRUE: return str_eq(operand->text, STR("true"));
    case JSON_FALSE: return str_eq(operand->text, STR("false"));
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    return false;
}

static bool is_among(const struct json *value, const struct condition *c) {
    for (size_t i = 0; i < c->n_operands; i++)
        if (is_same(value, &c->operands[i])) return true;
    return false;
}

static enum condition_says say(bool holds) {
    return holds ? CONDITION_HOLDS : CONDITION_FAILS;
}

static enum condition_says look_in_text(const struct condition *c, struct str text) {
    struct str wanted = c->operands[0].text;
    if (c->op == CONDITION_STARTS_WITH) return say(str_starts(text, wanted));
    if (c->op == CONDITION_ENDS_WITH) return say(str_ends(text, wanted));
    if (c->op == CONDITION_CONTAINS) return say(str_find(text, wanted) < text.len);
    switch (regex_search(c->regex, text)) {
    case REGEX_GIVEN_UP: break;
    case REGEX_NO: return CONDITION_FAILS;
    case REGEX_YES: return CONDITION_HOLDS;
    }
    return CONDITION_UNREADABLE;
}

static enum condition_says look_in_list(const struct condition *c, const struct json *list) {
    for (uint32_t i = 0; i < list->n; i++)
        if (is_among(&list->items[i], c)) return CONDITION_HOLDS;
    return CONDITION_FAILS;
}

static enum condition_says look_at(const struct condition *c, const struct json *value) {
    bool is_nested = value->type == JSON_ARRAY || value->type == JSON_OBJECT;
    bool is_number = value->type == JSON_NUMBER;
    int by = is_number && c->n_operands > 0 ? compare(value, &c->operands[0]) : 0;
    switch (c->op) {
    case CONDITION_EQ:
    case CONDITION_IN: return is_nested ? CONDITION_UNREADABLE : say(is_among(value, c));
    case CONDITION_NEQ:
    case CONDITION_NOT_IN: return is_nested ? CONDITION_UNREADABLE : say(!is_among(value, c));
    case CONDITION_LT: return is_number ? say(by < 0) : CONDITION_UNREADABLE;
    case CONDITION_LTE: return is_number ? say(by <= 0) : CONDITION_UNREADABLE;
    case CONDITION_GT: return is_number ? say(by > 0) : CONDITION_UNREADABLE;
    case CONDITION_GTE: return is_number ? say(by >= 0) : CONDITION_UNREADABLE;
    case CONDITION_CONTAINS:
        if (value->type == JSON_ARRAY) return look_in_list(c, value);
        /* fall through */
    case CONDITION_STARTS_WITH:
    case CONDITION_ENDS_WITH:
    case CONDITION_REGEX:
        return value->type == JSON_STRING ? look_in_text(c, value->text) : CONDITION_UNREADABLE;
    case CONDITION_EXISTS: break; /* its only question is answered before */
    }
    return CONDITION_UNREADABLE;
}

enum condition_says condition_look(const struct condition *c, const struct json *arguments) {
    const struct json *value = policy_argument_find(&c->argument, arguments);
    if (c->op == CONDITION_EXISTS) return say((value != NULL) == c->must_exist);
    if (value == NULL) return c->is_optional ? CONDITION_HOLDS : CONDITION_UNREADABLE;
    return look_at(c, value);
}

/* -- words ------------------------------------------------------------------------------------ */

static struct str print_operands(const struct condition *c, struct arena *arena) {
    enum { SHOWN_MAX = 8 };
    struct str all = STR("");
    for (size_t i = 0; i < c->n_operands && i < SHOWN_MAX; i++)
        all = str_printf(arena, STR_FMT "%s'" STR_FMT "'", STR_ARG(all), i > 0 ? ", " : " ",
                         STR_ARG(utf8_clip(c->operands[i].text, 64)));
    return c->n_operands <= SHOWN_MAX ? all : str_printf(arena, STR_FMT ", …", STR_ARG(all));
}

struct str condition_sentence(const struct condition *c, struct arena *arena) {
    struct str wanted = str_of(ops[c->op].sentence), value = STR("");
    if (c->op == CONDITION_EXISTS && !c->must_exist) wanted = STR("must not be given");
    if (str_ends(wanted, STR(":"))) {
        wanted.len--;
        value = print_operands(c, arena);
    }
    return str_printf(arena, "the argument '" STR_FMT "' " STR_FMT STR_FMT,
                      STR_ARG(utf8_clip(c->argument.path, 128)), STR_ARG(wanted), STR_ARG(value));
}
