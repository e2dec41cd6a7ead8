#include "identity/callout.h"

#include "base/limits.h"
#include "base/rand.h"
#include "identity/answers.h"
#include "identity/callout_process.h"
#include "identity/provider.h"
#include "identity/room.h"
#include "text/json.h"

static const char *const unknown_choices[] = {"refuse", "accept", NULL};

#define AT(member) .offset = offsetof(struct callout_settings, member)
const struct option callout_options[] = {
    {.name = "url",
     .type = OPTION_TEXT,
     AT(url),
     .fallback = "",
     .env = "MCP_AUTH_CALLOUT_URL",
     .reloadable = true,
     .sentence = "A service that is asked, by POST, whose the `headers` of a request are; https "
                 "(http to this machine alone)."},
    {.name = "secret",
     .type = OPTION_TEXT,
     AT(secret),
     .fallback = "",
     .env = "MCP_AUTH_CALLOUT_SECRET",
     .reloadable = true,
     .sentence = "What we show that service, as `Authorization: Bearer`."},
    {.name = "command",
     .type = OPTION_LIST,
     AT(command),
     .reloadable = true,
     .sentence = "Instead of a service, a program: its absolute path and arguments. It is kept "
                 "running, and gets and gives a line of JSON for each question."},
    {.name = "processes",
     .type = OPTION_INT,
     AT(processes),
     .fallback = "2",
     .min = 1,
     .max = CALLOUT_PROCESSES_MAX,
     .reloadable = true,
     .sentence = "How many of that program run at most."},
    {.name = "headers",
     .type = OPTION_LIST,
     AT(headers),
     .reloadable = true,
     .sentence = "Headers that are credentials: it is asked about requests with one of them, and "
                 "sees no other header."},
    {.name = "unknown_users",
     .type = OPTION_CHOICE,
     AT(unknown_users),
     .fallback = "refuse",
     .choices = unknown_choices,
     .reloadable = true,
     .sentence = "Whether users whom enterprise.yaml does not name come in."},
    {.name = "timeout",
     .type = OPTION_DURATION,
     AT(timeout_ms),
     .fallback = "5s",
     .min = 10,
     .max = ISSUER_TIMEOUT_MS_MAX,
     .unit = "s",
     .reloadable = true,
     .sentence = "How long it may take to answer; a program that takes longer is killed."},
    {.name = NULL}};
#undef AT

#define AUTHORIZATION STR("authorization")

static bool is_listed(const struct callout_settings *settings, struct str name) {
    for (size_t i = 0; i < settings->headers.n; i++)
        if (str_ieq(settings->headers.items[i], name)) return true;
    return false;
}

/* -- loading ---------------------------------------------------------------------------------- */

static void complain(struct problems *problems, const char *text) {
    problem_add(problems, SEVERITY_ERROR, STR("callout"), NULL, "%s", text);
}

static void check_headers(const struct callout_settings *settings, struct problems *problems) {
    if (settings->headers.n == 0) complain(problems, "headers must name what is a credential");
    if (settings->headers.n > CALLOUT_HEADERS_MAX) complain(problems, "there are too many headers");
    for (size_t i = 0; i < settings->headers.n; i++)
        if (!http1_token_valid(settings->headers.items[i]))
            complain(problems, "one of the headers is no name of a header");
}

const struct callout_settings *callout_load(const struct identity_sources *sources,
                                            struct problems *problems) {
    const struct callout_settings *settings = &sources->settings->callout;
    bool has_url = settings->url.len > 0, has_command = settings->command.n > 0;
    if ((!has_url && !has_command) || !sources->settings->auth_enabled) return NULL;
    if (has_url && has_command)
        complain(problems, "url and command do not stand together: one of them is asked");
    if (has_url && !room_is_safe_url(settings->url))
        complain(problems, "url must be https://…, or http:// to this machine");
    if (has_command && !str_starts(settings->command.items[0], STR("/")))
        complain(problems, "command must begin with the absolute path of a program");
    check_headers(settings, problems);
    return settings;
}

