"""From what each pooling has learned to the features of documents.

Every pooling is the same three things: a weight for every word ("scdv": one for every cluster that
a word is in), fixed when it is learned; the weighted sum of the vectors of a document's tokens
("vlawe": of what is left of them without their clusters' centers; "vlawe_order": and of their
neighbors; "bag_of_words": of vectors that have a component for each word, and a 1 in it); and a
finish that looks at this one row alone. So a document's features never depend on the other
documents of a call.

What is learned remembers which parameters it was learned for. It is used for these alone, and
forgotten when the vectors change: nothing stale is used in silence. ``_learned_poolings`` does
the learning.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skw2v._pooling import (
    Residuals,
    SoftClusters,
    check_embedding,
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

# Which parameters each pooling is learned for; those that are not here have nothing to learn.
LEARNED_FOR = {
    "tfidf": (),
    "sif": ("embedding",),
    "scdv": ("embedding", "n_clusters"),
    "vlawe": ("embedding", "n_clusters"),
    "vlawe_order": ("embedding", "n_clusters"),
    "bag_of_words": (),
}


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


# --- What has been learned


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


# --- The poolings of an estimator


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
        if name not in LEARNED_FOR:
            pooling = Pooling(name)
        elif pooling is None or pooling.learned_for != parameters_of(model, name):
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
        return d * model.n_clusters if has_clusters(name) else d

    return sum(map(width, poolings_of(model.pooling)))


def has_clusters(name):
    """Is the pooling of that name one sum for each of `n_clusters` clusters?"""
    return "n_clusters" in LEARNED_FOR.get(name, ())


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


def parameters_of(model, name):
    """An estimator's parameters that the pooling of that name is learned for, and their values."""
    plain = {"embedding": str, "n_clusters": int}
    return {
        parameter: plain[parameter](getattr(model, parameter)) for parameter in LEARNED_FOR[name]
    }


def _not_learned(model, name, stale):
    wanted = "".join(f", {p}={value!r}" for p, value in parameters_of(model, name).items())
    message = f"pooling={name!r}{wanted} has not been learned from the training documents"
    if stale is not None:
        has = ", ".join(f"{p}={value!r}" for p, value in stale.learned_for.items())
        message += f" (for {has} it has)"
    return (
        f"{message}: call fit_pooling with them, which trains nothing, or fit again, for which "
        "memory can keep the trained vectors"
    )
