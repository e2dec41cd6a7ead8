/* Sessions: log in with a token, see who one is, log out. */
#include "admin/desk.h"

static void put_time(struct json_writer *data, struct str key, int64_t ms) {
    char iso[CLOCK_ISO_MAX];
    json_put_text(data, key, clock_iso(ms, false, iso));
}

static void put_who(const struct desk *desk, struct json_writer *data) {
    const struct principal *p = &desk->call->principal;
    json_object(data);
    json_put_text(data, STR("user_id"), p->user_id);
    json_put_text(data, STR("name"), p->name);
    json_put_text(data, STR("auth_method"), p->auth_method);
    json_key(data, STR("roles"));
    json_array(data);
    for (size_t i = 0; i < p->n_roles; i++) json_text(data, p->roles[i]);
    json_array_end(data);
    if (desk->by_cookie) {
        json_put_text(data, STR("csrf_token"), desk->session.csrf);
        put_time(data, STR("created"), desk->session.created_ms);
        put_time(data, STR("last_seen"), desk->session.seen_ms);
        put_time(data, STR("ends"), desk->session.ends_ms);
    }
    json_object_end(data);
}

result login_show(struct desk *desk, struct json_writer *data, struct report *report) {
    (void)report;
    put_who(desk, data);
    return OK;
}

/* In the header, or as {"token":…} where a page has it from a field. */
static result find_token(struct desk *desk, struct str *out, struct report *report) {
    const struct json *body;
    struct str header = str_trim(http_header(desk->req, STR("Authorization")));
    TRY(desk_body(desk, &body, report));
    *out = json_get_text(body, STR("token"));
    if (str_istarts(header, STR("bearer ")) && out->len == 0)
        *out = str_trim(str_slice(header, 7, header.len));
    if (out->len > 0) return OK;
    result r = fail(report, FAIL_DENIED, "AUTH_REQUIRED", REPORT_NO_OFFSET, "no token was given");
    fail_hint(report, "Send {\"token\":\"…\"}, or the header 'Authorization: Bearer TOKEN'");
    return r;
}

result login_open(struct desk *desk, struct json_writer *data, struct report *report) {
    struct call *call = desk->call;
    struct admin_sessions *sessions = &desk->admin->sessions;
    struct str token;
    TRY(find_token(desk, &token, report));
    TRY(desk_try(desk, "login", report));
    struct str old = admin_cookie_read(sessions, &desk->origin, &desk->place, &call->arena);
    TRY(admin_session_open(sessions, call->snapshot->identity, desk->admin->setup.mcp->identities,
                           &desk->origin, token, &desk->place, old, &call->arena, &desk->session,
                           report));
    desk_tried(desk, "login");
    call->principal = desk->session.principal;
    desk->is_known = desk->by_cookie = true;
    desk->cookie = admin_cookie_write(sessions, desk->session.id, &desk->place, &call->arena);
    if (desk->cookie.ptr == NULL) return fail_memory(report);
    put_who(desk, data);
    return OK;
}

result login_end(struct desk *desk, struct json_writer *data, struct report *report) {
    struct call *call = desk->call;
    struct admin_sessions *sessions = &desk->admin->sessions;
    struct str cookie = admin_cookie_read(sessions, &desk->origin, &desk->place, &call->arena);
    TRY(admin_session_end(sessions, cookie, &call->arena, report));
    desk->cookie = admin_cookie_write(sessions, STR(""), &desk->place, &call->arena);
    json_object(data);
    json_put_bool(data, STR("logged_out"), true);
    json_object_end(data);
    return OK;
}
