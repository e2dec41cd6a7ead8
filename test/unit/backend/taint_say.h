/*
 * Random expressions for the taint test, typed, so that most of them mean something.
 *
 * A type is a letter: i bigint, s string, d double, b boolean, t datetime, a array<string>, m map;
 * narrower: k a key, u digits in a string, v a day in a string, x a regular expression, e a double
 * whose sums are exact. An upper-case letter in a scope is a name that the caller may not use.
 *
 * An expression is made out of a template, in which $ and a letter is another of that type, and
 *     $n a small number   $l a literal string     $p a pattern     $f a format    $K a column
 *     $O keys of an order without ties            {s a lambda's name, known until }
 *     $I $S a sub-query's one value               $E $N $M a sub-query: any, of numbers, of strings
 *
 * What hangs on the order of rows alone (ties, LIMIT without an order, sums of rounded doubles) is
 * not said: engines may answer it as they like.
 */
#ifndef TEST_TAINT_SAY_H
#define TEST_TAINT_SAY_H

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    SAY_TEXT = 32768,
    SAY_COLUMNS = 96,
    SAY_NAME = 48,
    SAY_CTES = 8,
    SAY_ITEMS = 6,
    SAY_PLAIN_BOOLS = 10, /* that stand first in say_bools and need no more depth */
    SAY_FORBIDDEN_ONE_IN = 60
};

struct say_column {
    char name[SAY_NAME];
    char letter;
    bool is_order; /* one of those that order the rows of its source without ties */
};

struct say_scope {
    struct say_column at[SAY_COLUMNS];
    size_t n;
    struct say_scope *outer; /* NULL: not correlated */
};

struct say_cte {
    char name[SAY_NAME];
    char types[SAY_ITEMS + 1];
};

struct say {
    uint64_t state;
    char text[SAY_TEXT];
    size_t n;
    bool is_full; /* the text is cut: throw it away */
    unsigned serial;
    struct say_cte ctes[SAY_CTES];
    size_t n_ctes;
    unsigned queries; /* left to be nested */
    unsigned n_outer; /* names that are of an outer query */
    bool has_tail;    /* the query that was said last has an order */
    size_t loose; /* where a LIMIT without an order begins, at the end of all; 0: there is none */
};

