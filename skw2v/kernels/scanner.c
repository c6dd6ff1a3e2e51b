#include "scanner.h"

#include <stdlib.h>

#if defined(_MSC_VER)
#include <intrin.h>
static inline int lowest_bit(uint64_t bits) {
    unsigned long at;
    _BitScanForward64(&at, bits);
    return (int)at;
}
#define prefetch(address) ((void)(address))
#else
#define lowest_bit(bits)  __builtin_ctzll(bits)
#define prefetch(address) __builtin_prefetch(address)
#endif

/* Characters a piece has at most, if no word is longer. Its bytes, borders and keys together stay
 * below the 32 KiB of a small first cache. */
enum { PIECE = 1024, MAX_BORDERS = PIECE + 64 };

/* ---- characters to bytes and borders ----------------------------------------------------------
 */

static inline uint32_t character(const void *characters, int64_t at, int width) {
    if (width == 1)
        return ((const uint8_t *)characters)[at];
    if (width == 2)
        return ((const uint16_t *)characters)[at];
    return ((const uint32_t *)characters)[at];
}

static inline int is_word(const skw2v_rules *rules, const skw2v_text *text, int64_t at) {
    return rules->lowercase[character(text->characters, at, text->width)] != 0;
}

int64_t skw2v_border(const skw2v_rules *rules, const skw2v_text *text, int64_t at) {
    if (at >= text->length)
        return text->length;
    while (at > 0 && is_word(rules, text, at) && is_word(rules, text, at - 1))
        at--;
    return at;
}

/* Where a piece that begins at `first` ends: at a border, PIECE characters on or before, unless a
 * word is longer than that. */
static int64_t end_of_piece(const skw2v_rules *rules, const skw2v_text *text, int64_t first,
                            int64_t last) {
    if (last - first <= PIECE)
        return last;
    int64_t end = first + PIECE;
    while (end > first && is_word(rules, text, end) && is_word(rules, text, end - 1))
        end--;
    if (end > first)
        return end;
    for (end = first + PIECE; end < last && is_word(rules, text, end);)
        end++;
    return end;
}

/* Eight bytes of 0 or 1 to eight bits, the first byte lowest. */
static inline uint64_t bits_of(const unsigned char *flags) {
    return (skw2v_read_word(flags) * UINT64_C(0x0102040810204080)) >> 56;
}

/* 64 characters of ASCII in lowercase, and a bit for each that belongs to a word. */
static inline uint64_t scan_64(const unsigned char *restrict in, unsigned char lowers,
                               unsigned char *restrict bytes) {
    unsigned char flags[64];
    for (int i = 0; i < 64; i++) {
        unsigned char c = in[i];
        unsigned char letter = (unsigned char)((c | 0x20) - 'a') < 26;
        unsigned char other = ((unsigned char)(c - '0') < 10) | (c == '_');
        bytes[i] = (unsigned char)(c | (letter & lowers) << 5); /* 0x20 makes it lowercase */
        flags[i] = letter | other;
    }
    uint64_t word = 0;
    for (int i = 0; i < 8; i++)
        word |= bits_of(flags + 8 * i) << (8 * i);
    return word;
}

/* The runs of word characters in ASCII: bytes[borders[0]] to bytes[borders[1]] and so on. Returns
 * how many borders there are. */
static int64_t scan_ascii(const unsigned char *in, int64_t n, int lowers, unsigned char *bytes,
                          uint32_t *borders) {
    uint64_t carried = 0;
    int64_t n_borders = 0;
    for (int64_t start = 0; start < n; start += 64) {
        unsigned char last[64] = {0};
        const unsigned char *from = in + start;
        if (n - start < 64)
            from = memcpy(last, from, (size_t)(n - start));
        uint64_t word = scan_64(from, (unsigned char)lowers, bytes + start);
        for (uint64_t changes = word ^ (word << 1 | carried); changes; changes &= changes - 1)
            borders[n_borders++] = (uint32_t)(start + lowest_bit(changes));
        carried = word >> 63;
    }
    if (carried)
        borders[n_borders++] = (uint32_t)n;
    return n_borders;
}

