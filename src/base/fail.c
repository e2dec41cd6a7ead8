#include "base/fail.h"

#include <stdio.h>

/* snprintf cuts anywhere; a text that was cut is shortened to whole characters. */
static void clip(char *text, int would_be, size_t size) {
    if (would_be < 0) {
        text[0] = '\0';
        return;
    }
    if ((size_t)would_be < size) return;
    text[utf8_clip((struct str){text, size - 1}, size - 2).len] = '\0';
}

result fail_v(struct report *report, enum fail why, const char *code, size_t offset,
              const char *fmt, va_list args) {
    if (report == NULL || report->why != FAIL_NONE) return (result){why};
    report->why = why;
    report->code = code;
    report->offset = offset;
    report->hint[0] = '\0';
    int len = vsnprintf(report->sentence, sizeof report->sentence, fmt, args);
    clip(report->sentence, len, sizeof report->sentence);
    return (result){why};
}

result fail(struct report *report, enum fail why, const char *code, size_t offset, const char *fmt,
            ...) {
    va_list args;
    va_start(args, fmt);
    result r = fail_v(report, why, code, offset, fmt, args);
    va_end(args);
    return r;
}

void fail_hint(struct report *report, const char *fmt, ...) {
    if (report == NULL || report->why == FAIL_NONE || report->hint[0] != '\0') return;
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(report->hint, sizeof report->hint, fmt, args);
    va_end(args);
    clip(report->hint, len, sizeof report->hint);
}

result fail_memory(struct report *report) {
    return fail(report, FAIL_MEMORY, "OUT_OF_MEMORY", REPORT_NO_OFFSET,
                "the memory set aside for this work is spent");
}

void report_clear(struct report *report) {
    memset(report, 0, sizeof *report);
}

const char *fail_name(enum fail why) {
    switch (why) {
    case FAIL_NONE: return "none";
    case FAIL_INPUT: return "input";
    case FAIL_DENIED: return "denied";
    case FAIL_LIMIT: return "limit";
    case FAIL_MEMORY: return "memory";
    case FAIL_IO: return "io";
    case FAIL_BACKEND: return "backend";
    case FAIL_TIMEOUT: return "timeout";
    case FAIL_CANCELLED: return "cancelled";
    case FAIL_ASKED: return "asked";
    case FAIL_BUSY: return "busy";
    case FAIL_ABSENT: return "absent";
    case FAIL_WAIT: return "wait";
    case FAIL_CONFIG: return "config";
    }
    return "unknown";
}
