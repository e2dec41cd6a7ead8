#include "mcp/stdio_out.h"

#include "base/fault.h"
#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Something to be written: the answer of a turn, or a message before it. */
struct line {
    struct link link; /* in out->lines */
    struct stdio_out *out;
    struct turn *turn; /* ends with it; NULL: a message of its own */
    struct str json;   /* malloc'd, of that */
    struct link timer; /* in out->timers */
    int64_t at_ns;     /* of it: when, and what */
    void (*later)(struct turn *turn);
};

/* A listen request, or the session itself: told of changes by the writer. */
struct stream {
    struct subscriber subscriber; /* first: a struct subscriber * to it is one to us */
    struct stdio_out *out;
    struct link by_out; /* in out->streams */
    struct link awake;  /* in out->awake, under its lock */
};

static void write_later(struct stdio_out *out, struct line *line) {
    pthread_mutex_lock(&out->lock);
    list_add_last(&out->lines, &line->link);
    pthread_cond_broadcast(&out->changed);
    pthread_mutex_unlock(&out->lock);
}

static struct line *new_line(struct str json) {
    struct line *line = fault_now() ? NULL : calloc(1, sizeof *line + json.len);
    if (line == NULL) return NULL;
    memcpy(line + 1, json.ptr, json.len);
    line->json = (struct str){(const char *)(line + 1), json.len};
    return line;
}

/* -- the way of a turn ------------------------------------------------------------------------ */

static struct stdio_out *out_of(const struct turn *turn) {
    return ((struct line *)turn->owner)->out;
}

static void finish(struct turn *turn) {
    write_later(out_of(turn), turn->owner);
}

/* What finds no memory is not told: the answer still comes. */
static void send(struct turn *turn, struct str id, struct str json) {
    struct line *line = new_line(json);
    (void)id;
    if (line != NULL) write_later(out_of(turn), line);
}

