/* An architecture chooses the hidden rows of a window and sends their gradient home. */
#ifndef SKW2V_ARCHITECTURES_H
#define SKW2V_ARCHITECTURES_H

#include "primitive.h"

/* Skip-gram: one hidden row per context, trained in place. A row must not stand twice in one step
 * (each copy would miss the others' change, and long runs of one token would overshoot), so a group
 * ends before a context whose word it already has; group_size bounds how many gradients a target
 * gets at once. Returns the number of true pairs. */
ALWAYS_INLINE int train_skipgram(const skw2v_engine *engine, const skw2v_plan *plan,
                                 const skw2v_token *center, int32_t i, float *const *inputs,
                                 const skw2v_targets *targets, skw2v_step step, float rate,
                                 skw2v_loss *loss, float *scratch) {
    float *hidden[SKW2V_MAX_GROUP];
    int n = 0, n_pairs = 0;
    int32_t group_begin = center->begin;
    for (int32_t j = center->begin; j < center->end; j++) {
        if (j == i)
            continue;
        int32_t previous = plan->tokens[j].previous;
        previous = previous == i ? center->previous : previous;
        if (n == engine->group_size || (previous >= group_begin && n > 0)) {
            step(n, hidden, hidden, targets, engine->stride, rate, loss, scratch);
            n_pairs += n;
            n = 0;
            group_begin = j;
        }
        hidden[n++] = inputs[j];
    }
    if (n > 0)
        step(n, hidden, hidden, targets, engine->stride, rate, loss, scratch);
    return n_pairs + n;
}

/* mean of n rows over `n_vectors` vectors at j, in row order; `change` there is cleared. */
ALWAYS_INLINE void mean_strip(const int n_vectors, int n, float *const *rows, int64_t j,
                              float *mean, float *change) {
    vf sum[4];
    for (int v = 0; v < n_vectors; v++)
        sum[v] = vf_load(rows[0] + j + v * LANES);
    for (int i = 1; i < n; i++)
        for (int v = 0; v < n_vectors; v++)
            sum[v] = sum[v] + vf_load(rows[i] + j + v * LANES);
    for (int v = 0; v < n_vectors; v++) {
        vf_store(mean + j + v * LANES, sum[v] * vf_set1(1.0f / (float)n));
        vf_store(change + j + v * LANES, vf_set1(0.0f));
    }
}

/* Of n context positions with repeated words: the sum of the words' squared multiplicities. Each
 * occurrence adds 2 * (occurrences before it) + 1. */
static int64_t squared_multiplicities(const skw2v_plan *plan, const skw2v_token *center,
                                      int32_t i) {
    int64_t squares = 0;
    for (int32_t c = center->begin; c < center->end; c++) {
        if (c == i)
            continue;
        squares++;
        for (int32_t p = plan->tokens[c].previous; p >= center->begin; p = plan->tokens[p].previous)
            squares += 2 * (p != i);
    }
    return squares;
}

/* CBOW: one hidden row, the mean of the contexts. What the step adds to it goes back to every
 * context: divided by their number (the exact gradient), or whole (word2vec.c; Irsoy et al. 2021
 * say what that costs). Whole, a word that fills the window would get its change n times over, so
 * there the change is scaled by n / sum of squared multiplicities, 1 where no word repeats. */
ALWAYS_INLINE int train_cbow(const skw2v_engine *engine, const skw2v_plan *plan,
                             const skw2v_token *center, int32_t i, float *const *inputs,
                             const skw2v_targets *targets, skw2v_step step, float rate,
                             skw2v_loss *loss, float **contexts, float *scratch) {
    const int64_t stride = engine->stride;
    float *mean = scratch, *change = scratch + stride;
    int n = 0, repeats = 0;
    for (int32_t c = center->begin; c < center->end; c++) {
        contexts[n] = inputs[c];
        n += c != i;
        repeats |= plan->tokens[c].previous >= center->begin;
    }
    int64_t j = 0;
    for (; j + 4 * LANES <= stride; j += 4 * LANES)
        mean_strip(4, n, contexts, j, mean, change);
    for (; j + 2 * LANES <= stride; j += 2 * LANES)
        mean_strip(2, n, contexts, j, mean, change);
    for (; j < stride; j += LANES)
        mean_strip(1, n, contexts, j, mean, change);
    if (targets->bias_column >= 0)
        mean[targets->bias_column] = 1.0f; /* the mean of ones may be rounded */
    step(1, &mean, &change, targets, stride, rate, loss, scratch + 2 * stride);

    float share = 1.0f;
    if (engine->cbow_gradient == SKW2V_CBOW_EXACT)
        share = 1.0f / (float)n;
    else if (repeats)
        share = (float)n / (float)squared_multiplicities(plan, center, i);
    const vf scale = vf_set1(share);
    for (int c = 0; c < n; c++)
        for (j = 0; j < stride; j += LANES)
            vf_store(contexts[c] + j, vf_fma(scale, vf_load(change + j), vf_load(contexts[c] + j)));
    return 1;
}

#endif
