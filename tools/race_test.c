/* Trains made-up corpora with several threads, as `Engine.run` does, and compares every bit with
 * what one thread gives; then calls what else a body offers at the edges of its memory.
 * tools/race.sh builds it with sanitizers and says what they must report.
 *
 *   race_test [ISA ...]      the instruction sets to run; all that this machine has by default
 *
 * SEEDED_RACE seeds a race, to show that the ThreadSanitizer would see one:
 *   1  the barrier between phases keeps the threads in step but orders no memory access: what one
 *      phase writes and the next one reads is a race;
 *   2  the marks are wiped before every round, so shards that share a row all train it in place
 *      (Hogwild): a race within a phase.
 */
#include "engine.h"
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
    const char *name;
    int loss;
    int64_t n_words, n_tokens;
    int64_t longest_document;
    int architecture, cbow_gradient;
    int window, n_negatives, pool_size, group_size;
    int n_shards;
    int64_t shard_tokens;
    int n_components;
    int options;
    int64_t n_hot; /* nodes at the top of the tree; of a softmax all rows are hot anyway */
} setting;

enum { S = SKW2V_SKIPGRAM, C = SKW2V_CBOW, EXACT = SKW2V_CBOW_EXACT, FULL = SKW2V_CBOW_WORD2VEC };
enum {
    NS = SKW2V_NEGATIVE_SAMPLING,
    NCE = SKW2V_NCE,
    SS = SKW2V_SAMPLED_SOFTMAX,
    HS = SKW2V_HIERARCHICAL_SOFTMAX,
    ALL = SKW2V_SOFTMAX,
};
enum {
    HITS = 1,  /* are kept */
    CHAIN = 2, /* the tree is as deep as can be, not as flat */
    ZERO = 4,  /* offsets */
};

/* The first one of each loss has the races to be found, rows that are shared and rows that are not;
 * the others are the edges of the memory that a plan may use. A bias needs a block of columns of
 * its own where the components fill theirs (16, 32), and none where they do not. */
