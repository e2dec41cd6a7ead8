#include "base/limits.h"
#include "shape/text.h"
#include "tools/offer.h"
#include "tools/tool.h"

static const char *const languages[] = {"en", "zh", "auto", NULL};
const struct values language_values = {.fixed = languages};

/* -- rows ------------------------------------------------------------------------------------- */

const struct prompt *prompt_at(size_t i) {
    for (const struct toolset *const *set = toolsets; *set != NULL; set++)
        for (const struct prompt *p = (*set)->prompts; p != NULL && p->name != NULL; p++)
            if (i-- == 0) return p;
    return NULL;
}

static const struct toolset *set_of(const struct prompt *prompt) {
    for (const struct toolset *const *set = toolsets; *set != NULL; set++)
        for (const struct prompt *p = (*set)->prompts; p != NULL && p->name != NULL; p++)
            if (p == prompt) return *set;
    return NULL;
}

bool prompt_may_see(struct call *call, const struct prompt *prompt) {
    const struct toolset *set = set_of(prompt);
    if (set == NULL || !toolset_is_on(call, set)) return false;
    for (const char *const *name = prompt->leads_to; name != NULL && *name != NULL; name++)
        if (!source_may_use(call, &(struct source){*name, NULL})) return false;
    return true;
}

const struct prompt *prompt_find(struct call *call, struct str name) {
    const struct prompt *prompt;
    for (size_t i = 0; (prompt = prompt_at(i)) != NULL; i++)
        if (str_eq(str_of(prompt->name), name) && prompt_may_see(call, prompt)) return prompt;
    return NULL;
}

const struct argument *argument_find(const struct argument *rows, struct str name) {
    for (const struct argument *a = rows; a != NULL && a->name != NULL; a++)
        if (str_eq(str_of(a->name), name)) return a;
    return NULL;
}

const struct source *prompt_source(const struct prompt *prompt, const struct json *arguments) {
    for (const struct source *s = prompt->shows; s != NULL && s->tool != NULL; s++)
        if (s->argument == NULL || json_get_text(arguments, str_of(s->argument)).len > 0) return s;
    return NULL;
}

/* -- language --------------------------------------------------------------------------------- */

static bool is_han(uint32_t rune) {
    return (rune >= 0x3400 && rune <= 0x9fff) || (rune >= 0x20000 && rune <= 0x3ffff);
}

static bool has_han(struct str text) {
    uint32_t rune;
    for (size_t n; text.len > 0; text = str_slice(text, n, text.len)) {
        n = utf8_next(text, &rune);
        if (n == 0) return false;
        if (is_han(rune)) return true;
    }
    return false;
}

static enum language language_of(const struct json *arguments) {
    struct str told = json_get_text(arguments, STR("language"));
    if (str_ieq(told, STR("zh"))) return LANGUAGE_ZH;
    if (str_ieq(told, STR("en"))) return LANGUAGE_EN;
    for (uint32_t i = 0; arguments != NULL && i < arguments->n; i++)
        if (has_han(arguments->members[i].value.text)) return LANGUAGE_ZH;
    return LANGUAGE_EN;
}

/* -- what is shown ---------------------------------------------------------------------------- */

/* A name or comment may come from data: nothing in it is hidden, and it stays on its line. */
static void put_word(struct buf *out, struct str before, struct str text) {
    struct json_writer w;
    if (text.len == 0) return;
    buf_add(out, before);
    json_writer_init(&w, out);
    text_write(&w, utf8_clip(text, PROMPT_WORD_BYTES_MAX), TEXT_VISIBLE);
}

static void put_item(struct buf *out, const struct json *item) {
    static const char *const members[] = {"table",   "name",  "type", "domain",
                                          "comment", "owner", NULL};
    struct str before = STR("- ");
    bool is_table = json_get(item, STR("table")) != NULL;
    for (size_t i = 0; members[i] != NULL; i++) {
        if (is_table && i == 1) continue; /* it stands in the full name */
        struct str text = json_get_text(item, str_of(members[i]));
        put_word(out, before, text);
        if (text.len > 0) before = STR(" ");
    }
    if (json_is_true(json_get(item, STR("is_partition")))) buf_add(out, STR(" partition"));
    if (json_is_true(json_get(item, STR("require_partition_filter"))))
        buf_add(out, STR(" needs-partition-filter"));
    buf_add_byte(out, '\n');
}

/* The items of the first list in the tool's data: tables, or columns of one. */
static void put_shown(struct buf *out, const struct json *data, enum language language) {
    const struct json *items = json_get(data, STR("tables"));
    if (items == NULL) items = json_get(data, STR("columns"));
    uint32_t n = items == NULL ? 0 : items->n;
    for (uint32_t i = 0; i < n && i < PROMPT_ITEMS_MAX; i++) put_item(out, &items->items[i]);
    if (n > PROMPT_ITEMS_MAX && language == LANGUAGE_ZH)
        buf_addf(out, "- ……另有 %u 个,请用工具查看\n", (unsigned)(n - PROMPT_ITEMS_MAX));
    else if (n > PROMPT_ITEMS_MAX)
        buf_addf(out, "- … and %u more: ask the tools\n", (unsigned)(n - PROMPT_ITEMS_MAX));
    if (n == 0) buf_add(out, language == LANGUAGE_ZH ? STR("- (无)\n") : STR("- (none)\n"));
}

/* -- lines ------------------------------------------------------------------------------------ */

/* Is each {name} of the line there? */
static bool is_told(struct str line, const struct json *arguments, const struct json *data) {
    for (struct str rest = line; str_find_byte(rest, '{') < rest.len;) {
        (void)str_cut(&rest, '{');
        struct str name = str_cut(&rest, '}');
        bool is_shown = str_eq(name, STR("shown"));
        if (is_shown ? data == NULL : json_get_text(arguments, name).len == 0) return false;
    }
    return true;
}

static void put_line(struct buf *out, struct str line, const struct json *arguments,
                     const struct json *data, enum language language) {
    for (struct str rest = line; rest.ptr != NULL;) {
        bool has_name = str_find_byte(rest, '{') < rest.len;
        buf_add(out, str_cut(&rest, '{'));
        if (!has_name) break;
        struct str name = str_cut(&rest, '}');
        if (str_eq(name, STR("shown")))
            put_shown(out, data, language);
        else
            buf_add(out, json_get_text(arguments, name)); /* the caller's own words */
    }
    buf_add_byte(out, '\n');
}

void prompt_print(const struct prompt *prompt, const struct json *arguments,
                  const struct json *data, struct buf *out) {
    enum language language = language_of(arguments);
    for (struct str rest = str_of(prompt->text[language]); rest.ptr != NULL;) {
        struct str line = str_cut(&rest, '\n');
        if (is_told(line, arguments, data)) put_line(out, line, arguments, data, language);
    }
}
