/*
 * Who asks, and a server on loopback that is asked: it says what the test wants and notes what
 * came.
 */
#ifndef WEIR_TEST_ASKER_H
#define WEIR_TEST_ASKER_H

#include "../net/far.h"

#include "base/log.h"
#include "identity/provider.h"

#include <pthread.h>

#define NOW_S INT64_C(1795166100) /* 2026-11-20T09:15:00Z */

/* -- the server that is asked ----------------------------------------------------------------- */

struct issuer {
    struct far far;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int status;
    const char *says;
    char asked[4096]; /* head and body of the last request */
    int n_asked;
    bool holds; /* keeps the next one waiting */
    struct http_exchange *held;
};
static struct issuer issuer;

static inline void note(const struct http_request *req) {
    int n = snprintf(issuer.asked, sizeof issuer.asked, STR_FMT " " STR_FMT "\n",
                     STR_ARG(req->method), STR_ARG(req->target));
    for (size_t i = 0; i < req->n_headers; i++)
        n += snprintf(issuer.asked + n, sizeof issuer.asked - (size_t)n, STR_FMT ": " STR_FMT "\n",
                      STR_ARG(req->headers[i].name), STR_ARG(req->headers[i].value));
    snprintf(issuer.asked + n, sizeof issuer.asked - (size_t)n, STR_FMT, STR_ARG(req->body));
}

static inline void serve(void *ctx, struct http_exchange *x, const struct http_request *req) {
    (void)ctx;
    pthread_mutex_lock(&issuer.lock);
    note(req);
    issuer.n_asked++;
    bool is_held = issuer.holds;
    if (is_held) issuer.held = x;
    issuer.holds = false;
    int status = issuer.status;
    const char *says = issuer.says;
    pthread_cond_broadcast(&issuer.changed);
    pthread_mutex_unlock(&issuer.lock);
    if (!is_held) far_answer(x, status, (struct http_header){0}, str_of(says));
}

static inline void issuer_says(int status, const char *says) {
    pthread_mutex_lock(&issuer.lock);
    issuer.status = status;
    issuer.says = says;
    pthread_mutex_unlock(&issuer.lock);
}

static inline void answer_held(void *exchange) {
    pthread_mutex_lock(&issuer.lock);
    int status = issuer.status;
    const char *says = issuer.says;
    pthread_mutex_unlock(&issuer.lock);
    far_answer(exchange, status, (struct http_header){0}, str_of(says));
}

/* Answers the one that was kept waiting; who is still on his way is not kept any more. */
static inline void issuer_release(void) {
    pthread_mutex_lock(&issuer.lock);
    struct http_exchange *held = issuer.held;
    issuer.held = NULL;
    issuer.holds = false;
    pthread_mutex_unlock(&issuer.lock);
    if (held != NULL) assert_true(loop_post(http_loop(held), answer_held, held));
}

/* -- who asks it ------------------------------------------------------------------------------ */

static struct clock clock_now;
static struct arena arena;
static struct problems problems;
static struct report report;
static struct identity_state *state;
static const struct identity *identity;
static struct identity_settings settings;
static char token_header[256]; /* Authorization */
static const char *own_header; /* X-Session; NULL: absent */

static inline struct str header(const void *with, struct str name) {
    (void)with;
    if (str_ieq(name, STR("x-session"))) return str_of(own_header);
    bool is_token = str_ieq(name, STR("authorization")) && token_header[0] != '\0';
    return is_token ? str_of(token_header) : STR_NONE;
}

static inline const struct yaml *tree_of(const char *text) {
    const struct yaml *tree = NULL;
    assert_int_equal(yaml_read(str_of(text), STR("ent"), NULL, &arena, &tree, &report).why,
                     FAIL_NONE);
    return tree;
}

static inline result load(void) {
    struct identity_sources sources = {
        .settings = &settings,
        .enterprise = tree_of("users:\n"
                              "  ann: {name: Ann, roles: [reader], feishu_open_id: ou_ann}\n"
                              "roles: {reader: {}, writer: {}}\n"),
        .enterprise_name = STR("ent"),
        .auth = tree_of("tokens: {ours-and-nobody-elses: {user_id: carl}}\n"),
        .auth_name = STR("auth"),
    };
    problems_init(&problems, &arena);
    return identity_load(&sources, &arena, &problems, &identity);
}

static inline struct str url(const char *path) {
    return str_printf(&arena, "http://127.0.0.1:%u%s", issuer.far.port, path);
}

static inline void begin(void) {
    memset(&settings, 0, sizeof settings);
    arena_init(&arena, (size_t)(64 * MIB));
    option_defaults(identity_options, &settings);
    option_defaults(introspection_options, &settings.introspection);
    option_defaults(feishu_options, &settings.feishu);
    option_defaults(callout_options, &settings.callout);
    settings.resource = STR("https://weir.example/mcp");
    clock_scripted(&clock_now, NOW_S * 1000);
    assert_int_equal(identity_state_new(NULL, &clock_now, &state, NULL).why, FAIL_NONE);
    issuer.n_asked = 0;
}

static inline void end(void) {
    identity_state_free(state);
    arena_deinit(&arena);
}

static inline enum fail identify_by(struct arena *of_call, bool may_wait, struct principal *out,
                                    struct report *told) {
    struct origin origin = {.kind = ORIGIN_HTTP,
                            .header = header,
                            .peer = STR("10.0.0.7"),
                            .method = STR("POST"),
                            .target = STR("/mcp?x=1"),
                            .may_wait = may_wait};
    return identity_identify(identity, state, &origin, of_call, out, told).why;
}

static struct principal who;

static inline enum fail identify(const char *token) {
    snprintf(token_header, sizeof token_header, "Bearer %s", token);
    report_clear(&report);
    return identify_by(&arena, true, &who, &report);
}

/* As on a loop. */
static inline enum fail look(const char *token) {
    snprintf(token_header, sizeof token_header, "Bearer %s", token);
    report_clear(&report);
    return identify_by(&arena, false, &who, &report);
}

static inline void asker_start(void) {
    log_threshold(LOG_OFF);
    pthread_mutex_init(&issuer.lock, NULL);
    pthread_cond_init(&issuer.changed, NULL);
    far_start(&issuer.far, serve, NULL, NULL);
}

#endif
