#include "audit/audit.h"
#include "audit/journal.h"
#include "audit/record.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

static const char *const sync_names[] = {"everysec", "always", NULL};

#define SETTING(member) offsetof(struct audit_settings, member)
const struct option audit_options[] = {
    {.name = "sync",
     .type = OPTION_CHOICE,
     .offset = SETTING(sync),
     .fallback = "everysec",
     .choices = sync_names,
     .sentence =
         "When a record counts as written: everysec survives a kill of the process but not a "
         "loss of power in the last second, always survives both."},
    {.name = "file",
     .type = OPTION_TEXT,
     .offset = SETTING(file),
     .fallback = "audit.jsonl",
     .sentence = "The log's file name in the logs directory."},
    {.name = "queue_bytes",
     .type = OPTION_BYTES,
     .offset = SETTING(queue_bytes),
     .fallback = "16MiB",
     .min = 64 * KIB,
     .max = AUDIT_QUEUE_BYTES_MAX,
     .unit = "bytes",
     .sentence = "Records that may wait to be written before further calls are refused as busy."},
    {.name = "keep_days",
     .type = OPTION_INT,
     .offset = SETTING(keep_days),
     .fallback = "0",
     .min = 0,
     .max = AUDIT_KEEP_DAYS_MAX,
     .sentence = "Days after which rotated files are deleted; 0 keeps them for ever."},
    {.name = NULL},
};

/* The writer thread owns `journal` and what stands below it; the rest is under `lock`. */
struct audit {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;              /* of the writer; on CLOCK_MONOTONIC */
    struct audit_block *first, **end; /* waiting, in the order of submission */
    int64_t queued_bytes;             /* waiting or being written */
    int64_t queue_max;
    bool is_asleep; /* the writer waits for `wake`: nobody else pays for a wake-up */
    bool is_closing;
    int log_error;  /* errno; 0: the last write succeeded */
    int head_error; /* the same of the head */

    struct audit_journal journal;
    bool is_broken;        /* the last write or sync failed */
    uint64_t n_lost;       /* records refused since then */
    int64_t duty_since;    /* mono ns; 0: nothing waits for a sync, a head or another try */
    int64_t counted_since; /* mono ns: of n_counted records */
    size_t n_counted;
    bool is_dense; /* records come faster than it pays to be woken for each */
};

enum { SECOND_NS = 1000000000, NS_PER_MS = 1000000, THREAD_STACK_BYTES = 256 * 1024 };

/* -- submitting ------------------------------------------------------------------------------- */

/* What no queue could ever hold is let in alone. */
static bool has_room(const struct audit *audit, size_t len) {
    return audit->queued_bytes == 0 || audit->queued_bytes + (int64_t)len <= audit->queue_max;
}

result audit_submit(struct audit *audit, const struct audit_record *record, audit_done *done,
                    void *with) {
    struct audit_block *block = audit_block_make(record);
    if (block == NULL) return (result){FAIL_MEMORY};
    block->done = done;
    block->with = with;
    pthread_mutex_lock(&audit->lock);
    bool is_taken = !audit->is_closing && has_room(audit, block->len);
    bool must_wake = is_taken && audit->is_asleep;
    if (is_taken) {
        audit->queued_bytes += (int64_t)block->len;
        *audit->end = block;
        audit->end = &block->next;
        audit->is_asleep = false;
    }
    pthread_mutex_unlock(&audit->lock);
    if (must_wake) pthread_cond_signal(&audit->wake);
    if (!is_taken) audit_block_free(block);
    return is_taken ? OK : (result){FAIL_BUSY};
}

bool audit_is_ready(struct audit *audit, struct str *sentence, struct arena *arena) {
    pthread_mutex_lock(&audit->lock);
    int log_error = audit->log_error, head_error = audit->head_error;
    pthread_mutex_unlock(&audit->lock);
    *sentence = STR_NONE;
    if (log_error == 0 && head_error == 0) return true;
    *sentence =
        str_printf(arena, "the audit %s cannot be written: %s", log_error != 0 ? "log" : "head",
                   strerrordesc_np(log_error != 0 ? log_error : head_error));
    return false;
}

/* -- the writer ------------------------------------------------------------------------------- */

static void tell_errors(struct audit *audit, int log_error, int head_error) {
    pthread_mutex_lock(&audit->lock);
    bool has_begun = log_error != 0 && audit->log_error == 0;
    audit->log_error = log_error;
    audit->head_error = head_error;
    pthread_mutex_unlock(&audit->lock);
    if (has_begun) {
        log_line(LOG_ERROR, "audit_unwritable", STR_NONE, "cannot write the audit log: %s",
                 strerrordesc_np(log_error));
    }
}

static int error_of(const struct audit *audit) {
    return audit->journal.error != 0 ? audit->journal.error : EIO;
}

