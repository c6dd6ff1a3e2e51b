/* The engine's data: what training reads, what it changes, and the plan of one shard of one round.
 *
 *   plan      token stream -> plan: kept tokens, windows, noise pool, the rows they touch
 *
 *   mark      plan -> marks: which rows those are
 *
 *   train     plan -> rows trained: in place where no other shard of the round touches the row, on
 *             a private copy otherwise
 *
 *   merge     private copies -> matrices, in shard order, each row in one shard's turn
 *
 *   spread, compose   with subwords: see subwords.h
 *
 * A round is: plan all, mark all | train all | merge all, where | is a barrier. Within a phase
 * shards share nothing they write, so the order and the number of threads cannot change a bit:
 *
 *   marks[word][shard] is written by `shard` alone (mark, merge) and read by all (train);
 *   matrix rows touched by one shard are written by that shard alone (train);
 *   matrix rows touched by several are read (train), then written by one of them (merge); so are
 *   the hot rows, which all shards are taken to touch.
 *
 * Planning round r+1 writes the other one of two plans and no marks, so it may share a phase with
 * training r, and a shard's turn of marking r+1 follows its own of merging r.
 * With subwords, spreading what round r has changed and composing for r+1 are phases of their own.
 */
#ifndef SKW2V_ENGINE_H
#define SKW2V_ENGINE_H

#include "output_batch.h"

#include <stdatomic.h>
#include <stdint.h>

#define SKW2V_MAX_SHARDS        64
#define SKW2V_MAX_GROUP         16  /* hidden rows of one primitive call */
#define SKW2V_PARTITION_TARGETS 512 /* scored at a time where nothing but their sum is wanted */

enum { SKW2V_SKIPGRAM = 0, SKW2V_CBOW = 1, SKW2V_DOCUMENT = 2 };
enum {
    SKW2V_NEGATIVE_SAMPLING = 0,
    SKW2V_NCE = 1,
    SKW2V_SAMPLED_SOFTMAX = 2,
    SKW2V_HIERARCHICAL_SOFTMAX = 3,
    SKW2V_SOFTMAX = 4,
    SKW2V_ONE_VERSUS_REST = 5,
};
enum { SKW2V_CBOW_EXACT = 0, SKW2V_CBOW_WORD2VEC = 1 };
enum { SKW2V_LINK_SIGMOID = 0, SKW2V_LINK_SOFTMAX = 1 };
enum { SKW2V_ROLE_INPUT = 1, SKW2V_ROLE_OUTPUT = 2 };

/* The place of one id in a shard: row `word` of the input matrix and row `word` of the output
 * matrix. Both are the word's own, but for hierarchical softmax, whose output rows are the tree's
 * nodes, and for documents, whose output rows are those of classes. */
typedef struct {
    float *input;          /* where this shard reads and writes the rows: in the matrix itself, */
    float *output;         /*   or in the private copy */
    uint64_t input_shards; /* shards of the round that touch the row, one bit each */
    uint64_t output_shards;
    int32_t word;
    int32_t roles;      /* SKW2V_ROLE_* of this shard */
    int32_t last_token; /* while the plan is made: where the word was seen last, or -1 */
    int32_t last_draw;  /* the same in the noise pool */
} skw2v_slot;

/* A kept token of a plan. Contexts of token i are the tokens [begin, end) except i. */
typedef struct {
    int32_t slot;
    int32_t begin;
    int32_t end;
    int32_t previous; /* the last token before it that has the same word, or -1 */
} skw2v_token;

/* A document of a plan: its distinct tokens are [begin, end), and the classes to predict are its
 * labels. */
typedef struct {
    int64_t document;
    int32_t begin;
    int32_t end;
    int32_t label; /* the first, or -1 */
    int32_t slot;  /* of that label where losses look it up, else -1 */
    float share;   /* of a token that occurs once: 1 / the number of tokens */
} skw2v_document;

