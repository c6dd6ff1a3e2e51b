"""From vectors to features in plain NumPy float64: the specification that tests compare with.

Every pooling by its formula, one document after the other.
"""

from itertools import pairwise

import numpy as np


def combined_vectors(input_vectors, output_vectors, embedding):
    """The vectors that `embedding` names: one of the matrices, or both of them combined."""
    combine = {
        "input": lambda v, u: v,
        "output": lambda v, u: u,
        "sum": lambda v, u: v + u,
        "mean": lambda v, u: (v + u) / 2,
        "concat": lambda v, u: np.hstack([v, u]),
    }[embedding]
    return combine(
        np.asarray(input_vectors, dtype=np.float64), np.asarray(output_vectors, dtype=np.float64)
    )


def pool_reference(token_ids, document_offsets, vectors, pooling):
    """One vector for each document; zeros for a document without tokens.

    Parameters
    ----------
    token_ids : ndarray of int32, shape (n_tokens,)
    document_offsets : ndarray of int64, shape (n_documents + 1,)
    vectors : ndarray of shape (n_words, n_features)
    pooling : {"mean", "sum", "max", "min"} or callable
        A callable gets the ids of a document that has any, and returns its row.

    Returns
    -------
    features : ndarray of float64, shape (n_documents, n_features)
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    if not callable(pooling):
        reduce = {"mean": np.mean, "sum": np.sum, "max": np.max, "min": np.min}[pooling]
        return pool_reference(
            token_ids, document_offsets, vectors, lambda ids: reduce(vectors[ids], axis=0)
        )
    rows = [
        pooling(token_ids[start:stop]) if stop > start else None
        for start, stop in pairwise(document_offsets)
    ]
    width = next((len(row) for row in rows if row is not None), vectors.shape[1])
    return np.array([np.zeros(width) if row is None else row for row in rows]).reshape(-1, width)


# --- tf-idf


def document_frequencies(token_ids, document_offsets, n_words, document_weight):
    """The weight of the documents that have each word, and of all documents."""
    frequencies = np.zeros(n_words)
    for weight, (start, stop) in zip(document_weight, pairwise(document_offsets), strict=True):
        for word in set(token_ids[start:stop].tolist()):
            frequencies[word] += weight
    return frequencies, sum(document_weight)


def smooth_idf(frequencies, n_documents):
    """scikit-learn's: as if one more document had every word."""
    return np.log((1 + n_documents) / (1 + frequencies)) + 1


def tfidf_reference(token_ids, document_offsets, vectors, idf):
    """The mean of the tokens' vectors, weighted by idf."""
    return pool_reference(
        token_ids,
        document_offsets,
        vectors,
        lambda ids: np.average(vectors[ids].astype(np.float64), axis=0, weights=idf[ids]),
    )


def bag_of_words_reference(token_ids, document_offsets, idf):
    """idf(w) * (1 + log(tf)) of each word in a column of its own, rows scaled to length 1."""
    rows = np.zeros((len(document_offsets) - 1, len(idf)))
    for row, (start, stop) in zip(rows, pairwise(document_offsets), strict=True):
        for word in set(token_ids[start:stop].tolist()):
            times = np.count_nonzero(token_ids[start:stop] == word)
            row[word] = idf[word] * (1 + np.log(times))
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)


# --- Smooth inverse frequency (Arora, Liang, Ma, ICLR 2017), their algorithm 1


def sif_weights(word_counts, a=1e-3):
    """a / (a + p(w))."""
    return a / (a + np.asarray(word_counts) / np.sum(word_counts))


def sif_means(token_ids, document_offsets, vectors, weights):
    """The weighted vectors' sum over the number of tokens (line 2)."""
    return pool_reference(
        token_ids,
        document_offsets,
        vectors,
        lambda ids: np.mean(weights[ids, None] * vectors[ids].astype(np.float64), axis=0),
    )


def first_direction(rows, document_weight):
    """The first right singular vector of the rows, each as often as its weight says (line 4)."""
    return np.linalg.svd(np.sqrt(document_weight)[:, None] * rows)[2][0]


def sif_reference(means, direction):
    """The rows without their projection on the direction (line 6)."""
    return means - np.outer(means @ direction, direction)


# --- Sparse composite document vectors (Mekala, Gupta, Paranjape, Karnick, EMNLP 2017)


