#include "admin/desk.h"

#include "base/limits.h"
#include "base/log.h"
#include "road/record.h"

/* -- the answer ------------------------------------------------------------------------------- */

/* Where the transport itself has to say it; the table's 200 is for answers of tools. */
static int status_of(const struct report *report) {
    static const struct {
        const char *code;
        int status;
    } rows[] = {{"RATE_LIMIT_EXCEEDED", 429}, {"BUSY", 503},          {"STORE_UNAVAILABLE", 503},
                {"AUDIT_UNAVAILABLE", 503},   {"STORE_FULL", 503},    {"OUT_OF_MEMORY", 503},
                {"INVALID_ARGUMENT", 400},    {"CONFIG_INVALID", 500}};
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].code, report->code) == 0) return rows[i].status;
    const struct code *code = code_find(report->code);
    if (code->http_status != 200) return code->http_status;
    return code->outcome == CODE_D ? 403 : 500;
}

static void write_error(struct desk *desk) {
    struct report *report = &desk->call->report;
    struct json_writer w;
    const struct code *code = code_find(report->code);
    bool is_ours = strcmp(code->name, "INTERNAL_ERROR") == 0;
    buf_clear(&desk->call->reply);
    json_writer_init(&w, &desk->call->reply);
    json_object(&w);
    json_put_bool(&w, STR("ok"), false);
    json_key(&w, STR("error"));
    json_object(&w);
    json_put_text(&w, STR("code"), str_of(code->name));
    json_put_text(&w, STR("message"), str_of(is_ours ? code->meaning : report->sentence));
    if (report->hint[0] != '\0') json_put_text(&w, STR("hint"), str_of(report->hint));
    json_object_end(&w);
    json_put_text(&w, STR("audit_id"), str_of(desk->call->audit_id));
    json_object_end(&w);
}

/* For every answer: nothing is kept, framed, guessed at or given to a page of somebody else. */
enum { HEADERS = 7, MORE_HEADERS = 2 };
static void reply(struct desk *desk) {
    struct http_header headers[HEADERS + MORE_HEADERS] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("Cache-Control"), STR("no-store")},
        {STR("X-Content-Type-Options"), STR("nosniff")},
        {STR("Content-Security-Policy"), STR("default-src 'none'; frame-ancestors 'none'")},
        {STR("Cross-Origin-Resource-Policy"), STR("same-origin")},
        {STR("Referrer-Policy"), STR("no-referrer")},
        {STR("Vary"), STR("Cookie, Authorization, Origin")}};
    size_t n = HEADERS;
    if (desk->cookie.len > 0) headers[n++] = (struct http_header){STR("Set-Cookie"), desk->cookie};
    if (desk->status == 429 || desk->status == 503)
        headers[n++] = (struct http_header){STR("Retry-After"), STR("60")};
    if (desk->status == 405) headers[n++] = (struct http_header){STR("Allow"), desk->allowed};
    http_reply(desk->exchange, desk->status, headers, n, &desk->call->reply);
    call_free(desk->call);
}

static void reply_task(struct loop_task *task) {
    reply(holder_of(task, struct desk, task));
}

static void post(struct desk *desk) {
    desk->task.run = reply_task;
    loop_post_task(desk->loop, &desk->task);
}

/* Its cookie goes out all the same: the session may have moved with this request. */
static void fail_over(struct desk *desk) {
    desk->status = status_of(&desk->call->report);
    write_error(desk);
}

/* Strangers are counted, not written one by one. */
static void count_stranger(struct desk *desk) {
    const char *code = code_find(desk->call->report.code)->name;
    if (!desk->is_known) road_refused(desk->admin->setup.mcp->road, desk->req->peer, code);
}

void desk_refuse(struct desk *desk) {
    count_stranger(desk);
    fail_over(desk);
    reply(desk);
}

/* -- who, and may they ------------------------------------------------------------------------ */

