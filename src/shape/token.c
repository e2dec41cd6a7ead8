#include "shape/token.h"

struct range {
    uint32_t first, last;
};

/* Unicode 15.1 blocks whose characters are words or syllables to a tokenizer. */
static const struct range wide_ranges[] = {
    {0x1100, 0x11FF},   /* Hangul Jamo */
    {0x2E80, 0x9FFF},   /* radicals, punctuation, Kana, Bopomofo, ideographs */
    {0xA960, 0xA97F},   /* Hangul Jamo extended A */
    {0xAC00, 0xD7FF},   /* Hangul syllables */
    {0xF900, 0xFAFF},   /* compatibility ideographs */
    {0xFE30, 0xFE4F},   /* compatibility forms */
    {0xFF00, 0xFFEF},   /* full-width forms */
    {0x1F300, 0x1FAFF}, /* pictographs: a token at least */
    {0x20000, 0x3FFFF}, /* ideographs, supplementary planes */
};

static bool is_wide(uint32_t rune) {
    for (size_t i = 0; i < COUNT(wide_ranges); i++)
        if (rune >= wide_ranges[i].first && rune <= wide_ranges[i].last) return true;
    return false;
}

static void end_character(struct token_count *count, uint32_t rune) {
    if (rune >= wide_ranges[0].first && is_wide(rune))
        count->wide++;
    else
        count->chars++;
}

static void begin_character(struct token_count *count, uint8_t byte) {
    if (byte >= 0xF0 && byte < 0xF8) {
        count->rune = byte & 0x07u;
        count->wants = 3;
    } else if (byte >= 0xE0 && byte < 0xF0) {
        count->rune = byte & 0x0Fu;
        count->wants = 2;
    } else if (byte >= 0xC0 && byte < 0xE0) {
        count->rune = byte & 0x1Fu;
        count->wants = 1;
    } else {
        count->chars++;
    }
}

void token_count_add(struct token_count *count, struct str bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = (uint8_t)bytes.ptr[i];
        if (count->wants == 0) {
            begin_character(count, byte);
        } else if ((byte & 0xC0u) == 0x80) {
            count->rune = count->rune << 6 | (byte & 0x3Fu);
            if (--count->wants == 0) end_character(count, count->rune);
        } else { /* broken off: what stood there is one character, this byte begins another */
            count->wants = 0;
            count->chars++;
            begin_character(count, byte);
        }
    }
}

uint64_t token_count_get(const struct token_count *count) {
    uint64_t chars = count->chars + (count->wants > 0);
    return count->wide + (chars * 2 + 6) / 7; /* ceil(chars / 3.5) without a rounding of its own */
}

uint64_t token_estimate(struct str text) {
    struct token_count count = {0};
    token_count_add(&count, text);
    return token_count_get(&count);
}
