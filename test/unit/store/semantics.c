/* What store.h promises, asked of every kind: a new kind joins by a row of `kinds`. */
#include "room.h"

/* -- entries ---------------------------------------------------------------------------------- */

static void what_was_put_is_got(void **state) {
    struct room *room = *state;
    assert_int_equal(get(room, "a").version, STORE_ABSENT);
    uint64_t version = put(room, "a", "one", MINUTE);
    struct store_value value = get(room, "a");
    assert_text(value.bytes, "one");
    assert_int_equal(value.version, version);
    assert_int_equal(value.expires_ms, ROOM_TIME + MINUTE);
    put(room, "a", "", STORE_FOREVER);
    value = get(room, "a");
    assert_int_equal(value.bytes.len, 0);
    assert_true(value.version > version);
    assert_int_equal(value.expires_ms, STORE_FOREVER);
}

static void names_and_values_are_bytes(void **state) {
    struct room *room = *state;
    static const char bytes[] = {0, 1, (char)0xff, 0, 'x'};
    struct str all = {bytes, sizeof bytes}, part = {bytes, 4};
    must(store_put(room->store, &(struct store_item){all, all, MINUTE}, NULL, &room->report));
    struct store_value value;
    must(store_get(room->store, part, &room->arena, &value, &room->report));
    assert_int_equal(value.version, STORE_ABSENT);
    must(store_get(room->store, all, &room->arena, &value, &room->report));
    assert_true(str_eq(value.bytes, all));
}

static void put_new_wins_once(void **state) {
    struct room *room = *state;
    uint64_t first = put_new(room, "lease", "us", MINUTE);
    assert_int_not_equal(first, STORE_ABSENT);
    assert_int_equal(put_new(room, "lease", "them", MINUTE), STORE_ABSENT);
    assert_text(get(room, "lease").bytes, "us");
    assert_true(drop_entry(room, "lease", STORE_ANY));
    assert_true(put_new(room, "lease", "them", MINUTE) > first);
}

static void swap_wants_the_version(void **state) {
    struct room *room = *state;
    uint64_t first = put(room, "a", "1", MINUTE);
    uint64_t second = swap(room, "a", first, "2");
    assert_true(second > first);
    assert_int_equal(swap(room, "a", first, "3"), STORE_ABSENT);
    assert_text(get(room, "a").bytes, "2");
    assert_int_equal(swap(room, "b", first, "3"), STORE_ABSENT);
    assert_int_equal(get(room, "b").version, STORE_ABSENT);
    assert_int_not_equal(swap(room, "b", STORE_ABSENT, "3"), STORE_ABSENT);
}

static void who_does_not_ask_is_not_told(void **state) {
    struct room *room = *state;
    struct store_item it = item("a", "1", MINUTE);
    must(store_put_new(room->store, &it, NULL, &room->report));
    must(store_put_new(room->store, &it, NULL, &room->report)); /* lost, and nobody minds */
    must(store_put(room->store, &it, NULL, &room->report));
    must(store_swap(room->store, &it, get(room, "a").version, NULL, &room->report));
    must(store_touch(room->store, it.key, STORE_ANY, 2 * MINUTE, NULL, &room->report));
    assert_int_equal(get(room, "a").expires_ms, ROOM_TIME + 2 * MINUTE);
    must(store_remove(room->store, it.key, STORE_ANY, NULL, &room->report));
    assert_int_equal(get(room, "a").version, STORE_ABSENT);
    struct store_append a = {.log = STR("log"), .value = STR("e"), .ttl_ms = MINUTE};
    must(store_append(room->store, &a, NULL, &room->report));
    assert_int_equal(events(room, "log", 0).last, 1);
    must(store_drop(room->store, STR("log"), NULL, &room->report));
    assert_int_equal(events(room, "log", 0).last, 0);
}

static void an_old_version_never_comes_back(void **state) {
    struct room *room = *state;
    uint64_t old = put(room, "a", "1", MINUTE);
    assert_true(drop_entry(room, "a", old));
    put(room, "a", "1", MINUTE);
    assert_int_equal(swap(room, "a", old, "2"), STORE_ABSENT);
    assert_false(drop_entry(room, "a", old));
    assert_false(touch(room, "a", old, MINUTE));
}

