#include "policy/shadow.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/spin.h"

#include <stdatomic.h>

/* What the candidate says; what it could not say is apart from a denial. */
enum { EFFECTS = EFFECT_APPROVE + 1, SAYS_NOTHING = EFFECTS, CANDIDATES };

static const char *name_of(unsigned said) {
    return said == SAYS_NOTHING ? "failed" : policy_effect_name[said];
}

/* Calls of one tool that the two answer differently. */
struct shadow_row {
    char name[SHADOW_NAME_BYTES_MAX];
    size_t name_len;
    uint64_t calls[EFFECTS][CANDIDATES];
};

struct shadow {
    const struct policy *candidate;
    _Atomic uint64_t judged, different;
    struct spin lock; /* of what follows: held for a search and a count */
    struct shadow_row rows[SHADOW_TOOLS_MAX];
    size_t n;
};

struct shadow *shadow_new(const struct policy *candidate, struct arena *arena) {
    struct shadow *shadow = arena_new(arena, struct shadow);
    if (shadow != NULL) shadow->candidate = candidate;
    return shadow;
}

/* The last row takes what has no room: what is counted is never lost. */
static struct shadow_row *row_of(struct shadow *shadow, struct str tool) {
    for (size_t i = 0; i < shadow->n; i++)
        if (str_eq((struct str){shadow->rows[i].name, shadow->rows[i].name_len}, tool))
            return &shadow->rows[i];
    bool is_full = shadow->n == SHADOW_TOOLS_MAX;
    struct shadow_row *row = &shadow->rows[is_full ? SHADOW_TOOLS_MAX - 1 : shadow->n++];
    if (is_full || shadow->n == SHADOW_TOOLS_MAX) tool = STR("*");
    memcpy(row->name, tool.ptr, tool.len);
    row->name_len = tool.len;
    return row;
}

/* How often it was so before. */
static uint64_t count(struct shadow *shadow, struct str tool, unsigned live, unsigned candidate) {
    spin_lock(&shadow->lock);
    uint64_t before =
        row_of(shadow, utf8_clip(tool, SHADOW_NAME_BYTES_MAX))->calls[live][candidate]++;
    spin_unlock(&shadow->lock);
    return before;
}

static unsigned said_of(const struct verdict *v) {
    bool is_failed = v->code != NULL && strcmp(v->code, "OUT_OF_MEMORY") == 0;
    return is_failed ? SAYS_NOTHING : (unsigned)v->effect;
}

void shadow_judge(struct shadow *shadow, const struct principal *principal,
                  const struct policy_question *question, const struct verdict *live,
                  struct str call_id) {
    struct arena arena;
    struct verdict v;
    arena_init(&arena, SHADOW_ARENA_BYTES);
    policy_judge(shadow->candidate, principal, question, &arena, &v);
    unsigned now = (unsigned)live->effect, then = said_of(&v);
    atomic_fetch_add_explicit(&shadow->judged, 1, memory_order_relaxed);
    if (now != then) {
        atomic_fetch_add_explicit(&shadow->different, 1, memory_order_relaxed);
        if (count(shadow, question->tool, now, then) < SHADOW_LOGGED_EACH)
            log_line(LOG_INFO, "policy_difference", call_id,
                     "tool '" STR_FMT "': %s by " STR_FMT ", the candidate would %s by " STR_FMT,
                     STR_ARG(utf8_clip(question->tool, SHADOW_NAME_BYTES_MAX)), name_of(now),
                     STR_ARG(live->rule), name_of(then), STR_ARG(v.rule));
    }
    arena_deinit(&arena);
}

/* -- what was counted ------------------------------------------------------------------------- */

static bool take_row(struct shadow *shadow, size_t i, struct shadow_row *out) {
    spin_lock(&shadow->lock);
    bool is_there = i < shadow->n;
    if (is_there) *out = shadow->rows[i];
    spin_unlock(&shadow->lock);
    return is_there;
}

static void put_row(const struct shadow_row *row, struct json_writer *w) {
    for (unsigned live = 0; live < EFFECTS; live++)
        for (unsigned candidate = 0; candidate < CANDIDATES; candidate++) {
            if (row->calls[live][candidate] == 0) continue;
            json_object(w);
            json_put_text(w, STR("tool"), (struct str){row->name, row->name_len});
            json_put_text(w, STR("live"), str_of(name_of(live)));
            json_put_text(w, STR("candidate"), str_of(name_of(candidate)));
            json_put_int(w, STR("calls"), (int64_t)row->calls[live][candidate]);
            json_object_end(w);
        }
}

void shadow_put(struct shadow *shadow, struct json_writer *w) {
    struct shadow_row row;
    json_object(w);
    json_put_text(w, STR("version"), policy_version(shadow->candidate));
    json_put_int(w, STR("judged"), (int64_t)atomic_load(&shadow->judged));
    json_put_int(w, STR("different"), (int64_t)atomic_load(&shadow->different));
    json_key(w, STR("differences"));
    json_array(w);
    for (size_t i = 0; take_row(shadow, i, &row); i++) put_row(&row, w);
    json_array_end(w);
    json_object_end(w);
}
