/*
 * sql/pattern.c - see pattern.h
 *
 * A backtracking matcher over a small tree, since possessive and lazy repeats mean what they do
 * only there. Two counters bound it: steps over all names, and depth, for it recurses once a group
 * repeat. A repeat of a single character loops instead.
 */
#include "sql/pattern.h"

enum { PATTERN_DEPTH_MAX = 32, MATCH_DEPTH_MAX = 200, REPEAT_MAX = 1000 };

enum node_kind {
    NODE_SEQUENCE, /* child, then child->next, … */
    NODE_CHOICE,   /* one of the children */
    NODE_RUNE,
    NODE_ANY,
    NODE_SET,
    NODE_BEGIN,
    NODE_END,
    NODE_LOOK,   /* child matches from here (or not), nothing is taken */
    NODE_REPEAT, /* child, min to max times */
};

enum repeat_mode { REPEAT_GREEDY, REPEAT_LAZY, REPEAT_POSSESSIVE };

struct node {
    enum node_kind kind;
    enum repeat_mode mode;
    bool negated; /* SET, LOOK */
    uint32_t rune;
    uint32_t min, max;
    struct range *ranges;
    size_t n_ranges;
    struct node *child, *next;
};

struct range {
    uint32_t from, to;
};

struct sql_pattern {
    struct node *root;
    size_t offset;
};

/* -- reading ---------------------------------------------------------------------------------- */

struct reader {
    struct str rest;
    size_t offset;
    struct arena *arena;
    struct report *report;
    unsigned depth;
};

static result refuse(struct reader *r, const char *why) {
    return fail(r->report, FAIL_DENIED, "SQL_NOT_SUPPORTED", r->offset,
                "the column pattern cannot be read: %s", why);
}

static uint32_t fold(uint32_t rune) {
    return rune >= 'A' && rune <= 'Z' ? rune + ('a' - 'A') : rune;
}

static bool at(const struct reader *r, char c) {
    return r->rest.len > 0 && r->rest.ptr[0] == c;
}

static bool take(struct reader *r, struct str what) {
    if (!str_starts(r->rest, what)) return false;
    r->rest = str_slice(r->rest, what.len, r->rest.len);
    return true;
}

static result take_rune(struct reader *r, uint32_t *out) {
    size_t n = utf8_next(r->rest, out);
    if (n == 0) return refuse(r, "it ends too soon");
    r->rest = str_slice(r->rest, n, r->rest.len);
    return OK;
}

static result new_node(struct reader *r, enum node_kind kind, struct node **out) {
    *out = arena_new(r->arena, struct node);
    if (*out == NULL) return fail_memory(r->report);
    (*out)->kind = kind;
    return OK;
}

static result add_range(struct reader *r, struct node *set, size_t *cap, uint32_t from,
                        uint32_t to) {
    struct range *range = ARENA_PUSH(r->arena, set->ranges, set->n_ranges, *cap);
    if (range == NULL) return fail_memory(r->report);
    *range = (struct range){from, to};
    return OK;
}

/* \d \w \s and, outside brackets, their opposites. */
static result add_class(struct reader *r, struct node *set, size_t *cap, uint32_t letter) {
    uint32_t kind = fold(letter);
    set->negated = set->negated || letter != kind;
    if (kind == 's') TRY(add_range(r, set, cap, '\t', '\r'));
    if (kind == 's') return add_range(r, set, cap, ' ', ' ');
    TRY(add_range(r, set, cap, '0', '9'));
    if (kind == 'd') return OK;
    TRY(add_range(r, set, cap, 'a', 'z'));
    return add_range(r, set, cap, '_', '_');
}

static bool is_letter_or_digit(uint32_t rune) {
    uint32_t low = fold(rune);
    return (low >= 'a' && low <= 'z') || (rune >= '0' && rune <= '9');
}

static bool is_class_letter(uint32_t rune) {
    uint32_t low = fold(rune);
    return low == 'd' || low == 'w' || low == 's';
}

static result read_escape(struct reader *r, struct node **out) {
    uint32_t rune;
    size_t cap = 0;
    TRY(take_rune(r, &rune));
    if (is_class_letter(rune)) {
        TRY(new_node(r, NODE_SET, out));
        return add_class(r, *out, &cap, rune);
    }
    if (is_letter_or_digit(rune)) return refuse(r, "an escape that names do not need");
    TRY(new_node(r, NODE_RUNE, out));
    (*out)->rune = rune;
    return OK;
}

