#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void bytes_are_all_written(void **state) {
    (void)state;
    uint8_t seen[300] = {0}; /* more than the kernel gives in one piece without a signal's leave */
    for (int round = 0; round < 20; round++) {
        uint8_t bytes[sizeof seen];
        rand_bytes(bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof seen; i++) seen[i] |= bytes[i];
    }
    for (size_t i = 0; i < sizeof seen; i++) assert_int_not_equal(seen[i], 0);
    rand_bytes(NULL, 0);
    assert_true(rand_u64() != rand_u64());
}

static void uuids_are_of_version_4(void **state) {
    (void)state;
    char a[UUID_SIZE], b[UUID_SIZE];
    for (int round = 0; round < 100; round++) {
        rand_uuid(a);
        rand_uuid(b);
        assert_string_not_equal(a, b);
        assert_int_equal(strlen(a), 36);
        for (size_t i = 0; i < 36; i++) {
            bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
            if (is_dash)
                assert_int_equal(a[i], '-');
            else
                assert_non_null(strchr("0123456789abcdef", a[i]));
        }
        assert_int_equal(a[14], '4');
        assert_non_null(strchr("89ab", a[19]));
    }
}

static void hex(void **state) {
    (void)state;
    const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    uint8_t back[4];
    char text[9], random[201];
    hex_encode(text, bytes, 4);
    assert_string_equal(text, "000fa5ff");
    assert_true(hex_decode(STR("000Fa5fF"), back, 4));
    assert_memory_equal(back, bytes, 4);
    assert_false(hex_decode(STR("000fa5f"), back, 4));
    assert_false(hex_decode(STR("000fa5ff0"), back, 4));
    assert_false(hex_decode(STR("000fa5ff"), back, 3));
    assert_false(hex_decode(STR("000fa5fg"), back, 4));
    assert_false(hex_decode(STR("000fa5f "), back, 4));
    assert_true(hex_decode(STR_NONE, back, 0));
    rand_hex(random, 100);
    assert_int_equal(strlen(random), 200);
    rand_hex(random, 0);
    assert_string_equal(random, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_all_written),
        cmocka_unit_test(uuids_are_of_version_4),
        cmocka_unit_test(hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
