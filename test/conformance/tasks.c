/*
 * test/conformance/tasks.c - calls that become tasks
 */
#include "fixture.h"

#define FORM(name, type)                                                                           \
    "{\"type\":\"object\",\"properties\":{\"" name "\":{\"type\":\"" type                          \
    "\"}},\"required\":[\"" name "\"]}"

struct greet_input {
    struct str name;
};
static const struct field greet_fields[] = {
    {"name", FIELD_TEXT, offsetof(struct greet_input, name), true, 0, 0, "Whom. 姓名。"}, {0}};

static result run_greet(struct call *call, const void *in, struct json_writer *w) {
    const struct greet_input *input = in;
    return fixture_tell(call, w, "Hello, " STR_FMT "!", STR_ARG(input->name));
}

struct slow_input {
    int64_t seconds;
    struct str label;
};
static const struct field slow_fields[] = {
    {"seconds", FIELD_INT, offsetof(struct slow_input, seconds), true, 0, 3600, "How long. 秒。"},
    {"label", FIELD_TEXT, offsetof(struct slow_input, label), false, 0, 0, "Said back. 标签。"},
    {0}};

static result run_slow(struct call *call, const void *in, struct json_writer *w) {
    const struct slow_input *input = in;
    TRY(fixture_nap(call, input->seconds * 1000));
    return fixture_tell(call, w, "Computed " STR_FMT " in %lld seconds", STR_ARG(input->label),
                        (long long)input->seconds);
}

static result run_failing(struct call *call, const void *in, struct json_writer *w) {
    (void)in;
    TRY(fixture_nap(call, 1000));
    fixture_put_text(w, STR("The job failed, as it always does."));
    json_put_bool(w, STR("isError"), true);
    return OK;
}

static result run_protocol_error(struct call *call, const void *in, struct json_writer *w) {
    (void)in, (void)w;
    TRY(fixture_nap(call, 200));
    return fail(&call->report, FAIL_IO, "INTERNAL_ERROR", REPORT_NO_OFFSET,
                "the job broke, as it always does");
}

struct delete_input {
    struct str filename;
};
static const struct field delete_fields[] = {
    {"filename", FIELD_TEXT, offsetof(struct delete_input, filename), true, 0, 0, "Which. 文件。"},
    {0}};

static result run_delete(struct call *call, const void *in, struct json_writer *w) {
    const struct delete_input *input = in;
    struct ask ask = {.key = "confirm", .kind = ASK_FORM};
    struct str text = str_printf(&call->arena, "Delete " STR_FMT "?", STR_ARG(input->filename));
    ask.params = fixture_form(call, text, FORM("confirm", "boolean"));
    if (call->arena.is_spent) return fail_memory(&call->report);
    TRY(client_ask(call, &ask, 1));
    bool is_confirmed = json_is_true(json_at(ask.answer, STR("/content/confirm")));
    return fixture_tell(call, w, "%s " STR_FMT, is_confirmed ? "Deleted" : "Kept",
                        STR_ARG(input->filename));
}

/* Both questions stand open at once. */
static result run_two(struct call *call, const void *in, struct json_writer *w) {
    struct ask asks[] = {
        {.key = "first",
         .kind = ASK_FORM,
         .params = fixture_form(call, STR("The first?"), FORM("name", "string"))},
        {.key = "second",
         .kind = ASK_FORM,
         .params = fixture_form(call, STR("The second?"), FORM("name", "string"))},
    };
    (void)in;
    if (call->arena.is_spent) return fail_memory(&call->report);
    TRY(client_ask(call, asks, COUNT(asks)));
    return fixture_tell(call, w, STR_FMT " and " STR_FMT, STR_ARG(fixture_filled(&asks[0], "name")),
                        STR_ARG(fixture_filled(&asks[1], "name")));
}

/* First a question, then work that is long enough for a task. */
static result run_asked(struct call *call, const void *in, struct json_writer *w) {
    struct ask ask = {.key = "user_name", .kind = ASK_FORM};
    (void)in;
    ask.params = fixture_form(call, STR("What is your name?"), FORM("name", "string"));
    if (ask.params.ptr == NULL) return fail_memory(&call->report);
    TRY(client_ask(call, &ask, 1));
    TRY(fixture_nap(call, 1000));
    return fixture_tell(call, w, "Hello, " STR_FMT "!", STR_ARG(fixture_filled(&ask, "name")));
}

#define JOB(name, says, with, how, ...)                                                            \
    FIXTURE_TOOL(name, says, with, .waits = TOOL_WAITS_CLIENT, .task = how, __VA_ARGS__)

static const struct tool tools[] = {
    FIXTURE_TOOL("greet", "Greets at once. 立即问候。", run_greet,
                 FIXTURE_INPUT(greet_fields, greet_input, "{\"name\":\"Ann\"}")),
    JOB("slow_compute", "Takes its time. 耗时计算。", run_slow, TASK_MAY,
        FIXTURE_INPUT(slow_fields, slow_input, "{\"seconds\":1}")),
    JOB("delete_slowly", "May not run twice. 不可重复执行。", run_slow, TASK_MAY,
        FIXTURE_INPUT(slow_fields, slow_input, "{\"seconds\":1}"), .is_destructive = true),
    JOB("failing_job", "Ends in an error. 以错误结束。", run_failing, TASK_MUST, FIXTURE_NO_INPUT),
    JOB("protocol_error_job", "Breaks. 中途出错。", run_protocol_error, TASK_MUST,
        FIXTURE_NO_INPUT),
    JOB("confirm_delete", "Asks before it acts. 先确认。", run_delete, TASK_MUST,
        FIXTURE_INPUT(delete_fields, delete_input, "{\"filename\":\"a.txt\"}")),
    JOB("multi_input", "Asks two things at once. 同时两问。", run_two, TASK_MUST, FIXTURE_NO_INPUT),
    JOB("test_tool_with_task", "Asks, then works. 先问后做。", run_asked, TASK_MAY,
        FIXTURE_NO_INPUT),
    {0},
};

const struct toolset toolset_tasks = {.name = "conformance_tasks", .tools = tools};
