/*
 * house/house.h - the parts that live as long as the process, and how they are wired
 *
 * A house is opened for a command: to serve, or to answer one question from the command line. The
 * snapshot in it is swapped whole by house_reload(); the audit log, the store, the secret, the
 * limiter and the road stay.
 *
 * Memory:  house_close() ends everything in the order in which it is safe.
 * Errors:  FAIL_CONFIG with `problems`; FAIL_IO where logs or state cannot be opened.
 * Threads: open, reload and close by one thread; snapshot_take(house->snapshots) by any.
 */
#ifndef WEIR_HOUSE_HOUSE_H
#define WEIR_HOUSE_HOUSE_H

#include "audit/audit.h"
#include "house/config.h"
#include "identity/secret.h"
#include "road/road.h"

struct house {
    struct config_setup setup;
    const struct clock *clock;
    struct snapshot *first; /* keeps the settings, which a reload does not change */
    const struct settings *settings;
    struct snapshot_holder *snapshots;
    struct policy_limiter *limiter;
    /* NULL in a house that records nothing (CONFIG_SCHEMA_ONLY): */
    struct audit *audit;
    struct store *store;
    struct secret *secret;
    struct identity_state *identities;
    struct road *road;
};

/* Zeroed before. On failure nothing stays open. */
MUST_USE result house_open(struct house *house, const struct config_setup *setup,
                           struct problems *problems, struct report *report);
void house_close(struct house *house);

/* Reads all files again. On failure the old snapshot stays. */
MUST_USE result house_reload(struct house *house, struct problems *problems, struct report *report);

#endif
