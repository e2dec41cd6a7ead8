/* Many threads and processes on one store: no update is lost, no number twice, one taker. */
#include "room.h"

#include <pthread.h>
#include <sys/wait.h>

enum { THREADS = 8, PROCESSES = 3, ROUNDS = 40, TOKENS = 60 };

/* What every worker does, whoever it is; the sums are checked by who sent them. */
struct worker {
    struct room *room;
    int64_t taken, held, led;
    bool is_failed;
};

static bool is(result r) {
    return r.why == FAIL_NONE;
}

static struct str numbered(struct arena *arena, const char *word, int n) {
    return str_printf(arena, "%s-%d", word, n);
}

/* Reads a number and swaps in the next, until nobody was faster. */
static bool count_by_swap(struct worker *w, struct arena *arena) {
    for (uint64_t version = STORE_ABSENT; version == STORE_ABSENT;) {
        struct store_value old;
        uint64_t n = 0;
        if (!is(store_get(w->room->store, STR("swapped"), arena, &old, NULL))) return false;
        if (old.version != STORE_ABSENT && !str_to_u64(old.bytes, &n)) return false;
        struct store_item next = {STR("swapped"),
                                  str_printf(arena, "%llu", (unsigned long long)n + 1), MINUTE};
        if (!is(store_swap(w->room->store, &next, old.version, &version, NULL))) return false;
    }
    return true;
}

static bool take_tokens(struct worker *w, struct arena *arena) {
    for (int i = 0; i < TOKENS; i++) {
        struct store_value value;
        if (!is(store_take(w->room->store, numbered(arena, "token", i), arena, &value, NULL)))
            return false;
        w->taken += value.version != STORE_ABSENT;
    }
    return true;
}

/* Of those who want the lease of a round one gets it, and only that one's event is in the log. */
static bool lead_rounds(struct worker *w, struct arena *arena) {
    for (int i = 0; i < ROUNDS; i++) {
        struct store_item lease = {numbered(arena, "lease", i), STR("mine"), MINUTE};
        uint64_t mine, sequence;
        if (!is(store_put_new(w->room->store, &lease, &mine, NULL))) return false;
        struct store_append a = {.log = STR("led"),
                                 .value = lease.key,
                                 .ttl_ms = MINUTE,
                                 .guard = lease.key,
                                 .guard_version = mine != STORE_ABSENT ? mine : UINT64_MAX / 2};
        if (!is(store_append(w->room->store, &a, &sequence, NULL))) return false;
        w->held += mine != STORE_ABSENT;
        w->led += sequence != 0;
    }
    return true;
}

static bool work(struct worker *w, struct arena *arena) {
    for (int i = 0; i < ROUNDS; i++) {
        struct store_append a = {.log = STR("log"), .value = STR("event"), .ttl_ms = MINUTE};
        uint64_t sequence;
        int64_t sum;
        if (!count_by_swap(w, arena)) return false;
        if (!is(store_append(w->room->store, &a, &sequence, NULL)) || sequence == 0) return false;
        if (!is(store_add(w->room->store, STR("added"), 3, MINUTE, &sum, NULL))) return false;
    }
    return take_tokens(w, arena) && lead_rounds(w, arena);
}

static void *run(void *with) {
    struct worker *w = with;
    struct arena arena;
    arena_init(&arena, 64 << 20);
    w->is_failed = !work(w, &arena);
    arena_deinit(&arena);
    return NULL;
}

/* -- what must be true of it all --------------------------------------------------------------- */

static void put_tokens(struct room *room) {
    for (int i = 0; i < TOKENS; i++) {
        struct store_item token = {numbered(&room->arena, "token", i), STR("once"), MINUTE};
        must(store_put(room->store, &token, NULL, &room->report));
    }
}

static void check(struct room *room, uint64_t n_workers) {
    uint64_t swapped;
    assert_true(str_to_u64(get(room, "swapped").bytes, &swapped));
    assert_int_equal(swapped, n_workers * ROUNDS);
    assert_int_equal(add(room, "added", 0, MINUTE), 3 * n_workers * ROUNDS);
    struct store_events all = events(room, "log", 0), led = events(room, "led", 0);
    assert_int_equal(all.last, n_workers * ROUNDS);
    for (size_t i = 0; i < all.n; i++) assert_int_equal(all.items[i].sequence, i + 1);
    assert_int_equal(led.n, ROUNDS);
    assert_int_equal(led.last, ROUNDS);
}

