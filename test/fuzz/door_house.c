#include "door_house.h"

#include "../unit/mcp/world.h"
#include "base/limits.h"
#include "fuzz.h"
#include "identity/secret.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

/* OpenSSL keeps something for each thread and gives it back while the thread ends: a look for leaks
 * that falls into this moment is no finding. Those of our own use of OpenSSL the unit tests see. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libcrypto.so";
}

/* Of the sanitizer, where there is one. */
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

/* What the house is made of and nobody else looks at. */
static struct {
    struct house house;
    struct rig rig;
    struct snapshot_holder *snapshots;
    struct store *store;
    struct secret *secret;
    struct identity_state *identities;
    atomic_uintptr_t doors_at[REPLICAS]; /* the mcps once more, for whoever waits on any thread */
} own;

const char *const house_roles[] = {"seller", "keeper",    "lister", "asker",
                                   "nobody", "elsewhere", "scoped"};

/* -- time: the linker brings these calls of the house to us (--wrap) ----------------------------
 */

enum { MOMENT_US = 100, LOOK_US = 250, BEAT_MS = 2 };

int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __real_nanosleep(const struct timespec *time, struct timespec *left);
int __real_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *until);

/* Naps look at the clock after it. */
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms) {
    const struct timespec moment = {.tv_nsec = LOOK_US * 1000L}, none = {0};
    return ppoll(fds, n, ms < 0 ? NULL : ms > 0 ? &moment : &none, NULL);
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left) {
    const struct timespec moment = {.tv_nsec = LOOK_US * 1000L};
    (void)time;
    return __real_nanosleep(&moment, left);
}

/* Within a replica: who waits for an answer, and its keepers of leases and news. */
static bool is_of_door(const pthread_cond_t *cond) {
    for (size_t i = 0; i < REPLICAS; i++) {
        uintptr_t mcp = atomic_load(&own.doors_at[i]), at = (uintptr_t)cond;
        if (mcp != 0 && at >= mcp && at < mcp + sizeof(struct mcp)) return true;
    }
    return false;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *until) {
    struct timespec soon;
    if (!is_of_door(cond)) return __real_pthread_cond_timedwait(cond, lock, until);
    clock_gettime(CLOCK_MONOTONIC, &soon);
    soon.tv_nsec += BEAT_MS * 1000000L;
    soon.tv_sec += soon.tv_nsec / 1000000000L;
    soon.tv_nsec %= 1000000000L;
    return __real_pthread_cond_timedwait(cond, lock, &soon);
}

/* -- configurations --------------------------------------------------------------------------- */

static struct str paths[] = {STR_INIT("/mcp"), STR_INIT("/mcp/v1")};
static struct str server[] = {STR_INIT("https://login.example.com")};
static const char weir_yaml[] = "auth:\n"
                                "  tool_scopes:\n"
                                "    run_select_sql: [query]\n"
                                "    'test_*': [read]\n";

static const char *tokens_of(const char *const *users, size_t n_users, struct arena *arena) {
    struct str text = STR("tokens:\n");
    for (size_t u = 0; u < n_users; u++)
        for (size_t i = 0; i < HOUSE_ROLES; i++) {
            bool is_scoped = strcmp(house_roles[i], "scoped") == 0;
            text = str_printf(arena, STR_FMT "  %s-%s: {user_id: %s, roles: [%s]%s}\n",
                              STR_ARG(text), users[u], house_roles[i], users[u],
                              is_scoped ? "keeper" : house_roles[i],
                              is_scoped ? ", scopes: [read]" : "");
        }
    return str_cstr(arena, text);
}

static struct snapshot *configuration(size_t n_users) {
    static const char *const users[] = {"ann", "bob"};
    struct snapshot *s = world_snapshot(&own.rig);
    struct identity_settings settings = {
        .require_auth = true, .auth_enabled = true, .authorization_servers = {server, 1, true}};
    struct problems problems;
    problems_init(&problems, &s->arena);
    struct identity_sources sources = {
        .settings = &settings,
        .weir = rig_yaml(&s->arena, weir_yaml),
        .auth = rig_yaml(&s->arena, tokens_of(users, n_users, &s->arena)),
        .enterprise = rig_yaml(&s->arena, world_enterprise),
        .weir_name = STR("weir.yaml"),
        .auth_name = STR("auth.yaml"),
        .enterprise_name = STR("enterprise.yaml"),
        .all_listeners_loopback = true};
    result r = identity_load(&sources, &s->arena, &problems, &s->identity);
    for (size_t i = 0; r.why != FAIL_NONE && i < problems.n; i++) {
        struct str text = problem_print(&problems.items[i], &s->arena);
        fprintf(stderr, STR_FMT "\n", STR_ARG(text));
    }
    MUST(r.why == FAIL_NONE);
    s->store = own.store;
    s->settings.task_after_ms = 2000;
    s->settings.queue_max = 64;
    s->settings.cache = (struct cache_settings){.is_enabled = true,
                                                .key_prefix = STR("c"),
                                                .list_tools_ttl_ms = 60000,
                                                .call_tool_ttl_ms = 60000,
                                                .max_item_bytes = 64 * KIB,
                                                .max_bytes = 4 * MIB};
    return s;
}

/* -- life ------------------------------------------------------------------------------------- */

