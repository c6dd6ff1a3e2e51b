/* SEEDED_RACE seeds a race, to show that the ThreadSanitizer would see one:
 *   1  the barrier between phases keeps the threads in step but orders no memory access: what one
 *      phase writes and the next one reads is a race;
 *   2  the marks are wiped before every round, so shards that share a row all train it in place
 *      (Hogwild): a race within a phase.
 */
#include "race_training.h"
#include "made_up.h"
#include "race_corpus.h"
#include "race_memory.h"
#include "rng.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SEEDED_RACE
#define SEEDED_RACE 0
#endif

#if SEEDED_RACE == 1 /* its own team, with every order of the barrier's atomics relaxed */
#define memory_order_acquire memory_order_relaxed
#define memory_order_release memory_order_relaxed
#define memory_order_acq_rel memory_order_relaxed
#include "team.c"
#endif

enum { MAX_THREADS = 8, N_EPOCHS = 2, ROUNDS_PER_CALL = 5 };

typedef struct {
    skw2v_engine *engine;
    const skw2v_body *body;
    skw2v_team *team;
    int thread;
    int64_t epoch, first, n;
    const float *learning_rates;
} share;

static void *run_share(void *argument) {
    const share *my = argument;
    skw2v_run_rounds(my->engine, my->body, my->team, my->thread, my->epoch, my->first, my->n,
                     my->learning_rates);
    return NULL;
}

/* One call: a team of threads trains some rounds, then is gone. */
static void call(share common, int n_threads, int n_cores) {
    pthread_t threads[MAX_THREADS];
    share shares[MAX_THREADS];
    skw2v_start_team(common.team, n_threads, n_cores);
    for (int t = 0; t < n_threads; t++) {
        shares[t] = common;
        shares[t].thread = t;
        if (t > 0 && pthread_create(&threads[t], NULL, run_share, &shares[t]) != 0)
            abort();
    }
    run_share(&shares[0]);
    for (int t = 1; t < n_threads; t++)
        pthread_join(threads[t], NULL);
}

typedef struct {
    float *input, *output, *subwords; /* NULL where they have no rows */
    size_t input_bytes, output_bytes, subword_bytes;
    double loss[N_EPOCHS];
    int64_t n_pairs[N_EPOCHS];
} result;

/* Of the columns after the components: 1 for the bias, else 0. */
static float padding(const race_setting *set, int64_t column) {
    return has_biases(set) && column == set->n_components ? 1.0f : 0.0f;
}

static float *make_rows(const race_setting *set, int64_t n_rows) {
    const uint64_t key = skw2v_stream_key(1, SKW2V_PURPOSE_INIT, 0);
    const int64_t stride = stride_of(set);
    float *rows = aligned_room((size_t)(n_rows * stride) * sizeof(float));
    for (int64_t i = 0; i < n_rows * stride; i++) {
        const uint64_t bits = skw2v_random_bits(key, (uint64_t)i);
        const int64_t column = i % stride;
        rows[i] = column < set->n_components ? centered_number(bits) / (float)stride
                                             : padding(set, column);
    }
    return rows;
}

static result make_matrices(const race_setting *set, int64_t n_subwords) {
    const size_t row_bytes = (size_t)stride_of(set) * sizeof(float);
    result made = {.input_bytes = (size_t)set->n_words * row_bytes,
                   .output_bytes = (size_t)n_output(set) * row_bytes,
                   .subword_bytes = (size_t)n_subwords * row_bytes};
    made.input = make_rows(set, set->n_words);
    if (n_subwords > 0)
        made.subwords = make_rows(set, n_subwords);
    if (n_output(set) > 0) {
        made.output = aligned_room(made.output_bytes);
        memset(made.output, 0, made.output_bytes);
    }
    return made;
}

static void free_matrices(result *trained) {
    free(trained->input);
    free(trained->output);
    free(trained->subwords);
}

