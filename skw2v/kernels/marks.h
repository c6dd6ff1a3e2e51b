/* Which shards of a round touch a row, and whose turn it is where several do. */
#ifndef SKW2V_MARKS_H
#define SKW2V_MARKS_H

#include "engine.h"

#include <string.h>

/* Bit s: does shard s of this round use the word's row in `role`? */
static uint64_t shards_in_role(const uint8_t *marks, int mark_stride, int role) {
    uint64_t mask = 0;
    for (int s = 0; s < mark_stride; s += 8) {
        uint64_t bytes;
        memcpy(&bytes, marks + s, 8);
        bytes = bytes >> (role == SKW2V_ROLE_OUTPUT) & UINT64_C(0x0101010101010101);
        mask |= (bytes * UINT64_C(0x0102040810204080) >> 56) << s;
    }
    return mask;
}

static inline int is_shared(uint64_t shards) {
    return (shards & (shards - 1)) != 0;
}

/* Of the shards that share a row, the one whose turn it is to merge it: spread over them by word.
 */
static inline int merger_of(uint64_t shards, int32_t word) {
    int skip = word % __builtin_popcountll(shards);
    while (skip-- > 0)
        shards &= shards - 1;
    return __builtin_ctzll(shards);
}

#endif
