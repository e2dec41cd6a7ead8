#include "audit/audit.h"
#include "audit/head.h"
#include "audit/line.h"
#include "audit/lines.h"
#include "audit/names.h"

#include <inttypes.h>
#include <unistd.h>

struct verify {
    int logs_dir, state_dir; /* state_dir -1: heads are not looked at */
    struct audit_hasher hasher;
    struct audit_verified *out;
    struct report *report;
};

/* One chain on its way through its files. */
struct walk {
    struct verify *verify;
    const struct audit_file *file;
    uint64_t line; /* number in that file */
    uint64_t lines;
    struct audit_chain last;
    bool has_head, is_live;
    struct audit_head head;
};

static result broken(const struct walk *walk, const char *what) {
    return fail(walk->verify->report, FAIL_INPUT, "AUDIT_BROKEN", REPORT_NO_OFFSET,
                "line %" PRIu64 " of '%s' %s", walk->line, walk->file->name, what);
}

static result missing(const struct walk *walk, uint64_t from, uint64_t to) {
    return fail(walk->verify->report, FAIL_INPUT, "AUDIT_BROKEN", REPORT_NO_OFFSET,
                "records %" PRIu64 " to %" PRIu64 " are missing before line %" PRIu64 " of '%s'",
                from, to, walk->line, walk->file->name);
}

/* -- lines ------------------------------------------------------------------------------------ */

/* The log may begin later than with record 1, because old files are deleted; with a head it is
 * known where it has to begin. */
static result check_first(const struct walk *walk, const struct audit_seal *seal) {
    struct audit_chain none;
    audit_chain_init(&none);
    struct str zeros = {none.hash, sizeof none.hash};
    if (seal->seq == 0) return broken(walk, "has the sequence 0");
    if (walk->has_head && seal->seq > walk->head.first_seq) {
        return missing(walk, walk->head.first_seq, seal->seq - 1);
    }
    if (seal->seq == 1 && !str_eq(seal->prev, zeros)) {
        return broken(walk, "is the first record and follows another one");
    }
    return OK;
}

static result check_next(const struct walk *walk, const struct audit_seal *seal) {
    uint64_t expected = walk->last.seq + 1;
    struct str last = {walk->last.hash, sizeof walk->last.hash};
    if (seal->seq > expected) return missing(walk, expected, seal->seq - 1);
    if (seal->seq < expected) return broken(walk, "was inserted or stands out of its order");
    if (!str_eq(seal->prev, last)) return broken(walk, "does not follow the record before it");
    return OK;
}

static result check_seal(struct walk *walk, const struct audit_seal *seal) {
    TRY(walk->lines == 0 ? check_first(walk, seal) : check_next(walk, seal));
    struct str head = {walk->head.last.hash, sizeof walk->head.last.hash};
    if (walk->has_head && seal->seq == walk->head.last.seq && !str_eq(seal->hash, head)) {
        return broken(walk, "is not the record that the head names");
    }
    walk->last.seq = seal->seq;
    memcpy(walk->last.hash, seal->hash.ptr, sizeof walk->last.hash);
    walk->lines++;
    return OK;
}

static result check_line(struct walk *walk, struct str line) {
    struct audit_seal seal;
    switch (audit_line_check(&walk->verify->hasher, line, &seal)) {
    case AUDIT_LINE_MALFORMED: return broken(walk, "has no seal");
    case AUDIT_LINE_CHANGED: return broken(walk, "was changed: its hash does not fit");
    case AUDIT_LINE_SOUND: return check_seal(walk, &seal);
    }
    return broken(walk, "has no seal");
}

/* While somebody writes the file, its last line may be half of one. */
static result check_torn(const struct walk *walk, size_t len) {
    bool is_current = walk->file->day == AUDIT_DAY_CURRENT;
    if (is_current &&
        (walk->is_live || audit_lock_is_held(walk->verify->logs_dir, walk->file->chain)))
        return OK;
    return fail(walk->verify->report, FAIL_INPUT, is_current ? "AUDIT_TORN" : "AUDIT_BROKEN",
                REPORT_NO_OFFSET,
                "line %" PRIu64 " of '%s' is torn: %zu bytes that no newline ends", walk->line,
                walk->file->name, len);
}

static result check_lines(struct walk *walk, struct audit_lines *lines) {
    for (;;) {
        struct str line;
        bool is_whole;
        result r = audit_lines_next(lines, &line, &is_whole, walk->verify->report);
        if (r.why == FAIL_ABSENT) return OK;
        TRY(r);
        walk->line = lines->number;
        if (!is_whole) return check_torn(walk, line.len);
        TRY(check_line(walk, line));
    }
}

static result check_file(struct walk *walk, const struct audit_file *file) {
    struct audit_lines lines;
    walk->file = file;
    TRY(audit_lines_open(&lines, walk->verify->logs_dir, file->name, &file->stat,
                         walk->verify->report));
    result r = check_lines(walk, &lines);
    audit_lines_close(&lines);
    /* A line longer than any of ours is a break like another one, and already named. */
    return r.why == FAIL_LIMIT ? (result){FAIL_INPUT} : r;
}

/* -- chains ----------------------------------------------------------------------------------- */

