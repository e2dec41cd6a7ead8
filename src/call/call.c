#include "call/call.h"

#include "base/fault.h"
#include "base/limits.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct call *call_new(struct snapshot *snapshot, const struct clock *clock) {
    struct call *call = fault_now() ? NULL : calloc(1, sizeof *call);
    if (call == NULL) return NULL;
    arena_init(&call->arena, CALL_ARENA_BYTES);
    buf_init(&call->reply, (size_t)snapshot->settings.reply_max_bytes + CALL_ENVELOPE_BYTES);
    call->snapshot = snapshot_ref(snapshot);
    call->clock = clock;
    call->cancel.fd = -1;
    call->facts.engine_us = -1;
    call->facts.row_count = -1;
    call->started_ms = clock_wall_ms(clock);
    call->started_ns = clock_mono_ns(clock);
    rand_uuid(call->audit_id);
    return call;
}

void call_free(struct call *call) {
    if (call == NULL) return;
    int fd = atomic_load(&call->cancel.fd);
    if (fd >= 0) close(fd);
    buf_deinit(&call->reply);
    arena_deinit(&call->arena);
    snapshot_unref(call->snapshot);
    free(call);
}

/* The flag is set before the descriptor is looked for, and the descriptor published before the flag
 * is looked at: whichever comes second sees the other. */
void call_cancel(struct call *call) {
    atomic_store(&call->cancel.is_set, true);
    int fd = atomic_load(&call->cancel.fd);
    uint64_t one = 1;
    if (fd >= 0 && write(fd, &one, sizeof one) < 0) return; /* already readable */
}

bool call_is_cancelled(const struct call *call) {
    return atomic_load(&call->cancel.is_set);
}

int call_cancel_fd(struct call *call) {
    int fd = atomic_load(&call->cancel.fd);
    if (fd < 0) {
        fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        atomic_store(&call->cancel.fd, fd);
    }
    uint64_t one = 1;
    if (fd >= 0 && call_is_cancelled(call) && write(fd, &one, sizeof one) < 0) return fd;
    return fd;
}

struct str call_request_id(const struct call *call) {
    struct str id = call->origin.request_id;
    bool is_text = id.len >= 2 && id.ptr[0] == '"';
    if (is_text) id = str_slice(id, 1, id.len - 1);
    return id.len > 0 ? id : str_of(call->audit_id);
}

double call_elapsed_ms(const struct call *call) {
    return (double)(clock_mono_ns(call->clock) - call->started_ns) / 1e6;
}
