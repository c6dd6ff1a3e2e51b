/* Trains the engine on a small made-up corpus, without Python, and prints a digest of the vectors'
 * bits for each architecture and loss. tools/check_arm64.sh builds it for two processors and
 * compares. */
#include "engine.h"
#include "made_up.h"
#include "rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_WORDS = 300, N_TOKENS = 20000, N_DOCUMENTS = 50, STRIDE = 112, N_COMPONENTS = 100 };
enum { N_SHARDS = 4, SHARD_TOKENS = 50, N_ROUNDS = N_TOKENS / (N_SHARDS * SHARD_TOKENS) };
enum { N_EPOCHS = 2, N_SOFTMAX_ROUNDS = 5 }; /* softmax takes long, under emulation above all */
enum { N_NEGATIVES = 5, POOL_SIZE = 32, N_HOT_NODES = 31 };

static const char *const losses[] = {
    [SKW2V_NEGATIVE_SAMPLING] = "negative_sampling",
    [SKW2V_NCE] = "nce",
    [SKW2V_SAMPLED_SOFTMAX] = "sampled_softmax",
    [SKW2V_HIERARCHICAL_SOFTMAX] = "hierarchical_softmax",
    [SKW2V_SOFTMAX] = "softmax",
};

static int32_t token_ids[N_TOKENS], alias[N_WORDS];
static int64_t document_offsets[N_DOCUMENTS + 1];
static uint32_t keep_threshold[N_WORDS], alias_threshold[N_WORDS];
static float offsets[N_WORDS];
static int64_t path_offsets[N_WORDS + 1];
static int32_t path_steps[N_WORDS * N_WORDS];

static float *rows(void) {
    float *memory = aligned_alloc(64, N_WORDS * STRIDE * sizeof(float));
    return memory == NULL ? NULL : memset(memory, 0, N_WORDS * STRIDE * sizeof(float));
}

