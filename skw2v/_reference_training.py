"""Training as a whole in plain NumPy float64.

The other half of the specification in ``_reference``: how the token stream is laid out in shards
and rounds, how the learning rate falls, how shards merge.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from skw2v._reference import (
    Vectors,
    initial_input_vectors,
    noise_pool,
    train_cbow_window,
    train_skipgram_by_context,
    train_skipgram_window,
    training_windows,
    window_noise,
)
from skw2v._reference_objectives import (
    BIASED_LOSSES,
    SAMPLED_LOSSES,
    n_output_rows,
    target_chooser,
)
from skw2v._reference_subwords import compose, spread
from skw2v._sampling import alias_table, initial_biases, keep_thresholds, noise_probabilities


class ReferenceVectors(NamedTuple):
    """Result of `train_reference`."""

    input_vectors: np.ndarray  # (n_words, n_components)
    output_vectors: np.ndarray  # (n_output, n_components)
    output_bias: np.ndarray  # (n_output,): zeros where the objective fits none
    loss_curve: np.ndarray  # (max_iter,): mean loss per true pair, 0 where there is none
    n_pairs: np.ndarray  # (max_iter,): true pairs (skip-gram) or windows (CBOW) trained
    subword_vectors: np.ndarray | None = None  # (n_rows, n_components), if words are made of parts


def n_rounds_per_epoch(n_tokens, n_shards, shard_tokens):
    """Rounds until every shard has walked through its segment of the token stream."""
    segment = -(-n_tokens // n_shards)
    return -(-segment // shard_tokens)


def owned_positions(n_tokens, n_shards, shard_tokens, round_index, shard):
    """Positions whose windows the shard trains in the round; the stream's end may leave none.

    The shards of a round lie spread over the corpus: shard s has the s-th of `n_shards` equal
    segments for itself and takes `shard_tokens` of it each round.
    """
    segment = -(-n_tokens // n_shards)
    start = shard * segment + round_index * shard_tokens
    stop = min(start + shard_tokens, (shard + 1) * segment, n_tokens)
    return range(min(start, stop), stop)


def round_learning_rate(learning_rate, min_learning_rate, round_index, n_rounds):
    """Learning rate of one round, counted over all epochs: a straight line with a floor, float32.

    The line aims at `min_learning_rate`, which the round after the last would have.
    """
    fall = (learning_rate - min_learning_rate) * round_index / n_rounds
    return float(np.float32(max(min_learning_rate, learning_rate - fall)))


def train_reference(
    token_ids,
    document_offsets,
    word_counts,
    parameters,
    *,
    n_shards,
    shard_tokens,
    pool_size,
    group_size,
    cbow_gradient=None,
    parts=None,
    start=None,
    frozen=(),
):
    """Train input vectors, output vectors and biases.

    Parameters
    ----------
    token_ids : ndarray of int32, shape (n_tokens,)
    document_offsets : ndarray of int64, shape (n_documents + 1,)
        Document d is ``token_ids[document_offsets[d]:document_offsets[d + 1]]``.
    word_counts : ndarray of int64, shape (n_words,)
    parameters : object with the attributes of TrainingParameters
    n_shards : int
        Shards of a round; each trains on a copy of the matrices as the round found them.
    shard_tokens : int
        Tokens, kept or not, that a shard owns in a round.
    pool_size : int
        Noise words drawn for a shard and round; at least ``parameters.n_negatives``. Objectives
        without noise draw none.
    group_size : int
        Contexts of a skip-gram window that are trained at once.
    cbow_gradient : {"exact", "word2vec"}, optional
        Overrides that of the parameters.
    parts : list of list of int, optional
        The rows of the subword vectors that each word is made of. A round trains the words as they
        are made up when it begins, and their parts change by what it has changed of them.

    start : Vectors, optional
        Where training starts. By default from `initial_vectors`.
    frozen : sequence of int, default=()
        Words whose input vectors stay.

    Returns
    -------
    vectors : ReferenceVectors
    """
    choose_targets = target_chooser(word_counts, parameters)
    train_window = _window_trainer(parameters, group_size, cbow_gradient, frozen)
    draw_pool = pool_drawer(word_counts, parameters, pool_size)
    keep_threshold = keep_thresholds(word_counts, parameters.subsample)
    n_tokens, n_epochs = len(token_ids), parameters.max_iter
    vectors = start or initial_vectors(word_counts, keep_threshold, parameters)
    subword_vectors = None
    if parts is not None:
        n_rows = 1 + max(map(max, parts))
        subword_vectors = initial_rows(n_rows, parameters)

    rounds_per_epoch = n_rounds_per_epoch(n_tokens, n_shards, shard_tokens)
    loss_curve, n_pairs = np.zeros(n_epochs), np.zeros(n_epochs, dtype=np.int64)
    for epoch in range(n_epochs):
        windows = training_windows(token_ids, document_offsets, keep_threshold, parameters, epoch)
        center_pos = np.array([window.center_pos for window in windows], dtype=np.int64)
        loss = 0.0
        for round_index in range(rounds_per_epoch):
            rate = round_learning_rate(
                parameters.learning_rate,
                parameters.min_learning_rate,
                epoch * rounds_per_epoch + round_index,
                n_epochs * rounds_per_epoch,
            )
            if parts is not None:
                vectors = vectors._replace(input_vectors=compose(subword_vectors, parts))
            privates = []
            for shard in range(n_shards):
                owned = owned_positions(n_tokens, n_shards, shard_tokens, round_index, shard)
                first, last = np.searchsorted(center_pos, [owned.start, owned.stop])
                private = Vectors(*(matrix.copy() for matrix in vectors))
                owned_windows = [w for w in windows[first:last] if len(w.context_pos)]
                if parameters.loss == "softmax" and parameters.architecture == "skipgram":
                    shard_loss, shard_pairs = train_skipgram_by_context(
                        private,
                        centers_of_contexts(owned_windows, token_ids),
                        choose_targets(0, None),
                        rate,
                        group_size,
                        frozen,
                    )
                else:
                    shard_loss, shard_pairs = train_in_turn(
                        [
                            (int(token_ids[window.center_pos]), token_ids[window.context_pos])
                            for window in owned_windows
                        ],
                        draw_pool(epoch, round_index * n_shards + shard),
                        parameters.n_negatives,
                        choose_targets,
                        partial(train_window, private, rate=rate),
                    )
                privates.append(private)
                loss += shard_loss
                n_pairs[epoch] += shard_pairs
            before, vectors = vectors, merge_shards(vectors, privates)
            if parts is not None:
                spread(subword_vectors, parts, vectors.input_vectors - before.input_vectors)
        loss_curve[epoch] = loss / max(n_pairs[epoch], 1)
    if parts is not None:
        vectors = vectors._replace(input_vectors=compose(subword_vectors, parts))
    return ReferenceVectors(*vectors, loss_curve, n_pairs, subword_vectors)


def initial_vectors(word_counts, keep_threshold, parameters):
    """Random input vectors, output vectors of zeros, biases that predict each word's share."""
    n_words, n_components = len(word_counts), parameters.n_components
    n_output = n_output_rows(parameters.loss, n_words)
    biases = np.zeros(n_output)
    if parameters.loss in BIASED_LOSSES:
        biases[:] = initial_biases(word_counts, keep_threshold)
    return Vectors(
        initial_rows(n_words, parameters),
        np.zeros((n_output, n_components)),
        biases,
    )


