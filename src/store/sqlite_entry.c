#include "store/sqlite_inner.h"

result sqlite_write(struct sqlite_store *store, struct sqlite_write *write, struct report *report) {
    result r = sqlite_writer_do(&store->writer, write);
    if (r.why == FAIL_NONE) return OK;
    return sqlite_fail(store, r.why, write->error, write->system_error, report);
}

/* -- entries ---------------------------------------------------------------------------------- */

result sqlite_find_entry(struct sqlite_transaction *t, struct str key, struct sqlite_entry *out) {
    bool is_row;
    sqlite3_stmt *find;
    *out = (struct sqlite_entry){0};
    TRY(sqlite_find(t->db, SQL_ENTRY_FIND, key, &find, &is_row));
    if (is_row) {
        bool is_live = sqlite3_column_int64(find, 2) > clock_wall_ms(t->clock);
        out->id = sqlite3_column_int64(find, 0);
        out->version = is_live ? (uint64_t)sqlite3_column_int64(find, 1) : STORE_ABSENT;
        out->value_len = (size_t)sqlite3_column_int64(find, 3);
    }
    sqlite_end(find);
    return OK;
}

/* Where what is expected is there; nothing that is absent can be meant by STORE_ANY. */
static bool is_meant(const struct sqlite_entry *entry, uint64_t expected) {
    return entry->version != STORE_ABSENT && (expected == STORE_ANY || expected == entry->version);
}

struct set {
    struct sqlite_write write;
    const struct store_item *item;
    uint64_t expected;
    uint64_t version;
};

static result run_set(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct set *set = holder_of(write, struct set, write);
    const struct store_item *item = set->item;
    struct sqlite_entry old;
    set->version = STORE_ABSENT;
    TRY(sqlite_find_entry(t, item->key, &old));
    if (set->expected != STORE_ANY && set->expected != old.version) return OK;
    int64_t grown = (int64_t)item->value.len;
    grown += old.id != 0 ? -(int64_t)old.value_len : (int64_t)item->key.len + STORE_ENTRY_BYTES;
    TRY(sqlite_grow(t, grown));
    set->version = sqlite_next_version(t);
    sqlite3_stmt *put = sqlite_start(t->db, old.id != 0 ? SQL_ENTRY_UPDATE : SQL_ENTRY_INSERT);
    sqlite_bind(put, 1, item->key);
    sqlite3_bind_int64(put, 2, (int64_t)set->version);
    sqlite3_bind_int64(put, 3, sqlite_end_of(t->clock, item->ttl_ms));
    sqlite_bind(put, 4, item->value);
    return sqlite_run(t->db, put);
}

result sqlite_set(struct store *store, const struct store_item *item, uint64_t expected,
                  uint64_t *version, struct report *report) {
    struct set set = {.write = {.run = run_set, .bytes = item->key.len + item->value.len},
                      .item = item,
                      .expected = expected};
    TRY(sqlite_write(sqlite_of(store), &set.write, report));
    *version = set.version;
    return OK;
}

static result delete_entry(struct sqlite_transaction *t, struct str key, int64_t id,
                           size_t value_len) {
    sqlite3_stmt *delete = sqlite_start(t->db, SQL_ENTRY_DELETE);
    sqlite3_bind_int64(delete, 1, id);
    TRY(sqlite_run(t->db, delete));
    (void)sqlite_next_version(t);
    return sqlite_grow(t, -(int64_t)(key.len + value_len) - STORE_ENTRY_BYTES);
}

struct take {
    struct sqlite_write write;
    struct str key;
    struct arena *arena;
    struct store_value *out;
};

/* The copy is made before the row goes: without memory for it nothing is taken. */
static result run_take(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct take *take = holder_of(write, struct take, write);
    bool is_row;
    sqlite3_stmt *get;
    *take->out = (struct store_value){.version = STORE_ABSENT};
    TRY(sqlite_find(t->db, SQL_ENTRY_GET, take->key, &get, &is_row));
    int64_t id = sqlite3_column_int64(get, 0), expires = sqlite3_column_int64(get, 2);
    uint64_t version = (uint64_t)sqlite3_column_int64(get, 1);
    bool is_live = is_row && expires > clock_wall_ms(t->clock);
    struct str bytes = STR_NONE;
    result copied = is_live ? sqlite_bytes(get, 3, take->arena, &bytes) : OK;
    sqlite_end(get);
    TRY(copied);
    if (!is_live) return OK;
    TRY(delete_entry(t, take->key, id, bytes.len));
    *take->out = (struct store_value){bytes, version, expires};
    return OK;
}

result sqlite_take(struct store *store, struct str key, struct arena *arena,
                   struct store_value *out, struct report *report) {
    struct take take = {.write = {.run = run_take}, .key = key, .arena = arena, .out = out};
    result r = sqlite_write(sqlite_of(store), &take.write, report);
    if (r.why != FAIL_NONE) *out = (struct store_value){.version = STORE_ABSENT};
    return r;
}

