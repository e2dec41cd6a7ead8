#include "net/sse.h"

#include <assert.h>

/* The next line of *rest, whatever ends it: CR LF, LF or CR (each would end it for a reader). */
static struct str cut_line(struct str *rest) {
    size_t at = 0;

    while (at < rest->len && rest->ptr[at] != '\n' && rest->ptr[at] != '\r') at++;
    struct str line = str_slice(*rest, 0, at);
    if (at == rest->len) {
        *rest = STR_NONE;
        return line;
    }
    bool is_pair = rest->ptr[at] == '\r' && at + 1 < rest->len && rest->ptr[at + 1] == '\n';
    *rest = str_slice(*rest, at + (is_pair ? 2 : 1), rest->len);
    return line;
}

static void add_field(struct buf *out, struct str name, struct str value) {
    buf_add(out, name);
    buf_add(out, value);
    buf_add_byte(out, '\n');
}

static bool is_one_line(struct str s) {
    return str_find_byte(s, '\n') == s.len && str_find_byte(s, '\r') == s.len;
}

void sse_event(struct buf *out, struct str event, struct str id, struct str data) {
    assert(is_one_line(event) && is_one_line(id));
    if (event.len > 0) add_field(out, STR("event: "), event);
    if (id.len > 0) add_field(out, STR("id: "), id);
    do {
        add_field(out, STR("data: "), cut_line(&data));
    } while (data.ptr != NULL);
    buf_add_byte(out, '\n');
}

void sse_comment(struct buf *out, struct str text) {
    do {
        struct str line = cut_line(&text);
        add_field(out, line.len > 0 ? STR(": ") : STR(":"), line);
    } while (text.ptr != NULL);
    buf_add_byte(out, '\n');
}