static result read_set_item(struct reader *r, struct node *set, size_t *cap) {
    uint32_t from, to;
    TRY(take_rune(r, &from));
    if (from == '[' || (from == '&' && at(r, '&'))) return refuse(r, "a set inside a set");
    if (from == '\\') {
        TRY(take_rune(r, &from));
        if (from == 'd' || from == 'w' || from == 's') return add_class(r, set, cap, from);
        if (is_letter_or_digit(from)) return refuse(r, "an escape that names do not need");
    }
    to = from;
    bool is_range = at(r, '-') && !str_starts(r->rest, STR("-]"));
    if (is_range) {
        (void)take(r, STR("-"));
        TRY(take_rune(r, &to));
        if (to == '\\') TRY(take_rune(r, &to));
        if (to < from) return refuse(r, "a range that runs backwards");
    }
    return add_range(r, set, cap, from, to);
}

static result read_set(struct reader *r, struct node **out) {
    size_t cap = 0;
    TRY(new_node(r, NODE_SET, out));
    (*out)->negated = take(r, STR("^"));
    do {
        TRY(read_set_item(r, *out, &cap));
    } while (r->rest.len > 0 && !at(r, ']'));
    return take(r, STR("]")) ? OK : refuse(r, "']' is missing");
}

static result read_choice(struct reader *r, struct node **out);

static result read_group(struct reader *r, struct node **out) {
    struct node *look = NULL;
    if (take(r, STR("?=")) || take(r, STR("?!"))) {
        TRY(new_node(r, NODE_LOOK, &look));
        look->negated = r->rest.ptr[-1] == '!';
    } else if (!take(r, STR("?:")) && at(r, '?')) {
        return refuse(r, "a group of this sort");
    }
    if (++r->depth > PATTERN_DEPTH_MAX) return refuse(r, "it is nested too deep");
    TRY(read_choice(r, out));
    r->depth--;
    if (!take(r, STR(")"))) return refuse(r, "')' is missing");
    if (look == NULL) return OK;
    look->child = *out;
    *out = look;
    return OK;
}

static result read_atom(struct reader *r, struct node **out) {
    uint32_t rune;
    TRY(take_rune(r, &rune));
    switch (rune) {
    case '(': return read_group(r, out);
    case '[': return read_set(r, out);
    case '\\': return read_escape(r, out);
    case '.': return new_node(r, NODE_ANY, out);
    case '^': return new_node(r, NODE_BEGIN, out);
    case '$': return new_node(r, NODE_END, out);
    case '*':
    case '+':
    case '?':
    case '{': return refuse(r, "a repeat of nothing");
    default: break;
    }
    TRY(new_node(r, NODE_RUNE, out));
    (*out)->rune = rune;
    return OK;
}

static bool take_count(struct reader *r, uint32_t *out) {
    size_t n = 0;
    uint64_t value;
    while (n < r->rest.len && r->rest.ptr[n] >= '0' && r->rest.ptr[n] <= '9') n++;
    if (!str_to_u64(str_slice(r->rest, 0, n), &value) || value > REPEAT_MAX) return false;
    *out = (uint32_t)value;
    r->rest = str_slice(r->rest, n, r->rest.len);
    return true;
}

static result read_counts(struct reader *r, uint32_t *min, uint32_t *max) {
    if (!take_count(r, min)) return refuse(r, "a number is missing after '{'");
    *max = *min;
    if (take(r, STR(","))) *max = UINT32_MAX;
    if (*max != *min && !at(r, '}') && !take_count(r, max)) return refuse(r, "a wrong count");
    if (*max < *min) return refuse(r, "a count that runs backwards");
    return take(r, STR("}")) ? OK : refuse(r, "'}' is missing");
}

static result read_repeat(struct reader *r, struct node **out) {
    TRY(read_atom(r, out));
    uint32_t min = 0, max = UINT32_MAX;
    if (take(r, STR("+")))
        min = 1;
    else if (take(r, STR("?")))
        max = 1;
    else if (take(r, STR("{")))
        TRY(read_counts(r, &min, &max));
    else if (!take(r, STR("*")))
        return OK;
    struct node *repeat;
    TRY(new_node(r, NODE_REPEAT, &repeat));
    repeat->min = min;
    repeat->max = max;
    repeat->child = *out;
    if (take(r, STR("?")))
        repeat->mode = REPEAT_LAZY;
    else if (take(r, STR("+")))
        repeat->mode = REPEAT_POSSESSIVE;
    *out = repeat;
    return at(r, '*') || at(r, '+') || at(r, '?') ? refuse(r, "a repeat of a repeat") : OK;
}

