#include "identity/introspection.h"

#include "base/limits.h"
#include "base/log.h"
#include "identity/answers.h"
#include "identity/provider.h"
#include "identity/room.h"
#include "text/base64.h"
#include "text/json.h"

static const char *const auth_choices[] = {"basic", "post", NULL};
static const char *const unknown_choices[] = {"refuse", "accept", NULL};

#define AT(member) .offset = offsetof(struct introspection_settings, member)
const struct option introspection_options[] = {
    {.name = "url",
     .type = OPTION_TEXT,
     AT(url),
     .fallback = "",
     .env = "MCP_INTROSPECTION_URL",
     .reloadable = true,
     .sentence = "Where an authorization server tells whose an opaque token is (RFC 7662); https "
                 "(http to this machine alone). Without it nobody is asked."},
    {.name = "client_id",
     .type = OPTION_TEXT,
     AT(client_id),
     .fallback = "",
     .env = "MCP_INTROSPECTION_CLIENT_ID",
     .reloadable = true,
     .sentence = "Who we are to that server."},
    {.name = "client_secret",
     .type = OPTION_TEXT,
     AT(client_secret),
     .fallback = "",
     .env = "MCP_INTROSPECTION_CLIENT_SECRET",
     .reloadable = true,
     .sentence = "Our secret there."},
    {.name = "client_auth",
     .type = OPTION_CHOICE,
     AT(client_auth),
     .fallback = "basic",
     .choices = auth_choices,
     .reloadable = true,
     .sentence = "How we show it: in the header Authorization, or in the form."},
    {.name = "issuer",
     .type = OPTION_LIST,
     AT(issuers),
     .reloadable = true,
     .sentence = "What `iss` of the answer must be; without it none is looked for."},
    {.name = "audience",
     .type = OPTION_LIST,
     AT(audiences),
     .reloadable = true,
     .sentence = "One of which `aud` of the answer must name; `auth.resource` counts too."},
    {.name = "required_scopes",
     .type = OPTION_LIST,
     AT(scopes),
     .reloadable = true,
     .sentence = "Scopes that every token must have; those of single tools stand in "
                 "`auth.tool_scopes`."},
    {.name = "user_claims",
     .type = OPTION_LIST,
     AT(user_claims),
     .reloadable = true,
     .sentence = "Members of the answer that may name the user, the first that is there counts; "
                 "`sub`, `username`, `client_id` where nothing is set."},
    {.name = "role_claims",
     .type = OPTION_LIST,
     AT(role_claims),
     .reloadable = true,
     .sentence = "Members of the answer whose texts are roles, by name or JSON Pointer; none where "
                 "nothing is set."},
    {.name = "unknown_users",
     .type = OPTION_CHOICE,
     AT(unknown_users),
     .fallback = "refuse",
     .choices = unknown_choices,
     .reloadable = true,
     .sentence = "Whether users whom enterprise.yaml does not name come in."},
    {.name = "cache",
     .type = OPTION_DURATION,
     AT(cache_ms),
     .fallback = "60s",
     .min = 0,
     .max = ANSWERS_TTL_MS_MAX,
     .unit = "s",
     .reloadable = true,
     .sentence = "How long an answer counts, at most until the token ends: so long may one that "
                 "was taken back still be good. 0 asks at every call."},
    {.name = "timeout",
     .type = OPTION_DURATION,
     AT(timeout_ms),
     .fallback = "5s",
     .min = 10,
     .max = ISSUER_TIMEOUT_MS_MAX,
     .unit = "s",
     .reloadable = true,
     .sentence = "How long the server may take to answer."},
    {.name = "clock_skew",
     .type = OPTION_DURATION,
     AT(clock_skew_ms),
     .fallback = "0s",
     .min = 0,
     .max = ISSUER_SKEW_MS_MAX,
     .unit = "s",
     .reloadable = true,
     .sentence = "How far its clock may be from ours."},
    {.name = NULL}};
#undef AT

/* -- loading ---------------------------------------------------------------------------------- */

static struct str_list list_or(const struct option_list *list, const struct str *usual, size_t n) {
    return list->is_set ? (struct str_list){list->items, list->n} : (struct str_list){usual, n};
}

/* What the settings name, and our own URI. */
static result read_audiences(const struct introspection_settings *settings, struct str ours,
                             struct arena *arena, struct str_list *out) {
    size_t n = settings->audiences.n;
    struct str *all = arena_new_array(arena, n + 1, struct str);
    if (all == NULL) return fail_memory(NULL);
    if (n > 0) memcpy(all, settings->audiences.items, n * sizeof *all);
    all[n] = ours;
    *out = (struct str_list){all, ours.len > 0 ? n + 1 : n};
    return OK;
}

