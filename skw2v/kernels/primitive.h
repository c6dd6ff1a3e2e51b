/* The one operation of skw2v: hidden rows H against target rows T, forward and backward.
 *
 *     S = H T' + b - c            scores                    (n_hidden, n_targets)
 *     G = rate * w * (y - link(S))
 *     H += G T    T += G' H    b += sum of G over hidden    all from the values before the step
 *
 * Objectives choose targets, labels y, weights w, offsets c and the link; architectures choose the
 * hidden rows. `_reference.py` states the same in NumPy; the tests hold one to the other.
 *
 * How it is blocked. Targets go in blocks of 8, so S is a run of (n_hidden, 8) tiles and a label,
 * weight or offset vector serves every row. Scores: a tile of TILE_H hidden rows by all targets of
 * the block keeps its partial sums in registers over the whole row, then one tree of shuffles adds
 * them. Update: per vector of the row, old and new targets stay in registers while the hidden rows
 * pass by, so that one pass does both products. */
#ifndef SKW2V_PRIMITIVE_H
#define SKW2V_PRIMITIVE_H

#include "engine.h"
#include "vec.h"

#include <math.h>

#define BLOCK_T 8 /* targets a block */

/* ---- scores ---------------------------------------------------------------------------------- */

/* acc[i][t]: the 16 partial sums of row i against target t. Stores their totals to s[8 * i + t]. */
#if LANES == 16

ALWAYS_INLINE vf add_halves(vf a, vf b) { /* [a0+a2 a1+a3 b0+b2 b1+b3] in 128-bit lanes */
    return _mm512_shuffle_f32x4(a, b, 0x44) + _mm512_shuffle_f32x4(a, b, 0xEE);
}
ALWAYS_INLINE vf add_quarters(vf a, vf b) { /* [a0+a1 a2+a3 b0+b1 b2+b3] */
    return _mm512_shuffle_f32x4(a, b, 0x88) + _mm512_shuffle_f32x4(a, b, 0xDD);
}
ALWAYS_INLINE vf add_in_lanes(vf a, vf b, const int last) {
    return last ? _mm512_shuffle_ps(a, b, 0x88) + _mm512_shuffle_ps(a, b, 0xDD)
                : _mm512_shuffle_ps(a, b, 0x44) + _mm512_shuffle_ps(a, b, 0xEE);
}
ALWAYS_INLINE void store_totals(const int n, vf acc[TILE_H][BLOCK_T][PER_BLOCK], float *s) {
    for (int i = 0; i < n; i += 2) { /* two rows at a time fill a register */
        vf(*a)[PER_BLOCK] = acc[i], (*b)[PER_BLOCK] = acc[i + 1 < n ? i + 1 : i];
        vf q[4];
        for (int t = 0; t < 4; t++) /* lanes: row i target t, row i+1 target t, then target t+4 */
            q[t] = add_quarters(add_halves(a[t][0], b[t][0]), add_halves(a[t + 4][0], b[t + 4][0]));
        vf totals = add_in_lanes(add_in_lanes(q[0], q[1], 0), add_in_lanes(q[2], q[3], 0), 1);
        vf_store(s + 8 * i, _mm512_shuffle_f32x4(totals, totals, 0xD8));
    }
}

#elif LANES == 8

ALWAYS_INLINE void store_totals(const int n, vf acc[TILE_H][BLOCK_T][PER_BLOCK], float *s) {
    for (int i = 0; i < n; i++) {
        vf q[4];
        for (int t = 0; t < 4; t++) {
            vf a = acc[i][t][0] + acc[i][t][1], b = acc[i][t + 4][0] + acc[i][t + 4][1];
            q[t] = _mm256_permute2f128_ps(a, b, 0x20) + _mm256_permute2f128_ps(a, b, 0x31);
        }
        vf low = _mm256_shuffle_ps(q[0], q[1], 0x44) + _mm256_shuffle_ps(q[0], q[1], 0xEE);
        vf high = _mm256_shuffle_ps(q[2], q[3], 0x44) + _mm256_shuffle_ps(q[2], q[3], 0xEE);
        vf_store(s + 8 * i,
                 _mm256_shuffle_ps(low, high, 0x88) + _mm256_shuffle_ps(low, high, 0xDD));
    }
}

#else

ALWAYS_INLINE void store_totals(const int n, vf acc[TILE_H][BLOCK_T][PER_BLOCK], float *s) {
    for (int i = 0; i < n; i++)
        for (int t = 0; t < BLOCK_T; t++) {
            vf a = (acc[i][t][0] + acc[i][t][2]) + (acc[i][t][1] + acc[i][t][3]);
            s[8 * i + t] = (a[0] + a[2]) + (a[1] + a[3]);
        }
}

