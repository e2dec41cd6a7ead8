/*
 * road/record.h - what is written down of a call
 *
 * Memory:  the record borrows from the call while audit_submit() copies it.
 * Errors:  as audit_submit(): then done() is not called.
 */
#ifndef WEIR_ROAD_RECORD_H
#define WEIR_ROAD_RECORD_H

#include "audit/audit.h"
#include "call/call.h"

/* `station` is the name of the one that the road ended at. */
MUST_USE result record_submit(struct audit *audit, struct call *call, const char *station,
                              audit_done *done);

#endif
