/* sql/functions.c - see functions.h */
#include "sql/functions.h"

#include <stdlib.h>

const struct sql_function sql_functions[] = {
#define ANY        FUNCTION_ARGS_ANY
#define FLAG(name) FUNCTION_##name
#define TYPE(name) SQL_TYPE_##name
#define RULE(name) RESULT_##name
#define F(name, least, most, kind, flags, result, duckdb, postgres)                                \
    {name, least, most, FUNCTION_##kind, flags, (int)(result), duckdb, postgres},
#include "sql/functions.def"
#undef F
#undef RULE
#undef TYPE
#undef FLAG
#undef ANY
};
const size_t sql_functions_n = COUNT(sql_functions);

static char fold(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static int compare_name(const void *key, const void *row) {
    struct str name = *(const struct str *)key;
    const char *known = ((const struct sql_function *)row)->name;
    for (size_t i = 0; i < name.len; i++) {
        int diff = (unsigned char)fold(name.ptr[i]) - (unsigned char)known[i];
        if (diff != 0) return diff; /* also at the NUL of a shorter row */
    }
    return known[name.len] == '\0' ? 0 : -1;
}

const struct sql_function *sql_function_find(struct str name) {
    /* No row holds a NUL, so that comparing one with the end of a row cannot match. */
    if (str_find_byte(name, '\0') < name.len) return NULL;
    return bsearch(&name, sql_functions, COUNT(sql_functions), sizeof sql_functions[0],
                   compare_name);
}

const struct sql_function *sql_function_nearest(struct str name) {
    const struct sql_function *best = NULL;
    unsigned cap = name.len < 5 ? 2 : 3; /* one slip in a short name, two in a long one */
    for (size_t i = 0; i < COUNT(sql_functions); i++) {
        if ((sql_functions[i].flags & FUNCTION_REFUSED) != 0) continue;
        unsigned distance = str_distance(name, str_of(sql_functions[i].name), cap);
        if (distance >= cap) continue;
        cap = distance;
        best = &sql_functions[i];
    }
    return best;
}

bool sql_function_is_aggregate(const struct sql_function *function) {
    return function->kind == FUNCTION_AGGREGATE || function->kind == FUNCTION_AGGREGATE_WINDOW;
}

bool sql_function_takes(const struct sql_function *function, size_t n_args) {
    return n_args >= function->min_args &&
           (function->max_args == FUNCTION_ARGS_ANY || n_args <= function->max_args);
}

/* -- what comes out ------------------------------------------------------------------------------
 */

static struct sql_type common_of(const struct sql_type *args, size_t from, size_t n, size_t step) {
    if (from >= n) return SQL_TYPE(UNKNOWN);
    struct sql_type type = args[from];
    for (size_t i = from + step; i < n; i += step) type = sql_type_common(&type, &args[i]);
    return type;
}

/* decode(e, s1, r1, s2, r2[, default]): an even number of arguments has a default. */
static struct sql_type decode_type(const struct sql_type *args, size_t n) {
    struct sql_type type = common_of(args, 2, n, 2);
    return n % 2 == 0 && n > 0 ? sql_type_common(&type, &args[n - 1]) : type;
}

static struct sql_type widest_type(const struct sql_type *arg, bool is_sum) {
    if (arg->kind == SQL_TYPE_DECIMAL) return SQL_TYPE(DECIMAL);
    if (is_sum && sql_type_is_integer(arg->kind)) return SQL_TYPE(BIGINT);
    return SQL_TYPE(DOUBLE);
}

static result box(struct sql_type type, struct arena *arena, const struct sql_type **out,
                  struct report *report) {
    struct sql_type *copy = arena_new(arena, struct sql_type);
    if (copy == NULL) return fail_memory(report);
    *copy = type;
    *out = copy;
    return OK;
}

static result array_of(struct sql_type element, struct arena *arena, struct sql_type *out,
                       struct report *report) {
    *out = SQL_TYPE(ARRAY);
    return box(element, arena, &out->element, report);
}

static result map_of(struct sql_type key, struct sql_type value, struct arena *arena,
                     struct sql_type *out, struct report *report) {
    *out = SQL_TYPE(MAP);
    TRY(box(key, arena, &out->key, report));
    return box(value, arena, &out->element, report);
}

static struct sql_type part(const struct sql_type *part) {
    return part != NULL ? *part : SQL_TYPE(UNKNOWN);
}

static result map_of_entries(const struct sql_type *entries, struct arena *arena,
                             struct sql_type *out, struct report *report) {
    const struct sql_type *entry = entries->element;
    if (entry == NULL || entry->kind != SQL_TYPE_STRUCT || entry->n_fields != 2)
        return map_of(SQL_TYPE(UNKNOWN), SQL_TYPE(UNKNOWN), arena, out, report);
    return map_of(entry->fields[0].type, entry->fields[1].type, arena, out, report);
}

static result entries_of(const struct sql_type *map, struct arena *arena, struct sql_type *out,
                         struct report *report) {
    struct sql_field *fields = arena_new_array(arena, 2, struct sql_field);
    if (fields == NULL) return fail_memory(report);
    fields[0] = (struct sql_field){.name = STR("key"), .type = part(map->key)};
    fields[1] = (struct sql_field){.name = STR("value"), .type = part(map->element)};
    struct sql_type entry = {.kind = SQL_TYPE_STRUCT, .fields = fields, .n_fields = 2};
    return array_of(entry, arena, out, report);
}

static result rule_type(enum sql_function_result rule, const struct sql_type *args, size_t n,
                        struct arena *arena, struct sql_type *out, struct report *report) {
    struct sql_type first = n > 0 ? args[0] : SQL_TYPE(UNKNOWN);
    struct sql_type second = n > 1 ? args[1] : SQL_TYPE(UNKNOWN);
    switch (rule) {
    case RESULT_ARG_1: *out = first; break;
    case RESULT_ARG_2: *out = second; break;
    case RESULT_ARG_1_ELEMENT: *out = part(first.element); break;
    case RESULT_COMMON: *out = common_of(args, 0, n, 1); break;
    case RESULT_COMMON_FROM_2: *out = common_of(args, 1, n, 1); break;
    case RESULT_DECODE: *out = decode_type(args, n); break;
    case RESULT_DECIMAL_OR_DOUBLE: *out = widest_type(&first, false); break;
    case RESULT_SUM: *out = widest_type(&first, true); break;
    case RESULT_ARRAY_OF_ARG_1: return array_of(first, arena, out, report);
    case RESULT_ARRAY_OF_ARG_2: return array_of(second, arena, out, report);
    case RESULT_ARRAY_OF_COMMON: return array_of(common_of(args, 0, n, 1), arena, out, report);
    case RESULT_ARRAY_OF_STRING: return array_of(SQL_TYPE(STRING), arena, out, report);
    case RESULT_ARRAY_OF_KEYS: return array_of(part(first.key), arena, out, report);
    case RESULT_ARRAY_OF_VALUES: return array_of(part(first.element), arena, out, report);
    case RESULT_MAP_OF_STRINGS:
        return map_of(SQL_TYPE(STRING), SQL_TYPE(STRING), arena, out, report);
    case RESULT_MAP_OF_ARGS:
        return map_of(common_of(args, 0, n, 2), common_of(args, 1, n, 2), arena, out, report);
    case RESULT_MAP_OF_ARRAYS:
        return map_of(part(first.element), part(second.element), arena, out, report);
    case RESULT_MAP_OF_ENTRIES: return map_of_entries(&first, arena, out, report);
    case RESULT_MAP_TO_ARG_2: return map_of(part(first.key), second, arena, out, report);
    case RESULT_ENTRIES: return entries_of(&first, arena, out, report);
    case RESULT_PERCENTILE:
        if (second.kind == SQL_TYPE_ARRAY) return array_of(SQL_TYPE(DOUBLE), arena, out, report);
        *out = SQL_TYPE(DOUBLE);
        break;
    }
    return OK;
}

result sql_function_type(const struct sql_function *function, const struct sql_type *args,
                         size_t n_args, struct arena *arena, struct sql_type *out,
                         struct report *report) {
    *out = SQL_TYPE(UNKNOWN);
    if (function->result >= SQL_TYPE_KINDS)
        return rule_type((enum sql_function_result)function->result, args, n_args, arena, out,
                         report);
    out->kind = (enum sql_type_kind)function->result;
    /* concat(a, b) of arrays is an array. */
    if (n_args > 0 && args[0].kind == SQL_TYPE_ARRAY &&
        str_eq(str_of(function->name), STR("concat")))
        *out = args[0];
    return OK;
}

/* -- spellings -------------------------------------------------------------------------------- */

/* "2*" or "3:1" or "1!double": what stands between the braces. */
static struct spelling_piece read_braces(struct str inside) {
    size_t digit = inside.len > 0 ? (size_t)(inside.ptr[0] - '1') : 9;
    if (digit > 8) return (struct spelling_piece){0};
    struct spelling_piece piece = {.kind = PIECE_ARG, .arg = digit};
    struct str rest = str_slice(inside, 1, inside.len);
    if (rest.len == 0) return piece;
    if (str_eq(rest, STR("*"))) {
        piece.kind = PIECE_REST;
        return piece;
    }
    struct str value = str_slice(rest, 1, rest.len);
    if (rest.ptr[0] == ':')
        piece.text = value;
    else if (rest.ptr[0] == '!')
        piece.coerce = value;
    else
        piece.kind = PIECE_END;
    return piece;
}

struct spelling_piece sql_spelling_next(struct str *rest) {
    if (rest->len == 0) return (struct spelling_piece){0};
    size_t dollar = str_find_byte(*rest, '$');
    if (dollar > 0) {
        struct spelling_piece piece = {.kind = PIECE_TEXT, .text = str_slice(*rest, 0, dollar)};
        *rest = str_slice(*rest, dollar, rest->len);
        return piece;
    }
    struct str after = str_slice(*rest, 1, rest->len);
    if (after.len > 0 && after.ptr[0] == '{') {
        size_t close = str_find_byte(after, '}');
        if (close == after.len) return (struct spelling_piece){0};
        *rest = str_slice(after, close + 1, after.len);
        return read_braces(str_slice(after, 1, close));
    }
    *rest = str_slice(after, 1, after.len);
    if (after.len > 0 && after.ptr[0] == '*') return (struct spelling_piece){.kind = PIECE_REST};
    return read_braces(str_slice(after, 0, 1));
}

/* How many arguments a template has places for. */
static size_t places(struct str text) {
    size_t most = 0;
    for (;;) {
        struct spelling_piece piece = sql_spelling_next(&text);
        switch (piece.kind) {
        case PIECE_END: return most;
        case PIECE_TEXT: break;
        case PIECE_ARG: most = piece.arg + 1 > most ? piece.arg + 1 : most; break;
        case PIECE_REST: return FUNCTION_ARGS_ANY;
        }
    }
}

static struct str cut_alternative(struct str *rest) {
    size_t at = str_find(*rest, STR(" ;; "));
    struct str one = str_slice(*rest, 0, at);
    *rest = str_slice(*rest, at + 4, rest->len);
    return one;
}

struct spelling sql_spelling(const struct sql_function *function, const char *text, size_t n_args) {
    struct str rest = str_of(text), one = STR_NONE;
    if (rest.len == 0) return (struct spelling){0};
    if (str_eq(rest, STR("="))) return (struct spelling){SPELLING_NAME, str_of(function->name)};
    do {
        one = cut_alternative(&rest);
    } while (rest.len > 0 && places(one) < n_args);
    if (one.ptr[0] == '@') return (struct spelling){SPELLING_HOOK, str_slice(one, 1, one.len)};
    bool is_name = str_find_byte(one, '$') == one.len && str_find_byte(one, '(') == one.len &&
                   str_find_byte(one, ' ') == one.len;
    if (is_name && function->max_args > 0) return (struct spelling){SPELLING_NAME, one};
    return (struct spelling){SPELLING_TEMPLATE, one};
}
