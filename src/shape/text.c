#include "shape/text.h"

#include <assert.h>

struct range {
    uint32_t first, last;
};

/* Unicode 15.1: what is not seen, or moves what is seen. In order. */
static const struct range hidden_ranges[] = {
    {0x0000, 0x0008},   /* C0, without tab, newline, carriage return */
    {0x000B, 0x000C},   /* */
    {0x000E, 0x001F},   /* */
    {0x007F, 0x009F},   /* DEL, C1 */
    {0x00AD, 0x00AD},   /* soft hyphen */
    {0x034F, 0x034F},   /* combining grapheme joiner */
    {0x061C, 0x061C},   /* Arabic letter mark */
    {0x115F, 0x1160},   /* Hangul fillers */
    {0x17B4, 0x17B5},   /* Khmer inherent vowels */
    {0x180B, 0x180F},   /* Mongolian selectors and separator */
    {0x200B, 0x200F},   /* zero width, marks of direction */
    {0x2028, 0x202E},   /* separators of lines, embeddings and overrides of direction */
    {0x2060, 0x206F},   /* word joiner, invisible operators, isolates */
    {0x3164, 0x3164},   /* Hangul filler */
    {0xFE00, 0xFE0F},   /* variation selectors */
    {0xFEFF, 0xFEFF},   /* byte-order mark */
    {0xFFA0, 0xFFA0},   /* half-width Hangul filler */
    {0xFFF0, 0xFFFB},   /* interlinear annotation */
    {0x13430, 0x1345F}, /* format controls of hieroglyphs */
    {0x1BCA0, 0x1BCA3}, /* of shorthand */
    {0x1D173, 0x1D17A}, /* of music */
    {0xE0000, 0xE0FFF}, /* tags, variation selectors supplement */
};

static bool in_ranges(uint32_t rune) {
    size_t from = 0, to = COUNT(hidden_ranges);
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (rune < hidden_ranges[middle].first)
            to = middle;
        else if (rune > hidden_ranges[middle].last)
            from = middle + 1;
        else
            return true;
    }
    return false;
}

/* -- what may stay for its neighbours ---------------------------------------------------------- */

enum { JOINER = 0x200D, SELECTOR_EMOJI = 0xFE0F, BACKSLASH = 0x5C };

static bool is_selector(uint32_t rune) {
    return (rune >= 0xFE00 && rune <= 0xFE0F) || (rune >= 0xE0100 && rune <= 0xE01EF);
}

static bool is_pictograph(uint32_t rune) {
    return (rune >= 0x2190 && rune <= 0x2BFF) || (rune >= 0x1F000 && rune <= 0x1FAFF);
}

/* The character that ends before `at`; 0: none. */
static uint32_t rune_before(struct str text, size_t at) {
    size_t from = at;
    while (from > 0 && at - from < 4 && ((uint8_t)text.ptr[from - 1] & 0xC0) == 0x80) from--;
    if (from == 0) return 0;
    uint32_t rune = 0;
    size_t n = utf8_next(str_slice(text, from - 1, at), &rune);
    return n == at - from + 1 ? rune : 0;
}

static uint32_t rune_at(struct str text, size_t at) {
    uint32_t rune = 0;
    return utf8_next(str_slice(text, at, text.len), &rune) > 0 ? rune : 0;
}

/* A selector chooses a form of the one character before it; more of them are a message. */
static bool may_stay(struct str text, size_t at, size_t n, uint32_t rune) {
    uint32_t before = rune_before(text, at);
    if (is_selector(rune)) return before > ' ' && before != '"' && !in_ranges(before);
    if (rune != JOINER) return false;
    bool joins = is_pictograph(before) || before == SELECTOR_EMOJI;
    return joins && is_pictograph(rune_at(text, at + n));
}

/* -- what is found in a text ------------------------------------------------------------------- */

/* Bytes with which something begins that is to be looked at; all others pass as they are. */
static const bool is_looked_at[256] = {
    [0x00] = true, [0x01] = true, [0x02] = true, [0x03] = true, [0x04] = true, [0x05] = true,
    [0x06] = true, [0x07] = true, [0x08] = true, [0x0B] = true, [0x0C] = true, [0x0E] = true,
    [0x0F] = true, [0x10] = true, [0x11] = true, [0x12] = true, [0x13] = true, [0x14] = true,
    [0x15] = true, [0x16] = true, [0x17] = true, [0x18] = true, [0x19] = true, [0x1A] = true,
    [0x1B] = true, [0x1C] = true, [0x1D] = true, [0x1E] = true, [0x1F] = true, ['\\'] = true,
    [0x7F] = true, [0xC2] = true, [0xCD] = true, [0xD8] = true, [0xE1] = true, [0xE2] = true,
    [0xE3] = true, [0xEF] = true, [0xF0] = true, [0xF3] = true,
};

/* A piece of the source that is not written as it stands. */
struct finding {
    size_t at, n;   /* bytes of the source */
    uint32_t rune;  /* what they say */
    bool is_escape; /* they are an escape of JSON already */
};

static unsigned hex_digit(char c) {
    if (c >= '0' && c <= '9') return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f') return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return (unsigned)(c - 'A') + 10;
    return 16;
}

/* `u` and four hex digits at `at`; what follows a backslash. */
static bool unit_at(struct str text, size_t at, uint32_t *unit) {
    if (text.len - at < 5 || text.ptr[at] != 'u') return false;
    *unit = 0;
    for (size_t i = 1; i < 5; i++) {
        unsigned digit = hex_digit(text.ptr[at + i]);
        if (digit > 15) return false;
        *unit = *unit << 4 | digit;
    }
    return true;
}

