/*
 * armed.h - lets the Nth thing fail on whatever thread asks the store
 *
 * Faults are counted by thread (base/fault.h), and what stands at the desk runs on another than the
 * test's. So the store begins the count where it is asked for the first time.
 */
#ifndef WEIR_TEST_MCP_ARMED_H
#define WEIR_TEST_MCP_ARMED_H

#include "base/fault.h"
#include "store/store.h"

#include <stdatomic.h>

static struct store_kind armed_kind;
static const struct store_kind *armed_real;
static atomic_long armed_nth = -1;

/* From the next question to the store on; -1 takes it back. */
static inline void armed_set(long nth) {
    atomic_store(&armed_nth, nth);
}

static inline void armed_fire(void) {
    long nth = atomic_exchange(&armed_nth, -1);
    if (nth >= 0) fault_set(nth);
}

static result armed_get(struct store *store, struct str key, struct arena *arena,
                        struct store_value *out, struct report *report) {
    armed_fire();
    return armed_real->get(store, key, arena, out, report);
}

static result armed_put(struct store *store, const struct store_item *item, uint64_t expected,
                        uint64_t *version, struct report *report) {
    armed_fire();
    return armed_real->set(store, item, expected, version, report);
}

/* Before anybody else uses it. */
static inline void armed_init(struct store *store) {
    armed_real = store->kind;
    armed_kind = *armed_real;
    armed_kind.get = armed_get;
    armed_kind.set = armed_put;
    store->kind = &armed_kind;
    armed_set(-1);
}

#endif
