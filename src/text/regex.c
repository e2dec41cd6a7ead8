#include "text/regex.h"

#include "base/limits.h"

#include <assert.h>

/* -- what a pattern is made of ---------------------------------------------------------------- */

enum { RUNE_MAX = 0x10ffff, MANY = -1 };

struct range {
    uint32_t from, to;
};

struct set {
    struct range *ranges;
    size_t n, cap;
    bool is_negated;
};

enum place { PLACE_BEGIN, PLACE_END, PLACE_WORD, PLACE_NO_WORD };

enum node_kind { NODE_EMPTY = 0, NODE_SET, NODE_PLACE, NODE_BOTH, NODE_EITHER, NODE_REPEAT };

struct node {
    enum node_kind kind;
    struct set set;               /* SET */
    enum place place;             /* PLACE */
    const struct node *one, *two; /* BOTH, EITHER; REPEAT: one */
    int min, max;                 /* REPEAT; MANY: no end */
};

struct reader {
    struct str text;
    size_t at;
    struct arena *arena;
    struct report *report;
    bool folds, dot_is_all; /* (?i), (?s): until the group ends */
    unsigned depth;
};

static result wrong(struct reader *r, const char *what) {
    return fail(r->report, FAIL_CONFIG, "CONFIG_INVALID", r->at, "%s at character %zu", what,
                r->at + 1);
}

static bool next_is(const struct reader *r, char c) {
    return r->at < r->text.len && r->text.ptr[r->at] == c;
}

static bool take(struct reader *r, char c) {
    if (!next_is(r, c)) return false;
    r->at++;
    return true;
}

static bool take_text(struct reader *r, struct str word) {
    if (!str_starts(str_slice(r->text, r->at, r->text.len), word)) return false;
    r->at += word.len;
    return true;
}

/* The text is valid UTF-8. */
static uint32_t take_rune(struct reader *r) {
    uint32_t rune = 0;
    r->at += utf8_next(str_slice(r->text, r->at, r->text.len), &rune);
    return rune;
}

static result new_node(struct reader *r, enum node_kind kind, struct node **out) {
    *out = arena_new(r->arena, struct node);
    if (*out == NULL) return fail_memory(r->report);
    (*out)->kind = kind;
    return OK;
}

/* -- sets of characters ----------------------------------------------------------------------- */

static result add_range(struct reader *r, struct set *set, uint32_t from, uint32_t to) {
    struct range *range = ARENA_PUSH(r->arena, set->ranges, set->n, set->cap);
    if (range == NULL) return fail_memory(r->report);
    *range = (struct range){from, to};
    return OK;
}

/* The part of a range that is within a-z or A-Z, in the other case. */
static result add_folded(struct reader *r, struct set *set, uint32_t from, uint32_t to,
                         uint32_t first, uint32_t mirror) {
    uint32_t low = from > first ? from : first, high = to < first + 25 ? to : first + 25;
    if (low > high) return OK;
    return add_range(r, set, low - first + mirror, high - first + mirror);
}

static result add_runes(struct reader *r, struct set *set, uint32_t from, uint32_t to) {
    TRY(add_range(r, set, from, to));
    if (!r->folds) return OK;
    TRY(add_folded(r, set, from, to, 'a', 'A'));
    return add_folded(r, set, from, to, 'A', 'a');
}

static const struct range digits[] = {{'0', '9'}};
static const struct range words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const struct range blanks[] = {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}};

/* \d, \w, \s and, as all that is between, \D, \W, \S. false: the letter is none of them. */
static bool is_class(char letter, const struct range **ranges, size_t *n) {
    switch (letter) {
    case 'd':
    case 'D': *ranges = digits, *n = COUNT(digits); return true;
    case 'w':
    case 'W': *ranges = words, *n = COUNT(words); return true;
    case 's':
    case 'S': *ranges = blanks, *n = COUNT(blanks); return true;
    default: return false;
    }
}

static result add_class(struct reader *r, struct set *set, char letter) {
    const struct range *ranges = NULL;
    size_t n = 0;
    uint32_t next = 0;
    bool is_known = is_class(letter, &ranges, &n), is_rest = letter < 'a';
    assert(is_known);
    (void)is_known;
    for (size_t i = 0; i < n; i++) {
        if (!is_rest)
            TRY(add_range(r, set, ranges[i].from, ranges[i].to));
        else if (ranges[i].from > next)
            TRY(add_range(r, set, next, ranges[i].from - 1));
        next = ranges[i].to + 1;
    }
    return is_rest ? add_range(r, set, next, RUNE_MAX) : OK;
}

