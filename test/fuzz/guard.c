/* Any bytes against two grants over the same tables: the one of test/guard/attack/world.case, which
 * has denied columns, denied fields, row filters and tables that are not granted, and a stricter
 * one with masks, approved joins and partitions that must be named. What is let out is one
 * statement, reads nothing that is denied, filters each scan and has a LIMIT; asked for once more,
 * it reads no more. What is not let out has a reason, and that is never the guard's own last look.
 */
#include "sql/guard.h"
#include "../unit/sql/redteam_look.h"
#include "base/limits.h"
#include "fuzz.h"

/* In the binary, so that a target runs anywhere. */
static const char *const open_lines[] = {
#include "guard_world.inc"
};
static const char *const strict_lines[] = {
#include "guard_strict.inc"
};

enum { WORLD_BYTES = 16 << 20, GUARD_BYTES = 256 << 20, TEXT_MOST = 1 << 14 };

static struct world *make_world(struct arena *arena, const char *const *lines, size_t n) {
    struct world *world = arena_new(arena, struct world);
    MUST(world != NULL);
    world_init(world, arena);
    for (size_t i = 0; i < n; i++) MUST(world_line(world, str_of(lines[i])));
    return world;
}

static bool holds_name(const struct name_list *list, struct str name) {
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i], name)) return true;
    return false;
}

static bool has_filtered(const struct world *world, const struct redteam_scans *scans) {
    for (size_t i = 0; i < world->n_tables; i++)
        if (scans->of[i] > 0 && world->tables[i].relation.n_row_filters > 0) return true;
    return false;
}

static void check_refused(const struct guard_answer *out, const struct report *report,
                          result done) {
    MUST(out->sql.len == 0 && out->effect == GUARD_DENY);
    MUST(report->code != NULL && report->sentence[0] != '\0');
    MUST(strcmp(report->code, "INTERNAL_ERROR") != 0 &&
         strcmp(report->code, "CONFIG_INVALID") != 0);
    MUST(done.why == FAIL_NONE || done.why == FAIL_INPUT || done.why == FAIL_LIMIT ||
         done.why == FAIL_MEMORY);
}

/* What was printed is a statement like any other. */
static void check_again(struct world *world, const struct guard_answer *first,
                        struct arena *arena) {
    struct guard_answer out;
    struct report report = {0};
    struct guard_request request = {.text = first->sql, .grant = &world->grant};
    if (first->sql.len > (size_t)SQL_BYTES_MAX) return;
    result done = guard_check(&request, arena, &out, &report);
    if (done.why != FAIL_NONE || out.effect == GUARD_DENY) {
        check_refused(&out, &report, done);
        /* A filter may read what the caller may not, and parentheses nest deeper: nothing else. */
        MUST(done.why == FAIL_LIMIT || done.why == FAIL_MEMORY || first->policy_columns.n > 0 ||
             strcmp(report.code, "TOO_MANY_JOINS") == 0);
        return;
    }
    for (size_t i = 0; i < out.columns.n; i++)
        MUST(holds_name(&first->columns, out.columns.items[i]) ||
             holds_name(&first->policy_columns, out.columns.items[i]));
    MUST(out.n_output == first->n_output && out.limit == first->limit);
}

static size_t count_of(struct str text, struct str needle) {
    size_t n = 0;
    for (size_t at; (at = str_find(text, needle)) < text.len; n++)
        text = str_slice(text, at + needle.len, text.len);
    return n;
}

/* The salt stands in what the backend is given, at most where a mask has it: whoever writes its
 * name as a string of his own gets the name. */
static void check_salt(const struct world *world, struct str text, const struct guard_answer *out) {
    static const struct str mask = /* of items.name */
        STR_INIT("sha2(concat('${mask.salt}', `t`.`category`), 256) AS `name`");
    struct str salt = world->grant.salt;
    if (salt.len == 0) {
        MUST(str_eq(out->sql, out->run) && out->salt.len == 0);
        return;
    }
    if (count_of(text, salt) > 0) return; /* libFuzzer reads what is compared, and guesses it */
    MUST(count_of(out->sql, salt) == 0);
    MUST(count_of(out->run, salt) <= count_of(out->sql, mask));
}

static void check_allowed(struct world *world, struct str text, const struct guard_answer *out,
                          struct arena *arena) {
    struct redteam_scans scans;
    const char *wrong = redteam_look(world, out->sql, &scans, arena);
    if (wrong != NULL) fprintf(stderr, "%s\n%.*s\n", wrong, STR_ARG(out->sql));
    MUST(wrong == NULL);
    MUST(!out->may_tell_engine || !has_filtered(world, &scans));
    MUST(out->limit >= 1 && out->limit <= world->grant.max_limit);
    check_salt(world, text, out);
    check_again(world, out, arena);
}

/* The other dialects have no second reader; they must not fall over, nor give text with a no. */
static void check_dialect(struct world *world, struct str text, enum guard_dialect dialect) {
    struct arena arena;
    struct guard_answer out;
    struct report report = {0};
    struct guard_request request = {.text = text, .grant = &world->grant, .dialect = dialect};
    arena_init(&arena, GUARD_BYTES);
    result done = guard_check(&request, &arena, &out, &report);
    if (done.why != FAIL_NONE || out.effect == GUARD_DENY)
        check_refused(&out, &report, done);
    else
        MUST(out.sql.len > 0 && utf8_valid(out.sql) && utf8_valid(out.run));
    arena_deinit(&arena);
}

/* Asked for lineage alone, it says the same of what is touched. */
static void check_lineage(struct world *world, struct str text, const struct guard_answer *whole) {
    struct arena arena;
    struct guard_answer out;
    struct guard_request request = {.text = text, .grant = &world->grant, .lineage_only = true};
    arena_init(&arena, GUARD_BYTES);
    MUST(guard_check(&request, &arena, &out, NULL).why == FAIL_NONE);
    MUST(out.effect == whole->effect && out.sql.len == 0 && out.n_output == whole->n_output);
    MUST(out.columns.n == whole->columns.n && out.tables.n == whole->tables.n);
    arena_deinit(&arena);
}

static void check_in(struct world *world, struct str text) {
    struct arena arena;
    struct guard_answer out;
    struct report report = {0};
    struct guard_request request = {.text = text, .grant = &world->grant};
    arena_init(&arena, GUARD_BYTES);
    result done = guard_check(&request, &arena, &out, &report);
    if (done.why != FAIL_NONE || out.effect == GUARD_DENY) {
        check_refused(&out, &report, done);
    } else {
        check_allowed(world, text, &out, &arena);
        check_lineage(world, text, &out);
        check_dialect(world, text, DIALECT_DUCKDB);
        check_dialect(world, text, DIALECT_POSTGRES);
    }
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct arena arena; /* the worlds are made once: the guard only reads them */
    static struct world *worlds[2];
    struct str text = {(const char *)data, size};
    if (size > TEXT_MOST) return 0;
    if (worlds[0] == NULL) {
        arena_init(&arena, WORLD_BYTES);
        worlds[0] = make_world(&arena, open_lines, COUNT(open_lines));
        worlds[1] = make_world(&arena, strict_lines, COUNT(strict_lines));
    }
    check_in(worlds[0], text);
    check_in(worlds[1], text);
    return 0;
}