static void open_replica(size_t i) {
    struct report report = {0};
    struct mcp_setup setup = {.road = own.rig.road,
                              .snapshots = own.snapshots,
                              .audit = own.rig.audit,
                              .store = own.store,
                              .secret = own.secret,
                              .identities = own.identities,
                              .clock = &own.rig.clock};
    static const struct gate gate;
    struct mcp *mcp = NULL;
    MUST(mcp_new(&setup, &mcp, &report).why == FAIL_NONE);
    own.house.mcps[i] = mcp;
    atomic_store(&own.doors_at[i], (uintptr_t)mcp);
    own.house.doors[i] =
        (struct http_door){.mcp = mcp, .gate = &gate, .paths = {paths, COUNT(paths), true}};
}

struct house *house_open(void) {
    struct store_settings memory = {.kind = STORE_MEMORY, .max_bytes = 256 * MIB, .wait_ms = 5000};
    struct report report = {0};
    struct http_settings http;
    rig_init(&own.rig);
    MUST(store_open(&memory, STR_NONE, &own.rig.clock, &own.store, &report).why == FAIL_NONE);
    MUST(identity_state_new(own.store, &own.rig.clock, &own.identities, &report).why == FAIL_NONE);
    MUST(secret_open(STR("0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"), NULL, &own.rig.clock,
                     &own.secret, &report)
             .why == FAIL_NONE);
    for (size_t i = 0; i < 2; i++) own.house.configurations[i] = configuration(2 - i);
    own.house.configuration = 0;
    own.snapshots = snapshot_holder_new(snapshot_ref(own.house.configurations[0]));
    MUST(own.snapshots != NULL);
    for (size_t i = 0; i < REPLICAS; i++) open_replica(i);
    option_defaults(http_options, &http);
    http.loops = 1;
    MUST(http_server_new(&own.house.server, &http, &own.rig.clock, &report).why == FAIL_NONE);
    return &own.house;
}

void house_close(struct house *house) {
    if (house == NULL) return;
    for (size_t i = 0; i < REPLICAS; i++) mcp_settle(house->mcps[i]);
    rig_end(&own.rig);
    for (size_t i = 0; i < REPLICAS; i++) mcp_settle(house->mcps[i]);
    http_server_free(house->server);
    for (size_t i = 0; i < REPLICAS; i++) {
        struct mcp *mcp = house->mcps[i];
        mcp_free(mcp);
        atomic_store(&own.doors_at[i], 0);
        house->mcps[i] = NULL;
    }
    snapshot_holder_free(own.snapshots);
    for (size_t i = 0; i < 2; i++) snapshot_unref(house->configurations[i]);
    identity_state_free(own.identities);
    secret_close(own.secret);
    store_close(own.store);
    rig_deinit(&own.rig);
    if (__lsan_do_recoverable_leak_check != NULL) MUST(__lsan_do_recoverable_leak_check() == 0);
}

/* -- use -------------------------------------------------------------------------------------- */

int house_connect(struct house *house, size_t replica) {
    int pair[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    MUST(http_server_adopt(house->server, 0, pair[1], http_door_serve, &house->doors[replica], NULL)
             .why == FAIL_NONE);
    return pair[0];
}

void house_turn(struct house *house) {
    loop_turn(http_server_loop(house->server, 0), 0);
}

void house_wait(void) {
    const struct timespec moment = {.tv_nsec = MOMENT_US * 1000L};
    (void)__real_nanosleep(&moment, NULL);
}

void house_pass(struct house *house, int64_t ms) {
    (void)house;
    clock_move(&own.rig.clock, ms);
    road_tick(own.rig.road);
    store_tick(own.store);
}

void house_reload(struct house *house) {
    house->configuration = 1 - house->configuration;
    snapshot_swap(own.snapshots, snapshot_ref(house->configurations[house->configuration]));
    for (size_t i = 0; i < REPLICAS; i++) mcp_changed(house->mcps[i], CHANGED_ALL);
}

static bool is_empty(pthread_mutex_t *lock, const struct link *list) {
    pthread_mutex_lock(lock);
    bool is_it = list_empty(list);
    pthread_mutex_unlock(lock);
    return is_it;
}

static const char *replica_busy(struct mcp *mcp) {
    if (pool_load(mcp->desk) > 0) return "somebody stands at the desk";
    if (!is_empty(&mcp->hub.lock, &mcp->hub.all)) return "somebody listens";
    if (!is_empty(&mcp->running.lock, &mcp->running.all)) return "a request runs";
    if (!is_empty(&mcp->asking.lock, &mcp->asking.waiting)) return "a question is out";
    if (!is_empty(&mcp->journals.lock, &mcp->journals.held)) return "a lease is held";
    return NULL;
}

bool house_works(struct house *house) {
    bool works = road_load(own.rig.road) > 0;
    for (size_t i = 0; i < REPLICAS; i++) {
        struct mcp *mcp = house->mcps[i];
        works =
            works || pool_load(mcp->desk) > 0 || !is_empty(&mcp->running.lock, &mcp->running.all);
    }
    return works;
}

const char *house_busy(struct house *house) {
    if (http_server_connections(house->server) > 0) return "a connection is open";
    if (road_load(own.rig.road) > 0) return "a call is on the road";
    for (size_t i = 0; i < REPLICAS; i++) {
        const char *busy = replica_busy(house->mcps[i]);
        if (busy != NULL) return busy;
    }
    /* Ours, and the holder's of the current one: each turn has one of its own. */
    for (size_t i = 0; i < 2; i++)
        if (house->configurations[i]->refs != (i == house->configuration ? 2U : 1U))
            return "a turn has not been freed";
    return NULL;
}
