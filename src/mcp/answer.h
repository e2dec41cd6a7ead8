/*
 * mcp/answer.h - how a method writes its answer
 *
 *     struct json_writer *w = answer_begin(turn);     {"jsonrpc":"2.0","id":7,"result":{
 *     json_put_text(w, STR("name"), name);            "name":"…"
 *     answer_end(turn);                               }} and turn->finish()
 *
 * answer_begin() writes what every result of the turn's era begins with, so that a method says only
 * what is its own.
 *
 * Memory:  bytes go to turn->out; its failure sticks there and is told by the door.
 * Threads: the turn's.
 */
#ifndef WEIR_MCP_ANSWER_H
#define WEIR_MCP_ANSWER_H

#include "mcp/turn.h"

#define SERVER_INFO "{\"name\":\"weir\",\"title\":\"Weir\",\"version\":\"" WEIR_VERSION "\"}"

/* Opens the result object. In the modern era it holds resultType "complete" and the server's name
 * already. The writer is the turn's, and dead after answer_end(). */
struct json_writer *answer_begin(struct turn *turn);
/* The same with another resultType of the modern era: "input_required", "task". */
struct json_writer *answer_begin_as(struct turn *turn, const char *result_type);
/* What may be kept for a while: as long as MCP_CACHE_CONFIG says where that is on. */
enum answer_kept { KEPT_DISCOVERY = 0, KEPT_TOOLS, KEPT_RESOURCES, KEPT_PROMPTS, KEPT_READING };
/* For lists and reads: says too how long the result may be kept. Who keeps it keeps it for its own
 * caller, for it depends on who asks. */
struct json_writer *answer_begin_kept(struct turn *turn, enum answer_kept what);
/* Closes the result object and finishes the turn. */
void answer_end(struct turn *turn);

/* A result without members of its own; `{}` in the legacy era. */
void answer_empty(struct turn *turn);

/* Refuses in band: a code of mcp/rpc.h, HTTP status 200. `data` is one JSON value or empty. */
void answer_refuse(struct turn *turn, int code, struct str message, struct str data);
/* The same with RPC_INVALID_PARAMS. */
void answer_refuse_params(struct turn *turn, const char *message);
/* CALL_LOST, recorded as such: the replica that ran the call of the turn's message is gone, and the
 * tool may not run twice. */
void answer_lost(struct turn *turn);

#endif
