#include "base/map.h"

#include "base/arena.h"
#include "base/fault.h"
#include "base/rand.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { ENTRIES_FIRST = 8, ENTRIES_MAX = 1 << 30 };

/* -- the keyed hash --------------------------------------------------------------------------- */

static uint64_t process_key[2];
static pthread_once_t process_key_drawn = PTHREAD_ONCE_INIT;

static void draw_process_key(void) {
    rand_bytes(process_key, sizeof process_key);
}

static uint64_t rotate(uint64_t x, unsigned by) {
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4]) {
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* Lowers the ASCII capitals among eight bytes at once: a byte is one when adding puts it past 'A'
 * but not past 'Z', and its high bit was clear. */
static uint64_t lower_eight(uint64_t eight) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t low7 = eight & ones * 0x7f;
    uint64_t from_a = low7 + ones * (0x80 - 'A');
    uint64_t past_z = low7 + ones * (0x7f - 'Z');
    uint64_t capital = (from_a ^ past_z) & ~eight & ones * 0x80;
    return eight | capital >> 2;
}

static uint64_t siphash(const uint64_t key[2], struct str bytes, bool fold_case) {
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    size_t at = 0;
    for (; bytes.len - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.ptr + at, 8);
        if (fold_case) word = lower_eight(word);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = 0;
    if (at < bytes.len) memcpy(&last, bytes.ptr + at, bytes.len - at);
    if (fold_case) last = lower_eight(last);
    last |= (uint64_t)bytes.len << 56;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t siphash13(const uint64_t key[2], struct str bytes) {
    return siphash(key, bytes, false);
}

uint64_t map_hash(struct str key) {
    pthread_once(&process_key_drawn, draw_process_key);
    return siphash(process_key, key, false);
}

static uint64_t hash_of(const struct map *map, struct str key) {
    pthread_once(&process_key_drawn, draw_process_key);
    return siphash(process_key, key, map->fold_case);
}

/* -- life ------------------------------------------------------------------------------------- */

void map_init(struct map *map, struct arena *arena) {
    assert(arena != NULL);
    *map = (struct map){.arena = arena};
}

void map_init_heap(struct map *map) {
    *map = (struct map){0};
}

void map_deinit(struct map *map) {
    assert(map->arena == NULL);
    free(map->entries);
    free(map->slots);
    map_init_heap(map);
}

static void *new_table(struct map *map, size_t n, size_t size, size_t align) {
    if (map->arena != NULL) return arena_array(map->arena, n, size, align);
    return fault_now() ? NULL : calloc(n, size);
}

static void enter_slot(uint32_t *slots, size_t n_slots, uint64_t hash, size_t index) {
    size_t at = hash & (n_slots - 1);
    while (slots[at] != 0) at = (at + 1) & (n_slots - 1);
    slots[at] = (uint32_t)(index + 1);
}

/* Takes the entries that live into tables for `cap` of them (slots stay at most half full).
 * Nothing has changed when it gives false. */
static bool rebuild(struct map *map, size_t cap) {
    size_t n_slots = cap * 2;
    if (cap > ENTRIES_MAX) return false;
    struct map_entry *entries = new_table(map, cap, sizeof *entries, _Alignof(struct map_entry));
    if (entries == NULL) return false;
    uint32_t *slots = new_table(map, n_slots, sizeof *slots, _Alignof(uint32_t));
    if (slots == NULL) {
        if (map->arena == NULL) free(entries);
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < map->n_entries; i++) {
        if (map->entries[i].value == NULL) continue;
        entries[n] = map->entries[i];
        enter_slot(slots, n_slots, entries[n].hash, n);
        n++;
    }
    if (map->arena == NULL) {
        free(map->entries);
        free(map->slots);
    }
    map->entries = entries;
    map->slots = slots;
    map->n_entries = n;
    map->cap_entries = cap;
    map->n_slots = n_slots;
    return true;
}

/* When half of the entries were removed, tables of the same size are enough. */
static bool make_room(struct map *map) {
    if (map->cap_entries == 0) return rebuild(map, ENTRIES_FIRST);
    if (map->n_entries < map->cap_entries) return true;
    if (map->n_live <= map->cap_entries / 2) return rebuild(map, map->cap_entries);
    return rebuild(map, map->cap_entries * 2);
}

/* -- use -------------------------------------------------------------------------------------- */

static struct map_entry *find(const struct map *map, struct str key, uint64_t hash) {
    if (map->n_live == 0) return NULL;
    for (size_t at = hash & (map->n_slots - 1); map->slots[at] != 0;
         at = (at + 1) & (map->n_slots - 1)) {
        struct map_entry *entry = &map->entries[map->slots[at] - 1];
        if (entry->hash != hash || entry->value == NULL) continue;
        if (map->fold_case ? str_ieq(entry->key, key) : str_eq(entry->key, key)) return entry;
    }
    return NULL;
}

bool map_put(struct map *map, struct str key, void *value) {
    assert(value != NULL);
    uint64_t hash = hash_of(map, key);
    struct map_entry *known = find(map, key, hash);
    if (known != NULL) {
        known->key = key; /* the old view may lie inside the value that is replaced */
        known->value = value;
        return true;
    }
    if (!make_room(map)) return false;
    map->entries[map->n_entries] = (struct map_entry){key, value, hash};
    enter_slot(map->slots, map->n_slots, hash, map->n_entries);
    map->n_entries++;
    map->n_live++;
    return true;
}

void *map_get(const struct map *map, struct str key) {
    if (map->n_live == 0) return NULL;
    struct map_entry *entry = find(map, key, hash_of(map, key));
    return entry == NULL ? NULL : entry->value;
}

void *map_remove(struct map *map, struct str key) {
    if (map->n_live == 0) return NULL;
    struct map_entry *entry = find(map, key, hash_of(map, key));
    if (entry == NULL) return NULL;
    void *value = entry->value;
    entry->value = NULL; /* its slot stays taken, so that searches go past it */
    entry->key = STR_NONE;
    map->n_live--;
    return value;
}

bool map_each(const struct map *map, size_t *i, struct str *key, void **value) {
    while (*i < map->n_entries && map->entries[*i].value == NULL) ++*i;
    if (*i >= map->n_entries) return false;
    const struct map_entry *entry = &map->entries[(*i)++];
    if (key != NULL) *key = entry->key;
    if (value != NULL) *value = entry->value;
    return true;
}
