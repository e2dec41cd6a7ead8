/*
 * test/conformance/asking.c - questions to the client, of both eras
 */
#include "fixture.h"

#define OBJECT(properties, required)                                                               \
    "{\"type\":\"object\",\"properties\":{" properties "},\"required\":[" required "]}"
#define NAME_SCHEMA OBJECT("\"name\":{\"type\":\"string\"}", "\"name\"")

struct str fixture_form(struct call *call, struct str message, const char *schema) {
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, 64 * KIB);
    json_writer_init(&w, &buf);
    json_object(&w);
    json_put_text(&w, STR("message"), message);
    json_key(&w, STR("requestedSchema"));
    json_raw_value(&w, str_of(schema));
    json_object_end(&w);
    struct str text = buf_copy(&buf, &call->arena);
    buf_deinit(&buf);
    return text;
}

struct str fixture_filled(const struct ask *ask, const char *field) {
    struct str text = json_get_text(json_get(ask->answer, STR("content")), str_of(field));
    return text.ptr != NULL ? text : STR("");
}

static struct str sample_params(struct call *call, struct str prompt) {
    struct buf buf;
    buf_init(&buf, 64 * KIB);
    buf_add(&buf,
            STR("{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\""));
    json_escape(&buf, prompt);
    buf_add(&buf, STR("\"}}],\"maxTokens\":100}"));
    struct str text = buf_copy(&buf, &call->arena);
    buf_deinit(&buf);
    return text;
}

static result ask_form(struct call *call, struct ask *ask, const char *message,
                       const char *schema) {
    ask->kind = ASK_FORM;
    ask->params = fixture_form(call, str_of(message), schema);
    if (ask->params.ptr == NULL) return fail_memory(&call->report);
    return client_ask(call, ask, 1);
}

static result ask_sample(struct call *call, struct ask *ask, struct str prompt) {
    ask->kind = ASK_SAMPLE;
    ask->params = sample_params(call, prompt);
    if (ask->params.ptr == NULL) return fail_memory(&call->report);
    return client_ask(call, ask, 1);
}

static struct str answered(const struct ask *ask) {
    return json_raw(ask->answer);
}

/* -- both eras, as the legacy scenarios call them --------------------------------------------- */

struct words_input {
    struct str words;
};
#define WORDS(name)                                                                                \
    { name, FIELD_TEXT, offsetof(struct words_input, words), true, 0, 0, "What is asked. 问题。" }
static const struct field prompt_fields[] = {WORDS("prompt"), {0}};
static const struct field message_fields[] = {WORDS("message"), {0}};

static result run_sampling(struct call *call, const void *in, struct json_writer *w) {
    const struct words_input *input = in;
    struct ask ask = {.key = "sample"};
    TRY(ask_sample(call, &ask, input->words));
    const struct json *text = json_at(ask.answer, STR("/content/text"));
    return fixture_tell(call, w, "LLM response: " STR_FMT,
                        STR_ARG(text != NULL ? text->text : answered(&ask)));
}

static result tell_user(struct call *call, const struct ask *ask, struct json_writer *w) {
    return fixture_tell(call, w, "User response: " STR_FMT, STR_ARG(answered(ask)));
}

static result run_elicitation(struct call *call, const void *in, struct json_writer *w) {
    static const char schema[] =
        OBJECT("\"username\":{\"type\":\"string\",\"description\":\"User's response\"},"
               "\"email\":{\"type\":\"string\",\"description\":\"User's email address\"}",
               "\"username\",\"email\"");
    const struct words_input *input = in;
    struct ask ask = {.key = "user", .kind = ASK_FORM};
    ask.params = fixture_form(call, input->words, schema);
    if (ask.params.ptr == NULL) return fail_memory(&call->report);
    TRY(client_ask(call, &ask, 1));
    return tell_user(call, &ask, w);
}

static result run_defaults(struct call *call, const void *in, struct json_writer *w) {
    static const char schema[] =
        OBJECT("\"name\":{\"type\":\"string\",\"default\":\"John Doe\"},"
               "\"age\":{\"type\":\"integer\",\"default\":30},"
               "\"score\":{\"type\":\"number\",\"default\":95.5},"
               "\"status\":{\"type\":\"string\",\"enum\":[\"active\",\"inactive\",\"pending\"],"
               "\"default\":\"active\"},\"verified\":{\"type\":\"boolean\",\"default\":true}",
               "");
    struct ask ask = {.key = "defaults"};
    (void)in;
    TRY(ask_form(call, &ask, "Please review what is filled in", schema));
    return tell_user(call, &ask, w);
}

#define TITLED(name) "{\"const\":\"" name "\",\"title\":\"The " name " one\"}"
#define THREE_TITLED TITLED("first") "," TITLED("second") "," TITLED("third")
#define THREE        "\"first\",\"second\",\"third\""

static result run_enums(struct call *call, const void *in, struct json_writer *w) {
    static const char schema[] = OBJECT(
        "\"untitledSingle\":{\"type\":\"string\",\"enum\":[" THREE "]},"
        "\"titledSingle\":{\"type\":\"string\",\"oneOf\":[" THREE_TITLED "]},"
        "\"legacyEnum\":{\"type\":\"string\",\"enum\":[" THREE "],"
        "\"enumNames\":[\"One\",\"Two\",\"Three\"]},"
        "\"untitledMulti\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"enum\":[" THREE
        "]}},"
        "\"titledMulti\":{\"type\":\"array\",\"items\":{\"anyOf\":[" THREE_TITLED "]}}",
        "");
    struct ask ask = {.key = "enums"};
    (void)in;
    TRY(ask_form(call, &ask, "Please choose", schema));
    return tell_user(call, &ask, w);
}

