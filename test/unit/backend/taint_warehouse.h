/*
 * Two warehouses for the taint test. What the caller of the grant may see is the same in both; all
 * else differs: denied columns and fields, what masks leave out, each value of each hidden row.
 * (How many hidden rows there are does not: an engine plans by it, and with the plan changes which
 * of two failing branches is computed.) Of two values that differ one is harmless and one is made
 * to fail, overflow or match; which warehouse has which hangs on the column.
 */
#ifndef TEST_TAINT_WAREHOUSE_H
#define TEST_TAINT_WAREHOUSE_H

#include "../sql/guard_world.h"

#include <stdio.h>

enum { TAINT_SEEN = 14, TAINT_HIDDEN = 420, TAINT_SEEN_EVERY = 31 };

/* How the cells of a column are made. */
enum taint_cell {
    CELL_KEY,     /* 1, 2, 3, … */
    CELL_INT,     /* a small number */
    CELL_REAL,    /* quarters, whose sums are exact in any order */
    CELL_WORD,    /* a short word */
    CELL_DIGITS,  /* digits; else what no number is */
    CELL_DAY,     /* '2024-01-02'; else what no day is */
    CELL_PATTERN, /* a regular expression; else a broken one */
    CELL_TIME,    /* a datetime */
    CELL_LIST,    /* array<string> */
    CELL_MAP,     /* map<string,string> */
    CELL_STRUCT,  /* with denied fields */
    CELL_DS,      /* a partition: the same in hidden rows */
    CELL_HOME,    /* 'cn'; in hidden rows anything else, or NULL */
    CELL_KIND,    /* the same; but half of the hidden rows have it, and not CELL_LOW */
    CELL_LOW,     /* under 100; in half of the hidden rows 100 and more, or NULL */
    CELL_RANK,    /* denied, and read by a filter: positive; in hidden rows not, or NULL */
    CELL_CARD,    /* a mask shows the last four */
    CELL_BIRTH,   /* a mask shows the year */
    CELL_SECRET,  /* denied: differs in rows that are seen, too */
    CELL_SECRET_INT,
    CELL_SECRET_DAY,
};

/* `letter`: what the generator takes it for, see taint_say.h; upper case: it is denied. */
struct taint_field {
    const char *name, *type;
    char letter;
    enum taint_cell cell;
    const char *grant; /* the rest of guard_world.h's line */
};

struct taint_table {
    const char *name;
    struct taint_field fields[20];
    const char *filters[3];
    bool is_open; /* all rows are seen */
};

static const struct taint_table taint_tables[] = {
    {"orders",
     {{"id", "bigint", 'k', CELL_KEY, ""},
      {"user_id", "bigint", 'i', CELL_INT, ""},
      {"region", "string", 's', CELL_HOME, ""},
      {"num", "string", 'u', CELL_DIGITS, ""},
      {"dt", "string", 'v', CELL_DAY, ""},
      {"pat", "string", 'x', CELL_PATTERN, ""},
      {"note", "string", 's', CELL_WORD, ""},
      {"amount", "double", 'e', CELL_REAL, ""},
      {"qty", "bigint", 'i', CELL_INT, ""},
      {"created", "datetime", 't', CELL_TIME, ""},
      {"tags", "array<string>", 'a', CELL_LIST, ""},
      {"attrs", "map<string,string>", 'm', CELL_MAP, ""},
      {"ext", "struct<channel:string,ip:string,device:struct<os:string,imei:string>>", 'J',
       CELL_STRUCT, "without=ip,device.imei"},
      {"card", "string", 's', CELL_CARD, "mask=concat('****', substr(card, 13))"},
      {"birth", "string", 's', CELL_BIRTH,
       "mask=CAST(CAST(substr(birth, 1, 4) AS BIGINT) + 1 AS STRING)"},
      {"secret", "string", 'S', CELL_SECRET, "denied"},
      {"score", "bigint", 'I', CELL_SECRET_INT, "denied"},
      {"ds", "string", 's', CELL_DS, "partition"}},
     {"lower(region) = 'cn' OR amount < -50"},
     false},
    {"users",
     {{"user_id", "bigint", 'k', CELL_KEY, ""},
      {"name", "string", 's', CELL_WORD, ""},
      {"zip", "string", 'u', CELL_DIGITS, ""},
      {"level", "bigint", 'i', CELL_INT, ""},
      {"joined", "string", 'v', CELL_DAY, ""},
      {"balance", "double", 'e', CELL_REAL, ""},
      {"rank", "bigint", 'I', CELL_RANK, "denied"},
      {"phone", "string", 'S', CELL_SECRET, "denied"},
      {"mail", "string", 's', CELL_SECRET, "mask=CAST(NULL AS STRING)"}},
     {"rank > 0"},
     false},
    {"events",
     {{"event_id", "bigint", 'k', CELL_KEY, ""},
      {"user_id", "bigint", 'i', CELL_INT, ""},
      {"val", "bigint", 'i', CELL_LOW, ""},
      {"kind", "string", 's', CELL_KIND, ""},
      {"word", "string", 's', CELL_WORD, ""},
      {"pat", "string", 'x', CELL_PATTERN, ""},
      {"at", "datetime", 't', CELL_TIME, ""},
      {"labels", "array<string>", 'a', CELL_LIST, ""},
      {"ip", "string", 'S', CELL_SECRET, "denied"},
      {"ds", "string", 's', CELL_DS, "partition"}},
     {"val < 100", "lower(kind) LIKE 'c%'"},
     false},
    {"items",
     {{"item_id", "bigint", 'k', CELL_KEY, ""},
      {"name", "string", 's', CELL_WORD, ""},
      {"price", "double", 'e', CELL_REAL, ""},
      {"sizes", "array<string>", 'a', CELL_LIST, ""},
      {"cost", "bigint", 'I', CELL_SECRET_INT, "denied"},
      {"bought", "string", 'S', CELL_SECRET_DAY, "denied"}},
     {NULL},
     true},
};

