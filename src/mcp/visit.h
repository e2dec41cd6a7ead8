/*
 * mcp/visit.h - one POST to the HTTP door and what goes back for it
 *
 * The answer is one JSON document, unless something has to be told before it, or the client takes
 * nothing but events: then it becomes a stream, whose last event is the answer. Which of the two is
 * put off until the first message, so that status and headers can still say what the answer is.
 *
 * Memory:  a visit lives in its turn's call, which visit_end() frees.
 * Threads: made and ended on the loop of its exchange; what comes from other threads is brought
 *          there, in order.
 */
#ifndef WEIR_MCP_VISIT_H
#define WEIR_MCP_VISIT_H

#include "mcp/turn.h"
#include "net/http.h"

#include <pthread.h>

struct visit;

/* A turn for the request, with nobody identified yet. NULL: no memory. `origin` is the allowed
 * Origin that CORS repeats, or empty. */
struct turn *visit_begin(struct mcp *mcp, struct http_exchange *x, const struct http_request *req,
                         struct str origin);
/* Before turn_take(): what was answered otherwise. */
void visit_abandon(struct turn *turn);
/* From now on a peer that leaves cancels its call. After turn_take(), on the same thread. */
void visit_cancel_when_gone(struct turn *turn);

/* Begins the stream, if it has not begun. false: the peer has left. On the loop. */
bool visit_is_open(struct turn *turn);
/* Goes on at the loop, from any thread; there again after a while, from the loop. Before the turn
 * is finished. */
void visit_at_loop(struct turn *turn, void (*step)(struct turn *turn));
void visit_after(struct turn *turn, int64_t ms, void (*step)(struct turn *turn));

/* One event ahead of all others. false: the peer has left, or there is no memory. On the loop. */
bool visit_send_event(struct turn *turn, struct str event, struct str data);
/* Answers the POST by 202, and the turn goes on without it: turn->finish must then be one that
 * brings the answer elsewhere and ends with visit_finish(), which it was before. Any thread. */
void visit_accept(struct turn *turn);
void visit_finish(struct turn *turn);

/* {"error":{"code":…,"message":…,"hint":…}}: for those who are not through the door. */
struct refusal {
    int status;
    const char *code, *message, *hint; /* no hint: NULL */
    struct str origin;                 /* of the page that may read it (CORS); empty: none */
    struct http_header header;         /* one more; its value empty: none */
};
void visit_refuse(struct http_exchange *x, const struct refusal *why);

/* Headers that every event stream begins with. */
enum { STREAM_HEADERS = 3 };
extern const struct http_header visit_stream_headers[STREAM_HEADERS];

/* Is the media type on the list of that header, parameters and case aside? */
bool visit_lists_type(struct str header, struct str type);

#endif