static result by_bearer(struct desk *desk, struct report *report) {
    struct call *call = desk->call;
    TRY(identity_identify(call->snapshot->identity, desk->admin->setup.mcp->identities,
                          &desk->origin, &call->arena, &call->principal, report));
    /* Where nobody is asked for a token, everybody would be a keeper. */
    if (str_eq(call->principal.auth_method, STR("development"))) {
        call->principal = (struct principal){0};
        return fail(report, FAIL_DENIED, "AUTH_REQUIRED", REPORT_NO_OFFSET,
                    "keepers need a token, also where authentication is off");
    }
    desk->is_known = true;
    return OK;
}

static result by_session(struct desk *desk, struct report *report) {
    struct call *call = desk->call;
    struct admin_sessions *sessions = &desk->admin->sessions;
    struct str cookie = admin_cookie_read(sessions, &desk->origin, &desk->place, &call->arena);
    result r = admin_session_find(sessions, call->snapshot->identity, cookie, &desk->place,
                                  &call->arena, &desk->session, report);
    if (r.why != FAIL_NONE) {
        if (cookie.ptr != NULL && r.why == FAIL_DENIED) /* it will never be good again */
            desk->cookie = admin_cookie_write(sessions, STR(""), &desk->place, &call->arena);
        return r;
    }
    call->principal = desk->session.principal;
    desk->is_known = desk->by_cookie = true;
    if (desk->session.id.len > 0)
        desk->cookie = admin_cookie_write(sessions, desk->session.id, &desk->place, &call->arena);
    return OK;
}

/* Headers of a gateway are no credential here: a browser behind it would bear them along with
 * whatever any page makes it send. */
static result identify(struct desk *desk, struct report *report) {
    bool is_bearer = http_header_count(desk->req, STR("Authorization")) > 0;
    return is_bearer ? by_bearer(desk, report) : by_session(desk, report);
}

static result check_csrf(struct desk *desk, struct report *report) {
    if (!desk->route->is_change || !desk->by_cookie) return OK;
    bool is_once = http_header_count(desk->req, STR("X-CSRF-Token")) == 1;
    struct str token = http_header(desk->req, STR("X-CSRF-Token"));
    if (is_once && admin_session_is_csrf(&desk->session, token)) return OK;
    result r = fail(report, FAIL_DENIED, "CSRF_INVALID", REPORT_NO_OFFSET,
                    "the request does not bear the session's CSRF token");
    fail_hint(report, "GET /admin/api/session tells it; it is sent as X-CSRF-Token");
    return r;
}

static result admit(struct desk *desk, struct report *report) {
    if (desk->route->needs == NEEDS_NOBODY) return OK;
    TRY(identify(desk, report));
    TRY(check_csrf(desk, report));
    if (desk->route->needs == NEEDS_PERSON) return OK;
    if (principal_has_role(&desk->call->principal, ROLE_ADMIN)) return OK;
    return fail(report, FAIL_DENIED, "ADMIN_REQUIRED", REPORT_NO_OFFSET,
                "this needs the role mcp_admin");
}

/* -- what the functions of routes ask for ------------------------------------------------------ */

result desk_body(struct desk *desk, const struct json **out, struct report *report) {
    struct str type = http_header(desk->req, STR("Content-Type"));
    *out = NULL;
    if (desk->req->body.len == 0) return OK;
    /* No form of a page can send this type. */
    if (!str_ieq(str_trim(str_cut(&type, ';')), STR("application/json")))
        return fail(report, FAIL_INPUT, "UNSUPPORTED_MEDIA_TYPE", REPORT_NO_OFFSET,
                    "the body must be of type application/json");
    TRY(json_read(desk->req->body, NULL, &desk->call->arena, out, report));
    if ((*out)->type != JSON_OBJECT)
        return fail(report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                    "the body must be an object");
    desk->call->arguments = *out;
    return OK;
}

