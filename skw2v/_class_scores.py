"""Documents to scores and probabilities of classes."""

import numpy as np

from skw2v._huffman import huffman_paths
from skw2v._pooling import pool_documents
from skw2v._threads import one_thread_for_products

_ROWS_AT_ONCE = 2**22  # floats of a block of scores


def hidden_rows(corpus, vectors, n_threads):
    """The mean of each document's rows; zeros for a document that has none.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
    vectors : ndarray of shape (n_rows, n_components), float32
    n_threads : int

    Returns
    -------
    hidden : ndarray of shape (n_documents, n_components), float32
    """
    hidden = np.empty((corpus.n_documents, vectors.shape[1]), dtype=np.float32)
    pool_documents(corpus, vectors, "mean", n_threads, hidden)
    return hidden


def class_scores(hidden, trained, loss):
    """What each class scores, so that the highest wins.

    Parameters
    ----------
    hidden : ndarray of shape (n_documents, n_components), float32
    trained : skw2v._trainer.TrainedVectors
    loss : str

    Returns
    -------
    scores : ndarray of shape (n_documents, n_classes), float32
        Products with the classes' vectors, plus their biases; log probabilities for
        "hierarchical_softmax".
    """
    with one_thread_for_products():
        scores = hidden @ trained.output_vectors.T
    scores += trained.output_bias
    if loss != "hierarchical_softmax":
        return scores
    return _log_probabilities_of_leaves(scores, huffman_paths(trained.tree_counts))


def class_probabilities(scores, loss, is_multilabel):
    """What the scores say of each class.

    Parameters
    ----------
    scores : ndarray of shape (n_documents, n_classes)
        From `class_scores`.
    loss : str
    is_multilabel : bool
        May a document have several classes, or none?

    Returns
    -------
    probabilities : ndarray of shape (n_documents, n_classes), float64
        That sum to one, unless a document may have several: then each class's own.
    """
    scores = scores.astype(np.float64)
    if loss == "ova":
        probabilities = np.exp(-np.logaddexp(0.0, -scores))
        if is_multilabel:
            return probabilities
        # At least the smallest number, so that a document which is like no class has a sum.
        probabilities = np.maximum(probabilities, np.finfo(np.float64).tiny)
    else:  # log probabilities are scores, too
        probabilities = np.exp(scores - scores.max(axis=1, keepdims=True))
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def _log_probabilities_of_leaves(node_scores, paths):
    """The sum of the log probabilities of the decisions on the way to each class."""
    out = np.empty((len(node_scores), len(paths.offsets) - 1), dtype=np.float32)
    n_rows = max(1, _ROWS_AT_ONCE // max(len(paths.nodes), 1))
    for first in range(0, len(out), n_rows):
        scores = node_scores[first : first + n_rows, paths.nodes].astype(np.float64)
        chosen = paths.labels * scores - np.logaddexp(0.0, scores)
        out[first : first + n_rows] = np.add.reduceat(chosen, paths.offsets[:-1], axis=1)
    return out
