#include "store/redis_inner.h"

/* The one number that most scripts answer. */
static result run_number(struct store *base, const struct redis_step *step, uint64_t *out,
                         struct report *report) {
    struct redis_store *store = redis_of(base);
    struct redis_answer answer;
    TRY(redis_step_run(store, step, &answer, report));
    result r = redis_answer_number(store, &answer, 0, out, report);
    redis_step_end(store, &answer);
    return r;
}

static result run_truth(struct store *base, const struct redis_step *step, bool *out,
                        struct report *report) {
    uint64_t number;
    TRY(run_number(base, step, &number, report));
    *out = number != 0;
    return OK;
}

/* -- entries ---------------------------------------------------------------------------------- */

static result copy_text(struct str text, struct arena *arena, struct str *out,
                        struct report *report) {
    *out = str_dup(arena, text);
    return out->ptr == NULL && text.len > 0 ? fail_memory(report) : OK;
}

/* The end is told on our clock's axis, so that who compares it does not compare two clocks. */
static result read_value(struct redis_store *store, struct redis_answer *answer,
                         struct arena *arena, struct store_value *out, struct report *report) {
    uint64_t version, end, now;
    struct str bytes;
    TRY(redis_answer_number(store, answer, 0, &version, report));
    TRY(redis_answer_number(store, answer, 1, &end, report));
    TRY(redis_answer_number(store, answer, 2, &now, report));
    TRY(redis_answer_text(store, answer, 3, &bytes, report));
    if (version == STORE_ABSENT) return OK;
    TRY(copy_text(bytes, arena, &bytes, report));
    int64_t left = (int64_t)(end - now);
    *out = (struct store_value){
        bytes, version,
        end == (uint64_t)STORE_FOREVER ? STORE_FOREVER : clock_wall_ms(store->clock) + left};
    return OK;
}

result redis_get(struct store *base, struct str key, struct arena *arena, struct store_value *out,
                 struct report *report) {
    struct redis_store *store = redis_of(base);
    struct redis_step step = {.script = REDIS_GET};
    struct redis_answer answer;
    redis_step_text(&step, key);
    TRY(redis_step_run(store, &step, &answer, report));
    result r = read_value(store, &answer, arena, out, report);
    redis_step_end(store, &answer);
    return r;
}

result redis_set(struct store *store, const struct store_item *item, uint64_t expected,
                 uint64_t *version, struct report *report) {
    struct redis_step step = {.script = REDIS_SET};
    redis_step_text(&step, item->key);
    redis_step_text(&step, item->value);
    redis_step_version(&step, expected);
    redis_step_number(&step, item->ttl_ms);
    return run_number(store, &step, version, report);
}

result redis_remove(struct store *store, struct str key, uint64_t expected, bool *was_there,
                    struct report *report) {
    struct redis_step step = {.script = REDIS_REMOVE};
    redis_step_text(&step, key);
    redis_step_version(&step, expected);
    return run_truth(store, &step, was_there, report);
}

/* Read first, then removed by its version: without memory for it nothing is taken, and of many one
 * removes that version. */
result redis_take(struct store *store, struct str key, struct arena *arena, struct store_value *out,
                  struct report *report) {
    for (int i = 0; i < STORE_TAKES_MAX; i++) {
        struct store_value found = {.version = STORE_ABSENT};
        bool is_ours = false;
        TRY(redis_get(store, key, arena, &found, report));
        if (found.version == STORE_ABSENT) return OK;
        TRY(redis_remove(store, key, found.version, &is_ours, report));
        if (is_ours) *out = found;
        if (is_ours) return OK;
    }
    return fail(report, FAIL_IO, "STORE_UNAVAILABLE", REPORT_NO_OFFSET,
                "the store's entry was changed by others whenever it was to be taken");
}

result redis_touch(struct store *store, struct str key, uint64_t expected, int64_t ttl_ms,
                   bool *was_there, struct report *report) {
    struct redis_step step = {.script = REDIS_TOUCH};
    redis_step_text(&step, key);
    redis_step_version(&step, expected);
    redis_step_number(&step, ttl_ms);
    return run_truth(store, &step, was_there, report);
}

/* -- logs ------------------------------------------------------------------------------------- */

/* More may be kept than numbers in Lua can count; that is to keep all. */
static int64_t keep_of(const struct store_append *append) {
    enum { KEEP_BITS = 50 };
    return append->keep >> KEEP_BITS == 0 ? (int64_t)append->keep : 0;
}

result redis_append(struct store *store, const struct store_append *append, uint64_t *sequence,
                    struct report *report) {
    struct redis_step step = {.script = REDIS_APPEND};
    redis_step_text(&step, append->log);
    redis_step_text(&step, append->value);
    redis_step_number(&step, append->ttl_ms);
    redis_step_number(&step, keep_of(append));
    redis_step_text(&step, append->guard);
    redis_step_version(&step, append->guard_version);
    return run_number(store, &step, sequence, report);
}

