"""Documents whose tokens have been found and numbered once, to be fitted and scored many times.

A grid search would analyse text again for every candidate and every fold, and a tokenizer of the
user's may take longer than training. Numbers can be sliced by NumPy.

scikit-learn slices X by ``X[rows, ...]`` if it has a ``shape``, else document by document into a
list; so there is a shape, and indexing is that of a 1-D array.
"""

from numbers import Integral

import numpy as np

from ._analyzer import InvalidDocumentError, plain_tokens

__all__ = ["EncodedDocuments"]

_BLOCK = 1 << 14  # tokens: positions take 8 bytes each, so they are made for a block at a time


class EncodedDocuments:
    """Documents whose tokens have been found and numbered.

    They are accepted wherever documents are, and give the same result, without analysing any text
    again. Cross-validation can slice them, and a slice shares the tokens. Iterating gives each
    document's list of tokens, so that other estimators can read them too.

    They don't change: the arrays are read-only, and the list of tokens is not to be written to.

    Parameters
    ----------
    tokens : sequence of str or sequence of int, length n_distinct
        The distinct tokens. They need not all occur.
    token_ids : array-like of int, shape (n_tokens,)
        The tokens of all documents, one document after the other, as positions in `tokens`.
    document_offsets : array-like of int, shape (n_documents + 1,)
        Document i has ``token_ids[document_offsets[i]:document_offsets[i + 1]]``: rising from 0 to
        n_tokens. An empty document repeats the offset before it.

    Attributes
    ----------
    tokens : list of str or list of int
        The distinct tokens, in the order of their ids.
    token_ids : ndarray of shape (n_tokens,), int32
        Read-only, as the next.
    document_offsets : ndarray of shape (n_documents + 1,), int64
    shape : tuple
        ``(n_documents,)``.

    Raises
    ------
    TypeError
        If the tokens are not all str or all int.
    ValueError
        If a token comes twice, or the arrays are not as above.

    See Also
    --------
    Word2VecTransformer.encode : Makes them of documents.

    Examples
    --------
    >>> from skw2v import EncodedDocuments
    >>> documents = EncodedDocuments(["the", "cat", "dog"], [0, 1, 0, 2, 1], [0, 2, 4, 5])
    >>> documents
    EncodedDocuments(n_documents=3, n_tokens=5, n_distinct=3)
    >>> documents[0]
    ['the', 'cat']
    >>> list(documents[1:])
    [['the', 'dog'], ['cat']]
    """

    __slots__ = ("_document_offsets", "_token_ids", "_tokens")

    def __init__(self, tokens, token_ids, document_offsets):
        if isinstance(tokens, str | bytes):
            raise TypeError(f"expected a sequence of distinct tokens, got the single {tokens!r}")
        try:
            tokens = list(plain_tokens(tokens))
        except InvalidDocumentError as error:
            raise TypeError(f"the sequence of tokens {error.problem}") from None
        if len(set(tokens)) < len(tokens):
            seen = set()
            repeated = next(token for token in tokens if token in seen or seen.add(token))
            raise ValueError(f"expected distinct tokens, but {repeated!r} comes at least twice")
        token_ids = _integers("token_ids", token_ids)
        offsets = _integers("document_offsets", document_offsets).astype(np.int64)
        wrong = token_ids[(token_ids < 0) | (token_ids >= len(tokens))]
        if len(wrong):
            raise ValueError(
                f"token_ids has {wrong[0]}, but ids are positions in the list of {len(tokens)} "
                f"tokens: expected 0 to {len(tokens) - 1}"
            )
        if (
            not len(offsets)
            or offsets[0] != 0
            or offsets[-1] != len(token_ids)
            or np.any(offsets[1:] < offsets[:-1])
        ):
            raise ValueError(
                "document_offsets must start with 0, never fall, and end with the number of "
                f"token_ids, {len(token_ids)}; got {np.array2string(offsets, threshold=6)}"
            )
        self._set(tokens, token_ids.astype(np.int32), offsets)

    @classmethod
    def _wrap(cls, tokens, token_ids, document_offsets):
        """Without checks and without copies: for arrays that nobody else will write to."""
        documents = cls.__new__(cls)
        documents._set(tokens, token_ids, document_offsets)
        return documents

    def _set(self, tokens, token_ids, document_offsets):
        # asarray makes plain arrays of the memory maps that joblib hands to its workers: their
        # joblib.hash differs.
        views = np.asarray(token_ids).view(), np.asarray(document_offsets).view()
        for view in views:
            view.flags.writeable = False
        self._tokens = tokens
        self._token_ids, self._document_offsets = views

    @property
    def tokens(self):
        return self._tokens

    @property
    def token_ids(self):
        return self._token_ids

    @property
    def document_offsets(self):
        return self._document_offsets

    @property
    def shape(self):
        return (len(self),)

    def __len__(self):
        return len(self._document_offsets) - 1

    def __repr__(self):
        return (
            f"{type(self).__name__}(n_documents={len(self)}, n_tokens={len(self._token_ids)}, "
            f"n_distinct={len(self._tokens)})"
        )

    def __reduce__(self):
        return self._wrap, (self._tokens, self._token_ids, self._document_offsets)

    def __getitem__(self, key):
        """One document, or some of them.

        Parameters
        ----------
        key : int, slice, or array-like of int or of bool
            As for a 1-D array: a mask has one entry for every document.

        Returns
        -------
        documents : list of str, list of int, or EncodedDocuments
            The tokens of one document for an int, else the documents chosen, in the order of `key`.
            They share `tokens`, so some of these may not occur any more.

        Raises
        ------
        IndexError
            If there is no such document, or `key` is none of the above.
        """
        if isinstance(key, Integral) and not isinstance(key, bool):
            if not -len(self) <= key < len(self):
                raise IndexError(f"there is no document {key} among {len(self)} documents")
            return self._document(int(key) % len(self))
        rows = np.arange(len(self))[key]
        if rows.ndim == 0:
            return self._document(int(rows))
        if rows.ndim > 1:
            raise IndexError("documents have one dimension: index them by an int, slice or 1-D key")
        return self._wrap(self._tokens, *take(self._token_ids, self._document_offsets, rows))

    def __iter__(self):
        return map(self._document, range(len(self)))

    def _document(self, row):
        start, stop = self._document_offsets[row : row + 2]
        return list(map(self._tokens.__getitem__, self._token_ids[start:stop].tolist()))


