/*
 * rig.h - a road with all that it needs, in a directory of its own: policy and tables as text, a
 * real audit log, a clock that the test moves. The tests of the floors above drive it too.
 */
#ifndef WEIR_TEST_ROAD_RIG_H
#define WEIR_TEST_ROAD_RIG_H

#include "backend/backend.h"
#include "base/fault.h"
#include "base/log.h"
#include "road/road.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define RIG_TIME INT64_C(1795166100123) /* 2026-11-20T09:15:00.123Z */

/* Two tables, one column of which nobody may read; three roles, one of which may come rarely. */
static const char rig_policy[] = "default_project: shop\n"
                                 "tables:\n"
                                 "  shop.orders: {denied_columns: [phone]}\n"
                                 "  shop.days: {}\n";
static const char rig_enterprise[] =
    "roles:\n"
    "  reader: {allowed_tools: [list_allowed_tables, describe_table, run_select_sql]}\n"
    "  lister: {allowed_tools: [list_allowed_tables]}\n"
    "  rare: {allowed_tools: ['*'], rate_limit: 2/minute}\n";
static const char rig_schema[] = "tables:\n"
                                 "  shop.orders:\n"
                                 "    columns:\n"
                                 "      - {name: id, type: bigint}\n"
                                 "      - {name: phone, type: string}\n"
                                 "  shop.days:\n"
                                 "    columns:\n"
                                 "      - {name: day, type: string}\n";

struct rig {
    char root[64], logs[80], state[80];
    struct clock clock;
    struct audit_settings settings;
    struct arena arena; /* the test's own */
    struct snapshot *snapshot;
    struct audit *audit;
    struct policy_limiter *limiter;
    struct road *road;
};

static void rig_release(struct snapshot *s) {
    backend_set_unref(s->backends);
    arena_deinit(&s->arena);
    free(s);
}

static inline const struct yaml *rig_yaml(struct arena *arena, const char *text) {
    const struct yaml *tree = NULL;
    struct report report = {0};
    result r = yaml_read(str_of(text), STR("text"), NULL, arena, &tree, &report);
    assert_string_equal(report.sentence, "");
    assert_int_equal(r.why, FAIL_NONE);
    return tree;
}

static inline void rig_write(const char *dir, const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* What a house is made of; its backend is named "paper" and cannot run anything. */
struct rig_house {
    const char *policy, *enterprise, *schema;
};
static const struct rig_house rig_shop = {rig_policy, rig_enterprise, rig_schema};

static inline void rig_open_backends(struct rig *rig, const char *schema, struct snapshot *s,
                                     struct problems *problems) {
    rig_write(rig->root, "schema.yaml", schema);
    struct backend_setup base = {.file = STR("weir.yaml"),
                                 .config_dir = str_of(rig->root),
                                 .state_dir = str_of(rig->state),
                                 .default_project = STR("shop")};
    const struct yaml *list =
        rig_yaml(&s->arena, "- {name: paper, kind: schema, file: schema.yaml}\n");
    result r = backend_set_open(list, &base, problems, &s->backends);
    assert_int_equal(r.why, FAIL_NONE);
}

static inline struct snapshot *rig_snapshot(struct rig *rig, const struct rig_house *house) {
    struct snapshot *s = calloc(1, sizeof *s);
    struct problems problems;
    assert_non_null(s);
    s->refs = 1;
    s->release = rig_release;
    arena_init(&s->arena, 64 * MIB);
    problems_init(&problems, &s->arena);
    struct policy_sources sources = {.policy = rig_yaml(&s->arena, house->policy),
                                     .enterprise = rig_yaml(&s->arena, house->enterprise),
                                     .policy_name = STR("policy.yaml"),
                                     .enterprise_name = STR("enterprise.yaml"),
                                     .policy_text = STR("text")};
    result r = policy_load(&sources, &s->arena, &problems, &s->policy);
    assert_int_equal(r.why, FAIL_NONE);
    r = catalog_load(NULL, STR_NONE, STR("shop"), &s->arena, &problems, &s->catalog);
    assert_int_equal(r.why, FAIL_NONE);
    rig_open_backends(rig, house->schema, s, &problems);
    assert_int_equal(problems.n_errors, 0);
    s->settings = (struct call_settings){.reply_max_bytes = 1 * MIB, .queue_max = 16};
    return s;
}

static inline void rig_open_audit(struct rig *rig) {
    struct report report = {0};
    result r = audit_open(&rig->settings, str_of(rig->logs), str_of(rig->state), &rig->clock,
                          &rig->audit, &report);
    assert_string_equal(report.sentence, "");
    assert_int_equal(r.why, FAIL_NONE);
}

static inline void rig_open_road(struct rig *rig, size_t max_queued) {
    struct report report = {0};
    struct road_setup setup = {.audit = rig->audit,
                               .limiter = rig->limiter,
                               .clock = &rig->clock,
                               .max_queued = max_queued};
    assert_int_equal(road_new(&setup, &rig->road, &report).why, FAIL_NONE);
}

static inline void rig_init(struct rig *rig) {
    memset(rig, 0, sizeof *rig);
    log_threshold(LOG_OFF);
    snprintf(rig->root, sizeof rig->root, "%s", "road-test-XXXXXX");
    assert_non_null(mkdtemp(rig->root));
    snprintf(rig->logs, sizeof rig->logs, "%s/logs", rig->root);
    snprintf(rig->state, sizeof rig->state, "%s/state", rig->root);
    assert_int_equal(mkdir(rig->state, 0700), 0);
    clock_scripted(&rig->clock, RIG_TIME);
    rig->settings = (struct audit_settings){
        .sync = AUDIT_EVERYSEC, .file = STR("audit.jsonl"), .queue_bytes = 16 * MIB};
    arena_init(&rig->arena, 64 * MIB);
    rig->limiter = policy_limiter_new();
    assert_non_null(rig->limiter);
    rig_open_audit(rig);
    rig->snapshot = rig_snapshot(rig, &rig_shop);
    rig_open_road(rig, 16);
}

static inline void rig_empty(const char *path) {
    DIR *dir = opendir(path);
    if (dir == NULL) return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.') unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
    rmdir(path);
}

/* Ends the road and the log: then all that was submitted stands in the file. */
static inline void rig_end(struct rig *rig) {
    road_free(rig->road);
    audit_close(rig->audit);
    rig->road = NULL;
    rig->audit = NULL;
}

static inline void rig_deinit(struct rig *rig) {
    rig_end(rig);
    snapshot_unref(rig->snapshot);
    policy_limiter_free(rig->limiter);
    arena_deinit(&rig->arena);
    rig_empty(rig->logs);
    rig_empty(rig->state);
    rig_empty(rig->root);
}

/* -- the log ---------------------------------------------------------------------------------- */

struct rig_log {
    const struct json *lines[4096];
    size_t n;
};

static inline const struct json *rig_json(struct arena *arena, struct str text) {
    const struct json *value = NULL;
    struct report report = {0};
    result r = json_read(text, NULL, arena, &value, &report);
    assert_string_equal(report.sentence, "");
    assert_int_equal(r.why, FAIL_NONE);
    return value;
}

/* All whole lines of the log as they stand in the file now. */
static inline void rig_read_log(struct rig *rig, struct rig_log *log) {
    char path[128];
    snprintf(path, sizeof path, "%s/audit.jsonl", rig->logs);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *line = NULL;
    size_t cap = 0;
    log->n = 0;
    for (ssize_t len; (len = getline(&line, &cap, file)) > 0;) {
        assert_true(log->n < COUNT(log->lines));
        struct str kept = str_dup(&rig->arena, (struct str){line, (size_t)len - 1});
        log->lines[log->n++] = rig_json(&rig->arena, kept);
    }
    free(line);
    fclose(file);
}

/* The record of that id, or NULL. */
static inline const struct json *rig_record(const struct rig_log *log, const char *audit_id) {
    for (size_t i = 0; i < log->n; i++)
        if (json_is_text(json_get(log->lines[i], STR("audit_id")), str_of(audit_id)))
            return log->lines[i];
    return NULL;
}

/* -- calls ------------------------------------------------------------------------------------ */

/* Who waits for calls to come back, on whatever thread. */
struct rig_waiter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t n_back;
};
#define RIG_WAITER                                                                                 \
    { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 }

