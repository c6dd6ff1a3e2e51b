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

/* Sums over components are in eight lanes whatever the instruction set. */
static inline double sum_of_lanes(const double lanes[8]) {
    double sum = 0.0;
    for (int lane = 0; lane < 8; lane++)
        sum += lanes[lane];
    return sum;
}

static inline double square_length(const double *x, int64_t n) {
    double lanes[8] = {0.0};
    int64_t j = 0;
    for (; j + 8 <= n; j += 8)
        for (int lane = 0; lane < 8; lane++)
            lanes[lane] += x[j + lane] * x[j + lane];
    for (; j < n; j++)
        lanes[j % 8] += x[j] * x[j];
    return sum_of_lanes(lanes);
}

/* Between x, scaled, and y. */
static inline double square_distance(const float *x, double scale, const float *y, int64_t n) {
    double lanes[8] = {0.0};
    int64_t j = 0;
    for (; j + 8 <= n; j += 8)
        for (int lane = 0; lane < 8; lane++) {
            const double difference = scale * x[j + lane] - y[j + lane];
            lanes[lane] += difference * difference;
        }
    for (; j < n; j++) {
        const double difference = scale * x[j] - y[j];
        lanes[j % 8] += difference * difference;
    }
    return sum_of_lanes(lanes);
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

static double *sum_of_cluster(const skw2v_pooling *pooling, const skw2v_cluster_room *room,
                              int32_t cluster) {
    double *sum = room->sums + cluster * pooling->n_components;
    if (!room->has[cluster]) {
        memset(sum, 0, pooling->n_components * sizeof *sum);
        room->totals[cluster] = 0.0;
        room->has[cluster] = 1;
    }
    return sum;
}

static inline double often(const skw2v_pooling *pooling, int32_t times) {
    return pooling->times_weights ? pooling->times_weights[times - 1] : times;
}

/* Adds what a word brings that occurs `times` times to the sums of its clusters. */
static void add_to_clusters(const skw2v_pooling *pooling, int32_t word, int32_t times,
                            const skw2v_cluster_room *room) {
    const int64_t d = pooling->n_components, end = pooling->word_offsets[word + 1];
    const float *row = pooling->vectors + word * d;
    const double scale = pooling->scales ? pooling->scales[word] : 1.0;
    for (int64_t e = pooling->word_offsets[word]; e < end; e++) {
        const int32_t cluster = pooling->clusters[e];
        const double weight = often(pooling, times) * pooling->weights[e], of_row = weight * scale;
        double *sum = sum_of_cluster(pooling, room, cluster);
        room->totals[cluster] += weight;
        add_scaled(sum, &row, &of_row, 1, d);
    }
}

/* Adds a vector to a sum, its components shifted by one place, the last (or first) one around. */
static void add_shifted(double *sum, const float *row, double weight, int forwards, int64_t d) {
    const float *from = forwards ? row : row + 1;
    add_scaled(sum + forwards, &from, &weight, 1, d - 1);
    sum[forwards ? 0 : d - 1] += weight * row[forwards ? d - 1 : 0];
}

/* Adds the token's neighbors to the sums of its own clusters: the one before it shifted forwards,
 * the one after it backwards, so that the sum tells them from each other and from the token. All
 * tokens of a word together weigh what the word does. */
static void add_neighbors(const skw2v_pooling *pooling, const int32_t *ids, int64_t n, int64_t i,
                          const skw2v_cluster_room *room) {
    const int64_t d = pooling->n_components, end = pooling->word_offsets[ids[i] + 1];
    const int32_t times = room->occurrences[ids[i]];
    const double share = pooling->neighbor_share * often(pooling, times) / times;
    for (int64_t e = pooling->word_offsets[ids[i]]; e < end; e++)
        for (int64_t other = i - 1; other <= i + 1; other += 2)
            if (other >= 0 && other < n) {
                const double scale = pooling->scales ? pooling->scales[ids[other]] : 1.0;
                add_shifted(sum_of_cluster(pooling, room, pooling->clusters[e]),
                            pooling->vectors + ids[other] * d, share * pooling->weights[e] * scale,
                            other < i, d);
            }
}

/* One sum for each cluster, side by side and scaled to length 1, as the columns and values of what
 * is at least `threshold` away from zero; returns how many. Only clusters that the document has are
 * touched, and each word is added once, where it occurs first.
 * columns, values: room for n_clusters * n_components. */
static int64_t pool_clusters(const skw2v_pooling *pooling, const int32_t *ids, int64_t n,
                             const skw2v_cluster_room *room, int32_t *columns, float *values) {
    const int64_t d = pooling->n_components;
    memset(room->has, 0, pooling->n_clusters);
    for (int64_t i = 0; i < n; i++)
        room->occurrences[ids[i]]++;
    for (int64_t i = 0; pooling->neighbor_share != 0.0 && i < n; i++)
        add_neighbors(pooling, ids, n, i, room);
    for (int64_t i = 0; i < n; i++) {
        const int32_t times = room->occurrences[ids[i]];
        if (times > 0)
            add_to_clusters(pooling, ids[i], times, room);
        room->occurrences[ids[i]] = 0;
    }
    double square = 0.0;
    for (int32_t k = 0; k < pooling->n_clusters; k++)
        if (room->has[k]) {
            if (pooling->centers) {
                const float *center = pooling->centers + k * d;
                const double taken = -pooling->center_share * room->totals[k];
                add_scaled(room->sums + k * d, &center, &taken, 1, d);
            }
            square += square_length(room->sums + k * d, d);
        }
    if (square == 0.0)
        return 0;
    const double scale = 1.0 / sqrt(square);
    int64_t n_kept = 0;
    for (int32_t k = 0; k < pooling->n_clusters; k++)
        for (int64_t j = 0; room->has[k] && j < d; j++) {
            /* Written in any case, and overwritten if not kept: no branch can foresee which. */
            const float value = (float)(room->sums[k * d + j] * scale);
            columns[n_kept] = (int32_t)(k * d + j);
            values[n_kept] = value;
            n_kept += (value != 0.0f) & (fabs((double)value) >= pooling->threshold);
        }
    return n_kept;
}

/* Which center is nearest to the vector once it is scaled to length 1, the first of equals; -1 if
 * it is zero. */
static int32_t nearest_center(const float *vector, const float *centers, int32_t n_centers,
                              int64_t d, double *length) {
    double square = 0.0, least = INFINITY;
    for (int64_t j = 0; j < d; j++)
        square += (double)vector[j] * vector[j];
    *length = sqrt(square);
    int32_t nearest = -1;
    for (int32_t k = 0; k < n_centers && square > 0.0; k++) {
        const double distance = square_distance(vector, 1.0 / *length, centers + k * d, d);
        nearest = distance < least ? k : nearest;
        least = distance < least ? distance : least;
    }
    return nearest;
}

#endif
