#include "text/redact.h"

#include <ctype.h>

/* Does `key` begin with the word, case and the marks between its parts aside? */
static bool begins_with(struct str key, struct str word) {
    size_t n = 0;
    for (size_t at = 0; at < key.len && n < word.len; at++) {
        char c = key.ptr[at];
        if (n > 0 && (c == '_' || c == '-')) continue;
        if (tolower((unsigned char)c) != word.ptr[n]) return false;
        n++;
    }
    return n == word.len;
}

/* Arguments whose values must never be kept, wherever they stand: api_key, apiKey, X-Api-Key. */
static bool is_secret_name(struct str key) {
    static const struct str words[] = {
        STR_INIT("password"), STR_INIT("passwd"),     STR_INIT("secret"),
        STR_INIT("token"),    STR_INIT("credential"), STR_INIT("authorization"),
        STR_INIT("apikey"),   STR_INIT("accesskey"),  STR_INIT("privatekey")};
    for (size_t i = 0; i < COUNT(words); i++)
        for (size_t at = 0; at < key.len; at++)
            if (begins_with(str_slice(key, at, key.len), words[i])) return true;
    return false;
}

void redact_put(struct json_writer *w, const struct json *value, size_t text_max) {
    if (value->type == JSON_STRING) {
        json_text(w, utf8_clip(value->text, text_max));
    } else if (value->type == JSON_ARRAY) {
        json_array(w);
        for (uint32_t i = 0; i < value->n; i++) redact_put(w, &value->items[i], text_max);
        json_array_end(w);
    } else if (value->type == JSON_OBJECT) {
        json_object(w);
        for (uint32_t i = 0; i < value->n; i++) {
            json_key(w, value->members[i].key);
            if (is_secret_name(value->members[i].key))
                json_text(w, STR("[redacted]"));
            else
                redact_put(w, &value->members[i].value, text_max);
        }
        json_object_end(w);
    } else {
        json_value(w, value);
    }
}
