#include "mcp/running.h"

#include "call/call.h"

void running_list_init(struct running_list *list) {
    pthread_mutex_init(&list->lock, NULL);
    list_init(&list->all);
    list_init(&list->named);
    list->n = 0;
    list->is_ending = false;
}

void running_list_deinit(struct running_list *list) {
    pthread_mutex_destroy(&list->lock);
}

void running_begin(struct running_list *list, struct running *entry, struct call *call) {
    entry->call = call;
    pthread_mutex_lock(&list->lock);
    list_add_last(&list->all, &entry->by_age);
    list->n++;
    if (list->is_ending) call_cancel(call); /* it comes too late */
    pthread_mutex_unlock(&list->lock);
}

void running_end(struct running_list *list, struct running *entry) {
    pthread_mutex_lock(&list->lock);
    if (link_joined(&entry->by_age)) list->n--;
    list_leave(&entry->by_age);
    list_leave(&entry->named);
    pthread_mutex_unlock(&list->lock);
}

void running_name(struct running_list *list, struct running *entry, struct str session_id,
                  struct str request_id) {
    pthread_mutex_lock(&list->lock);
    entry->session_id = session_id;
    entry->request_id = request_id;
    if (!link_joined(&entry->named)) list_add_last(&list->named, &entry->named);
    pthread_mutex_unlock(&list->lock);
}

/* -- cancelling ------------------------------------------------------------------------------- */

bool running_cancel(struct running_list *list, struct str session_id, struct str request_id) {
    bool found = false;
    pthread_mutex_lock(&list->lock);
    for (struct link *at = list->named.next; at != &list->named; at = at->next) {
        struct running *entry = holder_of(at, struct running, named);
        if (!str_eq(entry->request_id, request_id) || !str_eq(entry->session_id, session_id))
            continue;
        entry->is_silenced = true;
        call_cancel(entry->call);
        found = true;
    }
    pthread_mutex_unlock(&list->lock);
    return found;
}

void running_cancel_all(struct running_list *list) {
    pthread_mutex_lock(&list->lock);
    list->is_ending = true;
    for (struct link *at = list->all.next; at != &list->all; at = at->next)
        call_cancel(holder_of(at, struct running, by_age)->call);
    pthread_mutex_unlock(&list->lock);
}

bool running_is_ending(struct running_list *list) {
    pthread_mutex_lock(&list->lock);
    bool is_ending = list->is_ending;
    pthread_mutex_unlock(&list->lock);
    return is_ending;
}

/* -- counting --------------------------------------------------------------------------------- */

size_t running_count(struct running_list *list) {
    pthread_mutex_lock(&list->lock);
    size_t n = list->n;
    pthread_mutex_unlock(&list->lock);
    return n;
}

size_t running_count_in(struct running_list *list, struct str session_id) {
    size_t n = 0;
    pthread_mutex_lock(&list->lock);
    for (struct link *at = list->named.next; at != &list->named; at = at->next)
        if (str_eq(holder_of(at, struct running, named)->session_id, session_id)) n++;
    pthread_mutex_unlock(&list->lock);
    return n;
}
