"""What documents are classified by: their features, and the classifier that all share.

Every contestant ends in the same logistic regression. Dense features of no fixed scale are
standardised before it; rows of TF-IDF and of "scdv" have norm 1 and go in as they are. The strength
C of the classifier is the contestant's own in each set, cross-validated on its training part.

One call of `accuracies` trains once and scores every contestant that shares the training. Whatever
is learned (words, idf, vectors, clusters, scaling, classifier) comes from the training documents.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from _classifier import NORMALISED, STANDARDISED, rotated, scores_by_c
from _common import PEER_DOCUMENT_LIMIT, Settings
from _textclass import Documents, read_fold, read_split

# Poolings whose rows have norm 1, sparse and of many columns.
CLUSTERED = {"scdv", "vlawe", "vlawe_order"}

# gensim as people use it, with its own defaults but skip-gram and twice as many epochs.
USUAL = {
    "n_components": 100,
    "window": 5,
    "max_iter": 10,
    "learning_rate": 0.025,
    "min_count": 5,
}

# How large other rows are beside those of clusters and of TF-IDF, whose norm is 1.
SIZE_BESIDE_CLUSTERS = 0.35
SIZES_BESIDE_TFIDF = (0.1, 0.3, 1.0)


class Contestant(NamedTuple):
    """Features of documents: from where, how pooled, and whether beside TF-IDF.

    `source` names what is trained: "majority", "tfidf", "gensim", "gensim as usual" or "skw2v".
    `beside_tfidf` is the mean norm of the rows that stand beside TF-IDF's, 0 where they stand
    alone.
    """

    source: str
    # "+" joins poolings to a list, " & " what is scaled by itself; a number is that of clusters.
    pooling: str = ""
    embedding: str = ""
    beside_tfidf: float = 0.0

    @property
    def name(self) -> str:
        parts = {
            "majority": "majority",
            "tfidf": "TF-IDF",
            "gensim": "gensim, mean",
            "gensim as usual": "gensim as usual, mean",
            "skw2v": f"{self.pooling}, {self.embedding}",
        }
        beside = f" x {self.beside_tfidf:g} and TF-IDF" if self.beside_tfidf else ""
        return parts[self.source] + beside

    @property
    def poolings(self) -> list[str]:
        return [part.split()[0] for part in self.pooling.replace(" & ", "+").split("+") if part]

    @property
    def grid(self) -> tuple[float, ...]:
        """The values of C to try."""
        if self.source == "majority":
            return (1.0,)
        normalised = self.source == "tfidf" or CLUSTERED & set(self.poolings) or self.beside_tfidf
        return NORMALISED if normalised else STANDARDISED


def accuracies(
    folder: Path,
    name: str,
    fold: int | None,
    contestants: Sequence[Contestant],
    grids: Sequence[Sequence[float]],
    settings: Settings,
    seed: int,
) -> list[dict[float, float]]:
    """The share of documents classified rightly, by C, for contestants of one source.

    `fold`: validate on this fold of the training part; None: test on the test part. An accuracy is
    NaN where training diverged.
    """
    train, test = read_split(folder, name) if fold is None else read_fold(folder, name, fold)
    (source,) = {contestant.source for contestant in contestants}
    features = SOURCES[source](train, settings, seed)
    results = []
    for contestant, grid in zip(contestants, grids, strict=True):
        blocks = [features(contestant, documents.texts) for documents in (train, test)]
        if not all(map(finite, blocks[0])):
            results.append(dict.fromkeys(grid, math.nan))
            continue
        matrices = joined([scaled(*parts) for parts in zip(*blocks, strict=True)])
        if contestant.beside_tfidf:
            matrices = beside_tfidf(*matrices, train, test, contestant.beside_tfidf)
        results.append(scores_by_c(*rotated(*matrices), train, test, grid))
    return results


def finite(features) -> bool:
    return bool(np.isfinite(features.data if scipy.sparse.issparse(features) else features).all())


def scaled(features, test_features):
    """Dense features with every component of unit variance; sparse ones have rows of norm 1."""
    from sklearn.preprocessing import StandardScaler

    if scipy.sparse.issparse(features):
        return features, test_features
    scaler = StandardScaler().fit(features)
    return scaler.transform(features), scaler.transform(test_features)


def joined(blocks):
    """Pairs of training and test features side by side; beside others, dense ones shrink."""
    if len(blocks) == 1:
        return blocks[0]
    scales = [
        1.0 if scipy.sparse.issparse(train) else SIZE_BESIDE_CLUSTERS / mean_norm(train)
        for train, _ in blocks
    ]
    return tuple(
        scipy.sparse.hstack(
            [
                scipy.sparse.csr_matrix(part) * scale
                for part, scale in zip(parts, scales, strict=True)
            ],
            format="csr",
        )
        for parts in zip(*blocks, strict=True)
    )


def mean_norm(features) -> float:
    """The root mean square of the rows' norms."""
    values = features.data if scipy.sparse.issparse(features) else features
    return float(np.sqrt(np.square(values, dtype=np.float64).sum() / features.shape[0]))


