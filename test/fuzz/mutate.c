/*
 * A mutator for statements: it cuts the text into tokens and works on those, for of random bytes
 * most stay in the lexer. Words come from the tables of the language, functions with as many
 * arguments as they take, names from the world that the guard's target asks of. One time in six the
 * bytes are libFuzzer's own business.
 */
#include "base/str.h"
#include "fuzz.h"

#include <string.h>

enum { TOKENS = 2048, ARGUMENTS_MORE = 3, WORD_BYTES = 128 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max, unsigned seed);

/* -- words ------------------------------------------------------------------------------------ */

static const char *const words[] = {
#define WORD(name, kind) #name,
#include "sql/words.def"
#undef WORD
};

static const struct function {
    const char *name;
    unsigned least, most;
} functions[] = {
#define ANY                                                         6
#define F(name, least, most, kind, flags, result, duckdb, postgres) {name, least, most},
#include "sql/functions.def"
#undef F
#undef ANY
};

static const char *const world[] = {
#include "guard_world.inc"
};

static const char *const marks[] = {
    "(",   ")",        ",",     ".",      "*",     "=",      "<>",
    "<=>", "<",        ">=",    "||",     "|",     "&",      "^",
    "~",   "!",        "%",     "/",      "-",     "+",      "->",
    "[",   "]",        "'",     "\"",     "`",     ";",      "0",
    "1",   "2",        "-1",    "1.5",    "1e308", "3BD",    "7L",
    "'a'", "'%'",      "' '",   "'\\\\'", "'('",   "NULL",   "TRUE",
    "'5'", "{d}",      "X'00'", "，",     "（",    "）",     "'${mask.salt}'",
    "@x",  ":x",       "?",     "--",     "/*",    "100000", "::",
    "!=",  "'[a-z]+'", "9",     "'cn'",   "x"};

/* Pieces whose words have to come together. */
static const char *const phrases[] = {
    "LATERAL VIEW explode(tags) lv AS tag",
    "LATERAL VIEW OUTER posexplode(split(status, ',')) lv AS pos, tag",
    "LATERAL VIEW explode(props) lv AS pk, pv",
    "LATERAL VIEW json_tuple(payload, 'a', 'b') lv AS ja, jb",
    "LEFT SEMI JOIN users u ON o.user_id = u.user_id",
    "LEFT ANTI JOIN users u ON o.user_id = u.user_id",
    "FULL OUTER JOIN events e USING (user_id)",
    "NATURAL JOIN users",
    "CROSS JOIN items",
    ", LATERAL (SELECT 1) l",
    "GROUP BY user_id, region GROUPING SETS ((user_id), (region), ())",
    "GROUP BY CUBE(user_id, region)",
    "GROUP BY ROLLUP(user_id, region)",
    "GROUP BY 1, 2 WITH ROLLUP",
    "GROUP BY ALL",
    "grouping_id(user_id, region)",
    "HAVING count(*) > 1",
    "QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY ds) = 1",
    "sum(amount) OVER (PARTITION BY user_id ORDER BY ds ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
    "rank() OVER w",
    "WINDOW w AS (PARTITION BY region ORDER BY amount DESC NULLS LAST)",
    "RANGE BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING EXCLUDE TIES",
    "count(DISTINCT user_id) FILTER (WHERE amount > 1)",
    "wm_concat(',', name) WITHIN GROUP (ORDER BY name DESC)",
    "PIVOT (sum(amount) AS a, max(quantity) FOR region IN ('cn', 'us' AS u))",
    "UNPIVOT INCLUDE NULLS (v FOR k IN (amount AS 'a', quantity))",
    "TABLESAMPLE (10 PERCENT)",
    "TABLESAMPLE (BUCKET 1 OUT OF 4 ON user_id)",
    "TIMESTAMP AS OF '2024-01-01 00:00:00'",
    "VERSION AS OF 3",
    "PARTITION (ds = '20240131')",
    "WITH c AS (SELECT * FROM orders)",
    "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5)",
    "UNION ALL SELECT",
    "INTERSECT SELECT",
    "EXCEPT ALL SELECT",
    "MINUS SELECT",
    "(VALUES (1, 'a'), (2, NULL)) v (a, b)",
    "ORDER BY 1 DESC NULLS FIRST LIMIT 5 OFFSET 2",
    "LIMIT 2, 3",
    "DISTRIBUTE BY user_id SORT BY ds",
    "CLUSTER BY region",
    "`(user_id|ds)?+.+`",
    "`[a-f].*`",
    "* EXCEPT (user_id)",
    "* REPLACE (1 AS user_id)",
    "o.*",
    "count(o.*)",
    "/*+ MAPJOIN(u) */",
    "/*+ SKEWJOIN(o(user_id)) */",
    "FROM orders o SELECT",
    "EXISTS (SELECT 1 FROM users x WHERE x.user_id = o.user_id)",
    "user_id IN (SELECT user_id FROM contacts)",
    "(user_id, region) IN (SELECT user_id, city FROM users)",
    "amount > ALL (SELECT dwell_ms FROM events)",
    "transform(tags, x -> concat(x, region))",
    "filter(tags, x -> x <> 'a')",
    "aggregate(tags, 0, (a, x) -> a + length(x), a -> a)",
    "map_filter(props, (k, v) -> k > v)",
    "zip_with(tags, tags, (x, y) -> x)",
    "ext.device.os",
    "ext.device.imei",
    "profile.nick",
    "props['k']",
    "tags[0]",
    "CAST(amount AS DECIMAL(10, 2))",
    "CAST(NULL AS STRUCT<a: INT, b: ARRAY<STRING>>)",
    "named_struct('a', 1, 'b', 'x').a",
    "CASE WHEN amount > 1 THEN 'a' ELSE status END",
    "amount BETWEEN 1 AND 2",
    "status NOT LIKE 'a\\\\_%' ESCAPE '\\\\'",
    "status RLIKE '^a'",
    "EXTRACT(YEAR FROM created_at)",
    "INTERVAL '1' DAY",
    "DATE '2024-01-31'",
    "TRIM(BOTH 'x' FROM status)",
    "ds = max_pt('sales.orders')",
    "ds >= '20240101' AND ds <= '20240131'",
    "ds IN ('20240130', '20240131') OR hr = '00'",
    "(SELECT max(user_id) FROM users)",
};

