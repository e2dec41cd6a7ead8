/*
 * room.h - a log in a directory of its own, for the tests of the audit room
 */
#ifndef WEIR_TEST_AUDIT_ROOM_H
#define WEIR_TEST_AUDIT_ROOM_H

#include "audit/audit.h"
#include "audit/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct room {
    char root[64], logs[80], state[80];
    struct clock clock;
    struct audit_settings settings;
    struct arena arena;
    struct report report;
};

static inline void room_path(const struct room *room, const char *name, char out[512]) {
    snprintf(out, 512, "%s/%s", room->logs, name);
}

/* 2026-11-20T09:15:00.123Z */
#define ROOM_TIME INT64_C(1795166100123)
#define DAY_MS    INT64_C(86400000)

static inline void room_init(struct room *room) {
    memset(room, 0, sizeof *room);
    snprintf(room->root, sizeof room->root, "%s", "/dev/shm/audit-test-XXXXXX");
    if (mkdtemp(room->root) == NULL) {
        snprintf(room->root, sizeof room->root, "%s", "audit-test-XXXXXX");
        assert_non_null(mkdtemp(room->root));
    }
    snprintf(room->logs, sizeof room->logs, "%s/logs", room->root);
    snprintf(room->state, sizeof room->state, "%s/state", room->root);
    clock_scripted(&room->clock, ROOM_TIME);
    arena_init(&room->arena, 16 << 20);
    room->settings = (struct audit_settings){
        .sync = AUDIT_EVERYSEC, .file = STR("audit.jsonl"), .queue_bytes = 16 << 20};
}

static inline void room_empty_dir(const char *path) {
    DIR *dir = opendir(path);
    if (dir == NULL) return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.') unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
}

static inline void room_deinit(struct room *room) {
    arena_deinit(&room->arena);
    room_empty_dir(room->logs);
    room_empty_dir(room->state);
    rmdir(room->logs);
    rmdir(room->state);
    rmdir(room->root);
}

static inline struct audit_record room_record(const char *id) {
    return (struct audit_record){
        .audit_id = id,
        .request_id = STR("17"),
        .time_ms = ROOM_TIME,
        .user_id = STR("ann"),
        .client_id = STR("claude-desktop"),
        .source_ip = STR("127.0.0.1"),
        .auth_method = STR("bearer_token"),
        .tool_name = STR("run_select_sql"),
        .method = STR("tools/call"),
        .outcome = "success",
        .latency_ms = 1.5,
        .request_params_json = STR("{\"sql\":\"SELECT \\\"a\\\" FROM t\"}"),
        .tables_json = STR("[\"sales.default.orders\"]"),
        .columns_json = STR("[\"sales.default.orders.a\"]"),
        .row_count = 1,
        .policy_decision = "allowed",
        .sql_asked = STR("SELECT \"a\"\nFROM t"),
        .sql_run = STR("SELECT a FROM (SELECT a FROM orders WHERE region = '\xE5\x8D\x8E')"),
        .backend = STR("demo"),
        .engine_us = 150,
        .reply_bytes = 900,
        .station = "reply",
    };
}

/* Writes n records with the ids r1, r2, … by the journal itself, each in a group of its own. */
static inline void room_write(struct room *room, struct audit_journal *journal, int from, int to) {
    for (int i = from; i <= to; i++) {
        char id[16];
        snprintf(id, sizeof id, "r%d", i);
        struct audit_record record = room_record(id);
        record.time_ms = clock_wall_ms(&room->clock);
        struct audit_block *block = audit_block_make(&record);
        size_t n_whole = 0;
        assert_non_null(block);
        assert_int_equal(audit_journal_append(journal, &block, 1, &n_whole).why, FAIL_NONE);
        assert_int_equal(n_whole, 1);
        audit_block_free(block);
    }
}

static inline void room_open(struct room *room, struct audit_journal *journal) {
    struct report report = {0};
    result r = audit_journal_open(&room->settings, str_of(room->logs), str_of(room->state),
                                  &room->clock, journal, &report);
    if (r.why != FAIL_NONE) print_error("%s\n", report.sentence);
    assert_int_equal(r.why, FAIL_NONE);
}

static inline void room_close(struct audit_journal *journal) {
    assert_int_equal(audit_journal_sync(journal).why, FAIL_NONE);
    assert_int_equal(audit_journal_head(journal).why, FAIL_NONE);
    audit_journal_close(journal);
}

static inline void room_fill(struct room *room, int from, int to) {
    struct audit_journal journal;
    room_open(room, &journal);
    room_write(room, &journal, from, to);
    room_close(&journal);
}

static inline enum fail room_verify(struct room *room, struct audit_verified *out) {
    struct audit_verified local;
    report_clear(&room->report);
    return audit_verify(str_of(room->logs), str_of(room->state), room->settings.file,
                        out != NULL ? out : &local, &room->arena, &room->report)
        .why;
}

static inline void room_assert_sound(struct room *room, uint64_t records) {
    struct audit_verified out;
    enum fail why = room_verify(room, &out);
    if (why != FAIL_NONE) print_error("%s\n", room->report.sentence);
    assert_int_equal(why, FAIL_NONE);
    assert_int_equal(out.records, records);
}

/* `code`, and a sentence that holds `part`. */
static inline void room_assert_broken(struct room *room, const char *code, const char *part) {
    assert_int_equal(room_verify(room, NULL), FAIL_INPUT);
    struct str sentence = str_of(room->report.sentence);
    if (str_find(sentence, str_of(part)) == sentence.len) {
        fail_msg("'%s' instead of a sentence with '%s'", room->report.sentence, part);
    }
    assert_string_equal(room->report.code, code);
}

/* The whole file in malloc'ed memory, with a NUL behind it. */
static inline char *room_read(const struct room *room, const char *name, size_t *len) {
    char path[512];
    room_path(room, name, path);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    char *bytes = malloc((size_t)st.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
    bytes[st.st_size] = '\0';
    close(fd);
    *len = (size_t)st.st_size;
    return bytes;
}

static inline void room_store(const struct room *room, const char *name, const char *bytes,
                              size_t len) {
    char path[512];
    room_path(room, name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static inline bool room_has(const struct room *room, const char *name) {
    char path[512];
    room_path(room, name, path);
    return access(path, F_OK) == 0;
}

/* Bounds of line n (from 1), its newline included. */
static inline struct str room_line(const char *bytes, size_t len, size_t n) {
    const char *start = bytes, *end = bytes + len;
    for (;; n--) {
        const char *stop = memchr(start, '\n', (size_t)(end - start));
        assert_non_null(stop);
        if (n == 1) return (struct str){start, (size_t)(stop - start) + 1};
        start = stop + 1;
    }
}

#endif
