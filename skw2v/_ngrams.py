"""Word n-grams as tokens of their own, hashed into buckets.

A bag of words has lost "not good"; with the pairs of neighbours as tokens beside the words it has
kept it (Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification"). Only buckets that
an n-gram of the training documents falls into have a row; others are left out, like words that are
not known.

    corpus of words ──make_ngrams──> Ngrams (which buckets have a row)
                    ──with_ngrams──> corpus of words and n-grams
"""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from skw2v._corpus import Corpus

_MULTIPLIERS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # of splitmix64


# Not slotted: pickles keep these by name, so that a later field cannot shift an earlier one.
@dataclass(frozen=True, eq=False)
class Ngrams:
    """Which n-grams there are, and which rows are theirs: row n_words + b is the b-th bucket's.

    Attributes
    ----------
    ngram_range : (int, int)
    n_buckets : int
    n_words : int
    buckets : ndarray of shape (n_ngrams,), uint32
        The buckets that have a row, rising.
    """

    ngram_range: tuple
    n_buckets: int
    n_words: int
    buckets: np.ndarray

    @property
    def n_rows(self):
        return self.n_words + len(self.buckets)


def check_ngram_range(ngram_range):
    """Check `ngram_range` and give it as a tuple of plain ints.

    Raises
    ------
    ValueError
        If it is not two lengths, the first at most the second.
    """
    lengths = tuple(ngram_range)
    if (
        len(lengths) != 2
        or not all(isinstance(n, Integral) and not isinstance(n, bool) for n in lengths)
        or not 1 <= lengths[0] <= lengths[1]
    ):
        raise ValueError(
            f"ngram_range={ngram_range!r}: expected the lengths of the shortest and of the longest "
            "n-gram in words, as in (1, 2)"
        )
    return tuple(map(int, lengths))


def make_ngrams(corpus, n_words, ngram_range, n_buckets, found=None):
    """The n-grams of documents.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
    n_words : int
    ngram_range : (int, int)
        Number of words of the shortest and of the longest; words themselves if it begins with 1.
    n_buckets : int
    found : list, default=None
        From `find_ngrams` of this corpus. None: are found.

    Returns
    -------
    ngrams : Ngrams
    """
    if found is None:
        found = find_ngrams(corpus, ngram_range, n_buckets)
    has_row = np.zeros(n_buckets, dtype=bool)
    for _, buckets in found:
        has_row[buckets] = True
    return Ngrams(ngram_range, n_buckets, n_words, np.flatnonzero(has_row).astype(np.uint32))


def with_ngrams(corpus, ngrams, found=None):
    """Each document's words, if these count, and then its n-grams that have a row.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
    ngrams : Ngrams
    found : list, default=None
        From `find_ngrams` of this corpus. None: are found.

    Returns
    -------
    corpus : skw2v._corpus.Corpus
    """
    shortest, longest = ngrams.ngram_range
    if longest == 1:
        return corpus
    offsets = corpus.document_offsets
    parts = []  # (document of each token, its row), document by document
    if shortest == 1:
        document_of = np.repeat(np.arange(corpus.n_documents), np.diff(offsets))
        parts.append((document_of, corpus.token_ids))
    row_of = np.full(ngrams.n_buckets, -1, dtype=np.int32)
    row_of[ngrams.buckets] = np.arange(ngrams.n_words, ngrams.n_rows, dtype=np.int32)
    if found is None:
        found = find_ngrams(corpus, ngrams.ngram_range, ngrams.n_buckets)
    for document_of, buckets in found:
        found = row_of[buckets]
        known = found >= 0
        parts.append((document_of[known], found[known]))
    counts = [np.bincount(documents, minlength=corpus.n_documents) for documents, _ in parts]
    ends = np.append(0, np.cumsum(np.sum(counts, axis=0)))
    rows = np.empty(ends[-1], dtype=np.int32)
    begins = ends[:-1].copy()
    for (document_of, ids), of_document in zip(parts, counts, strict=True):
        first = np.cumsum(of_document) - of_document
        rows[np.arange(len(ids)) + (begins - first)[document_of]] = ids
        begins += of_document
    return Corpus(rows, ends.astype(np.int64))


def find_ngrams(corpus, ngram_range, n_buckets):
    """The n-grams of documents.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
    ngram_range : (int, int)
    n_buckets : int

    Returns
    -------
    found : list of (ndarray of int64, ndarray of uint32)
        For each length beyond 1: the document and the bucket of each n-gram, in order.
    """
    ids, offsets = corpus.token_ids, corpus.document_offsets
    found = []
    if ngram_range[1] == 1:
        return found
    document_of = np.repeat(np.arange(corpus.n_documents), np.diff(offsets))
    left = offsets[1:][document_of] - np.arange(len(ids))  # tokens of the document from here on
    words = ids.astype(np.uint64)
    hashes = _mixed(words)
    for n in range(2, ngram_range[1] + 1):
        here = max(len(ids) - n + 1, 0)
        hashes = _mixed(hashes[:here] + words[n - 1 :])
        if n >= ngram_range[0]:
            whole = np.flatnonzero(left[:here] >= n)
            found.append(
                (document_of[whole], (hashes[whole] % np.uint64(n_buckets)).astype(np.uint32))
            )
    return found


def _mixed(x):
    """A bijection of 64 bits that spreads them (the finalizer of splitmix64)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * _MULTIPLIERS[0]
    x = (x ^ (x >> np.uint64(27))) * _MULTIPLIERS[1]
    return x ^ (x >> np.uint64(31))