static inline int64_t write_utf8(unsigned char *bytes, uint32_t c) {
    if (c < 0x80) {
        bytes[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        bytes[0] = (unsigned char)(0xC0 | c >> 6);
        bytes[1] = (unsigned char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        bytes[0] = (unsigned char)(0xE0 | c >> 12);
        bytes[1] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
        bytes[2] = (unsigned char)(0x80 | (c & 0x3F));
        return 3;
    }
    bytes[0] = (unsigned char)(0xF0 | c >> 18);
    bytes[1] = (unsigned char)(0x80 | (c >> 12 & 0x3F));
    bytes[2] = (unsigned char)(0x80 | (c >> 6 & 0x3F));
    bytes[3] = (unsigned char)(0x80 | (c & 0x3F));
    return 4;
}

/* The same of any text. Only word characters are written: a run may begin where another ended. */
static inline int64_t scan_wide(const skw2v_rules *rules, const void *characters, int width,
                                int64_t first, int64_t last, unsigned char *bytes,
                                uint32_t *borders) {
    int64_t n_borders = 0, at = 0;
    int was_word = 0;
    for (int64_t i = first; i < last; i++) {
        uint32_t c = character(characters, i, width), lower = rules->lowercase[c];
        int word = lower != 0;
        borders[n_borders] = (uint32_t)at;
        n_borders += word != was_word;
        was_word = word;
        c = rules->lowers ? lower : c;
        if (c < 0x80) {
            bytes[at] = (unsigned char)c;
            at += word;
        } else if (word) {
            at += write_utf8(bytes + at, c);
        }
    }
    borders[n_borders] = (uint32_t)at;
    return n_borders + was_word;
}

static int64_t scan_piece(const skw2v_rules *rules, const skw2v_text *text, int64_t first,
                          int64_t last, unsigned char *bytes, uint32_t *borders) {
    const void *characters = text->characters;
    if (text->is_ascii)
        return scan_ascii((const unsigned char *)characters + first, last - first, rules->lowers,
                          bytes, borders);
    if (text->width == 1)
        return scan_wide(rules, characters, 1, first, last, bytes, borders);
    if (text->width == 2)
        return scan_wide(rules, characters, 2, first, last, bytes, borders);
    return scan_wide(rules, characters, 4, first, last, bytes, borders);
}

int64_t skw2v_write_bytes(const skw2v_text *text, unsigned char *bytes) {
    int64_t n = text->length;
    if (text->is_ascii) {
        memcpy(bytes, text->characters, (size_t)n);
    } else {
        n = 0;
        for (int64_t i = 0; i < text->length; i++)
            n += write_utf8(bytes + n, character(text->characters, i, text->width));
    }
    memset(bytes + n, 0, SKW2V_TOKEN_PADDING);
    return n;
}

/* ---- borders to numbers -----------------------------------------------------------------------
 */

static inline int is_one_character(const unsigned char *bytes, int64_t length) {
    return length == (bytes[0] < 0x80 ? 1 : bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4);
}

static int number_runs(skw2v_scan *scan, const skw2v_rules *rules, skw2v_token_table *fresh,
                       const unsigned char *bytes, uint32_t *borders, int64_t n_runs) {
    const skw2v_token_table *known = rules->known, *first = known ? known : fresh;
    const uint64_t seed = first->seed;
    skw2v_token_key keys[MAX_BORDERS / 2];
    uint32_t starts[MAX_BORDERS / 2];
    int64_t n = 0;
    for (int64_t i = 0; i < n_runs; i++) {
        uint32_t start = borders[2 * i];
        int64_t length = borders[2 * i + 1] - start;
        keys[n] = skw2v_make_key(seed, bytes + start, length);
        starts[n] = start;
        prefetch(&first->entries[skw2v_entry_of(first, keys[n].words)]);
        n += rules->shortest < 2 || !is_one_character(bytes + start, length);
    }
    int32_t *ids = scan->ids + scan->n_ids;
    int64_t n_ids = 0;
    for (int64_t i = 0; i < n; i++) {
        const unsigned char *token = bytes + starts[i];
        if (rules->skip && skw2v_find_token(rules->skip, token, keys[i]) >= 0)
            continue;
        int32_t id = skw2v_find_token(first, token, keys[i]);
        if (id < 0) {
            if (!fresh) {
                scan->n_unknown++;
                continue;
            }
            id = skw2v_number_token(fresh, token, keys[i]);
            if (id < 0)
                return SKW2V_NO_MEMORY;
            if (known) {
                id = -1 - id;
                scan->waiting[scan->n_waiting++] = scan->n_ids + n_ids;
            }
        }
        ids[n_ids++] = id;
    }
    scan->n_ids += n_ids;
    return 0;
}

static int make_room(skw2v_scan *scan, int64_t n_characters) {
    if (n_characters >
        (UINT32_MAX - 128) / 4) /* a word of a billion letters; borders are 32 bits */
        return SKW2V_NO_MEMORY;
    int64_t needed = scan->n_ids + n_characters;
    if (needed > scan->ids_capacity) {
        int64_t capacity = needed + needed / 2;
        int32_t *ids = realloc(scan->ids, (size_t)capacity * sizeof *ids);
        if (!ids)
            return SKW2V_NO_MEMORY;
        scan->ids = ids;
        int64_t *waiting = realloc(scan->waiting, (size_t)capacity * sizeof *waiting);
        if (!waiting)
            return SKW2V_NO_MEMORY;
        scan->waiting = waiting;
        scan->ids_capacity = capacity;
    }
    needed = 4 * n_characters + 64 + SKW2V_TOKEN_PADDING; /* `scan_64` writes 64 at a time */
    if (needed > scan->bytes_capacity) {
        free(scan->bytes);
        scan->bytes = calloc((size_t)needed, 1);
        scan->bytes_capacity = scan->bytes ? needed : 0;
    }
    return scan->bytes ? 0 : SKW2V_NO_MEMORY;
}

/* The tokens from character `first` up to `last` of one text; both are borders. */
static int scan_text(skw2v_scan *scan, const skw2v_rules *rules, skw2v_token_table *fresh,
                     const skw2v_text *text, int64_t first, int64_t last) {
    while (first < last) {
        uint32_t borders[MAX_BORDERS];
        int64_t end = end_of_piece(rules, text, first, last);
        if (make_room(scan, end - first > PIECE ? end - first : PIECE) != 0)
            return SKW2V_NO_MEMORY;
        int64_t n = scan_piece(rules, text, first, end, scan->bytes, borders);
        if (number_runs(scan, rules, fresh, scan->bytes, borders, n / 2) != 0)
            return SKW2V_NO_MEMORY;
        first = end;
    }
    return 0;
}

int skw2v_scan_texts(skw2v_scan *scan, const skw2v_rules *rules, skw2v_token_table *fresh,
                     const skw2v_text *texts, skw2v_place first, skw2v_place last,
                     int64_t *lengths) {
    for (int64_t i = first.text; i <= last.text; i++) {
        int64_t before = scan->n_ids, from = i == first.text ? first.at : 0;
        int64_t to = i == last.text ? last.at : texts[i].length;
        if (scan_text(scan, rules, fresh, &texts[i], from, to) != 0)
            return SKW2V_NO_MEMORY;
        lengths[i - first.text] = scan->n_ids - before;
    }
    return 0;
}

void skw2v_resolve(skw2v_scan *scan, const int32_t *numbers) {
    for (int64_t i = 0; i < scan->n_waiting; i++) {
        int32_t *id = &scan->ids[scan->waiting[i]];
        *id = numbers[-1 - *id];
    }
}

void skw2v_release_scan(skw2v_scan *scan) {
    free(scan->ids);
    free(scan->waiting);
    free(scan->bytes);
    memset(scan, 0, sizeof *scan);
}