#endif

ALWAYS_INLINE void score_tile(const int n_hidden, const int n_targets, float *const *hidden,
                              float *const *targets, int64_t stride, float *s) {
    vf acc[TILE_H][BLOCK_T][PER_BLOCK];
    for (int i = 0; i < n_hidden; i++)
        for (int t = 0; t < BLOCK_T; t++)
            for (int p = 0; p < PER_BLOCK; p++)
                acc[i][t][p] = vf_set1(0.0f);
    for (int64_t j = 0; j < stride; j += BLOCK)
        for (int p = 0; p < PER_BLOCK; p++) {
            vf h[TILE_H];
            for (int i = 0; i < n_hidden; i++)
                h[i] = vf_load(hidden[i] + j + p * LANES);
            for (int t = 0; t < n_targets; t++) {
                vf target = vf_load(targets[t] + j + p * LANES);
                for (int i = 0; i < n_hidden; i++)
                    acc[i][t][p] = vf_fma(h[i], target, acc[i][t][p]);
            }
        }
    store_totals(n_hidden, acc, s);
}

ALWAYS_INLINE void score_block(const int n_targets, int n_hidden, float *const *hidden,
                               float *const *targets, int64_t stride, float *s) {
    int i = 0;
    for (; i + TILE_H <= n_hidden; i += TILE_H)
        score_tile(TILE_H, n_targets, hidden + i, targets, stride, s + 8 * i);
#if TILE_H == 4
    if (n_hidden & 2) {
        score_tile(2, n_targets, hidden + i, targets, stride, s + 8 * i);
        i += 2;
    }
    if (n_hidden & 1)
        score_tile(1, n_targets, hidden + i, targets, stride, s + 8 * i);
#endif
}

/* ---- update ---------------------------------------------------------------------------------- */

/* to += G T, T += G' from, over `n_vectors` vectors of the rows at j. */
ALWAYS_INLINE void update_strip(const int n_targets, const int n_vectors, const int in_place,
                                int n_hidden, float *const *from, float *const *to,
                                float *const *targets, int64_t j, const float *g) {
    vf before[BLOCK_T][2], after[BLOCK_T][2];
    for (int t = 0; t < n_targets; t++)
        for (int v = 0; v < n_vectors; v++)
            before[t][v] = after[t][v] = vf_load(targets[t] + j + v * LANES);
    for (int i = 0; i < n_hidden; i++) {
        vf h[2], changed[2];
        for (int v = 0; v < n_vectors; v++) {
            h[v] = vf_load(from[i] + j + v * LANES);
            changed[v] = in_place ? h[v] : vf_load(to[i] + j + v * LANES);
        }
        for (int t = 0; t < n_targets; t++) {
            vf gradient = vf_set1(g[8 * i + t]);
            for (int v = 0; v < n_vectors; v++) {
                changed[v] = vf_fma(gradient, before[t][v], changed[v]);
                after[t][v] = vf_fma(gradient, h[v], after[t][v]);
            }
        }
        for (int v = 0; v < n_vectors; v++)
            vf_store(to[i] + j + v * LANES, changed[v]);
    }
    for (int t = 0; t < n_targets; t++)
        for (int v = 0; v < n_vectors; v++)
            vf_store(targets[t] + j + v * LANES, after[t][v]);
}

ALWAYS_INLINE void update_block(const int n_targets, const int in_place, int n_hidden,
                                float *const *from, float *const *to, float *const *targets,
                                int64_t stride, const float *g) {
    int64_t j = 0;
#if LANES == 16
    for (; j + 2 * LANES <= stride; j += 2 * LANES)
        update_strip(n_targets, 2, in_place, n_hidden, from, to, targets, j, g);
#endif
    for (; j < stride; j += LANES)
        update_strip(n_targets, 1, in_place, n_hidden, from, to, targets, j, g);
}

/* ---- links ----------------------------------------------------------------------------------- */

/* Moves what the lanes hold into the totals, in lane order. Plain C, in double: the same bits on
 * every instruction set. */
static void flush_loss(skw2v_loss *loss) {
    for (int later = 0; later < 2; later++)
        for (int lane = 0; lane < 16; lane++) {
            double sum =
                (double)loss->linear[later][lane] + log((double)loss->product[later][lane]);
            if (later == 0 && lane % BLOCK_T == 0)
                loss->first += sum;
            else
                loss->others += sum;
            loss->linear[later][lane] = 0.0f;
            loss->product[later][lane] = 1.0f;
        }
    loss->n_factors = 0;
}

