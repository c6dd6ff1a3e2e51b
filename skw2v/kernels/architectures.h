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
                                 const skw2v_targets *targets, float rate, skw2v_loss *loss,
                                 float *scratch) {
    float *hidden[SKW2V_MAX_GROUP];
    int n = 0, n_pairs = 0;
    int32_t group_begin = center->begin;
    for (int32_t j = center->begin; j < center->end; j++) {
        if (j == i)
            continue;
        int32_t previous = plan->tokens[j].previous;
        previous = previous == i ? center->previous : previous;
        if (n == engine->group_size || (previous >= group_begin && n > 0)) {
            primitive_step(n, hidden, hidden, targets, engine->stride, rate, SKW2V_LINK_SIGMOID,
                           loss, scratch);
            n_pairs += n;
            n = 0;
            group_begin = j;
        }
        hidden[n++] = inputs[j];
    }
    if (n > 0)
        primitive_step(n, hidden, hidden, targets, engine->stride, rate, SKW2V_LINK_SIGMOID, loss,
                       scratch);
    return n_pairs + n;
}

/* CBOW: one hidden row, the mean of the contexts. What the step adds to it goes back to every
 * context: divided by their number (the exact gradient), or whole (word2vec.c; Irsoy et al. 2021
 * say what that costs). Whole, a word that fills the window would get its change n times over, so
 * there the change is scaled by n / sum of squared multiplicities, 1 where no word repeats. */
ALWAYS_INLINE int train_cbow(const skw2v_engine *engine, const skw2v_plan *plan,
                             const skw2v_token *center, int32_t i, float *const *inputs,
                             const skw2v_targets *targets, float rate, skw2v_loss *loss,
                             float *scratch) {
    const int64_t stride = engine->stride;
    float *mean = scratch, *change = scratch + stride;
    const int32_t n = center->end - center->begin - 1;
    const vf inverse = vf_set1(1.0f / (float)n);
    for (int64_t j = 0; j < stride; j += LANES) {
        vf sum = vf_set1(0.0f);
        for (int32_t c = center->begin; c < center->end; c++)
            if (c != i)
                sum = sum + vf_load(inputs[c] + j);
        vf_store(mean + j, sum * inverse);
        vf_store(change + j, vf_set1(0.0f));
    }
    primitive_step(1, &mean, &change, targets, stride, rate, SKW2V_LINK_SIGMOID, loss,
                   scratch + 2 * stride);

    float share = 1.0f / (float)n;
    if (engine->cbow_gradient == SKW2V_CBOW_WORD2VEC) {
        int64_t squares = 0; /* of multiplicities: each occurrence adds 2 * (seen before it) + 1 */
        for (int32_t c = center->begin; c < center->end; c++) {
            if (c == i)
                continue;
            squares++;
            for (int32_t p = plan->tokens[c].previous; p >= center->begin;
                 p = plan->tokens[p].previous)
                squares += 2 * (p != i);
        }
        share = (float)n / (float)squares;
    }
    const vf scale = vf_set1(share);
    for (int64_t j = 0; j < stride; j += LANES)
        vf_store(change + j, vf_load(change + j) * scale);
    for (int32_t c = center->begin; c < center->end; c++)
        if (c != i)
            for (int64_t j = 0; j < stride; j += LANES)
                vf_store(inputs[c] + j, vf_load(inputs[c] + j) + vf_load(change + j));
    return 1;
}

#endif
