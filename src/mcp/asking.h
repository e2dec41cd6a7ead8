/*
 * mcp/asking.h - questions of the legacy era: a request to the client, and its response
 *
 * The request goes out beside the answer that is being made; the response comes by another message,
 * perhaps to another replica, which leaves it in the store. The call's thread waits meanwhile.
 *
 * Threads: asking_ask() blocks the call's worker; asking_deliver() from any thread, and with a
 * store it may block.
 */
#ifndef WEIR_MCP_ASKING_H
#define WEIR_MCP_ASKING_H

#include "base/list.h"
#include "call/client.h"

#include <pthread.h>

struct turn;

/* Who waits for responses, in this process. */
struct asking {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    struct link waiting;
};

void asking_init(struct asking *asking);
void asking_deinit(struct asking *asking);

MUST_USE result asking_ask(struct turn *turn, struct ask *asks, size_t n);

/* The turn's message is a response of its session's client. What nobody waits for is dropped. */
void asking_deliver(struct turn *turn);

#endif
