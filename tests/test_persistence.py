"""A fitted pipeline that was stored and loaded gives the same features, whatever stores it."""

import copy
import io
import json
import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skw2v import Word2VecTransformer


def dense(features):
    return features.toarray() if sparse.issparse(features) else features


def through_pickle(model):
    return pickle.loads(pickle.dumps(model))


def through_joblib(model):
    stream = io.BytesIO()
    joblib.dump(model, stream)
    stream.seek(0)
    return joblib.load(stream)


def through_skops(model):
    skops_io = pytest.importorskip("skops.io")
    stored = skops_io.dumps(model)
    return skops_io.loads(stored, trusted=skops_io.get_untrusted_types(data=stored))


ROUND_TRIPS = [through_pickle, through_joblib, through_skops]


@pytest.fixture(scope="module")
def texts(planted):
    return planted.documents[:200], planted.labels[:200]


@pytest.fixture(scope="module")
def item_ids(texts):
    documents, labels = texts
    ids = {word: 10 * i for i, word in enumerate(sorted(set(" ".join(documents).split())))}
    return [[ids[word] for word in document.split()] for document in documents], labels


@pytest.mark.parametrize("kind", ["texts", "item_ids"])
@pytest.mark.parametrize("round_trip", ROUND_TRIPS)
def test_a_stored_pipeline_gives_the_same_features(request, round_trip, kind):
    documents, labels = request.getfixturevalue(kind)
    transformer = Word2VecTransformer(n_components=8, max_iter=2, random_state=0)
    pipeline = make_pipeline(transformer, LogisticRegression()).fit(documents, labels)
    loaded = round_trip(pipeline)
    np.testing.assert_array_equal(
        loaded[:1].transform(documents), pipeline[:1].transform(documents)
    )
    np.testing.assert_array_equal(
        loaded.predict_proba(documents), pipeline.predict_proba(documents)
    )


@pytest.mark.parametrize("kind", ["texts", "item_ids"])
@pytest.mark.parametrize("round_trip", ROUND_TRIPS)
def test_a_stored_transformer_is_the_same_in_all_that_was_learned(request, round_trip, kind):
    documents, _ = request.getfixturevalue(kind)
    transformer = Word2VecTransformer(loss="nce", n_components=8, max_iter=2, random_state=0).fit(
        documents
    )
    loaded = round_trip(transformer)
    assert loaded.get_params() == transformer.get_params()
    assert list(loaded.vocabulary_.items()) == list(transformer.vocabulary_.items())
    assert {type(token) for token in loaded.vocabulary_} == {str if kind == "texts" else int}
    for name in ("word_counts_", "input_vectors_", "output_vectors_", "output_bias_"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(transformer, name))
    np.testing.assert_array_equal(loaded.loss_curve_, transformer.loss_curve_)
    assert loaded.n_iter_ == transformer.n_iter_
    assert loaded.score(documents) == transformer.score(documents)
    word = next(iter(transformer.vocabulary_))
    neighbours = transformer.word_vectors().most_similar(word)
    assert loaded.word_vectors().most_similar(word) == neighbours


@pytest.mark.parametrize("round_trip", [*ROUND_TRIPS, copy.copy, copy.deepcopy])
def test_what_training_goes_on_from_is_stored_once(round_trip, texts):
    documents, _ = texts
    model = Word2VecTransformer(
        loss="nce", n_components=8, min_count=1, max_iter=1, random_state=0, warm_start=True
    ).fit(documents)
    loaded = round_trip(model)
    for name in ("input_vectors", "output_vectors", "output_bias", "loss_curve"):
        assert getattr(loaded._trained, name) is getattr(loaded, f"{name}_")
        assert getattr(model._trained, name) is getattr(model, f"{name}_")
    for goes_on in (model, loaded):
        goes_on.set_params(max_iter=2).fit(documents)
    np.testing.assert_array_equal(loaded.input_vectors_, model.input_vectors_)


def test_joblib_writes_the_vectors_once():
    documents = [" ".join(f"w{i}" for i in range(2000))]
    model = Word2VecTransformer(n_components=100, min_count=1, max_iter=1).fit(documents)
    stream = io.BytesIO()
    joblib.dump(model, stream)
    assert len(stream.getvalue()) < 1.2 * 2 * model.input_vectors_.nbytes


@pytest.mark.parametrize("round_trip", ROUND_TRIPS)
def test_a_loaded_transformer_can_be_fitted_again(round_trip, texts):
    documents, _ = texts
    transformer = Word2VecTransformer(n_components=8, max_iter=1, random_state=0)
    features = transformer.fit_transform(documents)
    np.testing.assert_array_equal(round_trip(transformer).fit_transform(documents), features)
    np.testing.assert_array_equal(
        round_trip(Word2VecTransformer(**transformer.get_params())).fit_transform(documents),
        features,
    )


