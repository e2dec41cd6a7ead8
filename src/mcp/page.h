/*
 * mcp/page.h - lists by pages
 *
 *     struct page page;
 *     if (!page_begin(&page, turn)) return;                        refused already
 *     struct json_writer *w = answer_begin_kept(turn, KEPT_TOOLS);
 *     json_key(w, STR("tools"));
 *     json_array(w);
 *     for each item that the caller may see, in the list's fixed order
 *         if (page_takes(&page, name)) ...write it
 *     json_array_end(w);
 *     page_end(&page, turn);                                       nextCursor, and the answer ends
 *
 * A cursor is the name of the last item that was given, and it is valid for those who see that item
 * in the same list now: so it tells nobody anything, and needs no memory of ours.
 *
 * Memory:  the call's arena.
 * Errors:  a cursor that is not one of ours for this caller is refused with -32602.
 * Threads: the turn's.
 */
#ifndef WEIR_MCP_PAGE_H
#define WEIR_MCP_PAGE_H

#include "mcp/turn.h"

struct page {
    struct str after; /* the cursor's item; STR_NONE: from the beginning */
    struct str last;  /* that was taken */
    size_t n_taken;
    bool is_after, has_more;
};

/* false: the turn is answered with a refusal. */
bool page_begin(struct page *page, struct turn *turn);
/* `name` is the item's, alone in its list; it must stay until page_end(). */
bool page_takes(struct page *page, struct str name);
void page_end(struct page *page, struct turn *turn);

#endif
