/*
 * test/bench/sql_bench.c - how fast the parser and the guard are
 *
 *     sql-bench run     set, dialect, statements/s, MB/s, statements, passed: one set a line
 *     sql-bench long    name, bytes, parse ms, guard ms, outcome: one long statement a line
 *     sql-bench list    the statements and their schemas as JSON lines, for another parser
 *
 * One thread, the process's CPU time, the median of ROUNDS. Statements are those of the corpus
 * beside the project; where it is not there, those of test/guard, and a line says so.
 */
#include "../unit/sql/corpus.h"
#include "../unit/sql/corpus_world.h"
#include "../unit/sql/statements.h"
#include "base/limits.h"
#include "sql/guard.h"
#include "sql/parse.h"
#include "sql_long.h"
#include "text/base64.h"

#include <time.h>

enum { ROUNDS = 9, ROUND_MS = 150, LONG_ROUNDS = 3, NS_A_MS = 1000000 };

struct one {
    struct str sql;
    struct str schema; /* name of the world */
    struct world *world;
};

struct set {
    const char *name;
    struct one *at;
    size_t n, cap;
};

struct bench {
    struct arena arena;
    struct set parse, attack, lineage, exec;
    const struct json *untyped; /* lineage-schemas.json; NULL: no corpus */
    struct map_of_worlds {
        struct str name;
        struct world *world;
    } * worlds;
    size_t n_worlds, cap_worlds;
};

static int64_t cpu_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000 * NS_A_MS + now.tv_nsec;
}

static void die(const char *what) {
    (void)fprintf(stderr, "sql-bench: %s\n", what);
    exit(1);
}

/* -- statements ------------------------------------------------------------------------------- */

static const struct json *read_json(struct bench *b, struct str text) {
    const struct json *value = NULL;
    return json_read(text, NULL, &b->arena, &value, NULL).why == FAIL_NONE ? value : NULL;
}

static struct world *add_world(struct bench *b, struct str name) {
    struct map_of_worlds *place = ARENA_PUSH(&b->arena, b->worlds, b->n_worlds, b->cap_worlds);
    place->name = name;
    place->world = arena_new(&b->arena, struct world);
    return place->world;
}

static struct world *find_world(struct bench *b, struct str name) {
    for (size_t i = 0; i < b->n_worlds; i++)
        if (str_eq(b->worlds[i].name, name)) return b->worlds[i].world;
    const struct json *tables = json_get(json_get(b->untyped, STR("schemas")), name);
    if (tables == NULL) die("a statement names no schema");
    struct world *world = add_world(b, name);
    corpus_open_granted(world, &b->arena);
    corpus_add_untyped(world, tables);
    return world;
}

/* `schema` of ptr NULL: each line names its own. What JSON cannot say is left out. */
static void add_lines(struct bench *b, struct set *set, struct str lines, struct str schema) {
    while (lines.ptr != NULL) {
        const struct json *row = read_json(b, str_trim(str_cut(&lines, '\n')));
        struct str coded = row != NULL ? json_get_text(row, STR("sql_b64")) : STR_NONE;
        struct str sql = row != NULL ? json_get_text(row, STR("sql")) : STR_NONE;
        if (coded.ptr != NULL && !base64_decode(coded, &b->arena, &sql)) continue;
        if (sql.ptr == NULL) continue;
        struct str name = schema.ptr != NULL ? schema : json_get_text(row, STR("schema"));
        struct one *one = ARENA_PUSH(&b->arena, set->at, set->n, set->cap);
        *one = (struct one){sql, name, name.ptr != NULL ? find_world(b, name) : NULL};
    }
}

static void open_typed(struct bench *b, const char *name, struct str schema) {
    struct world *world = add_world(b, str_of(name));
    corpus_open_granted(world, &b->arena);
    corpus_add_typed(world, json_get(read_json(b, schema), STR("tables")));
}

static bool open_corpus(struct bench *b) {
    struct str accept = corpus_read("accept.jsonl", &b->arena);
    if (accept.ptr == NULL) return false;
    b->untyped = read_json(b, corpus_read("lineage-schemas.json", &b->arena));
    struct str attacked = corpus_read("attack-schema.json", &b->arena);
    corpus_open_attacked(add_world(b, STR("attack")), read_json(b, attacked), &b->arena);
    open_typed(b, "exec", corpus_read("exec-data/schema.json", &b->arena));
    add_lines(b, &b->parse, accept, STR_NONE);
    add_lines(b, &b->attack, corpus_read("attack.jsonl", &b->arena), STR("attack"));
    add_lines(b, &b->lineage, corpus_read("lineage.jsonl", &b->arena), STR_NONE);
    add_lines(b, &b->exec, corpus_read("exec.jsonl", &b->arena), STR("exec"));
    return true;
}

