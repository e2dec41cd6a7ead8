/*
 * store/redis_script.h - what the store does inside of Redis
 *
 * Each step is one Lua script: Redis runs it whole, with nobody else in between. The texts and the
 * layout of the keys stand in redis_script.c and nowhere else.
 *
 * Time:    Redis' own (TIME), so that replicas whose clocks differ agree on what has expired, and
 * on what a window still counts. Only a clock that is not the kernel's (a test's) is sent along and
 * believed. Threads: constants.
 */
#ifndef WEIR_STORE_REDIS_SCRIPT_H
#define WEIR_STORE_REDIS_SCRIPT_H

#include "base/arena.h"
#include "base/fail.h"

/* KEYS[1] of all is the prefix and "sums"; ARGV[1] the time, or empty; ARGV[2] the maximum of
 * bytes. The rest of ARGV, and what comes back, as they stand here. All numbers travel as texts:
 * Lua's are doubles. */
enum redis_script {
    REDIS_PROBE,  /* → bytes; runs every command that the others run, and changes nothing */
    REDIS_TIDE,   /* → tide */
    REDIS_USAGE,  /* → bytes */
    REDIS_SWEEP,  /* → bytes; removes up to STORE_SWEEP_MAX of what has expired */
    REDIS_GET,    /* key → version, end, now, value; an absent one has version 0 */
    REDIS_SET,    /* key, value, expected, ttl → version */
    REDIS_REMOVE, /* key, expected → 0 or 1 */
    REDIS_TOUCH,  /* key, expected, ttl → 0 or 1 */
    REDIS_APPEND, /* log, value, ttl, keep, guard, its version → sequence */
    REDIS_READ, /* log, after, max, bytes → first, last, sequence of the first value, values… */
    REDIS_DROP, /* log → 0 or 1 */
    REDIS_ADD,  /* key, delta, ttl → sum */
    REDIS_ADMIT, /* (key, max, window)… → 0 or 1, tightest, left or wait */
    REDIS_ENTER, /* key, member, ttl, max → 0 or 1 */
    REDIS_STAY,  /* key, member, ttl → 0 or 1 */
    REDIS_LEAVE, /* key, member → 0 or 1 */
    REDIS_SCRIPT_COUNT
};

/* What comes instead, alone, where a step was not done. */
#define REDIS_FULL  "full"  /* it would pass the maximum of bytes */
#define REDIS_RANGE "range" /* a counter would leave int64_t */

enum { REDIS_SHA_SIZE = 41 }; /* hex digits and a NUL */

struct redis_text {
    struct str text;
    char sha[REDIS_SHA_SIZE];
};

/* Whether a step may be sent again when its answer was lost: the second time changes nothing that
 * the first had not. */
bool redis_script_is_repeatable(enum redis_script script);

/* Puts the texts together. FAIL_MEMORY. */
MUST_USE result redis_script_make(struct arena *arena, struct redis_text out[REDIS_SCRIPT_COUNT]);

#endif
