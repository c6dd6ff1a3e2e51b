"""What each parameter may be, which of them training needs, and which of those a model ignores."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from skw2v._sklearn import HasMethods, Interval, StrOptions

SAMPLED_LOSSES = ("negative_sampling", "nce", "sampled_softmax")
BIASED_LOSSES = ("nce", "sampled_softmax", "softmax", "ova")
POOLINGS = (
    *("mean", "sum", "max", "min", "tfidf", "sif"),
    *("scdv", "vlawe", "vlawe_order", "bag_of_words"),
)

_POSITIVE_INT = Interval(Integral, 1, None, closed="left")
_UP_TO_A_MILLION = Interval(Integral, 1, 2**20, closed="both")

PARAMETER_CONSTRAINTS = {
    # analyzer: as CountVectorizer's
    "input": [StrOptions({"content", "filename", "file"})],
    "encoding": [str],
    "decode_error": [StrOptions({"strict", "ignore", "replace"})],
    "strip_accents": [StrOptions({"ascii", "unicode"}), None, callable],
    "lowercase": ["boolean"],
    "preprocessor": [callable, None],
    "tokenizer": [callable, None],
    "stop_words": [StrOptions({"english"}), list, None],
    "token_pattern": [str, None],
    "analyzer": [StrOptions({"word"}), callable],
    # vocabulary
    "min_count": [_POSITIVE_INT],
    "max_features": [_POSITIVE_INT, None],
    "vocabulary": [Mapping, HasMethods("__iter__"), None],
    # training
    "architecture": [StrOptions({"skipgram", "cbow"})],
    "cbow_gradient": [StrOptions({"word2vec", "exact"})],
    "loss": [
        StrOptions(
            {"negative_sampling", "nce", "sampled_softmax", "hierarchical_softmax", "softmax"}
        )
    ],
    "n_components": [_POSITIVE_INT],
    "subword": [tuple, list, None],
    "n_buckets": [Interval(Integral, 1, 2**31 - 1, closed="both")],
    "window": [_UP_TO_A_MILLION],
    "dynamic_window": ["boolean"],
    "n_negatives": [_UP_TO_A_MILLION],
    "noise": [StrOptions({"unigram", "log_uniform"})],
    "noise_exponent": [Interval(Real, None, None, closed="neither")],
    "remove_accidental_hits": ["boolean", StrOptions({"auto"})],
    "subsample": [Interval(Real, 0, 1, closed="both")],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "min_learning_rate": [Interval(Real, 0, None, closed="left")],
    "max_iter": [_POSITIVE_INT],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [_POSITIVE_INT],
    "tol": [Interval(Real, 0, None, closed="left")],
    "init": "no_validation",  # see _transfer.starting_vectors
    "trainable": [StrOptions({"all", "new", "none"})],
    "warm_start": ["boolean"],
    "grow_vocabulary": ["boolean"],
    "total_words": [_POSITIVE_INT, None],
    # transform
    "embedding": [StrOptions({"input", "output", "sum", "mean", "concat"})],
    "pooling": [StrOptions(set(POOLINGS)), list, tuple],
    "n_clusters": [_POSITIVE_INT],
    # the rest
    "random_state": ["random_state"],
    "n_jobs": [Interval(Integral, None, -1, closed="right"), _POSITIVE_INT, None],
    "verbose": ["verbose"],
    "memory": [str, os.PathLike, HasMethods("cache"), None],
}


_OF_WORDS_ALONE = {
    *("architecture", "cbow_gradient", "loss", "subword", "window", "dynamic_window", "subsample"),
    *("warm_start", "grow_vocabulary", "total_words", "embedding", "pooling", "n_clusters"),
    "memory",
}

CLASSIFIER_CONSTRAINTS = {
    name: accepted
    for name, accepted in PARAMETER_CONSTRAINTS.items()
    if name not in _OF_WORDS_ALONE
} | {
    "ngram_range": [tuple, list],
    "loss": [StrOptions({"softmax", "ova", "nce", "sampled_softmax", "hierarchical_softmax"})],
    "class_weight": [dict, StrOptions({"balanced"}), None],
}


# Not slotted: pickles keep these by name, so that a later field cannot shift an earlier one.
@dataclass(frozen=True)
class TrainingParameters:
    """What determines the trained vectors, besides the corpus."""

    architecture: str = "skipgram"
    cbow_gradient: str = "word2vec"
    loss: str = "negative_sampling"
    noise: str = "unigram"
    remove_accidental_hits: bool | str = "auto"
    n_components: int = 100
    window: int = 5
    dynamic_window: bool = True
    n_negatives: int = 5
    noise_exponent: float = 0.75
    subsample: float = 1e-3
    learning_rate: float = 0.025
    min_learning_rate: float = 1e-4
    max_iter: int = 5
    seed: int = 0
    subword: tuple | None = None
    n_buckets: int = 2_000_000
    trainable: str = "all"

    @property
    def removes_hits(self):
        """Is noise that equals the center skipped?

        "auto": as word2vec.c, and as TensorFlow's functions of these names do by default.
        """
        if self.remove_accidental_hits == "auto":
            return self.loss != "nce"
        return self.remove_accidental_hits


def training_parameters(model):
    """What an estimator's parameters say of training, the seed being drawn.

    Parameters
    ----------
    model : Word2VecTransformer

    Returns
    -------
    parameters : TrainingParameters
        From `without_ignored`.

    Raises
    ------
    ValueError
        If the learning rate would rise, `subword` is not what `check_subword` takes, or it stands
        beside `init` or `trainable`.
    """
    check_learning_rates(model)
    hits = model.remove_accidental_hits
    # Plain Python numbers, because equal numbers of other types would miss the cache.
    parameters = TrainingParameters(
        architecture=model.architecture,
        cbow_gradient=model.cbow_gradient,
        loss=model.loss,
        noise=model.noise,
        remove_accidental_hits=hits if hits == "auto" else bool(hits),
        n_components=int(model.n_components),
        window=int(model.window),
        dynamic_window=bool(model.dynamic_window),
        n_negatives=int(model.n_negatives),
        noise_exponent=float(model.noise_exponent),
        subsample=float(model.subsample),
        learning_rate=float(model.learning_rate),
        min_learning_rate=float(model.min_learning_rate),
        max_iter=int(model.max_iter),
        seed=int(check_random_state(model.random_state).randint(2**31 - 1)),
        subword=check_subword(model.subword),
        n_buckets=int(model.n_buckets),
        trainable=model.trainable,
    )
    if parameters.subword is not None and (model.init is not None or model.trainable == "none"):
        raise ValueError(
            f"subword={parameters.subword} makes input vectors of those of n-grams, which init "
            "does not have and trainable='none' cannot hold; set subword=None, or init=None and "
            "trainable='all'"
        )
    return without_ignored(parameters)


def gone_on_with(parameters, trained_with, fixed):
    """The parameters with which training goes on from what a model was trained with.

    The seed stays, and what shapes the rows must not have changed.

    Parameters
    ----------
    parameters, trained_with : TrainingParameters
        Those of this call, and of what has been trained.
    fixed : tuple of str
        The parameters that have to be the same.

    Returns
    -------
    parameters : TrainingParameters

    Raises
    ------
    ValueError
        If one of `fixed` is another than before.
    """
    for name in fixed:
        new, old = getattr(parameters, name), getattr(trained_with, name)
        if new != old:
            raise ValueError(
                f"cannot go on with {name}={new!r} from a model that was trained with "
                f"{name}={old!r}; set it back, or train a clone, which starts afresh"
            )
    return replace(parameters, seed=trained_with.seed)


def check_learning_rates(model):
    """Raise ValueError if the learning rate would rise from first to last."""
    if model.min_learning_rate > model.learning_rate:
        raise ValueError(
            f"min_learning_rate={model.min_learning_rate} is above "
            f"learning_rate={model.learning_rate}, but the rate can only fall; lower "
            "min_learning_rate or raise learning_rate."
        )


def check_document_weight(sample_weight, n_documents):
    """Check `sample_weight` and give it as an array.

    Parameters
    ----------
    sample_weight : array-like of shape (n_documents,), number or None
    n_documents : int

    Returns
    -------
    document_weight : ndarray of shape (n_documents,), float64, or None
        None if every document weighs 1.

    Raises
    ------
    ValueError
        If it has another shape, or a weight is negative or not finite, or all are 0.
    """
    if sample_weight is None:
        return None
    try:
        weight = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"sample_weight={sample_weight!r:.50}: expected an array of numbers, one a document"
        ) from None
    if weight.ndim == 0:
        weight = np.full(n_documents, weight)
    if weight.ndim != 1:
        raise ValueError(
            f"sample_weight must be 1-D, with one weight a document, got {weight.ndim}-D"
        )
    if len(weight) != n_documents:
        raise ValueError(
            f"sample_weight has {len(weight)} weights for {n_documents} documents; pass one for "
            "each"
        )
    if not np.isfinite(weight).all() or (weight < 0).any():
        worst = weight[~((weight >= 0) & np.isfinite(weight))][0]
        raise ValueError(
            f"sample_weight contains {worst}: Negative weights, NaN and infinity say nothing about "
            "how often to train a document; pass finite weights of at least 0"
        )
    if n_documents and not weight.any():
        raise ValueError("every sample_weight is zero: nothing is left to learn from")
    return None if (weight == 1).all() else weight


def check_subword(subword):
    """Check `subword` and give it as a tuple of plain ints, or None.

    Raises
    ------
    ValueError
        If it is not two lengths, the first at most the second.
    """
    if subword is None:
        return None
    lengths = tuple(subword)
    if (
        len(lengths) != 2
        or not all(isinstance(n, Integral) and not isinstance(n, bool) for n in lengths)
        or not 1 <= lengths[0] <= lengths[1]
    ):
        raise ValueError(
            f"subword={subword!r}: expected the lengths of the shortest and of the longest n-gram, "
            "as in (3, 6), or None"
        )
    return tuple(map(int, lengths))


def without_ignored(parameters):
    """Give training parameters that the model ignores their defaults, and "auto" its meaning.

    So they cannot change what is trained, and `memory` finds it under one key.

    Parameters
    ----------
    parameters : skw2v._parameters.TrainingParameters

    Returns
    -------
    parameters : skw2v._parameters.TrainingParameters

    Examples
    --------
    >>> from skw2v._parameters import TrainingParameters, without_ignored
    >>> without_ignored(TrainingParameters(loss="softmax", n_negatives=20)).n_negatives
    5
    """
    ignored = []
    if parameters.loss not in SAMPLED_LOSSES:
        ignored += ["n_negatives", "noise", "noise_exponent", "remove_accidental_hits"]
    if parameters.noise == "log_uniform":
        ignored += ["noise_exponent"]
    if parameters.subword is None:
        ignored += ["n_buckets"]
    if parameters.architecture == "skipgram":
        ignored += ["cbow_gradient"]
    defaults = TrainingParameters()
    resolved = replace(parameters, remove_accidental_hits=parameters.removes_hits)
    return replace(resolved, **{name: getattr(defaults, name) for name in ignored})
