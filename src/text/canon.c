#include "text/canon.h"

#include <stdlib.h>

/* Lengths first, so that no two values are made of the same bytes. */
void canon_put_number(struct buf *out, uint64_t n) {
    buf_add(out, (struct str){(const char *)&n, sizeof n});
}

void canon_put_text(struct buf *out, struct str text) {
    canon_put_number(out, text.len);
    buf_add(out, text);
}

static int by_key(const void *a, const void *b) {
    const struct json_member *const *left = a, *const *right = b;
    return str_cmp((*left)->key, (*right)->key);
}

static bool put_members(struct buf *out, const struct json *object, struct arena *arena) {
    const struct json_member **sorted =
        arena_new_array(arena, object->n, const struct json_member *);
    if (sorted == NULL) return false;
    for (uint32_t i = 0; i < object->n; i++) sorted[i] = &object->members[i];
    if (object->n > 1) qsort(sorted, object->n, sizeof *sorted, by_key);
    for (uint32_t i = 0; i < object->n; i++) {
        canon_put_text(out, sorted[i]->key);
        if (!canon_put_json(out, &sorted[i]->value, arena)) return false;
    }
    return true;
}

bool canon_put_json(struct buf *out, const struct json *value, struct arena *arena) {
    buf_add_byte(out, (char)('0' + value->type));
    switch (value->type) {
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE: return true;
    case JSON_NUMBER:
    case JSON_STRING: canon_put_text(out, value->text); return true;
    case JSON_ARRAY:
        canon_put_number(out, value->n);
        for (uint32_t i = 0; i < value->n; i++)
            if (!canon_put_json(out, &value->items[i], arena)) return false;
        return true;
    case JSON_OBJECT: canon_put_number(out, value->n); return put_members(out, value, arena);
    }
    return false;
}
