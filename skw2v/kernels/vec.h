/* The vector width of this body, and the few operations a plain C operator does not spell.
 *
 * A row is a whole number of blocks of 16 floats: 16 virtual lanes, whatever the machine's width. A
 * dot product keeps one partial sum a lane and adds them in one fixed tree (i and i+8, then 4, 2,
 * 1), and a multiply-add is fused only through vf_fma. So AVX2, AVX-512 and a portable build with
 * fused multiply-adds (arm64) compute the same bits; the x86-64 baseline has no fused operation and
 * differs in the last ones.
 *
 *            vf            lanes   registers a block   hidden rows a tile
 * AVX-512    __m512        16      1                   4
 * AVX2+FMA   __m256         8      2                   1
 * portable   16-byte GCC    4      4                   1
 */
#ifndef SKW2V_VEC_H
#define SKW2V_VEC_H

#include <stdint.h>
#include <string.h>

#define BLOCK         16 /* floats; rows are padded to it, and aligned to 64 bytes */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

#if defined(SKW2V_BODY_AVX512)

#include <immintrin.h>
#define LANES  16
#define TILE_H 4
typedef __m512 vf;
typedef int32_t vi __attribute__((vector_size(64)));
ALWAYS_INLINE vf vf_load(const float *p) {
    return _mm512_loadu_ps(p);
}
ALWAYS_INLINE void vf_store(float *p, vf a) {
    _mm512_storeu_ps(p, a);
}
ALWAYS_INLINE vf vf_set1(float x) {
    return _mm512_set1_ps(x);
}
ALWAYS_INLINE vf vf_fma(vf a, vf b, vf c) {
    return _mm512_fmadd_ps(a, b, c);
}

#elif defined(SKW2V_BODY_AVX2)

#include <immintrin.h>
#define LANES  8
#define TILE_H 1
typedef __m256 vf;
typedef int32_t vi __attribute__((vector_size(32)));
ALWAYS_INLINE vf vf_load(const float *p) {
    return _mm256_loadu_ps(p);
}
ALWAYS_INLINE void vf_store(float *p, vf a) {
    _mm256_storeu_ps(p, a);
}
ALWAYS_INLINE vf vf_set1(float x) {
    return _mm256_set1_ps(x);
}
ALWAYS_INLINE vf vf_fma(vf a, vf b, vf c) {
    return _mm256_fmadd_ps(a, b, c);
}

#else

#define LANES  4
#define TILE_H 1
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
ALWAYS_INLINE vf vf_load(const float *p) {
    vf a;
    memcpy(&a, p, sizeof a);
    return a;
}
ALWAYS_INLINE void vf_store(float *p, vf a) {
    memcpy(p, &a, sizeof a);
}
ALWAYS_INLINE vf vf_set1(float x) {
    return (vf){x, x, x, x};
}
ALWAYS_INLINE vf vf_fma(vf a, vf b, vf c) {
#if defined(__ARM_FEATURE_FMA)
    for (int i = 0; i < LANES; i++)
        c[i] = __builtin_fmaf(a[i], b[i], c[i]);
    return c;
#else
    return a * b + c;
#endif
}

#endif

#define PER_BLOCK (BLOCK / LANES)

/* One load a lane: gather instructions were slower (Zen 5, by a tenth to a half). */
ALWAYS_INLINE vf vf_gather(const float *from, const int32_t *index) {
    vf a;
    for (int lane = 0; lane < LANES; lane++)
        a[lane] = from[index[lane]];
    return a;
}

/* mask: all ones where to take a, all zeros where to take b */
ALWAYS_INLINE vf vf_select(vi mask, vf a, vf b) {
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
}

ALWAYS_INLINE vf vf_max(vf a, vf b) {
    return vf_select((vi)(a < b), b, a);
}

/* max(a, 0); a NaN stays a NaN */
ALWAYS_INLINE vf vf_relu(vf a) {
    return vf_select((vi)(a < vf_set1(0.0f)), vf_set1(0.0f), a);
}

/* exp(x) for x <= 0, to about 1 ulp; 0 < result <= 1. Cody-Waite reduction and a polynomial of
 * degree 6 (Cephes' expf coefficients); below -87 the result stays at exp(-87). */
ALWAYS_INLINE vf vf_exp_nonpositive(vf x) {
    const vf floor_x = vf_set1(-87.0f);
    const vf shift = vf_set1(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    x = vf_select((vi)(x < floor_x), floor_x, x);
    vf rounded = vf_fma(x, vf_set1(1.44269504088896341f), shift);
    vi exponent = (vi)rounded << 23;
    vf n = rounded - shift;
    vf r = vf_fma(n, vf_set1(-0.693359375f), x);
    r = vf_fma(n, vf_set1(2.12194440e-4f), r);
    vf p = vf_set1(1.9875691500e-4f);
    p = vf_fma(p, r, vf_set1(1.3981999507e-3f));
    p = vf_fma(p, r, vf_set1(8.3334519073e-3f));
    p = vf_fma(p, r, vf_set1(4.1665795894e-2f));
    p = vf_fma(p, r, vf_set1(1.6666665459e-1f));
    p = vf_fma(p, r, vf_set1(5.0000001201e-1f));
    p = vf_fma(p, r * r, r + vf_set1(1.0f));
    return (vf)((vi)p + exponent);
}

/* Two runs of 8 floats. Folding combines each run in one fixed tree (i with i ^ 4, then ^ 2, ^ 1)
 * and leaves the result in all of its 8 lanes. */
typedef struct {
    vf part[PER_BLOCK];
} vf_runs;

#if LANES == 16
#define SWAP_4(a) _mm512_shuffle_f32x4(a, a, 0xB1)
#define SWAP_2(a) _mm512_permute_ps(a, 0x4E)
#define SWAP_1(a) _mm512_permute_ps(a, 0xB1)
#elif LANES == 8
#define SWAP_4(a) _mm256_permute2f128_ps(a, a, 0x01)
#define SWAP_2(a) _mm256_permute_ps(a, 0x4E)
#define SWAP_1(a) _mm256_permute_ps(a, 0xB1)
#else
#define SWAP_2(a) ((vf){(a)[2], (a)[3], (a)[0], (a)[1]})
#define SWAP_1(a) ((vf){(a)[1], (a)[0], (a)[3], (a)[2]})
#endif

enum { RUNS_SUM, RUNS_MAX };

ALWAYS_INLINE vf combine(vf a, vf b, const int how) {
    if (how == RUNS_MAX)
        return vf_max(a, b);
    return a + b;
}

ALWAYS_INLINE vf_runs fold_runs(vf_runs runs, const int how) {
#if LANES == 4
    for (int p = 0; p < PER_BLOCK; p += 2)
        runs.part[p] = runs.part[p + 1] = combine(runs.part[p], runs.part[p + 1], how);
#endif
    for (int p = 0; p < PER_BLOCK; p++) {
        vf a = runs.part[p];
#if LANES > 4
        a = combine(a, SWAP_4(a), how);
#endif
        a = combine(a, SWAP_2(a), how);
        runs.part[p] = combine(a, SWAP_1(a), how);
    }
    return runs;
}

#endif
