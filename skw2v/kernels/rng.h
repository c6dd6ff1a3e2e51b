/* Counter-based randomness: every draw is a pure function of (seed, purpose, epoch, counter).
 *
 * SplitMix64 (Steele, Lea & Flood 2014) read as a counter-based generator: its k-th output is the
 * finaliser applied to key + k * golden. No state travels between draws, so any thread may make any
 * draw, in any order, and get the same bits. */
#ifndef SKW2V_RNG_H
#define SKW2V_RNG_H

#include <stdint.h>

#define SKW2V_GOLDEN UINT64_C(0x9E3779B97F4A7C15)

enum { SKW2V_PURPOSE_POSITION = 0, SKW2V_PURPOSE_NOISE = 1, SKW2V_PURPOSE_INIT = 2 };

static inline uint64_t skw2v_mix64(uint64_t z) {
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static inline uint64_t skw2v_stream_key(uint64_t seed, uint64_t purpose, uint64_t epoch) {
    return skw2v_mix64(skw2v_mix64(seed + SKW2V_GOLDEN * (purpose + 1)) +
                       SKW2V_GOLDEN * (epoch + 1));
}

static inline uint64_t skw2v_random_bits(uint64_t key, uint64_t counter) {
    return skw2v_mix64(key + SKW2V_GOLDEN * (counter + 1));
}

/* The upper 32 bits as an integer in [0, n), n < 2^32 (multiply-shift). */
static inline uint32_t skw2v_below(uint64_t bits, uint32_t n) {
    return (uint32_t)(((bits >> 32) * n) >> 32);
}

#endif
