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

/* The same for several values: `values` is "x, y", and they are weir_v[1] and weir_v[2]. They have
 * no names: HAVING would take weir_v.x for a column, and a sub-query that reads one around it loses
 * the name of a field that is made by a macro. */
#define EACH_ONCE(values, body) "list_transform([row(" values ")], lambda weir_v: " body ")[1]"

/* `f` of x to n digits, by the digits that people read, which are the shortest text of a double: of
 * its DECIMAL. That is slow, and needed only where the binary digits and those may lie on two sides
 * of a place where `f` jumps: `safe` tells of the rest, which is done by `near`. From 10^19 on a
 * double has no fraction. */
/* clang-format off */
#define BY_DIGITS(f_head, f_tail, near, safe)                                                      \
    ONCE("CAST(x AS DOUBLE)",                                                                      \
         "CASE WHEN " SCALED " < 1e9 AND " safe " THEN " near " "                                  \
         "WHEN abs(weir_v) < 1e9 AND regexp_full_match(CAST(weir_v AS VARCHAR), "                  \
         "'-?[0-9]+[.][0-9]{1,9}') THEN " AS_DECIMAL("DECIMAL(18,9)", f_head, f_tail) " "          \
         "WHEN abs(weir_v) < 1e9 THEN " AS_DECIMAL("DECIMAL(38,28)", f_head, f_tail) " "           \
         "WHEN abs(weir_v) < 1e19 THEN " AS_DECIMAL("DECIMAL(38,18)", f_head, f_tail) " "          \
         "ELSE " near " END")
#define SCALED "abs(weir_v) * pow(10e0, n)"
#define AS_DECIMAL(type, f_head, f_tail)                                                           \
    "CAST(CAST(" f_head "CAST(CAST(weir_v AS VARCHAR) AS " type ")" f_tail " AS VARCHAR) AS DOUBLE)"
/* clang-format on */

/* Not near the middle between two, and not near one. */
#define OFF_TIE   "abs(" SCALED " % 1 - 0.5e0) > 1e-5"
#define OFF_WHOLE "abs(" SCALED " % 1 - 0.5e0) < 0.49999e0"

