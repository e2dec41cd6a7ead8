#include "mcp/reading.h"

#include "base/limits.h"
#include "mcp/answer.h"
#include "road/road.h"

/* {"argument":"value"} as the client of a tools/call would have sent it. */
static bool put_arguments(struct call *call, const struct source *source, struct str value) {
    if (source->argument == NULL || value.len == 0) return true;
    struct buf text;
    struct json_writer w;
    struct report unused = {0};
    buf_init(&text, 2 * MIB);
    json_writer_init(&w, &text);
    json_object(&w);
    json_put_text(&w, str_of(source->argument), value);
    json_object_end(&w);
    struct str kept = buf_copy(&text, &call->arena);
    bool is_whole = buf_failed(&text, NULL).why == FAIL_NONE && kept.ptr != NULL;
    buf_deinit(&text);
    return is_whole &&
           json_read(kept, NULL, &call->arena, &call->arguments, &unused).why == FAIL_NONE;
}

void reading_walk(struct turn *turn, const struct source *source, struct str value,
                  enum reading_use use, void (*done)(struct call *call)) {
    struct call *call = turn->call;
    call->origin.is_program = use == READING_USED;
    call->tool_name = str_of(source->tool);
    if (!put_arguments(call, source, value)) {
        answer_refuse(turn, RPC_INTERNAL_ERROR, STR("the call's memory budget is spent"), STR_NONE);
        return;
    }
    call->done = done;
    road_walk(turn->mcp->road, call);
}

void reading_write(struct turn *turn, void (*written)(struct turn *turn)) {
    struct report report = {0};
    if (rounds_take(turn, &report).why == FAIL_NONE)
        turn_at_desk(turn, written);
    else
        answer_refuse_params(turn, report.sentence);
}

bool reading_is_written(struct turn *turn, result how, struct buf *out) {
    struct report *report = &turn->call->report;
    if (turn->era == ERA_MODERN && (turn->rounds.n_asked > 0 || turn->rounds.missing.len > 0)) {
        rounds_answer(turn);
        return false;
    }
    if (how.why == FAIL_NONE) how = buf_failed(out, report);
    if (how.why != FAIL_NONE)
        answer_refuse(turn, RPC_INTERNAL_ERROR, str_of(report->sentence), STR_NONE);
    return how.why == FAIL_NONE;
}

/* The envelope is of our own writing, and holds data. */
static const struct json *member_of_reply(struct call *call, struct str name) {
    static const struct json_limits own = {
        .bytes = SIZE_MAX, .members = UINT32_MAX, .allows_nul = true};
    const struct json *envelope = NULL;
    struct report unused = {0};
    struct str text = buf_flat(&call->reply, &call->arena);
    if (text.ptr == NULL ||
        json_read(text, &own, &call->arena, &envelope, &unused).why != FAIL_NONE)
        return NULL;
    return json_get(envelope, name);
}

const struct json *reading_data(struct call *call) {
    return member_of_reply(call, STR("data"));
}

bool reading_is_hidden(const struct call *call) {
    static const char *const codes[] = {"TOOL_NOT_FOUND",     "TOOL_NOT_ALLOWED",
                                        "TABLE_NOT_ALLOWED",  "PROJECT_NOT_ALLOWED",
                                        "DOMAIN_NOT_ALLOWED", "INVALID_ARGUMENT"};
    for (size_t i = 0; i < COUNT(codes); i++)
        if (call->report.code != NULL && strcmp(call->report.code, codes[i]) == 0) return true;
    return false;
}

void reading_refuse(struct turn *turn) {
    if (turn_step_up(turn)) {
        turn->finish(turn);
        return;
    }
    const struct json *error = member_of_reply(turn->call, STR("error"));
    struct str message = json_get_text(error, STR("message"));
    answer_refuse(turn, RPC_INTERNAL_ERROR,
                  message.len > 0 ? message : STR("the answer could not be built"),
                  error != NULL ? json_raw(error) : STR_NONE);
}
