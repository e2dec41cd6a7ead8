/* Constant patterns: which regular expressions PostgreSQL reads as MaxCompute's engine does, and
 * the letters of date formats. */
#include "sql/dialect_postgres_inner.h"

/* A byte inside of E''. */
static void put_byte(printer *p, char c) {
    if (c == '\'' || c == '\\') sql_put_byte(p, c);
    sql_put_byte(p, c);
}

/* -- regular expressions ---------------------------------------------------------------------- */

struct regex {
    printer *p;
    struct str rest;
    const char *trouble;  /* NULL: fine */
    unsigned quantifiers; /* all of them */
    unsigned solid;       /* atoms that are always there */
    bool has_branches;    /* | */
    bool repeats_group;   /* (…)+ */
    bool can_repeat;      /* something stands before */
    bool is_behind_group;
};

static char take(struct regex *r) {
    char c = r->rest.len > 0 ? r->rest.ptr[0] : '\0';
    if (r->rest.len > 0) r->rest = str_slice(r->rest, 1, r->rest.len);
    return c;
}

static bool is_next(const struct regex *r, const char *set) {
    return r->rest.len > 0 && dialect_is_in(r->rest.ptr[0], set);
}

static void begin_atom(struct regex *r) {
    r->can_repeat = true;
    r->is_behind_group = false;
    r->solid++;
}

static void take_escape(struct regex *r, bool in_class) {
    if (r->rest.len == 0) {
        r->trouble = "a regular expression that ends in a backslash";
        return;
    }
    char c = take(r);
    bool is_word_edge = !in_class && dialect_is_in(c, "bB");
    bool is_word =
        dialect_is_letter(c) || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
    if (is_word && !is_word_edge && !dialect_is_in(c, in_class ? "dswnrtf" : "dDsSwWnrtf")) {
        r->trouble = "an escape of this regular expression";
        return;
    }
    if (is_word_edge) c = c == 'b' ? 'y' : 'Y';
    put_byte(r->p, '\\');
    put_byte(r->p, c);
    if (!in_class && !is_word_edge) begin_atom(r);
}

/* [:alpha:] inside of a class: those of ASCII, under the collation that they are matched by. */
static bool take_posix(struct regex *r) {
    static const char *const names[] = {":alpha:]", ":digit:]", ":alnum:]", ":space:]",
                                        ":upper:]", ":lower:]", ":punct:]", ":blank:]",
                                        ":cntrl:]", ":graph:]", ":xdigit:]"};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str name = str_of(names[i]);
        if (!str_starts(r->rest, name)) continue;
        sql_putf(r->p, "[%s", names[i]);
        r->rest = str_slice(r->rest, name.len, r->rest.len);
        return true;
    }
    return false;
}

static void take_class(struct regex *r) {
    put_byte(r->p, '[');
    if (is_next(r, "^")) put_byte(r->p, take(r));
    if (is_next(r, "]")) r->trouble = "a class of characters that begins with a bracket";
    while (r->trouble == NULL && r->rest.len > 0) {
        char c = take(r);
        if (c == '[' && take_posix(r)) continue;
        if (c == '[' || (c == '&' && is_next(r, "&")))
            r->trouble = "a class of characters inside another";
        else if (c == '\\')
            take_escape(r, true);
        else
            put_byte(r->p, c);
        if (c == ']') {
            begin_atom(r);
            return;
        }
    }
    if (r->trouble == NULL) r->trouble = "a class of characters without an end";
}

/* {n}, {n,} and {n,m}; false: n is 0. */
static bool take_bounds(struct regex *r) {
    size_t end = str_find_byte(r->rest, '}');
    struct str high = str_slice(r->rest, 0, end < r->rest.len ? end : 0);
    struct str low = str_cut(&high, ',');
    uint64_t least = 0, most = 0;
    bool is_good = str_to_u64(low, &least) && least <= 255 &&
                   (high.len == 0 || (str_to_u64(high, &most) && most <= 255 && most >= least));
    if (!is_good) r->trouble = "a brace in a regular expression";
    for (size_t i = 0; i <= end && is_good; i++) put_byte(r->p, take(r));
    return least > 0;
}

