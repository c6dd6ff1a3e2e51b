/* A document's row from its tokens' vectors. Sums are in double and in the order of the tokens, one
 * component at a time, so that a document of any length keeps its precision and every instruction
 * set gives the same bits. */
#ifndef SKW2V_POOLING_H
#define SKW2V_POOLING_H

#include "engine.h"

#include <math.h>
#include <string.h>

/* Tokens that are added before a sum is stored. Four take two thirds of the time of one by one. */
enum { TOKENS_AT_ONCE = 4 };

static inline void add_scaled(double *restrict sum, const float *const *rows, const double *weights,
                              int n_rows, int64_t d) {
    for (int64_t j = 0; j < d; j++) {
        double at = sum[j];
        for (int r = 0; r < n_rows; r++)
            at += weights[r] * rows[r][j];
        sum[j] = at;
    }
}

/* The sum of squares, in eight lanes whatever the instruction set. */
static inline double square_length(const double *x, int64_t n) {
    double lanes[8] = {0.0}, sum = 0.0;
    int64_t j = 0;
    for (; j + 8 <= n; j += 8)
        for (int lane = 0; lane < 8; lane++)
            lanes[lane] += x[j + lane] * x[j + lane];
    for (; j < n; j++)
        lanes[j % 8] += x[j] * x[j];
    for (int lane = 0; lane < 8; lane++)
        sum += lanes[lane];
    return sum;
}

static void pool_extremes(const skw2v_pooling *pooling, const int32_t *ids, int64_t n, float *out) {
    const int64_t d = pooling->n_components;
    memcpy(out, pooling->vectors + ids[0] * d, d * sizeof *out);
    for (int64_t i = 1; i < n; i++) {
        const float *row = pooling->vectors + ids[i] * d;
        if (pooling->kind == SKW2V_POOL_MAX)
            for (int64_t j = 0; j < d; j++)
                out[j] = row[j] > out[j] ? row[j] : out[j];
        else
            for (int64_t j = 0; j < d; j++)
                out[j] = row[j] < out[j] ? row[j] : out[j];
    }
}

/* sum: n_components doubles of scratch */
static void pool_document(const skw2v_pooling *pooling, const int32_t *ids, int64_t n, double *sum,
                          float *out) {
    const int64_t d = pooling->n_components;
    if (n == 0) {
        memset(out, 0, d * sizeof *out);
        return;
    }
    if (pooling->kind == SKW2V_POOL_MAX || pooling->kind == SKW2V_POOL_MIN) {
        pool_extremes(pooling, ids, n, out);
        return;
    }
    double total = 0.0;
    memset(sum, 0, d * sizeof *sum);
    for (int64_t i = 0; i < n; i += TOKENS_AT_ONCE) {
        const int n_tokens = n - i < TOKENS_AT_ONCE ? (int)(n - i) : TOKENS_AT_ONCE;
        const float *rows[TOKENS_AT_ONCE];
        double weights[TOKENS_AT_ONCE];
        for (int t = 0; t < n_tokens; t++) {
            rows[t] = pooling->vectors + ids[i + t] * d;
            weights[t] = pooling->weights ? pooling->weights[ids[i + t]] : 1.0;
            total += weights[t];
        }
        if (n_tokens == TOKENS_AT_ONCE)
            add_scaled(sum, rows, weights, TOKENS_AT_ONCE, d);
        else
            add_scaled(sum, rows, weights, n_tokens, d);
    }
    const double divisor = pooling->kind == SKW2V_POOL_MEAN            ? (double)n
                           : pooling->kind == SKW2V_POOL_WEIGHTED_MEAN ? total
                                                                       : 1.0;
    for (int64_t j = 0; j < d; j++)
        sum[j] /= divisor;
    double along = 0.0;
    for (int64_t j = 0; pooling->removed && j < d; j++)
        along += sum[j] * pooling->removed[j];
    for (int64_t j = 0; j < d; j++)
        out[j] = (float)(pooling->removed ? sum[j] - along * pooling->removed[j] : sum[j]);
}

/* One sum for each cluster, side by side and scaled to length 1, as the columns and values of what
 * is at least `threshold` away from zero; returns how many. Only clusters that the document has are
 * touched. sums: n_clusters * n_components doubles, has: n_clusters bytes of scratch;
 * columns, values: room for n_clusters * n_components. */
static int64_t pool_clusters(const skw2v_pooling *pooling, const int32_t *ids, int64_t n,
                             double *sums, uint8_t *has, int32_t *columns, float *values) {
    const int64_t d = pooling->n_components;
    memset(has, 0, pooling->n_clusters);
    for (int64_t i = 0; i < n; i++) {
        const float *row = pooling->vectors + ids[i] * d;
        const int64_t end = pooling->word_offsets[ids[i] + 1];
        for (int64_t e = pooling->word_offsets[ids[i]]; e < end; e++) {
            const int32_t cluster = pooling->clusters[e];
            if (!has[cluster])
                memset(sums + cluster * d, 0, d * sizeof *sums);
            has[cluster] = 1;
            add_scaled(sums + cluster * d, &row, &pooling->weights[e], 1, d);
        }
    }
    double square = 0.0;
    for (int32_t k = 0; k < pooling->n_clusters; k++)
        square += has[k] ? square_length(sums + k * d, d) : 0.0;
    if (square == 0.0)
        return 0;
    const double scale = 1.0 / sqrt(square);
    int64_t n_kept = 0;
    for (int32_t k = 0; k < pooling->n_clusters; k++)
        for (int64_t j = 0; has[k] && j < d; j++) {
            /* Written in any case, and overwritten if not kept: no branch can foresee which. */
            const float value = (float)(sums[k * d + j] * scale);
            columns[n_kept] = (int32_t)(k * d + j);
            values[n_kept] = value;
            n_kept += (value != 0.0f) & (fabs((double)value) >= pooling->threshold);
        }
    return n_kept;
}

#endif