struct change {
    struct sqlite_write write;
    struct str key;
    uint64_t expected;
    int64_t ttl_ms; /* of a touch */
    bool was_there;
};

static result run_remove(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct change *change = holder_of(write, struct change, write);
    struct sqlite_entry entry;
    TRY(sqlite_find_entry(t, change->key, &entry));
    change->was_there = is_meant(&entry, change->expected);
    return change->was_there ? delete_entry(t, change->key, entry.id, entry.value_len) : OK;
}

result sqlite_remove(struct store *store, struct str key, uint64_t expected, bool *was_there,
                     struct report *report) {
    struct change change = {.write = {.run = run_remove}, .key = key, .expected = expected};
    TRY(sqlite_write(sqlite_of(store), &change.write, report));
    *was_there = change.was_there;
    return OK;
}

static result run_touch(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct change *change = holder_of(write, struct change, write);
    struct sqlite_entry entry;
    TRY(sqlite_find_entry(t, change->key, &entry));
    change->was_there = is_meant(&entry, change->expected);
    if (!change->was_there) return OK;
    sqlite3_stmt *touch = sqlite_start(t->db, SQL_ENTRY_TOUCH);
    sqlite3_bind_int64(touch, 1, entry.id);
    sqlite3_bind_int64(touch, 2, sqlite_end_of(t->clock, change->ttl_ms));
    return sqlite_run(t->db, touch);
}

result sqlite_touch(struct store *store, struct str key, uint64_t expected, int64_t ttl_ms,
                    bool *was_there, struct report *report) {
    struct change change = {
        .write = {.run = run_touch}, .key = key, .expected = expected, .ttl_ms = ttl_ms};
    TRY(sqlite_write(sqlite_of(store), &change.write, report));
    *was_there = change.was_there;
    return OK;
}

/* -- counters --------------------------------------------------------------------------------- */

struct add {
    struct sqlite_write write;
    struct str key;
    int64_t delta, ttl_ms;
    int64_t sum;
};

struct counter {
    int64_t id; /* 0: there is no row */
    int64_t sum;
    bool is_live;
};

static result find_counter(struct sqlite_transaction *t, struct str key, struct counter *out) {
    bool is_row;
    sqlite3_stmt *find;
    *out = (struct counter){0};
    TRY(sqlite_find(t->db, SQL_COUNTER_FIND, key, &find, &is_row));
    if (is_row)
        *out = (struct counter){sqlite3_column_int64(find, 0), sqlite3_column_int64(find, 1),
                                sqlite3_column_int64(find, 2) > clock_wall_ms(t->clock)};
    sqlite_end(find);
    return OK;
}

static result delete_counter(struct sqlite_transaction *t, struct str key, int64_t id) {
    sqlite3_stmt *delete = sqlite_start(t->db, SQL_COUNTER_DELETE);
    sqlite3_bind_int64(delete, 1, id);
    TRY(sqlite_run(t->db, delete));
    return sqlite_grow(t, -(int64_t)key.len - STORE_ENTRY_BYTES);
}

static result make_counter(struct sqlite_transaction *t, const struct add *add) {
    TRY(sqlite_grow(t, (int64_t)add->key.len + STORE_ENTRY_BYTES));
    sqlite3_stmt *insert = sqlite_start(t->db, SQL_COUNTER_INSERT);
    sqlite_bind(insert, 1, add->key);
    sqlite3_bind_int64(insert, 2, add->sum);
    sqlite3_bind_int64(insert, 3, sqlite_end_of(t->clock, add->ttl_ms));
    return sqlite_run(t->db, insert);
}

static result run_add(struct sqlite_transaction *t, struct sqlite_write *write) {
    struct add *add = holder_of(write, struct add, write);
    struct counter old;
    add->sum = 0;
    TRY(find_counter(t, add->key, &old));
    if (__builtin_add_overflow(old.is_live ? old.sum : 0, add->delta, &add->sum))
        return (result){FAIL_INPUT};
    if (add->delta == 0) return OK;
    if (!old.is_live) {
        if (old.id != 0) TRY(delete_counter(t, add->key, old.id));
        return make_counter(t, add);
    }
    sqlite3_stmt *update = sqlite_start(t->db, SQL_COUNTER_UPDATE);
    sqlite3_bind_int64(update, 1, old.id);
    sqlite3_bind_int64(update, 2, add->sum);
    return sqlite_run(t->db, update);
}

result sqlite_add(struct store *store, struct str key, int64_t delta, int64_t ttl_ms,
                  int64_t *value, struct report *report) {
    struct add add = {.write = {.run = run_add}, .key = key, .delta = delta, .ttl_ms = ttl_ms};
    TRY(sqlite_write(sqlite_of(store), &add.write, report));
    *value = add.sum;
    return OK;
}