static const setting settings[] = {
    {"skip-gram", NS, 300, 6000, 150, S, EXACT, 5, 5, 32, 16, 16, 40, 16, 0},
    {"cbow", NS, 300, 6000, 150, C, EXACT, 5, 5, 32, 16, 16, 40, 48, 0},
    {"word2vec's cbow", NS, 2000, 4000, 900, C, FULL, 5, 5, 32, 16, 5, 40, 16, 0},
    {"few words, most shards", NS, 3, 3000, 60, S, EXACT, 4, 5, 5, 16, SKW2V_MAX_SHARDS, 8, 16, 0},
    {"one document", NS, 50, 2000, 2000, S, EXACT, 5, 12, 40, 16, 7, 33, 32, 0},
    {"shards of a token", NS, 20, 400, 30, C, FULL, 3, 2, 2, 4, 16, 1, 16, 0},
    {"wide windows", NS, 40, 500, 90, S, EXACT, 50, 5, 7, 3, 4, 9, 16, 0},
    {"one shard", NS, 100, 900, 50, S, EXACT, 5, 5, 32, 16, 1, 100, 16, 0},
    {"fewer tokens than shards", NS, 5, 11, 4, C, EXACT, 5, 5, 32, 16, 16, 128, 16, 0},
    {"one token", NS, 1, 1, 1, S, EXACT, 5, 1, 1, 1, 3, 1, 16, 0},
    {"no noise", NS, 50, 400, 60, S, EXACT, 5, 0, 0, 16, 5, 20, 16, 0},
    {"hits kept", NS, 6, 600, 60, S, EXACT, 4, 9, 20, 16, 8, 9, 16, HITS},

    {"nce", NCE, 300, 3000, 150, S, EXACT, 5, 5, 32, 16, 16, 40, 16, HITS},
    {"nce, hits removed", NCE, 300, 1500, 150, C, FULL, 5, 5, 32, 16, 8, 40, 20, 0},
    {"nce, few words", NCE, 4, 600, 60, C, EXACT, 4, 5, 5, 16, 8, 8, 32, HITS},
    {"nce, few words, hits removed", NCE, 4, 600, 60, S, EXACT, 4, 9, 20, 16, 8, 8, 15, 0},
    {"nce, one word", NCE, 1, 60, 9, S, EXACT, 5, 5, 5, 16, 3, 7, 16, 0},

    {"sampled softmax", SS, 300, 3000, 150, S, EXACT, 5, 5, 32, 16, 16, 40, 10, 0},
    {"sampled softmax, cbow", SS, 300, 1500, 150, C, FULL, 5, 5, 32, 16, 8, 40, 32, 0},
    {"sampled softmax, full groups", SS, 600, 400, 300, S, EXACT, 30, 21, 40, 16, 4, 30, 16, 0},
    {"sampled softmax, odd groups", SS, 600, 400, 300, S, EXACT, 30, 15, 40, 7, 4, 30, 16, 0},
    {"sampled softmax, few words", SS, 4, 600, 60, S, EXACT, 4, 5, 5, 16, 8, 8, 15, 0},
    {"sampled softmax, hits kept", SS, 4, 600, 60, C, EXACT, 4, 9, 20, 16, 8, 8, 16, HITS},
    {"sampled softmax, one word", SS, 1, 60, 9, C, EXACT, 5, 5, 5, 16, 3, 7, 5, 0},

    {"hierarchical softmax", HS, 300, 3000, 150, S, EXACT, 5, 0, 0, 16, 16, 40, 16, 0},
    {"hierarchical softmax, cbow", HS, 300, 1500, 150, C, FULL, 5, 0, 0, 16, 8, 40, 20, 0},
    {"a hot root", HS, 300, 1500, 150, S, EXACT, 5, 0, 0, 16, 16, 40, 32, 0, .n_hot = 1},
    {"a hot top", HS, 300, 1500, 150, C, EXACT, 5, 0, 0, 16, 8, 40, 32, 0, .n_hot = 31},
    {"fewer hot nodes than shards", HS, 60, 900, 90, S, EXACT, 5, 0, 0, 7, SKW2V_MAX_SHARDS, 5, 16,
     0, .n_hot = 15},
    {"all nodes hot", HS, 60, 900, 90, S, EXACT, 5, 0, 0, 16, 6, 25, 33, 0, .n_hot = 59},
    {"all nodes hot, cbow", HS, 60, 900, 90, C, FULL, 5, 0, 0, 16, 16, 9, 16, 0, .n_hot = 59},
    {"a hot top, one shard", HS, 60, 900, 90, S, EXACT, 5, 0, 0, 16, 1, 50, 16, 0, .n_hot = 7},
    {"all nodes hot, one shard", HS, 60, 900, 90, C, EXACT, 5, 0, 0, 16, 1, 50, 16, 0, .n_hot = 59},
    {"a hot top, fewer tokens than shards", HS, 5, 11, 4, S, EXACT, 5, 0, 0, 16, 16, 128, 16, 0,
     .n_hot = 2},
    {"a chain", HS, 150, 500, 90, S, EXACT, 20, 0, 0, 16, 5, 20, 16, CHAIN},
    {"a chain with a hot top", HS, 150, 500, 90, S, EXACT, 20, 0, 0, 16, 5, 20, 20, CHAIN,
     .n_hot = 40},
    {"a chain, all of it hot", HS, 150, 500, 90, C, EXACT, 5, 0, 0, 16, 7, 9, 16, CHAIN,
     .n_hot = 149},
    {"a chain, cbow", HS, 150, 500, 90, C, EXACT, 5, 0, 0, 16, 7, 9, 16, CHAIN},
    {"a chain, shards of a token", HS, 40, 100, 30, S, EXACT, 3, 0, 0, 3, 16, 1, 16, CHAIN,
     .n_hot = 3},
    {"two words, one node", HS, 2, 300, 30, S, EXACT, 5, 0, 0, 16, 8, 8, 16, 0},
    {"two words, one hot node", HS, 2, 300, 30, S, EXACT, 5, 0, 0, 16, 8, 8, 16, 0, .n_hot = 1},
    {"one word, no node", HS, 1, 60, 9, S, EXACT, 5, 0, 0, 16, 3, 7, 16, 0},
    {"one word, no node, cbow", HS, 1, 60, 9, C, EXACT, 5, 0, 0, 16, 3, 7, 16, 0},

    {"softmax", ALL, 100, 800, 90, S, EXACT, 5, 0, 0, 16, 8, 20, 16, 0},
    {"softmax, one shard", ALL, 100, 400, 90, S, EXACT, 5, 0, 0, 16, 1, 20, 16, 0},
    {"softmax, one shard, cbow", ALL, 100, 400, 90, C, EXACT, 5, 0, 0, 16, 1, 20, 33, 0},
    {"softmax, full groups", ALL, 600, 200, 300, S, EXACT, 30, 0, 0, 16, 3, 20, 15, 0},
    {"softmax, odd groups", ALL, 300, 150, 90, S, EXACT, 10, 0, 0, 5, 3, 20, 32, 0},
    {"softmax, groups of one", ALL, 60, 300, 90, S, EXACT, 12, 0, 0, 1, 5, 10, 16, 0},
    {"softmax, windows wider than shards", ALL, 60, 300, 90, S, EXACT, 40, 0, 0, 16, 8, 3, 16, 0},
    {"softmax, the same in groups of two", ALL, 60, 200, 90, S, EXACT, 40, 0, 0, 2, 8, 3, 20, 0},
    {"softmax, windows wider than documents", ALL, 9, 200, 12, S, EXACT, 1000, 0, 0, 3, 7, 1, 16,
     0},
    {"softmax, shards of a token", ALL, 20, 100, 30, S, EXACT, 6, 0, 0, 4, 16, 1, 16, 0},
    {"softmax, fewer tokens than shards", ALL, 5, 11, 4, S, EXACT, 5, 0, 0, 16, 16, 128, 16, 0},
    {"softmax, cbow", ALL, 600, 300, 90, C, FULL, 5, 0, 0, 16, 4, 20, 16, 0},
    {"softmax, few words", ALL, 5, 600, 60, S, EXACT, 4, 0, 0, 16, SKW2V_MAX_SHARDS, 4, 20, 0},
    {"softmax, few words, wide windows", ALL, 3, 300, 60, S, EXACT, 50, 0, 0, 16, 4, 20, 20, 0},
    {"softmax, whole blocks", ALL, 16, 400, 60, C, EXACT, 4, 0, 0, 16, 8, 8, 16, ZERO},
    {"softmax, no offsets", ALL, 90, 400, 60, S, EXACT, 4, 0, 0, 16, 8, 8, 16, ZERO},
    {"softmax, one word", ALL, 1, 60, 9, S, EXACT, 5, 0, 0, 16, 3, 7, 16, 0},
};