/* -- a text under change ---------------------------------------------------------------------- */

struct token {
    size_t from, to;
};

struct text {
    uint64_t state;
    uint8_t *bytes;
    size_t n, max;
    struct token tokens[TOKENS];
    size_t n_tokens;
};

static size_t below(struct text *t, size_t n) {
    uint64_t z = t->state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (size_t)((z ^ (z >> 31)) % n);
}
#define ONE_OF(t, list) ((list)[below((t), COUNT(list))])

static bool is_word_byte(uint8_t c) {
    return c >= 0x80 || c == '_' || c == '$' || (c >= '0' && c <= '9') ||
           ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static size_t token_end(const uint8_t *bytes, size_t n, size_t at) {
    uint8_t c = bytes[at++];
    if (is_word_byte(c)) {
        while (at < n && is_word_byte(bytes[at])) at++;
    } else if (c == '\'' || c == '"' || c == '`') {
        while (at < n && bytes[at] != c) at += bytes[at] == '\\' && at + 1 < n ? 2 : 1;
        if (at < n) at++;
    }
    return at;
}

static void cut(struct text *t) {
    t->n_tokens = 0;
    for (size_t at = 0; at < t->n && t->n_tokens < TOKENS;) {
        if (strchr(" \t\r\n", t->bytes[at]) != NULL) {
            at++;
            continue;
        }
        size_t to = token_end(t->bytes, t->n, at);
        t->tokens[t->n_tokens++] = (struct token){at, to};
        at = to;
    }
}

static struct token any_token(struct text *t) {
    if (t->n_tokens == 0) return (struct token){t->n, t->n};
    return t->tokens[below(t, t->n_tokens)];
}

/* From a token to one behind it; if it opens a bracket, mostly to where that closes. */
static struct token any_range(struct text *t) {
    if (t->n_tokens == 0) return (struct token){t->n, t->n};
    size_t first = below(t, t->n_tokens), last = first + below(t, 6), depth = 0;
    if (last >= t->n_tokens) last = t->n_tokens - 1;
    bool is_open = t->bytes[t->tokens[first].from] == '(' && below(t, 8) > 0;
    for (size_t i = first; is_open && i < t->n_tokens; i++) {
        uint8_t c = t->bytes[t->tokens[i].from];
        if (c == '(') depth++;
        if (c != ')' || --depth > 0) continue;
        last = i;
        break;
    }
    return (struct token){t->tokens[first].from, t->tokens[last].to};
}

/* What stands at `range` becomes `with`, blanks around it. Too long: nothing happens. */
static void replace(struct text *t, struct token range, const void *with, size_t n) {
    size_t pad = n > 0 ? 2 : 0, tail = t->n - range.to;
    if (range.from + n + pad + tail > t->max) return;
    memmove(t->bytes + range.from + n + pad, t->bytes + range.to, tail);
    if (n > 0) {
        t->bytes[range.from] = ' ';
        memcpy(t->bytes + range.from + 1, with, n);
        t->bytes[range.from + 1 + n] = ' ';
    }
    t->n = range.from + n + pad + tail;
}

static void replace_text(struct text *t, struct token range, const char *with) {
    replace(t, range, with, strlen(with));
}

static void copy_range(struct text *t, struct token to, struct token from) {
    uint8_t copy[4096];
    size_t n = from.to - from.from;
    if (n == 0 || n > sizeof copy) return;
    memcpy(copy, t->bytes + from.from, n);
    replace(t, to, copy, n);
}

/* The one behind first, so that the other stays where it is. */
static void swap_ranges(struct text *t) {
    uint8_t copy[4096];
    struct token a = any_range(t), b = any_range(t);
    struct token first = a.from < b.from ? a : b, second = a.from < b.from ? b : a;
    size_t n = second.to - second.from;
    if (first.to > second.from || n > sizeof copy) return;
    memcpy(copy, t->bytes + second.from, n);
    copy_range(t, second, first);
    replace(t, first, copy, n);
}

/* -- what is put in --------------------------------------------------------------------------- */

/* A name of the world: of a table, of a column, a type. */
static void world_name(struct text *t, char out[WORD_BYTES]) {
    const char *line = ONE_OF(t, world), *at = strchr(line, ' ');
    size_t n = at == NULL ? 0 : strcspn(++at, " <=");
    if (n > 0 && below(t, 2) == 0) { /* sales.default.orders as orders */
        const char *end = at + n;
        while (n > 0 && at[n - 1] != '.') n--;
        at += n;
        n = (size_t)(end - at);
    }
    snprintf(out, WORD_BYTES, "%.*s", (int)n, n > 0 ? at : "");
}

static void word(struct text *t, char out[WORD_BYTES]) {
    switch (below(t, 8)) {
    case 0:
    case 1: snprintf(out, WORD_BYTES, "%s", ONE_OF(t, words)); return;
    case 2: snprintf(out, WORD_BYTES, "%s", ONE_OF(t, functions).name); return;
    case 3: snprintf(out, WORD_BYTES, "%s", ONE_OF(t, marks)); return;
    case 4: snprintf(out, WORD_BYTES, "%s", ONE_OF(t, phrases)); return;
    default: world_name(t, out); return;
    }
}

/* A function with as many arguments as it takes, mostly: the range itself, words, marks. */
static void put_call(struct text *t, struct token range) {
    char call[1024], argument[WORD_BYTES];
    struct function f = ONE_OF(t, functions);
    unsigned most = f.most > f.least + ARGUMENTS_MORE ? f.least + ARGUMENTS_MORE : f.most;
    unsigned n = below(t, 10) == 0 ? (unsigned)below(t, 5)
                                   : f.least + (unsigned)below(t, most - f.least + 1);
    size_t at = (size_t)snprintf(call, sizeof call, "%s(", f.name);
    for (unsigned i = 0; i < n && at + WORD_BYTES + 8 < sizeof call; i++) {
        size_t length = range.to - range.from;
        if (i == 0 && length > 0 && length < WORD_BYTES)
            snprintf(argument, sizeof argument, "%.*s", (int)length, t->bytes + range.from);
        else if (below(t, 3) == 0)
            snprintf(argument, sizeof argument, "%s", ONE_OF(t, marks));
        else
            world_name(t, argument);
        at += (size_t)snprintf(call + at, sizeof call - at, "%s%s", i > 0 ? ", " : "", argument);
    }
    snprintf(call + at, sizeof call - at, ")");
    replace_text(t, range, call);
}

static void wrap(struct text *t, struct token range) {
    static const char *const around[][2] = {{"(", ")"},
                                            {"(SELECT", ")"},
                                            {"(SELECT * FROM", ") q"},
                                            {"SELECT * FROM (", ") q"},
                                            {"NOT", ""},
                                            {"CASE WHEN", "THEN 1 END"},
                                            {"CAST(", "AS STRING)"},
                                            {"sum(", ")"},
                                            {"", "OVER (PARTITION BY region ORDER BY ds)"},
                                            {"", "IS NOT NULL"},
                                            {"coalesce(", ", 1)"},
                                            {"", "AS z"}};
    size_t i = below(t, COUNT(around));
    replace_text(t, (struct token){range.to, range.to}, around[i][1]);
    replace_text(t, (struct token){range.from, range.from}, around[i][0]);
}

static void change(struct text *t) {
    char said[WORD_BYTES];
    struct token at = any_token(t);
    word(t, said);
    switch (below(t, 10)) {
    case 0: replace(t, any_range(t), "", 0); return;
    case 1: copy_range(t, (struct token){at.to, at.to}, any_range(t)); return;
    case 2: copy_range(t, any_range(t), any_range(t)); return;
    case 3: swap_ranges(t); return;
    case 4:
    case 5: replace_text(t, at, said); return;
    case 6: replace_text(t, (struct token){at.to, at.to}, said); return;
    case 7: put_call(t, any_range(t)); return;
    case 8: wrap(t, any_range(t)); return;
    default: replace_text(t, any_range(t), ONE_OF(t, phrases)); return;
    }
}

/* -- libFuzzer's doors ------------------------------------------------------------------------ */

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed) {
    struct text t = {.state = seed, .bytes = data, .n = size, .max = max};
    if (below(&t, 6) == 0) return LLVMFuzzerMutate(data, size, max);
    for (size_t n = 1 + below(&t, 3); n > 0; n--) {
        cut(&t);
        change(&t);
    }
    return t.n;
}

/* A part of b in a part of a. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max, unsigned seed) {
    struct text to = {.state = seed, .bytes = out, .n = a_size < max ? a_size : max, .max = max};
    struct text from = {.state = ~(uint64_t)seed, .n = b_size, .max = b_size};
    from.bytes = (uint8_t *)(uintptr_t)b; /* only read */
    memcpy(out, a, to.n);
    cut(&to);
    cut(&from);
    struct token part = any_range(&from);
    replace(&to, any_range(&to), b + part.from, part.to - part.from);
    return to.n;
}
