#include "identity/answers.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"
#include "identity/provider.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum entry_state {
    ENTRY_PENDING = 0, /* somebody asks; in no list */
    ENTRY_KNOWN,
    ENTRY_UNKNOWN,
    ENTRY_FAILED, /* the issuer could not tell: so is it of an issuer as a whole */
};

/* Who asks and who waits hold it, and the map while it is in there. */
struct entry {
    struct link by_use; /* in answers.lists[], the last used first; KNOWN apart from the others */
    uint8_t key[DIGEST_SIZE];
    enum entry_state state;
    bool is_mapped;
    size_t refs;
    int64_t until_ns;
    size_t len;
    char *text;
};

enum { LIST_KNOWN, LIST_OTHERS, LISTS };

struct answers {
    const struct clock *clock;
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t ended; /* a PENDING one */
    struct map entries;   /* key → entry */
    struct link lists[LISTS];
    size_t n[LISTS];
};

result answers_new(const struct clock *clock, struct answers **out, struct report *report) {
    struct answers *answers = fault_now() ? NULL : calloc(1, sizeof *answers);
    *out = answers;
    if (answers == NULL) return fail_memory(report);
    answers->clock = clock;
    pthread_mutex_init(&answers->lock, NULL);
    pthread_cond_init(&answers->ended, NULL);
    map_init_heap(&answers->entries);
    for (size_t i = 0; i < LISTS; i++) list_init(&answers->lists[i]);
    return OK;
}

/* -- entries, under the lock ------------------------------------------------------------------ */

static struct str key_text(const uint8_t key[DIGEST_SIZE]) {
    return (struct str){(const char *)key, DIGEST_SIZE};
}

static int list_of(const struct entry *entry) {
    return entry->state == ENTRY_KNOWN ? LIST_KNOWN : LIST_OTHERS;
}

static void unref(struct entry *entry) {
    if (--entry->refs > 0) return;
    free(entry->text);
    free(entry);
}

static void drop(struct answers *answers, struct entry *entry) {
    if (!entry->is_mapped) return;
    map_remove(&answers->entries, key_text(entry->key));
    entry->is_mapped = false;
    if (link_joined(&entry->by_use)) answers->n[list_of(entry)]--;
    list_leave(&entry->by_use);
    unref(entry);
}

void answers_free(struct answers *answers) {
    if (answers == NULL) return;
    for (size_t i = 0; i < LISTS; i++)
        while (!list_empty(&answers->lists[i]))
            drop(answers, holder_of(answers->lists[i].next, struct entry, by_use));
    map_deinit(&answers->entries);
    pthread_cond_destroy(&answers->ended);
    pthread_mutex_destroy(&answers->lock);
    free(answers);
}

/* One that is still good, or PENDING; NULL: none is there. */
static struct entry *look(struct answers *answers, const uint8_t key[DIGEST_SIZE]) {
    struct entry *entry = map_get(&answers->entries, key_text(key));
    if (entry == NULL || entry->state == ENTRY_PENDING) return entry;
    if (clock_mono_ns(answers->clock) >= entry->until_ns) {
        drop(answers, entry);
        return NULL;
    }
    struct link *list = &answers->lists[list_of(entry)];
    list_leave(&entry->by_use);
    list_add_first(list, &entry->by_use);
    return entry;
}

/* PENDING, with the caller's reference. */
static struct entry *add(struct answers *answers, const uint8_t key[DIGEST_SIZE]) {
    struct entry *entry = fault_now() ? NULL : calloc(1, sizeof *entry);
    if (entry == NULL) return NULL;
    memcpy(entry->key, key, DIGEST_SIZE);
    entry->refs = 1;
    if (!map_put(&answers->entries, key_text(entry->key), entry)) {
        unref(entry);
        return NULL;
    }
    entry->refs++;
    entry->is_mapped = true;
    return entry;
}

static void keep(struct answers *answers, struct entry *entry, int64_t ttl_ms) {
    static const size_t room[LISTS] = {ANSWERS_KNOWN_MAX, ANSWERS_UNKNOWN_MAX};
    int list = list_of(entry);
    if (ttl_ms <= 0) {
        drop(answers, entry);
        return;
    }
    if (ttl_ms > ANSWERS_TTL_MS_MAX) ttl_ms = ANSWERS_TTL_MS_MAX;
    entry->until_ns = clock_mono_ns(answers->clock) + ttl_ms * 1000000;
    list_add_first(&answers->lists[list], &entry->by_use);
    if (++answers->n[list] > room[list])
        drop(answers, holder_of(answers->lists[list].prev, struct entry, by_use));
}

/* -- asking ----------------------------------------------------------------------------------- */

result issuer_unavailable(struct report *report, const char *provider, const char *why) {
    log_line(LOG_WARN, "issuer_unavailable", STR_NONE, "%s: %s", provider, why);
    result r = fail(report, FAIL_IO, "ISSUER_UNAVAILABLE", REPORT_NO_OFFSET,
                    "who could tell whose credential it is does not answer");
    fail_hint(report, "Come back in a moment");
    return r;
}

static result left_alone(struct report *report) {
    result r = fail(report, FAIL_IO, "ISSUER_UNAVAILABLE", REPORT_NO_OFFSET,
                    "who could tell whose credential it is did not answer a moment ago");
    fail_hint(report, "Come back in a moment");
    return r;
}

