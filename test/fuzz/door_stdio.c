#include "base/limits.h"
#include "door.h"
#include "mcp/stdio_door.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

struct stdio {
    struct mcp *mcp;
    struct str token;
    const char *user;
    int to, from; /* our ends */
    int in, out;  /* the door's */
    pthread_t thread;
    atomic_bool is_over;
    bool is_joined, is_torn;
    struct peer_bytes lines, said;
};

static void *serve(void *arg) {
    struct stdio *stdio = arg;
    struct report report = {0};
    MUST(stdio_door_serve(stdio->mcp, stdio->token, stdio->in, stdio->out, &report).why ==
         FAIL_NONE);
    close(stdio->out);
    atomic_store(&stdio->is_over, true);
    return NULL;
}

static struct stdio *open_door(struct sequence *s, const struct manner *manner) {
    struct stdio *stdio = calloc(1, sizeof *stdio);
    int to[2], from[2];
    MUST(stdio != NULL && pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
    *stdio = (struct stdio){.mcp = s->house->mcps[manner->replica],
                            .user = "ann",
                            .to = to[1],
                            .from = from[0],
                            .in = to[0],
                            .out = from[1]};
    stdio->token = str_printf(&s->arena, "ann-%s", house_roles[1]);
    MUST(fcntl(stdio->to, F_SETFL, O_NONBLOCK) == 0);
    MUST(fcntl(stdio->from, F_SETFL, O_NONBLOCK) == 0);
    MUST(pthread_create(&stdio->thread, NULL, serve, stdio) == 0);
    return stdio;
}

/* A body of several lines is several messages. */
void stdio_send(struct sequence *s, const struct manner *manner, struct str body) {
    if (s->stdio == NULL) s->stdio = open_door(s, manner);
    struct stdio *stdio = s->stdio;
    if (stdio->is_torn) return;
    struct str whole = str_printf(&s->arena, STR_FMT "\n", STR_ARG(body));
    if (write(stdio->to, whole.ptr, whole.len) != (ssize_t)whole.len) {
        stdio->is_torn = true;
        return;
    }
    peer_bytes_add(&stdio->said, whole.ptr, whole.len);
    for (struct str rest = body; rest.ptr != NULL;) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (line.len > 0) pledge(s, STR("stdio"), line, false);
    }
}

static void take_line(struct sequence *s, struct stdio *stdio, struct str line) {
    const struct json *told = must_be_json(line, &s->arena);
    check_private(s, line, (struct str){stdio->said.ptr, stdio->said.len}, stdio->user);
    if (told->type != JSON_ARRAY) {
        check_told(s, told, STR("stdio"), stdio->user);
        return;
    }
    MUST(told->n > 0);
    for (uint32_t i = 0; i < told->n; i++)
        check_told(s, &told->items[i], STR("stdio"), stdio->user);
}

bool stdio_read(struct sequence *s) {
    struct stdio *stdio = s->stdio;
    char bytes[4096];
    bool any = false;
    if (stdio == NULL) return false;
    for (ssize_t n; (n = read(stdio->from, bytes, sizeof bytes)) > 0; any = true)
        peer_bytes_add(&stdio->lines, bytes, (size_t)n);
    struct str rest = {stdio->lines.ptr, stdio->lines.len};
    size_t done = 0;
    for (size_t end; (end = str_find_byte(rest, '\n')) < rest.len;) {
        take_line(s, stdio, str_slice(rest, 0, end));
        done += end + 1;
        rest = str_slice(rest, end + 1, rest.len);
    }
    if (done > 0) {
        memmove(stdio->lines.ptr, stdio->lines.ptr + done, stdio->lines.len - done);
        stdio->lines.len -= done;
    }
    return any;
}

void stdio_close(struct sequence *s) {
    if (s->stdio == NULL || s->stdio->to < 0) return;
    close(s->stdio->to);
    s->stdio->to = -1;
}

bool stdio_is_over(const struct sequence *s) {
    return s->stdio == NULL || atomic_load(&s->stdio->is_over);
}

void stdio_free(struct sequence *s) {
    struct stdio *stdio = s->stdio;
    if (stdio == NULL) return;
    MUST(pthread_join(stdio->thread, NULL) == 0);
    stdio_read(s);
    MUST(stdio->lines.len == 0);
    if (!s->has_cancels && !stdio->is_torn) check_pledges(s, STR("stdio"));
    close(stdio->in);
    close(stdio->from);
    free(stdio->lines.ptr);
    free(stdio->said.ptr);
    free(stdio);
    s->stdio = NULL;
}
