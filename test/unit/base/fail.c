#include "base/fail.h"

#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail /* cmocka has one of its own */

static void the_first_cause_stays(void **state) {
    (void)state;
    struct report report = {0};
    fail_hint(&report, "no cause yet"); /* nothing to hint at */
    assert_string_equal(report.hint, "");
    result r = fail(&report, FAIL_INPUT, "FIRST", 7, "cannot read '%s'", "x");
    assert_int_equal(r.why, FAIL_INPUT);
    r = fail(&report, FAIL_IO, "SECOND", 9, "another");
    assert_int_equal(r.why, FAIL_IO); /* the result is the caller's, the report the first one's */
    assert_int_equal(report.why, FAIL_INPUT);
    assert_string_equal(report.code, "FIRST");
    assert_int_equal(report.offset, 7);
    assert_string_equal(report.sentence, "cannot read 'x'");
    fail_hint(&report, "Try %d.", 1);
    fail_hint(&report, "Try 2.");
    assert_string_equal(report.hint, "Try 1.");
    report_clear(&report);
    assert_int_equal(report.why, FAIL_NONE);
    assert_null(report.code);
}

static void a_report_may_be_absent(void **state) {
    (void)state;
    fail_hint(NULL, "x");
    assert_int_equal(fail(NULL, FAIL_BUSY, "X", 0, "x").why, FAIL_BUSY);
    assert_int_equal(fail_memory(NULL).why, FAIL_MEMORY);
}

/* Sentences of every length around the maximum, ending inside a character or not. */
static void long_texts_are_clipped_at_characters(void **state) {
    (void)state;
    for (int blanks = 0; blanks < 8; blanks++) {
        struct report report = {0};
        char text[2000];
        size_t n = (size_t)blanks;
        memset(text, ' ', n);
        while (n + 4 < sizeof text) n += utf8_put(text + n, 0x4e2d);
        text[n] = '\0';
        (void)fail(&report, FAIL_INPUT, "X", 0, "%s", text);
        fail_hint(&report, "%s", text);
        struct str sentence = str_of(report.sentence), hint = str_of(report.hint);
        assert_true(utf8_valid(sentence) && utf8_valid(hint));
        assert_in_range(sentence.len, REPORT_SENTENCE_MAX - 6, REPORT_SENTENCE_MAX - 1);
        assert_in_range(hint.len, REPORT_HINT_MAX - 6, REPORT_HINT_MAX - 1);
        assert_true(str_starts(str_of(text), sentence));
    }
    struct report report = {0};
    (void)fail(&report, FAIL_INPUT, "X", 0, "%*d", REPORT_SENTENCE_MAX - 1, 1); /* just fits */
    assert_int_equal(strlen(report.sentence), REPORT_SENTENCE_MAX - 1);
}

static result twice(struct report *report, enum fail why) {
    TRY((result){why});
    return fail(report, FAIL_IO, "REACHED", 0, "reached");
}

static void try_hands_on_unchanged(void **state) {
    (void)state;
    struct report report = {0};
    assert_int_equal(twice(&report, FAIL_TIMEOUT).why, FAIL_TIMEOUT);
    assert_int_equal(report.why, FAIL_NONE);
    assert_int_equal(twice(&report, FAIL_NONE).why, FAIL_IO);
}

static void each_cause_has_a_name(void **state) {
    (void)state;
    for (int a = FAIL_NONE; a <= FAIL_CONFIG; a++) {
        assert_string_not_equal(fail_name((enum fail)a), "unknown");
        for (int b = FAIL_NONE; b < a; b++)
            assert_string_not_equal(fail_name((enum fail)a), fail_name((enum fail)b));
    }
}

static void the_fault_counter(void **state) {
    (void)state;
    assert_false(fault_now());
    fault_set(2);
    assert_false(fault_now());
    assert_false(fault_now());
    assert_true(fault_unused());
    assert_true(fault_now());
    assert_false(fault_unused());
    assert_false(fault_now()); /* once */
    fault_set(0);
    assert_true(fault_unused());
    fault_off();
    assert_false(fault_now());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_cause_stays),
        cmocka_unit_test(a_report_may_be_absent),
        cmocka_unit_test(long_texts_are_clipped_at_characters),
        cmocka_unit_test(try_hands_on_unchanged),
        cmocka_unit_test(each_cause_has_a_name),
        cmocka_unit_test(the_fault_counter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
