/*
 * test/conformance/replies.c - fixed contents, telling while it runs, schemas and headers
 */
#include "fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>

const struct field fixture_no_input[] = {{0}};

void fixture_put_text(struct json_writer *w, struct str text) {
    json_key(w, STR("content"));
    json_array(w);
    json_object(w);
    json_put_text(w, STR("type"), STR("text"));
    json_put_text(w, STR("text"), text);
    json_object_end(w);
    json_array_end(w);
}

result fixture_tell(struct call *call, struct json_writer *w, const char *fmt, ...) {
    char text[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n < 0) return fail_memory(&call->report);
    fixture_put_text(w, str_of(text));
    return OK;
}

result fixture_nap(struct call *call, int64_t ms) {
    struct pollfd cancelled = {.fd = call_cancel_fd(call), .events = POLLIN};
    int64_t until_ns = clock_mono_ns(call->clock) + ms * INT64_C(1000000);
    if (cancelled.fd < 0) return fail_memory(&call->report);
    while (!call_is_cancelled(call)) {
        int64_t left_ms = (until_ns - clock_mono_ns(call->clock) + 999999) / 1000000;
        if (left_ms <= 0) return OK;
        if (poll(&cancelled, 1, (int)left_ms) < 0 && errno != EINTR) break;
    }
    return fail(&call->report, FAIL_CANCELLED, "CANCELLED", REPORT_NO_OFFSET,
                "the caller cancelled");
}

/* -- the same answer to everybody ------------------------------------------------------------- */

#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define MEDIA(type, data, mime)                                                                    \
    "{\"type\":\"" type "\",\"data\":\"" data "\",\"mimeType\":\"" mime "\"}"
#define RESOURCE(uri, mime, text)                                                                  \
    "{\"type\":\"resource\",\"resource\":{\"uri\":\"" uri "\",\"mimeType\":\"" mime                \
    "\",\"text\":\"" text "\"}}"

static const struct {
    const char *tool, *content;
    bool is_error;
} fixed[] = {
    {"test_simple_text", TEXT("This is a simple text response for testing."), false},
    {"test_image_content", MEDIA("image", FIXTURE_PNG, "image/png"), false},
    {"test_audio_content", MEDIA("audio", FIXTURE_WAV, "audio/wav"), false},
    {"test_embedded_resource",
     RESOURCE("test://embedded-resource", "text/plain", "This is an embedded resource content."),
     false},
    {"test_multiple_content_types",
     TEXT("Multiple content types test:") "," MEDIA("image", FIXTURE_PNG, "image/png") "," RESOURCE(
         "test://mixed-content-resource", "application/json",
         "{\\\"test\\\":\\\"data\\\",\\\"value\\\":123}"),
     false},
    {"test_error_handling", TEXT("This tool intentionally returns an error for testing"), true},
};

static result answer_fixed(struct call *call, const void *in, struct json_writer *w) {
    (void)in;
    for (size_t i = 0; i < COUNT(fixed); i++) {
        if (!str_eq(call->tool_name, str_of(fixed[i].tool))) continue;
        struct str list = str_printf(&call->arena, "[%s]", fixed[i].content);
        if (list.ptr == NULL) return fail_memory(&call->report);
        json_key(w, STR("content"));
        json_raw_value(w, list);
        if (fixed[i].is_error) json_put_bool(w, STR("isError"), true);
    }
    return OK;
}

/* -- telling while it runs -------------------------------------------------------------------- */

enum { STEP_MS = 50 };

static result run_logging(struct call *call, const void *in, struct json_writer *w) {
    static const char *const told[] = {"\"Tool execution started\"", "\"Tool processing data\"",
                                       "\"Tool execution completed\""};
    (void)in;
    for (size_t i = 0; i < COUNT(told); i++) {
        if (i > 0) TRY(fixture_nap(call, STEP_MS));
        client_log(call, CLIENT_INFO, STR("fixture"), str_of(told[i]));
    }
    fixture_put_text(w, STR("Three messages were logged."));
    return OK;
}

static result run_progress(struct call *call, const void *in, struct json_writer *w) {
    (void)in;
    for (int done = 0; done <= 100; done += 50) {
        if (done > 0) TRY(fixture_nap(call, STEP_MS));
        client_progress(call, done, 100, STR_NONE);
    }
    fixture_put_text(w, STR("All of it is done."));
    return OK;
}

