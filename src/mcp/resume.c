#include "mcp/resume.h"

#include "base/limits.h"
#include "base/log.h"
#include "mcp/answer.h"
#include "mcp/visit.h"
#include "tools/tool.h"

enum { STREAM_DIGITS = 32 };

/* Of one turn: what it was before it was journalled, and where a GET stands. */
struct resume {
    struct journal journal;
    struct str stream;          /* the id's first part */
    uint64_t after;             /* of a GET: the last event that its client has */
    const struct turn_way *way; /* the door's */
    struct turn_way own;        /* the same, but for what is sent */
    void (*finish)(struct turn *turn);
};

static struct str event_id(const struct resume *resume, uint64_t sequence, struct arena *arena) {
    return str_printf(arena, STR_FMT ".%llu", STR_ARG(resume->stream),
                      (unsigned long long)sequence);
}

static struct str name_of(const struct turn *turn, struct str stream) {
    return str_printf(&turn->call->arena, STR_FMT "/" STR_FMT, STR_ARG(turn->session->id),
                      STR_ARG(stream));
}

/* -- the turn that runs the call -------------------------------------------------------------- */

/* What cannot be written down is told all the same, without an id. */
static void send(struct turn *turn, struct str id, struct str json) {
    struct resume *resume = turn->resume;
    struct arena *arena = &turn->call->arena;
    struct report report = {0};
    uint64_t sequence = 0;
    (void)id;
    result r = journal_append(&turn->mcp->journals, &resume->journal, false, json, arena, &sequence,
                              &report);
    if (r.why != FAIL_NONE) log_line(LOG_WARN, "event_lost", STR_NONE, "%s", report.sentence);
    resume->way->send(turn, sequence > 0 ? event_id(resume, sequence, arena) : STR_NONE, json);
}

/* Whoever lost the lease has nothing to say any more: the answer is another's. Of a call that was
 * cancelled it is written that nothing comes, so that nobody runs it again. */
static void write_answer(struct turn *turn) {
    struct resume *resume = turn->resume;
    struct arena *arena = &turn->call->arena;
    struct report report = {0};
    uint64_t sequence = 0;
    result r = OK;
    bool is_cancelled = turn->running.is_silenced;
    struct str answer = is_cancelled ? STR("") : buf_flat(&turn->out, arena);
    if (is_cancelled || (turn->out.len > 0 && answer.ptr != NULL))
        r = journal_append(&turn->mcp->journals, &resume->journal, true, answer, arena, &sequence,
                           &report);
    if (r.why != FAIL_NONE) log_line(LOG_WARN, "answer_not_kept", STR_NONE, "%s", report.sentence);
    if (sequence > 0) turn->out_id = event_id(resume, sequence, arena);
    if (r.why == FAIL_NONE && sequence == 0) turn->running.is_silenced = true;
}

static void keep_answer(struct turn *turn) {
    struct resume *resume = turn->resume;
    if (turn_is_left_over(turn))
        turn->running.is_silenced = true;
    else
        write_answer(turn);
    journal_close(&turn->mcp->journals, &resume->journal);
    resume->finish(turn);
}

static void finish(struct turn *turn) {
    turn->finish = turn->resume->finish; /* what the desk refuses is finished as it is */
    turn_at_desk(turn, keep_answer);
}

static void wrap(struct turn *turn, struct resume *resume) {
    resume->way = turn->way;
    resume->own = *turn->way;
    resume->own.send = send;
    resume->finish = turn->finish;
    turn->resume = resume;
    turn->way = &resume->own;
    turn->finish = finish;
}

static bool is_resumable(const struct turn *turn) {
    if (turn->message.kind != RPC_REQUEST || turn->way == NULL ||
        !str_eq(turn->message.method, STR("tools/call")) ||
        !era_at_least(turn->session->version, "2025-11-25") || turn_lacks_scope(turn))
        return false;
    const struct tool *tool = tool_find(json_get_text(turn->message.params, STR("name")));
    return tool != NULL && tool->waits != TOOL_AT_ONCE;
}

static struct resume *resume_new(struct turn *turn, struct str stream) {
    struct arena *arena = &turn->call->arena;
    struct resume *resume = arena_new(arena, struct resume);
    if (resume == NULL) return NULL;
    resume->stream = str_dup(arena, stream);
    resume->journal.name = name_of(turn, resume->stream);
    if (resume->stream.ptr == NULL || resume->journal.name.ptr == NULL) return NULL;
    return resume;
}

void resume_begin(struct turn *turn) {
    char stream[STREAM_DIGITS + 1];
    struct arena *arena = &turn->call->arena;
    struct report report = {0};
    if (!is_resumable(turn)) return;
    rand_hex(stream, STREAM_DIGITS / 2);
    struct resume *resume = resume_new(turn, str_of(stream));
    if (resume == NULL) return;
    result r =
        journal_open(&turn->mcp->journals, &resume->journal, turn->message.body, arena, &report);
    if (r.why != FAIL_NONE) {
        log_line(LOG_WARN, "stream_not_kept", STR_NONE, "%s", report.sentence);
        return;
    }
    wrap(turn, resume);
    resume->way->send(turn, event_id(resume, 0, arena), STR_NONE);
}

void resume_end(struct turn *turn) {
    if (turn->resume != NULL) journal_forget(&turn->mcp->journals, &turn->resume->journal);
}

/* -- the turn that comes back ----------------------------------------------------------------- */

