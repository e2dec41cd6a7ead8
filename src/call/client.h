/*
 * call/client.h - what a call may tell its client while it runs, and ask of it
 *
 * A tool knows nothing of revisions and transports. It tells how far it is, and it asks:
 *
 *     struct ask ask = {.key = "confirm", .kind = ASK_FORM, .params = STR("{…}")};
 *     TRY(client_ask(call, &ask, 1));
 *     ... ask.answer is the client's result, of the form that its kind has
 *
 * An older client is asked at once and the call waits for it. A newer one is answered "input
 * required" and calls again with what was asked for: then the tool runs anew from its top, and the
 * same client_ask() returns the answer. So whatever stands before it must be free of side effects.
 * A call that has become a task waits as a task.
 *
 * Memory:  answers live in the call's arena. `params` is borrowed for the call's life.
 * Errors:  FAIL_ASKED with INPUT_REQUIRED: hand it on, the call comes again. FAIL_INPUT with
 *          CLIENT_CAPABILITY_MISSING: this client cannot be asked so. FAIL_TIMEOUT, FAIL_CANCELLED.
 * Denial:  what the client's user declines is an answer: look at it.
 * Threads: the call's own.
 */
#ifndef WEIR_CALL_CLIENT_H
#define WEIR_CALL_CLIENT_H

#include "base/fail.h"
#include "text/json.h"

struct call;

enum ask_kind {
    ASK_FORM = 0, /* elicitation/create: {"message":…,"requestedSchema":{…}} */
    ASK_URL,      /* elicitation/create: {"mode":"url","message":…,"url":…} */
    ASK_SAMPLE,   /* sampling/createMessage */
    ASK_ROOTS,    /* roots/list: {} */
    ASK_KINDS
};

struct ask {
    const char *key; /* its name among the asks of this call */
    enum ask_kind kind;
    struct str params;         /* one JSON object */
    const struct json *answer; /* out */
};

/* RFC 5424's, as MCP names them. */
enum client_level {
    CLIENT_DEBUG = 0,
    CLIENT_INFO,
    CLIENT_NOTICE,
    CLIENT_WARNING,
    CLIENT_ERROR,
    CLIENT_CRITICAL,
    CLIENT_ALERT,
    CLIENT_EMERGENCY,
    CLIENT_SILENT /* above all of them: nothing is told */
};
/* "debug", …; NULL for CLIENT_SILENT. CLIENT_SILENT where there is none of that name. */
extern const char *const client_level_name[CLIENT_SILENT];
enum client_level client_level_find(struct str name);

struct progress {
    double done, total; /* total 0: not known */
    struct str message; /* may be empty */
};

/* What can change, as bits: lists, and the content of what was subscribed to. */
enum {
    CHANGED_TOOLS = 1,
    CHANGED_PROMPTS = 2,
    CHANGED_RESOURCES = 4,
    CHANGED_WATCHED = 8,
    CHANGED_ALL = 15,
};

/* The way to one client, made by a door for one call. NULL in the call: there is nobody. */
struct client {
    bool (*can)(struct client *client, enum ask_kind kind);
    void (*progress)(struct client *client, const struct progress *progress);
    void (*log)(struct client *client, enum client_level level, struct str logger, struct str data);
    result (*ask)(struct client *client, struct ask *asks, size_t n);
    void (*let_go)(struct client *client);
    void (*changed)(struct client *client, unsigned what);
};

bool client_can(const struct call *call, enum ask_kind kind);
/* Told where the client wants to know; `done` grows, what does not is left out. */
void client_progress(struct call *call, double done, double total, struct str message);
/* `data` is one JSON value; never a secret, never data that the caller may not see. */
void client_log(struct call *call, enum client_level level, struct str logger, struct str data);
/* All at once; OK when each has its answer. */
MUST_USE result client_ask(struct call *call, struct ask *asks, size_t n);
/* Ends the connection that the answer is awaited on, where the client can come back for it. */
void client_let_go(struct call *call);
/* Lists or resources have changed by this call (CHANGED_*): every client that listens is told. May
 * block. */
void client_changed(struct call *call, unsigned what);

/* Has the answer the form that its kind demands? For elicitation the content must fit the schema
 * that was asked with. */
bool ask_accepts(const struct ask *ask, const struct json *answer, struct arena *arena);

#endif
