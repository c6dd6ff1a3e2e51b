#include "race_body.h"
#include "made_up.h"
#include "race_memory.h"
#include "rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of small numbers, all of them different. */
static float *make_rows(int64_t n, int64_t stride, uint64_t purpose) {
    const uint64_t key = skw2v_stream_key(3, purpose, 0);
    float *rows = aligned_room((size_t)(n * stride) * sizeof(float));
    for (int64_t i = 0; i < n * stride; i++)
        rows[i] = centered_number(skw2v_random_bits(key, (uint64_t)i));
    return rows;
}

/* The scratch that engine.h asks for, and not a float more. */
static float *make_scratch(int n_hidden, int64_t n_targets, int64_t stride) {
    return room((size_t)((n_hidden + 1) * (stride + (n_targets + 7) / 8 * 8) + 8), sizeof(float));
}

/* Returns the number of hidden rows whose log of the partition is wrong. */
static int check_log_partitions(const skw2v_body *body, int64_t n_hidden, float *const *hidden,
                                float *targets, int64_t n_targets, int64_t stride) {
    double *out = room((size_t)n_hidden, sizeof(double));
    float *scratch =
        room((SKW2V_MAX_GROUP + 1) * SKW2V_PARTITION_TARGETS + 8, sizeof(float)); /* no more */
    int n_wrong = 0;
    body->log_partitions(n_hidden, hidden, targets, n_targets, stride, out, scratch);
    for (int64_t i = 0; i < n_hidden; i++) {
        double sum = 0.0;
        for (int64_t t = 0; t < n_targets; t++) {
            double score = 0.0;
            for (int64_t j = 0; j < stride; j++)
                score += (double)hidden[i][j] * targets[t * stride + j];
            sum += exp(score);
        }
        n_wrong += !(fabs(out[i] - log(sum)) < 1e-5);
    }
    free(out);
    free(scratch);
    return n_wrong;
}

enum { SOFTMAX = 1, IN_PLACE = 2, REPEATS = 4, LISTS = 8, ALL_KINDS = 16 };

/* One step of a kind. REPEATS: targets of weight 2 among those of weight 1. LISTS: row i has i + 1
 * true targets, some of them more than once; otherwise the first one is true. Returns whether its
 * loss is no number. */
static int check_step(const skw2v_body *body, int n_hidden, float *const *hidden, float *targets,
                      int64_t n_targets, int64_t stride, int kind) {
    const size_t padded = (size_t)(n_targets + 7) / 8 * 8;
    const int32_t n_true = n_hidden * (n_hidden + 1) / 2;
    float *label = room(padded, sizeof(float)), *weight = room(padded, sizeof(float));
    float *offset = room(padded, sizeof(float)), **rows = room((size_t)n_targets, sizeof *rows);
    int32_t *true_of = room((size_t)n_hidden + 1, sizeof *true_of);
    int32_t *true_targets = room((size_t)n_true, sizeof *true_targets);
    float *scratch = make_scratch(n_hidden, n_targets, stride);
    float *changes = make_rows(n_hidden, stride, 2), *to[SKW2V_MAX_GROUP];
    for (int64_t t = 0; t < (int64_t)padded; t++) {
        label[t] = t == 0 ? 1.0f : 0.0f;
        weight[t] = t < n_targets ? 1.0f + (float)(kind & REPEATS && t % 2) : 0.0f;
        offset[t] = 0.01f * (float)(t % 5);
    }
    for (int64_t t = 0; t < n_targets; t++)
        rows[t] = targets + t * stride;
    for (int i = 0; i <= n_hidden; i++)
        true_of[i] = i * (i + 1) / 2;
    for (int32_t e = 0; e < n_true; e++) /* from the last target down */
        true_targets[e] = (int32_t)(n_targets - 1 - e / 2 % n_targets);
    for (int i = 0; i < n_hidden; i++)
        to[i] = changes + i * stride;
    const skw2v_targets chosen = {.n = n_targets,
                                  .rows = rows,
                                  .label = label,
                                  .true_of = kind & LISTS ? true_of : NULL,
                                  .true_targets = kind & LISTS ? true_targets : NULL,
                                  .weight = weight,
                                  .offset = offset,
                                  .max_weight = kind & REPEATS ? 2 : 1,
                                  .bias_column = (int)stride - 1};
    skw2v_loss loss;
    skw2v_reset_loss(&loss);
    body->primitive(n_hidden, hidden, kind & IN_PLACE ? hidden : to, &chosen, stride, 0.01f,
                    kind & SOFTMAX ? SKW2V_LINK_SOFTMAX : SKW2V_LINK_SIGMOID, &loss, scratch);
    body->flush_loss(&loss);
    free(label);
    free(weight);
    free(offset);
    free(rows);
    free(true_of);
    free(true_targets);
    free(scratch);
    free(changes);
    return !isfinite(loss.first + loss.others);
}

