#include "text/yaml.h"

#include "base/limits.h"
#include "base/map.h"

#include <assert.h>
#include <stdio.h>
#include <yaml.h>

enum { COMPARED_KEYS_MAX = 16 };

/* libyaml's marks count characters, a splice needs bytes: the cursor is a place known in both. */
struct composer {
    yaml_parser_t parser;
    struct str text; /* without a byte-order mark */
    size_t bom_bytes;
    size_t cursor_index, cursor_byte;
    struct yaml_limits limits;
    size_t depth, n_nodes;
    struct str name;
    struct arena *arena;
    struct report *report;
};

/* -- failures --------------------------------------------------------------------------------- */

static result refuse_at(struct report *report, struct str name, size_t line, size_t column,
                        size_t offset, const char *what) {
    return fail(report, FAIL_CONFIG, "CONFIG_INVALID", offset, STR_FMT ":%zu:%zu: %s",
                STR_ARG(name), line, column, what);
}

static size_t byte_of(struct composer *c, size_t index);

static result refuse(struct composer *c, yaml_mark_t mark, const char *what) {
    return refuse_at(c->report, c->name, mark.line + 1, mark.column + 1, byte_of(c, mark.index),
                     what);
}

static result refuse_key(struct composer *c, const struct yaml *key, const char *what) {
    struct str shown = utf8_clip(key->text, 64);
    return yaml_fail(key, c->name, c->report, "the key '" STR_FMT "' %s", STR_ARG(shown), what);
}

/* The reader's errors have a byte offset and no line. */
static result unreadable(struct composer *c) {
    size_t at = c->parser.problem_offset < c->text.len ? c->parser.problem_offset : c->text.len;
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        if (c->text.ptr[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)c->text.ptr[i] & 0xc0) != 0x80) {
            column++;
        }
    }
    return refuse_at(c->report, c->name, line, column, c->bom_bytes + at, c->parser.problem);
}

static result parser_failed(struct composer *c) {
    const yaml_parser_t *p = &c->parser;
    if (p->error == YAML_MEMORY_ERROR) return fail_memory(c->report);
    if (p->error == YAML_READER_ERROR) return unreadable(c);
    char what[256];
    snprintf(what, sizeof what, "%s%s%s", p->problem, p->context == NULL ? "" : " ",
             p->context == NULL ? "" : p->context);
    return refuse(c, p->problem_mark, what);
}

