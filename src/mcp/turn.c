#include "mcp/turn.h"

#include "base/limits.h"
#include "mcp/methods.h"

struct turn *turn_new(struct mcp *mcp, void (*finish)(struct turn *), void *owner) {
    struct snapshot *snapshot = snapshot_take(mcp->snapshots);
    struct call *call = call_new(snapshot, mcp->clock);
    snapshot_unref(snapshot); /* the call holds its own */
    if (call == NULL) return NULL;
    struct turn *turn = arena_new(&call->arena, struct turn);
    if (turn == NULL) {
        call_free(call);
        return NULL;
    }
    *turn =
        (struct turn){.mcp = mcp, .call = call, .finish = finish, .owner = owner, .status = 200};
    call->owner = turn;
    /* The envelope stands twice in an answer, once as text with its quotes escaped. */
    buf_init(&turn->out, 3 * call->reply.max);
    return turn;
}

void turn_free(struct turn *turn) {
    if (turn == NULL) return;
    buf_deinit(&turn->out);
    call_free(turn->call);
}

void turn_error(struct turn *turn, const struct rpc_error *error) {
    buf_clear(&turn->out);
    turn->status = error->http_status;
    rpc_write_error(&turn->out, turn->message.id, error);
}

/* -- reading ---------------------------------------------------------------------------------- */

static bool refuse(struct turn *turn, int code, struct str message) {
    struct rpc_error error = {code, 400, message, STR_NONE};
    turn_error(turn, &error);
    return false;
}

/* {"tool":NAME,"arguments":{…}} as the ODPS seed's documents post it. */
static bool is_shorthand(const struct json *body) {
    const struct json *tool = json_get(body, STR("tool"));
    return tool != NULL && tool->type == JSON_STRING && json_get(body, STR("jsonrpc")) == NULL;
}

bool turn_read(struct turn *turn, struct str body) {
    struct call *call = turn->call;
    const struct json *value;
    struct report report = {0};
    result r = json_read(body, NULL, &call->arena, &value, &report);
    if (r.why == FAIL_MEMORY) return refuse(turn, RPC_INTERNAL_ERROR, STR("out of memory"));
    if (r.why != FAIL_NONE) {
        struct str why = str_printf(&call->arena, "%s (byte %zu)", report.sentence, report.offset);
        return refuse(turn, RPC_PARSE_ERROR, why);
    }
    if (is_shorthand(value)) {
        turn->form = TURN_SHORTHAND;
        call->tool_name = json_get(value, STR("tool"))->text;
        call->arguments = json_get(value, STR("arguments"));
        call->origin.method = STR("tools/call");
        return true;
    }
    if (value->type == JSON_ARRAY)
        return refuse(turn, RPC_INVALID_REQUEST, STR("batches are not accepted: one message each"));
    struct rpc_error error = {0};
    rpc_read(value, &turn->message, &error);
    call->origin.request_id = turn->message.id;
    call->origin.method = turn->message.method;
    if (error.code != 0) turn_error(turn, &error);
    return error.code == 0;
}

/* -- answering -------------------------------------------------------------------------------- */

static void shorthand_done(struct call *call) {
    struct turn *turn = call->owner;
    buf_append(&turn->out, &call->reply);
    turn->finish(turn);
}

static void take_shorthand(struct turn *turn) {
    turn->call->done = shorthand_done;
    road_walk(turn->mcp->road, turn->call);
}

void turn_take_as(struct turn *turn, enum era era, struct str version) {
    turn->era = era;
    turn->version = version;
    if (turn->message.kind != RPC_REQUEST) {
        turn->status = 202; /* nothing that we ask for, nothing that we need to know */
        turn->finish(turn);
        return;
    }
    const struct method *method = method_find(turn->message.method, era);
    if (method != NULL) {
        method->run(turn);
        return;
    }
    struct rpc_error error = {RPC_METHOD_NOT_FOUND, era == ERA_MODERN ? 404 : 200,
                              STR("there is no such method in this revision"), STR_NONE};
    turn_error(turn, &error);
    turn->finish(turn);
}

void turn_take(struct turn *turn, struct str body, const struct era_headers *headers) {
    if (!turn_read(turn, body)) {
        turn->finish(turn);
        return;
    }
    if (turn->form == TURN_SHORTHAND) {
        take_shorthand(turn);
        return;
    }
    struct era_answer answer;
    era_classify(&turn->message, headers, &turn->call->arena, &answer);
    if (answer.error.code != 0) {
        turn_error(turn, &answer.error);
        turn->finish(turn);
        return;
    }
    turn_take_as(turn, answer.era, answer.version);
}
