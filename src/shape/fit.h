/*
 * shape/fit.h - items are written until no more fit
 *
 * Rows, tables of a list: each is written into the reply and then measured. The one that passes the
 * room of a whole reply makes the reply a cut one; it goes back to the last item behind which there
 * is room to say what was cut. So a reply that fits is never cut, and one that was cut fits.
 *
 * Memory:  borrows the writer and its buf.
 * Errors:  none of its own: a buf that is full is a cut; without memory the buf stays failed.
 * Threads: one.
 */
#ifndef WEIR_SHAPE_FIT_H
#define WEIR_SHAPE_FIT_H

#include "shape/room.h"
#include "text/json.h"

struct fit_place {
    struct buf_mark mark;
    struct json_writer writer;
    struct token_count tokens;
    uint64_t bytes;
    uint64_t n; /* items before it */
};

struct fit {
    struct json_writer *writer;
    struct rooms rooms;
    struct fit_place now;
    struct fit_place safe; /* behind it a cut reply has room for its end */
    uint64_t n_seen;       /* items that there were, as far as they were counted */
    bool is_cut;
    bool is_cut_by_tokens; /* with is_cut: else by bytes */
};

/* Measures what is written from here on. */
void fit_init(struct fit *fit, struct json_writer *writer, const struct rooms *rooms);
/* What was written is no item (names of columns). False: there is no room even for that. */
bool fit_head(struct fit *fit);
/* What was written is one item. False: the reply is cut, and the writer put back; no further item
 * may be written, fit_skip() counts them. */
bool fit_item(struct fit *fit);
void fit_skip(struct fit *fit);

/* How a cut reply says so: `"note":"…","cut":{…}` into the open object. `what` is the word for
 * items ("rows"), `next_step` tells how to go on; both short literals: REPLY_CUT_CHARS holds all of
 * it. `knows_all`: n_seen is how many there are. */
void fit_write_cut(const struct fit *fit, const char *what, const char *next_step, bool knows_all);

#endif
