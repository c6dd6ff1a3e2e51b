"""Vectors that training may start from, which somebody has trained elsewhere: the parameter `init`.

    init ──starting_vectors──> StartingVectors (its words and vectors, checked)
         ──rows_of───────────> those of the words that are about to be trained

Nothing here knows of a kernel. A fitted estimator gives its vectors by `_starting_vectors`, so this
room knows of no estimator either.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skw2v._vocabulary import find_ids, index_of
from skw2v.word_vectors import WordVectors

_EXPECTED = (
    "expected a fitted Word2VecTransformer, WordVectors, a mapping of word to vector, a pair "
    "(words, matrix), or None"
)


@dataclass(frozen=True, eq=False)
class StartingVectors:
    """What training may start from.

    Attributes
    ----------
    words : list of str or list of int
        Distinct.
    input_vectors : ndarray of shape (n_words, n_components), float32
        Finite.
    output_vectors : ndarray of shape (n_words, n_components), float32, or None
        None: it has none, or they are not the words' own, as under hierarchical softmax.
    output_bias : ndarray of shape (n_words,), float32, or None
        None: none has been fitted.
    index : dict, default=None
        Word to its row. None: is made.
    """

    words: list
    input_vectors: np.ndarray
    output_vectors: np.ndarray | None = None
    output_bias: np.ndarray | None = None
    index: dict | None = None

    def __post_init__(self):
        if self.index is None:
            object.__setattr__(self, "index", index_of(self.words))

    def __len__(self):
        return len(self.words)


def starting_vectors(init, n_components):
    """Check the parameter `init`.

    Parameters
    ----------
    init : fitted estimator, WordVectors, mapping, (words, matrix), or None
        An estimator is one with a `_starting_vectors` method, or scikit-learn's FrozenEstimator
        around it.
    n_components : int
        How long the vectors have to be.

    Returns
    -------
    starting : StartingVectors or None
        None for None.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is an estimator that has not been fitted.
    TypeError
        If it is something else, or its words are not all str or all int.
    ValueError
        If it is empty, words repeat, vectors have another length than `n_components` or each other,
        are not as many as words, or hold NaN or infinity.

    Examples
    --------
    >>> from skw2v._transfer import starting_vectors
    >>> starting = starting_vectors({"cat": [1, 0], "dog": [0, 1]}, n_components=2)
    >>> starting.words, starting.input_vectors.tolist()
    (['cat', 'dog'], [[1.0, 0.0], [0.0, 1.0]])
    """
    if init is None:
        return None
    if hasattr(init, "_starting_vectors"):
        _check_fitted(init)
        starting = init._starting_vectors()
    else:
        vectors = init if isinstance(init, WordVectors) else _word_vectors(init)
        starting = StartingVectors(vectors.words, vectors.vectors, index=vectors.index)
    found = starting.input_vectors.shape[1]
    if found != n_components:
        raise ValueError(
            f"init has vectors of {found} components, but n_components={n_components}; set "
            f"n_components={found}, as init has"
        )
    return starting


@dataclass(frozen=True, eq=False)
class StartingRows:
    """What the words of a vocabulary start from: all of `init` that training depends on.

    Attributes
    ----------
    known : ndarray of bool, shape (n_words,)
        Which words `init` has.
    input_vectors : ndarray of shape (n_known, n_components), float32
    output_vectors : ndarray of shape (n_known, n_components), float32, or None
    output_bias : ndarray of shape (n_known,), float32, or None
    """

    known: np.ndarray
    input_vectors: np.ndarray
    output_vectors: np.ndarray | None
    output_bias: np.ndarray | None


def starting_rows(starting, words):
    """What given words start from.

    Parameters
    ----------
    starting : StartingVectors or None
    words : list of str or list of int

    Returns
    -------
    rows : StartingRows or None
        None for None.
    """
    if starting is None:
        return None
    places, known = _places_of(starting, words)
    parts = (starting.input_vectors, starting.output_vectors, starting.output_bias)
    return StartingRows(known, *(None if part is None else part[places] for part in parts))


def check_some_known(rows, words, starting):
    """Raise a ValueError if the documents have no word of `init`, which is nobody's wish.

    Parameters
    ----------
    rows : StartingRows or None
    words : list of str or list of int
        Of the documents.
    starting : StartingVectors or None
    """
    if rows is not None and not rows.known.any():
        raise ValueError(
            f"init has none of the {len(words)} words of the documents: its words are like "
            f"{starting.words[0]!r}, those of the documents like {words[0]!r}; analyse both alike, "
            "or set init=None"
        )


def rows_of(starting, words):
    """The input vectors that given words start from.

    Parameters
    ----------
    starting : StartingVectors
    words : list of str or list of int

    Returns
    -------
    vectors : ndarray of shape (n_words, n_components), float32
        Zeros for a word that is missing there.
    known : ndarray of bool, shape (n_words,)
        Which are not missing.
    """
    places, known = _places_of(starting, words)
    vectors = np.zeros((len(words), starting.input_vectors.shape[1]), dtype=np.float32)
    vectors[known] = starting.input_vectors[places]
    return vectors, known


def clone_with_init(estimator):
    """What `sklearn.base.clone` makes of an estimator with a parameter `init`.

    `clone` unfits estimators that are parameters, and with it what `init` is for; a Pipeline or a
    search clones all it gets. So a clone shares `init` with its original, as a FrozenEstimator
    does: nothing changes it, and it may be large.

    Parameters
    ----------
    estimator : BaseEstimator
        Its `__sklearn_clone__` calls this.

    Returns
    -------
    copied : estimator
        Not fitted.
    """
    without = object.__new__(type(estimator))
    without.__dict__ = vars(estimator) | {"init": None}
    copied = BaseEstimator.__sklearn_clone__(without)
    copied.init = estimator.init
    return copied


def _places_of(starting, words):
    """Where the words are that it has, and which these are."""
    ids = find_ids(words, starting.index)
    known = ids >= 0
    return ids[known], known


def _check_fitted(init):
    try:
        check_is_fitted(init)
    except NotFittedError:
        raise NotFittedError(
            f"init={type(init).__name__}(...) is not fitted; fit it first. In the grid of a "
            "search, where scikit-learn makes unfitted copies of estimators, give "
            "init=model.word_vectors() or sklearn.frozen.FrozenEstimator(model) instead"
        ) from None


def _word_vectors(init):
    """A mapping, or a pair of words and matrix, as `WordVectors`."""
    if isinstance(init, Mapping):
        words, vectors = list(init), list(init.values())
    elif isinstance(init, tuple | list) and len(init) == 2 and not isinstance(init[0], str):
        words, vectors = init
    else:
        raise TypeError(f"init={init!r:.60}: {_EXPECTED}")
    try:
        n_words = len(words)
    except TypeError:
        raise TypeError(f"init={init!r:.60}: {_EXPECTED}") from None
    if not n_words:
        raise ValueError("init is empty; pass vectors to start from, or init=None")
    try:
        return WordVectors(words, _matrix(words, vectors))
    except (TypeError, ValueError) as error:
        raise type(error)(f"init: {error}") from None


def _matrix(words, vectors):
    """Vectors as an array; where their lengths differ, an error that names two of them."""
    try:
        return np.asarray(vectors)
    except ValueError:
        shapes = [np.shape(vector) for vector in vectors]
        other = next(i for i, shape in enumerate(shapes) if shape != shapes[0])
        raise ValueError(
            f"the vector of {words[0]!r} has shape {shapes[0]}, that of {words[other]!r} "
            f"{shapes[other]}; all must have the same length"
        ) from None
