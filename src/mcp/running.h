/*
 * mcp/running.h - the requests that run now, so that their clients can cancel them
 *
 * notifications/cancelled names a request by its id, within the session that sent both.
 *
 * Memory:  entries stand in their turns.
 * Threads: any; one lock for all. A turn is in the list until it is freed.
 */
#ifndef WEIR_MCP_RUNNING_H
#define WEIR_MCP_RUNNING_H

#include "base/list.h"
#include "base/str.h"

#include <pthread.h>

struct call;

struct running {
    struct link link;
    bool is_joined; /* the turn's own, where `link` is its neighbours' too */
    struct call *call;
    struct str session_id, request_id; /* the id as JSON text */
    _Atomic bool is_silenced;          /* cancelled: no answer may be sent any more */
};

struct running_list {
    pthread_mutex_t lock;
    struct link all;
};

void running_list_init(struct running_list *list);
void running_list_deinit(struct running_list *list);

/* `entry` is zeroed or left before. */
void running_join(struct running_list *list, struct running *entry);
void running_leave(struct running_list *list, struct running *entry); /* also when not in it */
/* Cancels what runs under that id, if anything does. */
bool running_cancel(struct running_list *list, struct str session_id, struct str request_id);

#endif
