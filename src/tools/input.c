#include "tools/input.h"

#include "tools/tool.h"

static const char *const type_word[] = {
    [FIELD_TEXT] = "string",
    [FIELD_INT] = "integer",
    [FIELD_BOOL] = "boolean",
    [FIELD_TEXT_LIST] = "array of strings",
};

static const struct field *field_find(const struct field *fields, struct str name) {
    for (const struct field *f = fields; f->name != NULL; f++)
        if (str_eq(str_of(f->name), name)) return f;
    return NULL;
}

/* Half of the letters may be wrong: further away it is no slip of the pen. */
static const struct field *field_nearest(const struct field *fields, struct str name) {
    const struct field *nearest = NULL;
    unsigned best = (unsigned)(name.len / 2 + 1);
    for (const struct field *f = fields; f->name != NULL; f++) {
        unsigned d = str_distance(str_of(f->name), name, best);
        if (d < best) {
            best = d;
            nearest = f;
        }
    }
    return nearest;
}

static bool in_bounds(const struct field *f, int64_t value) {
    return (f->min == 0 && f->max == 0) || (value >= f->min && value <= f->max);
}

static bool is_text_list(const struct json *value) {
    if (value->type != JSON_ARRAY) return false;
    for (uint32_t i = 0; i < value->n; i++)
        if (value->items[i].type != JSON_STRING) return false;
    return true;
}

/* Is the value of the field's type and within its bounds? */
static bool field_fits(const struct field *f, const struct json *value) {
    switch (f->type) {
    case FIELD_TEXT: return value->type == JSON_STRING && in_bounds(f, (int64_t)value->text.len);
    case FIELD_INT:
        return value->type == JSON_NUMBER && value->is_integer && in_bounds(f, value->integer);
    case FIELD_BOOL: return value->type == JSON_TRUE || value->type == JSON_FALSE;
    case FIELD_TEXT_LIST: return is_text_list(value) && in_bounds(f, (int64_t)value->n);
    }
    return false;
}

static bool field_store(const struct field *f, const struct json *value, char *into,
                        struct arena *arena) {
    void *at = into + f->offset;
    switch (f->type) {
    case FIELD_TEXT: *(struct str *)at = value->text; return true;
    case FIELD_INT: *(int64_t *)at = value->integer; return true;
    case FIELD_BOOL: *(bool *)at = value->type == JSON_TRUE; return true;
    case FIELD_TEXT_LIST: break;
    }
    struct str *items = arena_new_array(arena, value->n, struct str);
    if (items == NULL) return false;
    for (uint32_t i = 0; i < value->n; i++) items[i] = value->items[i].text;
    *(struct field_list *)at = (struct field_list){items, value->n};
    return true;
}

/* Given as null is not given. */
static bool is_given(const struct json *arguments, const char *name) {
    const struct json *value = json_get(arguments, str_of(name));
    return value != NULL && value->type != JSON_NULL;
}

static bool is_needed(const struct tool *tool, const struct field *f,
                      const struct json *arguments) {
    if (f->is_required) return true;
    return tool->either != NULL && strcmp(f->name, tool->either) == 0 &&
           !is_given(arguments, tool->or_else);
}

/* -- the repair ------------------------------------------------------------------------------- */

/* What the caller probably meant by a field: its own value, or that of a misspelt name. */
static const struct json *meant_value(const struct field *fields, const struct field *f,
                                      const struct json *arguments) {
    const struct json *own = json_get(arguments, str_of(f->name));
    if (own != NULL) return field_fits(f, own) ? own : NULL;
    if (arguments == NULL || arguments->type != JSON_OBJECT) return NULL;
    for (uint32_t i = 0; i < arguments->n; i++) {
        const struct json_member *m = &arguments->members[i];
        if (field_find(fields, m->key) == NULL && field_nearest(fields, m->key) == f &&
            field_fits(f, &m->value))
            return &m->value;
    }
    return NULL;
}

static void hint_corrected_call(const struct tool *tool, const struct json *arguments,
                                struct arena *arena, struct report *report) {
    const struct json *example = NULL;
    struct report unused = {0};
    if (json_read(str_of(tool->example), NULL, arena, &example, &unused).why != FAIL_NONE) return;
    struct buf call;
    buf_init(&call, REPORT_HINT_MAX);
    struct json_writer w;
    json_writer_init(&w, &call);
    json_object(&w);
    for (const struct field *f = tool->input; f->name != NULL; f++) {
        const struct json *value = meant_value(tool->input, f, arguments);
        if (value == NULL && is_needed(tool, f, arguments))
            value = json_get(example, str_of(f->name));
        if (value == NULL) continue;
        json_key(&w, str_of(f->name));
        json_value(&w, value);
    }
    json_object_end(&w);
    struct str text = buf_flat(&call, arena);
    if (buf_failed(&call, NULL).why == FAIL_NONE)
        fail_hint(report, "Call %s with " STR_FMT, tool->name, STR_ARG(text));
    buf_deinit(&call);
}

static struct str field_names(const struct field *fields, struct arena *arena) {
    struct str names = STR("");
    for (const struct field *f = fields; f->name != NULL; f++)
        names =
            str_printf(arena, STR_FMT "%s%s", STR_ARG(names), names.len > 0 ? ", " : "", f->name);
    return names.len > 0 ? names : STR("none");
}

