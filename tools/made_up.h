/* What the programs here make up their corpora and models from. */
#ifndef MADE_UP_H
#define MADE_UP_H

#include "rng.h"

#include <stdint.h>

/* From -0.5 up to 0.5. */
static inline float centered_number(uint64_t bits) {
    return (float)(bits >> 40) / 16777216.0f - 0.5f;
}

/* The least of two draws: low ids are frequent. */
static inline int32_t skewed_id(uint64_t bits, uint64_t other_bits, uint32_t n_words) {
    const int32_t a = (int32_t)skw2v_below(bits, n_words);
    const int32_t b = (int32_t)skw2v_below(other_bits, n_words);
    return a < b ? a : b;
}

/* The way from the root down to the word, at `steps`; returns its length. The tree is as flat as
 * can be: a heap of the nodes, the root first, then the words. As in a Huffman tree, nodes are
 * numbered from the leaves up. */
static inline int64_t flat_path(int64_t n_words, int64_t word, int32_t *steps) {
    const int64_t root = n_words - 2, leaf = word + n_words - 1;
    int64_t n = 0;
    for (int64_t at = leaf; at > 0; at = (at - 1) / 2)
        n++;
    for (int64_t at = leaf, i = n - 1; at > 0; at = (at - 1) / 2, i--)
        steps[i] = (int32_t)(2 * (root - (at - 1) / 2) + at % 2);
    return n;
}

#endif
