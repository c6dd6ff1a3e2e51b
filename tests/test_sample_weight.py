"""sample_weight: whole numbers repeat a document to the bit, fractions do in expectation."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skw2v import Word2VecTransformer, _fitting
from skw2v._corpus import Corpus
from skw2v._progress import no_progress
from skw2v._training import _corpus_of_epoch


def small(**parameters):
    return Word2VecTransformer(
        **{"n_components": 16, "min_count": 1, "max_iter": 3, "random_state": 0} | parameters
    )


def assert_same_bits(found, expected):
    assert found.vocabulary_ == expected.vocabulary_
    for name in ("input_vectors_", "output_vectors_", "output_bias_", "word_counts_"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.fixture
def documents(planted):
    return planted.documents[:300]


@pytest.fixture
def weights(documents):
    return np.random.default_rng(0).integers(0, 4, len(documents))


@pytest.mark.parametrize("loss", ["negative_sampling", "nce", "hierarchical_softmax"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_whole_weight_is_the_document_repeated(loss, method, documents, weights):
    repeated = np.repeat(np.array(documents, dtype=object), weights)
    expected = getattr(small(loss=loss, min_count=3), method)(repeated)
    model = small(loss=loss, min_count=3)
    found = getattr(model, method)(documents, sample_weight=weights.astype(float))
    assert found.word_counts_.dtype == np.int64
    assert_same_bits(found, expected)


def test_weight_0_is_absence_but_for_the_features(documents):
    weight = np.ones(len(documents))
    weight[::3] = 0
    strange = [
        f"odd{i} odd{i} odd{i}" if w == 0 else d
        for i, (d, w) in enumerate(zip(documents, weight, strict=True))
    ]
    there = [d for d, w in zip(strange, weight, strict=True) if w]
    expected = small().fit(there)
    model = small()
    features = model.fit_transform(strange, sample_weight=weight)
    assert_same_bits(model, expected)
    np.testing.assert_array_equal(features, expected.transform(strange))


def test_one_weight_for_all_is_as_if_there_were_none(documents):
    expected = small().fit(documents)
    for ones in (1, 1.0, np.ones(len(documents)), [1] * len(documents)):
        assert_same_bits(small().fit(documents, sample_weight=ones), expected)


def test_a_fraction_is_trained_as_often_in_expectation():
    corpus = Corpus(np.arange(4, dtype=np.int32), np.arange(5))
    weight = np.array([0.25, 1.5, 2.0, 0.0])
    counts = np.zeros(4)
    for epoch in range(4000):
        drawn = _corpus_of_epoch(corpus, weight, 7, epoch)
        times = np.bincount(drawn.token_ids, minlength=4)
        assert times[2:].tolist() == [2, 0]
        assert times[0] in (0, 1)
        assert times[1] in (1, 2)
        counts += times
    np.testing.assert_allclose(counts / 4000, weight, atol=0.04)  # five standard errors


def test_fractions_count_as_fractions(documents):
    model = small().fit(["a1 b1 a1", "b1 c1"], sample_weight=[0.5, 1.5])
    assert model.vocabulary_ == {"b1": 0, "c1": 1, "a1": 2}
    assert model.word_counts_.tolist() == [2.0, 1.5, 1.0]
    assert np.isfinite(model.input_vectors_).all()


@pytest.mark.parametrize("loss", ["negative_sampling", "nce", "softmax", "hierarchical_softmax"])
def test_counts_below_one_train_like_any_others(loss):
    # A word whose count is rounded down would never be noise, and at last there would be none.
    documents = ["a1 b1 c1 a1", "b1 c1"] * 20
    model = small(loss=loss, vocabulary=["a1", "b1", "c1"], subsample=0, max_iter=30)
    model.fit(documents, sample_weight=1 / 64)
    assert model.word_counts_.tolist() == [0.625, 0.625, 0.625]
    assert np.isfinite(model.score(documents))


def test_weights_beyond_all_memory_are_an_error(documents):
    model = small()
    with pytest.raises(ValueError, match="divide the weights by a common factor"):
        model.fit(documents, sample_weight=1e9)
    assert not hasattr(model, "input_vectors_")


def test_weights_that_draw_no_document_are_an_error():
    model = small(vocabulary=["a1", "b1"])
    with pytest.raises(ValueError, match="no document was drawn in 3 epochs"):
        model.fit(["a1 b1 a1 b1"], sample_weight=1e-9)
    assert not hasattr(model, "input_vectors_")


@pytest.mark.parametrize("n_jobs", [2, 3])
@pytest.mark.parametrize("loss", ["negative_sampling", "sampled_softmax", "hierarchical_softmax"])
def test_fractions_give_the_same_bits_at_any_number_of_threads(loss, n_jobs, documents):
    weight = np.random.default_rng(1).random(len(documents))
    expected = small(loss=loss, n_jobs=1).fit(documents, sample_weight=weight)
    assert_same_bits(small(loss=loss, n_jobs=n_jobs).fit(documents, sample_weight=weight), expected)


def test_weights_pull_the_vectors_their_way(planted):
    # Two topics; where the weight is, the loss of its documents is lower.
    documents = [d for d, y in zip(planted.documents, planted.labels, strict=True) if y < 2]
    label = np.array([y for y in planted.labels if y < 2])
    models = [
        small(max_iter=10, window=5).fit(
            documents, sample_weight=np.where(label == favoured, 1.7, 0.3)
        )
        for favoured in (0, 1)
    ]
    held = [[d for d, y in zip(documents, label, strict=True) if y == k][:100] for k in (0, 1)]
    scores = np.array([[model.score(part) for part in held] for model in models])
    assert scores[0, 0] > scores[1, 0]
    assert scores[1, 1] > scores[0, 1]


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0], "1 weights for 3 documents"),
        ([[1.0], [1.0], [1.0]], "must be 1-D"),
        ([1.0, np.nan, 1.0], "contains nan"),
        ([1.0, np.inf, 1.0], "contains inf"),
        ([1.0, -2.0, 1.0], "contains -2.0"),
        ([0.0, 0.0, 0.0], "every sample_weight is zero"),
        (0, "every sample_weight is zero"),
        ("balanced", "sample_weight='balanced': expected an array of numbers"),
        ([0.01, 0.01, 0.01], "the commonest occurs 0.02 times"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform", "partial_fit"])
def test_bad_weights_are_an_error_and_nothing_is_fitted(weight, message, method):
    model = small()
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(["a1 b1", "b1 c1", "c1 a1"], sample_weight=weight)
    assert not hasattr(model, "input_vectors_")


def test_no_documents_is_the_error_whatever_their_weights():
    for weight in (None, [], 1, 0):
        with pytest.raises(ValueError, match="no documents"):
            small().fit([], sample_weight=weight)


def test_progress_knows_how_many_words_an_epoch_has(documents, monkeypatch):
    asked = []

    def spy(*arguments, words_per_epoch, **options):
        asked.append(words_per_epoch)
        return no_progress

    monkeypatch.setattr(_fitting, "Progress", spy)
    for weight in (None, 3, 0.5):
        small(verbose=1).fit(documents, sample_weight=weight)
    # Words that occur once do not come to min_count=1 at a weight of 0.5.
    assert asked == pytest.approx([16 * 300, 3 * 16 * 300, 0.5 * 16 * 300], rel=0.01)


def test_weights_reach_the_transformer_through_pipeline_and_search(documents, planted, weights):
    labels = planted.labels[: len(documents)]
    with config_context(enable_metadata_routing=True):
        transformer = small().set_fit_request(sample_weight=True)
        classifier = LogisticRegression(max_iter=300).set_fit_request(sample_weight=False)
        model = make_pipeline(transformer, classifier)
        model.fit(documents, labels, sample_weight=weights)
        assert_same_bits(model[0], small().fit(documents, sample_weight=weights))
        accuracy = make_scorer(accuracy_score).set_score_request(sample_weight=False)
        grid = {"word2vectransformer__window": [2, 3]}
        search = GridSearchCV(model, grid, scoring=accuracy, cv=2)
        search.fit(documents, labels, sample_weight=weights)
        best = search.best_params_["word2vectransformer__window"]
        assert_same_bits(
            search.best_estimator_[0], small(window=best).fit(documents, sample_weight=weights)
        )


def test_memory_tells_weights_apart(documents, tmp_path, weights):
    models = [
        small(memory=tmp_path).fit(documents, sample_weight=weight)
        for weight in (None, weights, weights, weights / 2)
    ]
    np.testing.assert_array_equal(models[1].input_vectors_, models[2].input_vectors_)
    assert len({model.input_vectors_.tobytes() for model in models}) == 3
