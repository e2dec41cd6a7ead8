/* What the claims say, and whether it is enough. */
#include "base/limits.h"
#include "identity/jwt.h"
#include "text/json.h"

static bool holds(const struct str_list *list, struct str text) {
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i], text)) return true;
    return false;
}

/* -- times ------------------------------------------------------------------------------------ */

enum time_claim { TIME_WRONG = 0, TIME_ABSENT, TIME_GIVEN };

/* Whole seconds (a fraction or an exponent would be ours to round), up to the year 9999. */
static enum time_claim time_of(const struct json *claims, struct str name, int64_t *out) {
    const struct json *value = json_get(claims, name);
    if (value == NULL) return TIME_ABSENT;
    bool is_time = value->type == JSON_NUMBER && value->is_integer && value->integer >= 0 &&
                   value->integer <= JWT_TIME_MAX;
    *out = is_time ? value->integer : 0;
    return is_time ? TIME_GIVEN : TIME_WRONG;
}

static enum jwt_verdict judge_times(const struct json *claims, int64_t skew_s, int64_t now_s) {
    static const struct str starts[] = {STR_INIT("nbf"), STR_INIT("iat")};
    int64_t at;
    switch (time_of(claims, STR("exp"), &at)) {
    case TIME_WRONG: return JWT_CLAIMS;
    case TIME_ABSENT: return JWT_NO_EXPIRY;
    case TIME_GIVEN: break;
    }
    if (now_s >= at + skew_s) return JWT_EXPIRED;
    for (size_t i = 0; i < COUNT(starts); i++) {
        enum time_claim given = time_of(claims, starts[i], &at);
        if (given == TIME_WRONG) return JWT_CLAIMS;
        if (given == TIME_GIVEN && at > now_s + skew_s) return JWT_NOT_YET;
    }
    return JWT_GOOD;
}

/* -- for whom, from whom ---------------------------------------------------------------------- */

/* RFC 7519 4.1.3: a text or a list of texts. */
static enum jwt_verdict judge_audience(const struct json *claims, const struct str_list *ours) {
    const struct json *aud = json_get(claims, STR("aud"));
    bool is_list = aud != NULL && aud->type == JSON_ARRAY;
    bool is_ours = false;
    if (aud == NULL) return JWT_AUDIENCE;
    if (!is_list && aud->type != JSON_STRING) return JWT_CLAIMS;
    for (size_t i = 0; i < (is_list ? aud->n : 1); i++) {
        const struct json *one = is_list ? &aud->items[i] : aud;
        if (one->type != JSON_STRING) return JWT_CLAIMS;
        is_ours = is_ours || (one->text.len > 0 && holds(ours, one->text));
    }
    return is_ours ? JWT_GOOD : JWT_AUDIENCE;
}

static enum jwt_verdict judge_issuer(const struct json *claims, const struct str_list *trusted) {
    const struct json *iss = json_get(claims, STR("iss"));
    if (iss != NULL && iss->type != JSON_STRING) return JWT_CLAIMS;
    if (trusted->n == 0) return JWT_GOOD;
    return iss != NULL && holds(trusted, iss->text) ? JWT_GOOD : JWT_ISSUER;
}

/* -- scopes ----------------------------------------------------------------------------------- */

static bool add_scope(struct str scope, struct str *made, struct str_list *out) {
    if (scope.len == 0 || holds(out, scope)) return true;
    if (out->n == JWT_SCOPES_MAX) return false;
    made[out->n++] = scope;
    return true;
}

bool jwt_scopes(const struct json *claims, struct arena *arena, struct str_list *out) {
    const struct json *said = json_get(claims, STR("scope"));
    if (said == NULL) said = json_get(claims, STR("scp"));
    *out = (struct str_list){0};
    if (said == NULL) return true;
    struct str *made = arena_new_array(arena, JWT_SCOPES_MAX, struct str);
    if (made == NULL) return false;
    out->items = made;
    if (said->type == JSON_STRING) {
        for (struct str rest = said->text; rest.ptr != NULL;)
            if (!add_scope(str_cut(&rest, ' '), made, out)) return false;
        return true;
    }
    for (size_t i = 0; said->type == JSON_ARRAY && i < said->n; i++)
        if (said->items[i].type != JSON_STRING || !add_scope(said->items[i].text, made, out))
            return false;
    return said->type == JSON_ARRAY;
}

static enum jwt_verdict judge_scopes(const struct json *claims, const struct str_list *needed,
                                     struct arena *arena) {
    struct str_list has;
    if (!jwt_scopes(claims, arena, &has)) return JWT_CLAIMS;
    for (size_t i = 0; i < needed->n; i++)
        if (!holds(&has, needed->items[i])) return JWT_SCOPES;
    return JWT_GOOD;
}

enum jwt_verdict jwt_judge(const struct json *claims, const struct jwt_rules *rules, int64_t now_s,
                           struct arena *arena) {
    enum jwt_verdict verdict = judge_times(claims, rules->skew_s, now_s);
    if (verdict == JWT_GOOD) verdict = judge_issuer(claims, &rules->issuers);
    if (verdict == JWT_GOOD) verdict = judge_audience(claims, &rules->audiences);
    if (verdict == JWT_GOOD && json_get(claims, STR("cnf")) != NULL) verdict = JWT_PROOF;
    if (verdict == JWT_GOOD) verdict = judge_scopes(claims, &rules->scopes, arena);
    return verdict;
}

/* -- who -------------------------------------------------------------------------------------- */

static struct str text_or_none(const struct json *claims, struct str name) {
    struct str text = json_get_text(claims, name);
    return text.len > 0 ? text : STR_NONE;
}

struct str jwt_client(const struct json *claims) {
    struct str client = text_or_none(claims, STR("client_id"));
    return client.ptr != NULL ? client : text_or_none(claims, STR("azp"));
}

/* Anybody can write any address at many issuers; only a checked one says who it is. */
static bool is_unverified(const struct json *claims, struct str name) {
    const struct json *verified = json_get(claims, STR("email_verified"));
    return str_eq(name, STR("email")) && verified != NULL && !json_is_true(verified);
}

struct str jwt_user(const struct json *claims, const struct str_list *names) {
    for (size_t i = 0; i < names->n; i++) {
        struct str name = names->items[i], user = STR_NONE;
        if (str_eq(name, STR("client_id")))
            user = jwt_client(claims);
        else if (!is_unverified(claims, name))
            user = text_or_none(claims, name);
        if (user.ptr != NULL) return user;
    }
    return STR_NONE;
}

void jwt_texts(const struct json *claims, struct str name, size_t room, struct str *out,
               size_t *n) {
    const struct json *value =
        str_starts(name, STR("/")) ? json_at(claims, name) : json_get(claims, name);
    if (value == NULL) return;
    bool is_list = value->type == JSON_ARRAY;
    for (size_t i = 0; i < (is_list ? value->n : 1) && *n < room; i++) {
        const struct json *one = is_list ? &value->items[i] : value;
        if (one->type == JSON_STRING && one->text.len > 0) out[(*n)++] = one->text;
    }
}