static void breaks(struct audit *audit) {
    audit->is_broken = true;
    tell_errors(audit, error_of(audit), 0);
}

/* The first line after a failure says so: what was refused meanwhile is not on record, and that it
 * is not has to be. */
static bool recover(struct audit *audit) {
    char sentence[REPORT_SENTENCE_MAX];
    if (!audit->is_broken) return true;
    snprintf(sentence, sizeof sentence,
             "the log could not be written (%s): %" PRIu64 " records were refused",
             strerrordesc_np(error_of(audit)), audit->n_lost);
    struct audit_journal *journal = &audit->journal;
    if (audit_journal_sync(journal).why != FAIL_NONE ||
        audit_journal_note(journal, "AUDIT_RESUMED", str_of(sentence)).why != FAIL_NONE) {
        breaks(audit);
        return false;
    }
    audit->is_broken = false;
    audit->n_lost = 0;
    tell_errors(audit, 0, 0);
    log_line(LOG_INFO, "audit_resumed", STR_NONE, "%s", sentence);
    return true;
}

static void free_blocks(struct audit_block *const *blocks, size_t n) {
    for (size_t i = 0; i < n; i++) audit_block_free(blocks[i]);
}

/* The queue's count was taken before the seal was added. */
static int64_t body_bytes(struct audit_block *const *blocks, size_t n) {
    int64_t bytes = 0;
    for (size_t i = 0; i < n; i++) bytes += (int64_t)blocks[i]->len;
    return bytes;
}

static void write_blocks(struct audit *audit, struct audit_block *const *blocks, size_t n) {
    size_t n_whole = 0;
    int64_t bytes = body_bytes(blocks, n);
    if (recover(audit)) {
        if (audit_journal_append(&audit->journal, blocks, n, &n_whole).why != FAIL_NONE) {
            breaks(audit);
        }
    }
    audit->n_lost += n - n_whole;
    for (size_t i = 0; i < n; i++) {
        if (blocks[i]->done == NULL) continue;
        blocks[i]->done(blocks[i]->with, i < n_whole ? OK : (result){FAIL_IO});
    }
    free_blocks(blocks, n);
    pthread_mutex_lock(&audit->lock);
    audit->queued_bytes -= bytes;
    pthread_mutex_unlock(&audit->lock);
}

static size_t write_list(struct audit *audit, struct audit_block *list) {
    struct audit_block *blocks[AUDIT_GROUP_MAX];
    size_t all = 0;
    for (size_t n; list != NULL; all += n) {
        n = 0;
        for (; list != NULL && n < AUDIT_GROUP_MAX; list = list->next) blocks[n++] = list;
        write_blocks(audit, blocks, n);
    }
    return all;
}

static bool has_duty(const struct audit *audit) {
    return audit->journal.is_unsynced || audit->journal.head_is_old || audit->is_broken;
}

static void do_duty(struct audit *audit) {
    struct audit_journal *journal = &audit->journal;
    if (!recover(audit)) return;
    if (audit_journal_sync(journal).why != FAIL_NONE)
        breaks(audit);
    else if (audit_journal_head(journal).why != FAIL_NONE)
        tell_errors(audit, 0, error_of(audit));
    else
        tell_errors(audit, 0, 0);
}

/* What the clock asks for: midnight, and once a second a sync and the head, or another try of what
 * failed. */
static void tick(struct audit *audit, bool is_last) {
    audit_journal_rotate(&audit->journal);
    int64_t now = clock_mono_ns(&clock_real);
    if (!has_duty(audit))
        audit->duty_since = 0;
    else if (audit->duty_since == 0)
        audit->duty_since = now;
    if (audit->duty_since == 0 || (now - audit->duty_since < SECOND_NS && !is_last)) return;
    do_duty(audit);
    audit->duty_since = has_duty(audit) ? now : 0;
}

/* How long the writer may sleep when nobody calls it: to the sync, else to midnight. Never less
 * than a moment, for a clock that stands still must not keep it running. */
static int64_t sleep_ns(const struct audit *audit) {
    const int64_t day_ms = INT64_C(86400000);
    if (audit->duty_since != 0) {
        int64_t left = audit->duty_since + SECOND_NS - clock_mono_ns(&clock_real);
        return left < NS_PER_MS ? NS_PER_MS : left;
    }
    int64_t left = (day_ms - clock_wall_ms(audit->journal.clock) % day_ms) * NS_PER_MS;
    return left < SECOND_NS ? SECOND_NS : left;
}

/* To be woken costs the caller more than its whole record. Where records come so fast that several
 * callers must be at work, the writer looks by itself at short intervals, and nobody pays; a single
 * caller, who waits for each answer before the next question, never gets there. */
