/* The output layer of a classifier, trained a mini-batch at a time: what its phases read and write.
 *
 * A sample is the hidden row x of the primitive, which stays as it is; a class is a target row. The
 * batch's samples go in groups of `group_size`, and a group shares its noise. Within a phase tasks
 * may run in any order and on any thread; phases follow each other:
 *
 *     load      a group's samples      -> hidden
 *     score     a group's scores, link -> gradients, losses     (load, then score: one thread)
 *     update    a part's classes or columns: rows += gradients' hidden, samples in their order
 *
 * For the full softmax, a part of the classes is scored for all groups before a group is linked. No
 * float is written by two tasks of a phase, or read by one and written by another, so what comes
 * out depends on the batches alone. */
#ifndef SKW2V_OUTPUT_BATCH_H
#define SKW2V_OUTPUT_BATCH_H

#include <stdint.h>

typedef struct skw2v_output_layer {
    /* IN: samples, either dense, (n_samples, n_features) floats or doubles, or CSR */
    const float *floats;
    const double *doubles;
    const int64_t *row_offsets; /* (n_samples + 1,), multiples of 16 */
    const int32_t *columns;     /* of a row: each once, n_features too, but for the padding */
    const float *values;
    const int32_t *labels; /* (n_samples,) */
    int64_t n_features;
    float constant; /* what a hidden row has in the column of the biases, n_features */
    /* IN: objective */
    int link;
    int remove_hits;                 /* noise equal to the true class is left out */
    int n_negatives;                 /* 0: all classes are targets */
    const uint32_t *alias_threshold; /* (n_classes,), as alias: noise may repeat itself */
    const int32_t *alias;
    const int64_t *borders; /* (n_classes + 1,), or NULL: each class once, see _distinct.py */
    const int32_t *first;   /* (n_negatives + 1,) */
    const float *offsets;   /* (n_classes,) subtracted from a class's scores */
    const float *label;     /* (8 * n_blocks,) 1, 0, 0, ... */
    const float *weight;    /* (8 * n_blocks,) 1 for a target, 0 for padding */
    /* IN: layout */
    int64_t n_classes;
    int64_t stride;   /* floats a row, a multiple of 16 */
    int64_t n_blocks; /* of 8 targets: all classes, or the true one and the noise */
    int group_size;
    int by_columns; /* an update's part is some columns of all classes, not some classes */
    /* IN/OUT */
    float *rows; /* (n_classes, stride) */
    /* private, of a batch */
    float *hidden;        /* (batch_size, stride); unused where the samples are CSR */
    float *gradients;     /* (n_groups, gradient_size): scores first */
    float *group_offsets; /* (n_groups, 8 * n_blocks) */
    int32_t *noise;       /* (n_groups, n_negatives) */
    double *losses;       /* (n_groups,) */
    int64_t gradient_size;
} skw2v_output_layer;

typedef struct {
    const int32_t *samples; /* (n,) */
    int64_t position;       /* of the first in its epoch: the noise is keyed on it */
    int32_t n;
    uint64_t noise_key;
    float rate; /* times residual times hidden is what a row changes by */
} skw2v_output_batch;

/* What each instruction set's body provides. */
typedef struct {
    void (*load)(const skw2v_output_layer *, const skw2v_output_batch *, int32_t group);
    void (*score_noise)(const skw2v_output_layer *, const skw2v_output_batch *, int32_t group);
    void (*update_noise)(const skw2v_output_layer *, const skw2v_output_batch *, int part,
                         int n_parts);
    void (*score_classes)(const skw2v_output_layer *, const skw2v_output_batch *, int part,
                          int n_parts);
    void (*link_classes)(const skw2v_output_layer *, const skw2v_output_batch *, int32_t group);
    void (*update_classes)(const skw2v_output_layer *, const skw2v_output_batch *, int part,
                           int n_parts);
} skw2v_output_body;

#endif
