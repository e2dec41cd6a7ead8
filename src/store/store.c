#include "store/store.h"

#include "base/limits.h"
#include "store/kind.h"

static const struct store_kind *const kinds[] = {
    [STORE_SQLITE] = &store_sqlite,
    [STORE_MEMORY] = &store_memory,
    [STORE_REDIS] = &store_redis,
};
static const char *const kind_names[] = {[STORE_AUTO] = "auto",
                                         [STORE_SQLITE] = "sqlite",
                                         [STORE_MEMORY] = "memory",
                                         [STORE_REDIS] = "redis",
                                         [STORE_REDIS + 1] = NULL};

#define AT(member) offsetof(struct store_settings, member)
const struct option store_options[] = {
    {.name = "kind",
     .type = OPTION_CHOICE,
     .offset = AT(kind),
     .fallback = "auto",
     .choices = kind_names,
     .sentence = "Where sessions, leases, counters and limits live: in a file that all processes "
                 "of one machine share, in the memory of a process that stands alone, or in a "
                 "Redis for many machines. `auto` is `redis` where `redis_url` is set, else "
                 "`sqlite`."},
    {.name = "path",
     .type = OPTION_TEXT,
     .offset = AT(path),
     .fallback = "weir.db",
     .sentence =
         "The file; relative to the state directory, on a disk of this machine (a network's "
         "does not lock as it must)."},
    {.name = "max_bytes",
     .type = OPTION_BYTES,
     .offset = AT(max_bytes),
     .fallback = "1GiB",
     .min = MIB,
     .max = STORE_BYTES_MAX,
     .unit = "bytes",
     .sentence = "What it holds in all, the same on all replicas; when that is reached, what "
                 "would add to it is refused."},
    {.name = "wait",
     .type = OPTION_DURATION,
     .offset = AT(wait_ms),
     .fallback = "5s",
     .min = 1,
     .max = STORE_WAIT_MS_MAX,
     .unit = "ms",
     .sentence = "How long a step may take: a write waits for those of other processes, and any "
                 "step for Redis, with connecting."},
    {.name = "redis_url",
     .type = OPTION_TEXT,
     .offset = AT(redis_url),
     .fallback = "",
     .env = "REDIS_URL",
     .sentence = "The Redis: `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS, or "
                 "`unix:///path`."},
    {.name = "redis_prefix",
     .type = OPTION_TEXT,
     .offset = AT(redis_prefix),
     .fallback = "{weir}:",
     .sentence = "Begins every key in Redis, the same on all replicas; the braces keep all keys on "
                 "one node of a cluster."},
    {.name = "redis_ca_file",
     .type = OPTION_TEXT,
     .offset = AT(redis_tls.ca),
     .fallback = "",
     .sentence = "Certificates (PEM) of who may sign that of Redis; empty: those of the system."},
    {.name = "redis_cert_file",
     .type = OPTION_TEXT,
     .offset = AT(redis_tls.certificate),
     .fallback = "",
     .sentence = "Our certificate (PEM), where Redis wants one."},
    {.name = "redis_key_file",
     .type = OPTION_TEXT,
     .offset = AT(redis_tls.key),
     .fallback = "",
     .sentence = "Its key (PEM)."},
    {.name = NULL},
};

const struct option store_superset_options[] = {
    {.name = "enabled",
     .type = OPTION_BOOL,
     .offset = AT(superset.is_enabled),
     .fallback = "false",
     .sentence = "Takes `CACHE_REDIS_URL` as `store.redis_url`, where that is not set."},
    {.name = "CACHE_REDIS_URL",
     .type = OPTION_TEXT,
     .offset = AT(superset.redis_url),
     .fallback = "",
     .sentence = "As `store.redis_url`."},
    {.name = "event_store_max_events",
     .type = OPTION_INT,
     .offset = AT(superset.max_events),
     .fallback = "100",
     .min = 0,
     .max = INT64_C(1) << 40,
     .sentence =
         "Taken and without effect: how many events of a stream are kept is no setting here."},
    {.name = "event_store_ttl",
     .type = OPTION_DURATION,
     .offset = AT(superset.ttl_ms),
     .fallback = "3600",
     .min = 0,
     .max = STORE_TTL_MS_MAX,
     .unit = "s",
     .sentence = "Taken and without effect, likewise."},
    {.name = "event_store_prefix",
     .type = OPTION_TEXT,
     .offset = AT(superset.prefix),
     .fallback = "mcp_events_",
     .sentence = "Taken and without effect: `store.redis_prefix` begins our keys."},
    {.name = "WRAPPER_TYPE",
     .type = OPTION_TEXT,
     .offset = AT(superset.wrapper),
     .fallback = "",
     .sentence = "Taken and without effect: the name of a Python class."},
    {.name = NULL},
};
#undef AT

