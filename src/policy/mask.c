#include "policy/mask.h"

#include "base/option.h"
#include "policy/policy.h"
#include "sql/types.h"
#include "sql/walk.h"

static result wrong(struct report *report, const char *sentence) {
    return fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET, "%s", sentence);
}

const struct option mask_options[] = {
    {.name = "salt",
     .type = OPTION_TEXT,
     .offset = offsetof(struct mask_settings, salt),
     .fallback = "",
     .env = "WEIR_MASK_SALT",
     .reloadable = true,
     .sentence = "A secret of 16 bytes or more, from which the mask `hash` and `${mask.salt}` are "
                 "made; the same on all replicas."},
    {0},
};

/* -- reading ---------------------------------------------------------------------------------- */

static enum mask_kind kind_of(struct str text) {
    static const struct {
        struct str name;
        enum mask_kind kind;
    } names[] = {{STR_INIT("hash"), MASK_HASH},
                 {STR_INIT("partial"), MASK_PARTIAL},
                 {STR_INIT("null"), MASK_NULL},
                 {STR_INIT("year"), MASK_YEAR}};
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_ieq(names[i].name, text)) return names[i].kind;
    return MASK_EXPR;
}

/* ${mask.salt} becomes a literal. What stood inside quotes is no expression any more. */
static struct str put_literals(struct str text, struct arena *arena, size_t *n_salts) {
    const struct str salt = GRANT_SALT;
    struct str rest = text;
    size_t n = 0;
    char *out = arena_alloc(arena, 2 * text.len + 1, 1); /* each takes two quotes more */
    *n_salts = 0;
    if (out == NULL) return STR_NONE;
    for (size_t at = 0; rest.len > 0; rest = str_slice(rest, at, rest.len)) {
        at = str_find(rest, salt);
        memcpy(out + n, rest.ptr, at);
        n += at;
        if (at == rest.len) break;
        out[n++] = '\'';
        memcpy(out + n, salt.ptr, salt.len);
        n += salt.len;
        out[n++] = '\'';
        at += salt.len;
        ++*n_salts;
    }
    return (struct str){out, n};
}

static enum walk see_salt(struct sql_expr *expr, const struct sql_place *place, void *with) {
    (void)place;
    size_t *n_bare = with;
    bool is_digest = expr->kind == SQL_CALL && expr->call.prefix == SQL_CALL_PLAIN &&
                     str_ieq(expr->call.name.at[0].text, STR("sha2"));
    if (is_digest) return WALK_SKIP;
    if (expr->kind == SQL_LITERAL && expr->literal.kind == SQL_STRING)
        *n_bare += str_find(expr->literal.text, GRANT_SALT) < expr->literal.text.len;
    return WALK_ON;
}

static result read_expr(struct mask *mask, struct arena *arena, struct report *report) {
    size_t n_salts, n_bare = 0;
    struct str text = put_literals(mask->expr, arena, &n_salts);
    struct sql_expr *expr;
    struct report of_sql = {0};
    if (text.ptr == NULL) return fail_memory(report);
    mask->expr = text;
    mask->needs_salt = n_salts > 0;
    if (str_find(text, STR("--")) < text.len || str_find(text, STR("/*")) < text.len)
        return wrong(report, "a mask holds no comments");
    result done = sql_parse_expr(text, NULL, arena, &expr, &of_sql);
    if (done.why == FAIL_MEMORY) return fail_memory(report);
    if (done.why != FAIL_NONE)
        return fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET, "%s", of_sql.sentence);
    (void)sql_walk_expr(expr, &(struct sql_visitor){.expr = see_salt, .with = &n_bare});
    return n_bare == 0 ? OK : wrong(report, "the salt would be shown: it may stand within sha2(…)");
}

/* Every "${" must be the salt's. */
static bool has_other_placeholder(struct str text) {
    for (size_t at; (at = str_find(text, STR("${"))) < text.len;
         text = str_slice(text, at + 1, text.len))
        if (!str_starts(str_slice(text, at, text.len), GRANT_SALT)) return true;
    return false;
}

