"""What each parameter may be."""

import os
from collections.abc import Mapping
from numbers import Integral, Real

from skw2v._sklearn import HasMethods, Interval, StrOptions

_POSITIVE_INT = Interval(Integral, 1, None, closed="left")

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
    "loss": [StrOptions({"negative_sampling"})],
    "n_components": [_POSITIVE_INT],
    "window": [_POSITIVE_INT],
    "dynamic_window": ["boolean"],
    "n_negatives": [_POSITIVE_INT],
    "noise_exponent": [Interval(Real, None, None, closed="neither")],
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