/* Most functions give NULL for any argument that is NULL. */
#define TWO   "weir_v[1] IS NOT NULL AND weir_v[2] IS NOT NULL"
#define THREE TWO " AND weir_v[3] IS NOT NULL"
#define FOUR  THREE " AND weir_v[4] IS NOT NULL"

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
    MACRO("round(x, n)", BY_DIGITS("round(", ", n)", "round(weir_v, n)", OFF_TIE)),
    MACRO("trunc(x, n)", BY_DIGITS("trunc(", ", n)", "trunc(weir_v, n)", OFF_WHOLE)),
    /* Of a DECIMAL, ties to the even digit; `half` is half of the last digit that stays. */
    MACRO("round_even(d, n, half)",
          ONCE("d", "CASE WHEN abs(weir_v - trunc(weir_v, n)) = half AND "
                    "right(CAST(trunc(weir_v, n) AS VARCHAR), 1) IN ('0', '2', '4', '6', '8') "
                    "THEN trunc(weir_v, n) ELSE round(weir_v, n) END")),
    MACRO("bround(x, n, half)",
          BY_DIGITS("weir_round_even(", ", n, half)", "round(weir_v, n)", OFF_TIE)),
    /* A DECIMAL in units of its 18th digit. */
    MACRO("units(d)",
          "CAST(replace(CAST(CAST(d AS DECIMAL(38,18)) AS VARCHAR), '.', '') AS HUGEINT)"),
    MACRO("twelfths(sign, q)",
          "CAST(sign * q AS DECIMAL(38,0)) * CAST('0.000000000001' AS DECIMAL(13,12))"),
    MACRO("eighteenths(sign, q)",
          "CAST(sign * q AS DECIMAL(38,0)) * CAST('0.000000000000000001' AS DECIMAL(19,18))"),
    /* a * b to eighteen digits, ties away from zero: by halves of nine digits. */
    MACRO("multiply(a, b)",
          "list_transform(list_transform(list_transform([row(weir_units(a), weir_units(b))], "
          "lambda weir_v: row(CASE WHEN (weir_v[1] < 0) <> (weir_v[2] < 0) THEN -1 ELSE 1 END, "
          "abs(weir_v[1]) // 1000000000, abs(weir_v[1]) % 1000000000, "
          "abs(weir_v[2]) // 1000000000, abs(weir_v[2]) % 1000000000)), "
          "lambda weir_v: row(weir_v[1], weir_v[2] * weir_v[4], weir_v[2] * weir_v[5] + "
          "weir_v[3] * weir_v[4] + weir_v[3] * weir_v[5] // 1000000000, "
          "weir_v[3] * weir_v[5] % 1000000000)), "
          "lambda weir_v: weir_eighteenths(weir_v[1], weir_v[2] + weir_v[3] // 1000000000 + "
          "CASE WHEN weir_v[3] % 1000000000 * 1000000000 + weir_v[4] >= 500000000000000000 "
          "THEN 1 ELSE 0 END))[1]"),
    /* a / b to twelve digits, ties away from zero, without a double on the way; of great numbers
     * first the whole part, then six digits, then six. */
    MACRO("long_divide(a, b)",
          "list_transform(list_transform(list_transform([row(a, b)], "
          "lambda weir_v: row(CASE WHEN (weir_v[1] < 0) <> (weir_v[2] < 0) THEN -1 ELSE 1 END, "
          "abs(weir_v[2]), abs(weir_v[1]) // abs(weir_v[2]), "
          "abs(weir_v[1]) % abs(weir_v[2]) * 1000000)), "
          "lambda weir_v: row(weir_v[1], weir_v[2], weir_v[3] * 1000000 + weir_v[4] // weir_v[2], "
          "weir_v[4] % weir_v[2] * 1000000)), "
          "lambda weir_v: weir_twelfths(weir_v[1], weir_v[3] * 1000000 + weir_v[4] // weir_v[2] + "
          "CASE WHEN weir_v[4] % weir_v[2] * 2 >= weir_v[2] THEN 1 ELSE 0 END))[1]"),
    MACRO("divide(a, b)",
          EACH_ONCE(
              "weir_units(a), weir_units(b)",
              "CASE WHEN abs(weir_v[1]) < 50000000000000000000000000 "
              "AND abs(weir_v[2]) < 10000000000000000000000000000000000000 "
              "THEN weir_twelfths(CASE WHEN (weir_v[1] < 0) <> (weir_v[2] < 0) THEN -1 ELSE 1 END, "
              "(abs(weir_v[1]) * 2000000000000 + abs(weir_v[2])) // (abs(weir_v[2]) * 2)) "
              "ELSE weir_long_divide(weir_v[1], weir_v[2]) END")),
    /* NULL for what has no logarithm or root. */
    MACRO("ln(x)", ONCE("x", "CASE WHEN weir_v > 0 THEN ln(weir_v) END")),
    MACRO("sqrt(x)", ONCE("x", "CASE WHEN weir_v >= 0 THEN sqrt(weir_v) END")),
    MACRO("log(b, x)", "weir_ln(x) / nullif(weir_ln(b), 0)"),
    /* As if the bits were a number without a sign; n by its lowest six bits. */
    MACRO("shift_unsigned(x, n)",
          EACH_ONCE("x, n & 63",
                    "CASE WHEN weir_v[2] = 0 OR weir_v[1] >= 0 THEN weir_v[1] >> weir_v[2] "
                    "ELSE CAST((CAST(weir_v[1] AS HUGEINT) + 18446744073709551616) >> weir_v[2] "
                    "AS BIGINT) END")),
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
    MACRO(
        "width_bucket(x, lo, hi, n)",
        EACH_ONCE("x, lo, hi, n",
                  "CASE WHEN NOT (" FOUR ") THEN NULL WHEN weir_v[1] < weir_v[2] THEN 0 "
                  "WHEN weir_v[1] >= weir_v[3] THEN weir_v[4] + 1 "
                  "ELSE CAST(floor((weir_v[1] - weir_v[2]) / (weir_v[3] - weir_v[2]) * weir_v[4]) "
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
    MACRO("months_between(a, b)",
          EACH_ONCE(
              "a, b",
              "(year(weir_v[1]) - year(weir_v[2])) * 12 + month(weir_v[1]) - month(weir_v[2]) + "
              "CASE WHEN day(weir_v[1]) = day(weir_v[2]) OR "
              "(last_day(weir_v[1]) = CAST(weir_v[1] AS DATE) AND "
              "last_day(weir_v[2]) = CAST(weir_v[2] AS DATE)) THEN CAST(0 AS DOUBLE) "
              "ELSE (weir_day_seconds(weir_v[1]) - weir_day_seconds(weir_v[2])) / 2678400 END")),

    /* -- texts --------------------------------------------------------------------------------- */

    /* As Java does. DuckDB maps letters one by one: where Java makes several of one, or looks at
     * those around it, it fails; so do Georgian letters, which only newer Javas know as small. */
    MACRO("upper(s)",
          ONCE("s", "CASE WHEN regexp_matches(weir_v, '[\\x{149}\\x{1f0}\\x{390}\\x{3b0}\\x{587}"
                    "\\x{1e96}-\\x{1e9a}\\x{1f50}-\\x{1f57}\\x{1f80}-\\x{1ffc}\\x{fb00}-\\x{fb17}"
                    "\\x{10d0}-\\x{10ff}]') THEN error('upper of a letter that becomes several') "
                    "ELSE upper(replace(weir_v, 'ß', 'SS')) END")),
    MACRO("lower(s)", ONCE("s", "CASE WHEN regexp_matches(weir_v, '[\\x{130}\\x{3a3}]') "
                                "THEN error('lower of a letter that becomes several') "
                                "ELSE lower(weir_v) END")),
    /* Elements, none of which is NULL, with a text between; array_to_string() takes only constants
     * there. */
    MACRO("join(l, separator)",
          "CASE WHEN len(l) = 0 THEN '' "
          "ELSE list_reduce(l, lambda weir_a, weir_b: weir_a || separator || weir_b) END"),
    /* Whether a NULL part is left out or makes the whole NULL depends on the mode. */
    MACRO("concat_ws(separator, l)",
          EACH_ONCE("separator, l",
                    "CASE WHEN weir_v[1] IS NULL OR weir_v[2] IS NULL THEN NULL "
                    "WHEN list_count(weir_v[2]) < len(weir_v[2]) THEN error('concat_ws of NULL') "
                    "ELSE weir_join(weir_v[2], weir_v[1]) END")),
    /* From 1, or back from the end; nothing where that is before the beginning. What 0 means
     * depends on the version. */
    MACRO("substr(s, start, n)",
          EACH_ONCE("s, start, n",
                    "CASE WHEN weir_v[2] = 0 THEN error('substr from position 0') WHEN " THREE
                    " THEN "
                    "CASE WHEN weir_v[3] <= 0 OR weir_v[2] < -length(weir_v[1]) THEN '' "
                    "ELSE substr(weir_v[1], weir_v[2], least(weir_v[3], 4294967295)) END END")),
    /* From 1; the empty text where there are not so many. */
    MACRO("split_part(s, separator, n)",
          EACH_ONCE("s, separator, n",
                    "CASE WHEN weir_v[3] < 1 OR weir_v[2] = '' THEN error('split_part from 1') "
                    "ELSE split_part(weir_v[1], weir_v[2], CAST(weir_v[3] AS INTEGER)) END")),
    MACRO("split_parts(s, separator, a, b)",
          EACH_ONCE("s, separator, a, b",
                    "CASE WHEN weir_v[3] < 1 OR weir_v[4] < 1 OR weir_v[2] = '' "
                    "THEN error('split_part from 1') WHEN " FOUR " THEN "
                    "weir_join(list_slice(string_split(weir_v[1], weir_v[2]), weir_v[3], "
                    "weir_v[4]), weir_v[2]) END")),
    /* What stands before the nth separator, or behind the nth from the end. */
    MACRO(
        "substring_index(s, separator, n)",
        EACH_ONCE(
            "s, separator, n",
            "CASE WHEN NOT (" THREE ") THEN NULL "
            "WHEN weir_v[2] = '' OR weir_v[3] = 0 THEN '' "
            "WHEN weir_v[3] > 0 THEN "
            "weir_join(list_slice(string_split(weir_v[1], weir_v[2]), 1, weir_v[3]), weir_v[2]) "
            "ELSE weir_join(list_slice(string_split(weir_v[1], weir_v[2]), "
            "greatest(weir_v[3], -len(string_split(weir_v[1], weir_v[2]))), -1), weir_v[2]) END")),
    /* Places of `what` from `start` on; it may overlap itself. */
    MACRO("places(s, what, start)", "list_filter(range(start, length(s) - length(what) + 2), "
                                    "lambda weir_i: substr(s, weir_i, length(what)) = what)"),
    MACRO("instr_nth(s, what, start, nth)",
          EACH_ONCE("start, nth, s, what",
                    "CASE WHEN weir_v[1] < 1 OR weir_v[2] < 1 THEN error('instr from the end') "
                    "WHEN " FOUR " THEN coalesce(list_extract("
                    "weir_places(weir_v[3], weir_v[4], weir_v[1]), weir_v[2]), 0) END")),
    MACRO("instr_from(s, what, start)", "weir_instr_nth(s, what, start, CAST(1 AS BIGINT))"),
    /* The value of the first pair with this key. */
    MACRO("keyvalue(s, outer_sep, inner_sep, k)",
          EACH_ONCE(
              "k || inner_sep, s, outer_sep",
              "CASE WHEN " THREE " THEN "
              "substr(list_extract(list_filter(string_split(weir_v[2], weir_v[3]), "
              "lambda weir_kv: starts_with(weir_kv, weir_v[1])), 1), length(weir_v[1]) + 1) END")),
    /* 0 when the text holds a comma or is not in the list. */
    MACRO("find_in_set(s, l)",
          EACH_ONCE("s, l", "CASE WHEN " TWO " THEN "
                            "CAST(coalesce(list_position(string_split(weir_v[2], ','), "
                            "weir_v[1]), 0) AS BIGINT) END")),
    /* How many characters of the first stand in the second. */
    MACRO("char_matchcount(s, set)",
          EACH_ONCE("s, set", "CASE WHEN NOT (" TWO ") THEN NULL WHEN weir_v[1] = '' THEN 0 ELSE "
                              "len(list_filter(string_split(weir_v[1], ''), "
                              "lambda weir_c: contains(weir_v[2], weir_c))) END")),
    /* The first letter of each word, which blanks part, large and the others small. */
    MACRO("initcap(s)", "array_to_string(list_transform(string_split(s, ' '), lambda weir_w: "
                        "weir_upper(left(weir_w, 1)) || weir_lower(substr(weir_w, 2))), ' ')"),
    /* As Java writes it: a blank is +, a star stays, a tilde does not. */
    MACRO("url_encode(s)",
          "replace(replace(replace(url_encode(s), '%20', '+'), '%2A', '*'), '~', '%7E')"),
    MACRO("url_decode(s)", "url_decode(replace(s, '+', ' '))"),
    /* The first group, NULL without a match. */
    MACRO("match(s, p)", EACH_ONCE("s, p", "CASE WHEN regexp_matches(weir_v[1], weir_v[2]) "
                                           "THEN regexp_extract(weir_v[1], weir_v[2], 1) END")),
    /* The place of the first match, 0 without one. */
    MACRO(
        "regexp_instr(s, p)",
        EACH_ONCE("s, p",
                  "CASE WHEN regexp_matches(weir_v[1], weir_v[2]) THEN "
                  "CAST(length(regexp_extract(weir_v[1], '^((?s:.*?))(?:' || weir_v[2] || ')', 1)) "
                  "+ 1 AS BIGINT) "
                  "WHEN weir_v[1] IS NOT NULL AND weir_v[2] IS NOT NULL THEN 0 END")),
    /* Text of scalars without quotes, compact JSON of the others; NULL for what is no JSON. */
    MACRO("json_text(j, path)",
          ONCE("j", "json_extract_string(CASE WHEN json_valid(weir_v) THEN weir_v END, path)")),

    /* The remainder of the bytes as a polynomial: by bits, without a table. */
    MACRO("crc32(s)",
          ONCE("s",
               "CASE WHEN weir_v IS NOT NULL THEN CAST(xor(list_reduce(list_prepend("
               "CAST(4294967295 AS UBIGINT), list_transform(range(strlen(weir_v)), "
               "lambda weir_i: CAST('0x' || substr(hex(weir_v), 2 * weir_i + 1, 2) AS UBIGINT))), "
               "lambda weir_c, weir_b: list_reduce(list_prepend(xor(weir_c, weir_b), "
               "list_transform(range(8), lambda weir_n: CAST(0 AS UBIGINT))), "
               "lambda weir_d, weir_z: CASE WHEN weir_d % 2 = 1 "
               "THEN xor(weir_d // 2, CAST(3988292384 AS UBIGINT)) ELSE weir_d // 2 END)), "
               "CAST(4294967295 AS UBIGINT)) AS BIGINT) END")),

    /* Whether a NULL inside is written or left out is not told. */
    MACRO("to_json(x)", ONCE("CAST(to_json(x) AS VARCHAR)",
                             "CASE WHEN regexp_matches(weir_v, '[:,\\[]null[],}]') "
                             "THEN error('to_json of NULL within') ELSE weir_v END")),

    /* -- arrays and maps ----------------------------------------------------------------------- */

    /* a[i] counts from 0; before it there is nothing. */
    MACRO("place(i)", ONCE("i", "CASE WHEN weir_v >= 0 THEN weir_v + 1 END")),
    /* From 1; 0 for what is not there. */
    MACRO("array_position(l, x)",
          EACH_ONCE("l, x",
                    "CASE WHEN weir_v[1] IS NOT NULL AND weir_v[2] IS NOT NULL "
                    "THEN CAST(coalesce(list_position(weir_v[1], weir_v[2]), 0) AS BIGINT) END")),
    MACRO("array_remove(l, x)",
          EACH_ONCE("l, x",
                    "list_filter(weir_v[1], lambda weir_e: weir_e IS DISTINCT FROM weir_v[2])")),
    /* Each element once, where it stood first. */
    MACRO("array_distinct(l)", ONCE("l", "list_filter(weir_v, lambda weir_e, weir_i: "
                                         "list_position(weir_v, weir_e) = weir_i)")),
    MACRO("array_except(a, b)",
          EACH_ONCE("a, b", "CASE WHEN " TWO " THEN weir_array_distinct(list_filter(weir_v[1], "
                            "lambda weir_f: list_position(weir_v[2], weir_f) IS NULL)) END")),
    MACRO("array_intersect(a, b)",
          EACH_ONCE("a, b", "CASE WHEN " TWO " THEN weir_array_distinct(list_filter(weir_v[1], "
                            "lambda weir_f: list_position(weir_v[2], weir_f) IS NOT NULL)) END")),
    MACRO("array_union(a, b)",
          EACH_ONCE("a, b", "CASE WHEN weir_v[1] IS NOT NULL AND weir_v[2] IS NOT NULL "
                            "THEN weir_array_distinct(list_concat(weir_v[1], weir_v[2])) "
                            "END")),
    MACRO("array_join(l, separator, filler)",
          "array_to_string(" EACH_ONCE(
              "l, filler", "list_transform(weir_v[1], lambda weir_e: "
                           "coalesce(CAST(weir_e AS VARCHAR), weir_v[2]))") ", separator)"),
    MACRO("array_repeat(x, n)",
          EACH_ONCE("x, n",
                    "CASE WHEN weir_v[2] IS NOT NULL THEN "
                    "list_transform(range(greatest(weir_v[2], 0)), lambda weir_i: weir_v[1]) END")),
    /* NULL when no element is found and one of them is NULL. */
    MACRO("arrays_overlap(a, b)",
          EACH_ONCE("a, b", "CASE WHEN list_has_any(weir_v[1], weir_v[2]) THEN TRUE "
                            "WHEN list_count(weir_v[1]) < len(weir_v[1]) OR "
                            "list_count(weir_v[2]) < len(weir_v[2]) THEN NULL "
                            "WHEN weir_v[1] IS NOT NULL AND weir_v[2] IS NOT NULL THEN FALSE END")),
    /* Of truth values: three-valued OR and AND; FALSE and TRUE of none. */
    MACRO("any_true(l)", ONCE("l", "CASE WHEN list_contains(weir_v, TRUE) THEN TRUE "
                                   "WHEN list_count(weir_v) < len(weir_v) THEN NULL "
                                   "WHEN weir_v IS NOT NULL THEN FALSE END")),
    MACRO("all_true(l)", ONCE("l", "CASE WHEN list_contains(weir_v, FALSE) THEN FALSE "
                                   "WHEN list_count(weir_v) < len(weir_v) THEN NULL "
                                   "WHEN weir_v IS NOT NULL THEN TRUE END")),
    MACRO("sequence(a, b)",
          EACH_ONCE("a, b",
                    "generate_series(weir_v[1], weir_v[2], "
                    "CAST(CASE WHEN weir_v[1] <= weir_v[2] THEN 1 ELSE -1 END AS BIGINT))")),
    MACRO("array_concat(a, b)",
          EACH_ONCE("a, b", "CASE WHEN " TWO " THEN list_concat(weir_v[1], weir_v[2]) END")),
    /* A key that both have fails. */
    MACRO("map_concat(a, b)",
          EACH_ONCE("a, b", "CASE WHEN " TWO " THEN "
                            "map(list_concat(map_keys(weir_v[1]), map_keys(weir_v[2])), "
                            "list_concat(map_values(weir_v[1]), map_values(weir_v[2]))) END")),
    /* 'a=1,b' is {a: 1, b: NULL}. */
    MACRO("str_to_map(s, outer_sep, inner_sep)",
          "map_from_entries(list_transform(string_split(s, outer_sep), lambda weir_e: "
          "{'k': split_part(weir_e, inner_sep, 1), 'v': CASE WHEN contains(weir_e, inner_sep) "
          "THEN substr(weir_e, instr(weir_e, inner_sep) + length(inner_sep)) END}))"),
    NULL,
};
