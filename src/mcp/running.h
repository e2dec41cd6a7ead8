/*
 * mcp/running.h - the turns that are under way, so that they can be cancelled
 *
 * By name: notifications/cancelled names a request by its id, within the session that sent both.
 * And all of them, when the process ends.
 *
 * Memory:  entries stand in their turns.
 * Threads: any; one lock for all. A turn is in the list from its beginning until it is freed.
 */
#ifndef WEIR_MCP_RUNNING_H
#define WEIR_MCP_RUNNING_H

#include "base/list.h"
#include "base/str.h"

#include <pthread.h>

struct call;

struct running {
    struct link by_age; /* in running_list.all */
    struct link named;  /* in running_list.named: it can be cancelled by its name */
    struct call *call;
    struct str session_id, request_id; /* the name; the id as JSON text */
    _Atomic bool is_silenced;          /* cancelled: no answer may be sent any more */
};

struct running_list {
    pthread_mutex_t lock;
    struct link all, named;
    size_t n;       /* of all */
    bool is_ending; /* what runs now is cancelled because the process ends */
};

void running_list_init(struct running_list *list);
void running_list_deinit(struct running_list *list);

/* `entry` is zeroed. */
void running_begin(struct running_list *list, struct running *entry, struct call *call);
void running_end(struct running_list *list, struct running *entry); /* also when not in it */

/* Its name from now on, instead of any other. */
void running_name(struct running_list *list, struct running *entry, struct str session_id,
                  struct str request_id);

/* Cancels what runs under that name, if anything does: it will not answer. */
bool running_cancel(struct running_list *list, struct str session_id, struct str request_id);
/* Cancels all that runs: they answer that they were. */
void running_cancel_all(struct running_list *list);
bool running_is_ending(struct running_list *list);

/* How many there are; how many of them have a name in that session. */
size_t running_count(struct running_list *list);
size_t running_count_in(struct running_list *list, struct str session_id);

#endif
