#include "call/client.h"

#include "call/call.h"

const char *const client_level_name[CLIENT_SILENT] = {"debug", "info",     "notice", "warning",
                                                      "error", "critical", "alert",  "emergency"};

enum client_level client_level_find(struct str name) {
    for (int level = 0; level < CLIENT_SILENT; level++)
        if (str_eq(name, str_of(client_level_name[level]))) return (enum client_level)level;
    return CLIENT_SILENT;
}

bool client_can(const struct call *call, enum ask_kind kind) {
    return call->client != NULL && call->client->can(call->client, kind);
}

void client_progress(struct call *call, double done, double total, struct str message) {
    struct progress progress = {done, total, message};
    if (call->client != NULL) call->client->progress(call->client, &progress);
}

void client_log(struct call *call, enum client_level level, struct str logger, struct str data) {
    if (call->client != NULL) call->client->log(call->client, level, logger, data);
}

result client_ask(struct call *call, struct ask *asks, size_t n) {
    if (call->client != NULL) return call->client->ask(call->client, asks, n);
    return fail(&call->report, FAIL_INPUT, "CLIENT_CAPABILITY_MISSING", REPORT_NO_OFFSET,
                "nobody can be asked here");
}

void client_let_go(struct call *call) {
    if (call->client != NULL) call->client->let_go(call->client);
}

void client_changed(struct call *call, unsigned what) {
    if (call->client != NULL) call->client->changed(call->client, what);
}

/* -- answers ---------------------------------------------------------------------------------- */

static bool is_one_of(const struct json *list, const char *member, struct str text) {
    for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->n; i++) {
        const struct json *item = &list->items[i];
        if (member != NULL) item = json_get(item, str_of(member));
        if (item != NULL && json_is_text(item, text)) return true;
    }
    return false;
}

/* A text, and one of the schema's own where it lists them: enum, oneOf or anyOf with const. */
static bool fits_text(const struct json *schema, const struct json *value) {
    if (value->type != JSON_STRING) return false;
    const struct json *names = json_get(schema, STR("enum"));
    const struct json *consts = json_get(schema, STR("oneOf"));
    if (consts == NULL) consts = json_get(schema, STR("anyOf"));
    if (names != NULL) return is_one_of(names, NULL, value->text);
    return consts == NULL || is_one_of(consts, "const", value->text);
}

/* 42 and 42.0 are one integer (JSON Schema 2020-12, 6.1.1). */
static bool is_whole(const struct json *number) {
    double value = json_double(number);
    return number->is_integer || (value > -9e15 && value < 9e15 && value == (double)(int64_t)value);
}

static bool fits(const struct json *schema, const struct json *value) {
    struct str type = json_get_text(schema, STR("type"));
    if (str_eq(type, STR("string"))) return fits_text(schema, value);
    if (str_eq(type, STR("number"))) return value->type == JSON_NUMBER;
    if (str_eq(type, STR("integer"))) return value->type == JSON_NUMBER && is_whole(value);
    if (str_eq(type, STR("boolean"))) return value->type == JSON_TRUE || value->type == JSON_FALSE;
    if (!str_eq(type, STR("array")) || value->type != JSON_ARRAY) return false;
    for (uint32_t i = 0; i < value->n; i++)
        if (!fits_text(json_get(schema, STR("items")), &value->items[i])) return false;
    return true;
}

static bool fits_form(const struct json *schema, const struct json *content) {
    if (content == NULL || content->type != JSON_OBJECT) return false;
    const struct json *properties = json_get(schema, STR("properties"));
    const struct json *required = json_get(schema, STR("required"));
    for (uint32_t i = 0; required != NULL && i < required->n; i++)
        if (json_get(content, required->items[i].text) == NULL) return false;
    for (uint32_t i = 0; i < content->n; i++) {
        const struct json *property = json_get(properties, content->members[i].key);
        if (property != NULL && !fits(property, &content->members[i].value)) return false;
    }
    return true;
}

static bool fits_elicitation(const struct ask *ask, const struct json *answer,
                             struct arena *arena) {
    struct str action = json_get_text(answer, STR("action"));
    if (str_eq(action, STR("decline")) || str_eq(action, STR("cancel"))) return true;
    if (!str_eq(action, STR("accept"))) return false;
    if (ask->kind == ASK_URL) return true;
    const struct json *params;
    struct report unused = {0};
    if (json_read(ask->params, NULL, arena, &params, &unused).why != FAIL_NONE) return false;
    return fits_form(json_get(params, STR("requestedSchema")), json_get(answer, STR("content")));
}

bool ask_accepts(const struct ask *ask, const struct json *answer, struct arena *arena) {
    if (answer == NULL || answer->type != JSON_OBJECT) return false;
    switch (ask->kind) {
    case ASK_FORM:
    case ASK_URL: return fits_elicitation(ask, answer, arena);
    case ASK_SAMPLE:
        return json_get_text(answer, STR("role")).ptr != NULL &&
               json_get(answer, STR("content")) != NULL;
    case ASK_ROOTS: {
        const struct json *roots = json_get(answer, STR("roots"));
        return roots != NULL && roots->type == JSON_ARRAY;
    }
    case ASK_KINDS: break;
    }
    return false;
}
