"""What each objective chooses, in plain NumPy float64: targets, labels, weights, offsets, link.

A part of the specification in ``_reference``, whose `primitive` does the rest. Also the
probabilities that each objective's model gives to all words of the vocabulary.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from skw2v._huffman import huffman_paths
from skw2v._reference import primitive_scores
from skw2v._sampling import log_expected_counts, noise_probabilities

SAMPLED_LOSSES = ("negative_sampling", "nce", "sampled_softmax")  # they draw noise
BIASED_LOSSES = ("nce", "sampled_softmax", "softmax")
LOSSES = (*SAMPLED_LOSSES, "hierarchical_softmax", "softmax")


class Targets(NamedTuple):
    """Output rows that a window is scored against; each row once."""

    ids: np.ndarray  # (n_targets,)
    labels: np.ndarray  # (n_targets,)
    weights: np.ndarray  # (n_targets,): how many equal targets this one stands for
    offsets: np.ndarray  # (n_targets,): subtracted from the scores
    link: str  # "sigmoid" or "softmax"
    fits_bias: bool


# --- The five objectives.


def negative_sampling_targets(center_id, noise_ids, remove_hits=True):
    """The center, labelled 1, then its noise words, labelled 0.

    As in word2vec.c and in NegTrain of word2vec_optimized, a noise word equal to the center (a hit)
    is skipped by default.
    """
    ids, weights = _center_and_noise(center_id, noise_ids, remove_hits)
    return Targets(ids, _true_share(weights), weights, np.zeros(len(ids)), "sigmoid", False)


def nce_targets(center_id, noise_ids, log_expected, remove_hits=False):
    """Noise-contrastive estimation, TensorFlow's ``nce_loss``.

    Negative sampling with biases, where the logarithm of the expected number of noise words is
    subtracted from every score. TensorFlow keeps hits by default.

    Parameters
    ----------
    log_expected : ndarray of shape (n_words,)
        `log_expected_counts` of the noise.
    """
    ids, weights = _center_and_noise(center_id, noise_ids, remove_hits)
    return Targets(ids, _true_share(weights), weights, log_expected[ids], "sigmoid", True)


def sampled_softmax_targets(center_id, noise_ids, log_expected, remove_hits=True):
    """The scores of NCE under a softmax, TensorFlow's ``sampled_softmax_loss``.

    Hits that are kept stand in the normaliser only. TensorFlow removes them by default.
    """
    ids, weights = _center_and_noise(center_id, noise_ids, remove_hits)
    labels = (np.arange(len(ids)) == 0).astype(np.float64)
    return Targets(ids, labels, weights, log_expected[ids], "softmax", True)


def hierarchical_softmax_targets(center_id, paths):
    """The inner nodes from the root down to the center, each one a choice between two."""
    path = slice(paths.offsets[center_id], paths.offsets[center_id + 1])
    ids, labels = paths.nodes[path], paths.labels[path].astype(np.float64)
    return Targets(ids, labels, np.ones(len(ids)), np.zeros(len(ids)), "sigmoid", False)


def softmax_targets(center_id, n_words):
    """All words, in the order of their ids; the center is the true one."""
    ids = np.arange(n_words)
    labels = (ids == center_id).astype(np.float64)
    return Targets(ids, labels, np.ones(n_words), np.zeros(n_words), "softmax", True)


def _center_and_noise(center_id, noise_ids, remove_hits):
    """The center, then its noise words in the order of their first draw; and how often each is met.

    Equal targets are one target weighted by their number: gradient and loss of one simultaneous
    step are the same, and no row occurs twice. Hits that are kept are folded into the center.
    """
    copies = {center_id: 1}  # a dict remembers the order of first occurrence
    for noise_id in np.asarray(noise_ids).tolist():
        if noise_id != center_id or not remove_hits:
            copies[noise_id] = copies.get(noise_id, 0) + 1
    return np.array([*copies], dtype=np.int64), np.array([*copies.values()], dtype=np.float64)


def _true_share(weights):
    """Labels for the sigmoid: the center is true once among its copies, the noise never.

    Logistic losses of the same score s, one labelled 1 and m labelled 0, have the sum
    ``(1 + m) softplus(s) - s``: m + 1 of them with the label 1 / (1 + m).
    """
    return np.where(np.arange(len(weights)) == 0, 1.0 / weights, 0.0)


# --- What the parameters of a training make of them.


def removes_hits(parameters):
    """Is a noise word equal to the center skipped? "auto" follows word2vec.c and TensorFlow."""
    if parameters.remove_accidental_hits == "auto":
        return parameters.loss != "nce"
    return parameters.remove_accidental_hits


def n_output_rows(loss, n_words):
    """Rows of the output matrix: the words, or the inner nodes of their tree."""
    return n_words - 1 if loss == "hierarchical_softmax" else n_words


def target_chooser(word_counts, parameters):
    """A function of a center's id and its noise words (None where none are drawn) to `Targets`."""
    loss, n_words = parameters.loss, len(word_counts)
    if loss == "softmax":
        return lambda center_id, _: softmax_targets(center_id, n_words)
    if loss == "hierarchical_softmax":
        paths = huffman_paths(word_counts)
        return lambda center_id, _: hierarchical_softmax_targets(center_id, paths)
    if loss not in SAMPLED_LOSSES:
        raise ValueError(f"loss must be one of {LOSSES}, got {loss!r}")
    remove = removes_hits(parameters)
    if loss == "negative_sampling":
        return lambda center_id, noise_ids: negative_sampling_targets(center_id, noise_ids, remove)
    noise = noise_probabilities(word_counts, parameters.noise, parameters.noise_exponent)
    log_expected = log_expected_counts(noise, parameters.n_negatives).astype(np.float64)
    choose = nce_targets if loss == "nce" else sampled_softmax_targets
    return lambda center_id, noise_ids: choose(center_id, noise_ids, log_expected, remove)


def log_probabilities(hidden, vectors, word_counts, parameters):
    """Log of every word's probability to be the center, normalised over the vocabulary.

    Softmax of ``hidden @ output_vectors.T`` plus ``output_bias``; negative sampling fits this score
    to log(p / q) up to a constant [1]_, so there log q is added. Hierarchical softmax multiplies
    the probabilities along the path, whose sum over all words is 1 by itself.

    Parameters
    ----------
    hidden : ndarray of shape (n_hidden, n_components)
    vectors : Vectors
    word_counts : ndarray of int64, shape (n_words,)
    parameters : object with the attributes of TrainingParameters

    Returns
    -------
    log_probabilities : ndarray of shape (n_hidden, n_words)

    References
    ----------
    .. [1] Levy, Goldberg, "Neural Word Embedding as Implicit Matrix Factorization", NeurIPS 2014.
    """
    scores = primitive_scores(hidden, vectors.output_vectors, vectors.output_bias)
    if parameters.loss == "hierarchical_softmax":
        offsets, nodes, labels = huffman_paths(word_counts)
        chosen = labels * scores[:, nodes] - np.logaddexp(0.0, scores[:, nodes])
        paths = [chosen[:, start:stop].sum(axis=1) for start, stop in pairwise(offsets)]
        return np.stack(paths, axis=1)
    if parameters.loss == "negative_sampling":
        noise = noise_probabilities(word_counts, parameters.noise, parameters.noise_exponent)
        scores = scores + log_expected_counts(noise, 1)
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
