#include "backend/duckdb_call.h"

#include "base/clock.h"
#include "base/limits.h"

enum call_state {
    CALL_COLUMNS = 0, /* the query is sent, nothing came yet */
    CALL_ROWS,        /* columns came; rows go to the sink */
    CALL_STOPPING,    /* interrupted: what still comes is dropped */
    CALL_ENDED,       /* the worker said its last word and is well */
    CALL_LOST,        /* the worker is gone, killed, or not to be trusted */
};

struct call_of_worker {
    struct duckdb_process *process;
    const struct run_limits *limits;
    struct row_sink *sink;
    struct run_facts *facts;
    struct arena *arena;
    struct report *report;
    enum call_state state;
    result outcome;      /* while STOPPING: what the caller will be told */
    int64_t deadline_ns; /* of the state we are in */
    int64_t ask_ns;      /* when to ask how far the query is, where somebody watches */
    unsigned percent;    /* the last that was told */
    uint64_t number;
    size_t n_columns;
    struct row_value *values;
    struct arena scratch; /* of JSON that is looked through */
};

/* -- ends ---------------------------------------------------------------------------------------
 */

static void stop(struct call_of_worker *c, result outcome) {
    c->outcome = outcome;
    c->state = CALL_STOPPING;
    c->deadline_ns = clock_mono_ns(&clock_real) + DUCKDB_STOP_MS * INT64_C(1000000);
    process_interrupt(c->process, c->number);
}

static void stop_late(struct call_of_worker *c, enum fail why) {
    if (why == FAIL_TIMEOUT) {
        stop(c, fail(c->report, why, "QUERY_TIMEOUT", REPORT_NO_OFFSET,
                     "the query was ended at its time limit"));
        fail_hint(c->report, "Read less: filter on the partition, aggregate, or lower the limit.");
    } else {
        stop(c, fail(c->report, why, "CANCELLED", REPORT_NO_OFFSET, "the query was cancelled"));
    }
}

static void lose(struct call_of_worker *c) {
    if (c->state != CALL_STOPPING)
        c->outcome = fail(c->report, FAIL_BACKEND, "BACKEND_ERROR", REPORT_NO_OFFSET,
                          "the worker that ran the query was lost");
    c->state = CALL_LOST;
}

static void end(struct call_of_worker *c, result outcome) {
    if (c->state != CALL_STOPPING) c->outcome = outcome;
    c->state = CALL_ENDED;
}

/* -- errors -------------------------------------------------------------------------------------
 */

/* The first line, with what could disturb a terminal or a log made blank. */
static struct str first_line(struct str text, struct arena *arena) {
    struct str line = str_slice(text, 0, str_find_byte(text, '\n'));
    char *clean = arena_alloc(arena, line.len, 1);
    if (clean == NULL) return STR("the engine's reason does not fit");
    for (size_t i = 0; i < line.len; i++) {
        unsigned char byte = (unsigned char)line.ptr[i];
        clean[i] = byte < 0x20 || byte == 0x7F ? ' ' : (char)byte;
    }
    struct str out = {clean, line.len};
    return utf8_valid(out) ? out : STR("the engine's reason is no text");
}

static result engine_error(struct call_of_worker *c, struct str text) {
    if (c->limits->is_private) {
        result r = fail(c->report, FAIL_BACKEND, "BACKEND_ERROR", REPORT_NO_OFFSET,
                        "the engine could not run the query");
        fail_hint(c->report,
                  "Its reason is kept back, because it could show rows that you may not see. "
                  "Check casts, divisions and function arguments; the audit record has "
                  "the reason.");
        return r;
    }
    return fail(c->report, FAIL_BACKEND, "BACKEND_ERROR", REPORT_NO_OFFSET, STR_FMT,
                STR_ARG(first_line(text, c->arena)));
}

