/* Random lives of a store beside a model of it that a person can check by reading. */
#include "room.h"

enum { NAMES = 3, LIVES = 25, STEPS = 400, EVENTS_MAX = STEPS };

struct model_entry {
    uint64_t version, value;
    int64_t end;
};

struct model_log {
    uint64_t first, last;
    int64_t end;
    uint64_t values[EVENTS_MAX + 1]; /* by sequence */
};

struct model_counter {
    int64_t sum, end; /* end 0: there is none */
};

struct play {
    struct room room;
    uint64_t seed, newest;
    struct model_entry entries[NAMES];
    struct model_log logs[NAMES];
    struct model_counter counters[NAMES];
};

static const struct str names[NAMES] = {STR_INIT("a"), STR_INIT("b"), STR_INIT("a\0c")};

static uint64_t draw(struct play *play, uint64_t below) {
    play->seed ^= play->seed << 13;
    play->seed ^= play->seed >> 7;
    play->seed ^= play->seed << 17;
    return play->seed % below;
}

static int64_t now(const struct play *play) {
    return clock_wall_ms(&play->room.clock);
}

/* Often short, so that much expires; sometimes never. */
static int64_t some_time(struct play *play) {
    return draw(play, 10) == 0 ? STORE_FOREVER : 1 + (int64_t)draw(play, 60);
}

static int64_t end_of(const struct play *play, int64_t ttl_ms) {
    return ttl_ms == STORE_FOREVER ? STORE_FOREVER : now(play) + ttl_ms;
}

static uint64_t version_of(const struct play *play, size_t i) {
    return play->entries[i].end > now(play) ? play->entries[i].version : STORE_ABSENT;
}

/* The right one, an old one, none, or whatever is there. */
static uint64_t some_version(struct play *play, size_t i) {
    uint64_t kind = draw(play, 4);
    if (kind == 0) return STORE_ABSENT;
    if (kind == 1) return STORE_ANY;
    return kind == 2 ? version_of(play, i) : 1 + draw(play, play->newest + 2);
}

static bool is_meant(uint64_t version, uint64_t expected) {
    return version != STORE_ABSENT && (expected == STORE_ANY || expected == version);
}

static struct str as_bytes(const uint64_t *value) {
    return (struct str){(const char *)value, sizeof *value};
}

/* -- steps --------------------------------------------------------------------------------------
 */

static void step_set(struct play *play, size_t i) {
    uint64_t value = draw(play, UINT64_MAX), expected = some_version(play, i), version;
    int64_t ttl = some_time(play), end = end_of(play, ttl);
    struct store_item it = {names[i], as_bytes(&value), ttl};
    bool may = expected == STORE_ANY || expected == version_of(play, i);
    must(store_swap(play->room.store, &it, expected, &version, &play->room.report));
    assert_int_equal(version != STORE_ABSENT, may);
    if (!may) return;
    assert_true(version > play->newest);
    play->newest = version;
    play->entries[i] = (struct model_entry){version, value, end};
}

static void look(struct play *play, size_t i, struct store_value got) {
    assert_int_equal(got.version, version_of(play, i));
    if (got.version == STORE_ABSENT) return;
    assert_true(str_eq(got.bytes, as_bytes(&play->entries[i].value)));
    assert_int_equal(got.expires_ms, play->entries[i].end);
}

static void step_get(struct play *play, size_t i) {
    struct store_value got;
    must(store_get(play->room.store, names[i], &play->room.arena, &got, &play->room.report));
    look(play, i, got);
}

static void step_take(struct play *play, size_t i) {
    struct store_value got;
    must(store_take(play->room.store, names[i], &play->room.arena, &got, &play->room.report));
    look(play, i, got);
    play->entries[i].end = 0;
}

static void step_remove(struct play *play, size_t i) {
    uint64_t expected = some_version(play, i);
    bool was_there, will = is_meant(version_of(play, i), expected);
    must(store_remove(play->room.store, names[i], expected, &was_there, &play->room.report));
    assert_int_equal(was_there, will);
    if (will) play->entries[i].end = 0;
}

static void step_touch(struct play *play, size_t i) {
    uint64_t expected = some_version(play, i);
    int64_t ttl = some_time(play);
    bool was_there, will = is_meant(version_of(play, i), expected);
    must(store_touch(play->room.store, names[i], expected, ttl, &was_there, &play->room.report));
    assert_int_equal(was_there, will);
    if (will) play->entries[i].end = end_of(play, ttl);
}

