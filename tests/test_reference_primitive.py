"""The reference's primitive, and the two architectures built on it."""

import math

import numpy as np
import pytest

from skw2v._reference import (
    Vectors,
    cbow_context_change,
    context_groups,
    primitive,
    primitive_scores,
    train_cbow_window,
    train_skipgram_by_context,
    train_skipgram_window,
)
from skw2v._reference_objectives import negative_sampling_targets, softmax_targets

# --- The primitive


def test_one_negative_sampling_step_by_hand():
    # The scores are 0 and log 3, so the sigmoids are 1/2 and 3/4.
    log3 = math.log(3)
    hidden, targets = np.array([[1.0, 0.0]]), np.array([[0.0, 2.0], [log3, 1.0]])
    step = primitive(hidden, targets, np.array([1.0, 0.0]), np.array([1.0, 2.0]), rate=0.1)
    # G = 0.1 * (1 - 1/2) and 0.1 * 2 * (0 - 3/4).
    np.testing.assert_allclose(step.bias_change, [0.05, -0.15], rtol=1e-14)
    np.testing.assert_allclose(step.hidden_change, [[-0.15 * log3, 0.1 - 0.15]], rtol=1e-14)
    np.testing.assert_allclose(step.target_change, [[0.05, 0.0], [-0.15, 0.0]], rtol=1e-14)
    # softplus(0) = log 2; 2 * softplus(log 3) = 2 * log 4.
    assert math.isclose(step.loss, 5 * math.log(2))


def test_biases_add_to_the_scores_and_offsets_subtract():
    hidden, targets = np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[3.0, 0.0], [1.0, 1.0]])
    scores = primitive_scores(hidden, targets, np.array([10.0, 20.0]), np.array([0.5, 0.25]))
    assert scores.tolist() == [[12.5, 22.75], [9.5, 20.75]]


@pytest.mark.parametrize("link", ["sigmoid", "softmax"])
def test_a_weight_is_so_many_equal_targets(link):
    rng = np.random.default_rng(1)
    hidden, targets = rng.normal(size=(2, 3)), rng.normal(size=(3, 3))
    labels = np.array([1.0, 0.0, 0.0])
    weighted = primitive(hidden, targets, labels, np.array([1.0, 3.0, 1.0]), 0.1, link=link)
    listed = [0, 1, 1, 1, 2]
    repeated = primitive(hidden, targets[listed], labels[listed], np.ones(5), 0.1, link=link)
    np.testing.assert_allclose(weighted.hidden_change, repeated.hidden_change, rtol=1e-12)
    summed = np.add.reduceat(repeated.target_change, [0, 1, 4])
    np.testing.assert_allclose(weighted.target_change, summed, rtol=1e-12)
    assert math.isclose(weighted.loss, repeated.loss)


def test_a_weight_on_the_true_target_counts_in_the_normaliser_alone():
    # Scores log 1 and log 2, weights 3 and 1: Z = 3 * 1 + 2 = 5.
    hidden, targets = np.array([[1.0]]), np.array([[0.0], [math.log(2)]])
    labels, weights = np.array([1.0, 0.0]), np.array([3.0, 1.0])
    step = primitive(hidden, targets, labels, weights, 1.0, link="softmax")
    assert math.isclose(step.loss, math.log(5))
    np.testing.assert_allclose(step.bias_change, [1 - 3 / 5, -2 / 5], rtol=1e-14)


@pytest.mark.parametrize("n_hidden", [1, 3])
def test_the_first_loss_is_the_first_targets_under_the_sigmoid_and_none_under_the_softmax(n_hidden):
    rng = np.random.default_rng(4)
    hidden, targets = rng.normal(size=(n_hidden, 2)), rng.normal(size=(3, 2))
    labels, weights = np.array([0.5, 0.0, 0.0]), np.array([2.0, 1.0, 3.0])
    step = primitive(hidden, targets, labels, weights, 0.1)
    first = primitive(hidden, targets[:1], labels[:1], weights[:1], 0.1)
    assert step.first_loss == first.loss < step.loss
    assert primitive(hidden, targets, labels, weights, 0.1, link="softmax").first_loss == 0.0


