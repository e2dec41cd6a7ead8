/*
 * mcp/rounds.h - questions of the modern era: asked by an answer, answered by asking again
 *
 * (2026-07-28, multi round-trip requests.) Nothing is kept here between the rounds: what has been
 * answered so far travels with the client in requestState, sealed to its principal, the method and
 * the arguments, for ROUNDS_TTL_MS. The tool runs anew each time and finds its answers.
 *
 * What a client sends without being asked, or in another form than was asked for, is not an answer:
 * it is asked again.
 *
 * Memory:  the turn's arena.
 * Errors:  rounds_take(): FAIL_DENIED where the state was tampered with, is another's or too old;
 *          FAIL_INPUT where the members have the wrong type.
 */
#ifndef WEIR_MCP_ROUNDS_H
#define WEIR_MCP_ROUNDS_H

#include "call/client.h"

struct turn;

struct rounds {
    const struct json *kept;    /* answers of earlier rounds, by key; NULL: none */
    const struct json *brought; /* inputResponses of this one */
    const struct ask *asked;    /* what is not answered yet */
    size_t n_asked;
    struct str missing; /* the capability that would be needed, as a JSON object; or empty */
};

/* To be called by methods that may ask (tools/call, prompts/get, resources/read) before anything
 * else. Reads params.inputResponses and requestState; does nothing in the legacy era. */
MUST_USE result rounds_take(struct turn *turn, struct report *report);

MUST_USE result rounds_ask(struct turn *turn, struct ask *asks, size_t n);

/* The answer of a call that ended with INPUT_REQUIRED or CLIENT_CAPABILITY_MISSING in the modern
 * era. Finishes the turn. */
void rounds_answer(struct turn *turn);

#endif
