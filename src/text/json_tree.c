#include "text/json.h"

const struct json *json_get(const struct json *object, struct str key) {
    if (object == NULL || object->type != JSON_OBJECT) return NULL;
    for (uint32_t i = 0; i < object->n; i++)
        if (str_eq(object->members[i].key, key)) return &object->members[i].value;
    return NULL;
}

/* Whether a token of a pointer, in which ~0 is '~' and ~1 is '/', names the key. */
static bool token_names(struct str token, struct str key) {
    size_t at = 0;
    for (size_t i = 0; i < token.len; i++, at++) {
        char c = token.ptr[i];
        if (c == '~') {
            if (++i == token.len) return false;
            if (token.ptr[i] != '0' && token.ptr[i] != '1') return false;
            c = token.ptr[i] == '0' ? '~' : '/';
        }
        if (at == key.len || key.ptr[at] != c) return false;
    }
    return at == key.len;
}

static const struct json *step(const struct json *value, struct str token) {
    if (value->type == JSON_ARRAY) {
        uint64_t index;
        bool has_leading_zero = token.len > 1 && token.ptr[0] == '0';
        if (has_leading_zero || !str_to_u64(token, &index)) return NULL;
        return index < value->n ? &value->items[index] : NULL;
    }
    if (value->type != JSON_OBJECT) return NULL;
    for (uint32_t i = 0; i < value->n; i++)
        if (token_names(token, value->members[i].key)) return &value->members[i].value;
    return NULL;
}

const struct json *json_at(const struct json *value, struct str pointer) {
    if (pointer.len == 0) return value;
    if (pointer.ptr[0] != '/') return NULL;
    struct str rest = str_slice(pointer, 1, pointer.len);
    while (value != NULL) {
        value = step(value, str_cut(&rest, '/'));
        if (rest.ptr == NULL) break;
    }
    return value;
}

struct str json_get_text(const struct json *object, struct str key) {
    const struct json *value = json_get(object, key);
    return value != NULL && value->type == JSON_STRING ? value->text : STR_NONE;
}

struct str json_raw(const struct json *value) {
    return (struct str){value->raw, value->raw_len};
}

bool json_is_text(const struct json *value, struct str text) {
    return value != NULL && value->type == JSON_STRING && str_eq(value->text, text);
}

bool json_is_true(const struct json *value) {
    return value != NULL && value->type == JSON_TRUE;
}