#define OWN SOURCE_ROOT "/test/guard/"

static void open_own(struct bench *b) {
    static const char *const files[] = {OWN "exec/aggregate.jsonl", OWN "exec/cast.jsonl"};
    struct world *attacked = add_world(b, STR("attack"));
    struct str lines = statements_slurp(OWN "attack/world.case", &b->arena);
    world_init(attacked, &b->arena);
    while (lines.ptr != NULL) (void)world_line(attacked, str_trim(str_cut(&lines, '\n')));
    open_typed(b, "exec", statements_slurp(OWN "exec/data/schema.json", &b->arena));
    struct statements cases =
        statements_cases(SOURCE_ROOT "/test/unit/sql/parse.case", STR("\n=> "), &b->arena);
    for (size_t i = 0; i < cases.n; i++) {
        struct one *one = ARENA_PUSH(&b->arena, b->parse.at, b->parse.n, b->parse.cap);
        one->sql = cases.at[i].sql;
    }
    add_lines(b, &b->attack, statements_slurp(OWN "attack/redteam.jsonl", &b->arena),
              STR("attack"));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        add_lines(b, &b->exec, statements_slurp(files[i], &b->arena), STR("exec"));
}

/* -- measuring -------------------------------------------------------------------------------- */

struct run {
    bool is_guard;
    enum guard_dialect dialect;
    size_t n_passed;
};

static bool run_one(const struct one *one, const struct run *run, struct arena *arena,
                    struct report *report) {
    *report = (struct report){0};
    if (!run->is_guard) {
        struct sql_query *query;
        return sql_parse(one->sql, NULL, arena, &query, report).why == FAIL_NONE;
    }
    struct guard_answer answer;
    struct guard_request request = {
        .text = one->sql, .dialect = run->dialect, .grant = &one->world->grant};
    return guard_check(&request, arena, &answer, report).why == FAIL_NONE &&
           answer.effect != GUARD_DENY;
}

