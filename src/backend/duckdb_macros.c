#include "backend/duckdb_macros.h"

#include <stddef.h>

/*
 * Each is told by what MaxCompute says. Two habits:
 *
 *   - A macro is text put in place of its call, so a parameter that is written thrice is computed
 *     thrice, and macros inside macros grow by powers. Where a parameter is needed often it goes
 *     once into a list of one, and a lambda looks at it: list_transform([x], lambda v: …)[1].
 *     Variables of lambdas begin with weir_, since an argument may hold variables of its own.
 *   - What MaxCompute refuses at run time ends in error().
 */

#define MACRO(name, body) "CREATE TEMP MACRO weir_" name " AS " body

/* With the value of `x` as weir_v, computed once. */
#define ONCE(x, body) "list_transform([" x "], lambda weir_v: " body ")[1]"

/* The same for several values: `fields` is "'a': x, 'b': y", and they are weir_v.a and weir_v.b. */
#define EACH_ONCE(fields, body) "list_transform([{" fields "}], lambda weir_v: " body ")[1]"

/* Digits, a point, an exponent. DuckDB would also take 1_000, 0x1F, inf and nan; as each of those
 * letters becomes a number sign, they fail. */
#define NUMBER_OF(s) "translate(" s ", '_xXnN', '#####')"

