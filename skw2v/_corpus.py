"""Documents to one stream of vocabulary ids: past this file there are only numbers.

There are two stages: tokens are found and numbered on first sight, then some become words and the
numbers turn into their ids. Every document is analysed once, because analysing is the expensive
part; ``EncodedDocuments`` are past the first stage, and only their distinct tokens are looked at.

What is numbered here is renumbered, and tokens that did not make it into the vocabulary dropped,
in place. So a corpus costs 4 bytes a token (and one sixteenth, the growth of ``array``) at its peak
as at its end. ``EncodedDocuments`` belong to the user: they are copied first, at 4 bytes a token.
"""

from array import array
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, repeat

import numpy as np

from ._analyzer import analyze_documents
from ._vocabulary import (
    Vocabulary,
    add_counts,
    find_ids,
    index_of,
    rank_words,
    read_vocabulary,
)
from .encoded_documents import EncodedDocuments, of_tokens, take

_BLOCK = 1 << 14  # tokens: what is held beside the stream stays below 0.5 MB, and in the cache
_MAX_ID = np.iinfo(np.int32).max
_MAX_REPEATED_TOKENS = 2**31


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Corpus:
    """An encoded corpus: document i is ``token_ids[document_offsets[i]:document_offsets[i + 1]]``.

    Attributes
    ----------
    token_ids : ndarray of shape (n_tokens,), int32
        The ids of all documents' tokens, one document after the other.
    document_offsets : ndarray of shape (n_documents + 1,), int64
        Rising from 0 to n_tokens; an empty document repeats the offset before it.
    """

    token_ids: np.ndarray
    document_offsets: np.ndarray

    @property
    def n_tokens(self):
        return len(self.token_ids)

    @property
    def n_documents(self):
        return len(self.document_offsets) - 1

    def repeated(self, times):
        """The corpus in which document i stands `times[i]` times in a row.

        Parameters
        ----------
        times : ndarray of shape (n_documents,), int64
            0 leaves a document out.

        Returns
        -------
        corpus : Corpus
            This one, if all are 1.

        Raises
        ------
        ValueError
            If it would have more than 2**31 tokens, 8 GiB.
        """
        if np.all(times == 1):
            return self
        n_tokens = float(np.diff(self.document_offsets) @ times.astype(np.float64))
        if n_tokens > _MAX_REPEATED_TOKENS:
            raise ValueError(
                f"sample_weight makes {n_tokens:.3g} tokens an epoch out of {self.n_tokens}; "
                "divide the weights by a common factor and raise max_iter instead"
            )
        rows = np.repeat(np.arange(self.n_documents), times)
        return Corpus(*take(self.token_ids, self.document_offsets, rows))


def read_documents(documents, analyze):
    """Find the tokens of documents and number them.

    Parameters
    ----------
    documents : iterable of documents
        From ``check_documents``; read once. EncodedDocuments come back as they are.
    analyze : callable
        From ``build_analyzer``.

    Returns
    -------
    documents : EncodedDocuments
        The distinct tokens stand in the order of first sight.

    Raises
    ------
    TypeError
        For what is not a document, and for both str and int tokens.
    UnicodeDecodeError
        For bytes that do not decode.
    """
    if isinstance(documents, EncodedDocuments):
        return documents
    tokens, token_ids, offsets = _number(documents, analyze)
    return EncodedDocuments._wrap(tokens, np.frombuffer(token_ids, dtype=np.int32), offsets)


