/* The phases of output_batch.h: scores, links and updates of `primitive.h`, on rows that are dense,
 * or on the non-zeros of a CSR matrix. */
#ifndef SKW2V_OUTPUT_LAYER_H
#define SKW2V_OUTPUT_LAYER_H

#include "output_batch.h"
#include "primitive.h"
#include "rng.h"

#define NO_SCORE -3.0e38f /* of a target that is left out: no residual, no loss */

/* A group of the batch at hand: its samples, and where its parts of the layer's room are. */
typedef struct {
    int n;
    int64_t tile; /* floats of a block's scores, as in the primitive */
    const int32_t *samples;
    float *hidden[SKW2V_MAX_GROUP];
    float *s; /* (n_blocks, n rounded up to even, 8) */
    int32_t *noise;
} output_group;

static output_group find_group(const skw2v_output_layer *layer, const skw2v_output_batch *batch,
                               int32_t group) {
    const int32_t first = group * layer->group_size;
    output_group found = {
        .n = batch->n - first < layer->group_size ? batch->n - first : layer->group_size,
        .samples = batch->samples + first,
        .s = layer->gradients + group * layer->gradient_size,
        .noise = layer->noise + group * (int64_t)layer->n_negatives,
    };
    found.tile = 8 * (int64_t)(found.n + (found.n & 1));
    for (int i = 0; i < found.n; i++)
        found.hidden[i] = layer->hidden + (first + i) * layer->stride;
    return found;
}

ALWAYS_INLINE int is_dense(const skw2v_output_layer *layer) {
    return layer->row_offsets == NULL;
}

ALWAYS_INLINE float *class_row(const skw2v_output_layer *layer, int64_t class) {
    return layer->rows + class * layer->stride;
}

static void load_samples(const skw2v_output_layer *layer, const skw2v_output_batch *batch,
                         int32_t group) {
    if (!is_dense(layer))
        return;
    const output_group g = find_group(layer, batch, group);
    const int64_t d = layer->n_features;
    for (int i = 0; i < g.n; i++) {
        float *to = g.hidden[i];
        const int64_t from = g.samples[i] * d;
        if (layer->floats)
            memcpy(to, layer->floats + from, (size_t)d * sizeof *to);
        else
            for (int64_t j = 0; j < d; j++)
                to[j] = (float)layer->doubles[from + j];
        to[d] = layer->constant;
        memset(to + d + 1, 0, (size_t)(layer->stride - d - 1) * sizeof *to);
    }
}

/* ---- non-zeros ------------------------------------------------------------------------------- */

/* Whole blocks of them, the constant among them; padding is zeros in a column without weight. */
typedef struct {
    const int32_t *columns;
    const float *values;
    int64_t n;
} nonzeros;

static inline nonzeros nonzeros_of(const skw2v_output_layer *layer, int64_t sample) {
    const int64_t first = layer->row_offsets[sample];
    return (nonzeros){layer->columns + first, layer->values + first,
                      layer->row_offsets[sample + 1] - first};
}

/* Non-zero j is in lane j % 16. */
static float score_nonzeros(const float *row, nonzeros x) {
    vf acc[PER_BLOCK];
    float lanes[BLOCK];
    for (int p = 0; p < PER_BLOCK; p++)
        acc[p] = vf_set1(0.0f);
    for (int64_t j = 0; j < x.n; j += BLOCK)
        for (int p = 0; p < PER_BLOCK; p++)
            acc[p] = vf_fma(vf_load(x.values + j + p * LANES),
                            vf_gather(row, x.columns + j + p * LANES), acc[p]);
    for (int p = 0; p < PER_BLOCK; p++)
        vf_store(lanes + p * LANES, acc[p]);
    for (int half = BLOCK / 2; half > 0; half /= 2)
        for (int lane = 0; lane < half; lane++)
            lanes[lane] += lanes[lane + half];
    return lanes[0];
}

static void update_nonzeros(float *row, nonzeros x, float gradient) {
    float changed[BLOCK];
    for (int64_t j = 0; j < x.n; j += BLOCK) {
        for (int p = 0; p < PER_BLOCK; p++)
            vf_store(changed + p * LANES,
                     vf_fma(vf_set1(gradient), vf_load(x.values + j + p * LANES),
                            vf_gather(row, x.columns + j + p * LANES)));
        for (int lane = 0; lane < BLOCK; lane++)
            row[x.columns[j + lane]] = changed[lane];
    }
}

/* ---- both kinds ------------------------------------------------------------------------------ */

