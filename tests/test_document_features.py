"""Poolings that learn something: tf-idf, smooth inverse frequency, clusters of words."""

from itertools import chain

import numpy as np
import pandas as pd
import pytest
from pooling_checks import UNKNOWN, WORDS, clone_of, dense, random_documents, small
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from skw2v import _fitting, _learned_poolings, _pooling
from skw2v._clusters import cluster_centers
from skw2v._corpus import Corpus
from skw2v._document_features import DocumentFrequencies
from skw2v._reference_pooling import (
    aggregated_residuals,
    bag_of_words_reference,
    combined_vectors,
    composite_vectors,
    document_frequencies,
    first_direction,
    nearest_clusters,
    scdv_reference,
    sif_means,
    sif_reference,
    sif_weights,
    smooth_idf,
    sparsity_threshold,
    tfidf_reference,
)

LEARNED = ["tfidf", "sif", "scdv", "vlawe", "vlawe_order", "bag_of_words"]


@pytest.fixture(scope="module")
def documents():
    return random_documents()


@pytest.fixture(scope="module")
def fitted(documents):
    """One estimator that has learned every pooling, for the parameters of `small`."""
    return small(pooling=LEARNED).fit(documents)


@pytest.fixture
def count_training(monkeypatch):
    calls = []

    def counting(*arguments, **options):
        calls.append(arguments)
        return original(*arguments, **options)

    original = _fitting.train
    monkeypatch.setattr(_fitting, "train", counting)
    return calls


def encoded(model, documents):
    ids = [[model.vocabulary_[t] for t in d.split() if t in model.vocabulary_] for d in documents]
    return np.array([*chain(*ids)], dtype=np.int32), np.cumsum([0, *map(len, ids)])


def reference(model, training, weight, documents, pooling):
    """Features by the formulas, from the trained vectors and the texts; clusters are given."""
    vectors = combined_vectors(model.input_vectors_, model.output_vectors_, model.embedding)
    token_ids, offsets = encoded(model, training)
    n_words = len(vectors)
    df, n = document_frequencies(token_ids, offsets, n_words, weight)
    idf = smooth_idf(df, n)
    if pooling == "tfidf":
        return tfidf_reference(*encoded(model, documents), vectors, idf)
    if pooling == "bag_of_words":
        return bag_of_words_reference(*encoded(model, documents), idf)
    if pooling == "sif":
        occurrences = np.repeat(weight, np.diff(offsets))
        weights = sif_weights(np.bincount(token_ids, occurrences, n_words))
        direction = first_direction(sif_means(token_ids, offsets, vectors, weights), weight)
        return sif_reference(sif_means(*encoded(model, documents), vectors, weights), direction)
    if pooling.startswith("vlawe"):
        words = vectors / np.linalg.norm(vectors, axis=1, keepdims=True), model.word_counts_
        centers = cluster_centers(*words, model.n_clusters, model._trained_with.seed)
        clusters = nearest_clusters(vectors, centers)
        return aggregated_residuals(
            *encoded(model, documents),
            vectors,
            clusters,
            centers,
            idf,
            neighbor_share=0.35 if pooling == "vlawe_order" else 0,
        )
    soft = model._learned_poolings["scdv"].soft
    shares = sparse.csr_array((soft.weights, soft.clusters, soft.word_offsets)).toarray()
    shares /= shares.sum(axis=1, keepdims=True)
    rows = composite_vectors(token_ids, offsets, vectors, shares, idf)
    threshold = sparsity_threshold(rows, weight)
    rows = composite_vectors(*encoded(model, documents), vectors, shares, idf)
    # Its last digits decide of those that lie on the threshold.
    assert np.abs(np.abs(rows) - threshold).min() > 1e-6
    return scdv_reference(rows, threshold)


# --- The numbers