def build_corpus(
    documents, analyze, *, vocabulary=None, min_count=5, max_features=None, document_weight=None
):
    """Learn the vocabulary of documents and encode them, in one pass.

    Parameters
    ----------
    documents : iterable of documents
        From ``check_documents``; read once, so a generator will do. Or EncodedDocuments.
    analyze : callable
        From ``build_analyzer``.
    vocabulary : mapping or iterable, default=None
        Token to id, or tokens. It keeps its ids, and its words stay even where their count is 0;
        `min_count` and `max_features` are ignored. None: learned from the documents.
    min_count : int, default=5
        Tokens that occur less often are left out.
    max_features : int, default=None
        At most this many words, the most frequent. None: no limit.
    document_weight : ndarray of shape (n_documents,), float64, default=None
        How often each document counts, finite and at least 0: a vocabulary is learned and counted
        as if it stood there that often. None: once.

    Returns
    -------
    vocabulary : Vocabulary
        A learned one has its ids by falling count, ties by token.
    corpus : Corpus
        All the documents, each once. Tokens that are not in the vocabulary are left out.

    Raises
    ------
    ValueError
        If there are no documents, no tokens or no words.
    TypeError
        For what is not a document, and for both str and int tokens.
    UnicodeDecodeError
        For bytes that do not decode.
    """
    if vocabulary is not None:
        return _build_with(read_vocabulary(vocabulary), documents, analyze, document_weight)
    tokens, token_ids, offsets = _own_numbers(documents, analyze)
    _check_not_empty(len(offsets) - 1)
    counts = _count(token_ids, offsets, len(tokens), document_weight)
    if not counts.any():
        raise ValueError(
            f"vocabulary is empty: no token in {_n_counted(offsets, document_weight)}; are they "
            "blank, or do token_pattern, tokenizer or stop_words leave nothing?"
        )
    words, provisional_ids = rank_words(tokens, counts, min_count, max_features)
    del tokens
    new_ids = np.full(len(counts), -1, dtype=np.int32)
    new_ids[provisional_ids] = np.arange(len(words), dtype=np.int32)
    corpus = _compact(token_ids, offsets, new_ids)
    return Vocabulary(words, counts[provisional_ids], index_of(words)), corpus


def grow_vocabulary(
    vocabulary,
    documents,
    analyze,
    pending,
    *,
    min_count,
    max_features,
    document_weight=None,
    grow=True,
):
    """Count one more batch of a stream of documents, add words and encode the batch.

    Parameters
    ----------
    vocabulary : Vocabulary
        Of the batches before; ``Vocabulary.uncounted()`` for the first one.
    documents : iterable of documents
        As for ``build_corpus``.
    analyze : callable
        From ``build_analyzer``.
    pending : dict
        Token to count, of the tokens that are not words yet. Not changed.
    min_count : int
        Tokens that have occurred so often in all the batches become words.
    max_features : int or None
        As long as there are fewer words than this.
    document_weight : ndarray of shape (n_documents,), float64, default=None
        As for ``build_corpus``.
    grow : bool, default=True
        False: only the counts of words rise.

    Returns
    -------
    vocabulary : Vocabulary
        Words keep their ids; new ones come after them, by falling count, ties by token. It can
        still be empty.
    corpus : Corpus
        The batch, encoded with that vocabulary.
    pending : dict
        The tokens that are still not words.

    Raises
    ------
    ValueError
        If there are no documents.
    TypeError
        For what is not a document, and for tokens of another kind than those before.
    UnicodeDecodeError
        For bytes that do not decode.
    """
    if not grow:
        corpus = _encode(documents, analyze, vocabulary.index)
        _check_not_empty(corpus.n_documents)
        counts = _count_words(corpus, len(vocabulary), document_weight)
        return replace(vocabulary, counts=vocabulary.counts + counts), corpus, pending
    token_type = _type_of_first(chain(vocabulary.words, pending))
    tokens, token_ids, offsets = _own_numbers(documents, analyze, token_type)
    _check_not_empty(len(offsets) - 1)
    counts = _count(token_ids, offsets, len(tokens), document_weight)
    vocabulary, pending = add_counts(vocabulary, pending, tokens, counts, min_count, max_features)
    new_ids = find_ids(tokens, vocabulary.index)
    return vocabulary, _compact(token_ids, offsets, new_ids), pending


