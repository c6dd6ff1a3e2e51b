"""What each parameter may be, and which of them a model ignores."""

import os
from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral, Real

from skw2v._sklearn import HasMethods, Interval, StrOptions
from skw2v._training import SAMPLED_LOSSES, TrainingParameters

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
    # transform
    "embedding": [StrOptions({"input", "output", "sum", "mean", "concat"})],
    "pooling": [StrOptions({"mean", "sum", "max"})],
    # the rest
    "random_state": ["random_state"],
    "n_jobs": [Interval(Integral, None, -1, closed="right"), _POSITIVE_INT, None],
    "verbose": ["verbose"],
    "memory": [str, os.PathLike, HasMethods("cache"), None],
}


def without_ignored(parameters):
    """Give training parameters that the model ignores their defaults, and "auto" its meaning.

    So they cannot change what is trained, and `memory` finds it under one key.

    Parameters
    ----------
    parameters : skw2v._training.TrainingParameters

    Returns
    -------
    parameters : skw2v._training.TrainingParameters

    Examples
    --------
    >>> from skw2v._parameters import without_ignored
    >>> from skw2v._training import TrainingParameters
    >>> without_ignored(TrainingParameters(loss="softmax", n_negatives=20)).n_negatives
    5
    """
    ignored = []
    if parameters.loss not in SAMPLED_LOSSES:
        ignored += ["n_negatives", "noise", "noise_exponent", "remove_accidental_hits"]
    if parameters.noise == "log_uniform":
        ignored += ["noise_exponent"]
    if parameters.architecture == "skipgram":
        ignored += ["cbow_gradient"]
    defaults = TrainingParameters()
    resolved = replace(parameters, remove_accidental_hits=parameters.removes_hits)
    return replace(resolved, **{name: getattr(defaults, name) for name in ignored})