static void take_is_single(void **state) {
    struct room *room = *state;
    uint64_t version = put(room, "token", "good once", MINUTE);
    struct store_value value = take(room, "token");
    assert_text(value.bytes, "good once");
    assert_int_equal(value.version, version);
    assert_int_equal(take(room, "token").version, STORE_ABSENT);
    assert_int_equal(get(room, "token").version, STORE_ABSENT);
}

static void remove_and_touch_mean_a_version(void **state) {
    struct room *room = *state;
    assert_false(drop_entry(room, "a", STORE_ANY));
    assert_false(drop_entry(room, "a", STORE_ABSENT));
    assert_false(touch(room, "a", STORE_ANY, MINUTE));
    uint64_t version = put(room, "a", "1", MINUTE);
    assert_false(drop_entry(room, "a", version + 1));
    assert_false(drop_entry(room, "a", STORE_ABSENT));
    assert_true(touch(room, "a", version, 2 * MINUTE));
    assert_int_equal(get(room, "a").version, version);
    assert_int_equal(get(room, "a").expires_ms, ROOM_TIME + 2 * MINUTE);
    assert_true(drop_entry(room, "a", version));
}

/* -- time ------------------------------------------------------------------------------------- */

static void what_expired_is_absent(void **state) {
    struct room *room = *state;
    uint64_t version = put(room, "a", "1", MINUTE);
    clock_move(&room->clock, MINUTE - 1);
    assert_int_equal(get(room, "a").version, version);
    clock_move(&room->clock, 1);
    assert_int_equal(get(room, "a").version, STORE_ABSENT);
    assert_int_equal(take(room, "a").version, STORE_ABSENT);
    assert_int_equal(swap(room, "a", version, "2"), STORE_ABSENT);
    assert_false(touch(room, "a", STORE_ANY, MINUTE));
    assert_false(drop_entry(room, "a", STORE_ANY));
    assert_true(put_new(room, "a", "2", MINUTE) > version);
}

static uint64_t append_as(struct room *room, const char *guard, uint64_t version) {
    struct store_append a = {.log = STR("log"),
                             .value = STR("answer"),
                             .ttl_ms = MINUTE,
                             .guard = str_of(guard),
                             .guard_version = version};
    uint64_t sequence;
    must(store_append(room->store, &a, &sequence, &room->report));
    return sequence;
}

/* What no sweep had time to remove is just as absent. */
static void what_just_expired_is_absent(void **state) {
    struct room *room = *state;
    for (int i = 0; i < 6; i++) {
        uint64_t version = put(room, "a", "1", 1);
        struct store_append a = {.log = STR("log"), .value = STR("e"), .ttl_ms = 1};
        uint64_t sequence;
        must(store_append(room->store, &a, &sequence, &room->report));
        assert_int_equal(sequence, 1);
        assert_int_equal(add(room, "c", 4, 1), 4);
        clock_move(&room->clock, 1);
        assert_int_equal(get(room, "a").version, STORE_ABSENT);
        assert_int_equal(events(room, "log", 0).last, 0);
        switch (i) {
        case 0: assert_int_equal(take(room, "a").version, STORE_ABSENT); break;
        case 1: assert_int_equal(swap(room, "a", version, "2"), STORE_ABSENT); break;
        case 2: assert_false(touch(room, "a", version, MINUTE)); break;
        case 3: assert_false(drop_entry(room, "a", version)); break;
        case 4: assert_int_equal(append_as(room, "a", version), 0); break;
        case 5: assert_true(put_new(room, "a", "2", MINUTE) > version); break;
        }
    }
    assert_text(get(room, "a").bytes, "2");
}

static void a_lease_is_held_by_touching_it(void **state) {
    struct room *room = *state;
    uint64_t mine = put_new(room, "lease", "us", MINUTE);
    for (int i = 0; i < 5; i++) {
        clock_move(&room->clock, MINUTE / 2);
        assert_true(touch(room, "lease", mine, MINUTE));
        assert_int_equal(put_new(room, "lease", "them", MINUTE), STORE_ABSENT);
    }
    clock_move(&room->clock, MINUTE);
    uint64_t theirs = put_new(room, "lease", "them", MINUTE);
    assert_int_not_equal(theirs, STORE_ABSENT);
    assert_false(touch(room, "lease", mine, MINUTE));
    assert_false(drop_entry(room, "lease", mine));
    assert_int_equal(get(room, "lease").version, theirs);
}