/* Each part with its length, so that no two questions are spelled alike. */
static bool make_key(const struct answers_question *q, bool with_credential, struct arena *arena,
                     uint8_t key[DIGEST_SIZE]) {
    struct str credential = with_credential ? q->credential : STR("");
    struct str text = str_printf(arena, "%s %zu:" STR_FMT "%c%zu:" STR_FMT, q->provider,
                                 q->issuer.len, STR_ARG(q->issuer), with_credential ? '+' : '-',
                                 credential.len, STR_ARG(credential));
    return text.ptr != NULL && digest_sha256(text, key);
}

static result read_entry(const struct entry *entry, struct arena *arena, struct str *text,
                         struct report *report) {
    switch (entry->state) {
    case ENTRY_KNOWN:
        *text = str_dup(arena, (struct str){entry->text, entry->len});
        return text->ptr != NULL ? OK : fail_memory(report);
    case ENTRY_UNKNOWN: *text = STR_NONE; return OK;
    case ENTRY_FAILED: return left_alone(report);
    case ENTRY_PENDING: break;
    }
    assert(false);
    return (result){FAIL_DENIED};
}

/* Under the lock, which is let go meanwhile. */
static result wait_for(struct answers *answers, struct entry *entry, struct arena *arena,
                       struct str *text, struct report *report) {
    entry->refs++;
    while (entry->state == ENTRY_PENDING) pthread_cond_wait(&answers->ended, &answers->lock);
    result r = read_entry(entry, arena, text, report);
    unref(entry);
    return r;
}

/* What the answer is to those who wait and come later. */
static void settle(struct entry *entry, const struct answer *answer, result r) {
    bool is_known = r.why == FAIL_NONE && answer->text.ptr != NULL;
    size_t len = answer->text.len;
    if (is_known && len <= (size_t)ANSWER_BYTES_MAX && !fault_now()) entry->text = malloc(len + 1);
    if (entry->text != NULL) {
        memcpy(entry->text, answer->text.ptr, len);
        entry->len = len;
    }
    if (is_known && entry->text != NULL)
        entry->state = ENTRY_KNOWN;
    else
        entry->state = r.why == FAIL_NONE && !is_known ? ENTRY_UNKNOWN : ENTRY_FAILED;
}

/* An issuer that did not answer is not asked for others' credentials either. */
static void leave_alone(struct answers *answers, const uint8_t issuer[DIGEST_SIZE]) {
    struct entry *entry = look(answers, issuer) == NULL ? add(answers, issuer) : NULL;
    if (entry == NULL) return;
    entry->state = ENTRY_FAILED;
    keep(answers, entry, ANSWERS_FAILED_MS);
    unref(entry);
}

/* Under the lock, which is let go while the issuer is asked. */
static result ask(const struct identifying *who, const struct answers_question *q,
                  const uint8_t key[DIGEST_SIZE], const uint8_t issuer[DIGEST_SIZE],
                  struct str *text, struct report *report) {
    struct answers *answers = who->state->answers;
    struct answer answer = {0};
    struct entry *entry = add(answers, key);
    if (entry == NULL) return fail_memory(report);
    pthread_mutex_unlock(&answers->lock);
    result r = q->ask(who, q->credential, &answer, report);
    pthread_mutex_lock(&answers->lock);
    settle(entry, &answer, r);
    bool is_kept = r.why == FAIL_NONE && entry->state != ENTRY_FAILED;
    keep(answers, entry, is_kept ? answer.ttl_ms : 0);
    bool is_ours = r.why == FAIL_NONE || r.why == FAIL_MEMORY || r.why == FAIL_BUSY;
    if (!is_ours) leave_alone(answers, issuer);
    pthread_cond_broadcast(&answers->ended);
    unref(entry);
    *text = answer.text;
    return r;
}

static result get(const struct identifying *who, const struct answers_question *q,
                  const uint8_t key[DIGEST_SIZE], const uint8_t issuer[DIGEST_SIZE],
                  struct str *text, struct report *report) {
    struct answers *answers = who->state->answers;
    struct entry *entry = look(answers, key);
    if (entry != NULL && entry->state != ENTRY_PENDING)
        return read_entry(entry, who->arena, text, report);
    if (look(answers, issuer) != NULL) return left_alone(report);
    if (!who->origin->may_wait) return (result){FAIL_WAIT};
    if (entry != NULL) return wait_for(answers, entry, who->arena, text, report);
    return ask(who, q, key, issuer, text, report);
}

result answers_get(const struct identifying *who, const struct answers_question *question,
                   struct str *text, struct report *report) {
    uint8_t key[DIGEST_SIZE], issuer[DIGEST_SIZE];
    *text = STR_NONE;
    if (who->state == NULL)
        return issuer_unavailable(report, question->provider, "nobody is asked here");
    if (!make_key(question, true, who->arena, key) ||
        !make_key(question, false, who->arena, issuer))
        return fail_memory(report);
    pthread_mutex_lock(&who->state->answers->lock);
    result r = get(who, question, key, issuer, text, report);
    pthread_mutex_unlock(&who->state->answers->lock);
    return r;
}
