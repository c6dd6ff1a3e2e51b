/* One instruction set's body: a shard trained, a shard merged, a document pooled. Included by the
 * body_*.c files, which differ in the compiler's flags and in the names below. */
#include "architectures.h"
#include "marks.h"
#include "objectives.h"
#include "output_layer.h"
#include "pooling.h"
#include "subwords.h"

#define MARKS_AHEAD  16 /* slots whose marks are on their way while one is placed */
#define TOKENS_AHEAD 64 /* after the document that trains: rows on their way */

/* Rows mostly lie in memory, not in cache, and a shard of words is over before a prefetch within it
 * would pay. So while one shard trains, the rows of the next are fetched, a few slots a window. */
static void prefetch_slots(const skw2v_engine *engine, const skw2v_plan *plan, int32_t from,
                           int32_t to) {
    for (int32_t i = from; i < to && i < plan->n_slots; i++) {
        const skw2v_slot *slot = &plan->slots[i];
        __builtin_prefetch(engine->marks + slot->word * (int64_t)engine->mark_stride, 0, 2);
        const int64_t row = slot->word * engine->stride, end = row + engine->stride;
        for (int64_t j = row; j < end && (slot->roles & SKW2V_ROLE_INPUT); j += BLOCK)
            __builtin_prefetch(engine->input + j, 1, 2);
        for (int64_t j = row; j < end && (slot->roles & SKW2V_ROLE_OUTPUT); j += BLOCK)
            __builtin_prefetch(engine->output + j, 1, 2);
    }
}

/* Documents know their rows long before their turn: those of the tokens up to `to` from `from` on
 * are fetched. Returns where the next ones begin. */
static int32_t prefetch_rows(const skw2v_plan *plan, float *const *inputs, int64_t stride,
                             int32_t from, int32_t to) {
    to = to < plan->n_tokens ? to : plan->n_tokens;
    for (; from < to; from++)
        for (int64_t j = 0; j < stride; j += BLOCK)
            __builtin_prefetch(inputs[from] + j, 1, 3);
    return from;
}

/* The shard's private rows: the hot ones, then the others. A shard by itself has none. */
static inline float *private_rows(const skw2v_engine *engine, int shard) {
    if (engine->n_shards == 1)
        return NULL;
    return engine->overlay + shard * (engine->n_hot + engine->overlay_rows) * engine->stride;
}

/* Where the shard's hot rows are: in the matrix if there is no other shard. */
static float *place_hot_rows(const skw2v_engine *engine, int shard) {
    if (engine->n_hot == 0)
        return NULL;
    float *rows = engine->output + engine->hot_first * engine->stride;
    if (engine->n_shards == 1)
        return rows;
    float *copies = memcpy(private_rows(engine, shard), rows,
                           (size_t)(engine->n_hot * engine->stride) * sizeof(float));
    for (int64_t r = 0; r < engine->n_hot && engine->curvature_column >= 0; r++)
        copies[r * engine->stride + engine->curvature_column] = 0.0f;
    return copies;
}

/* Where the shard's other rows are: in the matrix if it alone touches them in this round, else
 * copied to its overlay. */
static void place_rows(skw2v_engine *engine, skw2v_plan *plan, int shard) {
    const int64_t stride = engine->stride;
    float *next = private_rows(engine, shard);
    if (next != NULL)
        next += engine->n_hot * stride;
    plan->n_shared = 0;
    for (int32_t i = 0; i < plan->n_slots; i++) {
        skw2v_slot *slot = &plan->slots[i];
        if (i + MARKS_AHEAD < plan->n_slots)
            __builtin_prefetch(engine->marks +
                               slot[MARKS_AHEAD].word * (int64_t)engine->mark_stride);
        const uint8_t *marks = engine->marks + slot->word * (int64_t)engine->mark_stride;
        if (slot->roles & SKW2V_ROLE_INPUT)
            slot->input = engine->input + slot->word * stride;
        if (slot->roles & SKW2V_ROLE_OUTPUT)
            slot->output = engine->output + slot->word * stride;
        slot->input_shards = shards_in_role(marks, engine->mark_stride, SKW2V_ROLE_INPUT);
        if (engine->frozen != NULL && (slot->roles & SKW2V_ROLE_INPUT) &&
            engine->frozen[slot->word])
            slot->input_shards = 0; /* nobody writes it: no copies, and nothing to merge */
        slot->output_shards = shards_in_role(marks, engine->mark_stride, SKW2V_ROLE_OUTPUT);
        plan->shared[plan->n_shared] = i;
        plan->n_shared += is_shared(slot->input_shards) | is_shared(slot->output_shards);
        if ((slot->roles & SKW2V_ROLE_INPUT) && is_shared(slot->input_shards)) {
            slot->input = memcpy(next, slot->input, (size_t)stride * sizeof(float));
            next += stride;
        }
        if ((slot->roles & SKW2V_ROLE_OUTPUT) && is_shared(slot->output_shards)) {
            slot->output = memcpy(next, slot->output, (size_t)stride * sizeof(float));
            if (engine->curvature_column >= 0)
                slot->output[engine->curvature_column] = 0.0f;
            next += stride;
        }
    }
}

