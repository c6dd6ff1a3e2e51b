"""What each pooling learns: from the training documents, or from the vectors of their words."""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from skw2v._clusters import cluster_centers, soft_clusters
from skw2v._corpus import Corpus
from skw2v._document_features import (
    ClusterPooling,
    DocumentFrequencies,
    Pooling,
    has_clusters,
    parameters_of,
)
from skw2v._pooling import (
    Residuals,
    SoftClusters,
    combine_vectors,
    pool_clusters,
    pool_documents,
    poolings_of,
)
from skw2v._threads import one_blas_thread
from skw2v._trainer import TrainedVectors

# Arora et al. (2017), section 4.1: a in a / (a + p(w)). No parameter of the estimator, since they
# see little difference from 1e-4 to 1e-3.
SIF_A = 1e-3

# Mekala et al. (2017): the share p of (|a_min| + |a_max|) / 2 below which components are dropped,
# a_min and a_max being the training documents' mean smallest and mean largest component.
SCDV_THRESHOLD = 0.04

# The share of its cluster's center that a word's vector loses. If all of it, as in VLAD and VLAWE,
# a sum hardly tells how much of the cluster a document has; if none, it tells little else.
# docs/choosing.rst has the measurements.
VLAWE_SHARE = 0.5

# What a word brings of each neighbor's vector, as against its own, in "vlawe_order". .5 was as good
# on short texts and worse on long ones.
NEIGHBOR_SHARE = 0.35

_BLOCK = 4096  # documents whose rows are held at once to learn from

# Those that look at the training documents; the others look at the words alone.
_LEARNED_FROM_DOCUMENTS = ("sif", "scdv")


@dataclass(frozen=True)
class Material:
    """What poolings are learned from.

    Attributes
    ----------
    corpus : skw2v._corpus.Corpus
        The training documents.
    document_weight : ndarray of shape (n_documents,), dtype float64, or None
        How often each document counts: 0 as if it were absent. None: once.
    trained : skw2v._trainer.TrainedVectors
    word_counts : ndarray of shape (n_words,)
    frequencies : DocumentFrequencies
    seed : int
    """

    corpus: Corpus
    document_weight: np.ndarray | None
    trained: TrainedVectors
    word_counts: np.ndarray
    frequencies: DocumentFrequencies
    seed: int

    def vectors(self, embedding):
        """One vector a word."""
        trained = self.trained
        return combine_vectors(trained.input_vectors, trained.output_vectors, embedding)


def learn_tfidf(frequencies):
    """The mean weighted by idf."""
    return Pooling("weighted_mean", frequencies.idf(), unseen_weight=frequencies.idf_of_unseen())


def learn_sif(material, embedding, n_threads):
    """The weighted mean without the direction that the training documents have in common.

    That is the first right singular vector of their rows, which are not centred, as in the paper;
    zeros if all rows are zero. Rows are many and components few, so it is found as the first
    eigenvector of rows.T @ rows, which is summed block by block.

    Parameters
    ----------
    material : Material
    embedding : str
    n_threads : int
        The result does not depend on it.

    Returns
    -------
    pooling : Pooling
    """
    corpus, vectors = material.corpus, material.vectors(embedding)
    shares = material.word_counts / (math.fsum(material.word_counts) or 1.0)
    weights = SIF_A / (SIF_A + shares)
    d = vectors.shape[1]
    products = np.zeros((d, d))  # all rows of a large corpus would take gigabytes
    rows = np.empty((min(_BLOCK, corpus.n_documents), d), dtype=np.float32)
    # What BLAS adds up depends on its number of threads; this costs too little to need many.
    with one_blas_thread():
        for start in range(0, corpus.n_documents, _BLOCK):
            offsets = corpus.document_offsets[start : start + _BLOCK + 1]
            block = rows[: len(offsets) - 1]
            pool_documents(
                Corpus(corpus.token_ids, offsets), vectors, "mean", n_threads, block, 0, weights
            )
            left = right = block.astype(np.float64)
            if material.document_weight is not None:
                left = left * material.document_weight[start : start + _BLOCK, None]
            products += left.T @ right
        eigenvalues, eigenvectors = np.linalg.eigh(products)
    direction = eigenvectors[:, -1] if eigenvalues[-1] > 0 else np.zeros(d)
    return Pooling("mean", weights, np.ascontiguousarray(direction))


def learn_scdv(material, embedding, n_clusters, n_threads):
    """Soft clusters of the words, and how small a component of a document has to be to be dropped.

    As the paper and its program have it: idf from the documents (scikit-learn's, smooth), sums that
    are scaled to length 1 before the threshold and not again after it. But training documents
    without a known word have no part in the threshold: they have nothing that it could be a share
    of.

    Parameters
    ----------
    material, embedding, n_threads
        As for `learn_sif`.
    n_clusters : int

    Returns
    -------
    pooling : ClusterPooling
    """
    vectors = material.vectors(embedding)
    soft = soft_clusters(vectors, material.frequencies.idf(), n_clusters, material.seed)
    lowest, highest, times = _extremes(material, vectors, soft, n_threads)
    if not np.any(times):
        return ClusterPooling(soft, 0.0)
    mean_of_ends = abs(np.average(lowest, weights=times)), abs(np.average(highest, weights=times))
    return ClusterPooling(soft, float(SCDV_THRESHOLD * np.mean(mean_of_ends)))