enum { POOL_D = 7, POOL_LONGEST = 5 };

/* The first n of a document's ids, in memory of their own. */
static int32_t *make_ids(size_t n) {
    static const int32_t all_ids[POOL_LONGEST] = {2, 0, 2, 1, 1};
    return memcpy(room(n, sizeof(int32_t)), all_ids, n * sizeof(int32_t));
}

/* Sums of two clusters, of which the last word is in both: as long as 1, whatever is added; with
 * and without centers and neighbors. */
static int check_clusters(const skw2v_body *body, skw2v_pooling pooling, int with_centers,
                          double neighbor_share) {
    static const int64_t word_offsets[] = {0, 1, 2, 4};
    static const int32_t clusters[] = {0, 1, 0, 1};
    static const double weights[] = {1.0, 2.0, 0.25, 0.75};
    pooling.word_offsets = word_offsets;
    pooling.clusters = clusters;
    pooling.weights = weights;
    pooling.n_clusters = 2;
    double *scales = room(3, sizeof *scales);
    double *times_weights = room(POOL_LONGEST, sizeof *times_weights);
    for (int i = 0; i < POOL_LONGEST; i++)
        times_weights[i] = 1.0 + 0.5 * i;
    for (int i = 0; i < 3; i++)
        scales[i] = 0.5 + i;
    if (with_centers) {
        pooling.scales = scales;
        pooling.centers = pooling.vectors + POOL_D; /* what fits in any case */
        pooling.center_share = 0.5;
        pooling.neighbor_share = neighbor_share;
        pooling.times_weights = times_weights;
    }
    int n_wrong = 0;
    for (size_t n = 0; n <= POOL_LONGEST; n++) {
        int32_t *ids = make_ids(n), *columns = room(2 * POOL_D, sizeof *columns);
        const skw2v_cluster_room scratch = {
            .sums = room(2 * POOL_D, sizeof(double)),
            .totals = room(2, sizeof(double)),
            .has = room(2, sizeof(uint8_t)),
            .occurrences = room(3, sizeof(int32_t)),
        };
        memset(scratch.occurrences, 0, 3 * sizeof(int32_t));
        float *values = room(2 * POOL_D, sizeof *values);
        const int64_t n_kept =
            body->pool_clusters(&pooling, ids, (int64_t)n, &scratch, columns, values);
        double square = 0.0;
        for (int64_t i = 0; i < n_kept; i++)
            square += (double)values[i] * values[i];
        n_wrong += n == 0 ? n_kept != 0 : !(fabs(square - 1.0) < 1e-6);
        for (int word = 0; word < 3; word++)
            n_wrong += scratch.occurrences[word] != 0;
        free(ids);
        free(columns);
        free(scratch.sums);
        free(scratch.totals);
        free(scratch.has);
        free(scratch.occurrences);
        free(values);
    }
    free(scales);
    free(times_weights);
    return n_wrong;
}

/* Of the vectors of length 1 on the axes, the one on the vector's own is the nearest. */
static int check_nearest_center(const skw2v_body *body) {
    float *vector = room(POOL_D, sizeof *vector), *axes = room(POOL_D * POOL_D, sizeof *axes);
    int n_wrong = 0;
    for (int i = 0; i < POOL_D * POOL_D; i++)
        axes[i] = i % (POOL_D + 1) == 0;
    for (int axis = 0; axis <= POOL_D; axis++) { /* the last is none */
        double length;
        for (int j = 0; j < POOL_D; j++)
            vector[j] = 3.0f * (j == axis);
        const int32_t nearest = body->nearest_center(vector, axes, POOL_D, POOL_D, &length);
        n_wrong += nearest != (axis == POOL_D ? -1 : axis) || length != 3.0 * (axis < POOL_D);
    }
    free(vector);
    free(axes);
    return n_wrong;
}

