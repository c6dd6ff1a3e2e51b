"""Documents to numbers: where strings end.

    documents -> texts   -> ids    in C, a block of texts at a time (`skw2v._tokenize`)
              -> tokens  -> ids    where tokens are made by a callable, or ready

Both ways, and both in one call, give the same numbers: those of first sight, or a vocabulary's ids.
An id takes 4 bytes, and one sixteenth more while they are gathered, the growth of ``array``.
"""

from array import array
from itertools import repeat

import numpy as np

from ._analyzer import TokenKind, read_each
from ._tokenize import Scanner, TokenTable

# Characters that are scanned together. Ctrl-C is heard after each block, some 20 ms; the threads
# start anew for each, which takes a thousandth of that.
_BLOCK = 1 << 22
# Shorter texts are not worth the start of threads.
_LEAST_PARALLEL = 1 << 16
_MAX_ID = np.iinfo(np.int32).max


def number_documents(documents, analyze, *, token_type=None, n_threads=1):
    """Number the tokens of documents on first sight.

    Parameters
    ----------
    documents : iterable of documents
        Read once.
    analyze : callable
        From ``build_analyzer``, or any that returns a list of tokens.
    token_type : {str, int}, default=None
        Kind of the tokens. None: that of the first token met.
    n_threads : int, default=1
        How many threads may scan; the numbers do not depend on it.

    Returns
    -------
    tokens : sequence of str or of int
        Token i has number i.
    token_ids : array("i")
        The numbers of all tokens, one document after the other.
    offsets : ndarray of shape (n_documents + 1,), int64
        Document i has ``token_ids[offsets[i]:offsets[i + 1]]``.

    Raises
    ------
    TypeError
        For what is not a document, and for both str and int tokens.
    UnicodeDecodeError
        For bytes that do not decode.
    ValueError
        For more than 2**31 distinct tokens.
    """
    numbering = _Numbering(getattr(analyze, "scan", None), n_threads)
    token_ids, offsets = _read(documents, analyze, numbering, token_type)
    return numbering.distinct(), token_ids, offsets


def find_documents(documents, analyze, vocabulary, *, n_threads=1):
    """The ids of a vocabulary's words in documents; other tokens are left out, and counted.

    Parameters
    ----------
    documents, analyze, n_threads
        As for ``number_documents``.
    vocabulary : skw2v._vocabulary.Vocabulary

    Returns
    -------
    token_ids, offsets
        As from ``number_documents``.
    n_unknown : int
        How many tokens were left out.

    Raises
    ------
    TypeError
        For what is not a document, and for tokens of another kind than the vocabulary's.
    UnicodeDecodeError
        For bytes that do not decode.
    """
    finding = _Finding(vocabulary, getattr(analyze, "scan", None), n_threads)
    token_ids, offsets = _read(documents, analyze, finding, type_of_first(vocabulary.words))
    return token_ids, offsets, finding.n_unknown


def type_of_first(tokens):
    """Which kind of tokens these are, None if there are none."""
    return next(map(type, tokens), None)


class _FirstSight(dict):
    """Token to number, given when it is asked for first."""

    def __missing__(self, token):
        self[token] = number = len(self)
        return number


class _Numbering:
    """New tokens get the next number.

    Ready tokens are numbered by a dictionary, which has no copies of them; once there are texts,
    the table of those numbers all.
    """

    def __init__(self, scan, n_threads):
        self._ready = _FirstSight()
        self._table = TokenTable()
        self._scanner = _scanner_of(scan, self._table, n_threads, learns=True)

    def scan(self, texts, token_ids):
        if type_of_first(self._ready) is str:
            self._table.number(self._ready)
            self._ready.clear()
        lengths = self._scanner.scan(texts, token_ids)
        self._check_size()
        return lengths

    def ids_of(self, tokens):
        if len(self._table):
            ids = self._table.number(tokens)
        else:
            ids = list(map(self._ready.__getitem__, tokens))
        self._check_size()
        return ids

    def distinct(self):
        return list(self._ready) if self._ready else self._table

    def _check_size(self):
        if len(self._ready) + len(self._table) > _MAX_ID + 1:
            raise ValueError(
                f"more than {_MAX_ID + 1} distinct tokens: ids are 32-bit integers; is "
                "token_pattern or the tokenizer cutting the text as it should?"
            )


class _Finding:
    """Only words of a vocabulary have an id."""

    def __init__(self, vocabulary, scan, n_threads):
        self._vocabulary = vocabulary
        self._find = vocabulary.index.get
        self._scan = scan
        self._n_threads = n_threads
        self._scanner = None  # made with the first text: ready tokens need no table
        self._n_unknown = 0

    def scan(self, texts, token_ids):
        if self._scanner is None:
            # No text gives a token that is an int. What it gives is found to name the document.
            has_ints = type_of_first(self._vocabulary.words) is int
            table = TokenTable() if has_ints else self._vocabulary.table
            self._scanner = _scanner_of(self._scan, table, self._n_threads, learns=has_ints)
        return self._scanner.scan(texts, token_ids)

    def ids_of(self, tokens):
        ids = [found for found in map(self._find, tokens, repeat(-1)) if found >= 0]
        self._n_unknown += len(tokens) - len(ids)
        return ids

    @property
    def n_unknown(self):
        return self._n_unknown + (self._scanner.n_unknown if self._scanner else 0)


def _scanner_of(scan, table, n_threads, *, learns):
    if scan is None:
        return None
    return Scanner(
        table,
        learns=learns,
        lowercase=scan.lowercase,
        shortest=scan.shortest,
        skip=scan.stop_words,
        n_threads=n_threads,
        least_parallel=_LEAST_PARALLEL,
    )


def _read(documents, analyze, numbers, token_type):
    """The ids of all tokens as array('i'), and the documents' offsets."""
    token_ids = array("i")
    lengths = array("q", [0])
    kind = TokenKind(token_type)
    for texts, tokens in _blocks(read_each(documents, getattr(analyze, "text_or_tokens", analyze))):
        position = len(lengths) - 1
        if texts:
            found = numbers.scan(texts, token_ids)
            if found.any():
                kind.check(str, position + int(np.argmax(found > 0)))
            lengths.frombytes(found.view(np.uint8))
        else:
            if tokens:
                kind.check(type(tokens[0]), position)
            ids = numbers.ids_of(tokens)
            token_ids.fromlist(ids)
            lengths.append(len(ids))
    offsets = np.frombuffer(lengths, dtype=np.int64)
    return token_ids, np.cumsum(offsets, out=offsets)


def _blocks(contents):
    """Yield texts that follow one another as a list, and lists of tokens one by one."""
    texts = []
    n_characters = 0
    for content in contents:
        if isinstance(content, str):
            texts.append(content)
            n_characters += len(content)
            if n_characters < _BLOCK:
                continue
        if texts:
            yield texts, None
            texts = []
            n_characters = 0
        if not isinstance(content, str):
            yield None, content
    if texts:
        yield texts, None