/* G = rate * w * (y - sigmoid(S)) in place of S, and the loss sum w * (log(1 + exp(S)) - y * S).
 * log(1 + exp(S)) = max(S, 0) + log(1 + exp(-|S|)): the factors 1 + exp(-|S|) <= 2 are multiplied
 * up, a lane each, and their logarithm is taken once in a hundred.
 * Works on two rows of 8 at a time, the second one idle (weight 0) where n_hidden is odd. */
ALWAYS_INLINE void sigmoid_link(int n_hidden, float *s, const float *label, const float *weight,
                                const float *shift, int max_weight, float rate, int later,
                                skw2v_loss *loss) {
    const int n_pairs = (n_hidden + 1) / 2;
    if (loss->n_factors + n_pairs > 120)
        flush_loss(loss);
    loss->n_factors += n_pairs;
    if (n_hidden & 1) /* the idle row must be finite */
        memset(s + 8 * n_hidden, 0, 8 * sizeof(float));
    const vf zero = vf_set1(0.0f), one = vf_set1(1.0f);
    float factors[SKW2V_MAX_GROUP * BLOCK_T];
    for (int lane = 0; lane < 16; lane += LANES) {
        const int column = lane % 8; /* AVX-512 holds the columns twice, a narrower one a part */
        vf y, w, c;
#if LANES == 16
        y = (vf)_mm512_broadcast_f32x8(_mm256_loadu_ps(label));
        w = (vf)_mm512_broadcast_f32x8(_mm256_loadu_ps(weight));
        c = (vf)_mm512_broadcast_f32x8(_mm256_loadu_ps(shift));
        (void)column;
#else
        y = vf_load(label + column);
        w = vf_load(weight + column);
        c = vf_load(shift + column);
#endif
        vf linear = vf_load(loss->linear[later] + lane);
        vf product = vf_load(loss->product[later] + lane);
        for (int pair = 0; pair < n_pairs; pair++) {
            float *at = s + 16 * pair + lane;
            if (pair == n_pairs - 1 && (n_hidden & 1)) { /* the second row is not there */
#if LANES == 16
                w = (vf)_mm512_insertf32x8((__m512)w, _mm256_setzero_ps(), 1);
#else
                if (lane >= 8)
                    w = zero;
#endif
            }
            vf x = vf_load(at) + c;
            vi negative = (vi)(x < zero);
            vf e = vf_exp_nonpositive(vf_select(negative, x, -x));
            vf inverse = one / (one + e);
            vf p = vf_select(negative, e * inverse, inverse);
            vf_store(at, vf_set1(rate) * w * (y - p));
            linear = vf_fma(w, vf_relu(x) - y * x, linear);
            product = product * vf_select((vi)(w > zero), one + e, one);
            if (__builtin_expect(max_weight > 1, 0))
                vf_store(factors + 16 * pair + lane, one + e);
        }
        vf_store(loss->linear[later] + lane, linear);
        vf_store(loss->product[later] + lane, product);
    }
    if (__builtin_expect(max_weight > 1, 0)) /* rare: the rest of the weights, in row order */
        for (int i = 0; i < n_hidden; i++)
            for (int t = 0; t < BLOCK_T; t++)
                if (weight[t] > 1.0f) {
                    double *total = later || t > 0 ? &loss->others : &loss->first;
                    *total += (weight[t] - 1.0) * log((double)factors[8 * i + t]);
                }
}

/* G = rate * (y - softmax(S)) over all blocks, loss -sum y log softmax(S). Scalar and in double:
 * no training loop runs it yet. */
static void softmax_link(int n_hidden, int64_t tile, float *s, const skw2v_targets *targets,
                         float rate, skw2v_loss *loss) {
    const int64_t n_targets = targets->n;
    for (int i = 0; i < n_hidden; i++) {
#define SCORE(t) s[(t) / BLOCK_T * tile + 8 * i + (t) % BLOCK_T]
#define LOGIT(t)                                                                                   \
    ((double)SCORE(t) + (targets->bias ? (double)*targets->bias[t] : 0.0) -                        \
     (targets->offset ? (double)targets->offset[t] : 0.0))
        double highest = -INFINITY, sum = 0.0;
        for (int64_t t = 0; t < n_targets; t++)
            if (targets->weight[t] > 0.0f && LOGIT(t) > highest)
                highest = LOGIT(t);
        for (int64_t t = 0; t < n_targets; t++)
            sum += targets->weight[t] * exp(LOGIT(t) - highest);
        const double log_sum = highest + log(sum);
        for (int64_t t = 0; t < n_targets; t++) {
            double logit = LOGIT(t);
            double p = targets->weight[t] * exp(logit - log_sum);
            if (targets->label[t] > 0.0f)
                loss->first +=
                    targets->label[t] * (log_sum - logit - log((double)targets->weight[t]));
            SCORE(t) = (float)(rate * (targets->label[t] - p));
        }
#undef LOGIT
#undef SCORE
    }
}

