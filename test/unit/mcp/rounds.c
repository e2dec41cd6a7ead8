/* Questions of the modern era: the state that travels with the client comes back whole, in time,
 * from who got it, for what it was given; else it is refused (protocol map 2.10, 5). */
#include "rig.h"

#include "base/limits.h"
#include "identity/secret.h"
#include "mcp/rounds.h"

static struct door door;
static struct clock hours;
static struct secret *secret;

static int set_up(void **state) {
    struct report report = {0};
    (void)state;
    door_init(&door);
    clock_scripted(&hours, 1795166100123);
    result r = secret_open(STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
                           NULL, &hours, &secret, &report);
    assert_int_equal(r.why, FAIL_NONE);
    door.mcp->secret = secret;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    door_deinit(&door);
    secret_close(secret);
    return 0;
}

/* One round of a call that asks "one" and then "two": how it ended, and with which state. */
struct round {
    enum fail why;    /* of taking; or of asking: FAIL_ASKED while something is open */
    struct str state; /* in the rig's arena */
    size_t n_open;
};

struct coming {
    const char *user, *method, *tool, *arguments; /* NULL: as in the first round */
    struct str state;                             /* as JSON; empty: none */
    const char *responses;                        /* NULL: none */
};

static struct str body_of(const struct coming *coming) {
    struct arena *arena = &door.rig.arena;
    struct str state = coming->state.len == 0 ? STR("")
                                              : str_printf(arena, ",\"requestState\":" STR_FMT,
                                                           STR_ARG(coming->state));
    return str_printf(arena,
                      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{\"name\":\"%s\","
                      "\"arguments\":%s,\"_meta\":{}%s%s" STR_FMT "}}",
                      coming->method ? coming->method : "tools/call",
                      coming->tool ? coming->tool : "t",
                      coming->arguments ? coming->arguments : "{\"a\":1}",
                      coming->responses ? ",\"inputResponses\":" : "",
                      coming->responses ? coming->responses : "", STR_ARG(state));
}

static result ask_both(struct turn *turn, struct round *round) {
    static const struct str form =
        STR_INIT("{\"message\":\"?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{"
                 "\"x\":{\"type\":\"string\"}},\"required\":[\"x\"]}}");
    struct ask asks[] = {{.key = "one", .params = form}, {.key = "two", .params = form}};
    result r = rounds_ask(turn, asks, COUNT(asks));
    round->n_open = turn->rounds.n_asked;
    return r;
}

static struct round come(const struct coming *coming) {
    struct round round = {0};
    struct report report = {0};
    struct answer answer = {.waiter = RIG_WAITER};
    struct turn *turn = turn_new(door.mcp, door_finish, &answer);
    assert_non_null(turn);
    turn->era = ERA_MODERN;
    turn->call->principal = rig_principal("reader");
    if (coming->user != NULL) turn->call->principal.user_id = str_of(coming->user);
    assert_true(turn_read(turn, body_of(coming)));
    result r = rounds_take(turn, &report);
    if (r.why == FAIL_NONE) r = ask_both(turn, &round);
    round.why = r.why;
    if (r.why != FAIL_ASKED) {
        turn_free(turn);
        return round;
    }
    rounds_answer(turn);
    door_wait(&door, &answer, turn);
    round.state = str_of(door_at(&door, &answer, "/result/requestState"));
    assert_true(round.state.ptr[0] == '"');
    return round;
}

#define FILLED(key) "{\"" key "\":{\"action\":\"accept\",\"content\":{\"x\":\"y\"}}}"

static void carries_the_answers(void **state) {
    (void)state;
    struct round first = come(&(struct coming){0});
    assert_int_equal(first.why, FAIL_ASKED);
    assert_int_equal(first.n_open, 2);
    struct round second = come(&(struct coming){.state = first.state, .responses = FILLED("one")});
    assert_int_equal(second.why, FAIL_ASKED);
    assert_int_equal(second.n_open, 1);
    assert_false(str_eq(first.state, second.state));
    struct round last = come(&(struct coming){.state = second.state, .responses = FILLED("two")});
    assert_int_equal(last.why, FAIL_NONE);
    /* The older state knows nothing of the first answer. */
    struct round again = come(&(struct coming){.state = first.state, .responses = FILLED("two")});
    assert_int_equal(again.n_open, 1);
}

static void belongs_to_who_got_it_and_what_for(void **state) {
    (void)state;
    struct str mine = come(&(struct coming){0}).state;
    const struct coming others[] = {{.user = "bob"},
                                    {.method = "prompts/get"},
                                    {.tool = "u"},
                                    {.arguments = "{\"a\":2}"},
                                    {.arguments = "{}"}};
    for (size_t i = 0; i < COUNT(others); i++) {
        struct coming coming = others[i];
        coming.state = mine;
        assert_int_equal(come(&coming).why, FAIL_DENIED);
    }
    assert_int_equal(come(&(struct coming){.state = mine}).why, FAIL_ASKED);
}

static void comes_back_byte_for_byte(void **state) {
    (void)state;
    struct str mine = come(&(struct coming){0}).state;
    for (size_t i = 1; i + 1 < mine.len; i++) { /* between the quotes */
        char text[1024];
        snprintf(text, sizeof text, STR_FMT, STR_ARG(mine));
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_int_equal(come(&(struct coming){.state = str_of(text)}).why, FAIL_DENIED);
    }
    static const char *const bad[] = {"\"\"", "\"x\"", "7", "null", "{}"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_true(come(&(struct coming){.state = str_of(bad[i])}).why != FAIL_ASKED);
}

static void is_good_for_a_while(void **state) {
    (void)state;
    struct str mine = come(&(struct coming){0}).state;
    clock_move(&hours, ROUNDS_TTL_MS - 1);
    assert_int_equal(come(&(struct coming){.state = mine}).why, FAIL_ASKED);
    clock_move(&hours, 2);
    assert_int_equal(come(&(struct coming){.state = mine}).why, FAIL_DENIED);
}

static void takes_no_answer_of_another_form(void **state) {
    (void)state;
    static const struct {
        const char *responses;
        enum fail why;
        size_t n_open;
    } rows[] = {{"{}", FAIL_ASKED, 2},
                {"{\"other\":{}}", FAIL_ASKED, 2},
                {"{\"one\":7}", FAIL_ASKED, 2},
                {"{\"one\":null}", FAIL_ASKED, 2},
                {"{\"one\":{\"action\":\"maybe\"}}", FAIL_ASKED, 2},
                {FILLED("one"), FAIL_ASKED, 1},
                {"7", FAIL_INPUT, 0},
                {"[]", FAIL_INPUT, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct round round = come(&(struct coming){.responses = rows[i].responses});
        assert_int_equal(round.why, rows[i].why);
        assert_int_equal(round.n_open, rows[i].n_open);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_the_answers),
        cmocka_unit_test(belongs_to_who_got_it_and_what_for),
        cmocka_unit_test(comes_back_byte_for_byte),
        cmocka_unit_test(is_good_for_a_while),
        cmocka_unit_test(takes_no_answer_of_another_form),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
