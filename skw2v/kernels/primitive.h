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
 * weight or offset vector serves every row. Scores: a tile of up to TILE_H hidden rows by all
 * targets of the block keeps its partial sums in registers over the whole row, then one tree of
 * shuffles adds them. Update: per vector of the row, old and new targets stay in registers while
 * the hidden rows pass by, so that one pass does both products.
 *
 * Where do the biases b go? A bias is the weight of a hidden unit that is always 1. It lies in the
 * first padding column of its target row, hidden rows have a 1 there, and the products above train
 * it with the rest; after the step the 1 is put back. */
#ifndef SKW2V_PRIMITIVE_H
#define SKW2V_PRIMITIVE_H

#include "engine.h"
#include "vec.h"

#include <math.h>

#define BLOCK_T 8 /* targets a block */

/* ---- scores ---------------------------------------------------------------------------------- */

/* acc[i][t]: the 16 partial sums of row i against target t. Stores their totals to s[8 * i + t];
 * for an odd n, something to the row after the last. */
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
    /* All partial sums in registers, of which AVX-512 has 32. */
    const int height = TILE_H == 4 && n_targets > 6 ? 3 : TILE_H;
    int i = 0;
    for (; i + height <= n_hidden; i += height)
        score_tile(height, n_targets, hidden + i, targets, stride, s + 8 * i);
#if TILE_H == 4
    if (n_hidden - i >= 2) {
        score_tile(2, n_targets, hidden + i, targets, stride, s + 8 * i);
        i += 2;
    }
    if (n_hidden > i)
        score_tile(1, n_targets, hidden + i, targets, stride, s + 8 * i);
#endif
}

/* ---- update ---------------------------------------------------------------------------------- */

/* Where an update's change of the hidden rows goes. With more than one block, it gathers apart: a
 * later block must still see the rows as they were, and the many small terms of a large softmax
 * would each be rounded against a row's own size. The first block opens the gathering, the last one
 * closes it, so that neither clearing nor adding takes a pass of its own. */
enum {
    UPDATE_IN_PLACE, /* from += G T: the only block */
    UPDATE_OPEN,     /* to = G T */
    UPDATE_ADD,      /* to += G T */
    UPDATE_CLOSE,    /* from += to + G T */
    UPDATE_TARGETS,  /* from stays: it is data; `to` is not used */
};

/* T += G' from, and the hidden rows' change by `mode`, over `n_vectors` vectors of the rows at j.
 */
ALWAYS_INLINE void update_strip(const int n_targets, const int n_vectors, const int mode,
                                int n_hidden, float *const *from, float *const *to,
                                float *const *targets, int64_t j, const float *g) {
    vf before[BLOCK_T][2], after[BLOCK_T][2];
    for (int t = 0; t < n_targets; t++)
        for (int v = 0; v < n_vectors; v++)
            before[t][v] = after[t][v] = vf_load(targets[t] + j + v * LANES);
    for (int64_t i = 0; i < n_hidden; i++, g += 8) {
        vf h[2], changed[2];
        for (int v = 0; v < n_vectors; v++) {
            h[v] = vf_load(from[i] + j + v * LANES);
            if (mode == UPDATE_TARGETS)
                continue;
            changed[v] = mode == UPDATE_IN_PLACE ? h[v]
                         : mode == UPDATE_OPEN   ? vf_set1(0.0f)
                                                 : vf_load(to[i] + j + v * LANES);
        }
        for (int t = 0; t < n_targets; t++) {
            vf gradient = vf_set1(g[t]);
            for (int v = 0; v < n_vectors; v++) {
                if (mode != UPDATE_TARGETS)
                    changed[v] = vf_fma(gradient, before[t][v], changed[v]);
                after[t][v] = vf_fma(gradient, h[v], after[t][v]);
            }
        }
        if (mode == UPDATE_TARGETS)
            continue;
        float *row = mode == UPDATE_IN_PLACE || mode == UPDATE_CLOSE ? from[i] : to[i];
        for (int v = 0; v < n_vectors; v++) {
            if (mode == UPDATE_CLOSE)
                changed[v] = h[v] + changed[v];
            vf_store(row + j + v * LANES, changed[v]);
        }
    }
    for (int t = 0; t < n_targets; t++)
        for (int v = 0; v < n_vectors; v++)
            vf_store(targets[t] + j + v * LANES, after[t][v]);
}

