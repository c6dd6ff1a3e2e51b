"""Noise that does not repeat itself: how often each class is expected, the line it lies on."""

import doctest
import itertools
import math

import numpy as np
import pytest

from skw2v import _distinct
from skw2v._distinct import UNIT, distinct_lengths, distinct_table, log_lengths


def zipf(n_classes, exponent=0.75):
    weights = np.arange(1, n_classes + 1) ** -exponent
    return weights / weights.sum()


def test_examples_run():
    result = doctest.testmod(_distinct)
    assert result.failed == 0
    assert result.attempted >= 5


def counts_of_successive_draws(probabilities, n_draws):
    """How often each class is among the first `n_draws` different ones: over all their orders."""
    counts = np.zeros(len(probabilities))
    for order in itertools.permutations(range(len(probabilities)), n_draws):
        chance, left = 1.0, 1.0
        for class_ in order:
            chance *= probabilities[class_] / left
            left -= probabilities[class_]
        counts[list(order)] += chance
    return counts


@pytest.mark.parametrize("n_draws", [1, 2, 3, 4, 5, 6])
def test_counts_are_about_those_of_drawing_until_all_differ(n_draws):
    probabilities = zipf(6)
    exact = counts_of_successive_draws(probabilities, n_draws)
    found = distinct_lengths(probabilities, n_draws) / UNIT
    np.testing.assert_allclose(found, exact, rtol=0.04 if 1 < n_draws < 6 else 1e-9)


@pytest.mark.parametrize(("n_classes", "n_draws"), [(50, 20), (5000, 20), (5000, 2500), (300, 299)])
def test_counts_are_tensorflows_for_one_number_of_tries(n_classes, n_draws):
    probabilities = zipf(n_classes)
    counts = distinct_lengths(probabilities, n_draws) / UNIT
    below_one = counts < 0.999
    tries = np.log1p(-counts[below_one]) / np.log1p(-probabilities[below_one])
    np.testing.assert_allclose(tries, np.median(tries), rtol=1e-4)
    assert tries[0] > n_draws


@pytest.mark.parametrize("n_draws", [1, 2, 7, 59])
@pytest.mark.parametrize(
    "weights",
    [
        np.ones(60),
        2.0 ** -np.arange(60.0),
        np.r_[3.0, 2.0, 1.0, np.zeros(57)],  # most classes never occur
        np.r_[1.0, np.zeros(59)],
        np.exp(8 * np.sin(np.arange(60.0) ** 2)),
    ],
    ids=["uniform", "halving", "three occur", "one occurs", "wild"],
)
def test_counts_are_chances_and_add_up(weights, n_draws):
    lengths = distinct_lengths(weights / weights.sum(), n_draws)
    assert lengths.sum() == n_draws * UNIT
    assert lengths.min() >= 1
    assert lengths.max() <= UNIT
    heavier_first = np.argsort(-weights, kind="stable")
    assert (np.diff(lengths[heavier_first]) <= 60).all()  # rounding gathers in the longest


def test_uniform_noise_and_all_classes_are_exact():
    assert distinct_lengths(np.full(8, 1 / 8), 6).tolist() == [6 * UNIT // 8] * 8
    assert np.abs(distinct_lengths(np.full(7, 1 / 7), 3) - 3 * UNIT / 7).max() < 7
    assert distinct_lengths([0.999, 0.001, 0.0], 3).tolist() == [UNIT] * 3
    assert distinct_lengths([1.0], 1).tolist() == [UNIT]


def test_logs_of_counts():
    found = log_lengths(np.array([UNIT, UNIT // 2, 1]))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [0.0, -math.log(2), -32 * math.log(2)], rtol=1e-7)


def test_the_line_begins_a_unit_with_the_class_that_lies_there():
    # Classes of 1/2, 3/4, 3/4 and 1: the second lies across 1, the third ends with the unit.
    lengths = UNIT * np.array([2, 3, 3, 4]) // 4
    borders, first = distinct_table(lengths)
    assert (borders * 4 // UNIT).tolist() == [0, 2, 5, 8, 12]
    assert first.tolist() == [0, 1, 3, 3]
