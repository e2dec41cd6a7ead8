/* Constant patterns: which regular expressions PostgreSQL reads as MaxCompute's engine does, and
 * the letters of date formats. */
#include "sql/dialect_postgres_inner.h"

/* A byte inside of E''. */
static void put_byte(printer *p, char c) {
    if (c == '\'' || c == '\\') sql_put_byte(p, c);
    sql_put_byte(p, c);
}

/* -- regular expressions ---------------------------------------------------------------------- */

/* Characters: bits of ASCII, and one for all others. */
struct chars {
    uint64_t low, high;
    bool others;
};

enum { ATOMS_MOST = 64 };

/* What stands for one character, and how often. */
struct atom {
    struct chars chars;
    unsigned least;
    bool is_fixed, is_lazy;
};

struct regex {
    printer *p;
    struct atom atoms[ATOMS_MOST];
    size_t n_atoms;
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

static void add_char(struct chars *chars, unsigned char c) {
    if (c < 64)
        chars->low |= UINT64_C(1) << c;
    else if (c < 128)
        chars->high |= UINT64_C(1) << (c - 64);
    else
        chars->others = true;
}

static void add_range(struct chars *chars, unsigned char from, unsigned char to) {
    for (unsigned c = from; c <= to; c++) add_char(chars, (unsigned char)c);
}

static struct chars all_but(struct chars chars) {
    return (struct chars){~chars.low, ~chars.high, true};
}

/* \d, \w and \s; what is none of them is itself. */
static struct chars chars_of_escape(char c) {
    struct chars chars = {0};
    if (dialect_is_in(c, "dDwW")) add_range(&chars, '0', '9');
    if (dialect_is_in(c, "wW")) {
        add_range(&chars, 'a', 'z');
        add_range(&chars, 'A', 'Z');
        add_char(&chars, '_');
    }
    if (dialect_is_in(c, "sS")) {
        add_range(&chars, '\t', '\r');
        add_char(&chars, ' ');
    }
    if (dialect_is_in(c, "nrtf")) add_range(&chars, '\t', '\r');
    if (dialect_is_in(c, "DWS")) return all_but(chars);
    if (chars.low == 0 && chars.high == 0) add_char(&chars, (unsigned char)c);
    return chars;
}

static void begin_atom(struct regex *r, struct chars chars) {
    if (r->n_atoms < ATOMS_MOST)
        r->atoms[r->n_atoms] = (struct atom){.chars = chars, .least = 1, .is_fixed = true};
    r->n_atoms++;
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
    if (!in_class && !is_word_edge) begin_atom(r, chars_of_escape(c));
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

/* What stands between the brackets, which is known to be good; more rather than less. */
static struct chars chars_of_class(struct str text) {
    static const struct chars every = {~UINT64_C(0), ~UINT64_C(0), true};
    struct chars chars = {0};
    bool is_not = text.len > 0 && text.ptr[0] == '^';
    for (size_t i = is_not ? 1 : 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_range = i + 2 < text.len && text.ptr[i + 1] == '-';
        if (c == '[' || (is_not && (c == '\\' || (unsigned char)c >= 128))) return every;
        if (c == '\\' && i + 1 < text.len) {
            struct chars more = chars_of_escape(text.ptr[++i]);
            chars.low |= more.low;
            chars.high |= more.high;
            chars.others = chars.others || more.others;
        } else if (is_range && (unsigned char)c < 128 && (unsigned char)text.ptr[i + 2] < 128) {
            add_range(&chars, (unsigned char)c, (unsigned char)text.ptr[i + 2]);
            i += 2;
        } else {
            add_char(&chars, (unsigned char)c);
        }
    }
    return is_not ? all_but(chars) : chars;
}

static void take_class(struct regex *r) {
    struct str whole = r->rest;
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
            begin_atom(r, chars_of_class(str_slice(whole, 0, whole.len - r->rest.len - 1)));
            return;
        }
    }
    if (r->trouble == NULL) r->trouble = "a class of characters without an end";
}