static int hex_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Behind \x: two digits, or {up to six}. */
static result read_hex(struct reader *r, uint32_t *rune) {
    bool has_braces = take(r, '{');
    size_t n = 0;
    *rune = 0;
    for (; n < (has_braces ? 6u : 2u) && r->at < r->text.len; n++, r->at++) {
        int digit = hex_of(r->text.ptr[r->at]);
        if (digit < 0) break;
        *rune = *rune * 16 + (uint32_t)digit;
    }
    bool is_whole = has_braces ? n > 0 && take(r, '}') : n == 2;
    return is_whole && *rune <= RUNE_MAX ? OK : wrong(r, "\\x without its hexadecimal digits");
}

/* Behind a backslash: a class (*letter is its name), or one character (*letter is 0). */
static result read_escape(struct reader *r, char *letter, uint32_t *rune) {
    static const struct {
        char letter, is;
    } controls[] = {{'t', '\t'}, {'n', '\n'}, {'r', '\r'}, {'f', '\f'}, {'v', '\v'}};
    const struct range *unused;
    size_t n;
    *letter = 0;
    if (r->at == r->text.len) return wrong(r, "a backslash with nothing behind it");
    char c = r->text.ptr[r->at];
    if (is_class(c, &unused, &n)) {
        *letter = c;
        r->at++;
        return OK;
    }
    if (take(r, 'x')) return read_hex(r, rune);
    for (size_t i = 0; i < COUNT(controls); i++) {
        if (!take(r, controls[i].letter)) continue;
        *rune = (uint32_t)controls[i].is;
        return OK;
    }
    bool is_name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_name) return wrong(r, "an escape that is not known");
    *rune = take_rune(r);
    return OK;
}

/* One end of a range, or a class, inside brackets. */
static result read_member(struct reader *r, char *letter, uint32_t *rune) {
    *letter = 0;
    if (r->at == r->text.len) return wrong(r, "a class without its ']'");
    if (take(r, '\\')) return read_escape(r, letter, rune);
    if (next_is(r, '[') && r->at + 1 < r->text.len && r->text.ptr[r->at + 1] == ':')
        return wrong(r, "a class by name, which is not known");
    *rune = take_rune(r);
    return OK;
}

static result read_set(struct reader *r, struct set *set) {
    set->is_negated = take(r, '^');
    for (bool is_first = true; is_first || !next_is(r, ']'); is_first = false) {
        char letter;
        uint32_t from = 0;
        TRY(read_member(r, &letter, &from));
        if (letter != 0) {
            TRY(add_class(r, set, letter));
            continue;
        }
        uint32_t to = from;
        bool is_range = next_is(r, '-') && r->at + 1 < r->text.len && r->text.ptr[r->at + 1] != ']';
        if (is_range) {
            r->at++;
            TRY(read_member(r, &letter, &to));
            if (letter != 0 || to < from) return wrong(r, "a range from higher to lower");
        }
        TRY(add_runes(r, set, from, to));
    }
    r->at++;
    return OK;
}

/* -- reading ---------------------------------------------------------------------------------- */

static result read_either(struct reader *r, struct node **out);

static result read_flags(struct reader *r) {
    for (; !next_is(r, ')') && !next_is(r, ':'); r->at++) {
        if (next_is(r, 'i'))
            r->folds = true;
        else if (next_is(r, 's'))
            r->dot_is_all = true;
        else
            return wrong(r, "a group of a sort that is not known");
    }
    return OK;
}

/* Behind "(": the group and its ")". Flags without a group hold until the one around ends. */
static result read_group(struct reader *r, struct node **out) {
    struct reader outer = *r;
    if (r->depth >= REGEX_DEPTH_MAX) return wrong(r, "groups nested too deep");
    if (take_text(r, STR("?P<")) || take_text(r, STR("?<"))) {
        if (next_is(r, '=') || next_is(r, '!')) return wrong(r, "looking around is not known");
        while (r->at < r->text.len && !next_is(r, '>')) r->at++;
        if (!take(r, '>')) return wrong(r, "the name of a group without its '>'");
    } else if (take(r, '?')) {
        TRY(read_flags(r));
        if (take(r, ')')) return new_node(r, NODE_EMPTY, out);
        r->at++;
    }
    r->depth++;
    TRY(read_either(r, out));
    if (!take(r, ')')) return wrong(r, "a group without its ')'");
    r->folds = outer.folds;
    r->dot_is_all = outer.dot_is_all;
    r->depth = outer.depth;
    return OK;
}