static result error_told(struct call_of_worker *c, enum wire_error error, struct str text) {
    result r = {FAIL_BACKEND};
    switch (error) {
    case WIRE_ERROR_INTERRUPTED: /* by nobody that we know of: we would be STOPPING */
    case WIRE_ERROR_ENGINE:
    case WIRE_ERROR_FATAL:
    case WIRE_ERROR_NOT_INSTALLED:
    case WIRE_ERROR_SANDBOX: return engine_error(c, text);
    case WIRE_ERROR_MEMORY:
        r = fail(c->report, FAIL_BACKEND, "BACKEND_ERROR", REPORT_NO_OFFSET,
                 "the query needs more memory than a worker may take");
        fail_hint(c->report, "Aggregate or filter earlier, or have memory_limit raised.");
        return r;
    case WIRE_ERROR_NOT_SELECT:
        return fail(c->report, FAIL_BACKEND, "BACKEND_ERROR", REPORT_NO_OFFSET,
                    "the worker runs a single SELECT and nothing else");
    case WIRE_ERROR_ROW_TOO_LARGE:
        r = fail(c->report, FAIL_LIMIT, "REPLY_TOO_LARGE", REPORT_NO_OFFSET,
                 "a row of the answer is larger than %lld bytes", (long long)WIRE_FRAME_BYTES_MAX);
        fail_hint(c->report, "Select fewer columns, or a part of the long ones.");
        return r;
    }
    return r;
}

static void take_error(struct call_of_worker *c, struct wire_view *view) {
    enum wire_error error;
    struct str text;
    if (!wire_get_error(view, &error, &text)) {
        lose(c);
        return;
    }
    c->facts->engine_error = str_dup(c->arena, text);
    if (c->state == CALL_STOPPING)
        end(c, c->outcome);
    else
        end(c, error_told(c, error, text));
    /* It ends itself after this; whoever takes it next finds it dead, but need not. */
    if (error == WIRE_ERROR_MEMORY || error == WIRE_ERROR_FATAL) c->state = CALL_LOST;
}

/* -- what comes ---------------------------------------------------------------------------------
 */

static void take_columns(struct call_of_worker *c, struct wire_view *view) {
    struct row_column *columns;
    if (!wire_get_columns(view, c->arena, &columns, &c->n_columns)) {
        lose(c);
        return;
    }
    c->values = arena_new_array(c->arena, c->n_columns, struct row_value);
    c->state = CALL_ROWS;
    result r = c->values == NULL ? fail_memory(c->report)
                                 : c->sink->columns(c->sink, columns, c->n_columns, c->report);
    if (r.why != FAIL_NONE) stop(c, r);
}

static void take_rows(struct call_of_worker *c, struct wire_view *view) {
    while (view->at < view->end && c->state == CALL_ROWS) {
        for (size_t i = 0; i < c->n_columns; i++)
            if (!wire_get_value(view, &c->scratch, &c->values[i])) {
                lose(c);
                return;
            }
        bool more = true;
        result r = c->sink->row(c->sink, c->values, &more, c->report);
        if (r.why != FAIL_NONE || !more) stop(c, r);
    }
}

static void take_done(struct call_of_worker *c, struct wire_view *view) {
    uint64_t engine_us;
    if (!wire_get_u64(view, &engine_us) || view->at != view->end) {
        lose(c);
        return;
    }
    c->facts->engine_us = (int64_t)engine_us;
    end(c, OK);
}

static bool is_watched(const struct call_of_worker *c) {
    return c->limits->watch != NULL && c->state < CALL_STOPPING;
}

/* It only grows; and the last word on a query is its answer. */
static void take_progress(struct call_of_worker *c, struct wire_view *view) {
    uint8_t percent;
    if (!wire_get_u8(view, &percent) || view->at != view->end || percent > 100) {
        lose(c);
        return;
    }
    if (percent <= c->percent || percent == 100) return;
    c->percent = percent;
    c->limits->watch->see(c->limits->watch, percent);
}

/* Which frame may come in which state; anything else is not our worker any more. */
static void take_frame(struct call_of_worker *c, struct wire_frame *frame) {
    bool is_answer =
        frame->kind == WIRE_COLUMNS || frame->kind == WIRE_ROWS || frame->kind == WIRE_PROGRESS;
    if (frame->kind == WIRE_ERROR)
        take_error(c, &frame->payload);
    else if (frame->kind == WIRE_DONE && c->state != CALL_COLUMNS)
        take_done(c, &frame->payload);
    else if (is_answer && c->state == CALL_STOPPING)
        return;
    else if (frame->kind == WIRE_COLUMNS && c->state == CALL_COLUMNS)
        take_columns(c, &frame->payload);
    else if (frame->kind == WIRE_ROWS && c->state == CALL_ROWS)
        take_rows(c, &frame->payload);
    else if (frame->kind == WIRE_PROGRESS && is_watched(c))
        take_progress(c, &frame->payload);
    else
        lose(c);
}