def encode(documents, analyze, vocabulary):
    """Encode documents with the words of a vocabulary; other tokens are left out.

    Parameters
    ----------
    documents : iterable of documents
        From ``check_documents``; there may be none. Or EncodedDocuments.
    analyze : callable
        From ``build_analyzer``.
    vocabulary : Vocabulary

    Returns
    -------
    corpus : Corpus

    Raises
    ------
    TypeError
        For what is not a document, and for tokens of another kind than the vocabulary's.
    UnicodeDecodeError
        For bytes that do not decode.
    """
    return _encode(documents, analyze, vocabulary.index)


def renumber(documents, ids, vocabulary):
    """EncodedDocuments with other ids for their tokens, those of negative ids left out.

    Parameters
    ----------
    documents : EncodedDocuments
    ids : ndarray of shape (n_distinct,), int32
        Of the tokens of `documents`.
    vocabulary : Vocabulary

    Returns
    -------
    corpus : Corpus

    Raises
    ------
    TypeError
        For tokens of another kind than the vocabulary's.
    """
    token_type = _type_of_first(vocabulary.index)
    _, token_ids, offsets = _own_numbers(documents, None, token_type)
    return _compact(token_ids, offsets, ids)


def _encode(documents, analyze, index):
    token_type = _type_of_first(index)
    if isinstance(documents, EncodedDocuments):
        tokens, token_ids, offsets = _own_numbers(documents, analyze, token_type)
        return _compact(token_ids, offsets, find_ids(tokens, index))
    find = index.get

    def find_all(tokens):
        return map(find, tokens, repeat(-1))

    return _compact(*_read(documents, analyze, find_all, token_type))


def _build_with(words, documents, analyze, document_weight):
    """``build_corpus`` with a given vocabulary."""
    index = index_of(words)
    corpus = _encode(documents, analyze, index)
    _check_not_empty(corpus.n_documents)
    counts = _count_words(corpus, len(words), document_weight)
    if not counts.any():
        examples = ", ".join(map(repr, words[:3]))
        raise ValueError(
            f"none of the {len(words)} words of the given vocabulary ({examples}, ...) occurs in "
            f"the {_n_counted(corpus.document_offsets, document_weight)}; do lowercase, "
            "strip_accents and token_pattern make tokens like these?"
        )
    return Vocabulary(words, counts, index), corpus


class _Numbering(dict):
    """Token to provisional id, given on first sight."""

    def __missing__(self, token):
        provisional_id = len(self)
        if provisional_id > _MAX_ID:
            raise ValueError(
                f"more than {_MAX_ID + 1} distinct tokens: ids are 32-bit integers; is "
                "token_pattern or the tokenizer cutting the text as it should?"
            )
        self[token] = provisional_id
        return provisional_id


def _number(documents, analyze, token_type=None):
    """Distinct tokens in the order of first sight, ids of all tokens, documents' offsets."""
    numbering = _Numbering()
    find_all = partial(map, numbering.__getitem__)
    token_ids, offsets = _read(documents, analyze, find_all, token_type)
    return list(numbering), token_ids, offsets  # the dictionary, the peak of memory, ends here


def _own_numbers(documents, analyze, token_type=None):
    """What ``_number`` gives: ids and offsets that may be changed in place."""
    if not isinstance(documents, EncodedDocuments):
        return _number(documents, analyze, token_type)
    if token_type not in (None, _type_of_first(documents.tokens)):
        list(analyze_documents(documents, list, token_type))  # says which document is wrong
    token_ids = array("i")
    token_ids.frombytes(documents.token_ids.view(np.uint8))
    return documents.tokens, token_ids, documents.document_offsets.copy()


