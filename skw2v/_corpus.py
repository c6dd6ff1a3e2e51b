"""Documents to one stream of vocabulary ids: past this file there are only numbers.

``build_corpus`` analyses every document once, because analysing is the expensive part: tokens get
provisional ids on first sight, and when all are counted the ids are renumbered, and tokens that
did not make it into the vocabulary dropped, in place. So a corpus costs 4 bytes a token (and
one sixteenth, the growth of ``array``) at its peak as at its end.
"""

from array import array
from dataclasses import dataclass
from functools import partial
from itertools import repeat

import numpy as np

from ._analyzer import analyze_documents
from ._vocabulary import Vocabulary, rank_words, read_vocabulary

_BLOCK = 1 << 14  # tokens: what is held beside the stream stays below 0.5 MB, and in the cache
_MAX_ID = np.iinfo(np.int32).max


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


def build_corpus(documents, analyze, *, vocabulary=None, min_count=5, max_features=None):
    """Learn the vocabulary of documents and encode them, in one pass.

    Parameters
    ----------
    documents : iterable of documents
        From ``check_documents``; read once, so a generator will do.
    analyze : callable
        From ``build_analyzer``.
    vocabulary : mapping or iterable, default=None
        Token to id, or tokens. It keeps its ids, and its words stay even where their count is 0;
        `min_count` and `max_features` are ignored. None: learned from the documents.
    min_count : int, default=5
        Tokens that occur less often are left out.
    max_features : int, default=None
        At most this many words, the most frequent. None: no limit.

    Returns
    -------
    vocabulary : Vocabulary
        A learned one has its ids by falling count, ties by token.
    corpus : Corpus
        Tokens that are not in the vocabulary are left out.

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
        return _build_with(read_vocabulary(vocabulary), documents, analyze)
    numbering = _Numbering()
    token_ids, offsets = _read(documents, analyze, partial(map, numbering.__getitem__))
    _check_not_empty(len(offsets) - 1)
    if not numbering:
        raise ValueError(
            f"vocabulary is empty: no token in {len(offsets) - 1} documents; are they blank, or do "
            "token_pattern, tokenizer or stop_words leave nothing?"
        )
    counts = _count(token_ids, len(numbering))
    words, provisional_ids = rank_words(numbering, counts, min_count, max_features)
    del numbering  # before the index is built: the peak is one dictionary, not two
    new_ids = np.full(len(counts), -1, dtype=np.int32)
    new_ids[provisional_ids] = np.arange(len(words), dtype=np.int32)
    corpus = _compact(token_ids, offsets, new_ids)
    return Vocabulary(words, counts[provisional_ids], _index(words)), corpus


def encode(documents, analyze, vocabulary):
    """Encode documents with the words of a vocabulary; other tokens are left out.

    Parameters
    ----------
    documents : iterable of documents
        From ``check_documents``; there may be none.
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


def _encode(documents, analyze, index):
    find = index.get

    def find_ids(tokens):
        return map(find, tokens, repeat(-1))

    token_type = type(next(iter(index)))
    return _compact(*_read(documents, analyze, find_ids, token_type))


def _build_with(words, documents, analyze):
    """``build_corpus`` with a given vocabulary."""
    index = _index(words)
    corpus = _encode(documents, analyze, index)
    _check_not_empty(corpus.n_documents)
    if not corpus.n_tokens:
        examples = ", ".join(map(repr, words[:3]))
        raise ValueError(
            f"none of the {len(words)} words of the given vocabulary ({examples}, ...) occurs in "
            f"the {corpus.n_documents} documents; do lowercase, strip_accents and token_pattern "
            "make tokens like these?"
        )
    return Vocabulary(words, _count(corpus.token_ids, len(words)), index), corpus


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


def _read(documents, analyze, find_ids, token_type=None):
    """The ids of all tokens as array('i'), and the documents' offsets."""
    token_ids = array("i")
    lengths = array("q", [0])
    # By way of a list: array.extend of an iterator takes half as long again.
    pending = []
    for tokens in analyze_documents(documents, analyze, token_type):
        lengths.append(len(tokens))
        pending.extend(find_ids(tokens))
        if len(pending) >= _BLOCK:
            token_ids.fromlist(pending)
            pending.clear()
    token_ids.fromlist(pending)
    offsets = np.frombuffer(lengths, dtype=np.int64)
    return token_ids, np.cumsum(offsets, out=offsets)


def _count(token_ids, n_words):
    """Count of each id; np.bincount of the whole would copy it to 8 bytes a token."""
    counts = np.zeros(n_words, dtype=np.int64)
    token_ids = np.frombuffer(token_ids, dtype=np.int32)
    for start in range(0, len(token_ids), _BLOCK):
        np.add.at(counts, token_ids[start : start + _BLOCK], 1)
    return counts


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


def _index(words):
    return dict(zip(words, range(len(words)), strict=True))


def _check_not_empty(n_documents):
    if not n_documents:
        raise ValueError("no documents: at least one is needed to learn from, got none")