/* -- the question ----------------------------------------------------------------------------- */

static void put_headers(const struct identifying *who, struct json_writer *w) {
    const struct option_list *names = &who->identity->callout->headers;
    json_object(w);
    for (size_t i = 0; i < names->n; i++) {
        struct str value = identifying_header(who, names->items[i]);
        struct str name = str_lower(who->arena, names->items[i]);
        if (value.ptr != NULL) json_put_text(w, name, value);
    }
    json_object_end(w);
}

/* What the answer depends on: the key that it is kept under. */
static struct str credential_of(const struct identifying *who) {
    struct buf text;
    struct json_writer w;
    buf_init(&text, (size_t)ISSUER_FORM_BYTES_MAX);
    json_writer_init(&w, &text);
    json_array(&w);
    json_text(&w, who->origin->peer);
    put_headers(who, &w);
    json_array_end(&w);
    return buf_take(&text, who->arena);
}

static struct str question_of(const struct identifying *who, struct str id) {
    struct str target = who->origin->target;
    struct buf text;
    struct json_writer w;
    buf_init(&text, (size_t)ISSUER_FORM_BYTES_MAX);
    json_writer_init(&w, &text);
    json_object(&w);
    json_put_text(&w, STR("id"), id);
    json_put_text(&w, STR("method"), who->origin->method);
    json_put_text(&w, STR("path"), str_slice(target, 0, str_find_byte(target, '?')));
    json_put_text(&w, STR("peer"), who->origin->peer);
    json_key(&w, STR("headers"));
    put_headers(who, &w);
    json_object_end(&w);
    return buf_take(&text, who->arena);
}

static result post(const struct identifying *who, struct str question, struct str *text,
                   struct report *why) {
    const struct callout_settings *settings = who->identity->callout;
    struct fetch_reply reply;
    struct http_header headers[2] = {{STR("Content-Type"), STR("application/json")},
                                     {STR("Authorization"), STR_NONE}};
    if (settings->secret.len > 0)
        headers[1].value = str_printf(who->arena, "Bearer " STR_FMT, STR_ARG(settings->secret));
    struct fetch_request request = {.url = settings->url,
                                    .headers = headers,
                                    .n_headers = settings->secret.len > 0 ? 2 : 1,
                                    .body = question,
                                    .timeout_ms = settings->timeout_ms,
                                    .max_bytes = (size_t)ANSWER_BYTES_MAX,
                                    .settings = &who->identity->fetch};
    TRY(fetch(who->state->fetcher, &request, who->arena, &reply, why));
    *text = reply.body;
    return reply.status == 200 ? OK
                               : fail(why, FAIL_IO, "ISSUER_UNAVAILABLE", REPORT_NO_OFFSET,
                                      "it answers with status %d", reply.status);
}

static result ask_by_line(const struct identifying *who, struct str question, struct str *text,
                          struct report *why) {
    const struct callout_settings *settings = who->identity->callout;
    const struct callout_line line = {&settings->command, (size_t)settings->processes,
                                      settings->timeout_ms, question};
    return callout_pool_ask(who->state->callouts, &line, who->arena, text, why);
}

/* -- the answer ------------------------------------------------------------------------------- */

static bool is_texts(const struct json *list) {
    if (list == NULL) return true;
    if (list->type != JSON_ARRAY || list->n > JWT_ROLES_MAX) return false;
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].type != JSON_STRING || !bind_is_name(list->items[i].text)) return false;
    return true;
}

static bool is_name_or_absent(const struct json *value) {
    return value == NULL || (value->type == JSON_STRING && bind_is_name(value->text));
}

static bool is_attributes(const struct json *map) {
    if (map == NULL) return true;
    if (map->type != JSON_OBJECT) return false;
    for (size_t i = 0; i < map->n; i++)
        if (!bind_is_name(map->members[i].key) || !is_texts(&map->members[i].value)) return false;
    return true;
}