static result read_sequence(struct reader *r, struct node **out) {
    TRY(new_node(r, NODE_SEQUENCE, out));
    struct node **last = &(*out)->child;
    while (r->rest.len > 0 && !at(r, '|') && !at(r, ')')) {
        TRY(read_repeat(r, last));
        last = &(*last)->next;
    }
    return OK;
}

static result read_choice(struct reader *r, struct node **out) {
    TRY(new_node(r, NODE_CHOICE, out));
    struct node **last = &(*out)->child;
    do {
        TRY(read_sequence(r, last));
        last = &(*last)->next;
    } while (take(r, STR("|")));
    return OK;
}

result sql_pattern_parse(struct str text, size_t offset, struct arena *arena,
                         const struct sql_pattern **out, struct report *report) {
    struct reader r = {.rest = text, .offset = offset, .arena = arena, .report = report};
    struct sql_pattern *pattern = arena_new(arena, struct sql_pattern);
    if (pattern == NULL) return fail_memory(report);
    pattern->offset = offset;
    TRY(read_choice(&r, &pattern->root));
    if (r.rest.len > 0) return refuse(&r, "')' without '('");
    *out = pattern;
    return OK;
}

/* -- matching --------------------------------------------------------------------------------- */

/* What is to be matched behind a node. NULL: the end. */
struct then {
    const struct node *node; /* a chain of siblings to go through, or a REPEAT to go on with */
    const struct then *after;
    bool is_repeat;
    uint32_t count; /* REPEAT: how often its child has matched */
    size_t from;    /* REPEAT: where the last round began; an empty one is not repeated */
};

struct matcher {
    struct str name;
    size_t *steps;
    unsigned depth;
    bool is_spent;
    bool is_free; /* inside a possessive repeat or a look: the end may be anywhere */
    size_t end;   /* where a free match ended */
};

static bool match(struct matcher *m, const struct node *node, size_t i, const struct then *then);

static bool go_on(struct matcher *m, size_t i, const struct then *then);

static bool takes_one(const struct node *node) {
    return node->kind == NODE_RUNE || node->kind == NODE_ANY || node->kind == NODE_SET;
}

static bool in_set(const struct node *set, uint32_t rune) {
    for (size_t i = 0; i < set->n_ranges; i++) {
        const struct range *range = &set->ranges[i];
        bool is_in =
            (rune >= range->from && rune <= range->to) ||
            (fold(rune) >= range->from && fold(rune) <= range->to) ||
            (rune >= 'a' && rune <= 'z' && rune - 32 >= range->from && rune - 32 <= range->to);
        if (is_in) return !set->negated;
    }
    return set->negated;
}

/* Bytes of the character at i that the node takes; 0: it does not. */
static size_t take_one(const struct matcher *m, const struct node *node, size_t i) {
    uint32_t rune;
    size_t n = utf8_next(str_slice(m->name, i, m->name.len), &rune);
    if (n == 0) return 0;
    if (node->kind == NODE_ANY) return n;
    if (node->kind == NODE_SET) return in_set(node, rune) ? n : 0;
    return fold(rune) == fold(node->rune) ? n : 0;
}

/* A repeat of one character: as many as there are, then fewer and fewer. */
static bool match_run(struct matcher *m, const struct node *repeat, size_t i,
                      const struct then *then) {
    uint32_t count = 0;
    size_t n;
    bool is_lazy = repeat->mode == REPEAT_LAZY;
    while (count < repeat->min || (!is_lazy && count < repeat->max)) {
        if ((n = take_one(m, repeat->child, i)) == 0) break;
        i += n;
        count++;
    }
    if (count < repeat->min) return false;
    if (repeat->mode == REPEAT_POSSESSIVE) return go_on(m, i, then);
    for (;;) {
        if (go_on(m, i, then)) return true;
        if (m->is_spent) return false;
        if (is_lazy) {
            if (count >= repeat->max || (n = take_one(m, repeat->child, i)) == 0) return false;
            i += n;
            count++;
        } else {
            if (count == repeat->min) return false;
            do { /* back over one character: its lead byte is no 10xxxxxx */
                i--;
            } while (((unsigned char)m->name.ptr[i] & 0xC0) == 0x80);
            count--;
        }
    }
}

