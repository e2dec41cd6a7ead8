#include "shape/items.h"

/* What already stands in the reply is data, too: a table's name, its owner. */
void items_begin(struct items *items, struct call *call, struct json_writer *w, struct str key) {
    struct rooms rooms = rooms_of_data(call);
    *items = (struct items){.call = call};
    fit_init(&items->fit, w, &rooms);
    items->fit.now.mark = (struct buf_mark){0};
    json_key(w, key);
    json_array(w);
    if (!fit_head(&items->fit)) items->fit.is_cut = true;
}

bool items_are_full(struct items *items) {
    if (items->fit.is_cut) fit_skip(&items->fit);
    return items->fit.is_cut;
}

void items_take(struct items *items) {
    (void)fit_item(&items->fit);
}

result items_end(struct items *items, const char *what, const char *next_step) {
    const struct fit *fit = &items->fit;
    json_array_end(fit->writer);
    if (!fit->is_cut) return OK;
    items->call->facts.truncated = true;
    if (fit->now.n > 0) {
        fit_write_cut(fit, what, next_step, true);
        return OK;
    }
    result r = fail(&items->call->report, FAIL_LIMIT, "REPLY_TOO_LARGE", REPORT_NO_OFFSET,
                    "not one of %llu %s fits into a reply", (unsigned long long)fit->n_seen, what);
    fail_hint(&items->call->report, "%s", next_step);
    return r;
}