/* -- the grant: denied columns, masks and filters can each be left out, for the test of the
   test; the fence is left out of the printed text, see taint.c */

enum taint_hole { HOLE_NONE, HOLE_FILTER, HOLE_COLUMN, HOLE_FIELD, HOLE_MASK, HOLE_FENCE };

static inline void taint_add_field(struct world *world, const struct taint_field *f,
                                   enum taint_hole hole) {
    bool is_open = (hole == HOLE_COLUMN && strcmp(f->grant, "denied") == 0) ||
                   (hole == HOLE_FIELD && strncmp(f->grant, "without", 7) == 0) ||
                   (hole == HOLE_MASK && strncmp(f->grant, "mask", 4) == 0);
    struct str line =
        str_printf(world->arena, "column %s %s %s", f->name, f->type, is_open ? "" : f->grant);
    assert(line.ptr != NULL);
    bool is_known = world_line(world, str_trim(line));
    assert(is_known);
    (void)is_known;
}

static inline struct world *taint_grant(struct arena *arena, enum taint_hole hole) {
    static const char *const head[] = {"project home", "limits 20000 20000", "joins 8 any",
                                       "star expand"};
    struct world *world = arena_new(arena, struct world);
    assert(world != NULL);
    world_init(world, arena);
    for (size_t i = 0; i < COUNT(head); i++) (void)world_line(world, str_of(head[i]));
    for (size_t i = 0; i < COUNT(taint_tables); i++) {
        const struct taint_table *t = &taint_tables[i];
        (void)world_line(world,
                         str_printf(arena, "table home.default.%s newest=20240103", t->name));
        for (const struct taint_field *f = t->fields; f->name != NULL; f++)
            taint_add_field(world, f, hole);
        for (size_t n = 0; t->filters[n] != NULL && hole != HOLE_FILTER; n++)
            (void)world_line(world, str_printf(arena, "filter %s", t->filters[n]));
    }
    return world;
}

/* -- the cells ------------------------------------------------------------------------------ */

struct taint_spot {
    size_t row, field; /* row: among those of its kind */
    bool is_hidden, is_b;
};

/* One of the two values, each warehouse another; in all hidden rows of a column the same one, so
 * that a failure on them is a failure over one warehouse and none over the other. */
static inline bool taint_is_nasty(const struct taint_spot *at) {
    bool is_odd = (at->field + (at->is_hidden ? 0 : at->row)) % 2 == 1;
    return is_odd != at->is_b;
}

static inline const char *taint_pick(const char *const *values, size_t n, size_t i) {
    return values[i % n];
}

