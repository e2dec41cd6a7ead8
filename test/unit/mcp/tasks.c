/* tasks/get, tasks/update and tasks/cancel of a task that runs elsewhere: what each answers, and
 * that each answers once, whatever fails at the desk. */
#include "armed.h"
#include "base/limits.h"
#include "mcp/session.h"
#include "mcp/task_record.h"
#include "rig.h"

#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"extensions\":{"                             \
    "\"io.modelcontextprotocol/tasks\":{}}}}"

static struct door door;
static struct subscriber listener;

/* -- who listens ------------------------------------------------------------------------------ */

static void wake(struct subscriber *subscriber) {
    (void)subscriber;
}

static void tell(struct subscriber *subscriber, struct str json) {
    (void)subscriber;
    assert_true(str_find(json, STR("notifications/tasks")) < json.len);
}

static const struct carrier carrier = {wake, tell};

/* -- a task whose call runs at another replica ------------------------------------------------ */

static struct task_record record;

static int begin(void **state) {
    struct report report = {0};
    (void)state;
    door_open(&door, true);
    armed_init(door.store);
    struct arena *arena = &door.rig.arena;
    struct principal who = rig_principal("reader");
    record = (struct task_record){.holder = principal_key(&who, arena),
                                  .request = STR("{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":"
                                                 "\"tools/call\"}"),
                                  .asks = rig_json(arena, STR("{\"k\":{}}"))};
    result r = task_record_make(door.store, &door.rig.clock, &record, arena, &report);
    assert_int_equal(r.why, FAIL_NONE);
    struct store_item lease = {str_printf(arena, "lease/task/" STR_FMT, STR_ARG(record.id)),
                               STR("held"), 60000};
    assert_int_equal(store_put(door.store, &lease, NULL, &report).why, FAIL_NONE);
    struct str text = str_printf(arena, "[\"" STR_FMT "\"]", STR_ARG(record.id));
    struct subscription what = {.id = STR("1"), .watched = rig_json(arena, text)};
    listener = (struct subscriber){0};
    assert_true(hub_join(&door.mcp->hub, &listener, &what, &carrier));
    return 0;
}

static int end(void **state) {
    (void)state;
    (void)subscriber_tell(&door.mcp->hub, &listener);
    hub_leave(&door.mcp->hub, &listener);
    assert_int_equal(hub_count(&door.mcp->hub), 0);
    assert_int_equal(running_count(&door.mcp->running), 0);
    door_deinit(&door);
    return 0;
}

/* -- asking ----------------------------------------------------------------------------------- */

struct row {
    const char *what, *method, *params; /* @ is the task's id */
    const char *pointer, *value;
};

static const struct row rows[] = {
    {"it asks", "tasks/get", "\"taskId\":\"@\"", "/result/status", "\"input_required\""},
    {"its questions", "tasks/get", "\"taskId\":\"@\"", "/result/inputRequests", "{\"k\":{}}"},
    {"an answer", "tasks/update", "\"taskId\":\"@\",\"inputResponses\":{\"k\":{\"a\":1}}",
     "/result/resultType", "\"complete\""},
    {"what was not asked", "tasks/update", "\"taskId\":\"@\",\"inputResponses\":{\"x\":{}}",
     "/result/resultType", "\"complete\""},
    {"no answers", "tasks/update", "\"taskId\":\"@\"", "/error/code", "-32602"},
    {"its end", "tasks/cancel", "\"taskId\":\"@\"", "/result/resultType", "\"complete\""},
    {"no id", "tasks/get", "\"taskId\":7", "/error/code", "-32602"},
    {"a short id", "tasks/cancel", "\"taskId\":\"abc\"", "/error/code", "-32602"},
    {"none of that id", "tasks/get", "\"taskId\":\"00000000000000000000000000000000\"",
     "/error/code", "-32602"},
};

static void send(struct turn *turn, struct str id, struct str json) {
    (void)turn, (void)id, (void)json;
}

static void answer_early(struct turn *turn, struct str json) {
    (void)turn, (void)json;
    fail_msg("the lease is held: nothing is taken over");
}

static const struct turn_way way = {.send = send, .answer_early = answer_early};

/* On the thread that has failed, or not. */
static void finish(struct turn *turn) {
    fault_off();
    armed_set(-1);
    door_finish(turn);
}

static struct answer asked(const struct row *row, const char *role) {
    struct arena *arena = &door.rig.arena;
    struct answer answer = {.waiter = RIG_WAITER};
    struct turn *turn = turn_new(door.mcp, finish, &answer);
    assert_non_null(turn);
    turn->call->principal = rig_principal(role);
    turn->way = &way;
    struct str params = str_of(row->params), first = str_cut(&params, '@');
    struct str id = params.ptr == NULL ? STR("") : record.id;
    struct str body = str_printf(arena,
                                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{"
                                 "" STR_FMT STR_FMT STR_FMT "," META "}}",
                                 row->method, STR_ARG(first), STR_ARG(id), STR_ARG(params));
    (void)turn_take(turn, body, NULL);
    door_wait(&door, &answer, turn);
    return answer;
}

static void answers(void **state) {
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(state);
        struct answer answer = asked(&rows[i], "reader");
        assert_string_equal(door_at(&door, &answer, rows[i].pointer), rows[i].value);
        end(state);
    }
}

/* To anybody else there is no such task. */
static void answers_nobody_else(void **state) {
    struct principal other = rig_principal("reader");
    struct report report = {0};
    struct task_record found;
    begin(state);
    other.user_id = STR("bob");
    result r = task_record_find(door.store, record.id, &other, &door.rig.arena, &found, &report);
    assert_int_equal(r.why, FAIL_ABSENT);
    end(state);
}

/* An answer that is right, or says that it is none; and in the end the right one. */
static void answers_once_whatever_fails(void **state) {
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n_right = 0;
        for (long n = 0; n_right < 4; n++) {
            begin(state);
            armed_set(n);
            struct answer answer = asked(&rows[i], "reader");
            bool is_right = !answer.is_failed &&
                            strcmp(door_at(&door, &answer, rows[i].pointer), rows[i].value) == 0;
            if (!is_right && !answer.is_failed)
                assert_string_not_equal(door_at(&door, &answer, "/error/code"), "(none)");
            n_right = is_right ? n_right + 1 : 0;
            end(state);
            assert_true(n < 200);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(answers_nobody_else),
        cmocka_unit_test(answers_once_whatever_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
