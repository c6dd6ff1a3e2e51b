"""The output layer's reference: its gradients proved three ways, its draws by hand."""

import math
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from skw2v._distinct import UNIT, distinct_lengths
from skw2v._reference import NOISE, POSITION, random_bits, stream_key
from skw2v._reference_objectives import nce_targets, sampled_softmax_targets, softmax_targets
from skw2v._reference_output_layer import (
    batch_changes,
    group_distinct_noise,
    group_noise,
    normalised_step,
    sample_order,
    train_output_layer,
)
from skw2v._sampling import alias_table

try:
    import autograd
    import autograd.numpy as anp
except ImportError:
    autograd = None

# Three samples share their noise; the first two have a hit, class 2.
N_CLASSES = 5
LABELS = np.array([2, 2, 0])
PROBABILITIES = np.array([0.3, 0.25, 0.2, 0.05, 0.2])


class Noise(NamedTuple):
    """Classes that were drawn, and how often each class was expected."""

    drawn: list
    expected: np.ndarray


NOISES = {
    "repeated": Noise([1, 2, 1, 4], 4 * PROBABILITIES),
    "distinct": Noise([1, 2, 4], distinct_lengths(PROBABILITIES, 3) / UNIT),
    "all": Noise([0, 1, 2, 3, 4], distinct_lengths(PROBABILITIES, 5) / UNIT),
}
by_noise = pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
LOSSES = [(loss, hits) for loss in ("nce", "sampled_softmax") for hits in (True, False)]
by_loss = pytest.mark.parametrize(("loss", "remove_hits"), [*LOSSES, ("softmax", None)])


def problem():
    rng = np.random.default_rng(3)
    shapes = (len(LABELS), 4), (N_CLASSES, 4), N_CLASSES
    return tuple(rng.normal(size=shape) for shape in shapes)


def changes(x, coef, intercept, loss, remove_hits, noise):
    def targets_of(i):
        if loss == "softmax":
            return softmax_targets(LABELS[i], N_CLASSES)
        choose = nce_targets if loss == "nce" else sampled_softmax_targets
        return choose(LABELS[i], noise.drawn, np.log(noise.expected), remove_hits)

    return batch_changes(x, LABELS, targets_of, coef, intercept)


@by_loss
@by_noise
def test_a_batch_descends_the_gradient_of_its_loss(loss, remove_hits, noise):
    x, coef, intercept = problem()
    _, *found = changes(x, coef, intercept, loss, remove_hits, noise)
    for change, array in zip(found, (coef, intercept), strict=True):
        expected = np.empty_like(array)
        for index in np.ndindex(array.shape):
            value = array[index]
            array[index] = value + 1e-5
            above, *_ = changes(x, coef, intercept, loss, remove_hits, noise)
            array[index] = value - 1e-5
            below, *_ = changes(x, coef, intercept, loss, remove_hits, noise)
            array[index] = value
            expected[index] = (below - above) / 2e-5
        np.testing.assert_allclose(change, expected, atol=1e-8)
        assert np.abs(change).max() > 0.1


# TensorFlow's documentation, written down anew: the logits' expected counts are subtracted, hits
# get a logit of minus infinity (here: are left out), the label is 1 for the true class and else 0.


def tensorflow_loss(x, coef, intercept, loss, remove_hits, noise):
    def logit(i, class_, corrected=True):
        plain = anp.dot(x[i], coef[class_]) + intercept[class_]
        return plain - (math.log(noise.expected[class_]) if corrected else 0.0)

    total = 0.0
    for i, own in enumerate(LABELS):
        if loss == "softmax":
            logits = anp.array([logit(i, c, corrected=False) for c in range(N_CLASSES)])
            total = total + anp.log(anp.sum(anp.exp(logits))) - logits[own]
            continue
        others = [logit(i, c) for c in noise.drawn if not (remove_hits and c == own)]
        true = logit(i, own)
        if loss == "nce":
            total = total + anp.log(1 + anp.exp(-true))
            total = total + sum(anp.log(1 + anp.exp(one)) for one in others)
        else:
            total = total + anp.log(anp.exp(true) + sum(anp.exp(one) for one in others)) - true
    return total


@pytest.mark.skipif(autograd is None, reason="autograd is not installed")
@by_loss
@by_noise
def test_a_batch_descends_the_gradient_of_the_published_loss(loss, remove_hits, noise):
    x, coef, intercept = problem()
    total, *found = changes(x, coef, intercept, loss, remove_hits, noise)
    assert math.isclose(
        total, tensorflow_loss(x, coef, intercept, loss, remove_hits, noise), rel_tol=1e-13
    )
    for argument, change in zip((1, 2), found, strict=True):
        gradient = autograd.grad(tensorflow_loss, argument)(
            x, coef, intercept, loss, remove_hits, noise
        )
        np.testing.assert_allclose(change, -gradient, rtol=1e-12, atol=1e-13)


