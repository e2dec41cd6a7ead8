/*
 * Which constructs a statement of the taint test holds, seen in its text, and how each kind fared:
 * so that it is known, and asserted, that the generator reaches them all.
 */
#ifndef TEST_TAINT_KINDS_H
#define TEST_TAINT_KINDS_H

#include "taint_say.h"

enum { TAINT_KINDS = 33 };

/* How many of a thousand statements are at least run to an answer, by DuckDB and by PostgreSQL:
 * about half of what was measured. */
static const struct taint_kind {
    const char *name;
    const char *marks[5]; /* one of them is in the text; none: it is told by struct say */
    unsigned least_duckdb, least_postgres;
} taint_kinds[TAINT_KINDS] = {
    {"inner join", {"INNER JOIN "}, 19, 6},
    {"outer join", {"LEFT JOIN ", "LEFT OUTER", "RIGHT JOIN ", "FULL "}, 79, 31},
    {"semi or anti join", {"SEMI JOIN ", "ANTI JOIN "}, 39, 13},
    {"cross join", {"CROSS JOIN "}, 21, 9},
    {"USING or NATURAL", {" USING (", " NATURAL "}, 33, 12},
    {"LATERAL VIEW", {"LATERAL VIEW"}, 68, 13},
    {"derived table", {"FROM (SELECT", "FROM (FROM", "JOIN (SELECT"}, 127, 47},
    {"WITH", {" AS (SELECT", " AS (FROM"}, 44, 10},
    {"correlated", {NULL}, 7, 2},
    {"EXISTS", {"EXISTS ("}, 22, 9},
    {"IN a query", {" IN (SELECT", " IN (FROM"}, 25, 8},
    {"scalar sub-query", {"= (SELECT", "> (SELECT", "((SELECT", ", (SELECT"}, 31, 10},
    {"set operation", {" UNION", " INTERSECT", " EXCEPT", " MINUS"}, 43, 13},
    {"aggregate", {" GROUP BY "}, 111, 48},
    {"grouping sets", {"GROUPING SETS", "CUBE(", "ROLLUP"}, 20, 8},
    {"HAVING", {" HAVING "}, 52, 20},
    {"FILTER or WITHIN", {" FILTER (", "WITHIN GROUP"}, 12, 6},
    {"window", {" OVER (", " OVER w"}, 77, 21},
    {"QUALIFY", {"QUALIFY "}, 25, 12},
    {"PIVOT", {"PIVOT ("}, 7, 8},
    {"lambda", {" -> "}, 32, 0},
    {"array", {".tags", ".labels", ".sizes", "split("}, 80, 26},
    {"map", {".attrs", "map("}, 36, 0},
    {"struct field", {"ext.channel", "ext.device"}, 31, 0},
    {"star", {"SELECT *", ".*"}, 73, 26},
    {"mask", {"card", "birth", "mail"}, 74, 28},
    {"cast", {"CAST("}, 141, 54},
    {"division", {" / ", " % "}, 21, 7},
    {"regular expression", {"RLIKE", "regexp_"}, 47, 13},
    {"text of a time", {"to_date(", "to_char("}, 43, 16},
    {"LIMIT", {" LIMIT "}, 85, 36},
    {"LIMIT without order", {NULL}, 20, 9},
    {"FROM first", {"(FROM "}, 14, 6},
};

static inline bool taint_is_kind(const struct say *said, size_t kind) {
    const struct taint_kind *k = &taint_kinds[kind];
    if (strcmp(k->name, "correlated") == 0) return said->n_outer > 0;
    if (strcmp(k->name, "LIMIT without order") == 0) return said->loose > 0;
    for (size_t i = 0; i < COUNT(k->marks) && k->marks[i] != NULL; i++)
        if (strstr(said->text, k->marks[i]) != NULL) return true;
    return strcmp(k->name, "FROM first") == 0 && strncmp(said->text, "FROM ", 5) == 0;
}

#endif
