#include "mcp/journal.h"

#include "base/limits.h"
#include "base/log.h"

static struct str key_of(const char *sort, struct str name, struct arena *arena) {
    return str_printf(arena, "%s/" STR_FMT, sort, STR_ARG(name));
}

/* -- the keeper of leases --------------------------------------------------------------------- */

/* A lease that is lost is not cancelled: the call may be past the point where that helps, and its
 * answer will find no place. */
static void prolong(struct journals *journals, struct journal *journal, struct arena *arena) {
    struct report report = {0};
    bool is_ours;
    struct str key = key_of("lease", journal->name, arena);
    if (key.ptr == NULL) return;
    result r = store_touch(journals->store, key, journal->lease_version, JOURNAL_LEASE_MS, &is_ours,
                           &report);
    if (r.why != FAIL_NONE) log_line(LOG_WARN, "lease_not_kept", STR_NONE, "%s", report.sentence);
}

static void prolong_all(void *with) {
    struct journals *journals = with;
    struct arena arena;
    arena_init(&arena, JOURNAL_ARENA_BYTES);
    pthread_mutex_lock(&journals->lock);
    for (struct link *at = journals->held.next; at != &journals->held; at = at->next) {
        prolong(journals, holder_of(at, struct journal, link), &arena);
        arena_reset(&arena);
    }
    pthread_mutex_unlock(&journals->lock);
    arena_deinit(&arena);
}

result journals_open(struct journals *journals, struct store *store, struct report *report) {
    *journals = (struct journals){.store = store};
    pthread_mutex_init(&journals->lock, NULL);
    list_init(&journals->held);
    if (store == NULL) return OK;
    return beat_start(&journals->keeper, JOURNAL_BEAT_MS, prolong_all, journals, report);
}

void journals_close(struct journals *journals) {
    beat_stop(&journals->keeper);
    pthread_mutex_destroy(&journals->lock);
}

/* -- leases ----------------------------------------------------------------------------------- */

result journal_take_over(struct journals *journals, struct journal *journal, struct arena *arena,
                         struct report *report) {
    struct store_item lease = {key_of("lease", journal->name, arena), STR("held"),
                               JOURNAL_LEASE_MS};
    if (lease.key.ptr == NULL) return fail_memory(report);
    TRY(store_put_new(journals->store, &lease, &journal->lease_version, report));
    if (journal->lease_version == STORE_ABSENT) return OK;
    pthread_mutex_lock(&journals->lock);
    list_add_last(&journals->held, &journal->link);
    pthread_mutex_unlock(&journals->lock);
    return OK;
}

result journal_open(struct journals *journals, struct journal *journal, struct str body,
                    struct arena *arena, struct report *report) {
    struct store_item request = {key_of("journal", journal->name, arena), body, JOURNAL_RUN_TTL_MS};
    if (request.key.ptr == NULL) return fail_memory(report);
    TRY(store_put(journals->store, &request, NULL, report));
    return journal_take_over(journals, journal, arena, report);
}

/* Its neighbours in the list change it, too: so it is looked at under the lock. */
static bool let_go(struct journals *journals, struct journal *journal) {
    pthread_mutex_lock(&journals->lock);
    bool was_held = link_joined(&journal->link);
    list_leave(&journal->link);
    pthread_mutex_unlock(&journals->lock);
    return was_held;
}

void journal_forget(struct journals *journals, struct journal *journal) {
    (void)let_go(journals, journal);
}

void journal_close(struct journals *journals, struct journal *journal) {
    struct arena arena;
    struct report unused = {0};
    bool was_there;
    if (!let_go(journals, journal)) return;
    arena_init(&arena, JOURNAL_ARENA_BYTES);
    struct str lease = key_of("lease", journal->name, &arena);
    struct str request = key_of("journal", journal->name, &arena);
    result r = lease.ptr == NULL || request.ptr == NULL ? fail_memory(&unused) : OK;
    if (r.why == FAIL_NONE)
        r = store_touch(journals->store, request, STORE_ANY, JOURNAL_TTL_MS, NULL, &unused);
    if (r.why == FAIL_NONE)
        r = store_remove(journals->store, lease, journal->lease_version, &was_there, &unused);
    if (r.why != FAIL_NONE) log_line(LOG_WARN, "lease_not_ended", STR_NONE, "%s", unused.sentence);
    journal->lease_version = STORE_ABSENT;
    arena_deinit(&arena);
}

result journal_is_held(struct journals *journals, struct str name, struct arena *arena,
                       bool *is_held, struct report *report) {
    struct store_value value;
    struct str key = key_of("lease", name, arena);
    if (key.ptr == NULL) return fail_memory(report);
    TRY(store_get(journals->store, key, arena, &value, report));
    *is_held = value.version != STORE_ABSENT;
    return OK;
}

/* -- what is written -------------------------------------------------------------------------- */

result journal_append(struct journals *journals, struct journal *journal, bool is_answer,
                      struct str json, struct arena *arena, uint64_t *sequence,
                      struct report *report) {
    struct store_append append = {
        .log = key_of("events", journal->name, arena),
        .value = str_printf(arena, "%c" STR_FMT, is_answer ? 'a' : 'm', STR_ARG(json)),
        .ttl_ms = is_answer ? JOURNAL_TTL_MS : JOURNAL_RUN_TTL_MS,
        .guard = key_of("lease", journal->name, arena),
        .guard_version = journal->lease_version};
    if (append.log.ptr == NULL || append.value.ptr == NULL || append.guard.ptr == NULL)
        return fail_memory(report);
    return store_append(journals->store, &append, sequence, report);
}

result journal_request(struct journals *journals, struct str name, struct arena *arena,
                       struct str *body, struct report *report) {
    struct store_value value;
    struct str key = key_of("journal", name, arena);
    if (key.ptr == NULL) return fail_memory(report);
    TRY(store_get(journals->store, key, arena, &value, report));
    *body = value.version == STORE_ABSENT ? STR_NONE : value.bytes;
    return OK;
}

result journal_read(struct journals *journals, struct str name, uint64_t after, struct arena *arena,
                    struct journal_entry **entries, size_t *n, struct report *report) {
    struct store_events events;
    struct str log = key_of("events", name, arena);
    if (log.ptr == NULL) return fail_memory(report);
    TRY(store_read(journals->store, log, after, JOURNAL_READ_MAX, arena, &events, report));
    *entries = arena_new_array(arena, events.n + 1, struct journal_entry);
    if (*entries == NULL) return fail_memory(report);
    *n = events.n;
    for (size_t i = 0; i < events.n; i++) {
        struct str value = events.items[i].value;
        (*entries)[i] =
            (struct journal_entry){events.items[i].sequence, value.len > 0 && value.ptr[0] == 'a',
                                   str_slice(value, 1, value.len)};
    }
    return OK;
}