static void what_expired_is_swept(void **state) {
    struct room *room = *state;
    int64_t empty = usage(room);
    put(room, "stays", "x", STORE_FOREVER);
    int64_t rest = usage(room);
    assert_true(rest > empty);
    for (int i = 0; i < 3 * STORE_SWEEP_MAX; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        put(room, key, "value", MINUTE);
        add(room, key, 1, MINUTE);
        append(room, i % 2 == 0 ? "even" : "odd", "event");
    }
    int64_t full = usage(room);
    clock_move(&room->clock, MINUTE);
    assert_int_equal(usage(room), full); /* absent, but not swept */
    int64_t before = full;
    for (int i = 0; i < 20 && usage(room) > rest; i++) {
        store_tick(room->store);
        int64_t bytes = usage(room);
        assert_true(bytes < before);
        /* three sorts, and a tick's own sweep beside the one that is due */
        assert_true(before - bytes <= 6 * STORE_SWEEP_MAX * (STORE_ENTRY_BYTES + 16));
        before = bytes;
    }
    assert_int_equal(usage(room), rest);
    assert_text(get(room, "stays").bytes, "x");
}

/* -- logs ------------------------------------------------------------------------------------- */

static void a_log_has_no_gap(void **state) {
    struct room *room = *state;
    assert_int_equal(events(room, "log", 0).last, 0);
    for (uint64_t i = 1; i <= 20; i++) assert_int_equal(append(room, "log", "e"), i);
    assert_int_equal(append(room, "other", "e"), 1);
    struct store_events all = events(room, "log", 0);
    assert_int_equal(all.n, 20);
    assert_int_equal(all.first, 1);
    assert_int_equal(all.last, 20);
    for (size_t i = 0; i < all.n; i++) assert_int_equal(all.items[i].sequence, i + 1);
    assert_int_equal(events(room, "log", 17).n, 3);
    assert_int_equal(events(room, "log", 20).n, 0);
    assert_int_equal(events(room, "log", UINT64_MAX).n, 0);
    struct store_events two;
    must(store_read(room->store, STR("log"), 4, 2, &room->arena, &two, &room->report));
    assert_int_equal(two.n, 2);
    assert_int_equal(two.items[0].sequence, 5);
    assert_int_equal(two.last, 20);
}

static void a_log_keeps_its_newest(void **state) {
    struct room *room = *state;
    struct store_append a = {.log = STR("log"), .value = STR("e"), .ttl_ms = MINUTE, .keep = 3};
    uint64_t sequence = 0;
    for (int i = 0; i < 10; i++) must(store_append(room->store, &a, &sequence, &room->report));
    assert_int_equal(sequence, 10);
    struct store_events all = events(room, "log", 0);
    assert_int_equal(all.first, 8);
    assert_int_equal(all.n, 3);
    assert_int_equal(all.items[0].sequence, 8);
    int64_t three = usage(room);
    must(store_append(room->store, &a, &sequence, &room->report));
    assert_int_equal(usage(room), three);
}

/* What is dropped at once for readers leaves in steps. */
static void keep_may_be_lowered(void **state) {
    struct room *room = *state;
    for (int i = 0; i < 2 * STORE_SWEEP_MAX; i++) append(room, "log", "e");
    struct store_append a = {.log = STR("log"), .value = STR("e"), .ttl_ms = MINUTE, .keep = 1};
    uint64_t sequence;
    must(store_append(room->store, &a, &sequence, &room->report));
    struct store_events all = events(room, "log", 0);
    assert_int_equal(all.n, 1);
    assert_int_equal(all.items[0].sequence, 2 * STORE_SWEEP_MAX + 1);
    assert_int_equal(all.first, all.last);
    a.keep = STORE_SWEEP_MAX; /* what was dropped does not come back when more may stay */
    must(store_append(room->store, &a, &sequence, &room->report));
    all = events(room, "log", 0);
    assert_int_equal(all.n, 2);
    assert_int_equal(all.first, 2 * STORE_SWEEP_MAX + 1);
}