static result new_place(struct reader *r, enum place place, struct node **out) {
    TRY(new_node(r, NODE_PLACE, out));
    (*out)->place = place;
    return OK;
}

static bool take_place(struct reader *r, enum place *place) {
    static const struct {
        struct str text;
        enum place place;
    } places[] = {{STR_INIT("^"), PLACE_BEGIN},   {STR_INIT("$"), PLACE_END},
                  {STR_INIT("\\A"), PLACE_BEGIN}, {STR_INIT("\\z"), PLACE_END},
                  {STR_INIT("\\b"), PLACE_WORD},  {STR_INIT("\\B"), PLACE_NO_WORD}};
    for (size_t i = 0; i < COUNT(places); i++) {
        if (!take_text(r, places[i].text)) continue;
        *place = places[i].place;
        return true;
    }
    return false;
}

static result read_one(struct reader *r, struct node **out) {
    enum place place;
    if (take_place(r, &place)) return new_place(r, place, out);
    if (take(r, '(')) return read_group(r, out);
    if (next_is(r, '*') || next_is(r, '+') || next_is(r, '?'))
        return wrong(r, "a repetition of nothing");
    TRY(new_node(r, NODE_SET, out));
    struct set *set = &(*out)->set;
    if (take(r, '[')) return read_set(r, set);
    if (take(r, '.')) {
        set->is_negated = true;
        return r->dot_is_all ? OK : add_range(r, set, '\n', '\n');
    }
    char letter = 0;
    uint32_t rune = 0;
    if (take(r, '\\'))
        TRY(read_escape(r, &letter, &rune));
    else
        rune = take_rune(r);
    return letter != 0 ? add_class(r, set, letter) : add_runes(r, set, rune, rune);
}

/* A number of at most four digits; -1: there is none. */
static int read_count(struct reader *r) {
    int count = -1;
    for (int digits_left = 4; digits_left > 0 && r->at < r->text.len; digits_left--) {
        char c = r->text.ptr[r->at];
        if (c < '0' || c > '9') break;
        count = (count < 0 ? 0 : count) * 10 + (c - '0');
        r->at++;
    }
    return count;
}

/* {n}, {n,} or {n,m}. false: the brace stands for itself, as in RE2. */
static result read_braces(struct reader *r, int *min, int *max, bool *is_there) {
    size_t back = r->at;
    *is_there = false;
    if (!take(r, '{')) return OK;
    *min = *max = read_count(r);
    if (take(r, ',')) *max = next_is(r, '}') ? MANY : read_count(r);
    bool is_form = *min >= 0 && take(r, '}');
    if (!is_form) {
        r->at = back;
        return OK;
    }
    *is_there = true;
    if (*min > REGEX_REPEAT_MAX || *max > REGEX_REPEAT_MAX || (*max != MANY && *max < *min))
        return wrong(r, "a repetition that is too large, or from more to less");
    return OK;
}

static result read_repetition(struct reader *r, int *min, int *max, bool *is_there) {
    *is_there = true;
    *min = next_is(r, '+') ? 1 : 0;
    *max = next_is(r, '?') ? 1 : MANY;
    if (take(r, '*') || take(r, '+') || take(r, '?')) return OK;
    return read_braces(r, min, max, is_there);
}

static result read_repeated(struct reader *r, struct node **out) {
    TRY(read_one(r, out));
    for (unsigned n = 0;; n++) {
        int min, max;
        bool is_there;
        TRY(read_repetition(r, &min, &max, &is_there));
        if (!is_there) return OK;
        if (n >= REGEX_DEPTH_MAX) return wrong(r, "too many repetitions of one another");
        (void)take(r, '?'); /* lazy: finds the same texts */
        struct node *repeat;
        TRY(new_node(r, NODE_REPEAT, &repeat));
        repeat->one = *out;
        repeat->min = min;
        repeat->max = max;
        *out = repeat;
    }
}

static result join(struct reader *r, enum node_kind kind, const struct node *two,
                   struct node **one) {
    struct node *both;
    TRY(new_node(r, kind, &both));
    both->one = *one;
    both->two = two;
    *one = both;
    return OK;
}

