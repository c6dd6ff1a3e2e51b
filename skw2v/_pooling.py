"""From ids and vectors to rows: which of the two vectors of a word, and the sums over documents.

The one caller of the pooling kernels. What the sums need to have learned before is in
``_document_features``.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from skw2v import _pool
from skw2v._parameters import POOLINGS
from skw2v._sampling import natural_log

# Components that a thread must have to add before it pays to wake it: some 0.2 ms of work. On a
# busy machine a team of threads that waits for its last member costs milliseconds.
_WORK_PER_THREAD = 2**20

# Components of the rows of clusters that are held, with their columns, before they are packed.
_CLUSTER_BLOCK = 2**21


def check_embedding(embedding, loss):
    """Refuse what needs an output vector for every word where training makes none.

    Parameters
    ----------
    embedding : str
        See `combine_vectors`.
    loss : str
        What is trained, or was.

    Raises
    ------
    ValueError
        If `loss` is "hierarchical_softmax" and `embedding` needs output vectors.
    """
    if loss == "hierarchical_softmax" and embedding in ("output", "sum", "mean", "concat"):
        raise ValueError(
            f"embedding={embedding!r} needs an output vector for every word, but "
            "loss='hierarchical_softmax' has them for the inner nodes of its tree alone; use "
            "embedding='input' or fit with another loss."
        )


def poolings_of(pooling):
    """The names in `pooling`, one or a list of them, as a list.

    Parameters
    ----------
    pooling : str or list of str

    Returns
    -------
    poolings : list of str

    Raises
    ------
    ValueError
        If the list is empty, or has another name, or one twice.

    Examples
    --------
    >>> from skw2v._pooling import poolings_of
    >>> poolings_of("mean"), poolings_of(["mean", "max"])
    (['mean'], ['mean', 'max'])
    """
    poolings = [pooling] if isinstance(pooling, str) else list(pooling)
    if not poolings or any(one not in POOLINGS for one in poolings):
        known = list(POOLINGS)
        raise ValueError(f"pooling is {pooling!r}; expected one of {known}, or a list of some")
    if len(set(poolings)) < len(poolings):
        raise ValueError(f"pooling is {pooling!r}, with one of them twice; name each once")
    return poolings


def combine_vectors(input_vectors, output_vectors, embedding):
    """Make one vector a word out of its input and its output vector.

    Parameters
    ----------
    input_vectors, output_vectors : ndarray of shape (n_words, n_components), dtype float32
        The two trained matrices.
    embedding : {"input", "output", "sum", "mean", "concat"}
        What to make of them.

    Returns
    -------
    vectors : ndarray of shape (n_words, n_components or 2 * n_components), dtype float32
        C-contiguous. For "input" and "output" the very array that was given.

    Raises
    ------
    ValueError
        If `embedding` is none of the above.

    Examples
    --------
    >>> import numpy as np
    >>> from skw2v._pooling import combine_vectors
    >>> combine_vectors(np.float32([[1, 2]]), np.float32([[3, 4]]), "concat")
    array([[1., 2., 3., 4.]], dtype=float32)
    """
    match embedding:
        case "input":
            return input_vectors
        case "output":
            return output_vectors
        case "sum":
            return input_vectors + output_vectors
        case "mean":
            return (input_vectors + output_vectors) * np.float32(0.5)
        case "concat":
            return np.concatenate([input_vectors, output_vectors], axis=1)
    raise ValueError(
        f"embedding is {embedding!r}; expected 'input', 'output', 'sum', 'mean' or 'concat'."
    )


def vectors_of(corpus, input_vectors, output_vectors, embedding):
    """`combine_vectors` for the words of a corpus; what the other rows hold is undefined.

    A few documents need a few rows, and not the sums of a whole vocabulary. The others are neither
    written nor read, so a large matrix takes memory for those few alone.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
    input_vectors, output_vectors, embedding
        As for `combine_vectors`.

    Returns
    -------
    vectors : ndarray of shape (n_words, n_components or 2 * n_components), dtype float32
    """
    if embedding in ("input", "output") or corpus.n_tokens >= len(input_vectors):
        return combine_vectors(input_vectors, output_vectors, embedding)
    used = np.unique(corpus.token_ids)
    rows = combine_vectors(input_vectors[used], output_vectors[used], embedding)
    vectors = np.empty((len(input_vectors), rows.shape[1]), dtype=np.float32)
    vectors[used] = rows
    return vectors


def pool_documents(corpus, vectors, pooling, n_threads, out, column=0, weights=None, removed=None):
    """Pool the vectors of each document's tokens into a part of its row.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
        The encoded documents; ids are rows of `vectors`.
    vectors : ndarray of shape (n_words, n_features), dtype float32
        One vector a word, C-contiguous; may be read-only.
    pooling : {"mean", "sum", "max", "min", "weighted_mean"}
        What to do with the vectors of a document, component by component. Repeated tokens count as
        often as they occur. "mean" divides by the number of tokens whatever their weights,
        "weighted_mean" by the sum of these.
    n_threads : int
        Number of threads, at most; the result does not depend on it.
    out : ndarray of shape (n_documents, at least column + n_features), dtype float32
        Row i depends on document i alone. Columns from `column` on are written; those of an empty
        document are zero.
    column : int, default=0
    weights : ndarray of shape (n_words,), dtype float64, default=None
        What each word's vector is multiplied by; "max" and "min" know none. None: 1.
    removed : ndarray of shape (n_features,), dtype float64, default=None
        A vector of length 1 (or 0) that the rows are made orthogonal to. None: nothing.

    Notes
    -----
    In NumPy, up to the order of the additions, and for "mean"::

        for i, (begin, end) in enumerate(pairwise(corpus.document_offsets)):
            if begin < end:
                ids = corpus.token_ids[begin:end]
                row = weights[ids] @ vectors[ids] / len(ids)
                out[i, column : column + n_features] = row - (row @ removed) * removed
    """
    _pool.pool(
        corpus.token_ids,
        corpus.document_offsets,
        vectors,
        pooling,
        out,
        _worthwhile_threads(n_threads, corpus, vectors.shape[1]),
        column=column,
        weights=weights,
        removed=removed,
    )


@dataclass(frozen=True)
class SoftClusters:
    """Which clusters each word is in, and how much of it.

    Word w is in ``clusters[e]`` with ``weights[e]``, for e from ``word_offsets[w]`` to before
    ``word_offsets[w + 1]``.
    """

    word_offsets: np.ndarray  # (n_words + 1,), int64
    clusters: np.ndarray  # int32
    weights: np.ndarray  # float64
    n_clusters: int


@dataclass(frozen=True)
class Residuals:
    """What is added up instead of each word's vector: ``scales[w] * v - share * centers[k]``.

    Where cluster k is the word's. Centers are of vectors of length 1, which `scales` makes of the
    words'; it is 0 where there is none to make. Each token adds `neighbor_share` of the scaled
    vectors of the tokens beside it, too, shifted.
    """

    scales: np.ndarray  # (n_words,), float64
    centers: np.ndarray  # (n_clusters, n_features), float32
    share: float
    neighbor_share: float = 0.0


def nearest_centers(vectors, centers, n_threads):
    """Which cluster each word is in: that of the center nearest to its vector of length 1.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, n_features), dtype float32
    centers : ndarray of shape (n_clusters, n_features), dtype float32
    n_threads : int
        The result does not depend on it, nor that of a word on the others.

    Returns
    -------
    nearest : ndarray of shape (n_words,), dtype int32
        The first of equally near ones; -1 for a vector of zeros.
    scales : ndarray of shape (n_words,), dtype float64
        1 over the lengths of the vectors; 0 for a vector of zeros.
    """
    vectors = np.ascontiguousarray(vectors)
    nearest, lengths = np.empty(len(vectors), dtype=np.int32), np.empty(len(vectors))
    _pool.nearest_centers(vectors, centers, nearest, lengths, n_threads)
    return nearest, np.divide(1, lengths, out=np.zeros_like(lengths), where=nearest >= 0)


def pool_clusters(corpus, vectors, soft, threshold, n_threads, residuals=None, sublinear=False):
    """Sum the vectors of each document's tokens cluster by cluster, scaled to length 1.

    Parameters
    ----------
    corpus, vectors, n_threads
        As for `pool_documents`.
    soft : SoftClusters
    threshold : float
        Components nearer to zero than this become zero, after scaling.
    residuals : Residuals, default=None
        What is added up. None: the vectors.
    sublinear : bool, default=False
        Whether a word that occurs t times in a document counts 1 + log t times, and not t times.

    Yields
    ------
    n_kept : ndarray of shape (n_documents_of_block,), dtype int64
        How many components of each row are not zero. The blocks follow each other.
    columns : ndarray of shape (sum of n_kept,), dtype int32
        Which they are, rising in each row: cluster k has the n_features columns from
        k * n_features on.
    values : ndarray of shape (sum of n_kept,), dtype float32

    Notes
    -----
    In NumPy, for one document, where `weights` is `soft` as an array of shape
    (n_words, n_clusters)::

        row = np.concatenate([weights[ids, k] @ vectors[ids] for k in range(n_clusters)])
        row /= np.linalg.norm(row)
        row[abs(row) < threshold] = 0

    With `residuals` and `sublinear`, for the distinct words ``ids, times``::

        weights = (1 + np.log(times))[:, None] * weights[ids]
        for k in range(n_clusters):
            row[k] = weights[:, k] @ (scales[ids, None] * vectors[ids] - share * centers[k])

    And, with a share of the neighbors, for the token w between u and v that occurs t times::

        row[k] += neighbor_share * weights[w, k] / t * (
            np.roll(scales[u] * vectors[u], 1) + np.roll(scales[v] * vectors[v], -1)
        )
    """
    width = soft.n_clusters * vectors.shape[1]
    size = max(1, min(_CLUSTER_BLOCK // width, corpus.n_documents))
    columns = np.empty((size, width), dtype=np.int32)
    values = np.empty((size, width), dtype=np.float32)
    n_threads = _worthwhile_threads(n_threads, corpus, vectors.shape[1])
    occurrences = np.zeros((n_threads, len(vectors)), dtype=np.int32)
    how = {}
    if residuals is not None:
        how |= {"scales": residuals.scales, "centers": residuals.centers}
        how |= {"center_share": residuals.share, "neighbor_share": residuals.neighbor_share}
    if sublinear:
        longest = np.diff(corpus.document_offsets).max(initial=0)
        how |= {"times_weights": _sublinear(longest + 1)}
    for start in range(0, corpus.n_documents, size):
        offsets = corpus.document_offsets[start : start + size + 1]
        n_kept = np.empty(len(offsets) - 1, dtype=np.int64)
        _pool.pool_clusters(
            corpus.token_ids,
            offsets,
            vectors,
            soft.word_offsets,
            soft.clusters,
            soft.weights,
            soft.n_clusters,
            threshold,
            occurrences,
            columns,
            values,
            n_kept,
            **how,
        )
        # Only what has been written is looked at: most of the room never becomes memory.
        yield (
            n_kept,
            np.concatenate([row[:n] for row, n in zip(columns, n_kept, strict=False)]),
            np.concatenate([row[:n] for row, n in zip(values, n_kept, strict=False)]),
        )


def pool_words(corpus, weights):
    """The words themselves: a column for each, scaled to length 1.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
        Words beyond those that have a weight are left out.
    weights : ndarray of shape (n_words,), dtype float64

    Returns
    -------
    rows : csr_array of shape (n_documents, n_words), dtype float32
        Columns rise in each row.

    Notes
    -----
    In NumPy, for one document, whose distinct words are ``ids`` and occur ``times`` times::

        row[ids] = weights[ids] * (1 + np.log(times))
        row /= np.linalg.norm(row)

    The sums are in the order of the columns, so a row does not depend on the others. SciPy counts
    on one thread: there is nothing to add but ones. scikit-learn's TfidfTransformer would take
    NumPy's logarithm, whose last bits depend on the instruction set.
    """
    ids, offsets = corpus.token_ids, corpus.document_offsets
    has_weight = ids < len(weights)
    if not has_weight.all():
        offsets = np.append(0, np.cumsum(has_weight))[offsets]
    ids = ids[has_weight]  # a copy, as the offsets are: SciPy counts in place
    offsets = offsets.astype(index_dtype(len(ids)))
    shape = corpus.n_documents, len(weights)
    rows = sparse.csr_array((np.ones(len(ids), dtype=np.int32), ids, offsets), shape=shape)
    rows.sum_duplicates()
    of_document = np.repeat(np.arange(corpus.n_documents), np.diff(rows.indptr))
    values = weights[rows.indices] * _sublinear(rows.data.max(initial=1))[rows.data - 1]
    squares = np.bincount(of_document, np.square(values), minlength=corpus.n_documents)
    values /= np.sqrt(squares)[of_document]
    return sparse.csr_array((values.astype(np.float32), rows.indices, rows.indptr), shape=shape)


def index_dtype(n_entries):
    """What sparse rows with so many entries have their columns and offsets in.

    Offsets of 64 bits make the columns as wide, which many of scikit-learn's estimators refuse.
    """
    return np.int32 if n_entries <= np.iinfo(np.int32).max else np.int64


def _sublinear(most):
    """1 + log(t) for t from 1 to `most`."""
    return 1 + natural_log(np.arange(1, most + 1))


def count_documents(corpus, n_words, document_weight=None):
    """In how many documents each word occurs.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
    n_words : int
    document_weight : ndarray of shape (n_documents,), dtype float64, default=None
        How often each document counts. None: once.

    Returns
    -------
    counts : ndarray of shape (n_words,), dtype float64
    """
    counts = np.zeros(n_words)
    _pool.count_documents(corpus.token_ids, corpus.document_offsets, document_weight, counts)
    return counts


def _worthwhile_threads(n_threads, corpus, n_features):
    return min(n_threads, 1 + corpus.n_tokens * n_features // _WORK_PER_THREAD)