static struct str try_key(struct desk *desk, const char *what) {
    return str_printf(&desk->call->arena, "admin:try:%s:" STR_FMT, what, STR_ARG(desk->req->peer));
}

result desk_try(struct desk *desk, const char *what, struct report *report) {
    struct store *store = desk->admin->sessions.store;
    struct str key = try_key(desk, what);
    int64_t n;
    if (store == NULL)
        return fail(report, FAIL_IO, "STORE_UNAVAILABLE", REPORT_NO_OFFSET,
                    "no store is there to count attempts in");
    if (key.ptr == NULL) return fail_memory(report);
    TRY(store_add(store, key, 1, ADMIN_TRY_MS, &n, report));
    if (n <= ADMIN_TRIES_MAX) return OK;
    return fail(report, FAIL_LIMIT, "RATE_LIMIT_EXCEEDED", REPORT_NO_OFFSET,
                "too many attempts from this address; come back in a minute");
}

void desk_tried(struct desk *desk, const char *what) {
    struct str key = try_key(desk, what);
    struct report unused = {0};
    int64_t n;
    if (key.ptr == NULL ||
        store_add(desk->admin->sessions.store, key, -1, ADMIN_TRY_MS, &n, &unused).why != FAIL_NONE)
        return; /* one attempt the less for an honest keeper */
}

bool desk_is_local(const struct desk *desk) {
    static const struct str names[] = {STR_INIT("Forwarded"), STR_INIT("X-Forwarded-For"),
                                       STR_INIT("X-Real-IP"), STR_INIT("Via")};
    for (size_t i = 0; i < COUNT(names); i++)
        if (http_header_count(desk->req, names[i]) > 0) return false;
    return desk->req->peer_is_loopback && desk->is_near_host;
}

/* -- at work ---------------------------------------------------------------------------------- */

/* On the log's thread. */
static void recorded(void *with, result how) {
    struct desk *desk = ((struct call *)with)->owner;
    if (how.why != FAIL_NONE) {
        report_clear(&desk->call->report);
        (void)fail(&desk->call->report, how.why, "AUDIT_UNAVAILABLE", REPORT_NO_OFFSET,
                   "the record could not be written, so nothing is answered");
        if (desk->route->run == login_open) desk->cookie = STR_NONE; /* not on record: not in */
        fail_over(desk);
    }
    post(desk);
}

static void record(struct desk *desk) {
    struct call *call = desk->call;
    call->tool_name = STR("admin");
    call->origin.method = str_printf(&call->arena, STR_FMT " " STR_FMT, STR_ARG(desk->req->method),
                                     STR_ARG(desk->req->path));
    bool is_ok = call->report.why == FAIL_NONE;
    call->verdict.effect = is_ok ? EFFECT_ALLOW : EFFECT_DENY;
    call->verdict.rule = STR("admin");
    result r = record_submit(desk->admin->setup.mcp->audit, call, "admin", recorded);
    if (r.why != FAIL_NONE) recorded(call, r);
}

static result run(struct desk *desk) {
    struct report *report = &desk->call->report;
    struct json_writer w;
    TRY(admit(desk, report));
    json_writer_init(&w, &desk->call->reply);
    json_object(&w);
    json_put_bool(&w, STR("ok"), true);
    json_key(&w, STR("data"));
    TRY(desk->route->run(desk, &w, report));
    json_object_end(&w);
    TRY(buf_failed(&desk->call->reply, report));
    return desk->call->arena.is_spent ? fail_memory(report) : OK;
}

void desk_work(struct desk *desk) {
    result r = run(desk);
    if (r.why != FAIL_NONE) {
        if (desk->call->report.code == NULL)
            (void)fail(&desk->call->report, r.why, "INTERNAL_ERROR", REPORT_NO_OFFSET,
                       "the request failed");
        count_stranger(desk);
        fail_over(desk);
    }
    if (desk->route->is_change && desk->is_known)
        record(desk);
    else
        post(desk);
}
