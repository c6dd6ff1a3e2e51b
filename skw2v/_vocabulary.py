"""The words that get a vector: their order, their counts, their ids.

A learned vocabulary is ordered by falling count, ties by token, so it depends on the corpus alone:
not on the order of its documents and not on Python's string hashes. One that grows with a stream
keeps the ids it has given, and puts the words that join it together into that order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import compress, repeat
from numbers import Integral

import numpy as np

from ._analyzer import InvalidDocumentError, plain_tokens
from ._tokenize import TokenTable


class _Remembered:
    """A place for what is made of the fields at first use; no field itself, so never pickled."""

    __slots__ = ("_table",)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Vocabulary(_Remembered):
    """Words and their counts.

    Attributes
    ----------
    words : list of str or list of int
        The tokens in the order of their ids.
    counts : ndarray of shape (n_words,), int64 or float64
        How often each occurs in the corpus; float64 where documents count by fractions.
    index : dict
        Token to id, in the order of the ids.
    """

    words: list
    counts: np.ndarray
    index: dict

    def __len__(self):
        return len(self.words)

    @property
    def table(self):
        """The words, which must be str, as a `TokenTable`: word i has number i."""
        table = getattr(self, "_table", None)
        if table is None:
            table = TokenTable(self.words)
            object.__setattr__(self, "_table", table)
        return table

    @classmethod
    def uncounted(cls, vocabulary=None):
        """To grow from: the words that the user gives, as for `read_vocabulary`, or none."""
        words = [] if vocabulary is None else read_vocabulary(vocabulary)
        return cls(words, np.zeros(len(words), dtype=np.int64), index_of(words))


def rank_words(tokens, counts, min_count, max_features):
    """Choose the words of a learned vocabulary and put them in order.

    Parameters
    ----------
    tokens : sequence of str or of int
        Distinct tokens, in the order of their provisional ids; only those that are kept are read.
    counts : ndarray of shape (n_distinct,), int64 or float64
        Count of each provisional id. What has count 0 does not occur and is ignored.
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
    kept = (counts >= min_count) & (counts > 0)
    words = list(map(tokens.__getitem__, np.flatnonzero(kept).tolist()))
    if not words:
        advice = "lower min_count or pass more documents"
        if counts.dtype.kind == "f":
            advice += f"; weighted by sample_weight, the commonest occurs {counts.max():.3g} times"
        raise ValueError(
            f"vocabulary is empty: none of the {np.count_nonzero(counts)} distinct tokens occurs "
            f"min_count={min_count} times; {advice}"
        )
    by_word = np.fromiter(sorted(range(len(words)), key=words.__getitem__), np.intp, len(words))
    provisional_ids = np.flatnonzero(kept).astype(np.int32)
    by_count = np.argsort(-counts[provisional_ids[by_word]], kind="stable")
    order = by_word[by_count[:max_features]]
    return list(map(words.__getitem__, order.tolist())), provisional_ids[order]


def add_counts(vocabulary, pending, tokens, counts, min_count, max_features):
    """Raise the counts of words by a batch's, and let frequent tokens join them.

    Parameters
    ----------
    vocabulary : Vocabulary
        Not changed.
    pending : dict
        Token to count, of tokens that are not words yet. Not changed.
    tokens : list of str or list of int
        The distinct tokens of the batch.
    counts : ndarray of shape (n_distinct,), int64 or float64
        Their counts in the batch. What has count 0 does not occur and is ignored.
    min_count : int
        A token that occurred so often, in this batch and before, becomes a word.
    max_features : int or None
        As long as there are fewer words than this; None: always.

    Returns
    -------
    vocabulary : Vocabulary
        Words that joined have the last ids, by falling count, ties by token.
    pending : dict
        Without the words that joined.
    """
    ids = find_ids(tokens, vocabulary.index)
    known = ids >= 0
    raised = vocabulary.counts.astype(np.result_type(vocabulary.counts, counts))
    raised[ids[known]] += counts[known]
    new = ~known & (counts > 0)
    pending = dict(pending)
    for token, count in zip(compress(tokens, new.tobytes()), counts[new].tolist(), strict=True):
        pending[token] = pending.get(token, 0) + count
    room = None if max_features is None else max(max_features - len(vocabulary), 0)
    if room == 0:
        return replace(vocabulary, counts=raised), pending
    joining = sorted(token for token, count in pending.items() if count >= min_count)
    joining.sort(key=pending.__getitem__, reverse=True)  # ties stay in order
    joining = joining[:room]
    if not joining:
        return replace(vocabulary, counts=raised), pending
    joining_counts = [pending.pop(token) for token in joining]
    exact = all(isinstance(count, int) for count in joining_counts)
    joining_counts = np.array(joining_counts, dtype=np.int64 if exact else np.float64)
    words = vocabulary.words + joining
    index = index_of(words)
    return Vocabulary(words, np.append(raised, joining_counts), index), pending


def index_of(words):
    """Token to id, in the order of the ids."""
    return dict(zip(words, range(len(words)), strict=True))


def find_ids(tokens, index):
    """The id of each token, -1 for one that is not in the index: ndarray of int32."""
    return np.fromiter(map(index.get, tokens, repeat(-1)), np.int32, len(tokens))


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
