"""Searches over a pipeline: every kind runs, and encoding the documents first changes nothing."""

import numpy as np
import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline

from skw2v import Word2VecTransformer

WINDOWS = {"word2vectransformer__window": [1, 3, 8]}


def pipeline(**parameters):
    transformer = Word2VecTransformer(
        **{"n_components": 8, "min_count": 2, "max_iter": 2, "random_state": 0} | parameters
    )
    return make_pipeline(transformer, RidgeClassifier())


SEARCHES = {
    "grid": lambda: GridSearchCV(pipeline(), WINDOWS, cv=2),
    "grid in two processes": lambda: GridSearchCV(pipeline(), WINDOWS, cv=2, n_jobs=2),
    "randomized": lambda: RandomizedSearchCV(pipeline(), WINDOWS, n_iter=2, cv=2, random_state=0),
    "halving": lambda: HalvingGridSearchCV(
        pipeline(),
        WINDOWS,
        resource="word2vectransformer__max_iter",
        min_resources=1,
        max_resources=4,
        factor=2,
        cv=2,
    ),
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES.keys())
def test_a_search_finds_the_same_from_text_and_from_encoded_documents(search, planted):
    documents, labels = planted.documents[:400], planted.labels[:400]
    from_text = search().fit(documents, labels)
    from_encoded = search().fit(Word2VecTransformer().encode(documents), labels)
    assert from_text.best_params_ == from_encoded.best_params_
    np.testing.assert_array_equal(
        from_text.cv_results_["mean_test_score"], from_encoded.cv_results_["mean_test_score"]
    )
    assert from_text.best_score_ > 0.2  # chance is 0.1
    np.testing.assert_array_equal(
        from_text.predict(documents),
        from_encoded.predict(from_encoded.best_estimator_[0].encode(documents)),
    )


def test_halving_spends_epochs(planted):
    search = SEARCHES["halving"]().fit(planted.documents[:200], planted.labels[:200])
    assert search.n_resources_ == [1, 2]
    assert search.best_estimator_[0].n_iter_ == search.best_params_["word2vectransformer__max_iter"]


def test_encoding_has_the_meaning_of_the_estimator_that_encodes():
    documents = ["The cat sat", "the CAT ran"]
    encoded = Word2VecTransformer(lowercase=False, min_count=1).encode(documents)
    fitted = Word2VecTransformer(n_components=4, min_count=1, random_state=0).fit(encoded)
    assert set(fitted.vocabulary_) == {"The", "the", "cat", "CAT", "sat", "ran"}


def test_what_is_encoded_is_not_analysed_again(planted):
    documents = planted.documents[:100]
    calls = []

    def analyze(document):
        calls.append(document)
        return document.split()

    encoded = Word2VecTransformer(analyzer=analyze).encode(documents)
    assert len(calls) == 100
    scores = cross_val_score(pipeline(analyzer=analyze), encoded, planted.labels[:100], cv=2)
    assert np.isfinite(scores).all()
    assert len(calls) == 100
