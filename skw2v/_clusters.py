"""Word vectors -> clusters of words.

Soft ones are a Gaussian mixture, each word in the few that it may come from. Hard ones are the
centers of k-means.
"""

import warnings

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from skw2v._pooling import SoftClusters
from skw2v._threads import one_blas_thread

# What the mixture is, beside its number of components. The paper's own program has one covariance
# for all ("tied"), which took 13 times as long to fit: 0.3 s an iteration for 10,000 words of 100
# components and 40 clusters, where diagonal ones took 0.02 s.
MIXTURE = {"covariance_type": "diag", "max_iter": 50}

# A word's share in a cluster that is smaller than this is none. With 100 components hardly a word
# lies between clusters, so that little more than one cluster a word remains.
MIN_SHARE = 1e-3

# What k-means is, beside its number of clusters. Sums over many words do not need the best optimum:
# one start and a second at most for 20,000 words of 200 components.
K_MEANS = {"n_init": 1, "max_iter": 20}

# How many of the most frequent words the centers are made for. The others are assigned to them:
# many words that occur in few documents, and whose vectors have learned little.
N_WORDS_OF_CENTERS = 20_000


def soft_clusters(vectors, word_weights, n_clusters, seed):
    """Fit a Gaussian mixture to word vectors, and find each word's shares.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, n_features), dtype float32
    word_weights : ndarray of shape (n_words,), dtype float64
        Multiplies each word's shares.
    n_clusters : int
        At most n_words.
    seed : int
        Of the start of the mixture, by k-means.

    Returns
    -------
    soft : skw2v._pooling.SoftClusters
        Weights are ``word_weights[w] * P(k | w)``, where shares below MIN_SHARE are zero and the
        others sum to 1.

    Notes
    -----
    The mixture is fitted on one thread, since what BLAS and k-means add up depends on their number:
    so it has the same bits at any number of threads. It need not have them on another kind of
    processor or with another BLAS.
    """
    shares = sparse.csr_array(_shares(vectors, n_clusters, seed))
    n_clusters_of = np.diff(shares.indptr)
    return SoftClusters(
        shares.indptr.astype(np.int64),
        shares.indices.astype(np.int32),
        shares.data * np.repeat(word_weights / shares.sum(axis=1), n_clusters_of),
        n_clusters,
    )


def _shares(vectors, n_clusters, seed):
    """P(k | w), zero where it is small; an ndarray of shape (n_words, n_clusters)."""
    if n_clusters == 1:  # no question, and there may be a single word, which a mixture refuses
        return np.ones((len(vectors), 1))
    from sklearn.mixture import GaussianMixture  # 0.1 s that an import of skw2v would cost

    # In units of their spread, so that the floor under the mixture's variances is far below any.
    spread = np.sqrt(np.mean(np.square(vectors, dtype=np.float64)))
    scaled = vectors.astype(np.float64) / (spread or 1.0)
    mixture = GaussianMixture(n_clusters, random_state=seed, **MIXTURE)
    with one_blas_thread(), warnings.catch_warnings():
        # It may stop before it has converged: the last digits of the shares do not matter. And
        # k-means may find fewer clusters, where words have the same vector.
        warnings.simplefilter("ignore", ConvergenceWarning)
        shares = mixture.fit(scaled).predict_proba(scaled)
    shares[shares < MIN_SHARE] = 0
    return shares


def cluster_centers(vectors, word_counts, n_clusters, seed):
    """Find the centers of hard clusters of words, by k-means on vectors of length 1.

    Words weigh the square root of their counts, between a vote for each word, most of which are
    rare, and one for each token, most of which are of a few words. On Ohsumed the cross-validated
    accuracy of sums over such clusters was .611 for words alike, .618 by the root and .601 by the
    count; it was .586 with a diagonal Gaussian mixture of vectors that had their own lengths.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, n_features), dtype float32
    word_counts : ndarray of shape (n_words,)
    n_clusters : int
        At most n_words.
    seed : int
        Of the first centers.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features), dtype float32

    Notes
    -----
    On one thread, as `soft_clusters`.
    """
    from sklearn.cluster import KMeans  # 0.08 s that an import of skw2v would cost

    n_frequent = max(N_WORDS_OF_CENTERS, n_clusters)
    frequent = np.argsort(-np.asarray(word_counts), kind="stable")[:n_frequent]
    rows = vectors[frequent].astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units = (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    k_means = KMeans(n_clusters, random_state=seed, **K_MEANS)
    with one_blas_thread(), warnings.catch_warnings():
        # It may find fewer clusters, where words have the same vector.
        warnings.simplefilter("ignore", ConvergenceWarning)
        k_means.fit(units, sample_weight=np.sqrt(word_counts[frequent]))
    return np.ascontiguousarray(k_means.cluster_centers_, dtype=np.float32)