/* -- several rounds, as the modern scenarios call them ----------------------------------------- */

static result run_name(struct call *call, const void *in, struct json_writer *w) {
    struct ask ask = {.key = "user_name"};
    (void)in;
    TRY(ask_form(call, &ask, "What is your name?", NAME_SCHEMA));
    return fixture_tell(call, w, "Hello, " STR_FMT "!", STR_ARG(fixture_filled(&ask, "name")));
}

static result run_capital(struct call *call, const void *in, struct json_writer *w) {
    struct ask ask = {.key = "capital_question"};
    (void)in;
    TRY(ask_sample(call, &ask, STR("What is the capital of France?")));
    return fixture_tell(call, w, "Sampled: " STR_FMT, STR_ARG(answered(&ask)));
}

static result run_roots(struct call *call, const void *in, struct json_writer *w) {
    struct ask ask = {.key = "client_roots", .kind = ASK_ROOTS, .params = STR("{}")};
    (void)in;
    TRY(client_ask(call, &ask, 1));
    return fixture_tell(call, w, "Roots: " STR_FMT, STR_ARG(answered(&ask)));
}

static result run_state(struct call *call, const void *in, struct json_writer *w) {
    struct ask ask = {.key = "confirm"};
    (void)in;
    TRY(ask_form(call, &ask, "Go on?", OBJECT("\"ok\":{\"type\":\"boolean\"}", "\"ok\"")));
    return fixture_tell(call, w, "state-ok: " STR_FMT, STR_ARG(answered(&ask)));
}

static result run_three(struct call *call, const void *in, struct json_writer *w) {
    struct ask asks[] = {
        {.key = "user_name",
         .kind = ASK_FORM,
         .params = fixture_form(call, STR("What is your name?"), NAME_SCHEMA)},
        {.key = "greeting", .kind = ASK_SAMPLE, .params = sample_params(call, STR("Greet me"))},
        {.key = "client_roots", .kind = ASK_ROOTS, .params = STR("{}")},
    };
    (void)in;
    if (call->arena.is_spent) return fail_memory(&call->report);
    TRY(client_ask(call, asks, COUNT(asks)));
    return fixture_tell(call, w, "All three came, " STR_FMT,
                        STR_ARG(fixture_filled(&asks[0], "name")));
}

static result run_rounds(struct call *call, const void *in, struct json_writer *w) {
    struct ask first = {.key = "step1"}, second = {.key = "step2"};
    (void)in;
    TRY(ask_form(call, &first, "Step 1: what is your name?", NAME_SCHEMA));
    TRY(ask_form(call, &second, "Step 2: what is your favourite colour?",
                 OBJECT("\"color\":{\"type\":\"string\"}", "\"color\"")));
    return fixture_tell(call, w, STR_FMT " likes " STR_FMT, STR_ARG(fixture_filled(&first, "name")),
                        STR_ARG(fixture_filled(&second, "color")));
}

/* Asks whatever this client can be asked. */
static result run_capabilities(struct call *call, const void *in, struct json_writer *w) {
    const struct ask all[] = {
        {.key = "user_name",
         .kind = ASK_FORM,
         .params = fixture_form(call, STR("What is your name?"), NAME_SCHEMA)},
        {.key = "greeting", .kind = ASK_SAMPLE, .params = sample_params(call, STR("Greet me"))},
    };
    struct ask asks[COUNT(all)];
    size_t n = 0;
    (void)in;
    if (call->arena.is_spent) return fail_memory(&call->report);
    for (size_t i = 0; i < COUNT(all); i++)
        if (client_can(call, all[i].kind)) asks[n++] = all[i];
    if (n > 0) TRY(client_ask(call, asks, n));
    return fixture_tell(call, w, "%zu questions were answered", n);
}

static result run_missing(struct call *call, const void *in, struct json_writer *w) {
    struct ask ask = {.key = "sample"};
    (void)in;
    TRY(ask_sample(call, &ask, STR("Is there anybody?")));
    return fixture_tell(call, w, "Sampled: " STR_FMT, STR_ARG(answered(&ask)));
}

/* -- the rows --------------------------------------------------------------------------------- */

#define ASKS_WITH(name, with, ...)                                                                 \
    FIXTURE_TOOL(name, "Asks its client. 询问客户端。", with, .waits = TOOL_WAITS_CLIENT,          \
                 __VA_ARGS__)
#define ASKS(name, with)  ASKS_WITH(name, with, FIXTURE_NO_INPUT)
#define ROUND(name, with) ASKS("test_input_required_result_" name, with)

static const struct tool tools[] = {
    ASKS_WITH("test_sampling", run_sampling,
              FIXTURE_INPUT(prompt_fields, words_input, "{\"prompt\":\"Say something\"}")),
    ASKS_WITH("test_elicitation", run_elicitation,
              FIXTURE_INPUT(message_fields, words_input, "{\"message\":\"Who?\"}")),
    ASKS("test_elicitation_sep1034_defaults", run_defaults),
    ASKS("test_elicitation_sep1330_enums", run_enums),
    ASKS("test_missing_capability", run_missing),
    ASKS("test_streaming_elicitation", run_name),
    ROUND("elicitation", run_name),
    ROUND("sampling", run_capital),
    ROUND("list_roots", run_roots),
    ROUND("request_state", run_state),
    ROUND("multiple_inputs", run_three),
    ROUND("multi_round", run_rounds),
    ROUND("tampered_state", run_state),
    ROUND("capabilities", run_capabilities),
    {0},
};

const struct toolset toolset_asking = {.name = "conformance_asking", .tools = tools};