enum { DENSE_PER_MS = 16, NAP_NS = 100000, NAP_SLACK_NS = 1000 };

static void measure(struct audit *audit, size_t n) {
    int64_t now = clock_mono_ns(&clock_real), elapsed = now - audit->counted_since;
    audit->n_counted += n;
    if (elapsed < NS_PER_MS) return;
    audit->is_dense = (int64_t)audit->n_counted * NS_PER_MS / elapsed >= DENSE_PER_MS;
    audit->counted_since = now;
    audit->n_counted = 0;
}

static void nap(const struct audit *audit) {
    const struct timespec a_moment = {0, NAP_NS};
    if (audit->is_dense) clock_nanosleep(CLOCK_MONOTONIC, 0, &a_moment, NULL);
}

/* Everything that waits, or NULL when the time has come to look at the clock. */
static struct audit_block *take(struct audit *audit, bool *is_last) {
    nap(audit);
    int64_t until = clock_mono_ns(&clock_real) + sleep_ns(audit);
    struct timespec due = {until / SECOND_NS, until % SECOND_NS};
    pthread_mutex_lock(&audit->lock);
    int waited = 0;
    if (audit->first == NULL) audit->is_dense = false;
    while (audit->first == NULL && !audit->is_closing && waited != ETIMEDOUT) {
        audit->is_asleep = true;
        waited = pthread_cond_timedwait(&audit->wake, &audit->lock, &due);
    }
    audit->is_asleep = false;
    struct audit_block *list = audit->first;
    *is_last = audit->is_closing;
    audit->first = NULL;
    audit->end = &audit->first;
    pthread_mutex_unlock(&audit->lock);
    return list;
}

/* Nothing is submitted once is_closing is set, so the list taken with it is the last. */
static void *run(void *with) {
    struct audit *audit = with;
    prctl(PR_SET_TIMERSLACK, (unsigned long)NAP_SLACK_NS);
    for (bool is_last = false; !is_last;) {
        measure(audit, write_list(audit, take(audit, &is_last)));
        tick(audit, is_last);
    }
    return NULL;
}

/* -- life ------------------------------------------------------------------------------------- */

/* A log that reaches RLIMIT_FSIZE is an error and not a death: the signal is blocked while we write
 * on the caller's thread, and taken off it before it is let through again. */
static void block_xfsz(sigset_t *before) {
    sigset_t xfsz;
    sigemptyset(&xfsz);
    sigaddset(&xfsz, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &xfsz, before);
}

static void restore_xfsz(const sigset_t *before) {
    sigset_t xfsz;
    const struct timespec at_once = {0, 0};
    sigemptyset(&xfsz);
    sigaddset(&xfsz, SIGXFSZ);
    if (sigismember(before, SIGXFSZ) == 0) sigtimedwait(&xfsz, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* With every signal blocked: they are the business of the thread that waits for them. */
static bool start_thread(struct audit *audit) {
    sigset_t all, before;
    pthread_attr_t attr;
    if (fault_now() || pthread_attr_init(&attr) != 0) return false;
    pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_started = pthread_create(&audit->thread, &attr, run, audit) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return is_started;
}

static void init_queue(struct audit *audit, int64_t queue_max) {
    pthread_condattr_t monotonic;
    pthread_mutex_init(&audit->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&audit->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    audit->end = &audit->first;
    audit->queue_max = queue_max;
}

static void audit_free(struct audit *audit) {
    audit_journal_close(&audit->journal);
    pthread_cond_destroy(&audit->wake);
    pthread_mutex_destroy(&audit->lock);
    free(audit);
}

result audit_open(const struct audit_settings *settings, struct str logs_dir, struct str state_dir,
                  const struct clock *clock, struct audit **out, struct report *report) {
    sigset_t before;
    *out = NULL;
    struct audit *audit = fault_now() ? NULL : calloc(1, sizeof *audit);
    if (audit == NULL) return fail_memory(report);
    init_queue(audit, settings->queue_bytes);
    block_xfsz(&before);
    result r = audit_journal_open(settings, logs_dir, state_dir, clock, &audit->journal, report);
    restore_xfsz(&before);
    if (r.why == FAIL_NONE && !start_thread(audit)) {
        r = fail(report, FAIL_IO, "AUDIT_UNAVAILABLE", REPORT_NO_OFFSET,
                 "cannot start the thread that writes the audit log");
    }
    if (r.why == FAIL_NONE)
        *out = audit;
    else
        audit_free(audit);
    return r;
}

void audit_close(struct audit *audit) {
    if (audit == NULL) return;
    pthread_mutex_lock(&audit->lock);
    audit->is_closing = true;
    pthread_mutex_unlock(&audit->lock);
    pthread_cond_signal(&audit->wake);
    pthread_join(audit->thread, NULL);
    audit_free(audit);
}
