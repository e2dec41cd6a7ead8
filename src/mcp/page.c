#include "mcp/page.h"

#include "base/limits.h"
#include "mcp/answer.h"
#include "text/base64.h"

static const char not_ours[] = "the cursor is not one of ours";

bool page_begin(struct page *page, struct turn *turn) {
    const struct json *cursor = json_get(turn->message.params, STR("cursor"));
    *page = (struct page){.is_after = cursor == NULL};
    if (cursor == NULL) return true;
    if (cursor->type == JSON_STRING && cursor->text.len > 0 &&
        base64_decode(cursor->text, &turn->call->arena, &page->after))
        return true;
    answer_refuse_params(turn, not_ours);
    return false;
}

bool page_takes(struct page *page, struct str name) {
    if (!page->is_after) {
        page->is_after = str_eq(name, page->after);
        return false;
    }
    page->has_more = page->n_taken == LIST_PAGE_ITEMS;
    if (page->has_more) return false;
    page->n_taken++;
    page->last = name;
    return true;
}

void page_end(struct page *page, struct turn *turn) {
    if (!page->is_after) {
        answer_refuse_params(turn, not_ours);
        return;
    }
    if (page->has_more) {
        struct buf cursor;
        buf_init(&cursor, 2 * RESOURCE_URI_BYTES_MAX);
        base64_encode(&cursor, page->last);
        json_put_text(&turn->writer, STR("nextCursor"), buf_flat(&cursor, &turn->call->arena));
        if (buf_failed(&cursor, NULL).why != FAIL_NONE) turn->out.failed = FAIL_MEMORY;
        buf_deinit(&cursor);
    }
    answer_end(turn);
}
