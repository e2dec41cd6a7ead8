#include "backend/duckdb_setup.h"

#include "base/limits.h"

static void put_list(struct wire_out *out, const struct text_list *list) {
    wire_put_u32(out, (uint32_t)list->n);
    for (size_t i = 0; i < list->n; i++) wire_put_text(out, list->items[i]);
}

void duckdb_setup_put(struct wire_out *out, const struct duckdb_setup *setup) {
    wire_begin(out, WIRE_SETUP);
    wire_put_text(out, setup->library);
    wire_put_text(out, setup->database);
    wire_put_text(out, setup->catalog);
    wire_put_text(out, setup->timezone);
    wire_put_u64(out, setup->memory_limit);
    wire_put_u64(out, setup->address_space);
    wire_put_u32(out, setup->threads);
    wire_put_u8(out, setup->is_load);
    wire_put_u8(out, setup->is_fence_required);
    put_list(out, &setup->inputs);
    wire_put_text(out, setup->output);
    put_list(out, &setup->statements);
    put_list(out, &setup->labels);
    wire_end(out);
}

static bool get_list(struct wire_view *view, struct arena *arena, struct text_list *out) {
    uint32_t n;
    if (!wire_get_u32(view, &n) || n > (size_t)(view->end - view->at) / sizeof n) return false;
    struct str *items = arena_new_array(arena, n, struct str);
    if (items == NULL) return false;
    for (uint32_t i = 0; i < n; i++)
        if (!wire_get_text(view, &items[i])) return false;
    *out = (struct text_list){items, n};
    return true;
}

bool duckdb_setup_get(struct wire_view *view, struct arena *arena, struct duckdb_setup *out) {
    uint8_t is_load = 0, is_fence_required = 0;
    *out = (struct duckdb_setup){0};
    bool is_good = wire_get_text(view, &out->library) && wire_get_text(view, &out->database) &&
                   wire_get_text(view, &out->catalog) && wire_get_text(view, &out->timezone) &&
                   wire_get_u64(view, &out->memory_limit) &&
                   wire_get_u64(view, &out->address_space) && wire_get_u32(view, &out->threads) &&
                   wire_get_u8(view, &is_load) && wire_get_u8(view, &is_fence_required) &&
                   get_list(view, arena, &out->inputs) && wire_get_text(view, &out->output) &&
                   get_list(view, arena, &out->statements) && get_list(view, arena, &out->labels) &&
                   view->at == view->end && out->labels.n == out->statements.n;
    out->is_load = is_load != 0;
    out->is_fence_required = is_fence_required != 0;
    return is_good;
}
