#include "base/fault.h"
#include "store/kind.h"
#include "store/redis_inner.h"

#include <stdlib.h>

enum { NS_PER_MS = 1000000 };

/* -- health ----------------------------------------------------------------------------------- */

static result usage(struct store *base, struct store_usage *out, struct report *report) {
    struct redis_store *store = redis_of(base);
    *out = (struct store_usage){.max_bytes = store->max_bytes};
    return redis_ask_bytes(store, REDIS_USAGE, &out->bytes, report);
}

static void note_bytes(struct redis_store *store, int64_t bytes) {
    pthread_mutex_lock(&store->lock);
    store->bytes = bytes;
    pthread_mutex_unlock(&store->lock);
}

/* Asked by loops, which must not wait for a Redis that is away. */
static bool is_ready(struct store *base, struct str *sentence, struct arena *arena) {
    struct redis_store *store = redis_of(base);
    char trouble[REDIS_REASON_MAX];
    pthread_mutex_lock(&store->lock);
    memcpy(trouble, store->trouble, sizeof trouble);
    struct store_usage used = {store->bytes, store->max_bytes};
    pthread_mutex_unlock(&store->lock);
    if (trouble[0] == '\0') return store_has_room(&used, sentence, arena);
    *sentence = str_printf(arena, "the store '" STR_FMT "' cannot be used: %s",
                           STR_ARG(store->server.url.shown), trouble);
    return false;
}

/* The sweep writes, so that a server that takes no writes is found out; it does not wait for the
 * end of a pause, so that one that came back is found within a second. */
static void tick(struct store *base) {
    struct redis_store *store = redis_of(base);
    struct report report = {0};
    int64_t bytes;
    redis_pool_retry(store);
    if (redis_ask_bytes(store, REDIS_SWEEP, &bytes, &report).why == FAIL_NONE)
        note_bytes(store, bytes);
}

/* -- life ------------------------------------------------------------------------------------- */

static void close_store(struct store *base) {
    struct redis_store *store = redis_of(base);
    redis_pool_close(store);
    redis_tls_free(store->server.tls);
    pthread_cond_destroy(&store->returned);
    pthread_mutex_destroy(&store->lock);
    arena_deinit(&store->arena);
    free(store);
}

static struct redis_store *make_store(const struct store_settings *settings,
                                      const struct clock *clock) {
    struct redis_store *store = fault_now() ? NULL : calloc(1, sizeof *store);
    pthread_condattr_t monotonic;
    if (store == NULL) return NULL;
    store->store.kind = &store_redis;
    store->clock = clock;
    store->max_bytes = settings->max_bytes;
    store->wait_ms = settings->wait_ms;
    arena_init(&store->arena, STORE_REDIS_ARENA_BYTES);
    pthread_mutex_init(&store->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&store->returned, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return store;
}

static result read_settings(const struct store_settings *settings, struct arena *arena,
                            struct redis_url *url, struct report *report) {
    TRY(redis_url_read(store_redis_url(settings), arena, url, report));
    if (settings->redis_prefix.len <= STORE_KEY_BYTES_MAX) return OK;
    return fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                "store.redis_prefix is longer than %d bytes", STORE_KEY_BYTES_MAX);
}

static result check(const struct store_settings *settings, struct report *report) {
    struct arena arena;
    struct redis_url url;
    arena_init(&arena, STORE_REDIS_ARENA_BYTES);
    result r = read_settings(settings, &arena, &url, report);
    arena_deinit(&arena);
    return r;
}

static result set_up(struct redis_store *store, const struct store_settings *settings,
                     struct report *report) {
    struct str prefix = settings->redis_prefix;
    TRY(read_settings(settings, &store->arena, &store->server.url, report));
    store->sums_key = str_printf(&store->arena, STR_FMT "sums", STR_ARG(prefix));
    if (store->sums_key.ptr == NULL) return fail_memory(report);
    if (redis_script_make(&store->arena, store->texts).why != FAIL_NONE) return fail_memory(report);
    if (store->server.url.road != REDIS_TLS) return OK;
    return redis_tls_new(&settings->redis_tls, &store->server.tls, report);
}

static bool throws_out(struct str info) {
    bool is_bounded = str_find(info, STR("\nmaxmemory:0\r")) == info.len;
    return is_bounded && str_find(info, STR("\nmaxmemory_policy:allkeys")) < info.len;
}

/* A store that throws out what is valid would let a nonce be used twice. Where our user may not
 * ask, nothing is said. */
static result check_eviction(struct redis_store *store, struct report *report) {
    static const struct str question[] = {STR_INIT("INFO"), STR_INIT("memory")};
    int64_t deadline_ns = clock_mono_ns(&clock_real) + store->wait_ms * NS_PER_MS;
    const struct redis_reply *reply = NULL;
    struct redis_trouble trouble;
    struct redis_slot *slot;
    if (redis_pool_take(store, deadline_ns, &slot, &trouble).why != FAIL_NONE) return OK;
    result r = redis_link_ask(&slot->link, question, COUNT(question), deadline_ns, &reply);
    bool is_text = r.why == FAIL_NONE && reply->sort == REDIS_TEXT;
    bool is_evicting = is_text && throws_out(reply->text);
    redis_pool_give(store, slot, is_text ? REDIS_WELL : REDIS_BROKEN);
    if (!is_evicting) return OK;
    r = fail(report, FAIL_IO, "STORE_UNAVAILABLE", REPORT_NO_OFFSET,
             "the store '" STR_FMT "' cannot be used: it throws out keys that are valid when its "
             "memory is full (maxmemory-policy allkeys-…)",
             STR_ARG(store->server.url.shown));
    fail_hint(report, "Set maxmemory-policy to noeviction, or to one of volatile-…: no key of ours "
                      "is volatile");
    return r;
}

static result open_store(const struct store_settings *settings, struct str state_dir,
                         const struct clock *clock, struct store **out, struct report *report) {
    (void)state_dir;
    int64_t bytes = 0;
    struct redis_store *store = make_store(settings, clock);
    if (store == NULL) return fail_memory(report);
    result r = set_up(store, settings, report);
    if (r.why == FAIL_NONE) r = redis_ask_bytes(store, REDIS_PROBE, &bytes, report);
    if (r.why == FAIL_NONE) r = check_eviction(store, report);
    if (r.why != FAIL_NONE) {
        close_store(&store->store);
        return r;
    }
    note_bytes(store, bytes);
    *out = &store->store;
    return OK;
}

const struct store_kind store_redis = {.name = "redis",
                                       .is_shared = true,
                                       .check = check,
                                       .open = open_store,
                                       .get = redis_get,
                                       .set = redis_set,
                                       .take = redis_take,
                                       .remove = redis_remove,
                                       .touch = redis_touch,
                                       .append = redis_append,
                                       .read = redis_read,
                                       .drop = redis_drop,
                                       .add = redis_add,
                                       .admit = redis_admit,
                                       .enter = redis_enter,
                                       .stay = redis_stay,
                                       .leave = redis_leave,
                                       .tide = redis_tide,
                                       .usage = usage,
                                       .is_ready = is_ready,
                                       .tick = tick,
                                       .close = close_store};
