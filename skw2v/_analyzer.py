"""Documents to tokens, with CountVectorizer's parameters and meaning.

    container ──check_documents──> documents ──analyze_documents──> tokens, one list per document

``build_analyzer`` gives the tokens of ``CountVectorizer(**same).build_analyzer()`` for every text.
It differs in what it accepts and in what it promises:

- a document may be a sequence of ready tokens (str, or int: item ids, graph nodes);
- tokens leave as plain ``str`` or plain ``int``, one kind in a document (``plain_tokens``), so that
  they can be sorted and written to a file, and so that 1, 1.0 and True are not one word;
- what is not a document is an error that says which document, and what to do.

It warns of nothing: CountVectorizer's warnings about stop words that its own tokens cannot match
and about parameters left unused are not repeated here.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Number
from operator import index, methodcaller

import numpy as np
from scipy.sparse import issparse
from sklearn.feature_extraction.text import (
    ENGLISH_STOP_WORDS,
    strip_accents_ascii,
    strip_accents_unicode,
)

_EXPECTED = "expected a str, bytes or a sequence of ready tokens (list, tuple or 1-D array)"


class InvalidDocumentError(TypeError):
    """A document of a wrong type; ``problem`` continues a sentence that begins with its name."""

    def __init__(self, problem):
        super().__init__(f"the document {problem}")
        self.problem = problem


class UndecodableDocumentError(UnicodeDecodeError):
    """Bytes that do not decode; the UnicodeDecodeError it was raised from is its cause."""


def check_documents(X):
    """Return `X` if it can hold documents, else raise.

    Parameters
    ----------
    X : iterable of documents
        List, tuple, 1-D array, pandas or polars Series, generator, ... Not read here: an iterator
        comes back unconsumed, and the documents themselves are checked when they are analysed.

    Returns
    -------
    X : iterable of documents
        The same object.

    Raises
    ------
    ValueError
        For a single string, and for data with other than one dimension.
    TypeError
        For sparse data, a mapping, a set, and what cannot be iterated over.
    """
    kind = type(X).__name__
    if isinstance(X, str | bytes | bytearray | memoryview):
        raise ValueError(
            f"Iterable over raw text documents expected, {kind} object received; "
            "pass one document inside a list: [document]"
        )
    if issparse(X):
        raise TypeError(
            f"Sparse data was passed ({kind} of shape {X.shape}), expected a 1-D sequence of "
            "documents: pass the texts themselves, not their counts"
        )
    if isinstance(X, Mapping):
        raise TypeError(
            f"Iterable over documents expected, {kind} object received; pass list(X.values())"
        )
    if isinstance(X, set | frozenset):
        raise TypeError(
            f"Sequence of documents expected, {kind} object received, whose order is not defined; "
            "pass a list"
        )
    shape = getattr(X, "shape", None)
    if isinstance(shape, tuple) and len(shape) != 1:
        raise ValueError(
            f"Expected a 1-D sequence of documents, got a {kind} of shape {shape}: "
            + _one_dimensional(X, shape)
        )
    if not isinstance(X, Iterable):
        raise TypeError(f"Iterable over documents expected, got {X!r} ({kind})")
    return X


def _one_dimensional(X, shape):
    """What to pass instead of data that is not 1-D."""
    if len(shape) != 2:
        return "pass a list of documents"
    columns = getattr(X, "columns", None)
    if columns is None:
        if shape[1] == 1:
            return "pass its column, X[:, 0]"
        return "pass a list of documents; rows of ready tokens are passed as X.tolist()"
    if len(columns) == 1:
        name = columns[0]
        return (
            f"pass its column, X[{name!r}] (in a ColumnTransformer, select the column by "
            f"{name!r}, not by [{name!r}])"
        )
    return "pass the one column that holds the documents"


def analyze_documents(documents, analyze, token_type=None):
    """Yield the tokens of each document; errors name the document's position.

    Parameters
    ----------
    documents : iterable of documents
        Read once.
    analyze : callable
        From ``build_analyzer``.
    token_type : {str, int}, default=None
        Kind of the vocabulary's tokens. None: that of the first token met.

    Yields
    ------
    tokens : list of str or list of int
        One kind over all documents.

    Raises
    ------
    TypeError
        For what is not a document, and for both kinds of tokens in one corpus.
    UnicodeDecodeError
        For bytes that do not decode.
    """
    kind = TokenKind(token_type)
    for position, tokens in enumerate(read_each(documents, analyze)):
        if tokens:
            kind.check(type(tokens[0]), position)
        yield tokens


def read_each(documents, read):
    """Yield ``read(document)`` for each; errors name the document's position."""
    for position, document in enumerate(documents):
        try:
            content = read(document)
        except InvalidDocumentError as error:
            raise TypeError(f"document {position} {error.problem}") from None
        except UndecodableDocumentError as error:
            *where, reason = error.args
            raise UnicodeDecodeError(*where, f"{reason} (document {position})") from error.__cause__
        except Exception as error:
            error.add_note(f"raised while analysing document {position}")
            raise
        yield content