static result refuse_unknown(const struct tool *tool, struct str name, struct arena *arena,
                             struct report *report) {
    struct str names = field_names(tool->input, arena);
    return fail(report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                "%s has no argument '" STR_FMT "'; its arguments are: " STR_FMT, tool->name,
                STR_ARG(str_slice(name, 0, 64)), STR_ARG(names));
}

static result refuse_value(const struct tool *tool, const struct field *f, struct report *report) {
    if (f->min == 0 && f->max == 0)
        return fail(report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                    "argument '%s' of %s must be of type %s", f->name, tool->name,
                    type_word[f->type]);
    const char *of = f->type == FIELD_TEXT ? " bytes" : f->type == FIELD_TEXT_LIST ? " items" : "";
    return fail(report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                "argument '%s' of %s must be of type %s, from %lld to %lld%s", f->name, tool->name,
                type_word[f->type], (long long)f->min, (long long)f->max, of);
}

static result read_fields(const struct tool *tool, const struct json *arguments, char *into,
                          struct arena *arena, struct report *report) {
    if (arguments != NULL && arguments->type != JSON_OBJECT)
        return fail(report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                    "the arguments of %s must be a JSON object", tool->name);
    for (uint32_t i = 0; arguments != NULL && i < arguments->n; i++) {
        const struct json_member *m = &arguments->members[i];
        const struct field *f = field_find(tool->input, m->key);
        if (f == NULL) return refuse_unknown(tool, m->key, arena, report);
        if (m->value.type == JSON_NULL && !f->is_required) continue; /* as if it were absent */
        if (!field_fits(f, &m->value)) return refuse_value(tool, f, report);
        if (!field_store(f, &m->value, into, arena)) return fail_memory(report);
    }
    for (const struct field *f = tool->input; f->name != NULL; f++)
        if (is_needed(tool, f, arguments) && !is_given(arguments, f->name))
            return fail(report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                        "%s needs the argument '%s' (%s)", tool->name, f->name, type_word[f->type]);
    if (tool->either != NULL && is_given(arguments, tool->either) &&
        is_given(arguments, tool->or_else))
        return fail(report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                    "%s takes '%s' or '%s', not both", tool->name, tool->either, tool->or_else);
    return OK;
}

result input_read(const struct tool *tool, const struct json *arguments, struct arena *arena,
                  const void **out, struct report *report) {
    if (arguments != NULL && arguments->type == JSON_NULL) arguments = NULL;
    if (tool->input_schema != NULL) return OK;
    char *into = arena_alloc(arena, tool->input_size, _Alignof(max_align_t));
    if (into == NULL) return fail_memory(report);
    result r = read_fields(tool, arguments, into, arena, report);
    if (r.why == FAIL_INPUT) hint_corrected_call(tool, arguments, arena, report);
    *out = into;
    return r;
}

/* -- the schema ------------------------------------------------------------------------------- */

static const char *header_of(const struct tool *tool, const struct field *f) {
    for (const struct mirrored *m = tool->mirrored; m != NULL && m->field != NULL; m++)
        if (strcmp(m->field, f->name) == 0) return m->header;
    return NULL;
}

static void field_schema(const struct field *f, const char *header, struct json_writer *w) {
    static const char *const json_type[] = {"string", "integer", "boolean", "array"};
    static const char *const low[] = {"minLength", "minimum", "", "minItems"};
    static const char *const high[] = {"maxLength", "maximum", "", "maxItems"};
    json_key(w, str_of(f->name));
    json_object(w);
    json_put_text(w, STR("type"), str_of(json_type[f->type]));
    if (f->type == FIELD_TEXT_LIST) {
        json_key(w, STR("items"));
        json_raw_value(w, STR("{\"type\":\"string\"}"));
    }
    if (f->min != 0 || f->max != 0) {
        json_put_int(w, str_of(low[f->type]), f->min);
        json_put_int(w, str_of(high[f->type]), f->max);
    }
    json_put_text(w, STR("description"), str_of(f->summary));
    if (header != NULL) json_put_text(w, STR("x-mcp-header"), str_of(header));
    json_object_end(w);
}

void input_schema(const struct tool *tool, struct json_writer *w) {
    const struct field *fields = tool->input;
    if (tool->input_schema != NULL) {
        json_raw_value(w, str_of(tool->input_schema));
        return;
    }
    json_object(w);
    json_put_text(w, STR("type"), STR("object"));
    json_key(w, STR("properties"));
    json_object(w);
    for (const struct field *f = fields; f->name != NULL; f++)
        field_schema(f, header_of(tool, f), w);
    json_object_end(w);
    bool any = false;
    for (const struct field *f = fields; f->name != NULL; f++) any |= f->is_required;
    if (any) {
        json_key(w, STR("required"));
        json_array(w);
        for (const struct field *f = fields; f->name != NULL; f++)
            if (f->is_required) json_text(w, str_of(f->name));
        json_array_end(w);
    }
    json_put_bool(w, STR("additionalProperties"), false);
    json_object_end(w);
}
