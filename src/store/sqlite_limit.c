#include "store/sqlite_inner.h"

/* -- windows ---------------------------------------------------------------------------------- */

struct admit {
    struct sqlite_write write;
    const struct store_window *windows;
    size_t n;
    struct store_admission out;
};

struct window {
    int64_t id; /* 0: there is no row */
    int64_t n;
};

static result update_window(struct sqlite_transaction *t, const struct window *window,
                            int64_t expires) {
    sqlite3_stmt *update = sqlite_start(t->db, SQL_WINDOW_UPDATE);
    sqlite3_bind_int64(update, 1, window->id);
    sqlite3_bind_int64(update, 2, window->n);
    sqlite3_bind_int64(update, 3, expires);
    return sqlite_run(t->db, update);
}

/* To forget what counts no more is no change that anybody could see, so it may stay done where the
 * call is refused after it. Who is refused again and again writes nothing. */
static result forget_old(struct sqlite_transaction *t, struct window *window, int64_t at) {
    size_t n_rows;
    int64_t n_old;
    TRY(sqlite_forget(t, window->id, at, STORE_WINDOW_MAX, &n_rows, &n_old));
    window->n -= n_old;
    return n_old > 0 ? update_window(t, window, 0) : OK;
}

static result find_window(struct sqlite_transaction *t, const struct store_window *wanted,
                          int64_t now, struct window *out) {
    bool is_row;
    sqlite3_stmt *find = sqlite_start(t->db, SQL_WINDOW_FIND);
    *out = (struct window){0};
    sqlite3_bind_int64(find, 2, wanted->window_ms);
    TRY(sqlite_find(t->db, SQL_WINDOW_FIND, wanted->key, &find, &is_row));
    if (is_row)
        *out = (struct window){sqlite3_column_int64(find, 0), sqlite3_column_int64(find, 1)};
    sqlite_end(find);
    return is_row ? forget_old(t, out, now - wanted->window_ms) : OK;
}

/* When so many have gone that one more fits: usually the oldest, further ones where the maximum was
 * lowered meanwhile. */
static result find_wait(struct sqlite_transaction *t, const struct store_window *wanted,
                        const struct window *window, int64_t now, int64_t *wait_ms) {
    bool is_row = true;
    int64_t left = window->n;
    *wait_ms = STORE_FOREVER;
    if (wanted->max == 0) return OK;
    sqlite3_stmt *read = sqlite_start(t->db, SQL_HIT_READ);
    sqlite3_bind_int64(read, 1, window->id);
    while (left >= wanted->max) {
        TRY(sqlite_row(t->db, read, &is_row));
        if (!is_row) break;
        left -= sqlite3_column_int64(read, 1);
        *wait_ms = sqlite3_column_int64(read, 0) + wanted->window_ms - now;
    }
    sqlite_end(read);
    return OK;
}

/* What one window says: whoever refuses the longest speaks, else who has the least left. */
static result ask_window(struct sqlite_transaction *t, struct admit *admit, size_t i, int64_t now,
                         struct window *window) {
    const struct store_window *wanted = &admit->windows[i];
    struct store_admission *out = &admit->out;
    TRY(find_window(t, wanted, now, window));
    if (window->n >= wanted->max) {
        int64_t wait_ms;
        TRY(find_wait(t, wanted, window, now, &wait_ms));
        if (wait_ms > out->retry_after_ms)
            *out = (struct store_admission){.tightest = i, .retry_after_ms = wait_ms};
    } else if (out->retry_after_ms == 0 && wanted->max - window->n - 1 < out->left)
        *out = (struct store_admission){
            .is_admitted = true, .tightest = i, .left = wanted->max - window->n - 1};
    return OK;
}

static result make_window(struct sqlite_transaction *t, const struct store_window *wanted,
                          struct window *window) {
    sqlite3_stmt *insert = sqlite_start(t->db, SQL_WINDOW_INSERT);
    sqlite_bind(insert, 1, wanted->key);
    sqlite3_bind_int64(insert, 2, wanted->window_ms);
    sqlite3_bind_int64(insert, 3, 0);
    TRY(sqlite_run(t->db, insert));
    window->id = sqlite3_last_insert_rowid(t->db->handle);
    return OK;
}

static result charge(struct sqlite_transaction *t, const struct store_window *wanted,
                     struct window *window, int64_t now) {
    if (window->id == 0) TRY(make_window(t, wanted, window));
    sqlite3_stmt *add = sqlite_start(t->db, SQL_HIT_ADD);
    sqlite3_bind_int64(add, 1, window->id);
    sqlite3_bind_int64(add, 2, now);
    TRY(sqlite_run(t->db, add));
    window->n++;
    return update_window(t, window, now + wanted->window_ms);
}

static result run_admit(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct admit *admit = holder_of(write, struct admit, write);
    struct window windows[STORE_WINDOWS_MAX];
    int64_t now = clock_wall_ms(t->clock), grown = 0;
    admit->out = (struct store_admission){.left = INT64_MAX};
    for (size_t i = 0; i < admit->n; i++) {
        TRY(ask_window(t, admit, i, now, &windows[i]));
        if (windows[i].id == 0) grown += (int64_t)admit->windows[i].key.len + STORE_ENTRY_BYTES;
        grown += STORE_HIT_BYTES;
    }
    if (!admit->out.is_admitted) return OK;
    TRY(sqlite_grow(t, grown));
    for (size_t i = 0; i < admit->n; i++) TRY(charge(t, &admit->windows[i], &windows[i], now));
    return OK;
}