static int has_biases(const setting *set) {
    return set->loss == NCE || set->loss == SS || set->loss == ALL;
}

/* Rows of the output matrix: the words', or the nodes'. */
static int64_t n_output(const setting *set) {
    return set->n_words - (set->loss == HS);
}

static int64_t n_hot(const setting *set) {
    return set->loss == ALL ? n_output(set) : set->n_hot;
}

static int64_t stride_of(const setting *set) {
    return (set->n_components + has_biases(set) + 15) / 16 * 16;
}

/* ---- a corpus and what its objective needs --------------------------------------------------- */

typedef struct {
    int32_t *token_ids, *alias;
    int64_t *document_offsets, n_documents;
    uint32_t *keep_threshold, *alias_threshold;
    float *offsets;
    int64_t *path_offsets;
    int32_t *path_steps;
} corpus;

/* Exactly as much as is used, so that the AddressSanitizer sees the first byte too many. */
static void *room(size_t n, size_t size) {
    void *memory = malloc(n * size);
    if (memory == NULL)
        abort();
    return memory;
}

/* A way from the root (node n_words - 2) down to the word, at `steps`; returns its length. In a
 * chain, node after node has one word and the rest of the chain below it. */
static int64_t walk_down(const setting *set, int64_t word, int32_t *steps) {
    const int64_t root = set->n_words - 2;
    int64_t n = 0;
    if (set->options & CHAIN) {
        for (; n <= word && n <= root; n++)
            steps[n] = (int32_t)(2 * (root - n) + (n == word));
        return n;
    }
    /* A heap of the nodes, the root first, then the words. */
    const int64_t leaf = word + set->n_words - 1;
    for (int64_t at = leaf; at > 0; at = (at - 1) / 2)
        n++;
    for (int64_t at = leaf, i = n - 1; at > 0; at = (at - 1) / 2, i--)
        steps[i] = (int32_t)(2 * (root - (at - 1) / 2) + at % 2);
    return n;
}