result mask_read(struct str text, struct arena *arena, struct mask *out, struct report *report) {
    struct mask mask = {.kind = kind_of(text), .expr = text};
    *out = (struct mask){0};
    if (has_other_placeholder(text))
        return wrong(report, "a mask holds no placeholder but ${mask.salt}");
    if (mask.kind == MASK_EXPR) TRY(read_expr(&mask, arena, report));
    if (mask.kind == MASK_HASH) mask.needs_salt = true;
    *out = mask;
    return OK;
}

/* -- the names' expressions ------------------------------------------------------------------- */

/* The column as text; empty: it has none that is the same in every engine. */
static struct str as_text(struct str column, enum sql_type_kind kind, struct arena *arena) {
    if (sql_type_is_text(kind)) return column;
    if (!sql_type_is_number(kind) && !sql_type_is_time(kind) && kind != SQL_TYPE_BOOLEAN)
        return STR("");
    return str_printf(arena, "CAST(" STR_FMT " AS STRING)", STR_ARG(column));
}

/* Of eleven characters and more (telephones, cards) three and four are left, of six and more the
 * first and the last, of fewer none. */
static struct str partial(struct str s, struct arena *arena) {
    return str_printf(arena,
                      "CASE WHEN length(" STR_FMT ") >= 11 THEN concat(substr(" STR_FMT
                      ", 1, 3), '****', substr(" STR_FMT ", length(" STR_FMT ") - 3)) "
                      "WHEN length(" STR_FMT ") >= 6 THEN concat(substr(" STR_FMT
                      ", 1, 1), '****', substr(" STR_FMT ", length(" STR_FMT "))) "
                      "WHEN " STR_FMT " IS NOT NULL THEN '****' END",
                      STR_ARG(s), STR_ARG(s), STR_ARG(s), STR_ARG(s), STR_ARG(s), STR_ARG(s),
                      STR_ARG(s), STR_ARG(s), STR_ARG(s));
}

/* Texts begin with the year, or with something that is none of ours to show. */
static struct str year(struct str column, enum sql_type_kind kind, struct arena *arena) {
    if (sql_type_is_time(kind)) return str_printf(arena, "year(" STR_FMT ")", STR_ARG(column));
    if (!sql_type_is_text(kind)) return STR("");
    return str_printf(arena,
                      "CASE WHEN " STR_FMT " RLIKE '^(19|20)[0-9][0-9]' THEN substr(" STR_FMT
                      ", 1, 4) END",
                      STR_ARG(column), STR_ARG(column));
}

static struct str named(const struct mask *mask, struct str column, enum sql_type_kind kind,
                        struct arena *arena) {
    bool wants_text = mask->kind == MASK_HASH || mask->kind == MASK_PARTIAL;
    struct str text = wants_text ? as_text(column, kind, arena) : STR("");
    switch (mask->kind) {
    case MASK_NONE:
    case MASK_EXPR: return mask->expr;
    case MASK_NULL:
        return str_printf(arena, "CASE WHEN FALSE THEN " STR_FMT " END", STR_ARG(column));
    case MASK_YEAR: return year(column, kind, arena);
    case MASK_HASH:
        if (text.len == 0) return text;
        return str_printf(arena, "sha2(concat('" STR_FMT "', " STR_FMT "), 256)",
                          STR_ARG(GRANT_SALT), STR_ARG(text));
    case MASK_PARTIAL:
        if (sql_type_is_time(kind) || kind == SQL_TYPE_BOOLEAN) return STR("");
        if (text.len == 0) return text;
        return partial(text, arena);
    }
    return STR("");
}

result mask_expr(const struct mask *mask, const struct schema_column *column, struct arena *arena,
                 struct str *out, struct report *report) {
    struct sql_name name = {.text = column->name, .quoting = SQL_BACKQUOTED};
    enum sql_type_kind kind = column->type != NULL ? column->type->kind : SQL_TYPE_UNKNOWN;
    *out = STR("");
    if (mask->kind != MASK_EXPR && sql_name_is_pattern(&name)) return OK;
    struct str quoted = str_printf(arena, "`" STR_FMT "`", STR_ARG(column->name));
    *out = quoted.ptr != NULL ? named(mask, quoted, kind, arena) : STR_NONE;
    return out->ptr == NULL ? fail_memory(report) : OK;
}