static void a_dropped_or_expired_log_begins_again(void **state) {
    struct room *room = *state;
    bool was_there;
    append(room, "log", "a");
    append(room, "log", "b");
    must(store_drop(room->store, STR("log"), &was_there, &room->report));
    assert_true(was_there);
    must(store_drop(room->store, STR("log"), &was_there, &room->report));
    assert_false(was_there);
    assert_int_equal(events(room, "log", 0).last, 0);
    assert_int_equal(append(room, "log", "c"), 1);
    assert_text(events(room, "log", 0).items[0].value, "c");
    clock_move(&room->clock, MINUTE - 1);
    assert_int_equal(append(room, "log", "d"), 2); /* sets the time anew */
    clock_move(&room->clock, MINUTE - 1);
    assert_int_equal(events(room, "log", 0).n, 2);
    clock_move(&room->clock, 1);
    assert_int_equal(events(room, "log", 0).n, 0);
    assert_int_equal(append(room, "log", "e"), 1);
    clock_move(&room->clock, -MINUTE); /* a clock that is set back brings nothing back */
    store_tick(room->store);
    assert_int_equal(events(room, "log", 0).n, 1);
}

static void only_the_holder_appends(void **state) {
    struct room *room = *state;
    uint64_t mine = put_new(room, "lease", "us", MINUTE);
    assert_int_equal(append_as(room, "lease", mine), 1);
    assert_int_equal(append_as(room, "lease", mine + 1), 0);
    assert_int_equal(append_as(room, "lease", STORE_ABSENT), 0);
    assert_int_equal(append_as(room, "lease", STORE_ANY), 0);
    clock_move(&room->clock, MINUTE);
    assert_int_equal(append_as(room, "lease", mine), 0); /* it ran out */
    uint64_t theirs = put_new(room, "lease", "them", MINUTE);
    assert_int_equal(append_as(room, "lease", mine), 0);
    assert_int_equal(append_as(room, "lease", theirs), 1); /* the log had expired as well */
    assert_true(drop_entry(room, "lease", theirs));
    assert_int_equal(append_as(room, "lease", theirs), 0);
    assert_int_equal(append_as(room, "lease", STORE_ABSENT), 2); /* only while nobody holds it */
}

static void a_read_is_bounded(void **state) {
    struct room *room = *state;
    size_t len = (size_t)STORE_READ_BYTES_MAX / 2;
    char *large = calloc(1, 2 * len + 2);
    struct store_append a = {.log = STR("log"), .value = {large, len}, .ttl_ms = MINUTE};
    uint64_t sequence;
    for (int i = 0; i < 3; i++) must(store_append(room->store, &a, &sequence, &room->report));
    a.value.len = 2 * len + 2;
    must(store_append(room->store, &a, &sequence, &room->report));
    free(large);
    assert_int_equal(events(room, "log", 0).n, 2);
    assert_int_equal(events(room, "log", 2).n, 1);
    assert_int_equal(events(room, "log", 3).n, 1); /* one larger than the bound comes alone */
    assert_int_equal(events(room, "log", 3).items[0].value.len, 2 * len + 2);
}

/* -- counters --------------------------------------------------------------------------------- */

static void counters_add(void **state) {
    struct room *room = *state;
    assert_int_equal(add(room, "c", 0, MINUTE), 0);
    assert_int_equal(usage(room), 0); /* a look makes nothing */
    assert_int_equal(add(room, "c", 5, MINUTE), 5);
    clock_move(&room->clock, MINUTE / 2);
    assert_int_equal(add(room, "c", -7, MINUTE), -2);
    assert_int_equal(add(room, "c", 0, MINUTE), -2);
    clock_move(&room->clock, MINUTE / 2); /* the first add set the end */
    assert_int_equal(add(room, "c", 0, MINUTE), 0);
    assert_int_equal(add(room, "c", 1, STORE_FOREVER), 1);
    int64_t sum;
    result r = store_add(room->store, STR("c"), INT64_MAX, MINUTE, &sum, &room->report);
    assert_int_equal(r.why, FAIL_INPUT);
    assert_string_equal(room->report.code, "STORE_INVALID");
    assert_int_equal(add(room, "c", 0, MINUTE), 1);
}

