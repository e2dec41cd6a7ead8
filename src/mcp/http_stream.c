#include "mcp/http_stream.h"

#include "base/fault.h"
#include "base/limits.h"
#include "net/sse.h"

#include <stdlib.h>

struct http_stream {
    struct subscriber subscriber; /* first: a struct subscriber * to it is one to us */
    struct hub *hub;
    struct http_exchange *exchange; /* NULL: it has ended */
    struct loop *loop;
    struct loop_task task;
    struct loop_timer beat;
    bool is_posted; /* under the hub's lock */
};

static struct http_stream *stream_of(struct subscriber *subscriber) {
    return (struct http_stream *)(void *)subscriber;
}

static void send_event(struct subscriber *subscriber, struct str json) {
    struct http_stream *stream = stream_of(subscriber);
    struct buf event;
    if (stream->exchange == NULL) return;
    buf_init(&event, json.len + KIB);
    sse_event(&event, STR("message"), STR_NONE, json);
    (void)http_stream_send(stream->exchange, &event);
    buf_deinit(&event);
}

/* After hub_leave() nobody posts any more, but a task may be on its way. */
static void end(struct http_stream *stream) {
    struct http_exchange *x = stream->exchange;
    stream->exchange = NULL;
    loop_timer_cancel(&stream->beat);
    http_on_gone(x, NULL, NULL);
    http_on_drain(x, NULL, NULL);
    http_stream_end(x);
    hub_leave(stream->hub, &stream->subscriber);
    if (!stream->is_posted) free(stream);
}

static void peer_left(void *ctx) {
    end(ctx);
}

static void server_drains(void *ctx) {
    struct http_stream *stream = ctx;
    subscriber_farewell(&stream->subscriber);
    end(stream);
}

static void run(struct loop_task *task) {
    struct http_stream *stream = holder_of(task, struct http_stream, task);
    pthread_mutex_lock(&stream->hub->lock);
    stream->is_posted = false;
    pthread_mutex_unlock(&stream->hub->lock);
    if (stream->exchange == NULL)
        free(stream);
    else if (!subscriber_tell(stream->hub, &stream->subscriber))
        end(stream);
}

static void wake(struct subscriber *subscriber) {
    struct http_stream *stream = stream_of(subscriber);
    if (stream->is_posted) return;
    stream->is_posted = true;
    stream->task.run = run;
    loop_post_task(stream->loop, &stream->task);
}

static const struct carrier carrier = {wake, send_event};

static void beat(struct loop_timer *timer) {
    struct http_stream *stream = holder_of(timer, struct http_stream, beat);
    struct buf comment;
    loop_timer_set(stream->loop, timer,
                   loop_now_ns(stream->loop) + STREAM_BEAT_MS * INT64_C(1000000));
    buf_init(&comment, KIB);
    sse_comment(&comment, STR_NONE);
    (void)http_stream_send(stream->exchange, &comment);
    buf_deinit(&comment);
}

bool http_stream_hold(struct hub *hub, struct http_exchange *x, const struct subscription *what) {
    struct http_stream *stream = fault_now() ? NULL : calloc(1, sizeof *stream);
    if (stream == NULL) return false;
    stream->hub = hub;
    stream->loop = http_loop(x);
    stream->beat.fire = beat;
    if (!hub_join(hub, &stream->subscriber, what, &carrier)) {
        free(stream);
        return false;
    }
    stream->exchange = x;
    http_on_gone(x, peer_left, stream);
    http_on_drain(x, server_drains, stream);
    loop_timer_set(stream->loop, &stream->beat,
                   loop_now_ns(stream->loop) + STREAM_BEAT_MS * INT64_C(1000000));
    if (stream->subscriber.id.len > 0) subscriber_acknowledge(&stream->subscriber);
    http_request_release(x);
    return true;
}