class TokenKind:
    """Sees to it that all documents have tokens of one kind: str, or int."""

    def __init__(self, token_type=None):
        self._known_from = "documents before it have" if token_type is None else "vocabulary has"
        self._type = token_type

    def check(self, token_type, position):
        if self._type is None:
            self._type = token_type
        elif token_type is not self._type:
            raise TypeError(
                f"document {position} has {token_type.__name__} tokens, the {self._known_from} "
                f"{self._type.__name__} tokens; convert all tokens to one of the two"
            )


def analyzer_of(estimator):
    """`build_analyzer` with an estimator's parameters of these names."""
    return build_analyzer(
        input=estimator.input,
        encoding=estimator.encoding,
        decode_error=estimator.decode_error,
        strip_accents=estimator.strip_accents,
        lowercase=estimator.lowercase,
        preprocessor=estimator.preprocessor,
        tokenizer=estimator.tokenizer,
        stop_words=estimator.stop_words,
        token_pattern=estimator.token_pattern,
        analyzer=estimator.analyzer,
    )


def build_analyzer(
    *,
    input,
    encoding,
    decode_error,
    strip_accents,
    lowercase,
    preprocessor,
    tokenizer,
    stop_words,
    token_pattern,
    analyzer,
):
    """Return a callable that turns one document into its list of tokens.

    Parameters
    ----------
    input, encoding, decode_error, strip_accents, lowercase, preprocessor, tokenizer, stop_words, \
            token_pattern, analyzer
        As in :class:`~sklearn.feature_extraction.text.CountVectorizer`, `analyzer` being "word" or
        a callable.

    Returns
    -------
    analyze : callable
        Maps a document to a list of str or a list of int. A document that is a sequence of tokens
        already (list, tuple, 1-D array or Series) is checked and passes through unanalysed, unless
        `analyzer` is a callable: it gets whatever the document is, except None and numbers, as does
        a `preprocessor`, except such sequences too.

    Raises
    ------
    ValueError
        If `stop_words` is an unknown name, `strip_accents` is unknown, `token_pattern` has more
        than one capturing group, or it is None without a `tokenizer`.
    """
    scan = None
    if callable(analyzer):
        steps = [analyzer]
        returns_plain = False
    else:
        steps = _preprocessing(strip_accents, lowercase, preprocessor)
        n_preprocessing = len(steps)
        pattern = _compile(token_pattern) if tokenizer is None else None
        steps.append(tokenizer if pattern is None else pattern.findall)
        stop_words = _check_stop_words(stop_words)
        if stop_words is not None:
            steps.append(partial(_remove, stop_words))
        returns_plain = tokenizer is None
        shortest = _shortest_run(pattern)
        if shortest and preprocessor is None:
            # Accents go from text that is lowercase already.
            in_c = lowercase and not strip_accents
            before = () if in_c else tuple(steps[:n_preprocessing])
            scan = Scan(before, bool(in_c), shortest, stop_words or frozenset())
    takes_objects = callable(analyzer) or preprocessor is not None
    read = _Reader(input, encoding, decode_error, takes_objects)
    scans_content = scan is not None and not scan.before and input == "content"
    return _Analyzer(read, tuple(steps), returns_plain, scan, scans_content, callable(analyzer))


