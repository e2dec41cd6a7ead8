#include "text/bind.h"

#include "base/limits.h"
#include "base/option.h"

#include <assert.h>
#include <inttypes.h>

enum { NEAR_CAP = 4, KEYS_SHOWN_MAX = 400 };

static void wrong(const struct binder *b, const struct yaml *node, const char *name,
                  const char *wanted) {
    problem_add(b->problems, SEVERITY_ERROR, b->file, node, "'%s' must be %s", name, wanted);
}

/* -- names ------------------------------------------------------------------------------------ */

bool bind_is_name(struct str text) {
    if (text.len == 0 || text.len > BIND_NAME_BYTES_MAX || !utf8_valid(text)) return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f) return false;
    return text.ptr[0] != ' ' && text.ptr[text.len - 1] != ' ';
}

/* Shorter than that, a beginning says nothing. */
enum { BEGINNING_MIN = 3 };

/* One slip in three characters is near. */
static unsigned near_cap(struct str text) {
    size_t cap = text.len / 3 + 1;
    return cap < NEAR_CAP ? (unsigned)cap : NEAR_CAP;
}

struct str bind_nearest(struct str text, const struct str *names, size_t n) {
    unsigned cap = near_cap(text), best = cap + 1;
    struct str nearest = STR_NONE;
    for (size_t i = 0; i < n; i++) {
        unsigned distance = str_distance(text, names[i], cap + 1);
        if (distance >= best) continue;
        best = distance;
        nearest = names[i];
    }
    return nearest;
}

static const char *nearest_key(const struct bind_key *keys, struct str text) {
    unsigned cap = near_cap(text), best = cap + 1;
    const char *nearest = NULL;
    for (const struct bind_key *key = keys; key->name != NULL; key++) {
        if (key->name[0] == '*') continue;
        unsigned distance = str_distance(text, str_of(key->name), cap + 1);
        if (distance >= best) continue;
        best = distance;
        nearest = key->name;
    }
    for (const struct bind_key *key = keys; nearest == NULL && key->name != NULL; key++)
        if (text.len >= BEGINNING_MIN && str_starts(str_of(key->name), text)) nearest = key->name;
    return nearest;
}

/* -- scalars ---------------------------------------------------------------------------------- */

static bool is_env_byte(char c, bool first) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

/* `${NAME}` at the start of s: its name; STR_NONE when s begins otherwise. */
static struct str env_name(struct str s) {
    if (!str_starts(s, STR("${"))) return STR_NONE;
    size_t end = 2;
    while (end < s.len && is_env_byte(s.ptr[end], end == 2)) end++;
    if (end == 2 || end == s.len || s.ptr[end] != '}') return STR_NONE;
    return str_slice(s, 2, end);
}

/* What stands for `${NAME}`; a name that is not set is an error, so that no restriction that was
 * meant to be there is quietly empty. */
static result env_value(const struct binder *b, const struct yaml *node, struct str name,
                        struct str *out) {
    const char *cstr = str_cstr(b->arena, name);
    if (cstr == NULL) return fail_memory(NULL);
    const char *value = getenv(cstr);
    *out = str_of(value);
    if (value == NULL)
        problem_add(b->problems, SEVERITY_ERROR, b->file, node,
                    "the environment variable '" STR_FMT "' is not set", STR_ARG(name));
    return OK;
}

result bind_text(const struct binder *b, const struct yaml *node, struct str *out) {
    struct str rest = node->text, made = STR("");
    *out = node->text;
    bool is_changed = false;
    for (size_t at = 0; (at = str_find(rest, STR("${"))) < rest.len;) {
        struct str name = env_name(str_slice(rest, at, rest.len));
        struct str value = STR("${");
        size_t taken = 2;
        if (name.ptr != NULL) {
            TRY(env_value(b, node, name, &value));
            taken = name.len + 3;
            is_changed = true;
        }
        made = str_printf(b->arena, STR_FMT STR_FMT STR_FMT, STR_ARG(made),
                          STR_ARG(str_slice(rest, 0, at)), STR_ARG(value));
        if (made.ptr == NULL) return fail_memory(NULL);
        rest = str_slice(rest, at + taken, rest.len);
    }
    if (!is_changed) return OK;
    *out = str_printf(b->arena, STR_FMT STR_FMT, STR_ARG(made), STR_ARG(rest));
    return out->ptr == NULL ? fail_memory(NULL) : OK;
}