static void take_quantifier(struct regex *r, char c) {
    if (!r->can_repeat) r->trouble = "a quantifier of nothing";
    if (r->is_behind_group) r->repeats_group = true;
    put_byte(r->p, c);
    bool is_solid = c == '+' || (c == '{' && take_bounds(r));
    if (!is_solid && r->solid > 0) r->solid--;
    if (is_next(r, "?")) put_byte(r->p, take(r));
    if (is_next(r, "+*?{")) r->trouble = "a quantifier behind another";
    r->quantifiers++;
    r->can_repeat = false;
}

static void take_open(struct regex *r) {
    put_byte(r->p, '(');
    r->can_repeat = r->is_behind_group = false;
    if (!is_next(r, "?")) return;
    put_byte(r->p, take(r));
    if (!is_next(r, ":")) r->trouble = "look-around in a regular expression";
    if (is_next(r, ":")) put_byte(r->p, take(r));
}

static void take_one(struct regex *r) {
    char c = take(r);
    if (c == '\\') {
        take_escape(r, false);
    } else if (c == '[') {
        take_class(r);
    } else if (c == '(') {
        take_open(r);
    } else if (dialect_is_in(c, "*+?{")) {
        take_quantifier(r, c);
    } else if (c == '.') { /* no end of a line */
        sql_put(r->p, STR("[^\\\\n]"));
        begin_atom(r);
    } else if (dialect_is_in(c, ")|^$")) {
        put_byte(r->p, c);
        r->can_repeat = r->is_behind_group = c == ')';
        r->has_branches = r->has_branches || c == '|';
    } else if (c == '}') {
        r->trouble = "a brace in a regular expression";
    } else {
        put_byte(r->p, c);
        /* What follows within one character belongs to it. */
        while (r->rest.len > 0 && ((unsigned char)r->rest.ptr[0] & 0xC0) == 0x80)
            put_byte(r->p, take(r));
        begin_atom(r);
    }
}

static void put_regex(printer *p, const struct sql_expr *pattern, bool is_exact) {
    struct regex r = {.p = p};
    if (!dialect_constant_text(pattern, &r.rest) || r.rest.len == 0)
        r.trouble = "a regular expression that is no constant or is empty";
    sql_put(p, STR(" E'"));
    if (str_starts(r.rest, STR("(?i)"))) { /* letters of ASCII in either case */
        sql_put(p, STR("(?i)"));
        r.rest = str_slice(r.rest, 4, r.rest.len);
    }
    while (r.trouble == NULL && r.rest.len > 0) take_one(&r);
    sql_put_byte(p, '\'');
    if (r.trouble == NULL && is_exact &&
        (r.has_branches || r.repeats_group || r.quantifiers > 1 || r.solid == 0))
        r.trouble = "what this regular expression matches";
    if (r.trouble != NULL) dialect_refuse(p, pattern->span, "%s", r.trouble);
}

void pg_put_regex(printer *p, const struct sql_expr *pattern) {
    put_regex(p, pattern, false);
}

/* PostgreSQL takes the longest match where others take the first way that matches: with one
 * quantifier and no branches there is no choice between the two. */
void pg_put_exact_regex(printer *p, const struct sql_expr *pattern) {
    put_regex(p, pattern, true);
}

/* -- formats ---------------------------------------------------------------------------------- */

static const struct dialect_letters oracle[] = {
    {"yyyy", "YYYY", 4, 'Y'}, {"mm", "MM", 2, 'M'}, {"dd", "DD", 2, 'D'},  {"hh", "HH24", 2, 'h'},
    {"mi", "MI", 2, 'm'},     {"ss", "SS", 2, 's'}, {"ff3", "MS", 3, 'f'}, {NULL, NULL, 0, 0},
};

/* Java's; longer runs first. */
static const struct dialect_letters java[] = {
    {"yyyy", "YYYY", 4, 'Y'}, {"yy", "YY", 2, 'y'},    {"MM", "MM", 2, 'M'},
    {"M", "FMMM", 0, 'M'},    {"dd", "DD", 2, 'D'},    {"d", "FMDD", 0, 'D'},
    {"HH", "HH24", 2, 'h'},   {"H", "FMHH24", 0, 'h'}, {"mm", "MI", 2, 'm'},
    {"m", "FMMI", 0, 'm'},    {"ss", "SS", 2, 's'},    {"s", "FMSS", 0, 's'},
    {"SSS", "MS", 3, 'f'},    {NULL, NULL, 0, 0},
};

