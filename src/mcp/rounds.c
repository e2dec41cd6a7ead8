#include "mcp/rounds.h"

#include "base/limits.h"
#include "identity/secret.h"
#include "mcp/answer.h"

/* -- the seal --------------------------------------------------------------------------------- */

/* Everything that must be the same when the client comes again: who, which method, and all of the
 * params but what changes by itself. */
static struct str bound_of(struct turn *turn) {
    struct arena *arena = &turn->call->arena;
    const struct json *params = turn->message.params;
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, HTTP_BODY_BYTES_MAX);
    json_writer_init(&w, &buf);
    json_array(&w);
    json_text(&w, principal_key(&turn->call->principal, arena));
    json_text(&w, turn->message.method);
    for (uint32_t i = 0; params != NULL && i < params->n; i++) {
        const struct json_member *m = &params->members[i];
        if (str_eq(m->key, STR("_meta")) || str_eq(m->key, STR("inputResponses")) ||
            str_eq(m->key, STR("requestState")))
            continue;
        json_text(&w, m->key);
        json_value(&w, &m->value);
    }
    json_array_end(&w);
    return buf_take(&buf, arena);
}

static result unseal(struct turn *turn, struct str state, struct report *report) {
    struct arena *arena = &turn->call->arena;
    struct seal seal = {STR("request_state"), bound_of(turn)};
    struct str plain;
    if (seal.bound.ptr == NULL) return fail_memory(report);
    TRY(secret_unseal(turn->mcp->secret, &seal, state, arena, &plain, report));
    return json_read(plain, NULL, arena, &turn->rounds.kept, report);
}

static result seal_kept(struct turn *turn, struct str *out, struct report *report) {
    struct seal seal = {STR("request_state"), bound_of(turn)};
    struct str plain = turn->rounds.kept == NULL ? STR("{}") : json_raw(turn->rounds.kept);
    if (seal.bound.ptr == NULL) return fail_memory(report);
    return secret_seal(turn->mcp->secret, &seal, ROUNDS_TTL_MS, plain, &turn->call->arena, out,
                       report);
}

/* -- taking ----------------------------------------------------------------------------------- */

result rounds_take(struct turn *turn, struct report *report) {
    const struct json *params = turn->message.params;
    const struct json *brought = json_get(params, STR("inputResponses"));
    const struct json *state = json_get(params, STR("requestState"));
    if (turn->era != ERA_MODERN) return OK;
    if (brought != NULL && brought->type != JSON_OBJECT)
        return fail(report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                    "'inputResponses' must be an object");
    if (state != NULL && state->type != JSON_STRING)
        return fail(report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                    "'requestState' must be the string that the last answer gave");
    turn->rounds.brought = brought;
    return state == NULL ? OK : unseal(turn, state->text, report);
}

/* -- asking ----------------------------------------------------------------------------------- */

/* The answers so far and the new one, as one document. */
static result keep(struct turn *turn, const struct ask *ask, struct report *report) {
    struct arena *arena = &turn->call->arena;
    const struct json *kept = turn->rounds.kept;
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, ROUNDS_BYTES_MAX);
    json_writer_init(&w, &buf);
    json_object(&w);
    for (uint32_t i = 0; kept != NULL && i < kept->n; i++) {
        json_key(&w, kept->members[i].key);
        json_value(&w, &kept->members[i].value);
    }
    json_key(&w, str_of(ask->key));
    json_value(&w, ask->answer);
    json_object_end(&w);
    result r = buf_failed(&buf, report);
    struct str text = r.why == FAIL_NONE ? buf_copy(&buf, arena) : STR_NONE;
    buf_deinit(&buf);
    TRY(r);
    if (text.ptr == NULL) return fail_memory(report);
    return json_read(text, NULL, arena, &turn->rounds.kept, report);
}

static result answer_one(struct turn *turn, struct ask *ask) {
    struct report *report = &turn->call->report;
    struct str key = str_of(ask->key);
    ask->answer = json_get(turn->rounds.kept, key);
    if (ask->answer != NULL) return OK;
    const struct json *brought = json_get(turn->rounds.brought, key);
    if (!ask_accepts(ask, brought, &turn->call->arena)) return OK;
    ask->answer = brought;
    return keep(turn, ask, report);
}

result rounds_ask(struct turn *turn, struct ask *asks, size_t n) {
    struct ask *open = arena_new_array(&turn->call->arena, n, struct ask);
    size_t n_open = 0;
    if (open == NULL) return fail_memory(&turn->call->report);
    for (size_t i = 0; i < n; i++) {
        TRY(answer_one(turn, &asks[i]));
        if (asks[i].answer == NULL) open[n_open++] = asks[i];
    }
    if (n_open == 0) return OK;
    turn->rounds.asked = open;
    turn->rounds.n_asked = n_open;
    return fail(&turn->call->report, FAIL_ASKED, "INPUT_REQUIRED", REPORT_NO_OFFSET,
                "the client has to answer first");
}

/* -- answering -------------------------------------------------------------------------------- */

static void answer_missing(struct turn *turn) {
    struct rpc_error error = {RPC_MISSING_CAPABILITY, 400, str_of(turn->call->report.sentence),
                              str_printf(&turn->call->arena,
                                         "{\"requiredCapabilities\":" STR_FMT "}",
                                         STR_ARG(turn->rounds.missing))};
    turn_error(turn, &error);
    turn->finish(turn);
}

void rounds_answer(struct turn *turn) {
    struct str state;
    struct report report = {0};
    if (turn->rounds.n_asked == 0) {
        answer_missing(turn);
        return;
    }
    if (seal_kept(turn, &state, &report).why != FAIL_NONE) {
        turn_fail(turn, &report);
        return;
    }
    struct json_writer *w = answer_begin_as(turn, "input_required");
    json_key(w, STR("inputRequests"));
    ask_write(turn->rounds.asked, turn->rounds.n_asked, w);
    json_put_text(w, STR("requestState"), state);
    answer_end(turn);
}
