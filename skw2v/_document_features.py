"""What each pooling learns from the training documents, and the features that come of it.

Every pooling is the same three things: a weight for every word ("scdv": one for every cluster that
a word is in), fixed when it is learned; the weighted sum of the vectors of a document's tokens
("vlawe": of what is left of them without their clusters' centers; "vlawe_order": and of their
neighbors; "bag_of_words": of vectors that have a component for each word, and a 1 in it); and a
finish that looks at this one row alone. So a document's features never depend on the other
documents of a call.

What is learned remembers which parameters it was learned for. It is used for these alone, and
forgotten when the vectors change: nothing stale is used in silence.
"""

import math
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skw2v._clusters import cluster_centers, soft_clusters
from skw2v._corpus import Corpus
from skw2v._pooling import (
    Residuals,
    SoftClusters,
    check_embedding,
    combine_vectors,
    count_documents,
    index_dtype,
    nearest_centers,
    pool_clusters,
    pool_documents,
    pool_words,
    poolings_of,
)
from skw2v._sampling import natural_log
from skw2v._sklearn import sparse_as_configured
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
# docs/user_guide.rst has the measurements.
VLAWE_SHARE = 0.5

# What a word brings of each neighbor's vector, as against its own, in "vlawe_order". .5 was as good
# on short texts and worse on long ones.
NEIGHBOR_SHARE = 0.35

_BLOCK = 4096  # documents whose rows are held at once to learn from

# Which parameters each pooling is learned for; those that are not here have nothing to learn.
_LEARNED_FOR = {
    "tfidf": (),
    "sif": ("embedding",),
    "scdv": ("embedding", "n_clusters"),
    "vlawe": ("embedding", "n_clusters"),
    "vlawe_order": ("embedding", "n_clusters"),
    "bag_of_words": (),
}

# Those that look at the training documents; the others look at the words alone.
_LEARNED_FROM_DOCUMENTS = ("sif", "scdv")


@dataclass(frozen=True)
class DocumentFrequencies:
    """In how many documents each word occurs.

    Attributes
    ----------
    n_documents : float
        The sum of the documents' weights, empty ones included.
    of_words : ndarray of shape (n_words,), dtype float64
    """

    n_documents: float
    of_words: np.ndarray

    @classmethod
    def of(cls, corpus, n_words, document_weight=None):
        """Count a corpus, each document as often as its weight says (None: once)."""
        total = corpus.n_documents if document_weight is None else math.fsum(document_weight)
        return cls(float(total), count_documents(corpus, n_words, document_weight))

    def plus(self, others):
        """With the documents of `others`, which may know more words."""
        of_words = others.of_words.copy()
        of_words[: len(self.of_words)] += self.of_words
        return DocumentFrequencies(self.n_documents + others.n_documents, of_words)

    def idf(self):
        """ln((1 + n) / (1 + df)) + 1, as scikit-learn's `smooth_idf`; at least 1."""
        return natural_log((1 + self.n_documents) / (1 + self.of_words)) + 1

    def idf_of_unseen(self):
        """That of a word that is in none of the documents."""
        return float(natural_log(1 + self.n_documents)) + 1


# --- What is learned


@dataclass(frozen=True)
class Pooling:
    """What `pool_documents` is to be called with."""

    kind: str
    weights: np.ndarray | None = None
    removed: np.ndarray | None = None
    unseen_weight: float = 1.0  # of a word that training has not seen
    learned_for: dict = field(default_factory=dict)

    def with_unseen(self, vectors, n_threads):
        """For more words than it has learned weights for, with these vectors."""
        if self.weights is None:
            return self
        added = np.full(len(vectors), self.unseen_weight)
        return replace(self, weights=np.append(self.weights, added))


@dataclass(frozen=True)
class BagOfWords:
    """What `pool_words` is to be called with."""

    weights: np.ndarray

    def with_unseen(self, vectors, n_threads):
        """Words that training has not seen have no column."""
        return self


@dataclass(frozen=True)
class ClusterPooling:
    """What `pool_clusters` is to be called with."""

    soft: SoftClusters
    threshold: float
    learned_for: dict = field(default_factory=dict)
    # Those of "vlawe" and "vlawe_order". "scdv" has the defaults, in pickles that do not know these
    # fields, too.
    residuals: Residuals | None = None
    sublinear: bool = False
    unseen_weight: float = 0.0

    def with_unseen(self, vectors, n_threads):
        """With words that it has not learned: in the nearest cluster; without centers, in none."""
        if self.residuals is not None:
            return self.with_words(vectors, np.full(len(vectors), self.unseen_weight), n_threads)
        offsets = self.soft.word_offsets
        offsets = np.append(offsets, np.full(len(vectors), offsets[-1]))
        return replace(self, soft=replace(self.soft, word_offsets=offsets))

    def with_words(self, vectors, weights, n_threads):
        """With more words, each in the cluster of the nearest center (zero vectors in none)."""
        soft, residuals = self.soft, self.residuals
        nearest, scales = nearest_centers(vectors, residuals.centers, n_threads)
        has_one = nearest >= 0
        return replace(
            self,
            soft=replace(
                soft,
                word_offsets=np.append(
                    soft.word_offsets, soft.word_offsets[-1] + np.cumsum(has_one)
                ),
                clusters=np.append(soft.clusters, nearest[has_one]),
                weights=np.append(soft.weights, weights[has_one]),
            ),
            residuals=replace(residuals, scales=np.append(residuals.scales, scales)),
        )


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
            parameters = _parameters_of(model, name)
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
    clustered = [name for name in poolings_of(model.pooling) if _has_clusters(name)]
    if clustered and model.n_clusters > n_words:
        raise ValueError(
            f"pooling={clustered[0]!r} cannot make n_clusters={model.n_clusters} clusters out of "
            f"{n_words} words; lower n_clusters, or min_count to have more words"
        )


