#include "audit/journal.h"
#include "base/fault.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

static result cannot(struct report *report, const char *what, const char *name) {
    return fail(report, FAIL_IO, "AUDIT_UNAVAILABLE", REPORT_NO_OFFSET,
                "cannot %s the audit log's '%s': %s", what, name, strerrordesc_np(errno));
}

/* -- the end of a file ------------------------------------------------------------------------ */

/* Where a file stops making sense. */
struct tail {
    struct audit_chain last; /* seq 0: the file has no sound line */
    int64_t day;             /* of the last sound line */
    int64_t end;             /* of the last sound line; what follows is torn */
    int64_t size;
};

/* Looks for the last sound line in bytes that end at `tail->end`. false: the line that ends there
 * begins before `bytes`; tail->end was moved to the end of that line. */
static bool search_window(struct audit_hasher *hasher, struct str bytes, int64_t from,
                          struct tail *tail) {
    struct audit_seal seal;
    for (size_t end = bytes.len; end > 0;) {
        const char *before = end > 1 ? memrchr(bytes.ptr, '\n', end - 1) : NULL;
        size_t start = before == NULL ? 0 : (size_t)(before - bytes.ptr) + 1;
        tail->end = from + (int64_t)end;
        if (before == NULL && from > 0) return false;
        bool is_whole = bytes.ptr[end - 1] == '\n';
        struct str line = str_slice(bytes, start, end - (is_whole ? 1 : 0));
        if (is_whole && audit_line_check(hasher, line, &seal) == AUDIT_LINE_SOUND) {
            tail->last.seq = seal.seq;
            memcpy(tail->last.hash, seal.hash.ptr, sizeof tail->last.hash);
            if (!audit_day_read(audit_line_text(line, STR("timestamp")), &tail->day)) tail->day = 0;
            return true;
        }
        end = start;
    }
    tail->end = from;
    return true;
}

static result read_window(int fd, int64_t from, int64_t to, char *bytes, struct report *report) {
    while (from < to) {
        errno = EIO; /* what a fault, or a file that shrinks, looks like */
        ssize_t n = fault_now() ? -1 : pread(fd, bytes, (size_t)(to - from), from);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return cannot(report, "read the end of", "file");
        bytes += n;
        from += n;
    }
    return OK;
}

enum { WINDOW_BYTES = 64 * 1024 };

/* Reads backwards, in windows that grow to the longest line that we write. A tail of something
 * longer is none of our lines: all of it is torn. */
static result find_tail(int fd, struct audit_hasher *hasher, struct tail *tail,
                        struct report *report) {
    struct stat now;
    *tail = (struct tail){0};
    audit_chain_init(&tail->last);
    if (fstat(fd, &now) != 0) return cannot(report, "read the size of", "file");
    tail->size = tail->end = now.st_size;
    result r = OK;
    bool is_found = tail->size == 0;
    for (int64_t window = WINDOW_BYTES; !is_found && r.why == FAIL_NONE; window *= 2) {
        int64_t from = tail->end > window ? tail->end - window : 0;
        if (window > AUDIT_LINE_BYTES_MAX * 2) from = tail->end = 0;
        size_t len = (size_t)(tail->end - from);
        char *bytes = fault_now() ? NULL : malloc(len + 1);
        if (bytes == NULL) return fail_memory(report);
        r = read_window(fd, from, tail->end, bytes, report);
        if (r.why == FAIL_NONE) {
            is_found = search_window(hasher, (struct str){bytes, len}, from, tail);
        }
        free(bytes);
    }
    return r;
}

/* -- setting aside ---------------------------------------------------------------------------- */

