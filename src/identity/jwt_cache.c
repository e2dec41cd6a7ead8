#include "identity/jwt_cache.h"

#include "base/fault.h"
#include "base/limits.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    TOKEN_WORDS = DIGEST_SIZE / 8,
    KEY_WORDS = JWT_CACHE_KEY_SIZE / 8,
    WORDS = TOKEN_WORDS + KEY_WORDS,
    WAYS = 4, /* places of one token */
};

struct slot {
    _Atomic uint64_t count; /* odd: being written */
    _Atomic uint64_t words[WORDS];
};

struct jwt_cache {
    _Atomic uint32_t next_way;
    struct slot slots[JWT_CACHE_SLOTS];
};

result jwt_cache_new(struct jwt_cache **out, struct report *report) {
    *out = fault_now() ? NULL : calloc(1, sizeof **out);
    return *out == NULL ? fail_memory(report) : OK;
}

void jwt_cache_free(struct jwt_cache *cache) {
    free(cache);
}

/* The first of the token's places. The hash is as good as random, whoever made the token. */
static struct slot *places(struct jwt_cache *cache, const uint64_t token[TOKEN_WORDS]) {
    return &cache->slots[token[0] % (JWT_CACHE_SLOTS / WAYS) * WAYS];
}

static bool read_slot(struct slot *slot, uint64_t words[WORDS]) {
    uint64_t count = atomic_load(&slot->count);
    for (size_t i = 0; i < WORDS; i++) words[i] = atomic_load(&slot->words[i]);
    return count % 2 == 0 && atomic_load(&slot->count) == count;
}

bool jwt_cache_find(struct jwt_cache *cache, const uint8_t token[DIGEST_SIZE],
                    uint8_t key[JWT_CACHE_KEY_SIZE]) {
    uint64_t wanted[TOKEN_WORDS], words[WORDS];
    memcpy(wanted, token, DIGEST_SIZE);
    struct slot *slot = places(cache, wanted);
    for (size_t way = 0; way < WAYS; way++) {
        if (!read_slot(&slot[way], words) || memcmp(words, wanted, DIGEST_SIZE) != 0) continue;
        memcpy(key, words + TOKEN_WORDS, JWT_CACHE_KEY_SIZE);
        return true;
    }
    return false;
}

void jwt_cache_keep(struct jwt_cache *cache, const uint8_t token[DIGEST_SIZE],
                    const uint8_t fingerprint[DIGEST_SIZE]) {
    uint64_t words[WORDS];
    memcpy(words, token, DIGEST_SIZE);
    memcpy(words + TOKEN_WORDS, fingerprint, JWT_CACHE_KEY_SIZE);
    struct slot *slot = places(cache, words) + atomic_fetch_add(&cache->next_way, 1) % WAYS;
    uint64_t count = atomic_load(&slot->count);
    /* Another one writes here: its token is as good as ours. */
    if (count % 2 != 0 || !atomic_compare_exchange_strong(&slot->count, &count, count + 1)) return;
    for (size_t i = 0; i < WORDS; i++) atomic_store(&slot->words[i], words[i]);
    atomic_store(&slot->count, count + 2);
}