def _extremes(material, vectors, soft, n_threads):
    """The smallest and the largest component of each document that has any, and its weight."""
    weight = material.document_weight
    if weight is None:
        weight = np.ones(material.corpus.n_documents)
    found, start = [np.empty((3, 0))], 0
    for n_kept, _, values in pool_clusters(material.corpus, vectors, soft, 0.0, n_threads):
        rows = np.flatnonzero(n_kept)
        if len(rows):
            begins = np.cumsum(n_kept)[rows] - n_kept[rows]
            low, high = np.minimum.reduceat(values, begins), np.maximum.reduceat(values, begins)
            has_zero = n_kept[rows] < soft.n_clusters * vectors.shape[1]
            low, high = np.where(has_zero, [np.minimum(low, 0), np.maximum(high, 0)], [low, high])
            found.append(np.array([low, high, weight[start + rows]], dtype=np.float64))
        start += len(n_kept)
    return np.concatenate(found, axis=1)


def learn_vlawe(material, embedding, n_clusters, n_threads, neighbor_share=0.0):
    """Hard clusters of the words, and what is left of each word's vector in its cluster.

    Parameters
    ----------
    material, embedding, n_clusters, n_threads
        As for `learn_scdv`.
    neighbor_share : float, default=0.0
        What a token brings of each neighbor's vector, as against its own.

    Returns
    -------
    pooling : ClusterPooling

    Notes
    -----
    VLAD [1]_ describes an image by the sums of its local descriptors' differences from the nearest
    of K centers, VLAWE [2]_ a document by those of its words' vectors. What is different here was
    ahead in cross-validation: vectors have length 1 and lose half of the center; a word counts
    ``idf * (1 + log(tf))`` times; rows have length 1 without taking roots of components first.

    A sum does not know what stood beside what. So a token may bring its neighbors' vectors, too, to
    the sum of its own cluster. Their components are shifted by one place, in a direction for each
    side, as random indexing encodes order by permutations [3]_: products of shifted vectors with
    others are small, so that documents have much in common where words of one cluster have like
    words before them, or after them.

    Kept are the centers and, for each word, its cluster, weight and scale: 28 bytes.

    References
    ----------
    .. [1] H. Jégou, M. Douze, C. Schmid, P. Pérez (2010). Aggregating local descriptors into a
       compact image representation. CVPR. https://doi.org/10.1109/CVPR.2010.5540039
    .. [2] R. T. Ionescu, A. M. Butnaru (2019). Vector of Locally-Aggregated Word Embeddings
       (VLAWE): A Novel Document-level Representation. NAACL. https://aclanthology.org/N19-1033/
    .. [3] M. Sahlgren, A. Holst, P. Kanerva (2008). Permutations as a means to encode order in word
       space. CogSci. https://escholarship.org/uc/item/5f16x5bj
    """
    vectors = material.vectors(embedding)
    centers = cluster_centers(vectors, material.word_counts, n_clusters, material.seed)
    pooling = ClusterPooling(
        SoftClusters(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0), n_clusters),
        threshold=0.0,
        residuals=Residuals(np.empty(0), centers, VLAWE_SHARE, neighbor_share),
        sublinear=True,
        unseen_weight=material.frequencies.idf_of_unseen(),
    )
    return pooling.with_words(vectors, material.frequencies.idf(), n_threads)


LEARNERS = {
    "sif": learn_sif,
    "scdv": learn_scdv,
    "vlawe": learn_vlawe,
    "vlawe_order": partial(learn_vlawe, neighbor_share=NEIGHBOR_SHARE),
}


# --- The poolings of an estimator


def learn_poolings(model, material, n_threads):
    """Learn what an estimator's poolings need.

    Parameters
    ----------
    model : Word2VecTransformer
        For its parameters.
    material : Material
    n_threads : int
        The result does not depend on it.

    Returns
    -------
    learned : dict
        By the names of the poolings: Pooling or ClusterPooling. "tfidf" is always there.
    """
    learned = {"tfidf": learn_tfidf(material.frequencies)}
    for name, learn in LEARNERS.items():
        if name in poolings_of(model.pooling):
            parameters = parameters_of(model, name)
            pooling = learn(material, **parameters, n_threads=n_threads)
            learned[name] = replace(pooling, learned_for=parameters)
    return learned


def check_some_tokens(model, corpus):
    """Refuse to learn from documents without a word, where a pooling is learned from documents.

    Raises
    ------
    ValueError
    """
    names = [name for name in poolings_of(model.pooling) if name in _LEARNED_FROM_DOCUMENTS]
    if names and not corpus.n_tokens:
        raise ValueError(
            f"pooling={names[0]!r} is learned from documents, and none of the "
            f"{corpus.n_documents} has a word that was learned; pass the training documents (an "
            "iterator may have been used up)"
        )


def check_clusters(model, n_words):
    """Refuse more clusters than words, before anything has been trained.

    Raises
    ------
    ValueError
    """
    clustered = [name for name in poolings_of(model.pooling) if has_clusters(name)]
    if clustered and model.n_clusters > n_words:
        raise ValueError(
            f"pooling={clustered[0]!r} cannot make n_clusters={model.n_clusters} clusters out of "
            f"{n_words} words; lower n_clusters, or min_count to have more words"
        )
