"""The reference's gradients, proved four ways.

By central differences of its own loss; by automatic differentiation of losses written down from the
published definitions; by what TensorFlow's own functions return; and by hand.
"""

import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from skw2v._huffman import huffman_paths
from skw2v._reference import Vectors, train_cbow_window, train_skipgram_window
from skw2v._reference_objectives import (
    hierarchical_softmax_targets,
    n_output_rows,
    nce_targets,
    negative_sampling_targets,
    sampled_softmax_targets,
    softmax_targets,
)
from skw2v._sampling import log_uniform_distribution

try:
    import autograd
    import autograd.numpy as anp
except ImportError:
    autograd = None

SAMPLED = ["negative_sampling", "nce", "sampled_softmax"]
OBJECTIVES = [(loss, remove) for loss in SAMPLED for remove in (True, False)] + [
    ("hierarchical_softmax", None),
    ("softmax", None),
]
by_objective = pytest.mark.parametrize(("loss", "remove_hits"), OBJECTIVES)
by_architecture = pytest.mark.parametrize("architecture", ["skipgram", "cbow"])

# One window: five words, noise with a repeat and two hits. 3 and 5 (words 4 and 3) make node 0 of
# the tree, of 8; 7 and 8 (word 2 and it) node 1, of 15; 9 and 15 node 2, of 24; 20 and 24 the root.
COUNTS = np.array([20, 9, 7, 5, 3])
CENTER = 4
NOISE = [2, 4, 0, 2, 1, 4]
EXPECTED = len(NOISE) * COUNTS / COUNTS.sum()
CONTEXTS = {
    "skipgram": np.array([3, 0, 4]),  # one group: a context twice would be two steps
    "cbow": np.array([3, 0, 4, 3]),
}


def window_targets(loss, remove_hits):
    if loss == "negative_sampling":
        return negative_sampling_targets(CENTER, NOISE, remove_hits)
    if loss == "nce":
        return nce_targets(CENTER, NOISE, np.log(EXPECTED), remove_hits)
    if loss == "sampled_softmax":
        return sampled_softmax_targets(CENTER, NOISE, np.log(EXPECTED), remove_hits)
    if loss == "hierarchical_softmax":
        return hierarchical_softmax_targets(CENTER, huffman_paths(COUNTS))
    return softmax_targets(CENTER, len(COUNTS))


def window_vectors(loss):
    rng = np.random.default_rng(5)
    n_output = n_output_rows(loss, len(COUNTS))
    shapes = (len(COUNTS), 3), (n_output, 3), n_output
    vectors = Vectors(*(rng.normal(size=shape) for shape in shapes))
    if loss in ("negative_sampling", "hierarchical_softmax"):
        vectors.output_bias[:] = 0.0
    return vectors


class Outcome(NamedTuple):
    loss: float
    gradients: list  # with respect to input vectors, output vectors, biases


def train_window(vectors, architecture, targets, context_ids, rate=0.1):
    """Train one window on a copy; what it says of the loss and what it has done to the vectors."""
    moved = Vectors(*(matrix.copy() for matrix in vectors))
    if architecture == "skipgram":
        loss, _, _ = train_skipgram_window(moved, context_ids, targets, rate, group_size=8)
    else:
        loss, _, _ = train_cbow_window(moved, context_ids, targets, rate, "exact")
    return Outcome(loss, [(b - a) / rate for b, a in zip(vectors, moved, strict=True)])


# --- By central differences


def central_differences(function, array, step=1e-5):
    """Gradient of `function()` by moving the entries of `array` in place, one at a time."""
    gradient = np.empty_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + step
        above = function()
        array[index] = value - step
        below = function()
        array[index] = value
        gradient[index] = (above - below) / (2 * step)
    return gradient


@by_objective
@by_architecture
def test_a_window_descends_the_gradient_of_its_loss(loss, remove_hits, architecture):
    vectors, targets = window_vectors(loss), window_targets(loss, remove_hits)
    window = vectors, architecture, targets, CONTEXTS[architecture]
    found = train_window(*window).gradients
    fitted = 3 if targets.fits_bias else 2
    for gradient, array in zip(found[:fitted], vectors[:fitted], strict=True):
        expected = central_differences(lambda: train_window(*window).loss, array)
        np.testing.assert_allclose(gradient, expected, atol=1e-8)
        assert np.abs(gradient).max() > 0.1
    assert targets.fits_bias or not found[2].any()


