/* A document's row from its tokens' vectors. Sums are in double and in the order of the tokens, one
 * component at a time, so that a document of any length keeps its precision and every instruction
 * set gives the same bits. */
#ifndef SKW2V_POOLING_H
#define SKW2V_POOLING_H

#include "engine.h"

#include <math.h>
#include <string.h>

static inline void add_scaled(double *sum, const float *row, int64_t d, double weight) {
    for (int64_t j = 0; j < d; j++)
        sum[j] += weight * row[j];
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
    for (int64_t i = 0; i < n; i++) {
        const double weight = pooling->weights ? pooling->weights[ids[i]] : 1.0;
        total += weight;
        add_scaled(sum, pooling->vectors + ids[i] * d, d, weight);
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
    for (int64_t i = 0; i < n; i++)
        for (int64_t e = pooling->word_offsets[ids[i]]; e < pooling->word_offsets[ids[i] + 1];
             e++) {
            const int32_t cluster = pooling->clusters[e];
            double *sum = sums + cluster * d;
            if (!has[cluster])
                memset(sum, 0, d * sizeof *sum);
            has[cluster] = 1;
            add_scaled(sum, pooling->vectors + ids[i] * d, d, pooling->weights[e]);
        }
    double square = 0.0;
    for (int64_t k = 0; k < pooling->n_clusters; k++)
        for (int64_t j = 0; has[k] && j < d; j++)
            square += sums[k * d + j] * sums[k * d + j];
    if (square == 0.0)
        return 0;
    const double length = sqrt(square);
    int64_t n_kept = 0;
    for (int64_t k = 0; k < pooling->n_clusters; k++)
        for (int64_t j = 0; has[k] && j < d; j++) {
            const float value = (float)(sums[k * d + j] / length);
            if (value != 0.0f && fabs((double)value) >= pooling->threshold) {
                columns[n_kept] = (int32_t)(k * d + j);
                values[n_kept++] = value;
            }
        }
    return n_kept;
}

#endif
