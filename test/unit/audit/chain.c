/* The chain and every way to break it. */
#include "room.h"

#include "audit/line.h"
#include "base/fault.h"

#include <openssl/sha.h>

static void hash_is_what_the_header_says(void **state) {
    (void)state;
    struct room room;
    size_t len;
    room_init(&room);
    room_fill(&room, 1, 2);
    char *bytes = room_read(&room, "audit.jsonl", &len);
    struct str one = room_line(bytes, len, 1), two = room_line(bytes, len, 2);
    size_t cut = str_find(two, STR(",\"hash\""));
    char *text = malloc(64 + cut);
    uint8_t digest[SHA256_DIGEST_LENGTH];
    char hex[65];
    assert_non_null(text);
    memcpy(text, one.ptr + one.len - 67, 64); /* hash of line 1: 64 digits, quote, brace, newline */
    memcpy(text + 64, two.ptr, cut);
    SHA256((uint8_t *)text, 64 + cut, digest);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_memory_equal(two.ptr + two.len - 67, hex, 64);
    assert_true(str_eq(audit_line_text(two, STR("prev")), (struct str){text, 64}));
    assert_true(str_eq(audit_line_member(two, STR("seq")), STR("2")));
    free(text);
    free(bytes);
    room_deinit(&room);
}

static void members_are_those_of_the_outermost_object(void **state) {
    (void)state;
    static const struct {
        const char *line, *key, *value;
    } cases[] = {
        {"", "a", NULL},
        {"{", "a", NULL},
        {"{}", "a", NULL},
        {"{\"a\":1}", "a", "1"},
        {"{\"a\":1,\"b\":\"x\"}", "b", "\"x\""},
        {"{\"p\":{\"user_id\":\"evil\"},\"user_id\":\"ann\"}", "user_id", "\"ann\""},
        {"{\"p\":[{\"a\":1},\"}\\\"]\"],\"a\":2}", "a", "2"},
        {"{\"t\":\"\\\",\\\"a\\\":1\",\"a\":2}", "a", "2"},
        {"{\"a\":\"\\\\\",\"b\":3}", "b", "3"},
        {"{\"a\":\"unfinished", "b", NULL},
        {"{\"a\"", "a", NULL},
        {"{\"a\":1 \"b\":2}", "b", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str got = audit_line_member(str_of(cases[i].line), str_of(cases[i].key));
        assert_true(str_eq(got, str_of(cases[i].value)));
    }
    assert_true(str_eq(audit_line_text(STR("{\"a\":1}"), STR("a")), STR_NONE));
}

static void an_empty_log_is_sound(void **state) {
    (void)state;
    struct room room;
    room_init(&room);
    room_fill(&room, 1, 0);
    room_assert_sound(&room, 0);
    room_fill(&room, 1, 0);
    room_assert_sound(&room, 0);
    room_deinit(&room);
}

static void a_chain_goes_on_after_each_opening(void **state) {
    (void)state;
    struct room room;
    struct audit_verified out;
    room_init(&room);
    for (int i = 0; i < 5; i++) room_fill(&room, i * 3 + 1, i * 3 + 3);
    assert_int_equal(room_verify(&room, &out), FAIL_NONE);
    assert_int_equal(out.records, 15);
    assert_int_equal(out.first_seq, 1);
    assert_int_equal(out.last_seq, 15);
    assert_int_equal(out.files, 1);
    room_deinit(&room);
}

/* -- tampering -------------------------------------------------------------------------------- */

static void put_lines(struct room *room, const char *bytes, size_t len, const size_t *order,
                      size_t n) {
    struct buf buf;
    struct arena arena;
    buf_init(&buf, 1 << 20);
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < n; i++) buf_add(&buf, room_line(bytes, len, order[i]));
    struct str flat = buf_flat(&buf, &arena);
    room_store(room, "audit.jsonl", flat.ptr, flat.len);
    arena_deinit(&arena);
    buf_deinit(&buf);
}

static void lines_taken_doubled_and_swapped(void **state) {
    (void)state;
    static const struct {
        size_t order[6], n;
        const char *part;
    } cases[] = {
        {{2, 3, 4, 5}, 4, "records 1 to 1 are missing before line 1"},
        {{1, 3, 4, 5}, 4, "records 2 to 2 are missing before line 2"},
        {{1, 5}, 2, "records 2 to 4 are missing before line 2"},
        {{1, 2, 2, 3, 4, 5}, 6, "line 3 of 'audit.jsonl' was inserted"},
        {{1, 3, 2, 4, 5}, 5, "records 2 to 2 are missing before line 2"},
        {{2, 1, 3, 4, 5}, 5, "records 1 to 1 are missing before line 1"},
        {{1, 2, 3, 4}, 4, "records 5 to 5 were written and are missing"},
        {{1}, 1, "records 2 to 5 were written and are missing"},
        {{0}, 0, "records 1 to 5 were written and are missing"},
    };
    struct room room;
    size_t len;
    room_init(&room);
    room_fill(&room, 1, 5);
    char *bytes = room_read(&room, "audit.jsonl", &len);
    for (size_t i = 0; i < COUNT(cases); i++) {
        put_lines(&room, bytes, len, cases[i].order, cases[i].n);
        room_assert_broken(&room, "AUDIT_BROKEN", cases[i].part);
    }
    room_store(&room, "audit.jsonl", bytes, len);
    room_assert_sound(&room, 5);
    char path[512];
    room_path(&room, "audit.jsonl", path);
    assert_int_equal(unlink(path), 0);
    room_assert_broken(&room, "AUDIT_BROKEN", "records 1 to 5 were written and are missing");
    free(bytes);
    room_deinit(&room);
}