ALWAYS_INLINE void update_block(const int n_targets, const int mode, int n_hidden,
                                float *const *from, float *const *to, float *const *targets,
                                int64_t stride, const float *g) {
    int64_t j = 0;
#if LANES == 16
    for (; n_targets <= 6 && j + 2 * LANES <= stride; j += 2 * LANES)
        update_strip(n_targets, 2, mode, n_hidden, from, to, targets, j, g);
#endif
    for (; j < stride; j += LANES)
        update_strip(n_targets, 1, mode, n_hidden, from, to, targets, j, g);
}

/* ---- links ----------------------------------------------------------------------------------- */

/* These move what the lanes hold into the totals, in lane order. Plain C, in double: the same bits
 * on every instruction set. */
static void flush_sigmoid_loss(skw2v_loss *loss) {
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

static void flush_softmax_loss(skw2v_loss *loss) {
    for (int lane = 0; lane < 16; lane += BLOCK_T) {
        loss->others += (double)loss->shortfall[lane] + log((double)loss->partition[lane]);
        loss->shortfall[lane] = 0.0f;
        loss->partition[lane] = 1.0f;
    }
    loss->partition_bits = 0;
}

static void flush_loss(skw2v_loss *loss) {
    flush_sigmoid_loss(loss);
    flush_softmax_loss(loss);
}

/* G = rate * w * (y - sigmoid(S)) in place of S, and the loss sum w * (log(1 + exp(S)) - y * S).
 * log(1 + exp(S)) = max(S, 0) + log(1 + exp(-|S|)): the factors 1 + exp(-|S|) <= 2 are multiplied
 * up, a lane each, and their logarithm is taken once in a hundred.
 * Works on two rows of 8 at a time, the second one idle (weight 0) where n_hidden is odd. */
ALWAYS_INLINE void sigmoid_link(int n_hidden, float *s, const float *label, const float *weight,
                                const float *offset, int max_weight, float rate, int later,
                                skw2v_loss *loss) {
    const int n_pairs = (n_hidden + 1) / 2;
    if (loss->n_factors + n_pairs > 120)
        flush_sigmoid_loss(loss);
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
        c = offset ? (vf)_mm512_broadcast_f32x8(_mm256_loadu_ps(offset)) : zero;
        (void)column;
#else
        y = vf_load(label + column);
        w = vf_load(weight + column);
        c = offset ? vf_load(offset + column) : zero;
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
            vf x = vf_load(at) - c;
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

/* S of two rows of a block, and label-like vectors that serve both. */
ALWAYS_INLINE vf_runs load_runs(const float *at) {
    vf_runs runs;
    for (int p = 0; p < PER_BLOCK; p++)
        runs.part[p] = vf_load(at + p * LANES);
    return runs;
}
ALWAYS_INLINE vf_runs load_twice(const float *at) {
    vf_runs runs;
#if LANES == 16
    runs.part[0] = (vf)_mm512_broadcast_f32x8(_mm256_loadu_ps(at));
#else
    for (int p = 0; p < PER_BLOCK; p++)
        runs.part[p] = vf_load(at + p * LANES % 8);
#endif
    return runs;
}

/* Over all blocks, of two rows whose scores begin at `at`: S - c, with the lowest float for
 * padding, in place of S. Returns the maximum of each row. */
ALWAYS_INLINE vf_runs shift_and_find_highest(float *at, int lone, int64_t n_blocks, int64_t tile,
                                             const float *weight, const float *offset) {
    const vf zero = vf_set1(0.0f), lowest = vf_set1(-3.0e38f);
    vf_runs high;
    for (int p = 0; p < PER_BLOCK; p++)
        high.part[p] = lowest;
    for (int64_t block = 0; block < n_blocks; block++, at += tile) {
        if (lone) /* the second row is not there; it must be finite */
            memset(at + 8, 0, 8 * sizeof(float));
        vf_runs x = load_runs(at), w = load_twice(weight + block * BLOCK_T);
        if (offset) {
            vf_runs c = load_twice(offset + block * BLOCK_T);
            for (int p = 0; p < PER_BLOCK; p++)
                x.part[p] = x.part[p] - c.part[p];
        }
        for (int p = 0; p < PER_BLOCK; p++) {
            x.part[p] = vf_select((vi)(w.part[p] > zero), x.part[p], lowest);
            high.part[p] = vf_max(high.part[p], x.part[p]);
            vf_store(at + p * LANES, x.part[p]);
        }
    }
    return fold_runs(high, RUNS_MAX);
}

/* w * exp(S - high) in place of S; returns the sum of each row. */
ALWAYS_INLINE vf_runs exponentiate_and_sum(float *at, int64_t n_blocks, int64_t tile,
                                           const float *weight, vf_runs high) {
    const int64_t blocks_a_sum = 64; /* sums of sums lose less to rounding */
    vf_runs sum;
    for (int p = 0; p < PER_BLOCK; p++)
        sum.part[p] = vf_set1(0.0f);
    for (int64_t first = 0; first < n_blocks; first += blocks_a_sum) {
        vf_runs part;
        for (int p = 0; p < PER_BLOCK; p++)
            part.part[p] = vf_set1(0.0f);
        for (int64_t block = first; block < n_blocks && block < first + blocks_a_sum; block++) {
            vf_runs x = load_runs(at + tile * block), w = load_twice(weight + block * BLOCK_T);
            for (int p = 0; p < PER_BLOCK; p++) {
                vf e = w.part[p] * vf_exp_nonpositive(x.part[p] - high.part[p]);
                part.part[p] = part.part[p] + e;
                vf_store(at + tile * block + p * LANES, e);
            }
        }
        for (int p = 0; p < PER_BLOCK; p++)
            sum.part[p] = sum.part[p] + part.part[p];
    }
    return fold_runs(sum, RUNS_SUM);
}

ALWAYS_INLINE void store_runs(float *at, vf_runs runs) {
    for (int p = 0; p < PER_BLOCK; p++)
        vf_store(at + p * LANES, runs.part[p]);
}

/* G = rate * (y - n * softmax(S)) over all blocks, in place of S, for a row with n true targets,
 * and the loss n * log(Z) - sum of S[true]. With weights, Z = sum w * exp(S): a target of weight w
 * stands for w of them, of which one may be true. Two rows at a time, the second idle where they
 * end. */
ALWAYS_INLINE void softmax_link(int n_hidden, int64_t tile, float *s, const skw2v_targets *targets,
                                float rate, skw2v_loss *loss) {
    static const int32_t first = 0, one[2] = {0, 1};
    const int64_t n_blocks = (targets->n + BLOCK_T - 1) / BLOCK_T;
    for (int i = 0; i < n_hidden; i += 2) {
        float *at = s + 8 * i, highest[16], partition[16], n_true[16];
        const int n_rows = i + 1 == n_hidden ? 1 : 2;
        vf_runs high = shift_and_find_highest(at, n_rows == 1, n_blocks, tile, targets->weight,
                                              targets->offset);
        store_runs(highest, high);
        const int32_t *lists[2], *of[2] = {one, one};
        for (int row = 0; row < n_rows; row++) {
            of[row] = targets->true_of ? targets->true_of + i + row : one;
            lists[row] = targets->true_of ? targets->true_targets : &first;
            for (int32_t t = of[row][0]; t < of[row][1]; t++) {
                const int64_t target = lists[row][t];
                loss->others += (double)highest[8 * row] -
                                (double)at[tile * (target / BLOCK_T) + 8 * row + target % BLOCK_T];
            }
        }
        for (int lane = 0; lane < 16; lane++)
            n_true[lane] = (float)(of[lane / 8][1] - of[lane / 8][0]);
        vf_runs sum = exponentiate_and_sum(at, n_blocks, tile, targets->weight, high), scale;
        store_runs(partition, sum);
        for (int p = 0; p < PER_BLOCK; p++)
            scale.part[p] = vf_set1(-rate) * vf_load(n_true + p * LANES) / sum.part[p];
        for (int64_t block = 0; block < n_blocks; block++)
            for (int p = 0; p < PER_BLOCK; p++) {
                float *e = at + tile * block + p * LANES;
                vf_store(e, scale.part[p] * vf_load(e));
            }
        for (int row = 0; row < n_rows; row++) {
            loss->others += (double)n_true[8 * row] * log((double)partition[8 * row]);
            for (int32_t t = of[row][0]; t < of[row][1]; t++) {
                const int64_t target = lists[row][t];
                at[tile * (target / BLOCK_T) + 8 * row + target % BLOCK_T] += rate;
            }
        }
    }
}

/* The same for a single block whose first target is the true one of every row: all of it stays in
 * registers, and the logarithms of Z wait, multiplied up. Weights must not be above 1. */
ALWAYS_INLINE void small_softmax_link(int n_hidden, float *s, const skw2v_targets *targets,
                                      float rate, skw2v_loss *loss) {
    const int bits = 3; /* of Z <= 8: every weight is 1 */
    const vf zero = vf_set1(0.0f), one = vf_set1(1.0f), lowest = vf_set1(-3.0e38f);
    static const float first_of_eight[16] = {1.0f, 0, 0, 0, 0, 0, 0, 0, 1.0f};
    static const float first_of_sixteen[16] = {1.0f};
    const vf_runs w = load_twice(targets->weight);
    const int n_pairs = (n_hidden + 1) / 2;
    if (loss->partition_bits + n_pairs * bits > 120)
        flush_softmax_loss(loss);
    loss->partition_bits += n_pairs * bits;
    if (n_hidden & 1) /* the idle row must be finite */
        memset(s + 8 * n_hidden, 0, 8 * sizeof(float));
    vf_runs shortfall = load_runs(loss->shortfall), partition = load_runs(loss->partition), c;
    for (int p = 0; p < PER_BLOCK; p++)
        c.part[p] = zero;
    if (targets->offset)
        c = load_twice(targets->offset);
    for (int i = 0; i < n_hidden; i += 2, s += 16) {
        const vf_runs y = load_runs(i + 1 == n_hidden ? first_of_sixteen : first_of_eight);
        vf_runs x = load_runs(s), high, e, sum;
        for (int p = 0; p < PER_BLOCK; p++)
            x.part[p] = vf_select((vi)(w.part[p] > zero), x.part[p] - c.part[p], lowest);
        high = fold_runs(x, RUNS_MAX);
        for (int p = 0; p < PER_BLOCK; p++)
            e.part[p] = w.part[p] * vf_exp_nonpositive(x.part[p] - high.part[p]);
        sum = fold_runs(e, RUNS_SUM);
        for (int p = 0; p < PER_BLOCK; p++) {
            const vf_runs label = load_runs(first_of_eight);
            vf share = e.part[p] * (one / sum.part[p]);
            vi is_true = (vi)(y.part[p] > zero);
            vf_store(s + p * LANES, vf_set1(rate) * (label.part[p] - share));
            shortfall.part[p] =
                shortfall.part[p] + vf_select(is_true, high.part[p] - x.part[p], zero);
            partition.part[p] = partition.part[p] * vf_select(is_true, sum.part[p], one);
        }
    }
    store_runs(loss->shortfall, shortfall);
    store_runs(loss->partition, partition);
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

ALWAYS_INLINE void primitive_step(int n_hidden, float *const *from, float *const *to,
                                  const skw2v_targets *targets, int64_t stride, float rate,
                                  const int link, skw2v_loss *loss, float *scratch) {
    float *s = scratch; /* (n_blocks, n_hidden rounded up to even, 8) */
    const int64_t tile = 8 * (int64_t)(n_hidden + (n_hidden & 1));
    const int64_t n_blocks = (targets->n + BLOCK_T - 1) / BLOCK_T;
    float *changes[SKW2V_MAX_GROUP];
    const int bias_column = targets->bias_column;

    for (int64_t block = 0; block < n_blocks; block++) {
        const int64_t first = block * BLOCK_T;
        const int n = targets->n - first < BLOCK_T ? (int)(targets->n - first) : BLOCK_T;
        float *tile_s = s + tile * block;
#define CALL(N) score_block(N, n_hidden, from, targets->rows + first, stride, tile_s)
        FOR_TARGETS(n, CALL)
#undef CALL
        if (link == SKW2V_LINK_SIGMOID)
            sigmoid_link(n_hidden, tile_s, targets->label + first, targets->weight + first,
                         targets->offset ? targets->offset + first : NULL, targets->max_weight,
                         rate, block > 0, loss);
    }
    if (link == SKW2V_LINK_SOFTMAX && n_blocks == 1 && targets->true_of == NULL &&
        targets->max_weight == 1)
        small_softmax_link(n_hidden, s, targets, rate, loss);
    else if (link == SKW2V_LINK_SOFTMAX)
        softmax_link(n_hidden, tile, s, targets, rate, loss);

    const int in_place = from == to, gather = in_place && n_blocks > 1;
    if (gather) {
        float *change = s + tile * n_blocks + 8; /* the last score tile may write a row too many */
        for (int i = 0; i < n_hidden; i++)
            changes[i] = change + i * stride;
    }
    for (int64_t block = 0; block < n_blocks; block++) {
        const int64_t first = block * BLOCK_T;
        const int n = targets->n - first < BLOCK_T ? (int)(targets->n - first) : BLOCK_T;
        float *const *rows = targets->rows + first;
        const float *g = s + tile * block;
        if (!in_place) {
#define CALL(N) update_block(N, UPDATE_ADD, n_hidden, from, to, rows, stride, g)
            FOR_TARGETS(n, CALL)
#undef CALL
        } else if (!gather) {
#define CALL(N) update_block(N, UPDATE_IN_PLACE, n_hidden, from, from, rows, stride, g)
            FOR_TARGETS(n, CALL)
#undef CALL
        } else if (block == 0) {
            update_block(BLOCK_T, UPDATE_OPEN, n_hidden, from, changes, rows, stride, g);
        } else if (block < n_blocks - 1) {
            update_block(BLOCK_T, UPDATE_ADD, n_hidden, from, changes, rows, stride, g);
        } else {
#define CALL(N) update_block(N, UPDATE_CLOSE, n_hidden, from, changes, rows, stride, g)
            FOR_TARGETS(n, CALL)
#undef CALL
        }
    }
    if (bias_column >= 0)
        for (int i = 0; i < n_hidden; i++)
            to[i][bias_column] = in_place ? 1.0f : 0.0f;
}

/* One for each link, shared by the architectures. */
static void sigmoid_step(int n_hidden, float *const *from, float *const *to,
                         const skw2v_targets *targets, int64_t stride, float rate, skw2v_loss *loss,
                         float *scratch) {
    primitive_step(n_hidden, from, to, targets, stride, rate, SKW2V_LINK_SIGMOID, loss, scratch);
}

static void softmax_step(int n_hidden, float *const *from, float *const *to,
                         const skw2v_targets *targets, int64_t stride, float rate, skw2v_loss *loss,
                         float *scratch) {
    primitive_step(n_hidden, from, to, targets, stride, rate, SKW2V_LINK_SOFTMAX, loss, scratch);
}

typedef void (*skw2v_step)(int, float *const *, float *const *, const skw2v_targets *, int64_t,
                           float, skw2v_loss *, float *);

#endif
