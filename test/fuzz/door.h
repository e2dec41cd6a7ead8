/*
 * fuzz/door.h - a sequence of messages at the door, and who sent them
 *
 * door.c drives a sequence, door_stdio.c its part over pipes, door_check.c says what must hold of
 * all that comes back.
 *
 * Memory:  of the sequence's arena, freed with it.
 * Threads: one; the door over stdio has its own.
 */
#ifndef WEIR_FUZZ_DOOR_H
#define WEIR_FUZZ_DOOR_H

#include "door_house.h"
#include "fuzz.h"
#include "mcp/era.h"
#include "peer.h"

enum { MESSAGES_MOST = 24, INPUT_MOST = 1 << 14, BODY_MOST = 1 << 16, GIVEN_MOST = 10 };

/* What the door gave, and whom: ids of sessions, tasks, questions and events, request states,
 * cursors. */
#define GIVEN_LETTERS "STRNQE"
enum { GIVEN_KINDS = sizeof GIVEN_LETTERS - 1 };
struct given {
    struct str text;
    const char *user; /* NULL: nobody's own */
    bool is_said;     /* by somebody else, too: what comes back to him may be an echo */
};

enum carriage { BY_POST = 0, BY_GET, BY_DELETE, BY_SSE, BY_MESSAGES, BY_PAGE, BY_STDIO };

/* How a message comes, as its letters say. */
struct manner {
    enum carriage by;    /* g d s p u i */
    char session;        /* 0-9: in that one; x: in one that is none */
    const char *user;    /* o: bob */
    const char *role;    /* A-F: of house_roles; y: scoped; n: no token; z: a wrong one */
    const char *version; /* v w: its header */
    size_t replica;      /* q: the other */
    bool has_headers, takes_json, takes_stream; /* h; j and e: that alone */
    bool is_left, leaves, is_legacy_close;      /* b: not waited for; l: the peer goes at once */
};

/* One exchange over HTTP. */
struct guest {
    struct peer peer;
    struct manner manner;
    struct str body;
    struct rpc_message message; /* as we read the body; kind INVALID: none of its own */
    bool is_batch, is_shorthand, is_wrong;
    struct str session; /* HTTP+SSE: whose stream it is; else that it names */
    const char *session_user;
    size_t configuration;
    unsigned n_events, n_answers;
    struct str stream; /* of event ids */
    uint64_t sequence;
    bool has_sequence, has_question, is_over;
};

/* Requests whose answers come on a stream of many: at a place, under an id. */
struct pledge {
    struct str place, id;
    unsigned n_asked, n_answered, n_must;
};

struct kept_answer {
    struct str event, json;
};

struct stdio;

struct sequence {
    struct house *house;
    struct arena arena;
    struct str input;
    struct given given[GIVEN_KINDS][GIVEN_MOST];
    size_t n_given[GIVEN_KINDS];
    struct guest guests[MESSAGES_MOST];
    size_t n_guests, n_steps;
    struct pledge *pledges;
    size_t n_pledges, cap_pledges;
    struct kept_answer *answers;
    size_t n_answers, cap_answers;
    bool has_cancels, has_moved; /* what is not answered may have lost its lease */
    int64_t passed_ms;
    struct stdio *stdio; /* NULL: not opened */
};

void sequence_give(struct sequence *s, char letter, struct str text, const char *user);

/* -- door_check.c ----------------------------------------------------------------------------- */

/* Takes in what has come for the guest: true when something had. */
bool guest_read(struct sequence *s, struct guest *guest);
/* The exchange has ended. */
void guest_check_end(struct sequence *s, struct guest *guest);
/* One message on a stream of many: HTTP+SSE's or stdio's. */
void check_told(struct sequence *s, const struct json *message, struct str place, const char *user);
const struct json *must_be_json(struct str text, struct arena *arena);
/* No word of another's but what was said to it. */
void check_private(const struct sequence *s, struct str text, struct str said, const char *user);

/* The body's requests are to be answered at the place; `is_refused`: after all, they are not. */
void pledge(struct sequence *s, struct str place, struct str body, bool is_refused);
void check_pledges(const struct sequence *s, struct str place);

/* -- door_stdio.c ----------------------------------------------------------------------------- */

void stdio_send(struct sequence *s, const struct manner *manner, struct str line);
/* true when a line came. */
bool stdio_read(struct sequence *s);
/* The input ends. */
void stdio_close(struct sequence *s);
bool stdio_is_over(const struct sequence *s);
void stdio_free(struct sequence *s);

#endif
