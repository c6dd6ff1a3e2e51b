# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Huffman's tree over the words: how it is made, and who passes where.

Called by `_huffman.py` and `_layout.py`.
"""

from libc.stdint cimport int32_t, int64_t

import numpy as np


def join_lightest(const double[::1] weights):
    """Parent and code of the nodes of Huffman's tree over ``weights``, which must rise.

    Nodes are the n leaves, then the inner nodes as they are made; the root, the last, has no entry.
    The inner nodes' weights rise, too, so the lightest node is the first of one of two queues.
    """
    cdef:
        int64_t n = weights.shape[0], n_inner = max(n - 1, 0), leaf = 0, inner = 0, new, child
        double[::1] made = np.zeros(n_inner)
        int64_t[::1] parent = np.empty(2 * n_inner, np.int64)
        unsigned char[::1] code = np.empty(2 * n_inner, np.uint8)
        int child_code
    with nogil:
        for new in range(n_inner):
            for child_code in range(2):
                if leaf < n and (inner == new or weights[leaf] <= made[inner]):
                    child = leaf
                    made[new] += weights[leaf]
                    leaf += 1
                else:
                    child = n + inner
                    made[new] += made[inner]
                    inner += 1
                parent[child] = n + new
                code[child] = child_code
    return np.asarray(parent), np.asarray(code)


def climb(const int64_t[::1] parent, const unsigned char[::1] code, const int64_t[::1] leaf):
    """(offsets, nodes, labels) of the ways from the root to each word's leaf: `HuffmanPaths`."""
    cdef:
        int64_t n_words = leaf.shape[0], root = parent.shape[0], word, node, at
        int64_t[::1] depth = np.zeros(root + 1, np.int64)
        int64_t[::1] offsets = np.zeros(n_words + 1, np.int64)
        int32_t[::1] nodes
        float[::1] labels
    for node in range(root - 1, -1, -1):
        depth[node] = depth[parent[node]] + 1
    for word in range(n_words):
        offsets[word + 1] = offsets[word] + depth[leaf[word]]
    nodes = np.empty(offsets[n_words], np.int32)
    labels = np.empty(offsets[n_words], np.float32)
    with nogil:
        for word in range(n_words):
            node = leaf[word]
            at = offsets[word + 1]
            while node != root:
                at -= 1
                nodes[at] = <int32_t> (parent[node] - n_words)
                labels[at] = 1 - code[node]
                node = parent[node]
    return np.asarray(offsets), np.asarray(nodes), np.asarray(labels)


def weight_passing(const int64_t[::1] offsets, const int32_t[::1] nodes, const double[::1] weights):
    """For each inner node, the sum of the weights of the words below it, in the order of ids."""
    cdef:
        int64_t n_words = weights.shape[0], word, at
        double[::1] passing = np.zeros(max(n_words - 1, 0))
    with nogil:
        for word in range(n_words):
            for at in range(offsets[word], offsets[word + 1]):
                passing[nodes[at]] += weights[word]
    return np.asarray(passing)
