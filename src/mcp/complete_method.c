/*
 * mcp/complete_method.c - completion/complete: what could stand in an argument
 *
 * Values come from what a tool answers this caller (struct values in tools/offer.h), so nothing is
 * proposed that he may not see. Those that begin with what was typed come first, then those that
 * hold it, each in the tool's order, ASCII case aside.
 */
#include "base/limits.h"
#include "base/map.h"
#include "mcp/answer.h"
#include "mcp/methods.h"
#include "mcp/reading.h"
#include "shape/text.h"

/* -- what is asked ---------------------------------------------------------------------------- */

static const struct argument *rows_of_prompt(struct turn *turn, struct str name) {
    const struct prompt *prompt = prompt_find(turn->call, name);
    return prompt == NULL ? NULL : prompt->arguments;
}

/* By the template itself: there is nothing to complete in an address without {names}. */
static const struct argument *rows_of_template(struct turn *turn, struct str uri) {
    const struct resource *resource;
    for (size_t i = 0; (resource = resource_at(i)) != NULL; i++)
        if (resource_is_template(resource) && str_eq(str_of(resource->uri), uri) &&
            resource_may_see(turn->call, resource))
            return resource->arguments;
    return NULL;
}

static struct str part_of(const struct turn *turn, const char *pointer) {
    const struct json *at = json_at(turn->message.params, str_of(pointer));
    return at != NULL && at->type == JSON_STRING ? at->text : STR_NONE;
}

/* The row of the argument, or NULL: no such prompt, template or argument. */
static const struct argument *find(struct turn *turn) {
    struct str type = part_of(turn, "/ref/type");
    const struct argument *rows = NULL;
    if (str_eq(type, STR("ref/prompt"))) rows = rows_of_prompt(turn, part_of(turn, "/ref/name"));
    if (str_eq(type, STR("ref/resource"))) rows = rows_of_template(turn, part_of(turn, "/ref/uri"));
    return argument_find(rows, part_of(turn, "/argument/name"));
}

/* The value given for another argument already. */
static struct str given(const struct turn *turn, const char *name) {
    const struct json *arguments = json_at(turn->message.params, STR("/context/arguments"));
    return name == NULL ? STR_NONE : json_get_text(arguments, str_of(name));
}

/* -- what fits -------------------------------------------------------------------------------- */

struct fitting {
    const struct values *values;
    struct str typed;
    struct map seen; /* what could stand there, each once */
    struct str best[COMPLETION_VALUES];
    size_t n; /* that fit; as many as there is room for are in `best` */
};

static bool holds(struct str value, struct str typed) {
    for (size_t i = 1; i + typed.len <= value.len; i++)
        if (str_istarts(str_slice(value, i, value.len), typed)) return true;
    return false;
}

static void keep(struct fitting *f, struct str value) {
    if (f->n < COUNT(f->best)) f->best[f->n] = value;
    f->n++;
}

static void fit_all(struct fitting *f) {
    struct str value;
    for (size_t i = 0; map_each(&f->seen, &i, &value, NULL);)
        if (str_istarts(value, f->typed)) keep(f, value);
    for (size_t i = 0; map_each(&f->seen, &i, &value, NULL);)
        if (!str_istarts(value, f->typed) && holds(value, f->typed)) keep(f, value);
}

static bool see(struct fitting *f, struct str value) {
    if (f->values->is_behind_dot) (void)str_cut(&value, '.');
    static char there;
    return value.len == 0 || map_put(&f->seen, value, &there);
}

static bool see_data(struct fitting *f, const struct json *data) {
    const struct json *list = json_at(data, str_of(f->values->list));
    for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->n; i++)
        if (!see(f, json_get_text(&list->items[i], str_of(f->values->member)))) return false;
    return true;
}

static bool see_fixed(struct fitting *f) {
    for (const char *const *value = f->values->fixed; *value != NULL; value++)
        if (!see(f, str_of(*value))) return false;
    return true;
}

/* -- the answer ------------------------------------------------------------------------------- */

static void write_values(struct turn *turn, const struct fitting *f) {
    size_t shown = f == NULL ? 0 : f->n < COUNT(f->best) ? f->n : COUNT(f->best);
    struct json_writer *w = answer_begin(turn);
    json_key(w, STR("completion"));
    json_object(w);
    json_key(w, STR("values"));
    json_array(w);
    for (size_t i = 0; i < shown; i++) text_write(w, f->best[i], TEXT_VISIBLE);
    json_array_end(w);
    json_put_int(w, STR("total"), f == NULL ? 0 : (int64_t)f->n);
    json_put_bool(w, STR("hasMore"), f != NULL && f->n > shown);
    json_object_end(w);
    answer_end(turn);
}

/* `data` is NULL for values that are fixed. */
static void answer_fitting(struct turn *turn, const struct values *values,
                           const struct json *data) {
    struct fitting *f = arena_new(&turn->call->arena, struct fitting);
    bool is_seen = false;
    if (f != NULL) {
        f->values = values;
        f->typed = part_of(turn, "/argument/value");
        map_init(&f->seen, &turn->call->arena);
        is_seen = data == NULL ? see_fixed(f) : see_data(f, data);
    }
    if (!is_seen) {
        answer_refuse(turn, RPC_INTERNAL_ERROR, STR("the call's memory budget is spent"), STR_NONE);
        return;
    }
    fit_all(f);
    write_values(turn, f);
}

static void completed(struct call *call) {
    struct turn *turn = call->owner;
    const struct argument *argument = find(turn);
    const struct json *data = call_is_ok(call) ? reading_data(call) : NULL;
    if (argument == NULL || reading_is_hidden(call))
        write_values(turn, NULL);
    else if (data == NULL)
        reading_refuse(turn);
    else
        answer_fitting(turn, argument->values, data);
}

void method_complete(struct turn *turn) {
    const struct argument *argument = find(turn);
    if (argument == NULL || part_of(turn, "/argument/value").ptr == NULL) {
        answer_refuse_params(turn, "completion/complete needs a ref to a prompt or template that "
                                   "there is, and an argument of it with its value");
        return;
    }
    const struct values *values = argument->values;
    struct str from = values == NULL ? STR_NONE : given(turn, values->from);
    if (values == NULL || (values->needs_from && from.len == 0))
        write_values(turn, NULL);
    else if (values->fixed != NULL)
        answer_fitting(turn, values, NULL);
    else
        reading_walk(turn, &values->source, from, READING_USED, completed);
}