static bool split_id(struct str id, struct str *stream, uint64_t *sequence) {
    *sequence = 0;
    if (id.len < STREAM_DIGITS + 2 || id.len > STREAM_DIGITS + 20 || id.ptr[STREAM_DIGITS] != '.')
        return false;
    *stream = str_slice(id, 0, STREAM_DIGITS);
    uint8_t unused[STREAM_DIGITS / 2];
    if (!hex_decode(*stream, unused, sizeof unused)) return false;
    for (size_t i = STREAM_DIGITS + 1; i < id.len; i++) {
        if (id.ptr[i] < '0' || id.ptr[i] > '9') return false;
        *sequence = *sequence * 10 + (uint64_t)(id.ptr[i] - '0');
    }
    return true;
}

bool resume_is_event(struct str last_event_id) {
    struct str stream;
    uint64_t sequence;
    return split_id(last_event_id, &stream, &sequence);
}

/* Tells what was written since. true: the answer was among it, and the turn is to be finished. */
static result replay(struct turn *turn, bool *is_answered, struct report *report) {
    struct resume *resume = turn->resume;
    struct arena *arena = &turn->call->arena;
    struct journal_entry *entries;
    size_t n;
    *is_answered = false;
    TRY(journal_read(&turn->mcp->journals, resume->journal.name, resume->after, arena, &entries, &n,
                     report));
    for (size_t i = 0; i < n; i++) {
        struct str id = event_id(resume, entries[i].sequence, arena);
        resume->after = entries[i].sequence;
        if (!entries[i].is_answer) {
            turn->way->send(turn, id, entries[i].json);
            continue;
        }
        turn->out_id = id;
        buf_add(&turn->out, entries[i].json);
        *is_answered = true;
        return OK;
    }
    return OK;
}

static void look(struct turn *turn);

static void look_again(struct turn *turn) {
    turn_at_desk(turn, look);
}

static void wait_a_while(struct turn *turn) {
    if (visit_is_open(turn))
        visit_after(turn, RESUME_LOOK_MS, look_again);
    else
        turn->finish(turn);
}

/* The replica that ran it is gone, and the lease is ours now. */
static void run_again(struct turn *turn, struct str body) {
    wrap(turn, turn->resume);
    if (!turn_read(turn, body)) {
        turn->finish(turn);
        return;
    }
    const struct tool *tool = tool_find(json_get_text(turn->message.params, STR("name")));
    if (tool != NULL && !tool->is_destructive) {
        turn_take_as(turn, ERA_LEGACY, turn->session->version);
        return;
    }
    answer_lost(turn);
}

/* Was the answer told before the place where the client stands? */
static result has_answer(struct turn *turn, bool *is_there, struct report *report) {
    struct resume *resume = turn->resume;
    struct journal_entry *entries;
    size_t n = 0;
    uint64_t after = 0;
    *is_there = false;
    do {
        TRY(journal_read(&turn->mcp->journals, resume->journal.name, after, &turn->call->arena,
                         &entries, &n, report));
        for (size_t i = 0; i < n; i++) *is_there |= entries[i].is_answer;
        if (n > 0) after = entries[n - 1].sequence;
    } while (n > 0 && !*is_there);
    return OK;
}

/* Between the last look at the log and the lease somebody may have answered, so the log is read
 * once more under it. Who has had the answer is told nothing more. */
static result take_over(struct turn *turn, bool *is_done, struct report *report) {
    struct journals *journals = &turn->mcp->journals;
    struct journal *journal = &turn->resume->journal;
    struct arena *arena = &turn->call->arena;
    struct str body;
    TRY(journal_request(journals, journal->name, arena, &body, report));
    if (body.ptr == NULL)
        return fail(report, FAIL_ABSENT, "SESSION_UNKNOWN", REPORT_NO_OFFSET,
                    "the stream of Last-Event-ID is not known");
    TRY(journal_take_over(journals, journal, arena, report));
    if (journal->lease_version == STORE_ABSENT) return OK;
    bool is_answered = false;
    result r = replay(turn, &is_answered, report);
    if (r.why == FAIL_NONE && !is_answered) r = has_answer(turn, &is_answered, report);
    if (r.why != FAIL_NONE || is_answered) journal_close(journals, journal);
    if (r.why != FAIL_NONE) return r;
    *is_done = true;
    if (is_answered)
        turn->finish(turn);
    else
        run_again(turn, body);
    return OK;
}

static result look_once(struct turn *turn, bool *is_done, struct report *report) {
    bool is_held;
    TRY(replay(turn, is_done, report));
    if (*is_done) {
        turn->finish(turn);
        return OK;
    }
    TRY(journal_is_held(&turn->mcp->journals, turn->resume->journal.name, &turn->call->arena,
                        &is_held, report));
    return is_held ? OK : take_over(turn, is_done, report);
}

static void look(struct turn *turn) {
    bool is_done = false;
    struct report report = {0};
    if (look_once(turn, &is_done, &report).why != FAIL_NONE)
        turn_fail(turn, &report);
    else if (!is_done)
        visit_at_loop(turn, wait_a_while);
}

void resume_follow(struct turn *turn, struct str last_event_id) {
    struct str stream;
    uint64_t sequence;
    struct report report = {0};
    struct resume *resume =
        split_id(last_event_id, &stream, &sequence) ? resume_new(turn, stream) : NULL;
    if (resume == NULL) {
        (void)fail_memory(&report);
        turn_fail(turn, &report);
        return;
    }
    resume->after = sequence;
    turn->resume = resume;
    look(turn);
}