static result read_sequence(struct reader *r, struct node **out) {
    TRY(new_node(r, NODE_EMPTY, out));
    while (r->at < r->text.len && !next_is(r, '|') && !next_is(r, ')')) {
        struct node *next;
        TRY(read_repeated(r, &next));
        TRY(join(r, NODE_BOTH, next, out));
    }
    return OK;
}

static result read_either(struct reader *r, struct node **out) {
    TRY(read_sequence(r, out));
    while (take(r, '|')) {
        struct node *next;
        TRY(read_sequence(r, &next));
        TRY(join(r, NODE_EITHER, next, out));
    }
    return OK;
}

/* -- the program ------------------------------------------------------------------------------ */

enum op { OP_FOUND = 0, OP_SET, OP_PLACE, OP_FORK, OP_GO };

struct part {
    enum op op;
    struct set set;    /* SET */
    enum place place;  /* PLACE */
    uint32_t one, two; /* FORK: both; GO: one */
};

struct regex {
    struct part *parts;
    size_t n, cap;
};

struct maker {
    struct regex *regex;
    struct reader *reader;
    size_t work; /* nodes written: a repetition of nothing makes no part */
};

static result add_part(struct maker *m, enum op op, uint32_t *at) {
    struct regex *regex = m->regex;
    if (regex->n >= REGEX_PARTS_MAX) return wrong(m->reader, "a pattern that is too large, seen");
    struct part *part = ARENA_PUSH(m->reader->arena, regex->parts, regex->n, regex->cap);
    if (part == NULL) return fail_memory(m->reader->report);
    part->op = op;
    *at = (uint32_t)(regex->n - 1);
    return OK;
}

static uint32_t here(const struct maker *m) {
    return (uint32_t)m->regex->n;
}

static result make(struct maker *m, const struct node *node);

static result make_either(struct maker *m, const struct node *node) {
    uint32_t fork, over;
    TRY(add_part(m, OP_FORK, &fork));
    m->regex->parts[fork].one = here(m);
    TRY(make(m, node->one));
    TRY(add_part(m, OP_GO, &over));
    m->regex->parts[fork].two = here(m);
    TRY(make(m, node->two));
    m->regex->parts[over].one = here(m);
    return OK;
}

/* Once or not at all; with `again`, any number of times. */
static result make_perhaps(struct maker *m, const struct node *node, bool again) {
    uint32_t fork, back;
    TRY(add_part(m, OP_FORK, &fork));
    m->regex->parts[fork].one = here(m);
    TRY(make(m, node));
    if (again) {
        TRY(add_part(m, OP_GO, &back));
        m->regex->parts[back].one = fork;
    }
    m->regex->parts[fork].two = here(m);
    return OK;
}

static result make_repeat(struct maker *m, const struct node *node) {
    for (int i = 0; i < node->min; i++) TRY(make(m, node->one));
    if (node->max == MANY) return make_perhaps(m, node->one, true);
    for (int i = node->min; i < node->max; i++) TRY(make_perhaps(m, node->one, false));
    return OK;
}

static result make(struct maker *m, const struct node *node) {
    uint32_t at;
    if (++m->work > REGEX_WORK_MAX) return wrong(m->reader, "a pattern that is too large, seen");
    switch (node->kind) {
    case NODE_EMPTY: return OK;
    case NODE_SET:
        TRY(add_part(m, OP_SET, &at));
        m->regex->parts[at].set = node->set;
        return OK;
    case NODE_PLACE:
        TRY(add_part(m, OP_PLACE, &at));
        m->regex->parts[at].place = node->place;
        return OK;
    case NODE_BOTH: TRY(make(m, node->one)); return make(m, node->two);
    case NODE_EITHER: return make_either(m, node);
    case NODE_REPEAT: return make_repeat(m, node);
    }
    assert(false && "a node of no kind");
    return OK;
}

result regex_read(struct str pattern, struct arena *arena, const struct regex **out,
                  struct report *report) {
    struct reader r = {.text = pattern, .arena = arena, .report = report};
    struct node *tree;
    uint32_t unused;
    *out = NULL;
    if (pattern.len > REGEX_BYTES_MAX) return wrong(&r, "a pattern that is too long, seen");
    if (!utf8_valid(pattern)) return wrong(&r, "bytes that are no UTF-8, seen");
    TRY(read_either(&r, &tree));
    if (r.at < pattern.len) return wrong(&r, "a ')' that closes nothing");
    struct regex *regex = arena_new(arena, struct regex);
    if (regex == NULL) return fail_memory(report);
    struct maker m = {.regex = regex, .reader = &r};
    TRY(make(&m, tree));
    TRY(add_part(&m, OP_FOUND, &unused));
    *out = regex;
    return OK;
}