static inline void end_step(skw2v_objective *objective, skw2v_loss *loss, int64_t n_pairs) {
    if (--objective->n_fresh == 0) {
        flush_loss(loss);
        close_fresh_noise(objective, loss, n_pairs);
    }
}

static void train_shard(skw2v_engine *engine, int64_t round, int shard, float rate) {
    skw2v_plan *plan = &engine->plans[round & 1][shard];
    skw2v_stream *stream = &engine->streams[shard];
    if (plan->n_slots == 0)
        return;
    place_rows(engine, plan, shard);

    float **inputs = plan->pointers; /* (n_tokens,) */
    float **pointers = inputs + engine->token_capacity;
    float **contexts =
        pointers + 2 * engine->pool_size + engine->target_capacity; /* (2 * reach + 1,) */
    float *scratch = engine->scratch + shard * engine->scratch_size;
    skw2v_objective objective;
    start_objective(&objective, engine, plan, place_hot_rows(engine, shard), pointers, scratch);
    scratch += objective_scratch(engine);
    const skw2v_step step = uses_softmax(engine) ? softmax_step : sigmoid_step;

    skw2v_loss loss;
    skw2v_reset_loss(&loss);
    int64_t n_pairs = 0;
    const skw2v_plan *next = &engine->plans[round & 1][(shard + 1) % engine->n_shards];
    const int32_t n_steps = plan->last_center - plan->first_center;
    const int32_t fetch = /* slots a step */
        n_steps > 0 ? (next->n_slots + n_steps - 1) / n_steps : 0;
    int32_t fetched = 0;
    for (int32_t i = plan->reached_from; i < plan->reached_to; i++)
        inputs[i] = plan->slots[plan->tokens[i].slot].input;
    const int by_context = engine->loss == SKW2V_SOFTMAX && engine->architecture == SKW2V_SKIPGRAM;
    if (by_context)
        n_pairs = train_skipgram_by_context(engine, plan, inputs, &objective.targets, step, rate,
                                            &loss, scratch);
    for (int32_t d = 0; d < plan->n_documents; d++) {
        const skw2v_document *document = &plan->documents[d];
        fetched =
            prefetch_rows(plan, inputs, engine->stride, fetched, document->end + TOKENS_AHEAD);
        choose_classes(engine, plan, &objective, document);
        train_document(engine, plan, document, inputs, &objective.targets, step, rate, &loss,
                       scratch);
        n_pairs++;
        end_step(&objective, &loss, n_pairs);
    }
    for (int32_t i = plan->first_center; i < plan->last_center && !by_context; i++) {
        const skw2v_token *center = &plan->tokens[i];
        prefetch_slots(engine, next, fetched, fetched + fetch);
        fetched += fetch;
        if (center->end - center->begin < 2)
            continue;
        choose_targets(engine, plan, &objective, center->slot);
        if (engine->architecture == SKW2V_SKIPGRAM && engine->frozen == NULL)
            n_pairs += train_skipgram(engine, plan, center, i, inputs, &objective.targets, step,
                                      rate, &loss, scratch, NULL);
        else if (engine->architecture == SKW2V_SKIPGRAM)
            n_pairs += train_skipgram(engine, plan, center, i, inputs, &objective.targets, step,
                                      rate, &loss, scratch, engine->frozen);
        else
            n_pairs += train_cbow(engine, plan, center, i, inputs, &objective.targets, step, rate,
                                  &loss, contexts, scratch);
        end_step(&objective, &loss, n_pairs);
    }
    flush_loss(&loss);
    stream->loss += objective_loss(&objective, &loss, n_pairs);
    stream->n_pairs += n_pairs;
}

