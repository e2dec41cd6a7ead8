#include "audit/audit.h"
#include "audit/line.h"
#include "audit/lines.h"
#include "audit/names.h"
#include "audit/record.h"
#include "base/limits.h"

#include <unistd.h>

/* One chain, read file after file. */
struct source {
    const struct audit_file *files;
    size_t n, at;
    struct audit_lines lines; /* of files[at]; closed between a first look and its turn */
    bool is_open, is_ended;
    struct str line;          /* the next one; STR_NONE: it has to be read again */
    char time[CLOCK_ISO_MAX]; /* of that line, NUL-terminated */
};

struct search {
    int dir;
    const struct audit_query *query;
    struct str user_id, tool_name, outcome, audit_id, text; /* as a line spells them */
    struct source *sources;
    size_t n_sources;
    uint64_t matches, skip; /* so far; not shown because later ones are asked for */
    bool (*see)(struct str line, void *with); /* NULL: only count */
    void *with;
    bool is_stopped;
    struct report *report;
};

/* -- matching --------------------------------------------------------------------------------- */

static bool member_is(struct str line, struct str key, struct str wanted) {
    return wanted.len == 0 || str_eq(audit_line_text(line, key), wanted);
}

/* A prefix stands for all the times that begin with it, in `since` as in `until`. */
static bool is_in_time(const struct search *search, struct str time) {
    struct str since = search->query->since, until = search->query->until;
    if (since.len > 0 && strncmp(time.ptr, since.ptr, since.len) < 0) return false;
    return until.len == 0 || strncmp(time.ptr, until.ptr, until.len) <= 0;
}

static bool holds(struct str line, struct str text) {
    return text.len == 0 || str_find(line, text) < line.len;
}

static bool is_match(const struct search *search, struct str line, struct str time) {
    return is_in_time(search, time) && member_is(line, STR("audit_id"), search->audit_id) &&
           member_is(line, STR("user_id"), search->user_id) &&
           member_is(line, STR("tool_name"), search->tool_name) &&
           member_is(line, STR("outcome"), search->outcome) &&
           (holds(line, search->text) || holds(line, search->query->text));
}

/* -- one chain -------------------------------------------------------------------------------- */

static void source_close(struct source *source) {
    if (source->is_open) audit_lines_close(&source->lines);
    source->is_open = false;
}

static result source_next(struct search *search, struct source *source) {
    bool is_whole;
    source->line = STR_NONE;
    for (; source->at < source->n; source->at++, source_close(source)) {
        const struct audit_file *file = &source->files[source->at];
        if (!source->is_open) {
            TRY(audit_lines_open(&source->lines, search->dir, file->name, &file->stat,
                                 search->report));
            source->is_open = true;
        }
        result r = audit_lines_next(&source->lines, &source->line, &is_whole, search->report);
        if (r.why != FAIL_NONE && r.why != FAIL_ABSENT) return r;
        /* What no newline ends is torn, or about to be written. */
        if (r.why != FAIL_NONE || !is_whole) continue;
        struct str time = audit_line_text(source->line, STR("timestamp"));
        snprintf(source->time, sizeof source->time, STR_FMT, STR_ARG(time));
        return OK;
    }
    source->line = STR_NONE;
    source->is_ended = true;
    return OK;
}

/* Looks when the chain begins. Many chains of processes that ended long ago are told apart by their
 * times: a file is held open only while it is its turn. */
static result source_begin(struct search *search, struct source *source) {
    source->at = 0;
    source->is_ended = false;
    TRY(source_next(search, source));
    source_close(source);
    source->line = STR_NONE;
    return OK;
}

/* -- all chains ------------------------------------------------------------------------------- */

/* The two chains whose next lines are the oldest. */
static void find_oldest(struct search *search, struct source **first, struct source **second) {
    *first = *second = NULL;
    for (size_t i = 0; i < search->n_sources; i++) {
        struct source *source = &search->sources[i];
        if (source->is_ended) continue;
        if (*first == NULL || strcmp(source->time, (*first)->time) < 0) {
            *second = *first;
            *first = source;
        } else if (*second == NULL || strcmp(source->time, (*second)->time) < 0) {
            *second = source;
        }
    }
}

