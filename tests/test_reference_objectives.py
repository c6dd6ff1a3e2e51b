"""What each objective chooses, and the model of the words that it learns."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skw2v._huffman import huffman_paths
from skw2v._reference import Vectors, train_targets
from skw2v._reference_objectives import (
    LOSSES,
    SAMPLED_LOSSES,
    hierarchical_softmax_targets,
    log_probabilities,
    n_output_rows,
    nce_targets,
    negative_sampling_targets,
    removes_hits,
    sampled_softmax_targets,
    softmax_targets,
    target_chooser,
)
from skw2v._sampling import noise_distribution, noise_probabilities

LOG_EXPECTED = np.array([0.5, -1.0, 2.0, -0.25, 1.5])


def parameters(loss, **changes):
    defaults = {
        "noise": "unigram",
        "noise_exponent": 0.75,
        "n_negatives": 2,
        "remove_accidental_hits": "auto",
    }
    return SimpleNamespace(loss=loss, **(defaults | changes))


# --- Targets


def assert_targets(targets, ids, labels, weights, offsets, link, fits_bias):
    assert targets.ids.tolist() == ids
    np.testing.assert_allclose(targets.labels, labels, rtol=1e-15)
    assert targets.weights.tolist() == weights
    assert targets.offsets.tolist() == offsets
    assert (targets.link, targets.fits_bias) == (link, fits_bias)


def test_negative_sampling_skips_hits_and_weighs_repeats():
    targets = negative_sampling_targets(4, [3, 4, 2, 3, 3])
    assert_targets(targets, [4, 3, 2], [1, 0, 0], [1, 3, 1], [0, 0, 0], "sigmoid", False)


def test_noise_that_is_only_hits_leaves_the_center():
    targets = negative_sampling_targets(4, [4, 4])
    assert_targets(targets, [4], [1], [1], [0], "sigmoid", False)


def test_nce_folds_hits_into_the_center():
    targets = nce_targets(4, [3, 4, 2, 3, 4], LOG_EXPECTED)
    assert_targets(targets, [4, 3, 2], [1 / 3, 0, 0], [3, 2, 1], [1.5, -0.25, 2.0], "sigmoid", True)


def test_sampled_softmax_removes_hits_or_keeps_them_in_the_normaliser():
    removed = sampled_softmax_targets(4, [3, 4, 2, 3, 4], LOG_EXPECTED)
    offsets = [1.5, -0.25, 2.0]
    assert_targets(removed, [4, 3, 2], [1, 0, 0], [1, 2, 1], offsets, "softmax", True)
    kept = sampled_softmax_targets(4, [3, 4, 2, 3, 4], LOG_EXPECTED, remove_hits=False)
    assert_targets(kept, [4, 3, 2], [1, 0, 0], [3, 2, 1], offsets, "softmax", True)


def test_hierarchical_softmax_goes_down_the_path():
    # The tree of counts 5, 2, 1: node 0 joins words 2 and 1, node 1 joins node 0 and word 0.
    paths = huffman_paths([5, 2, 1])
    for center, ids, labels in [(0, [1], [0]), (1, [1, 0], [1, 0]), (2, [1, 0], [1, 1])]:
        targets = hierarchical_softmax_targets(center, paths)
        ones, zeros = [1] * len(ids), [0] * len(ids)
        assert_targets(targets, ids, labels, ones, zeros, "sigmoid", False)


def test_softmax_takes_the_whole_vocabulary():
    targets = softmax_targets(2, 4)
    assert_targets(targets, [0, 1, 2, 3], [0, 0, 1, 0], [1] * 4, [0] * 4, "softmax", True)


@pytest.mark.parametrize("loss", LOSSES)
def test_hits_are_removed_by_default_but_for_nce(loss):
    assert removes_hits(parameters(loss)) is (loss != "nce")
    for answer in (True, False):
        assert removes_hits(parameters(loss, remove_accidental_hits=answer)) is answer


@pytest.mark.parametrize("loss", SAMPLED_LOSSES)
@pytest.mark.parametrize("noise", ["unigram", "log_uniform"])
@pytest.mark.parametrize("remove", [True, False])
def test_sampled_targets_follow_the_parameters(loss, noise, remove):
    counts = np.array([7, 50, 9])
    p = parameters(loss, noise=noise, n_negatives=4, remove_accidental_hits=remove)
    targets = target_chooser(counts, p)(2, np.array([1, 2, 2, 1]))
    assert (targets.ids.tolist(), targets.weights.tolist()) == ([2, 1], [1 if remove else 3, 2])
    expected = 4 * noise_probabilities(counts, noise, 0.75)[[2, 1]]
    offsets = np.zeros(2) if loss == "negative_sampling" else np.log(expected)
    np.testing.assert_allclose(targets.offsets, offsets, rtol=1e-6)
    assert targets.link == ("softmax" if loss == "sampled_softmax" else "sigmoid")
    assert targets.fits_bias is (loss != "negative_sampling")
    assert n_output_rows(loss, 3) == 3


def test_targets_without_noise_follow_the_counts():
    counts = np.array([1, 2, 5])
    path = target_chooser(counts, parameters("hierarchical_softmax"))(0, None)
    assert (path.ids.tolist(), path.labels.tolist()) == ([1, 0], [1, 1])
    assert n_output_rows("hierarchical_softmax", 3) == 2
    everything = target_chooser(counts, parameters("softmax"))(1, None)
    assert everything.labels.tolist() == [0, 1, 0]


# --- The models


def random_vectors(loss, n_words, n_components=3, seed=0):
    rng = np.random.default_rng(seed)
    n_output = n_output_rows(loss, n_words)
    shapes = (n_words, n_components), (n_output, n_components), n_output
    vectors = Vectors(*(rng.normal(size=shape) for shape in shapes))
    if loss in ("negative_sampling", "hierarchical_softmax"):
        vectors.output_bias[:] = 0.0
    return vectors


def test_sampled_softmax_over_every_other_word_once_is_softmax():
    # With hits kept and every word as noise but the center, offsets all equal, in any order.
    n_words, center = 6, 4
    noise = [3, 0, 5, 1, 2]
    equal = np.full(n_words, math.log(5 / 6))  # log(k q(w)), uniform q
    outcomes = []
    for targets in (
        softmax_targets(center, n_words),
        sampled_softmax_targets(center, noise, equal),
        sampled_softmax_targets(center, noise, equal, remove_hits=False),
    ):
        vectors = random_vectors("softmax", n_words)
        step = train_targets(vectors.input_vectors[:2], vectors, targets, 0.1)
        outcomes.append((step.loss, step.hidden_change, *vectors))
    for outcome in outcomes[1:]:
        for found, expected in zip(outcome, outcomes[0], strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=40),
    st.sampled_from([0.1, 1.0, 10.0]),
    st.integers(0, 2**32 - 1),
)
def test_probabilities_along_the_paths_of_any_tree_sum_to_one(counts, scale, seed):
    vectors = random_vectors("hierarchical_softmax", len(counts), seed=seed)
    p = parameters("hierarchical_softmax")
    found = log_probabilities(scale * vectors.input_vectors, vectors, np.array(counts), p)
    assert found.shape == (len(counts), len(counts))
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_log_probabilities_are_those_of_the_words_own_scores(loss):
    counts = np.array([9, 1, 4, 4])
    vectors, p = random_vectors(loss, 4), parameters(loss)
    hidden = np.array([[0.3, -2.0, 1.0], [0.0, 0.0, 0.0]])
    found = log_probabilities(hidden, vectors, counts, p)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1.0, rtol=1e-12)
    if loss == "hierarchical_softmax":
        step = train_targets(hidden[:1], vectors, target_chooser(counts, p)(2, None), 0.0)
        assert math.isclose(found[0, 2], -step.loss)
        return
    scores = hidden @ vectors.output_vectors.T + vectors.output_bias
    if loss == "negative_sampling":
        scores += np.log(noise_distribution(counts, 0.75))
    odds = np.exp(scores)
    expected = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-6)


def expected_step(vectors, shares, noise, choose_targets, n_negatives, rate):
    """Move output rows and biases by the mean over all centers and all draws of noise."""
    changes = [np.zeros_like(matrix) for matrix in vectors]
    hidden = vectors.input_vectors[:1]
    words = range(len(shares))
    draws = [(None, 1.0)]
    if noise is not None:
        draws = [
            (np.array(ids), np.prod(noise[list(ids)]))
            for ids in itertools.product(words, repeat=n_negatives)
        ]
    for center in words:
        for noise_ids, chance in draws:
            moved = Vectors(*(matrix.copy() for matrix in vectors))
            train_targets(hidden, moved, choose_targets(center, noise_ids), rate)
            for change, before, after in zip(changes, vectors, moved, strict=True):
                change += shares[center] * chance * (after - before)
    for matrix, change in zip(vectors, changes, strict=True):
        matrix += change


@pytest.mark.parametrize("loss", LOSSES)
def test_the_normalised_model_converges_to_the_shares_of_the_words(loss):
    """One context, three words: the likeliest model gives each word its share, whatever the noise.

    The mean gradient over all centers and noise (every draw counted by its chance) is followed to
    its end. Hits are kept: without them no loss that draws noise is consistent.
    """
    counts = np.array([4, 10, 6])
    shares, n_negatives = counts / counts.sum(), 2
    p = parameters(loss, noise_exponent=0.5, n_negatives=n_negatives, remove_accidental_hits=False)
    noise = noise_distribution(counts, 0.5) if loss in SAMPLED_LOSSES else None
    n_output = n_output_rows(loss, 3)
    vectors = Vectors(np.ones((1, 1)), np.zeros((n_output, 1)), np.zeros(n_output))
    choose_targets = target_chooser(counts, p)
    for _ in range(120):
        expected_step(vectors, shares, noise, choose_targets, n_negatives, rate=2.0)
    hidden = vectors.input_vectors
    found = np.exp(log_probabilities(hidden, vectors, counts, p))[0]
    np.testing.assert_allclose(found, shares, rtol=1e-6)
    unnormalised = np.exp(hidden @ vectors.output_vectors.T + vectors.output_bias)[0]
    if loss == "nce":  # normalises itself: exp(score) is the probability
        np.testing.assert_allclose(unnormalised, shares, rtol=1e-6)
    if loss == "negative_sampling":  # p / (k q)
        np.testing.assert_allclose(unnormalised, shares / (n_negatives * noise), rtol=1e-6)