@pytest.mark.parametrize("link", ["sigmoid", "softmax"])
def test_the_primitive_stays_finite_at_huge_scores(link):
    hidden, targets = np.array([[1e3], [-1e3]]), np.array([[1e3], [-1e3]])
    step = primitive(hidden, targets, np.array([1.0, 0.0]), np.ones(2), 0.1, link=link)
    assert all(np.all(np.isfinite(part)) for part in step)


# --- Architectures


@pytest.mark.parametrize(
    ("context_ids", "group_size", "groups"),
    [
        ([3, 5, 3, 7, 7], 8, [[3, 5], [3, 7], [7]]),
        ([1, 2, 3, 4, 5], 2, [[1, 2], [3, 4], [5]]),
        ([1, 2, 1, 3], 2, [[1, 2], [1, 3]]),
        ([9, 9, 9], 4, [[9], [9], [9]]),
        ([], 4, []),
    ],
)
def test_contexts_are_grouped_without_repeats(context_ids, group_size, groups):
    found = context_groups(np.array(context_ids, dtype=np.int32), group_size)
    assert [group.tolist() for group in found] == groups


def fresh_vectors(n_words=4, n_components=3):
    rng = np.random.default_rng(3)
    matrices = rng.normal(size=(2, n_words, n_components))
    return Vectors(*matrices, rng.normal(size=n_words))


def assert_equal(found, expected):
    for array, expected_array in zip(found, expected, strict=True):
        np.testing.assert_array_equal(array, expected_array)


def biased(targets):
    """The same targets with offsets and fitted biases."""
    return targets._replace(offsets=np.array([0.5, -0.25, 1.0]), fits_bias=True)


def apply(step, vectors, context_ids, targets):
    vectors.input_vectors[context_ids] += step.hidden_change
    vectors.output_vectors[targets.ids] += step.target_change
    vectors.output_bias[targets.ids] += step.bias_change


def test_groups_of_one_train_pair_by_pair():
    targets = biased(negative_sampling_targets(0, [1, 3]))
    expected, expected_loss = fresh_vectors(), 0.0
    for context in (2, 1, 2):
        step = primitive(
            expected.input_vectors[[context]],
            expected.output_vectors[[0, 1, 3]],
            targets.labels,
            np.ones(3),
            0.1,
            biases=expected.output_bias[[0, 1, 3]],
            offsets=targets.offsets,
        )
        apply(step, expected, [context], targets)
        expected_loss += step.loss
    vectors = fresh_vectors()
    contexts = np.array([2, 1, 2])
    loss, true_loss, n_pairs = train_skipgram_window(vectors, contexts, targets, 0.1, group_size=1)
    assert (loss, n_pairs) == (expected_loss, 3)
    assert 0 < true_loss < loss
    assert_equal(vectors, expected)


@pytest.mark.parametrize("link", ["sigmoid", "softmax"])
def test_a_group_trains_every_context_against_the_same_targets(link):
    vectors, expected = fresh_vectors(), fresh_vectors()
    targets = biased(negative_sampling_targets(0, [1, 3]))._replace(link=link)
    step = primitive(
        vectors.input_vectors[[2, 1]],
        vectors.output_vectors[targets.ids],
        targets.labels,
        np.ones(3),
        0.1,
        biases=vectors.output_bias[targets.ids],
        offsets=targets.offsets,
        link=link,
    )
    apply(step, expected, [2, 1], targets)
    train_skipgram_window(vectors, np.array([2, 1]), targets, 0.1, 8)
    assert_equal(vectors, expected)


@pytest.mark.parametrize("train", [train_skipgram_window, train_cbow_window])
def test_biases_that_are_not_fitted_stay(train):
    vectors = fresh_vectors()
    option = {"group_size": 8} if train is train_skipgram_window else {"cbow_gradient": "exact"}
    train(vectors, np.array([2, 1]), negative_sampling_targets(0, [1, 3]), 0.1, **option)
    np.testing.assert_array_equal(vectors.output_bias, fresh_vectors().output_bias)
    assert not np.array_equal(vectors.output_vectors, fresh_vectors().output_vectors)