def _read(documents, analyze, find_all, token_type=None):
    """The ids of all tokens as array('i'), and the documents' offsets."""
    token_ids = array("i")
    lengths = array("q", [0])
    # By way of a list: array.extend of an iterator takes half as long again.
    pending = []
    for tokens in analyze_documents(documents, analyze, token_type):
        lengths.append(len(tokens))
        pending.extend(find_all(tokens))
        if len(pending) >= _BLOCK:
            token_ids.fromlist(pending)
            pending.clear()
    token_ids.fromlist(pending)
    offsets = np.frombuffer(lengths, dtype=np.int64)
    return token_ids, np.cumsum(offsets, out=offsets)


def _count_words(corpus, n_words, document_weight):
    return _count(corpus.token_ids, corpus.document_offsets, n_words, document_weight)


def _count(token_ids, offsets, n_words, document_weight):
    """Weighted count of each id: int64, or float64 where weights are not whole numbers.

    Sums of floats would depend on the order of the documents, and ten times 0.1 would not be 1. So
    weights are summed as integers: of `bits` bits each, so that no sum overflows, and once more for
    the `bits` bits after those.
    """
    token_ids = np.frombuffer(token_ids, dtype=np.int32)
    if document_weight is None:
        return _sum_by_id(token_ids, offsets, n_words, None)
    whole = not np.any(document_weight % 1)
    weight = np.where(np.diff(offsets) > 0, document_weight, 0)
    largest = weight.max()
    bits = 62 - len(token_ids).bit_length()
    if whole and largest < 2.0**bits:
        return _sum_by_id(token_ids, offsets, n_words, weight.astype(np.int64))
    exponent = bits - int(np.frexp(largest)[1])
    high = np.ldexp(weight, exponent)
    low = np.floor(np.ldexp(high % 1, bits))
    sums = [
        _sum_by_id(token_ids, offsets, n_words, np.floor(part).astype(np.int64))
        for part in (high, low)
    ]
    return np.ldexp(sums[0] + np.ldexp(sums[1].astype(np.float64), -bits), -exponent)


def _sum_by_id(token_ids, offsets, n_words, document_weight):
    """np.bincount of the whole would copy it to 8 bytes a token."""
    sums = np.zeros(n_words, dtype=np.int64)
    weight = 1
    for start in range(0, len(token_ids), _BLOCK):
        block = token_ids[start : start + _BLOCK]
        if document_weight is not None:
            weight = of_tokens(document_weight, offsets, start, start + len(block))
        np.add.at(sums, block, weight)
    return sums


def _compact(token_ids, offsets, new_ids=None):
    """Renumber ids, drop those below 0 and move the offsets along, in place."""
    n_kept = _compact_blocks(np.frombuffer(token_ids, dtype=np.int32), offsets, new_ids)
    del token_ids[n_kept:]  # possible only now that no view is left
    return Corpus(np.frombuffer(token_ids, dtype=np.int32), offsets)


def _compact_blocks(token_ids, offsets, new_ids):
    n_kept = 0
    first = 0  # offsets from here on still count the tokens that are dropped
    for start in range(0, len(token_ids), _BLOCK):
        block = token_ids[start : start + _BLOCK]
        if new_ids is not None:
            block = new_ids[block]
        kept = block >= 0
        kept_before = np.append(0, np.cumsum(kept))
        last = first + np.searchsorted(offsets[first:], start + len(block), side="right")
        offsets[first:last] = n_kept + kept_before[offsets[first:last] - start]
        first = last
        token_ids[n_kept : n_kept + kept_before[-1]] = block[kept]
        n_kept += kept_before[-1]
    return n_kept


def _type_of_first(tokens):
    """Which kind of tokens these are, None if there are none."""
    return next(map(type, tokens), None)


def _n_counted(offsets, document_weight):
    """How many documents the counts are from, in words."""
    if document_weight is None or document_weight.all():
        return f"{len(offsets) - 1} documents"
    return f"{np.count_nonzero(document_weight)} documents with a weight above 0"


def _check_not_empty(n_documents):
    if not n_documents:
        raise ValueError("no documents: at least one is needed to learn from, got none")