/* Returns the number of documents whose pooled row is wrong. */
static int check_pooling(const skw2v_body *body) {
    enum { D = POOL_D, N_KINDS = 5 };
    static const double words_weights[] = {1.0, 2.0, 3.0};
    /* The first component of word w is w * D: of the mean, sum, max, min and weighted mean. */
    static const double first[N_KINDS][POOL_LONGEST + 1] = {
        {0, 2 * D, D, 4.0 * D / 3, 5.0 * D / 4, 6.0 * D / 5},
        {0, 2 * D, 2 * D, 4 * D, 5 * D, 6 * D},
        {0, 2 * D, 2 * D, 2 * D, 2 * D, 2 * D},
        {0, 2 * D, 0, 0, 0, 0},
        {0, 2 * D, 6.0 * D / 4, 12.0 * D / 7, 14.0 * D / 9, 16.0 * D / 11},
    };
    int n_wrong = 0;
    float *vectors = room(3 * D, sizeof(float));
    for (int i = 0; i < 3 * D; i++)
        vectors[i] = (float)i;
    double *removed = room(D, sizeof(double));
    for (int j = 0; j < D; j++)
        removed[j] = j == D - 1;
    skw2v_pooling pooling = {.vectors = vectors, .n_components = D};
    n_wrong += check_clusters(body, pooling, 0, 0.0) + check_clusters(body, pooling, 1, 0.0) +
               check_clusters(body, pooling, 1, 0.35);
    n_wrong += check_nearest_center(body);
    for (int kind = 0; kind < N_KINDS; kind++)
        for (size_t n = 0; n <= POOL_LONGEST; n++) {
            int32_t *ids = make_ids(n);
            double *sum = room(D, sizeof(double));
            float *out = room(D, sizeof(float));
            pooling.kind = kind;
            pooling.weights = kind == SKW2V_POOL_WEIGHTED_MEAN ? words_weights : NULL;
            pooling.removed = kind == SKW2V_POOL_MEAN ? removed : NULL;
            body->pool_document(&pooling, ids, (int64_t)n, sum, out);
            n_wrong += out[0] != (float)first[kind][n];
            n_wrong += kind == SKW2V_POOL_MEAN && out[D - 1] != 0.0f;
            free(ids);
            free(sum);
            free(out);
        }
    if (n_wrong)
        printf("%s: pooling is wrong\n", body->name);
    free(vectors);
    free(removed);
    return n_wrong;
}

/* Numbers of rows to either side of what fits a tile, a block or a part of the partition, and the
 * most there may be. */
int race_check_body(const skw2v_body *body) {
    enum { N = SKW2V_PARTITION_TARGETS, GROUP = SKW2V_MAX_GROUP, MOST = 2 * GROUP + 1 };
    static const int n_rows[] = {1, 2, 3, 4, 7, GROUP - 1, GROUP, GROUP + 1, MOST};
    static const int64_t n_targets[] = {1, 6, 7, 8, 9, N - 1, N, N + 1, 2 * N + 3};
    int n_wrong = check_pooling(body);
    for (int64_t stride = 16; stride <= 48; stride += 16)
        for (size_t i = 0; i < sizeof n_rows / sizeof *n_rows; i++)
            for (size_t t = 0; t < sizeof n_targets / sizeof *n_targets; t++) {
                const int n = n_rows[i];
                float *rows = make_rows(n, stride, 0), *hidden[MOST];
                float *targets = make_rows(n_targets[t], stride, 1);
                for (int row = 0; row < n; row++)
                    hidden[row] = rows + row * stride;
                int wrong = check_log_partitions(body, n, hidden, targets, n_targets[t], stride);
                for (int kind = 0; kind < ALL_KINDS && n <= GROUP; kind++)
                    if (kind & SOFTMAX || !(kind & LISTS)) /* the sigmoid goes by labels */
                        wrong += check_step(body, n, hidden, targets, n_targets[t], stride, kind);
                if (wrong)
                    printf("%s: %d rows by %lld targets, stride %lld: wrong\n", body->name, n,
                           (long long)n_targets[t], (long long)stride);
                n_wrong += wrong;
                free(rows);
                free(targets);
            }
    return n_wrong;
}