static result train(const race_setting *set, const race_corpus *text, const skw2v_body *body,
                    int n_threads, int n_cores) {
    result trained = make_matrices(set, text->n_subwords);
    skw2v_team *team = aligned_alloc(64, sizeof *team);
    const int is_of_documents = set->architecture == SKW2V_DOCUMENT;
    skw2v_engine engine = {
        .token_ids = text->token_ids,
        .document_offsets = text->document_offsets,
        .n_tokens = set->n_tokens,
        .n_documents = text->n_documents,
        .n_words = set->n_words,
        .n_targets = n_targets(set),
        .curvature_column = is_of_documents ? set->n_components + has_biases(set) : -1,
        .keep_threshold = is_of_documents ? NULL : text->keep_threshold,
        .label_offsets = text->label_offsets,
        .labels = text->labels,
        .order = text->order,
        .shares = text->shares,
        .n_shares = text->n_shares,
        .alias_threshold = text->alias_threshold,
        .alias = text->alias,
        .seed = 1,
        .loss = set->loss,
        .remove_hits = !(set->options & RACE_HITS),
        .offsets = text->offsets,
        .path_offsets = text->path_offsets,
        .path_steps = text->path_steps,
        .bias_column = has_biases(set) ? set->n_components : -1,
        .hot_first = n_output(set) - n_hot(set), /* the root is the last node */
        .n_hot = n_hot(set),
        .architecture = set->architecture,
        .cbow_gradient = set->cbow_gradient,
        .window = set->window,
        .dynamic_window = 1,
        .n_negatives = set->n_negatives,
        .pool_size = set->pool_size,
        .group_size = set->group_size,
        .stride = stride_of(set),
        .n_shards = set->n_shards,
        .shard_tokens = set->shard_tokens,
        .segment = (set->n_tokens + set->n_shards - 1) / set->n_shards,
        .part_offsets = text->part_offsets,
        .parts = text->parts,
        .frozen = text->frozen,
        .input = trained.input,
        .output = trained.output,
        .subwords = trained.subwords,
    };
    if (team == NULL || skw2v_allocate(&engine) != 0)
        abort();
    float rates[ROUNDS_PER_CALL];
    for (int r = 0; r < ROUNDS_PER_CALL; r++)
        rates[r] = 0.025f;

    int64_t n_rounds = (engine.segment + engine.shard_tokens - 1) / engine.shard_tokens;
    if (is_of_documents)
        n_rounds = (engine.n_shares + engine.n_shards - 1) / engine.n_shards;
    const int64_t step = SEEDED_RACE == 2 ? 1 : ROUNDS_PER_CALL;
    for (int64_t epoch = 0; epoch < N_EPOCHS; epoch++) {
        for (int s = 0; s < engine.n_shards; s++) {
            skw2v_start_epoch(&engine, epoch, s);
            skw2v_plan_shard(&engine, epoch, 0, s);
            skw2v_mark_shard(&engine, 0, s);
        }
        for (int s = 0; s < engine.n_shards && engine.subwords != NULL; s++)
            body->compose_shard(&engine, 0, s);
        for (int64_t first = 0; first < n_rounds; first += step) {
            const int64_t n = n_rounds - first < step ? n_rounds - first : step;
#if SEEDED_RACE == 2
            memset(engine.marks, 0, (size_t)(engine.n_ids * engine.mark_stride));
#endif
            const share common = {&engine, body, team, 0, epoch, first, n, rates};
            call(common, n_threads, n_cores);
        }
        for (int s = 0; s < engine.n_shards; s++) {
            trained.loss[epoch] += engine.streams[s].loss;
            trained.n_pairs[epoch] += engine.streams[s].n_pairs;
        }
    }
    skw2v_release(&engine);
    free(team);
    return trained;
}

static int same(const result *a, const result *b) {
    return memcmp(a->input, b->input, a->input_bytes) == 0 &&
           (a->output == NULL || memcmp(a->output, b->output, a->output_bytes) == 0) &&
           (a->subwords == NULL || memcmp(a->subwords, b->subwords, a->subword_bytes) == 0) &&
           memcmp(a->loss, b->loss, sizeof a->loss) == 0 &&
           memcmp(a->n_pairs, b->n_pairs, sizeof a->n_pairs) == 0;
}

/* Is the loss a number, and the padding of the input rows what it was? */
static int sound(const race_setting *set, const result *trained) {
    const int64_t stride = stride_of(set);
    for (int epoch = 0; epoch < N_EPOCHS; epoch++)
        if (!isfinite(trained->loss[epoch]))
            return 0;
    for (int64_t row = 0; row < set->n_words; row++)
        for (int64_t j = set->n_components; j < stride; j++)
            if (trained->input[row * stride + j] != padding(set, j))
                return 0;
    return 1;
}

int race_compare(const race_setting *set, const skw2v_body *body, int64_t *n_pairs) {
    static const int teams[][2] = {
        {2, 64}, {3, 64}, {8, 2}}; /* threads, cores they think to have */
    race_corpus text = race_make_corpus(set);
    result alone = train(set, &text, body, 1, 1);
    int n_other = !sound(set, &alone);
    if (n_other)
        printf("%s, %s: the loss or the padding is wrong\n", body->name, set->name);
    for (size_t i = 0; i < sizeof teams / sizeof *teams; i++) {
        result together = train(set, &text, body, teams[i][0], teams[i][1]);
        if (!same(&alone, &together)) {
            printf("%s, %s: %d threads differ from one\n", body->name, set->name, teams[i][0]);
            n_other++;
        }
        free_matrices(&together);
    }
    printf("%s, %s: %lld pairs\n", body->name, set->name, (long long)alone.n_pairs[0]);
    *n_pairs += alone.n_pairs[0];
    free_matrices(&alone);
    race_free_corpus(&text);
    return n_other;
}