static int create_torn(struct audit_journal *journal, char name[AUDIT_NAME_MAX]) {
    struct str chain = audit_journal_chain(journal), ext = audit_journal_ext(journal);
    for (int64_t at = clock_wall_ms(journal->clock);; at++) {
        snprintf(name, AUDIT_NAME_MAX, STR_FMT ".torn-%" PRId64 STR_FMT, STR_ARG(chain), at,
                 STR_ARG(ext));
        int fd = openat(journal->logs_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
}

static bool copy_bytes(int from_fd, int64_t from, int64_t to, int to_fd) {
    char bytes[16 * 1024];
    while (from < to) {
        size_t want = to - from < (int64_t)sizeof bytes ? (size_t)(to - from) : sizeof bytes;
        ssize_t got = fault_now() ? -1 : pread(from_fd, bytes, want, from);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        for (ssize_t done = 0, n; done < got; done += n) {
            n = write(to_fd, bytes + done, (size_t)(got - done));
            if (n < 0 && errno == EINTR) n = 0;
            if (n < 0) return false;
        }
        from += got;
    }
    return fsync(to_fd) == 0;
}

/* The bytes are kept, on the disk before they leave the log, and the log is cut to its last sound
 * line. */
static result set_aside(struct audit_journal *journal, const struct tail *tail,
                        char name[AUDIT_NAME_MAX], struct report *report) {
    errno = EIO; /* what a fault looks like */
    int fd = fault_now() ? -1 : create_torn(journal, name);
    if (fd < 0) return cannot(report, "create", "file for a torn line");
    bool is_kept = copy_bytes(journal->fd, tail->end, tail->size, fd);
    is_kept = is_kept && !fault_now() && ftruncate(journal->fd, tail->end) == 0;
    result r = is_kept ? OK : cannot(report, "set aside a torn line in", name);
    if (!is_kept) unlinkat(journal->logs_dir, name, 0);
    close(fd);
    return r;
}

/* -- opening ---------------------------------------------------------------------------------- */

/* What the opening found and the log has to say about itself. */
struct finding {
    const char *code;
    char sentence[REPORT_SENTENCE_MAX];
};
enum { FINDINGS_MAX = 2 }; /* of the end, of the head */
struct findings {
    struct finding items[FINDINGS_MAX];
    size_t n;
};

static void find(struct findings *findings, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void find(struct findings *findings, const char *code, const char *fmt, ...) {
    struct finding *item = &findings->items[findings->n++];
    va_list args;
    va_start(args, fmt);
    item->code = code;
    vsnprintf(item->sentence, sizeof item->sentence, fmt, args);
    va_end(args);
}

static void keep_text(char *out, size_t size, struct str text) {
    snprintf(out, size, STR_FMT, STR_ARG(text));
}

static result take_chain(struct audit_journal *journal, struct report *report) {
    char *name = journal->chain_name;
    keep_text(name, AUDIT_NAME_MAX, journal->base.stem);
    TRY(audit_lock_take(journal->logs_dir, str_of(name), &journal->lock, report));
    journal->is_side = journal->lock < 0;
    for (int i = 1; journal->lock < 0 && i <= AUDIT_SIDES_MAX; i++) {
        /* Two containers over one volume may have the same process number. */
        char again[16] = "";
        if (i > 1) snprintf(again, sizeof again, "_%d", i);
        snprintf(name, AUDIT_NAME_MAX, STR_FMT ".%d%s", STR_ARG(journal->base.stem), (int)getpid(),
                 again);
        TRY(audit_lock_take(journal->logs_dir, str_of(name), &journal->lock, report));
    }
    if (journal->lock >= 0) return OK;
    return fail(report, FAIL_IO, "AUDIT_UNAVAILABLE", REPORT_NO_OFFSET,
                "more than %d processes write the audit log", AUDIT_SIDES_MAX);
}

static result open_current(struct audit_journal *journal, struct tail *tail,
                           struct findings *findings, struct report *report) {
    char name[AUDIT_NAME_MAX], torn[AUDIT_NAME_MAX];
    audit_name_write(name, audit_journal_chain(journal), audit_journal_ext(journal),
                     AUDIT_DAY_CURRENT, 1);
    int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    errno = EIO; /* what a fault looks like */
    journal->fd = fault_now() ? -1 : openat(journal->logs_dir, name, flags, 0600);
    if (journal->fd < 0) return cannot(report, "open", name);
    TRY(find_tail(journal->fd, &journal->hasher, tail, report));
    if (tail->end == tail->size) return OK;
    TRY(set_aside(journal, tail, torn, report));
    find(findings, "AUDIT_TORN", "%" PRId64 " bytes that were no sound line were moved to '%s'",
         tail->size - tail->end, torn);
    return OK;
}

/* The files of this chain that have their day's name: where an empty file goes on, and where the
 * log begins. */
static result look_back(struct audit_journal *journal, struct tail *tail, struct report *report) {
    struct arena arena;
    struct audit_files files;
    const struct audit_file *first = NULL, *last = NULL;
    arena_init(&arena, AUDIT_LIST_BYTES_MAX);
    result r = audit_files_list(journal->logs_dir, &journal->base, &arena, &files, report);
    for (size_t i = 0; r.why == FAIL_NONE && i < files.n; i++) {
        const struct audit_file *file = &files.items[i];
        if (!str_eq(file->chain, audit_journal_chain(journal)) || file->stat.st_size == 0) continue;
        if (first == NULL) first = file;
        last = file;
    }
    if (first == NULL || !audit_file_first_seq(journal->logs_dir, first->name, &journal->hasher,
                                               &journal->first_seq)) {
        journal->first_seq = 1;
    }
    if (last != NULL && tail->last.seq == 0) {
        int fd = openat(journal->logs_dir, last->name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            r = cannot(report, "open", last->name);
        else
            r = find_tail(fd, &journal->hasher, tail, report);
        if (fd >= 0) close(fd);
    }
    arena_deinit(&arena);
    return r;
}

/* When the head is further than the log, the end of the log was cut while nobody wrote it. The
 * chain goes on behind the head, so that the gap stays visible whatever is written later. */
static void meet_head(struct audit_journal *journal, const struct audit_head *head,
                      struct findings *findings) {
    struct audit_chain *last = &journal->last;
    bool is_same = memcmp(head->last.hash, last->hash, sizeof last->hash) == 0;
    bool is_ahead = head->last.seq > last->seq || (head->last.seq == last->seq && !is_same);
    bool is_all_old = last->seq == 0 && head->first_seq > head->last.seq; /* keep_days took it */
    journal->first_seq = head->first_seq;
    if (!is_ahead) return;
    if (!is_all_old) {
        find(findings, "AUDIT_CUT",
             "the log ended with record %" PRIu64 ", but record %" PRIu64 " had been written",
             last->seq, head->last.seq);
    }
    *last = head->last;
}

static result join_head(struct audit_journal *journal, struct tail *tail, struct findings *findings,
                        struct report *report) {
    struct audit_head head = {0};
    struct report why = {0};
    bool has_lines = tail->end > 0;
    TRY(look_back(journal, tail, report));
    journal->last = tail->last;
    result r = audit_head_read(journal->state_dir, audit_journal_chain(journal), &head, &why);
    if (r.why == FAIL_IO)
        return fail(report, FAIL_IO, why.code, REPORT_NO_OFFSET, "%s", why.sentence);
    if (r.why == FAIL_NONE)
        meet_head(journal, &head, findings);
    else if (r.why == FAIL_INPUT || tail->last.seq > 0) {
        find(findings, "AUDIT_HEAD_LOST", "%s; a cut end could not be seen", why.sentence);
    }
    /* A record's time may lie before the midnight that its file was begun at: the head knows
     * better. */
    journal->day = has_lines && tail->day > head.day ? tail->day : head.day;
    int64_t today = audit_day_of(clock_wall_ms(journal->clock));
    if (!has_lines && today > journal->day) journal->day = today;
    return OK;
}

static result open_files(struct audit_journal *journal, struct findings *findings,
                         struct report *report) {
    struct tail tail;
    TRY(take_chain(journal, report));
    TRY(open_current(journal, &tail, findings, report));
    TRY(join_head(journal, &tail, findings, report));
    audit_journal_rotate(journal);
    journal->head_is_old = true;
    if (audit_journal_head(journal).why != FAIL_NONE) {
        errno = journal->error;
        return cannot(report, "write the head of", journal->chain_name);
    }
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *item = &findings->items[i];
        if (audit_journal_note(journal, item->code, str_of(item->sentence)).why == FAIL_NONE)
            continue;
        errno = journal->error;
        return cannot(report, "write to", journal->chain_name);
    }
    return OK;
}

result audit_journal_open(const struct audit_settings *settings, struct str logs_dir,
                          struct str state_dir, const struct clock *clock,
                          struct audit_journal *out, struct report *report) {
    struct findings findings = {.n = 0};
    *out = (struct audit_journal){
        .logs_dir = -1,
        .state_dir = -1,
        .lock = -1,
        .fd = -1,
        .clock = clock,
        .sync = settings->sync,
        .keep_days = settings->keep_days,
    };
    audit_chain_init(&out->last);
    keep_text(out->base_name, sizeof out->base_name, settings->file);
    result r = audit_base_of(settings->file, &out->base, report);
    if (r.why == FAIL_NONE) r = audit_base_of(str_of(out->base_name), &out->base, report);
    if (r.why == FAIL_NONE) keep_text(out->ext_name, sizeof out->ext_name, out->base.ext);
    if (r.why == FAIL_NONE) r = audit_hasher_init(&out->hasher, report);
    if (r.why == FAIL_NONE) r = audit_dir_open(logs_dir, true, &out->logs_dir, report);
    if (r.why == FAIL_NONE) r = audit_dir_open(state_dir, true, &out->state_dir, report);
    if (r.why == FAIL_NONE) r = open_files(out, &findings, report);
    if (r.why != FAIL_NONE) audit_journal_close(out);
    return r;
}

static void close_fd(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

void audit_journal_close(struct audit_journal *journal) {
    close_fd(&journal->fd);
    /* A side chain's lock has no use once it is free; the log's own stays, whoever may wait for it.
     */
    if (journal->lock >= 0 && journal->is_side) {
        char name[AUDIT_NAME_MAX];
        audit_name_lock(name, audit_journal_chain(journal));
        unlinkat(journal->logs_dir, name, 0);
    }
    close_fd(&journal->lock);
    close_fd(&journal->state_dir);
    close_fd(&journal->logs_dir);
    audit_hasher_deinit(&journal->hasher);
}
