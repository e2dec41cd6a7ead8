/* Replicas on one store tell each other, whole and in order, and nobody hears himself. */
#include "mcp/news.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

enum { REPLICAS = 3 };

/* Each keeps what it learns, a line each. */
struct replica {
    struct news news;
    char learnt[4096];
};

struct world {
    struct clock clock;
    struct store *store;
    struct replica replicas[REPLICAS];
};

static void learn(void *with, const struct news_item *item) {
    static const char *const names[] = {"missed", "changed", "closed", "cancelled"};
    struct replica *replica = with;
    size_t at = strlen(replica->learnt);
    assert_true(at < sizeof replica->learnt - 200);
    snprintf(replica->learnt + at, 200, "%s %u " STR_FMT " " STR_FMT "\n", names[item->kind],
             item->changed, STR_ARG(item->session_id), STR_ARG(item->request_id));
}

/* The beats are stopped: a test looks when it wants to. */
static void open_replica(struct world *world, size_t i) {
    struct report report = {0};
    struct replica *replica = &world->replicas[i];
    result r = news_open(&replica->news, world->store, learn, replica, &report);
    assert_int_equal(r.why, FAIL_NONE);
    beat_stop(&replica->news.beat);
}

static int begin(void **state) {
    static struct world world;
    const struct store_settings settings = {.kind = STORE_MEMORY, .max_bytes = 64 * MIB};
    struct report report = {0};
    world = (struct world){0};
    clock_scripted(&world.clock, INT64_C(1795166100123));
    result r = store_open(&settings, STR_NONE, &world.clock, &world.store, &report);
    assert_int_equal(r.why, FAIL_NONE);
    for (size_t i = 0; i < REPLICAS; i++) open_replica(&world, i);
    *state = &world;
    return 0;
}

static int end(void **state) {
    struct world *world = *state;
    for (size_t i = 0; i < REPLICAS; i++) news_close(&world->replicas[i].news);
    store_close(world->store);
    return 0;
}

static void tell(struct world *world, size_t who, struct news_item item) {
    struct report report = {0};
    assert_int_equal(news_tell(&world->replicas[who].news, &item, &report).why, FAIL_NONE);
}

static void assert_learns(struct world *world, size_t who, const char *text) {
    struct replica *replica = &world->replicas[who];
    replica->learnt[0] = '\0';
    news_look(&replica->news);
    assert_string_equal(replica->learnt, text);
}

static void is_learnt_by_all_others(void **state) {
    struct world *world = *state;
    tell(world, 0, (struct news_item){.kind = NEWS_CHANGED, .changed = 5});
    tell(world, 1, (struct news_item){.kind = NEWS_CLOSED, .session_id = STR("s1")});
    tell(world, 0,
         (struct news_item){
             .kind = NEWS_CANCELLED, .session_id = STR("s2"), .request_id = STR("\"a\\\"b\"")});
    assert_learns(world, 0, "closed 0 s1 \n");
    assert_learns(world, 1, "changed 5  \ncancelled 0 s2 \"a\\\"b\"\n");
    assert_learns(world, 2, "changed 5  \nclosed 0 s1 \ncancelled 0 s2 \"a\\\"b\"\n");
    for (size_t i = 0; i < REPLICAS; i++) assert_learns(world, i, "");
}

static void of_before_its_time_are_none(void **state) {
    struct world *world = *state;
    tell(world, 0, (struct news_item){.kind = NEWS_CHANGED, .changed = 1});
    open_replica(world, 2);
    tell(world, 0, (struct news_item){.kind = NEWS_CHANGED, .changed = 2});
    assert_learns(world, 2, "changed 2  \n");
}

static void that_nobody_can_tell_any_more_are_said_to_be_missed(void **state) {
    struct world *world = *state;
    for (size_t i = 0; i < NEWS_KEPT + 1; i++)
        tell(world, 0, (struct news_item){.kind = NEWS_CLOSED});
    tell(world, 1, (struct news_item){.kind = NEWS_CHANGED, .changed = 3});
    for (size_t i = 0; i < NEWS_KEPT; i++) tell(world, 0, (struct news_item){.kind = NEWS_CLOSED});
    news_look(&world->replicas[0].news);
    assert_memory_equal(world->replicas[0].learnt, "missed 0  \n", 11);
}