/* {n}, {n,} and {n,m}; false: n is 0. */
static bool take_bounds(struct regex *r, bool *is_fixed) {
    size_t end = str_find_byte(r->rest, '}');
    struct str high = str_slice(r->rest, 0, end < r->rest.len ? end : 0);
    struct str low = str_cut(&high, ',');
    uint64_t least = 0, most = 0;
    bool is_good = str_to_u64(low, &least) && least <= 255 &&
                   (high.len == 0 || (str_to_u64(high, &most) && most <= 255 && most >= least));
    if (!is_good) r->trouble = "a brace in a regular expression";
    *is_fixed = str_find_byte(str_slice(r->rest, 0, end), ',') == end;
    for (size_t i = 0; i <= end && is_good; i++) put_byte(r->p, take(r));
    return least > 0;
}

static void take_quantifier(struct regex *r, char c) {
    if (!r->can_repeat) r->trouble = "a quantifier of nothing";
    if (r->is_behind_group) r->repeats_group = true;
    put_byte(r->p, c);
    bool is_fixed = false;
    bool is_solid = c == '+' || (c == '{' && take_bounds(r, &is_fixed));
    if (!is_solid && r->solid > 0) r->solid--;
    bool is_lazy = is_next(r, "?");
    if (is_lazy) put_byte(r->p, take(r));
    if (r->n_atoms > 0 && r->n_atoms <= ATOMS_MOST) {
        struct atom *atom = &r->atoms[r->n_atoms - 1];
        atom->least = is_solid;
        atom->is_fixed = is_fixed;
        atom->is_lazy = is_lazy;
    }
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
        begin_atom(r, all_but((struct chars){.low = UINT64_C(1) << '\n'}));
    } else if (dialect_is_in(c, ")|^$")) {
        put_byte(r->p, c);
        r->can_repeat = r->is_behind_group = c == ')';
        r->has_branches = r->has_branches || c == '|';
    } else if (c == '}') {
        r->trouble = "a brace in a regular expression";
    } else {
        struct chars chars = {0};
        add_char(&chars, (unsigned char)c);
        put_byte(r->p, c);
        /* What follows within one character belongs to it. */
        while (r->rest.len > 0 && ((unsigned char)r->rest.ptr[0] & 0xC0) == 0x80)
            put_byte(r->p, take(r));
        begin_atom(r, chars);
    }
}

static bool share(const struct chars *a, const struct chars *b) {
    return (a->low & b->low) != 0 || (a->high & b->high) != 0 || (a->others && b->others);
}

/* No character can be taken by two atoms: there is one way to match from each place on, and where
 * it may end in several, the longest is taken by all. */
static bool is_forced(const struct regex *r) {
    bool has_lazy = false, may_end = false;
    if (r->n_atoms > ATOMS_MOST) return false;
    for (size_t i = 0; i < r->n_atoms; i++) {
        const struct atom *atom = &r->atoms[i];
        size_t next = i + 1;
        if (atom->is_fixed) continue;
        has_lazy = has_lazy || atom->is_lazy;
        for (; next < r->n_atoms; next++) {
            if (share(&atom->chars, &r->atoms[next].chars)) return false;
            if (r->atoms[next].least > 0) break;
        }
        may_end = may_end || next >= r->n_atoms;
    }
    return !(has_lazy && may_end);
}

static void put_regex(printer *p, const struct sql_expr *pattern, bool is_exact) {
    struct regex r = {.p = p};
    if (!dialect_constant_text(pattern, &r.rest) || r.rest.len == 0)
        r.trouble = "a regular expression that is no constant or is empty";
    sql_put(p, STR(" E'"));
    if (str_starts(r.rest, STR("(?i)"))) { /* letters of ASCII in either case */
        sql_put(p, STR("(?i)"));
        r.rest = str_slice(r.rest, 4, r.rest.len);
        r.n_atoms = ATOMS_MOST; /* their characters are not known */
    }
    while (r.trouble == NULL && r.rest.len > 0) take_one(&r);
    sql_put_byte(p, '\'');
    if (r.trouble == NULL && is_exact &&
        (r.has_branches || r.repeats_group || r.solid == 0 ||
         (r.quantifiers > 1 && !is_forced(&r))))
        r.trouble = "what this regular expression matches";
    if (r.trouble != NULL) dialect_refuse(p, pattern->span, "%s", r.trouble);
}

void pg_put_regex(printer *p, const struct sql_expr *pattern) {
    put_regex(p, pattern, false);
}

/* PostgreSQL takes the longest match where others take the first way that matches: with one
 * quantifier and no branches there is no choice between the two, nor where all are forced. */
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
