/* An architecture chooses the hidden rows of a window and sends their gradient home. */
#ifndef SKW2V_ARCHITECTURES_H
#define SKW2V_ARCHITECTURES_H

#include "primitive.h"

#include <string.h>

/* Does the row of a token stay as it is? `frozen` is the engine's, or NULL. */
ALWAYS_INLINE int is_frozen(const uint8_t *frozen, const skw2v_plan *plan, int32_t token) {
    return frozen != NULL && frozen[plan->slots[plan->tokens[token].slot].word];
}

/* The row that the step may train in place: that of a frozen token is a copy, which nobody reads
 * again. */
ALWAYS_INLINE float *hidden_row(const uint8_t *frozen, const skw2v_plan *plan, int32_t token,
                                float *input, float *copy, int64_t stride) {
    if (!is_frozen(frozen, plan, token))
        return input;
    return memcpy(copy, input, (size_t)stride * sizeof(float));
}

/* Skip-gram: one hidden row per context, trained in place. A row must not stand twice in one step
 * (each copy would miss the others' change, and long runs of one token would overshoot), so a group
 * ends before a context whose word it already has; group_size bounds how many gradients a target
 * gets at once. `frozen` is the engine's: a constant where it is NULL, so that looking costs
 * nothing there. Returns the number of true pairs. */
ALWAYS_INLINE int train_skipgram(const skw2v_engine *engine, const skw2v_plan *plan,
                                 const skw2v_token *center, int32_t i, float *const *inputs,
                                 const skw2v_targets *targets, skw2v_step step, float rate,
                                 skw2v_loss *loss, float *scratch, const uint8_t *frozen) {
    float *hidden[SKW2V_MAX_GROUP], *copies = scratch;
    scratch += frozen != NULL ? SKW2V_MAX_GROUP * engine->stride : 0;
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
        hidden[n] =
            hidden_row(frozen, plan, j, inputs[j], copies + n * engine->stride, engine->stride);
        n++;
    }
    if (n > 0)
        step(n, hidden, hidden, targets, engine->stride, rate, loss, scratch);
    return n_pairs + n;
}

/* Skip-gram under the full softmax, where all windows have the same targets: pair by pair the same,
 * but each context token once, with all the centers whose windows hold it as its true targets. The
 * probabilities are then computed once for all of them. A row, and so a group, takes at most
 * group_size true targets a time. Trains the whole shard. */
static int64_t train_skipgram_by_context(const skw2v_engine *engine, const skw2v_plan *plan,
                                         float *const *inputs, skw2v_targets *targets,
                                         skw2v_step step, float rate, skw2v_loss *loss,
                                         float *scratch) {
    float *hidden[SKW2V_MAX_GROUP], *row_of[SKW2V_MAX_GROUP], *copies = scratch;
    const uint8_t *frozen = engine->frozen;
    scratch += frozen != NULL ? SKW2V_MAX_GROUP * engine->stride : 0;
    int32_t true_of[SKW2V_MAX_GROUP + 1] = {0}, true_targets[SKW2V_MAX_GROUP * SKW2V_MAX_GROUP];
    const int most = engine->group_size;
    int n = 0;
    int64_t n_pairs = 0;
    targets->true_of = true_of;
    targets->true_targets = true_targets;
    for (int32_t j = plan->reached_from; j < plan->reached_to; j++) {
        const int32_t from = j - engine->reach, to = j + engine->reach + 1;
        int32_t i = from > plan->first_center ? from : plan->first_center;
        const int32_t end = to < plan->last_center ? to : plan->last_center;
        int of_row = most; /* true targets of the token's row so far; none yet */
        for (; i < end; i++) {
            const skw2v_token *center = &plan->tokens[i];
            if (i == j || j < center->begin || j >= center->end)
                continue;
            if (of_row == most) { /* the token needs a row; the group must not have it */
                int is_full = n == most;
                for (int r = 0; r < n; r++)
                    is_full |= row_of[r] == inputs[j];
                if (is_full) {
                    step(n, hidden, hidden, targets, engine->stride, rate, loss, scratch);
                    n = 0;
                }
                row_of[n] = inputs[j];
                hidden[n] = hidden_row(frozen, plan, j, inputs[j], copies + n * engine->stride,
                                       engine->stride);
                true_of[n + 1] = true_of[n];
                n++;
                of_row = 0;
            }
            true_targets[true_of[n]++] = plan->slots[center->slot].word;
            of_row++;
            n_pairs++;
        }
    }
    if (n > 0)
        step(n, hidden, hidden, targets, engine->stride, rate, loss, scratch);
    return n_pairs;
}

/* share * the sum of n rows over `n_vectors` vectors at j, in row order, row i times[i] times
 * (NULL: once each); `change` there is cleared. */
ALWAYS_INLINE void mean_strip(const int n_vectors, int n, float *const *rows, const float *times,
                              float share, int64_t j, float *mean, float *change) {
    vf sum[8];
    for (int v = 0; v < n_vectors; v++) {
        sum[v] = vf_load(rows[0] + j + v * LANES);
        if (times != NULL)
            sum[v] = vf_set1(times[0]) * sum[v];
    }
    for (int i = 1; i < n; i++)
        for (int v = 0; v < n_vectors; v++) {
            const vf row = vf_load(rows[i] + j + v * LANES);
            if (times != NULL)
                sum[v] = vf_fma(vf_set1(times[i]), row, sum[v]);
            else
                sum[v] = sum[v] + row;
        }
    for (int v = 0; v < n_vectors; v++) {
        vf_store(mean + j + v * LANES, sum[v] * vf_set1(share));
        vf_store(change + j + v * LANES, vf_set1(0.0f));
    }
}

