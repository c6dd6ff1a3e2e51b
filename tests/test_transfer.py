"""Training that starts from vectors of elsewhere: `init`, and which rows `trainable` lets move."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline

from skw2v import (
    EmbeddingClassifier,
    Word2VecTransformer,
    WordVectors,
    _fitting,
    _kernels,
    _training,
)
from skw2v._corpus import Corpus
from skw2v._layout import Layout
from skw2v._parameters import BIASED_LOSSES, TrainingParameters
from skw2v._reference import Vectors
from skw2v._reference_training import initial_vectors, train_reference
from skw2v._sampling import keep_thresholds
from skw2v._transfer import StartingVectors, rows_of, starting_rows, starting_vectors

LOSSES = ["negative_sampling", "nce", "sampled_softmax", "hierarchical_softmax", "softmax"]
MODELS = [
    {"loss": loss, "architecture": architecture}
    for loss in LOSSES
    for architecture in ("skipgram", "cbow")
]
by_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: " ".join(model.values()))
VECTORS = ("input_vectors_", "output_vectors_", "output_bias_", "loss_curve_")


def small(**parameters):
    return Word2VecTransformer(
        **{
            "n_components": 16,
            "min_count": 1,
            "max_iter": 2,
            "learning_rate": 0.05,
            "random_state": 0,
        }
        | parameters
    )


def assert_same_bits(found, expected):
    for name in VECTORS:
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name
    assert found.vocabulary_ == expected.vocabulary_


@pytest.fixture(scope="module")
def documents(planted):
    return planted.documents[:200]


@pytest.fixture(scope="module")
def known(documents):
    """Every second word of the documents, and some others."""
    return [*sorted(set(" ".join(documents).split()))[::2], "elsewhere", "nowhere"]


@pytest.fixture(scope="module")
def given(known):
    """Vectors of these words, with zeros of both signs."""
    matrix = np.random.default_rng(0).normal(size=(len(known), 16)).astype(np.float32)
    matrix[::3, :5] = -0.0
    return WordVectors(known, matrix)


@pytest.fixture(scope="module")
def teachers(documents):
    """A fitted model for every loss."""
    return {loss: small(loss=loss, random_state=5).fit(documents[:100]) for loss in LOSSES}


def rows(model, words):
    return model.input_vectors_[[model.vocabulary_[word] for word in words]]


def known_and_new(model, given):
    words = list(model.vocabulary_)
    return [w for w in words if w in given], [w for w in words if w not in given]


# --- What is trained


@by_model
def test_new_trains_the_rows_of_new_words_alone(model, documents, given):
    fitted = small(**model, init=given, trainable="new").fit(documents)
    old, new = known_and_new(fitted, given)
    assert old
    assert new
    assert rows(fitted, old).tobytes() == np.array([given[word] for word in old]).tobytes()
    untrained = small(**model, init=given, trainable="none").fit(documents)
    assert (rows(fitted, new) != rows(untrained, new)).any(axis=1).all()


@by_model
def test_none_trains_output_vectors_alone(model, documents, given):
    fitted = small(**model, init=given, trainable="none").fit(documents)
    old, new = known_and_new(fitted, given)
    assert rows(fitted, old).tobytes() == np.array([given[word] for word in old]).tobytes()
    assert 0 < abs(rows(fitted, new)).max() <= 0.5 / 16  # as every training starts
    assert fitted.output_vectors_.any(axis=1).all()
    assert fitted.loss_curve_[1] < fitted.loss_curve_[0]


@by_model
def test_all_trains_every_row_from_where_it_is(model, documents, given):
    fitted = small(**model, init=given).fit(documents)
    old, _ = known_and_new(fitted, given)
    start = np.array([given[word] for word in old])
    assert (rows(fitted, old) != start).any(axis=1).all()
    nearly_still = small(**model, init=given, learning_rate=1e-6, min_learning_rate=1e-6)
    np.testing.assert_allclose(rows(nearly_still.fit(documents), old), start, atol=1e-3)


def test_without_init_all_and_new_are_the_same_and_none_keeps_the_random_start(documents):
    assert_same_bits(small(trainable="new").fit(documents), small().fit(documents))
    fitted = small(trainable="none").fit(documents)
    assert 0 < abs(fitted.input_vectors_).max() <= 0.5 / 16


@by_model
def test_same_bits_at_any_number_of_threads(model, planted, given):
    one, *others = (
        small(**model, init=given, trainable="new", n_jobs=n).fit(planted.documents[:600])
        for n in (1, 2, 5)
    )
    for other in others:
        assert_same_bits(other, one)


# --- Output vectors and biases


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("of", LOSSES)
def test_output_vectors_start_from_those_of_a_fitted_model(loss, of, documents, teachers):
    teacher = teachers[of]
    still = {"loss": loss, "learning_rate": 1e-9, "min_learning_rate": 1e-9, "max_iter": 1}
    fitted, fresh = (small(**still, init=init).fit(documents) for init in (teacher, None))
    words = [word for word in fitted.vocabulary_ if word in teacher.vocabulary_]
    here, there = ([m.vocabulary_[word] for word in words] for m in (fitted, teacher))
    close = {"rtol": 0, "atol": 1e-5}
    np.testing.assert_allclose(fitted.input_vectors_[here], teacher.input_vectors_[there], **close)
    both = "hierarchical_softmax" not in (loss, of)
    expected, at = (teacher, there) if both else (fresh, here)
    if not both:
        assert not abs(fitted.output_vectors_).max() > 1e-5
    else:
        np.testing.assert_allclose(
            fitted.output_vectors_[here], expected.output_vectors_[at], **close
        )
    if loss in BIASED_LOSSES:
        expected, at = (teacher, there) if of in BIASED_LOSSES else (fresh, here)
        np.testing.assert_allclose(fitted.output_bias_[here], expected.output_bias_[at], **close)
    new = [i for word, i in fitted.vocabulary_.items() if word not in teacher.vocabulary_]
    np.testing.assert_allclose(fitted.input_vectors_[new], fresh.input_vectors_[new], **close)
    if loss != "hierarchical_softmax":
        assert not abs(fitted.output_vectors_[new]).max(initial=0) > 1e-5
        np.testing.assert_allclose(fitted.output_bias_[new], fresh.output_bias_[new], **close)


def test_a_model_that_starts_from_another_knows_its_words_at_once(planted):
    teacher = small(max_iter=5, random_state=3).fit(planted.documents[:2000])
    few, held_out = planted.documents[2000:2050], planted.documents[2500:]
    vocabulary = list(teacher.vocabulary_)
    taught, alone = (
        small(init=init, max_iter=1, vocabulary=vocabulary).fit(few).score(held_out)
        for init in (teacher, None)
    )
    assert taught > alone + 0.1


# --- What init may be


def test_every_form_of_the_same_vectors_trains_to_the_same_bits(documents, given):
    words, matrix = given.words, given.vectors
    expected = small(init=given).fit(documents)
    for init in (
        (words, matrix),
        [words, matrix],
        (tuple(words), matrix.tolist()),
        (np.array(words), matrix.astype(np.float64)),
        (words[::-1], matrix[::-1]),
        {word: given[word] for word in words},
        {word: given[word].tolist() for word in words},
    ):
        assert_same_bits(small(init=init).fit(documents), expected)


def test_a_fitted_model_may_be_frozen(documents, teachers):
    teacher = teachers["nce"]
    expected = small(init=teacher, loss="nce").fit(documents)
    frozen = small(init=FrozenEstimator(teacher), loss="nce").fit(documents)
    assert_same_bits(frozen, expected)
    without_outputs = small(init=teacher.word_vectors(), loss="nce").fit(documents)
    assert without_outputs.output_vectors_.tobytes() != expected.output_vectors_.tobytes()


def test_words_may_be_item_ids():
    walks = [[3, 1, 4], [1, 5, 9], [2, 6, 5], [3, 5, 8]] * 5
    init = (np.array([5, 3, 77]), np.eye(3, 16))
    fitted = small(init=init, trainable="new").fit(walks)
    np.testing.assert_array_equal(rows(fitted, [5, 3]), np.eye(2, 16))


def test_init_is_not_changed(documents, given, teachers):
    before = copy.deepcopy(teachers["softmax"])
    small(init=teachers["softmax"], loss="softmax").fit(documents)
    assert_same_bits(teachers["softmax"], before)
    matrix = np.array(given.vectors)
    small(init=(given.words, matrix)).fit(documents)
    assert matrix.tobytes() == given.vectors.tobytes()


VECTOR = [1.0] * 16
NOT_VECTORS = {
    "a string": ("glove.txt", TypeError, "init='glove.txt': expected a fitted Word2VecTransformer"),
    "a matrix alone": (np.eye(16), TypeError, "expected a fitted Word2VecTransformer"),
    "a number": (3, TypeError, "init=3: expected"),
    "another estimator": (LogisticRegression(), TypeError, r"a pair \(words, matrix\)"),
    "numbers for words": ((2, 3), TypeError, r"init=\(2, 3\): expected"),
    "no words": ({}, ValueError, "init is empty"),
    "no words in a pair": (([], np.empty((0, 16))), ValueError, "init is empty"),
    "a word twice": ((["cat", "cat"], [VECTOR] * 2), ValueError, "'cat' comes at least twice"),
    "too few vectors": ((["cat", "dog"], [VECTOR]), ValueError, r"got shape \(1, 16\)"),
    "vectors of two lengths": (
        {"cat": VECTOR, "dog": VECTOR[1:]},
        ValueError,
        r"'cat' has shape \(16,\), that of 'dog' \(15,\)",
    ),
    "vectors that are none": ({"cat": "dog"}, ValueError, "init: could not convert"),
    "numbers for vectors": ({"cat": 1.0}, ValueError, r"got shape \(1,\)"),
    "nan": ({"cat": [np.nan] * 16}, ValueError, "the vector of 'cat'.*NaN"),
    "beyond float32": ({"cat": [1e300] * 16}, ValueError, "the vector of 'cat'.*float32's range"),
    "words of two kinds": (([1, "cat"], [VECTOR] * 2), TypeError, "both str and int"),
    "words that are no tokens": (([None], [VECTOR]), TypeError, "expected str or int"),
    "other words": ({"chat": VECTOR}, ValueError, "none of the 2 words.*like 'chat'.*like 'cat'"),
    "words of another kind": ({1: VECTOR}, ValueError, "like 1, those of the documents like 'cat'"),
    "longer vectors": ({"cat": [1.0] * 25}, ValueError, "25 components, but n_components=16; set"),
}


@pytest.mark.parametrize(("init", "kind", "message"), NOT_VECTORS.values(), ids=NOT_VECTORS)
def test_what_is_no_start_is_an_error_that_says_why(init, kind, message):
    model = small(init=init)
    for call in (model.fit, model.fit_transform, model.partial_fit):
        with pytest.raises(kind, match=message):
            call(["cat dog cat", "dog"])
    assert not hasattr(model, "input_vectors_")


@pytest.mark.parametrize("init", [small(), FrozenEstimator(small())], ids=["bare", "frozen"])
def test_a_model_that_is_not_fitted_is_no_start(init, documents):
    with pytest.raises(NotFittedError, match=r"is not fitted; fit it first.*FrozenEstimator"):
        small(init=init).fit(documents)


@pytest.mark.parametrize("parameters", [{"trainable": "none"}, {"init": {"cat": VECTOR}}])
def test_subwords_have_no_start_and_no_rows_to_keep(parameters, documents):
    with pytest.raises(ValueError, match=r"subword=\(3, 4\) makes.*of n-grams.*set subword=None"):
        small(subword=(3, 4), **parameters).fit(documents)


def test_a_model_of_subwords_gives_the_vectors_of_its_words(documents):
    teacher = small(subword=(3, 4), n_buckets=100).fit(documents)
    fitted = small(init=teacher, trainable="new").fit(documents)
    assert fitted.input_vectors_.tobytes() == teacher.input_vectors_.tobytes()


def test_rows_of_words():
    starting = StartingVectors(["a", "b"], np.eye(2, dtype=np.float32))
    vectors, known = rows_of(starting, ["b", "c", "a"])
    assert vectors.tolist() == [[0, 1], [0, 0], [1, 0]]
    assert known.tolist() == [True, False, True]
    assert vectors.dtype == np.float32
    assert starting_vectors(None, 2) is None
    assert starting_rows(None, ["a"]) is None


# --- Among scikit-learn's


def test_a_clone_shares_init_and_is_not_fitted(teachers, documents):
    model = small(init=teachers["nce"], loss="nce").set_output(transform="pandas").fit(documents)
    copied = clone(model)
    assert copied.init is model.init
    assert copied.get_params(deep=False) == model.get_params(deep=False)
    assert not hasattr(copied, "input_vectors_")
    assert copied.fit_transform(documents).columns.tolist() == list(model.get_feature_names_out())
    assert_same_bits(copied, model)


def test_pipelines_and_searches_start_from_a_fitted_model(planted, teachers):
    texts, labels = planted.documents[:100], planted.labels[:100]
    teacher = teachers["negative_sampling"]
    model = make_pipeline(small(init=teacher, trainable="none"), LogisticRegression())
    scores = cross_val_score(model, texts, labels, cv=2)
    given = clone(model).set_params(word2vectransformer__init=teacher.word_vectors())
    assert scores.tolist() == cross_val_score(given, texts, labels, cv=2).tolist()
    grid = {"word2vectransformer__trainable": ["all", "new", "none"]}
    search = GridSearchCV(model, grid, cv=2).fit(texts, labels)
    assert search.cv_results_["mean_test_score"][2] == scores.mean()
    fitted = search.best_estimator_[0].set_params(trainable="new").fit(texts)
    word = next(word for word in fitted.vocabulary_ if word in teacher.vocabulary_)
    assert rows(fitted, [word]).tobytes() == rows(teacher, [word]).tobytes()


def test_init_may_be_searched_for(planted, teachers):
    texts, labels = planted.documents[:100], planted.labels[:100]
    teacher = teachers["negative_sampling"]
    model = Pipeline([("w2v", small(trainable="none")), ("classify", LogisticRegression())])
    inits = [None, teacher.word_vectors(), FrozenEstimator(teacher)]
    search = GridSearchCV(model, {"w2v__init": inits}, cv=2).fit(texts, labels)
    without, *with_init = search.cv_results_["mean_test_score"].tolist()
    given = model.set_params(w2v__init=teacher)
    assert with_init == [cross_val_score(given, texts, labels, cv=2).mean()] * 2
    assert without not in with_init


def test_a_search_over_fitted_models_says_what_to_give_instead(planted, teachers):
    model = Pipeline([("w2v", small()), ("classify", LogisticRegression())])
    grid = {"w2v__init": [teachers["nce"]]}
    with pytest.raises(NotFittedError, match=r"In the grid of a search.*model.word_vectors\(\)"):
        GridSearchCV(model, grid, cv=2, error_score="raise").fit(
            planted.documents[:40], planted.labels[:40]
        )


# --- Going on


@pytest.mark.parametrize("trainable", ["new", "none"])
def test_what_is_frozen_stays_so_where_training_goes_on(trainable, documents, given):
    constant = {"min_learning_rate": 0.05, "trainable": trainable}
    at_once = small(init=given, max_iter=4, **constant).fit(documents)
    in_parts = small(init=given, max_iter=2, warm_start=True, **constant).fit(documents)
    in_parts = pickle.loads(pickle.dumps(in_parts.set_params(init=None)))
    assert_same_bits(in_parts.set_params(max_iter=4).fit(documents), at_once)


def test_init_is_read_once(documents, given):
    model = small(init=given, max_iter=1, warm_start=True).fit(documents)
    again = copy.deepcopy(model).set_params(init={"cat": [0.0] * 16}, max_iter=3).fit(documents)
    assert_same_bits(again, model.set_params(max_iter=3).fit(documents))


def test_rows_may_thaw_and_freeze_between_calls(documents, given):
    model = small(init=given, trainable="new", max_iter=1, warm_start=True).fit(documents)
    old, _ = known_and_new(model, given)
    start = rows(model, old)
    thawed = model.set_params(trainable="all", max_iter=2).fit(documents).input_vectors_
    assert (rows(model, old) != start).any(axis=1).all()
    model.set_params(trainable="new", max_iter=3).fit(documents)
    ids = [model.vocabulary_[word] for word in old]
    assert model.input_vectors_[ids].tobytes() == thawed[ids].tobytes()
    assert model.input_vectors_.tobytes() != thawed.tobytes()


@pytest.mark.parametrize("how", ["early_stopping", "sample_weight"])
def test_frozen_rows_stay_in_every_way_to_fit(how, documents, given):
    weight = np.linspace(0.5, 2, len(documents)) if how == "sample_weight" else None
    model = small(init=given, trainable="new", early_stopping=how == "early_stopping")
    model.fit(documents, sample_weight=weight)
    old, _ = known_and_new(model, given)
    assert rows(model, old).tobytes() == np.array([given[word] for word in old]).tobytes()


def test_the_first_partial_fit_starts_as_fit_does(documents, given):
    constant = {"min_learning_rate": 0.05, "init": given, "trainable": "new", "max_iter": 1}
    streamed = small(**constant).partial_fit(documents)
    assert_same_bits(streamed, small(**constant).fit(documents))
    old, _ = known_and_new(streamed, given)
    start = rows(streamed, old)
    streamed.partial_fit(documents[:50])
    assert rows(streamed, old).tobytes() == start.tobytes()


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "hierarchical_softmax"])
def test_words_that_join_a_stream_start_from_init(loss, teachers):
    init = teachers[loss]
    first, later, unknown = *list(init.vocabulary_)[:2], "brandnew"
    model = small(loss=loss, init=init, trainable="new", grow_vocabulary=True, subsample=0)
    model.partial_fit([f"{first} more more {first}"])
    model.partial_fit([f"{first} {later} more {unknown} {later}"] * 2)
    words = [first, later]
    assert rows(model, words).tobytes() == rows(init, words).tobytes()
    assert (rows(model, [unknown]) != 0).any()
    batch = [f"{later} more {unknown}"] * 3
    before = rows(model, [unknown])
    loaded = pickle.loads(pickle.dumps(model)).partial_fit(batch)
    assert_same_bits(loaded, model.partial_fit(batch))
    assert rows(model, words).tobytes() == rows(init, words).tobytes()
    assert (rows(model, [unknown]) != before).any()


def test_pickles_keep_init_unless_it_is_taken_away(documents, given):
    model = small(init=given, trainable="new").fit(documents)
    size = len(pickle.dumps(model))
    loaded = pickle.loads(pickle.dumps(model))
    assert_same_bits(clone(loaded).fit(documents), model)
    assert len(pickle.dumps(model.set_params(init=None))) < size - given.vectors.nbytes
    np.testing.assert_array_equal(loaded.transform(documents), model.transform(documents))


def test_memory_keys_on_what_init_has_for_the_words(tmp_path, documents, given, monkeypatch):
    trained, original = [], _fitting.train
    monkeypatch.setattr(
        _fitting, "train", lambda *a, **options: trained.append(1) or original(*a, **options)
    )

    def fit(**parameters):
        return small(memory=tmp_path, **parameters).fit(documents)

    first = fit(init=given)
    same = {word: given[word] for word in given if word != "elsewhere"}
    for init in (given, copy.deepcopy(given), (given.words, given.vectors), same):
        assert_same_bits(fit(init=init), first)
    assert len(trained) == 1
    other = dict(same)
    other[given.words[0]] = given[given.words[1]]
    for parameters in ({"init": other}, {"init": given, "trainable": "new"}, {}):
        assert fit(**parameters).input_vectors_.tobytes() != first.input_vectors_.tobytes()
    assert len(trained) == 4


# --- The engine beside the reference


ISAS = _kernels.available_isas()
LAYOUTS = {"one shard": (1, 10_000), "shards": (4, 11)}
ENGINE_MODELS = [
    *MODELS,
    {"architecture": "cbow", "cbow_gradient": "exact"},
    {"n_negatives": 12, "dynamic_window": False},  # targets in several blocks
]


def engine_case(model):
    """A text of 60 words with repeats in its windows, of which `init` has every second one."""
    draw = np.random.default_rng(1)
    ids = ((draw.zipf(1.3, size=240) - 1) % 60).astype(np.int32)
    corpus = Corpus(ids, np.array([0, 90, 90, 240], dtype=np.int64))
    counts = np.bincount(ids, minlength=60)
    known = np.arange(60) % 2 == 0
    words = np.flatnonzero(known).tolist()
    vectors = draw.normal(scale=0.2, size=(2, 30, 20)).astype(np.float32)
    vectors[0, :, :3] = -0.0  # which adding zeros would turn into 0.0
    starting = StartingVectors(words, *vectors, np.full(30, -3, dtype=np.float32))
    defaults = {"n_components": 20, "window": 6, "subsample": 0.0, "max_iter": 1, "seed": 7}
    parameters = TrainingParameters(**defaults | model)
    return corpus, counts, parameters, starting_rows(starting, list(range(60)))


def train_engine(model, layout, trainable, **options):
    corpus, counts, parameters, init = engine_case(model)
    parameters = dataclasses.replace(parameters, trainable=trainable)
    layout = Layout(*layout, pool_size=40, group_size=5)
    return _training.train(
        corpus, counts, parameters, init=init, layout=layout, **{"n_threads": 1} | options
    )


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("trainable", ["all", "new", "none"])
@pytest.mark.parametrize(
    "model", ENGINE_MODELS, ids=lambda model: " ".join(map(str, model.values()))
)
def test_training_from_init_is_the_reference(model, trainable, layout):
    corpus, counts, parameters, init = engine_case(model)
    start = initial_vectors(counts, keep_thresholds(counts, 0.0), parameters)
    start = Vectors(*(part.copy() for part in start))
    start.input_vectors[init.known] = init.input_vectors
    if parameters.loss != "hierarchical_softmax":
        start.output_vectors[init.known] = init.output_vectors
    if parameters.loss in BIASED_LOSSES:
        start.output_bias[init.known] = init.output_bias
    frozen = {"all": [], "new": np.flatnonzero(init.known), "none": np.arange(60)}[trainable]
    expected = train_reference(
        corpus.token_ids,
        corpus.document_offsets,
        counts,
        parameters,
        start=start,
        frozen=frozen,
        n_shards=layout[0],
        shard_tokens=layout[1],
        pool_size=40,
        group_size=5,
    )
    stay = start.input_vectors[frozen].astype(np.float32)
    for isa in ISAS:
        found = train_engine(model, layout, trainable, isa=isa)
        for name in ("input_vectors", "output_vectors", "output_bias"):
            np.testing.assert_allclose(
                getattr(found, name), getattr(expected, name), rtol=0, atol=2e-5, err_msg=name
            )
        np.testing.assert_allclose(found.loss_curve, expected.loss_curve, rtol=5e-6)
        assert found.input_vectors[frozen].tobytes() == stay.tobytes()


@pytest.mark.skipif(not {"avx2", "avx512"} <= {*ISAS}, reason="needs AVX2 and AVX-512")
@pytest.mark.parametrize("trainable", ["all", "new", "none"])
@by_model
def test_same_bits_on_avx2_and_avx512(model, trainable):
    narrow, wide = (
        train_engine(model, LAYOUTS["shards"], trainable, isa=isa) for isa in ("avx2", "avx512")
    )
    for name in ("input_vectors", "output_vectors", "output_bias", "loss_curve"):
        assert getattr(narrow, name).tobytes() == getattr(wide, name).tobytes()


def test_a_classifier_starts_from_the_words_of_a_transformer_and_not_from_its_output_layer():
    documents = [f"w{i} w{i + 1} w{i + 2}" for i in range(30)] * 2
    words = small(random_state=0).fit(documents)
    assert np.abs(words.output_vectors_).max() > 0
    classifier = EmbeddingClassifier(
        n_components=16, init=words, vocabulary=words.vocabulary_, trainable="none", random_state=0
    )
    classifier.fit(documents, [0, 1] * 30)
    assert (classifier.embedding_vectors_ == words.input_vectors_).all()
    # Three classes, far fewer than words: what words predict has no place among them.
    same = classifier.set_params(init=words.word_vectors()).fit(documents, [0, 1, 2] * 20)
    again = clone(classifier).set_params(init=words).fit(documents, [0, 1, 2] * 20)
    assert same.class_vectors_.tobytes() == again.class_vectors_.tobytes()