static void make_paths(const setting *set, corpus *made) {
    const size_t n_words = (size_t)set->n_words;
    int32_t *steps = room(n_words * n_words, sizeof(int32_t));
    made->path_offsets = room(n_words + 1, sizeof(int64_t));
    int64_t n = 0;
    for (int64_t w = 0; w < set->n_words; w++) {
        made->path_offsets[w] = n;
        n += walk_down(set, w, steps + n);
    }
    made->path_offsets[n_words] = n;
    if (n > 0) /* NULL for none, as from `Engine` */
        made->path_steps = memcpy(room((size_t)n, sizeof *steps), steps, (size_t)n * sizeof *steps);
    free(steps);
}

static void make_noise(const setting *set, corpus *made) {
    made->alias_threshold = room((size_t)set->n_words, sizeof(uint32_t));
    made->alias = room((size_t)set->n_words, sizeof(int32_t));
    for (int32_t i = 0; i < set->n_words; i++) {
        made->alias_threshold[i] = i % 2 ? UINT32_MAX : UINT32_MAX / 3;
        made->alias[i] = i / 2;
    }
}

static void make_offsets(const setting *set, corpus *made) {
    made->offsets = room((size_t)set->n_words, sizeof(float));
    for (int32_t i = 0; i < set->n_words; i++)
        made->offsets[i] = 1.0f - 4.0f * (float)i / (float)set->n_words;
}

static corpus make_corpus(const setting *set) {
    const uint64_t key = skw2v_stream_key(2, SKW2V_PURPOSE_INIT, 0);
    corpus made = {.token_ids = room((size_t)set->n_tokens, sizeof(int32_t)),
                   .document_offsets = room((size_t)set->n_tokens + 4, sizeof(int64_t)),
                   .keep_threshold = room((size_t)set->n_words, sizeof(uint32_t))};
    for (int64_t i = 0; i < set->n_tokens; i++) { /* the least of two draws: low ids are frequent */
        const uint64_t bits = skw2v_random_bits(key, (uint64_t)i);
        const int32_t a = (int32_t)skw2v_below(bits, (uint32_t)set->n_words);
        const int32_t b = (int32_t)skw2v_below(bits << 32, (uint32_t)set->n_words);
        made.token_ids[i] = a < b ? a : b;
    }
    /* Documents of 1 token up, an empty one at the start, at the end and after the first. */
    int64_t *offsets = made.document_offsets, n = 0, at = 0;
    offsets[n++] = 0;
    offsets[n++] = 0;
    for (uint64_t i = 0; at < set->n_tokens; i++) {
        const uint64_t bits = skw2v_random_bits(key, ~i);
        at += 1 + skw2v_below(bits, (uint32_t)set->longest_document);
        offsets[n++] = at = at < set->n_tokens ? at : set->n_tokens;
        if (i == 0)
            offsets[n++] = at;
    }
    made.n_documents = n - 1;
    made.document_offsets = realloc(offsets, (size_t)n * sizeof *offsets);
    for (int32_t i = 0; i < set->n_words; i++)
        made.keep_threshold[i] = i < set->n_words / 8 ? UINT32_MAX / 2 : UINT32_MAX;
    if (set->pool_size > 0)
        make_noise(set, &made);
    if (has_biases(set) && !(set->options & ZERO))
        make_offsets(set, &made);
    if (set->loss == HS)
        make_paths(set, &made);
    return made;
}