static void the_three_sorts_are_apart(void **state) {
    struct room *room = *state;
    put(room, "x", "entry", MINUTE);
    assert_int_equal(add(room, "x", 3, MINUTE), 3);
    assert_int_equal(append(room, "x", "event"), 1);
    assert_true(drop_entry(room, "x", STORE_ANY));
    assert_int_equal(add(room, "x", 0, MINUTE), 3);
    assert_int_equal(events(room, "x", 0).n, 1);
}

/* -- the whole -------------------------------------------------------------------------------- */

static void the_tide_rises_with_changes_only(void **state) {
    struct room *room = *state;
    uint64_t before = tide(room), version = put(room, "a", "1", MINUTE);
    assert_true(tide(room) > before);
    before = tide(room);
    put_new(room, "a", "2", MINUTE);
    get(room, "a");
    swap(room, "a", version + 1, "2");
    assert_int_equal(tide(room), before);
    append(room, "log", "e");
    assert_true(tide(room) > before);
    before = tide(room);
    take(room, "a");
    assert_true(tide(room) > before);
}

static void bounds_are_kept(void **state) {
    struct room *room = *state;
    static char name[STORE_KEY_BYTES_MAX + 1];
    memset(name, 'k', sizeof name);
    const struct {
        struct str key;
        size_t value_len;
        int64_t ttl_ms;
        bool is_taken;
    } rows[] = {
        {STR("k"), 1, 1, true},
        {STR("k"), 1, STORE_TTL_MS_MAX, true},
        {{name, STORE_KEY_BYTES_MAX}, 1, MINUTE, true},
        {STR("k"), (size_t)STORE_VALUE_BYTES_MAX, MINUTE, true},
        {STR_NONE, 1, MINUTE, false},
        {{name, STORE_KEY_BYTES_MAX + 1}, 1, MINUTE, false},
        {STR("k"), (size_t)STORE_VALUE_BYTES_MAX + 1, MINUTE, false},
        {STR("k"), 1, 0, false},
        {STR("k"), 1, -1, false},
        {STR("k"), 1, STORE_TTL_MS_MAX + 1, false},
        {STR("k"), 1, INT64_MAX - 1, false},
    };
    char *large = calloc(1, (size_t)STORE_VALUE_BYTES_MAX + 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str value = {large, rows[i].value_len};
        struct store_item it = {rows[i].key, value, rows[i].ttl_ms};
        struct store_append a = {.log = rows[i].key, .value = value, .ttl_ms = rows[i].ttl_ms};
        struct report put_report = {0}, append_report = {0};
        uint64_t version, sequence;
        result p = store_put(room->store, &it, &version, &put_report);
        result q = store_append(room->store, &a, &sequence, &append_report);
        assert_int_equal(p.why, rows[i].is_taken ? FAIL_NONE : FAIL_INPUT);
        assert_int_equal(q.why, p.why);
        assert_int_equal(version != STORE_ABSENT, rows[i].is_taken);
        assert_int_equal(sequence != 0, rows[i].is_taken);
        if (!rows[i].is_taken) assert_string_equal(put_report.code, "STORE_INVALID");
    }
    free(large);
}