/* splitmix64: the same numbers from the same seed on every machine. */
static inline uint64_t say_next(struct say *g) {
    uint64_t z = g->state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static inline unsigned say_below(struct say *g, size_t n) {
    return (unsigned)(say_next(g) % n);
}
static inline bool say_chance(struct say *g, unsigned percent) {
    return say_below(g, 100) < percent;
}
#define SAY_ONE_OF(g, list) ((list)[say_below((g), COUNT(list))])

__attribute__((format(printf, 2, 3))) static inline void say_put(struct say *g, const char *fmt,
                                                                 ...) {
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(g->text + g->n, SAY_TEXT - g->n, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= SAY_TEXT - g->n)
        g->is_full = true;
    else
        g->n += (size_t)n;
}

/* What was said from `from` on, copied and taken back. Too long: `instead`. */
static inline void say_take(struct say *g, size_t from, char *out, size_t cap,
                            const char *instead) {
    size_t n = g->n - from;
    if (n < cap)
        memcpy(out, g->text + from, n);
    else
        n = (size_t)snprintf(out, cap, "%s", instead);
    out[n] = '\0';
    g->n = from;
    g->text[from] = '\0';
}

static inline void say_add(struct say_scope *scope, char letter, bool is_order, const char *name) {
    if (scope->n == SAY_COLUMNS) return;
    struct say_column *column = &scope->at[scope->n++];
    snprintf(column->name, sizeof column->name, "%s", name);
    column->letter = letter;
    column->is_order = is_order;
}

/* -- templates by type ------------------------------------------------------------------------ */

static const char *const say_ints[] = {
    "$i + $i",
    "$i - $i",
    "$i * $n",
    "$i % $n",
    "$i % $i",
    "-$i",
    "abs($i)",
    "length($s)",
    "CAST($u AS BIGINT)",
    "CAST($u AS BIGINT)",
    "CAST($u AS INT)",
    "CAST($s AS BIGINT)",
    "CAST($i AS TINYINT)",
    "CAST($d AS BIGINT)",
    "instr($s, $l)",
    "locate($l, $s)",
    "size($a)",
    "size($m)",
    "year($t)",
    "month(to_date($v, 'yyyy-mm-dd'))",
    "day($t)",
    "ascii($s)",
    "datediff($t, $t, 'dd')",
    "if($b, $i, $i)",
    "CASE WHEN $b THEN $i ELSE $i END",
    "CASE $s WHEN $l THEN $i WHEN $l THEN $n END",
    "coalesce($i, $i)",
    "nvl($i, $n)",
    "regexp_count($s, $p)",
    "regexp_count($l, $x)",
    "regexp_instr($s, $p)",
    "floor($d)",
    "ceil($d)",
    "nullif($i, $i)",
    "greatest($i, $i)",
    "least($i, $n)",
    "$I",
    "size(filter($a, {s$b}))",
    "size(transform($a, {s$i}))",
    "size(split($s, $l))",
    "CAST(split($l, $l)[$n] AS BIGINT)",
    "$i & $n",
    "$i | $i",
    "shiftleft($i, $n)",
    "find_in_set($l, $s)",
    "array_position($a, $l)",
    "factorial($n)",
    "unix_timestamp($t)",
    "lengthb($s)",
    "CAST($m[$l] AS BIGINT)",
    "hour($t)",
    "weekday($t)",
    "$n",
    "$i",
    "CAST(CAST($s AS DOUBLE) AS BIGINT)",
};

static const char *const say_strings[] = {
    "concat($s, $s)",
    "concat($s, $l)",
    "upper($s)",
    "lower($s)",
    "trim($s)",
    "reverse($s)",
    "substr($s, $n)",
    "substr($s, $i, $n)",
    "substr($s, $n, $i)",
    "CAST($i AS STRING)",
    "CAST($t AS STRING)",
    "if($b, $s, $s)",
    "CASE WHEN $b THEN $s WHEN $b THEN $s END",
    "coalesce($s, $l)",
    "nvl($s, $s)",
    "nullif($s, $l)",
    "regexp_extract($s, $p, 0)",
    "regexp_replace($s, $p, $l)",
    "regexp_extract($l, $x, 0)",
    "replace($s, $l, $s)",
    "concat_ws($l, $s, $s)",
    "concat_ws(',', $a)",
    "$a[$n]",
    "$m[$l]",
    "$m['k1']",
    "split($s, $l)[$n]",
    "split_part($s, $l, $n)",
    "to_char($t, 'yyyymmdd')",
    "to_char(to_date($v, 'yyyy-mm-dd'), $f)",
    "lpad($s, $n, $l)",
    "repeat($s, $n)",
    "md5($s)",
    "chr($i)",
    "initcap($s)",
    "get_json_object($s, '$.a')",
    "array_join($a, $l)",
    "translate($s, $l, $l)",
    "$S",
    "to_char(to_date($s, $f), $f)",
    "substring_index($s, $l, $n)",
    "greatest($s, $s)",
    "decode($s, $l, $s, $l)",
    "array_join(transform($a, {s$s}), ',')",
    "sha1($s)",
    "$s",
    "keyvalue($s, ',', '=', $l)",
    "parse_url($s, 'HOST')",
    "conv($u, 10, 16)",
    "hex($s)",
};

static const char *const say_doubles[] = {
    "$d + $d",
    "$d * CAST(2.0 AS DOUBLE)",
    "$d - $d",
    "$d / $n",
    "$i / $i",
    "CAST($i AS DOUBLE)",
    "CAST($u AS DOUBLE)",
    "CAST($s AS DOUBLE)",
    "round($d, 1)",
    "abs($d)",
    "sqrt($d)",
    "ln($d)",
    "if($b, $d, $d)",
    "coalesce($d, CAST(0.5 AS DOUBLE))",
    "CASE WHEN $b THEN $d END",
    "pow($d, $n)",
    "exp($d)",
    "sin($d)",
    "trunc($d, $n)",
    "$d",
};

static const char *const say_bools[] = {
    "$i = $i",
    "$i <> $n",
    "$i > $n",
    "$i <= $i",
    "$s = $l",
    "$s = $s",
    "$s <> $l",
    "$s > $s",
    "$s LIKE $p",
    "$s LIKE '%%a%%'",
    "$s NOT LIKE '_'",
    "$l LIKE $s",
    "$s RLIKE $p",
    "$l RLIKE $x",
    "$s RLIKE $x",
    "$d > $d",
    "$d < CAST(3.5 AS DOUBLE)",
    "$t > $t",
    "$t < to_date($v, 'yyyy-mm-dd')",
    "to_date($v, 'yyyy-mm-dd') > $t",
    "$b AND $b",
    "$b OR $b",
    "NOT $b",
    "($b)",
    "$i IS NULL",
    "$s IS NOT NULL",
    "$b = $b",
    "$i IN ($n, $n, $i)",
    "$s IN ($l, $s)",
    "$s NOT IN ($l, $l)",
    "$i BETWEEN $n AND $i",
    "$s BETWEEN $l AND $s",
    "CAST($v AS DATE) > CAST('2024-02-02' AS DATE)",
    "array_contains($a, $s)",
    "$E",
    "$E",
    "NOT $E",
    "$i IN $N",
    "$i NOT IN $N",
    "$s IN $M",
    "$i = $I",
    "$i > $I",
    "$s = $S",
    "any_match($a, {s$b})",
    "all_match($a, {s$b})",
    "$i <=> $i",
    "CASE WHEN $b THEN $b ELSE $b END",
    "if($b, $b, $b)",
    "CAST($s AS BOOLEAN)",
    "CAST($u AS DECIMAL(10,2)) > 3",
    "coalesce($b, FALSE)",
    "size($a) > $n",
    "$u > $i",
    "isnan($d)",
};

static const char *const say_times[] = {
    "to_date($v, 'yyyy-mm-dd')", "to_date($v, $f)",       "to_date($s, $f)",
    "dateadd($t, $n, 'dd')",     "dateadd($t, $i, 'mm')", "datetrunc($t, 'mm')",
    "CAST($v AS DATETIME)",      "CAST($s AS TIMESTAMP)", "if($b, $t, $t)",
    "coalesce($t, $t)",          "from_unixtime($i)",     "$t",
};

static const char *const say_arrays[] = {
    "split($s, $l)",        "array($s, $l)",        "array($s, $s, $s)",    "filter($a, {s$b})",
    "transform($a, {s$s})", "sort_array($a)",       "map_keys($m)",         "map_values($m)",
    "array_distinct($a)",   "array_remove($a, $l)", "array_union($a, $a)",  "if($b, $a, $a)",
    "slice($a, 1, $n)",     "array_repeat($s, $n)", "array_except($a, $a)", "$a",
};

static const char *const say_maps[] = {"map($l, $s)", "str_to_map($s, ',', '=')", "$m"};

static const char *const say_literals[] = {"'a'", "'x'",  "','", "'cn'",     "'CN'",
                                           "'5'", "''",   "'b'", "'canary'", "'2024-01-01'",
                                           "'('", "'k1'", "NULL"};
static const char *const say_patterns[] = {"'a'",   "'[a-z]+'", "'^c'", "'(x|b)'", "'c%'",
                                           "'%a_'", "'\\\\d+'", "'('",  "'.*'"};
static const char *const say_formats[] = {"'yyyy-mm-dd'", "'yyyymmdd'", "'yyyy-mm-dd hh:mi:ss'",
                                          "'yyyy'"};

/* Aggregates and windows, by the type they give. */
static const char *const say_int_aggregates[] = {
    "count(*)",
    "count($i)",
    "count($s)",
    "count(DISTINCT $s)",
    "count(DISTINCT $i, $s)",
    "sum($i)",
    "sum(DISTINCT $i)",
    "max($i)",
    "min($i)",
    "count_if($b)",
    "max(length($s))",
    "sum(CASE WHEN $b THEN 1 ELSE 0 END)",
    "max($i) - min($i)",
    "count($d) + count(*)",
    "sum(CAST($u AS BIGINT))",
    "count(*) FILTER (WHERE $b)",
    "bitwise_or_agg($i)",
    "size(collect_set($s))",
    "count(CAST($s AS BIGINT))",
    "max(CAST($u AS BIGINT))",
};
static const char *const say_string_aggregates[] = {
    "max($s)",
    "min($s)",
    "concat_ws(',', sort_array(collect_set($s)))",
    "concat_ws(',', sort_array(collect_list($s)))",
    "max(substr($s, $n))",
    "min(concat($s, $l))",
    "wm_concat(',', $s) WITHIN GROUP (ORDER BY $s)",
    "CAST(count(*) AS STRING)",
};
static const char *const say_double_aggregates[] = {
    "max($d)",
    "min($d)",
    "sum($e)",
    "avg($e)",
    "percentile($i, 0.5)",
    "median($i)",
    "round(stddev($e), 3)",
    "sum($e) / count(*)",
    "round(variance($i), 2)",
};
static const char *const say_int_windows[] = {
    "row_number() OVER (ORDER BY $O)",
    "row_number() OVER (PARTITION BY $s ORDER BY $i DESC, $O)",
    "rank() OVER (ORDER BY $i)",
    "dense_rank() OVER (PARTITION BY $K ORDER BY $s)",
    "sum($i) OVER (PARTITION BY $s ORDER BY $O)",
    "count(*) OVER (PARTITION BY $i)",
    "lag($i, 1) OVER (ORDER BY $O)",
    "lead($i, $n, 0) OVER (PARTITION BY $K ORDER BY $O)",
    "max($i) OVER (ORDER BY $O ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)",
    "sum($i) OVER (ORDER BY $O ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)",
    "ntile(3) OVER (ORDER BY $O)",
    "count($s) OVER ()",
    ("count($i) OVER (ORDER BY $O RANGE BETWEEN UNBOUNDED PRECEDING AND "
     "CURRENT ROW)"),
    "first_value($i) OVER (PARTITION BY $K ORDER BY $O)",
};
static const char *const say_string_windows[] = {
    "first_value($s) OVER (PARTITION BY $K ORDER BY $O)",
    "lag($s, 1) OVER (ORDER BY $O)",
    "max($s) OVER (PARTITION BY $s)",
    ("min($s) OVER (ORDER BY $O ROWS BETWEEN 1 PRECEDING AND "
     "1 FOLLOWING)"),
    "last_value($s) OVER (ORDER BY $O)",
    "nth_value($s, 2) OVER (ORDER BY $O)",
};

/* -- expressions -------------------------------------------------------------------------------
 */

static inline void say_expr(struct say *g, struct say_scope *scope, char type, unsigned depth);
/* taint_query.h; `form` is the letter behind the $. */
static inline void say_nested(struct say *g, struct say_scope *scope, char form, unsigned depth);

/* May a column of this letter stand where that type is wanted? */
static inline bool say_fits(char letter, char type) {
    if (letter == type) return true;
    if (type == 'i') return letter == 'k';
    if (type == 's') return letter == 'u' || letter == 'v' || letter == 'x';
    return type == 'd' && letter == 'e';
}

/* False: there is none. */
static inline bool say_column(struct say *g, const struct say_scope *scope, char type) {
    const char *found = NULL;
    unsigned n = 0;
    bool is_forbidden = say_below(g, SAY_FORBIDDEN_ONE_IN) == 0;
    if (scope->outer != NULL && say_chance(g, 20)) {
        bool is_said = say_column(g, scope->outer, type);
        g->n_outer += is_said;
        return is_said;
    }
    for (size_t i = 0; i < scope->n; i++) {
        char letter = scope->at[i].letter;
        bool is_upper = letter >= 'A' && letter <= 'Z';
        if (is_upper != is_forbidden || !say_fits((char)(letter | 0x20), type)) continue;
        if (say_below(g, ++n) == 0) found = scope->at[i].name;
    }
    if (found == NULL) return false;
    say_put(g, "%s", found);
    return true;
}

static inline void say_literal(struct say *g, char type) {
    switch (type) {
    case 'u': say_put(g, "'%u'", say_below(g, 30)); return;
    case 'v': say_put(g, "'2024-0%u-03'", say_below(g, 9) + 1); return;
    case 'x':
    case 'p': say_put(g, "%s", SAY_ONE_OF(g, say_patterns)); return;
    case 'f': say_put(g, "%s", SAY_ONE_OF(g, say_formats)); return;
    case 's':
    case 'l': say_put(g, "%s", say_literals[say_below(g, COUNT(say_literals) - 1)]); return;
    case 'd':
    case 'e': say_put(g, "CAST(%u.5 AS DOUBLE)", say_below(g, 9)); return;
    case 'b': say_put(g, say_chance(g, 70) ? "TRUE" : "FALSE"); return;
    case 't': say_put(g, "DATETIME '2024-0%u-01 00:00:00'", say_below(g, 9) + 1); return;
    case 'a': say_put(g, "array('a', '%u')", say_below(g, 9)); return;
    case 'm': say_put(g, "map('k1', '%u')", say_below(g, 9)); return;
    default: say_put(g, "%u", say_below(g, 8) + 1); return;
    }
}

static inline void say_order(struct say *g, const struct say_scope *scope) {
    const char *comma = "";
    for (size_t i = 0; i < scope->n; i++) {
        if (!scope->at[i].is_order) continue;
        say_put(g, "%s%s%s", comma, scope->at[i].name, say_chance(g, 30) ? " DESC" : "");
        comma = ", ";
    }
    if (*comma == '\0') say_put(g, "1 + 0");
}

/* A lambda's parameter, in scope until the } of its template. */
static inline void say_lambda(struct say *g, struct say_scope *scope, char type) {
    char name[SAY_NAME];
    snprintf(name, sizeof name, "q%u", ++g->serial);
    say_put(g, "%s -> ", name);
    say_add(scope, type, false, name);
}

static inline void say_part(struct say *g, struct say_scope *scope, char form, unsigned depth) {
    unsigned below = depth > 0 ? depth - 1 : 0;
    switch (form) {
    case 'O': say_order(g, scope); return;
    case 'K':
        if (!say_column(g, scope, say_chance(g, 50) ? 'i' : 's')) say_put(g, "'k'");
        return;
    case 'I':
    case 'S':
    case 'E':
    case 'N':
    case 'M': say_nested(g, scope, form, below); return;
    case 'n':
    case 'l':
    case 'p':
    case 'f': say_literal(g, form); return;
    default: say_expr(g, scope, form, below); return;
    }
}

static inline void say_template(struct say *g, struct say_scope *scope, const char *template,
                                unsigned depth) {
    for (const char *at = template; *at != '\0'; at++) {
        if (*at == '$' && at[1] != '.') {
            say_part(g, scope, *++at, depth);
        } else if (*at == '{') {
            say_lambda(g, scope, *++at);
        } else if (*at == '}') {
            scope->n--;
        } else if (*at == '%' && at[1] == '%') {
            continue;
        } else {
            say_put(g, "%c", *at);
        }
    }
}

static inline const char *say_choose(struct say *g, char type) {
    switch (type) {
    case 'i': return SAY_ONE_OF(g, say_ints);
    case 's': return SAY_ONE_OF(g, say_strings);
    case 'd': return SAY_ONE_OF(g, say_doubles);
    case 'b': return SAY_ONE_OF(g, say_bools);
    case 't': return SAY_ONE_OF(g, say_times);
    case 'a': return SAY_ONE_OF(g, say_arrays);
    case 'm': return SAY_ONE_OF(g, say_maps);
    default: return NULL;
    }
}

static inline void say_expr(struct say *g, struct say_scope *scope, char type, unsigned depth) {
    unsigned stop = type == 'b' ? 5 : 40;
    if ((depth == 0 && type != 'b') || say_chance(g, stop)) {
        if (type == 'b' || say_chance(g, 12) || !say_column(g, scope, type)) say_literal(g, type);
        return;
    }
    const char *template =
        depth == 0 ? say_bools[say_below(g, SAY_PLAIN_BOOLS)] : say_choose(g, type);
    if (template == NULL) {
        if (!say_column(g, scope, type)) say_literal(g, type);
        return;
    }
    say_put(g, "(");
    say_template(g, scope, template, depth);
    say_put(g, ")");
}

#endif