/* "a whole number from 0 to 10": the sentence of a bounded number. */
static void wrong_number(const struct binder *b, const struct yaml *node,
                         const struct bind_key *key, const char *form) {
    if (key->min == 0 && key->max == 0)
        problem_add(b->problems, SEVERITY_ERROR, b->file, node, "'%s' must be %s", key->name, form);
    else
        problem_add(b->problems, SEVERITY_ERROR, b->file, node,
                    "'%s' must be %s from %" PRId64 " to %" PRId64, key->name, form, key->min,
                    key->max);
}

static bool in_bounds(const struct bind_key *key, int64_t value) {
    return (key->min == 0 && key->max == 0) || (value >= key->min && value <= key->max);
}

static void bind_choice(const struct binder *b, const struct bind_key *key, const struct yaml *node,
                        struct str text, int *out) {
    char wanted[KEYS_SHOWN_MAX] = "one of";
    size_t len = strlen(wanted);
    for (int i = 0; key->choices[i] != NULL; i++) {
        if (str_eq(text, str_of(key->choices[i]))) {
            *out = i;
            return;
        }
        int n =
            snprintf(wanted + len, sizeof wanted - len, "%s %s", i > 0 ? "," : "", key->choices[i]);
        assert(n > 0 && (size_t)n < sizeof wanted - len); /* tables of ours */
        len += (size_t)n;
    }
    wrong(b, node, key->name, wanted);
}

static void bind_rate(const struct binder *b, const struct bind_key *key, const struct yaml *node,
                      struct str text, struct bind_rate *out) {
    struct bind_rate rate = {0};
    if (!parse_rate(text, &rate.n, &rate.window_s) || rate.window_s < 1) {
        wrong(b, node, key->name, "a rate such as 100/minute (second, minute, hour or day)");
        return;
    }
    if (rate.n < 1 || rate.n > key->max) {
        problem_add(b->problems, SEVERITY_ERROR, b->file, node,
                    "'%s' must allow from 1 to %" PRId64 " calls", key->name, key->max);
        if (rate.n < 1) problem_hint(b->problems, "to allow none, give an empty allowed_tools");
        return;
    }
    *out = rate;
}

static void bind_number(const struct binder *b, const struct bind_key *key, const struct yaml *node,
                        struct str text, int64_t *out) {
    int64_t value = 0;
    bool is_int = key->type == BIND_INT;
    bool is_read = is_int ? str_to_i64(text, &value) : parse_bytes(text, &value);
    if (is_read && in_bounds(key, value))
        *out = value;
    else
        wrong_number(b, node, key, is_int ? "a whole number" : "a size in bytes");
}

static void bind_name(const struct binder *b, const struct bind_key *key, const struct yaml *node,
                      struct str text, struct str *out) {
    if (bind_is_name(text))
        *out = text;
    else
        wrong(b, node, key->name, "a name of printable characters, not too long");
}

static result bind_scalar(const struct binder *b, const struct bind_key *key,
                          const struct yaml *node, void *at) {
    static const char *const wanted[] = {
        [BIND_TEXT] = "a text",           [BIND_NAME] = "a name",
        [BIND_BOOL] = "true or false",    [BIND_INT] = "a whole number",
        [BIND_BYTES] = "a size in bytes", [BIND_RATE] = "a rate such as 100/minute",
        [BIND_CHOICE] = "one word"};
    if (key->type == BIND_TEXT && yaml_is_null(node) && !key->is_required) return OK;
    if (node->type != YAML_SCALAR || yaml_is_null(node)) {
        wrong(b, node, key->name, wanted[key->type]);
        return OK;
    }
    struct str text;
    TRY(bind_text(b, node, &text));
    if (key->type == BIND_TEXT)
        *(struct str *)at = text;
    else if (key->type == BIND_NAME)
        bind_name(b, key, node, text, at);
    else if (key->type == BIND_RATE)
        bind_rate(b, key, node, text, at);
    else if (key->type == BIND_CHOICE)
        bind_choice(b, key, node, text, at);
    else if (key->type != BIND_BOOL)
        bind_number(b, key, node, text, at);
    else if (!parse_bool(text, (bool *)at))
        wrong(b, node, key->name, wanted[BIND_BOOL]);
    return OK;
}