typedef struct {
    skw2v_token *tokens;
    skw2v_slot *slots;
    skw2v_document *documents; /* instead of centers and windows */
    float *times;              /* (token_capacity,) how often a document has its token */
    /* hierarchical softmax: for every window in turn how many steps its center's path has, then the
     * steps: 2 * slot + label, or 2 * (-1 - i) + label for hot row i */
    int32_t *path;
    int32_t *pool;        /* (pool_size,) slots of the noise words */
    uint8_t *pool_clean;  /* (pool_size,) 1: the n_negatives entries from here on are distinct */
    int32_t *shared;      /* (slot_capacity,) slots of which other shards have one too */
    int32_t *table;       /* (table_size,) id -> slot, open addressing, -1 where empty */
    int32_t table_size;   /* of this plan; the engine's at most */
    float **pointers;     /* (token_capacity + 2 * pool_size + target_capacity + 2 * reach + 1,) */
    int32_t reached_from; /* the tokens that some window reaches: [reached_from, reached_to) */
    int32_t reached_to;
    int32_t n_tokens;
    int32_t n_slots;
    int32_t n_shared;     /* known once the shard trains */
    int32_t first_center; /* the tokens that this shard owns: [first_center, last_center) */
    int32_t last_center;
    int32_t n_documents;
} skw2v_plan;

/* A shard's place in the stream: the tokens already drawn, so that each position is drawn once. */
typedef struct {
    int64_t *position;    /* (token_capacity,) of the kept tokens */
    int64_t *document;    /* (token_capacity,) */
    int32_t *word;        /* (token_capacity,) */
    int32_t *half_window; /* (token_capacity,) */
    int64_t cursor;       /* next position to draw */
    int64_t cursor_document;
    int64_t center_document; /* of the last position this round's shard owns */
    int32_t n_kept;
    double loss; /* of the epoch so far */
    int64_t n_pairs;
} skw2v_stream;

/* With subwords: the words whose input row a shard composes for a round, and which parts of them
 * every shard will spread the change to, those of shard s being at [first_of[s], first_of[s + 1]).
 */
typedef struct {
    struct {
        int32_t word;
        int32_t part;
    } *shares;      /* (share_capacity,) */
    int32_t *words; /* (token_capacity,) */
    int32_t n_words;
    int32_t first_of[SKW2V_MAX_SHARDS + 1];
} skw2v_making;

typedef struct {
    /* IN: corpus */
    const int32_t *token_ids;        /* (n_tokens,) */
    const int64_t *document_offsets; /* (n_documents + 1,) */
    int64_t n_tokens;
    int64_t n_documents;
    int64_t n_words;
    /* What is predicted: the words, or the classes of documents. */
    int64_t n_targets;
    /* IN: documents, or NULL: document d has labels[label_offsets[d] .. label_offsets[d + 1]): one,
     * or any number under one versus rest */
    const int64_t *label_offsets; /* (n_documents + 1,) */
    const int32_t *labels;
    /* IN: sampling */
    const uint32_t *keep_threshold;  /* (n_words,), or NULL for documents, where all tokens stay */
    const uint32_t *alias_threshold; /* (n_targets,), or NULL where pool_size is 0 */
    const int32_t *alias;            /* (n_targets,), or NULL */
    uint64_t seed;
    /* IN: objective */
    int loss;
    int remove_hits;      /* noise equal to the center is skipped */
    const float *offsets; /* (n_targets,) subtracted from scores, or NULL: zeros */
    const int64_t
        *path_offsets;         /* (n_targets + 1,) of hierarchical softmax: target w's nodes are */
    const int32_t *path_steps; /*   path_steps[path_offsets[w] .. path_offsets[w + 1]), from the
                                *   root: 2 * node + label */
    int bias_column;           /* of a row, or -1: no biases */
    int curvature_column;      /* of an output row of documents' (see merge_scale), or -1 */
    /* Output rows [hot_first, hot_first + n_hot), which many shards of a round touch: they have no
     * slots and no marks; every shard has a private copy of all of them. */
    int64_t hot_first;
    int64_t n_hot;
    /* IN: model */
    int architecture;
    int cbow_gradient;
    int window;
    int dynamic_window;
    int n_negatives;
    int pool_size;
    int group_size;
    int64_t stride; /* floats a row, a multiple of 16 */
    /* IN: layout */
    int n_shards;
    int64_t shard_tokens;
    int64_t segment; /* tokens a stream */
    /* IN, for documents: the epoch's documents in turn, and where the share of each shard of each
     * round begins, `shard_tokens` tokens and part of a document at most */
    const int64_t *order;
    const int64_t *shares; /* (n_shares + 1,) places in `order`; shard s of round r takes share */
    int64_t n_shares;      /*   r * n_shards + s */
    /* IN: subwords, or NULL: word w has the parts parts[part_offsets[w] .. part_offsets[w + 1]) */
    const int64_t *part_offsets; /* (n_words + 1,) */
    const int32_t *parts;        /* rows of `subwords` */
    /* IN: (n_words,) 1: the input row is read and never written; or NULL: all are trained */
    const uint8_t *frozen;
    /* IN/OUT: the matrices */
    float *input;    /* (n_words, stride) */
    float *output;   /* (n_targets or n_targets - 1 nodes, stride) */
    float *subwords; /* (n_subwords, stride), or NULL: then `input` is made from these */
    /* private */
    uint8_t *marks;       /* (n_ids, mark_stride) roles of each shard */
    skw2v_plan *plans[2]; /* (n_shards,) of even and odd rounds */
    skw2v_stream *streams;
    skw2v_making *makings; /* (n_shards,) with subwords */
    float *composed;       /* (n_words, stride) with subwords: input rows as they were composed */
    float *overlay;        /* (n_shards, n_hot + overlay_rows, stride) */
    float *scratch;        /* (n_shards, scratch_size) */
    int64_t n_ids;         /* of slots: the larger one of n_words and n_targets */
    int mark_stride;       /* n_shards rounded up to a multiple of 8 */
    int reach;             /* min(window, longest document): no context is farther away */
    int64_t overlay_rows;
    int64_t scratch_size;
    int32_t token_capacity;
    int32_t path_capacity;
    int32_t target_capacity; /* targets of a window, rounded up to whole blocks */
    int32_t slot_capacity;
    int32_t label_slots; /* that a document's label takes at most */
    int32_t table_size;
} skw2v_engine;