def poolings_for(model):
    """The poolings that a fitted estimator's parameters name, ready to use.

    Parameters
    ----------
    model : Word2VecTransformer

    Returns
    -------
    poolings : list of Pooling, ClusterPooling or BagOfWords

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If one of them has not been learned, or has for other parameters.
    """
    poolings = []
    for name in poolings_of(model.pooling):
        pooling = model._learned_poolings.get("tfidf" if name == "bag_of_words" else name)
        if name not in _LEARNED_FOR:
            pooling = Pooling(name)
        elif pooling is None or pooling.learned_for != _parameters_of(model, name):
            raise NotFittedError(_not_learned(model, name, pooling))
        elif name == "bag_of_words":  # the same weights, so nothing of its own is learned or kept
            pooling = BagOfWords(pooling.weights)
        poolings.append(pooling)
    return poolings


def document_features(corpus, vectors, poolings, n_threads):
    """Pool documents.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
    vectors : ndarray of shape (n_words, n_features), dtype float32
    poolings : list of Pooling, ClusterPooling or BagOfWords
    n_threads : int
        The result does not depend on it.

    Returns
    -------
    features : ndarray or sparse CSR, of shape (n_documents, sum of the widths), dtype float32
        One pooling after the other. Row i depends on document i alone; that of a document without
        words is zero. Sparse if one of them is of clusters or words: by what is asked for, never by
        what the documents hold.
    """
    d = vectors.shape[1]
    dense = [pooling for pooling in poolings if isinstance(pooling, Pooling)]
    features = np.zeros((corpus.n_documents, len(dense) * d), dtype=np.float32)
    for i, pooling in enumerate(dense):
        pool_documents(
            corpus,
            vectors,
            pooling.kind,
            n_threads,
            features,
            column=i * d,
            weights=pooling.weights,
            removed=pooling.removed,
        )
    if len(dense) == len(poolings):
        return features
    parts, i = [], 0
    for pooling in poolings:
        if isinstance(pooling, Pooling):
            parts.append(sparse.csr_array(features[:, i * d : (i + 1) * d]))
            i += 1
        elif isinstance(pooling, BagOfWords):
            parts.append(pool_words(corpus, pooling.weights))
        else:
            parts.append(_cluster_features(corpus, vectors, pooling, n_threads))
    together = sparse.hstack(parts, format="csr") if len(parts) > 1 else parts[0]
    return sparse_as_configured(together)


def n_features(model):
    """How many features an estimator's parameters make.

    Raises
    ------
    ValueError
        As from `check_embedding`: what has no features has no number of them.
    """
    check_embedding(model.embedding, model._trained_with.loss)
    n_words, n_components = model.input_vectors_.shape
    d = n_components * (2 if model.embedding == "concat" else 1)

    def width(name):
        if name == "bag_of_words":
            return n_words
        return d * model.n_clusters if _has_clusters(name) else d

    return sum(map(width, poolings_of(model.pooling)))


def _has_clusters(name):
    return "n_clusters" in _LEARNED_FOR.get(name, ())


def _cluster_features(corpus, vectors, pooling, n_threads):
    parts = [(np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))]
    parts += pool_clusters(
        corpus,
        vectors,
        pooling.soft,
        pooling.threshold,
        n_threads,
        residuals=pooling.residuals,
        sublinear=pooling.sublinear,
    )
    lengths, columns, values = map(np.concatenate, zip(*parts, strict=True))
    offsets = np.cumsum(lengths, dtype=index_dtype(len(columns)))
    shape = corpus.n_documents, pooling.soft.n_clusters * vectors.shape[1]
    return sparse.csr_array((values, columns, offsets), shape=shape)


def _parameters_of(model, name):
    plain = {"embedding": str, "n_clusters": int}
    return {
        parameter: plain[parameter](getattr(model, parameter)) for parameter in _LEARNED_FOR[name]
    }


def _not_learned(model, name, stale):
    wanted = "".join(f", {p}={value!r}" for p, value in _parameters_of(model, name).items())
    message = f"pooling={name!r}{wanted} has not been learned from the training documents"
    if stale is not None:
        has = ", ".join(f"{p}={value!r}" for p, value in stale.learned_for.items())
        message += f" (for {has} it has)"
    return (
        f"{message}: call fit_pooling with them, which trains nothing, or fit again, for which "
        "memory can keep the trained vectors"
    )