def test_several_true_targets_are_so_many_losses_at_once():
    rng = np.random.default_rng(5)
    hidden, targets, ones = rng.normal(size=(2, 3)), rng.normal(size=(4, 3)), np.ones(4)
    labels = np.array([[2.0, 0, 1, 0], [0, 0, 0, 1]])
    step = primitive(hidden, targets, labels, ones, 0.1, link="softmax")
    single = [
        primitive(hidden[[row]], targets, np.eye(4)[target], ones, 0.1, link="softmax")
        for row, target in [(0, 0), (0, 0), (0, 2), (1, 3)]
    ]
    first = sum(part.hidden_change[0] for part in single[:3])
    np.testing.assert_allclose(step.hidden_change, [first, single[3].hidden_change[0]], rtol=1e-12)
    np.testing.assert_allclose(
        step.target_change, sum(part.target_change for part in single), rtol=1e-12
    )
    assert math.isclose(step.loss, sum(part.loss for part in single))


def test_by_context_the_pairs_and_their_gradients_are_the_windows():
    # At a tiny rate the order of the steps does not show.
    windows = {0: [1, 2], 3: [2, 1], 1: [3, 2, 0]}
    contexts = [(1, [0, 3]), (2, [0, 3, 1]), (3, [1]), (0, [1])]
    rate, changes, losses = 1e-7, [], []
    for by_context in (False, True):
        vectors, before = fresh_vectors(), fresh_vectors()
        if by_context:
            targets = softmax_targets(0, 4)
            loss, n_pairs = train_skipgram_by_context(vectors, contexts, targets, rate, 2)
        else:
            trained = [
                train_skipgram_window(vectors, np.array(ids), softmax_targets(c, 4), rate, 8)
                for c, ids in windows.items()
            ]
            loss, n_pairs = sum(t[0] for t in trained), sum(t[2] for t in trained)
        assert n_pairs == 7
        losses.append(loss)
        changes.append([(v - b) / rate for v, b in zip(vectors, before, strict=True)])
    assert math.isclose(*losses, rel_tol=1e-6)
    for one, other in zip(*changes, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_word2vec_cbow_gives_distinct_contexts_the_undivided_gradient():
    gradient = np.array([0.5, -1.0])
    change = cbow_context_change(gradient, np.array([7, 8, 9]), "word2vec")
    np.testing.assert_array_equal(change, gradient)
    np.testing.assert_array_equal(
        cbow_context_change(gradient, np.array([7, 8, 9]), "exact"), gradient / 3
    )


@pytest.mark.parametrize("contexts", [[1, 2, 3], [1, 1, 1, 1], [2, 1, 2, 3, 2]])
def test_word2vec_cbow_moves_the_mean_by_the_gradient_and_no_further(contexts):
    contexts, targets = np.array(contexts), negative_sampling_targets(0, [1, 3])
    vectors = fresh_vectors()
    mean = vectors.input_vectors[contexts].mean(axis=0, keepdims=True)
    step = primitive(
        mean,
        vectors.output_vectors[targets.ids],
        targets.labels,
        targets.weights,
        0.1,
        biases=vectors.output_bias[targets.ids],
    )
    loss, true_loss, n_pairs = train_cbow_window(vectors, contexts, targets, 0.1, "word2vec")
    moved = vectors.input_vectors[contexts].mean(axis=0) - mean[0]
    np.testing.assert_allclose(moved, step.hidden_change[0], rtol=1e-10)
    assert (loss, true_loss, n_pairs) == (step.loss, step.first_loss, 1)


@pytest.mark.parametrize("train", [train_skipgram_window, train_cbow_window])
def test_a_window_without_contexts_trains_nothing(train):
    vectors, targets = fresh_vectors(), negative_sampling_targets(0, [1])
    option = {"group_size": 8} if train is train_skipgram_window else {"cbow_gradient": "exact"}
    none = np.array([], dtype=np.int32)
    assert train(vectors, none, targets, 0.1, **option) == (0.0, 0.0, 0)
    assert_equal(vectors, fresh_vectors())