/* How much of the summed change of n copies of a row to take: 1 but for the output rows of
 * documents, which all shards move at once, and by much. Along a document's hidden row a step
 * shrinks what is wrong by exp(-c), c = rate p (1 - p) |h|^2. All of the round's steps in turn
 * would leave exp(-x) of it, x = sum of c; a shard's own leave exp(-x / n), so that the sum of n
 * changes is too much by n (1 - exp(-x / n)) / (1 - exp(-x)). */
static float merge_scale(const float *const *copies, int n, int curvature_column) {
    if (curvature_column < 0)
        return 1.0f;
    float x = 0.0f;
    for (int c = 0; c < n; c++)
        x += copies[c][curvature_column];
    if (!(x > 1e-3f)) /* or not a number: the rows say so */
        return 1.0f;
    float all[LANES], part[LANES];
    vf_store(all, vf_exp_nonpositive(vf_set1(-x)));
    vf_store(part, vf_exp_nonpositive(vf_set1(-x / (float)n)));
    return (1.0f - all[0]) / ((float)n * (1.0f - part[0]));
}

/* row += sum over copies of (copy - row), in their order, or that part of it that the curvature in
 * their column (-1: none) allows. */
ALWAYS_INLINE void merge_copies(float *row, const float *const *copies, int n, int64_t stride,
                                int curvature_column) {
    const float scale = merge_scale(copies, n, curvature_column);
    for (int64_t j = 0; j < stride; j += LANES) {
        vf before = vf_load(row + j), sum = before;
        for (int c = 0; c < n; c++)
            sum = vf_fma(vf_set1(scale), vf_load(copies[c] + j) - before, sum);
        vf_store(row + j, sum);
    }
    if (curvature_column >= 0)
        row[curvature_column] = 0.0f;
}

/* The shard's part of the hot rows. */
static void merge_hot_rows(const skw2v_engine *engine, int64_t round, int shard) {
    const float *rows[SKW2V_MAX_SHARDS], *copies[SKW2V_MAX_SHARDS];
    int n = 0;
    for (int s = 0; s < engine->n_shards; s++)
        if (engine->plans[round & 1][s].n_slots > 0)
            rows[n++] = private_rows(engine, s);
    for (int64_t r = shard; r < engine->n_hot && engine->n_shards > 1; r += engine->n_shards) {
        for (int c = 0; c < n; c++)
            copies[c] = rows[c] + r * engine->stride;
        merge_copies(engine->output + (engine->hot_first + r) * engine->stride, copies, n,
                     engine->stride, engine->curvature_column);
    }
}

/* A row of the shards that touched it. */
static void merge_row(const skw2v_engine *engine, int64_t round, int32_t word, int role,
                      uint64_t shards) {
    const float *copies[SKW2V_MAX_SHARDS];
    int n = 0;
    for (uint64_t left = shards; left; left &= left - 1) {
        const skw2v_plan *plan = &engine->plans[round & 1][__builtin_ctzll(left)];
        const skw2v_slot *slot = &plan->slots[skw2v_find_slot(plan, word)];
        copies[n++] = role == SKW2V_ROLE_INPUT ? slot->input : slot->output;
    }
    float *row =
        (role == SKW2V_ROLE_INPUT ? engine->input : engine->output) + word * engine->stride;
    const int column = role == SKW2V_ROLE_OUTPUT ? engine->curvature_column : -1;
    merge_copies(row, copies, n, engine->stride, column);
}

