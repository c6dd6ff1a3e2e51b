/* An objective chooses the targets of a window; what happens to them is the primitive's business.
 */
#ifndef SKW2V_OBJECTIVES_H
#define SKW2V_OBJECTIVES_H

#include "engine.h"
#include "vec.h"

#define TARGETS_PADDED(n) (((n) + 7) & ~7)

/* What an objective keeps while a shard trains. */
typedef struct {
    skw2v_targets targets;
    float **pool; /* (2 * pool_size,) output rows of the noise pool, twice over: no wrap */
    const uint8_t *clean;
    int32_t start; /* pool entry where the next window begins */
    float *weight; /* (TARGETS_PADDED(1 + k),) of a window with repeats */
    const float *label;
    const float *unit_weight;
    int32_t n_fresh; /* windows that still find unused noise in the pool */
    double fresh_noise_loss;
    int64_t fresh_pairs;
} negative_sampling;

/* The center with label 1, then the next k entries of the shard's noise pool with label 0. The pool
 * is walked in a circle, so all its words are used equally often. Noise equal to the center is
 * skipped (word2vec.c, NegTrain); noise drawn twice is one target of weight 2, because a row must
 * not stand twice in one step. */
ALWAYS_INLINE void choose_negative_sampling(const skw2v_engine *engine, const skw2v_plan *plan,
                                            negative_sampling *objective, int32_t center_slot) {
    const int k = engine->n_negatives, size = engine->pool_size;
    const int32_t start = objective->start;
    objective->start = start + k < size ? start + k : start + k - size;

    skw2v_targets *targets = &objective->targets;
    float **rows = targets->rows;
    rows[0] = plan->slots[center_slot].output;
    int plain = objective->clean[start];
    for (int o = 0; o < k; o++) {
        rows[1 + o] = objective->pool[start + o];
        plain &= rows[1 + o] != rows[0];
    }
    targets->n = 1 + k;
    targets->weight = objective->unit_weight;
    targets->max_weight = 1;
    if (__builtin_expect(plain, 1))
        return;

    float *weight = objective->weight;
    memset(weight, 0, TARGETS_PADDED(1 + k) * sizeof *weight);
    weight[0] = 1.0f;
    int n = 1;
    for (int o = 0; o < k; o++) {
        float *row = objective->pool[start + o];
        if (row == rows[0])
            continue;
        int t = 1;
        while (t < n && rows[t] != row)
            t++;
        if (t == n)
            rows[n++] = row;
        weight[t] += 1.0f;
        if ((int)weight[t] > targets->max_weight)
            targets->max_weight = (int)weight[t];
    }
    targets->n = n;
    targets->weight = weight;
}

/* The shard's loss. Noise that has been trained a moment ago in the same shard scores better than
 * it should, the more so the higher the rate: measured on all windows, the curve rises as the rate
 * falls. So noise counts in the windows that see each word of the pool for the first time, and
 * stands there for all pairs; the true pairs' loss is that of every window. */
static inline void close_fresh_noise(negative_sampling *objective, const skw2v_loss *loss,
                                     int64_t n_pairs) {
    objective->fresh_noise_loss = loss->others;
    objective->fresh_pairs = n_pairs;
}

static inline double negative_sampling_loss(const negative_sampling *objective,
                                            const skw2v_loss *loss, int64_t n_pairs) {
    if (objective->fresh_pairs == 0)
        return loss->first + loss->others;
    return loss->first +
           objective->fresh_noise_loss * ((double)n_pairs / (double)objective->fresh_pairs);
}

#endif