static result check_end(const struct walk *walk, struct str chain) {
    const struct audit_head *head = &walk->head;
    bool is_all_old = walk->lines == 0 && head->first_seq > head->last.seq; /* keep_days took it */
    if (!walk->has_head || walk->last.seq >= head->last.seq || is_all_old) return OK;
    return fail(walk->verify->report, FAIL_INPUT, "AUDIT_BROKEN", REPORT_NO_OFFSET,
                "the end of the log '" STR_FMT "' is cut: records %" PRIu64 " to %" PRIu64
                " were written and are missing",
                STR_ARG(chain), walk->last.seq + 1, head->last.seq);
}

static result read_head(struct walk *walk, struct str chain, bool has_lines) {
    if (walk->verify->state_dir < 0) return OK;
    struct report why = {0};
    result r = audit_head_read(walk->verify->state_dir, chain, &walk->head, &why);
    walk->has_head = r.why == FAIL_NONE;
    if (walk->has_head || (r.why == FAIL_ABSENT && !has_lines)) return OK;
    enum fail kind = r.why == FAIL_IO ? FAIL_IO : FAIL_INPUT;
    return fail(walk->verify->report, kind, why.code, REPORT_NO_OFFSET,
                "%s, so a cut end of the log could not be seen", why.sentence);
}

static bool has_bytes(const struct audit_file *files, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (files[i].stat.st_size > 0) return true;
    }
    return false;
}

/* The head is read before the lines: a log that grows meanwhile is ahead of it, never behind. */
static result check_chain(struct verify *verify, struct str chain, const struct audit_file *files,
                          size_t n) {
    struct walk walk = {.verify = verify};
    walk.is_live = audit_lock_is_held(verify->logs_dir, chain);
    TRY(read_head(&walk, chain, has_bytes(files, n)));
    uint64_t first = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t before = walk.lines;
        TRY(check_file(&walk, &files[i]));
        if (before == 0 && walk.lines > 0) first = walk.last.seq - walk.lines + 1;
    }
    TRY(check_end(&walk, chain));
    bool is_main = verify->out->files == 0;
    if (is_main) verify->out->first_seq = first;
    if (is_main) verify->out->last_seq = walk.last.seq;
    verify->out->files += n;
    verify->out->records += walk.lines;
    return OK;
}

static size_t chain_len(const struct audit_files *files, size_t from) {
    size_t to = from;
    while (to < files->n && str_eq(files->items[to].chain, files->items[from].chain)) to++;
    return to - from;
}

static bool has_chain(const struct audit_files *files, struct str chain) {
    for (size_t i = 0; i < files->n; i++) {
        if (str_eq(files->items[i].chain, chain)) return true;
    }
    return false;
}

static result check_all(struct verify *verify, const struct audit_base *base, struct arena *arena) {
    struct audit_files files, heads = {0};
    TRY(audit_files_list(verify->logs_dir, base, arena, &files, verify->report));
    if (verify->state_dir >= 0) {
        TRY(audit_heads_list(verify->state_dir, base, arena, &heads, verify->report));
    }
    for (size_t i = 0, n; i < files.n; i += n) {
        n = chain_len(&files, i);
        TRY(check_chain(verify, files.items[i].chain, &files.items[i], n));
    }
    /* A head without a file: the whole chain is gone. */
    for (size_t i = 0; i < heads.n; i++) {
        struct str chain = heads.items[i].chain;
        if (!has_chain(&files, chain)) TRY(check_chain(verify, chain, NULL, 0));
    }
    return OK;
}

/* -- the door --------------------------------------------------------------------------------- */

enum { TRIES = 4 }; /* a log is rotated once a day; twice during one verification never */

static result try_all(struct verify *verify, const struct audit_base *base, struct arena *arena,
                      struct report *report) {
    struct report why = {0};
    result r = {FAIL_BUSY};
    for (int i = 0; i < TRIES && r.why == FAIL_BUSY; i++) {
        *verify->out = (struct audit_verified){0};
        report_clear(&why);
        verify->report = &why;
        r = check_all(verify, base, arena);
    }
    if (r.why == FAIL_NONE) return OK;
    return fail(report, r.why, why.code, REPORT_NO_OFFSET, "%s", why.sentence);
}

result audit_verify(struct str logs_dir, struct str state_dir, struct str file,
                    struct audit_verified *out, struct arena *arena, struct report *report) {
    struct audit_base base;
    struct verify verify = {.logs_dir = -1, .state_dir = -1, .out = out};
    *out = (struct audit_verified){0};
    TRY(audit_base_of(file, &base, report));
    TRY(audit_hasher_init(&verify.hasher, report));
    result r = audit_dir_open(logs_dir, false, &verify.logs_dir, report);
    if (r.why == FAIL_NONE && state_dir.len > 0) {
        r = audit_dir_open(state_dir, false, &verify.state_dir, report);
    }
    if (r.why == FAIL_NONE) r = try_all(&verify, &base, arena, report);
    if (verify.logs_dir >= 0) close(verify.logs_dir);
    if (verify.state_dir >= 0) close(verify.state_dir);
    audit_hasher_deinit(&verify.hasher);
    return r;
}