static int compare_doubles(const void *a, const void *b) {
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Passes over the set for ROUND_MS; nanoseconds of one pass. */
static double run_round(const struct set *set, struct run *run, struct arena *arena) {
    struct report report;
    int64_t began = cpu_ns(), spent = 0;
    size_t passes = 0;
    for (; spent < (int64_t)ROUND_MS * NS_A_MS; spent = cpu_ns() - began, passes++) {
        run->n_passed = 0;
        for (size_t i = 0; i < set->n; i++) {
            run->n_passed += run_one(&set->at[i], run, arena, &report);
            arena_reset(arena);
        }
    }
    return (double)spent / (double)passes;
}

static void measure(const struct set *set, const char *how, struct run run) {
    double rounds[ROUNDS];
    size_t bytes = 0;
    struct arena arena;
    arena_init(&arena, (size_t)CALL_ARENA_BYTES);
    if (set->n == 0) return;
    for (size_t i = 0; i < set->n; i++) bytes += set->at[i].sql.len;
    for (size_t i = 0; i < ROUNDS; i++) rounds[i] = run_round(set, &run, &arena);
    qsort(rounds, ROUNDS, sizeof *rounds, compare_doubles);
    double seconds = rounds[ROUNDS / 2] / 1e9;
    printf("%s\t%s\t%.0f\t%.2f\t%zu\t%zu\n", set->name, how, (double)set->n / seconds,
           (double)bytes / seconds / 1e6, set->n, run.n_passed);
    arena_deinit(&arena);
}

static void measure_all(const struct bench *b) {
    const struct set *const checked[] = {&b->attack, &b->lineage, &b->exec};
    measure(&b->parse, "parse", (struct run){0});
    for (size_t i = 0; i < sizeof checked / sizeof *checked; i++) {
        measure(checked[i], "parse", (struct run){0});
        measure(checked[i], "maxcompute", (struct run){true, DIALECT_MAXCOMPUTE, 0});
        measure(checked[i], "duckdb", (struct run){true, DIALECT_DUCKDB, 0});
    }
}

/* -- long statements -------------------------------------------------------------------------- */

static double shortest_ms(const struct one *one, const struct run *run, struct report *report,
                          bool *passed) {
    double least = 1e9;
    for (size_t i = 0; i < LONG_ROUNDS; i++) {
        struct arena arena;
        arena_init(&arena, (size_t)CALL_ARENA_BYTES);
        int64_t began = cpu_ns();
        *passed = run_one(one, run, &arena, report);
        double ms = (double)(cpu_ns() - began) / NS_A_MS;
        arena_deinit(&arena);
        least = ms < least ? ms : least;
    }
    return least;
}

static void measure_long(struct bench *b) {
    static const char *const lines[] = {"table shop.default.t", "column a bigint",
                                        "column b string"};
    struct long_statement statements[LONG_STATEMENTS];
    struct world *world = add_world(b, STR("long"));
    corpus_open_granted(world, &b->arena);
    corpus_set_lines(world, lines, sizeof lines / sizeof *lines);
    size_t n = long_statements(&b->arena, statements);
    for (size_t i = 0; i < n; i++) {
        struct one one = {.sql = statements[i].sql, .world = world};
        struct report report = {0};
        bool passed;
        if (one.sql.ptr == NULL) die("no memory for a long statement");
        double parse = shortest_ms(&one, &(struct run){0}, &report, &passed);
        double guard = shortest_ms(&one, &(struct run){true, DIALECT_DUCKDB, 0}, &report, &passed);
        printf("%s\t%zu\t%.1f\t%.1f\t%s\n", statements[i].name, one.sql.len, parse, guard,
               passed ? "passes" : report.code);
    }
}

/* -- for another parser ----------------------------------------------------------------------- */

static void print_line(struct buf *line, struct arena *arena) {
    struct str text = buf_flat(line, arena);
    printf("%.*s\n", STR_ARG(text));
    buf_deinit(line);
}

static void list_world(const struct map_of_worlds *named) {
    struct arena arena;
    struct buf line;
    struct json_writer w;
    arena_init(&arena, 64 * MIB);
    buf_init(&line, 8 * MIB);
    json_writer_init(&w, &line);
    json_object(&w);
    json_put_text(&w, STR("schema"), named->name);
    json_key(&w, STR("tables"));
    json_object(&w);
    for (size_t i = 0; i < named->world->n_tables; i++) {
        const struct schema_relation *schema = &named->world->tables[i].schema;
        if (named->world->tables[i].relation.effect == GRANT_DENY) continue;
        json_key(&w, schema->name);
        json_array(&w);
        for (size_t c = 0; c < schema->n_columns; c++) json_text(&w, schema->columns[c].name);
        json_array_end(&w);
    }
    json_object_end(&w);
    json_object_end(&w);
    print_line(&line, &arena);
    arena_deinit(&arena);
}

static void list_set(const struct set *set) {
    struct arena arena;
    arena_init(&arena, 64 * MIB);
    for (size_t i = 0; i < set->n; i++) {
        struct buf line;
        struct json_writer w;
        if (!utf8_valid(set->at[i].sql)) continue;
        buf_init(&line, 8 * MIB);
        json_writer_init(&w, &line);
        json_object(&w);
        json_put_text(&w, STR("set"), str_of(set->name));
        if (set->at[i].schema.ptr != NULL) json_put_text(&w, STR("schema"), set->at[i].schema);
        json_put_text(&w, STR("sql"), set->at[i].sql);
        json_object_end(&w);
        print_line(&line, &arena);
    }
    arena_deinit(&arena);
}

int main(int argc, char **argv) {
    struct bench b = {.parse = {.name = "accept"},
                      .attack = {.name = "attack"},
                      .lineage = {.name = "lineage"},
                      .exec = {.name = "exec"}};
    struct str what = argc == 2 ? str_of(argv[1]) : STR("");
    arena_init(&b.arena, GIB);
    if (!open_corpus(&b)) {
        (void)fprintf(stderr, "the corpus is not beside the project: cases of test/guard\n");
        open_own(&b);
    }
    if (str_eq(what, STR("run"))) {
        measure_all(&b);
    } else if (str_eq(what, STR("long"))) {
        measure_long(&b);
    } else if (str_eq(what, STR("list"))) {
        for (size_t i = 0; i < b.n_worlds; i++) list_world(&b.worlds[i]);
        list_set(&b.parse);
        list_set(&b.attack);
        list_set(&b.lineage);
        list_set(&b.exec);
    } else {
        die("run, long or list");
    }
    arena_deinit(&b.arena);
    return 0;
}