/* ---- the step -------------------------------------------------------------------------------- */

#define FOR_TARGETS(n, CALL)                                                                       \
    switch (n) {                                                                                   \
    case 1:                                                                                        \
        CALL(1);                                                                                   \
        break;                                                                                     \
    case 2:                                                                                        \
        CALL(2);                                                                                   \
        break;                                                                                     \
    case 3:                                                                                        \
        CALL(3);                                                                                   \
        break;                                                                                     \
    case 4:                                                                                        \
        CALL(4);                                                                                   \
        break;                                                                                     \
    case 5:                                                                                        \
        CALL(5);                                                                                   \
        break;                                                                                     \
    case 6:                                                                                        \
        CALL(6);                                                                                   \
        break;                                                                                     \
    case 7:                                                                                        \
        CALL(7);                                                                                   \
        break;                                                                                     \
    default:                                                                                       \
        CALL(8);                                                                                   \
        break;                                                                                     \
    }

/* What the link adds to the scores of one block: b - c. Returns `zeros` where there is neither. */
ALWAYS_INLINE const float *block_shift(const skw2v_targets *targets, int64_t first, int n,
                                       float *room) {
    static const float zeros[BLOCK_T];
    if (targets->bias == NULL && targets->offset == NULL)
        return zeros;
    for (int t = 0; t < BLOCK_T; t++)
        room[t] = t < n ? (targets->bias ? *targets->bias[first + t] : 0.0f) -
                              (targets->offset ? targets->offset[first + t] : 0.0f)
                        : 0.0f;
    return room;
}

ALWAYS_INLINE void primitive_step(int n_hidden, float *const *from, float *const *to,
                                  const skw2v_targets *targets, int64_t stride, float rate,
                                  const int link, skw2v_loss *loss, float *scratch) {
    float *s = scratch; /* (n_blocks, n_hidden rounded up to even, 8) */
    const int64_t tile = 8 * (int64_t)(n_hidden + (n_hidden & 1));
    const int64_t n_blocks = (targets->n + BLOCK_T - 1) / BLOCK_T;
    float *copies[SKW2V_MAX_GROUP];
    float shift[BLOCK_T];

    for (int64_t block = 0; block < n_blocks; block++) {
        const int64_t first = block * BLOCK_T;
        const int n = targets->n - first < BLOCK_T ? (int)(targets->n - first) : BLOCK_T;
        float *tile_s = s + tile * block;
#define CALL(N) score_block(N, n_hidden, from, targets->rows + first, stride, tile_s)
        FOR_TARGETS(n, CALL)
#undef CALL
        if (link == SKW2V_LINK_SIGMOID)
            sigmoid_link(n_hidden, tile_s, targets->label + first, targets->weight + first,
                         block_shift(targets, first, n, shift), targets->max_weight, rate,
                         block > 0, loss);
    }
    if (link == SKW2V_LINK_SOFTMAX)
        softmax_link(n_hidden, tile, s, targets, rate, loss);

    int in_place = from == to;
    if (in_place && n_blocks > 1) { /* a later block must still see the rows as they were */
        float *copy = s + tile * n_blocks;
        for (int i = 0; i < n_hidden; i++, copy += stride)
            copies[i] = memcpy(copy, from[i], (size_t)stride * sizeof(float));
        from = copies;
        in_place = 0;
    }
    for (int64_t block = 0; block < n_blocks; block++) {
        const int64_t first = block * BLOCK_T;
        const int n = targets->n - first < BLOCK_T ? (int)(targets->n - first) : BLOCK_T;
        const float *g = s + tile * block;
        if (in_place) {
#define CALL(N) update_block(N, 1, n_hidden, from, to, targets->rows + first, stride, g)
            FOR_TARGETS(n, CALL)
#undef CALL
        } else {
#define CALL(N) update_block(N, 0, n_hidden, from, to, targets->rows + first, stride, g)
            FOR_TARGETS(n, CALL)
#undef CALL
        }
        if (targets->bias != NULL)
            for (int t = 0; t < n; t++)
                for (int i = 0; i < n_hidden; i++)
                    *targets->bias[first + t] += g[8 * i + t];
    }
}

#endif
