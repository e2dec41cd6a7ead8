#include "policy/predicate.h"

#include "sql/parse.h"
#include "text/bind.h"

#define NO_ROWS STR("FALSE")

/* -- reading ---------------------------------------------------------------------------------- */

static result wrong(struct report *report, const char *sentence) {
    return fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET, "%s", sentence);
}

/* The end of a quoted run that begins at `at`; s.len when it does not end. In literals a backslash
 * takes the next byte with it, in back quotes it means nothing. */
static size_t quoted_end(struct str s, size_t at) {
    char quote = s.ptr[at];
    for (size_t i = at + 1; i < s.len; i++) {
        if (s.ptr[i] == '\\' && quote != '`')
            i++;
        else if (s.ptr[i] == quote)
            return i + 1;
    }
    return s.len;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Between `(` or `,` and `,` or `)`: there a literal may become several. */
static bool stands_in_list(struct str s, size_t from, size_t to) {
    while (from > 0 && is_blank(s.ptr[from - 1])) from--;
    while (to < s.len && is_blank(s.ptr[to])) to++;
    return from > 0 && (s.ptr[from - 1] == '(' || s.ptr[from - 1] == ',') && to < s.len &&
           (s.ptr[to] == ')' || s.ptr[to] == ',');
}

/* `${user.NAME}` at `at`: its name, and where it ends. */
static result placeholder(struct str s, size_t at, struct str *name, size_t *end,
                          struct report *report) {
    struct str rest = str_slice(s, at, s.len);
    size_t close = str_find_byte(rest, '}');
    if (close == rest.len || !str_starts(rest, STR("${user.")))
        return wrong(report, "the only placeholders are ${user.NAME}");
    *name = str_slice(rest, 7, close);
    *end = at + close + 1;
    bool is_plain = bind_is_name(*name);
    for (size_t i = 0; is_plain && i < name->len; i++)
        is_plain = strchr(" '\"`${\\", name->ptr[i]) == NULL;
    return is_plain ? OK : wrong(report, "the only placeholders are ${user.NAME}");
}

struct scan {
    struct str text;
    size_t begin; /* of the piece being read */
    struct arena *arena;
    struct predicate_piece *pieces;
    size_t n, cap;
};

static result add_piece(struct scan *scan, struct predicate_piece piece, struct report *report) {
    struct predicate_piece *slot = ARENA_PUSH(scan->arena, scan->pieces, scan->n, scan->cap);
    if (slot == NULL) return fail_memory(report);
    *slot = piece;
    return OK;
}

/* Reads what begins at `at` and moves it behind. */
static result scan_step(struct scan *scan, size_t *at, struct report *report) {
    struct str s = scan->text, here = str_slice(s, *at, s.len);
    if (here.ptr[0] == '\'' || here.ptr[0] == '"' || here.ptr[0] == '`') {
        size_t end = quoted_end(s, *at);
        struct str quoted = str_slice(s, *at, end);
        *at = end;
        if (str_find(quoted, STR("${")) == quoted.len) return OK;
        wrong(report, "a placeholder may not stand inside quotes");
        fail_hint(report, "Write it without quotes: it becomes a quoted literal by itself.");
        return (result){FAIL_CONFIG};
    }
    if (str_starts(here, STR("--")) || str_starts(here, STR("/*")))
        return wrong(report, "a predicate holds no comments");
    if (!str_starts(here, STR("${"))) {
        ++*at;
        return OK;
    }
    struct predicate_piece piece = {.text = str_slice(s, scan->begin, *at)};
    size_t end = *at;
    TRY(placeholder(s, *at, &piece.attribute, &end, report));
    piece.in_list = stands_in_list(s, *at, end);
    scan->begin = *at = end;
    return add_piece(scan, piece, report);
}

static result check_expr(struct str text, struct arena *arena, struct report *report) {
    struct sql_expr *expr = NULL;
    struct report of_sql = {0};
    result r = sql_parse_expr(text, NULL, arena, &expr, &of_sql);
    if (r.why == FAIL_NONE) return OK;
    if (r.why == FAIL_MEMORY) return fail_memory(report);
    return fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET, "%s", of_sql.sentence);
}

static result join(const struct predicate *predicate, const struct str *values, struct arena *arena,
                   struct str *out, struct report *report);

