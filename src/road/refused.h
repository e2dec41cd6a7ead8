/*
 * road/refused.h - refusals of strangers, counted and not written one by one
 *
 * What is stopped before there is an identity is counted by peer, code and minute, and becomes one
 * record when the minute is over, so that no stranger can fill the disk.
 *
 * Memory:  at most REFUSED_PEERS_MAX peers a minute are told apart; the others are counted
 * together. Threads: any; a lock of its own.
 */
#ifndef WEIR_ROAD_REFUSED_H
#define WEIR_ROAD_REFUSED_H

#include "audit/audit.h"
#include "base/clock.h"

struct refused;

struct refused *refused_new(struct audit *audit, const struct clock *clock); /* NULL: no memory */
void refused_free(struct refused *refused); /* records what is counted; takes NULL */

void refused_count(struct refused *refused, struct str peer, const char *code);
/* Records the minutes that are over. To be called about once a second. */
void refused_tick(struct refused *refused);

#endif
