/* The settings that race_test.c trains with, and what follows from one. */
#ifndef RACE_SETTINGS_H
#define RACE_SETTINGS_H

#include "engine.h"

#include <stddef.h>
#include <stdint.h>

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
    int options;       /* RACE_* */
    int64_t n_hot;     /* nodes at the top of the tree; of a softmax all rows are hot anyway */
    int64_t n_classes; /* that documents predict; 0 where words do */
} race_setting;

enum {
    RACE_HITS = 1,    /* are kept */
    RACE_CHAIN = 2,   /* the tree is as deep as can be, not as flat */
    RACE_ZERO = 4,    /* offsets */
    RACE_PARTS = 8,   /* words are made of parts */
    RACE_FROZEN = 16, /* every second word's input row stays */
};

extern const race_setting race_settings[];
extern const size_t race_n_settings;

static inline int has_biases(const race_setting *set) {
    return set->loss == SKW2V_NCE || set->loss == SKW2V_SAMPLED_SOFTMAX ||
           set->loss == SKW2V_SOFTMAX || set->loss == SKW2V_ONE_VERSUS_REST;
}

/* What can be predicted: words, or classes. */
static inline int64_t n_targets(const race_setting *set) {
    return set->n_classes > 0 ? set->n_classes : set->n_words;
}

/* Rows of the output matrix: the targets', or the nodes'. */
static inline int64_t n_output(const race_setting *set) {
    return n_targets(set) - (set->loss == SKW2V_HIERARCHICAL_SOFTMAX);
}

static inline int64_t n_hot(const race_setting *set) {
    const int all = set->loss == SKW2V_SOFTMAX || set->loss == SKW2V_ONE_VERSUS_REST;
    return all ? n_output(set) : set->n_hot;
}

static inline int64_t stride_of(const race_setting *set) {
    const int has_curvature = set->architecture == SKW2V_DOCUMENT;
    return (set->n_components + has_biases(set) + has_curvature + 15) / 16 * 16;
}

#endif