def take(token_ids, offsets, rows):
    """The documents at `rows`, one after the other.

    Parameters
    ----------
    token_ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    rows : ndarray of shape (n_taken,), int
        From 0 to n_documents - 1; they may repeat.

    Returns
    -------
    token_ids : ndarray of shape (n_tokens_taken,), int32
    offsets : ndarray of shape (n_taken + 1,), int64
    """
    starts = offsets[rows]
    new_offsets = np.append(0, np.cumsum(offsets[rows + 1] - starts, dtype=np.int64))
    shifts = starts - new_offsets[:-1]  # from a token's new position to its old one
    taken = np.empty(new_offsets[-1], dtype=np.int32)
    for start in range(0, len(taken), _BLOCK):
        stop = min(start + _BLOCK, len(taken))
        taken[start:stop] = token_ids[
            np.arange(start, stop) + of_tokens(shifts, new_offsets, start, stop)
        ]
    return taken, new_offsets


def of_tokens(values, offsets, start, stop):
    """``np.repeat(values, np.diff(offsets))[start:stop]``: of each token, its document's value.

    Only that part is made: `start` < `stop`, and both from 0 to the number of tokens.
    """
    first = np.searchsorted(offsets, start, side="right") - 1
    last = np.searchsorted(offsets, stop)
    lengths = np.diff(np.clip(offsets[first : last + 1], start, stop))
    return np.repeat(values[first:last], lengths)


def _integers(name, values):
    """A copy as a 1-D array of integers."""
    values = np.array(values)
    if values.ndim != 1:
        raise ValueError(f"{name} has shape {values.shape}, expected one dimension")
    if len(values) and values.dtype.kind not in "iu":
        raise ValueError(f"{name} has dtype {values.dtype}, expected integers")
    return values.astype(np.int64, copy=False)
