/*
 * Non-interference: random statements over tables with denied columns and fields, masks and row
 * filters. Each one that the guard accepts is run by real DuckDB over two warehouses that are equal
 * in what the caller may see and differ in all else (taint_warehouse.h). Rows, or code, sentence
 * and hint of the failure, must be equal byte for byte; rows as a multiset, for nothing orders
 * them.
 *
 *     test-backend-taint [SEED [COUNT]]      statements SEED, SEED + 1, …
 *     test-backend-taint soak HOURS          fresh seeds, until a difference is found
 *
 * A statement that differs from itself over one warehouse is no evidence; it is counted apart.
 */
#include "engine.h"

#include "base/rand.h"
#include "taint_query.h"

#include <inttypes.h>
#include <pthread.h>

#if defined(__has_feature)
#define TAINT_HAS(feature) __has_feature(feature)
#else
#define TAINT_HAS(feature) 0
#endif
/* A sanitizer makes it five times slower: then there are fewer, and each build has its own. */
#if defined(__SANITIZE_THREAD__) || TAINT_HAS(thread_sanitizer)
enum { TAINT_COUNT = 1000, TAINT_FIRST = 1000000 };
#elif TAINT_HAS(address_sanitizer)
enum { TAINT_COUNT = 1500, TAINT_FIRST = 2000000 };
#elif defined(__SANITIZE_ADDRESS__)
enum { TAINT_COUNT = 1500, TAINT_FIRST = 3000000 };
#else
enum { TAINT_COUNT = 10000, TAINT_FIRST = 4000000 };
#endif

enum { TAINT_HOLE_SEED = 20240102, TAINT_RUN_MS = 8000, TAINT_HOLE_COUNT = 1500, TAINT_ALIKE = 3 };

static struct engine_rig rigs[2];
static char folders[2][400];

/* -- the warehouses --------------------------------------------------------------------------- */

static void open_warehouse(size_t i) {
    char list[900], here[300];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(folders[i], sizeof folders[i], "%s/weir-taint-XXXXXX", here);
    assert_non_null(mkdtemp(folders[i]));
    taint_write(folders[i], i == 1);
    snprintf(list, sizeof list,
             "[{name: demo, kind: duckdb, load: [\"%s/*.csv\"], workers: 1, threads: 1}]\n",
             folders[i]);
    rig_open(&rigs[i], list);
}

static int open_both(void **state) {
    (void)state;
    open_warehouse(0);
    open_warehouse(1);
    return 0;
}

static int close_both(void **state) {
    char command[900];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rig_close(&rigs[i]);
        snprintf(command, sizeof command, "rm -rf '%s'", folders[i]);
        assert_int_equal(system(command), 0);
    }
    return 0;
}

/* -- one statement over one warehouse --------------------------------------------------------- */

struct run {
    size_t warehouse;
    struct str sql;
    bool is_private;
    struct arena arena;
    struct line_sink lines;
    struct report report;
    struct run_facts facts;
    result ran;
    struct str text; /* columns and sorted rows, or what the caller is told */
};