def initial_rows(n_rows, parameters):
    """Random vectors of words, or of their parts."""
    rows = initial_input_vectors(n_rows, parameters.n_components, parameters.seed)
    return rows.astype(np.float64)


def centers_of_contexts(windows, token_ids):
    """The windows turned around: every context's id, from left to right, and its centers' ids."""
    center_ids_of = {}
    for window in windows:
        for context_pos in window.context_pos.tolist():
            center_ids_of.setdefault(context_pos, []).append(int(token_ids[window.center_pos]))
    return [
        (int(token_ids[position]), center_ids_of[position]) for position in sorted(center_ids_of)
    ]


def merge_shards(vectors, privates):
    """The vectors after a round: the changes of all shards added, in the shards' order."""
    return Vectors(
        *(
            before + sum(after - before for after in matrices)
            for before, *matrices in zip(vectors, *privates, strict=True)
        )
    )


def _window_trainer(parameters, group_size, cbow_gradient, frozen):
    if parameters.architecture == "skipgram":
        return partial(train_skipgram_window, group_size=group_size, frozen=frozen)
    cbow_gradient = cbow_gradient or parameters.cbow_gradient
    return partial(train_cbow_window, cbow_gradient=cbow_gradient, frozen=frozen)


def pool_drawer(word_counts, parameters, pool_size):
    """A function of an epoch and a shard's number to its noise words, None without noise."""
    if parameters.loss not in SAMPLED_LOSSES:
        return lambda epoch, shard_number: None
    if pool_size < parameters.n_negatives:
        raise ValueError(
            f"pool_size={pool_size} is smaller than n_negatives={parameters.n_negatives}; "
            "a window would take the same draw twice"
        )
    table = alias_table(
        noise_probabilities(word_counts, parameters.noise, parameters.noise_exponent)
    )
    return lambda epoch, shard_number: noise_pool(
        *table, parameters.seed, epoch, shard_number, pool_size
    )


def train_in_turn(steps, pool, n_negatives, choose_targets, train):
    """Train a shard's windows, or documents, one after the other; returns (loss, n_pairs).

    Noise that was trained a moment ago scores better than it should. So it counts in the windows
    that meet each draw of the pool for the first time, and stands there for all pairs. Under a
    softmax the true score has no loss of its own, and all of a window's loss goes that way.

    Parameters
    ----------
    steps : list of (int, ndarray)
        What is to be predicted, and the rows that predict it.
    pool : ndarray, or None without noise
    n_negatives : int
    choose_targets : callable
        From what is to be predicted and its noise to `Targets`.
    train : callable
        From rows and targets to their loss, the part of the true target, and the pairs.
    """
    n_fresh = len(steps) if pool is None else len(pool) // n_negatives
    true_loss, noise_loss, n_pairs, fresh_pairs = 0.0, 0.0, 0, 0
    for number, (truth, ids) in enumerate(steps):
        noise_ids = None if pool is None else window_noise(pool, number, n_negatives)
        step_loss, step_true, step_pairs = train(ids, choose_targets(truth, noise_ids))
        true_loss += step_true
        n_pairs += step_pairs
        if number < n_fresh:
            noise_loss += step_loss - step_true
            fresh_pairs += step_pairs
    return true_loss + noise_loss * (n_pairs / max(fresh_pairs, 1)), n_pairs