/* The longest that the node takes on its own, without giving any back. */
static bool match_free(struct matcher *m, const struct node *node, size_t i, size_t *end) {
    struct matcher inner = *m;
    inner.is_free = true;
    bool is_match = match(&inner, node, i, NULL);
    m->is_spent = inner.is_spent;
    *end = inner.end;
    return is_match;
}

static bool match_possessive(struct matcher *m, const struct node *repeat, size_t i,
                             const struct then *then) {
    for (uint32_t count = 0; count < repeat->max; count++) {
        size_t end;
        if (!match_free(m, repeat->child, i, &end)) {
            if (count < repeat->min || m->is_spent) return false;
            break;
        }
        if (end == i) break; /* an empty round would go on for ever */
        i = end;
    }
    return go_on(m, i, then);
}

static bool match_round(struct matcher *m, const struct node *repeat, size_t i, uint32_t count,
                        const struct then *then) {
    struct then again = {repeat, then, true, count + 1, i};
    bool may_stop = count >= repeat->min;
    if (may_stop && repeat->mode == REPEAT_LAZY && go_on(m, i, then)) return true;
    if (count < repeat->max && match(m, repeat->child, i, &again)) return true;
    return may_stop && repeat->mode != REPEAT_LAZY && go_on(m, i, then);
}

static bool match_repeat(struct matcher *m, const struct node *repeat, size_t i,
                         const struct then *then) {
    if (takes_one(repeat->child)) return match_run(m, repeat, i, then);
    if (repeat->mode == REPEAT_POSSESSIVE) return match_possessive(m, repeat, i, then);
    return match_round(m, repeat, i, 0, then);
}

static bool go_on(struct matcher *m, size_t i, const struct then *then) {
    if (then == NULL) {
        m->end = i;
        return m->is_free || i == m->name.len;
    }
    if (!then->is_repeat) return match(m, then->node, i, then->after);
    if (i == then->from && then->count > then->node->min) return false; /* an empty round */
    return match_round(m, then->node, i, then->count, then->after);
}

static bool match_look(struct matcher *m, const struct node *look, size_t i,
                       const struct then *then) {
    size_t ignored;
    return match_free(m, look->child, i, &ignored) != look->negated && !m->is_spent &&
           go_on(m, i, then);
}

static bool match_choice(struct matcher *m, const struct node *choice, size_t i,
                         const struct then *then) {
    for (const struct node *one = choice->child; one != NULL && !m->is_spent; one = one->next)
        if (one->child == NULL ? go_on(m, i, then) : match(m, one->child, i, then)) return true;
    return false;
}

static bool match_kind(struct matcher *m, const struct node *node, size_t i,
                       const struct then *then) {
    size_t n;
    switch (node->kind) {
    case NODE_SEQUENCE:
        return node->child == NULL ? go_on(m, i, then) : match(m, node->child, i, then);
    case NODE_CHOICE: return match_choice(m, node, i, then);
    case NODE_RUNE:
    case NODE_ANY:
    case NODE_SET: n = take_one(m, node, i); return n > 0 && go_on(m, i + n, then);
    case NODE_BEGIN: return i == 0 && go_on(m, i, then);
    case NODE_END: return i == m->name.len && go_on(m, i, then);
    case NODE_LOOK: return match_look(m, node, i, then);
    case NODE_REPEAT: return match_repeat(m, node, i, then);
    }
    return false;
}

/* The node and its later siblings, then `then`. */
static bool match(struct matcher *m, const struct node *node, size_t i, const struct then *then) {
    if (*m->steps == 0 || m->depth >= MATCH_DEPTH_MAX) m->is_spent = true;
    if (m->is_spent) return false;
    --*m->steps;
    m->depth++;
    struct then siblings = {node->next, then, false, 0, 0};
    /* The sequences of a choice are siblings of another sort: one is taken, not all. */
    bool has_next = node->next != NULL && node->kind != NODE_SEQUENCE;
    bool is_match = match_kind(m, node, i, has_next ? &siblings : then);
    m->depth--;
    return is_match;
}

result sql_pattern_match(const struct sql_pattern *pattern, struct str name, size_t *steps,
                         bool *out, struct report *report) {
    struct matcher m = {.name = name, .steps = steps};
    *out = match(&m, pattern->root, 0, NULL);
    if (!m.is_spent) return OK;
    return fail(report, FAIL_LIMIT, "SQL_TOO_LARGE", pattern->offset,
                "the column pattern takes too long to match");
}