/* The threads that run rounds together. */
typedef struct {
    int n_threads;
    int spins; /* of a waiting thread before it yields its core; 0 if threads outnumber cores */
    _Alignas(64) atomic_int arrived;
    _Alignas(64) atomic_int generation;
    _Alignas(64) atomic_int claimed[5][SKW2V_MAX_SHARDS]; /* last round whose phase was taken */
} skw2v_team;

/* The targets of a window: rows to score against hidden, with label, weight and offset each. The
 * arrays are padded to a multiple of 8 entries; padding has weight 0.
 * With biases, column bias_column of a target row is its bias, and of a hidden row 1.
 * Sigmoid link: `label` serves every hidden row. Softmax link: the true targets of hidden row i are
 * true_targets[true_of[i] .. true_of[i + 1]); where true_of is NULL, the first is every row's. */
typedef struct {
    int64_t n;
    float **rows;
    const float *label;
    const int32_t *true_of; /* (n_hidden + 1,) */
    const int32_t *true_targets;
    const float *weight; /* multiplicities: whole numbers */
    const float *offset; /* NULL: zeros */
    int max_weight;
    int bias_column; /* -1: no biases */
} skw2v_targets;

/* Where the loss gathers. Sigmoid link: the first target apart from the others, as sum(linear) +
 * sum(log(product)) a lane, flushed before a product overflows. Softmax link: everything in
 * `others`, of which `shortfall` and log(partition) wait for the flush. */
typedef struct {
    float linear[2][16]; /* of the block with the first target, of the blocks after it */
    float product[2][16];
    int n_factors;
    float shortfall[16], partition[16]; /* lanes 0 and 8: sum(highest - true), product of Z */
    int partition_bits;                 /* the product is below 2 to the power of this */
    double first;
    double others;
} skw2v_loss;

static inline void skw2v_reset_loss(skw2v_loss *loss) {
    *loss = (skw2v_loss){.partition = {[0] = 1.0f, [8] = 1.0f}};
    for (int lane = 0; lane < 32; lane++)
        loss->product[lane / 16][lane % 16] = 1.0f;
}

/* Does every step score all targets? Then their rows are all hot, and have no slots. */
static inline int skw2v_trains_all_targets(const skw2v_engine *engine) {
    return engine->loss == SKW2V_SOFTMAX || engine->loss == SKW2V_ONE_VERSUS_REST;
}

/* Allocates the private part from the IN fields; -1 if memory runs out (nothing is left behind). */
int skw2v_allocate(skw2v_engine *engine);
void skw2v_release(skw2v_engine *engine);

void skw2v_start_epoch(skw2v_engine *engine, int64_t epoch, int shard);
void skw2v_plan_shard(skw2v_engine *engine, int64_t epoch, int64_t round, int shard);
void skw2v_mark_shard(skw2v_engine *engine, int64_t round, int shard);
int32_t skw2v_find_slot(const skw2v_plan *plan, int32_t word);