/* With one value everywhere, and with two wherever two may stand. */
static result check_bound(const struct predicate *predicate, struct arena *arena,
                          struct report *report) {
    struct str *values = arena_new_array(arena, predicate->n, struct str);
    if (values == NULL) return fail_memory(report);
    for (int n = 1; n <= 2; n++) {
        struct str text;
        for (size_t i = 0; i < predicate->n; i++)
            values[i] = n == 2 && predicate->pieces[i].in_list ? STR("'a', 'b'") : STR("'a'");
        TRY(join(predicate, values, arena, &text, report));
        TRY(check_expr(text, arena, report));
    }
    return OK;
}

result predicate_read(struct str text, struct arena *arena, struct predicate *out,
                      struct report *report) {
    *out = (struct predicate){0};
    struct scan scan = {.text = text, .arena = arena};
    for (size_t at = 0; at < text.len;) TRY(scan_step(&scan, &at, report));
    struct predicate_piece last = {.text = str_slice(text, scan.begin, text.len)};
    TRY(add_piece(&scan, last, report));
    struct predicate read = {text, scan.pieces, scan.n};
    TRY(check_bound(&read, arena, report));
    *out = read;
    return OK;
}

/* -- binding ---------------------------------------------------------------------------------- */

static result join(const struct predicate *predicate, const struct str *values, struct arena *arena,
                   struct str *out, struct report *report) {
    size_t len = 0, at = 0;
    for (size_t i = 0; i < predicate->n; i++)
        len += predicate->pieces[i].text.len +
               (predicate->pieces[i].attribute.len > 0 ? values[i].len : 0);
    char *text = arena_alloc(arena, len, 1);
    if (text == NULL) return fail_memory(report);
    for (size_t i = 0; i < predicate->n; i++) {
        const struct predicate_piece *piece = &predicate->pieces[i];
        if (piece->text.len > 0) memcpy(text + at, piece->text.ptr, piece->text.len);
        at += piece->text.len;
        if (piece->attribute.len == 0) continue;
        memcpy(text + at, values[i].ptr, values[i].len);
        at += values[i].len;
    }
    *out = (struct str){text, len};
    return OK;
}

static bool is_bindable(const struct predicate_piece *piece, const struct attribute *attribute) {
    if (attribute == NULL || attribute->n_values == 0) return false;
    if (attribute->n_values > 1 && !piece->in_list) return false;
    for (size_t v = 0; v < attribute->n_values; v++) {
        struct str value = attribute->values[v];
        if (value.len == 0 || !utf8_valid(value)) return false;
        for (size_t i = 0; i < value.len; i++)
            if ((unsigned char)value.ptr[i] < 0x20 || value.ptr[i] == 0x7f) return false;
    }
    return true;
}

/* One literal for each value. Of printable text only these two bytes mean something inside single
 * quotes (MaxCompute: a backslash escapes, a doubled quote ends). */
static struct str literals(const struct attribute *attribute, struct arena *arena) {
    size_t max = 0, at = 0;
    for (size_t v = 0; v < attribute->n_values; v++) max += attribute->values[v].len * 2 + 4;
    char *text = arena_alloc(arena, max, 1);
    if (text == NULL) return STR_NONE;
    for (size_t v = 0; v < attribute->n_values; v++) {
        struct str value = attribute->values[v];
        if (v > 0) text[at++] = ',';
        text[at++] = '\'';
        for (size_t i = 0; i < value.len; i++) {
            if (value.ptr[i] == '\'' || value.ptr[i] == '\\') text[at++] = '\\';
            text[at++] = value.ptr[i];
        }
        text[at++] = '\'';
    }
    return (struct str){text, at};
}

result predicate_bind(const struct predicate *predicate, const struct principal *principal,
                      struct arena *arena, struct str *out, struct report *report) {
    *out = NO_ROWS;
    if (predicate->n == 1) {
        *out = predicate->text;
        return OK;
    }
    struct str *values = arena_new_array(arena, predicate->n, struct str);
    if (values == NULL) return fail_memory(report);
    for (size_t i = 0; i < predicate->n; i++) {
        const struct predicate_piece *piece = &predicate->pieces[i];
        if (piece->attribute.len == 0) continue;
        const struct attribute *attribute = principal_attribute(principal, piece->attribute);
        if (!is_bindable(piece, attribute)) return OK;
        values[i] = literals(attribute, arena);
        if (values[i].ptr == NULL) return fail_memory(report);
    }
    return join(predicate, values, arena, out, report);
}
