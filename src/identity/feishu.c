#include "identity/feishu.h"

#include "base/limits.h"
#include "identity/answers.h"
#include "identity/provider.h"
#include "identity/room.h"
#include "text/json.h"

#define AT(member) .offset = offsetof(struct feishu_settings, member)
const struct option feishu_options[] = {
    {.name = "enabled",
     .type = OPTION_BOOL,
     AT(is_enabled),
     .fallback = "false",
     .env = "FEISHU_ENABLED",
     .reloadable = true,
     .sentence = "Takes user access tokens of Feishu as bearer tokens."},
    {.name = "userinfo_url",
     .type = OPTION_TEXT,
     AT(userinfo_url),
     .fallback = "",
     .env = "FEISHU_USERINFO_URL",
     .reloadable = true,
     .sentence = "Where Feishu tells whose a token is: "
                 "`https://open.feishu.cn/open-apis/authen/v1/user_info`."},
    {.name = "cache",
     .type = OPTION_DURATION,
     AT(cache_ms),
     .fallback = "60s",
     .min = 0,
     .max = ANSWERS_TTL_MS_MAX,
     .unit = "s",
     .reloadable = true,
     .sentence = "How long an answer counts: so long may a token that was taken back still be "
                 "good. 0 asks at every call."},
    {.name = "timeout",
     .type = OPTION_DURATION,
     AT(timeout_ms),
     .fallback = "5s",
     .min = 10,
     .max = ISSUER_TIMEOUT_MS_MAX,
     .unit = "s",
     .reloadable = true,
     .sentence = "How long Feishu may take to answer."},
    {.name = NULL}};
#undef AT

const struct feishu_settings *feishu_load(const struct identity_sources *sources,
                                          const struct identity *identity,
                                          struct problems *problems) {
    static const struct str room = STR_INIT("feishu");
    const struct feishu_settings *settings = &sources->settings->feishu;
    if (!settings->is_enabled || !sources->settings->auth_enabled) return NULL;
    if (!room_is_safe_url(settings->userinfo_url)) {
        problem_add(problems, SEVERITY_ERROR, room, NULL,
                    "userinfo_url must be https://…, or http:// to this machine");
        problem_hint(problems, "set FEISHU_USERINFO_URL");
    }
    if (identity->users_by[USER_ID_FEISHU].n_live == 0)
        problem_add(problems, SEVERITY_WARNING, room, NULL,
                    "no user of enterprise.yaml has a feishu_open_id, so that nobody comes in");
    return settings;
}

/* -- asking ----------------------------------------------------------------------------------- */

static result get(const struct identifying *who, struct str token, struct fetch_reply *reply,
                  struct report *report) {
    const struct feishu_settings *settings = who->identity->feishu;
    struct http_header header = {STR("Authorization"),
                                 str_printf(who->arena, "Bearer " STR_FMT, STR_ARG(token))};
    struct fetch_request request = {.url = settings->userinfo_url,
                                    .headers = &header,
                                    .n_headers = 1,
                                    .timeout_ms = settings->timeout_ms,
                                    .max_bytes = (size_t)ANSWER_BYTES_MAX,
                                    .settings = &who->identity->fetch};
    if (header.value.ptr == NULL) return fail_memory(report);
    return fetch(who->state->fetcher, &request, who->arena, reply, report);
}

/* What Feishu said; NULL: nothing that we understand. */
static const struct json *read(struct str text, struct arena *arena) {
    static const struct json_limits limits = {
        .depth = JWT_DEPTH_MAX, .members = JWT_MEMBERS_MAX, .bytes = ANSWER_BYTES_MAX};
    const struct json *said;
    if (json_read(text, &limits, arena, &said, NULL).why != FAIL_NONE) return NULL;
    const struct json *code = json_get(said, STR("code"));
    return code != NULL && code->type == JSON_NUMBER && code->is_integer ? said : NULL;
}

static struct str open_id(const struct json *said) {
    return json_get_text(json_get(said, STR("data")), STR("open_id"));
}

/* A token that is none is answered by a code, under 200 or 4xx; what we did wrong, too (a rate that
 * was passed), but then with 429 or 5xx. */
static result ask(const struct identifying *who, struct str token, struct answer *out,
                  struct report *report) {
    struct fetch_reply reply;
    struct report why = {0};
    result r = get(who, token, &reply, &why);
    if (r.why == FAIL_MEMORY) return fail_memory(report);
    if (r.why != FAIL_NONE) return issuer_unavailable(report, "feishu", why.sentence);
    bool is_answer = reply.status == 200 || reply.status == 400 || reply.status == 401;
    const struct json *said = is_answer ? read(reply.body, who->arena) : NULL;
    if (who->arena->is_spent) return fail_memory(report);
    if (said == NULL) return issuer_unavailable(report, "feishu", "no answer that we understand");
    bool is_good = reply.status == 200 && json_get(said, STR("code"))->integer == 0;
    if (is_good && open_id(said).len == 0)
        return issuer_unavailable(report, "feishu", "an answer without an open_id");
    if (is_good)
        *out = (struct answer){reply.body, who->identity->feishu->cache_ms};
    else
        *out = (struct answer){STR_NONE, ANSWERS_UNKNOWN_MS};
    return OK;
}

/* -- the judge -------------------------------------------------------------------------------- */

static result judge(const struct identifying *who, struct str token, bool *is_known,
                    struct principal *out, struct report *report) {
    const struct feishu_settings *settings = who->identity->feishu;
    struct str text;
    if (settings == NULL) return OK;
    struct answers_question question = {"feishu", settings->userinfo_url, token, ask};
    TRY(answers_get(who, &question, &text, report));
    if (text.ptr == NULL) return OK;
    const struct json *said = read(text, who->arena);
    if (said == NULL) return fail_memory(report);
    const struct identity_user *user =
        identity_user_by(who->identity, USER_ID_FEISHU, open_id(said));
    if (user == NULL) return token_refuse(report, "the bearer token is not accepted");
    *out = (struct principal){.auth_method = STR("feishu"),
                              .scopes.is_set = true, /* such a token has none of ours */
                              .token_id = token_shown(token, who->arena)};
    TRY(principal_join(out, user, who->arena));
    *is_known = true;
    return who->arena->is_spent ? fail_memory(report) : OK;
}

const struct token_judge judge_feishu = {"feishu", judge};