/* The answer comes when its connection is gone: the client must come back for it. */
static result run_reconnection(struct call *call, const void *in, struct json_writer *w) {
    (void)in;
    client_let_go(call);
    TRY(fixture_nap(call, 2 * STEP_MS));
    fixture_put_text(w, STR("The answer came to another connection than the question."));
    return OK;
}

static result run_tool_change(struct call *call, const void *in, struct json_writer *w) {
    (void)in;
    client_changed(call, CHANGED_TOOLS);
    fixture_put_text(w, STR("The list of tools has changed."));
    return OK;
}

static result run_prompt_change(struct call *call, const void *in, struct json_writer *w) {
    (void)in;
    client_changed(call, CHANGED_PROMPTS);
    fixture_put_text(w, STR("The list of prompts has changed."));
    return OK;
}

/* -- schemas and headers ---------------------------------------------------------------------- */

#define SCHEMA_2020_12                                                                             \
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"$defs\":" \
    "{\"address\":{\"$anchor\":\"addressDef\",\"type\":\"object\",\"properties\":{\"street\":{"    \
    "\"type\":\"string\"},\"city\":{\"type\":\"string\"}}}},\"properties\":{\"name\":{\"type\":"   \
    "\"string\"},\"address\":{\"$ref\":\"#/$defs/address\"},\"contactMethod\":{\"type\":"          \
    "\"string\",\"enum\":[\"phone\",\"email\"]},\"phone\":{\"type\":\"string\"},\"email\":{"       \
    "\"type\":\"string\"}},\"allOf\":[{\"anyOf\":[{\"required\":[\"phone\"]},{\"required\":["      \
    "\"email\"]}]}],\"if\":{\"properties\":{\"contactMethod\":{\"const\":\"phone\"}},"             \
    "\"required\":[\"contactMethod\"]},\"then\":{\"required\":[\"phone\"]},\"else\":{"             \
    "\"required\":[\"email\"]},\"additionalProperties\":false}"

static result run_schema(struct call *call, const void *in, struct json_writer *w) {
    (void)in;
    fixture_put_text(w, call->arguments != NULL ? json_raw(call->arguments) : STR("{}"));
    return OK;
}

struct region_input {
    struct str region;
};
static const struct field region_fields[] = {
    {"region", FIELD_TEXT, offsetof(struct region_input, region), false, 0, 0,
     "Repeated by the header Mcp-Param-Region. 由请求头重复。"},
    {0},
};
static const struct mirrored region_mirrored[] = {{"region", "Region"}, {0}};

static result run_region(struct call *call, const void *in, struct json_writer *w) {
    const struct region_input *input = in;
    return fixture_tell(call, w, "region: " STR_FMT, STR_ARG(input->region));
}

/* -- the rows --------------------------------------------------------------------------------- */

#define FIXED(name) FIXTURE_TOOL(name, "A fixed answer. 固定回答。", answer_fixed, FIXTURE_NO_INPUT)
#define WAITS(name, says, with)                                                                    \
    FIXTURE_TOOL(name, says, with, FIXTURE_NO_INPUT, .waits = TOOL_WAITS_CLIENT)

/* The suite calls the first of all tools without arguments. */
static const struct tool tools[] = {
    FIXED("test_simple_text"),
    FIXED("test_image_content"),
    FIXED("test_audio_content"),
    FIXED("test_embedded_resource"),
    FIXED("test_multiple_content_types"),
    FIXED("test_error_handling"),
    WAITS("test_tool_with_logging", "Logs three messages. 记录三条日志。", run_logging),
    WAITS("test_logging_tool", "Logs where it is wanted. 按需记录日志。", run_logging),
    WAITS("test_tool_with_progress", "Tells its progress. 报告进度。", run_progress),
    WAITS("test_reconnection", "Answers on another connection. 换连接后回答。", run_reconnection),
    WAITS("test_trigger_tool_change", "Changes the tools. 工具列表变更。", run_tool_change),
    WAITS("test_trigger_prompt_change", "Changes the prompts. 提示列表变更。", run_prompt_change),
    FIXTURE_TOOL("json_schema_2020_12_tool", "Has a schema of many keywords. 复杂模式。",
                 run_schema, FIXTURE_NO_INPUT, .input_schema = SCHEMA_2020_12),
    FIXTURE_TOOL("test_header_argument", "Has an argument in a header. 参数在请求头。", run_region,
                 FIXTURE_INPUT(region_fields, region_input, "{\"region\":\"north\"}"),
                 .mirrored = region_mirrored),
    {0},
};

const struct toolset toolset_replies = {.name = "conformance_replies", .tools = tools};