const char *const duckdb_macros[] = {
    /* -- casts --------------------------------------------------------------------------------- */

    MACRO("to_double(s)", "CAST(" NUMBER_OF("s") " AS DOUBLE)"),
    MACRO("to_decimal(s)", "CAST(" NUMBER_OF("s") " AS DECIMAL(38,18))"),
    /* CAST('1.6' AS BIGINT) is 1: what is behind the point is cut off. */
    MACRO("to_bigint(s)", "CAST(trunc(CAST(" NUMBER_OF("s") " AS DECIMAL(38,18))) AS BIGINT)"),
    /* yyyy-mm-dd and yyyy-mm-dd hh:mi:ss, nothing else; the empty text fails. */
    MACRO("to_datetime(s)", "CAST(regexp_extract(s, '^(\\d{4}-\\d\\d-\\d\\d( "
                            "\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?)?)$', 1)"
                            " AS TIMESTAMP)"),
    /* 'true' and 'false'. */
    MACRO("to_boolean(s)",
          ONCE("lower(s)", "CASE WHEN weir_v = 'true' THEN TRUE WHEN weir_v = 'false' THEN FALSE "
                           "WHEN weir_v IS NOT NULL THEN error('not a boolean') END")),
    /* 1.2345678E7 of DuckDB's 12345678.0, 1.23E-4 of its 0.000123, 1.0E22 of its 1e+22. */
    MACRO("java_double(t)",
          ONCE("t", "CASE WHEN contains(weir_v, 'e') THEN "
                    "regexp_replace(regexp_replace(weir_v, 'e[+]?(-?)0*', 'E\\1'), '^(-?[0-9])E', "
                    "'\\1.0E') "
                    "ELSE CASE WHEN starts_with(weir_v, '-') THEN '-' ELSE '' END || "
                    "regexp_replace(rtrim(replace(ltrim(weir_v, '-0.'), '.', ''), '0') || '0', "
                    "'^([0-9])(0|[0-9]+?)0?$', '\\1.\\2') || 'E' || "
                    "CASE WHEN contains(weir_v, '0.000') AND starts_with(ltrim(weir_v, '-'), '0') "
                    "THEN '-4' ELSE CAST(instr(ltrim(weir_v, '-'), '.') - 2 AS VARCHAR) END END")),
    /* As Java writes a double: 1.5, 100.0, and from 10^7 on or below 10^-3 1.0E7, 1.0E-4. */
    MACRO("double_text(x)",
          ONCE("CAST(x AS DOUBLE)",
               "CASE WHEN isnan(weir_v) THEN 'NaN' "
               "WHEN isinf(weir_v) THEN CASE WHEN weir_v > 0 THEN 'Infinity' ELSE '-Infinity' END "
               "WHEN weir_v = 0 OR (abs(weir_v) >= 1e-3 AND abs(weir_v) < 1e7) "
               "THEN CAST(weir_v AS VARCHAR) "
               "ELSE weir_java_double(CAST(weir_v AS VARCHAR)) END")),
    /* 1.50 is 1.5, and 2.00 is 2. */
    MACRO("decimal_text(x)",
          "rtrim(regexp_replace(CAST(x AS VARCHAR), '(\\.[0-9]*?)0+$', '\\1'), '.')"),

    /* -- numbers ------------------------------------------------------------------------------- */

    /* By way of the shortest decimal text, as people read it. */
    MACRO("trunc(x, n)",
          ONCE("CAST(x AS DOUBLE)", "CASE WHEN abs(weir_v) < 1e20 "
                                    "THEN CAST(trunc(CAST(weir_v AS DECIMAL(38,15)), n) AS DOUBLE) "
                                    "ELSE trunc(weir_v, n) END")),
    /* NULL for what has no logarithm or root. */
    MACRO("ln(x)", ONCE("x", "CASE WHEN weir_v > 0 THEN ln(weir_v) END")),
    MACRO("sqrt(x)", ONCE("x", "CASE WHEN weir_v >= 0 THEN sqrt(weir_v) END")),
    MACRO("log(b, x)", "weir_ln(x) / nullif(weir_ln(b), 0)"),
    /* From 0 to 20, else NULL. */
    MACRO("factorial(n)", ONCE("n", "CASE WHEN weir_v BETWEEN 0 AND 20 "
                                    "THEN CAST(factorial(CAST(weir_v AS INTEGER)) AS BIGINT) END")),
    /* The number that digits of a base from 2 to 36 write; 64 bits without a sign. */
    MACRO("from_base(s, base)",
          ONCE("upper(s)",
               "CASE WHEN weir_v = '' THEN NULL ELSE CAST(CAST(list_reduce(list_transform("
               "string_split(weir_v, ''), lambda weir_c: CASE WHEN "
               "instr(left('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', base), weir_c) = 0 "
               "THEN error('not a digit of the base') ELSE "
               "CAST(instr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', weir_c) - 1 AS HUGEINT) END), "
               "lambda weir_a, weir_d: weir_a * base + weir_d) AS UBIGINT) AS BIGINT) END")),
    /* 0 below the range, n + 1 from its end on. */
    MACRO("width_bucket(x, lo, hi, n)",
          EACH_ONCE(
              "'x': x, 'a': lo, 'b': hi, 'n': n",
              "CASE WHEN weir_v.x < weir_v.a THEN 0 WHEN weir_v.x >= weir_v.b THEN weir_v.n + 1 "
              "ELSE CAST(floor((weir_v.x - weir_v.a) / (weir_v.b - weir_v.a) * weir_v.n) "
              "AS BIGINT) + 1 END")),
    /* NULL is the smallest value. */
    MACRO("least(l)", ONCE("l", "CASE WHEN list_count(weir_v) = len(weir_v) "
                                "THEN list_min(weir_v) END")),
    MACRO("ordinal(l, n)", "list_extract(list_sort(l, 'ASC', 'NULLS FIRST'), n)"),

    /* -- times --------------------------------------------------------------------------------- */

    MACRO("to_quarters(n)", "to_months(CAST(3 * n AS INTEGER))"),
    MACRO("millisecond(t)", "(millisecond(t) % 1000)"),
    /* A text that has not the shape of the format fails. */
    MACRO("to_date(s, shape, format)",
          ONCE("CAST(s AS VARCHAR)",
               "CASE WHEN regexp_full_match(weir_v, shape) THEN strptime(weir_v, format) "
               "WHEN weir_v IS NOT NULL THEN error('not a date of this format') END")),
    MACRO("isdate(s, shape, format)",
          ONCE("CAST(s AS VARCHAR)", "regexp_full_match(weir_v, shape) AND "
                                     "try_strptime(weir_v, format) IS NOT NULL")),
    /* The first `day` (Monday is 1) after d, as text. */
    MACRO("next_day(d, day)",
          ONCE("d", "strftime(weir_v + to_days(CAST((day - isodow(weir_v) + 6) % 7 + 1 "
                    "AS INTEGER)), '%Y-%m-%d')")),
    MACRO("day_seconds(t)", "(day(t) * 86400 + hour(t) * 3600 + minute(t) * 60 + second(t))"),
    /* Whole months between the same days, or the last days, of two months; else by months of 31
     * days. */
    MACRO(
        "months_between(a, b)",
        EACH_ONCE("'a': a, 'b': b",
                  "(year(weir_v.a) - year(weir_v.b)) * 12 + month(weir_v.a) - month(weir_v.b) + "
                  "CASE WHEN day(weir_v.a) = day(weir_v.b) OR "
                  "(last_day(weir_v.a) = CAST(weir_v.a AS DATE) AND "
                  "last_day(weir_v.b) = CAST(weir_v.b AS DATE)) THEN CAST(0 AS DOUBLE) "
                  "ELSE (weir_day_seconds(weir_v.a) - weir_day_seconds(weir_v.b)) / 2678400 END")),

    /* -- texts --------------------------------------------------------------------------------- */

    /* Elements, none of which is NULL, with a text between; array_to_string() takes only constants
     * there. */
    MACRO("join(l, separator)",
          "CASE WHEN len(l) = 0 THEN '' "
          "ELSE list_reduce(l, lambda weir_a, weir_b: weir_a || separator || weir_b) END"),
    /* Whether a NULL part is left out or makes the whole NULL depends on the mode. */
    MACRO("concat_ws(separator, l)",
          EACH_ONCE("'s': separator, 'l': l",
                    "CASE WHEN weir_v.s IS NULL OR weir_v.l IS NULL THEN NULL "
                    "WHEN list_count(weir_v.l) < len(weir_v.l) THEN error('concat_ws of NULL') "
                    "ELSE weir_join(weir_v.l, weir_v.s) END")),
    /* From 1, or back from the end; nothing where that is before the beginning. What 0 means
     * depends on the version. */
    MACRO("substr(s, start, n)",
          EACH_ONCE("'s': s, 'f': start, 'n': n",
                    "CASE WHEN weir_v.f = 0 THEN error('substr from position 0') "
                    "WHEN weir_v.n <= 0 OR weir_v.f < -length(weir_v.s) THEN "
                    "CASE WHEN weir_v.s IS NULL THEN NULL ELSE '' END "
                    "ELSE substr(weir_v.s, weir_v.f, least(weir_v.n, 4294967295)) END")),
    /* From 1; the empty text where there are not so many. */
    MACRO("split_part(s, separator, n)",
          EACH_ONCE("'s': s, 'p': separator, 'n': n",
                    "CASE WHEN weir_v.n < 1 OR weir_v.p = '' THEN error('split_part from 1') "
                    "ELSE split_part(weir_v.s, weir_v.p, CAST(weir_v.n AS INTEGER)) END")),
    MACRO("split_parts(s, separator, a, b)",
          EACH_ONCE("'s': s, 'p': separator, 'a': a, 'b': b",
                    "CASE WHEN weir_v.a < 1 OR weir_v.b < 1 OR weir_v.p = '' "
                    "THEN error('split_part from 1') ELSE "
                    "weir_join(list_slice(string_split(weir_v.s, weir_v.p), weir_v.a, "
                    "weir_v.b), weir_v.p) END")),
    /* What stands before the nth separator, or behind the nth from the end. */
    MACRO("substring_index(s, separator, n)",
          EACH_ONCE(
              "'s': s, 'n': n, 'p': separator",
              "CASE WHEN weir_v.s IS NULL OR weir_v.p IS NULL OR weir_v.n IS NULL THEN NULL "
              "WHEN weir_v.p = '' OR weir_v.n = 0 THEN '' "
              "WHEN weir_v.n > 0 THEN "
              "weir_join(list_slice(string_split(weir_v.s, weir_v.p), 1, weir_v.n), weir_v.p) "
              "ELSE weir_join(list_slice(string_split(weir_v.s, weir_v.p), "
              "greatest(weir_v.n, -len(string_split(weir_v.s, weir_v.p))), -1), weir_v.p) END")),
    /* Places of `what` from `start` on; it may overlap itself. */
    MACRO("places(s, what, start)", "list_filter(range(start, length(s) - length(what) + 2), "
                                    "lambda weir_i: substr(s, weir_i, length(what)) = what)"),
    MACRO("instr_nth(s, what, start, nth)",
          EACH_ONCE(
              "'f': start, 'n': nth, 's': s, 'w': what",
              "CASE WHEN weir_v.f < 1 OR weir_v.n < 1 THEN error('instr from the end') "
              "WHEN weir_v.s IS NULL OR weir_v.w IS NULL OR weir_v.f IS NULL OR weir_v.n IS NULL "
              "THEN NULL ELSE coalesce(list_extract(weir_places(weir_v.s, weir_v.w, weir_v.f), "
              "weir_v.n), 0) END")),
    MACRO("instr_from(s, what, start)", "weir_instr_nth(s, what, start, CAST(1 AS BIGINT))"),
    /* The value of the first pair with this key. */
    MACRO("keyvalue(s, outer_sep, inner_sep, k)",
          EACH_ONCE("'k': k || inner_sep, 's': s, 'o': outer_sep",
                    "substr(list_extract(list_filter(string_split(weir_v.s, weir_v.o), "
                    "lambda weir_kv: starts_with(weir_kv, weir_v.k)), 1), length(weir_v.k) + 1)")),
    /* 0 when the text holds a comma or is not in the list. */
    MACRO("find_in_set(s, l)",
          EACH_ONCE("'s': s, 'l': l",
                    "CASE WHEN weir_v.s IS NULL OR weir_v.l IS NULL THEN NULL ELSE "
                    "CAST(coalesce(list_position(string_split(weir_v.l, ','), "
                    "weir_v.s), 0) AS BIGINT) END")),
    /* How many characters of the first stand in the second. */
    MACRO("char_matchcount(s, set)",
          EACH_ONCE("'s': s, 'c': set",
                    "CASE WHEN weir_v.s = '' AND weir_v.c IS NOT NULL THEN 0 ELSE "
                    "len(list_filter(string_split(weir_v.s, ''), "
                    "lambda weir_c: contains(weir_v.c, weir_c))) END")),
    /* The first letter of each word, which blanks part, large and the others small. */
    MACRO("initcap(s)", "array_to_string(list_transform(string_split(s, ' '), lambda weir_w: "
                        "upper(left(weir_w, 1)) || lower(substr(weir_w, 2))), ' ')"),
    /* As Java writes it: a blank is +, a star stays, a tilde does not. */
    MACRO("url_encode(s)",
          "replace(replace(replace(url_encode(s), '%20', '+'), '%2A', '*'), '~', '%7E')"),
    MACRO("url_decode(s)", "url_decode(replace(s, '+', ' '))"),
    /* The first group, NULL without a match. */
    MACRO("match(s, p)",
          EACH_ONCE("'s': s, 'p': p", "CASE WHEN regexp_matches(weir_v.s, weir_v.p) "
                                      "THEN regexp_extract(weir_v.s, weir_v.p, 1) END")),
    /* The place of the first match, 0 without one. */
    MACRO("regexp_instr(s, p)",
          EACH_ONCE("'s': s, 'p': p",
                    "CASE WHEN regexp_matches(weir_v.s, weir_v.p) THEN "
                    "CAST(length(regexp_extract(weir_v.s, '^((?s:.*?))(?:' || weir_v.p || ')', 1)) "
                    "+ 1 AS BIGINT) "
                    "WHEN weir_v.s IS NOT NULL AND weir_v.p IS NOT NULL THEN 0 END")),
    /* Text of scalars without quotes, compact JSON of the others; NULL for what is no JSON. */
    MACRO("json_text(j, path)",
          ONCE("j", "json_extract_string(CASE WHEN json_valid(weir_v) THEN weir_v END, path)")),

    /* -- arrays and maps ----------------------------------------------------------------------- */

    /* a[i] counts from 0; before it there is nothing. */
    MACRO("place(i)", ONCE("i", "CASE WHEN weir_v >= 0 THEN weir_v + 1 END")),
    /* From 1; 0 for what is not there. */
    MACRO("array_position(l, x)",
          EACH_ONCE("'l': l, 'x': x",
                    "CASE WHEN weir_v.l IS NOT NULL AND weir_v.x IS NOT NULL "
                    "THEN CAST(coalesce(list_position(weir_v.l, weir_v.x), 0) AS BIGINT) END")),
    MACRO("array_remove(l, x)",
          EACH_ONCE("'l': l, 'x': x",
                    "list_filter(weir_v.l, lambda weir_e: weir_e IS DISTINCT FROM weir_v.x)")),
    /* Each element once, where it stood first. */
    MACRO("array_distinct(l)", ONCE("l", "list_filter(weir_v, lambda weir_e, weir_i: "
                                         "list_position(weir_v, weir_e) = weir_i)")),
    MACRO("array_except(a, b)",
          EACH_ONCE("'a': a, 'b': b", "weir_array_distinct(list_filter(weir_v.a, lambda weir_f: "
                                      "list_position(weir_v.b, weir_f) IS NULL))")),
    MACRO("array_intersect(a, b)",
          EACH_ONCE("'a': a, 'b': b", "weir_array_distinct(list_filter(weir_v.a, lambda weir_f: "
                                      "list_position(weir_v.b, weir_f) IS NOT NULL))")),
    MACRO("array_union(a, b)",
          EACH_ONCE("'a': a, 'b': b", "CASE WHEN weir_v.a IS NOT NULL AND weir_v.b IS NOT NULL "
                                      "THEN weir_array_distinct(list_concat(weir_v.a, weir_v.b)) "
                                      "END")),
    MACRO("array_join(l, separator, filler)",
          "array_to_string(" EACH_ONCE(
              "'l': l, 'f': filler",
              "list_transform(weir_v.l, lambda weir_e: "
              "coalesce(CAST(weir_e AS VARCHAR), weir_v.f))") ", separator)"),
    MACRO("array_repeat(x, n)",
          EACH_ONCE("'x': x, 'n': n",
                    "list_transform(range(greatest(weir_v.n, 0)), lambda weir_i: weir_v.x)")),
    /* NULL when no element is found and one of them is NULL. */
    MACRO("arrays_overlap(a, b)",
          EACH_ONCE("'a': a, 'b': b",
                    "CASE WHEN list_has_any(weir_v.a, weir_v.b) THEN TRUE "
                    "WHEN list_count(weir_v.a) < len(weir_v.a) OR "
                    "list_count(weir_v.b) < len(weir_v.b) THEN NULL "
                    "WHEN weir_v.a IS NOT NULL AND weir_v.b IS NOT NULL THEN FALSE END")),
    /* Of truth values: three-valued OR and AND; FALSE and TRUE of none. */
    MACRO("any_true(l)", ONCE("l", "CASE WHEN list_contains(weir_v, TRUE) THEN TRUE "
                                   "WHEN list_count(weir_v) < len(weir_v) THEN NULL "
                                   "WHEN weir_v IS NOT NULL THEN FALSE END")),
    MACRO("all_true(l)", ONCE("l", "CASE WHEN list_contains(weir_v, FALSE) THEN FALSE "
                                   "WHEN list_count(weir_v) < len(weir_v) THEN NULL "
                                   "WHEN weir_v IS NOT NULL THEN TRUE END")),
    MACRO("sequence(a, b)",
          EACH_ONCE("'a': a, 'b': b",
                    "generate_series(weir_v.a, weir_v.b, "
                    "CAST(CASE WHEN weir_v.a <= weir_v.b THEN 1 ELSE -1 END AS BIGINT))")),
    /* 'a=1,b' is {a: 1, b: NULL}. */
    MACRO("str_to_map(s, outer_sep, inner_sep)",
          "map_from_entries(list_transform(string_split(s, outer_sep), lambda weir_e: "
          "{'k': split_part(weir_e, inner_sep, 1), 'v': CASE WHEN contains(weir_e, inner_sep) "
          "THEN substr(weir_e, instr(weir_e, inner_sep) + length(inner_sep)) END}))"),
    NULL,
};