# --- By automatic differentiation, of losses that know nothing of weights, offsets or labels


def negative_sampling_loss(scores, remove_hits):
    """Mikolov et al., NeurIPS 2013, equation 4: log sigmoid(true) + sum of log sigmoid(-noise)."""
    loss = anp.log(1 + anp.exp(-scores[CENTER]))
    for word in NOISE:
        if not (remove_hits and word == CENTER):
            loss = loss + anp.log(1 + anp.exp(scores[word]))
    return loss


def nce_loss(scores, remove_hits):
    """Gutmann and Hyvärinen, JMLR 2012: the posterior that a word comes from the data."""
    loss = 0.0
    for word, is_true in [(CENTER, True), *((word, False) for word in NOISE)]:
        if is_true or not (remove_hits and word == CENTER):
            data, noise = anp.exp(scores[word]), EXPECTED[word]
            loss = loss - anp.log((data if is_true else noise) / (data + noise))
    return loss


def sampled_softmax_loss(scores, remove_hits):
    """Jean et al., ACL 2015: each column divided by how often it is expected."""
    true = anp.exp(scores[CENTER]) / EXPECTED[CENTER]
    columns = [
        anp.exp(scores[word]) / EXPECTED[word] * (0.0 if remove_hits and word == CENTER else 1.0)
        for word in NOISE
    ]
    return -anp.log(true / (true + sum(columns)))


def hierarchical_softmax_loss(scores, _):
    """Word 4 is right, right, right, left below the root; left (code 0) has the sigmoid."""
    left = 1 / (1 + anp.exp(-scores))
    return -anp.log((1 - left[3]) * (1 - left[2]) * (1 - left[1]) * left[0])


def softmax_loss(scores, _):
    return -anp.log(anp.exp(scores[CENTER]) / anp.sum(anp.exp(scores)))


PUBLISHED = {
    "negative_sampling": negative_sampling_loss,
    "nce": nce_loss,
    "sampled_softmax": sampled_softmax_loss,
    "hierarchical_softmax": hierarchical_softmax_loss,
    "softmax": softmax_loss,
}


@pytest.mark.skipif(autograd is None, reason="autograd is not installed")
@by_objective
@by_architecture
def test_a_window_descends_the_gradient_of_the_published_loss(loss, remove_hits, architecture):
    context_ids = CONTEXTS[architecture]

    def published(input_vectors, output_vectors, output_bias):
        hidden = [input_vectors[context_id] for context_id in context_ids]
        if architecture == "cbow":
            hidden = [sum(hidden) / len(hidden)]
        return sum(
            PUBLISHED[loss](anp.dot(output_vectors, row) + output_bias, remove_hits)
            for row in hidden
        )

    vectors, targets = window_vectors(loss), window_targets(loss, remove_hits)
    found = train_window(vectors, architecture, targets, context_ids)
    assert math.isclose(found.loss, published(*vectors), rel_tol=1e-13)
    for argument in range(3 if targets.fits_bias else 2):
        expected = autograd.grad(published, argument)(*vectors)
        np.testing.assert_allclose(found.gradients[argument], expected, rtol=1e-12, atol=1e-13)


# --- By TensorFlow

GOLDEN = json.loads((Path(__file__).parent / "golden" / "tensorflow.json").read_text())


CHOICES = {"nce_loss": nce_targets, "sampled_softmax_loss": sampled_softmax_targets}


