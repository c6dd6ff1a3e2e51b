"""Huffman paths: prefix-free, complete, of least cost, numbered as word2vec.c numbers them."""

import doctest
import heapq
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skw2v import _huffman
from skw2v._huffman import huffman_paths

some_counts = st.lists(
    st.one_of(st.integers(0, 3), st.integers(0, 10**12)), min_size=1, max_size=60
)


def words_of(paths):
    """(nodes, labels) of each word, as lists."""
    nodes, labels = (np.split(part, paths.offsets[1:-1]) for part in paths[1:])
    return [(n.tolist(), y.tolist()) for n, y in zip(nodes, labels, strict=True)]


def least_cost(counts):
    """Sum of count times length over a tree made with a heap: what the textbooks do."""
    heap, cost = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        cost += joined
        heapq.heappush(heap, joined)
    return cost


def test_examples_run():
    assert doctest.testmod(_huffman) == (0, 3)


def test_a_tree_by_hand():
    # 1 (word 3) and 2 (word 0) make node 0, of 3; with 3 (word 2) it makes node 1, of 6; with 7
    # (word 1) that makes the root, node 2. The word goes before the inner node of equal weight.
    paths = huffman_paths([2, 7, 3, 1])
    assert words_of(paths) == [
        ([2, 1, 0], [1, 0, 0]),
        ([2], [0]),
        ([2, 1], [1, 1]),
        ([2, 1, 0], [1, 0, 1]),
    ]
    assert [part.dtype for part in paths] == [np.int64, np.int32, np.float32]


def test_equal_counts_make_a_balanced_tree_and_take_high_ids_first():
    assert words_of(huffman_paths([5, 5, 5, 5])) == [
        ([2, 1], [0, 0]),
        ([2, 1], [0, 1]),
        ([2, 0], [1, 0]),
        ([2, 0], [1, 1]),
    ]


@pytest.mark.parametrize("n_words", [0, 1])
def test_without_a_choice_paths_are_empty(n_words):
    paths = huffman_paths([3] * n_words)
    assert (paths.offsets.tolist(), len(paths.nodes), len(paths.labels)) == (
        [0] * (n_words + 1),
        0,
        0,
    )


@settings(max_examples=100, deadline=None)
@given(some_counts)
def test_paths_are_one_complete_binary_tree(counts):
    paths = huffman_paths(counts)
    assert len(paths.offsets) == len(counts) + 1
    codes = [tuple(labels) for _, labels in words_of(paths)]
    # Kraft's sum is 1: nothing can be added; sorted, a prefix would stand right before its word.
    depth = max(map(len, codes))
    assert sum(2 ** (depth - len(code)) for code in codes) == 2**depth
    in_order = sorted(codes)
    assert not any(b[: len(a)] == a for a, b in pairwise(in_order))
    # A node is one place in the tree, whoever passes it; there are n_words - 1 of them.
    place = {}
    for nodes, labels in words_of(paths):
        for level, node in enumerate(nodes):
            assert place.setdefault(node, tuple(labels[:level])) == tuple(labels[:level])
    assert sorted(place) == list(range(len(counts) - 1))
    assert len(set(place.values())) == len(place)


@settings(max_examples=100, deadline=None)
@given(some_counts)
def test_no_tree_has_shorter_paths(counts):
    cost = np.dot(np.array(counts, dtype=object), np.diff(huffman_paths(counts).offsets))
    assert cost == least_cost(counts)


@settings(max_examples=50, deadline=None)
@given(some_counts)
def test_nodes_are_numbered_as_they_are_made(counts):
    # So their weights never fall, and every path goes down in numbers, from the root.
    weight = np.zeros(len(counts), dtype=object)
    for count, (nodes, _) in zip(counts, words_of(huffman_paths(counts)), strict=True):
        assert nodes == sorted(nodes, reverse=True)
        assert nodes[:1] == [len(counts) - 2] * (len(counts) > 1)
        for node in nodes:
            weight[node] += count
    made = weight[: len(counts) - 1].tolist()
    assert made == sorted(made)


def test_fractions_make_the_tree_that_whole_multiples_make():
    counts = [7, 1, 9, 4, 4, 3]
    fractions = [count / 8 for count in counts]
    assert words_of(huffman_paths(fractions)) == words_of(huffman_paths(counts))


def test_the_order_of_ids_does_not_matter():
    counts = np.arange(1, 50) ** 2
    shuffled = np.random.default_rng(0).permutation(len(counts))
    expected = words_of(huffman_paths(counts))
    assert words_of(huffman_paths(counts[shuffled])) == [expected[word] for word in shuffled]


def test_words_that_never_occur_lengthen_no_path_beyond_the_logarithm_of_their_number():
    lengths = np.diff(huffman_paths([100, 10] + [0] * 1024).offsets)
    assert lengths[:2].tolist() == [1, 2]
    assert lengths.max() == 12
