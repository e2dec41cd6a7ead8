/*
 * base/clock.h - the time, owned by whoever tests us
 *
 * Everything asks the time through a clock. The real one reads the kernel's; a scripted one stands
 * still until it is moved.
 *
 * Threads: the real clock may be used by all; a scripted clock is moved by one thread (atomic).
 */
#ifndef WEIR_BASE_CLOCK_H
#define WEIR_BASE_CLOCK_H

#include "base/str.h"

struct clock {
    /* NULL functions read the kernel. */
    int64_t (*wall_ms)(const struct clock *); /* since 1970-01-01T00:00:00Z */
    int64_t (*mono_ns)(const struct clock *); /* never goes back */
    _Atomic int64_t scripted_ms;              /* used by clock_scripted() */
};

extern const struct clock clock_real;
void clock_scripted(struct clock *clock, int64_t wall_ms);
void clock_move(struct clock *clock, int64_t by_ms); /* scripted clocks only */

int64_t clock_wall_ms(const struct clock *clock);
int64_t clock_mono_ns(const struct clock *clock);

/* "2026-11-20T09:15:00.123Z" (fraction: 24 bytes) or "2026-11-20T09:15:00Z" (20 bytes). UTC. */
enum { CLOCK_ISO_MAX = 32 };
struct str clock_iso(int64_t wall_ms, bool fraction, char out[CLOCK_ISO_MAX]);
/* Civil date of a day number since 1970-01-01 and back (proleptic Gregorian; Hinnant 2021). */
void clock_civil(int64_t days, int *year, unsigned *month, unsigned *day);
int64_t clock_days(int year, unsigned month, unsigned day);

#endif
