"""The reference's primitive, its gradients, and the two architectures built on it."""

import math

import numpy as np
import pytest

from skw2v._reference import (
    cbow_context_change,
    context_groups,
    negative_sampling_targets,
    primitive,
    primitive_loss,
    primitive_scores,
    train_cbow_window,
    train_skipgram_window,
)


def central_differences(function, array, step=1e-6):
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


OBJECTIVES = {
    # label, weight and offset of each target; link
    "negative_sampling": ([1, 0, 0, 0], [1, 2, 1, 1], 0.0, "sigmoid"),
    "nce": ([1, 0, 0, 0], [1, 1, 3, 1], [0.3, -1.2, 0.7, -2.0], "sigmoid"),
    "hierarchical_softmax": ([1, 0, 0, 1], [1, 1, 1, 1], 0.0, "sigmoid"),  # 1 - code
    "sampled_softmax": ([1, 0, 0, 0], [1, 2, 1, 1], [0.3, -1.2, 0.7, -2.0], "softmax"),
    "softmax": ([0, 0, 1, 0], [1, 1, 1, 1], 0.0, "softmax"),
}


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("n_hidden", [1, 3])
def test_the_primitive_descends_the_gradient_of_the_loss(objective, n_hidden):
    labels, weights, offsets, link = OBJECTIVES[objective]
    labels, weights = np.array(labels, float), np.array(weights, float)
    rng = np.random.default_rng(0)
    hidden, targets = rng.normal(size=(n_hidden, 5)), rng.normal(size=(4, 5))
    biases, offsets = rng.normal(size=4), np.asarray(offsets)

    def loss():
        scores = primitive_scores(hidden, targets, biases, offsets)
        return primitive_loss(scores, labels, weights, link)

    rate = 0.3
    step = primitive(
        hidden, targets, labels, weights, rate, biases=biases, offsets=offsets, link=link
    )
    assert math.isclose(step.loss, loss())
    for change, array in [
        (step.hidden_change, hidden),
        (step.target_change, targets),
        (step.bias_change, biases),
    ]:
        gradient = central_differences(loss, array)
        np.testing.assert_allclose(-change / rate, gradient, atol=1e-7)


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


def test_sampled_softmax_over_every_word_once_is_softmax():
    rng = np.random.default_rng(2)
    n_words, center = 6, 4
    hidden, targets, biases = rng.normal(size=(2, 3)), rng.normal(size=(n_words, 3)), np.ones(6)
    labels = (np.arange(n_words) == center).astype(float)
    softmax = primitive(hidden, targets, labels, np.ones(6), 0.1, biases=biases, link="softmax")

    order = [center, 0, 1, 2, 3, 5]  # the center first, then every other word as noise
    sampled = primitive(
        hidden,
        targets[order],
        labels[order],
        np.ones(6),
        0.1,
        biases=biases[order],
        offsets=np.full(6, math.log(5 / 6)),  # log(k q(w)), uniform q
        link="softmax",
    )
    assert math.isclose(sampled.loss, softmax.loss)
    np.testing.assert_allclose(sampled.hidden_change, softmax.hidden_change, atol=1e-15)
    np.testing.assert_allclose(sampled.target_change, softmax.target_change[order], atol=1e-15)


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


def matrices(n_words=4, n_components=3):
    rng = np.random.default_rng(3)
    return rng.normal(size=(n_words, n_components)), rng.normal(size=(n_words, n_components))


def test_groups_of_one_train_pair_by_pair():
    input_vectors, output_vectors = matrices()
    targets = negative_sampling_targets(0, [1, 3])
    expected_input, expected_output, expected_loss = *matrices(), 0.0
    for context in (2, 1, 2):
        step = primitive(
            expected_input[[context]], expected_output[[0, 1, 3]], targets.labels, np.ones(3), 0.1
        )
        expected_input[[context]] += step.hidden_change
        expected_output[[0, 1, 3]] += step.target_change
        expected_loss += step.loss
    contexts = np.array([2, 1, 2])
    loss, true_loss, n_pairs = train_skipgram_window(
        input_vectors, output_vectors, contexts, targets, 0.1, group_size=1
    )
    assert (loss, n_pairs) == (expected_loss, 3)
    assert 0 < true_loss < loss
    np.testing.assert_array_equal(input_vectors, expected_input)
    np.testing.assert_array_equal(output_vectors, expected_output)


def test_a_group_trains_every_context_against_the_same_targets():
    input_vectors, output_vectors = matrices()
    targets = negative_sampling_targets(0, [1, 3])
    step = primitive(input_vectors[[2, 1]], output_vectors[[0, 1, 3]], targets.labels, 1.0, 0.1)
    expected_input, expected_output = matrices()
    expected_input[[2, 1]] += step.hidden_change
    expected_output[[0, 1, 3]] += step.target_change
    train_skipgram_window(input_vectors, output_vectors, np.array([2, 1]), targets, 0.1, 8)
    np.testing.assert_array_equal(input_vectors, expected_input)
    np.testing.assert_array_equal(output_vectors, expected_output)


def test_exact_cbow_descends_the_gradient_even_where_words_repeat():
    input_vectors, output_vectors = matrices()
    contexts, targets = np.array([2, 1, 2, 2]), negative_sampling_targets(0, [1, 3, 3])

    def loss():
        mean = input_vectors[contexts].mean(axis=0, keepdims=True)
        scores = primitive_scores(mean, output_vectors[targets.ids])
        return primitive_loss(scores, targets.labels, targets.weights, "sigmoid")

    input_gradient = central_differences(loss, input_vectors)
    output_gradient = central_differences(loss, output_vectors)
    before = input_vectors.copy(), output_vectors.copy()
    train_cbow_window(input_vectors, output_vectors, contexts, targets, 0.1, "exact")
    np.testing.assert_allclose((before[0] - input_vectors) / 0.1, input_gradient, atol=1e-7)
    np.testing.assert_allclose((before[1] - output_vectors) / 0.1, output_gradient, atol=1e-7)


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
    input_vectors, output_vectors = matrices()
    mean = input_vectors[contexts].mean(axis=0, keepdims=True)
    step = primitive(mean, output_vectors[targets.ids], targets.labels, targets.weights, 0.1)
    loss, true_loss, n_pairs = train_cbow_window(
        input_vectors, output_vectors, contexts, targets, 0.1, "word2vec"
    )
    moved = input_vectors[contexts].mean(axis=0) - mean[0]
    np.testing.assert_allclose(moved, step.hidden_change[0], rtol=1e-10)
    assert (loss, true_loss, n_pairs) == (step.loss, step.first_loss, 1)


@pytest.mark.parametrize("train", [train_skipgram_window, train_cbow_window])
def test_a_window_without_contexts_trains_nothing(train):
    input_vectors, output_vectors = matrices()
    targets = negative_sampling_targets(0, [1])
    option = {"group_size": 8} if train is train_skipgram_window else {"cbow_gradient": "exact"}
    none = np.array([], dtype=np.int32)
    assert train(input_vectors, output_vectors, none, targets, 0.1, **option) == (0.0, 0.0, 0)
    np.testing.assert_array_equal([input_vectors, output_vectors], matrices())