/* s[8 i + t] = sample i's score of target t, of up to eight. */
static void score_targets(const skw2v_output_layer *layer, const output_group *g, int n_targets,
                          float *const *targets, float *s) {
    if (is_dense(layer)) {
#define CALL(N) score_block(N, g->n, g->hidden, targets, layer->stride, s)
        FOR_TARGETS(n_targets, CALL)
#undef CALL
        return;
    }
    for (int i = 0; i < g->n; i++) {
        const nonzeros x = nonzeros_of(layer, g->samples[i]);
        for (int t = 0; t < BLOCK_T; t++)
            s[8 * i + t] = 0.0f;
        for (int t = 0; t < n_targets; t++)
            s[8 * i + t] = score_nonzeros(targets[t], x);
    }
}

static float score_one(const skw2v_output_layer *layer, const output_group *g, int i,
                       float *target) {
    float s[2 * BLOCK_T];
    if (is_dense(layer)) {
        score_block(1, 1, g->hidden + i, &target, layer->stride, s);
        return s[0];
    }
    return score_nonzeros(target, nonzeros_of(layer, g->samples[i]));
}

/* Up to eight distinct targets += their gradients times samples [from, from + n) of the group;
 * dense rows over the columns [begin, end). */
static void update_targets(const skw2v_output_layer *layer, const output_group *g, int from, int n,
                           int n_targets, float *const *targets, const float *gradients,
                           int64_t begin, int64_t end) {
    if (is_dense(layer)) {
        float *hidden[SKW2V_MAX_GROUP], *rows[BLOCK_T];
        for (int i = 0; i < n; i++)
            hidden[i] = g->hidden[from + i] + begin;
        for (int t = 0; t < n_targets; t++)
            rows[t] = targets[t] + begin;
#define CALL(N) update_block(N, UPDATE_TARGETS, n, hidden, NULL, rows, end - begin, gradients)
        FOR_TARGETS(n_targets, CALL)
#undef CALL
        return;
    }
    for (int i = 0; i < n; i++) {
        const nonzeros x = nonzeros_of(layer, g->samples[from + i]);
        for (int t = 0; t < n_targets; t++)
            update_nonzeros(targets[t], x, gradients[8 * i + t]);
    }
}

static void link_group(const skw2v_output_layer *layer, const skw2v_output_batch *batch,
                       const output_group *g, int32_t group, skw2v_targets *targets) {
    skw2v_loss loss;
    skw2v_reset_loss(&loss);
    for (int64_t block = 0; layer->link == SKW2V_LINK_SIGMOID && block < layer->n_blocks; block++) {
        const int64_t first = block * BLOCK_T;
        sigmoid_link(g->n, g->s + block * g->tile, layer->label + first, layer->weight + first,
                     targets->offset + first, 1, batch->rate, block > 0, &loss);
    }
    if (layer->link == SKW2V_LINK_SOFTMAX && layer->n_blocks == 1 && targets->true_of == NULL)
        small_softmax_link(g->n, g->s, targets, batch->rate, &loss);
    else if (layer->link == SKW2V_LINK_SOFTMAX)
        softmax_link(g->n, g->tile, g->s, targets, batch->rate, &loss);
    flush_loss(&loss);
    layer->losses[group] = loss.first + loss.others;
}

/* ---- the true class and the group's noise ---------------------------------------------------- */

ALWAYS_INLINE void prefetch_class(const skw2v_output_layer *layer, const float *row) {
    for (int64_t j = 0; j < layer->stride && is_dense(layer); j += BLOCK)
        __builtin_prefetch(row + j, 0, 2);
}

static int32_t draw_class(const skw2v_output_layer *layer, uint64_t bits) {
    const uint32_t slot = skw2v_below(bits, (uint32_t)layer->n_classes);
    return (uint32_t)bits <= layer->alias_threshold[slot] ? (int32_t)slot : layer->alias[slot];
}

/* The class of unit t of the line of classes; `last` is the one of the unit before. */
static int32_t draw_distinct_class(const skw2v_output_layer *layer, int t, int32_t last,
                                   uint64_t bits) {
    const uint64_t unit = UINT64_C(1) << 32;
    const int64_t begin = (int64_t)t << 32;
    int32_t low = layer->first[t];
    const uint64_t before = (uint64_t)(begin - layer->borders[low]);
    const uint64_t after = before > 0 ? (uint64_t)(layer->borders[low + 1] - begin) : 0;
    if (before > 0 && last != low && (uint32_t)bits * (unit - before) < after << 32)
        return low;
    const int64_t place = begin + (int64_t)(after + ((bits >> 32) * (unit - after) >> 32));
    /* The last class that begins up to the place; a search without branches to mispredict. */
    for (int32_t n = layer->first[t + 1] - low, half; n > 0; n -= half) {
        half = (n + 1) / 2;
        low += layer->borders[low + half] <= place ? half : 0;
    }
    return low;
}