result yaml_fail(const struct yaml *node, struct str name, struct report *report, const char *fmt,
                 ...) {
    char what[REPORT_SENTENCE_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return refuse_at(report, name, node->line, node->column, node->begin, what);
}

/* -- marks ------------------------------------------------------------------------------------ */

static bool is_tail(char c) {
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Marks come nearly in order, so that the cursor goes over the text about once. */
static size_t byte_of(struct composer *c, size_t index) {
    while (c->cursor_index < index && c->cursor_byte < c->text.len) {
        c->cursor_byte++;
        while (c->cursor_byte < c->text.len && is_tail(c->text.ptr[c->cursor_byte]))
            c->cursor_byte++;
        c->cursor_index++;
    }
    while (c->cursor_index > index) {
        c->cursor_byte--;
        while (is_tail(c->text.ptr[c->cursor_byte])) c->cursor_byte--;
        c->cursor_index--;
    }
    return c->bom_bytes + c->cursor_byte;
}

static void place(struct composer *c, const yaml_event_t *event, struct yaml *node) {
    node->line = (uint32_t)(event->start_mark.line + 1);
    node->column = (uint32_t)(event->start_mark.column + 1);
    node->begin = byte_of(c, event->start_mark.index);
    node->end = byte_of(c, event->end_mark.index);
}

/* -- events ----------------------------------------------------------------------------------- */

/* Gives the next event, which the caller deletes; a failed one needs no deleting. */
static result next_event(struct composer *c, yaml_event_t *event) {
    return yaml_parser_parse(&c->parser, event) ? OK : parser_failed(c);
}

static result compose(struct composer *c, const yaml_event_t *event, struct yaml *node);

/* The next event as a node, or *ended when it is `end`. */
static result compose_next(struct composer *c, yaml_event_type_t end, struct yaml *node,
                           bool *ended, size_t *end_byte) {
    yaml_event_t event;
    TRY(next_event(c, &event));
    result r = OK;
    *ended = event.type == end;
    if (*ended)
        *end_byte = byte_of(c, event.end_mark.index);
    else
        r = compose(c, &event, node);
    yaml_event_delete(&event);
    return r;
}

static result refuse_properties(struct composer *c, const yaml_event_t *event,
                                const yaml_char_t *anchor, const yaml_char_t *tag) {
    if (anchor != NULL) return refuse(c, event->start_mark, "anchors are not accepted");
    if (tag != NULL) return refuse(c, event->start_mark, "tags are not accepted");
    return OK;
}

static result compose_scalar(struct composer *c, const yaml_event_t *event, struct yaml *node) {
    TRY(refuse_properties(c, event, event->data.scalar.anchor, event->data.scalar.tag));
    node->type = YAML_SCALAR;
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct str value = {(const char *)event->data.scalar.value, event->data.scalar.length};
    node->text = str_dup(c->arena, value);
    return node->text.ptr == NULL ? fail_memory(c->report) : OK;
}

/* A block ends, for libyaml, where the next thing begins, with the comments in between; for us
 * where its last node ends. */
static void end_block(struct yaml *node, bool is_flow, size_t end_byte) {
    node->end = end_byte;
    if (is_flow || node->n == 0) return;
    node->end =
        node->type == YAML_LIST ? node->items[node->n - 1].end : node->pairs[node->n - 1].value.end;
}

static result compose_list(struct composer *c, const yaml_event_t *event, struct yaml *node) {
    TRY(refuse_properties(c, event, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag));
    node->type = YAML_LIST;
    struct yaml *items = NULL;
    size_t cap = 0, end_byte = 0;
    for (;;) {
        struct yaml item = {0};
        bool ended;
        TRY(compose_next(c, YAML_SEQUENCE_END_EVENT, &item, &ended, &end_byte));
        if (ended) break;
        struct yaml *kept = ARENA_PUSH(c->arena, items, node->n, cap);
        if (kept == NULL) return fail_memory(c->report);
        *kept = item;
    }
    node->items = items;
    end_block(node, event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE, end_byte);
    return OK;
}

static result check_key(struct composer *c, const struct yaml *key) {
    if (key->type != YAML_SCALAR)
        return yaml_fail(key, c->name, c->report, "a key is a list or a map, text is expected");
    if (key->is_plain && str_eq(key->text, STR("<<")))
        return yaml_fail(key, c->name, c->report, "merge keys are not accepted");
    return OK;
}

static result compare_keys(struct composer *c, const struct yaml *map) {
    for (size_t i = 1; i < map->n; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(map->pairs[i].key.text, map->pairs[j].key.text))
                return refuse_key(c, &map->pairs[i].key, "stands twice in one map");
    return OK;
}

static result hash_keys(struct composer *c, struct yaml_pair *pairs, size_t n, struct map *seen) {
    for (size_t i = 0; i < n; i++) {
        struct str key = pairs[i].key.text;
        if (map_get(seen, key) != NULL)
            return refuse_key(c, &pairs[i].key, "stands twice in one map");
        if (!map_put(seen, key, &pairs[i])) return fail_memory(c->report);
    }
    return OK;
}

static result check_duplicates(struct composer *c, const struct yaml *node,
                               struct yaml_pair *pairs) {
    if (node->n <= COMPARED_KEYS_MAX) return compare_keys(c, node);
    struct map seen;
    map_init_heap(&seen);
    result r = hash_keys(c, pairs, node->n, &seen);
    map_deinit(&seen);
    return r;
}

static result compose_map(struct composer *c, const yaml_event_t *event, struct yaml *node) {
    TRY(refuse_properties(c, event, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag));
    node->type = YAML_MAP;
    struct yaml_pair *pairs = NULL;
    size_t cap = 0, end_byte = 0;
    for (;;) {
        struct yaml_pair pair = {0};
        bool ended;
        TRY(compose_next(c, YAML_MAPPING_END_EVENT, &pair.key, &ended, &end_byte));
        if (ended) break;
        TRY(check_key(c, &pair.key));
        TRY(compose_next(c, YAML_NO_EVENT, &pair.value, &ended, &end_byte));
        struct yaml_pair *kept = ARENA_PUSH(c->arena, pairs, node->n, cap);
        if (kept == NULL) return fail_memory(c->report);
        *kept = pair;
    }
    node->pairs = pairs;
    TRY(check_duplicates(c, node, pairs));
    end_block(node, event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE, end_byte);
    return OK;
}

static result compose_nested(struct composer *c, const yaml_event_t *event, struct yaml *node) {
    if (c->depth == c->limits.depth) return refuse(c, event->start_mark, "nested too deep");
    c->depth++;
    TRY(event->type == YAML_MAPPING_START_EVENT ? compose_map(c, event, node)
                                                : compose_list(c, event, node));
    c->depth--;
    return OK;
}

static result compose(struct composer *c, const yaml_event_t *event, struct yaml *node) {
    if (c->n_nodes == c->limits.nodes)
        return refuse(c, event->start_mark, "the file has too many nodes");
    c->n_nodes++;
    place(c, event, node);
    switch (event->type) {
    case YAML_SCALAR_EVENT: return compose_scalar(c, event, node);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: return compose_nested(c, event, node);
    case YAML_ALIAS_EVENT: return refuse(c, event->start_mark, "aliases are not accepted");
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: break;
    }
    return refuse(c, event->start_mark, "something stands where a value is expected");
}

/* -- documents -------------------------------------------------------------------------------- */

/* Passes an event of which only the kind and the place matter. */
static result pass_event(struct composer *c, yaml_event_type_t *type, yaml_mark_t *mark) {
    yaml_event_t event;
    TRY(next_event(c, &event));
    *type = event.type;
    *mark = event.start_mark;
    result r = OK;
    if (event.type == YAML_DOCUMENT_START_EVENT && event.data.document_start.tag_directives.start !=
                                                       event.data.document_start.tag_directives.end)
        r = refuse(c, event.start_mark, "tag directives are not accepted");
    yaml_event_delete(&event);
    return r;
}

static result compose_stream(struct composer *c, struct yaml *root) {
    yaml_event_type_t type;
    yaml_mark_t mark;
    bool ended;
    size_t end_byte;
    TRY(pass_event(c, &type, &mark)); /* the stream's start */
    TRY(pass_event(c, &type, &mark));
    if (type == YAML_STREAM_END_EVENT) {
        *root = (struct yaml){.type = YAML_MAP, .line = 1, .column = 1};
        return OK;
    }
    TRY(compose_next(c, YAML_NO_EVENT, root, &ended, &end_byte));
    TRY(pass_event(c, &type, &mark)); /* the document's end */
    TRY(pass_event(c, &type, &mark));
    if (type != YAML_STREAM_END_EVENT)
        return refuse(c, mark, "a second document begins, a file holds one");
    return OK;
}

static struct yaml_limits effective(const struct yaml_limits *asked) {
    struct yaml_limits l = asked == NULL ? (struct yaml_limits){0} : *asked;
    if (l.bytes == 0) l.bytes = YAML_BYTES_MAX;
    if (l.depth == 0 || l.depth > YAML_DEPTH_MAX) l.depth = YAML_DEPTH_MAX;
    if (l.nodes == 0) l.nodes = YAML_NODES_MAX;
    return l;
}

static void skip_bom(struct composer *c) {
    const struct str bom = STR("\xef\xbb\xbf");
    if (!str_starts(c->text, bom)) return;
    c->text = str_slice(c->text, bom.len, c->text.len);
    c->bom_bytes = bom.len;
}

result yaml_read(struct str text, struct str name, const struct yaml_limits *limits,
                 struct arena *arena, const struct yaml **out, struct report *report) {
    struct composer c = {
        .text = text,
        .limits = effective(limits),
        .name = name,
        .arena = arena,
        .report = report,
    };
    if (text.len > c.limits.bytes)
        return refuse_at(report, name, 1, 1, REPORT_NO_OFFSET, "the file is too large");
    skip_bom(&c);
    struct yaml *root = arena_new(arena, struct yaml);
    if (root == NULL || !yaml_parser_initialize(&c.parser)) return fail_memory(report);
    yaml_parser_set_encoding(&c.parser, YAML_UTF8_ENCODING); /* or it would guess UTF-16 */
    const char *input = c.text.len == 0 ? "" : c.text.ptr;
    yaml_parser_set_input_string(&c.parser, (const unsigned char *)input, c.text.len);
    result r = compose_stream(&c, root);
    yaml_parser_delete(&c.parser);
    if (r.why == FAIL_NONE) *out = root;
    return r;
}

/* -- use -------------------------------------------------------------------------------------- */

const struct yaml *yaml_get(const struct yaml *map, struct str key) {
    if (map == NULL || map->type != YAML_MAP) return NULL;
    for (size_t i = 0; i < map->n; i++)
        if (str_eq(map->pairs[i].key.text, key)) return &map->pairs[i].value;
    return NULL;
}

bool yaml_is_null(const struct yaml *node) {
    if (node->type != YAML_SCALAR || !node->is_plain) return false;
    return node->text.len == 0 || str_eq(node->text, STR("~")) || str_eq(node->text, STR("null")) ||
           str_eq(node->text, STR("Null")) || str_eq(node->text, STR("NULL"));
}
