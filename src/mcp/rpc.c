#include "mcp/rpc.h"

static bool is_id(const struct json *id) {
    return id->type == JSON_STRING || (id->type == JSON_NUMBER && id->is_integer);
}

static void refuse(struct rpc_error *error, const char *message) {
    *error = (struct rpc_error){RPC_INVALID_REQUEST, 400, str_of(message), STR_NONE};
}

void rpc_read(const struct json *value, struct rpc_message *out, struct rpc_error *error) {
    *out = (struct rpc_message){.body = json_raw(value)};
    if (value->type != JSON_OBJECT) {
        refuse(error, "a message must be a JSON object");
        return;
    }
    const struct json *id = json_get(value, STR("id"));
    const struct json *method = json_get(value, STR("method"));
    const struct json *params = json_get(value, STR("params"));
    if (id != NULL && is_id(id)) out->id = json_raw(id);
    if (!json_is_text(json_get(value, STR("jsonrpc")), STR("2.0"))) {
        refuse(error, "'jsonrpc' must be \"2.0\"");
    } else if (id != NULL && !is_id(id)) {
        refuse(error, "'id' must be a string or an integer");
    } else if (method == NULL) {
        bool is_response =
            json_get(value, STR("result")) != NULL || json_get(value, STR("error")) != NULL;
        if (is_response)
            out->kind = RPC_RESPONSE;
        else
            refuse(error, "a message must have a method, a result or an error");
    } else if (method->type != JSON_STRING || method->text.len == 0) {
        refuse(error, "'method' must be a string");
    } else if (params != NULL && params->type != JSON_OBJECT) {
        refuse(error, "'params' must be an object");
    } else {
        out->kind = id != NULL ? RPC_REQUEST : RPC_NOTIFICATION;
        out->method = method->text;
        out->params = params;
    }
}

static void begin(struct buf *out, struct str id) {
    buf_add(out, STR("{\"jsonrpc\":\"2.0\""));
    if (id.len > 0) {
        buf_add(out, STR(",\"id\":"));
        buf_add(out, id);
    }
}

void rpc_write_error(struct buf *out, struct str id, const struct rpc_error *error) {
    begin(out, id);
    buf_addf(out, ",\"error\":{\"code\":%d,\"message\":\"", error->code);
    json_escape(out, error->message);
    buf_add_byte(out, '"');
    if (error->data.len > 0) {
        buf_add(out, STR(",\"data\":"));
        buf_add(out, error->data);
    }
    buf_add(out, STR("}}"));
}

void rpc_begin_result(struct buf *out, struct str id) {
    begin(out, id);
    buf_add(out, STR(",\"result\":"));
}

void rpc_end_result(struct buf *out) {
    buf_add_byte(out, '}');
}
