/* Memory for race_test.c, which gives up where there is none. */
#ifndef RACE_MEMORY_H
#define RACE_MEMORY_H

#include <stdlib.h>

/* Exactly as much as is used, so that the AddressSanitizer sees the first byte too many. */
static inline void *room(size_t n, size_t size) {
    void *memory = malloc(n * size);
    if (memory == NULL)
        abort();
    return memory;
}

/* For matrices, whose rows are aligned. */
static inline float *aligned_room(size_t bytes) {
    float *memory = aligned_alloc(64, bytes);
    if (memory == NULL)
        abort();
    return memory;
}

#endif
