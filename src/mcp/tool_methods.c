/*
 * mcp/tool_methods.c - tools/list and tools/call
 */
#include "base/limits.h"
#include "mcp/answer.h"
#include "mcp/methods.h"
#include "mcp/page.h"
#include "mcp/param_headers.h"
#include "mcp/task.h"
#include "tools/tool.h"

/* What a caller may not use it does not see. */
void method_tools_list(struct turn *turn) {
    bool with_output = era_at_least(turn->version, "2025-06-18");
    struct page page;
    if (!page_begin(&page, turn)) return;
    struct json_writer *w = answer_begin_kept(turn, KEPT_TOOLS);
    json_key(w, STR("tools"));
    json_array(w);
    for (size_t i = 0; i < turn->mcp->n_tools; i++) {
        const struct tool_text *text = &turn->mcp->tools[i];
        if (tool_may_use(turn->call, text->tool) && page_takes(&page, str_of(text->tool->name)))
            json_raw_value(w, with_output ? text->with_output : text->without_output);
    }
    json_array_end(w);
    page_end(&page, turn);
}

/* The envelope: as the text that a model reads, and as the value itself. */
static void put_envelope(struct turn *turn, struct json_writer *w) {
    struct call *call = turn->call;
    json_key(w, STR("content"));
    json_array(w);
    json_object(w);
    json_put_text(w, STR("type"), STR("text"));
    json_key(w, STR("text"));
    json_text_buf(w, &call->reply);
    json_object_end(w);
    json_array_end(w);
    if (era_at_least(turn->version, "2025-06-18")) {
        json_key(w, STR("structuredContent"));
        json_raw_buf(w, &call->reply);
    }
    json_put_bool(w, STR("isError"), !call_is_ok(call));
}

/* What the tool wrote is the result already. */
static void put_content(struct turn *turn, struct json_writer *w) {
    static const struct json_limits own = {
        .bytes = SIZE_MAX, .string_bytes = SIZE_MAX, .members = UINT32_MAX, .allows_nul = true};
    struct call *call = turn->call;
    const struct json *content;
    struct report report = {0};
    struct str text = buf_flat(&call->reply, &call->arena);
    if (text.ptr == NULL ||
        json_read(text, &own, &call->arena, &content, &report).why != FAIL_NONE) {
        (void)fail_memory(&call->report);
        put_envelope(turn, w);
        return;
    }
    for (uint32_t i = 0; i < content->n; i++) {
        json_key(w, content->members[i].key);
        json_value(w, &content->members[i].value);
    }
}

/* The members of a CallToolResult. */
static void put_result(struct turn *turn, struct json_writer *w) {
    const struct tool *tool = turn->call->tool;
    if (tool != NULL && tool->reply == TOOL_CONTENT && call_is_ok(turn->call))
        put_content(turn, w);
    else
        put_envelope(turn, w);
}

/* A tool that writes its result itself, and could not: what broke inside is no result of it. An
 * envelope has a form for that. */
static bool is_broken(const struct call *call) {
    return call->report.code != NULL && strcmp(call->report.code, "INTERNAL_ERROR") == 0 &&
           call->tool != NULL && call->tool->reply == TOOL_CONTENT;
}

static void refuse_broken(struct turn *turn) {
    answer_refuse(turn, RPC_INTERNAL_ERROR,
                  STR("an internal error; the server's log tells more under this audit id"),
                  str_printf(&turn->call->arena, "{\"audit_id\":\"%s\"}", turn->call->audit_id));
}

/* An unknown tool is the protocol's error; any other failure is a result that the model can read
 * and act on. */
static void call_done(struct call *call) {
    struct turn *turn = call->owner;
    if (call->report.code != NULL && strcmp(call->report.code, "TOOL_NOT_FOUND") == 0) {
        answer_refuse_params(turn, call->report.sentence);
        return;
    }
    if (turn_step_up(turn)) {
        turn->finish(turn);
        return;
    }
    if (turn->era == ERA_MODERN && (turn->rounds.n_asked > 0 || turn->rounds.missing.len > 0)) {
        rounds_answer(turn);
        return;
    }
    if (is_broken(call)) {
        refuse_broken(turn);
        return;
    }
    put_result(turn, answer_begin(turn));
    answer_end(turn);
}

void tool_call_begin(struct turn *turn) {
    struct call *call = turn->call;
    call->tool_name = json_get_text(turn->message.params, STR("name"));
    call->arguments = json_get(turn->message.params, STR("arguments"));
    call->done = call_done;
    if (task_is_adopted(turn))
        road_walk(turn->mcp->road, call);
    else
        task_walk(turn);
}

void method_tools_call(struct turn *turn) {
    const struct json *params = turn->message.params;
    const struct json *arguments = json_get(params, STR("arguments"));
    if (json_get_text(params, STR("name")).ptr == NULL) {
        answer_refuse_params(turn, "tools/call needs the tool's 'name'");
        return;
    }
    if (arguments != NULL && arguments->type != JSON_OBJECT) {
        answer_refuse_params(turn, "'arguments' must be an object");
        return;
    }
    if (!param_headers_check(turn, json_get_text(params, STR("name")), arguments)) return;
    struct report report = {0};
    if (rounds_take(turn, &report).why != FAIL_NONE)
        answer_refuse_params(turn, report.sentence);
    else
        tool_call_begin(turn);
}
