/*
 * rig.h - a door without a transport: turns are taken and waited for, answers are read as JSON
 */
#ifndef WEIR_TEST_MCP_RIG_H
#define WEIR_TEST_MCP_RIG_H

#include "../road/rig.h"

#include "mcp/turn.h"

struct door {
    struct rig rig;
    struct snapshot_holder *snapshots;
    struct store *store; /* NULL: none */
    struct mcp *mcp;
};

struct answer {
    struct rig_waiter waiter;
    int status;
    bool is_failed;  /* the bytes could not be made */
    struct str body; /* in the rig's arena; empty: nothing is to be said */
};

static inline struct mcp_setup door_setup(struct door *door) {
    return (struct mcp_setup){.road = door->rig.road,
                              .snapshots = door->snapshots,
                              .audit = door->rig.audit,
                              .store = door->store,
                              .clock = &door->rig.clock};
}

/* With a store in memory, or with none. */
static inline void door_open(struct door *door, bool has_store) {
    const struct store_settings memory = {.kind = STORE_MEMORY, .max_bytes = 64 * MIB};
    struct report report = {0};
    rig_init(&door->rig);
    door->store = NULL;
    if (has_store)
        assert_int_equal(store_open(&memory, STR_NONE, &door->rig.clock, &door->store, &report).why,
                         FAIL_NONE);
    door->snapshots = snapshot_holder_new(snapshot_ref(door->rig.snapshot));
    assert_non_null(door->snapshots);
    struct mcp_setup setup = door_setup(door);
    result r = mcp_new(&setup, &door->mcp, &report);
    assert_int_equal(r.why, FAIL_NONE);
}

static inline void door_init(struct door *door) {
    door_open(door, false);
}

static inline void door_deinit(struct door *door) {
    rig_end(&door->rig);
    mcp_free(door->mcp);
    snapshot_holder_free(door->snapshots);
    store_close(door->store);
    rig_deinit(&door->rig);
}

/* Perhaps on another thread. */
static inline void door_finish(struct turn *turn) {
    struct answer *answer = turn->owner;
    pthread_mutex_lock(&answer->waiter.lock);
    answer->waiter.n_back++;
    pthread_cond_broadcast(&answer->waiter.changed);
    pthread_mutex_unlock(&answer->waiter.lock);
}

/* Waits for the answer, takes it over, frees the turn. */
static inline void door_wait(struct door *door, struct answer *answer, struct turn *turn) {
    rig_wait(&answer->waiter, 1);
    answer->status = turn->status;
    answer->is_failed = buf_failed(&turn->out, NULL).why != FAIL_NONE;
    answer->body = str_dup(&door->rig.arena, buf_flat(&turn->out, &turn->call->arena));
    turn_free(turn);
}

/* NULL for `headers`: as on stdio. */
static inline struct answer door_ask(struct door *door, const char *role, const char *body,
                                     const struct era_headers *headers) {
    struct answer answer = {.waiter = RIG_WAITER};
    struct turn *turn = turn_new(door->mcp, door_finish, &answer);
    assert_non_null(turn);
    turn->call->principal = rig_principal(role);
    turn_take(turn, str_of(body), headers);
    door_wait(door, &answer, turn);
    return answer;
}

/* The value at the pointer, as it is written; "(none)" where there is none. */
static inline const char *door_at(struct door *door, const struct answer *answer,
                                  const char *pointer) {
    const struct json *at = json_at(rig_json(&door->rig.arena, answer->body), str_of(pointer));
    return at == NULL ? "(none)" : str_cstr(&door->rig.arena, json_raw(at));
}

#endif
