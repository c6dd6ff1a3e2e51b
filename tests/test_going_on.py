"""Training that goes on: warm_start and partial_fit, to the bit where that is promised."""

import copy
import pickle
from collections import Counter

import numpy as np
import pytest

from skw2v import Word2VecTransformer, _fitting
from skw2v._parameters import training_parameters
from skw2v._training import rate_at

LOSSES = ["negative_sampling", "nce", "sampled_softmax", "hierarchical_softmax", "softmax"]
by_loss = pytest.mark.parametrize("loss", LOSSES)
VECTORS = ("input_vectors_", "output_vectors_", "output_bias_", "loss_curve_")


def small(**parameters):
    return Word2VecTransformer(
        **{"n_components": 16, "min_count": 1, "max_iter": 4, "random_state": 0} | parameters
    )


def constant(**parameters):
    return small(learning_rate=0.05, min_learning_rate=0.05, **parameters)


def assert_same_bits(found, expected):
    for name in VECTORS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    assert found.n_iter_ == expected.n_iter_
    assert found.vocabulary_ == expected.vocabulary_


@pytest.fixture
def documents(planted):
    return planted.documents[:400]


# --- warm_start


@by_loss
@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_warm_start_at_a_constant_rate_ends_with_the_bits_of_one_fit(loss, architecture, documents):
    at_once = constant(loss=loss, architecture=architecture).fit(documents)
    in_parts = constant(loss=loss, architecture=architecture, warm_start=True, max_iter=1)
    for max_iter in (1, 2, 4):
        in_parts.set_params(max_iter=max_iter, n_jobs=1 + max_iter % 2).fit(documents)
    assert_same_bits(in_parts, at_once)


def test_warm_start_goes_on_in_another_process(documents):
    half = constant(warm_start=True, max_iter=2).fit(documents)
    half = pickle.loads(pickle.dumps(half)).set_params(max_iter=4).fit(documents)
    assert_same_bits(half, constant().fit(documents))


def test_warm_start_without_random_state_keeps_the_first_seed(documents):
    model = constant(random_state=None, warm_start=True, max_iter=2).fit(documents)
    first = copy.deepcopy(model)
    assert_same_bits(
        model.set_params(max_iter=3).fit(documents), first.set_params(max_iter=3).fit(documents)
    )


def test_a_falling_rate_goes_on_from_where_the_new_way_down_is(documents):
    model = small(warm_start=True, max_iter=2).fit(documents)
    before = model.input_vectors_
    model.set_params(max_iter=4).fit(documents)
    assert model.n_iter_ == len(model.loss_curve_) == 4
    assert not np.array_equal(before, model.input_vectors_)
    assert not np.array_equal(model.input_vectors_, small().fit(documents).input_vectors_)


def test_warm_start_with_the_same_max_iter_changes_nothing(documents):
    model = constant(warm_start=True).fit(documents)
    before = copy.deepcopy(model)
    assert_same_bits(model.fit(documents), before)


def test_without_warm_start_fit_starts_afresh(documents):
    model = constant().fit(documents[:50])
    assert_same_bits(model.fit(documents), constant().fit(documents))


def test_warm_start_does_not_change_what_it_started_from(documents):
    model = constant(warm_start=True, max_iter=2).fit(documents)
    vectors, copied = model.input_vectors_, model.input_vectors_.copy()
    model.set_params(max_iter=4).fit(documents)
    np.testing.assert_array_equal(vectors, copied)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"max_iter": 1}, "max_iter=1 is below the 2 epochs"),
        ({"n_components": 8}, "n_components=8 from a model that was trained with n_components=16"),
        ({"loss": "nce"}, "loss='nce'"),
        ({"architecture": "cbow"}, "architecture='cbow'"),
    ],
)
def test_warm_start_that_cannot_go_on_says_why_and_leaves_the_model(changed, message, documents):
    model = constant(warm_start=True, max_iter=2).fit(documents)
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match=message):
        model.set_params(**changed).fit(documents)
    assert_same_bits(model, before)


