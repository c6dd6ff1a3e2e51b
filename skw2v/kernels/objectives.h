/* An objective chooses the targets of a window; what happens to them is the primitive's business.
 *
 *                        targets                  labels     link      offsets, biases
 * negative sampling      center, noise            1 | 0      sigmoid
 * NCE                    center, noise            1 | 0      sigmoid   log of expected counts, yes
 * sampled softmax        center, noise            1 | 0      softmax   log of expected counts, yes
 * hierarchical softmax   nodes of center's path   1 - code   sigmoid
 * softmax                all words                1 | 0      softmax   zero, yes
 * one versus rest        all classes              1 | 0      sigmoid   zero, yes
 *
 * Where documents are trained, their classes take the place of the center, and a target is a class.
 *
 * What a bias starts from is in the offset, too: the bias column of a row holds the change since
 * then. Near zero float32 is fine enough for the changes of rare words, of which a softmax makes
 * many small ones; around a bias of -10 they would be rounded away. */
#ifndef SKW2V_OBJECTIVES_H
#define SKW2V_OBJECTIVES_H

#include "engine.h"
#include "vec.h"

/* What an objective keeps while a shard trains. */
typedef struct {
    skw2v_targets targets;          /* of the window at hand */
    float *label, *weight, *offset; /* (target_capacity,) each: its room */
    /* noise */
    float **pool;       /* (2 * pool_size,) output rows of the noise pool, twice over: no wrap */
    float *pool_offset; /* (2 * pool_size,) */
    const uint8_t *clean;
    int32_t start;                           /* pool entry where the next window begins */
    const float *plain_label, *plain_weight; /* of a window without repeats */
    int32_t n_fresh;                         /* windows that still find unused noise in the pool */
    double fresh_loss;
    int64_t fresh_pairs;
    /* hierarchical softmax */
    const int32_t *path; /* the next window's in the plan */
    /* hierarchical softmax, softmax */
    float *hot; /* the shard's hot rows */
    /* softmax: the true target of the one hidden row of a window (CBOW) or document. `targets`
     * points here: not to be copied */
    int32_t center;
    /* one versus rest: the document's, labelled 1 */
    const int32_t *labels;
    int32_t n_labels;
} skw2v_objective;

static inline int uses_softmax(const skw2v_engine *engine) {
    return engine->loss == SKW2V_SAMPLED_SOFTMAX || engine->loss == SKW2V_SOFTMAX;
}

/* Floats that an objective needs of a shard's scratch. */
static inline int64_t objective_scratch(const skw2v_engine *engine) {
    return 5 * (int64_t)engine->target_capacity + 2 * (int64_t)engine->pool_size;
}

static void start_noise(skw2v_objective *objective, const skw2v_engine *engine,
                        const skw2v_plan *plan, float *plain_label, float *plain_weight) {
    const int32_t size = engine->pool_size;
    for (int32_t t = 0; t < engine->target_capacity; t++) {
        plain_label[t] = t == 0 ? 1.0f : 0.0f;
        plain_weight[t] = t <= engine->n_negatives ? 1.0f : 0.0f;
    }
    objective->plain_label = plain_label;
    objective->plain_weight = plain_weight;
    objective->clean = plan->pool_clean;
    objective->n_fresh = engine->n_negatives > 0 ? size / engine->n_negatives : 0;
    for (int32_t e = 0; e < size; e++) {
        const skw2v_slot *slot = &plan->slots[plan->pool[e]];
        objective->pool[e] = objective->pool[e + size] = slot->output;
        objective->pool_offset[e] = objective->pool_offset[e + size] =
            engine->offsets ? engine->offsets[slot->word] : 0.0f;
    }
}

static void start_all_targets(skw2v_objective *objective, const skw2v_engine *engine) {
    static const int32_t one_true[2] = {0, 1};
    skw2v_targets *targets = &objective->targets;
    for (int64_t w = 0; w < engine->n_targets; w++) {
        targets->rows[w] = objective->hot + w * engine->stride;
        objective->weight[w] = 1.0f;
        objective->offset[w] = engine->offsets ? engine->offsets[w] : 0.0f;
    }
    targets->n = engine->n_targets;
    targets->true_of = one_true;
    targets->true_targets = &objective->center;
}

/* pointers: 2 * pool_size + target_capacity of them; floats: `objective_scratch`. */
static void start_objective(skw2v_objective *objective, const skw2v_engine *engine,
                            const skw2v_plan *plan, float *hot, float **pointers, float *floats) {
    const int64_t capacity = engine->target_capacity;
    memset(objective, 0, sizeof *objective);
    memset(floats, 0, (size_t)objective_scratch(engine) * sizeof *floats);
    objective->label = floats;
    objective->weight = floats + capacity;
    objective->offset = floats + 2 * capacity;
    objective->pool_offset = floats + 5 * capacity;
    objective->pool = pointers;
    objective->path = plan->path;
    objective->hot = hot;
    objective->targets = (skw2v_targets){.rows = pointers + 2 * engine->pool_size,
                                         .label = objective->label,
                                         .weight = objective->weight,
                                         .offset = engine->offsets ? objective->offset : NULL,
                                         .max_weight = 1,
                                         .bias_column = engine->bias_column};
    if (skw2v_trains_all_targets(engine))
        start_all_targets(objective, engine);
    else if (engine->loss != SKW2V_HIERARCHICAL_SOFTMAX)
        start_noise(objective, engine, plan, floats + 3 * capacity, floats + 4 * capacity);
}

/* A window that has noise twice, or noise equal to the center. Because a row must not stand twice
 * in one step, noise drawn m times is one target of weight m. A hit is skipped (word2vec.c;
 * TensorFlow with remove_accidental_hits), or else joins the center: one true and m false targets
 * of the same score are one of weight 1 + m and label 1 / (1 + m). */