result sqlite_admit(struct store *store, const struct store_window *windows, size_t n,
                    struct store_admission *out, struct report *report) {
    struct admit admit = {.write = {.run = run_admit}, .windows = windows, .n = n};
    TRY(sqlite_write(sqlite_of(store), &admit.write, report));
    *out = admit.out;
    return OK;
}

/* -- places ----------------------------------------------------------------------------------- */

struct visit {
    struct sqlite_write write;
    const struct store_place *place;
    int64_t max;
    bool is_in;
};

/* *id is 0 where there is no row. */
static result find_place(struct sqlite_transaction *t, const struct store_place *place, int64_t *id,
                         bool *is_live) {
    bool is_row;
    sqlite3_stmt *find = sqlite_start(t->db, SQL_PLACE_FIND);
    sqlite_bind(find, 2, place->member);
    TRY(sqlite_find(t->db, SQL_PLACE_FIND, place->key, &find, &is_row));
    *id = is_row ? sqlite3_column_int64(find, 0) : 0;
    *is_live = is_row && sqlite3_column_int64(find, 1) > clock_wall_ms(t->clock);
    sqlite_end(find);
    return OK;
}

static result count_places(struct sqlite_transaction *t, struct str key, int64_t *n) {
    bool is_row;
    sqlite3_stmt *count = sqlite_start(t->db, SQL_PLACE_COUNT);
    sqlite3_bind_int64(count, 2, clock_wall_ms(t->clock));
    TRY(sqlite_find(t->db, SQL_PLACE_COUNT, key, &count, &is_row));
    *n = sqlite3_column_int64(count, 0);
    sqlite_end(count);
    return OK;
}

static result touch_place(struct sqlite_transaction *t, int64_t id, int64_t ttl_ms) {
    sqlite3_stmt *touch = sqlite_start(t->db, SQL_PLACE_TOUCH);
    sqlite3_bind_int64(touch, 1, id);
    sqlite3_bind_int64(touch, 2, sqlite_end_of(t->clock, ttl_ms));
    return sqlite_run(t->db, touch);
}

static int64_t bytes_of(const struct store_place *place) {
    return (int64_t)(place->key.len + place->member.len) + STORE_ENTRY_BYTES;
}

static result insert_place(struct sqlite_transaction *t, const struct store_place *place) {
    TRY(sqlite_grow(t, bytes_of(place)));
    sqlite3_stmt *insert = sqlite_start(t->db, SQL_PLACE_INSERT);
    sqlite_bind(insert, 1, place->key);
    sqlite_bind(insert, 2, place->member);
    sqlite3_bind_int64(insert, 3, sqlite_end_of(t->clock, place->ttl_ms));
    return sqlite_run(t->db, insert);
}

static result run_enter(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct visit *visit = holder_of(write, struct visit, write);
    int64_t id, n = 0;
    bool is_live;
    visit->is_in = false;
    TRY(find_place(t, visit->place, &id, &is_live));
    if (!is_live) TRY(count_places(t, visit->place->key, &n));
    if (!is_live && n >= visit->max) return OK;
    if (id != 0)
        TRY(touch_place(t, id, visit->place->ttl_ms));
    else
        TRY(insert_place(t, visit->place));
    visit->is_in = true;
    return OK;
}

static result run_stay(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct visit *visit = holder_of(write, struct visit, write);
    int64_t id;
    TRY(find_place(t, visit->place, &id, &visit->is_in));
    return visit->is_in ? touch_place(t, id, visit->place->ttl_ms) : OK;
}

static result run_leave(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct visit *visit = holder_of(write, struct visit, write);
    int64_t id;
    TRY(find_place(t, visit->place, &id, &visit->is_in));
    if (id == 0) return OK;
    sqlite3_stmt *delete = sqlite_start(t->db, SQL_PLACE_DELETE);
    sqlite3_bind_int64(delete, 1, id);
    TRY(sqlite_run(t->db, delete));
    return sqlite_grow(t, -bytes_of(visit->place));
}

static result run_visit(struct store *store, struct visit visit, bool *is_in,
                        struct report *report) {
    TRY(sqlite_write(sqlite_of(store), &visit.write, report));
    *is_in = visit.is_in;
    return OK;
}

result sqlite_enter(struct store *store, const struct store_place *place, int64_t max, bool *is_in,
                    struct report *report) {
    struct visit visit = {.write = {.run = run_enter}, .place = place, .max = max};
    return run_visit(store, visit, is_in, report);
}

result sqlite_stay(struct store *store, const struct store_place *place, bool *is_in,
                   struct report *report) {
    struct visit visit = {.write = {.run = run_stay}, .place = place};
    return run_visit(store, visit, is_in, report);
}

result sqlite_leave(struct store *store, const struct store_place *place, bool *was_in,
                    struct report *report) {
    struct visit visit = {.write = {.run = run_leave}, .place = place};
    return run_visit(store, visit, was_in, report);
}
