#include "mcp/era.h"

#include "text/base64.h"

#define META(name) STR("io.modelcontextprotocol/" name)

static const struct str legacy[] = {STR_INIT("2025-11-25"), STR_INIT("2025-06-18"),
                                    STR_INIT("2025-03-26"), STR_INIT("2024-11-05")};

struct str era_legacy_version(struct str version) {
    for (size_t i = 0; i < COUNT(legacy); i++)
        if (str_eq(legacy[i], version)) return legacy[i];
    return STR_NONE;
}

bool era_at_least(struct str version, const char *other) {
    return str_cmp(version, str_of(other)) >= 0;
}

static const struct json *meta(const struct rpc_message *message) {
    return json_get(message->params, STR("_meta"));
}

const struct json *era_claim(const struct rpc_message *message) {
    return json_get(meta(message), META("protocolVersion"));
}

const struct json *era_capabilities(const struct rpc_message *message) {
    return json_get(meta(message), META("clientCapabilities"));
}

struct str era_header_once(struct str value) {
    struct str rest = value, first = str_trim(str_cut(&rest, ','));
    while (rest.ptr != NULL)
        if (!str_eq(str_trim(str_cut(&rest, ',')), first)) return str_trim(value);
    return first;
}

/* -- header values ---------------------------------------------------------------------------- */

bool era_header_value(struct str raw, struct arena *arena, struct str *out) {
    struct str before = STR("=?base64?"), behind = STR("?=");
    *out = raw;
    if (raw.len < before.len + behind.len || !str_starts(raw, before) || !str_ends(raw, behind))
        return true;
    struct str inside = str_slice(raw, before.len, raw.len - behind.len);
    return base64_decode(inside, arena, out) && utf8_valid(*out);
}

/* -- modern requests: the checks in the protocol's order -----------------------------------------
 */

static struct rpc_error bad_params(const char *message) {
    return (struct rpc_error){RPC_INVALID_PARAMS, 400, str_of(message), STR_NONE};
}

static struct rpc_error mismatch(const char *message) {
    return (struct rpc_error){RPC_HEADER_MISMATCH, 400, str_of(message), STR_NONE};
}

static struct rpc_error check_meta(const struct rpc_message *message, const struct json *claim) {
    const struct json *capabilities = json_get(meta(message), META("clientCapabilities"));
    const struct json *info = json_get(meta(message), META("clientInfo"));
    const struct json *level = json_get(meta(message), META("logLevel"));
    if (claim->type != JSON_STRING)
        return bad_params("_meta io.modelcontextprotocol/protocolVersion must be a string");
    if (capabilities == NULL || capabilities->type != JSON_OBJECT)
        return bad_params("_meta io.modelcontextprotocol/clientCapabilities must be an object");
    if (info != NULL && info->type != JSON_OBJECT)
        return bad_params("_meta io.modelcontextprotocol/clientInfo must be an object");
    if (level != NULL && level->type != JSON_STRING)
        return bad_params("_meta io.modelcontextprotocol/logLevel must be a string");
    return (struct rpc_error){0};
}

static struct rpc_error unsupported(struct str requested, struct arena *arena) {
    struct buf data;
    buf_init(&data, 4096);
    buf_add(&data, STR("{\"supported\":[\"" MCP_MODERN_VERSION "\"],\"requested\":\""));
    json_escape(&data, utf8_clip(requested, 256));
    buf_add(&data, STR("\"}"));
    struct str text = buf_copy(&data, arena);
    buf_deinit(&data);
    return (struct rpc_error){RPC_UNSUPPORTED_VERSION, 400,
                              STR("this protocol version is not supported"), text};
}

