#include "admin/admin.h"

#include "admin/desk.h"
#include "base/fault.h"
#include "base/limits.h"

#include <stdlib.h>

static const char *const enabled_words[] = {"auto", "true", "false", NULL};

const struct option admin_options[] = {
    {.name = "enabled",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct admin_settings, enabled),
     .fallback = "auto",
     .choices = enabled_words,
     .sentence = "Whether listeners serve /admin; `auto`: those on loopback do."},
    {.name = NULL}};

static void at_work(void *admin, struct call *call) {
    (void)admin;
    desk_work(call->owner);
}

result admin_new(const struct admin_setup *setup, struct admin **out, struct report *report) {
    struct admin *admin = fault_now() ? NULL : calloc(1, sizeof *admin);
    if (admin == NULL) return fail_memory(report);
    admin->setup = *setup;
    admin->sessions =
        (struct admin_sessions){setup->mcp->store, setup->mcp->clock, setup->session, setup->csrf};
    admin->kind = (struct pool_class){"admin", ADMIN_THREADS, ADMIN_QUEUE_MAX};
    admin->pool = pool_new(&admin->kind, at_work, admin);
    if (admin->pool == NULL) {
        free(admin);
        return fail_memory(report);
    }
    *out = admin;
    return OK;
}

void admin_settle(struct admin *admin) {
    if (admin != NULL) pool_wait(admin->pool);
}

void admin_free(struct admin *admin) {
    if (admin == NULL) return;
    pool_free(admin->pool);
    free(admin);
}

/* -- finding the route ------------------------------------------------------------------------ */

static bool is_path(struct str pattern, struct str path, struct str *id) {
    while (pattern.ptr != NULL && path.ptr != NULL) {
        struct str want = str_cut(&pattern, '/'), have = str_cut(&path, '/');
        bool is_id = str_eq(want, STR("{id}"));
        if (is_id && have.len > 0)
            *id = have;
        else if (!str_eq(want, have))
            return false;
    }
    return pattern.ptr == NULL && path.ptr == NULL;
}

/* `allowed` gets the methods of the path, where the request's is none of them. */
static const struct route *find(struct desk *desk, struct str *allowed) {
    struct arena *arena = &desk->call->arena;
    for (const struct route *route = routes; route->method != NULL; route++) {
        if (!is_path(str_of(route->path), desk->req->path, &desk->id)) continue;
        if (str_eq(str_of(route->method), desk->req->method)) return route;
        *allowed = str_printf(arena, STR_FMT "%s%s", STR_ARG(*allowed),
                              allowed->len > 0 ? ", " : "", route->method);
    }
    return NULL;
}

/* -- whose page it is -------------------------------------------------------------------------- */

/* The very host that was asked. A page over TLS counts as ours also where a proxy before us ended
 * the TLS; one without never does where we speak TLS ourselves. */
static bool is_own_origin(const struct http_request *req, struct str origin) {
    struct str host = STR_NONE;
    if (str_istarts(origin, STR("https://"))) host = str_slice(origin, 8, origin.len);
    if (str_istarts(origin, STR("http://")) && !req->is_tls)
        host = str_slice(origin, 7, origin.len);
    return host.len > 0 && str_ieq(host, req->host);
}

enum page { PAGE_FOREIGN = 0, PAGE_UNSAID, PAGE_OURS };

/* What a browser says of the page behind a request, in either of two ways; programs say nothing. */
static enum page page_of(const struct http_request *req) {
    struct str site = http_header(req, STR("Sec-Fetch-Site"));
    struct str origin = http_header(req, STR("Origin"));
    bool is_same = str_eq(site, STR("same-origin"));
    if (http_header_count(req, STR("Origin")) > 1 ||
        http_header_count(req, STR("Sec-Fetch-Site")) > 1)
        return PAGE_FOREIGN;
    if (site.ptr != NULL && !is_same && !str_eq(site, STR("none"))) return PAGE_FOREIGN;
    if (origin.ptr != NULL && !is_own_origin(req, origin)) return PAGE_FOREIGN;
    return is_same || origin.ptr != NULL ? PAGE_OURS : PAGE_UNSAID;
}

