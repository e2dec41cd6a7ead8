#include "backend/duckdb_worker.h"

#include "backend/duckdb_engine.h"
#include "backend/duckdb_fence.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEPT_BYTES = 1 << 20 };

struct worker {
    struct engine engine;
    struct duckdb_setup setup;
    struct arena arena; /* of the setup */
    struct wire_in in;
    struct engine_output output;
    pthread_mutex_t sending; /* whole frames go through the socket, from two threads */
};

static bool send_all(const struct wire_out *out) {
    for (size_t sent = 0; sent < out->len;) {
        ssize_t n = send(DUCKDB_WORKER_DATA_FD, out->bytes + sent, out->len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        sent += (size_t)n;
    }
    return true;
}

/* Sends all frames. The socket blocks: a parent that reads slowly holds the engine. */
static bool flush(struct engine_output *output) {
    struct worker *worker = holder_of(output, struct worker, output);
    struct wire_out *out = &output->frames;
    if (out->failed) return false;
    pthread_mutex_lock(&worker->sending);
    bool is_sent = send_all(out);
    pthread_mutex_unlock(&worker->sending);
    if (!is_sent) return false;
    out->len = out->frame = 0;
    if (out->cap > KEPT_BYTES) wire_out_deinit(out);
    return true;
}

/* Never waits, for an interrupt may stand behind it in the pipe: a socket on which rows are being
 * sent, or that is full of them, tells more than we could. A frame this small is sent whole or not
 * at all. Under the lock no answer's last frame can pass it: the engine says that it runs no more
 * before it sends that. */
static void tell_progress(struct worker *worker, uint64_t number) {
    struct wire_out frame;
    uint8_t percent;
    if (pthread_mutex_trylock(&worker->sending) != 0) return;
    wire_out_init(&frame);
    if (engine_progress(&worker->engine, number, &percent)) {
        wire_begin(&frame, WIRE_PROGRESS);
        wire_put_u8(&frame, percent);
        wire_end(&frame);
    }
    if (!frame.failed && frame.len > 0)
        (void)send(DUCKDB_WORKER_DATA_FD, frame.bytes, frame.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    pthread_mutex_unlock(&worker->sending);
    wire_out_deinit(&frame);
}

/* Orders as they come; the end of the pipe is the end of us, whatever the engine is doing. No
 * destructor runs: an engine at work would not survive them. */
static void *listen_for_orders(void *with) {
    struct worker *worker = with;
    for (;;) {
        struct wire_order order;
        ssize_t n = read(DUCKDB_WORKER_CONTROL_FD, &order, sizeof order);
        if (n < 0 && errno == EINTR) continue;
        if (n != (ssize_t)sizeof order) _exit(0);
        switch (order.what) {
        case ORDER_INTERRUPT: engine_interrupt(&worker->engine, order.number); break;
        case ORDER_TELL_PROGRESS: tell_progress(worker, order.number); break;
        }
    }
}

/* What cannot be built ends the worker, unless the settings say that it may go on without. */
static result fenced(const struct worker *worker, result wall, struct report *report) {
    if (wall.why == FAIL_NONE || worker->setup.is_fence_required) return wall;
    log_line(LOG_WARN, "duckdb_fence_missing", STR_NONE, "%s", report->sentence);
    report_clear(report);
    return OK;
}

static result start_listening(struct worker *worker, struct report *report) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, listen_for_orders, worker) != 0) return fail_memory(report);
    pthread_detach(thread);
    return OK;
}

static enum wire_error error_of(enum fail why) {
    if (why == FAIL_ABSENT) return WIRE_ERROR_NOT_INSTALLED;
    return why == FAIL_IO ? WIRE_ERROR_SANDBOX : WIRE_ERROR_ENGINE;
}

static result start(struct worker *worker, struct report *report) {
    const struct duckdb_setup *setup = &worker->setup;
    if (pthread_mutex_init(&worker->engine.lock, NULL) != 0) return fail_memory(report);
    TRY(fenced(worker, fence_files(setup, report), report));
    TRY(fenced(worker, fence_limits(setup, report), report));
    TRY(start_listening(worker, report));
    TRY(engine_open(&worker->engine, setup, report));
    if (setup->is_load) return engine_close(&worker->engine, setup, report);
    return fenced(worker, fence_calls(report), report);
}

static bool read_setup(struct worker *worker) {
    struct wire_frame frame;
    enum wire_state state;
    do state = wire_in_read(&worker->in, DUCKDB_WORKER_DATA_FD, &frame);
    while (state == WIRE_AGAIN);
    if (state != WIRE_READ || frame.kind != WIRE_SETUP) return false;
    /* The setup outlives the next read. */
    struct str bytes = {frame.payload.at, (size_t)(frame.payload.end - frame.payload.at)};
    struct str copy = str_dup(&worker->arena, bytes);
    struct wire_view view = {copy.ptr, copy.ptr + copy.len};
    return copy.ptr != NULL && duckdb_setup_get(&view, &worker->arena, &worker->setup);
}

static void say_ready(struct wire_out *out) {
    wire_begin(out, WIRE_READY);
    wire_end(out);
}

/* One query after the other until nobody asks any more. */
static void serve(struct worker *worker) {
    struct wire_frame frame;
    while (!worker->engine.must_end) {
        enum wire_state state = wire_in_read(&worker->in, DUCKDB_WORKER_DATA_FD, &frame);
        if (state == WIRE_AGAIN) continue;
        uint64_t number;
        if (state != WIRE_READ || frame.kind != WIRE_QUERY ||
            !wire_get_u64(&frame.payload, &number))
            return;
        struct str sql = {frame.payload.at, (size_t)(frame.payload.end - frame.payload.at)};
        if (!engine_run(&worker->engine, number, sql, &worker->output)) return;
    }
}

static int run_worker(struct worker *worker) {
    arena_init(&worker->arena, WIRE_FRAME_BYTES_MAX * 4);
    wire_in_init(&worker->in);
    wire_out_init(&worker->output.frames);
    worker->output.flush = flush;
    if (pthread_mutex_init(&worker->sending, NULL) != 0) return 1;
    if (!read_setup(worker)) return 2;
    struct report report = {0};
    result started = start(worker, &report);
    if (started.why != FAIL_NONE)
        wire_put_error(&worker->output.frames, error_of(started.why), str_of(report.sentence));
    else
        say_ready(&worker->output.frames);
    if (!flush(&worker->output) || started.why != FAIL_NONE) return 1;
    if (!worker->setup.is_load) serve(worker);
    return 0;
}

int duckdb_worker_main(int argc, char **argv) {
    (void)argv;
    if (argc != 2) return 2;
    struct worker *worker = calloc(1, sizeof *worker);
    _exit(worker == NULL ? 1 : run_worker(worker));
}
