"""The binary tree of hierarchical softmax: short paths for frequent words, long ones for rare."""

from typing import NamedTuple

import numpy as np


class HuffmanPaths(NamedTuple):
    """Every word's way from the root down to its leaf."""

    offsets: np.ndarray  # int64 (n_words + 1,): word w has nodes[offsets[w]:offsets[w + 1]]
    nodes: np.ndarray  # int32 (total,): inner nodes, numbered 0..n_words-2, the root last
    labels: np.ndarray  # float32 (total,): 1 - code, as in word2vec.c


def huffman_paths(counts):
    """Huffman's tree over the words, as one path for each.

    As in word2vec.c, inner nodes are numbered in the order in which they are made, the lighter of
    two children has code 0 (label 1), and two queues, of words and of inner nodes, make the tree in
    linear time once the counts are sorted [1]_. Among equal weights, words go before inner nodes,
    and high ids before low ones. word2vec.c has the inner nodes first: the mean path is as short,
    but words first keep the longest one as short as can be [2]_, and words that never occur would
    otherwise make a path as long as their number.

    Parameters
    ----------
    counts : array-like of int, shape (n_words,)
        How often each word occurs, in any order; zeros are allowed.

    Returns
    -------
    paths : HuffmanPaths
        A single word has an empty path.

    References
    ----------
    .. [1] Huffman, "A Method for the Construction of Minimum-Redundancy Codes", Proceedings of the
           IRE, 1952.
    .. [2] Schwartz, "An optimum encoding with minimum longest code and total number of digits",
           Information and Control, 1964.

    Examples
    --------
    >>> from skw2v._huffman import huffman_paths
    >>> offsets, nodes, labels = huffman_paths([5, 2, 1])
    >>> offsets.tolist(), nodes.tolist(), labels.tolist()
    ([0, 1, 3, 5], [1, 1, 0, 1, 0], [0.0, 1.0, 0.0, 1.0, 1.0])
    """
    counts = np.asarray(counts, dtype=np.int64)
    n_words = len(counts)
    order = np.argsort(-counts, kind="stable")[::-1]
    parent, code = _join_lightest(counts[order].tolist())
    leaf = np.empty(n_words, dtype=np.int64)
    leaf[order] = np.arange(n_words)

    depth = np.zeros(n_words, dtype=np.int64)
    for words, _ in _climb(leaf, parent):
        depth[words] += 1
    offsets = np.concatenate([[0], np.cumsum(depth)])
    nodes = np.empty(offsets[-1], dtype=np.int32)
    labels = np.empty(offsets[-1], dtype=np.float32)
    position = offsets[1:].copy()
    for words, below in _climb(leaf, parent):
        position[words] -= 1
        nodes[position[words]] = parent[below] - n_words
        labels[position[words]] = 1 - code[below]
    return HuffmanPaths(offsets, nodes, labels)


def _join_lightest(weights):
    """Parent and code of every node of the tree over `weights`, which must rise.

    Nodes are the n leaves, then the inner nodes as they are made; the root has no entry.
    """
    n = len(weights)
    made = []  # weights of the inner nodes: they rise too
    parent, code = [0] * (2 * n - 2), [0] * (2 * n - 2)
    n_leaves, n_inner = 0, 0  # how many of each have been joined
    for new in range(n, 2 * n - 1):
        weight = 0
        for child_code in (0, 1):
            if n_leaves < n and (n_inner == len(made) or weights[n_leaves] <= made[n_inner]):
                child = n_leaves
                weight += weights[n_leaves]
                n_leaves += 1
            else:
                child = n + n_inner
                weight += made[n_inner]
                n_inner += 1
            parent[child] = new
            code[child] = child_code
        made.append(weight)
    return np.array(parent, dtype=np.int64), np.array(code, dtype=np.int64)


def _climb(leaf, parent):
    """Go from all leaves to the root: level by level, words not there yet and where they are."""
    root = len(parent)
    words = np.flatnonzero(leaf != root)
    node = leaf[words]
    while len(words):
        yield words, node
        node = parent[node]
        below_root = node != root
        words, node = words[below_root], node[below_root]