static void threads_are_exact(void **state) {
    struct room room;
    room_make(&room, *(const int *)*state);
    room_open(&room);
    put_tokens(&room);
    struct worker workers[THREADS] = {{0}};
    pthread_t threads[THREADS];
    int64_t taken = 0, held = 0, led = 0;
    for (size_t i = 0; i < THREADS; i++) {
        workers[i].room = &room;
        assert_int_equal(pthread_create(&threads[i], NULL, run, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(workers[i].is_failed);
        taken += workers[i].taken;
        held += workers[i].held;
        led += workers[i].led;
    }
    assert_int_equal(taken, TOKENS);
    assert_int_equal(held, ROUNDS);
    assert_int_equal(led, ROUNDS);
    check(&room, THREADS);
    room_end(&room);
}

/* -- processes -------------------------------------------------------------------------------- */

enum { THREADS_EACH = 3 };

struct got {
    int64_t taken, held, led;
};

/* In the child: opens the store for itself, works with some threads, and writes what it got. */
static _Noreturn void be_replica(struct room *room, int out) {
    struct worker workers[THREADS_EACH] = {{0}};
    pthread_t threads[THREADS_EACH];
    struct got got = {0};
    bool is_failed = !is(
        store_open(&room->settings, str_of(room->dir), &room->clock, &room->store, &room->report));
    for (size_t i = 0; !is_failed && i < THREADS_EACH; i++) {
        workers[i].room = room;
        is_failed = pthread_create(&threads[i], NULL, run, &workers[i]) != 0;
    }
    for (size_t i = 0; !is_failed && i < THREADS_EACH; i++) {
        pthread_join(threads[i], NULL);
        is_failed = workers[i].is_failed;
        got.taken += workers[i].taken;
        got.held += workers[i].held;
        got.led += workers[i].led;
    }
    store_close(room->store);
    is_failed = is_failed || write(out, &got, sizeof got) != sizeof got;
    _exit(is_failed);
}

/* Lets replicas work on the room's store, which nobody may have open: a connection must not be
 * carried across a fork. What they got together. */
static struct got run_replicas(struct room *room) {
    int pipes[2], status;
    pid_t children[PROCESSES];
    struct got total = {0};
    assert_int_equal(pipe(pipes), 0);
    for (size_t i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) be_replica(room, pipes[1]);
    }
    for (size_t i = 0; i < PROCESSES; i++) {
        struct got got;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(read(pipes[0], &got, sizeof got), sizeof got);
        total.taken += got.taken;
        total.held += got.held;
        total.led += got.led;
    }
    close(pipes[0]);
    close(pipes[1]);
    return total;
}

/* All of them meet an empty directory and make the file at the same time. */
static void processes_are_exact(void **state) {
    struct room room;
    room_make(&room, *(const int *)*state);
    struct got total = run_replicas(&room);
    room_open(&room);
    assert_int_equal(total.taken, 0); /* there were no tokens */
    assert_int_equal(total.held, ROUNDS);
    assert_int_equal(total.led, ROUNDS);
    check(&room, PROCESSES * THREADS_EACH);
    room_end(&room);
}

static void processes_take_once(void **state) {
    struct room room;
    room_make(&room, *(const int *)*state);
    room_open(&room);
    put_tokens(&room);
    store_close(room.store);
    room.store = NULL;
    assert_int_equal(run_replicas(&room).taken, TOKENS);
    room_end(&room);
}

/* -- an open store is seen by a second one ------------------------------------------------------
 */

static void what_one_writes_the_other_sees(void **state) {
    struct room one, two;
    room_make(&one, *(const int *)*state);
    room_open(&one);
    two = one;
    arena_init(&two.arena, 1 << 20);
    room_open(&two);
    for (int i = 0; i < 50; i++) {
        uint64_t before = tide(&two), version = put(&one, "a", "x", MINUTE);
        assert_true(tide(&two) > before);
        assert_int_equal(get(&two, "a").version, version);
        assert_int_equal(append(&two, "log", "e"), (uint64_t)i + 1);
        assert_int_equal(events(&one, "log", 0).last, (uint64_t)i + 1);
    }
    store_close(two.store);
    arena_deinit(&two.arena);
    put(&one, "a", "y", MINUTE);
    room_end(&one);
}

int main(void) {
    static int sqlite = STORE_SQLITE, memory = STORE_MEMORY, redis = STORE_REDIS;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(processes_are_exact, &sqlite),
        cmocka_unit_test_prestate(processes_take_once, &sqlite),
        cmocka_unit_test_prestate(threads_are_exact, &sqlite),
        cmocka_unit_test_prestate(threads_are_exact, &memory),
        cmocka_unit_test_prestate(what_one_writes_the_other_sees, &sqlite),
    };
    const struct CMUnitTest on_redis[] = {
        cmocka_unit_test_prestate(processes_are_exact, &redis),
        cmocka_unit_test_prestate(processes_take_once, &redis),
        cmocka_unit_test_prestate(threads_are_exact, &redis),
        cmocka_unit_test_prestate(what_one_writes_the_other_sees, &redis),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (room_n_kinds() == COUNT(room_kinds)) failed += cmocka_run_group_tests(on_redis, NULL, NULL);
    return failed;
}
