"""The words that get a vector: their order, their counts, their ids.

A learned vocabulary is ordered by falling count, ties by token, so it depends on the corpus alone:
not on the order of its documents and not on Python's string hashes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import compress
from numbers import Integral

import numpy as np

from ._analyzer import InvalidDocumentError, plain_tokens


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Vocabulary:
    """Words and their counts.

    Attributes
    ----------
    words : list of str or list of int
        The tokens in the order of their ids.
    counts : ndarray of shape (n_words,), int64
        How often each occurs in the corpus.
    index : dict
        Token to id, in the order of the ids.
    """

    words: list
    counts: np.ndarray
    index: dict

    def __len__(self):
        return len(self.words)


def rank_words(numbering, counts, min_count, max_features):
    """Choose the words of a learned vocabulary and put them in order.

    Parameters
    ----------
    numbering : dict
        Distinct token to provisional id 0, 1, ..., in that order.
    counts : ndarray of shape (n_distinct,), int64
        Count of each provisional id.
    min_count : int
        Tokens that occur less often are left out.
    max_features : int or None
        At most this many words: the most frequent, ties by token.

    Returns
    -------
    words : list of str or list of int
        By falling count, ties by token.
    provisional_ids : ndarray of shape (n_words,), int32
        Their provisional ids.

    Raises
    ------
    ValueError
        If no token occurs `min_count` times.
    """
    words = list(compress(numbering, (counts >= min_count).tobytes()))
    if not words:
        raise ValueError(
            f"vocabulary is empty: none of the {len(counts)} distinct tokens occurs "
            f"min_count={min_count} times; lower min_count or pass more documents"
        )
    words.sort()
    # No sort of (word, id), no list of ids: the numbering, which sets the peak of memory, is still
    # there, and a Python object per word would add a third to it.
    provisional_ids = np.fromiter(map(numbering.__getitem__, words), np.int32, len(words))
    order = np.argsort(-counts[provisional_ids], kind="stable")[:max_features]
    return list(map(words.__getitem__, order)), provisional_ids[order]


def read_vocabulary(vocabulary):
    """Return the words of a vocabulary that the user gives, in the order of their ids.

    Parameters
    ----------
    vocabulary : mapping or iterable
        Token to id, the ids being 0 to n - 1; or the tokens in the order of their ids, a set being
        sorted first.

    Returns
    -------
    words : list of str or list of int

    Raises
    ------
    TypeError
        If its tokens are not all str or all int.
    ValueError
        If it is empty or a string, or tokens or ids repeat, or ids are missing.
    """
    if isinstance(vocabulary, str | bytes) or not isinstance(vocabulary, Iterable):
        raise ValueError(
            f"vocabulary={vocabulary!r:.50}: expected a list of tokens or a mapping of token to id"
        )
    try:
        words = plain_tokens(list(vocabulary))
    except InvalidDocumentError as error:
        raise TypeError(f"the vocabulary {error.problem}") from None
    if not words:
        raise ValueError("empty vocabulary passed to fit; pass None to learn it from the documents")
    if isinstance(vocabulary, Mapping):
        return _in_order_of_ids(words, list(vocabulary.values()))
    if isinstance(vocabulary, set | frozenset):
        return sorted(words)
    if len(set(words)) != len(words):
        seen = set()
        repeated = next(word for word in words if word in seen or seen.add(word))
        raise ValueError(f"Duplicate term in vocabulary: {repeated!r}")
    return words


def _in_order_of_ids(words, ids):
    ordered = [None] * len(words)
    for word, word_id in zip(words, ids, strict=True):
        if not isinstance(word_id, Integral) or not 0 <= word_id < len(words):
            raise ValueError(
                f"vocabulary gives {word!r} the id {word_id!r}: the ids of its {len(words)} words "
                f"must be the integers 0 to {len(words) - 1}"
            )
        if ordered[word_id] is not None:
            raise ValueError(
                f"Vocabulary contains repeated indices: {ordered[word_id]!r} and {word!r} both "
                f"have {word_id}"
            )
        ordered[word_id] = word
    return ordered
