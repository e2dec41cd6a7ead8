/*
 * mcp/reading.h - methods that are answered by a tool: resources/read, prompts/get, completion
 *
 * The turn's call walks the road as a call of the source's tool (tools/offer.h): found, decided,
 * metered and recorded under the method's name. What the tool answered is then the method's
 * material.
 *
 * Memory:  the call's arena.
 * Errors:  a refusal that tells nothing but "not for you, or not there" is told by the method as
 *          unknown; all others by reading_refuse(), with code, sentence and hint.
 * Threads: `done` comes on whatever thread the road ends on, and must not block.
 */
#ifndef WEIR_MCP_READING_H
#define WEIR_MCP_READING_H

#include "mcp/turn.h"
#include "tools/offer.h"

/* What becomes of the tool's answer. */
enum reading_use {
    READING_GIVEN = 0, /* the client gets it: no larger than a reply may be */
    READING_USED,      /* we make something of it: whole, and texts as they are */
};

/* `value` is put to the source's argument; empty: none is put. */
void reading_walk(struct turn *turn, const struct source *source, struct str value,
                  enum reading_use use, void (*done)(struct call *call));

/* For rows that write their own answer: `written` is called on a thread that may block, once it is
 * clear what the client brings back (rounds.h). */
void reading_write(struct turn *turn, void (*written)(struct turn *turn));
/* Is all well with what the row wrote? Else the turn is answered: with a question, or the cause. */
bool reading_is_written(struct turn *turn, result how, struct buf *out);

/* The answer's `data`; NULL: there was no memory to read it. */
const struct json *reading_data(struct call *call);
/* Was it refused in a way that must look as if there were no such thing? */
bool reading_is_hidden(const struct call *call);
/* Answers with the cause of any other failure: -32603, and the envelope's error as data. */
void reading_refuse(struct turn *turn);

#endif