/* A cookie comes along with whatever a page makes the browser send, so that silence is not enough
 * where it would count. */
static bool is_page_fit(const struct desk *desk) {
    enum page page = page_of(desk->req);
    bool is_bearer = http_header_count(desk->req, STR("Authorization")) > 0;
    if (page != PAGE_UNSAID) return page == PAGE_OURS;
    bool has_cookie = http_header_count(desk->req, STR("Cookie")) > 0;
    return !desk->route->is_change || is_bearer || !has_cookie;
}

/* -- the door --------------------------------------------------------------------------------- */

static struct str header_of(const void *req, struct str name) {
    return http_header(req, name);
}

static size_t header_count_of(const void *req, struct str name) {
    return http_header_count(req, name);
}

/* As gate.c lets them through; with any port, or none. */
static bool is_loopback_host(struct str host) {
    static const struct str names[] = {STR_INIT("localhost"), STR_INIT("127.0.0.1"),
                                       STR_INIT("[::1]")};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str rest = str_slice(host, names[i].len, host.len);
        if (str_istarts(host, names[i]) && (rest.len == 0 || rest.ptr[0] == ':')) return true;
    }
    return false;
}

static struct desk *desk_new(struct admin *admin, struct http_exchange *x,
                             const struct http_request *req) {
    struct snapshot *snapshot = snapshot_take(admin->setup.mcp->snapshots);
    struct call *call = call_new(snapshot, admin->setup.mcp->clock);
    snapshot_unref(snapshot);
    struct desk *desk = call == NULL ? NULL : arena_new(&call->arena, struct desk);
    if (desk == NULL) {
        call_free(call);
        return NULL;
    }
    *desk = (struct desk){.admin = admin,
                          .call = call,
                          .exchange = x,
                          .req = req,
                          .loop = http_loop(x),
                          .status = 200};
    desk->origin = (struct origin){.kind = ORIGIN_HTTP,
                                   .header = header_of,
                                   .header_count = header_count_of,
                                   .with = req,
                                   .peer = req->peer,
                                   .peer_is_loopback = req->peer_is_loopback,
                                   .method = req->method,
                                   .target = req->target,
                                   .body = req->body,
                                   .may_wait = true};
    desk->is_near_host = is_loopback_host(req->host);
    desk->place = (struct admin_place){
        .peer = req->peer, .host = req->host, .is_secure = req->is_tls || !desk->is_near_host};
    call->owner = desk;
    call->origin.peer = req->peer;
    return desk;
}

static result check(struct desk *desk, struct report *report) {
    const struct http_request *req = desk->req;
    desk->route = find(desk, &desk->allowed);
    if (desk->route == NULL && desk->allowed.len > 0)
        return fail(report, FAIL_INPUT, "METHOD_NOT_ALLOWED", REPORT_NO_OFFSET,
                    "this path does not take this method");
    if (desk->route == NULL)
        return fail(report, FAIL_ABSENT, "NOT_FOUND", REPORT_NO_OFFSET,
                    "there is nothing at this path");
    if (req->host.len == 0)
        return fail(report, FAIL_INPUT, "BAD_REQUEST", REPORT_NO_OFFSET, "a Host is needed");
    if (!is_page_fit(desk))
        return fail(report, FAIL_DENIED, "ORIGIN_NOT_ALLOWED", REPORT_NO_OFFSET,
                    "only pages of this server may ask this");
    return OK;
}

void admin_serve(void *ctx, struct http_exchange *x, const struct http_request *req) {
    struct admin *admin = ctx;
    struct desk *desk = desk_new(admin, x, req);
    if (desk == NULL) {
        http_reply(x, 503, NULL, 0, NULL);
        return;
    }
    if (check(desk, &desk->call->report).why != FAIL_NONE) {
        desk_refuse(desk);
    } else if (!pool_submit(admin->pool, desk->call)) {
        (void)fail(&desk->call->report, FAIL_BUSY, "BUSY", REPORT_NO_OFFSET,
                   "all places are taken; come back later");
        desk_refuse(desk);
    }
}