/* An escape of JSON at f->at: sets what it is; false when it may stay as it is. */
static bool find_escape(struct str json, struct finding *f) {
    uint32_t low, ignored;
    f->is_escape = true;
    f->n = 2;
    if (json.len - f->at < 2) return false;
    switch (json.ptr[f->at + 1]) {
    case 'b': f->rune = '\b'; return true;
    case 'f': f->rune = '\f'; return true;
    case '\\': f->rune = BACKSLASH; return unit_at(json, f->at + 2, &ignored);
    case 'u': break;
    default: return false; /* \n, \", …: JSON's own list, of which these need nothing */
    }
    if (!unit_at(json, f->at + 1, &f->rune)) return false;
    f->n = 6;
    bool is_high = f->rune >= 0xD800 && f->rune < 0xDC00;
    if (is_high && json.len - f->at >= 12 && json.ptr[f->at + 6] == '\\' &&
        unit_at(json, f->at + 7, &low) && low >= 0xDC00 && low < 0xE000) {
        f->rune = 0x10000 + ((f->rune - 0xD800) << 10) + (low - 0xDC00);
        f->n = 12;
    }
    return in_ranges(f->rune);
}

static bool find_rune(struct str text, struct finding *f) {
    f->is_escape = false;
    f->n = utf8_next(str_slice(text, f->at, text.len), &f->rune);
    if (f->n == 0) {
        f->n = 1; /* no UTF-8: json_escape() says so */
        return false;
    }
    return in_ranges(f->rune) && !may_stay(text, f->at, f->n, f->rune);
}

/* A backslash of plain text matters where it could be taken for ours. */
static bool find_backslash(struct str text, struct finding *f) {
    uint32_t ignored;
    f->is_escape = false;
    f->n = 1;
    f->rune = BACKSLASH;
    return unit_at(text, f->at + 1, &ignored);
}

/* Eight bytes at once of which none is looked at. A false alarm costs time only. */
static bool is_plain_eight(const char *at) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t eight;
    memcpy(&eight, at, sizeof eight);
    uint64_t special =
        (eight - ones * 0x20) | ((eight ^ ones * '\\') - ones) | ((eight ^ ones * 0x7F) - ones);
    return ((special | eight) & ones * 0x80) == 0;
}

/* The first byte from `at` on that is looked at, or text.len. */
static size_t skip_plain(struct str text, size_t at) {
    while (text.len - at >= 8 && is_plain_eight(text.ptr + at)) at += 8;
    while (at < text.len && !is_looked_at[(uint8_t)text.ptr[at]]) at++;
    return at;
}

/* The next piece from `from` on that is not written as it stands. */
static bool find_next(struct str text, size_t from, enum text_form form, bool is_json,
                      struct finding *f) {
    for (f->at = from; f->at < text.len; f->at += f->n) {
        f->at = skip_plain(text, f->at);
        if (f->at == text.len) return false;
        bool is_found;
        if (text.ptr[f->at] != '\\')
            is_found = find_rune(text, f);
        else
            is_found = is_json ? find_escape(text, f) : find_backslash(text, f);
        if (is_found && (form == TEXT_VISIBLE || (!f->is_escape && f->rune != BACKSLASH)))
            return true;
    }
    return false;
}

enum text_form text_form_of(const struct call *call) {
    if (call->origin.is_program) return TEXT_EXACT;
    return (enum text_form)call->snapshot->settings.hidden_characters;
}

/* -- writing ----------------------------------------------------------------------------------- */

static void put_unit(struct buf *out, unsigned unit, enum text_form form) {
    buf_addf(out, form == TEXT_VISIBLE ? "\\\\u%04x" : "\\u%04x", unit);
}

static void put_rune(struct buf *out, uint32_t rune, enum text_form form) {
    if (rune >= 0x10000) {
        put_unit(out, 0xD800 + ((rune - 0x10000) >> 10), form);
        rune = 0xDC00 + ((rune - 0x10000) & 0x3FF);
    }
    put_unit(out, rune, form);
}

/* The comma and what else a writer knows are put by an empty raw value, between whose quotes we
 * then stand. */
void text_write(struct json_writer *w, struct str text, enum text_form form) {
    struct finding f;
    if (!find_next(text, 0, form, false, &f)) {
        json_text(w, text);
        return;
    }
    size_t from = 0;
    json_raw_value(w, STR("\""));
    do {
        json_escape(w->out, str_slice(text, from, f.at));
        put_rune(w->out, f.rune, form);
        from = f.at + f.n;
    } while (find_next(text, from, form, false, &f));
    json_escape(w->out, str_slice(text, from, text.len));
    buf_add_byte(w->out, '"');
}

void text_put(struct json_writer *w, struct str key, struct str text, enum text_form form) {
    json_key(w, key);
    text_write(w, text, form);
}

void text_write_json(struct json_writer *w, struct str json, enum text_form form) {
    struct finding f;
    size_t from = 0;
    assert(json.len > 0);
    bool is_found = find_next(json, 0, form, true, &f);
    json_raw_value(w, str_slice(json, 0, is_found ? f.at : json.len));
    for (; is_found; is_found = find_next(json, from, form, true, &f)) {
        if (from > 0) buf_add(w->out, str_slice(json, from, f.at));
        put_rune(w->out, f.rune, form);
        from = f.at + f.n;
    }
    if (from > 0) buf_add(w->out, str_slice(json, from, json.len));
}
