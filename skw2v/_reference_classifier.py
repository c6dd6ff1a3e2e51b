"""Documents and their classes in plain NumPy float64: the specification of `EmbeddingClassifier`.

A part of the specification in ``_reference``, whose `primitive` does the rest. A document is one
hidden row, the mean of its tokens' rows; its class takes the place of a window's center.
"""

from functools import partial
from itertools import groupby
from typing import NamedTuple

import numpy as np

from skw2v._huffman import huffman_paths
from skw2v._reference import (
    Vectors,
    add_to_inputs,
    primitive_residual,
    primitive_scores,
    random_bits,
    stream_key,
    train_targets,
)
from skw2v._reference_objectives import (
    BIASED_LOSSES,
    SAMPLED_LOSSES,
    Targets,
    n_output_rows,
    target_chooser,
)
from skw2v._reference_training import (
    initial_rows,
    pool_drawer,
    round_learning_rate,
    train_in_turn,
)
from skw2v._sampling import initial_biases, initial_log_odds, keep_thresholds

ORDER = 6  # purpose of a stream, beside those of _reference

# --- One document.


def ova_targets(class_ids, n_classes):
    """All classes, each a question of its own; those of the document are labelled 1."""
    labels = np.zeros(n_classes)
    labels[class_ids] = 1.0
    return Targets(
        np.arange(n_classes), labels, np.ones(n_classes), np.zeros(n_classes), "sigmoid", True
    )


def class_chooser(class_counts, parameters):
    """A function of a document's classes and its noise (None where none is drawn) to `Targets`.

    Every loss but "ova" predicts one class, as windows do their center.
    """
    if parameters.loss == "ova":
        return lambda class_ids, _: ova_targets(class_ids, len(class_counts))
    choose = target_chooser(class_counts, parameters)
    return lambda class_ids, noise_ids: choose(class_ids[0], noise_ids)


def train_document(vectors, row_ids, targets, rate, frozen=(), curvature=None):
    """Train one document in place: the mean of its rows is the one hidden row.

    Every row receives the exact gradient of the mean, as many times as it stands in the document.

    Parameters
    ----------
    vectors : Vectors
    row_ids : ndarray of int, shape (n_tokens,)
        At least one.
    targets : Targets
    rate : float
    frozen : sequence of int, default=()
        Rows that stay.
    curvature : ndarray of shape (n_output,), default=None
        `step_curvature` is added to it.

    Returns
    -------
    loss : float
    true_loss : float
        The part of the first target; 0 under a softmax.
    n_documents : int
        1.
    """
    hidden = vectors.input_vectors[row_ids].mean(axis=0, keepdims=True)
    if curvature is not None:
        curvature[targets.ids] += step_curvature(vectors, hidden, targets, rate)
    step = train_targets(hidden, vectors, targets, rate)
    changes = np.tile(step.hidden_change[0] / len(row_ids), (len(row_ids), 1))
    add_to_inputs(vectors, row_ids, changes, frozen)
    return step.loss, step.first_loss, 1


def step_curvature(vectors, hidden, targets, rate):
    """How far a step bends each target at most, (n_targets,): rate * weight * p (1 - p) * h.h.

    Along h, that is what a step shrinks the target's error by; a bias is one more component of h,
    always 1. p (1 - p) is taken for the most that it is on the way to the label: for the error, the
    distance of p from the label, or for 1/4 where it is more.
    """
    scores = primitive_scores(
        hidden,
        vectors.output_vectors[targets.ids],
        vectors.output_bias[targets.ids],
        targets.offsets,
    )
    residual = primitive_residual(scores, targets.labels, targets.weights, targets.link)[0]
    squared_length = np.sum(hidden**2) + targets.fits_bias
    steepness = np.minimum(np.abs(residual) / targets.weights, 0.25)
    return rate * targets.weights * squared_length * steepness


# --- Shares, rounds, shards.


def document_order(documents, seed, epoch):
    """The documents of an epoch in the order in which they are trained."""
    bits = random_bits(stream_key(seed, ORDER, epoch), np.arange(len(documents)))
    keys = (bits >> np.uint64(11)).astype(np.float64)
    return np.asarray(documents)[np.argsort(keys, kind="stable")]


