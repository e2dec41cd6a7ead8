/*
 * test/conformance/offers.c - resources and prompts
 */
#include "fixture.h"

static const struct tool no_tools[] = {{0}};

/* -- resources -------------------------------------------------------------------------------- */

static void content(struct json_writer *w, struct str uri, const char *mime_type,
                    const char *member, struct str value) {
    json_object(w);
    json_put_text(w, STR("uri"), uri);
    json_put_text(w, STR("mimeType"), str_of(mime_type));
    json_put_text(w, str_of(member), value);
    json_object_end(w);
}

static result static_text(struct call *call, struct str uri, struct str value,
                          struct json_writer *w) {
    (void)call, (void)value;
    content(w, uri, "text/plain", "text", STR("This is the content of the static text resource."));
    return OK;
}

static result static_binary(struct call *call, struct str uri, struct str value,
                            struct json_writer *w) {
    (void)call, (void)value;
    content(w, uri, "image/png", "blob", STR(FIXTURE_PNG));
    return OK;
}

static result template_data(struct call *call, struct str uri, struct str value,
                            struct json_writer *w) {
    struct str text =
        str_printf(&call->arena, "{\"id\":\"" STR_FMT "\",\"templateTest\":true}", STR_ARG(value));
    content(w, uri, "application/json", "text", text);
    return text.ptr == NULL ? fail_memory(&call->report) : OK;
}

static result watched(struct call *call, struct str uri, struct str value, struct json_writer *w) {
    (void)call, (void)value;
    content(w, uri, "text/plain", "text", STR("Watched resource content"));
    return OK;
}

static const struct argument template_arguments[] = {{"id", "Any id. 编号。", true, NULL}, {0}};

static const struct resource resources[] = {
    {.name = "static-text",
     .uri = "test://static-text",
     .title = "A text",
     .summary = "A text that stays as it is. 静态文本。",
     .mime_type = "text/plain",
     .write = static_text},
    {.name = "static-binary",
     .uri = "test://static-binary",
     .title = "An image",
     .summary = "An image that stays as it is. 静态图片。",
     .mime_type = "image/png",
     .write = static_binary},
    {.name = "template-data",
     .uri = "test://template/{id}/data",
     .title = "Data of an id",
     .summary = "Tells the id that it is asked for. 按编号读取。",
     .mime_type = "application/json",
     .arguments = template_arguments,
     .write = template_data},
    {.name = "watched-resource",
     .uri = "test://watched-resource",
     .title = "A resource to watch",
     .summary = "Can be subscribed to. 可订阅的资源。",
     .mime_type = "text/plain",
     .write = watched},
    {0},
};

/* -- prompts ---------------------------------------------------------------------------------- */

/* Opens a message of the user with content of the type; two objects are open then. */
static void message(struct json_writer *w, const char *type) {
    json_object(w);
    json_put_text(w, STR("role"), STR("user"));
    json_key(w, STR("content"));
    json_object(w);
    json_put_text(w, STR("type"), str_of(type));
}

static void message_end(struct json_writer *w) {
    json_object_end(w);
    json_object_end(w);
}

static void say(struct json_writer *w, struct str text) {
    message(w, "text");
    json_put_text(w, STR("text"), text);
    message_end(w);
}

static result simple(struct call *call, const struct json *arguments, struct json_writer *w) {
    (void)call, (void)arguments;
    json_array(w);
    say(w, STR("This is a simple prompt for testing."));
    json_array_end(w);
    return OK;
}

static result with_arguments(struct call *call, const struct json *arguments,
                             struct json_writer *w) {
    struct str one = json_get_text(arguments, STR("arg1")),
               two = json_get_text(arguments, STR("arg2"));
    struct str text =
        str_printf(&call->arena, "Prompt with arguments: arg1='" STR_FMT "', arg2='" STR_FMT "'",
                   STR_ARG(one), STR_ARG(two));
    json_array(w);
    say(w, text);
    json_array_end(w);
    return text.ptr == NULL ? fail_memory(&call->report) : OK;
}

static result with_resource(struct call *call, const struct json *arguments,
                            struct json_writer *w) {
    (void)call;
    json_array(w);
    message(w, "resource");
    json_key(w, STR("resource"));
    content(w, json_get_text(arguments, STR("resourceUri")), "text/plain", "text",
            STR("Embedded resource content for testing."));
    message_end(w);
    say(w, STR("Please process the embedded resource above."));
    json_array_end(w);
    return OK;
}

static result with_image(struct call *call, const struct json *arguments, struct json_writer *w) {
    (void)call, (void)arguments;
    json_array(w);
    message(w, "image");
    json_put_text(w, STR("data"), STR(FIXTURE_PNG));
    json_put_text(w, STR("mimeType"), STR("image/png"));
    message_end(w);
    say(w, STR("Please analyze the image above."));
    json_array_end(w);
    return OK;
}

static result asking(struct call *call, const struct json *arguments, struct json_writer *w) {
    (void)arguments;
    struct ask ask = {
        .key = "user_context",
        .kind = ASK_FORM,
        .params = STR("{\"message\":\"What context should the prompt use?\",\"requestedSchema\":"
                      "{\"type\":\"object\",\"properties\":{\"context\":{\"type\":\"string\"}},"
                      "\"required\":[\"context\"]}}")};
    TRY(client_ask(call, &ask, 1));
    const struct json *told = json_at(ask.answer, STR("/content/context"));
    struct str text = str_printf(&call->arena, "Use this context: " STR_FMT,
                                 STR_ARG(told == NULL ? STR("none") : told->text));
    json_array(w);
    say(w, text);
    json_array_end(w);
    return text.ptr == NULL ? fail_memory(&call->report) : OK;
}

static const struct argument two_arguments[] = {
    {"arg1", "The first. 第一个。", true, NULL}, {"arg2", "The second. 第二个。", true, NULL}, {0}};
static const struct argument uri_arguments[] = {
    {"resourceUri", "What to embed. 要嵌入的资源。", true, NULL}, {0}};

static const struct prompt prompts[] = {
    {.name = "test_simple_prompt",
     .title = "Simple",
     .summary = "A prompt without arguments. 无参数。",
     .write = simple},
    {.name = "test_prompt_with_arguments",
     .title = "With arguments",
     .summary = "A prompt with two arguments. 两个参数。",
     .arguments = two_arguments,
     .write = with_arguments},
    {.name = "test_prompt_with_embedded_resource",
     .title = "With a resource",
     .summary = "A prompt that embeds a resource. 含资源。",
     .arguments = uri_arguments,
     .write = with_resource},
    {.name = "test_prompt_with_image",
     .title = "With an image",
     .summary = "A prompt that holds an image. 含图片。",
     .write = with_image},
    {.name = "test_input_required_result_prompt",
     .title = "Asking",
     .summary = "A prompt that asks for its context first. 先询问上下文。",
     .write = asking},
    {0},
};

const struct toolset toolset_offers = {
    .name = "conformance_offers", .tools = no_tools, .resources = resources, .prompts = prompts};
