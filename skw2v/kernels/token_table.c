#include "token_table.h"

#include <stdlib.h>

enum { FIRST_ENTRIES = 256, FIRST_TOKENS = 128, FIRST_ARENA = 1024 };

static skw2v_entry *free_entries(uint64_t n) {
    if (n > SIZE_MAX / sizeof(skw2v_entry))
        return NULL;
    skw2v_entry *entries = malloc(n * sizeof *entries);
    if (entries)
        memset(entries, 0xFF, n * sizeof *entries); /* number = SKW2V_NO_TOKEN */
    return entries;
}

int skw2v_open_table(skw2v_token_table *table, uint64_t seed) {
    memset(table, 0, sizeof *table);
    table->seed = seed;
    table->mask = FIRST_ENTRIES - 1;
    table->entries = free_entries(FIRST_ENTRIES);
    table->ends_capacity = FIRST_TOKENS + 1;
    table->ends = calloc((size_t)table->ends_capacity, sizeof *table->ends);
    table->arena_capacity = FIRST_ARENA;
    table->arena = malloc((size_t)table->arena_capacity);
    if (table->entries && table->ends && table->arena)
        return 0;
    skw2v_close_table(table);
    return SKW2V_NO_MEMORY;
}

void skw2v_close_table(skw2v_token_table *table) {
    free(table->entries);
    free(table->ends);
    free(table->arena);
    memset(table, 0, sizeof *table);
}

void skw2v_clear_table(skw2v_token_table *table) {
    memset(table->entries, 0xFF, (table->mask + 1) * sizeof *table->entries);
    table->n_tokens = 0;
}

static int double_entries(skw2v_token_table *table) {
    uint64_t n = table->mask + 1;
    skw2v_entry *old = table->entries, *entries = free_entries(2 * n);
    if (!entries)
        return SKW2V_NO_MEMORY;
    table->entries = entries;
    table->mask = 2 * n - 1;
    for (uint64_t i = 0; i < n; i++) {
        if (old[i].number < 0)
            continue;
        uint64_t at = skw2v_entry_of(table, old[i].words);
        while (entries[at].number >= 0)
            at = (at + 1) & table->mask;
        entries[at] = old[i];
    }
    free(old);
    return 0;
}

/* Make room for one token of `length` bytes, where the room is not there already. */
static int make_room(skw2v_token_table *table, int64_t length) {
    if (table->n_tokens + 1 == table->ends_capacity) {
        int64_t capacity = table->ends_capacity + table->ends_capacity / 2;
        int64_t *ends = realloc(table->ends, (size_t)capacity * sizeof *ends);
        if (!ends)
            return SKW2V_NO_MEMORY;
        table->ends = ends;
        table->ends_capacity = capacity;
    }
    int64_t needed = table->ends[table->n_tokens] + length + SKW2V_TOKEN_PADDING;
    if (needed > table->arena_capacity) {
        int64_t capacity = needed + needed / 2;
        unsigned char *arena = realloc(table->arena, (size_t)capacity);
        if (!arena)
            return SKW2V_NO_MEMORY;
        table->arena = arena;
        table->arena_capacity = capacity;
    }
    return 0;
}

int32_t skw2v_number_token(skw2v_token_table *table, const unsigned char *bytes,
                           skw2v_token_key key) {
    skw2v_entry *entry = skw2v_find_entry(table, bytes, key);
    if (entry->number >= 0)
        return entry->number;
    if (table->n_tokens == INT32_MAX || make_room(table, key.length) != 0)
        return SKW2V_NO_MEMORY;
    if (3 * (uint64_t)(table->n_tokens + 1) > 2 * table->mask) {
        if (double_entries(table) != 0)
            return SKW2V_NO_MEMORY;
        entry = skw2v_find_entry(table, bytes, key);
    }
    int64_t start = table->ends[table->n_tokens];
    memcpy(table->arena + start, bytes, (size_t)key.length);
    table->ends[table->n_tokens + 1] = start + key.length;
    memcpy(entry->words, key.words, sizeof entry->words);
    entry->length = key.length < UINT32_MAX ? (uint32_t)key.length : UINT32_MAX;
    entry->number = (int32_t)table->n_tokens;
    return (int32_t)table->n_tokens++;
}