/* A store that was emptied has another log, of which nothing has been read. */
static void of_a_new_log_are_read_from_its_beginning(void **state) {
    struct world *world = *state;
    struct report report = {0};
    for (size_t i = 0; i < 3; i++)
        tell(world, 0, (struct news_item){.kind = NEWS_CHANGED, .changed = 1});
    assert_learns(world, 1, "changed 1  \nchanged 1  \nchanged 1  \n");
    assert_int_equal(store_drop(world->store, STR("news"), NULL, &report).why, FAIL_NONE);
    tell(world, 0, (struct news_item){.kind = NEWS_CHANGED, .changed = 2});
    assert_learns(world, 1, "missed 0  \nchanged 2  \n");
    assert_learns(world, 1, "");
}

static void that_we_do_not_know_are_passed_over(void **state) {
    struct world *world = *state;
    static const char *const texts[] = {"",
                                        "{}",
                                        "7",
                                        "{\"by\":\"x\",\"kind\":\"moved\"}",
                                        "[]",
                                        "{",
                                        "{\"by\":\"x\",\"kind\":\"\"}"};
    struct report report = {0};
    for (size_t i = 0; i < COUNT(texts); i++) {
        uint64_t sequence;
        struct store_append append = {
            .log = STR("news"), .value = str_of(texts[i]), .ttl_ms = STORE_FOREVER};
        result r = store_append(world->store, &append, &sequence, &report);
        assert_int_equal(r.why, FAIL_NONE);
    }
    tell(world, 0, (struct news_item){.kind = NEWS_CHANGED, .changed = 4});
    assert_learns(world, 1, "changed 4  \n");
}

/* What fails is told, and read again later. */
static void survive_the_nth_failure(void **state) {
    struct world *world = *state;
    struct news_item item = {.kind = NEWS_CHANGED, .changed = 7};
    for (long n = 0;; n++) {
        struct report report = {0};
        fault_set(n);
        result r = news_tell(&world->replicas[0].news, &item, &report);
        bool is_over = fault_unused();
        fault_off();
        if (is_over) break;
        assert_int_not_equal(r.why, FAIL_NONE);
    }
    for (long n = 0;; n++) {
        struct replica *replica = &world->replicas[1];
        replica->learnt[0] = '\0';
        fault_set(n);
        news_look(&replica->news);
        bool is_over = fault_unused();
        fault_off();
        if (replica->learnt[0] != '\0') break;
        assert_false(is_over);
    }
    assert_string_equal(world->replicas[1].learnt, "changed 7  \n");
}

static void without_a_store_there_are_no_others(void **state) {
    (void)state;
    struct news news;
    struct report report = {0};
    struct news_item item = {.kind = NEWS_CHANGED, .changed = 1};
    assert_int_equal(news_open(&news, NULL, learn, NULL, &report).why, FAIL_NONE);
    assert_int_equal(news_tell(&news, &item, &report).why, FAIL_NONE);
    news_close(&news);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_learnt_by_all_others, begin, end),
        cmocka_unit_test_setup_teardown(of_before_its_time_are_none, begin, end),
        cmocka_unit_test_setup_teardown(that_nobody_can_tell_any_more_are_said_to_be_missed, begin,
                                        end),
        cmocka_unit_test_setup_teardown(of_a_new_log_are_read_from_its_beginning, begin, end),
        cmocka_unit_test_setup_teardown(that_we_do_not_know_are_passed_over, begin, end),
        cmocka_unit_test_setup_teardown(survive_the_nth_failure, begin, end),
        cmocka_unit_test(without_a_store_there_are_no_others),
    };
    log_threshold(LOG_OFF);
    return cmocka_run_group_tests_name("news", tests, NULL, NULL);
}
