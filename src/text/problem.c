#include "text/problem.h"

#include <stdarg.h>
#include <stdio.h>

void problems_init(struct problems *problems, struct arena *arena) {
    *problems = (struct problems){.arena = arena};
}

static struct str keep(struct problems *problems, struct str text) {
    struct str copy = str_dup(problems->arena, text);
    if (copy.ptr == NULL) problems->is_full = true;
    return copy;
}

__attribute__((format(printf, 2, 0))) static struct str print_into(struct problems *problems,
                                                                   const char *fmt, va_list args) {
    char text[1024];
    int n = vsnprintf(text, sizeof text, fmt, args);
    if (n < 0) n = 0;
    bool is_cut = (size_t)n >= sizeof text;
    struct str whole = {text, is_cut ? sizeof text - 1 : (size_t)n};
    return keep(problems, is_cut ? utf8_clip(whole, whole.len - 1) : whole);
}

void problem_add(struct problems *problems, enum severity severity, struct str file,
                 const struct yaml *node, const char *fmt, ...) {
    if (severity == SEVERITY_ERROR) problems->n_errors++;
    struct problem *p = ARENA_PUSH(problems->arena, problems->items, problems->n, problems->cap);
    if (p == NULL) {
        problems->is_full = true;
        return;
    }
    va_list args;
    va_start(args, fmt);
    *p = (struct problem){.severity = severity, .file = keep(problems, file)};
    p->text = print_into(problems, fmt, args);
    va_end(args);
    if (node != NULL) {
        p->line = node->line;
        p->column = node->column;
    }
}

void problem_add_unread(struct problems *problems, struct str file, struct str sentence) {
    struct str rest = sentence;
    struct yaml at = {0};
    uint64_t line = 0, column = 0;
    if (str_starts(sentence, file)) {
        rest = str_slice(sentence, file.len, sentence.len);
        (void)str_cut(&rest, ':');
        struct str line_text = str_cut(&rest, ':'), column_text = str_cut(&rest, ':');
        if (!str_to_u64(line_text, &line) || !str_to_u64(column_text, &column)) rest = sentence;
    }
    at.line = (uint32_t)line;
    at.column = (uint32_t)column;
    problem_add(problems, SEVERITY_ERROR, file, &at, STR_FMT, STR_ARG(str_trim(rest)));
}

void problem_hint(struct problems *problems, const char *fmt, ...) {
    if (problems->n == 0) return;
    va_list args;
    va_start(args, fmt);
    problems->items[problems->n - 1].hint = print_into(problems, fmt, args);
    va_end(args);
}

struct str problem_print(const struct problem *p, struct arena *arena) {
    const char *severity = p->severity == SEVERITY_ERROR ? "error" : "warning";
    struct str where =
        p->line > 0 ? str_printf(arena, STR_FMT ":%u:%u", STR_ARG(p->file), p->line, p->column)
                    : p->file;
    return str_printf(arena, STR_FMT ": %s: " STR_FMT "%s" STR_FMT "%s", STR_ARG(where), severity,
                      STR_ARG(p->text), p->hint.len > 0 ? " (" : "", STR_ARG(p->hint),
                      p->hint.len > 0 ? ")" : "");
}
