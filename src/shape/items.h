/*
 * shape/items.h - a list that is cut to what a reply may be
 *
 *     items_begin(&items, call, w, STR("tables"));
 *     for (…) {
 *         if (items_are_full(&items)) continue;
 *         write_table(…);
 *         items_take(&items);
 *     }
 *     TRY(items_end(&items, "tables", "Ask for one project."));
 *
 * A cut list says so behind itself, as rows do (shape/fit.h), and call->facts.truncated is set.
 *
 * Memory:  borrows call and writer.
 * Errors:  FAIL_LIMIT REPLY_TOO_LARGE where not one item fits.
 * Threads: the call's.
 */
#ifndef WEIR_SHAPE_ITEMS_H
#define WEIR_SHAPE_ITEMS_H

#include "shape/fit.h"

struct items {
    struct fit fit;
    struct call *call;
};

void items_begin(struct items *items, struct call *call, struct json_writer *w, struct str key);
/* True: no further item is to be written; it is counted. */
bool items_are_full(struct items *items);
/* An item was written. */
void items_take(struct items *items);
/* `what` and `next_step` as in fit_write_cut(). */
MUST_USE result items_end(struct items *items, const char *what, const char *next_step);

#endif
