#include "house/server.h"

#include "admin/admin.h"
#include "base/limits.h"
#include "base/log.h"
#include "house/tending.h"
#include "house/welcome.h"
#include "mcp/http_door.h"
#include "mcp/stdio_door.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static sigset_t our_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

void server_block_signals(void) {
    sigset_t set = our_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* a peer that left is told by write(2) */
    signal(SIGXFSZ, SIG_IGN); /* so is a full file */
}

/* -- reload ----------------------------------------------------------------------------------- */

static void log_problems(const struct problems *problems, struct arena *arena) {
    for (size_t i = 0; i < problems->n; i++) {
        struct str text = problem_print(&problems->items[i], arena);
        enum log_level level = problems->items[i].severity == SEVERITY_ERROR ? LOG_ERROR : LOG_WARN;
        log_line(level, "config_problem", STR_NONE, STR_FMT, STR_ARG(text));
    }
}

struct serving {
    struct house *house;
    struct mcp *mcp;
    struct admin *admin;
    struct http_server *server;
    struct http_door *doors; /* one a listener */
    struct arena arena;      /* of texts that live as long */
    pthread_mutex_t reloading;
};

/* By a signal, or by a keeper; one at a time. */
static result reload(void *with, struct report *report) {
    struct serving *s = with;
    struct arena arena;
    struct problems problems;
    arena_init(&arena, CONFIG_PROBLEM_BYTES_MAX);
    problems_init(&problems, &arena);
    pthread_mutex_lock(&s->reloading);
    result r = house_reload(s->house, &problems, report);
    pthread_mutex_unlock(&s->reloading);
    log_problems(&problems, &arena);
    if (r.why == FAIL_NONE) {
        log_line(LOG_INFO, "reloaded", STR_NONE, "the configuration was read again");
        mcp_changed(s->mcp, CHANGED_ALL);
    } else {
        log_line(LOG_ERROR, "reload_failed", STR_NONE, "%s; the old configuration stays",
                 report->sentence);
    }
    arena_deinit(&arena);
    return r;
}

/* -- HTTP ------------------------------------------------------------------------------------- */

static bool serves_keepers(const struct settings *settings, const struct listener *listener) {
    bool is_near = settings_is_loopback(listener->host);
    return settings->admin.enabled == ADMIN_YES ||
           (settings->admin.enabled == ADMIN_AUTO && is_near);
}

static result listen_all(struct serving *s, struct report *report) {
    const struct settings *settings = s->house->settings;
    s->doors = calloc(settings->n_listeners, sizeof *s->doors);
    if (s->doors == NULL) return fail_memory(report);
    for (size_t i = 0; i < settings->n_listeners; i++) {
        const struct listener *l = &settings->listeners[i];
        uint16_t port;
        s->doors[i] =
            (struct http_door){.mcp = s->mcp,
                               .gate = &settings->gate,
                               .paths = l->paths,
                               .toolsets = {l->toolsets.items, l->toolsets.n, l->toolsets.is_set},
                               .keepers = serves_keepers(settings, l) ? admin_serve : NULL,
                               .keeper = s->admin};
        result r = http_server_listen(s->server, l->host, (uint16_t)l->port, http_door_serve,
                                      &s->doors[i], &port, report);
        if (r.why == FAIL_IO)
            fail_hint(report, "If another program listens there, --port N takes another port");
        TRY(r);
        log_line(LOG_INFO, "listening", STR_NONE, STR_FMT ":%u", STR_ARG(l->host), port);
        if (i == 0) welcome_print(settings, l->host, port);
    }
    return OK;
}

/* Until a signal says stop; once a second the house is tended. */
static void wait_for_stop(struct serving *s, struct tending *tending) {
    sigset_t set = our_signals();
    for (;;) {
        struct timespec second = {.tv_sec = 1};
        int signal = sigtimedwait(&set, NULL, &second);
        struct report report = {0};
        if (signal == SIGHUP && reload(s, &report).why != FAIL_NONE) continue; /* it is told */
        if (signal == SIGTERM || signal == SIGINT) return;
        tending_tick(tending);
    }
}

static result open_admin(struct serving *s, struct report *report) {
    const struct settings *settings = s->house->settings;
    struct admin_setup setup = {.mcp = s->mcp,
                                .session = &settings->admin_session,
                                .csrf = &settings->admin_csrf,
                                .auth_local = config_auth_local(&s->house->setup, &s->arena),
                                .bootstrap_secret = str_of(getenv("ADMIN_BOOTSTRAP_SECRET")),
                                .reload = reload,
                                .with = s};
    if (setup.auth_local.ptr == NULL) return fail_memory(report);
    return admin_new(&setup, &s->admin, report);
}

static result serve_http(struct serving *s, struct report *report) {
    const struct settings *settings = s->house->settings;
    struct http_settings http = settings->http;
    http.drain_timeout = tending_cut_ms(settings->http.drain_timeout);
    TRY(open_admin(s, report));
    TRY(http_server_new(&s->server, &http, s->house->clock, report));
    http_server_on_refusal(s->server, http_door_refused, s->mcp);
    TRY(listen_all(s, report));
    TRY(http_server_start(s->server, report));
    struct tending tending = {.server = s->server, .mcp = s->mcp};
    wait_for_stop(s, &tending);
    tending_drain(&tending, settings->http.drain_timeout);
    return OK;
}

static result serve_stdio(struct serving *s, struct report *report) {
    const char *token = getenv("WEIR_TOKEN");
    sigset_t set = our_signals();
    pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* the end of a client is the end of its input */
    return stdio_door_serve(s->mcp, str_of(token), STDIN_FILENO, STDOUT_FILENO, report);
}

result server_run(struct house *house, struct report *report) {
    struct serving s = {.house = house};
    struct mcp_setup setup = {.road = house->road,
                              .snapshots = house->snapshots,
                              .audit = house->audit,
                              .store = house->store,
                              .secret = house->secret,
                              .identities = house->identities,
                              .clock = house->clock};
    TRY(mcp_new(&setup, &s.mcp, report));
    pthread_mutex_init(&s.reloading, NULL);
    arena_init(&s.arena, 2 * PATH_MAX);
    result r = house->settings->server.transport == TRANSPORT_STDIO ? serve_stdio(&s, report)
                                                                    : serve_http(&s, report);
    /* Nobody takes turns any more. What stands at the desk may still go on the road, and what ends
     * there goes over the desk to the loops, which are the server's: so in this order. */
    admin_settle(s.admin);
    mcp_settle(s.mcp);
    road_free(house->road);
    house->road = NULL;
    audit_close(house->audit);
    house->audit = NULL;
    mcp_settle(s.mcp);
    http_server_free(s.server);
    free(s.doors);
    admin_free(s.admin);
    mcp_free(s.mcp);
    arena_deinit(&s.arena);
    pthread_mutex_destroy(&s.reloading);
    return r;
}