#define TAINT_PICK(i, ...)                                                                         \
    taint_pick((const char *const[]){__VA_ARGS__},                                                 \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), i)

/* A cell of a row that is seen; "" is NULL. The same in both warehouses, but for what is denied. */
static inline void taint_seen(FILE *f, enum taint_cell cell, const struct taint_spot *at) {
    size_t r = at->row, mixed = at->row * 5 + at->field * 3;
    bool is_nasty = taint_is_nasty(at);
    switch (cell) {
    case CELL_KEY: fprintf(f, "%zu", r + 1); return;
    case CELL_INT:
        if (mixed % 11 != 10) fprintf(f, "%zu", mixed % 10);
        return;
    case CELL_REAL: fprintf(f, "%.2f", (double)(mixed % 23) / 4 + 1); return;
    case CELL_WORD: fputs(TAINT_PICK(mixed, "pen", "book", "", "a b", "CN", "x", "ink"), f); return;
    case CELL_DIGITS: fprintf(f, "%zu", mixed % 40); return;
    case CELL_DAY: fprintf(f, "2024-0%zu-1%zu", mixed % 9 + 1, mixed % 7); return;
    case CELL_PATTERN: fputs(TAINT_PICK(mixed, "x", "b.*", "[a-c]", "^p"), f); return;
    case CELL_TIME: fprintf(f, "2024-0%zu-05 1%zu:30:00", mixed % 9 + 1, mixed % 9); return;
    case CELL_LIST: fputs(TAINT_PICK(mixed, "\"[a, b]\"", "[x]", "[]", "\"[1, 2, 3]\""), f); return;
    case CELL_MAP: fputs(TAINT_PICK(mixed, "\"{k1=a, k2=b}\"", "{k1=7}", "{}"), f); return;
    case CELL_STRUCT:
        fprintf(f, "\"{'channel': %s, 'ip': %s, 'device': {'os': %s, 'imei': %s}}\"",
                TAINT_PICK(mixed, "web", "app"), is_nasty ? "canary" : "10",
                TAINT_PICK(mixed, "ios", "linux", "7"), is_nasty ? "99" : "canary");
        return;
    case CELL_DS: fprintf(f, "2024010%zu", mixed % 3 + 1); return;
    case CELL_HOME:
    case CELL_KIND: fputs("cn", f); return;
    case CELL_LOW: fprintf(f, "%zu", mixed % 50); return;
    case CELL_RANK: fprintf(f, "%zu", is_nasty ? mixed % 3 + 70 : mixed % 7 + 1); return;
    case CELL_CARD: fprintf(f, "%s%04zu", is_nasty ? "canary000000" : "622848000000", r); return;
    case CELL_BIRTH: fprintf(f, "19%zu-%s", mixed % 40 + 50, is_nasty ? "99-99" : "03-04"); return;
    case CELL_SECRET: fprintf(f, is_nasty ? "canary-%zu" : "%zu", mixed); return;
    case CELL_SECRET_INT: fputs(is_nasty ? "9223372036854775807" : "1", f); return;
    case CELL_SECRET_DAY: fputs(is_nasty ? "canary" : "2024-05-06", f); return;
    }
}