static void a_full_store_refuses_and_says_so(void **state) {
    struct room *room = *state;
    struct str sentence;
    static char value[64 * KIB];
    store_close(room->store);
    room->settings.max_bytes = MIB;
    room_open(room);
    assert_true(store_is_ready(room->store, &sentence, &room->arena));
    uint64_t version = 1;
    int n = 0;
    result r = OK;
    for (; r.why == FAIL_NONE && n < 100; n++) {
        char key[8];
        snprintf(key, sizeof key, "%d", n);
        struct store_item it = {str_of(key), {value, sizeof value}, MINUTE};
        r = store_put(room->store, &it, &version, &room->report);
    }
    assert_int_equal(r.why, FAIL_LIMIT);
    assert_string_equal(room->report.code, "STORE_FULL");
    assert_int_equal(n, 16); /* the sixteenth, with what each costs beside, was one too many */
    assert_true(usage(room) <= MIB);
    put(room, "0", "smaller", MINUTE); /* what shrinks is taken */
    struct store_item fill = {STR("fill"), {value, 60 * KIB}, MINUTE};
    must(store_put(room->store, &fill, &version, &room->report));
    struct store_item last = {STR("1000"), {value, sizeof value - 1024}, MINUTE};
    must(store_put(room->store, &last, &version, &room->report));
    store_tick(room->store);
    assert_false(store_is_ready(room->store, &sentence, &room->arena));
    assert_true(str_find(sentence, STR("nearly full")) < sentence.len);
    clock_move(&room->clock, MINUTE); /* what expired makes room by itself */
    struct report report = {0};
    must(store_put(room->store, &last, &version, &report));
    store_tick(room->store);
    assert_true(store_is_ready(room->store, &sentence, &room->arena));
}

static void what_just_expired_makes_room(void **state) {
    struct room *room = *state;
    static char value[900 * KIB];
    store_close(room->store);
    room->settings.max_bytes = MIB;
    room_open(room);
    for (int i = 0; i < 4; i++) {
        char key[8];
        snprintf(key, sizeof key, "%d", i);
        struct store_item it = {str_of(key), {value, sizeof value}, 1};
        must(store_put(room->store, &it, NULL, &room->report));
        assert_int_equal(put_new(room, key, "", MINUTE), STORE_ABSENT);
        clock_move(&room->clock, 1);
    }
}

static void a_spent_arena_takes_nothing(void **state) {
    struct room *room = *state;
    struct arena small;
    struct store_value value;
    struct store_events all;
    uint64_t version = put(room, "a", "a value that does not fit", MINUTE);
    append(room, "log", "an event that does not fit");
    arena_init(&small, 8);
    assert_int_equal(store_get(room->store, STR("a"), &small, &value, NULL).why, FAIL_MEMORY);
    assert_int_equal(store_take(room->store, STR("a"), &small, &value, NULL).why, FAIL_MEMORY);
    assert_int_equal(value.version, STORE_ABSENT);
    assert_int_equal(store_read(room->store, STR("log"), 0, 9, &small, &all, NULL).why,
                     FAIL_MEMORY);
    assert_int_equal(all.n, 0);
    arena_deinit(&small);
    assert_int_equal(get(room, "a").version, version);
    assert_int_equal(events(room, "log", 0).n, 1);
}

/* -- every kind ------------------------------------------------------------------------------- */

int main(void) {
    struct CMUnitTest tests[] = {
        ROOM_ROW(what_was_put_is_got),
        ROOM_ROW(names_and_values_are_bytes),
        ROOM_ROW(put_new_wins_once),
        ROOM_ROW(swap_wants_the_version),
        ROOM_ROW(who_does_not_ask_is_not_told),
        ROOM_ROW(an_old_version_never_comes_back),
        ROOM_ROW(take_is_single),
        ROOM_ROW(remove_and_touch_mean_a_version),
        ROOM_ROW(what_expired_is_absent),
        ROOM_ROW(what_just_expired_is_absent),
        ROOM_ROW(a_lease_is_held_by_touching_it),
        ROOM_ROW(what_expired_is_swept),
        ROOM_ROW(a_log_has_no_gap),
        ROOM_ROW(a_log_keeps_its_newest),
        ROOM_ROW(keep_may_be_lowered),
        ROOM_ROW(a_dropped_or_expired_log_begins_again),
        ROOM_ROW(only_the_holder_appends),
        ROOM_ROW(a_read_is_bounded),
        ROOM_ROW(counters_add),
        ROOM_ROW(the_three_sorts_are_apart),
        ROOM_ROW(the_tide_rises_with_changes_only),
        ROOM_ROW(bounds_are_kept),
        ROOM_ROW(a_full_store_refuses_and_says_so),
        ROOM_ROW(what_just_expired_makes_room),
        ROOM_ROW(a_spent_arena_takes_nothing),
    };
    return room_run(tests, COUNT(tests));
}
