/* Trains made-up corpora with several threads, as `Engine.run` does, and compares every bit with
 * what one thread gives. tools/race.sh builds it with sanitizers and says what they must report.
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
    int64_t n_words, n_tokens;
    int64_t longest_document;
    int architecture, cbow_gradient;
    int window, n_negatives, pool_size, group_size;
    int n_shards;
    int64_t shard_tokens, stride;
} setting;

enum { S = SKW2V_SKIPGRAM, C = SKW2V_CBOW, EXACT = SKW2V_CBOW_EXACT, FULL = SKW2V_CBOW_WORD2VEC };

/* The first ones have the races to be found, rows that are shared and rows that are not; the others
 * are the edges of the memory that a plan may use. */
static const setting settings[] = {
    {"skip-gram", 300, 6000, 150, S, EXACT, 5, 5, 32, 16, 16, 40, 16},
    {"cbow", 300, 6000, 150, C, EXACT, 5, 5, 32, 16, 16, 40, 48},
    {"word2vec's cbow", 2000, 4000, 900, C, FULL, 5, 5, 32, 16, 5, 40, 16},
    {"few words, most shards", 3, 3000, 60, S, EXACT, 4, 5, 5, 16, SKW2V_MAX_SHARDS, 8, 16},
    {"one document", 50, 2000, 2000, S, EXACT, 5, 12, 40, 16, 7, 33, 32},
    {"shards of a token", 20, 400, 30, C, FULL, 3, 2, 2, 4, 16, 1, 16},
    {"wide windows", 40, 500, 90, S, EXACT, 50, 5, 7, 3, 4, 9, 16},
    {"one shard", 100, 900, 50, S, EXACT, 5, 5, 32, 16, 1, 100, 16},
    {"fewer tokens than shards", 5, 11, 4, C, EXACT, 5, 5, 32, 16, 16, 128, 16},
    {"one token", 1, 1, 1, S, EXACT, 5, 1, 1, 1, 3, 1, 16},
};

/* ---- a corpus ------------------------------------------------------------------------------- */

typedef struct {
    int32_t *token_ids, *alias;
    int64_t *document_offsets, n_documents;
    uint32_t *keep_threshold, *alias_threshold;
} corpus;

/* Exactly as much as is used, so that the AddressSanitizer sees the first byte too many. */
static void *room(size_t n, size_t size) {
    void *memory = malloc(n * size);
    if (memory == NULL)
        abort();
    return memory;
}

static corpus make_corpus(const setting *set) {
    const uint64_t key = skw2v_stream_key(2, SKW2V_PURPOSE_INIT, 0);
    corpus made = {.token_ids = room((size_t)set->n_tokens, sizeof(int32_t)),
                   .document_offsets = room((size_t)set->n_tokens + 4, sizeof(int64_t)),
                   .keep_threshold = room((size_t)set->n_words, sizeof(uint32_t)),
                   .alias_threshold = room((size_t)set->n_words, sizeof(uint32_t)),
                   .alias = room((size_t)set->n_words, sizeof(int32_t))};
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
    for (int32_t i = 0; i < set->n_words; i++) {
        made.keep_threshold[i] = i < set->n_words / 8 ? UINT32_MAX / 2 : UINT32_MAX;
        made.alias_threshold[i] = i % 2 ? UINT32_MAX : UINT32_MAX / 3;
        made.alias[i] = i / 2;
    }
    return made;
}

static void free_corpus(corpus *made) {
    free(made->token_ids);
    free(made->document_offsets);
    free(made->keep_threshold);
    free(made->alias_threshold);
    free(made->alias);
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
    float *matrices; /* input and output vectors, (2, n_words, stride) */
    size_t bytes;
    double loss[N_EPOCHS];
    int64_t n_pairs[N_EPOCHS];
} result;

static result train(const setting *set, const corpus *text, const skw2v_body *body, int n_threads,
                    int n_cores) {
    const int64_t n_floats = set->n_words * set->stride;
    result trained = {.bytes = 2 * (size_t)n_floats * sizeof(float)};
    trained.matrices = aligned_alloc(64, trained.bytes);
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
        .architecture = set->architecture,
        .cbow_gradient = set->cbow_gradient,
        .window = set->window,
        .dynamic_window = 1,
        .n_negatives = set->n_negatives,
        .pool_size = set->pool_size,
        .group_size = set->group_size,
        .stride = set->stride,
        .n_shards = set->n_shards,
        .shard_tokens = set->shard_tokens,
        .segment = (set->n_tokens + set->n_shards - 1) / set->n_shards,
        .input = trained.matrices,
        .output = trained.matrices + n_floats,
    };
    if (trained.matrices == NULL || team == NULL || skw2v_allocate(&engine) != 0)
        abort();
    const uint64_t key = skw2v_stream_key(1, SKW2V_PURPOSE_INIT, 0);
    for (int64_t i = 0; i < n_floats; i++) {
        const uint64_t bits = skw2v_random_bits(key, (uint64_t)i);
        engine.input[i] = ((float)(bits >> 40) / 16777216.0f - 0.5f) / (float)set->stride;
        engine.output[i] = 0.0f;
    }
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
    return memcmp(a->matrices, b->matrices, a->bytes) == 0 &&
           memcmp(a->loss, b->loss, sizeof a->loss) == 0 &&
           memcmp(a->n_pairs, b->n_pairs, sizeof a->n_pairs) == 0;
}

/* Returns the number of thread counts that gave other bits than one thread; adds to `n_pairs`. */
static int compare(const setting *set, const skw2v_body *body, int64_t *n_pairs) {
    static const int teams[][2] = {
        {2, 64}, {3, 64}, {8, 2}}; /* threads, cores they think to have */
    corpus text = make_corpus(set);
    result alone = train(set, &text, body, 1, 1);
    int n_other = 0;
    for (size_t i = 0; i < sizeof teams / sizeof *teams; i++) {
        result together = train(set, &text, body, teams[i][0], teams[i][1]);
        if (!same(&alone, &together)) {
            printf("%s, %s: %d threads differ from one\n", body->name, set->name, teams[i][0]);
            n_other++;
        }
        free(together.matrices);
    }
    printf("%s, %s: %lld pairs\n", body->name, set->name, (long long)alone.n_pairs[0]);
    *n_pairs += alone.n_pairs[0];
    free(alone.matrices);
    free_corpus(&text);
    return n_other;
}

int main(int argc, char **argv) {
    const char *every[] = {"baseline", "avx2", "avx512"};
    const int named = argc > 1;
    int n_other = 0, n_run = 0;
    int64_t n_pairs = 0;
    for (int i = 0; i < (named ? argc - 1 : 3); i++) {
        const skw2v_body *body = skw2v_choose_body(named ? argv[1 + i] : every[i]);
        if (body == NULL)
            continue;
        n_run++;
        for (size_t s = 0; s < sizeof settings / sizeof *settings; s++)
            n_other += compare(&settings[s], body, &n_pairs);
    }
    if (n_run == 0 || n_pairs == 0) {
        printf("nothing was trained: this run shows nothing\n");
        return 2;
    }
    return n_other > 0;
}
