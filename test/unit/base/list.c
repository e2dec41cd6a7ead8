#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct item {
    char name;
    struct link in_list;
};

static void assert_order(const struct link *head, const char *want) {
    char forth[16] = "", back[16] = "";
    size_t n = 0;
    for (struct link *l = head->next; l != head; l = l->next)
        forth[n++] = holder_of(l, struct item, in_list)->name;
    assert_string_equal(forth, want);
    for (struct link *l = head->prev; l != head; l = l->prev)
        back[--n] = holder_of(l, struct item, in_list)->name;
    assert_int_equal(n, 0);
    assert_string_equal(back, want);
}

static void joining_and_leaving(void **state) {
    (void)state;
    struct link head;
    struct item a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};
    list_init(&head);
    assert_true(list_empty(&head));
    assert_false(link_joined(&a.in_list));
    list_leave(&a.in_list); /* is in none */
    list_add_last(&head, &b.in_list);
    list_add_last(&head, &c.in_list);
    list_add_first(&head, &a.in_list);
    assert_order(&head, "abc");
    assert_true(link_joined(&b.in_list));
    list_leave(&b.in_list);
    assert_false(link_joined(&b.in_list));
    assert_order(&head, "ac");
    list_leave(&b.in_list);
    assert_order(&head, "ac");
    list_leave(&a.in_list);
    list_leave(&c.in_list);
    assert_true(list_empty(&head));
    list_add_first(&head, &b.in_list);
    assert_order(&head, "b");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(joining_and_leaving)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
