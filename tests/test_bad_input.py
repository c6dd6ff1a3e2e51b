"""Bad input: an error that says what to do, and an estimator that is as it was."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skw2v import Word2VecTransformer, _fitting

DOCUMENTS = ["the cat sat on the mat", "the dog sat on the cat", "dog and cat"]


def small(**parameters):
    return Word2VecTransformer(
        **{"n_components": 7, "min_count": 1, "max_iter": 1, "random_state": 0} | parameters
    )


def fitted_state(estimator):
    return {name: value for name, value in vars(estimator).items() if name.endswith("_")}


NOT_DOCUMENTS = {
    "a bare string": ("one text", r"pass one document inside a list"),
    "bytes": (b"one text", r"pass one document inside a list"),
    "a DataFrame": (pd.DataFrame({"a": DOCUMENTS, "b": DOCUMENTS}), r"shape \(3, 2\).*column"),
    "a DataFrame of one column": (pd.DataFrame({"a": DOCUMENTS}), r"X\['a'\]"),
    "a polars DataFrame": (pl.DataFrame({"a": DOCUMENTS, "b": DOCUMENTS}), r"shape \(3, 2\)"),
    "a 2-D array": (np.array([DOCUMENTS]), r"shape \(1, 3\)"),
    "a number matrix": (np.zeros((4, 3)), r"shape \(4, 3\)"),
    "a 0-D array": (np.array("text"), r"shape \(\)"),
    "a sparse matrix": (sparse.csr_matrix((4, 3)), r"[Ss]parse.*texts themselves"),
    "a sparse array": (sparse.csr_array((4, 3)), r"[Ss]parse.*texts themselves"),
    "a dict": ({"a": "text"}, r"list\(X.values\(\)\)"),
    "a set": ({"a text"}, r"pass a list"),
    "a number": (3, r"expected, got 3"),
    "None": (None, r"expected, got None"),
    "None among documents": (["a text", None], r"document 1 is None.*drop missing.*''"),
    "nan among documents": (["a text", float("nan")], r"document 1 is nan.*drop missing.*''"),
    "missing values of pandas": (pd.Series(["a text", pd.NA]), r"document 1 .*drop missing"),
    "a number among documents": (["a text", 3], r"document 1 is 3"),
    "numbers instead of documents": (np.arange(3), r"document 0 is .*0"),
    "float tokens": ([[1.5, 2.5]], r"document 0 has 1.5 \(float\) as token 0, expected str or int"),
    "None among tokens": ([["a", None]], r"document 0 has None .* as token 1"),
    "mixed tokens in a document": ([["a", 1]], r"document 0 has both str and int tokens"),
    "mixed tokens over documents": ([["a"], [1]], r"document 1 has int tokens.*convert"),
    "a set as a document": ([{"a", "b"}], r"document 0 .*pass a list of tokens"),
    "a generator as a document": ([(t for t in "ab")], r"document 0 .*pass list\(tokens\)"),
    "bytes that do not decode": (["a text", b"caf\xe9"], r"set encoding.*document 1"),
}


@pytest.mark.parametrize("what", NOT_DOCUMENTS)
def test_what_is_not_documents_is_refused_in_clear_words(what):
    X, message = NOT_DOCUMENTS[what]
    unfitted = small()
    for call in (unfitted.fit, unfitted.fit_transform):
        with pytest.raises((ValueError, TypeError), match=message):
            call(X)
        assert fitted_state(unfitted) == {}
    fitted = small().fit(["a text", "the a"] if "tokens" not in what else [["a"], ["b"]])
    before = fitted_state(fitted)
    for call in (fitted.transform, fitted.score, fitted.fit):
        with pytest.raises((ValueError, TypeError)):
            call(X)
    after = fitted_state(fitted)
    assert all(after[name] is value for name, value in before.items())


def test_mixed_tokens_between_fit_and_transform():
    fitted = small().fit([["a", "b"]])
    for call in (fitted.transform, fitted.score):
        with pytest.raises(TypeError, match="document 0 has int tokens, the vocabulary has str"):
            call([[1, 2]])


@pytest.mark.parametrize(
    ("documents", "parameters", "message"),
    [
        ([], {}, "no documents"),
        ([""], {}, "vocabulary is empty: no token in 1 document"),
        (["a b c"], {}, "no token.*token_pattern"),
        (DOCUMENTS, {"min_count": 9}, "min_count=9 times; lower min_count or pass more documents"),
        (DOCUMENTS, {"vocabulary": ["absent"]}, "none of the 1 words of the given vocabulary"),
        (DOCUMENTS, {"vocabulary": []}, "empty vocabulary"),
        (DOCUMENTS, {"vocabulary": ["cat", "cat"]}, "Duplicate term in vocabulary: 'cat'"),
        (DOCUMENTS, {"vocabulary": {"cat": 0, "dog": 2}}, "'dog' the id 2"),
        (DOCUMENTS, {"vocabulary": "cat dog"}, "expected a list of tokens or a mapping"),
        (DOCUMENTS, {"learning_rate": 1e-5}, "min_learning_rate=0.0001 is above.*=1e-05"),
        (DOCUMENTS, {"token_pattern": None}, "token_pattern=None needs a tokenizer"),
        (
            DOCUMENTS,
            {"loss": "hierarchical_softmax", "embedding": "sum"},
            "embedding='sum' needs an output vector.*use embedding='input' or fit with another",
        ),
    ],
)
def test_nothing_to_learn_from_says_what_to_do(documents, parameters, message):
    unfitted = small(**parameters)
    with pytest.raises(ValueError, match=message):
        unfitted.fit(documents)
    assert fitted_state(unfitted) == {}
    with pytest.raises(NotFittedError):
        unfitted.transform(DOCUMENTS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("input", "url"),
        ("encoding", None),
        ("decode_error", "shrug"),
        ("strip_accents", "all"),
        ("lowercase", "yes"),
        ("preprocessor", "lower"),
        ("tokenizer", "split"),
        ("stop_words", "klingon"),
        ("token_pattern", 3),
        ("analyzer", "char"),
        ("min_count", 0),
        ("min_count", 0.5),
        ("max_features", 0),
        ("vocabulary", 3),
        ("architecture", "sg"),
        ("cbow_gradient", "half"),
        ("loss", "hs"),
        ("loss", None),
        ("n_components", 0),
        ("window", 0),
        ("window", 2.5),
        ("dynamic_window", "no"),
        ("n_negatives", 0),
        ("noise", "uniform"),
        ("remove_accidental_hits", "yes"),
        ("remove_accidental_hits", None),
        ("noise_exponent", np.inf),
        ("noise_exponent", "0.75"),
        ("subsample", -1),
        ("subsample", 2),
        ("learning_rate", 0),
        ("learning_rate", np.nan),
        ("learning_rate", np.inf),
        ("min_learning_rate", -1e-4),
        ("max_iter", 0),
        ("trainable", "old"),
        ("embedding", "both"),
        ("pooling", "median"),
        ("n_clusters", 0),
        ("random_state", "zero"),
        ("n_jobs", 0),
        ("n_jobs", 1.5),
        ("verbose", -1),
        ("memory", 3),
    ],
)
def test_invalid_parameter_is_named(name, value):
    unfitted = small(**{name: value})
    expected = re.escape(f"The '{name}' parameter of Word2VecTransformer must be")
    for call in (unfitted.fit, unfitted.fit_transform):
        with pytest.raises(ValueError, match=expected) as raised:
            call(DOCUMENTS)
        assert type(raised.value).__name__ == "InvalidParameterError"
    assert fitted_state(unfitted) == {}


@pytest.mark.parametrize("name", ["embedding", "pooling", "n_jobs"])
def test_parameter_set_after_fit_is_checked_by_transform(name):
    fitted = small().fit(DOCUMENTS).set_params(**{name: 0})
    with pytest.raises(ValueError, match=f"The '{name}' parameter of Word2VecTransformer"):
        fitted.transform(DOCUMENTS)


def test_failed_training_leaves_the_estimator_as_it_was(monkeypatch):
    def failing(*arguments, **options):
        raise MemoryError("no room")

    fitted = small().fit(DOCUMENTS)
    before = fitted_state(fitted)
    features = fitted.transform(DOCUMENTS)
    monkeypatch.setattr(_fitting, "train", failing)
    with pytest.raises(MemoryError):
        fitted.fit(["other words"])
    after = fitted_state(fitted)
    assert after.keys() == before.keys()
    assert all(after[name] is value for name, value in before.items())
    np.testing.assert_array_equal(fitted.transform(DOCUMENTS), features)


def test_error_in_a_callable_of_the_user_passes_through():
    def analyzer(document):
        raise KeyError("from the analyzer")

    unfitted = small(analyzer=analyzer)
    with pytest.raises(KeyError, match="from the analyzer"):
        unfitted.fit(DOCUMENTS)
    assert fitted_state(unfitted) == {}


def test_a_one_shot_generator_is_enough():
    expected = small().fit_transform(DOCUMENTS)
    features = small().fit_transform(document for document in DOCUMENTS)
    np.testing.assert_array_equal(features, expected)


@pytest.mark.parametrize(
    ("pooling", "message"),
    [([], "a list of some"), (["mean", "median"], "a list of some"), (["max", "max"], "twice")],
)
def test_a_list_of_poolings_that_are_none_is_an_error(pooling, message):
    model = small(pooling=pooling)
    for call in (model.fit, model.fit_transform, model.partial_fit):
        with pytest.raises(ValueError, match=message):
            call(DOCUMENTS)
    assert not hasattr(model, "input_vectors_")
    fitted = small().fit(DOCUMENTS).set_params(pooling=pooling)
    with pytest.raises(ValueError, match=message):
        fitted.transform(DOCUMENTS)
