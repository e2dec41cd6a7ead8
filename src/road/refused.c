#include "road/refused.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/rand.h"

#include <pthread.h>
#include <stdlib.h>

enum { PEER_BYTES = 48 }; /* an IPv6 address as text, with its zone, is shorter */

struct refused_entry {
    char peer[PEER_BYTES];
    size_t peer_len;
    const char *code; /* a literal */
    int64_t n;
};

struct refused {
    struct audit *audit;
    const struct clock *clock;
    pthread_mutex_t lock;
    int64_t minute; /* that the entries are of */
    size_t n;
    struct refused_entry entries[REFUSED_PEERS_MAX];
};

struct refused *refused_new(struct audit *audit, const struct clock *clock) {
    struct refused *refused = fault_now() ? NULL : calloc(1, sizeof *refused);
    if (refused == NULL) return NULL;
    refused->audit = audit;
    refused->clock = clock;
    pthread_mutex_init(&refused->lock, NULL);
    return refused;
}

static void written(void *with, result how) {
    (void)with;
    if (how.why != FAIL_NONE)
        log_line(LOG_ERROR, "audit_failed", STR_NONE, "a summary of refusals was not recorded");
}

static void record_entry(struct refused *refused, const struct refused_entry *e) {
    char audit_id[UUID_SIZE];
    rand_uuid(audit_id);
    struct audit_record record = {
        .audit_id = audit_id,
        .time_ms = refused->minute * 60000,
        .source_ip = {e->peer, e->peer_len},
        .outcome = "denied",
        .policy_decision = "denied",
        .error_code = e->code,
        .row_count = -1,
        .engine_us = -1,
        .station = "identify",
        .repeated = e->n,
    };
    result r = audit_submit(refused->audit, &record, written, NULL);
    if (r.why != FAIL_NONE) written(NULL, r);
}

/* Under the lock. */
static void flush_before(struct refused *refused, int64_t minute) {
    if (refused->minute == minute) return;
    for (size_t i = 0; i < refused->n; i++) record_entry(refused, &refused->entries[i]);
    refused->n = 0;
    refused->minute = minute;
}

static int64_t minute_now(const struct refused *refused) {
    return clock_wall_ms(refused->clock) / 60000;
}

static struct refused_entry *entry_of(struct refused *refused, struct str peer, const char *code) {
    for (size_t i = 0; i < refused->n; i++) {
        struct refused_entry *e = &refused->entries[i];
        if (str_eq((struct str){e->peer, e->peer_len}, peer) && strcmp(e->code, code) == 0)
            return e;
    }
    if (refused->n == REFUSED_PEERS_MAX) return &refused->entries[REFUSED_PEERS_MAX - 1];
    /* The last place is for all who find none of their own. */
    if (refused->n == REFUSED_PEERS_MAX - 1) peer = STR("others");
    struct refused_entry *e = &refused->entries[refused->n++];
    *e = (struct refused_entry){.code = code, .peer_len = peer.len};
    memcpy(e->peer, peer.ptr, peer.len);
    return e;
}

void refused_count(struct refused *refused, struct str peer, const char *code) {
    pthread_mutex_lock(&refused->lock);
    flush_before(refused, minute_now(refused));
    struct str known = peer.len > 0 ? str_slice(peer, 0, PEER_BYTES) : STR("-");
    entry_of(refused, known, code)->n++;
    pthread_mutex_unlock(&refused->lock);
}

void refused_tick(struct refused *refused) {
    pthread_mutex_lock(&refused->lock);
    flush_before(refused, minute_now(refused));
    pthread_mutex_unlock(&refused->lock);
}

void refused_free(struct refused *refused) {
    if (refused == NULL) return;
    pthread_mutex_lock(&refused->lock);
    flush_before(refused, -1);
    pthread_mutex_unlock(&refused->lock);
    pthread_mutex_destroy(&refused->lock);
    free(refused);
}