static void merge_shard(skw2v_engine *engine, int64_t round, int shard) {
    skw2v_plan *plan = &engine->plans[round & 1][shard];
    merge_hot_rows(engine, round, shard);
    for (int32_t i = 0; i < plan->n_slots; i++)
        engine->marks[plan->slots[i].word * (int64_t)engine->mark_stride + shard] = 0;
    for (int32_t i = 0; i < plan->n_shared; i++) {
        const skw2v_slot *slot = &plan->slots[plan->shared[i]];
        if ((slot->roles & SKW2V_ROLE_INPUT) && is_shared(slot->input_shards) &&
            merger_of(slot->input_shards, slot->word) == shard)
            merge_row(engine, round, slot->word, SKW2V_ROLE_INPUT, slot->input_shards);
        if ((slot->roles & SKW2V_ROLE_OUTPUT) && is_shared(slot->output_shards) &&
            merger_of(slot->output_shards, slot->word) == shard)
            merge_row(engine, round, slot->word, SKW2V_ROLE_OUTPUT, slot->output_shards);
    }
}

static void primitive(int n_hidden, float *const *from, float *const *to,
                      const skw2v_targets *targets, int64_t stride, float rate, int link,
                      skw2v_loss *loss, float *scratch) {
    (link == SKW2V_LINK_SOFTMAX ? softmax_step : sigmoid_step)(n_hidden, from, to, targets, stride,
                                                               rate, loss, scratch);
}

/* out = log of the sum over all targets of exp(score), for each hidden row; the targets are the
 * rows of one matrix, and pass by in pieces that stay in cache while all hidden rows meet them.
 * scratch: (MAX_GROUP + 1) * PARTITION_TARGETS + 8 floats */
static void log_partitions(int64_t n_hidden, float *const *hidden, float *targets,
                           int64_t n_targets, int64_t stride, double *out, float *scratch) {
    enum { N = SKW2V_PARTITION_TARGETS };
    for (int64_t first = 0; first < n_targets; first += N) {
        const int n = n_targets - first < N ? (int)(n_targets - first) : N;
        const int n_blocks = (n + BLOCK_T - 1) / BLOCK_T;
        float weight[N];
        for (int t = 0; t < N; t++)
            weight[t] = t < n ? 1.0f : 0.0f;
        for (int64_t row = 0; row < n_hidden; row += SKW2V_MAX_GROUP) {
            const int n_rows =
                n_hidden - row < SKW2V_MAX_GROUP ? (int)(n_hidden - row) : SKW2V_MAX_GROUP;
            const int64_t tile = 8 * (int64_t)(n_rows + (n_rows & 1));
            for (int block = 0; block < n_blocks; block++) {
                float *rows[BLOCK_T];
                const int left = n - block * BLOCK_T;
                for (int t = 0; t < BLOCK_T && t < left; t++)
                    rows[t] = targets + (first + block * BLOCK_T + t) * stride;
#define CALL(K) score_block(K, n_rows, hidden + row, rows, stride, scratch + tile * block)
                FOR_TARGETS(left < BLOCK_T ? left : BLOCK_T, CALL)
#undef CALL
            }
            for (int i = 0; i < n_rows; i += 2) {
                float *at = scratch + 8 * i, highest[16], sum[16];
                vf_runs high =
                    shift_and_find_highest(at, i + 1 == n_rows, n_blocks, tile, weight, NULL);
                store_runs(highest, high);
                store_runs(sum, exponentiate_and_sum(at, n_blocks, tile, weight, high));
                for (int r = 0; r < 2 && i + r < n_rows; r++) {
                    double *total = &out[row + i + r];
                    const double piece = highest[8 * r] + log((double)sum[8 * r]);
                    if (first == 0)
                        *total = piece;
                    else /* log(exp(total) + exp(piece)) */
                        *total = fmax(*total, piece) + log1p(exp(-fabs(*total - piece)));
                }
            }
        }
    }
}

const skw2v_body BODY_SYMBOL = {
    .name = BODY_NAME,
    .train_shard = train_shard,
    .merge_shard = merge_shard,
    .spread_shard = spread_shard,
    .compose_shard = compose_shard,
    .compose_row = compose_row,
    .primitive = primitive,
    .flush_loss = flush_loss,
    .log_partitions = log_partitions,
    .pool_document = pool_document,
    .pool_clusters = pool_clusters,
    .nearest_center = nearest_center,
    .output_layer = &output_body,
};