def document_shares(order, lengths, shard_tokens):
    """Documents in turn, cut into shares: a list of lists.

    A share ends before the first document that begins at or after the next multiple of
    `shard_tokens` tokens.
    """
    begins = np.cumsum([0, *(lengths[d] for d in order)])[:-1]
    turns = zip((begins // shard_tokens).tolist(), list(order), strict=True)
    return [[d for _, d in group] for _, group in groupby(turns, key=lambda turn: turn[0])]


def merge_scale(curvature, n_copies):
    """How much of the summed change of a row's copies to take.

    With x the curvature of all their steps, these would leave exp(-x) of an error if they came one
    after the other; each copy leaves exp(-x / n), so the sum is too much by that factor.
    """
    if not curvature > 1e-3:
        return 1.0
    return -np.expm1(-curvature) / (n_copies * -np.expm1(-curvature / n_copies))


class Shard(NamedTuple):
    """What a shard has made of the vectors that a round began with."""

    vectors: Vectors
    curvature: np.ndarray  # (n_output,)
    holds: np.ndarray  # (n_output,): does it have a copy of the output row?


def merge_document_shards(vectors, shards):
    """The vectors after a round: of input rows the sum of changes, of output rows a part of it."""
    merged = Vectors(*(matrix.copy() for matrix in vectors))
    for shard in shards:
        merged.input_vectors[:] += shard.vectors.input_vectors - vectors.input_vectors
    for row in range(len(vectors.output_vectors)):
        holders = [shard for shard in shards if shard.holds[row]]
        scale = merge_scale(sum(shard.curvature[row] for shard in holders), len(holders))
        for shard in holders:
            for after, before, out in zip(shard.vectors[1:], vectors[1:], merged[1:], strict=True):
                out[row] += scale * (after[row] - before[row])
    return merged


# --- A whole training.


class ReferenceClassifier(NamedTuple):
    """Result of `train_classifier`."""

    input_vectors: np.ndarray  # (n_inputs, n_components)
    output_vectors: np.ndarray  # (n_output, n_components)
    output_bias: np.ndarray  # (n_output,): zeros under "hierarchical_softmax"
    loss_curve: np.ndarray  # (n_epochs,): mean loss of a document, 0 where there is none


def train_classifier(
    documents, classes, n_inputs, n_classes, parameters, orders, layout, start=None, frozen=()
):
    """Train an embedding table and an output layer.

    Parameters
    ----------
    documents : list of ndarray of int
        Each document's rows of the table.
    classes : list of list of int
        Its classes: one, or under "ova" any number.
    n_inputs, n_classes : int
    parameters : object with the attributes of TrainingParameters
    orders : list of sequence of int
        For each epoch the documents in the order in which they are trained; none of them empty.
    layout : skw2v._layout.Layout
    start : Vectors, default=None
        Where training starts. By default from `initial_classifier`.
    frozen : sequence of int, default=()
        Rows of the table that stay.

    Returns
    -------
    trained : ReferenceClassifier
    """
    lengths = [len(rows) for rows in documents]
    counts = np.bincount(np.concatenate([*classes, []]).astype(int), minlength=n_classes)
    choose = class_chooser(counts, parameters)
    draw_pool = pool_drawer(counts, parameters, layout.pool_size)
    steps_of_shard = layout.shard_tokens * len(documents) / max(sum(lengths), 1)
    is_hot = hot_rows(counts, parameters.loss, steps_of_shard)
    vectors = start or initial_classifier(n_inputs, counts, len(documents), parameters)
    loss_curve = np.zeros(len(orders))
    for epoch, order in enumerate(orders):
        shares = document_shares(order, lengths, layout.shard_tokens)
        n_rounds = -(-len(shares) // layout.n_shards)
        for round_index in range(n_rounds):
            rate = round_learning_rate(
                parameters.learning_rate,
                parameters.min_learning_rate,
                epoch * n_rounds + round_index,
                parameters.max_iter * n_rounds,
            )
            first = round_index * layout.n_shards
            shards = []
            for number, share in enumerate(shares[first : first + layout.n_shards], first):
                private = Vectors(*(matrix.copy() for matrix in vectors))
                curvature, holds = np.zeros(len(is_hot)), is_hot.copy()
                pool = draw_pool(epoch, number)
                if pool is not None:
                    holds[pool] = True

                def choose_and_note(class_ids, noise_ids, holds=holds):
                    targets = choose(class_ids, noise_ids)
                    holds[targets.ids] = True
                    return targets

                loss, _ = train_in_turn(
                    [(classes[d], documents[d]) for d in share],
                    pool,
                    parameters.n_negatives,
                    choose_and_note,
                    partial(train_document, private, rate=rate, frozen=frozen, curvature=curvature),
                )
                loss_curve[epoch] += loss / len(order)
                shards.append(Shard(private, curvature, holds))
            vectors = merge_document_shards(vectors, shards)
    return ReferenceClassifier(*vectors, loss_curve)


def initial_classifier(n_inputs, class_counts, n_documents, parameters):
    """Random rows, biases that predict each class's share.

    Class vectors are random, too, and long: uniform with a mean squared length of 4**2. From zero,
    which fastText starts from, the first gradient of a table is zero, and both wait for each other.
    (Where words start from vectors of elsewhere, class vectors do start from zero.)
    """
    n_output = n_output_rows(parameters.loss, len(class_counts))
    biases = np.zeros(n_output)
    if parameters.loss == "ova":
        biases[:] = initial_log_odds(class_counts, n_documents)
    elif parameters.loss in BIASED_LOSSES:
        biases[:] = initial_biases(class_counts, keep_thresholds(class_counts, 0))
    rows = initial_rows(n_inputs + n_output, parameters)  # uniform in +-.5 / n_components
    scale = 4.0 * np.sqrt(12.0 * parameters.n_components)
    return Vectors(rows[:n_inputs], scale * rows[n_inputs:], biases)


def hot_rows(class_counts, loss, steps_of_shard):
    """Which output rows every shard has a copy of, shape (n_output,): for a merge, one of those it
    has moved.

    All classes, where all are targets; no class, where few are. Of a tree the top: as many nodes
    as a shard, which trains `steps_of_shard` documents, passes more than every second time.
    """
    is_hot = np.full(n_output_rows(loss, len(class_counts)), loss not in SAMPLED_LOSSES)
    if loss == "hierarchical_softmax":
        offsets, nodes, _ = huffman_paths(class_counts)
        class_of = np.repeat(np.arange(len(class_counts)), np.diff(offsets))
        passes = np.bincount(nodes, class_counts[class_of], minlength=len(is_hot))
        n_hot = np.count_nonzero(passes / class_counts.sum() * steps_of_shard > 0.5)
        is_hot[: len(is_hot) - n_hot] = False
    return is_hot
