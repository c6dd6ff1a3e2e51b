#include "race_corpus.h"
#include "made_up.h"
#include "race_memory.h"
#include "rng.h"

#include <stdlib.h>
#include <string.h>

/* The way from the root, node n_targets - 2, down to the target, at `steps`; returns its length. In
 * a chain, node after node has one target and the rest of the chain below it. */
static int64_t walk_down(const race_setting *set, int64_t target, int32_t *steps) {
    if (!(set->options & RACE_CHAIN))
        return flat_path(n_targets(set), target, steps);
    const int64_t root = n_targets(set) - 2;
    int64_t n = 0;
    for (; n <= target && n <= root; n++)
        steps[n] = (int32_t)(2 * (root - n) + (n == target));
    return n;
}

static void make_paths(const race_setting *set, race_corpus *made) {
    const size_t n = (size_t)n_targets(set);
    int32_t *steps = room(n * n, sizeof(int32_t));
    made->path_offsets = room(n + 1, sizeof(int64_t));
    int64_t n_steps = 0;
    for (int64_t t = 0; t < n_targets(set); t++) {
        made->path_offsets[t] = n_steps;
        n_steps += walk_down(set, t, steps + n_steps);
    }
    made->path_offsets[n] = n_steps;
    if (n_steps > 0) /* NULL for none, as from `Engine` */
        made->path_steps =
            memcpy(room((size_t)n_steps, sizeof *steps), steps, (size_t)n_steps * sizeof *steps);
    free(steps);
}

static void make_noise(const race_setting *set, race_corpus *made) {
    made->alias_threshold = room((size_t)n_targets(set), sizeof(uint32_t));
    made->alias = room((size_t)n_targets(set), sizeof(int32_t));
    for (int32_t i = 0; i < n_targets(set); i++) {
        made->alias_threshold[i] = i % 2 ? UINT32_MAX : UINT32_MAX / 3;
        made->alias[i] = i / 2;
    }
}

static void make_offsets(const race_setting *set, race_corpus *made) {
    made->offsets = room((size_t)n_targets(set), sizeof(float));
    for (int32_t i = 0; i < n_targets(set); i++)
        made->offsets[i] = 1.0f - 4.0f * (float)i / (float)n_targets(set);
}

/* A word's own row, and up to seven of a few that all words share, two of a kind next to each
 * other. */
static void make_parts(const race_setting *set, race_corpus *made) {
    enum { N_SHARED = 11, MOST = 8 };
    const size_t n_words = (size_t)set->n_words;
    int32_t *parts = room(MOST * n_words, sizeof *parts);
    made->part_offsets = room(n_words + 1, sizeof(int64_t));
    made->n_subwords = set->n_words + N_SHARED;
    int64_t n = 0;
    for (int64_t w = 0; w < set->n_words; w++) {
        made->part_offsets[w] = n;
        parts[n++] = (int32_t)w;
        for (int64_t p = 0; p < w % MOST; p++)
            parts[n++] = (int32_t)(set->n_words + (w / 3 + p) % N_SHARED);
    }
    made->part_offsets[n_words] = n;
    made->parts = memcpy(room((size_t)n, sizeof *parts), parts, (size_t)n * sizeof *parts);
    free(parts);
}

/* A class for each document, or for one versus rest up to two; and an epoch: the documents that
 * have a token, in an order of their own, and where the share of each shard begins. */
static void make_documents(const race_setting *set, race_corpus *made) {
    const size_t n_documents = (size_t)made->n_documents;
    made->label_offsets = room(n_documents + 1, sizeof(int64_t));
    made->labels = room(2 * n_documents, sizeof(int32_t));
    made->order = room(n_documents, sizeof(int64_t));
    made->shares = room(n_documents + 1, sizeof(int64_t));
    int64_t n_labels = 0, n_drawn = 0, begin = 0, next = 0;
    for (int64_t d = 0; d < made->n_documents; d++) {
        const int64_t most = set->n_classes < 2 ? 1 : 2;
        const int64_t n = set->loss == SKW2V_ONE_VERSUS_REST ? d % (most + 1) : 1;
        made->label_offsets[d] = n_labels;
        for (int64_t l = 0; l < n; l++)
            made->labels[n_labels++] = (int32_t)((d * 7 + l) % set->n_classes);
    }
    made->label_offsets[n_documents] = n_labels;
    for (int64_t d = made->n_documents - 1; d >= 0; d--) {
        const int64_t length = made->document_offsets[d + 1] - made->document_offsets[d];
        if (length == 0)
            continue;
        if (begin >= next) {
            made->shares[made->n_shares++] = n_drawn;
            next = (begin / set->shard_tokens + 1) * set->shard_tokens;
        }
        made->order[n_drawn++] = d;
        begin += length;
    }
    made->shares[made->n_shares] = n_drawn;
}

race_corpus race_make_corpus(const race_setting *set) {
    const uint64_t key = skw2v_stream_key(2, SKW2V_PURPOSE_INIT, 0);
    race_corpus made = {.token_ids = room((size_t)set->n_tokens, sizeof(int32_t)),
                        .document_offsets = room((size_t)set->n_tokens + 4, sizeof(int64_t)),
                        .keep_threshold = room((size_t)set->n_words, sizeof(uint32_t))};
    for (int64_t i = 0; i < set->n_tokens; i++) {
        const uint64_t bits = skw2v_random_bits(key, (uint64_t)i);
        made.token_ids[i] = skewed_id(bits, bits << 32, (uint32_t)set->n_words);
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
    if (has_biases(set) && !(set->options & RACE_ZERO))
        make_offsets(set, &made);
    if (set->loss == SKW2V_HIERARCHICAL_SOFTMAX)
        make_paths(set, &made);
    if (set->options & RACE_PARTS)
        make_parts(set, &made);
    if (set->architecture == SKW2V_DOCUMENT)
        make_documents(set, &made);
    if (set->options & RACE_FROZEN) {
        made.frozen = room((size_t)set->n_words, sizeof(uint8_t));
        for (int64_t w = 0; w < set->n_words; w++)
            made.frozen[w] = w % 2 == 0;
    }
    return made;
}

void race_free_corpus(race_corpus *made) {
    free(made->token_ids);
    free(made->document_offsets);
    free(made->keep_threshold);
    free(made->alias_threshold);
    free(made->alias);
    free(made->offsets);
    free(made->path_offsets);
    free(made->path_steps);
    free(made->part_offsets);
    free(made->parts);
    free(made->frozen);
    free(made->label_offsets);
    free(made->labels);
    free(made->order);
    free(made->shares);
}
