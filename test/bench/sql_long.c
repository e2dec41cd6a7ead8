#include "sql_long.h"

#include "base/buf.h"
#include "base/limits.h"

enum { ROOM = 200 }; /* for what closes a statement */

struct maker {
    struct arena *arena;
    struct buf buf;
    struct long_statement *out;
    size_t n;
};

static void keep(struct maker *m, const char *name) {
    struct str sql = str_dup(m->arena, buf_flat(&m->buf, m->arena));
    m->out[m->n++] = (struct long_statement){name, sql};
    buf_deinit(&m->buf);
    buf_init(&m->buf, 4 * MIB);
}

static bool has_room(const struct maker *m, size_t i, size_t most) {
    return i < most && m->buf.len < (size_t)SQL_BYTES_MAX - ROOM;
}

/* `head`, then `format` with the number of the item as often as there is room, then `tail`. */
static void repeat(struct maker *m, const char *name, const char *head, const char *format,
                   size_t most, const char *tail) {
    buf_addf(&m->buf, "%s", head);
    for (size_t i = 0; has_room(m, i, most); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_addf(&m->buf, format, i);
#pragma GCC diagnostic pop
    }
    buf_addf(&m->buf, "%s", tail);
    keep(m, name);
}

/* Each table expression reads the one before it twice: read as text it doubles `n` times. */
static void double_ctes(struct maker *m, const char *name, size_t n) {
    buf_addf(&m->buf, "WITH c0 AS (SELECT a FROM t WHERE a > 0)");
    for (size_t i = 1; i < n; i++)
        buf_addf(&m->buf, ", c%zu AS (SELECT x.a FROM c%zu x JOIN c%zu y ON x.a = y.a)", i, i - 1,
                 i - 1);
    buf_addf(&m->buf, " SELECT a FROM c%zu", n - 1);
    keep(m, name);
}

static void nest(struct maker *m, const char *name, const char *open, const char *inner,
                 const char *close, size_t n) {
    for (size_t i = 0; i < n; i++) buf_addf(&m->buf, "%s", open);
    buf_addf(&m->buf, "%s", inner);
    for (size_t i = 0; i < n; i++) buf_addf(&m->buf, "%s", close);
    keep(m, name);
}

#define WIDE                                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

size_t long_statements(struct arena *arena, struct long_statement out[LONG_STATEMENTS]) {
    struct maker m = {.arena = arena, .out = out};
    buf_init(&m.buf, 4 * MIB);
    repeat(&m, "IN list, 10,000 items", "SELECT a FROM t WHERE b IN (''", ",'" WIDE "%zu'",
           SQL_IN_LIST_MAX - 1, ")");
    repeat(&m, "IN list, too many items", "SELECT a FROM t WHERE a IN (0", ",%zu", 100000, ")");
    repeat(&m, "AND chain", "SELECT a FROM t WHERE a > 0", " AND a <> %zu", 1000000, "");
    repeat(&m, "OR chain", "SELECT a FROM t WHERE a > 0", " OR a = %zu", 1000000, "");
    repeat(&m, "AND of ORs", "SELECT a FROM t WHERE a > 0", " AND (a = %zu OR b = 'y')", 1000000,
           "");
    repeat(&m, "addition chain", "SELECT 0", " + a * %zu", 1000000, " AS s FROM t");
    repeat(&m, "4,096 columns", "SELECT a", ", concat(b, '" WIDE WIDE "') AS c%zu",
           SQL_SELECT_ITEMS_MAX - 1, " FROM t");
    repeat(&m, "CASE of many branches", "SELECT CASE", " WHEN a = %zu THEN 'x'", 1000000,
           " END AS s FROM t");
    repeat(&m, "UNION ALL chain", "SELECT a FROM t", " UNION ALL SELECT a + %zu AS a FROM t",
           1000000, "");
    repeat(&m, "one literal", "SELECT a FROM t WHERE b = '", WIDE "%zu", 1000000, "'");
    repeat(&m, "one comment", "SELECT a /*", "*" WIDE "%zu", 1000000, "*/ FROM t");
    double_ctes(&m, "CTEs that double, 40", 40);
    double_ctes(&m, "CTEs that double, 256", SQL_CTES_MAX);
    nest(&m, "200 nested sub-queries", "SELECT a FROM (", "SELECT a FROM t", ") q", 200);
    nest(&m, "200 nested IN", "SELECT a FROM t WHERE a IN (", "SELECT a FROM t", ")", 200);
    nest(&m, "open parentheses", "(", "SELECT a FROM t", "", 1000000);
    buf_deinit(&m.buf);
    return m.n;
}
