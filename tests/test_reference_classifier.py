"""The reference of documents and their classes: gradients proved three ways, and the merge."""

import math

import numpy as np
import pytest
from test_reference_training import parameters

from skw2v._huffman import huffman_paths
from skw2v._layout import Layout
from skw2v._reference import Vectors, initial_input_vectors
from skw2v._reference_classifier import (
    Shard,
    class_chooser,
    document_order,
    document_shares,
    hot_rows,
    initial_classifier,
    merge_document_shards,
    merge_scale,
    ova_targets,
    step_curvature,
    train_classifier,
    train_document,
)
from skw2v._reference_objectives import (
    hierarchical_softmax_targets,
    n_output_rows,
    nce_targets,
    sampled_softmax_targets,
    softmax_targets,
)

try:
    import autograd
    import autograd.numpy as anp
except ImportError:
    autograd = None

# One document of seven tokens, with repeats, and five classes; of the tree see test_gradients.py.
COUNTS = np.array([20, 9, 7, 5, 3])
DOCUMENT = np.array([3, 0, 4, 3, 3, 1, 0])
CLASS, SEVERAL = 4, [1, 4]
NOISE = [2, 4, 0, 2, 1, 4]
EXPECTED = len(NOISE) * COUNTS / COUNTS.sum()
TARGETS = {
    "softmax": softmax_targets(CLASS, 5),
    "ova": ova_targets([CLASS], 5),
    "ova, several classes": ova_targets(SEVERAL, 5),
    "ova, no class": ova_targets([], 5),
    "nce": nce_targets(CLASS, NOISE, np.log(EXPECTED)),
    "nce, hits removed": nce_targets(CLASS, NOISE, np.log(EXPECTED), True),
    "sampled_softmax": sampled_softmax_targets(CLASS, NOISE, np.log(EXPECTED)),
    "sampled_softmax, hits kept": sampled_softmax_targets(CLASS, NOISE, np.log(EXPECTED), False),
    "hierarchical_softmax": hierarchical_softmax_targets(CLASS, huffman_paths(COUNTS)),
}
by_case = pytest.mark.parametrize("case", TARGETS)
LOSSES = ["softmax", "ova", "nce", "sampled_softmax", "hierarchical_softmax"]


def some_vectors(case):
    rng = np.random.default_rng(5)
    n_output = n_output_rows(case, len(COUNTS))
    vectors = Vectors(*(rng.normal(size=shape) for shape in ((5, 3), (n_output, 3), n_output)))
    if case == "hierarchical_softmax":
        vectors.output_bias[:] = 0.0
    return vectors


def train(vectors, targets, rate=0.1, frozen=()):
    """The loss of a document, and minus what a step on a copy changes, divided by the rate."""
    moved = Vectors(*(matrix.copy() for matrix in vectors))
    loss, _, n_documents = train_document(moved, DOCUMENT, targets, rate, frozen)
    assert n_documents == 1
    return loss, [(b - a) / rate for b, a in zip(vectors, moved, strict=True)]


@by_case
def test_a_document_descends_the_gradient_of_its_loss(case):
    vectors, targets = some_vectors(case), TARGETS[case]
    _, found = train(vectors, targets)
    for gradient, array in zip(found[: 2 + targets.fits_bias], vectors, strict=False):
        for index in np.ndindex(array.shape):
            value, sides = array[index], []
            for step in (1e-5, -1e-5):
                array[index] = value + step
                sides.append(train(vectors, targets)[0])
            array[index] = value
            assert abs(gradient[index] - (sides[0] - sides[1]) / 2e-5) < 1e-8
        assert np.abs(gradient).max() > 0.05
    assert targets.fits_bias or not found[2].any()


def sigmoid(x):
    return 1 / (1 + anp.exp(-x))


def published_loss(case, scores):
    """Losses as they are written down, without weights, offsets or labels."""
    loss, _, choice = case.partition(", ")
    if loss == "softmax":
        return -anp.log(anp.exp(scores[CLASS]) / anp.sum(anp.exp(scores)))
    if loss == "ova":
        true = {"": [CLASS], "several classes": SEVERAL, "no class": []}[choice]
        return -sum(anp.log(sigmoid(x) if c in true else sigmoid(-x)) for c, x in enumerate(scores))
    if loss == "hierarchical_softmax":  # right, right, right, left below the root
        left = sigmoid(scores)
        return -anp.log((1 - left[3]) * (1 - left[2]) * (1 - left[1]) * left[0])
    keeps_hits = choice in ({"nce": "", "sampled_softmax": "hits kept"}[loss],)
    noise = [c for c in NOISE if c != CLASS or keeps_hits]
    ratio = anp.exp(scores) / EXPECTED  # of data to noise
    if loss == "nce":
        false = sum(anp.log(1 + ratio[c]) for c in noise)
        return false - anp.log(ratio[CLASS] / (1 + ratio[CLASS]))
    return -anp.log(ratio[CLASS] / (ratio[CLASS] + sum(ratio[c] for c in noise)))