/* Every member that means something, of its type; else the whole is no answer. */
static bool is_answer(const struct json *said) {
    const struct json *active = json_get(said, STR("active"));
    const struct json *ttl = json_get(said, STR("ttl_s"));
    if (said->type != JSON_OBJECT || active == NULL) return false;
    if (active->type == JSON_FALSE) return true;
    return active->type == JSON_TRUE && json_get(said, STR("user_id")) != NULL &&
           is_name_or_absent(json_get(said, STR("user_id"))) &&
           is_name_or_absent(json_get(said, STR("client_id"))) &&
           is_texts(json_get(said, STR("roles"))) && is_texts(json_get(said, STR("scopes"))) &&
           is_attributes(json_get(said, STR("attributes"))) &&
           (ttl == NULL || (ttl->type == JSON_NUMBER && ttl->is_integer && ttl->integer >= 0));
}

static const struct json *read(struct str text, struct arena *arena) {
    static const struct json_limits limits = {
        .depth = JWT_DEPTH_MAX, .members = JWT_MEMBERS_MAX, .bytes = ANSWER_BYTES_MAX};
    const struct json *said;
    if (json_read(text, &limits, arena, &said, NULL).why != FAIL_NONE) return NULL;
    return is_answer(said) ? said : NULL;
}

static int64_t ttl_of(const struct json *said) {
    const struct json *ttl = json_get(said, STR("ttl_s"));
    if (ttl == NULL) return 0;
    return ttl->integer < ANSWERS_TTL_MS_MAX / 1000 ? ttl->integer * 1000 : ANSWERS_TTL_MS_MAX;
}

static result ask(const struct identifying *who, struct str credential, struct answer *out,
                  struct report *report) {
    char id[33];
    struct report why = {0};
    struct str text = STR_NONE;
    bool is_program = who->identity->callout->url.len == 0;
    (void)credential; /* who->origin has it */
    rand_hex(id, 16);
    struct str question = question_of(who, str_of(id));
    if (question.ptr == NULL) return fail_memory(report);
    result r =
        is_program ? ask_by_line(who, question, &text, &why) : post(who, question, &text, &why);
    if (r.why == FAIL_MEMORY) return fail_memory(report);
    if (r.why == FAIL_BUSY)
        return fail(report, FAIL_BUSY, "ISSUER_UNAVAILABLE", REPORT_NO_OFFSET,
                    "too many credentials are being asked about");
    if (r.why != FAIL_NONE) return issuer_unavailable(report, "callout", why.sentence);
    const struct json *said = read(text, who->arena);
    if (who->arena->is_spent) return fail_memory(report);
    if (said == NULL) return issuer_unavailable(report, "callout", "no answer that we understand");
    if (is_program && !str_eq(json_get_text(said, STR("id")), str_of(id)))
        return issuer_unavailable(report, "callout", "an answer to another question");
    bool is_active = json_is_true(json_get(said, STR("active")));
    *out = is_active ? (struct answer){text, ttl_of(said)}
                     : (struct answer){STR_NONE, ANSWERS_UNKNOWN_MS};
    return OK;
}

/* -- the principal ---------------------------------------------------------------------------- */

static const struct str *texts_of(const struct json *list, struct arena *arena, size_t *n) {
    struct str *texts = arena_new_array(arena, list == NULL ? 0 : list->n, struct str);
    *n = 0;
    for (size_t i = 0; texts != NULL && list != NULL && i < list->n; i++)
        texts[(*n)++] = list->items[i].text;
    return texts;
}