/* -- lists ------------------------------------------------------------------------------------ */

static result bind_item(const struct binder *b, const struct bind_key *key, const struct yaml *node,
                        struct str *out) {
    if (node->type != YAML_SCALAR || yaml_is_null(node)) {
        wrong(b, node, key->name, "a list of texts");
        return OK;
    }
    TRY(bind_text(b, node, out));
    if (out->len == 0)
        problem_add(b->problems, SEVERITY_ERROR, b->file, node, "'%s' holds an empty text",
                    key->name);
    return OK;
}

static result bind_texts(const struct binder *b, const struct bind_key *key,
                         const struct yaml *node, struct bind_texts *out) {
    bool is_one = key->one_is_list && node->type == YAML_SCALAR && !yaml_is_null(node);
    out->is_set = true; /* also when it is wrong: then nothing is in it */
    if (node->type != YAML_LIST && !is_one) {
        wrong(b, node, key->name, "a list of texts");
        if (yaml_is_null(node))
            problem_hint(b->problems, "write [] for nothing, or leave the key out");
        return OK;
    }
    size_t n = is_one ? 1 : node->n;
    struct str *items = arena_new_array(b->arena, n, struct str);
    if (items == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < n; i++)
        TRY(bind_item(b, key, is_one ? node : &node->items[i], &items[i]));
    out->items = items;
    out->n = n;
    return OK;
}

static result bind_value(const struct binder *b, const struct bind_key *key,
                         const struct yaml *node, void *at);

static result bind_element(const struct binder *b, const struct bind_kind *kind,
                           const struct yaml *key, const struct yaml *node, char *element) {
    *(struct bind_head *)(void *)element =
        (struct bind_head){.id = key == NULL ? STR_NONE : key->text, .key = key, .node = node};
    if (key != NULL && !bind_is_name(key->text))
        problem_add(b->problems, SEVERITY_ERROR, b->file, key,
                    "the name of %s must be of printable characters, not too long", kind->what);
    if (kind->value != NULL) return bind_value(b, kind->value, node, element + kind->value->offset);
    return bind_map(b, kind, node, element);
}

static result bind_array(const struct binder *b, const struct bind_key *key,
                         const struct yaml *node, struct bind_array *out) {
    const struct bind_kind *kind = key->of;
    bool is_each = key->type == BIND_EACH;
    if (is_each && yaml_is_null(node)) return OK;
    if (node->type != (is_each ? YAML_MAP : YAML_LIST)) {
        wrong(b, node, key->name, is_each ? "a map" : "a list");
        return OK;
    }
    char *items = arena_array(b->arena, node->n, kind->size, _Alignof(max_align_t));
    if (items == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml *name = is_each ? &node->pairs[i].key : NULL;
        const struct yaml *value = is_each ? &node->pairs[i].value : &node->items[i];
        TRY(bind_element(b, kind, name, value, items + i * kind->size));
    }
    *out = (struct bind_array){items, node->n};
    return OK;
}

static result bind_value(const struct binder *b, const struct bind_key *key,
                         const struct yaml *node, void *at) {
    switch (key->type) {
    case BIND_SKIP: return OK;
    case BIND_TEXTS: return bind_texts(b, key, node, at);
    case BIND_MAP: return bind_map(b, key->of, node, at);
    case BIND_EACH:
    case BIND_LIST: return bind_array(b, key, node, at);
    case BIND_TEXT:
    case BIND_NAME:
    case BIND_BOOL:
    case BIND_INT:
    case BIND_BYTES:
    case BIND_RATE:
    case BIND_CHOICE: return bind_scalar(b, key, node, at);
    }
    assert(false && "a key of a type that is none");
    return OK;
}

/* -- maps ------------------------------------------------------------------------------------- */

static const struct bind_key *find_key(const struct bind_kind *kind, const struct yaml_pair *pair) {
    for (const struct bind_key *key = kind->keys; key->name != NULL; key++)
        if (str_eq(pair->key.text, str_of(key->name))) return key;
    return NULL;
}