static void draw_noise(const skw2v_output_layer *layer, const skw2v_output_batch *batch,
                       const output_group *g) {
    const uint64_t first =
        (uint64_t)(batch->position + (g->samples - batch->samples)) * (uint64_t)layer->n_negatives;
    int32_t last = -1;
    for (int t = 0; t < layer->n_negatives; t++) {
        const uint64_t bits = skw2v_random_bits(batch->noise_key, first + (uint64_t)t);
        last = layer->borders ? draw_distinct_class(layer, t, last, bits) : draw_class(layer, bits);
        g->noise[t] = last;
    }
}

/* Target 0 is each sample's own true class, its offset already in the score; the others are the
 * group's noise. */
static void score_noise(const skw2v_output_layer *layer, const skw2v_output_batch *batch,
                        int32_t group) {
    const output_group g = find_group(layer, batch, group);
    const int n_targets = 1 + layer->n_negatives;
    float *offset = layer->group_offsets + group * BLOCK_T * layer->n_blocks;
    draw_noise(layer, batch, &g);
    for (int t = 0; t < n_targets - 1 && t < 2 * BLOCK_T; t++)
        prefetch_class(layer, class_row(layer, g.noise[t]));
    for (int i = 0; i < g.n; i++)
        prefetch_class(layer, class_row(layer, layer->labels[g.samples[i]]));
    offset[0] = 0.0f;
    for (int64_t t = 1; t < BLOCK_T * layer->n_blocks; t++)
        offset[t] = t < n_targets ? layer->offsets[g.noise[t - 1]] : 0.0f;
    for (int first = 0; first < n_targets; first += BLOCK_T) {
        const int n = n_targets - first < BLOCK_T ? n_targets - first : BLOCK_T;
        float *targets[BLOCK_T];
        for (int t = 0; t < n; t++) /* the first column is overwritten */
            targets[t] = class_row(layer, g.noise[first + t > 0 ? first + t - 1 : 0]);
        for (int t = first + BLOCK_T; t < first + 2 * BLOCK_T && t < n_targets - 1; t++)
            prefetch_class(layer, class_row(layer, g.noise[t]));
        score_targets(layer, &g, n, targets, g.s + g.tile * (first / BLOCK_T));
    }
    for (int i = 0; i < g.n; i++) {
        const int32_t own = layer->labels[g.samples[i]];
        g.s[8 * i] = score_one(layer, &g, i, class_row(layer, own)) - layer->offsets[own];
        for (int t = 1; t < n_targets && layer->remove_hits; t++)
            if (g.noise[t - 1] == own)
                g.s[g.tile * (t / BLOCK_T) + 8 * i + t % BLOCK_T] = NO_SCORE;
    }
    skw2v_targets targets = {.n = n_targets,
                             .label = layer->label,
                             .weight = layer->weight,
                             .offset = offset,
                             .max_weight = 1,
                             .bias_column = -1};
    link_group(layer, batch, &g, group, &targets);
}

/* Targets gathered until eight of them can be updated at once. */
typedef struct {
    int n;
    float *rows[BLOCK_T];
    float gradients[8 * SKW2V_MAX_GROUP];
} gathered_targets;

static void update_gathered(const skw2v_output_layer *layer, const output_group *g,
                            gathered_targets *gathered, int64_t begin, int64_t end) {
    if (gathered->n > 0)
        update_targets(layer, g, 0, g->n, gathered->n, gathered->rows, gathered->gradients, begin,
                       end);
    gathered->n = 0;
}

static void gather_target(const skw2v_output_layer *layer, const output_group *g,
                          gathered_targets *gathered, float *row, const float *gradients,
                          int64_t begin, int64_t end) {
    int is_new = gathered->n < BLOCK_T;
    for (int t = 0; t < gathered->n; t++)
        is_new &= gathered->rows[t] != row;
    if (!is_new) /* a row that is there twice is changed twice, one after the other */
        update_gathered(layer, g, gathered, begin, end);
    for (int i = 0; i < g->n; i++)
        gathered->gradients[8 * i + gathered->n] = gradients[8 * i];
    gathered->rows[gathered->n++] = row;
}