/* Between double quotes a character is itself. */
static void put_itself(printer *p, char c) {
    sql_put_byte(p, '"');
    if (c == '"' || c == '\\') put_byte(p, '\\');
    put_byte(p, c);
    sql_put_byte(p, '"');
}

static size_t char_len(struct str rest) {
    size_t n = 1;
    while (n < rest.len && ((unsigned char)rest.ptr[n] & 0xC0) == 0x80) n++;
    return n;
}

void pg_put_format(printer *p, const struct sql_expr *format, enum dialect_format kind) {
    struct str rest;
    const struct dialect_letters *before = NULL;
    bool is_good = dialect_constant_text(format, &rest) && rest.len > 0;
    sql_put(p, STR(" E'"));
    while (rest.len > 0 && is_good) {
        const struct dialect_letters *letters =
            dialect_letters_at(kind == FORMAT_JAVA ? java : oracle, rest, kind);
        size_t n = letters != NULL ? strlen(letters->text) : char_len(rest);
        if (letters != NULL) {
            sql_put(p, str_of(letters->said));
            is_good = !dialect_is_longer(rest, kind, letters);
        } else if (dialect_is_doubtful(rest, kind, before) ||
                   (kind == FORMAT_JAVA && rest.ptr[0] == '\'')) {
            is_good = false;
        } else if (n == 1) {
            put_itself(p, rest.ptr[0]);
        } else {
            sql_put_byte(p, '"');
            sql_put(p, str_slice(rest, 0, n));
            sql_put_byte(p, '"');
        }
        before = letters;
        rest = str_slice(rest, n, rest.len);
    }
    sql_put_byte(p, '\'');
    if (!is_good) dialect_refuse(p, format->span, "this date format");
}

/* The shape as a regular expression with a group for each part; each part's group is told. */
static bool put_shape(printer *p, struct str rest, unsigned groups[128]) {
    unsigned n = 0;
    while (rest.len > 0) {
        const struct dialect_letters *letters = dialect_letters_at(oracle, rest, FORMAT_ORACLE);
        char c = rest.ptr[0];
        if (letters != NULL) {
            if (groups[(unsigned char)letters->part] != 0) return false;
            sql_putf(p, "([0-9]{%u})", letters->digits);
            groups[(unsigned char)letters->part] = ++n;
        } else if (dialect_is_letter(c) || (unsigned char)c >= 0x80) {
            return false;
        } else {
            if (dialect_is_in(c, ".[]{}()*+?^$|\\")) put_byte(p, '\\');
            put_byte(p, c);
        }
        rest = str_slice(rest, letters != NULL ? strlen(letters->text) : 1, rest.len);
    }
    return n > 0;
}

/* The parts are put into their usual places, what is not told is the first of its kind. */
void pg_put_parsed(printer *p, const struct sql_expr *expr) {
    const struct sql_expr *text = expr->call.args.at[0], *format = expr->call.args.at[1];
    static const struct {
        char part;
        const char *usual, *after;
    } parts[] = {{'Y', NULL, "-"}, {'M', "01", "-"}, {'D', "01", " "}, {'h', "00", ":"},
                 {'m', "00", ":"}, {'s', "00", "."}, {'f', "000", ""}};
    struct str shape;
    unsigned groups[128] = {0};
    bool is_good = dialect_constant_text(format, &shape);
    dialect_wrap(p, "CAST(regexp_replace(regexp_replace(", dialect_put_text, text, ", E'^(?!");
    is_good = is_good && put_shape(p, shape, groups) && groups['Y'] != 0;
    if (!is_good) {
        dialect_refuse(p, format->span, "this date format");
        return;
    }
    sql_put(p, STR("$).*$', ''), E'^"));
    memset(groups, 0, sizeof groups);
    (void)put_shape(p, shape, groups);
    sql_put(p, STR("$', E'"));
    for (size_t i = 0; i < COUNT(parts); i++) {
        unsigned group = groups[(unsigned char)parts[i].part];
        if (group != 0)
            sql_putf(p, "\\\\%u%s", group, parts[i].after);
        else
            sql_putf(p, "%s%s", parts[i].usual, parts[i].after);
    }
    sql_put(p, STR("') AS timestamp)"));
}
