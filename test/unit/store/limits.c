/* Windows and places: never one more than is allowed, whoever asks and whenever. */
#include "room.h"

static struct store_admission admit(struct room *room, const struct store_window *windows,
                                    size_t n) {
    struct store_admission out;
    must(store_admit(room->store, windows, n, &out, &room->report));
    return out;
}

static struct store_admission admit_one(struct room *room, const char *key, int64_t max,
                                        int64_t window_ms) {
    return admit(room, &(struct store_window){str_of(key), max, window_ms}, 1);
}

static struct store_place place(const char *key, const char *member, int64_t ttl_ms) {
    return (struct store_place){str_of(key), str_of(member), ttl_ms};
}

static bool enter(struct room *room, const char *key, const char *member, int64_t max) {
    struct store_place at = place(key, member, MINUTE);
    bool is_in;
    must(store_enter(room->store, &at, max, &is_in, &room->report));
    return is_in;
}

static bool stay(struct room *room, const char *key, const char *member, int64_t ttl_ms) {
    struct store_place at = place(key, member, ttl_ms);
    bool is_in;
    must(store_stay(room->store, &at, &is_in, &room->report));
    return is_in;
}

static bool leave(struct room *room, const char *key, const char *member) {
    struct store_place at = place(key, member, 0);
    bool was_in;
    must(store_leave(room->store, &at, &was_in, &room->report));
    return was_in;
}

/* -- windows ---------------------------------------------------------------------------------- */

static void a_window_slides(void **state) {
    /* at a time, with 3 a minute: what is left or, below 0, for how long it is refused */
    static const struct {
        int64_t at_ms, says;
    } rows[] = {
        {0, 2},      {0, 1},      {10000, 0},     {10000, -50000}, {59999, -1},
        {60000, 1},  {60000, 0},  {60001, -9999}, {70000, 0},      {70000, -50000},
        {129999, 1}, {129999, 0}, {129999, -1},   {130000, 0},     {1000000, 2},
    };
    struct room *room = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        clock_move(&room->clock, ROOM_TIME + rows[i].at_ms - clock_wall_ms(&room->clock));
        struct store_admission says = admit_one(room, "ann", 3, MINUTE);
        assert_int_equal(says.is_admitted, rows[i].says >= 0);
        assert_int_equal(says.is_admitted ? says.left : -says.retry_after_ms, rows[i].says);
    }
}

static void all_windows_or_none(void **state) {
    struct room *room = *state;
    const struct store_window both[] = {{STR("client"), 5, MINUTE}, {STR("ann"), 2, 10000}};
    assert_int_equal(admit(room, both, 2).left, 1);
    struct store_admission second = admit(room, both, 2);
    assert_true(second.is_admitted);
    assert_int_equal(second.tightest, 1);
    for (int i = 0; i < 9; i++) { /* the client's is not charged for these */
        struct store_admission refused = admit(room, both, 2);
        assert_false(refused.is_admitted);
        assert_int_equal(refused.tightest, 1);
        assert_int_equal(refused.retry_after_ms, 10000);
        assert_int_equal(refused.left, 0);
    }
    assert_int_equal(admit(room, both, 1).left, 2);
    assert_int_equal(admit(room, both, 1).left, 1);
    assert_int_equal(admit(room, both, 1).left, 0);
    struct store_admission full = admit(room, both, 2); /* both are: the longer one speaks */
    assert_int_equal(full.tightest, 0);
    assert_int_equal(full.retry_after_ms, MINUTE);
}

static void a_length_is_another_window(void **state) {
    struct room *room = *state;
    const struct store_window both[] = {{STR("ann"), 2, 1000}, {STR("ann"), 3, MINUTE}};
    assert_int_equal(admit(room, both, 2).left, 1);
    assert_int_equal(admit(room, both, 2).left, 0);
    assert_int_equal(admit(room, both, 2).retry_after_ms, 1000);
    clock_move(&room->clock, 1000);
    assert_int_equal(admit(room, both, 2).left, 0);
    assert_int_equal(admit(room, both, 2).retry_after_ms, MINUTE - 1000);
}

