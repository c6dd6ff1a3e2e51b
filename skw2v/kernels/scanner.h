/* Text to the numbers of its tokens, over the characters as Python holds them.
 *
 * A token is a run of word characters, as \w+ finds them. A piece of text goes through three steps,
 * each over a few hundred tokens, so that what one writes is still in the first cache when the next
 * one reads it:
 *
 *     characters -> lowercase bytes (UTF-8) and the borders of runs    no branch on a character
 *     borders    -> keys, whose entries are fetched into the cache
 *     keys       -> numbers
 *
 * A text is cut at borders of words, so its pieces can be scanned apart, by several threads, too.
 */
#ifndef SKW2V_SCANNER_H
#define SKW2V_SCANNER_H

#include "token_table.h"

/* A string's buffer. */
typedef struct {
    const void *characters;
    int64_t length; /* in characters */
    int width;      /* bytes a character: 1, 2 or 4 */
    int is_ascii;
} skw2v_text;

/* Which runs are tokens, and which tables know them. Only read. */
typedef struct {
    /* For each code point that the texts have: its lowercase if it is a word character, else 0. */
    const uint32_t *lowercase;
    int lowers;                     /* 0: tokens stay as they are written */
    int shortest;                   /* 1 or 2 characters: shorter runs are no tokens */
    const skw2v_token_table *skip;  /* tokens to pass over, or NULL */
    const skw2v_token_table *known; /* tokens that have numbers, or NULL */
} skw2v_rules;

/* What one thread found in its part. */
typedef struct {
    int32_t *ids;
    int64_t n_ids;
    int64_t n_unknown; /* tokens left out because no table knows them */
    int64_t *waiting;  /* positions of ids below 0 */
    int64_t n_waiting;
    int64_t ids_capacity;
    unsigned char *bytes;
    int64_t bytes_capacity;
} skw2v_scan;

/* The character before which a part begins or ends. */
typedef struct {
    int64_t text;
    int64_t at;
} skw2v_place;

/* Number the tokens from `first` up to `last`, both from `skw2v_border`, adding to `scan`; and say
 * how many ids each text from first.text to last.text gave.
 *
 * What `known` does not know gets its number from `fresh`, or is left out where that is NULL. With
 * both tables, number n of `fresh` becomes the id -1 - n. Returns 0 or SKW2V_NO_MEMORY. */
int skw2v_scan_texts(skw2v_scan *scan, const skw2v_rules *rules, skw2v_token_table *fresh,
                     const skw2v_text *texts, skw2v_place first, skw2v_place last,
                     int64_t *lengths);

/* The last position up to `at` that does not lie within a word. */
int64_t skw2v_border(const skw2v_rules *rules, const skw2v_text *text, int64_t at);

/* The bytes of a whole text as one token, unchanged, with their padding. Returns how many they are;
 * `bytes` has room for 4 * length + SKW2V_TOKEN_PADDING. */
int64_t skw2v_write_bytes(const skw2v_text *text, unsigned char *bytes);

/* Make the ids below 0 what `numbers` says: -1 - n becomes numbers[n]. */
void skw2v_resolve(skw2v_scan *scan, const int32_t *numbers);

void skw2v_release_scan(skw2v_scan *scan);

#endif
