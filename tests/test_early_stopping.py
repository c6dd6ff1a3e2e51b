"""early_stopping: held-out documents say when, and the best epoch's vectors stay."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from skw2v import Word2VecTransformer
from skw2v._training import hold_out


def small(**parameters):
    return Word2VecTransformer(
        **{"n_components": 16, "min_count": 1, "max_iter": 3, "random_state": 0} | parameters
    )


def stopping(**parameters):
    return small(**{"early_stopping": True, "max_iter": 60, "learning_rate": 0.2} | parameters)


@pytest.fixture
def documents(planted):
    return planted.documents[:300]


@pytest.fixture
def stopped(documents):
    return stopping().fit(documents)


def test_it_stops_when_the_held_out_documents_gain_no_more(stopped):
    scores = stopped.validation_scores_
    assert stopped.n_iter_ == len(scores) == len(stopped.loss_curve_) < 60
    assert scores.dtype == np.float64
    assert stopped.best_epoch_ == np.argmax(scores)
    assert stopped.best_validation_score_ == scores.max()
    # 3 = n_iter_no_change + 1 epochs in a row without a gain of tol, and not before.
    gains = [score >= max([-np.inf, *scores[:i]]) + 1e-4 for i, score in enumerate(scores)]
    assert gains[-3:] == [False] * 3
    assert not any(not any(gains[i : i + 3]) for i in range(len(gains) - 3))


@pytest.mark.parametrize("loss", ["negative_sampling", "nce", "hierarchical_softmax"])
def test_the_vectors_are_those_of_the_best_epoch(loss, documents):
    model = stopping(loss=loss, random_state=3).fit(documents)
    assert model.best_epoch_ < model.n_iter_ - 1  # else this shows nothing
    held_out = hold_out(np.ones(len(documents)), 0.1, model._trained_with.seed)
    held = [document for document, out in zip(documents, held_out, strict=True) if out]
    assert len(held) == 30
    assert model.score(held) == model.best_validation_score_


def test_held_out_documents_are_not_trained(documents):
    model = stopping(max_iter=2).fit(documents)
    held_out = hold_out(np.ones(len(documents)), 0.1, model._trained_with.seed)
    weight = np.where(held_out, 0.0, 1.0)
    expected = small(max_iter=2, learning_rate=0.2).fit(documents, sample_weight=weight)
    assert model.vocabulary_ == expected.vocabulary_
    np.testing.assert_array_equal(model.input_vectors_, expected.input_vectors_)


def test_features_are_there_for_every_document(documents, stopped):
    features = stopping().fit_transform(documents)
    np.testing.assert_array_equal(features, stopped.transform(documents))


def test_patience_and_tolerance_are_the_users(documents):
    n_epochs = [
        stopping(**parameters).fit(documents).n_iter_
        for parameters in ({"tol": 10.0, "n_iter_no_change": n} for n in (1, 4))
    ]
    # The first epoch always gains; then none does by 10 nats.
    assert n_epochs == [3, 6]


def test_the_rate_falls_over_max_iter_all_the_same(documents):
    whole, part = (stopping(max_iter=n, tol=0, n_iter_no_change=50) for n in (30, 10))
    assert whole.fit(documents).loss_curve_[0] != part.fit(documents).loss_curve_[0]


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_the_same_bits_at_any_number_of_threads(n_jobs, documents, stopped):
    found = stopping(n_jobs=n_jobs).fit(documents)
    np.testing.assert_array_equal(found.validation_scores_, stopped.validation_scores_)
    np.testing.assert_array_equal(found.input_vectors_, stopped.input_vectors_)


def test_the_attributes_go_with_the_next_fit(documents, stopped):
    stopped.set_params(early_stopping=False, max_iter=1).fit(documents)
    assert not hasattr(stopped, "validation_scores_")
    assert not hasattr(stopped, "best_epoch_")


def test_memory_tells_it_apart(documents, tmp_path, stopped):
    plain = small(max_iter=60, learning_rate=0.2, memory=tmp_path).fit(documents)
    for _ in range(2):
        model = stopping(memory=tmp_path).fit(documents)
        np.testing.assert_array_equal(model.validation_scores_, stopped.validation_scores_)
        np.testing.assert_array_equal(model.input_vectors_, stopped.input_vectors_)
    assert plain.n_iter_ == 60


def test_warm_start_goes_on_from_the_best_vectors(documents):
    model = stopping(warm_start=True).fit(documents)
    best = model.best_validation_score_
    model.set_params(max_iter=70).fit(documents)
    assert model.best_validation_score_ >= best
    assert len(model.validation_scores_) == model.n_iter_


def test_epochs_trained_without_it_have_no_score(documents):
    model = small(warm_start=True).fit(documents)
    model.set_params(early_stopping=True, max_iter=5).fit(documents)
    assert np.isnan(model.validation_scores_).tolist() == [True, True, False, False, False]
    assert model.best_validation_score_ == np.nanmax(model.validation_scores_)
    assert model.validation_scores_[model.best_epoch_] == model.best_validation_score_
    best = model.best_validation_score_
    model.set_params(max_iter=7).fit(documents)
    assert len(model.validation_scores_) == 7
    assert model.best_validation_score_ >= best


def test_warm_start_on_other_documents_scores_on_those(documents):
    # The first ones are easy: no epoch on the others could reach their score.
    easy = [document.split()[0] + " " + document.split()[1] for document in documents[:20]] * 15
    model = stopping(warm_start=True, max_iter=5, vocabulary=set(" ".join(documents).split()))
    score = model.fit(easy).best_validation_score_
    vectors = model.input_vectors_
    model.set_params(max_iter=10).fit(documents)
    assert model.best_validation_score_ < score
    assert model.best_epoch_ >= 5
    assert len(model.validation_scores_) == model.n_iter_
    assert not np.array_equal(model.input_vectors_, vectors)
    held_out = hold_out(np.ones(len(documents)), 0.1, model._trained_with.seed)
    held = [document for document, out in zip(documents, held_out, strict=True) if out]
    assert model.score(held) == model.best_validation_score_


def test_warm_start_on_the_same_documents_keeps_the_scores(documents, stopped):
    model = stopping(warm_start=True).fit(documents)
    model.set_params(max_iter=70).fit(documents)
    kept = model.validation_scores_[: stopped.n_iter_]
    np.testing.assert_array_equal(kept, stopped.validation_scores_)


def test_a_search_needs_no_labels(documents):
    grid = {"n_components": [4, 8]}
    search = GridSearchCV(stopping(max_iter=3), grid, cv=2).fit(documents)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert scores[0] != scores[1]


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        (["a1 b1 c1"], "there is 1"),
        (
            ["a1 b1", "c1"],
            "holds out 1 of the documents, and there is nothing to score.*; or raise",
        ),
    ],
)
def test_too_little_to_hold_out_is_an_error(documents, message):
    model = stopping(validation_fraction=0.5, subsample=0)
    with pytest.raises(ValueError, match=message):
        model.fit(documents, sample_weight=None)
    assert not hasattr(model, "input_vectors_")


def test_the_share_held_out_is_rounded_up_but_not_by_rounding():
    assert hold_out(np.ones(100), 0.07, 0).sum() == 7
    assert hold_out(np.ones(101), 0.07, 0).sum() == 8


@pytest.mark.parametrize("fraction", [0.01, 0.3, 0.99])
def test_the_share_held_out(fraction):
    weight = np.ones(50)
    weight[:10] = 0
    held_out = hold_out(weight, fraction, 5)
    assert not held_out[:10].any()
    assert held_out.sum() == min(np.ceil(fraction * 40), 39)
    np.testing.assert_array_equal(held_out, hold_out(weight, fraction, 5))
    assert not np.array_equal(held_out, hold_out(weight, fraction, 6))