/* The row "*": a name that we cannot know, of a thing that is a map. */
static const struct bind_key *any_key(const struct bind_kind *kind) {
    for (const struct bind_key *key = kind->keys; key->name != NULL; key++)
        if (key->name[0] == '*') return key;
    return NULL;
}

static bool is_taken_by_any(const struct bind_kind *kind, const struct yaml_pair *pair) {
    return any_key(kind) != NULL && pair->value.type == YAML_MAP && find_key(kind, pair) == NULL &&
           !str_starts(pair->key.text, STR("x-"));
}

static void unknown_key(const struct binder *b, const struct bind_kind *kind,
                        const struct yaml_pair *pair) {
    problem_add(b->problems, SEVERITY_ERROR, b->file, &pair->key, "unknown key '" STR_FMT "' in %s",
                STR_ARG(pair->key.text), kind->what);
    const char *near = nearest_key(kind->keys, pair->key.text);
    if (near != NULL) {
        problem_hint(b->problems, "did you mean '%s'?", near);
        return;
    }
    char known[KEYS_SHOWN_MAX] = "";
    size_t len = 0;
    for (const struct bind_key *key = kind->keys; key->name != NULL; key++) {
        int n = snprintf(known + len, sizeof known - len, "%s%s", len > 0 ? ", " : "", key->name);
        if (n < 0 || (size_t)n >= sizeof known - len) break;
        len += (size_t)n;
    }
    problem_hint(b->problems, "known keys: %.*s", (int)len, known);
}

static void set_fallbacks(const struct bind_kind *kind, char *target) {
    for (const struct bind_key *key = kind->keys; key->name != NULL; key++) {
        void *at = target + key->offset;
        if (key->type == BIND_INT || key->type == BIND_BYTES)
            *(int64_t *)at = key->fallback;
        else if (key->type == BIND_BOOL)
            *(bool *)at = key->fallback != 0;
        else if (key->type == BIND_CHOICE)
            *(int *)at = (int)key->fallback;
    }
}

/* The keys that are not there: those that have to be, and maps with defaults inside. */
static result bind_absent(const struct binder *b, const struct bind_kind *kind,
                          const struct yaml *node, char *target) {
    for (const struct bind_key *key = kind->keys; key->name != NULL; key++) {
        if (yaml_get(node, str_of(key->name)) != NULL) continue;
        if (key->is_required && node != NULL)
            problem_add(b->problems, SEVERITY_ERROR, b->file, node, "%s has no '%s'", kind->what,
                        key->name);
        if (key->type == BIND_MAP) TRY(bind_map(b, key->of, NULL, target + key->offset));
    }
    return OK;
}

/* Everything that the row "*" takes, as one array. */
static result bind_any(const struct binder *b, const struct bind_kind *kind,
                       const struct yaml *node, char *target) {
    const struct bind_key *any = any_key(kind);
    if (any == NULL) return OK;
    size_t n = 0;
    for (size_t i = 0; i < node->n; i++) n += is_taken_by_any(kind, &node->pairs[i]);
    char *items = arena_array(b->arena, n, any->of->size, _Alignof(max_align_t));
    if (items == NULL) return fail_memory(NULL);
    *(struct bind_array *)(void *)(target + any->offset) = (struct bind_array){items, n};
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        if (!is_taken_by_any(kind, pair)) continue;
        TRY(bind_element(b, any->of, &pair->key, &pair->value, items));
        items += any->of->size;
    }
    return OK;
}

result bind_map(const struct binder *b, const struct bind_kind *kind, const struct yaml *node,
                void *target) {
    set_fallbacks(kind, target);
    if (node != NULL && node->type != YAML_MAP && !yaml_is_null(node)) {
        problem_add(b->problems, SEVERITY_ERROR, b->file, node, "%s must be a map", kind->what);
        return OK;
    }
    TRY(bind_absent(b, kind, node, target));
    if (node == NULL || node->type != YAML_MAP) return OK;
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml_pair *pair = &node->pairs[i];
        const struct bind_key *key = find_key(kind, pair);
        if (key != NULL && key->name[0] != '*')
            TRY(bind_value(b, key, &pair->value, (char *)target + key->offset));
        else if (!is_taken_by_any(kind, pair) && !str_starts(pair->key.text, STR("x-")))
            unknown_key(b, kind, pair);
    }
    return bind_any(b, kind, node, target);
}