static void check(const struct introspection_settings *settings, size_t n_audiences,
                  struct problems *problems) {
    static const struct str room = STR_INIT("introspection");
    if (!room_is_safe_url(settings->url))
        problem_add(problems, SEVERITY_ERROR, room, NULL,
                    "url must be https://…, or http:// to this machine");
    if (n_audiences == 0) {
        problem_add(problems, SEVERITY_ERROR, room, NULL,
                    "tokens are taken whomever they are for: there is no audience");
        problem_hint(problems, "set auth.resource or introspection.audience");
    }
    if ((settings->client_id.len == 0) != (settings->client_secret.len == 0))
        problem_add(problems, SEVERITY_ERROR, room, NULL,
                    "client_id and client_secret belong together");
}

result introspection_load(const struct identity_sources *sources, const struct identity *identity,
                          struct arena *arena, struct problems *problems,
                          struct introspection *out) {
    static const struct str usual[] = {STR_INIT("sub"), STR_INIT("username"),
                                       STR_INIT("client_id")};
    const struct introspection_settings *settings = &sources->settings->introspection;
    *out = (struct introspection){0};
    if (settings->url.len == 0 || !sources->settings->auth_enabled) return OK;
    out->settings = settings;
    out->rules = (struct jwt_rules){.issuers = list_or(&settings->issuers, NULL, 0),
                                    .scopes = list_or(&settings->scopes, NULL, 0),
                                    .skew_s = settings->clock_skew_ms / 1000};
    out->reading = (struct claims_reading){
        .user_claims = list_or(&settings->user_claims, usual, COUNT(usual)),
        .role_claims = list_or(&settings->role_claims, NULL, 0),
        .takes_unknown_users = settings->unknown_users == ISSUER_UNKNOWN_ACCEPT};
    TRY(read_audiences(settings, identity->resource.uri, arena, &out->rules.audiences));
    check(settings, out->rules.audiences.n, problems);
    return OK;
}

/* -- asking ----------------------------------------------------------------------------------- */

/* RFC 6749 2.3.1: both encoded as in a form, then as RFC 7617 wants it. */
static struct str basic_of(const struct introspection_settings *settings, struct arena *arena) {
    struct buf pair, encoded;
    struct str text = STR_NONE;
    buf_init(&pair, (size_t)ISSUER_FORM_BYTES_MAX);
    buf_init(&encoded, (size_t)ISSUER_FORM_BYTES_MAX);
    fetch_add_form(&pair, settings->client_id, settings->client_secret);
    text = buf_take(&pair, arena);
    size_t cut = str_find_byte(text, '=');
    if (text.ptr != NULL) {
        text = str_printf(arena, STR_FMT ":" STR_FMT, STR_ARG(str_slice(text, 0, cut)),
                          STR_ARG(str_slice(text, cut + 1, text.len)));
        base64_encode(&encoded, text);
    }
    struct str value = buf_take(&encoded, arena);
    return value.len == 0 ? STR_NONE : str_printf(arena, "Basic " STR_FMT, STR_ARG(value));
}

static struct str form_of(const struct introspection_settings *settings, struct str token,
                          struct arena *arena) {
    struct buf form;
    buf_init(&form, (size_t)ISSUER_FORM_BYTES_MAX);
    fetch_add_form(&form, STR("token"), token);
    fetch_add_form(&form, STR("token_type_hint"), STR("access_token"));
    if (settings->client_auth == INTROSPECTION_POST && settings->client_id.len > 0) {
        fetch_add_form(&form, STR("client_id"), settings->client_id);
        fetch_add_form(&form, STR("client_secret"), settings->client_secret);
    }
    return buf_take(&form, arena);
}

static result post(const struct identifying *who, struct str token, struct fetch_reply *reply,
                   struct report *report) {
    const struct introspection_settings *settings = who->identity->introspection.settings;
    struct http_header headers[3] = {
        {STR("Accept"), STR("application/json")},
        {STR("Content-Type"), STR("application/x-www-form-urlencoded")},
        {STR("Authorization"), STR_NONE}};
    bool is_basic = settings->client_auth == INTROSPECTION_BASIC && settings->client_id.len > 0;
    if (is_basic) headers[2].value = basic_of(settings, who->arena);
    struct fetch_request request = {.url = settings->url,
                                    .headers = headers,
                                    .n_headers = is_basic ? 3 : 2,
                                    .body = form_of(settings, token, who->arena),
                                    .timeout_ms = settings->timeout_ms,
                                    .max_bytes = (size_t)ANSWER_BYTES_MAX,
                                    .settings = &who->identity->fetch};
    if (request.body.ptr == NULL || (is_basic && headers[2].value.ptr == NULL))
        return fail_memory(report);
    return fetch(who->state->fetcher, &request, who->arena, reply, report);
}