@pytest.mark.skipif(autograd is None, reason="autograd is not installed")
@by_case
def test_a_document_descends_the_gradient_of_the_published_loss(case):
    def loss_of(input_vectors, output_vectors, output_bias):
        mean = sum(input_vectors[token] for token in DOCUMENT) / len(DOCUMENT)
        return published_loss(case, anp.dot(output_vectors, mean) + output_bias)

    vectors, targets = some_vectors(case), TARGETS[case]
    loss, gradients = train(vectors, targets)
    assert math.isclose(loss, loss_of(*vectors), rel_tol=1e-13)
    for argument in range(2 + targets.fits_bias):
        expected = autograd.grad(loss_of, argument)(*vectors)
        np.testing.assert_allclose(gradients[argument], expected, rtol=1e-12, atol=1e-13)


@by_case
def test_frozen_rows_stay_and_the_others_move_as_ever(case):
    vectors, targets = some_vectors(case), TARGETS[case]
    (loss, gradients), (free_loss, free) = (train(vectors, targets, frozen=f) for f in ([3], ()))
    assert loss == free_loss
    assert not gradients[0][3].any()
    np.testing.assert_array_equal(np.delete(gradients[0], 3, 0), np.delete(free[0], 3, 0))
    assert free[0][3].any()
    for one, other in zip(gradients[1:], free[1:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_step_by_hand():
    """Two classes, a document "0 0 1" and the rate 3.

    Rows (3, 0) and (0, 3) have the mean h = (2, 1). Class 0 scores (log 3, 0) . h - log 3 = log 3,
    class 1 (0, 0) . h = 0, so the softmax is 3/4, 1/4. With class 1 the true one g = (-3/4, 3/4),
    the class vectors move by 3 g h = -+(9/2, 9/4), the biases by 3 g = -+9/4. h is to move by
    3 * -3/4 (log 3, 0), a third of which goes to each token: 2 * -(3/4) log 3 in all for row 0,
    -(3/4) log 3 for row 1. The loss is log 4.
    """
    log3 = math.log(3)
    vectors = Vectors(
        np.array([[3.0, 0.0], [0.0, 3.0]]),
        np.array([[log3, 0.0], [0.0, 0.0]]),
        np.array([-log3, 0]),
    )
    loss, true_loss, _ = train_document(vectors, np.array([0, 0, 1]), softmax_targets(1, 2), 3.0)
    np.testing.assert_allclose(vectors.input_vectors, [[3 - 1.5 * log3, 0], [-0.75 * log3, 3]])
    np.testing.assert_allclose(vectors.output_vectors, [[log3 - 4.5, -2.25], [4.5, 2.25]])
    np.testing.assert_allclose(vectors.output_bias, [-log3 - 2.25, 2.25])
    assert math.isclose(loss, math.log(4))
    assert true_loss == 0


def test_curvature_by_hand():
    """|h|^2 = 5 and a bias: 6. Scores 0, log 3 and -log 3 have p = 1/2, 3/4, 1/4; with labels 1, 1
    and 0 the errors are 1/2, 1/4, 1/4, so that p (1 - p) is taken for 1/4 each; at a score of
    log 9 and the label 1 the error is 1/10."""
    hidden, log3 = np.array([[2.0, 1.0]]), math.log(3)
    vectors = Vectors(None, np.zeros((4, 2)), np.array([0.0, log3, -log3, 2 * log3]))
    targets = ova_targets([0, 1, 3], 4)
    found = step_curvature(vectors, hidden, targets, 0.5)
    np.testing.assert_allclose(found, 0.5 * 6 * np.array([0.25, 0.25, 0.25, 0.1]))
    without_bias = step_curvature(vectors, hidden, targets._replace(fits_bias=False), 0.5)
    np.testing.assert_allclose(without_bias, found * 5 / 6)
    twice = step_curvature(vectors, hidden, targets._replace(weights=np.full(4, 2.0)), 0.5)
    np.testing.assert_allclose(twice[2], 2 * found[2])


# --- Shares and merges


def test_shares_by_hand():
    lengths = [2, 2, 2, 7, 1, 3]
    assert document_shares([0, 1, 2, 3, 4], lengths, 4) == [[0, 1], [2, 3], [4]]
    assert document_shares([3, 0], lengths, 100) == [[3, 0]]
    assert document_shares([], lengths, 4) == []


def test_an_order_is_a_shuffle_of_its_own_in_every_epoch():
    orders = [document_order(np.arange(50), 7, epoch).tolist() for epoch in range(3)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    assert document_order([4, 4, 9], 7, 0).tolist().count(4) == 2


@pytest.mark.parametrize("n", [1, 2, 8])
def test_a_merge_leaves_of_an_error_what_steps_in_turn_would(n):
    """Where the error e falls by c e a step, k steps in turn leave exp(-k c); n shards take k / n
    of them each, and the merged change is scale * n * (1 - exp(-k c / n))."""
    x = 3.0
    left = 1 - merge_scale(x, n) * n * (1 - math.exp(-x / n))
    assert math.isclose(left, math.exp(-x))
    assert merge_scale(x, 1) == 1.0
    assert merge_scale(1e-4, n) == 1.0  # too little to tell
    assert math.isclose(merge_scale(1e9, n), 1 / n)  # the mean


def test_only_shards_that_hold_a_row_have_a_say():
    before = Vectors(np.zeros((2, 1)), np.zeros((2, 1)), np.zeros(2))
    shards = [
        Shard(
            Vectors(np.full((2, 1), s), np.array([[s], [2.0 * (s == 2)]]), np.array([s, 0.0])),
            np.array([1.0, 4.0 * (s == 2)]),
            np.array([True, s == 2]),
        )
        for s in (1.0, 2.0)
    ]
    merged = merge_document_shards(before, shards)
    assert merged.input_vectors.tolist() == [[3.0], [3.0]]
    np.testing.assert_allclose(merged.output_vectors, [[3.0 * merge_scale(2.0, 2)], [2.0]])
    np.testing.assert_allclose(merged.output_bias, [3.0 * merge_scale(2.0, 2), 0.0])


def test_hot_rows_by_hand():
    for loss in ("softmax", "ova"):
        assert hot_rows(COUNTS, loss, 10).tolist() == [True] * 5
    for loss in ("nce", "sampled_softmax"):
        assert hot_rows(COUNTS, loss, 10).tolist() == [False] * 5
    # Nodes carry 8, 15, 24 and 44 of 44 documents.
    for steps, n_hot in ((0.4, 0), (0.6, 1), (1.0, 2), (2.0, 3), (3.0, 4)):
        expected = [False] * (4 - n_hot) + [True] * n_hot
        assert hot_rows(COUNTS, "hierarchical_softmax", steps).tolist() == expected


# --- A whole training


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_shards", [1, 4])
def test_training_learns_planted_classes(loss, n_shards):
    rng = np.random.default_rng(0)
    classes = [[d % 3] for d in range(60)]
    documents = [rng.integers(0, 4, size=6) + 4 * (d % 3) for d in range(60)]
    p = parameters(loss=loss, learning_rate=1.0, max_iter=5, n_negatives=2)
    orders = [document_order(np.arange(60), 7, epoch) for epoch in range(5)]
    layout = Layout(n_shards, 12, 8, 1)
    found = train_classifier(documents, classes, 12, 3, p, orders, layout)
    assert found.loss_curve[-1] < (0.8 if loss == "nce" else 0.5) * found.loss_curve[0]
    own = found.input_vectors @ found.output_vectors.T
    if loss != "hierarchical_softmax":
        assert (own.argmax(axis=1) == np.arange(12) // 4).all()
        assert found.output_bias.any()


def test_where_training_starts():
    p = parameters(loss="ova", n_components=4)
    start = initial_classifier(6, np.array([3, 1]), 8, p)
    np.testing.assert_array_equal(start.input_vectors, initial_input_vectors(6, 4, p.seed))
    rows = 4 * np.sqrt(12 * 4) * initial_input_vectors(8, 4, p.seed)[6:]
    np.testing.assert_allclose(start.output_vectors, rows, rtol=1e-6)
    np.testing.assert_allclose(start.output_bias, np.log([3.5 / 5.5, 1.5 / 7.5]), rtol=1e-6)
    start = initial_classifier(6, np.array([3, 1]), 4, parameters(loss="softmax"))
    np.testing.assert_allclose(start.output_bias, np.log([0.75, 0.25]), rtol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_without_documents_nothing_is_trained(loss):
    p = parameters(loss=loss)
    documents, classes = [np.arange(2), np.arange(1)], [[0], [1]]
    found = train_classifier(documents, classes, 2, 2, p, [[], []], Layout(2, 5, 8, 1))
    for after, before in zip(found, initial_classifier(2, np.array([1, 1]), 2, p), strict=False):
        np.testing.assert_array_equal(after, before)
    assert found.loss_curve.tolist() == [0.0, 0.0]


def test_a_class_takes_the_place_of_the_center():
    choose = class_chooser(COUNTS, parameters(loss="softmax"))
    assert choose([CLASS], None).labels.tolist() == [0, 0, 0, 0, 1]
