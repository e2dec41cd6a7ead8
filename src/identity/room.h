/*
 * identity/room.h - what several loaders of this floor do alike
 *
 * Memory:  in the arena given.
 * Errors:  go to the problems; FAIL_MEMORY.
 */
#ifndef WEIR_IDENTITY_ROOM_H
#define WEIR_IDENTITY_ROOM_H

#include "identity/identity.h"
#include "text/bind.h"

/* Reads the one key of `kind` in a room of weir.yaml whose other keys are settings, read elsewhere.
 */
MUST_USE result room_read_key(const struct identity_sources *sources, struct str room,
                              const struct bind_kind *kind, struct arena *arena,
                              struct problems *problems, void *out);

/* https, or http to this machine: what is asked or answered there is nobody else's to read or
 * write. */
bool room_is_safe_url(struct str url);
/* "localhost", "127.0.0.1:8000", "[::1]" */
bool room_is_this_machine(struct str authority);

#endif
