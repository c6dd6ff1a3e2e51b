/* From the token stream to the plan of a shard: integers only, no instruction set of its own. */
#include "engine.h"
#include "rng.h"

#include <stdlib.h>
#include <string.h>

#define SLOT_ROOM 4 /* places of a table for each slot, at least: words seldom meet */

/* The document that holds `position`: the last one that begins at or before it. */
static int64_t document_of(const skw2v_engine *engine, int64_t position) {
    int64_t low = 0, high = engine->n_documents; /* offsets[low] <= position < offsets[high] */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (engine->document_offsets[middle] <= position)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Draws `position`: is its token kept, and how far does its window reach? 0 where dropped. */
static inline int32_t draw_half_window(const skw2v_engine *engine, uint64_t key, int64_t position) {
    uint64_t bits = skw2v_random_bits(key, (uint64_t)position);
    if ((uint32_t)bits > engine->keep_threshold[engine->token_ids[position]])
        return 0;
    int32_t half_window = engine->window;
    if (engine->dynamic_window)
        half_window = 1 + (int32_t)skw2v_below(bits, (uint32_t)engine->window);
    return half_window < engine->reach ? half_window : engine->reach;
}

static inline void put_kept(skw2v_stream *stream, int32_t at, const skw2v_engine *engine,
                            int64_t position, int64_t document, int32_t half_window) {
    stream->position[at] = position;
    stream->document[at] = document;
    stream->word[at] = engine->token_ids[position];
    stream->half_window[at] = half_window;
}

static void move_kept(skw2v_stream *stream, int32_t from, int32_t to, int32_t n) {
    memmove(stream->position + to, stream->position + from, n * sizeof *stream->position);
    memmove(stream->document + to, stream->document + from, n * sizeof *stream->document);
    memmove(stream->word + to, stream->word + from, n * sizeof *stream->word);
    memmove(stream->half_window + to, stream->half_window + from, n * sizeof *stream->half_window);
}

/* Puts the stream at the start of its segment, with the kept tokens that the first windows reach
 * back to. */
void skw2v_start_epoch(skw2v_engine *engine, int64_t epoch, int shard) {
    skw2v_stream *stream = &engine->streams[shard];
    const uint64_t key = skw2v_stream_key(engine->seed, SKW2V_PURPOSE_POSITION, (uint64_t)epoch);
    const int64_t start = shard * engine->segment;
    stream->loss = 0.0;
    stream->n_pairs = 0;
    stream->n_kept = 0;
    stream->cursor = start;
    if (start >= engine->n_tokens || engine->architecture == SKW2V_DOCUMENT)
        return;
    stream->cursor_document = stream->center_document = document_of(engine, start);

    const int64_t first = engine->document_offsets[stream->cursor_document];
    int32_t room = engine->reach; /* filled from the right, then moved to the front */
    for (int64_t position = start - 1; position >= first && room > 0; position--) {
        int32_t half_window = draw_half_window(engine, key, position);
        if (half_window)
            put_kept(stream, --room, engine, position, stream->cursor_document, half_window);
    }
    stream->n_kept = engine->reach - room;
    move_kept(stream, room, 0, stream->n_kept);
}

/* Draws the stream forward over [begin, end) and as far beyond as its windows may reach. */
static void advance(skw2v_engine *engine, skw2v_stream *stream, uint64_t key, int64_t begin,
                    int64_t end) {
    int32_t drop = 0;
    while (drop < stream->n_kept && stream->position[drop] < begin)
        drop++;
    drop = drop > engine->reach ? drop - engine->reach : 0;
    stream->n_kept -= drop;
    if (drop)
        move_kept(stream, drop, 0, stream->n_kept);

    while (engine->document_offsets[stream->center_document + 1] < end)
        stream->center_document++;
    const int64_t reach = engine->document_offsets[stream->center_document + 1];
    int32_t beyond = 0;
    while (beyond < stream->n_kept && stream->position[stream->n_kept - 1 - beyond] >= end)
        beyond++;
    while (stream->cursor < end || (stream->cursor < reach && beyond < engine->reach)) {
        int64_t position = stream->cursor++;
        while (engine->document_offsets[stream->cursor_document + 1] <= position)
            stream->cursor_document++;
        int32_t half_window = draw_half_window(engine, key, position);
        if (half_window) {
            put_kept(stream, stream->n_kept++, engine, position, stream->cursor_document,
                     half_window);
            beyond += position >= end;
        }
    }
}

static inline uint32_t bucket_of(int32_t word, int32_t table_size) {
    return ((uint32_t)word * UINT32_C(2654435769) >> 7) & (uint32_t)(table_size - 1);
}

int32_t skw2v_find_slot(const skw2v_plan *plan, int32_t word) {
    uint32_t bucket = bucket_of(word, plan->table_size);
    while (plan->slots[plan->table[bucket]].word != word)
        bucket = (bucket + 1) & (uint32_t)(plan->table_size - 1);
    return plan->table[bucket];
}

/* An empty table for `n` slots at most. */
static void start_table(const skw2v_engine *engine, skw2v_plan *plan, int64_t n) {
    plan->table_size = 64;
    while (plan->table_size < engine->table_size && plan->table_size < SLOT_ROOM * n)
        plan->table_size *= 2;
    memset(plan->table, 0xff, (size_t)plan->table_size * sizeof *plan->table);
}

static int32_t find_or_add_slot(skw2v_plan *plan, int32_t word) {
    uint32_t bucket = bucket_of(word, plan->table_size);
    for (;;) {
        int32_t slot = plan->table[bucket];
        if (slot < 0)
            break;
        if (plan->slots[slot].word == word)
            return slot;
        bucket = (bucket + 1) & (uint32_t)(plan->table_size - 1);
    }
    skw2v_slot *added = &plan->slots[plan->n_slots];
    added->word = word;
    added->roles = 0;
    added->last_token = added->last_draw = -1;
    plan->table[bucket] = plan->n_slots;
    return plan->n_slots++;
}

/* Windows and slots of the stream's kept tokens. Returns the number of windows with a context. */
static int32_t plan_tokens(const skw2v_engine *engine, const skw2v_stream *stream, skw2v_plan *plan,
                           int64_t begin, int64_t end) {
    const int32_t n = stream->n_kept;
    plan->n_tokens = n;
    plan->first_center = plan->last_center = 0;
    while (plan->first_center < n && stream->position[plan->first_center] < begin)
        plan->first_center++;
    plan->last_center = plan->first_center;
    while (plan->last_center < n && stream->position[plan->last_center] < end)
        plan->last_center++;

    int32_t n_windows = 0, document_begin = 0;
    int32_t reached_from = n, reached_to = 0;
    for (int32_t i = 0; i < plan->last_center; i++) {
        if (stream->document[i] != stream->document[document_begin])
            document_begin = i;
        if (i < plan->first_center)
            continue;
        int32_t from = i - stream->half_window[i], to = i + stream->half_window[i] + 1;
        from = from < document_begin ? document_begin : from;
        to = to > n ? n : to;
        while (stream->document[to - 1] != stream->document[i])
            to--;
        plan->tokens[i].begin = from;
        plan->tokens[i].end = to;
        if (to - from > 1) {
            n_windows++;
            reached_from = from < reached_from ? from : reached_from;
            reached_to = to > reached_to ? to : reached_to;
        }
    }
    if (n_windows > 0) { /* every center has a slot, with or without a window */
        reached_from = reached_from < plan->first_center ? reached_from : plan->first_center;
        reached_to = reached_to > plan->last_center ? reached_to : plan->last_center;
    }
    for (int32_t i = reached_from; i < reached_to; i++) {
        skw2v_token *token = &plan->tokens[i];
        token->slot = find_or_add_slot(plan, stream->word[i]);
        skw2v_slot *slot = &plan->slots[token->slot];
        token->previous = slot->last_token;
        slot->last_token = i;
        slot->roles |= SKW2V_ROLE_INPUT;
    }
    plan->reached_from = reached_from;
    plan->reached_to = reached_to;
    return n_windows;
}

/* Documents come in no order of memory: what is needed of them is sent for in two steps, where a
 * document lies a round before its turn, its tokens and labels as its shard's turn begins. */
static void prefetch_places(const skw2v_engine *engine, int64_t share) {
    if (share >= engine->n_shares)
        return;
    for (int64_t place = engine->shares[share]; place < engine->shares[share + 1]; place++) {
        __builtin_prefetch(engine->document_offsets + engine->order[place]);
        __builtin_prefetch(engine->label_offsets + engine->order[place]);
    }
}

/* Makes the word token n of the shard's documents, or counts it where the document, which begins at
 * token `begin`, has it already. Returns how many tokens that adds. Which of the two it is, and if
 * the word has a slot, is anybody's guess: no branch depends on it. */
static inline int32_t take_token(skw2v_plan *plan, int32_t begin, int32_t n, int32_t word) {
    const uint32_t mask = (uint32_t)(plan->table_size - 1);
    uint32_t bucket = bucket_of(word, plan->table_size);
    while (plan->table[bucket] >= 0 && plan->slots[plan->table[bucket]].word != word)
        bucket = (bucket + 1) & mask;
    const int32_t found = plan->table[bucket];
    const int32_t is_new = found < 0, place = is_new ? plan->n_slots : found;
    skw2v_slot *slot = &plan->slots[place];
    const int32_t last = is_new ? -1 : slot->last_token;
    const int32_t is_again = last >= begin, token = is_again ? last : n;
    slot->word = word;
    slot->roles = SKW2V_ROLE_INPUT;
    slot->last_token = token;
    slot->last_draw = -1;
    plan->table[bucket] = place;
    plan->n_slots += is_new;
    plan->tokens[token].slot = place;
    plan->times[token] = is_again ? plan->times[token] + 1.0f : 1.0f;
    return !is_again;
}

/* Slots of the tokens of the shard's documents. Returns the number of documents. */
static int32_t plan_documents(const skw2v_engine *engine, skw2v_plan *plan, int64_t share) {
    const int32_t line = 64 / sizeof *engine->token_ids;
    int64_t n_slots = engine->pool_size;
    prefetch_places(engine, share + engine->n_shards);
    for (int64_t place = engine->shares[share]; place < engine->shares[share + 1]; place++) {
        const int64_t d = engine->order[place];
        const int64_t begin = engine->document_offsets[d], end = engine->document_offsets[d + 1];
        __builtin_prefetch(engine->labels + engine->label_offsets[d]);
        for (int64_t t = begin; t < end; t += line)
            __builtin_prefetch(engine->token_ids + t);
        n_slots += end - begin + engine->label_slots;
    }
    start_table(engine, plan, n_slots);
    int32_t n = 0;
    for (int64_t place = engine->shares[share]; place < engine->shares[share + 1]; place++) {
        const int64_t d = engine->order[place], label = engine->label_offsets[d];
        skw2v_document *document = &plan->documents[plan->n_documents++];
        *document = (skw2v_document){.document = d, .begin = n, .label = -1, .slot = -1};
        if (label < engine->label_offsets[d + 1])
            document->label = engine->labels[label];
        const int64_t begin = engine->document_offsets[d], end = engine->document_offsets[d + 1];
        document->share = 1.0f / (float)(end - begin);
        for (int64_t t = begin; t < end; t++)
            n += take_token(plan, document->begin, n, engine->token_ids[t]);
        document->end = n;
    }
    plan->n_tokens = plan->reached_to = n;
    plan->reached_from = 0;
    return plan->n_documents;
}

/* ---- the output rows of a shard, as its objective needs them ----------------------------------
 */

static void plan_centers(skw2v_plan *plan) {
    for (int32_t d = 0; d < plan->n_documents; d++) {
        skw2v_document *document = &plan->documents[d];
        document->slot = find_or_add_slot(plan, document->label);
        plan->slots[document->slot].roles |= SKW2V_ROLE_OUTPUT;
    }
    for (int32_t i = plan->first_center; i < plan->last_center; i++)
        plan->slots[plan->tokens[i].slot].roles |= SKW2V_ROLE_OUTPUT;
}

/* Appends the nodes on the way to a target. Hot ones need no slot. */
static int32_t plan_path(const skw2v_engine *engine, skw2v_plan *plan, int32_t n, int32_t target) {
    const int64_t begin = engine->path_offsets[target], end = engine->path_offsets[target + 1];
    plan->path[n++] = (int32_t)(end - begin);
    for (int64_t e = begin; e < end; e++) {
        const int32_t node = engine->path_steps[e] >> 1, label = engine->path_steps[e] & 1;
        const int64_t hot = node - engine->hot_first;
        int32_t place = (int32_t)(-1 - hot);
        if (hot < 0 || hot >= engine->n_hot) {
            place = find_or_add_slot(plan, node);
            plan->slots[place].roles |= SKW2V_ROLE_OUTPUT;
        }
        plan->path[n++] = 2 * place + label;
    }
    return n;
}

/* The nodes of each window's center, in the order in which training will want them. Paths lie
 * anywhere in a large table: the first loop sends for them, the second waits. */
static void plan_paths(const skw2v_engine *engine, skw2v_plan *plan) {
    for (int32_t i = plan->first_center; i < plan->last_center; i++) {
        const int64_t path = engine->path_offsets[plan->slots[plan->tokens[i].slot].word];
        __builtin_prefetch(engine->path_steps + path);
        __builtin_prefetch(engine->path_steps + path + 16);
    }
    int32_t n = 0;
    for (int32_t i = plan->first_center; i < plan->last_center; i++)
        if (plan->tokens[i].end - plan->tokens[i].begin > 1)
            n = plan_path(engine, plan, n, plan->slots[plan->tokens[i].slot].word);
    for (int32_t d = 0; d < plan->n_documents; d++)
        n = plan_path(engine, plan, n, plan->documents[d].label);
}

/* The shard's noise: pool_size draws from the noise distribution (Walker's alias method). */
static void plan_pool(const skw2v_engine *engine, skw2v_plan *plan, uint64_t key, uint64_t shard) {
    const int32_t size = engine->pool_size, k = engine->n_negatives;
    int repeats = 0;
    for (int32_t draw = 0; draw < size; draw++) {
        uint64_t bits = skw2v_random_bits(key, shard * (uint64_t)size + (uint64_t)draw);
        uint32_t i = skw2v_below(bits, (uint32_t)engine->n_targets);
        int32_t word = (uint32_t)bits <= engine->alias_threshold[i] ? (int32_t)i : engine->alias[i];
        int32_t slot = find_or_add_slot(plan, word);
        plan->pool[draw] = slot;
        plan->pool_clean[draw] = 1;
        plan->slots[slot].roles |= SKW2V_ROLE_OUTPUT;
        repeats |= plan->slots[slot].last_draw >= 0;
        plan->slots[slot].last_draw = draw;
    }
    if (!repeats)
        return;
    /* An entry spoils every start from which both it and its predecessor (cyclically) are in reach:
     * with `distance` between them, the starts up to k - 1 - distance before the predecessor. */
    for (int32_t draw = 0; draw < size; draw++) {
        skw2v_slot *slot = &plan->slots[plan->pool[draw]];
        int32_t distance = draw - slot->last_draw;
        distance += distance <= 0 ? size : 0;
        for (int32_t back = 0; back < k - distance; back++)
            plan->pool_clean[((draw - distance - back) % size + size) % size] = 0;
        slot->last_draw = draw;
    }
}

/* The tokens of the shard's turn, with slots. Returns the number of windows, or of documents. */
static int32_t plan_inputs(skw2v_engine *engine, skw2v_plan *plan, int64_t epoch, int64_t round,
                           int shard) {
    if (engine->architecture == SKW2V_DOCUMENT) {
        const int64_t share = round * engine->n_shards + shard;
        return share < engine->n_shares ? plan_documents(engine, plan, share) : 0;
    }
    skw2v_stream *stream = &engine->streams[shard];
    const int64_t segment_begin = shard * engine->segment;
    int64_t begin = segment_begin + round * engine->shard_tokens;
    int64_t end = begin + engine->shard_tokens;
    const int64_t segment_end = segment_begin + engine->segment;
    end = end > segment_end ? segment_end : end;
    end = end > engine->n_tokens ? engine->n_tokens : end;
    if (begin >= end)
        return 0;
    advance(engine, stream, skw2v_stream_key(engine->seed, SKW2V_PURPOSE_POSITION, (uint64_t)epoch),
            begin, end);
    start_table(engine, plan, engine->slot_capacity);
    return plan_tokens(engine, stream, plan, begin, end);
}

void skw2v_plan_shard(skw2v_engine *engine, int64_t epoch, int64_t round, int shard) {
    skw2v_plan *plan = &engine->plans[round & 1][shard];
    plan->n_tokens = plan->n_slots = plan->first_center = plan->last_center = 0;
    plan->n_documents = plan->n_shared = 0;
    if (plan_inputs(engine, plan, epoch, round, shard) == 0) {
        plan->n_slots = 0;
        plan->last_center = plan->first_center;
        return;
    }
    if (engine->loss == SKW2V_HIERARCHICAL_SOFTMAX)
        plan_paths(engine, plan);
    else if (!skw2v_trains_all_targets(engine)) {
        plan_centers(plan);
        plan_pool(engine, plan,
                  skw2v_stream_key(engine->seed, SKW2V_PURPOSE_NOISE, (uint64_t)epoch),
                  (uint64_t)(round * engine->n_shards + shard));
    }
}

void skw2v_mark_shard(skw2v_engine *engine, int64_t round, int shard) {
    const skw2v_plan *plan = &engine->plans[round & 1][shard];
    for (int32_t i = 0; i < plan->n_slots; i++)
        engine->marks[plan->slots[i].word * (int64_t)engine->mark_stride + shard] =
            (uint8_t)plan->slots[i].roles;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void *allocate(size_t n, size_t size, int *failed) {
    size_t bytes = (n * size + 63) / 64 * 64 + 64;
    void *block = aligned_alloc(64, bytes);
    if (block == NULL) {
        *failed = 1;
        return NULL;
    }
    memset(block, 0, bytes);
    return block;
}
#define ALLOCATE(n, pointer) ((pointer) = allocate((size_t)(n), sizeof *(pointer), &failed))

int skw2v_allocate(skw2v_engine *engine) {
    int failed = 0;
    int64_t longest = 1;
    for (int64_t d = 0; d < engine->n_documents; d++) {
        int64_t length = engine->document_offsets[d + 1] - engine->document_offsets[d];
        longest = length > longest ? length : longest;
    }
    engine->mark_stride = (engine->n_shards + 7) & ~7;
    int64_t tokens, documents = 0;
    if (engine->architecture == SKW2V_DOCUMENT) {
        engine->reach = 0;
        tokens = engine->shard_tokens + longest;
        documents = engine->shard_tokens + 1;
    } else {
        engine->reach = engine->window < longest ? engine->window : (int)longest;
        tokens = engine->shard_tokens + 2 * (int64_t)engine->reach;
    }
    if (tokens + engine->pool_size > INT32_MAX / 2)
        return -1;
    engine->token_capacity = (int32_t)tokens;
    engine->n_ids = engine->n_words > engine->n_targets ? engine->n_words : engine->n_targets;
    int64_t targets = 1 + engine->n_negatives, longest_path = 0;
    if (skw2v_trains_all_targets(engine))
        targets = engine->n_targets;
    if (engine->loss == SKW2V_HIERARCHICAL_SOFTMAX) {
        for (int64_t w = 0; w < engine->n_targets; w++) {
            int64_t length = engine->path_offsets[w + 1] - engine->path_offsets[w];
            longest_path = length > longest_path ? length : longest_path;
        }
        targets = longest_path;
    }
    int64_t paths = (engine->shard_tokens + 1) * (1 + longest_path);
    if (paths > INT32_MAX / 2 || targets > INT32_MAX / 2)
        return -1;
    engine->path_capacity = (int32_t)paths;
    engine->label_slots = longest_path > 1 ? (int32_t)longest_path : 1;
    engine->target_capacity = (int32_t)(targets + 7) / 8 * 8;
    /* Of slots beyond those of tokens: documents' classes, noise, paths. */
    const int64_t others = documents + engine->pool_size + paths;
    const int64_t slots = tokens + others < engine->n_ids ? tokens + others : engine->n_ids;
    engine->slot_capacity = (int32_t)slots;
    engine->table_size = 64;
    while (engine->table_size < SLOT_ROOM * engine->slot_capacity)
        engine->table_size *= 2;
    engine->overlay_rows = 2 * slots;
    if (engine->architecture == SKW2V_DOCUMENT && slots + others < engine->overlay_rows)
        engine->overlay_rows = slots + others;
    const int64_t private_rows = engine->n_hot + engine->overlay_rows;
    int64_t shares = 0; /* as many as that many words with the most parts have */
    for (int64_t w = 0; w < engine->n_words && engine->subwords != NULL; w++) {
        int64_t parts = engine->part_offsets[w + 1] - engine->part_offsets[w];
        shares = parts > shares ? parts : shares;
    }
    shares *= engine->token_capacity < engine->n_words ? engine->token_capacity : engine->n_words;
    if (shares > INT32_MAX)
        return -1;
    engine->scratch_size = 5 * (int64_t)engine->target_capacity /* see objective_scratch */
                           + 2 * (int64_t)engine->pool_size +
                           2 * engine->stride /* mean and change */
                           + (SKW2V_MAX_GROUP + 1) * (int64_t)engine->target_capacity /* scores */
                           + 8 + SKW2V_MAX_GROUP * engine->stride; /* changes of hidden rows */
    if (engine->frozen != NULL)
        engine->scratch_size += SKW2V_MAX_GROUP * engine->stride; /* copies of hidden rows */
    engine->scratch_size = (engine->scratch_size + 15) / 16 * 16;

    ALLOCATE(engine->n_ids * engine->mark_stride, engine->marks);
    if (engine->subwords != NULL) {
        ALLOCATE(engine->n_words * engine->stride, engine->composed);
        ALLOCATE(engine->n_shards, engine->makings);
    }
    ALLOCATE(engine->n_shards, engine->streams);
    if (engine->n_shards > 1) /* a shard by itself trains everything in place */
        ALLOCATE(engine->n_shards * private_rows * engine->stride, engine->overlay);
    ALLOCATE(engine->n_shards * engine->scratch_size, engine->scratch);
    for (int parity = 0; parity < 2; parity++)
        ALLOCATE(engine->n_shards, engine->plans[parity]);
    for (int s = 0; s < engine->n_shards && !failed; s++) {
        skw2v_stream *stream = &engine->streams[s];
        ALLOCATE(engine->token_capacity, stream->position);
        ALLOCATE(engine->token_capacity, stream->document);
        ALLOCATE(engine->token_capacity, stream->word);
        ALLOCATE(engine->token_capacity, stream->half_window);
        if (engine->subwords != NULL) {
            ALLOCATE(engine->token_capacity, engine->makings[s].words);
            ALLOCATE(shares, engine->makings[s].shares);
        }
        for (int parity = 0; parity < 2; parity++) {
            skw2v_plan *plan = &engine->plans[parity][s];
            ALLOCATE(engine->token_capacity, plan->tokens);
            ALLOCATE(engine->slot_capacity, plan->slots);
            ALLOCATE(engine->slot_capacity, plan->shared);
            ALLOCATE(documents, plan->documents);
            if (documents)
                ALLOCATE(engine->token_capacity, plan->times);
            ALLOCATE(engine->path_capacity, plan->path);
            ALLOCATE(engine->pool_size, plan->pool);
            ALLOCATE(engine->pool_size, plan->pool_clean);
            ALLOCATE(engine->table_size, plan->table);
            ALLOCATE(engine->token_capacity + 2 * (int64_t)engine->pool_size +
                         engine->target_capacity + 2 * engine->reach + 1,
                     plan->pointers);
        }
    }
    if (failed)
        skw2v_release(engine);
    return failed ? -1 : 0;
}

#define RELEASE(pointer) (free(pointer), (pointer) = NULL)

void skw2v_release(skw2v_engine *engine) {
    for (int s = 0; s < engine->n_shards && engine->streams != NULL; s++) {
        skw2v_stream *stream = &engine->streams[s];
        RELEASE(stream->position);
        RELEASE(stream->document);
        RELEASE(stream->word);
        RELEASE(stream->half_window);
        if (engine->makings != NULL) {
            RELEASE(engine->makings[s].words);
            RELEASE(engine->makings[s].shares);
        }
    }
    for (int parity = 0; parity < 2; parity++) {
        for (int s = 0; s < engine->n_shards && engine->plans[parity] != NULL; s++) {
            skw2v_plan *plan = &engine->plans[parity][s];
            RELEASE(plan->tokens);
            RELEASE(plan->slots);
            RELEASE(plan->shared);
            RELEASE(plan->documents);
            RELEASE(plan->times);
            RELEASE(plan->path);
            RELEASE(plan->pool);
            RELEASE(plan->pool_clean);
            RELEASE(plan->table);
            RELEASE(plan->pointers);
        }
        RELEASE(engine->plans[parity]);
    }
    RELEASE(engine->marks);
    RELEASE(engine->streams);
    RELEASE(engine->makings);
    RELEASE(engine->composed);
    RELEASE(engine->overlay);
    RELEASE(engine->scratch);
}
