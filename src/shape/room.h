/*
 * shape/room.h - how much of a reply its data may take
 *
 * What a model pays for is the whole answer: names, metadata and notes too. So the limits are of
 * the whole envelope, and what stands around the data is taken off before the data begins. It
 * counts once though it travels twice, as text and as structuredContent: a client shows its model
 * one of them. Superset's guard measures the text block, which is the same bytes.
 *
 * Two rooms come out, for a reply that is cut has more to say: it may fill `whole` if it is
 * complete, and only `cut` if it is not.
 *
 * Memory:  none. Errors: none. Threads: values.
 */
#ifndef WEIR_SHAPE_ROOM_H
#define WEIR_SHAPE_ROOM_H

#include "call/call.h"
#include "shape/token.h"

#define ROOM_ANY UINT64_MAX

struct room {
    uint64_t tokens, bytes; /* 0: nothing fits; ROOM_ANY: no limit */
};

struct rooms {
    struct room whole, cut;
    uint64_t max_items; /* of a list that is cut; 0: as many as fit */
};

/* The limits of the whole reply of this call's tool: settings, exclusions, who reads it. */
struct room room_of_reply(const struct call *call);
/* What of it is left for the data. Ask when the guard has answered, for its names are told too. */
struct rooms rooms_of_data(const struct call *call);

/* A reply as large as this is told of: the limits' warn_threshold_pct. */
struct room room_of_warning(const struct call *call);

#endif