/* The turn's own line will come without a text. */
static void answer_early(struct turn *turn, struct str json) {
    send(turn, STR_NONE, json);
    turn->running.is_silenced = true;
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void after(struct turn *turn, int64_t ms, void (*step)(struct turn *turn)) {
    struct line *line = turn->owner;
    struct stdio_out *out = line->out;
    pthread_mutex_lock(&out->lock);
    line->at_ns = now_ns() + ms * INT64_C(1000000);
    line->later = step;
    list_add_last(&out->timers, &line->timer);
    pthread_cond_broadcast(&out->changed);
    pthread_mutex_unlock(&out->lock);
}

/* -- streams ---------------------------------------------------------------------------------- */

static void wake(struct subscriber *subscriber) {
    struct stream *stream = (struct stream *)(void *)subscriber;
    struct stdio_out *out = stream->out;
    pthread_mutex_lock(&out->lock);
    if (!link_joined(&stream->awake)) list_add_last(&out->awake, &stream->awake);
    pthread_cond_broadcast(&out->changed);
    pthread_mutex_unlock(&out->lock);
}

static void tell(struct subscriber *subscriber, struct str json) {
    struct line *line = new_line(json);
    if (line != NULL) write_later(((struct stream *)(void *)subscriber)->out, line);
}

static const struct carrier carrier = {wake, tell};

static bool hold(struct turn *turn, const struct subscription *what) {
    struct stdio_out *out = out_of(turn);
    struct stream *stream = fault_now() ? NULL : calloc(1, sizeof *stream);
    if (stream == NULL) return false;
    stream->out = out;
    if (!hub_join(out->hub, &stream->subscriber, what, &carrier)) {
        free(stream);
        return false;
    }
    list_add_last(&out->streams, &stream->by_out);
    if (what->id.len > 0) subscriber_acknowledge(&stream->subscriber);
    return true;
}

/* The writer may be telling it right now, from what hub_leave() frees: it tells under
 * out->telling. */
static void end_stream(struct stdio_out *out, struct stream *stream) {
    pthread_mutex_lock(&out->telling);
    hub_leave(out->hub, &stream->subscriber);
    pthread_mutex_lock(&out->lock);
    list_leave(&stream->awake);
    pthread_mutex_unlock(&out->lock);
    pthread_mutex_unlock(&out->telling);
    list_leave(&stream->by_out);
    free(stream);
}

static bool unhold(struct turn *turn, struct str request_id) {
    struct stdio_out *out = out_of(turn);
    for (struct link *at = out->streams.next; at != &out->streams; at = at->next) {
        struct stream *stream = holder_of(at, struct stream, by_out);
        if (!str_eq(stream->subscriber.id, request_id)) continue;
        end_stream(out, stream);
        return true;
    }
    return false;
}

static const struct turn_way way = {
    .send = send, .answer_early = answer_early, .after = after, .hold = hold, .unhold = unhold};

bool stdio_out_take(struct stdio_out *out, struct turn *turn) {
    struct line *line = arena_new(&turn->call->arena, struct line);
    if (line == NULL) return false;
    *line = (struct line){.out = out, .turn = turn};
    turn->owner = line;
    turn->finish = finish;
    turn->way = &way;
    pthread_mutex_lock(&out->lock);
    out->n_open++;
    pthread_mutex_unlock(&out->lock);
    return true;
}

/* -- writing ---------------------------------------------------------------------------------- */

static bool write_all(int fd, struct buf *buf) {
    struct iovec iov[16];
    for (size_t done = 0; done < buf->len;) {
        size_t n = buf_iov(buf, done, iov, COUNT(iov));
        ssize_t wrote = writev(fd, iov, (int)n);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        done += (size_t)wrote;
    }
    return true;
}

static bool write_answer(struct stdio_out *out, struct turn *turn) {
    if (turn->out.len == 0 || turn->running.is_silenced) return true;
    buf_add_byte(&turn->out, '\n');
    if (buf_failed(&turn->out, NULL).why == FAIL_NONE) return write_all(out->fd, &turn->out);
    struct rpc_error error = {RPC_INTERNAL_ERROR, 200, STR("the answer could not be built"),
                              STR_NONE};
    turn_error(turn, &error);
    buf_add_byte(&turn->out, '\n');
    return write_all(out->fd, &turn->out);
}

static bool write_message(struct stdio_out *out, const struct line *line) {
    struct buf text;
    buf_init(&text, line->json.len + 1);
    buf_add(&text, line->json);
    buf_add_byte(&text, '\n');
    bool written = buf_failed(&text, NULL).why == FAIL_NONE && write_all(out->fd, &text);
    buf_deinit(&text);
    return written;
}

/* Under the lock, which it leaves meanwhile; so the next two. */
static void write_first(struct stdio_out *out) {
    struct line *line = holder_of(out->lines.next, struct line, link);
    bool is_answer = line->turn != NULL;
    list_leave(&line->link);
    list_leave(&line->timer);
    pthread_mutex_unlock(&out->lock);
    bool written = is_answer ? write_answer(out, line->turn) : write_message(out, line);
    if (is_answer)
        turn_free(line->turn); /* the line is part of it */
    else
        free(line);
    pthread_mutex_lock(&out->lock);
    if (is_answer) out->n_open--;
    if (!written) out->was_lost = true;
}

/* The first that has something to tell, unless it has just ended. */
static void tell_first(struct stdio_out *out) {
    struct stream *stream = NULL;
    pthread_mutex_unlock(&out->lock);
    pthread_mutex_lock(&out->telling);
    pthread_mutex_lock(&out->lock);
    if (!list_empty(&out->awake)) {
        stream = holder_of(out->awake.next, struct stream, awake);
        list_leave(&stream->awake);
    }
    pthread_mutex_unlock(&out->lock);
    /* Its session is the process: nobody closes it. */
    if (stream != NULL) (void)subscriber_tell(out->hub, &stream->subscriber);
    pthread_mutex_unlock(&out->telling);
    pthread_mutex_lock(&out->lock);
}

/* A turn ends only here, so that it is there as long as its line stands among the timers. */
static void fire(struct stdio_out *out, struct line *line) {
    list_leave(&line->timer);
    pthread_mutex_unlock(&out->lock);
    line->later(line->turn);
    pthread_mutex_lock(&out->lock);
}

/* Under the lock. NULL: nothing has to be done at any time. */
static struct line *next_timer(struct stdio_out *out) {
    struct line *next = NULL;
    for (struct link *at = out->timers.next; at != &out->timers; at = at->next) {
        struct line *line = holder_of(at, struct line, timer);
        if (next == NULL || line->at_ns < next->at_ns) next = line;
    }
    return next;
}

static void wait_until(struct stdio_out *out, const struct line *timer) {
    if (timer == NULL) {
        pthread_cond_wait(&out->changed, &out->lock);
        return;
    }
    struct timespec until = {.tv_sec = timer->at_ns / INT64_C(1000000000),
                             .tv_nsec = timer->at_ns % INT64_C(1000000000)};
    pthread_cond_timedwait(&out->changed, &out->lock, &until);
}

static void *writer_main(void *arg) {
    struct stdio_out *out = arg;
    pthread_mutex_lock(&out->lock);
    /* What was told before the end is written before it. */
    while (!out->is_ending || out->n_open > 0 || !list_empty(&out->lines)) {
        struct line *timer = next_timer(out);
        if (!list_empty(&out->awake))
            tell_first(out);
        else if (!list_empty(&out->lines))
            write_first(out);
        else if (timer != NULL && timer->at_ns <= now_ns())
            fire(out, timer);
        else
            wait_until(out, timer);
    }
    pthread_mutex_unlock(&out->lock);
    return NULL;
}

/* -- its life --------------------------------------------------------------------------------- */

static void release(struct stdio_out *out) {
    pthread_mutex_destroy(&out->telling);
    pthread_mutex_destroy(&out->lock);
    pthread_cond_destroy(&out->changed);
}

result stdio_out_start(struct stdio_out *out, struct hub *hub, int fd, struct report *report) {
    pthread_condattr_t monotonic;
    *out = (struct stdio_out){.hub = hub, .fd = fd};
    list_init(&out->streams);
    list_init(&out->lines);
    list_init(&out->awake);
    list_init(&out->timers);
    pthread_mutex_init(&out->telling, NULL);
    pthread_mutex_init(&out->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&out->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (!fault_now() && pthread_create(&out->writer, NULL, writer_main, out) == 0) return OK;
    release(out);
    return fail_memory(report);
}

bool stdio_out_stop(struct stdio_out *out) {
    while (!list_empty(&out->streams))
        end_stream(out, holder_of(out->streams.next, struct stream, by_out));
    pthread_mutex_lock(&out->lock);
    out->is_ending = true;
    pthread_cond_broadcast(&out->changed);
    pthread_mutex_unlock(&out->lock);
    pthread_join(out->writer, NULL);
    release(out);
    return !out->was_lost;
}