@pytest.mark.parametrize("embedding", ["input", "sum", "concat"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("pooling", LEARNED)
def test_features_are_the_references(pooling, weighted, embedding, documents):
    weight = np.arange(100) % 4 / 2 if weighted else None
    model = small(pooling=pooling, embedding=embedding).fit(documents, sample_weight=weight)
    weight = np.ones(100) if weight is None else weight
    for some in (documents, UNKNOWN):  # many and few take different ways through the vocabulary
        features = model.transform(some)
        assert features.dtype == np.float32
        assert features.shape == (len(some), len(model.get_feature_names_out()))
        expected = reference(model, documents, weight, some, pooling)
        np.testing.assert_allclose(dense(features), expected, rtol=0, atol=2e-6)
    assert not dense(features)[:2].any()


def test_document_frequencies_are_count_vectorizers(documents, fitted):
    counter = CountVectorizer(vocabulary=fitted.vocabulary_, binary=True)
    expected = counter.transform(documents).sum(axis=0)
    np.testing.assert_array_equal(fitted.document_frequencies_, np.ravel(expected))
    idf = TfidfTransformer().fit(counter.transform(documents)).idf_
    np.testing.assert_allclose(fitted._learned_poolings["tfidf"].weights, idf, rtol=1e-12)


def test_tfidf_is_tfidf_times_vectors(documents, fitted):
    """scikit-learn's own weights, put to use on the vectors."""
    vectorizer = make_pipeline(
        CountVectorizer(vocabulary=fitted.vocabulary_), TfidfTransformer(norm="l1")
    )
    weights = vectorizer.fit_transform(documents)
    features = clone_of(fitted, pooling="tfidf").transform(documents)
    np.testing.assert_allclose(features, weights @ fitted.input_vectors_, rtol=0, atol=1e-6)


def test_sif_rows_have_nothing_in_the_common_direction(documents, fitted):
    model = clone_of(fitted, pooling="sif")
    direction = model._learned_poolings["sif"].removed
    np.testing.assert_allclose(direction @ direction, 1, rtol=1e-12)
    features = model.transform([*documents, *UNKNOWN]).astype(float)
    assert np.abs(features @ direction).max() < 1e-6
    # Of all directions, its removal leaves the least.
    left = [np.square(features[:100]).sum()]
    means = sif_means(
        *encoded(model, documents),
        model.input_vectors_,
        sif_weights(model.word_counts_),
    )
    for other in np.eye(7):
        left.append(np.square(sif_reference(means, other)).sum())
    assert min(left) == left[0]


def test_one_training_document_leaves_sif_nothing():
    """Its own direction is the one that is common."""
    model = small(pooling="sif", min_count=1)
    assert np.abs(model.fit_transform(["aa bb cc dd aa bb"])).max() < 1e-7
    assert np.abs(model.transform(["aa"])).max() > 1e-4


def test_scdv_is_sparse_and_has_rows_of_length_one(documents):
    model = small(pooling="scdv", n_clusters=8)
    features = model.fit_transform(documents)
    assert sparse.issparse(features)
    assert features.format == "csr"
    assert features.has_canonical_format
    assert features.data.all()
    threshold = model._learned_poolings["scdv"].threshold
    assert np.abs(features.data).min() >= threshold > 0
    lengths = sparse.linalg.norm(features, axis=1)
    has_words = np.array([bool(document) for document in documents])
    assert not lengths[~has_words].any()
    assert (lengths[has_words] > 0.97).all()
    assert (lengths < 1 + 1e-6).all()


def test_vlawe_is_sparse_and_has_the_clusters_of_a_documents_words(documents):
    model = small(pooling="vlawe", n_clusters=8)
    features = model.fit_transform(documents)
    assert sparse.issparse(features)
    assert features.format == "csr"
    assert features.has_canonical_format
    lengths = sparse.linalg.norm(features, axis=1)
    np.testing.assert_allclose(lengths, [bool(document) for document in documents], atol=1e-6)
    cluster = model._learned_poolings["vlawe"].soft.clusters
    assert len(set(cluster)) == 8
    for document, row in zip(documents, features.toarray(), strict=True):
        has = {cluster[model.vocabulary_[word]] for word in document.split()}
        assert set(np.flatnonzero(row) // 7) == has


def test_vlawe_order_sees_the_order_of_words(documents):
    model = small(pooling="vlawe_order").fit(documents)
    texts = ["w1 w2 w3", "w3 w2 w1", "w1 unknown w2 w3", "w1", "unknown w1"]
    there, back, gap, alone, still_alone = dense(model.transform(texts))
    assert np.abs(there - back).max() > 0.1
    np.testing.assert_array_equal(gap, there)  # neighbors are neighbors among known words
    np.testing.assert_array_equal(alone, still_alone)
    model.set_params(pooling="vlawe").fit_pooling(documents)
    there, back, _, bare, _ = dense(model.transform(texts))
    np.testing.assert_allclose(there, back, atol=1e-6)
    np.testing.assert_array_equal(alone, bare)


def test_vlawe_counts_repeated_words_by_their_logarithm(documents):
    model = small(pooling="vlawe", n_clusters=1).fit(documents)
    one, other, five, both = dense(
        model.transform(["w1", "w2", "w1 w1 w1 w1 w1", "w1 w2 w1 w1 w1 w1"])
    )
    np.testing.assert_array_equal(five, one)
    scale = np.linalg.lstsq(np.array([one, other]).T, both, rcond=None)[0]
    left = {
        word: np.linalg.norm(
            model.input_vectors_[i] / np.linalg.norm(model.input_vectors_[i])
            - model._learned_poolings["vlawe"].residuals.centers[0] / 2
        )
        for word, i in model.vocabulary_.items()
    }
    idf = dict(zip(model.vocabulary_, model._learned_poolings["tfidf"].weights, strict=True))
    expected = (1 + np.log(5)) * idf["w1"] * left["w1"] / (idf["w2"] * left["w2"])
    assert scale[0] / scale[1] == pytest.approx(expected, rel=1e-4)


def test_a_word_whose_vector_is_zero_adds_nothing(documents):
    model = small(pooling="vlawe").fit(documents)
    model.input_vectors_[model.vocabulary_["w3"]] = 0
    model.fit_pooling(documents)
    with_it, without, alone = dense(model.transform(["w1 w3 w2", "w1 w2", "w3 w3"]))
    np.testing.assert_array_equal(with_it, without)
    assert without.any()
    assert not alone.any()


@pytest.mark.parametrize("clusters", ["scdv", "vlawe", "vlawe_order"])
def test_a_list_with_clusters_is_sparse_as_a_whole(documents, fitted, clusters):
    poolings = ["max", clusters, "tfidf"]
    model = clone_of(fitted, pooling=poolings)
    features = model.transform(documents)
    parts = [dense(model.set_params(pooling=one).transform(documents)) for one in poolings]
    assert sparse.issparse(features)
    np.testing.assert_array_equal(features.toarray(), np.hstack(parts))
    model.set_params(pooling=poolings)
    assert len(model.get_feature_names_out()) == features.shape[1] == 7 * (1 + 4 + 1)
    side_by_side = model.set_params(pooling=["sif", "max"]).transform(documents)
    assert isinstance(side_by_side, np.ndarray)
    np.testing.assert_array_equal(side_by_side[:, 7:], parts[0])
    assert model.set_params(pooling=["scdv", "vlawe"]).transform(documents).shape == (100, 56)


def test_a_tuple_of_poolings_is_as_good_as_a_list(documents, fitted):
    of_list, of_tuple = (
        clone_of(fitted, pooling=kind(["mean", "max"])).transform(documents)
        for kind in (list, tuple)
    )
    np.testing.assert_array_equal(of_list, of_tuple)


@pytest.mark.parametrize(
    "pooling",
    ["scdv", "vlawe", "vlawe_order", ["vlawe", "mean"], "bag_of_words", ["mean", "bag_of_words"]],
    ids=str,
)
def test_sparse_features_are_what_every_classifier_takes(documents, pooling):
    features = small(pooling=pooling).fit_transform(documents)
    assert features.indices.dtype == features.indptr.dtype == np.int32
    labels = np.arange(len(documents)) % 2
    LinearSVC().fit(features, labels)  # liblinear takes no offsets of 64 bits


# --- Promises


@pytest.mark.parametrize("embedding", ["input", "concat"])
@pytest.mark.parametrize("pooling", LEARNED)
def test_a_row_does_not_depend_on_the_others(documents, pooling, embedding, monkeypatch):
    model = small(pooling=pooling, embedding=embedding).fit(documents)
    together = dense(model.transform(documents))
    for n_jobs in (1, 3):
        model.set_params(n_jobs=n_jobs)
        alone = [dense(model.transform([document]))[0] for document in documents]
        assert np.array(alone).tobytes() == together.tobytes()
    monkeypatch.setattr(_pooling, "_CLUSTER_BLOCK", 3 * 7 * 4)  # a few documents at a time
    assert dense(model.transform(documents)).tobytes() == together.tobytes()


@pytest.mark.parametrize("pooling", LEARNED)
def test_same_bits_at_any_number_of_threads(planted, pooling):
    def features(**parameters):
        model = small(pooling=pooling, n_components=33, **parameters)
        return dense(model.fit_transform(planted.documents[:1000])).tobytes()

    expected = features(n_jobs=1)
    assert features(n_jobs=2) == features(n_jobs=3) == expected
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            assert features() == expected


def test_what_is_learned_does_not_depend_on_the_size_of_blocks(documents, fitted, monkeypatch):
    monkeypatch.setattr(_learned_poolings, "_BLOCK", 9)
    monkeypatch.setattr(_pooling, "_CLUSTER_BLOCK", 50)
    again = clone_of(fitted).fit_pooling(documents)
    for name in LEARNED:
        old, new = (
            dense(clone_of(model, pooling=name).transform(documents)) for model in (fitted, again)
        )
        np.testing.assert_allclose(new, old, rtol=0, atol=1e-6)


@pytest.mark.parametrize("pooling", LEARNED)
def test_weights_count_as_repeated_documents_do(documents, pooling):
    times = np.arange(100) % 3
    repeated = [document for document, n in zip(documents, times, strict=True) for _ in range(n)]
    weighted = small(pooling=pooling).fit(documents, sample_weight=times)
    plain = small(pooling=pooling).fit(repeated)
    np.testing.assert_array_equal(weighted.document_frequencies_, plain.document_frequencies_)
    np.testing.assert_allclose(
        dense(weighted.transform(documents)), dense(plain.transform(documents)), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("pooling", LEARNED)
def test_what_early_stopping_holds_out_has_no_part(documents, pooling, monkeypatch):
    held_out = np.arange(100) % 5 == 0
    monkeypatch.setattr(_fitting, "hold_out", lambda *arguments: held_out)
    model = small(pooling=pooling, early_stopping=True, vocabulary=WORDS).fit(documents)
    expected = reference(model, documents, np.where(held_out, 0.0, 1.0), documents, pooling)
    np.testing.assert_allclose(dense(model.transform(documents)), expected, rtol=0, atol=2e-6)


# --- What is learned, and for what


def test_fit_transform_is_fit_then_transform(documents):
    for pooling in (*LEARNED, LEARNED):
        expected = small(pooling=pooling).fit(documents).transform(documents)
        found = small(pooling=pooling).fit_transform(documents)
        np.testing.assert_array_equal(dense(found), dense(expected))


@pytest.mark.parametrize("pooling", LEARNED)
@pytest.mark.parametrize("embedding", ["input", "concat"])
def test_fit_pooling_learns_what_fit_does_and_trains_nothing(
    documents, pooling, embedding, count_training
):
    weight = np.arange(100) % 3
    parameters = {"pooling": pooling, "embedding": embedding, "n_clusters": 3}
    expected = small(**parameters).fit(documents, sample_weight=weight).transform(documents)
    model = small().fit(documents, sample_weight=weight).set_params(**parameters)
    assert model.fit_pooling(documents, sample_weight=weight) is model
    np.testing.assert_array_equal(dense(model.transform(documents)), dense(expected))
    assert len(count_training) == 2


@pytest.mark.parametrize(
    ("learned", "changed", "message"),
    [
        ({}, {"pooling": "sif"}, "pooling='sif', embedding='input' has not been learned from"),
        ({}, {"pooling": ["mean", "scdv"]}, "pooling='scdv', embedding='input', n_clusters=4 has"),
        ({"pooling": "scdv"}, {"pooling": "vlawe"}, "pooling='vlawe', embedding='input', n_clust"),
        (
            {"pooling": "sif"},
            {"embedding": "sum"},
            r"pooling='sif', embedding='sum' has.*\(for embedding='input' it has\)",
        ),
        (
            {"pooling": "scdv"},
            {"n_clusters": 5},
            r"n_clusters=5 has not.*\(for embedding='input', n_clusters=4 it has\)",
        ),
    ],
    ids=str,
)
def test_what_has_not_been_learned_is_an_error_that_says_what_to_do(
    documents, learned, changed, message
):
    model = small(**learned).fit(documents).set_params(**changed)
    with pytest.raises(NotFittedError, match=f"{message}.*call fit_pooling.*or fit again"):
        model.transform(documents)
    n_features = model.fit_pooling(documents).transform(documents).shape[1]
    assert n_features == len(model.get_feature_names_out())


def test_one_pooling_does_not_forget_another(documents):
    model = small(pooling="sif").fit(documents)
    expected = model.transform(documents)
    model.set_params(pooling="scdv").fit_pooling(documents).set_params(pooling="sif")
    np.testing.assert_array_equal(model.transform(documents), expected)
    model.set_params(n_clusters=17, pooling=["sif", "mean"]).transform(documents)


def test_poolings_without_clusters_do_not_care_for_their_number(documents, count_training):
    model = small(pooling="sif", n_clusters=4).fit(documents)
    model.set_params(n_clusters=10**6).transform(documents)
    model.set_params(pooling=["mean", "tfidf"], embedding="concat").transform(documents)
    assert len(count_training) == 1


def test_what_was_learned_for_other_vectors_is_forgotten(documents):
    model = small(pooling=["sif", "tfidf"], warm_start=True).fit(documents)
    model.partial_fit(documents[:50])
    with pytest.raises(NotFittedError, match=r"pooling='sif'.*call fit_pooling"):
        model.transform(documents)
    model.set_params(pooling="tfidf").transform(documents)
    model.set_params(pooling="sif", max_iter=4).fit(documents)
    vectors = model.input_vectors_
    assert np.abs(model.transform(documents)).max() > 0
    direction = model._learned_poolings["sif"].removed
    means = sif_means(*encoded(model, documents), vectors, sif_weights(model.word_counts_))
    expected = first_direction(means, np.ones(100))
    assert abs(direction @ expected) == pytest.approx(1)
    with pytest.raises(NotFittedError, match="pooling='sif'"):
        model.set_params(pooling="mean").fit(documents).set_params(pooling="sif").transform([""])


def test_a_stream_counts_documents_batch_by_batch(documents):
    model = small(pooling="tfidf", grow_vocabulary=True)
    for start in range(0, 100, 25):
        model.partial_fit(documents[start : start + 25], sample_weight=[2] * 25)
    counter = CountVectorizer(vocabulary=model.vocabulary_, binary=True)
    expected = 2 * np.ravel(counter.transform(documents).sum(axis=0))
    np.testing.assert_array_equal(model.document_frequencies_, expected)
    assert model._frequencies.n_documents == 200
    reference_features = reference(model, documents, np.full(100, 2.0), documents, "tfidf")
    np.testing.assert_allclose(model.transform(documents), reference_features, rtol=0, atol=1e-6)
    model.set_params(pooling="sif").fit_pooling(documents).transform(documents)


def test_warm_start_keeps_the_frequencies_of_the_first_fit(documents):
    model = small(pooling="tfidf", warm_start=True).fit(documents)
    before = model.document_frequencies_
    model.set_params(max_iter=3).fit(documents[:10])
    np.testing.assert_array_equal(model.document_frequencies_, before)


@pytest.mark.parametrize("pooling", ["scdv", "vlawe", "vlawe_order"])
def test_more_clusters_than_words_are_refused_before_anything_is_trained(
    documents, count_training, pooling
):
    refused = f"pooling='{pooling}' cannot make n_clusters=31 clusters out of 29 words; lower"
    with pytest.raises(ValueError, match=refused):
        small(pooling=["mean", pooling], n_clusters=31).fit(documents)
    assert not count_training
    model = small(n_clusters=31).fit(documents).set_params(pooling=pooling)
    with pytest.raises(ValueError, match=refused):
        model.fit_pooling(documents)
    assert small(pooling=pooling, n_clusters=29).fit_transform(documents).shape == (100, 203)


def test_nothing_is_learned_before_fit(documents):
    with pytest.raises(NotFittedError):
        small(pooling="sif").fit_pooling(documents)
    assert not hasattr(small(), "document_frequencies_")


@pytest.mark.parametrize("nothing", [[], iter([]), ["", "unknown"]], ids=str)
@pytest.mark.parametrize("pooling", ["sif", "scdv", ["mean", "sif"]], ids=str)
def test_documents_without_words_cannot_teach(pooling, nothing):
    model = small(n_clusters=2).fit(["aa bb aa bb cc"]).set_params(pooling=pooling)
    with pytest.raises(ValueError, match=r"pooling=.s.* none of the [02] has a word"):
        model.fit_pooling(nothing)
    with pytest.raises(NotFittedError):
        model.transform(["aa"])


@pytest.mark.parametrize("pooling", ["vlawe", "vlawe_order"])
def test_what_looks_at_the_words_alone_needs_no_documents(pooling):
    model = small(n_clusters=2).fit(["aa bb aa bb cc"]).set_params(pooling=pooling)
    features = dense(model.fit_pooling([]).transform(["aa", ""]))
    assert np.isfinite(features).all()
    assert features[0].any()
    assert not features[1].any()
    assert model.transform([]).shape == (0, features.shape[1])


def test_a_vocabulary_of_one_word():
    for pooling in LEARNED:
        features = small(pooling=pooling, n_clusters=1).fit_transform(["aa aa", "aa", ""])
        assert np.isfinite(dense(features)).all()


# --- Among scikit-learn's own


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_sparse_features_have_no_data_frame(documents, output):
    series = pd.Series(documents)
    model = small(pooling=["mean", "scdv"]).set_output(transform=output)
    for call in (model.fit_transform, lambda X: model.fit(X).transform(X)):
        with pytest.raises(ValueError, match="sparse"):
            call(series)
    assert model.set_params(pooling=["tfidf", "sif"]).fit_transform(series).shape == (100, 14)


def test_grid_over_poolings_trains_once_a_fold(tmp_path, count_training, planted):
    model = make_pipeline(small(memory=tmp_path), LogisticRegression())
    grid = {
        "word2vectransformer__pooling": ["mean", "sif", "scdv", "vlawe", ["tfidf", "scdv"]],
        "word2vectransformer__n_clusters": [2, 3],
    }
    search = GridSearchCV(model, grid, cv=2, refit=False)
    search.fit(planted.documents[:200], planted.labels[:200])
    assert len(count_training) == 2
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_features_side_by_side_with_others(documents):
    union = FeatureUnion([("counts", CountVectorizer()), ("scdv", small(pooling="scdv"))])
    features = union.fit_transform(documents)
    assert features.shape == (100, len(union.get_feature_names_out()))
    lengths = sparse.linalg.norm(normalize(features), axis=1)
    assert set(lengths.round(6)) == {0, 1}


@pytest.mark.parametrize("pooling", LEARNED)
def test_planted_topics_are_told_apart(planted, pooling):
    documents, labels = planted.documents[:1000], planted.labels[:1000]
    model = make_pipeline(
        small(pooling=pooling, n_components=16, n_clusters=12, max_iter=5),
        LogisticRegression(max_iter=1000),
    )
    model.fit(documents[:500], labels[:500])
    assert model.score(documents[500:], labels[500:]) > 0.8  # chance is 0.1


# --- Document frequencies


def test_document_frequencies_are_the_references():
    rng = np.random.default_rng(1)
    sizes = rng.integers(0, 9, 200)
    offsets = np.cumsum([0, *sizes])
    token_ids = rng.integers(0, 20, offsets[-1]).astype(np.int32)
    for weight in (None, rng.integers(0, 4, 200) / 2.0):
        found = DocumentFrequencies.of(Corpus(token_ids, offsets), 25, weight)
        expected, n_documents = document_frequencies(
            token_ids, offsets, 25, np.ones(200) if weight is None else weight
        )
        np.testing.assert_array_equal(found.of_words, expected)
        assert found.n_documents == n_documents
        np.testing.assert_allclose(found.idf(), smooth_idf(expected, n_documents), rtol=1e-15)
