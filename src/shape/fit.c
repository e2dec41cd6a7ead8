#include "shape/fit.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* Everything since `mark`, counted on top of `tokens`. */
static struct token_count count_since(struct token_count tokens, const struct buf *buf,
                                      struct buf_mark mark) {
    const struct buf_chunk *chunk = mark.chunk != NULL ? mark.chunk : buf->first;
    size_t from = mark.chunk != NULL ? mark.in_chunk : 0;
    for (; chunk != NULL; chunk = chunk->next, from = 0)
        token_count_add(&tokens, (struct str){chunk->bytes + from, chunk->len - from});
    return tokens;
}

static struct fit_place here(const struct fit *fit) {
    const struct buf *buf = fit->writer->out;
    struct fit_place place = {.mark = buf_mark(buf), .writer = *fit->writer};
    place.bytes = fit->now.bytes + (buf->len - fit->now.mark.len);
    place.tokens = fit->now.tokens;
    place.n = fit->now.n;
    if (fit->rooms.whole.tokens != ROOM_ANY)
        place.tokens = count_since(place.tokens, buf, fit->now.mark);
    return place;
}

static bool has_tokens(const struct room *room, const struct fit_place *place) {
    return room->tokens == ROOM_ANY || token_count_get(&place->tokens) <= room->tokens;
}

static bool has_room(const struct fit *fit, const struct room *room,
                     const struct fit_place *place) {
    bool is_full = fit->writer->out->failed == FAIL_LIMIT;
    return !is_full && place->bytes <= room->bytes && has_tokens(room, place);
}

static bool may_end_here(const struct fit *fit, const struct fit_place *place) {
    if (fit->rooms.max_items > 0 && place->n > fit->rooms.max_items) return false;
    return has_room(fit, &fit->rooms.cut, place);
}

void fit_init(struct fit *fit, struct json_writer *writer, const struct rooms *rooms) {
    *fit = (struct fit){.writer = writer, .rooms = *rooms};
    fit->now = (struct fit_place){.mark = buf_mark(writer->out), .writer = *writer};
    fit->safe = fit->now;
}

bool fit_head(struct fit *fit) {
    assert(fit->now.n == 0);
    struct fit_place place = here(fit);
    if (!has_room(fit, &fit->rooms.whole, &place)) return false;
    fit->now = fit->safe = place;
    return true;
}

bool fit_item(struct fit *fit) {
    assert(!fit->is_cut);
    struct fit_place place = here(fit);
    place.n++;
    fit->n_seen++;
    if (has_room(fit, &fit->rooms.whole, &place)) {
        fit->now = place;
        if (may_end_here(fit, &place)) fit->safe = place;
        return true;
    }
    fit->is_cut = true;
    fit->is_cut_by_tokens = !has_tokens(&fit->rooms.whole, &place);
    fit->now = fit->safe;
    buf_rewind(fit->writer->out, fit->safe.mark);
    *fit->writer = fit->safe.writer;
    return false;
}

void fit_skip(struct fit *fit) {
    assert(fit->is_cut);
    fit->n_seen++;
}

void fit_write_cut(const struct fit *fit, const char *what, const char *next_step, bool knows_all) {
    struct json_writer *w = fit->writer;
    const char *by = fit->is_cut_by_tokens ? "tokens" : "bytes";
    char note[REPLY_CUT_CHARS];
    int n = snprintf(note, sizeof note,
                     "Cut to fit: %" PRIu64 " of %s%" PRIu64 " %s are shown (limit of %s). %s",
                     fit->now.n, knows_all ? "" : "at least ", fit->n_seen, what, by, next_step);
    assert(n > 0 && (size_t)n < sizeof note);
    json_put_text(w, STR("note"), (struct str){note, (size_t)n});
    json_key(w, STR("cut"));
    json_object(w);
    json_put_text(w, STR("by"), str_of(by));
    json_put_int(w, STR("shown"), (int64_t)fit->now.n);
    json_put_int(w, STR("known"), (int64_t)fit->n_seen);
    json_put_bool(w, STR("known_is_all"), knows_all);
    json_object_end(w);
}