static const struct attribute *attributes_of(const struct json *map, struct arena *arena,
                                             size_t *n) {
    struct attribute *made = arena_new_array(arena, map == NULL ? 0 : map->n, struct attribute);
    *n = 0;
    for (size_t i = 0; made != NULL && map != NULL && i < map->n; i++) {
        struct attribute *a = &made[(*n)++];
        a->name = map->members[i].key;
        a->values = texts_of(&map->members[i].value, arena, &a->n_values);
    }
    return made;
}

static result fill(const struct identifying *who, const struct json *said, struct principal *out,
                   struct report *report) {
    struct str name = json_get_text(said, STR("user_id"));
    const struct identity_user *user = identity_user_find(who->identity, name);
    if (user == NULL && who->identity->callout->unknown_users != ISSUER_UNKNOWN_ACCEPT)
        return token_refuse(report, "the credential is not accepted");
    *out = (struct principal){.user_id = name,
                              .client_id = json_get_text(said, STR("client_id")),
                              .auth_method = STR("callout"),
                              .scopes.is_set = true};
    out->roles = texts_of(json_get(said, STR("roles")), who->arena, &out->n_roles);
    out->scopes.items = texts_of(json_get(said, STR("scopes")), who->arena, &out->scopes.n);
    out->attributes =
        attributes_of(json_get(said, STR("attributes")), who->arena, &out->n_attributes);
    if (who->arena->is_spent) return fail_memory(report);
    return principal_join(out, user, who->arena);
}

/* -- asking ----------------------------------------------------------------------------------- */

static struct str issuer_of(const struct callout_settings *settings, struct arena *arena) {
    struct str all = settings->url;
    for (size_t i = 0; i < settings->command.n && all.ptr != NULL; i++)
        all = str_printf(arena, STR_FMT "\n" STR_FMT, STR_ARG(all),
                         STR_ARG(settings->command.items[i]));
    return all;
}

static result judge(const struct identifying *who, bool *is_known, struct principal *out,
                    struct report *report) {
    struct str text;
    struct answers_question question = {"callout", issuer_of(who->identity->callout, who->arena),
                                        credential_of(who), ask};
    if (question.issuer.ptr == NULL || question.credential.ptr == NULL) return fail_memory(report);
    TRY(answers_get(who, &question, &text, report));
    if (text.ptr == NULL) return OK;
    const struct json *said = read(text, who->arena);
    if (said == NULL) return fail_memory(report);
    TRY(fill(who, said, out, report));
    out->token_id = token_shown(question.credential, who->arena);
    *is_known = true;
    return out->token_id.ptr != NULL ? OK : fail_memory(report);
}

/* A bearer token that nobody else knew. */
static result judge_token(const struct identifying *who, struct str token, bool *is_known,
                          struct principal *out, struct report *report) {
    const struct callout_settings *settings = who->identity->callout;
    (void)token;
    bool is_asked =
        settings != NULL && who->origin->kind == ORIGIN_HTTP && is_listed(settings, AUTHORIZATION);
    return is_asked ? judge(who, is_known, out, report) : OK;
}

/* Headers of its own. Two of one name may be two people's to two readers. */
static result identify(const struct identifying *who, bool *found, struct principal *out,
                       struct report *report) {
    const struct callout_settings *settings = who->identity->callout;
    bool is_double = false, is_known = false;
    for (size_t i = 0; settings != NULL && i < settings->headers.n; i++) {
        size_t n = identifying_header_count(who, settings->headers.items[i]);
        is_double |= n > 1;
        *found |= n > 0 && !str_ieq(settings->headers.items[i], AUTHORIZATION);
    }
    if (!*found) return OK;
    bool is_beside =
        !is_listed(settings, AUTHORIZATION) && identifying_header_count(who, AUTHORIZATION) > 0;
    if (is_double || is_beside) return token_refuse(report, "the request shows two credentials");
    TRY(judge(who, &is_known, out, report));
    return is_known ? OK : token_refuse(report, "the credential is not known here");
}

const struct token_judge judge_callout = {"callout", judge_token};
const struct identity_provider provider_callout = {"callout", identify};
