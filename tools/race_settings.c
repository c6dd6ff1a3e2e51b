#include "race_settings.h"

enum {
    S = SKW2V_SKIPGRAM,
    C = SKW2V_CBOW,
    D = SKW2V_DOCUMENT,
    EXACT = SKW2V_CBOW_EXACT,
    FULL = SKW2V_CBOW_WORD2VEC
};
enum {
    NS = SKW2V_NEGATIVE_SAMPLING,
    NCE = SKW2V_NCE,
    SS = SKW2V_SAMPLED_SOFTMAX,
    HS = SKW2V_HIERARCHICAL_SOFTMAX,
    ALL = SKW2V_SOFTMAX,
    OVR = SKW2V_ONE_VERSUS_REST,
};
enum { HITS = RACE_HITS, CHAIN = RACE_CHAIN, ZERO = RACE_ZERO, PARTS = RACE_PARTS };
enum { FROZEN = RACE_FROZEN };

/* The first one of each loss has the races to be found, rows that are shared and rows that are not;
 * the others are the edges of the memory that a plan may use. A bias needs a block of columns of
 * its own where the components fill theirs (16, 32), and none where they do not. */
const race_setting race_settings[] = {
    {"skip-gram", NS, 300, 6000, 150, S, EXACT, 5, 5, 32, 16, 16, 40, 16, 0},
    {"cbow", NS, 300, 6000, 150, C, EXACT, 5, 5, 32, 16, 16, 40, 48, 0},
    {"word2vec's cbow", NS, 2000, 4000, 900, C, FULL, 5, 5, 32, 16, 5, 40, 16, 0},
    {"few words, most shards", NS, 3, 3000, 60, S, EXACT, 4, 5, 5, 16, SKW2V_MAX_SHARDS, 8, 16, 0},
    {"one document", NS, 50, 2000, 2000, S, EXACT, 5, 12, 40, 16, 7, 33, 32, 0},
    {"shards of a token", NS, 20, 400, 30, C, FULL, 3, 2, 2, 4, 16, 1, 16, 0},
    {"wide windows", NS, 40, 500, 90, S, EXACT, 50, 5, 7, 3, 4, 9, 16, 0},
    {"one shard", NS, 100, 900, 50, S, EXACT, 5, 5, 32, 16, 1, 100, 16, 0},
    {"fewer tokens than shards", NS, 5, 11, 4, C, EXACT, 5, 5, 32, 16, 16, 128, 16, 0},
    {"one token", NS, 1, 1, 1, S, EXACT, 5, 1, 1, 1, 3, 1, 16, 0},
    {"no noise", NS, 50, 400, 60, S, EXACT, 5, 0, 0, 16, 5, 20, 16, 0},
    {"hits kept", NS, 6, 600, 60, S, EXACT, 4, 9, 20, 16, 8, 9, 16, HITS},

    {"parts", NS, 300, 3000, 150, S, EXACT, 5, 5, 32, 16, 16, 40, 16, PARTS},
    {"parts, cbow", NS, 300, 1500, 150, C, FULL, 5, 5, 32, 16, 5, 40, 80, PARTS},
    {"parts, one shard", NS, 100, 900, 50, S, EXACT, 5, 5, 32, 16, 1, 100, 16, PARTS},
    {"parts, most shards", NS, 3, 900, 60, S, EXACT, 4, 5, 5, 16, SKW2V_MAX_SHARDS, 8, 16, PARTS},
    {"parts, fewer tokens than shards", NCE, 5, 11, 4, C, EXACT, 5, 5, 32, 16, 16, 128, 16, PARTS},
    {"parts, biases", NCE, 300, 1500, 150, S, EXACT, 5, 5, 32, 16, 8, 40, 20, PARTS},
    {"parts, paths", HS, 60, 900, 90, S, EXACT, 5, 0, 0, 16, 16, 9, 16, PARTS, .n_hot = 7},
    {"parts, softmax", ALL, 100, 800, 90, S, EXACT, 5, 0, 0, 16, 8, 20, 16, PARTS},

    {"frozen rows", NS, 300, 3000, 150, S, EXACT, 5, 5, 32, 16, 16, 40, 16, FROZEN},
    {"frozen rows, cbow", NS, 300, 1500, 150, C, FULL, 5, 5, 32, 16, 5, 40, 48, FROZEN},
    {"frozen rows, full groups", SS, 600, 400, 300, S, EXACT, 30, 21, 40, 16, 4, 30, 16, FROZEN},
    {"frozen rows, one shard", NCE, 100, 900, 50, S, EXACT, 5, 5, 32, 16, 1, 100, 16, FROZEN},
    {"frozen rows, paths", HS, 60, 900, 90, S, EXACT, 5, 0, 0, 16, 16, 9, 16, FROZEN, .n_hot = 7},
    {"frozen rows, softmax", ALL, 600, 200, 300, S, EXACT, 30, 0, 0, 16, 3, 20, 15, FROZEN},

    {"nce", NCE, 300, 3000, 150, S, EXACT, 5, 5, 32, 16, 16, 40, 16, HITS},
    {"nce, hits removed", NCE, 300, 1500, 150, C, FULL, 5, 5, 32, 16, 8, 40, 20, 0},
    {"nce, few words", NCE, 4, 600, 60, C, EXACT, 4, 5, 5, 16, 8, 8, 32, HITS},
    {"nce, few words, hits removed", NCE, 4, 600, 60, S, EXACT, 4, 9, 20, 16, 8, 8, 15, 0},
    {"nce, one word", NCE, 1, 60, 9, S, EXACT, 5, 5, 5, 16, 3, 7, 16, 0},

    {"sampled softmax", SS, 300, 3000, 150, S, EXACT, 5, 5, 32, 16, 16, 40, 10, 0},
    {"sampled softmax, cbow", SS, 300, 1500, 150, C, FULL, 5, 5, 32, 16, 8, 40, 32, 0},
    {"sampled softmax, full groups", SS, 600, 400, 300, S, EXACT, 30, 21, 40, 16, 4, 30, 16, 0},
    {"sampled softmax, odd groups", SS, 600, 400, 300, S, EXACT, 30, 15, 40, 7, 4, 30, 16, 0},
    {"sampled softmax, few words", SS, 4, 600, 60, S, EXACT, 4, 5, 5, 16, 8, 8, 15, 0},
    {"sampled softmax, hits kept", SS, 4, 600, 60, C, EXACT, 4, 9, 20, 16, 8, 8, 16, HITS},
    {"sampled softmax, one word", SS, 1, 60, 9, C, EXACT, 5, 5, 5, 16, 3, 7, 5, 0},

    {"hierarchical softmax", HS, 300, 3000, 150, S, EXACT, 5, 0, 0, 16, 16, 40, 16, 0},
    {"hierarchical softmax, cbow", HS, 300, 1500, 150, C, FULL, 5, 0, 0, 16, 8, 40, 20, 0},
    {"a hot root", HS, 300, 1500, 150, S, EXACT, 5, 0, 0, 16, 16, 40, 32, 0, .n_hot = 1},
    {"a hot top", HS, 300, 1500, 150, C, EXACT, 5, 0, 0, 16, 8, 40, 32, 0, .n_hot = 31},
    {"fewer hot nodes than shards", HS, 60, 900, 90, S, EXACT, 5, 0, 0, 7, SKW2V_MAX_SHARDS, 5, 16,
     0, .n_hot = 15},
    {"all nodes hot", HS, 60, 900, 90, S, EXACT, 5, 0, 0, 16, 6, 25, 33, 0, .n_hot = 59},
    {"all nodes hot, cbow", HS, 60, 900, 90, C, FULL, 5, 0, 0, 16, 16, 9, 16, 0, .n_hot = 59},
    {"a hot top, one shard", HS, 60, 900, 90, S, EXACT, 5, 0, 0, 16, 1, 50, 16, 0, .n_hot = 7},
    {"all nodes hot, one shard", HS, 60, 900, 90, C, EXACT, 5, 0, 0, 16, 1, 50, 16, 0, .n_hot = 59},
    {"a hot top, fewer tokens than shards", HS, 5, 11, 4, S, EXACT, 5, 0, 0, 16, 16, 128, 16, 0,
     .n_hot = 2},
    /* Deep words have more targets than fit two blocks: up to 149 nodes, with skip-gram for up to
     * 16 hidden rows that are trained in place. */
    {"a chain", HS, 150, 500, 90, S, EXACT, 20, 0, 0, 16, 5, 20, 16, CHAIN},
    {"a chain with a hot top", HS, 150, 500, 90, S, EXACT, 20, 0, 0, 16, 5, 20, 20, CHAIN,
     .n_hot = 40},
    {"a chain, all of it hot", HS, 150, 500, 90, C, EXACT, 5, 0, 0, 16, 7, 9, 16, CHAIN,
     .n_hot = 149},
    {"a chain, cbow", HS, 150, 500, 90, C, EXACT, 5, 0, 0, 16, 7, 9, 16, CHAIN},
    {"a chain, shards of a token", HS, 40, 100, 30, S, EXACT, 3, 0, 0, 3, 16, 1, 16, CHAIN,
     .n_hot = 3},
    {"two words, one node", HS, 2, 300, 30, S, EXACT, 5, 0, 0, 16, 8, 8, 16, 0},
    {"two words, one hot node", HS, 2, 300, 30, S, EXACT, 5, 0, 0, 16, 8, 8, 16, 0, .n_hot = 1},
    {"one word, no node", HS, 1, 60, 9, S, EXACT, 5, 0, 0, 16, 3, 7, 16, 0},
    {"one word, no node, cbow", HS, 1, 60, 9, C, EXACT, 5, 0, 0, 16, 3, 7, 16, 0},

    {"softmax", ALL, 100, 800, 90, S, EXACT, 5, 0, 0, 16, 8, 20, 16, 0},
    {"softmax, one shard", ALL, 100, 400, 90, S, EXACT, 5, 0, 0, 16, 1, 20, 16, 0},
    {"softmax, one shard, cbow", ALL, 100, 400, 90, C, EXACT, 5, 0, 0, 16, 1, 20, 33, 0},
    {"softmax, full groups", ALL, 600, 200, 300, S, EXACT, 30, 0, 0, 16, 3, 20, 15, 0},
    {"softmax, odd groups", ALL, 300, 150, 90, S, EXACT, 10, 0, 0, 5, 3, 20, 32, 0},
    {"softmax, groups of one", ALL, 60, 300, 90, S, EXACT, 12, 0, 0, 1, 5, 10, 16, 0},
    {"softmax, windows wider than shards", ALL, 60, 300, 90, S, EXACT, 40, 0, 0, 16, 8, 3, 16, 0},
    {"softmax, the same in groups of two", ALL, 60, 200, 90, S, EXACT, 40, 0, 0, 2, 8, 3, 20, 0},
    {"softmax, windows wider than documents", ALL, 9, 200, 12, S, EXACT, 1000, 0, 0, 3, 7, 1, 16,
     0},
    {"softmax, shards of a token", ALL, 20, 100, 30, S, EXACT, 6, 0, 0, 4, 16, 1, 16, 0},
    {"softmax, fewer tokens than shards", ALL, 5, 11, 4, S, EXACT, 5, 0, 0, 16, 16, 128, 16, 0},
    {"softmax, cbow", ALL, 600, 300, 90, C, FULL, 5, 0, 0, 16, 4, 20, 16, 0},
    {"softmax, few words", ALL, 5, 600, 60, S, EXACT, 4, 0, 0, 16, SKW2V_MAX_SHARDS, 4, 20, 0},
    {"softmax, few words, wide windows", ALL, 3, 300, 60, S, EXACT, 50, 0, 0, 16, 4, 20, 20, 0},
    {"softmax, whole blocks", ALL, 16, 400, 60, C, EXACT, 4, 0, 0, 16, 8, 8, 16, ZERO},
    {"softmax, no offsets", ALL, 90, 400, 60, S, EXACT, 4, 0, 0, 16, 8, 8, 16, ZERO},
    {"softmax, one word", ALL, 1, 60, 9, S, EXACT, 5, 0, 0, 16, 3, 7, 16, 0},

    /* Documents and their classes: rows that all shards copy, and rows that have slots. */
    {"documents, softmax", ALL, 300, 3000, 30, D, EXACT, 1, 0, 0, 1, 8, 40, 14, 0, .n_classes = 5},
    {"documents, softmax, one shard", ALL, 60, 900, 30, D, EXACT, 1, 0, 0, 1, 1, 40, 15, 0,
     .n_classes = 17},
    {"documents, frozen rows", ALL, 300, 1500, 30, D, EXACT, 1, 0, 0, 1, 8, 40, 16, FROZEN,
     .n_classes = 5},
    {"documents, one versus rest", OVR, 300, 3000, 30, D, EXACT, 1, 0, 0, 1, 16, 20, 14, 0,
     .n_classes = 9},
    {"documents, nce", NCE, 300, 3000, 30, D, EXACT, 1, 5, 32, 1, 8, 40, 14, HITS, .n_classes = 90},
    {"documents, more classes than words", SS, 9, 900, 12, D, EXACT, 1, 5, 7, 1, 16, 20, 16, FROZEN,
     .n_classes = 200},
    {"documents, longer than a shard", NCE, 60, 900, 90, D, EXACT, 1, 4, 4, 1, 7, 5, 14, 0,
     .n_classes = 3},
    {"documents, paths", HS, 300, 1500, 30, D, EXACT, 1, 0, 0, 1, 8, 40, 15, 0, .n_classes = 64},
    {"documents, a hot top", HS, 300, 1500, 30, D, EXACT, 1, 0, 0, 1, 8, 40, 15, 0, .n_hot = 7,
     .n_classes = 64},
    {"documents, two classes, most shards", HS, 9, 900, 9, D, EXACT, 1, 0, 0, 1, SKW2V_MAX_SHARDS,
     2, 3, 0, .n_hot = 1, .n_classes = 2},
};

const size_t race_n_settings = sizeof race_settings / sizeof *race_settings;