/* A line of somebody who knows how the seal is made: its own hash is right. */
static void a_forged_line_breaks_the_next_one(void **state) {
    (void)state;
    struct room room;
    struct audit_hasher hasher;
    struct audit_chain chain;
    size_t len;
    room_init(&room);
    room_fill(&room, 1, 3);
    char *bytes = room_read(&room, "audit.jsonl", &len);
    struct str one = room_line(bytes, len, 1), two = room_line(bytes, len, 2);
    struct str three = room_line(bytes, len, 3);
    assert_int_equal(audit_hasher_init(&hasher, NULL).why, FAIL_NONE);
    audit_chain_init(&chain);
    chain.seq = 1;
    memcpy(chain.hash, one.ptr + one.len - 67, 64);
    struct audit_record record = room_record("forged");
    struct audit_block *block = audit_block_make(&record);
    assert_true(audit_line_seal(&hasher, &chain, block->bytes, &block->len));
    char *all = malloc(len + 2 * block->len);
    memcpy(all, one.ptr, one.len);
    memcpy(all + one.len, block->bytes, block->len);
    memcpy(all + one.len + block->len, three.ptr, three.len);
    room_store(&room, "audit.jsonl", all, one.len + block->len + three.len);
    room_assert_broken(&room, "AUDIT_BROKEN", "line 3 of 'audit.jsonl' does not follow");
    room_store(&room, "audit.jsonl", all, one.len + block->len);
    room_assert_broken(&room, "AUDIT_BROKEN", "records 3 to 3 were written");
    /* in the place of the last one it is not what the head names */
    chain.seq = 2;
    memcpy(chain.hash, bytes + one.len + two.len - 67, 64);
    audit_block_free(block);
    block = audit_block_make(&record);
    assert_true(audit_line_seal(&hasher, &chain, block->bytes, &block->len));
    memcpy(all, bytes, one.len + two.len);
    memcpy(all + one.len + two.len, block->bytes, block->len);
    room_store(&room, "audit.jsonl", all, one.len + two.len + block->len);
    room_assert_broken(&room, "AUDIT_BROKEN", "line 3 of 'audit.jsonl' is not the record that");
    free(all);
    free(bytes);
    audit_block_free(block);
    audit_hasher_deinit(&hasher);
    room_deinit(&room);
}

static void head_lost_or_spoiled(void **state) {
    (void)state;
    struct room room;
    char path[512];
    room_init(&room);
    room_fill(&room, 1, 3);
    snprintf(path, sizeof path, "%s/audit.head", room.state);
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "{\"seq\":", 7), 7);
    close(fd);
    room_assert_broken(&room, "AUDIT_BROKEN", "not readable");
    assert_int_equal(unlink(path), 0);
    room_assert_broken(&room, "AUDIT_BROKEN", "is not in the state directory");
    /* without a state directory the lines alone are checked */
    struct audit_verified out;
    assert_int_equal(audit_verify(str_of(room.logs), STR_NONE, STR("audit.jsonl"), &out,
                                  &room.arena, &room.report)
                         .why,
                     FAIL_NONE);
    assert_int_equal(out.records, 3);
    /* the next opening says that it was gone */
    room_fill(&room, 4, 4);
    size_t len;
    char *bytes = room_read(&room, "audit.jsonl", &len);
    assert_non_null(strstr(bytes, "\"error_code\":\"AUDIT_HEAD_LOST\""));
    free(bytes);
    room_assert_sound(&room, 5);
    room_deinit(&room);
}

/* A cut end stays visible for ever, whatever is written behind it. */
static void a_cut_end_cannot_be_written_over(void **state) {
    (void)state;
    struct room room;
    size_t len;
    room_init(&room);
    room_fill(&room, 1, 5);
    char *bytes = room_read(&room, "audit.jsonl", &len);
    static const size_t three[] = {1, 2, 3};
    put_lines(&room, bytes, len, three, 3);
    free(bytes);
    room_fill(&room, 6, 8);
    room_assert_broken(&room, "AUDIT_BROKEN", "records 4 to 5 are missing before line 4");
    bytes = room_read(&room, "audit.jsonl", &len);
    assert_non_null(strstr(bytes, "\"error_code\":\"AUDIT_CUT\""));
    free(bytes);
    room_deinit(&room);
}

/* The property: no single byte can be changed. Bits of every byte, and the bytes that mean
 * something. */
