/*
 * base/list.h - links that live in the objects
 *
 * A circular doubly linked list whose head is itself a link: no allocation to join, no search to
 * leave. A zeroed link is in no list.
 *
 *     struct session { struct str id; struct link by_age; };   // by_age: in registry.oldest_first
 *     struct session *s = holder_of(registry->oldest_first.next, struct session, by_age);
 */
#ifndef WEIR_BASE_LIST_H
#define WEIR_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *next;
    struct link *prev;
};

#define holder_of(linkp, type, member) ((type *)(void *)((char *)(linkp)-offsetof(type, member)))

static inline void list_init(struct link *head) {
    head->next = head->prev = head;
}

static inline bool list_empty(const struct link *head) {
    return head->next == head;
}

static inline bool link_joined(const struct link *link) {
    return link->next != NULL;
}

static inline void list_add_last(struct link *head, struct link *link) {
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static inline void list_add_first(struct link *head, struct link *link) {
    link->next = head->next;
    link->prev = head;
    head->next->prev = link;
    head->next = link;
}

/* May be called on a link in no list. */
static inline void list_leave(struct link *link) {
    if (link->next == NULL) return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->next = link->prev = NULL;
}

#endif