/* -- searching -------------------------------------------------------------------------------- */

/* Parts, each at most once (Briggs, Torczon 1993). */
struct parts {
    uint16_t n, list[REGEX_PARTS_MAX], index[REGEX_PARTS_MAX];
};

static bool add(struct parts *parts, size_t part) {
    uint16_t at = parts->index[part];
    if (at < parts->n && parts->list[at] == part) return false;
    parts->index[part] = parts->n;
    parts->list[parts->n++] = (uint16_t)part;
    return true;
}

struct search {
    const struct regex *regex;
    struct parts begun; /* where those are that took the character before */
    struct parts open;  /* all that they reach without another one */
    uint16_t stack[2 * REGEX_PARTS_MAX];
    bool is_begin, is_end, is_border; /* of the place between two characters */
    bool is_found;
    size_t steps;
};

static bool is_at(const struct search *s, enum place place) {
    switch (place) {
    case PLACE_BEGIN: return s->is_begin;
    case PLACE_END: return s->is_end;
    case PLACE_WORD: return s->is_border;
    case PLACE_NO_WORD: return !s->is_border;
    }
    return false;
}

/* A part is gone on from only once, and by two ways at most: so the stack has room. */
static void reach(struct search *s, size_t from) {
    size_t n = 0;
    s->stack[n++] = (uint16_t)from;
    while (n > 0) {
        uint16_t at = s->stack[--n];
        const struct part *part = &s->regex->parts[at];
        s->steps++;
        if (!add(&s->open, at)) continue;
        if (part->op == OP_FOUND) s->is_found = true;
        if (part->op == OP_PLACE && is_at(s, part->place)) s->stack[n++] = (uint16_t)(at + 1);
        if (part->op == OP_FORK) s->stack[n++] = (uint16_t)part->two;
        if (part->op == OP_FORK || part->op == OP_GO) s->stack[n++] = (uint16_t)part->one;
    }
}

static bool has(const struct set *set, uint32_t rune) {
    for (size_t i = 0; i < set->n; i++)
        if (rune >= set->ranges[i].from && rune <= set->ranges[i].to) return !set->is_negated;
    return set->is_negated;
}

static bool begins_with_word(struct str rest) {
    if (rest.len == 0) return false;
    for (size_t i = 0; i < COUNT(words); i++)
        if ((unsigned char)rest.ptr[0] >= words[i].from &&
            (unsigned char)rest.ptr[0] <= words[i].to)
            return true;
    return false;
}

/* From the place before `rest` to the one behind its first character. */
static void step_over(struct search *s, uint32_t rune) {
    s->begun.n = 0;
    for (size_t i = 0; i < s->open.n; i++) {
        const struct part *part = &s->regex->parts[s->open.list[i]];
        if (part->op == OP_SET && has(&part->set, rune)) (void)add(&s->begun, s->open.list[i] + 1u);
        s->steps += 1 + part->set.n;
    }
}

enum regex_found regex_search(const struct regex *regex, struct str text) {
    struct search s;
    s.regex = regex;
    s.steps = 0;
    s.is_found = s.is_border = false;
    s.begun.n = 0;
    memset(s.begun.index, 0, regex->n * sizeof s.begun.index[0]);
    memset(s.open.index, 0, regex->n * sizeof s.open.index[0]);
    bool is_word = false;
    for (struct str rest = text;;) {
        bool was_word = is_word;
        is_word = begins_with_word(rest);
        s.is_begin = rest.ptr == text.ptr;
        s.is_end = rest.len == 0;
        s.is_border = was_word != is_word;
        s.open.n = 0;
        for (size_t i = 0; i < s.begun.n; i++) reach(&s, s.begun.list[i]);
        reach(&s, 0);
        if (s.is_found) return REGEX_YES;
        if (s.is_end) return REGEX_NO;
        if (s.steps > REGEX_STEPS_MAX) return REGEX_GIVEN_UP;
        uint32_t rune = 0;
        size_t n = utf8_next(rest, &rune);
        if (n == 0) return REGEX_GIVEN_UP;
        step_over(&s, rune);
        rest = str_slice(rest, n, rest.len);
    }
}
