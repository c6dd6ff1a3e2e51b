/* A made-up corpus for a setting, and what its objective needs. */
#ifndef RACE_CORPUS_H
#define RACE_CORPUS_H

#include "race_settings.h"

typedef struct {
    int32_t *token_ids, *alias;
    int64_t *document_offsets, n_documents;
    uint32_t *keep_threshold, *alias_threshold;
    float *offsets;
    int64_t *path_offsets;
    int32_t *path_steps;
    int64_t *part_offsets, n_subwords;
    int32_t *parts;
    uint8_t *frozen;
    /* of documents */
    int64_t *label_offsets, *order, *shares, n_shares;
    int32_t *labels;
} race_corpus;

race_corpus race_make_corpus(const race_setting *set);
void race_free_corpus(race_corpus *made);

#endif
