/*
 * Non-interference: random statements over tables with denied columns and fields, masks and row
 * filters. Each one that the guard accepts is run over two warehouses that are equal in what the
 * caller may see and differ in all else (taint_warehouse.h). Rows, or code, sentence and hint of
 * the failure, must be equal byte for byte; rows as a multiset, for nothing orders them.
 *
 * A program brings an engine (struct taint_house) and gives taint_main() the rest:
 *
 *     test-backend-taint [SEED [COUNT]]      statements SEED, SEED + 1, …
 *     test-backend-taint soak HOURS          fresh seeds, until a difference is found
 *     TAINT_TELL=1 test-backend-taint …      shows each text that the engine did not understand
 *
 * A statement that differs from itself over one warehouse is no evidence; it is counted apart. A
 * LIMIT without an order may cut what it likes: the statement is run without it as every other, and
 * then what it gives must be as many of those rows as it says.
 */
#ifndef TEST_TAINT_TRIAL_H
#define TEST_TAINT_TRIAL_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/rand.h"
#include "taint_kinds.h"
#include "taint_query.h"

#include <inttypes.h>
#include <pthread.h>

enum { TAINT_HOLE_SEED = 20240102, TAINT_ALIKE = 3, TAINT_ARENA = 256 << 20 };

/* One statement over one warehouse. */
struct taint_run {
    size_t warehouse; /* 0 or 1 */
    struct str sql;
    bool is_private; /* a filter or mask is at work: no text of the engine reaches the caller */
    struct arena arena;
    bool is_undone;    /* too slow, or nobody was free: it shows nothing */
    bool is_failure;   /* `text` is what the caller is told, else columns and rows, a line each */
    bool is_misprint;  /* the engine did not understand what the guard printed */
    struct str text;   /* in the arena */
    struct str engine; /* its own words, for whoever reads the test's output */
};

struct taint_house {
    const char *name;
    enum guard_dialect dialect;
    /* Called by two threads at once, each with another warehouse: it asserts nothing. */
    void (*ask)(struct taint_run *run);
    void (*open)(void);
    void (*close)(void);
    uint64_t first;                      /* seed */
    size_t count;                        /* statements */
    size_t hole_count;                   /* the most that it may take to find a hole */
    unsigned least_accepted, least_rows; /* per cent of those said, of those run */
    bool has_structs;                    /* a field of a struct can be said at all */
    unsigned most_misprints; /* of a thousand that are run; the guard should have refused them */
};

struct taint_tally {
    size_t said, accepted, run, equal, failed_equally, rows, slow, unstable, misprinted, different;
    size_t of_kind[TAINT_KINDS], accepted_kind[TAINT_KINDS], answered_kind[TAINT_KINDS];
};

struct taint_trial {
    const struct taint_house *house;
    struct world *world;
    enum taint_hole hole;
    struct taint_tally tally;
    struct say say;
};

/* -- rows as lines ---------------------------------------------------------------------------- */