struct str store_redis_url(const struct store_settings *settings) {
    if (settings->redis_url.len > 0) return settings->redis_url;
    return settings->superset.is_enabled ? settings->superset.redis_url : STR_NONE;
}

enum store_kind_id store_kind_of(const struct store_settings *settings) {
    if (settings->kind != STORE_AUTO) return (enum store_kind_id)settings->kind;
    return store_redis_url(settings).len > 0 ? STORE_REDIS : STORE_SQLITE;
}

/* -- what all kinds say alike ----------------------------------------------------------------- */

result store_fail_full(int64_t max_bytes, struct report *report) {
    result r = fail(report, FAIL_LIMIT, "STORE_FULL", REPORT_NO_OFFSET,
                    "the store holds its maximum of %lld bytes", (long long)max_bytes);
    fail_hint(report, "Come back later, or set store.max_bytes higher");
    return r;
}

result store_fail_range(struct report *report) {
    return fail(report, FAIL_INPUT, "STORE_INVALID", REPORT_NO_OFFSET,
                "the counter would pass its range");
}

bool store_has_room(const struct store_usage *usage, struct str *sentence, struct arena *arena) {
    if (usage->bytes <= usage->max_bytes - usage->max_bytes / 20) return true;
    *sentence = str_printf(arena, "the store is nearly full: %lld of %lld bytes",
                           (long long)usage->bytes, (long long)usage->max_bytes);
    return false;
}

/* -- bounds ----------------------------------------------------------------------------------- */

static result invalid(const char *what, struct report *report) {
    return fail(report, FAIL_INPUT, "STORE_INVALID", REPORT_NO_OFFSET, "the store takes no %s",
                what);
}

static result check_name(struct str name, struct report *report) {
    if (name.len == 0) return invalid("empty name", report);
    return name.len <= STORE_KEY_BYTES_MAX ? OK : invalid("name of that length", report);
}

static result check_value(struct str value, struct report *report) {
    return value.len <= (size_t)STORE_VALUE_BYTES_MAX ? OK
                                                      : invalid("value of that length", report);
}

/* A forgotten time is refused rather than taken for ever. */
static result check_ttl(int64_t ttl_ms, struct report *report) {
    bool is_valid = ttl_ms == STORE_FOREVER || (ttl_ms > 0 && ttl_ms <= STORE_TTL_MS_MAX);
    return is_valid ? OK : invalid("time of that length", report);
}

static result set(struct store *store, const struct store_item *item, uint64_t expected,
                  uint64_t *version, struct report *report) {
    uint64_t unasked;
    if (version == NULL) version = &unasked;
    *version = STORE_ABSENT;
    TRY(check_name(item->key, report));
    TRY(check_value(item->value, report));
    TRY(check_ttl(item->ttl_ms, report));
    return store->kind->set(store, item, expected, version, report);
}

/* -- entries ---------------------------------------------------------------------------------- */

result store_get(struct store *store, struct str key, struct arena *arena, struct store_value *out,
                 struct report *report) {
    *out = (struct store_value){.version = STORE_ABSENT};
    TRY(check_name(key, report));
    return store->kind->get(store, key, arena, out, report);
}

result store_put(struct store *store, const struct store_item *item, uint64_t *version,
                 struct report *report) {
    return set(store, item, STORE_ANY, version, report);
}

result store_put_new(struct store *store, const struct store_item *item, uint64_t *version,
                     struct report *report) {
    return set(store, item, STORE_ABSENT, version, report);
}

result store_swap(struct store *store, const struct store_item *item, uint64_t expected,
                  uint64_t *version, struct report *report) {
    return set(store, item, expected, version, report);
}

result store_take(struct store *store, struct str key, struct arena *arena, struct store_value *out,
                  struct report *report) {
    *out = (struct store_value){.version = STORE_ABSENT};
    TRY(check_name(key, report));
    return store->kind->take(store, key, arena, out, report);
}

result store_remove(struct store *store, struct str key, uint64_t expected, bool *was_there,
                    struct report *report) {
    bool unasked;
    if (was_there == NULL) was_there = &unasked;
    *was_there = false;
    TRY(check_name(key, report));
    return store->kind->remove(store, key, expected, was_there, report);
}

result store_touch(struct store *store, struct str key, uint64_t expected, int64_t ttl_ms,
                   bool *was_there, struct report *report) {
    bool unasked;
    if (was_there == NULL) was_there = &unasked;
    *was_there = false;
    TRY(check_name(key, report));
    TRY(check_ttl(ttl_ms, report));
    return store->kind->touch(store, key, expected, ttl_ms, was_there, report);
}

/* -- logs ------------------------------------------------------------------------------------- */

