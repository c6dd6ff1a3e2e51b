/* Tokens as bytes (UTF-8, lone surrogates as three bytes like any other), and their numbers.
 *
 * Open addressing, linear probing, at most two thirds full. An entry holds a token of up to 16
 * bytes entirely, which nearly all are: finding it reads one place, and takes no branch that
 * depends on its length. Of a longer one it holds a hash of 64 bits and the last 8 bytes; those
 * that decide lie in the arena, where all tokens stand one after the other in the order of their
 * numbers. A table costs 36 to 72 bytes a token, 8 for its end in the arena, and its bytes;
 * Python's dictionary of strings about 140.
 *
 * Where a token stands in the table depends on a seed, so that nobody can write text whose tokens
 * all collide. The numbers never do. Tables that share keys have one seed. */
#ifndef SKW2V_TOKEN_TABLE_H
#define SKW2V_TOKEN_TABLE_H

#include <stdint.h>
#include <string.h>

enum { SKW2V_NO_TOKEN = -1, SKW2V_NO_MEMORY = -2 };

enum {
    SKW2V_INLINE = 16, /* bytes of a token that an entry has room for */
    /* What `skw2v_make_key` may read past the end of a token, so that it reads whole words. */
    SKW2V_TOKEN_PADDING = 16
};

/* `words`: the bytes themselves, the first one lowest; or the hash of more, and the last 8. */
typedef struct {
    uint64_t words[2];
    int64_t length;
} skw2v_token_key;

typedef struct {
    uint64_t words[2];
    uint32_t length; /* in bytes; UINT32_MAX for any longer */
    int32_t number;  /* below 0: the entry is free */
} skw2v_entry;

typedef struct {
    uint64_t seed;
    skw2v_entry *entries;
    uint64_t mask; /* the number of entries, a power of two, less one */
    int64_t n_tokens;
    int64_t *ends; /* token i is arena[ends[i]] to arena[ends[i + 1]] */
    int64_t ends_capacity;
    unsigned char *arena;
    int64_t arena_capacity;
} skw2v_token_table;

/* 0, or SKW2V_NO_MEMORY, after which nothing has to be released. */
int skw2v_open_table(skw2v_token_table *table, uint64_t seed);
void skw2v_close_table(skw2v_token_table *table);
/* Forget all tokens; keep the memory. */
void skw2v_clear_table(skw2v_token_table *table);

/* The number of a token; it gets the next one if it is not there. Or SKW2V_NO_MEMORY, which also
 * stands for more tokens than int32_t can number. */
int32_t skw2v_number_token(skw2v_token_table *table, const unsigned char *bytes,
                           skw2v_token_key key);

static inline uint64_t skw2v_read_word(const unsigned char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint64_t skw2v_hash_long(uint64_t seed, const unsigned char *bytes, int64_t length) {
    uint64_t hash = seed ^ (uint64_t)length;
    for (int64_t i = 0; i < length; i += 8) {
        /* The last eight bytes may have been read in part already. */
        const unsigned char *at = i + 8 <= length ? bytes + i : bytes + length - 8;
        hash = (hash ^ skw2v_read_word(at)) * UINT64_C(0xBF58476D1CE4E5B9);
        hash ^= hash >> 32;
    }
    return hash;
}

/* The first n bytes of a word. */
static const uint64_t skw2v_first_bytes[9] = {
    0,
    UINT64_C(0xFF),
    UINT64_C(0xFFFF),
    UINT64_C(0xFFFFFF),
    UINT64_C(0xFFFFFFFF),
    UINT64_C(0xFFFFFFFFFF),
    UINT64_C(0xFFFFFFFFFFFF),
    UINT64_C(0xFFFFFFFFFFFFFF),
    UINT64_MAX,
};

static inline skw2v_token_key skw2v_make_key(uint64_t seed, const unsigned char *bytes,
                                             int64_t length) {
    skw2v_token_key key;
    key.length = length;
    if (length > SKW2V_INLINE) {
        key.words[0] = skw2v_hash_long(seed, bytes, length);
        key.words[1] = skw2v_read_word(bytes + length - 8);
    } else {
        int64_t in_second = length > 8 ? length - 8 : 0;
        key.words[0] = skw2v_read_word(bytes) & skw2v_first_bytes[length - in_second];
        key.words[1] = skw2v_read_word(bytes + 8) & skw2v_first_bytes[in_second];
    }
    return key;
}

/* Where to look first. */
static inline uint64_t skw2v_entry_of(const skw2v_token_table *table, const uint64_t words[2]) {
    uint64_t z = (words[0] ^ table->seed) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 32) ^ words[1]) * UINT64_C(0x94D049BB133111EB);
    return (z >> 32) & table->mask;
}

/* Of tokens that an entry has no room for. */
static inline int skw2v_same_bytes(const skw2v_token_table *table, int32_t number,
                                   const unsigned char *bytes, int64_t length) {
    int64_t start = table->ends[number];
    if (table->ends[number + 1] - start != length)
        return 0;
    const unsigned char *other = table->arena + start;
    for (int64_t i = 0; i < length - 8; i += 8)
        if (skw2v_read_word(bytes + i) != skw2v_read_word(other + i))
            return 0;
    return skw2v_read_word(bytes + length - 8) == skw2v_read_word(other + length - 8);
}

/* The entry of a token: its own, or the free one where it would stand. */
static inline skw2v_entry *skw2v_find_entry(const skw2v_token_table *table,
                                            const unsigned char *bytes, skw2v_token_key key) {
    uint32_t length = key.length < UINT32_MAX ? (uint32_t)key.length : UINT32_MAX;
    for (uint64_t i = skw2v_entry_of(table, key.words);; i = (i + 1) & table->mask) {
        skw2v_entry *entry = &table->entries[i];
        uint64_t differ = (entry->words[0] ^ key.words[0]) | (entry->words[1] ^ key.words[1]) |
                          (entry->length ^ length);
        if (entry->number < 0 ||
            (differ == 0 &&
             (length <= SKW2V_INLINE || skw2v_same_bytes(table, entry->number, bytes, key.length))))
            return entry;
    }
}

/* The number of a token, SKW2V_NO_TOKEN if it has none. */
static inline int32_t skw2v_find_token(const skw2v_token_table *table, const unsigned char *bytes,
                                       skw2v_token_key key) {
    return skw2v_find_entry(table, bytes, key)->number;
}

#endif
