#include "base/log.h"

#include "base/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* Pipes take up to 4096 bytes in one piece, whoever else writes; longer texts are cut. */
enum { LINE_MAX_BYTES = 4096, TEXT_MAX_BYTES = 3000, CALL_MAX_BYTES = 200 };

static _Atomic int threshold = LOG_INFO;

static const struct {
    struct str name;
    enum log_level level;
} levels[] = {
    {STR_INIT("debug"), LOG_DEBUG}, {STR_INIT("info"), LOG_INFO}, {STR_INIT("warn"), LOG_WARN},
    {STR_INIT("error"), LOG_ERROR}, {STR_INIT("off"), LOG_OFF},
};

struct line {
    size_t len;
    char bytes[LINE_MAX_BYTES];
};

void log_threshold(enum log_level lowest) {
    atomic_store(&threshold, (int)lowest);
}

bool log_level_of(struct str name, enum log_level *out) {
    for (size_t i = 0; i < COUNT(levels); i++) {
        if (!str_ieq(name, levels[i].name)) continue;
        *out = levels[i].level;
        return true;
    }
    return false;
}

static void add(struct line *line, struct str bytes) {
    if (bytes.len == 0 || bytes.len > sizeof line->bytes - line->len) return;
    memcpy(line->bytes + line->len, bytes.ptr, bytes.len);
    line->len += bytes.len;
}

/* One character as it stands inside a JSON string. The floor of JSON lies above this one. */
static void add_escaped(struct line *line, struct str character) {
    char escape[8];
    unsigned char c = (unsigned char)character.ptr[0];
    if (c == '"' || c == '\\') {
        add(line, STR("\\"));
        add(line, character);
    } else if (c >= 0x20) {
        add(line, character);
    } else {
        snprintf(escape, sizeof escape, "\\u%04x", c);
        add(line, (struct str){escape, 6});
    }
}

/* At most about max bytes; what was cut, here or before, ends in dots. */
static void add_text(struct line *line, struct str text, size_t max, bool is_cut) {
    size_t until = line->len + max;
    while (text.len > 0 && line->len < until) {
        size_t n = utf8_next(text, NULL);
        if (n == 0)
            add(line, STR("\\ufffd"));
        else
            add_escaped(line, str_slice(text, 0, n));
        text = str_slice(text, n == 0 ? 1 : n, text.len);
    }
    if (text.len > 0 || is_cut) add(line, STR("…"));
}

static void write_whole(struct str line) {
    while (line.len > 0) {
        ssize_t n = write(STDERR_FILENO, line.ptr, line.len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return; /* there is nowhere left to tell it */
        line = str_slice(line, (size_t)n, line.len);
    }
}

void log_line(enum log_level level, const char *event, struct str call, const char *fmt, ...) {
    if (level == LOG_OFF || (int)level < atomic_load(&threshold)) return;
    int caller_errno = errno;
    char text[TEXT_MAX_BYTES], iso[CLOCK_ISO_MAX];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    bool is_cut = len >= (int)sizeof text;
    struct str said = str_of(len < 0 ? "" : text);
    if (is_cut) said = utf8_clip(said, said.len - 1); /* no half character at the end */
    struct line line;
    line.len = 0;
    add(&line, STR("{\"time\":\""));
    add(&line, clock_iso(clock_wall_ms(&clock_real), true, iso));
    add(&line, STR("\",\"level\":\""));
    add(&line, levels[level].name);
    add(&line, STR("\",\"event\":\""));
    add_text(&line, str_of(event), CALL_MAX_BYTES, false);
    if (call.len > 0) {
        add(&line, STR("\",\"call\":\""));
        add_text(&line, call, CALL_MAX_BYTES, false);
    }
    add(&line, STR("\",\"text\":\""));
    add_text(&line, said, TEXT_MAX_BYTES, is_cut);
    add(&line, STR("\"}\n"));
    write_whole((struct str){line.bytes, line.len});
    errno = caller_errno;
}
