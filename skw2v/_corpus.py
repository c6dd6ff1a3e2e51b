"""Documents to one stream of vocabulary ids: past this file there are only numbers.

There are two stages: tokens are found and numbered on first sight (`skw2v._numbering`), then some
become words and the numbers turn into their ids. Every document is analysed once;
``EncodedDocuments`` are past the first stage, and only their distinct tokens are looked at.

What is numbered is renumbered, and tokens that did not make it into the vocabulary dropped, in
place. So a corpus costs 4 bytes a token (and one sixteenth, the growth of ``array``) at its peak as
at its end. ``EncodedDocuments`` belong to the user: they are copied first, at 4 bytes a token.
"""

import math
from array import array
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from ._analyzer import analyze_documents
from ._numbering import find_documents, number_documents, type_of_first
from ._tokenize import renumber, sum_by_id
from ._vocabulary import (
    Vocabulary,
    add_counts,
    find_ids,
    index_of,
    rank_words,
)
from .encoded_documents import EncodedDocuments, take

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


def read_documents(documents, analyze, *, n_threads=1):
    """Find the tokens of documents and number them.

    Parameters
    ----------
    documents : iterable of documents
        From ``check_documents``; read once. EncodedDocuments come back as they are.
    analyze : callable
        From ``build_analyzer``.
    n_threads : int, default=1
        How many threads may look for tokens; the result does not depend on it.

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
    tokens, token_ids, offsets = number_documents(documents, analyze, n_threads=n_threads)
    token_ids = np.frombuffer(token_ids, dtype=np.int32)
    return EncodedDocuments._wrap(list(tokens), token_ids, offsets)


def build_corpus(
    documents,
    analyze,
    *,
    vocabulary=None,
    min_count=5,
    max_features=None,
    document_weight=None,
    n_threads=1,
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
    n_threads : int, default=1
        How many threads may look for tokens; the result does not depend on it.

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
        vocabulary = Vocabulary.uncounted(vocabulary)
        return _build_with(vocabulary, documents, analyze, document_weight, n_threads)
    tokens, token_ids, offsets = _own_numbers(documents, analyze, n_threads=n_threads)
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
    n_threads=1,
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
    n_threads : int, default=1
        How many threads may look for tokens; the result does not depend on it.

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
        corpus, _ = _encode(documents, analyze, vocabulary, n_threads)
        _check_not_empty(corpus.n_documents)
        counts = _count_words(corpus, len(vocabulary), document_weight)
        return replace(vocabulary, counts=vocabulary.counts + counts), corpus, pending
    token_type = type_of_first(chain(vocabulary.words, pending))
    tokens, token_ids, offsets = _own_numbers(documents, analyze, token_type, n_threads)
    _check_not_empty(len(offsets) - 1)
    counts = _count(token_ids, offsets, len(tokens), document_weight)
    tokens = list(tokens)
    vocabulary, pending = add_counts(vocabulary, pending, tokens, counts, min_count, max_features)
    new_ids = find_ids(tokens, vocabulary.index)
    return vocabulary, _compact(token_ids, offsets, new_ids), pending


def encode(documents, analyze, vocabulary, *, n_threads=1):
    """Encode documents with the words of a vocabulary; other tokens are left out.

    Parameters
    ----------
    documents : iterable of documents
        From ``check_documents``; there may be none. Or EncodedDocuments.
    analyze : callable
        From ``build_analyzer``.
    vocabulary : Vocabulary
    n_threads : int, default=1
        How many threads may look for tokens; the result does not depend on it.

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
    return _encode(documents, analyze, vocabulary, n_threads)[0]


def encode_as(ids, documents, vocabulary):
    """EncodedDocuments with other ids for their tokens, those of negative ids left out.

    Parameters
    ----------
    ids : ndarray of shape (n_distinct,), int32
        Of the tokens of `documents`.
    documents : EncodedDocuments
    vocabulary : Vocabulary

    Returns
    -------
    corpus : Corpus

    Raises
    ------
    TypeError
        For tokens of another kind than the vocabulary's.
    """
    token_type = type_of_first(vocabulary.words)
    _, token_ids, offsets = _own_numbers(documents, None, token_type)
    return _compact(token_ids, offsets, ids)


