#include "house/section_json.h"

#include "text/json.h"

struct reading {
    const struct option *rows;
    void *settings;
    struct str name;
    struct arena *arena;
    struct problems *problems;
};

static void complain(const struct reading *r, const char *sentence) {
    problem_add(r->problems, SEVERITY_ERROR, STR("environment"), NULL, STR_FMT ": %s",
                STR_ARG(r->name), sentence);
}

/* The text by which a file would say the same; STR_NONE: a file could not. */
static struct str text_of(const struct json *value) {
    switch (value->type) {
    case JSON_FALSE: return STR("false");
    case JSON_TRUE: return STR("true");
    case JSON_NUMBER:
    case JSON_STRING: return value->text.ptr != NULL ? value->text : STR("");
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    return STR_NONE;
}

static result set_one(const struct reading *r, const struct option *row, const struct json *value) {
    struct report report = {0};
    struct str text = text_of(value);
    if (text.ptr == NULL) {
        complain(
            r, str_cstr(r->arena, str_printf(r->arena, "'%s' cannot be of this type", row->name)));
        return OK;
    }
    result set = option_set(row, r->settings, text, r->arena, &report);
    if (set.why == FAIL_CONFIG) complain(r, report.sentence);
    return set.why == FAIL_CONFIG ? OK : set;
}

static result set_member(const struct reading *r, const struct json_member *m) {
    const struct option *row = option_find(r->rows, m->key);
    if (row == NULL) {
        const struct option *nearest = option_nearest(r->rows, m->key);
        problem_add(r->problems, SEVERITY_ERROR, STR("environment"), NULL,
                    "unknown key '" STR_FMT "' of " STR_FMT, STR_ARG(utf8_clip(m->key, 64)),
                    STR_ARG(r->name));
        if (nearest != NULL) problem_hint(r->problems, "did you mean '%s'?", nearest->name);
        return OK;
    }
    if (m->value.type == JSON_NULL) return OK;
    if (row->type != OPTION_LIST || m->value.type != JSON_ARRAY) return set_one(r, row, &m->value);
    option_list_clear(row, r->settings);
    for (uint32_t i = 0; i < m->value.n; i++) TRY(set_one(r, row, &m->value.items[i]));
    return OK;
}

result section_read_json(const struct option *rows, void *settings, struct str name,
                         struct str text, struct arena *arena, struct problems *problems) {
    struct reading r = {rows, settings, name, arena, problems};
    const struct json *object = NULL;
    struct report report = {0};
    result read = json_read(str_trim(text), NULL, arena, &object, &report);
    if (read.why == FAIL_MEMORY) return read;
    if (read.why != FAIL_NONE || object->type != JSON_OBJECT) {
        complain(&r, "a JSON object is expected, such as {\"enabled\": true}");
        return OK;
    }
    for (uint32_t i = 0; i < object->n; i++) TRY(set_member(&r, &object->members[i]));
    return OK;
}
