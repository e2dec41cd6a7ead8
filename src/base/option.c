#include "base/option.h"

#include "base/arena.h"
#include "base/limits.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static const char config_invalid[] = "CONFIG_INVALID";

enum { MS = 1, SECOND = 1000 * MS, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

struct unit {
    struct str name;
    int64_t factor;
};

static const struct unit byte_units[] = {
    {STR_INIT("B"), 1},        {STR_INIT("KiB"), KIB},       {STR_INIT("MiB"), MIB},
    {STR_INIT("GiB"), GIB},    {STR_INIT("TiB"), KIB *GIB},  {STR_INIT("KB"), 1000},
    {STR_INIT("MB"), 1000000}, {STR_INIT("GB"), 1000000000}, {STR_INIT("TB"), 1000000000000},
};

static const struct unit duration_units[] = {
    {STR_INIT("ms"), MS},  {STR_INIT("s"), SECOND}, {STR_INIT("m"), MINUTE},
    {STR_INIT("h"), HOUR}, {STR_INIT("d"), DAY},
};

static const struct unit rate_windows[] = {
    {STR_INIT("second"), 1},
    {STR_INIT("minute"), 60},
    {STR_INIT("hour"), 3600},
    {STR_INIT("day"), 86400},
};

/* -- values ----------------------------------------------------------------------------------- */

/* Digits, then a unit of the table; no unit means `bare` (0: a unit is needed). */
static bool parse_with_unit(struct str s, const struct unit *units, size_t n_units, int64_t bare,
                            int64_t *out) {
    size_t digits = 0;
    while (digits < s.len && s.ptr[digits] >= '0' && s.ptr[digits] <= '9') digits++;
    struct str unit = str_slice(s, digits, s.len);
    int64_t factor = unit.len == 0 ? bare : 0, value;
    for (size_t i = 0; i < n_units && factor == 0; i++)
        if (str_ieq(unit, units[i].name)) factor = units[i].factor;
    if (factor == 0 || !str_to_i64(str_slice(s, 0, digits), &value)) return false;
    return !__builtin_mul_overflow(value, factor, out);
}

bool parse_bytes(struct str s, int64_t *out) {
    return parse_with_unit(s, byte_units, COUNT(byte_units), 1, out);
}

bool parse_duration(struct str s, int64_t bare_unit_ms, int64_t *out_ms) {
    return parse_with_unit(s, duration_units, COUNT(duration_units), bare_unit_ms, out_ms);
}

bool parse_bool(struct str s, bool *out) {
    static const struct {
        struct str word;
        bool value;
    } words[] = {
        {STR_INIT("true"), true}, {STR_INIT("yes"), true},    {STR_INIT("on"), true},
        {STR_INIT("1"), true},    {STR_INIT("false"), false}, {STR_INIT("no"), false},
        {STR_INIT("off"), false}, {STR_INIT("0"), false},
    };
    for (size_t i = 0; i < COUNT(words); i++) {
        if (!str_ieq(s, words[i].word)) continue;
        *out = words[i].value;
        return true;
    }
    return false;
}

bool parse_rate(struct str s, int64_t *n, int64_t *window_s) {
    struct str window = s;
    struct str count = str_cut(&window, '/');
    int64_t value;
    if (!str_to_i64(count, &value) || value < 0) return false;
    for (size_t i = 0; i < COUNT(rate_windows); i++) {
        if (!str_ieq(window, rate_windows[i].name)) continue;
        *n = value;
        *window_s = rate_windows[i].factor;
        return true;
    }
    return false;
}

/* -- rows ------------------------------------------------------------------------------------- */

static void *member(const struct option *row, void *settings) {
    return (char *)settings + row->offset;
}

const struct option *option_find(const struct option *rows, struct str name) {
    for (const struct option *row = rows; row->name != NULL; row++)
        if (str_eq(name, str_of(row->name))) return row;
    return NULL;
}

const struct option *option_nearest(const struct option *rows, struct str name) {
    enum { FAR = 5 };
    unsigned near = name.len < 4 ? 2 : name.len < 12 ? 3 : FAR;
    const struct option *nearest = NULL;
    for (const struct option *row = rows; row->name != NULL; row++) {
        unsigned distance = str_distance(name, str_of(row->name), near);
        if (distance >= near) continue;
        near = distance;
        nearest = row;
    }
    return nearest;
}

static int64_t bare_unit_ms(const struct option *row) {
    if (row->unit == NULL) return 0;
    for (size_t i = 0; i < COUNT(duration_units); i++)
        if (str_eq(str_of(row->unit), duration_units[i].name)) return duration_units[i].factor;
    return 0;
}

static bool parse_number(const struct option *row, struct str value, int64_t *out) {
    if (row->type == OPTION_INT) return str_to_i64(value, out);
    if (row->type == OPTION_BYTES) return parse_bytes(value, out);
    return parse_duration(value, bare_unit_ms(row), out);
}

static bool in_bounds(const struct option *row, int64_t value) {
    return (row->min == 0 && row->max == 0) || (value >= row->min && value <= row->max);
}

static bool parse_choice(const struct option *row, struct str value, int *out) {
    for (int i = 0; row->choices[i] != NULL; i++) {
        if (!str_ieq(value, str_of(row->choices[i]))) continue;
        *out = i;
        return true;
    }
    return false;
}

/* "one of 'a', 'b'", "a size …": what should have stood there. Cut where it does not fit. */
static void say_expected(const struct option *row, char *out, size_t size) {
    static const char *const what[] = {
        [OPTION_BOOL] = "true or false",
        [OPTION_INT] = "a whole number",
        [OPTION_BYTES] = "a size such as 65536, 64KiB or 8MiB",
        [OPTION_DURATION] = "a duration such as 250ms, 30s or 5m",
        [OPTION_TEXT] = "a text",
        [OPTION_CHOICE] = "one of",
        [OPTION_LIST] = "a list of texts",
    };
    size_t len = (size_t)snprintf(out, size, "%s", what[row->type]);
    bool is_bounded = row->min != 0 || row->max != 0;
    if (row->type == OPTION_CHOICE) {
        for (size_t i = 0; row->choices[i] != NULL && len < size; i++)
            len += (size_t)snprintf(out + len, size - len, "%s '%s'", i == 0 ? "" : ",",
                                    row->choices[i]);
    } else if (is_bounded && len < size) {
        const char *unit = row->type == OPTION_DURATION ? " ms" : "";
        snprintf(out + len, size - len, ", at least %lld%s and at most %lld%s", (long long)row->min,
                 unit, (long long)row->max, unit);
    }
}

static result refuse(const struct option *row, const char *from, struct str value,
                     struct report *report) {
    char expected[256];
    say_expected(row, expected, sizeof expected);
    struct str shown = utf8_clip(value, 64);
    const char *by = from == NULL ? "" : ", given by the environment variable ";
    return fail(report, FAIL_CONFIG, config_invalid, REPORT_NO_OFFSET,
                "setting '%s' cannot be '" STR_FMT "'%s%s: expected %s", row->name, STR_ARG(shown),
                by, from == NULL ? "" : from, expected);
}

/* The list grows to the next power of two when its length is one. */
static bool list_append(struct option_list *list, struct str value, struct arena *arena) {
    if ((list->n & (list->n - 1)) == 0) {
        struct str *more = arena_new_array(arena, list->n == 0 ? 1 : list->n * 2, struct str);
        if (more == NULL) return false;
        if (list->n > 0) memcpy(more, list->items, list->n * sizeof *more);
        list->items = more;
    }
    list->items[list->n++] = value;
    list->is_set = true;
    return true;
}

void option_list_clear(const struct option *row, void *settings) {
    assert(row->type == OPTION_LIST);
    *(struct option_list *)member(row, settings) = (struct option_list){.is_set = true};
}

static result set_text(const struct option *row, void *settings, struct str value,
                       struct arena *arena, struct report *report) {
    struct str copy = str_dup(arena, value);
    if (copy.ptr == NULL) return fail_memory(report);
    if (row->type == OPTION_TEXT)
        *(struct str *)member(row, settings) = copy;
    else if (!list_append(member(row, settings), copy, arena))
        return fail_memory(report);
    return OK;
}

/* `from`: the environment variable's name, or NULL. */
static result set(const struct option *row, void *settings, struct str value, const char *from,
                  struct arena *arena, struct report *report) {
    int64_t number;
    switch (row->type) {
    case OPTION_BOOL:
        if (!parse_bool(value, member(row, settings))) return refuse(row, from, value, report);
        return OK;
    case OPTION_INT:
    case OPTION_BYTES:
    case OPTION_DURATION:
        if (!parse_number(row, value, &number) || !in_bounds(row, number))
            return refuse(row, from, value, report);
        *(int64_t *)member(row, settings) = number;
        return OK;
    case OPTION_CHOICE:
        if (!parse_choice(row, value, member(row, settings)))
            return refuse(row, from, value, report);
        return OK;
    case OPTION_TEXT:
    case OPTION_LIST: return set_text(row, settings, value, arena, report);
    }
    return refuse(row, from, value, report);
}

result option_set(const struct option *row, void *settings, struct str value, struct arena *arena,
                  struct report *report) {
    return set(row, settings, value, NULL, arena, report);
}

void option_defaults(const struct option *rows, void *settings) {
    for (const struct option *row = rows; row->name != NULL; row++) {
        assert(row->type != OPTION_LIST || row->fallback == NULL);
        if (row->type == OPTION_TEXT) {
            *(struct str *)member(row, settings) = str_of(row->fallback);
        } else if (row->fallback != NULL) {
            /* A row whose own default is out of its bounds is our mistake, not the user's. */
            result r = set(row, settings, str_of(row->fallback), NULL, NULL, NULL);
            assert(r.why == FAIL_NONE);
            (void)r;
        }
    }
}

/* The texts of a list are separated by commas there. */
static result set_from_env(const struct option *row, void *settings, const char *name,
                           const char *value, struct arena *arena, struct report *report) {
    struct str rest = str_trim(str_of(value));
    if (row->type != OPTION_LIST) return set(row, settings, rest, name, arena, report);
    option_list_clear(row, settings);
    while (rest.len > 0) {
        struct str one = str_trim(str_cut(&rest, ','));
        if (one.len > 0) TRY(set(row, settings, one, name, arena, report));
    }
    return OK;
}

result option_env(const struct option *rows, void *settings, struct arena *arena,
                  struct report *report) {
    for (const struct option *row = rows; row->name != NULL; row++) {
        struct str names = str_of(row->env);
        while (names.len > 0) {
            char name[128];
            struct str one = str_cut(&names, ' ');
            assert(one.len < sizeof name);
            memcpy(name, one.ptr, one.len);
            name[one.len] = '\0';
            const char *value = one.len == 0 ? NULL : getenv(name);
            if (value == NULL || value[0] == '\0') continue;
            TRY(set_from_env(row, settings, name, value, arena, report));
            break;
        }
    }
    return OK;
}
