"""The binary tree of hierarchical softmax: short paths for frequent words, long ones for rare."""

from typing import NamedTuple

import numpy as np

from skw2v import _tree


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
    counts : array-like of shape (n_words,)
        How often each word occurs, in any order; zeros and fractions are allowed.

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
    counts = np.asarray(counts, dtype=np.float64)
    order = np.argsort(-counts, kind="stable")[::-1]
    leaf = np.empty(len(counts), dtype=np.int64)
    leaf[order] = np.arange(len(counts))
    parent, code = _tree.join_lightest(counts[order])
    return HuffmanPaths(*_tree.climb(parent, code, leaf))