static void choose_repeated_noise(const skw2v_engine *engine, skw2v_objective *objective,
                                  int32_t start) {
    skw2v_targets *targets = &objective->targets;
    float **rows = targets->rows, *weight = objective->weight;
    memset(weight, 0, (size_t)engine->target_capacity * sizeof *weight);
    memset(objective->label, 0, (size_t)engine->target_capacity * sizeof *objective->label);
    weight[0] = 1.0f;
    int n = 1;
    for (int o = 0; o < engine->n_negatives; o++) {
        float *row = objective->pool[start + o];
        if (row == rows[0] && engine->remove_hits)
            continue;
        int t = 0;
        while (t < n && rows[t] != row)
            t++;
        if (t == n) {
            objective->offset[n] = objective->pool_offset[start + o];
            rows[n++] = row;
        }
        weight[t] += 1.0f;
        if ((int)weight[t] > targets->max_weight)
            targets->max_weight = (int)weight[t];
    }
    objective->label[0] = 1.0f / weight[0];
    targets->n = n;
    targets->weight = weight;
    targets->label = objective->label;
}

/* The center, then the next k entries of the shard's noise pool. The pool is walked in a circle, so
 * all its words are used equally often. */
ALWAYS_INLINE void choose_noise(const skw2v_engine *engine, skw2v_objective *objective,
                                const skw2v_slot *center) {
    const int k = engine->n_negatives, size = engine->pool_size;
    const int32_t start = objective->start;
    objective->start = start + k < size ? start + k : start + k - size;

    skw2v_targets *targets = &objective->targets;
    float **rows = targets->rows;
    rows[0] = center->output;
    int plain = size == 0 || objective->clean[start];
    for (int o = 0; o < k; o++) {
        rows[1 + o] = objective->pool[start + o];
        plain &= rows[1 + o] != rows[0];
    }
    if (targets->offset) {
        objective->offset[0] = engine->offsets[center->word];
        for (int o = 0; o < k; o++)
            objective->offset[1 + o] = objective->pool_offset[start + o];
    }
    targets->n = 1 + k;
    targets->weight = objective->plain_weight;
    targets->label = objective->plain_label;
    targets->max_weight = 1;
    if (__builtin_expect(!plain, 0))
        choose_repeated_noise(engine, objective, start);
}

/* The nodes on the way from the root to the center, as the plan has looked them up. */
static void choose_path(const skw2v_engine *engine, const skw2v_plan *plan,
                        skw2v_objective *objective) {
    const int32_t n = *objective->path++;
    for (int32_t t = 0; t < n; t++) {
        const int32_t place = objective->path[t] >> 1;
        objective->targets.rows[t] =
            place < 0 ? objective->hot + (-1 - place) * engine->stride : plan->slots[place].output;
        objective->label[t] = (float)(objective->path[t] & 1);
        objective->weight[t] = 1.0f;
    }
    for (int32_t t = n; t % 8; t++)
        objective->label[t] = objective->weight[t] = 0.0f;
    objective->path += n;
    objective->targets.n = n;
}

/* Labels 1 for all of a document's classes, in place of those of the one before. */
static void choose_labels(const skw2v_engine *engine, skw2v_objective *objective,
                          int64_t document) {
    for (int32_t i = 0; i < objective->n_labels; i++)
        objective->label[objective->labels[i]] = 0.0f;
    const int64_t begin = engine->label_offsets[document];
    objective->labels = engine->labels + begin;
    objective->n_labels = (int32_t)(engine->label_offsets[document + 1] - begin);
    for (int32_t i = 0; i < objective->n_labels; i++)
        objective->label[objective->labels[i]] = 1.0f;
}

ALWAYS_INLINE void choose_targets(const skw2v_engine *engine, const skw2v_plan *plan,
                                  skw2v_objective *objective, int32_t center_slot) {
    const skw2v_slot *center = &plan->slots[center_slot];
    if (engine->loss == SKW2V_SOFTMAX)
        objective->center = center->word;
    else if (engine->loss == SKW2V_HIERARCHICAL_SOFTMAX)
        choose_path(engine, plan, objective);
    else
        choose_noise(engine, objective, center);
}

static void choose_classes(const skw2v_engine *engine, const skw2v_plan *plan,
                           skw2v_objective *objective, const skw2v_document *document) {
    if (engine->loss == SKW2V_ONE_VERSUS_REST)
        choose_labels(engine, objective, document->document);
    else if (engine->loss == SKW2V_SOFTMAX)
        objective->center = document->label;
    else if (engine->loss == SKW2V_HIERARCHICAL_SOFTMAX)
        choose_path(engine, plan, objective);
    else
        choose_noise(engine, objective, &plan->slots[document->slot]);
}

/* The shard's loss. Noise that has been trained a moment ago in the same shard scores better than
 * it should, the more so the higher the rate: measured on all windows, the curve rises as the rate
 * falls. So noise counts in the windows that see each word of the pool for the first time, and
 * stands there for all pairs; the true pairs' loss is that of every window. (Where a softmax ties
 * the two together, the fresh windows stand for both.) */
static inline void close_fresh_noise(skw2v_objective *objective, const skw2v_loss *loss,
                                     int64_t n_pairs) {
    objective->fresh_loss = loss->others;
    objective->fresh_pairs = n_pairs;
}

static inline double objective_loss(const skw2v_objective *objective, const skw2v_loss *loss,
                                    int64_t n_pairs) {
    if (objective->fresh_pairs == 0)
        return loss->first + loss->others;
    return loss->first + objective->fresh_loss * ((double)n_pairs / (double)objective->fresh_pairs);
}

#endif