static void free_corpus(corpus *made) {
    free(made->token_ids);
    free(made->document_offsets);
    free(made->keep_threshold);
    free(made->alias_threshold);
    free(made->alias);
    free(made->offsets);
    free(made->path_offsets);
    free(made->path_steps);
}

/* ---- training, as Engine.run does it --------------------------------------------------------- */

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
    float *input, *output; /* output: NULL where it has no rows */
    size_t input_bytes, output_bytes;
    double loss[N_EPOCHS];
    int64_t n_pairs[N_EPOCHS];
} result;

static float *aligned_room(size_t bytes) {
    float *memory = aligned_alloc(64, bytes);
    if (memory == NULL)
        abort();
    return memory;
}

/* Of the columns after the components: 1 for the bias, else 0. */
static float padding(const setting *set, int64_t column) {
    return has_biases(set) && column == set->n_components ? 1.0f : 0.0f;
}

static result make_matrices(const setting *set) {
    const uint64_t key = skw2v_stream_key(1, SKW2V_PURPOSE_INIT, 0);
    const int64_t stride = stride_of(set);
    result made = {.input_bytes = (size_t)(set->n_words * stride) * sizeof(float),
                   .output_bytes = (size_t)(n_output(set) * stride) * sizeof(float)};
    made.input = aligned_room(made.input_bytes);
    for (int64_t i = 0; i < set->n_words * stride; i++) {
        const uint64_t bits = skw2v_random_bits(key, (uint64_t)i);
        const float drawn = (float)(bits >> 40) / 16777216.0f - 0.5f;
        const int64_t column = i % stride;
        made.input[i] = column < set->n_components ? drawn / (float)stride : padding(set, column);
    }
    if (n_output(set) > 0) {
        made.output = aligned_room(made.output_bytes);
        memset(made.output, 0, made.output_bytes);
    }
    return made;
}

static void free_matrices(result *trained) {
    free(trained->input);
    free(trained->output);
}

