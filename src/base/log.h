/*
 * base/log.h - the operational log: one JSON object a line on standard error
 *
 * {"time":"…","level":"warn","event":"worker_lost","call":"…","text":"…"}. It holds no values of
 * calls, no secrets, no SQL: those are the audit record's (audit/audit.h).
 *
 * Threads: any; a line is written by one write(2).
 */
#ifndef WEIR_BASE_LOG_H
#define WEIR_BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

/* Process-wide, like standard error itself. The default is LOG_INFO. */
void log_threshold(enum log_level lowest);
bool log_level_of(struct str name, enum log_level *out); /* "debug" … "off" */

/* `event` is snake_case and stable; `call` may be empty. */
void log_line(enum log_level level, const char *event, struct str call, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
