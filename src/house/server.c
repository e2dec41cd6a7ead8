#include "house/server.h"

#include "base/limits.h"
#include "base/log.h"
#include "house/welcome.h"
#include "mcp/http_door.h"
#include "mcp/stdio_door.h"

#include <errno.h>
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

static void reload(struct house *house, struct mcp *mcp) {
    struct arena arena;
    struct problems problems;
    struct report report = {0};
    arena_init(&arena, CONFIG_PROBLEM_BYTES_MAX);
    problems_init(&problems, &arena);
    result r = house_reload(house, &problems, &report);
    log_problems(&problems, &arena);
    if (r.why == FAIL_NONE) {
        log_line(LOG_INFO, "reloaded", STR_NONE, "the configuration was read again");
        mcp_changed(mcp, CHANGED_ALL);
    } else {
        log_line(LOG_ERROR, "reload_failed", STR_NONE, "%s; the old configuration stays",
                 report.sentence);
    }
    arena_deinit(&arena);
}

/* -- HTTP ------------------------------------------------------------------------------------- */

struct serving {
    struct house *house;
    struct mcp *mcp;
    struct http_server *server;
    struct http_door *doors; /* one a listener */
};

static result listen_all(struct serving *s, struct report *report) {
    const struct settings *settings = s->house->settings;
    s->doors = calloc(settings->n_listeners, sizeof *s->doors);
    if (s->doors == NULL) return fail_memory(report);
    for (size_t i = 0; i < settings->n_listeners; i++) {
        const struct listener *l = &settings->listeners[i];
        uint16_t port;
        s->doors[i] = (struct http_door){s->mcp,
                                         &settings->gate,
                                         l->paths,
                                         {l->toolsets.items, l->toolsets.n, l->toolsets.is_set}};
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

/* Until a signal says stop; once a second road and store tidy up. */
static void wait_for_stop(struct house *house, struct mcp *mcp) {
    sigset_t set = our_signals();
    for (;;) {
        struct timespec second = {.tv_sec = 1};
        int signal = sigtimedwait(&set, NULL, &second);
        if (signal == SIGHUP) reload(house, mcp);
        if (signal == SIGTERM || signal == SIGINT) return;
        road_tick(house->road);
        store_tick(house->store);
    }
}

static result serve_http(struct serving *s, struct report *report) {
    const struct settings *settings = s->house->settings;
    TRY(http_server_new(&s->server, &settings->http, s->house->clock, report));
    http_server_on_refusal(s->server, http_door_refused, s->mcp);
    TRY(listen_all(s, report));
    TRY(http_server_start(s->server, report));
    wait_for_stop(s->house, s->mcp);
    log_line(LOG_INFO, "draining", STR_NONE, "%zu connections are open",
             http_server_connections(s->server));
    http_server_drain(s->server);
    http_server_join(s->server);
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
    result r = house->settings->server.transport == TRANSPORT_STDIO ? serve_stdio(&s, report)
                                                                    : serve_http(&s, report);
    /* Nobody takes turns any more. What stands at the desk may still go on the road, and what ends
     * there goes over the desk to the loops, which are the server's: so in this order. */
    mcp_settle(s.mcp);
    road_free(house->road);
    house->road = NULL;
    audit_close(house->audit);
    house->audit = NULL;
    mcp_settle(s.mcp);
    http_server_free(s.server);
    free(s.doors);
    mcp_free(s.mcp);
    return r;
}