static result read_events(struct redis_store *store, struct redis_answer *answer,
                          struct arena *arena, struct store_events *out, struct report *report) {
    enum { BEFORE = 3 };
    struct store_events all = {0};
    uint64_t sequence;
    TRY(redis_answer_number(store, answer, 0, &all.first, report));
    TRY(redis_answer_number(store, answer, 1, &all.last, report));
    TRY(redis_answer_number(store, answer, 2, &sequence, report));
    size_t n = answer->reply->n - BEFORE;
    all.items = arena_new_array(arena, n, struct store_event);
    if (all.items == NULL) return fail_memory(report);
    for (; all.n < n; all.n++) {
        struct store_event *event = &all.items[all.n];
        TRY(redis_answer_text(store, answer, BEFORE + all.n, &event->value, report));
        TRY(copy_text(event->value, arena, &event->value, report));
        event->sequence = sequence + all.n;
    }
    *out = all;
    return OK;
}

result redis_read(struct store *base, struct str log, uint64_t after, size_t max,
                  struct arena *arena, struct store_events *out, struct report *report) {
    struct redis_store *store = redis_of(base);
    struct redis_step step = {.script = REDIS_READ};
    struct redis_answer answer;
    redis_step_text(&step, log);
    redis_step_version(&step, after);
    redis_step_version(&step, max);
    redis_step_number(&step, STORE_READ_BYTES_MAX);
    TRY(redis_step_run(store, &step, &answer, report));
    result r = read_events(store, &answer, arena, out, report);
    redis_step_end(store, &answer);
    return r;
}

result redis_drop(struct store *store, struct str log, bool *was_there, struct report *report) {
    struct redis_step step = {.script = REDIS_DROP};
    redis_step_text(&step, log);
    return run_truth(store, &step, was_there, report);
}

/* -- counters --------------------------------------------------------------------------------- */

result redis_add(struct store *base, struct str key, int64_t delta, int64_t ttl_ms, int64_t *value,
                 struct report *report) {
    struct redis_store *store = redis_of(base);
    struct redis_step step = {.script = REDIS_ADD};
    struct redis_answer answer;
    struct str sum;
    redis_step_text(&step, key);
    redis_step_number(&step, delta);
    redis_step_number(&step, ttl_ms);
    TRY(redis_step_run(store, &step, &answer, report));
    result r = redis_answer_text(store, &answer, 0, &sum, report);
    if (r.why == FAIL_NONE && !str_to_i64(sum, value))
        r = redis_answer_doubt(store, &answer, report);
    redis_step_end(store, &answer);
    return r;
}

/* -- windows and places ----------------------------------------------------------------------- */

static result read_admission(struct redis_store *store, struct redis_answer *answer, size_t n,
                             struct store_admission *out, struct report *report) {
    uint64_t is_admitted, tightest, number;
    TRY(redis_answer_number(store, answer, 0, &is_admitted, report));
    TRY(redis_answer_number(store, answer, 1, &tightest, report));
    TRY(redis_answer_number(store, answer, 2, &number, report));
    bool is_sane = is_admitted <= 1 && tightest < n && number <= (uint64_t)STORE_FOREVER;
    if (!is_sane) return redis_answer_doubt(store, answer, report);
    *out = (struct store_admission){.is_admitted = is_admitted == 1, .tightest = tightest};
    *(out->is_admitted ? &out->left : &out->retry_after_ms) = (int64_t)number;
    return OK;
}

result redis_admit(struct store *base, const struct store_window *windows, size_t n,
                   struct store_admission *out, struct report *report) {
    struct redis_store *store = redis_of(base);
    struct redis_step step = {.script = REDIS_ADMIT};
    struct redis_answer answer;
    for (size_t i = 0; i < n; i++) {
        redis_step_text(&step, windows[i].key);
        redis_step_number(&step, windows[i].max);
        redis_step_number(&step, windows[i].window_ms);
    }
    TRY(redis_step_run(store, &step, &answer, report));
    result r = read_admission(store, &answer, n, out, report);
    redis_step_end(store, &answer);
    return r;
}

static struct redis_step visit(enum redis_script script, const struct store_place *place) {
    struct redis_step step = {.script = script};
    redis_step_text(&step, place->key);
    redis_step_text(&step, place->member);
    return step;
}

result redis_enter(struct store *store, const struct store_place *place, int64_t max, bool *is_in,
                   struct report *report) {
    struct redis_step step = visit(REDIS_ENTER, place);
    redis_step_number(&step, place->ttl_ms);
    redis_step_number(&step, max);
    return run_truth(store, &step, is_in, report);
}

result redis_stay(struct store *store, const struct store_place *place, bool *is_in,
                  struct report *report) {
    struct redis_step step = visit(REDIS_STAY, place);
    redis_step_number(&step, place->ttl_ms);
    return run_truth(store, &step, is_in, report);
}

result redis_leave(struct store *store, const struct store_place *place, bool *was_in,
                   struct report *report) {
    struct redis_step step = visit(REDIS_LEAVE, place);
    return run_truth(store, &step, was_in, report);
}

/* -- the whole -------------------------------------------------------------------------------- */

result redis_tide(struct store *store, uint64_t *tide, struct report *report) {
    struct redis_step step = {.script = REDIS_TIDE};
    return run_number(store, &step, tide, report);
}

result redis_ask_bytes(struct redis_store *store, enum redis_script script, int64_t *bytes,
                       struct report *report) {
    struct redis_step step = {.script = script};
    struct redis_answer answer;
    struct str text;
    TRY(redis_step_run(store, &step, &answer, report));
    result r = redis_answer_text(store, &answer, 0, &text, report);
    if (r.why == FAIL_NONE && !str_to_i64(text, bytes))
        r = redis_answer_doubt(store, &answer, report);
    redis_step_end(store, &answer);
    return r;
}
