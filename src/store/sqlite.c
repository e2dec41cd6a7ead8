#include "base/fault.h"
#include "store/kind.h"
#include "store/sqlite_inner.h"

#include <errno.h>
#include <stdlib.h>

/* -- telling ---------------------------------------------------------------------------------- */

result sqlite_fail(const struct sqlite_store *store, enum fail why, int error, int system_error,
                   struct report *report) {
    struct sqlite_db db = {.error = error, .system_error = system_error};
    if (why == FAIL_LIMIT) return store_fail_full(store->writer.max_bytes, report);
    if (why == FAIL_INPUT) return store_fail_range(report);
    return sqlite_tell(&db, why, store->path, report);
}

/* -- health ----------------------------------------------------------------------------------- */

/* Removed or replaced, while we and others go on in different files. */
static bool is_same_file(const struct sqlite_store *store) {
    struct stat now;
    if (store->path == NULL) return true;
    return stat(store->path, &now) == 0 && now.st_ino == store->file.st_ino &&
           now.st_dev == store->file.st_dev;
}

static bool is_ready(struct store *base, struct str *sentence, struct arena *arena) {
    struct sqlite_store *store = sqlite_of(base);
    struct store_usage usage = {0};
    struct report report = {0};
    int system_error, error = sqlite_writer_error(&store->writer, &system_error);
    bool is_read = sqlite_usage(base, &usage, &report).why == FAIL_NONE;
    if (!is_read)
        *sentence = str_dup(arena, str_of(report.sentence));
    else if (error != 0)
        *sentence = str_printf(arena, "the store cannot be written: %s",
                               sqlite_reason(error, system_error));
    else if (!is_same_file(store))
        *sentence = str_dup(arena, STR("the store's file was removed or replaced"));
    else
        return store_has_room(&usage, sentence, arena);
    return false;
}

/* The version is for a store that failed: SQLite writes nothing that stays the same, and so would
 * not find out whether it can. */
static result run_sweep(struct sqlite_transaction *t, struct sqlite_write *write) {
    size_t n;
    (void)write;
    (void)sqlite_next_version(t);
    return sqlite_sweep(t, &n);
}

static void tick(struct store *base) {
    struct sqlite_store *store = sqlite_of(base);
    struct sqlite_write sweep = {.run = run_sweep};
    int64_t next = 0;
    int system_error;
    bool is_asked = sqlite_next_expiry(store, &next).why == FAIL_NONE;
    bool is_due = is_asked && next <= clock_wall_ms(store->clock);
    if (!is_due && sqlite_writer_error(&store->writer, &system_error) == 0) return;
    result r = sqlite_writer_do(&store->writer, &sweep);
    (void)r; /* what went wrong shows in is_ready() */
}

/* -- life ------------------------------------------------------------------------------------- */

static void close_store(struct store *base) {
    struct sqlite_store *store = sqlite_of(base);
    sqlite_readers_close(store);
    sqlite_writer_deinit(&store->writer);
    pthread_cond_destroy(&store->returned);
    pthread_mutex_destroy(&store->lock);
    pthread_mutex_destroy(&store->memory);
    free(store->path);
    free(store);
}

static struct sqlite_store *make_store(const struct store_kind *kind, const struct clock *clock,
                                       int64_t max_bytes) {
    struct sqlite_store *store = fault_now() ? NULL : calloc(1, sizeof *store);
    if (store == NULL) return NULL;
    store->store.kind = kind;
    store->clock = clock;
    pthread_mutex_init(&store->memory, NULL);
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->returned, NULL);
    sqlite_writer_init(&store->writer, clock, max_bytes);
    return store;
}

static result open_store(struct sqlite_store *store, const struct store_settings *settings,
                         struct store **out, struct report *report) {
    result r = sqlite_db_open(&store->writer.db, store->path, settings->wait_ms, report);
    if (r.why == FAIL_NONE && store->path != NULL && stat(store->path, &store->file) != 0)
        r = sqlite_fail(store, FAIL_IO, SQLITE_CANTOPEN, errno, report);
    if (r.why == FAIL_NONE)
        *out = &store->store;
    else
        close_store(&store->store);
    return r;
}

static result open_memory(const struct store_settings *settings, struct str state_dir,
                          const struct clock *clock, struct store **out, struct report *report) {
    (void)state_dir;
    struct sqlite_store *store = make_store(&store_memory, clock, settings->max_bytes);
    if (store == NULL) return fail_memory(report);
    store->writer.sharing = &store->memory;
    return open_store(store, settings, out, report);
}

static char *cstr_of(struct str s) {
    return fault_now() ? NULL : strndup(s.ptr != NULL ? s.ptr : "", s.len);
}

static char *path_of(struct str path, struct str dir) {
    char *joined = NULL;
    if (str_starts(path, STR("/")) || dir.len == 0) return cstr_of(path);
    int n = fault_now() ? -1 : asprintf(&joined, STR_FMT "/" STR_FMT, STR_ARG(dir), STR_ARG(path));
    return n < 0 ? NULL : joined;
}

static result make_dir(struct str dir, struct report *report) {
    if (dir.len == 0) return OK;
    char *name = cstr_of(dir);
    if (name == NULL) return fail_memory(report);
    bool is_there = mkdir(name, 0700) == 0 || errno == EEXIST;
    int error = errno;
    free(name);
    if (is_there) return OK;
    return fail(report, FAIL_IO, "STORE_UNAVAILABLE", REPORT_NO_OFFSET,
                "cannot make the directory '" STR_FMT "': %s", STR_ARG(dir),
                strerrordesc_np(error));
}

static result open_file(const struct store_settings *settings, struct str state_dir,
                        const struct clock *clock, struct store **out, struct report *report) {
    TRY(make_dir(state_dir, report));
    struct sqlite_store *store = make_store(&store_sqlite, clock, settings->max_bytes);
    if (store == NULL) return fail_memory(report);
    store->path = path_of(settings->path, state_dir);
    if (store->path != NULL) return open_store(store, settings, out, report);
    close_store(&store->store);
    return fail_memory(report);
}

/* -- the kinds -------------------------------------------------------------------------------- */

#define VERBS                                                                                      \
    .get = sqlite_get, .set = sqlite_set, .take = sqlite_take, .remove = sqlite_remove,            \
    .touch = sqlite_touch, .append = sqlite_append, .read = sqlite_read, .drop = sqlite_drop,      \
    .add = sqlite_add, .admit = sqlite_admit, .enter = sqlite_enter, .stay = sqlite_stay,          \
    .leave = sqlite_leave, .tide = sqlite_tide, .usage = sqlite_usage, .is_ready = is_ready,       \
    .tick = tick, .close = close_store

const struct store_kind store_sqlite = {.name = "sqlite", .open = open_file, VERBS};
const struct store_kind store_memory = {.name = "memory", .open = open_memory, VERBS};
