#include "mcp/batch.h"

#include "base/limits.h"

#include <stdatomic.h>

struct batch {
    struct turn *whole;
    struct turn **parts;
    uint32_t n;
    atomic_uint open; /* parts that have not finished, and one for who begins them */
};

static void refuse(struct turn *turn, const char *message) {
    struct rpc_error error = {RPC_INVALID_REQUEST, 400, str_of(message), STR_NONE};
    turn_error(turn, &error);
    turn->finish(turn);
}

/* -- the end ---------------------------------------------------------------------------------- */

static void put_answers(struct batch *batch) {
    struct buf *out = &batch->whole->out;
    bool any = false;
    for (uint32_t i = 0; i < batch->n; i++) {
        struct turn *part = batch->parts[i];
        if (part->out.len > 0 && !part->running.is_silenced) {
            buf_add_byte(out, any ? ',' : '[');
            buf_append(out, &part->out);
            any = true;
        }
        turn_free(part);
    }
    if (any) buf_add_byte(out, ']');
    batch->whole->status = any ? 200 : 202;
}

static void leave(struct batch *batch) {
    if (atomic_fetch_sub(&batch->open, 1) != 1) return;
    put_answers(batch);
    batch->whole->finish(batch->whole);
}

static void part_finish(struct turn *part) {
    leave(part->owner);
}

/* -- the beginning ---------------------------------------------------------------------------- */

static bool is_made(struct batch *batch) {
    struct turn *whole = batch->whole;
    for (uint32_t i = 0; i < batch->n; i++) {
        struct turn *part = turn_new(whole->mcp, part_finish, batch);
        if (part == NULL) {
            while (i-- > 0) turn_free(batch->parts[i]);
            return false;
        }
        part->call->principal = whole->call->principal;
        part->call->origin = whole->call->origin;
        part->session = whole->session;
        batch->parts[i] = part;
    }
    return true;
}

static void begin(struct turn *part, const struct json *value, struct str version) {
    struct rpc_error error = {0};
    rpc_read(value, &part->message, &error);
    part->call->origin.request_id = part->message.id;
    part->call->origin.method = part->message.method;
    if (error.code == 0) {
        turn_take_as(part, ERA_LEGACY, version);
        return;
    }
    turn_error(part, &error);
    part->finish(part);
}

static const char *why_not(const struct json *list, struct str version) {
    if (!str_eq(version, STR("2025-03-26"))) return "batches are of the revision 2025-03-26 alone";
    if (list->n == 0) return "a batch must hold a message";
    if (list->n > BATCH_MAX) return "a batch holds at most 100 messages";
    for (uint32_t i = 0; i < list->n; i++) {
        const struct rpc_message message = {.params = json_get(&list->items[i], STR("params"))};
        if (era_claim(&message) != NULL) return "the revision of a message knows no batches";
        if (str_eq(json_get_text(&list->items[i], STR("method")), STR("initialize")))
            return "initialize comes alone";
    }
    return NULL;
}

void batch_take(struct turn *turn, struct str version) {
    struct arena *arena = &turn->call->arena;
    const char *why = why_not(turn->batch, version);
    if (why != NULL) {
        refuse(turn, why);
        return;
    }
    struct batch *batch = arena_new(arena, struct batch);
    struct turn **parts = arena_new_array(arena, turn->batch->n, struct turn *);
    if (batch != NULL) *batch = (struct batch){.whole = turn, .parts = parts, .n = turn->batch->n};
    if (batch == NULL || parts == NULL || !is_made(batch)) {
        struct rpc_error error = {RPC_INTERNAL_ERROR, 503, STR("out of memory"), STR_NONE};
        turn_error(turn, &error);
        turn->finish(turn);
        return;
    }
    atomic_init(&batch->open, batch->n + 1);
    for (uint32_t i = 0; i < batch->n; i++) begin(parts[i], &turn->batch->items[i], version);
    leave(batch);
}