/* FNV-1a over the bits. */
static uint64_t digest(const float *matrix) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const unsigned char *bytes = (const unsigned char *)matrix;
    for (size_t i = 0; i < N_WORDS * STRIDE * sizeof(float); i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void make_paths(void) {
    int64_t n = 0;
    for (int64_t word = 0; word < N_WORDS; word++) {
        path_offsets[word] = n;
        n += flat_path(N_WORDS, word, path_steps + n);
    }
    path_offsets[N_WORDS] = n;
}

static int train(const skw2v_body *body, int architecture, int loss) {
    const int has_noise = loss <= SKW2V_SAMPLED_SOFTMAX;
    const int has_biases =
        loss == SKW2V_NCE || loss == SKW2V_SAMPLED_SOFTMAX || loss == SKW2V_SOFTMAX;
    const int64_t n_outputs = N_WORDS - (loss == SKW2V_HIERARCHICAL_SOFTMAX);
    const int64_t n_hot = loss == SKW2V_SOFTMAX                ? n_outputs
                          : loss == SKW2V_HIERARCHICAL_SOFTMAX ? N_HOT_NODES
                                                               : 0;
    const int64_t n_epochs = loss == SKW2V_SOFTMAX ? 1 : N_EPOCHS;
    const int64_t n_rounds = loss == SKW2V_SOFTMAX ? N_SOFTMAX_ROUNDS : N_ROUNDS;
    skw2v_engine engine = {
        .token_ids = token_ids,
        .document_offsets = document_offsets,
        .n_tokens = N_TOKENS,
        .n_documents = N_DOCUMENTS,
        .n_words = N_WORDS,
        .n_targets = N_WORDS,
        .curvature_column = -1,
        .keep_threshold = keep_threshold,
        .alias_threshold = alias_threshold,
        .alias = alias,
        .seed = 1,
        .loss = loss,
        .remove_hits = loss != SKW2V_NCE,
        .offsets = has_biases ? offsets : NULL,
        .path_offsets = path_offsets,
        .path_steps = path_steps,
        .bias_column = has_biases ? N_COMPONENTS : -1,
        .hot_first = n_outputs - n_hot,
        .n_hot = n_hot,
        .architecture = architecture,
        .cbow_gradient = SKW2V_CBOW_EXACT,
        .window = 5,
        .dynamic_window = 1,
        .n_negatives = has_noise ? N_NEGATIVES : 0,
        .pool_size = has_noise ? POOL_SIZE : 0,
        .group_size = SKW2V_MAX_GROUP,
        .stride = STRIDE,
        .n_shards = N_SHARDS,
        .shard_tokens = SHARD_TOKENS,
        .segment = N_TOKENS / N_SHARDS,
        .input = rows(),
        .output = rows(),
    };
    if (engine.input == NULL || engine.output == NULL || skw2v_allocate(&engine) != 0)
        return 1;
    const uint64_t key = skw2v_stream_key(1, SKW2V_PURPOSE_INIT, 0);
    for (uint64_t i = 0; i < N_WORDS; i++)
        for (uint64_t j = 0; j < N_COMPONENTS; j++)
            engine.input[i * STRIDE + j] =
                centered_number(skw2v_random_bits(key, i * N_COMPONENTS + j)) / N_COMPONENTS;
    for (int64_t i = 0; has_biases && i < N_WORDS; i++)
        engine.input[i * STRIDE + engine.bias_column] = 1.0f;
    float learning_rates[N_ROUNDS];
    for (int r = 0; r < N_ROUNDS; r++)
        learning_rates[r] = 0.025f;
    for (int64_t epoch = 0; epoch < n_epochs; epoch++) {
        skw2v_team team;
        for (int s = 0; s < engine.n_shards; s++) {
            skw2v_start_epoch(&engine, epoch, s);
            skw2v_plan_shard(&engine, epoch, 0, s);
            skw2v_mark_shard(&engine, 0, s);
        }
        skw2v_start_team(&team, 1, 1);
        skw2v_run_rounds(&engine, body, &team, 0, epoch, 0, n_rounds, learning_rates);
    }
    int64_t n_pairs = 0;
    for (int s = 0; s < engine.n_shards; s++)
        n_pairs += engine.streams[s].n_pairs;
    if (n_pairs == 0) {
        fprintf(stderr, "nothing was trained: its digest would show nothing\n");
        return 2;
    }
    printf("%s %s %016llx %016llx\n", architecture == SKW2V_SKIPGRAM ? "skipgram" : "cbow",
           losses[loss], (unsigned long long)digest(engine.input),
           (unsigned long long)digest(engine.output));
    skw2v_release(&engine);
    free(engine.input);
    free(engine.output);
    return 0;
}

int main(int argc, char **argv) {
    const skw2v_body *body = skw2v_choose_body(argc > 1 ? argv[1] : NULL);
    if (body == NULL) {
        fprintf(stderr, "this machine does not run %s\n", argc > 1 ? argv[1] : "any body");
        return 2;
    }
    const uint64_t key = skw2v_stream_key(2, SKW2V_PURPOSE_INIT, 0);
    for (uint64_t i = 0; i < N_TOKENS; i++)
        token_ids[i] =
            skewed_id(skw2v_random_bits(key, 2 * i), skw2v_random_bits(key, 2 * i + 1), N_WORDS);
    for (int64_t i = 0; i <= N_DOCUMENTS; i++)
        document_offsets[i] = i * N_TOKENS / N_DOCUMENTS;
    for (int32_t i = 0; i < N_WORDS; i++) {
        keep_threshold[i] = i < 10 ? UINT32_MAX / 2 : UINT32_MAX;
        alias_threshold[i] = UINT32_MAX;
        alias[i] = i;
        offsets[i] = -3.0f - (float)i / 128.0f;
    }
    make_paths();
    int status = 0;
    for (int loss = SKW2V_NEGATIVE_SAMPLING; loss <= SKW2V_SOFTMAX && !status; loss++)
        status = train(body, SKW2V_SKIPGRAM, loss) || train(body, SKW2V_CBOW, loss);
    return status;
}