static result train(const setting *set, const corpus *text, const skw2v_body *body, int n_threads,
                    int n_cores) {
    result trained = make_matrices(set);
    skw2v_team *team = aligned_alloc(64, sizeof *team);
    skw2v_engine engine = {
        .token_ids = text->token_ids,
        .document_offsets = text->document_offsets,
        .n_tokens = set->n_tokens,
        .n_documents = text->n_documents,
        .n_words = set->n_words,
        .keep_threshold = text->keep_threshold,
        .alias_threshold = text->alias_threshold,
        .alias = text->alias,
        .seed = 1,
        .loss = set->loss,
        .remove_hits = !(set->options & HITS),
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
        .input = trained.input,
        .output = trained.output,
    };
    if (team == NULL || skw2v_allocate(&engine) != 0)
        abort();
    float rates[ROUNDS_PER_CALL];
    for (int r = 0; r < ROUNDS_PER_CALL; r++)
        rates[r] = 0.025f;

    const int64_t n_rounds = (engine.segment + engine.shard_tokens - 1) / engine.shard_tokens;
    const int64_t step = SEEDED_RACE == 2 ? 1 : ROUNDS_PER_CALL;
    for (int64_t epoch = 0; epoch < N_EPOCHS; epoch++) {
        for (int s = 0; s < engine.n_shards; s++) {
            skw2v_start_epoch(&engine, epoch, s);
            skw2v_prepare_shard(&engine, epoch, 0, s);
        }
        for (int64_t first = 0; first < n_rounds; first += step) {
            const int64_t n = n_rounds - first < step ? n_rounds - first : step;
#if SEEDED_RACE == 2
            memset(engine.marks, 0, (size_t)(engine.n_words * engine.mark_stride));
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
           memcmp(a->loss, b->loss, sizeof a->loss) == 0 &&
           memcmp(a->n_pairs, b->n_pairs, sizeof a->n_pairs) == 0;
}

/* Is the loss a number, and the padding of the input rows what it was? */
static int sound(const setting *set, const result *trained) {
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

/* Returns the number of thread counts that gave other bits than one thread, and 1 more where those
 * cannot be right; adds to `n_pairs`. */
static int compare(const setting *set, const skw2v_body *body, int64_t *n_pairs) {
    static const int teams[][2] = {
        {2, 64}, {3, 64}, {8, 2}}; /* threads, cores they think to have */
    corpus text = make_corpus(set);
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
    free_corpus(&text);
    return n_other;
}

/* ---- what else a body offers ----------------------------------------------------------------- */

/* Rows of small numbers, all of them different. */
static float *make_rows(int64_t n, int64_t stride, uint64_t purpose) {
    const uint64_t key = skw2v_stream_key(3, purpose, 0);
    float *rows = aligned_room((size_t)(n * stride) * sizeof(float));
    for (int64_t i = 0; i < n * stride; i++)
        rows[i] = (float)(skw2v_random_bits(key, (uint64_t)i) >> 40) / 16777216.0f - 0.5f;
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

/* Returns the number of documents whose pooled row is wrong. */
static int check_pooling(const skw2v_body *body) {
    enum { D = 7, LONGEST = 3 };
    static const int32_t all_ids[LONGEST] = {2, 0, 2};
    int n_wrong = 0;
    float *vectors = room(LONGEST * D, sizeof(float));
    for (int i = 0; i < LONGEST * D; i++)
        vectors[i] = (float)i;
    for (int pooling = SKW2V_POOL_MEAN; pooling <= SKW2V_POOL_MAX; pooling++)
        for (size_t n = 0; n <= LONGEST; n++) {
            int32_t *ids = memcpy(room(n, sizeof *ids), all_ids, n * sizeof *ids);
            double *sum = room(D, sizeof(double));
            float *out = room(D, sizeof(float));
            body->pool_document(ids, (int64_t)n, vectors, D, pooling, sum, out);
            static const float first[3][LONGEST + 1] = {
                {0, 2 * D, D, 4.0f * D / 3}, {0, 2 * D, 2 * D, 4 * D}, {0, 2 * D, 2 * D, 2 * D}};
            n_wrong += out[0] != first[pooling][n];
            free(ids);
            free(sum);
            free(out);
        }
    if (n_wrong)
        printf("%s: pooling is wrong\n", body->name);
    free(vectors);
    return n_wrong;
}

/* Returns the number of failed checks. Numbers of rows to either side of what fits a tile, a block
 * or a part of the partition, and the most there may be. */
static int check_body(const skw2v_body *body) {
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

int main(int argc, char **argv) {
    const char *every[] = {"baseline", "avx2", "avx512"};
    const int named = argc > 1;
    int n_wrong = 0, n_run = 0;
    int64_t n_pairs = 0;
    for (int i = 0; i < (named ? argc - 1 : 3); i++) {
        const skw2v_body *body = skw2v_choose_body(named ? argv[1 + i] : every[i]);
        if (body == NULL)
            continue;
        n_run++;
        for (size_t s = 0; s < sizeof settings / sizeof *settings; s++)
            n_wrong += compare(&settings[s], body, &n_pairs);
        n_wrong += check_body(body);
    }
    if (n_run == 0 || n_pairs == 0) {
        printf("nothing was trained: this run shows nothing\n");
        return 2;
    }
    return n_wrong > 0;
}