/* The object of the answer; NULL: it is none. */
static const struct json *read(struct str text, struct arena *arena) {
    static const struct json_limits limits = {
        .depth = JWT_DEPTH_MAX, .members = JWT_MEMBERS_MAX, .bytes = ANSWER_BYTES_MAX};
    const struct json *said;
    if (json_read(text, &limits, arena, &said, NULL).why != FAIL_NONE) return NULL;
    return said->type == JSON_OBJECT ? said : NULL;
}

static enum jwt_verdict judge_said(const struct identifying *who, const struct json *said) {
    int64_t now_s = clock_wall_ms(who->state->clock) / 1000;
    return jwt_judge(said, &who->identity->introspection.rules, now_s, who->arena);
}

/* What is no good is kept all the same: it will be no better until then. */
static void keep(const struct identifying *who, const struct json *said, struct str text,
                 struct answer *out) {
    int64_t ttl_ms = who->identity->introspection.settings->cache_ms;
    const struct json *exp = json_get(said, STR("exp"));
    int64_t left_ms = exp == NULL || !exp->is_integer || exp->integer > JWT_TIME_MAX
                          ? ttl_ms
                          : exp->integer * 1000 - clock_wall_ms(who->state->clock);
    enum jwt_verdict verdict = judge_said(who, said);
    if (verdict != JWT_GOOD)
        log_line(LOG_WARN, "introspection_refused", STR_NONE, "%s", jwt_verdict_name(verdict));
    *out = (struct answer){text, left_ms < ttl_ms ? left_ms : ttl_ms};
}

static result ask(const struct identifying *who, struct str token, struct answer *out,
                  struct report *report) {
    struct fetch_reply reply;
    struct report why = {0};
    result r = post(who, token, &reply, &why);
    if (r.why == FAIL_MEMORY) return fail_memory(report);
    if (r.why != FAIL_NONE) return issuer_unavailable(report, "introspection", why.sentence);
    if (reply.status == 401 || reply.status == 403)
        return issuer_unavailable(report, "introspection", "our client credentials are refused");
    const struct json *said = reply.status == 200 ? read(reply.body, who->arena) : NULL;
    const struct json *active = json_get(said, STR("active"));
    if (who->arena->is_spent) return fail_memory(report);
    if (active == NULL || (active->type != JSON_TRUE && active->type != JSON_FALSE))
        return issuer_unavailable(report, "introspection", "no answer as RFC 7662 has it");
    if (json_is_true(active))
        keep(who, said, reply.body, out);
    else
        *out = (struct answer){STR_NONE, ANSWERS_UNKNOWN_MS};
    return OK;
}

/* -- the judge -------------------------------------------------------------------------------- */

static result judge(const struct identifying *who, struct str token, bool *is_known,
                    struct principal *out, struct report *report) {
    const struct introspection_settings *settings = who->identity->introspection.settings;
    struct str text;
    if (settings == NULL) return OK;
    struct answers_question question = {"introspection", STR_NONE, token, ask};
    question.issuer = str_printf(who->arena, STR_FMT "\n" STR_FMT, STR_ARG(settings->url),
                                 STR_ARG(settings->client_id));
    if (question.issuer.ptr == NULL) return fail_memory(report);
    TRY(answers_get(who, &question, &text, report));
    if (text.ptr == NULL) return OK;
    const struct json *said = read(text, who->arena);
    if (said == NULL) return fail_memory(report);
    enum jwt_verdict verdict = judge_said(who, said);
    if (verdict == JWT_GOOD)
        verdict = claims_principal(who, said, &who->identity->introspection.reading, out);
    out->auth_method = STR("introspection");
    out->token_id = token_shown(token, who->arena);
    if (who->arena->is_spent) return fail_memory(report);
    *is_known = verdict == JWT_GOOD;
    return *is_known ? OK : token_refuse_claims(report, verdict);
}

const struct token_judge judge_introspection = {"introspection", judge};