static inline void taint_hidden(FILE *f, enum taint_cell cell, const struct taint_spot *at) {
    size_t r = at->row;
    bool is_nasty = taint_is_nasty(at);
    switch (cell) {
    case CELL_KEY:
    case CELL_INT:
    case CELL_SECRET_INT:
        fputs(is_nasty ? TAINT_PICK(r, "9223372036854775807", "-9223372036854775807", "0", "7")
                       : TAINT_PICK(r, "1", "2", "3"),
              f);
        return;
    case CELL_REAL:
        fputs(is_nasty ? TAINT_PICK(r, "1e300", "nan", "-1", "inf") : "2.25", f);
        return;
    case CELL_WORD:
    case CELL_DIGITS:
    case CELL_DAY:
    case CELL_SECRET:
    case CELL_SECRET_DAY:
        fputs(is_nasty
                  ? TAINT_PICK(r, "canary", "(", "99999999999999999999", "\\", "%", "2024-99-99")
                  : TAINT_PICK(r, "2024-01-01", "5", "12"),
              f);
        return;
    case CELL_PATTERN: fputs(is_nasty ? TAINT_PICK(r, "(", "[", "*") : "x", f); return;
    case CELL_TIME: fputs(is_nasty ? "0001-01-01 00:00:00" : "2024-01-05 10:30:00", f); return;
    case CELL_LIST: fputs(is_nasty ? "\"['(', canary, 99x]\"" : "[1]", f); return;
    case CELL_MAP: fputs(is_nasty ? "\"{k1='(', canary=canary}\"" : "{k1=1}", f); return;
    case CELL_STRUCT:
        fprintf(f, "\"{'channel': %s, 'ip': 1, 'device': {'os': %s, 'imei': 1}}\"",
                is_nasty ? "canary" : "5", is_nasty ? "'('" : "6");
        return;
    case CELL_DS: fprintf(f, "2024010%zu", r % 3 + 1); return;
    case CELL_KIND:
        if (r % 2 == 0) {
            fputs(is_nasty ? "CN" : "c", f);
            return;
        }
        fputs(is_nasty ? TAINT_PICK(r, "us", "", "(") : "jp", f);
        return;
    case CELL_HOME: fputs(is_nasty ? TAINT_PICK(r, "us", "", "(") : "jp", f); return;
    case CELL_LOW:
        if (r % 2 == 0)
            fputs(is_nasty ? TAINT_PICK(r / 2, "9223372036854775807", "") : "100", f);
        else
            fputs(is_nasty ? "21" : "22", f);
        return;
    case CELL_RANK:
        fputs(is_nasty ? TAINT_PICK(r, "0", "-9223372036854775807", "") : "-5", f);
        return;
    case CELL_CARD: fputs(is_nasty ? "canary" : "1", f); return;
    case CELL_BIRTH: fputs(is_nasty ? "canary" : "2024-01-01", f); return;
    }
}

static inline void taint_write_row(FILE *file, const struct taint_table *table,
                                   struct taint_spot at) {
    for (at.field = 0; table->fields[at.field].name != NULL; at.field++) {
        if (at.field > 0) fputc(',', file);
        enum taint_cell cell = table->fields[at.field].cell;
        if (at.is_hidden)
            taint_hidden(file, cell, &at);
        else
            taint_seen(file, cell, &at);
    }
    fputc('\n', file);
}

static inline void taint_write_table(const char *folder, const struct taint_table *table,
                                     bool is_b) {
    char path[480];
    snprintf(path, sizeof path, "%s/home.%s.csv", folder, table->name);
    FILE *file = fopen(path, "w");
    assert(file != NULL);
    for (const struct taint_field *f = table->fields; f->name != NULL; f++)
        fprintf(file, "%s%s", f > table->fields ? "," : "", f->name);
    fputc('\n', file);
    size_t n_hidden = table->is_open ? 0 : TAINT_HIDDEN, hidden = 0;
    for (size_t seen = 0; seen < TAINT_SEEN || hidden < n_hidden;) {
        for (int i = 1; i < TAINT_SEEN_EVERY && hidden < n_hidden; i++)
            taint_write_row(file, table, (struct taint_spot){hidden++, 0, true, is_b});
        if (seen < TAINT_SEEN)
            taint_write_row(file, table, (struct taint_spot){seen++, 0, false, is_b});
    }
    int closed = fclose(file);
    assert(closed == 0);
    (void)closed;
}

static inline void taint_write_schema(const char *folder) {
    char path[480];
    snprintf(path, sizeof path, "%s/schema.json", folder);
    FILE *file = fopen(path, "w");
    assert(file != NULL);
    fputs("{\"tables\":[", file);
    for (size_t i = 0; i < COUNT(taint_tables); i++) {
        fprintf(file, "%s\n{\"name\":\"home.%s\",\"columns\":[", i > 0 ? "," : "",
                taint_tables[i].name);
        for (const struct taint_field *f = taint_tables[i].fields; f->name != NULL; f++)
            fprintf(file, "%s{\"name\":\"%s\",\"type\":\"%s\"}",
                    f > taint_tables[i].fields ? "," : "", f->name, f->type);
        fputs("]}", file);
    }
    fputs("]}\n", file);
    int closed = fclose(file);
    assert(closed == 0);
    (void)closed;
}

static inline void taint_write(const char *folder, bool is_b) {
    taint_write_schema(folder);
    for (size_t i = 0; i < COUNT(taint_tables); i++)
        taint_write_table(folder, &taint_tables[i], is_b);
}

#endif