@dataclass(frozen=True, slots=True)
class Scan:
    """How `skw2v._tokenize.Scanner` finds the tokens that an analyzer's steps find."""

    before: tuple  # steps that stay Python's, applied in turn to the text that is then scanned
    lowercase: bool
    shortest: int  # in characters
    stop_words: frozenset


@dataclass(frozen=True, slots=True)
class _Analyzer:
    read: Callable  # document -> text
    steps: tuple  # applied in turn to the text
    returns_plain: bool  # the last step gives a list of plain str: nothing to check
    scan: Scan | None  # None: only the steps can tell
    scans_content: bool  # the short way: a document that is a str is scanned as it is
    is_users: bool  # a callable, which gets every document

    def __call__(self, document):
        tokens = self._ready_tokens(document)
        if tokens is not None:
            return plain_tokens(tokens)
        return self._apply(self.steps, self.read(document))

    def text_or_tokens(self, document):
        """A text to be scanned, or, where `scan` cannot be followed, a list of tokens."""
        if type(document) is str and self.scans_content:
            return document
        tokens = self._ready_tokens(document)
        if tokens is not None:
            return plain_tokens(tokens)
        text = self.read(document)
        # A subclass may have a lower() of its own. NumPy's is what an array of strings gives.
        if self.scan is None or type(text) not in (str, np.str_):
            return self._apply(self.steps, text)
        for step in self.scan.before:
            text = step(text)
        if isinstance(text, str):
            return text
        return self._apply(self.steps[len(self.scan.before) :], text)

    def _ready_tokens(self, document):
        return None if self.is_users else _ready_tokens(document)

    def _apply(self, steps, value):
        for step in steps:
            value = step(value)
        return value if self.returns_plain else plain_tokens(value)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Document to text: opens, reads and decodes as `input`, `encoding`, `decode_error` say."""

    input: str
    encoding: str
    decode_error: str
    takes_objects: bool  # a callable of the user comes next: it may know other types

    def __call__(self, document):
        text = self._load(document)
        if isinstance(text, bytes):
            return self._decode(text)
        if isinstance(text, str):
            return text
        if not self.takes_objects or text is None or isinstance(text, Number):
            raise InvalidDocumentError(_what_is_wrong(text))
        return text

    def _load(self, document):
        if self.input == "filename":
            # No numbers: open() would take them for file descriptors.
            if not isinstance(document, str | bytes | os.PathLike):
                raise InvalidDocumentError(f"is {_show(document)}, expected the name of a file")
            with open(document, "rb") as file:
                return file.read()
        if self.input == "file":
            if not hasattr(document, "read"):
                raise InvalidDocumentError(f"is {_show(document)}, expected an open file")
            return document.read()
        return document

    def _decode(self, raw):
        try:
            return raw.decode(self.encoding, self.decode_error)
        except UnicodeDecodeError as error:
            *where, reason = error.args
            raise UndecodableDocumentError(
                *where,
                f"{reason}; set encoding, now {self.encoding!r}, to the documents' own, or "
                "decode_error to 'replace' or 'ignore'",
            ) from error


def _ready_tokens(document):
    """The tokens of a document that is a sequence of them, None for any other document."""
    if isinstance(document, str | bytes):
        return None
    if isinstance(document, list | tuple):
        return document
    if isinstance(document, np.ndarray):
        if document.ndim != 1:
            raise InvalidDocumentError(
                f"is an array of shape {document.shape}; ready tokens are a 1-D array"
            )
        return document.tolist()
    if hasattr(document, "to_list"):  # pandas and polars Series: rows of a column of lists
        return document.to_list()
    if isinstance(document, Sequence) and not isinstance(document, bytearray | memoryview):
        return document
    return None


_PLAIN = ({str}, {int}, set())


def plain_tokens(tokens):
    """Return tokens as a list of plain str or of plain int.

    Raises
    ------
    InvalidDocumentError
        For tokens of any other type (bool and float too), and for both kinds at once.
    """
    if not isinstance(tokens, list):
        # A set's order changes with PYTHONHASHSEED, and windows depend on the order.
        if not isinstance(tokens, Iterable) or isinstance(tokens, set | frozenset):
            raise InvalidDocumentError(f"gave tokens {_show(tokens)}, expected a list of tokens")
        tokens = list(tokens)
    if set(map(type, tokens)) in _PLAIN:
        return tokens
    plain = [_plain_token(token, position) for position, token in enumerate(tokens)]
    if set(map(type, plain)) not in _PLAIN:
        raise InvalidDocumentError("has both str and int tokens; convert all to one of the two")
    return plain


def _plain_token(token, position):
    if isinstance(token, str):
        return str.__str__(token)  # an Enum's own str() is not its value
    if isinstance(token, int | np.integer) and not isinstance(token, bool):
        return index(token)
    raise InvalidDocumentError(f"has {_show(token)} as token {position}, expected str or int")


def _what_is_wrong(document):
    """The problem with an object that is not a document, and its way out where there is one."""
    shown = f"is {_show(document)}"
    if isinstance(document, os.PathLike):
        return f"{shown}; set input='filename' to read files"
    if hasattr(document, "read"):
        return f"{shown}; set input='file' to read open files"
    if isinstance(document, Iterator):
        return f"{shown}, which can be read only once; pass list(tokens)"
    if isinstance(document, set | frozenset):
        return f"{shown}, whose order is not defined; pass a list of tokens"
    if isinstance(document, int | np.integer):
        return f"{shown}; {_EXPECTED}; pass one document of ready tokens inside a list: [tokens]"
    if document is None or isinstance(document, Number) or type(document).__name__ == "NAType":
        return f"{shown}; {_EXPECTED}; drop missing documents or replace them by ''"
    return f"{shown}; {_EXPECTED}"


def _show(value):
    """A value's type, with the value where it is short."""
    kind = type(value).__name__
    if value is None or isinstance(value, Number | str | bytes):
        return f"{value!r:.50} ({kind})"
    return f"of type {kind}"