def test_skops_has_to_trust_skw2v_and_nothing_else(texts):
    """What a user has to look through before loading."""
    skops_io = pytest.importorskip("skops.io")
    documents, labels = texts
    transformer = Word2VecTransformer(n_components=8, max_iter=1, random_state=0)
    pipeline = make_pipeline(transformer, LogisticRegression()).fit(documents, labels)
    untrusted = skops_io.get_untrusted_types(data=skops_io.dumps(pipeline))
    assert "skw2v.transformer.Word2VecTransformer" in untrusted
    assert {name.split(".")[0] for name in untrusted} == {"skw2v"}


# --- Other versions


@pytest.mark.parametrize(
    "stored",
    sorted((Path(__file__).parent / "golden").glob("*.pickle")),
    ids=lambda path: path.stem,
)
def test_pickles_of_earlier_versions_give_the_same_numbers(stored):
    expected = json.loads(stored.with_suffix(".json").read_text())
    model = pickle.loads(stored.read_bytes())
    np.testing.assert_array_equal(
        dense(model.transform(expected["documents"])), expected["features"]
    )
    assert model.score(expected["documents"] * 20) == pytest.approx(expected["score"], rel=1e-6)
    # Parameters that it did not know have their defaults, and training can go on.
    assert model.get_params().keys() == Word2VecTransformer().get_params().keys()
    model.set_params(warm_start=True, max_iter=3).fit(expected["documents"] * 20)
    model.partial_fit(expected["documents"])
    assert model.n_iter_ == 4
    assert np.isfinite(model.output_bias_).all()


@pytest.mark.parametrize(
    "pooling", ["tfidf", "sif", "scdv", "vlawe", "vlawe_order", "bag_of_words"]
)
def test_pickles_from_before_poolings_were_learned_say_what_to_do(pooling):
    stored = Path(__file__).parent / "golden" / "transformer_2.pickle"
    documents = json.loads(stored.with_suffix(".json").read_text())["documents"] * 20
    model = pickle.loads(stored.read_bytes()).set_params(pooling=pooling, n_clusters=2)
    with pytest.raises(NotFittedError, match=f"pooling='{pooling}'.* call fit_pooling"):
        model.transform(documents)
    with pytest.raises(AttributeError, match="fit_pooling counts them"):
        model.document_frequencies_  # noqa: B018
    # What it has seen is not known, so more of it does not help.
    with pytest.raises(NotFittedError):
        through_pickle(model).partial_fit(documents).transform(documents)
    model.fit_pooling(documents)
    fresh = Word2VecTransformer(**model.get_params()).fit(documents)
    np.testing.assert_array_equal(model.document_frequencies_, fresh.document_frequencies_)
    np.testing.assert_array_equal(
        dense(model.transform(documents)), dense(fresh.transform(documents))
    )


def test_a_pickle_from_before_a_pooling_says_what_to_do():
    """It has learned poolings, but did not know this one."""
    stored = Path(__file__).parent / "golden" / "transformer_3.pickle"
    documents = json.loads(stored.with_suffix(".json").read_text())["documents"]
    model = pickle.loads(stored.read_bytes()).set_params(pooling=["scdv", "vlawe"])
    with pytest.raises(NotFittedError, match=r"pooling='vlawe'.* call fit_pooling"):
        model.transform(documents)
    features = model.fit_pooling(documents).transform(documents)
    assert features.shape == (3, 2 * 2 * 4)


def test_centers_take_the_room_of_clusters_and_not_of_words():
    documents = [" ".join(f"w{i}" for i in range(2000))]
    model = Word2VecTransformer(n_components=100, min_count=1, max_iter=1, n_clusters=5)
    without = len(pickle.dumps(model.fit(documents)))
    model.set_params(pooling="vlawe").fit_pooling(documents)
    assert len(pickle.dumps(model)) - without < 2000 * 40 + 5 * 100 * 8


@pytest.mark.parametrize("round_trip", [*ROUND_TRIPS, copy.copy, copy.deepcopy])
def test_what_poolings_have_learned_is_stored(round_trip, texts):
    documents, _ = texts
    pooling = ["mean", "tfidf", "sif", "scdv", "vlawe"]
    model = Word2VecTransformer(
        n_components=8, min_count=1, max_iter=1, random_state=0, pooling=pooling, n_clusters=5
    ).fit(documents)
    loaded = round_trip(model)
    np.testing.assert_array_equal(
        dense(loaded.transform(documents)), dense(model.transform(documents))
    )
    np.testing.assert_array_equal(loaded.document_frequencies_, model.document_frequencies_)


def test_a_pickle_of_a_later_version_is_an_error(texts):
    model = Word2VecTransformer(n_components=4, max_iter=1).fit(texts[0])
    state = model.__getstate__()
    state["_state_revision"] += 1
    with pytest.raises(ValueError, match="was pickled by a newer skw2v"):
        copy.copy(model).__setstate__(state)


def test_an_unfitted_one_is_stored_too():
    model = through_pickle(Word2VecTransformer(window=3))
    assert model.window == 3
    assert not hasattr(model, "input_vectors_")