static inline void rig_back(struct call *call) {
    struct rig_waiter *waiter = call->owner;
    pthread_mutex_lock(&waiter->lock);
    waiter->n_back++;
    pthread_cond_broadcast(&waiter->changed);
    pthread_mutex_unlock(&waiter->lock);
}

static inline void rig_wait(struct rig_waiter *waiter, size_t n) {
    pthread_mutex_lock(&waiter->lock);
    while (waiter->n_back < n) pthread_cond_wait(&waiter->changed, &waiter->lock);
    pthread_mutex_unlock(&waiter->lock);
}

static inline struct principal rig_principal(const char *role) {
    static const struct str roles[] = {STR_INIT("reader"), STR_INIT("lister"), STR_INIT("rare")};
    struct principal p = {.user_id = STR("ann"), .auth_method = STR("test"), .token_id = STR("t1")};
    for (size_t i = 0; i < COUNT(roles); i++)
        if (str_eq(roles[i], str_of(role))) p.roles = &roles[i];
    assert_non_null(p.roles);
    p.n_roles = 1;
    return p;
}

/* `arguments` is JSON or NULL. */
static inline struct call *rig_call(struct rig *rig, struct rig_waiter *waiter, const char *role,
                                    const char *tool, const char *arguments) {
    struct call *call = call_new(rig->snapshot, &rig->clock);
    assert_non_null(call);
    call->principal = rig_principal(role);
    call->tool_name = str_of(tool);
    call->origin.method = STR("tools/call");
    if (arguments != NULL) call->arguments = rig_json(&call->arena, str_of(arguments));
    call->owner = waiter;
    call->done = rig_back;
    return call;
}

/* Walks, waits, and reads the envelope. */
static inline const struct json *rig_walk(struct rig *rig, struct call *call) {
    struct rig_waiter waiter = RIG_WAITER;
    call->owner = &waiter;
    road_walk(rig->road, call);
    rig_wait(&waiter, 1);
    return rig_json(&rig->arena, str_dup(&rig->arena, buf_flat(&call->reply, &call->arena)));
}

static inline const char *rig_text(const struct json *value, const char *pointer,
                                   struct arena *arena) {
    const struct json *at = json_at(value, str_of(pointer));
    return at != NULL && at->type == JSON_STRING ? str_cstr(arena, at->text) : "(none)";
}

#endif