@pytest.mark.parametrize("others", [[], ["never seen"], [""]])
def test_warm_start_on_documents_without_known_words_is_an_error(others, documents):
    model = constant(warm_start=True, max_iter=2).fit(documents)
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match="nothing to learn"):
        model.set_params(max_iter=4).fit(others)
    assert_same_bits(model, before)


# --- partial_fit


@by_loss
def test_partial_fit_of_the_same_documents_is_one_epoch_each(loss, documents):
    expected = constant(loss=loss, max_iter=1).fit(documents)
    found = constant(loss=loss).partial_fit(documents)
    assert_same_bits(found, expected)
    assert found.partial_fit(documents).n_iter_ == 2


@by_loss
def test_a_stream_learns(loss, planted):
    model = small(loss=loss, learning_rate=0.05)
    for first in range(0, 3000, 500):
        model.partial_fit(planted.documents[first : first + 500])
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.word_counts_.sum() == 16 * 3000
    held_out = planted.documents[:200]
    assert model.score(held_out) > small(loss=loss).partial_fit(held_out).score(held_out)


def test_counts_follow_the_stream_and_the_words_stay(documents):
    model = small().partial_fit(documents[:100])
    words = list(model.vocabulary_)
    model.partial_fit([*documents[100:200], "never seen before"])
    assert list(model.vocabulary_) == words
    expected = Counter(" ".join(documents[:200]).split())
    assert model.word_counts_.tolist() == [expected[word] for word in words]


def test_partial_fit_goes_on_after_fit(documents):
    model = constant(max_iter=2).fit(documents[:200])
    fitted = model.input_vectors_
    model.partial_fit(documents[200:])
    assert model.n_iter_ == 3
    assert model.input_vectors_.shape == fitted.shape
    assert not np.array_equal(model.input_vectors_, fitted)


def test_a_batch_without_known_words_changes_no_vector(documents):
    model = small().partial_fit(documents)
    before = model.input_vectors_
    model.partial_fit(["nothing of that"])
    np.testing.assert_array_equal(model.input_vectors_, before)


def test_a_vocabulary_given_at_construction_is_kept(documents):
    model = small(vocabulary=["t0w0", "t1w0", "common0", "common1", "later"])
    model.partial_fit(documents[:200]).partial_fit(["later later common0", *documents[200:]])
    assert list(model.vocabulary_) == ["t0w0", "t1w0", "common0", "common1", "later"]
    assert model.word_counts_[4] == 2
    assert np.isfinite(model.input_vectors_).all()


def test_a_first_batch_without_words_of_the_given_vocabulary_is_an_error():
    model = small(vocabulary=["a1", "b1"], grow_vocabulary=True, min_count=3)
    with pytest.raises(ValueError, match="nothing to learn: none of the 2 words"):
        model.partial_fit(["c1 c1"])
    assert not hasattr(model, "input_vectors_")


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "hierarchical_softmax"])
def test_words_join_when_they_have_occurred_often_enough(loss):
    model = small(loss=loss, min_count=3, grow_vocabulary=True)
    model.partial_fit(["a1 b1 a1 b1 a1 b1 c1 c1"])
    assert list(model.vocabulary_) == ["a1", "b1"]
    kept = model.input_vectors_.copy()
    model.partial_fit(["c1 d1 d1"])
    assert model.vocabulary_ == {"a1": 0, "b1": 1, "c1": 2}
    assert model.word_counts_.tolist() == [3, 3, 3]
    assert model.input_vectors_.shape == (3, 16)
    np.testing.assert_array_equal(model.input_vectors_[:2], kept)  # c1 stood alone: no pair
    model.partial_fit(["d1 e1 e1 e1 e1 a1"])
    assert list(model.vocabulary_) == ["a1", "b1", "c1", "e1", "d1"]
    assert model.word_counts_.tolist() == [4, 3, 3, 4, 3]
    assert np.isfinite(model.output_bias_).all()
    assert len(model.output_vectors_) == 5
    assert model.transform(["e1"]).any()