static void no_window_and_no_call(void **state) {
    struct room *room = *state;
    struct store_admission all = admit(room, NULL, 0);
    assert_true(all.is_admitted);
    assert_int_equal(all.left, INT64_MAX);
    struct store_admission none = admit_one(room, "ann", 0, MINUTE);
    assert_false(none.is_admitted);
    assert_int_equal(none.retry_after_ms, STORE_FOREVER);
    assert_int_equal(usage(room), 0);
}

/* A policy that was reloaded: who had more than may be now waits for enough of them to go. */
static void a_maximum_may_be_lowered(void **state) {
    struct room *room = *state;
    for (int i = 0; i < 5; i++) {
        assert_true(admit_one(room, "ann", 5, MINUTE).is_admitted);
        clock_move(&room->clock, 1000);
    }
    assert_int_equal(admit_one(room, "ann", 2, MINUTE).retry_after_ms, MINUTE - 2000);
    assert_int_equal(admit_one(room, "ann", 5, MINUTE).retry_after_ms, MINUTE - 5000);
    assert_int_equal(admit_one(room, "ann", 6, MINUTE).left, 0);
}

static void a_clock_that_is_set_back_admits_no_more(void **state) {
    struct room *room = *state;
    assert_true(admit_one(room, "ann", 2, MINUTE).is_admitted);
    clock_move(&room->clock, -1000);
    assert_true(admit_one(room, "ann", 2, MINUTE).is_admitted);
    clock_move(&room->clock, -1000);
    assert_false(admit_one(room, "ann", 2, MINUTE).is_admitted);
    clock_move(&room->clock, 2000 + MINUTE);
    assert_true(admit_one(room, "ann", 2, MINUTE).is_admitted);
    assert_true(admit_one(room, "ann", 2, MINUTE).is_admitted);
    assert_false(admit_one(room, "ann", 2, MINUTE).is_admitted);
}

enum { CALLS_MAX = 4000 };

struct calls {
    int64_t at[CALLS_MAX];
    size_t n;
};

static int64_t counting(const struct calls *calls, int64_t now, int64_t window_ms) {
    int64_t n = 0;
    for (size_t i = calls->n; i > 0 && calls->at[i - 1] > now - window_ms; i--) n++;
    return n;
}

/* Two handles ask in turn, as two replicas do; a list of all that was admitted tells what is right:
 * never one more than a maximum, never one refused that had room, and the right time to come back.
 */
static void never_more_in_any_window(void **state) {
    struct room *room = *state;
    struct store *other = NULL;
    static struct calls calls[2];
    uint64_t seed = 0x9e3779b97f4a7c15;
    const struct store_window windows[] = {{STR("second"), 4, 100}, {STR("minute"), 30, 1700}};
    memset(calls, 0, sizeof calls);
    if (room_is_shared(room->settings.kind))
        must(store_open(&room->settings, str_of(room->dir), &room->clock, &other, &room->report));
    for (int i = 0; i < 3000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        clock_move(&room->clock, (int64_t)(seed >> 33) % (i % 100 == 0 ? 4000 : 30));
        struct store *store = (seed >> 62) != 0 || other == NULL ? room->store : other;
        int64_t now = clock_wall_ms(&room->clock), left = INT64_MAX;
        struct store_admission says;
        must(store_admit(store, windows, 2, &says, &room->report));
        for (size_t w = 0; w < 2; w++) {
            int64_t free = windows[w].max - counting(&calls[w], now, windows[w].window_ms);
            assert_true(free >= 0);
            if (free < left) left = free;
            if (says.is_admitted || says.tightest != w) continue;
            int64_t again = now + says.retry_after_ms; /* not a millisecond too late */
            assert_true(counting(&calls[w], again, windows[w].window_ms) < windows[w].max);
            assert_true(counting(&calls[w], again - 1, windows[w].window_ms) >= windows[w].max);
        }
        assert_int_equal(says.is_admitted, left > 0);
        if (says.is_admitted) assert_int_equal(says.left, left - 1);
        for (size_t w = 0; w < 2 && says.is_admitted; w++) calls[w].at[calls[w].n++] = now;
    }
    store_close(other);
}

