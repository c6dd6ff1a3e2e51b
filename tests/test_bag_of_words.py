"""The words themselves among the poolings: what TfidfVectorizer makes of them."""

import numpy as np
import pytest
from pooling_checks import UNKNOWN, clone_of, random_documents, small
from sklearn.feature_extraction.text import TfidfVectorizer


@pytest.fixture(scope="module")
def documents():
    return random_documents()


@pytest.fixture(scope="module")
def fitted(documents):
    return small().fit(documents)


@pytest.mark.parametrize("sublinear", [True, False])
def test_bag_of_words_is_tfidf_vectorizers(documents, fitted, sublinear):
    """The same columns, by another program: only with logarithms of counts are they equal."""
    vectorizer = TfidfVectorizer(vocabulary=fitted.vocabulary_, sublinear_tf=sublinear)
    expected = vectorizer.fit(documents).transform([*documents, *UNKNOWN]).toarray()
    features = clone_of(fitted, pooling="bag_of_words").transform([*documents, *UNKNOWN])
    assert features.has_sorted_indices
    assert features.nnz == np.count_nonzero(expected)
    assert np.allclose(features.toarray(), expected, rtol=0, atol=1e-7) == sublinear


def test_bag_of_words_needs_no_pooling_to_be_learned(documents):
    """As "tfidf": what it needs is counted by every training, of a stream as well."""
    model = small(grow_vocabulary=True)
    for start in range(0, 100, 25):
        model.partial_fit(documents[start : start + 25])
    features = model.set_params(pooling="bag_of_words").transform(documents)
    vectorizer = TfidfVectorizer(vocabulary=model.vocabulary_, sublinear_tf=True)
    expected = vectorizer.fit_transform(documents).toarray()
    np.testing.assert_allclose(features.toarray(), expected, rtol=0, atol=1e-7)
    assert features.shape[1] == len(model.get_feature_names_out()) == len(model.vocabulary_)


def test_words_that_only_have_ngrams_have_no_column():
    """Among the poolings of a list the one counts an unseen word, and the other does not."""
    model = small(subword=(2, 3), pooling=["mean", "bag_of_words"])
    model.fit(["walk walks talk", "talks walk walk", ""])
    known, unseen = model.transform(["walk talk", "walk walking talk"]).toarray()
    assert (known[:7] != unseen[:7]).all()
    np.testing.assert_array_equal(known[7:], unseen[7:])
    assert known[7:].any()
    assert not model.transform(["walking"]).toarray()[0, 7:].any()
