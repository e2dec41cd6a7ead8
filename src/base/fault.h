/*
 * base/fault.h - the Nth thing that can fail, fails
 *
 * Every allocation of an arena, buf, map, every read and write that ought to survive failure asks
 * fault_now() first. Tests set the counter and run a case for N = 0, 1, 2, … until it is not
 * reached:
 *
 *     for (long n = 0;; n++) {
 *         fault_set(n);
 *         result r = run_case();
 *         if (fault_unused()) break;
 *         check(r.why == FAIL_MEMORY);
 *     }
 *     fault_off();
 *
 * Threads: the counter is per thread.
 */
#ifndef WEIR_BASE_FAULT_H
#define WEIR_BASE_FAULT_H

#include <stdbool.h>

void fault_set(long nth); /* the nth question from now on answers true, once; 0 is the next one */
void fault_off(void);
bool fault_unused(void); /* the counter was not reached since fault_set() */
bool fault_now(void);    /* asked by the code under test */

#endif
