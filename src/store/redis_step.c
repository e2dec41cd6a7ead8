#include "store/kind.h"
#include "store/redis_inner.h"

#include <assert.h>
#include <stdio.h>

enum { NS_PER_MS = 1000000, WORDS_BEFORE = 6, TRIES = 2 };

/* -- words ------------------------------------------------------------------------------------ */

void redis_step_text(struct redis_step *step, struct str text) {
    assert(step->n < COUNT(step->words));
    step->words[step->n++] = text.ptr != NULL ? text : STR("");
}

void redis_step_number(struct redis_step *step, int64_t number) {
    assert(step->n < COUNT(step->words));
    char *digits = step->digits[step->n];
    int len = snprintf(digits, sizeof step->digits[0], "%lld", (long long)number);
    redis_step_text(step, (struct str){digits, (size_t)len});
}

void redis_step_version(struct redis_step *step, uint64_t version) {
    assert(step->n < COUNT(step->words));
    char *digits = step->digits[step->n];
    int len = snprintf(digits, sizeof step->digits[0], "%llu", (unsigned long long)version);
    redis_step_text(step, (struct str){digits, (size_t)len});
}

/* -- telling ---------------------------------------------------------------------------------- */

static void note_trouble(struct redis_store *store, const char *reason) {
    pthread_mutex_lock(&store->lock);
    snprintf(store->trouble, sizeof store->trouble, "%s", reason);
    pthread_mutex_unlock(&store->lock);
}

static result tell(struct redis_store *store, const struct redis_trouble *trouble,
                   bool is_repeatable, struct report *report) {
    note_trouble(store, trouble->reason);
    if (trouble->why == FAIL_MEMORY && (is_repeatable || !trouble->is_sent))
        return fail_memory(report);
    return fail(report, FAIL_IO, "STORE_UNAVAILABLE", REPORT_NO_OFFSET,
                "the store '" STR_FMT "' cannot be used: %s%s", STR_ARG(store->server.url.shown),
                trouble->reason,
                trouble->is_sent && !is_repeatable ? "; whether this was done is not known" : "");
}

/* What a script says where it did nothing. */
static result refusal(struct redis_store *store, const struct redis_reply *reply,
                      struct report *report) {
    struct str word = reply->n == 1 ? reply->items[0].text : STR_NONE;
    if (str_eq(word, STR(REDIS_FULL))) return store_fail_full(store->max_bytes, report);
    if (str_eq(word, STR(REDIS_RANGE))) return store_fail_range(report);
    return OK;
}

/* -- running ---------------------------------------------------------------------------------- */

static bool is_unknown_script(const struct redis_reply *reply) {
    return reply->sort == REDIS_WRONG && str_starts(reply->text, STR("NOSCRIPT"));
}

/* By its name, and where Redis does not know that yet, whole: then it was certainly not done. */
static result ask(struct redis_store *store, const struct redis_step *step, struct redis_link *link,
                  int64_t deadline_ns, const struct redis_reply **reply) {
    const struct redis_text *text = &store->texts[step->script];
    struct str words[WORDS_BEFORE + COUNT(step->words)];
    struct redis_step first = {0};
    bool is_own_time = store->clock->wall_ms != NULL;
    words[0] = STR("EVALSHA");
    words[1] = str_of(text->sha);
    words[2] = STR("1");
    words[3] = store->sums_key;
    redis_step_number(&first, is_own_time ? clock_wall_ms(store->clock) : 0);
    redis_step_number(&first, store->max_bytes);
    words[4] = is_own_time ? first.words[0] : STR("");
    words[5] = first.words[1];
    memcpy(words + WORDS_BEFORE, step->words, step->n * sizeof *words);
    TRY(redis_link_ask(link, words, WORDS_BEFORE + step->n, deadline_ns, reply));
    if (!is_unknown_script(*reply)) return OK;
    words[0] = STR("EVAL");
    words[1] = text->text;
    return redis_link_ask(link, words, WORDS_BEFORE + step->n, deadline_ns, reply);
}