static void any_changed_byte_is_found(void **state) {
    (void)state;
    struct room room;
    size_t len;
    room_init(&room);
    room_fill(&room, 1, 3);
    char *bytes = room_read(&room, "audit.jsonl", &len);
    static const char others[] = {'\n', '"', '0', 'f', '}', ',', ' ', '\0'};
    for (size_t at = 0; at < len; at++) {
        char was = bytes[at];
        for (size_t i = 0; i < 8 + COUNT(others); i++) {
            char now =
                (char)(i < 8 ? (unsigned char)was ^ (1u << i) : (unsigned char)others[i - 8]);
            /* all eight bits at some offsets, one at the others */
            if (now == was || (i < 8 && at % 16 != 0 && i != at % 8)) continue;
            bytes[at] = now;
            room_store(&room, "audit.jsonl", bytes, len);
            arena_reset(&room.arena);
            if (room_verify(&room, NULL) != FAIL_INPUT) {
                fail_msg("byte %zu changed from %d to %d was not found", at, was, now);
            }
        }
        bytes[at] = was;
    }
    room_store(&room, "audit.jsonl", bytes, len);
    room_assert_sound(&room, 3);
    free(bytes);
    room_deinit(&room);
}

/* The same for every byte taken out or put in. */
static void any_missing_or_added_byte_is_found(void **state) {
    (void)state;
    struct room room;
    size_t len;
    room_init(&room);
    room_fill(&room, 1, 2);
    char *bytes = room_read(&room, "audit.jsonl", &len);
    char *other = malloc(len + 1);
    for (size_t at = 0; at <= len; at++) {
        memcpy(other, bytes, at);
        if (at < len) {
            memcpy(other + at, bytes + at + 1, len - at - 1);
            room_store(&room, "audit.jsonl", other, len - 1);
            arena_reset(&room.arena);
            assert_int_equal(room_verify(&room, NULL), FAIL_INPUT);
        }
        other[at] = at % 2 == 0 ? ' ' : '\n';
        memcpy(other + at + 1, bytes + at, len - at);
        room_store(&room, "audit.jsonl", other, len + 1);
        arena_reset(&room.arena);
        assert_int_equal(room_verify(&room, NULL), FAIL_INPUT);
    }
    free(other);
    free(bytes);
    room_deinit(&room);
}

static void a_torn_line_is_told_apart(void **state) {
    (void)state;
    struct room room;
    size_t len;
    room_init(&room);
    room_fill(&room, 1, 3);
    char *bytes = room_read(&room, "audit.jsonl", &len);
    char *torn = malloc(len + 100);
    memcpy(torn, bytes, len);
    memcpy(torn + len, bytes, 100);
    room_store(&room, "audit.jsonl", torn, len + 100);
    room_assert_broken(&room, "AUDIT_TORN", "line 4 of 'audit.jsonl' is torn: 100 bytes");
    free(torn);
    free(bytes);
    room_deinit(&room);
}

static void verify_answers_wrong_places(void **state) {
    (void)state;
    struct room room;
    struct audit_verified out;
    room_init(&room);
    assert_int_equal(room_verify(&room, NULL), FAIL_IO);
    assert_int_equal(
        audit_verify(STR_NONE, STR_NONE, STR("audit.jsonl"), &out, &room.arena, NULL).why, FAIL_IO);
    static const char *const names[] = {"", "../audit.jsonl", ".jsonl"};
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(
            audit_verify(STR("."), STR_NONE, str_of(names[i]), &out, &room.arena, NULL).why,
            FAIL_CONFIG);
    }
    room_deinit(&room);
}

static void verify_fails_whole_at_any_fault(void **state) {
    (void)state;
    struct room room;
    room_init(&room);
    room_fill(&room, 1, 3);
    long n = 0;
    for (;; n++) {
        arena_deinit(&room.arena);
        fault_set(n);
        enum fail why = room_verify(&room, NULL);
        bool is_done = fault_unused();
        fault_off();
        if (is_done) {
            assert_int_equal(why, FAIL_NONE);
            break;
        }
        assert_true(why == FAIL_MEMORY || why == FAIL_IO);
    }
    assert_true(n > 4);
    room_deinit(&room);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_is_what_the_header_says),
        cmocka_unit_test(members_are_those_of_the_outermost_object),
        cmocka_unit_test(an_empty_log_is_sound),
        cmocka_unit_test(a_chain_goes_on_after_each_opening),
        cmocka_unit_test(lines_taken_doubled_and_swapped),
        cmocka_unit_test(a_forged_line_breaks_the_next_one),
        cmocka_unit_test(head_lost_or_spoiled),
        cmocka_unit_test(a_cut_end_cannot_be_written_over),
        cmocka_unit_test(any_changed_byte_is_found),
        cmocka_unit_test(any_missing_or_added_byte_is_found),
        cmocka_unit_test(a_torn_line_is_told_apart),
        cmocka_unit_test(verify_answers_wrong_places),
        cmocka_unit_test(verify_fails_whole_at_any_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