/* What becomes of the vectors of a document's tokens. */
enum {
    SKW2V_POOL_MEAN = 0, /* over the number of tokens */
    SKW2V_POOL_SUM = 1,
    SKW2V_POOL_MAX = 2,
    SKW2V_POOL_MIN = 3,
    SKW2V_POOL_WEIGHTED_MEAN = 4, /* over the sum of their weights */
};

typedef struct {
    const float *vectors; /* (n_words, n_components) */
    int64_t n_components;
    int kind;
    const double *weights; /* (n_words,) or NULL: all 1; for pool_clusters one for each entry */
    const double *removed; /* (n_components,) the unit vector that is projected out, or NULL */
    /* For pool_clusters: word w is in the clusters of entries [word_offsets[w], [w + 1]). */
    const int64_t *word_offsets; /* (n_words + 1,) */
    const int32_t *clusters;
    int32_t n_clusters;
    double threshold;
    /* What each vector is multiplied with, (n_words,), or NULL: 1. */
    const double *scales;
    /* (n_clusters, n_components), of which every vector loses `center_share` in its cluster, or
     * NULL: nothing. */
    const float *centers;
    double center_share;
    /* What a token adds of each of its neighbors besides, shifted by one component. */
    double neighbor_share;
    /* What a word weighs that occurs 1, 2, ... times in a document, up to the longest one's number
     * of tokens, or NULL: as often as it occurs. */
    const double *times_weights;
} skw2v_pooling;

/* A thread's room to pool by clusters. */
typedef struct {
    double *sums;         /* (n_clusters, n_components) */
    double *totals;       /* (n_clusters,) */
    uint8_t *has;         /* (n_clusters,) */
    int32_t *occurrences; /* (n_words,) zeros, and zeros again afterwards */
} skw2v_cluster_room;

/* What each instruction set's body provides. */
typedef struct {
    const char *name;
    void (*train_shard)(skw2v_engine *, int64_t round, int shard, float learning_rate);
    void (*merge_shard)(skw2v_engine *, int64_t round, int shard);
    void (*spread_shard)(skw2v_engine *, int64_t round, int shard);
    void (*compose_shard)(skw2v_engine *, int64_t round, int shard);
    void (*compose_row)(float *row, const float *subwords, const int32_t *parts, int64_t n,
                        int64_t stride, int bias_column);
    /* One step of the primitive; from == to trains the hidden rows in place.
     * scratch: (n_hidden + 1) * (stride + 8 * ceil(n_targets / 8)) + 8 floats */
    void (*primitive)(int n_hidden, float *const *from, float *const *to,
                      const skw2v_targets *targets, int64_t stride, float learning_rate, int link,
                      skw2v_loss *loss, float *scratch);
    void (*flush_loss)(skw2v_loss *loss);
    void (*log_partitions)(int64_t n_hidden, float *const *hidden, float *targets,
                           int64_t n_targets, int64_t stride, double *out, float *scratch);
    void (*pool_document)(const skw2v_pooling *, const int32_t *ids, int64_t n, double *sum,
                          float *out);
    int64_t (*pool_clusters)(const skw2v_pooling *, const int32_t *ids, int64_t n,
                             const skw2v_cluster_room *room, int32_t *columns, float *values);
    int32_t (*nearest_center)(const float *vector, const float *centers, int32_t n_centers,
                              int64_t d, double *length);
    const skw2v_output_body *output_layer;
} skw2v_body;

/* What thread `thread` of the team does of rounds [first, first + n): call it from every one of
 * them. Round `first` must have been planned and marked (and composed); round first + n is on
 * return. */
void skw2v_run_rounds(skw2v_engine *engine, const skw2v_body *body, skw2v_team *team, int thread,
                      int64_t epoch, int64_t first, int64_t n, const float *learning_rates);
void skw2v_start_team(skw2v_team *team, int n_threads, int n_cores);

extern const skw2v_body skw2v_body_baseline;
extern const skw2v_body skw2v_body_avx2;
extern const skw2v_body skw2v_body_avx512;

/* The best body this machine runs, or the named one; NULL if it can't run here or is unknown. */
const skw2v_body *skw2v_choose_body(const char *name);

#endif