static const char no_answer[] = "it answers what no Redis answers";

/* An answer that is no list. */
static void note_wrong(struct redis_link *link, const struct redis_reply *reply,
                       struct redis_trouble *trouble) {
    trouble->why = FAIL_IO;
    if (reply->sort == REDIS_WRONG)
        trouble->is_sent = !redis_link_explain(link, reply->text);
    else
        memcpy(link->reason, no_answer, sizeof no_answer);
}

/* A list comes back, or it went wrong: then the connection was given back. */
static result try_once(struct redis_store *store, const struct redis_step *step,
                       int64_t deadline_ns, struct redis_answer *out,
                       struct redis_trouble *trouble) {
    *out = (struct redis_answer){0};
    TRY(redis_pool_take(store, deadline_ns, &out->slot, trouble));
    struct redis_link *link = &out->slot->link;
    result r = ask(store, step, link, deadline_ns, &out->reply);
    if (r.why == FAIL_NONE && out->reply->sort == REDIS_LIST) return OK;
    *trouble = (struct redis_trouble){.why = r.why, .is_sent = link->is_sent};
    if (r.why == FAIL_NONE) note_wrong(link, out->reply, trouble);
    trouble->is_broken = r.why == FAIL_IO && !link->is_late;
    memcpy(trouble->reason, link->reason, sizeof trouble->reason);
    redis_pool_give(store, out->slot, link->is_late ? REDIS_AWAY : REDIS_BROKEN);
    *out = (struct redis_answer){0};
    return (result){trouble->why};
}

result redis_step_run(struct redis_store *store, const struct redis_step *step,
                      struct redis_answer *out, struct report *report) {
    int64_t deadline_ns = clock_mono_ns(&clock_real) + store->wait_ms * NS_PER_MS;
    bool is_repeatable = redis_script_is_repeatable(step->script), is_again = false;
    struct redis_trouble trouble;
    result r = OK;
    for (int i = 0; i == 0 || (is_again && i < TRIES); i++) {
        r = try_once(store, step, deadline_ns, out, &trouble);
        is_again = r.why != FAIL_NONE && trouble.is_broken && (is_repeatable || !trouble.is_sent);
    }
    if (r.why != FAIL_NONE) return tell(store, &trouble, is_repeatable, report);
    note_trouble(store, "");
    r = refusal(store, out->reply, report);
    if (r.why != FAIL_NONE) redis_step_end(store, out);
    return r;
}

void redis_step_end(struct redis_store *store, struct redis_answer *answer) {
    if (answer->slot != NULL)
        redis_pool_give(store, answer->slot, answer->is_doubtful ? REDIS_BROKEN : REDIS_WELL);
    *answer = (struct redis_answer){0};
}

/* -- answers ---------------------------------------------------------------------------------- */

result redis_answer_doubt(struct redis_store *store, struct redis_answer *answer,
                          struct report *report) {
    struct redis_trouble trouble = {.why = FAIL_IO, .is_sent = true};
    memcpy(trouble.reason, no_answer, sizeof no_answer);
    answer->is_doubtful = true;
    return tell(store, &trouble, false, report);
}

result redis_answer_text(struct redis_store *store, struct redis_answer *answer, size_t i,
                         struct str *out, struct report *report) {
    *out = STR_NONE;
    if (i >= answer->reply->n || answer->reply->items[i].sort != REDIS_TEXT)
        return redis_answer_doubt(store, answer, report);
    *out = answer->reply->items[i].text;
    return OK;
}

result redis_answer_number(struct redis_store *store, struct redis_answer *answer, size_t i,
                           uint64_t *out, struct report *report) {
    struct str text;
    *out = 0;
    TRY(redis_answer_text(store, answer, i, &text, report));
    return str_to_u64(text, out) ? OK : redis_answer_doubt(store, answer, report);
}