static void windows_have_bounds(void **state) {
    struct room *room = *state;
    static char name[STORE_KEY_BYTES_MAX + 1];
    struct store_window many[STORE_WINDOWS_MAX + 1];
    memset(name, 'k', sizeof name);
    const struct {
        struct store_window window;
        bool is_taken;
    } rows[] = {
        {{STR("k"), 1, 1}, true},
        {{{name, STORE_KEY_BYTES_MAX}, STORE_WINDOW_MAX, STORE_TTL_MS_MAX}, true},
        {{STR_NONE, 1, 1}, false},
        {{{name, STORE_KEY_BYTES_MAX + 1}, 1, 1}, false},
        {{STR("k"), -1, 1}, false},
        {{STR("k"), STORE_WINDOW_MAX + 1, 1}, false},
        {{STR("k"), 1, 0}, false},
        {{STR("k"), 1, STORE_TTL_MS_MAX + 1}, false},
        {{STR("k"), 1, STORE_FOREVER}, false},
    };
    struct store_admission out;
    for (size_t i = 0; i < COUNT(rows); i++) {
        result r = store_admit(room->store, &rows[i].window, 1, &out, NULL);
        assert_int_equal(r.why, rows[i].is_taken ? FAIL_NONE : FAIL_INPUT);
        assert_int_equal(out.is_admitted, rows[i].is_taken);
    }
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = (struct store_window){STR("many"), 1, 1 + (int64_t)i};
    assert_int_equal(store_admit(room->store, many, COUNT(many), &out, NULL).why, FAIL_INPUT);
    must(store_admit(room->store, many, STORE_WINDOWS_MAX, &out, NULL));
    many[1] = many[0];
    assert_int_equal(store_admit(room->store, many, 2, &out, NULL).why, FAIL_INPUT);
}

/* -- places ----------------------------------------------------------------------------------- */

static void places_are_counted(void **state) {
    struct room *room = *state;
    assert_true(enter(room, "ann", "1", 2));
    assert_true(enter(room, "ann", "2", 2));
    assert_false(enter(room, "ann", "3", 2));
    assert_true(enter(room, "bob", "3", 2));
    assert_true(enter(room, "ann", "2", 2)); /* who is in may ask again */
    assert_true(enter(room, "ann", "2", 0)); /* even where it is full by now */
    assert_true(leave(room, "ann", "1"));
    assert_false(leave(room, "ann", "1"));
    assert_true(enter(room, "ann", "3", 2));
    assert_false(enter(room, "none", "1", 0));
    struct store_place at = place("ann", "3", 0);
    must(store_leave(room->store, &at, NULL, &room->report));
    assert_false(leave(room, "ann", "3"));
}

static void a_place_is_a_lease(void **state) {
    struct room *room = *state;
    assert_false(stay(room, "ann", "1", MINUTE));
    assert_true(enter(room, "ann", "1", 1));
    for (int i = 0; i < 4; i++) {
        clock_move(&room->clock, MINUTE - 1);
        assert_true(stay(room, "ann", "1", MINUTE));
        assert_false(enter(room, "ann", "2", 1));
    }
    clock_move(&room->clock, MINUTE); /* its holder died */
    assert_false(stay(room, "ann", "1", MINUTE));
    assert_false(leave(room, "ann", "1"));
    assert_true(enter(room, "ann", "2", 1));
    assert_false(enter(room, "ann", "1", 1));
    clock_move(&room->clock, MINUTE);
    assert_true(enter(room, "ann", "2", 1)); /* the same again, where it was not swept */
}

static void names_of_places_are_two(void **state) {
    struct room *room = *state;
    assert_true(enter(room, "a", "bc", 1));
    assert_true(enter(room, "ab", "c", 1));
    assert_false(leave(room, "abc", "c"));
    assert_true(leave(room, "a", "bc"));
    assert_true(leave(room, "ab", "c"));
}

