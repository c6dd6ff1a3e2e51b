/* What a body offers besides training whole shards, called at the edges of its memory. */
#ifndef RACE_BODY_H
#define RACE_BODY_H

#include "engine.h"

/* Checks the primitive, log_partitions and pool_document. Returns the number of failed checks. */
int race_check_body(const skw2v_body *body);

#endif
