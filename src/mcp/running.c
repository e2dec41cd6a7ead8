#include "mcp/running.h"

#include "call/call.h"

void running_list_init(struct running_list *list) {
    pthread_mutex_init(&list->lock, NULL);
    list_init(&list->all);
}

void running_list_deinit(struct running_list *list) {
    pthread_mutex_destroy(&list->lock);
}

void running_join(struct running_list *list, struct running *entry) {
    pthread_mutex_lock(&list->lock);
    list_add_last(&list->all, &entry->link);
    pthread_mutex_unlock(&list->lock);
    entry->is_joined = true;
}

void running_leave(struct running_list *list, struct running *entry) {
    if (!entry->is_joined) return;
    pthread_mutex_lock(&list->lock);
    list_leave(&entry->link);
    pthread_mutex_unlock(&list->lock);
    entry->is_joined = false;
}

bool running_cancel(struct running_list *list, struct str session_id, struct str request_id) {
    bool found = false;
    pthread_mutex_lock(&list->lock);
    for (struct link *at = list->all.next; at != &list->all; at = at->next) {
        struct running *entry = holder_of(at, struct running, link);
        if (!str_eq(entry->request_id, request_id) || !str_eq(entry->session_id, session_id))
            continue;
        entry->is_silenced = true;
        call_cancel(entry->call);
        found = true;
    }
    pthread_mutex_unlock(&list->lock);
    return found;
}