def test_what_a_stream_has_seen_outlasts_a_warm_start():
    model = small(grow_vocabulary=True, min_count=2, warm_start=True, total_words=1000)
    model.partial_fit(["a1 b1 a1 b1 c1"])
    model.fit(["a1 b1"])
    assert model._words_seen == 4
    model.partial_fit(["c1 a1"])
    assert list(model.vocabulary_) == ["a1", "b1", "c1"]


def test_growing_fills_max_features_and_no_more():
    model = small(grow_vocabulary=True, max_features=3).partial_fit(["a1 a1 b1 b1"])
    model.partial_fit(["c1 c1 d1"]).partial_fit(["d1 d1 d1 a1"])
    assert list(model.vocabulary_) == ["a1", "b1", "c1"]


def test_the_vectors_of_new_words_start_as_those_of_a_fit_do(documents):
    few, many = documents[:100], documents
    grown = constant(grow_vocabulary=True).partial_fit(few)
    n_old = len(grown.vocabulary_)
    grown.partial_fit(["brandnew"])  # no pair: its vector is the one it starts with
    fitted = constant(max_iter=1).fit([*many, *("zz" + str(i) for i in range(50))])
    untouched = fitted.vocabulary_["zz0"]
    assert grown.vocabulary_["brandnew"] == n_old
    # Both are drawn from the seed, uniformly from +-.5 / n_components.
    for vector in (grown.input_vectors_[n_old], fitted.input_vectors_[untouched]):
        assert 0.25 / 16 < abs(vector).max() <= 0.5 / 16
    assert not grown.output_vectors_[n_old].any()


def test_the_rate_is_constant_or_falls_over_total_words(documents, monkeypatch):
    rates = []

    def spy(*arguments, rates, **options):
        asked.append(rates)
        return original(*arguments, rates=rates, **options)

    asked, original = rates, _fitting.train_on_batch
    monkeypatch.setattr(_fitting, "train_on_batch", spy)
    small(learning_rate=0.05).partial_fit(documents)
    assert rates.pop() == (0.05, 0.05)
    n_words = 16 * 100
    model = small(
        learning_rate=0.05,
        min_learning_rate=0.01,
        total_words=4 * n_words,
        vocabulary=set(" ".join(documents).split()),
    )
    for first in range(0, 400, 100):
        model.partial_fit(documents[first : first + 100])
    np.testing.assert_allclose(rates, [(0.05, 0.04), (0.04, 0.03), (0.03, 0.02), (0.02, 0.01)])
    model.partial_fit(documents[:100])
    np.testing.assert_allclose(rates[-1], (0.01, 0.01))


def test_rate_at_is_linear_and_then_stays():
    parameters = training_parameters(small(learning_rate=0.05, min_learning_rate=0.01))
    np.testing.assert_allclose(
        rate_at(np.array([0, 0.5, 1, 7]), parameters), [0.05, 0.03, 0.01, 0.01]
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"early_stopping": True}, "partial_fit sees a batch once"),
        ({"grow_vocabulary": True, "loss": "hierarchical_softmax"}, "the tree over the words"),
    ],
)
def test_what_partial_fit_cannot_do_is_an_error(parameters, message, documents):
    model = small(**parameters)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(documents)
    assert not hasattr(model, "input_vectors_")


def test_partial_fit_cannot_change_the_size_of_the_vectors(documents):
    model = small().partial_fit(documents)
    with pytest.raises(ValueError, match="n_components=8"):
        model.set_params(n_components=8).partial_fit(documents)


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_a_stream_has_the_same_bits_at_any_number_of_threads(n_jobs, documents):
    def stream(n_jobs):
        model = small(loss="nce", grow_vocabulary=True, min_count=2, n_jobs=n_jobs)
        for first in range(0, 400, 100):
            model.partial_fit(documents[first : first + 100])
        return model

    assert_same_bits(stream(n_jobs), stream(1))
