#include "net/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/list.h"

#include <cmocka.h>

#define MS INT64_C(1000000)

/* -- timers --------------------------------------------------------------------------------- */

struct alarm {
    struct loop_timer timer;
    int64_t *last_ns; /* the alarm before */
    int fired;
};

static void ring(struct loop_timer *timer) {
    struct alarm *alarm = holder_of(timer, struct alarm, timer);

    assert_true(timer->at_ns >= *alarm->last_ns);
    *alarm->last_ns = timer->at_ns;
    alarm->fired++;
}

/* Set, moved and cancelled at random, alarms ring in order, once each, and not before their time.
 */
static void test_timers(void **state) {
    enum { ALARMS = 1000 };
    static struct alarm alarms[ALARMS];
    struct clock clock;
    struct loop *loop = NULL;
    int64_t last_ns = 0;
    uint64_t seed = 42;

    (void)state;
    clock_scripted(&clock, 1000);
    assert_int_equal(loop_new(&loop, &clock, NULL).why, FAIL_NONE);
    int64_t begin_ns = clock_mono_ns(&clock);
    for (int i = 0; i < ALARMS; i++)
        alarms[i] = (struct alarm){.timer.fire = ring, .last_ns = &last_ns};
    for (int i = 0; i < 5 * ALARMS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        struct alarm *alarm = &alarms[(seed >> 33) % ALARMS];
        if ((seed >> 20) % 4 == 0)
            loop_timer_cancel(&alarm->timer);
        else
            loop_timer_set(loop, &alarm->timer, begin_ns + (int64_t)((seed >> 40) % 5000) * MS);
    }
    for (int step = 0; step <= 50; step++) {
        int64_t now_ns = clock_mono_ns(&clock);
        loop_turn(loop, 0);
        for (int i = 0; i < ALARMS; i++) {
            assert_true(alarms[i].fired <= 1);
            assert_true(alarms[i].timer.loop == NULL || alarms[i].timer.at_ns > now_ns);
        }
        clock.scripted_ms += 100;
    }
    loop_free(loop);
}

/* -- tasks ---------------------------------------------------------------------------------- */

enum { SENDERS = 4, LETTERS = 2000 };

struct letter {
    struct loop_task task;
    struct post *post;
    int sender;
    int number;
};

struct post {
    struct loop *loop;
    int next[SENDERS]; /* touched on the loop's thread only */
    int arrived;
    int called;
};

static void arrive(struct loop_task *task) {
    struct letter *letter = holder_of(task, struct letter, task);
    struct post *post = letter->post;

    assert_int_equal(letter->number, post->next[letter->sender]++);
    if (++post->arrived == SENDERS * LETTERS) loop_stop(post->loop);
}

struct sender {
    struct post *post;
    struct letter *letters;
    bool is_here;
};

static void count_call(void *ctx) {
    ((struct post *)ctx)->called++;
}

static void *send_letters(void *arg) {
    struct sender *sender = arg;

    sender->is_here = loop_is_here(sender->post->loop);
    if (!loop_post(sender->post->loop, count_call, sender->post)) return NULL;
    for (int i = 0; i < LETTERS; i++) loop_post_task(sender->post->loop, &sender->letters[i].task);
    return NULL;
}

/* Each thread's tasks run in its order, all of them, on the loop's thread. */
static void test_post(void **state) {
    static struct letter letters[SENDERS][LETTERS];
    struct post post = {0};
    struct sender senders[SENDERS];
    pthread_t threads[SENDERS];

    (void)state;
    assert_int_equal(loop_new(&post.loop, &clock_real, NULL).why, FAIL_NONE);
    assert_true(loop_is_here(post.loop));
    loop_turn(post.loop, 0);
    assert_true(loop_is_here(post.loop));
    for (int s = 0; s < SENDERS; s++) {
        for (int i = 0; i < LETTERS; i++)
            letters[s][i] = (struct letter){{arrive, NULL}, &post, s, i};
        senders[s] = (struct sender){&post, letters[s], true};
        assert_int_equal(pthread_create(&threads[s], NULL, send_letters, &senders[s]), 0);
    }
    loop_run(post.loop);
    for (int s = 0; s < SENDERS; s++) {
        pthread_join(threads[s], NULL);
        assert_false(senders[s].is_here);
    }
    assert_int_equal(post.arrived, SENDERS * LETTERS);
    assert_int_equal(post.called, SENDERS);
    loop_free(post.loop);
}

/* What was posted to a loop that ended runs when the loop is freed. */
static void test_post_after_end(void **state) {
    struct post post = {0};

    (void)state;
    assert_int_equal(loop_new(&post.loop, &clock_real, NULL).why, FAIL_NONE);
    loop_stop(post.loop);
    loop_run(post.loop);
    assert_true(loop_post(post.loop, count_call, &post));
    assert_int_equal(post.called, 0);
    loop_free(post.loop);
    assert_int_equal(post.called, 1);
    loop_free(NULL);
}

/* -- watches -------------------------------------------------------------------------------- */

struct end {
    struct loop_watch watch;
    struct end *other;
    struct loop_task later;
    int seen;
    int deferred;
};

static void defer_seen(struct loop_task *task) {
    holder_of(task, struct end, later)->deferred++;
}

static void end_both(struct loop_watch *watch, uint32_t events) {
    struct end *end = holder_of(watch, struct end, watch);

    assert_true((events & EPOLLIN) != 0);
    end->seen++;
    loop_defer(watch->loop, &end->later);
    assert_int_equal(end->deferred, 0);
    loop_watch_end(&end->other->watch);
    loop_watch_end(&end->watch);
}

/* A watch that was ended earlier in the turn gets nothing any more, though its event was fetched.
 */
static void test_ended_watch(void **state) {
    struct loop *loop = NULL;
    struct end a = {.watch.ready = end_both, .later.run = defer_seen};
    struct end b = {.watch.ready = end_both, .later.run = defer_seen};
    int pipes[2][2];

    (void)state;
    a.other = &b;
    b.other = &a;
    assert_int_equal(loop_new(&loop, &clock_real, NULL).why, FAIL_NONE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(pipes[i]), 0);
        assert_int_equal(write(pipes[i][1], "x", 1), 1);
    }
    assert_int_equal(loop_watch_start(loop, &a.watch, pipes[0][0], EPOLLIN, NULL).why, FAIL_NONE);
    assert_int_equal(loop_watch_start(loop, &b.watch, pipes[1][0], EPOLLIN, NULL).why, FAIL_NONE);
    loop_turn(loop, 0);
    assert_int_equal(a.seen + b.seen, 1);
    assert_int_equal(a.deferred + b.deferred, 1);
    loop_turn(loop, 0);
    assert_int_equal(a.seen + b.seen, 1);
    struct report report = {0};
    assert_int_equal(loop_watch_start(loop, &a.watch, -1, EPOLLIN, &report).why, FAIL_IO);
    for (int i = 0; i < 2; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    loop_free(loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_post),
        cmocka_unit_test(test_post_after_end),
        cmocka_unit_test(test_ended_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