def mixture_shares(vectors, shares, means, variances, min_share=1e-3):
    """P(k | w) of a mixture of Gaussians with diagonal covariances, small shares set to zero.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, n_features)
    shares : ndarray of shape (n_clusters,)
        P(k).
    means, variances : ndarray of shape (n_clusters, n_features)
    min_share : float, default=1e-3

    Returns
    -------
    shares : ndarray of shape (n_words, n_clusters)
        Rows sum to 1.
    """
    differences = vectors[:, None] - means
    log_density = -(np.square(differences) / variances + np.log(2 * np.pi * variances)).sum(2) / 2
    density = shares * np.exp(log_density)
    found = density / density.sum(axis=1, keepdims=True)
    found[found < min_share] = 0
    return found / found.sum(axis=1, keepdims=True)


def composite_vectors(token_ids, document_offsets, vectors, shares, idf):
    """Sums of the word-topic vectors, idf(w) P(k | w) v_w side by side, scaled to length 1."""
    word_topics = np.stack(
        [np.outer(share, v).ravel() for share, v in zip(shares, vectors, strict=True)]
    )
    sums = pool_reference(token_ids, document_offsets, idf[:, None] * word_topics, "sum")
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return sums / np.where(lengths == 0, 1, lengths)


def sparsity_threshold(rows, document_weight, share=0.04):
    """`share` of (abs(a_min) + abs(a_max)) / 2, for the rows' mean smallest and largest component.

    Rows that are zero have no part in the means.
    """
    rows, weight = np.asarray(rows), np.asarray(document_weight)
    has_any = rows.any(axis=1)
    smallest, largest = (
        np.average(ends[has_any], weights=weight[has_any])
        for ends in (rows.min(axis=1), rows.max(axis=1))
    )
    return share * (abs(smallest) + abs(largest)) / 2


def scdv_reference(rows, threshold):
    """The composite vectors with what is nearer to zero than the threshold set to zero."""
    return np.where(np.abs(rows) < threshold, 0, rows)


# --- Vectors of locally aggregated word embeddings (after Ionescu, Butnaru, NAACL 2019)


def nearest_clusters(vectors, centers):
    """The center nearest to each vector scaled to length 1, the first of equals."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.square(units[:, None] - centers).sum(axis=2).argmin(axis=1)


def aggregated_residuals(
    token_ids,
    document_offsets,
    vectors,
    clusters,
    centers,
    idf,
    center_share=0.5,
    neighbor_share=0.0,
):
    """Sums of words' vectors, each without a share of its cluster's center.

    To the sum of its cluster k each distinct word w of a document, that occurs tf times in it, adds
    ``idf(w) * (1 + log(tf)) * (v / |v| - mu_k / 2)``, or nothing if v is zero. The clusters' sums
    stand side by side, scaled to length 1.

    Each of the word's tf tokens has an equal part in that, and adds to the bracket `neighbor_share`
    of the vectors beside it: ``np.roll(u / |u|, 1)`` for the token before it, and
    ``np.roll(u / |u|, -1)`` for the one after it.

    Parameters
    ----------
    token_ids, document_offsets
        As for `pool_reference`.
    vectors : ndarray of shape (n_words, n_features)
    clusters : ndarray of int, shape (n_words,)
        Which cluster each word is in.
    centers : ndarray of shape (n_clusters, n_features)
    idf : ndarray of shape (n_words,)
    center_share : float, default=0.5
        1 is VLAWE's own.
    neighbor_share : float, default=0.0

    Returns
    -------
    features : ndarray of shape (n_documents, n_clusters * n_features)
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = vectors / np.where(lengths == 0, 1, lengths)
    rows = np.zeros((len(document_offsets) - 1, *np.shape(centers)))
    for row, (start, stop) in zip(rows, pairwise(document_offsets), strict=True):
        ids = token_ids[start:stop]
        neighbors = np.zeros((len(ids), units.shape[1]))
        neighbors[1:] += np.roll(units[ids[:-1]], 1, axis=1)
        neighbors[:-1] += np.roll(units[ids[1:]], -1, axis=1)
        for word, beside in zip(ids, neighbors, strict=True):
            if lengths[word] > 0:
                times = np.count_nonzero(ids == word)
                own = units[word] - center_share * centers[clusters[word]]
                weight = idf[word] * (1 + np.log(times)) / times
                row[clusters[word]] += weight * (own + neighbor_share * beside)
    rows = rows.reshape(len(rows), -1)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)
