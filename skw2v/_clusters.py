"""Word vectors -> soft clusters: a Gaussian mixture, each word in the few that it may come from."""

import warnings

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from skw2v._pooling import SoftClusters
from skw2v._threads import one_blas_thread

# What the mixture is, beside its number of components. A covariance that all share ("tied") is what
# the paper's own program uses, but takes K times as long here: diagonal ones are in between.
MIXTURE = {"covariance_type": "diag", "max_iter": 50}

# A word's share in a cluster that is smaller than this is none. Of 100 dimensions hardly a word is
# between clusters: what remains is little more than one cluster a word.
MIN_MEMBERSHIP = 1e-3


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
        Weights are ``word_weights[w] * P(k | w)``; without shares below MIN_MEMBERSHIP.

    Notes
    -----
    The mixture is fitted on one thread, since the sums of BLAS and of k-means depend on their
    number: so it has the same bits at any number of threads. It need not have them on another
    processor or with another BLAS.
    """
    # In units of their spread, so that the mixture's floor under variances is far below any.
    spread = np.sqrt(np.mean(np.square(vectors, dtype=np.float64)))
    scaled = vectors.astype(np.float64) / (spread or 1.0)
    mixture = GaussianMixture(n_clusters, random_state=seed, **MIXTURE)
    with one_blas_thread(), warnings.catch_warnings():
        # Its last digits do not matter: it may stop before it has converged.
        warnings.simplefilter("ignore", ConvergenceWarning)
        shares = mixture.fit(scaled).predict_proba(scaled)
    shares[shares < MIN_MEMBERSHIP] = 0
    shares = sparse.csr_array(shares)
    return SoftClusters(
        shares.indptr.astype(np.int64),
        shares.indices.astype(np.int32),
        shares.data * np.repeat(word_weights, np.diff(shares.indptr)),
        n_clusters,
    )