static inline int taint_by_bytes(const void *a, const void *b) {
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The first line stays the first. */
static inline struct str taint_sorted(struct str text, struct arena *arena) {
    struct buf out;
    struct str rest = text, head = str_cut(&rest, '\n'), *lines = NULL;
    size_t n = 0, cap = 0;
    while (rest.len > 0) {
        struct str *line = ARENA_PUSH(arena, lines, n, cap);
        assert_non_null(line);
        *line = str_cut(&rest, '\n');
    }
    if (n > 1) qsort(lines, n, sizeof *lines, taint_by_bytes);
    buf_init(&out, 64 << 20);
    buf_add(&out, head);
    for (size_t i = 0; i < n; i++) {
        buf_add_byte(&out, '\n');
        buf_add(&out, lines[i]);
    }
    struct str all = str_dup(arena, buf_flat(&out, arena));
    buf_deinit(&out);
    return all;
}

static inline size_t taint_rows(const struct taint_run *run) {
    size_t n = 0;
    for (size_t i = 0; i < run->text.len; i++) n += run->text.ptr[i] == '\n';
    return n;
}

/* Is each row of `some` one of `all`, both sorted? */
static inline bool taint_is_among(struct str some, struct str all) {
    if (!str_eq(str_cut(&some, '\n'), str_cut(&all, '\n'))) return false;
    while (some.len > 0) {
        struct str row = str_cut(&some, '\n');
        bool is_found = false;
        while (all.len > 0 && !is_found) is_found = str_eq(str_cut(&all, '\n'), row);
        if (!is_found) return false;
    }
    return true;
}

/* -- running ---------------------------------------------------------------------------------- */

/* Without what keeps the caller's expressions from rows that a filter hides; rewrite_fence(). */
static inline struct str taint_without_fence(struct str sql, struct arena *arena) {
    static const struct str fence = STR_INIT(" OFFSET 0)");
    char *out = arena_alloc(arena, sql.len, 1);
    size_t n = 0;
    assert_non_null(out);
    while (sql.len > 0) {
        size_t at = str_find(sql, fence);
        memcpy(out + n, sql.ptr, at);
        n += at;
        if (at == sql.len) break;
        out[n++] = ')';
        sql = str_slice(sql, at + fence.len, sql.len);
    }
    return (struct str){out, n};
}

struct taint_asking {
    const struct taint_house *house;
    struct taint_run *run;
};

static inline void *taint_ask(void *with) {
    struct taint_asking *asking = with;
    asking->house->ask(asking->run);
    return NULL;
}

/* Over both warehouses at once. */
static inline void taint_run_pair(const struct taint_trial *t, const struct guard_answer *answer,
                                  struct taint_run pair[2]) {
    pthread_t thread;
    struct taint_asking other = {t->house, &pair[1]};
    for (size_t i = 0; i < 2; i++) {
        pair[i] = (struct taint_run){
            .warehouse = i, .sql = answer->run, .is_private = !answer->may_tell_engine};
        arena_init(&pair[i].arena, TAINT_ARENA);
        if (t->hole == HOLE_FENCE) pair[i].sql = taint_without_fence(answer->run, &pair[i].arena);
    }
    assert_int_equal(pthread_create(&thread, NULL, taint_ask, &other), 0);
    t->house->ask(&pair[0]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (size_t i = 0; i < 2; i++)
        if (!pair[i].is_failure && !pair[i].is_undone)
            pair[i].text = taint_sorted(pair[i].text, &pair[i].arena);
}

static inline void taint_end(struct taint_run pair[2]) {
    arena_deinit(&pair[0].arena);
    arena_deinit(&pair[1].arena);
}

/* Does it answer alike over one warehouse, asked again and again? */
static inline bool taint_is_stable(const struct taint_trial *t, const struct guard_answer *answer,
                                   const struct taint_run first[2]) {
    bool is_alike = true;
    for (size_t again = 1; again < TAINT_ALIKE && is_alike; again++) {
        struct taint_run pair[2];
        taint_run_pair(t, answer, pair);
        is_alike = str_eq(first[0].text, pair[0].text) && str_eq(first[1].text, pair[1].text);
        taint_end(pair);
    }
    return is_alike;
}

/* -- one statement ---------------------------------------------------------------------------- */

/* cmocka's own words are cut where a line ends for it. */
static inline void taint_tell(const struct taint_trial *t, const char *what, uint64_t seed,
                              const struct taint_run pair[2]) {
    if (t->hole != HOLE_NONE) return; /* as it should be */
    fprintf(stderr, "%s, seed %" PRIu64 "\n    %s\n    " STR_FMT "\n", what, seed, t->say.text,
            STR_ARG(pair[0].sql));
    for (size_t i = 0; i < 2; i++)
        fprintf(stderr, "%c   " STR_FMT "\n    " STR_FMT "\n", "AB"[i], STR_ARG(pair[i].text),
                STR_ARG(pair[i].engine));
}

static inline void taint_note_misprint(struct taint_trial *t, uint64_t seed,
                                       const struct taint_run pair[2]) {
    if (!pair[0].is_misprint && !pair[1].is_misprint) return;
    t->tally.misprinted++;
    if (getenv("TAINT_TELL") != NULL) taint_tell(t, "not understood", seed, pair);
}

/* True: the pair is equal and shows rows. */
static inline bool taint_judge(struct taint_trial *t, uint64_t seed,
                               const struct guard_answer *answer, const struct taint_run pair[2]) {
    struct taint_tally *n = &t->tally;
    if (pair[0].is_undone || pair[1].is_undone) {
        n->slow++;
        return false;
    }
    n->run++;
    taint_note_misprint(t, seed, pair);
    if (str_eq(pair[0].text, pair[1].text)) {
        n->equal++;
        n->failed_equally += pair[0].is_failure;
        n->rows += !pair[0].is_failure && taint_rows(&pair[0]) > 0;
        return !pair[0].is_failure;
    }
    if (!taint_is_stable(t, answer, pair)) {
        n->unstable++;
    } else {
        n->different++;
        taint_tell(t, "differs", seed, pair);
    }
    return false;
}

/* What a LIMIT without an order may give: so many rows of those that there are without it. */
static inline bool taint_is_cut(const struct taint_run *cut, const struct taint_run *whole,
                                int64_t limit) {
    size_t n = taint_rows(whole);
    if (n > (size_t)limit) n = (size_t)limit;
    return !cut->is_failure && taint_rows(cut) == n && taint_is_among(cut->text, whole->text);
}

static inline void taint_judge_cut(struct taint_trial *t, uint64_t seed,
                                   const struct guard_answer *answer,
                                   const struct taint_run *whole) {
    struct taint_run pair[2];
    taint_run_pair(t, answer, pair);
    bool is_undone = pair[0].is_undone || pair[1].is_undone;
    bool is_good = taint_is_cut(&pair[0], whole, answer->limit) &&
                   taint_is_cut(&pair[1], whole, answer->limit);
    if (!is_undone && !is_good) {
        t->tally.different++;
        taint_tell(t, "is cut otherwise", seed, pair);
    }
    taint_end(pair);
}

/* False: refused. */
static inline bool taint_check(struct taint_trial *t, struct str text, struct arena *arena,
                               struct guard_answer *answer) {
    struct report report = {0};
    struct guard_request request = {
        .text = text, .dialect = t->house->dialect, .grant = &t->world->grant};
    result checked = guard_check(&request, arena, answer, &report);
    return checked.why == FAIL_NONE && answer->effect == GUARD_ALLOW;
}

static inline void taint_count_kinds(const struct taint_trial *t, size_t counts[TAINT_KINDS]) {
    for (size_t i = 0; i < TAINT_KINDS; i++) counts[i] += taint_is_kind(&t->say, i);
}

static inline void taint_try(struct taint_trial *t, uint64_t seed) {
    struct arena arena;
    struct guard_answer answer, cut;
    struct taint_run pair[2];
    say_statement(&t->say, seed);
    if (t->say.is_full) return;
    struct str text = {t->say.text, t->say.n};
    struct str whole = t->say.loose > 0 ? str_slice(text, 0, t->say.loose) : text;
    arena_init(&arena, TAINT_ARENA);
    t->tally.said++;
    taint_count_kinds(t, t->tally.of_kind);
    if (taint_check(t, whole, &arena, &answer)) {
        t->tally.accepted++;
        taint_count_kinds(t, t->tally.accepted_kind);
        taint_run_pair(t, &answer, pair);
        if (taint_judge(t, seed, &answer, pair)) {
            taint_count_kinds(t, t->tally.answered_kind);
            if (t->say.loose > 0 && taint_check(t, text, &arena, &cut))
                taint_judge_cut(t, seed, &cut, &pair[0]);
        }
        taint_end(pair);
    }
    arena_deinit(&arena);
}

/* -- what came of it -------------------------------------------------------------------------- */

static inline void taint_print(const struct taint_trial *t, uint64_t seed) {
    const struct taint_tally *n = &t->tally;
    print_message("%s, seed %" PRIu64 ": %zu statements, %zu accepted, %zu refused, %zu run on "
                  "both, %zu equal (%zu with rows, %zu failed equally, %zu not understood), %zu "
                  "too slow, %zu unlike themselves, %zu differ\n",
                  t->house->name, seed, n->said, n->accepted, n->said - n->accepted, n->run,
                  n->equal, n->rows, n->failed_equally, n->misprinted, n->slow, n->unstable,
                  n->different);
}

static inline void taint_print_kinds(const struct taint_trial *t) {
    const struct taint_tally *n = &t->tally;
    print_message("said, accepted, answered by both:\n");
    for (size_t i = 0; i < TAINT_KINDS; i++)
        print_message("    %-20s %5zu %5zu %5zu\n", taint_kinds[i].name, n->of_kind[i],
                      n->accepted_kind[i], n->answered_kind[i]);
}

static inline struct taint_trial *taint_new(const struct taint_house *house, struct arena *arena,
                                            enum taint_hole hole) {
    struct taint_trial *t = arena_new(arena, struct taint_trial);
    assert_non_null(t);
    t->house = house;
    t->hole = hole;
    t->world = taint_grant(arena, hole);
    return t;
}

/* -- the tests; *state is the house ----------------------------------------------------------- */

static inline void taint_assert_reach(const struct taint_trial *t) {
    const struct taint_house *house = t->house;
    const struct taint_tally *n = &t->tally;
    assert_true(n->accepted * 100 >= n->said * house->least_accepted);
    assert_true(n->rows * 100 >= n->run * house->least_rows);
    assert_true((n->slow + n->unstable) * 100 <= n->said);
    assert_true(n->misprinted * 1000 <= n->run * house->most_misprints);
    for (size_t i = 0; i < TAINT_KINDS; i++) {
        const struct taint_kind *kind = &taint_kinds[i];
        size_t least =
            house->dialect == DIALECT_POSTGRES ? kind->least_postgres : kind->least_duckdb;
        if (n->answered_kind[i] * 1000 >= n->said * least) continue;
        print_error("too few that have %s\n", kind->name);
        assert_true(false);
    }
}

static inline void taint_nothing_is_felt(void **state) {
    struct arena arena;
    const struct taint_house *house = *state;
    arena_init(&arena, 8 << 20);
    struct taint_trial *t = taint_new(house, &arena, HOLE_NONE);
    for (size_t i = 0; i < house->count; i++) taint_try(t, house->first + i);
    taint_print(t, house->first);
    if (house->count >= 1000) taint_print_kinds(t);
    assert_int_equal(t->tally.different, 0);
    if (house->count >= 1000) taint_assert_reach(t);
    arena_deinit(&arena);
}

/* The same, with a grant that has a hole: it must be found, or the test above shows nothing. */
static inline void taint_a_hole_is_found(void **state) {
    static const char *const names[] = {"none",         "row filter", "denied column",
                                        "denied field", "mask",       "fence"};
    const struct taint_house *house = *state;
    for (enum taint_hole hole = HOLE_FILTER; hole <= HOLE_FENCE; hole++) {
        struct arena arena;
        if (hole == HOLE_FIELD && !house->has_structs) continue;
        arena_init(&arena, 8 << 20);
        struct taint_trial *t = taint_new(house, &arena, hole);
        size_t i = 0;
        while (i < house->hole_count && t->tally.different == 0)
            taint_try(t, TAINT_HOLE_SEED + i++);
        print_message("%s left out: %zu of %zu statements differ\n", names[hole],
                      t->tally.different, i);
        assert_true(t->tally.different > 0);
        arena_deinit(&arena);
    }
}

/* -- hours of it ------------------------------------------------------------------------------ */

static inline int taint_soak(const struct taint_house *house, double hours) {
    struct arena arena;
    int64_t end = clock_mono_ns(&clock_real) + (int64_t)(hours * 3600e9), minute = 0;
    uint64_t seed = rand_u64() >> 16, from = seed;
    house->open();
    arena_init(&arena, 8 << 20);
    struct taint_trial *t = taint_new(house, &arena, HOLE_NONE);
    while (t->tally.different == 0 && clock_mono_ns(&clock_real) < end) {
        taint_try(t, seed++);
        if (clock_mono_ns(&clock_real) < minute) continue;
        taint_print(t, from);
        minute = clock_mono_ns(&clock_real) + 60 * (int64_t)1000000000;
    }
    taint_print(t, from);
    taint_print_kinds(t);
    int code = t->tally.different > 0;
    arena_deinit(&arena);
    house->close();
    return code;
}

static inline int taint_main(struct taint_house *house, int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "soak") == 0)
        return taint_soak(house, argc > 2 ? strtod(argv[2], NULL) : 1);
    if (argc > 1) house->first = strtoull(argv[1], NULL, 10);
    if (argc > 2) house->count = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(taint_nothing_is_felt, house),
        cmocka_unit_test_prestate(taint_a_hole_is_found, house),
    };
    house->open();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    house->close();
    return failed;
}

/* -- how many --------------------------------------------------------------------------------- */

#if defined(__has_feature)
#define TAINT_HAS(feature) __has_feature(feature)
#else
#define TAINT_HAS(feature) 0
#endif
/* A sanitizer makes it five times slower: then there are fewer, and each build has its own. */
#if defined(__SANITIZE_THREAD__) || TAINT_HAS(thread_sanitizer)
enum { TAINT_SHARE = 10, TAINT_FIRST = 1000000 };
#elif TAINT_HAS(address_sanitizer)
enum { TAINT_SHARE = 15, TAINT_FIRST = 2000000 };
#elif defined(__SANITIZE_ADDRESS__)
enum { TAINT_SHARE = 15, TAINT_FIRST = 3000000 };
#else
enum { TAINT_SHARE = 100, TAINT_FIRST = 4000000 }; /* per cent of an engine's statements */
#endif

#endif