ALWAYS_INLINE float squared_length(const float *row, int64_t stride) {
    vf sum[PER_BLOCK];
    for (int p = 0; p < PER_BLOCK; p++)
        sum[p] = vf_set1(0.0f);
    for (int64_t j = 0; j < stride; j += BLOCK)
        for (int p = 0; p < PER_BLOCK; p++) {
            const vf x = vf_load(row + j + p * LANES);
            sum[p] = vf_fma(x, x, sum[p]);
        }
    float lanes[BLOCK], total = 0.0f;
    for (int p = 0; p < PER_BLOCK; p++)
        vf_store(lanes + p * LANES, sum[p]);
    for (int lane = 0; lane < BLOCK; lane++)
        total += lanes[lane];
    return total;
}

/* A mean of rows, as a hidden row that a step then leaves as it is; `change` is cleared for it. */
ALWAYS_INLINE void take_mean(int n, float *const *rows, const float *times, float share,
                             int64_t stride, int bias_column, float *mean, float *change) {
    int64_t j = 0;
    for (; j + 7 * LANES <= stride; j += 7 * LANES)
        mean_strip(7, n, rows, times, share, j, mean, change);
    for (; j + 4 * LANES <= stride; j += 4 * LANES)
        mean_strip(4, n, rows, times, share, j, mean, change);
    for (; j + 2 * LANES <= stride; j += 2 * LANES)
        mean_strip(2, n, rows, times, share, j, mean, change);
    for (; j < stride; j += LANES)
        mean_strip(1, n, rows, times, share, j, mean, change);
    if (bias_column >= 0)
        mean[bias_column] = 1.0f; /* the mean of ones may be rounded */
}

/* Row i of n += times[i] (NULL: 1) * share * change, one after the other. */
ALWAYS_INLINE void send_home(int n, float *const *rows, const float *times, float share,
                             int64_t stride, const float *change) {
    for (int i = 0; i < n; i++) {
        const vf scale = vf_set1(times ? times[i] * share : share);
        for (int64_t j = 0; j < stride; j += LANES)
            vf_store(rows[i] + j, vf_fma(scale, vf_load(change + j), vf_load(rows[i] + j)));
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
    take_mean(n, contexts, NULL, 1.0f / (float)n, stride, targets->bias_column, mean, change);
    step(1, &mean, &change, targets, stride, rate, loss, scratch + 2 * stride);

    float share = 1.0f;
    if (engine->cbow_gradient == SKW2V_CBOW_EXACT)
        share = 1.0f / (float)n;
    else if (repeats)
        share = (float)n / (float)squared_multiplicities(plan, center, i);
    if (engine->frozen != NULL) {
        n = 0;
        for (int32_t c = center->begin; c < center->end; c++) {
            contexts[n] = inputs[c];
            n += c != i && !is_frozen(engine->frozen, plan, c);
        }
    }
    send_home(n, contexts, NULL, share, stride, change);
    return 1;
}

/* Adds to a column of each target's row how far the step may bend it: the rate times p (1 - p)
 * |h|^2, by which the row's error along h shrinks. p (1 - p) is what it is at most on the way to
 * the label: |y - p|, or 1/4 from there on. `g` has the step's gradients, rate * w * (y - p). */
static void note_curvature(const skw2v_targets *targets, int column, const float *hidden,
                           int64_t stride, float rate, const float *g) {
    const int64_t tile = 8 * 2; /* of one hidden row, see primitive_step */
    const float squared = squared_length(hidden, stride);
    for (int64_t t = 0; t < targets->n; t++) {
        const float step = rate * targets->weight[t];
        const float error = fabsf(g[tile * (t / BLOCK_T) + t % BLOCK_T]) / step;
        targets->rows[t][column] += step * squared * (error < 0.25f ? error : 0.25f);
    }
}

/* A document: one hidden row, the mean of all its tokens' (fastText's supervised model; Keras'
 * Embedding and GlobalAveragePooling1D), and its exact gradient. Of a word that stands there
 * several times, the row comes once. */
ALWAYS_INLINE void train_document(const skw2v_engine *engine, const skw2v_plan *plan,
                                  const skw2v_document *document, float *const *inputs,
                                  const skw2v_targets *targets, skw2v_step step, float rate,
                                  skw2v_loss *loss, float *scratch) {
    const int64_t stride = engine->stride;
    float *mean = scratch, *change = scratch + stride, *rest = scratch + 2 * stride;
    const int32_t begin = document->begin, n = document->end - begin;
    const float *times = plan->times + begin, share = document->share;
    take_mean(n, inputs + begin, times, share, stride, targets->bias_column, mean, change);
    step(1, &mean, &change, targets, stride, rate, loss, rest);
    note_curvature(targets, engine->curvature_column, mean, stride, rate, rest);
    change[engine->curvature_column] = 0.0f;
    if (engine->frozen == NULL)
        send_home(n, inputs + begin, times, share, stride, change);
    for (int32_t i = begin; i < document->end && engine->frozen != NULL; i++)
        if (!is_frozen(engine->frozen, plan, i))
            send_home(1, inputs + i, plan->times + i, share, stride, change);
}

#endif