def assert_as_in_tensorflow(golden, targets):
    vectors = Vectors(*(np.array(GOLDEN[name]) for name in ("inputs", "weights", "biases")))
    found = train_window(vectors, "skipgram", targets, np.arange(2))
    assert math.isclose(found.loss, math.fsum(golden["losses"]), rel_tol=1e-13)
    for gradient, name in zip(found.gradients, ("inputs", "weights", "biases"), strict=True):
        np.testing.assert_allclose(gradient, golden[f"d_{name}"], rtol=1e-12, atol=1e-13)
    for row, loss in enumerate(golden["losses"]):
        alone = train_window(vectors, "skipgram", targets, np.array([row]))
        assert math.isclose(alone.loss, loss, rel_tol=1e-13)


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["noise_name"])
def test_losses_and_gradients_are_tensorflows(case):
    """With the noise words as sampled_values, and remove_accidental_hits both ways.

    Of several equal hits TensorFlow removes one: compute_accidental_hits returns one position for
    each word, as the samplers it was made for draw without repeats. We remove them all.
    """
    noise, remove_hits = list(case["noise"]), case["remove_hits"]
    if remove_hits and noise.count(GOLDEN["center"]) > 1:
        noise.remove(GOLDEN["center"])
        remove_hits = False
    log_expected = np.log(case["expected_counts"])
    targets = CHOICES[case["loss"]](GOLDEN["center"], noise, log_expected, remove_hits)
    assert_as_in_tensorflow(case, targets)


@pytest.mark.parametrize("loss", CHOICES)
def test_hits_are_kept_or_removed_by_default_as_in_tensorflow(loss):
    golden = GOLDEN["defaults"][loss]
    log_expected = np.log(golden["expected_counts"])
    targets = CHOICES[loss](GOLDEN["center"], golden["noise"], log_expected)
    assert_as_in_tensorflow(golden, targets)


@pytest.mark.parametrize("golden", GOLDEN["log_uniform"], ids=lambda g: g["expected_counts"][0])
def test_log_uniform_noise_is_tensorflows(golden):
    # TensorFlow has float32, and takes the logarithm of a ratio rounded in it.
    by_rank = log_uniform_distribution(-np.arange(len(golden["expected_counts"])))
    expected = np.array(golden["expected_counts"])
    np.testing.assert_allclose(golden["n_draws"] * by_rank, expected, rtol=3e-6)


# --- By hand


@pytest.mark.parametrize("noise", [[1, 2], [0, 1, 0, 2]], ids=["distinct", "with the label"])
def test_one_step_of_negtrain(noise):
    """The step of word2vec_optimized's NegTrain: one pair, its label, two noise words.

    The input vector is v = (1, 2), the rate 0.1. With log 3 = 1.0986122886681098:

    =======  ==================  ======  ===========================  ================
    row      vector u            v.u     g                            u + 0.1 g v
    =======  ==================  ======  ===========================  ================
    label    (log 3 - 2, 1)      log 3   sigmoid(-log 3) = 1/4        u + (.025, .05)
    noise 1  (4, -2)             0       -sigmoid(0) = -1/2           u - (.05, .1)
    noise 2  (-log 3, 0)         -log 3  -sigmoid(-log 3) = -1/4      u - (.025, .05)
    =======  ==================  ======  ===========================  ================

    since exp(-log 3) = 1/3 and 1 / (1 + 3) = 1/4. The input's change is gathered from the vectors
    u before they move, and added once:

        .025 (log 3 - 2, 1) - .05 (4, -2) - .025 (-log 3, 0) = (.05 log 3 - .25, .125)
                                                             = (-.195069385566594, .125)

    A noise word equal to the label is skipped. The loss is that of the scores before the step:
    -log(3/4) for the label, -log(1/2) and -log(3/4) for the noise, together log(32/9).
    """
    log3 = 1.0986122886681098
    vectors = Vectors(
        np.array([[1.0, 2.0]]), np.array([[log3 - 2, 1.0], [4.0, -2.0], [-log3, 0.0]]), np.zeros(3)
    )
    targets = negative_sampling_targets(0, noise)
    loss, true_loss, n_pairs = train_skipgram_window(vectors, np.array([0]), targets, 0.1, 1)
    np.testing.assert_allclose(vectors.input_vectors, [[0.804930614433406, 2.125]], rtol=1e-14)
    expected = [
        [-0.876387711331890, 1.05],
        [3.95, -2.1],
        [-1.123612288668110, -0.05],
    ]
    np.testing.assert_allclose(vectors.output_vectors, expected, rtol=1e-14)
    assert not vectors.output_bias.any()
    assert math.isclose(loss, 1.2685113254635072, rel_tol=1e-14)  # log(32/9)
    assert math.isclose(true_loss, 0.28768207245178096, rel_tol=1e-14)  # -log(3/4)
    assert n_pairs == 1
