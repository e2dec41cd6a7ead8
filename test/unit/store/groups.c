/* Writes that came together share a commit, and a bad one among them fails alone. */
#include "room.h"
#include "store/sqlite_inner.h"

#include <pthread.h>
#include <sched.h>

enum { FOLLOWERS = 20, BAD = 7 };

struct follower {
    struct sqlite_write write;
    struct sqlite_writer *writer;
    bool is_bad;
    enum fail why;
    uint64_t version;
};

struct stage {
    struct room room;
    struct sqlite_writer *writer;
    int n_commits;
    struct follower followers[FOLLOWERS];
};

static int count_commit(void *with) {
    ++*(int *)with;
    return 0;
}

static void stage_open(struct stage *stage, int kind) {
    memset(stage, 0, sizeof *stage);
    room_make(&stage->room, kind);
    room_open(&stage->room);
    stage->writer = &sqlite_of(stage->room.store)->writer;
    sqlite3_commit_hook(stage->writer->db.handle, count_commit, &stage->n_commits);
}

static size_t n_queued(struct sqlite_writer *writer) {
    size_t n = 0;
    pthread_mutex_lock(&writer->lock);
    for (struct link *at = writer->queue.next; at != &writer->queue; at = at->next) n++;
    pthread_mutex_unlock(&writer->lock);
    return n;
}

/* The first leads, and takes its time until all others stand behind it. */
struct slow {
    struct sqlite_write write;
    struct sqlite_writer *writer;
};

static result run_slow(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct slow *slow = holder_of(write, struct slow, write);
    while (n_queued(slow->writer) < FOLLOWERS + 1) sched_yield();
    (void)sqlite_next_version(t);
    return OK;
}

static void *lead(void *with) {
    struct stage *stage = with;
    struct slow slow = {.write = {.run = run_slow}, .writer = stage->writer};
    result r = sqlite_writer_do(stage->writer, &slow.write);
    return r.why == FAIL_NONE ? with : NULL;
}

static result run_follower(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct follower *f = holder_of(write, struct follower, write);
    f->version = sqlite_next_version(t);
    if (!f->is_bad) return OK;
    sqlite3_stmt *insert = sqlite_start(t->db, SQL_ENTRY_INSERT);
    sqlite3_bind_null(insert, 1); /* a key must not be NULL */
    return sqlite_run(t->db, insert);
}

static void *follow(void *with) {
    struct follower *f = with;
    f->write.run = run_follower;
    f->why = sqlite_writer_do(f->writer, &f->write).why;
    return NULL;
}

static void play(struct stage *stage) {
    pthread_t leader, threads[FOLLOWERS];
    void *led;
    assert_int_equal(pthread_create(&leader, NULL, lead, stage), 0);
    while (n_queued(stage->writer) < 1) sched_yield();
    for (size_t i = 0; i < FOLLOWERS; i++) {
        struct follower *follower = &stage->followers[i];
        follower->writer = stage->writer;
        assert_int_equal(pthread_create(&threads[i], NULL, follow, follower), 0);
    }
    for (size_t i = 0; i < FOLLOWERS; i++) pthread_join(threads[i], NULL);
    pthread_join(leader, &led);
    assert_non_null(led);
}

static void who_waits_together_commits_together(void **state) {
    struct stage stage;
    stage_open(&stage, *(const int *)*state);
    uint64_t before = tide(&stage.room);
    play(&stage);
    assert_int_equal(stage.n_commits, 2);
    assert_int_equal(tide(&stage.room), before + FOLLOWERS + 1);
    for (size_t i = 0; i < FOLLOWERS; i++) assert_int_equal(stage.followers[i].why, FAIL_NONE);
    room_end(&stage.room);
}

static void a_bad_one_fails_alone(void **state) {
    struct stage stage;
    stage_open(&stage, *(const int *)*state);
    uint64_t before = tide(&stage.room);
    stage.followers[BAD].is_bad = true;
    play(&stage);
    assert_int_equal(stage.n_commits, 1 + FOLLOWERS - 1);
    assert_int_equal(tide(&stage.room), before + FOLLOWERS);
    for (size_t i = 0; i < FOLLOWERS; i++)
        assert_int_equal(stage.followers[i].why, i == BAD ? FAIL_IO : FAIL_NONE);
    for (size_t i = 0; i < FOLLOWERS; i++)
        for (size_t k = 0; k < i; k++)
            assert_true(i == BAD || k == BAD ||
                        stage.followers[i].version != stage.followers[k].version);
    put(&stage.room, "a", "goes on", MINUTE);
    room_end(&stage.room);
}

/* Large ones do not share: the log of writes would grow with them. */
static void a_group_is_bounded(void **state) {
    struct stage stage;
    stage_open(&stage, *(const int *)*state);
    for (size_t i = 0; i < FOLLOWERS; i++)
        stage.followers[i].write.bytes = (size_t)STORE_GROUP_BYTES / 5;
    play(&stage);
    assert_int_equal(stage.n_commits, 1 + FOLLOWERS / 5);
    room_end(&stage.room);
}

int main(void) {
    static int kinds[] = {STORE_SQLITE, STORE_MEMORY};
    int failed = 0;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_prestate(who_waits_together_commits_together, &kinds[k]),
            cmocka_unit_test_prestate(a_bad_one_fails_alone, &kinds[k]),
            cmocka_unit_test_prestate(a_group_is_bounded, &kinds[k]),
        };
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
