"""From word vectors to document features: which of the two vectors of a word, and how to pool."""

import numpy as np

from skw2v import _kernels

# Components that a thread must have to add before it pays to wake it: some 0.2 ms of work. On a
# busy machine a team of threads that waits for its last member costs milliseconds.
_WORK_PER_THREAD = 2**20


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
    known = list(_kernels.POOLINGS)
    if not poolings or any(one not in known for one in poolings):
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


def pool_documents(corpus, vectors, pooling, n_threads):
    """Pool the vectors of each document's tokens into one row.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
        The encoded documents; ids are rows of `vectors`.
    vectors : ndarray of shape (n_words, n_features), dtype float32
        One vector a word, C-contiguous; may be read-only.
    pooling : {"mean", "sum", "max", "min"} or list of them
        What to do with the vectors of a document, component by component. Repeated tokens count as
        often as they occur. A list gives one after the other.
    n_threads : int
        Number of threads, at most; the result does not depend on it.

    Returns
    -------
    features : ndarray of shape (n_documents, n_poolings * n_features), dtype float32
        Row i depends on document i alone. The row of an empty document is zero.

    Notes
    -----
    In NumPy, up to the order of the additions::

        for i, (begin, end) in enumerate(pairwise(corpus.document_offsets)):
            if begin < end:
                features[i] = getattr(np, pooling)(vectors[corpus.token_ids[begin:end]], axis=0)
    """
    poolings, d = poolings_of(pooling), vectors.shape[1]
    features = np.zeros((corpus.n_documents, len(poolings) * d), dtype=np.float32)
    n_threads = min(n_threads, 1 + corpus.n_tokens * d // _WORK_PER_THREAD)
    for i, one in enumerate(poolings):
        _kernels.pool(
            corpus.token_ids,
            corpus.document_offsets,
            vectors,
            one,
            features,
            n_threads,
            column=i * d,
        )
    return features
