/* The first run: a house without a keeper makes its first one, once. */
#include "admin/desk.h"
#include "admin/token_file.h"
#include "base/limits.h"
#include "identity/digest.h"
#include "store/store.h"
#include "text/bind.h"

#define LEASE STR("admin:bootstrap")

/* As the file is now: another replica may have written it since we read it. */
static result has_keeper(struct desk *desk, bool *out, struct report *report) {
    struct arena *arena = &desk->call->arena;
    struct str text;
    *out = identity_has_admin(desk->call->snapshot->identity);
    if (*out) return OK;
    const char *path = str_cstr(arena, desk->admin->setup.auth_local);
    if (path == NULL) return fail_memory(report);
    TRY(token_file_read(path, arena, &text, report));
    *out = token_file_has_role(text, ROLE_ADMIN, arena);
    return OK;
}

result setup_show(struct desk *desk, struct json_writer *data, struct report *report) {
    bool has;
    TRY(has_keeper(desk, &has, report));
    json_object(data);
    json_put_bool(data, STR("needs_setup"), !has);
    json_put_bool(data, STR("needs_secret"), !desk_is_local(desk));
    json_object_end(data);
    return OK;
}

/* Both hashed first, so that the time tells nothing of the length either. */
static bool is_secret(struct str ours, struct str theirs) {
    uint8_t a[DIGEST_SIZE], b[DIGEST_SIZE];
    if (ours.len == 0 || !digest_sha256(ours, a) || !digest_sha256(theirs, b)) return false;
    return str_eq_secret((struct str){(const char *)a, sizeof a},
                         (struct str){(const char *)b, sizeof b});
}

static result check_caller(struct desk *desk, const struct json *body, struct report *report) {
    struct str secret = json_get_text(body, STR("secret"));
    if (secret.ptr == NULL && desk_is_local(desk)) return OK;
    if (is_secret(desk->admin->setup.bootstrap_secret, secret)) return OK;
    result r = fail(report, FAIL_DENIED, "AUTH_REQUIRED", REPORT_NO_OFFSET,
                    "the first keeper is made from this machine, or with the bootstrap secret");
    fail_hint(report, "ADMIN_BOOTSTRAP_SECRET in the server's environment sets it");
    return r;
}

static result setup_done(struct report *report) {
    return fail(report, FAIL_DENIED, "SETUP_DONE", REPORT_NO_OFFSET,
                "there is a keeper already; the next one's token is made by `weir token new`");
}

static result write_token(struct desk *desk, const struct token_row *row, struct report *report) {
    struct arena *arena = &desk->call->arena;
    struct str name = desk->admin->setup.auth_local, text, next;
    const char *path = str_cstr(arena, name);
    if (path == NULL) return fail_memory(report);
    TRY(token_file_read(path, arena, &text, report));
    TRY(token_file_splice(text, name, row, arena, &next, report));
    TRY(token_file_write(path, next, report));
    return desk->admin->setup.reload(desk->admin->setup.with, report);
}

static result make_keeper(struct desk *desk, struct str user_id, struct json_writer *data,
                          struct report *report) {
    char token[TOKEN_TEXT_SIZE], hash[TOKEN_HASH_SIZE];
    bool has;
    TRY(has_keeper(desk, &has, report));
    if (has) return setup_done(report);
    token_new(token);
    token_hash(str_of(token), hash);
    struct token_row row = {str_of(hash), user_id, ROLE_ADMIN};
    TRY(write_token(desk, &row, report));
    desk->call->principal = (struct principal){.user_id = user_id, .auth_method = STR("bootstrap")};
    desk->is_known = true;
    json_object(data);
    json_put_text(data, STR("user_id"), user_id);
    json_put_text(data, STR("token"), str_of(token));
    json_object_end(data);
    return OK;
}

/* One at a time, of all replicas. */
static result make_alone(struct desk *desk, struct str user_id, struct json_writer *data,
                         struct report *report) {
    struct store *store = desk->admin->sessions.store;
    struct store_item lease = {.key = LEASE, .ttl_ms = ADMIN_TRY_MS};
    uint64_t version;
    TRY(store_put_new(store, &lease, &version, report));
    if (version == STORE_ABSENT)
        return fail(report, FAIL_BUSY, "BUSY", REPORT_NO_OFFSET,
                    "somebody is being made the first keeper right now");
    result r = make_keeper(desk, user_id, data, report);
    struct report unused = {0};
    bool was_there;
    if (store_remove(store, LEASE, version, &was_there, &unused).why != FAIL_NONE) return r;
    return r;
}

result setup_bootstrap(struct desk *desk, struct json_writer *data, struct report *report) {
    const struct json *body;
    bool has;
    TRY(has_keeper(desk, &has, report));
    if (has) return setup_done(report);
    TRY(desk_try(desk, "bootstrap", report));
    TRY(desk_body(desk, &body, report));
    TRY(check_caller(desk, body, report));
    const struct json *named = json_get(body, STR("user_id"));
    struct str user_id = named == NULL ? STR("admin") : json_get_text(body, STR("user_id"));
    if (!bind_is_name(user_id))
        return fail(report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                    "user_id must be a name of printable characters, not too long");
    return make_alone(desk, user_id, data, report);
}
