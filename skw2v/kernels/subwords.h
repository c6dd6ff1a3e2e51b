/* Words made of parts: an input row is the mean of the subword rows of its word's parts.
 *
 *   compose   subwords -> input rows of the words that the next round touches
 *
 *   (the round trains and merges the input rows as those of any word)
 *
 *   spread    what the round has changed of an input row -> each of its parts
 *
 * The mean moves by exactly that much if no other word of the round has one of the parts. Words
 * that share parts learn of each other between rounds: it is the staleness of shards again, and no
 * more of it. So the time for parts goes with the distinct words of a round, not with its pairs.
 *
 * Every word has one shard that composes it, as it has one that merges it. Every subword row has
 * one shard that spreads to it, and adds in the order of the shards that composed and of their
 * slots. */
#ifndef SKW2V_SUBWORDS_H
#define SKW2V_SUBWORDS_H

#include "marks.h"
#include "vec.h"

ALWAYS_INLINE void compose_strip(const int n_vectors, float *row, const float *subwords,
                                 const int32_t *parts, int64_t n, int64_t stride, int64_t j) {
    vf sum[4];
    for (int v = 0; v < n_vectors; v++)
        sum[v] = vf_set1(0.0f);
    for (int64_t p = 0; p < n; p++)
        for (int v = 0; v < n_vectors; v++)
            sum[v] = sum[v] + vf_load(subwords + parts[p] * stride + j + v * LANES);
    const vf share = vf_set1(n > 0 ? 1.0f / (float)n : 0.0f);
    for (int v = 0; v < n_vectors; v++)
        vf_store(row + j + v * LANES, sum[v] * share);
}

/* row = mean of the subword rows parts[0 .. n); zeros where n is 0. `bias_column` becomes 1. */
static void compose_row(float *row, const float *subwords, const int32_t *parts, int64_t n,
                        int64_t stride, int bias_column) {
    int64_t j = 0;
    for (; j + 4 * LANES <= stride; j += 4 * LANES)
        compose_strip(4, row, subwords, parts, n, stride, j);
    for (; j < stride; j += LANES)
        compose_strip(1, row, subwords, parts, n, stride, j);
    if (bias_column >= 0)
        row[bias_column] = 1.0f; /* the mean of ones may be rounded */
}

enum { WORDS_AHEAD = 2, ROWS_AHEAD = 8 }; /* how far rows are fetched before their use */

static inline void prefetch_row(const float *row, int64_t stride) {
    for (int64_t j = 0; j < stride; j += BLOCK)
        __builtin_prefetch(row + j, 1, 2);
}

static void prefetch_parts(const skw2v_engine *engine, int32_t word) {
    for (int64_t p = engine->part_offsets[word]; p < engine->part_offsets[word + 1]; p++)
        prefetch_row(engine->subwords + engine->parts[p] * engine->stride, engine->stride);
}

/* Is it this shard that composes the word of one of its slots, and spreads its change? */
static inline int is_in_charge(const skw2v_engine *engine, const skw2v_slot *slot, int shard) {
    const uint8_t *marks = engine->marks + slot->word * (int64_t)engine->mark_stride;
    return (slot->roles & SKW2V_ROLE_INPUT) &&
           merger_of(shards_in_role(marks, engine->mark_stride, SKW2V_ROLE_INPUT), slot->word) ==
               shard;
}

/* The shard that spreads to a subword row. */
static inline int spreader_of(const skw2v_engine *engine, int32_t part) {
    const uint32_t scattered = (uint32_t)part * UINT32_C(0x9E3779B1);
    return (int)((uint64_t)scattered * (uint64_t)engine->n_shards >> 32);
}

/* Which words the shard composes for the round, which has been prepared, and who will spread. */
static void plan_making(const skw2v_engine *engine, const skw2v_plan *plan, int shard) {
    skw2v_making *making = &engine->makings[shard];
    int32_t next[SKW2V_MAX_SHARDS + 1] = {0};
    making->n_words = 0;
    for (int32_t i = 0; i < plan->n_slots; i++) {
        if (!is_in_charge(engine, &plan->slots[i], shard))
            continue;
        const int32_t word = plan->slots[i].word;
        making->words[making->n_words++] = word;
        for (int64_t p = engine->part_offsets[word]; p < engine->part_offsets[word + 1]; p++)
            next[spreader_of(engine, engine->parts[p]) + 1]++;
    }
    for (int s = 0; s < engine->n_shards; s++)
        next[s + 1] += next[s];
    memcpy(making->first_of, next, sizeof next);
    for (int32_t i = 0; i < making->n_words; i++) {
        const int32_t word = making->words[i];
        for (int64_t p = engine->part_offsets[word]; p < engine->part_offsets[word + 1]; p++) {
            const int32_t part = engine->parts[p], at = next[spreader_of(engine, part)]++;
            making->shares[at].word = word;
            making->shares[at].part = part;
        }
    }
}

/* The input rows of the words that the round will touch. */
static void compose_shard(skw2v_engine *engine, int64_t round, int shard) {
    const skw2v_making *making = &engine->makings[shard];
    plan_making(engine, &engine->plans[round & 1][shard], shard);
    for (int32_t i = 0; i < making->n_words; i++) {
        if (i + WORDS_AHEAD < making->n_words)
            prefetch_parts(engine, making->words[i + WORDS_AHEAD]);
        const int32_t word = making->words[i];
        const int64_t row = word * engine->stride, first = engine->part_offsets[word];
        compose_row(engine->input + row, engine->subwords, engine->parts + first,
                    engine->part_offsets[word + 1] - first, engine->stride, engine->bias_column);
        memcpy(engine->composed + row, engine->input + row, (size_t)engine->stride * sizeof(float));
    }
}

/* The shard's part of the subword rows: all that the words of the round have changed by. */
static void spread_shard(skw2v_engine *engine, int64_t round, int shard) {
    (void)round; /* the one that was composed last */
    const int64_t stride = engine->stride;
    for (int s = 0; s < engine->n_shards; s++) {
        const skw2v_making *making = &engine->makings[s];
        const int32_t end = making->first_of[shard + 1];
        for (int32_t i = making->first_of[shard]; i < end; i++) {
            const int32_t ahead = i + ROWS_AHEAD < end ? i + ROWS_AHEAD : end - 1;
            prefetch_row(engine->subwords + making->shares[ahead].part * stride, stride);
            const int64_t row = making->shares[i].word * stride;
            float *subword = engine->subwords + making->shares[i].part * stride;
            for (int64_t j = 0; j < stride; j += LANES)
                vf_store(subword + j, vf_load(subword + j) + (vf_load(engine->input + row + j) -
                                                              vf_load(engine->composed + row + j)));
        }
    }
}

#endif