/* A row is changed by the groups in turn: by the samples that it is true for, then by the noise. */
static void update_noise(const skw2v_output_layer *layer, const skw2v_output_batch *batch, int part,
                         int n_parts) {
    const int n_groups = (batch->n + layer->group_size - 1) / layer->group_size;
    const int64_t n_strips = layer->stride / BLOCK;
    const int64_t begin = layer->by_columns ? n_strips * part / n_parts * BLOCK : 0;
    const int64_t end = layer->by_columns ? n_strips * (part + 1) / n_parts * BLOCK : layer->stride;
    const int n_owners = layer->by_columns ? 1 : n_parts, owner = layer->by_columns ? 0 : part;
    for (int32_t group = 0; group < n_groups; group++) {
        const output_group g = find_group(layer, batch, group);
        for (int i = 0; i < g.n; i++) {
            const int32_t own = layer->labels[g.samples[i]];
            float *row = class_row(layer, own);
            if (own % n_owners == owner)
                update_targets(layer, &g, i, 1, 1, &row, g.s + 8 * i, begin, end);
        }
        gathered_targets gathered = {.n = 0};
        for (int t = 1; t <= layer->n_negatives; t++)
            if (g.noise[t - 1] % n_owners == owner)
                gather_target(layer, &g, &gathered, class_row(layer, g.noise[t - 1]),
                              g.s + g.tile * (t / BLOCK_T) + t % BLOCK_T, begin, end);
        update_gathered(layer, &g, &gathered, begin, end);
    }
}

/* ---- all classes ----------------------------------------------------------------------------- */

enum { BLOCKS_IN_CACHE = 8 }; /* of classes, that all groups are scored against */

static int class_block(const skw2v_output_layer *layer, int64_t block, float **targets) {
    const int64_t first = block * BLOCK_T, left = layer->n_classes - first;
    const int n = left < BLOCK_T ? (int)left : BLOCK_T;
    for (int t = 0; t < n; t++)
        targets[t] = class_row(layer, first + t);
    return n;
}

static void score_classes(const skw2v_output_layer *layer, const skw2v_output_batch *batch,
                          int part, int n_parts) {
    const int n_groups = (batch->n + layer->group_size - 1) / layer->group_size;
    const int64_t stop = layer->n_blocks * (part + 1) / n_parts;
    for (int64_t from = layer->n_blocks * part / n_parts; from < stop; from += BLOCKS_IN_CACHE)
        for (int32_t group = 0; group < n_groups; group++) {
            const output_group g = find_group(layer, batch, group);
            for (int64_t block = from; block < from + BLOCKS_IN_CACHE && block < stop; block++) {
                float *targets[BLOCK_T], s[8 * (SKW2V_MAX_GROUP + 1)];
                const int n = class_block(layer, block, targets);
                /* For an odd n the last tile of scores is a row too long: not into the next
                 * block's, which may be another thread's. */
                score_targets(layer, &g, n, targets, s);
                memcpy(g.s + block * g.tile, s, (size_t)(8 * g.n) * sizeof *s);
            }
        }
}

static void link_classes(const skw2v_output_layer *layer, const skw2v_output_batch *batch,
                         int32_t group) {
    const output_group g = find_group(layer, batch, group);
    int32_t true_of[SKW2V_MAX_GROUP + 1], own[SKW2V_MAX_GROUP];
    for (int i = 0; i < g.n; i++) {
        true_of[i] = i;
        own[i] = layer->labels[g.samples[i]];
    }
    true_of[g.n] = g.n;
    skw2v_targets targets = {.n = layer->n_classes,
                             .true_of = true_of,
                             .true_targets = own,
                             .weight = layer->weight,
                             .offset = layer->offsets,
                             .max_weight = 1,
                             .bias_column = -1};
    link_group(layer, batch, &g, group, &targets);
}

static void update_classes(const skw2v_output_layer *layer, const skw2v_output_batch *batch,
                           int part, int n_parts) {
    const int n_groups = (batch->n + layer->group_size - 1) / layer->group_size;
    for (int64_t block = layer->n_blocks * part / n_parts;
         block < layer->n_blocks * (part + 1) / n_parts; block++) {
        float *targets[BLOCK_T];
        const int n = class_block(layer, block, targets);
        for (int32_t group = 0; group < n_groups; group++) {
            const output_group g = find_group(layer, batch, group);
            update_targets(layer, &g, 0, g.n, n, targets, g.s + block * g.tile, 0, layer->stride);
        }
    }
}

static const skw2v_output_body output_body = {
    .load = load_samples,
    .score_noise = score_noise,
    .update_noise = update_noise,
    .score_classes = score_classes,
    .link_classes = link_classes,
    .update_classes = update_classes,
};

#endif