static void step_append(struct play *play, size_t i) {
    struct model_log *log = &play->logs[i];
    size_t guard = draw(play, NAMES);
    uint64_t value = draw(play, UINT64_MAX), sequence;
    int64_t ttl = some_time(play);
    struct store_append a = {.log = names[i],
                             .value = as_bytes(&value),
                             .ttl_ms = ttl,
                             .keep = draw(play, 3) == 0 ? 1 + draw(play, 4) : 0};
    if (draw(play, 2) == 0) a.guard = names[guard];
    a.guard_version = some_version(play, guard);
    bool may = a.guard.len == 0 || a.guard_version == version_of(play, guard);
    must(store_append(play->room.store, &a, &sequence, &play->room.report));
    assert_int_equal(sequence != 0, may);
    if (!may) return;
    if (log->end <= now(play)) *log = (struct model_log){.first = 1};
    log->values[++log->last] = value;
    log->end = end_of(play, ttl);
    if (a.keep > 0 && log->last >= a.keep && log->last - a.keep + 1 > log->first)
        log->first = log->last - a.keep + 1;
    assert_int_equal(sequence, log->last);
}

static void step_read(struct play *play, size_t i) {
    const struct model_log *log = &play->logs[i];
    bool is_there = log->end > now(play) && log->last > 0;
    uint64_t after = draw(play, log->last + 2);
    size_t max = 1 + draw(play, 6), n = 0;
    struct store_events got;
    must(store_read(play->room.store, names[i], after, max, &play->room.arena, &got,
                    &play->room.report));
    assert_int_equal(got.first, is_there ? log->first : 0);
    assert_int_equal(got.last, is_there ? log->last : 0);
    uint64_t from = after + 1 > log->first ? after + 1 : log->first;
    for (uint64_t at = from; is_there && at <= log->last && n < max; at++, n++) {
        assert_true(n < got.n);
        assert_int_equal(got.items[n].sequence, at);
        assert_true(str_eq(got.items[n].value, as_bytes(&log->values[at])));
    }
    assert_int_equal(got.n, n);
}

static void step_drop(struct play *play, size_t i) {
    bool was_there, will = play->logs[i].end > now(play) && play->logs[i].last > 0;
    must(store_drop(play->room.store, names[i], &was_there, &play->room.report));
    assert_int_equal(was_there, will);
    play->logs[i] = (struct model_log){0};
}

static void step_add(struct play *play, size_t i) {
    struct model_counter *counter = &play->counters[i];
    int64_t delta = (int64_t)draw(play, 7) - 3, ttl = some_time(play), sum;
    if (counter->end <= now(play)) *counter = (struct model_counter){0};
    must(store_add(play->room.store, names[i], delta, ttl, &sum, &play->room.report));
    if (counter->end == 0 && delta != 0) counter->end = end_of(play, ttl);
    counter->sum += delta;
    assert_int_equal(sum, counter->sum);
}

static void step_time(struct play *play, size_t i) {
    (void)i;
    clock_move(&play->room.clock, (int64_t)draw(play, draw(play, 20) == 0 ? 3000 : 20));
    if (draw(play, 3) == 0) store_tick(play->room.store);
}

/* -- lives --------------------------------------------------------------------------------------
 */

static void (*const steps[])(struct play *, size_t) = {
    step_set,   step_set,    step_set,    step_get,    step_take, step_remove,
    step_touch, step_append, step_append, step_append, step_read, step_read,
    step_drop,  step_add,    step_add,    step_time,   step_time, step_time,
};

static void live(struct play *play, int kind) {
    for (int n = 0; n < STEPS; n++) {
        steps[draw(play, COUNT(steps))](play, draw(play, NAMES));
        if (room_is_shared(kind) && draw(play, 100) == 0) {
            store_close(play->room.store);
            room_open(&play->room);
        }
    }
}

/* When all is gone, nothing is counted any more. */
static void empty(struct play *play) {
    for (size_t i = 0; i < NAMES; i++) {
        must(store_remove(play->room.store, names[i], STORE_ANY, NULL, &play->room.report));
        must(store_drop(play->room.store, names[i], NULL, &play->room.report));
    }
    clock_move(&play->room.clock, 3000);
    for (int n = 0; n < 3; n++) store_tick(play->room.store);
}

static void store_and_model_agree(void **state) {
    int kind = *(const int *)*state;
    for (uint64_t seed = 1; seed <= LIVES; seed++) {
        static struct play play;
        int64_t left = 0;
        play = (struct play){.seed = seed * 0x9e3779b97f4a7c15};
        room_make(&play.room, kind);
        room_open(&play.room);
        live(&play, kind);
        empty(&play);
        for (size_t i = 0; i < NAMES; i++) /* a counter for ever cannot be removed */
            if (play.counters[i].end == STORE_FOREVER)
                left += (int64_t)names[i].len + STORE_ENTRY_BYTES;
        assert_int_equal(usage(&play.room), left);
        room_end(&play.room);
    }
}

int main(void) {
    struct CMUnitTest tests[] = {cmocka_unit_test(store_and_model_agree)};
    return room_run(tests, COUNT(tests));
}
