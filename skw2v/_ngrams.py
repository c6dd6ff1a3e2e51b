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

from skw2v import _buckets
from skw2v._corpus import Corpus

# Fewer rows are written by one thread within some 5 ms, about what others cost on busy cores.
_LEAST_PARALLEL = 1 << 20

# With fewer n-grams to look up than this share of the buckets, looking in those that have a row
# takes less time than a table of all.
_LEAST_SHARE = 1 / 64


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


def make_ngrams(corpus, n_words, ngram_range, n_buckets):
    """The n-grams of documents.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
    n_words : int
    ngram_range : (int, int)
        Number of words of the shortest and of the longest; words themselves if it begins with 1.
    n_buckets : int

    Returns
    -------
    ngrams : Ngrams
    """
    shortest, longest = ngram_range
    has_row = np.zeros(n_buckets if longest > 1 else 0, dtype=bool)
    _buckets.mark_buckets(
        corpus.token_ids, corpus.document_offsets, max(shortest, 2), longest, has_row.view(np.uint8)
    )
    return Ngrams(ngram_range, n_buckets, n_words, np.flatnonzero(has_row).astype(np.uint32))


def with_ngrams(corpus, ngrams, *, n_threads=1):
    """Each document's words, if these count, and then its n-grams that have a row.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
    ngrams : Ngrams
    n_threads : int, default=1
        How many threads may look for n-grams; the result does not depend on it.

    Returns
    -------
    corpus : skw2v._corpus.Corpus
    """
    shortest, longest = ngrams.ngram_range
    if longest == 1:
        return corpus
    lengths = np.diff(corpus.document_offsets)
    most = sum(np.maximum(lengths - n + 1, 0) for n in range(shortest, longest + 1))
    offsets = np.append(0, np.cumsum(most, dtype=np.int64))
    rows = np.empty(offsets[-1], dtype=np.int32)
    _buckets.write_rows(
        corpus.token_ids,
        corpus.document_offsets,
        shortest,
        longest,
        ngrams.n_buckets,
        ngrams.n_words,
        ngrams.buckets,
        _row_of_bucket(ngrams) if len(rows) >= ngrams.n_buckets * _LEAST_SHARE else None,
        rows,
        offsets,
        n_threads if len(rows) >= _LEAST_PARALLEL else 1,
    )
    return Corpus(rows[: offsets[-1]], offsets)


def _row_of_bucket(ngrams):
    """The row of every bucket, -1 for those that have none."""
    row_of = np.full(ngrams.n_buckets, -1, dtype=np.int32)
    row_of[ngrams.buckets] = np.arange(ngrams.n_words, ngrams.n_rows, dtype=np.int32)
    return row_of
