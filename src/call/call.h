/*
 * call/call.h - the struct that walks the road
 *
 * Made at the door for one tool call, given to the stations of road/road.c one after the other,
 * freed when its answer has left. What a station learns it writes here, and the record (audit/) is
 * read from here.
 *
 * Memory:  everything of the call lives in its arena; `reply` owns its chunks. call_free() ends
 * all. Errors:  the first cause is in `report`. Threads: one thread at a time: the loop, then
 * perhaps a worker, then the audit writer, which hands it back. Only `cancel` may be touched by
 * others.
 */
#ifndef WEIR_CALL_CALL_H
#define WEIR_CALL_CALL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/rand.h"
#include "call/client.h"
#include "call/codes.h"
#include "call/snapshot.h"
#include "identity/cloud_credentials.h"
#include "policy/policy.h"
#include "sql/guard.h"
#include "text/json.h"

struct tool;

/* Set once, by anybody; never cleared. The descriptor becomes readable with it. */
struct cancel {
    _Atomic bool is_set;
    _Atomic int fd; /* an eventfd, made by who waits on it (call_cancel_fd()); -1: none yet */
};

/* Where the call came from. Texts live in the call's arena. */
struct call_origin {
    struct str peer;          /* "127.0.0.1", or empty on stdio and the command line */
    struct str session_id;    /* may be empty */
    struct str request_id;    /* the JSON-RPC id as JSON text; may be empty */
    struct str method;        /* "tools/call" */
    struct name_set toolsets; /* that the listener serves; absent: all */
    bool is_program; /* a program of ours reads the answer: texts exact, all rows, no cache */
};

/* How large a reply is, where that is worth telling. */
struct call_size {
    int64_t is, limit; /* 0: nothing is to be told */
    const char *unit;  /* "tokens", "bytes" */
};

/* An answer that may be given again (road/recall.h). */
struct call_recall {
    bool has_key; /* what the tool answers may be kept under `key` */
    bool is_hit;  /* it was kept: no tool ran */
    uint8_t key[32];
    int64_t age_ms; /* with is_hit */
};

/* What is left of a limit that the call counted against. */
struct call_limit {
    struct str rule; /* empty: there is none */
    int64_t max, left;
    int64_t window_ms; /* of a rate */
    int64_t resets_ms; /* of a quota or budget: wall */
};

/* The request for another person's yes that the call waits for, or was given. */
struct call_approval {
    struct str id; /* empty: none */
    int64_t expires_ms;
    bool is_given; /* and used up by this call */
};

/* What the record gains on the way. */
struct call_facts {
    struct guard_answer guard;
    bool is_guarded; /* `guard` is filled */
    struct str sql_asked, sql_run, backend, engine_error;
    int64_t engine_us; /* -1: no engine was asked */
    int64_t row_count; /* -1: no rows are in the answer */
    bool truncated;
    struct call_size near_limit;
    struct call_recall recall;
    struct call_approval approval;
    int64_t retry_after_ms;        /* of a refusal that passes with time; 0: none */
    struct call_limit rate, quota; /* the tightest of each */
    struct call_limit budget;      /* in parts of 1/BUDGET_SCALE */
};

struct call {
    struct arena arena;
    struct report report;
    struct snapshot *snapshot;
    struct principal principal;
    const struct cloud_credentials *cloud; /* that came with the request; NULL: none */
    struct call_origin origin;
    const struct clock *clock;
    char audit_id[UUID_SIZE];
    int64_t started_ms, started_ns;
    int64_t deadline_ns; /* mono; 0: none yet */
    struct cancel cancel;
    struct str tool_name;
    const struct json *arguments; /* NULL or an object */
    const struct tool *tool;
    const void *input; /* typed by the tool's fields */
    struct verdict verdict;
    struct call_facts facts;
    struct buf reply;      /* the envelope, once the road has ended */
    bool may_wait;         /* on a worker thread: stations may block */
    unsigned station;      /* index into the road */
    bool is_unmetered;     /* the command line's calls use no rate and no quota */
    bool is_private;       /* a row filter or mask was at work: no engine text for the caller */
    struct client *client; /* to tell and ask it; NULL: nobody */
    void (*done)(struct call *call);
    void *owner;        /* the door's */
    struct link queued; /* in a worker pool's queue, or in the door's list of running calls */
};

/* NULL: no memory. Takes its own reference of the snapshot. */
struct call *call_new(struct snapshot *snapshot, const struct clock *clock);
void call_free(struct call *call); /* takes NULL */

void call_cancel(struct call *call); /* any thread */
bool call_is_cancelled(const struct call *call);
/* The descriptor to wait on beside others; -1 when none can be made. The call's own thread. */
int call_cancel_fd(struct call *call);

/* Ties answer, record and the client's log together: the JSON-RPC id, else the audit id. */
struct str call_request_id(const struct call *call);

/* Milliseconds since the call began. */
double call_elapsed_ms(const struct call *call);

#endif