def _preprocessing(strip_accents, lowercase, preprocessor):
    if preprocessor is not None:
        return [preprocessor]
    steps = [methodcaller("lower")] if lowercase else []
    if callable(strip_accents):
        steps.append(strip_accents)
    elif strip_accents == "ascii":
        steps.append(strip_accents_ascii)
    elif strip_accents == "unicode":
        steps.append(strip_accents_unicode)
    elif strip_accents:
        raise ValueError(
            f"strip_accents={strip_accents!r}: expected 'ascii', 'unicode', a callable or None"
        )
    return steps


def _compile(token_pattern):
    if token_pattern is None:
        raise ValueError("token_pattern=None needs a tokenizer: set one of the two")
    pattern = re.compile(token_pattern)
    if pattern.groups > 1:
        raise ValueError(
            f"token_pattern={pattern.pattern!r} has {pattern.groups} capturing groups, expected "
            "one at most (More than 1 capturing group in token pattern); write (?:...) for the rest"
        )
    return pattern


# Patterns whose tokens are the runs of at least so many word characters, with flags of their own.
_RUNS = {r"\w+": 1, r"\b\w+\b": 1, r"\w\w+": 2, r"\b\w\w+\b": 2, r"\w{2,}": 2, r"\b\w{2,}\b": 2}


def _shortest_run(pattern):
    """Of a compiled pattern, how long a run of word characters must be; None for any other."""
    if pattern is None or not isinstance(pattern.pattern, str) or pattern.flags != re.UNICODE:
        return None
    return _RUNS.get(pattern.pattern.removeprefix("(?u)"))


def _check_stop_words(stop_words):
    if stop_words is None:
        return None
    if isinstance(stop_words, str):
        if stop_words != "english":
            raise ValueError(
                f"not a built-in stop list: {stop_words!r}; pass 'english' or a list of words"
            )
        return ENGLISH_STOP_WORDS
    return frozenset(stop_words)


def _remove(stop_words, tokens):
    return [token for token in tokens if token not in stop_words]