static void show(struct search *search, const struct source *source) {
    if (!is_match(search, source->line, str_of(source->time))) return;
    if (search->matches++ < search->skip || search->see == NULL) return;
    search->is_stopped = !search->see(source->line, search->with);
}

static result show_run(struct search *search, struct source *source, const struct source *other) {
    if (source->line.ptr == NULL) TRY(source_next(search, source));
    while (!source->is_ended && !search->is_stopped) {
        show(search, source);
        TRY(source_next(search, source));
        if (other != NULL && strcmp(source->time, other->time) > 0) break;
    }
    return OK;
}

static result merge(struct search *search) {
    search->matches = 0;
    search->is_stopped = false;
    for (size_t i = 0; i < search->n_sources; i++) TRY(source_begin(search, &search->sources[i]));
    while (!search->is_stopped) {
        struct source *first, *second;
        find_oldest(search, &first, &second);
        if (first == NULL) break;
        TRY(show_run(search, first, second));
    }
    return OK;
}

/* -- the door --------------------------------------------------------------------------------- */

static result spell(struct arena *arena, struct str text, struct str *out, struct report *report) {
    *out = audit_escape(arena, text);
    return text.len > 0 && out->ptr == NULL ? fail_memory(report) : OK;
}

static result spell_query(struct search *search, struct arena *arena) {
    const struct audit_query *query = search->query;
    TRY(spell(arena, query->user_id, &search->user_id, search->report));
    TRY(spell(arena, query->tool_name, &search->tool_name, search->report));
    TRY(spell(arena, query->outcome, &search->outcome, search->report));
    TRY(spell(arena, query->audit_id, &search->audit_id, search->report));
    return spell(arena, query->text, &search->text, search->report);
}

/* Files come sorted, those of a chain together. */
static result make_sources(struct search *search, const struct audit_files *files,
                           struct arena *arena) {
    search->sources = arena_new_array(arena, files->n, struct source);
    if (search->sources == NULL) return fail_memory(search->report);
    for (size_t i = 0; i < files->n; i++) {
        const struct audit_file *file = &files->items[i];
        bool is_same = i > 0 && str_eq(file->chain, file[-1].chain);
        if (!is_same) search->sources[search->n_sources++].files = file;
        search->sources[search->n_sources - 1].n++;
    }
    return OK;
}

/* The last N are found by counting first: whatever N is, no line is kept. */
static result run(struct search *search, bool (*see)(struct str line, void *with), size_t last) {
    if (last > 0) {
        TRY(merge(search));
        for (size_t i = 0; i < search->n_sources; i++) source_close(&search->sources[i]);
        search->skip = search->matches > last ? search->matches - last : 0;
    }
    search->see = see;
    return merge(search);
}

static result search_dir(struct search *search, const struct audit_base *base, struct arena *arena,
                         bool (*see)(struct str line, void *with)) {
    struct audit_files files;
    TRY(spell_query(search, arena));
    TRY(audit_files_list(search->dir, base, arena, &files, search->report));
    TRY(make_sources(search, &files, arena));
    result r = run(search, see, search->query->last);
    for (size_t i = 0; i < search->n_sources; i++) source_close(&search->sources[i]);
    return r;
}

result audit_search(struct str logs_dir, struct str file, const struct audit_query *query,
                    bool (*see)(struct str line, void *with), void *with, struct report *report) {
    struct audit_base base;
    struct arena arena;
    struct search search = {.query = query, .with = with, .report = report};
    TRY(audit_base_of(file, &base, report));
    TRY(audit_dir_open(logs_dir, false, &search.dir, report));
    arena_init(&arena, AUDIT_LIST_BYTES_MAX);
    result r = search_dir(&search, &base, &arena, see);
    arena_deinit(&arena);
    close(search.dir);
    return r;
}