/* The member of params that Mcp-Name repeats, or NULL. */
static const char *named_by(struct str method) {
    static const struct {
        struct str method;
        const char *member;
    } rows[] = {{STR_INIT("tools/call"), "name"},     {STR_INIT("prompts/get"), "name"},
                {STR_INIT("resources/read"), "uri"},  {STR_INIT("tasks/get"), "taskId"},
                {STR_INIT("tasks/update"), "taskId"}, {STR_INIT("tasks/cancel"), "taskId"}};
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(rows[i].method, method)) return rows[i].member;
    return NULL;
}

static struct rpc_error check_names(const struct rpc_message *message,
                                    const struct era_headers *headers, struct arena *arena) {
    if (headers->method.ptr == NULL) return mismatch("the header Mcp-Method is missing");
    if (!str_eq(era_header_once(headers->method), message->method))
        return mismatch("the header Mcp-Method is not the body's method");
    const char *member = named_by(message->method);
    if (member == NULL) return (struct rpc_error){0};
    struct str name, body = json_get_text(message->params, str_of(member));
    if (headers->name.ptr == NULL) return mismatch("the header Mcp-Name is missing");
    if (era_header_value(era_header_once(headers->name), arena, &name) && str_eq(name, body))
        return (struct rpc_error){0};
    if (!era_header_value(str_trim(headers->name), arena, &name)) /* a name may hold commas */
        return mismatch("the header Mcp-Name cannot be decoded");
    if (!str_eq(name, body)) return mismatch("the header Mcp-Name is not the name in the body");
    return (struct rpc_error){0};
}

static struct rpc_error check_modern(const struct rpc_message *message, const struct json *claim,
                                     const struct era_headers *headers, struct arena *arena) {
    struct rpc_error error = check_meta(message, claim);
    if (error.code != 0) return error;
    if (headers != NULL && headers->version.ptr == NULL)
        return mismatch("the header MCP-Protocol-Version is missing");
    if (headers != NULL && !str_eq(era_header_once(headers->version), claim->text))
        return mismatch("the header MCP-Protocol-Version is not the body's version");
    if (!str_eq(claim->text, STR(MCP_MODERN_VERSION))) return unsupported(claim->text, arena);
    return headers != NULL ? check_names(message, headers, arena) : (struct rpc_error){0};
}

/* -- the classifier --------------------------------------------------------------------------- */

static struct rpc_error legacy_version(const struct era_headers *headers, struct str *version) {
    *version = STR(MCP_LEGACY_ASSUMED);
    if (headers == NULL || headers->version.ptr == NULL) return (struct rpc_error){0};
    *version = era_legacy_version(era_header_once(headers->version));
    if (version->ptr != NULL) return (struct rpc_error){0};
    return (struct rpc_error){RPC_INVALID_REQUEST, 400,
                              STR("the header MCP-Protocol-Version names no version served here"),
                              STR_NONE};
}

void era_classify(const struct rpc_message *message, const struct era_headers *headers,
                  struct arena *arena, struct era_answer *out) {
    bool says_modern =
        headers != NULL && str_eq(era_header_once(headers->version), STR(MCP_MODERN_VERSION));
    const struct json *claim = era_claim(message);
    *out = (struct era_answer){.era = ERA_LEGACY};
    if (message->kind == RPC_RESPONSE && says_modern) {
        out->error = (struct rpc_error){
            RPC_INVALID_REQUEST, 400, STR("this revision has no responses from clients"), STR_NONE};
    } else if (message->kind == RPC_NOTIFICATION && (says_modern || claim != NULL)) {
        out->era = ERA_MODERN;
        out->version = STR(MCP_MODERN_VERSION);
    } else if (message->kind == RPC_REQUEST && claim != NULL) {
        out->era = ERA_MODERN;
        out->version = STR(MCP_MODERN_VERSION);
        out->error = check_modern(message, claim, headers, arena);
    } else if (message->kind == RPC_REQUEST && says_modern) {
        out->error = str_eq(message->method, STR("initialize"))
                         ? mismatch("initialize does not exist in this revision")
                         : bad_params("params._meta with the protocol version is missing");
    } else {
        out->error = legacy_version(headers, &out->version);
    }
}
