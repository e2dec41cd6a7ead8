/*
 * mcp/prompt_methods.c - prompts/list and prompts/get
 */
#include "base/limits.h"
#include "mcp/answer.h"
#include "mcp/methods.h"
#include "mcp/page.h"
#include "mcp/reading.h"

/* -- prompts/list ----------------------------------------------------------------------------- */

static void put_prompt(struct json_writer *w, const struct prompt *prompt) {
    json_object(w);
    json_put_text(w, STR("name"), str_of(prompt->name));
    json_put_text(w, STR("title"), str_of(prompt->title));
    json_put_text(w, STR("description"), str_of(prompt->summary));
    json_key(w, STR("arguments"));
    json_array(w);
    for (const struct argument *a = prompt->arguments; a != NULL && a->name != NULL; a++) {
        json_object(w);
        json_put_text(w, STR("name"), str_of(a->name));
        json_put_text(w, STR("description"), str_of(a->summary));
        json_put_bool(w, STR("required"), a->is_required);
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}

void method_prompts_list(struct turn *turn) {
    struct page page;
    const struct prompt *prompt;
    if (!page_begin(&page, turn)) return;
    struct json_writer *w = answer_begin_kept(turn, KEPT_PROMPTS);
    json_key(w, STR("prompts"));
    json_array(w);
    for (size_t i = 0; (prompt = prompt_at(i)) != NULL; i++)
        if (prompt_may_see(turn->call, prompt) && page_takes(&page, str_of(prompt->name)))
            put_prompt(w, prompt);
    json_array_end(w);
    page_end(&page, turn);
}

/* -- prompts/get ------------------------------------------------------------------------------ */

static const struct json *arguments_of(const struct turn *turn) {
    return json_get(turn->message.params, STR("arguments"));
}

static const struct prompt *find(struct turn *turn) {
    return prompt_find(turn->call, json_get_text(turn->message.params, STR("name")));
}

static void refuse_argument(struct turn *turn, const char *name, const char *why) {
    struct str text = str_printf(&turn->call->arena, "the argument '%s' %s", name, why);
    answer_refuse(turn, RPC_INVALID_PARAMS, text.ptr != NULL ? text : STR("wrong arguments"),
                  STR_NONE);
}

/* Texts, each known, none too long; what is required is there and not empty. */
static bool check_arguments(struct turn *turn, const struct prompt *prompt) {
    const struct json *arguments = arguments_of(turn);
    const char *wrong = NULL;
    if (arguments != NULL && arguments->type != JSON_OBJECT)
        wrong = "'arguments' must be an object";
    for (uint32_t i = 0; wrong == NULL && arguments != NULL && i < arguments->n; i++) {
        const struct json_member *m = &arguments->members[i];
        if (argument_find(prompt->arguments, m->key) == NULL)
            wrong = "the prompt has no argument of that name";
        else if (m->value.type != JSON_STRING)
            wrong = "arguments of prompts are texts";
        else if (m->value.text.len > PROMPT_ARGUMENT_BYTES_MAX)
            wrong = "an argument is too long";
    }
    if (wrong != NULL) {
        answer_refuse_params(turn, wrong);
        return false;
    }
    for (const struct argument *a = prompt->arguments; a != NULL && a->name != NULL; a++)
        if (a->is_required && str_trim(json_get_text(arguments, str_of(a->name))).len == 0) {
            refuse_argument(turn, a->name, "is needed");
            return false;
        }
    return true;
}

static struct json_writer *begin_messages(struct turn *turn, const struct prompt *prompt) {
    struct json_writer *w = answer_begin(turn);
    json_put_text(w, STR("description"), str_of(prompt->summary));
    json_key(w, STR("messages"));
    return w;
}

static void answer_prompt(struct turn *turn, const struct prompt *prompt, const struct json *data) {
    struct buf text;
    buf_init(&text, PROMPT_BYTES_MAX);
    prompt_print(prompt, arguments_of(turn), data, &text);
    struct json_writer *w = begin_messages(turn, prompt);
    json_array(w);
    json_object(w);
    json_put_text(w, STR("role"), STR("user"));
    json_key(w, STR("content"));
    json_object(w);
    json_put_text(w, STR("type"), STR("text"));
    json_key(w, STR("text"));
    json_text(w, buf_flat(&text, &turn->call->arena));
    json_object_end(w);
    json_object_end(w);
    json_array_end(w);
    if (buf_failed(&text, NULL).why != FAIL_NONE || turn->call->arena.is_spent)
        answer_refuse(turn, RPC_INTERNAL_ERROR, STR("the prompt could not be built"), STR_NONE);
    else
        answer_end(turn);
    buf_deinit(&text);
}

/* A thing shown that the caller may not see is the same as one that is not there. */
static void get_done(struct call *call) {
    struct turn *turn = call->owner;
    const struct prompt *prompt = find(turn);
    const struct json *data = call_is_ok(call) ? reading_data(call) : NULL;
    const struct source *source = prompt == NULL ? NULL : prompt_source(prompt, arguments_of(turn));
    if (source == NULL)
        answer_refuse_params(turn, "there is no such prompt");
    else if (data != NULL)
        answer_prompt(turn, prompt, data);
    else if (reading_is_hidden(call) && source->argument != NULL)
        refuse_argument(turn, source->argument, "names nothing that you may use");
    else
        reading_refuse(turn);
}

static void get_written(struct turn *turn) {
    struct buf messages;
    struct json_writer w;
    const struct prompt *prompt = find(turn);
    buf_init(&messages, turn->call->reply.max);
    json_writer_init(&w, &messages);
    result r = prompt->write(turn->call, arguments_of(turn), &w);
    if (reading_is_written(turn, r, &messages)) {
        begin_messages(turn, prompt);
        json_raw_buf(&turn->writer, &messages);
        answer_end(turn);
    }
    buf_deinit(&messages);
}

void method_prompts_get(struct turn *turn) {
    const struct prompt *prompt = find(turn);
    if (prompt == NULL) {
        answer_refuse_params(turn, "there is no such prompt");
        return;
    }
    if (!check_arguments(turn, prompt)) return;
    const struct json *arguments = arguments_of(turn);
    const struct source *source = prompt_source(prompt, arguments);
    if (prompt->write != NULL)
        reading_write(turn, get_written);
    else if (source == NULL)
        answer_prompt(turn, prompt, NULL);
    else
        reading_walk(turn, source,
                     source->argument == NULL ? STR_NONE
                                              : json_get_text(arguments, str_of(source->argument)),
                     READING_USED, get_done);
}
