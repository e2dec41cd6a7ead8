/* Lists by pages: each item once, in order; and no cursor but ours. */
#include "world.h"

#include "base/limits.h"
#include "mcp/answer.h"
#include "mcp/page.h"
#include "text/base64.h"

/* A list of `n` made-up items, of which every third is not for this caller. */
static struct answer ask_page(size_t n, struct str cursor) {
    struct answer answer = {.waiter = RIG_WAITER};
    struct turn *turn = turn_new(world.mcp, door_finish, &answer);
    assert_non_null(turn);
    struct str body = cursor.ptr == NULL
                          ? STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}")
                          : str_printf(&world.rig.arena,
                                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{"
                                       "\"cursor\":" STR_FMT "}}",
                                       STR_ARG(cursor));
    assert_true(turn_read(turn, body));
    struct page page;
    if (page_begin(&page, turn)) {
        struct json_writer *w = answer_begin(turn);
        json_key(w, STR("items"));
        json_array(w);
        for (size_t i = 0; i < n; i++) {
            struct str name = str_printf(&turn->call->arena, "item %05zu", i);
            if (i % 3 != 2 && page_takes(&page, name)) json_text(w, name);
        }
        json_array_end(w);
        page_end(&page, turn);
    }
    door_wait(&world, &answer, turn);
    return answer;
}

static void gives_each_item_once(void **state) {
    (void)state;
    static const size_t lengths[] = {0,
                                     1,
                                     3,
                                     3 * LIST_PAGE_ITEMS / 2 - 1,
                                     3 * LIST_PAGE_ITEMS / 2,
                                     3 * LIST_PAGE_ITEMS / 2 + 1,
                                     6 * LIST_PAGE_ITEMS};
    for (size_t l = 0; l < COUNT(lengths); l++) {
        size_t i = 0, pages = 0;
        struct str cursor = STR_NONE;
        do {
            struct answer answer = ask_page(lengths[l], cursor);
            const struct json *items = world_at(&answer, "/result/items");
            assert_non_null(items);
            assert_true(items->n <= LIST_PAGE_ITEMS);
            assert_true(pages++ == 0 || items->n > 0);
            for (uint32_t k = 0; k < items->n; k++, i++) {
                char name[32];
                if (i % 3 == 2) i++;
                snprintf(name, sizeof name, "item %05zu", i);
                assert_true(json_is_text(&items->items[k], str_of(name)));
            }
            const struct json *next = world_at(&answer, "/result/nextCursor");
            cursor = next == NULL ? STR_NONE : json_raw(next);
        } while (cursor.ptr != NULL);
        assert_true(i + 1 >= lengths[l]);
    }
}

static struct str cursor_of(const char *name) {
    struct buf text;
    buf_init(&text, 1024);
    base64_encode(&text, str_of(name));
    struct str encoded = str_dup(&world.rig.arena, buf_flat(&text, &world.rig.arena));
    buf_deinit(&text);
    return str_printf(&world.rig.arena, "\"" STR_FMT "\"", STR_ARG(encoded));
}

static void refuses_other_cursors(void **state) {
    (void)state;
    struct str wrong[] = {STR("\"\""),
                          STR("7"),
                          STR("null"),
                          STR("[]"),
                          STR("\"abc\""),
                          STR("\"item 00001\""),
                          cursor_of("item 00002"), /* not for this caller */
                          cursor_of("item 00010"), /* none */
                          cursor_of("item 0000"),
                          cursor_of("")};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct answer answer = ask_page(10, wrong[i]);
        assert_int_equal(world_at(&answer, "/error/code")->integer, -32602);
        assert_null(world_at(&answer, "/result"));
    }
    struct answer good = ask_page(10, cursor_of("item 00003"));
    assert_string_equal(world_names(&good, "/result/items", NULL),
                        "item 00004 item 00006 item 00007 item 00009");
}

/* Every list takes cursors, and refuses those of others. */
static void pages_every_list(void **state) {
    (void)state;
    static const struct {
        const char *method, *first, *pointer, *member;
    } lists[] = {
        {"tools/list", "list_allowed_tables", "/result/tools", "name"},
        {"resources/list", "weir://catalog", "/result/resources", "uri"},
        {"resources/templates/list", "weir://table/{project}.{table}", "/result/resourceTemplates",
         "uriTemplate"},
        {"prompts/list", "explore_domain", "/result/prompts", "name"},
    };
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct str cursor = cursor_of(lists[i].first);
        char params[256];
        snprintf(params, sizeof params, "\"cursor\":" STR_FMT, STR_ARG(cursor));
        struct answer all = world_ask("seller", lists[i].method, "");
        struct answer rest = world_ask("seller", lists[i].method, params);
        struct str whole = str_of(world_names(&all, lists[i].pointer, lists[i].member));
        struct str behind = str_of(world_names(&rest, lists[i].pointer, lists[i].member));
        assert_true(str_starts(whole, str_of(lists[i].first)) && str_ends(whole, behind));
        assert_int_equal(whole.len, strlen(lists[i].first) + (behind.len > 0 ? 1 : 0) + behind.len);
        struct answer hidden = world_ask("nobody", lists[i].method, params);
        assert_int_equal(world_at(&hidden, "/error/code")->integer, -32602);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WORLD_TEST(gives_each_item_once),
        WORLD_TEST(refuses_other_cursors),
        WORLD_TEST(pages_every_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