static int by_bytes(const void *a, const void *b) {
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static struct str sorted(struct str text, struct arena *arena) {
    struct buf out;
    struct str rest = text, head = str_cut(&rest, '\n'), *lines = NULL;
    size_t n = 0, cap = 0;
    while (rest.len > 0) {
        struct str *line = ARENA_PUSH(arena, lines, n, cap);
        assert_non_null(line);
        *line = str_cut(&rest, '\n');
    }
    if (n > 1) qsort(lines, n, sizeof *lines, by_bytes);
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

/* As a thread: it asserts nothing. */
static void *run_over(void *with) {
    struct run *run = with;
    struct run_limits limits = limits_ms(TAINT_RUN_MS);
    limits.is_private = run->is_private;
    line_sink_init(&run->lines);
    run->ran = backend_run(rigs[run->warehouse].backend, run->sql, &limits, &run->lines.sink,
                           &run->facts, &run->arena, &run->report);
    return NULL;
}

/* Without what keeps the caller's expressions from rows that a filter hides; see rewrite_fence().
 */
static struct str without_fence(struct str sql, struct arena *arena) {
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

static void run_start(struct run *run, size_t warehouse, const struct guard_answer *answer,
                      enum taint_hole hole) {
    *run = (struct run){
        .warehouse = warehouse, .sql = answer->sql, .is_private = !answer->may_tell_engine};
    arena_init(&run->arena, 256 << 20);
    if (hole == HOLE_FENCE) run->sql = without_fence(run->sql, &run->arena);
}

static void run_settle(struct run *run) {
    const struct report *report = &run->report;
    if (run->ran.why != FAIL_NONE)
        run->text =
            str_printf(&run->arena, "%s %s: %s (%s)", fail_name(run->ran.why),
                       report->code != NULL ? report->code : "?", report->sentence, report->hint);
    else
        run->text = sorted(buf_flat(&run->lines.text, &run->arena), &run->arena);
    buf_deinit(&run->lines.text);
}

static bool run_is_done(const struct run *run) {
    return run->ran.why != FAIL_TIMEOUT && run->ran.why != FAIL_BUSY;
}

/* Both at once. */
static void run_pair(struct run pair[2], const struct guard_answer *answer, enum taint_hole hole) {
    pthread_t thread;
    run_start(&pair[0], 0, answer, hole);
    run_start(&pair[1], 1, answer, hole);
    assert_int_equal(pthread_create(&thread, NULL, run_over, &pair[1]), 0);
    run_over(&pair[0]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    run_settle(&pair[0]);
    run_settle(&pair[1]);
}

static void run_end(struct run pair[2]) {
    arena_deinit(&pair[0].arena);
    arena_deinit(&pair[1].arena);
}

/* -- one statement ---------------------------------------------------------------------------- */

struct tally {
    size_t said, accepted, run, equal, failed_equally, rows, slow, unstable, different;
};

struct trial {
    struct world *world;
    enum taint_hole hole;
    struct tally tally;
    struct say say;
};

/* Does it answer alike over one warehouse, asked again and again? */
static bool is_stable(const struct run first[2], const struct guard_answer *answer,
                      enum taint_hole hole) {
    bool is_alike = true;
    for (size_t again = 1; again < TAINT_ALIKE && is_alike; again++) {
        struct run pair[2];
        run_pair(pair, answer, hole);
        is_alike = str_eq(first[0].text, pair[0].text) && str_eq(first[1].text, pair[1].text);
        run_end(pair);
    }
    return is_alike;
}

/* cmocka's own words are cut where a line ends for it. */
static void tell(const struct trial *t, uint64_t seed, const struct run pair[2]) {
    if (t->hole != HOLE_NONE) return; /* as it should be */
    fprintf(stderr, "seed %" PRIu64 "\n    %s\n    " STR_FMT "\n", seed, t->say.text,
            STR_ARG(pair[0].sql));
    for (size_t i = 0; i < 2; i++)
        fprintf(stderr, "%c   " STR_FMT "\n    " STR_FMT "\n", "AB"[i], STR_ARG(pair[i].text),
                STR_ARG(pair[i].facts.engine_error));
}

static void compare(struct trial *t, uint64_t seed, const struct guard_answer *answer) {
    struct run pair[2];
    struct tally *n = &t->tally;
    run_pair(pair, answer, t->hole);
    bool is_done = run_is_done(&pair[0]) && run_is_done(&pair[1]);
    if (!is_done) {
        n->slow++;
    } else if (n->run++, str_eq(pair[0].text, pair[1].text)) {
        bool is_failure = pair[0].ran.why != FAIL_NONE;
        n->equal++;
        n->failed_equally += is_failure;
        n->rows += !is_failure && str_find_byte(pair[0].text, '\n') < pair[0].text.len;
    } else if (!is_stable(pair, answer, t->hole)) {
        n->unstable++;
    } else {
        n->different++;
        tell(t, seed, pair);
    }
    run_end(pair);
}

static void try_one(struct trial *t, uint64_t seed) {
    struct arena arena;
    struct guard_answer answer;
    struct report report = {0};
    say_statement(&t->say, seed);
    if (t->say.is_full) return;
    arena_init(&arena, 256 << 20);
    struct guard_request request = {
        .text = {t->say.text, t->say.n}, .dialect = DIALECT_DUCKDB, .grant = &t->world->grant};
    result checked = guard_check(&request, &arena, &answer, &report);
    bool is_accepted = checked.why == FAIL_NONE && answer.effect == GUARD_ALLOW;
    t->tally.said++;
    if (is_accepted) {
        t->tally.accepted++;
        compare(t, seed, &answer);
    }
    arena_deinit(&arena);
}

static void print_tally(const struct tally *n, uint64_t seed) {
    print_message(
        "seed %" PRIu64
        ": %zu statements (the release runs 10000), %zu accepted (%zu %%), %zu run on both, "
        "%zu equal (%zu with rows, %zu failed equally), %zu too slow, %zu unlike "
        "themselves, %zu differ\n",
        seed, n->said, n->accepted, n->said > 0 ? n->accepted * 100 / n->said : 0, n->run, n->equal,
        n->rows, n->failed_equally, n->slow, n->unstable, n->different);
}

static struct trial *make_trial(struct arena *arena, enum taint_hole hole) {
    struct trial *t = arena_new(arena, struct trial);
    assert_non_null(t);
    t->hole = hole;
    t->world = taint_grant(arena, hole);
    return t;
}

/* -- the tests -------------------------------------------------------------------------------- */

static uint64_t first_seed = TAINT_FIRST;
static size_t count = TAINT_COUNT;

static void nothing_hidden_is_felt(void **state) {
    struct arena arena;
    (void)state;
    arena_init(&arena, 8 << 20);
    struct trial *t = make_trial(&arena, HOLE_NONE);
    for (size_t i = 0; i < count; i++) try_one(t, first_seed + i);
    struct tally n = t->tally;
    arena_deinit(&arena);
    print_tally(&n, first_seed);
    assert_int_equal(n.different, 0);
    if (count < 100) return;
    assert_true(n.accepted * 100 >= n.said * 30);
    assert_true(n.rows * 100 >= n.run * 30);
    assert_true((n.slow + n.unstable) * 100 <= n.said);
}

/* The same, with a grant that has a hole: it must be found, or the test above shows nothing. */
static void a_hole_is_found(void **state) {
    static const char *const names[] = {"none",         "row filter", "denied column",
                                        "denied field", "mask",       "fence"};
    (void)state;
    for (enum taint_hole hole = HOLE_FILTER; hole <= HOLE_FENCE; hole++) {
        struct arena arena;
        arena_init(&arena, 8 << 20);
        struct trial *t = make_trial(&arena, hole);
        size_t i = 0;
        while (i < TAINT_HOLE_COUNT && t->tally.different == 0) try_one(t, TAINT_HOLE_SEED + i++);
        print_message("%s left out: %zu of %zu statements differ\n", names[hole],
                      t->tally.different, i);
        assert_true(t->tally.different > 0);
        arena_deinit(&arena);
    }
}

/* -- hours of it ------------------------------------------------------------------------------ */

static int soak(double hours) {
    struct arena arena;
    int64_t end = clock_mono_ns(&clock_real) + (int64_t)(hours * 3600e9), minute = 0;
    uint64_t seed = rand_u64() >> 16, from = seed;
    open_both(NULL);
    arena_init(&arena, 8 << 20);
    struct trial *t = make_trial(&arena, HOLE_NONE);
    while (t->tally.different == 0 && clock_mono_ns(&clock_real) < end) {
        try_one(t, seed++);
        if (clock_mono_ns(&clock_real) < minute) continue;
        print_tally(&t->tally, from);
        minute = clock_mono_ns(&clock_real) + 60 * (int64_t)1000000000;
    }
    print_tally(&t->tally, from);
    int code = t->tally.different > 0;
    arena_deinit(&arena);
    close_both(NULL);
    return code;
}

int main(int argc, char **argv) {
    engine_worker(argc, argv);
    if (argc > 1 && strcmp(argv[1], "soak") == 0) return soak(argc > 2 ? strtod(argv[2], NULL) : 1);
    if (argc > 1) first_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2) count = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_hidden_is_felt),
                                       cmocka_unit_test(a_hole_is_found)};
    return cmocka_run_group_tests(tests, open_both, close_both);
}
