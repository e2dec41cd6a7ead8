/* Any bytes: read or refused. What is read knows where it stands: ranges nest, and lines and
 * columns are those of the bytes; keys are unique; depth is bounded. */
#include "text/yaml.h"
#include "base/limits.h"
#include "fuzz.h"

static struct str bom = STR_INIT("\xef\xbb\xbf");

/* The place of a byte, counted anew; only where lines end in LF alone. For libyaml the end of the
 * text is a line of its own, so that an empty value there stands in it. */
static void check_place(struct str text, const struct yaml *node) {
    size_t line = 1, column = 1;
    if (node->begin == text.len) return;
    for (size_t i = str_starts(text, bom) ? bom.len : 0; i < node->begin; i++) {
        if (text.ptr[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text.ptr[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    MUST(node->line == line && node->column == column);
}

static bool has_other_breaks(struct str text) {
    return str_find_byte(text, '\r') < text.len || str_find(text, STR("\xc2\x85")) < text.len ||
           str_find(text, STR("\xe2\x80\xa8")) < text.len ||
           str_find(text, STR("\xe2\x80\xa9")) < text.len ||
           str_find(str_slice(text, 1, text.len), bom) < text.len - (text.len > 0);
}

static void check(struct str text, bool with_places, const struct yaml *node, size_t depth) {
    MUST(depth <= YAML_DEPTH_MAX);
    MUST(node->begin <= node->end && node->end <= text.len);
    if (with_places) check_place(text, node);
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml *child =
            node->type == YAML_LIST ? &node->items[i] : &node->pairs[i].value;
        MUST(child->begin >= node->begin && child->end <= node->end);
        check(text, with_places, child, depth + 1);
        if (node->type != YAML_MAP) continue;
        const struct yaml *key = &node->pairs[i].key;
        MUST(key->type == YAML_SCALAR && key->begin >= node->begin && key->end <= child->begin);
        if (node->n <= 64) MUST(yaml_get(node, key->text) == child);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str text = {(const char *)data, size};
    struct arena arena;
    struct report report = {0};
    const struct yaml *root = NULL;
    if (size > 1 << 16) return 0;
    arena_init(&arena, 256 << 20);
    result r = yaml_read(text, STR("f.yaml"), NULL, &arena, &root, &report);
    MUST(r.why == report.why && (r.why == FAIL_NONE) == (root != NULL));
    if (r.why == FAIL_NONE) {
        check(text, !has_other_breaks(text) && size < 4096, root, 0);
    } else {
        MUST(r.why == FAIL_CONFIG && report.offset <= size);
        MUST(str_starts(str_of(report.sentence), STR("f.yaml:")));
    }
    arena_deinit(&arena);
    return 0;
}