result store_append(struct store *store, const struct store_append *append, uint64_t *sequence,
                    struct report *report) {
    uint64_t unasked;
    if (sequence == NULL) sequence = &unasked;
    *sequence = 0;
    TRY(check_name(append->log, report));
    TRY(check_value(append->value, report));
    TRY(check_ttl(append->ttl_ms, report));
    if (append->guard.len > 0) TRY(check_name(append->guard, report));
    return store->kind->append(store, append, sequence, report);
}

result store_read(struct store *store, struct str log, uint64_t after, size_t max,
                  struct arena *arena, struct store_events *out, struct report *report) {
    *out = (struct store_events){0};
    TRY(check_name(log, report));
    if (max > STORE_READ_MAX) max = STORE_READ_MAX;
    return store->kind->read(store, log, after, max, arena, out, report);
}

result store_drop(struct store *store, struct str log, bool *was_there, struct report *report) {
    bool unasked;
    if (was_there == NULL) was_there = &unasked;
    *was_there = false;
    TRY(check_name(log, report));
    return store->kind->drop(store, log, was_there, report);
}

/* -- the rest --------------------------------------------------------------------------------- */

result store_add(struct store *store, struct str key, int64_t delta, int64_t ttl_ms, int64_t *value,
                 struct report *report) {
    *value = 0;
    TRY(check_name(key, report));
    TRY(check_ttl(ttl_ms, report));
    return store->kind->add(store, key, delta, ttl_ms, value, report);
}

static bool is_same_window(const struct store_window *a, const struct store_window *b) {
    return a->window_ms == b->window_ms && str_eq(a->key, b->key);
}

/* Of one that came twice the second would not see what the first was charged. */
static result check_windows(const struct store_window *windows, size_t n, struct report *report) {
    if (n > STORE_WINDOWS_MAX) return invalid("so many windows at once", report);
    for (size_t i = 0; i < n; i++) {
        const struct store_window *window = &windows[i];
        TRY(check_name(window->key, report));
        if (window->max < 0 || window->max > STORE_WINDOW_MAX)
            return invalid("window of that maximum", report);
        if (window->window_ms < 1 || window->window_ms > STORE_TTL_MS_MAX)
            return invalid("window of that length", report);
        for (size_t k = 0; k < i; k++)
            if (is_same_window(window, &windows[k])) return invalid("window twice", report);
    }
    return OK;
}

result store_admit(struct store *store, const struct store_window *windows, size_t n,
                   struct store_admission *out, struct report *report) {
    *out = (struct store_admission){0};
    TRY(check_windows(windows, n, report));
    if (n > 0) return store->kind->admit(store, windows, n, out, report);
    *out = (struct store_admission){.is_admitted = true, .left = INT64_MAX};
    return OK;
}

static result check_place(const struct store_place *place, struct report *report) {
    TRY(check_name(place->key, report));
    return check_name(place->member, report);
}

result store_enter(struct store *store, const struct store_place *place, int64_t max, bool *is_in,
                   struct report *report) {
    *is_in = false;
    TRY(check_place(place, report));
    TRY(check_ttl(place->ttl_ms, report));
    if (max < 0 || max > STORE_PLACES_MAX) return invalid("such number of places", report);
    return store->kind->enter(store, place, max, is_in, report);
}

result store_stay(struct store *store, const struct store_place *place, bool *is_in,
                  struct report *report) {
    *is_in = false;
    TRY(check_place(place, report));
    TRY(check_ttl(place->ttl_ms, report));
    return store->kind->stay(store, place, is_in, report);
}

result store_leave(struct store *store, const struct store_place *place, bool *was_in,
                   struct report *report) {
    bool unasked;
    if (was_in == NULL) was_in = &unasked;
    *was_in = false;
    TRY(check_place(place, report));
    return store->kind->leave(store, place, was_in, report);
}

bool store_is_shared(const struct store *store) {
    return store->kind->is_shared;
}

result store_tide(struct store *store, uint64_t *tide, struct report *report) {
    *tide = 0;
    return store->kind->tide(store, tide, report);
}

result store_usage(struct store *store, struct store_usage *out, struct report *report) {
    *out = (struct store_usage){0};
    return store->kind->usage(store, out, report);
}

bool store_is_ready(struct store *store, struct str *sentence, struct arena *arena) {
    *sentence = STR_NONE;
    return store->kind->is_ready(store, sentence, arena);
}

void store_tick(struct store *store) {
    store->kind->tick(store);
}

void store_close(struct store *store) {
    if (store != NULL) store->kind->close(store);
}

result store_check(const struct store_settings *settings, struct report *report) {
    const struct store_kind *kind = kinds[store_kind_of(settings)];
    return kind->check != NULL ? kind->check(settings, report) : OK;
}

result store_open(const struct store_settings *settings, struct str state_dir,
                  const struct clock *clock, struct store **out, struct report *report) {
    *out = NULL;
    return kinds[store_kind_of(settings)]->open(settings, state_dir, clock, out, report);
}
