#include "policy/argument.h"

#include "base/limits.h"

/* -- in the file ------------------------------------------------------------------------------ */

/* ~1 is a slash and ~0 a tilde (RFC 6901). false: a tilde with something else behind it. */
static bool unescape(struct arena *arena, struct str text, struct str *out) {
    char *made = arena_alloc(arena, text.len + 1, 1);
    size_t n = 0;
    *out = STR_NONE;
    if (made == NULL) return true;
    for (size_t i = 0; i < text.len; i++) {
        made[n] = text.ptr[i];
        if (text.ptr[i] == '~') {
            char next = i + 1 < text.len ? text.ptr[++i] : 0;
            if (next != '0' && next != '1') return false;
            made[n] = next == '0' ? '~' : '/';
        }
        n++;
    }
    *out = (struct str){made, n};
    return true;
}

static result read_steps(struct arena *arena, struct str rest, struct policy_argument *out,
                         bool *is_form) {
    struct str *steps = NULL;
    size_t n = 0, cap = 0;
    *is_form = true;
    while (*is_form && rest.ptr != NULL) {
        struct str text = str_cut(&rest, out->is_pointer ? '/' : '.');
        struct str *step = ARENA_PUSH(arena, steps, n, cap);
        if (step == NULL) return fail_memory(NULL);
        *step = text;
        if (out->is_pointer)
            *is_form = unescape(arena, text, step);
        else
            *is_form = text.len > 0;
        if (*is_form && step->ptr == NULL && text.len > 0) return fail_memory(NULL);
    }
    out->steps = steps;
    out->n_steps = n;
    return OK;
}

result policy_argument_read(const struct binder *binder, const struct yaml *node, struct str path,
                            struct str where, const char *key, struct policy_argument *out) {
    bool is_dotted = str_starts(path, STR("args.")), is_form = false;
    *out = (struct policy_argument){.path = path, .is_pointer = str_starts(path, STR("/"))};
    if (is_dotted || out->is_pointer)
        TRY(read_steps(binder->arena, str_slice(path, is_dotted ? 5 : 1, path.len), out, &is_form));
    if (is_form && out->n_steps > CONDITION_STEPS_MAX) is_form = false;
    if (is_form || node == NULL) return OK;
    if (is_dotted || out->is_pointer)
        problem_add(binder->problems, SEVERITY_ERROR, binder->file, node,
                    STR_FMT ": %s \"" STR_FMT "\" has a step that is no key", STR_ARG(where), key,
                    STR_ARG(path));
    else
        problem_add(binder->problems, SEVERITY_ERROR, binder->file, node,
                    STR_FMT ": %s must start with \"args.\" or \"/\", got \"" STR_FMT "\"",
                    STR_ARG(where), key, STR_ARG(path));
    return OK;
}

/* -- in a call -------------------------------------------------------------------------------- */

static const struct json *item_at(const struct json *array, struct str step) {
    uint64_t i;
    bool is_plain = step.len == 1 || (step.len > 1 && step.ptr[0] != '0');
    return is_plain && str_to_u64(step, &i) && i < array->n ? &array->items[i] : NULL;
}

const struct json *policy_argument_find(const struct policy_argument *argument,
                                        const struct json *arguments) {
    const struct json *at = arguments;
    for (size_t i = 0; at != NULL && i < argument->n_steps; i++) {
        if (at->type == JSON_ARRAY && argument->is_pointer)
            at = item_at(at, argument->steps[i]);
        else
            at = json_get(at, argument->steps[i]);
    }
    return at != NULL && at->type != JSON_NULL ? at : NULL;
}