/* Rows that come without end leave no moment in which there is nothing to read. */
static void look_at_the_clock(struct call_of_worker *c) {
    int64_t now = clock_mono_ns(&clock_real);
    if (now >= c->deadline_ns && c->state == CALL_STOPPING) {
        lose(c);
    } else if (now >= c->deadline_ns) {
        stop_late(c, FAIL_TIMEOUT);
    } else if (is_watched(c) && now >= c->ask_ns) {
        process_ask_progress(c->process, c->number);
        c->ask_ns = now + DUCKDB_WATCH_MS * INT64_C(1000000);
    }
}

static void wait_longer(struct call_of_worker *c) {
    int cancel_fd = c->state == CALL_STOPPING ? -1 : c->limits->cancel_fd;
    bool is_asking = is_watched(c) && c->ask_ns < c->deadline_ns;
    int64_t until = is_asking ? c->ask_ns : c->deadline_ns;
    result waited = process_wait(c->process, false, until, cancel_fd);
    if (waited.why == FAIL_NONE) return;
    if (waited.why == FAIL_TIMEOUT)
        look_at_the_clock(c);
    else if (c->state == CALL_STOPPING || waited.why == FAIL_IO)
        lose(c);
    else
        stop_late(c, waited.why);
}

static void converse(struct call_of_worker *c) {
    bool is_drained = true;
    while (c->state < CALL_ENDED) {
        if (is_drained)
            wait_longer(c);
        else
            look_at_the_clock(c);
        if (c->state >= CALL_ENDED) return;
        struct wire_frame frame;
        enum wire_state state = wire_in_next(&c->process->in, &frame);
        if (state == WIRE_AGAIN) state = wire_in_read(&c->process->in, c->process->data_fd, &frame);
        is_drained = state == WIRE_AGAIN;
        if (state == WIRE_READ)
            take_frame(c, &frame);
        else if (state != WIRE_AGAIN)
            lose(c);
    }
}

static void send_query(struct call_of_worker *c, struct str sql) {
    struct wire_out out;
    wire_out_init(&out);
    wire_begin(&out, WIRE_QUERY);
    wire_put_u64(&out, c->number);
    wire_put_bytes(&out, sql);
    wire_end(&out);
    result r = wire_out_failed(&out)
                   ? fail_memory(c->report)
                   : process_send(c->process, &out, c->deadline_ns, c->limits->cancel_fd);
    wire_out_deinit(&out);
    if (r.why == FAIL_MEMORY)
        end(c, r); /* nothing was sent */
    else if (r.why == FAIL_IO)
        lose(c);
    else if (r.why != FAIL_NONE) { /* half a frame was sent: no other can follow */
        stop_late(c, r.why);
        lose(c);
    }
}

result duckdb_call(struct duckdb_pool *pool, struct str sql, const struct run_limits *limits,
                   struct row_sink *sink, struct run_facts *facts, struct arena *arena,
                   struct report *report) {
    struct call_of_worker c = {.limits = limits,
                               .sink = sink,
                               .facts = facts,
                               .arena = arena,
                               .report = report,
                               .deadline_ns = limits->deadline_mono_ns,
                               .outcome = OK};
    TRY(pool_take(pool, limits, &c.process, report));
    c.number = ++c.process->n_queries;
    c.ask_ns = clock_mono_ns(&clock_real) + DUCKDB_WATCH_MS * INT64_C(1000000);
    arena_init(&c.scratch, WIRE_FRAME_BYTES_MAX * 4);
    send_query(&c, sql);
    converse(&c);
    arena_deinit(&c.scratch);
    pool_give(pool, c.process, c.state == CALL_ENDED);
    return c.outcome;
}