def test_all_classes_without_hits_are_the_softmax():
    x, coef, intercept = problem()
    sampled = changes(x, coef, intercept, "sampled_softmax", True, NOISES["all"])
    full = changes(x, coef, intercept, "softmax", None, None)
    for found, expected in zip(sampled, full, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


def test_one_softmax_epoch_by_hand():
    # Two samples, x = 3 of class 1 and x = -1 of class 0. Both residuals of a class start at 1/2.
    # The mean square is 5, the constant 2: a step of 4 / (5 + 4). The gradient of class 1 is
    # (3 + 1) / 2 with respect to its weight; that of the biases cancels.
    parameters = SimpleNamespace(
        loss="softmax",
        batch_size=2,
        n_negatives=20,
        distinct_noise=True,
        learning_rate=0.225,
        min_learning_rate=0.1,
        max_iter=1,
    )
    layer = train_output_layer(np.array([[3.0], [-1.0]]), np.array([1, 0]), 2, parameters, 0)
    np.testing.assert_allclose(layer.coef, [[-0.2], [0.2]], rtol=1e-14)
    np.testing.assert_allclose(layer.intercept, [math.log(0.5)] * 2, rtol=1e-14)
    assert layer.loss_curve == [pytest.approx(math.log(2.0), rel=1e-14)]


@pytest.mark.parametrize(("loss", "stale"), [("nce", 16.0), ("softmax", 4.0)])
def test_the_step_is_divided_where_a_class_fills_the_batch(loss, stale):
    X, counts = np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([50, 50])
    step, square = normalised_step(X, counts, 64, loss)  # 32 samples expected of each class
    assert (step, square) == (4.0 / (8.0 * stale), 4.0)


def test_an_epoch_meets_every_sample_once_in_an_order_of_its_own():
    orders = [sample_order(50, 7, epoch) for epoch in (0, 1)]
    for order in orders:
        assert sorted(order) == list(range(50))
    assert not np.array_equal(*orders)
    # The first swap is that of the last place.
    bits = int(random_bits(stream_key(7, POSITION, 0), 49))
    assert orders[0][49] == (bits >> 32) * 50 >> 32


def test_noise_is_keyed_on_the_position():
    table = alias_table([0.5, 0.25, 0.25])
    drawn = group_noise(8, 4, table, 1, 0)
    np.testing.assert_array_equal(group_noise(4, 8, table, 1, 0)[:4], drawn)
    bits = int(random_bits(stream_key(1, NOISE, 0), 32))
    slot = (bits >> 32) * 3 >> 32
    own = bits & 0xFFFFFFFF <= table[0][slot]
    assert drawn[0] == (slot if own else table[1][slot])


def test_distinct_noise_takes_one_class_from_each_unit_of_the_line():
    # Of lengths 1/2, 3/4, 3/4 and 1, the second lies across 1: half a unit before, a quarter after.
    lengths = UNIT * np.array([2, 3, 3, 4]) // 4
    seen = set()
    for position in range(40):
        bits = random_bits(stream_key(1, NOISE, 0), 3 * position + np.arange(3))
        first = 0 if int(bits[0]) >> 32 < UNIT // 2 else 1
        # A quarter is half of what is left of the unit before; class 2 has the rest of this one.
        second = 1 if first == 0 and int(bits[1]) % 2**32 < UNIT // 2 else 2
        drawn = group_distinct_noise(position, lengths, 1, 0)
        assert drawn.tolist() == [first, second, 3]
        seen.add((first, second))
    assert seen == {(0, 1), (0, 2), (1, 2)}


@pytest.mark.parametrize("n_draws", [1, 4, 9, 10])
def test_distinct_noise_comes_as_often_as_expected(n_draws):
    probabilities = np.array([30, 2, 5, 1, 1, 20, 3, 8, 20, 10]) / 100
    lengths, n_groups = distinct_lengths(probabilities, n_draws), 2000
    counts = np.zeros(10)
    for position in range(n_groups):
        drawn = group_distinct_noise(position, lengths, 4, 0)
        assert len(set(drawn.tolist())) == n_draws
        counts[drawn] += 1
    chance = lengths / UNIT
    deviation = np.sqrt(n_groups * chance * (1 - chance))
    assert (np.abs(counts - n_groups * chance) <= 4 * deviation).all()
