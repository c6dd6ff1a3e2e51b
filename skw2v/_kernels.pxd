"""The C kernels as Cython sees them, and the choice of their instruction set for other modules."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef extern from "rng.h" nogil:
    uint64_t skw2v_stream_key(uint64_t seed, uint64_t purpose, uint64_t epoch)
    uint64_t skw2v_random_bits(uint64_t key, uint64_t counter)
    uint32_t skw2v_below(uint64_t bits, uint32_t n)
    enum:
        SKW2V_PURPOSE_INIT
        SKW2V_PURPOSE_NOISE
        SKW2V_PURPOSE_POSITION

cdef extern from "output_batch.h" nogil:
    ctypedef struct skw2v_output_layer:
        const float *floats
        const double *doubles
        const int64_t *row_offsets
        const int32_t *columns
        const float *values
        const int32_t *labels
        int64_t n_features
        float constant
        int link
        int remove_hits
        int n_negatives
        const uint32_t *alias_threshold
        const int32_t *alias
        const int64_t *borders
        const int32_t *first
        const float *offsets
        const float *label
        const float *weight
        int64_t n_classes
        int64_t stride
        int64_t n_blocks
        int group_size
        int by_columns
        float *rows
        float *hidden
        float *gradients
        float *group_offsets
        int32_t *noise
        double *losses
        int64_t gradient_size

    ctypedef struct skw2v_output_batch:
        const int32_t *samples
        int64_t position
        int32_t n
        uint64_t noise_key
        float rate

    ctypedef struct skw2v_output_body:
        void (*load)(const skw2v_output_layer *, const skw2v_output_batch *, int32_t) noexcept nogil
        void (*score_noise)(const skw2v_output_layer *, const skw2v_output_batch *,
                            int32_t) noexcept nogil
        void (*update_noise)(const skw2v_output_layer *, const skw2v_output_batch *, int,
                             int) noexcept nogil
        void (*score_classes)(const skw2v_output_layer *, const skw2v_output_batch *, int,
                              int) noexcept nogil
        void (*link_classes)(const skw2v_output_layer *, const skw2v_output_batch *,
                             int32_t) noexcept nogil
        void (*update_classes)(const skw2v_output_layer *, const skw2v_output_batch *, int,
                               int) noexcept nogil

cdef extern from "engine.h" nogil:
    enum:
        SKW2V_SKIPGRAM
        SKW2V_CBOW
        SKW2V_DOCUMENT
        SKW2V_CBOW_EXACT
        SKW2V_CBOW_WORD2VEC
        SKW2V_NEGATIVE_SAMPLING
        SKW2V_NCE
        SKW2V_SAMPLED_SOFTMAX
        SKW2V_HIERARCHICAL_SOFTMAX
        SKW2V_SOFTMAX
        SKW2V_ONE_VERSUS_REST
        SKW2V_PARTITION_TARGETS
        SKW2V_LINK_SIGMOID
        SKW2V_LINK_SOFTMAX
        SKW2V_MAX_GROUP
        SKW2V_MAX_SHARDS
        SKW2V_POOL_MEAN
        SKW2V_POOL_SUM
        SKW2V_POOL_MAX
        SKW2V_POOL_MIN
        SKW2V_POOL_WEIGHTED_MEAN

    ctypedef struct skw2v_slot:
        int32_t word

    ctypedef struct skw2v_token:
        int32_t slot
        int32_t begin
        int32_t end

    ctypedef struct skw2v_plan:
        skw2v_token *tokens
        skw2v_slot *slots
        int32_t *pool
        int32_t n_slots
        int32_t first_center
        int32_t last_center

    ctypedef struct skw2v_stream:
        double loss
        int64_t n_pairs

    ctypedef struct skw2v_engine:
        const int32_t *token_ids
        const int64_t *document_offsets
        int64_t n_tokens
        int64_t n_documents
        int64_t n_words
        int64_t n_targets
        const int64_t *label_offsets
        const int32_t *labels
        const uint32_t *keep_threshold
        const uint32_t *alias_threshold
        const int32_t *alias
        uint64_t seed
        int loss
        int remove_hits
        const float *offsets
        const int64_t *path_offsets
        const int32_t *path_steps
        int bias_column
        int curvature_column
        int64_t hot_first
        int64_t n_hot
        int architecture
        int cbow_gradient
        int window
        int dynamic_window
        int n_negatives
        int pool_size
        int group_size
        int64_t stride
        int n_shards
        int64_t shard_tokens
        int64_t segment
        const int64_t *order
        const int64_t *shares
        int64_t n_shares
        const int64_t *part_offsets
        const int32_t *parts
        const uint8_t *frozen
        float *input
        float *output
        float *subwords
        uint8_t *marks
        int64_t n_ids
        int mark_stride
        skw2v_plan *plans[2]
        skw2v_stream *streams

    ctypedef struct skw2v_team:
        pass

    ctypedef struct skw2v_targets:
        int64_t n
        float **rows
        const float *label
        const int32_t *true_of
        const int32_t *true_targets
        const float *weight
        const float *offset
        int max_weight
        int bias_column

    ctypedef struct skw2v_loss:
        double first
        double others

    ctypedef struct skw2v_pooling:
        const float *vectors
        int64_t n_components
        int kind
        const double *weights
        const double *removed
        const int64_t *word_offsets
        const int32_t *clusters
        int32_t n_clusters
        double threshold
        const double *scales
        const float *centers
        double center_share
        double neighbor_share
        const double *times_weights

    ctypedef struct skw2v_cluster_room:
        double *sums
        double *totals
        uint8_t *has
        int32_t *occurrences

    ctypedef struct skw2v_body:
        const char *name
        void (*train_shard)(skw2v_engine *, int64_t, int, float) noexcept nogil
        void (*merge_shard)(skw2v_engine *, int64_t, int) noexcept nogil
        void (*compose_shard)(skw2v_engine *, int64_t, int) noexcept nogil
        void (*compose_row)(float *, const float *, const int32_t *, int64_t, int64_t,
                            int) noexcept nogil
        void (*primitive)(int, float **, float **, skw2v_targets *, int64_t, float, int,
                          skw2v_loss *, float *) noexcept nogil
        void (*flush_loss)(skw2v_loss *) noexcept nogil
        void (*log_partitions)(int64_t, float **, float *, int64_t, int64_t, double *,
                               float *) noexcept nogil
        void (*pool_document)(const skw2v_pooling *, const int32_t *, int64_t, double *,
                              float *) noexcept nogil
        int64_t (*pool_clusters)(const skw2v_pooling *, const int32_t *, int64_t,
                                 const skw2v_cluster_room *, int32_t *, float *) noexcept nogil
        int32_t (*nearest_center)(const float *, const float *, int32_t, int64_t,
                                  double *) noexcept nogil
        const skw2v_output_body *output_layer

    void skw2v_reset_loss(skw2v_loss *loss)
    int skw2v_allocate(skw2v_engine *engine)
    void skw2v_release(skw2v_engine *engine)
    void skw2v_start_epoch(skw2v_engine *engine, int64_t epoch, int shard)
    void skw2v_plan_shard(skw2v_engine *engine, int64_t epoch, int64_t round, int shard)
    void skw2v_mark_shard(skw2v_engine *engine, int64_t round, int shard)
    void skw2v_start_team(skw2v_team *team, int n_threads, int n_cores)
    void skw2v_run_rounds(skw2v_engine *engine, const skw2v_body *body, skw2v_team *team,
                          int thread, int64_t epoch, int64_t first, int64_t n,
                          const float *learning_rates)
    const skw2v_body *skw2v_choose_body(const char *name)


cdef const skw2v_body *choose_body(name) except NULL