def beside_tfidf(features, test_features, train: Documents, test: Documents, size: float):
    """Features, scaled to the root mean square norm `size`, beside TF-IDF's rows of norm 1."""
    scale = size / mean_norm(features)
    vectorizer = tfidf_vectorizer().fit(train.texts)
    return tuple(
        scipy.sparse.hstack(
            [scipy.sparse.csr_matrix(part) * scale, vectorizer.transform(documents.texts)],
            format="csr",
        )
        for part, documents in ((features, train), (test_features, test))
    )


# ---------------------------------------------------------------------------------------- sources

# A source is fitted on training documents and gives a function of contestant and texts, whose
# result is a list of features to be scaled each by itself and put side by side.
Features = Callable[[Contestant, list[str]], list[Any]]


def majority_features(train: Documents, settings: Settings, seed: int) -> Features:
    """Nothing but the intercept: the classifier says the most frequent class."""
    return lambda contestant, texts: [np.zeros((len(texts), 1), np.float32)]


def tfidf_vectorizer():
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(sublinear_tf=True, dtype=np.float32)


def tfidf_features(train: Documents, settings: Settings, seed: int) -> Features:
    vectorizer = tfidf_vectorizer().fit(train.texts)
    return lambda contestant, texts: [vectorizer.transform(texts)]


def gensim_features(train: Documents, settings: Settings, seed: int) -> Features:
    """The mean of gensim's vectors, over the same tokens; zeros for a document without any."""
    from gensim.models import Word2Vec
    from sklearn.feature_extraction.text import CountVectorizer

    analyze = CountVectorizer().build_analyzer()
    sentences = [
        tokens[start : start + PEER_DOCUMENT_LIMIT]
        for tokens in map(analyze, train.texts)
        for start in range(0, len(tokens), PEER_DOCUMENT_LIMIT)
    ]
    vectors = Word2Vec(sentences, **settings.gensim_parameters(seed, n_threads=1)).wv
    counter = CountVectorizer(vocabulary=vectors.key_to_index)

    def mean(contestant: Contestant, texts: list[str]) -> list[np.ndarray]:
        counts = counter.transform(texts)
        n_words = np.asarray(counts.sum(axis=1)).reshape(-1, 1)
        return [(counts @ vectors.vectors / np.maximum(n_words, 1)).astype(np.float32)]

    return mean


def usual_gensim_features(train: Documents, settings: Settings, seed: int) -> Features:
    return gensim_features(train, settings.replace(**USUAL), seed)


def skw2v_features(train: Documents, settings: Settings, seed: int) -> Features:
    from skw2v import Word2VecTransformer

    transformer = Word2VecTransformer(**asdict(settings), random_state=seed, n_jobs=1)
    transformer.fit(train.texts)
    usual_number = transformer.n_clusters

    def pooled(poolings: list[str], embedding: str, texts: list[str]):
        first, *number = poolings[0].split()
        transformer.set_params(n_clusters=int(number[0]) if number else usual_number)
        poolings = [first, *poolings[1:]]
        pooling = poolings if len(poolings) > 1 else poolings[0]
        transformer.set_params(embedding=embedding, pooling=pooling)
        if texts is train.texts and {"sif", *CLUSTERED}.intersection(poolings):
            transformer.fit_pooling(texts)
        return transformer.transform(texts)

    return lambda contestant, texts: [
        pooled(block.split("+"), contestant.embedding, texts)
        for block in contestant.pooling.split(" & ")
    ]


SOURCES: dict[str, Callable[[Documents, Settings, int], Features]] = {
    "majority": majority_features,
    "tfidf": tfidf_features,
    "gensim": gensim_features,
    "gensim as usual": usual_gensim_features,
    "skw2v": skw2v_features,
}