static void places_have_bounds(void **state) {
    struct room *room = *state;
    static char name[STORE_KEY_BYTES_MAX + 1];
    memset(name, 'k', sizeof name);
    struct str longest = {name, STORE_KEY_BYTES_MAX}, too_long = {name, sizeof name};
    const struct {
        struct store_place place;
        int64_t max;
        bool is_taken;
    } rows[] = {
        {{STR("k"), STR("m"), 1}, 1, true},
        {{longest, longest, STORE_FOREVER}, STORE_PLACES_MAX, true},
        {{STR_NONE, STR("m"), 1}, 1, false},
        {{STR("k"), STR_NONE, 1}, 1, false},
        {{too_long, STR("m"), 1}, 1, false},
        {{STR("k"), too_long, 1}, 1, false},
        {{STR("k"), STR("m"), 0}, 1, false},
        {{STR("k"), STR("m"), STORE_TTL_MS_MAX + 1}, 1, false},
        {{STR("k"), STR("m"), 1}, -1, false},
        {{STR("k"), STR("m"), 1}, STORE_PLACES_MAX + 1, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool is_in;
        result r = store_enter(room->store, &rows[i].place, rows[i].max, &is_in, NULL);
        assert_int_equal(r.why, rows[i].is_taken ? FAIL_NONE : FAIL_INPUT);
        assert_int_equal(is_in, rows[i].is_taken);
    }
}

/* -- both ------------------------------------------------------------------------------------- */

/* They cost what they hold, and nothing when they ended. */
static void what_counts_no_more_is_swept(void **state) {
    struct room *room = *state;
    for (int i = 0; i < 2 * STORE_SWEEP_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        assert_true(admit_one(room, i % 2 == 0 ? "busy" : name, 1000, MINUTE).is_admitted);
        assert_true(enter(room, "places", name, STORE_PLACES_MAX));
        if (i % 4 == 0) clock_move(&room->clock, 1);
    }
    int64_t before = usage(room);
    assert_true(before > 2 * STORE_SWEEP_MAX * (STORE_ENTRY_BYTES + STORE_HIT_BYTES));
    clock_move(&room->clock, MINUTE);
    for (int i = 0; i < 20 && usage(room) > 0; i++) {
        store_tick(room->store);
        assert_true(usage(room) < before);
        before = usage(room);
    }
    assert_int_equal(usage(room), 0);
}

static void a_full_store_admits_nobody(void **state) {
    struct room *room = *state;
    static char value[MIB - 300];
    struct store_item fill = {STR("fill"), {value, sizeof value}, MINUTE};
    struct store_admission out;
    bool is_in;
    store_close(room->store);
    room->settings.max_bytes = MIB;
    room_open(room);
    must(store_put(room->store, &fill, NULL, &room->report));
    const struct store_window windows[] = {{STR("a"), 9, MINUTE}, {STR("b"), 9, MINUTE}};
    int64_t before = usage(room);
    result r = store_admit(room->store, windows, 2, &out, &room->report);
    assert_int_equal(r.why, FAIL_LIMIT);
    assert_false(out.is_admitted);
    assert_int_equal(usage(room), before); /* not even the first of them */
    assert_int_equal(admit(room, windows, 1).left, 8);
    struct store_place at = place("places", "member", MINUTE);
    assert_int_equal(store_enter(room->store, &at, 1, &is_in, NULL).why, FAIL_LIMIT);
    assert_false(is_in);
    clock_move(&room->clock, MINUTE); /* what expired makes room by itself */
    assert_true(admit(room, windows, 2).is_admitted);
    assert_true(enter(room, "places", "member", 1));
}

static void neither_moves_the_tide(void **state) {
    struct room *room = *state;
    uint64_t before = tide(room);
    assert_true(admit_one(room, "ann", 3, MINUTE).is_admitted);
    assert_true(enter(room, "ann", "1", 1));
    assert_true(leave(room, "ann", "1"));
    assert_int_equal(tide(room), before);
}

/* -- every kind ------------------------------------------------------------------------------- */

int main(void) {
    struct CMUnitTest tests[] = {
        ROOM_ROW(a_window_slides),
        ROOM_ROW(all_windows_or_none),
        ROOM_ROW(a_length_is_another_window),
        ROOM_ROW(no_window_and_no_call),
        ROOM_ROW(a_maximum_may_be_lowered),
        ROOM_ROW(a_clock_that_is_set_back_admits_no_more),
        ROOM_ROW(never_more_in_any_window),
        ROOM_ROW(windows_have_bounds),
        ROOM_ROW(places_are_counted),
        ROOM_ROW(a_place_is_a_lease),
        ROOM_ROW(names_of_places_are_two),
        ROOM_ROW(places_have_bounds),
        ROOM_ROW(what_counts_no_more_is_swept),
        ROOM_ROW(a_full_store_admits_nobody),
        ROOM_ROW(neither_moves_the_tide),
    };
    return room_run(tests, COUNT(tests));
}
