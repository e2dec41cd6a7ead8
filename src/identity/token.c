#include "base/rand.h"
#include "identity/provider.h"

void token_hash(struct str token, char out[TOKEN_HASH_SIZE]) {
    uint8_t hash[DIGEST_SIZE];
    /* Nothing useful can be said about a token without its hash, and nobody could act on it. */
    if (!digest_sha256(token, hash)) abort();
    memcpy(out, "sha256:", 7);
    hex_encode(out + 7, hash, sizeof hash);
}

struct str token_shown_hash(const uint8_t hash[DIGEST_SIZE], struct arena *arena) {
    char hex[13];
    hex_encode(hex, hash, 6);
    return str_printf(arena, "tok_%s", hex);
}

struct str token_shown(struct str token, struct arena *arena) {
    uint8_t hash[DIGEST_SIZE];
    return digest_sha256(token, hash) ? token_shown_hash(hash, arena) : STR_NONE;
}

void token_new(char out[TOKEN_TEXT_SIZE]) {
    memcpy(out, "weir_", 5);
    rand_hex(out + 5, 32);
}

const struct identity_token *identity_token_find(const struct identity *identity,
                                                 const uint8_t hash[DIGEST_SIZE]) {
    const struct identity_token *token =
        map_get(&identity->tokens, (struct str){(const char *)hash, TOKEN_INDEX_SIZE});
    if (token == NULL) return NULL;
    bool is_same = str_eq_secret((struct str){(const char *)token->hash, DIGEST_SIZE},
                                 (struct str){(const char *)hash, DIGEST_SIZE});
    return is_same ? token : NULL;
}
