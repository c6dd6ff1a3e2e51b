/* Training with several threads, as `Engine.run` does it, beside training with one. */
#ifndef RACE_TRAINING_H
#define RACE_TRAINING_H

#include "race_settings.h"

/* Returns the number of thread counts that gave other bits than one thread, and 1 more where those
 * cannot be right; adds to `n_pairs`. */
int race_compare(const race_setting *set, const skw2v_body *body, int64_t *n_pairs);

#endif