def unknown_share(documents, analyze, vocabulary, *, n_threads=1):
    """The share of the documents' tokens that are no words of a vocabulary.

    Parameters
    ----------
    documents, analyze, vocabulary, n_threads
        As for ``encode``, and it raises what that raises.

    Returns
    -------
    share : float
        nan if the documents have no tokens.
    """
    corpus, n_unknown = _encode(documents, analyze, vocabulary, n_threads)
    n_tokens = corpus.n_tokens + n_unknown
    return n_unknown / n_tokens if n_tokens else math.nan


def _encode(documents, analyze, vocabulary, n_threads):
    """A corpus, and how many tokens were left out of it."""
    if not isinstance(documents, EncodedDocuments):
        token_ids, offsets, n_unknown = find_documents(
            documents, analyze, vocabulary, n_threads=n_threads
        )
        return Corpus(np.frombuffer(token_ids, dtype=np.int32), offsets), n_unknown
    corpus = encode_as(find_ids(documents.tokens, vocabulary.index), documents, vocabulary)
    return corpus, len(documents.token_ids) - corpus.n_tokens


def _build_with(vocabulary, documents, analyze, document_weight, n_threads):
    """``build_corpus`` with a given vocabulary."""
    corpus, _ = _encode(documents, analyze, vocabulary, n_threads)
    _check_not_empty(corpus.n_documents)
    words = vocabulary.words
    counts = _count_words(corpus, len(words), document_weight)
    if not counts.any():
        examples = ", ".join(map(repr, words[:3]))
        raise ValueError(
            f"none of the {len(words)} words of the given vocabulary ({examples}, ...) occurs in "
            f"the {_n_counted(corpus.document_offsets, document_weight)}; do lowercase, "
            "strip_accents and token_pattern make tokens like these?"
        )
    return replace(vocabulary, counts=counts), corpus


def _own_numbers(documents, analyze, token_type=None, n_threads=1):
    """What ``number_documents`` gives: ids and offsets that may be changed in place."""
    if not isinstance(documents, EncodedDocuments):
        return number_documents(documents, analyze, token_type=token_type, n_threads=n_threads)
    if token_type not in (None, type_of_first(documents.tokens)):
        list(analyze_documents(documents, list, token_type))  # says which document is wrong
    token_ids = array("i")
    token_ids.frombytes(documents.token_ids.view(np.uint8))
    return documents.tokens, token_ids, documents.document_offsets.copy()


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
        return sum_by_id(token_ids, offsets, n_words, None)
    whole = not np.any(document_weight % 1)
    weight = np.where(np.diff(offsets) > 0, document_weight, 0)
    largest = weight.max()
    bits = 62 - len(token_ids).bit_length()
    if whole and largest < 2.0**bits:
        return sum_by_id(token_ids, offsets, n_words, weight.astype(np.int64))
    exponent = bits - int(np.frexp(largest)[1])
    high = np.ldexp(weight, exponent)
    low = np.floor(np.ldexp(high % 1, bits))
    sums = [
        sum_by_id(token_ids, offsets, n_words, np.floor(part).astype(np.int64))
        for part in (high, low)
    ]
    return np.ldexp(sums[0] + np.ldexp(sums[1].astype(np.float64), -bits), -exponent)


def _compact(token_ids, offsets, new_ids):
    """Renumber ids, drop those that become -1 and move the offsets along, in place."""
    n_kept = renumber(token_ids, offsets, new_ids)
    del token_ids[n_kept:]
    return Corpus(np.frombuffer(token_ids, dtype=np.int32), offsets)


def _n_counted(offsets, document_weight):
    """How many documents the counts are from, in words."""
    if document_weight is None or document_weight.all():
        return f"{len(offsets) - 1} documents"
    return f"{np.count_nonzero(document_weight)} documents with a weight above 0"


def _check_not_empty(n_documents):
    if not n_documents:
        raise ValueError("no documents: at least one is needed to learn from, got none")
