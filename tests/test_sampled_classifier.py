"""SampledClassifier among scikit-learn's own: contract, learning, partial_fit, strange input."""

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skw2v import SampledClassifier

LOSSES = ["nce", "sampled_softmax", "softmax"]
by_loss = pytest.mark.parametrize("loss", LOSSES)


CHECKS = parametrize_with_checks([SampledClassifier(loss) for loss in LOSSES])


@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def many_classes(global_random_seed):
    """4,000 samples of 200 classes, by Zipf's law, about noisy centers; the last 1,000 to test."""
    rng = np.random.default_rng(global_random_seed)
    shares = 1 / np.arange(1, 201)
    y = rng.choice(200, 4000, p=shares / shares.sum())
    y[:200] = np.arange(200)
    X = rng.normal(size=(200, 40))[y] + 0.8 * rng.normal(size=(4000, 40))
    return SimpleNamespace(X=X[:3000], y=y[:3000], X_test=X[3000:], y_test=y[3000:])


@by_loss
@pytest.mark.parametrize("as_sparse", [False, True])
def test_learns_many_classes(many_classes, loss, as_sparse):
    make = sparse.csr_matrix if as_sparse else np.asarray
    classifier = SampledClassifier(loss, max_iter=10, random_state=0)
    classifier.fit(make(many_classes.X), many_classes.y)
    majority = np.mean(many_classes.y_test == 0)
    assert majority < 0.25
    assert classifier.score(make(many_classes.X_test), many_classes.y_test) > 0.85
    assert classifier.loss_curve_[-1] < 0.8 * classifier.loss_curve_[0]
    assert all(isinstance(loss, float) for loss in classifier.loss_curve_)


@by_loss
def test_dense_and_sparse_learn_the_same(many_classes, loss):
    X, y = many_classes.X * (np.abs(many_classes.X) > 0.5), many_classes.y
    dense, by_csr = (
        SampledClassifier(loss, max_iter=3, random_state=0).fit(features, y)
        for features in (X, sparse.csr_matrix(X))
    )
    np.testing.assert_allclose(by_csr.coef_, dense.coef_, atol=2e-4)
    np.testing.assert_allclose(by_csr.loss_curve_, dense.loss_curve_, rtol=1e-5)


def test_the_softmax_nears_the_optimum_that_logistic_regression_finds():
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    exact = LogisticRegression(C=1e4, max_iter=10_000).fit(X, y)
    ours = SampledClassifier("softmax", max_iter=1000, random_state=0).fit(X, y)
    losses = [-np.mean(model.predict_log_proba(X)[np.arange(len(y)), y]) for model in (exact, ours)]
    assert losses[0] - 1e-6 < losses[1] < losses[0] + 0.01


@pytest.mark.parametrize(
    ("loss", "distinct_noise", "n_negatives", "hits"),
    [
        ("nce", True, 1, False),
        ("nce", True, 3, False),
        ("nce", True, 4, False),
        ("nce", False, 5, False),
        ("sampled_softmax", True, 2, True),
        ("sampled_softmax", True, 4, True),
        ("sampled_softmax", False, 200, False),
    ],
)
def test_sampling_estimates_the_probabilities_that_are_there(
    loss, distinct_noise, n_negatives, hits
):
    # One feature that is always 1: the best a model can do is to say how often each class occurs.
    # With repeated noise the sampled softmax does so for much of it, hits kept.
    y = np.repeat([0, 1, 2, 3], [400, 300, 200, 100])
    classifier = SampledClassifier(
        loss,
        n_negatives=n_negatives,
        distinct_noise=distinct_noise,
        remove_accidental_hits=hits,
        learning_rate=0.1,
        min_learning_rate=0,
        random_state=0,
    ).fit(np.ones((1000, 1)), y)
    found = classifier.predict_proba(np.ones((1, 1)))[0]
    np.testing.assert_allclose(found, [0.4, 0.3, 0.2, 0.1], atol=0.03)
    if loss == "nce":  # normalised by itself
        total = np.exp(classifier.decision_function(np.ones((1, 1)))).sum()
        assert total == pytest.approx(1.0, abs=0.05)


@by_loss
def test_n_jobs_does_not_change_a_bit(many_classes, loss, monkeypatch):
    monkeypatch.setattr("skw2v._output_training.LEAST_WORK", 1)
    one, three = (
        SampledClassifier(loss, batch_size=500, max_iter=1, random_state=0, n_jobs=n_jobs).fit(
            many_classes.X, many_classes.y
        )
        for n_jobs in (1, 3)
    )
    assert one.coef_.tobytes() == three.coef_.tobytes()
    assert one.intercept_.tobytes() == three.intercept_.tobytes()
    assert one.loss_curve_ == three.loss_curve_


@by_loss
def test_two_classes_have_one_row(loss):
    X, y = load_iris(return_X_y=True)
    X, y = X[50:], np.array(["no", "yes"])[y[50:] - 1]
    classifier = SampledClassifier(loss, random_state=0).fit(X, y)
    assert classifier.coef_.shape == (1, 4)
    assert classifier.intercept_.shape == (1,)
    scores = X @ classifier.coef_[0] + classifier.intercept_[0]
    np.testing.assert_allclose(classifier.decision_function(X), scores, rtol=1e-5)
    np.testing.assert_array_equal(classifier.predict(X) == "yes", scores > 0)
    np.testing.assert_allclose(classifier.predict_proba(X)[:, 1], 1 / (1 + np.exp(-scores)))
    assert classifier.score(X, y) > 0.8


def test_predictions_agree_with_each_other(many_classes, monkeypatch):
    classifier = SampledClassifier(max_iter=2, random_state=0).fit(many_classes.X, many_classes.y)
    X = many_classes.X_test
    scores = classifier.decision_function(X)
    np.testing.assert_allclose(
        scores, X @ classifier.coef_.T.astype(float) + classifier.intercept_, rtol=1e-12
    )
    probabilities = classifier.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    np.testing.assert_allclose(np.log(probabilities), classifier.predict_log_proba(X), atol=1e-9)
    monkeypatch.setattr("skw2v.sampled_classifier.SCORES_AT_ONCE", 700)  # three rows
    np.testing.assert_array_equal(classifier.predict(X), classifier.classes_[scores.argmax(axis=1)])
    assert classifier.decision_function(X.astype(np.float32)).dtype == np.float32


def test_pickle_keeps_the_result_and_goes_on_alike(many_classes):
    X, y = many_classes.X, many_classes.y
    fitted = SampledClassifier(max_iter=2, random_state=0).fit(X, y)
    copy = pickle.loads(pickle.dumps(fitted))
    for classifier in (fitted, copy):
        classifier.partial_fit(X[:500], y[:500])
    np.testing.assert_array_equal(copy.coef_, fitted.coef_)
    np.testing.assert_array_equal(copy.predict(X), fitted.predict(X))


def test_partial_fit_learns_from_batches(many_classes):
    X, y = many_classes.X, many_classes.y
    classifier = SampledClassifier(random_state=0)
    for _ in range(15):
        for first in range(0, len(y), 500):
            batch = slice(first, first + 500)
            classifier.partial_fit(X[batch], y[batch], classes=np.arange(200))
    assert classifier.score(many_classes.X_test, many_classes.y_test) > 0.8
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 90
    np.testing.assert_array_equal(classifier.class_count_, 15 * np.bincount(y))


def test_partial_fit_at_a_constant_rate_is_fit_at_one(many_classes):
    X, y = many_classes.X, many_classes.y
    constant = {"learning_rate": 0.3, "min_learning_rate": 0.3, "random_state": 0}
    fitted = SampledClassifier(max_iter=1, **constant).fit(X, y)
    partly = SampledClassifier(**constant).partial_fit(X, y, np.unique(y))
    assert partly.coef_.tobytes() == fitted.coef_.tobytes()


def test_warm_start_goes_on(many_classes):
    X, y = many_classes.X, many_classes.y
    constant = {"learning_rate": 0.3, "min_learning_rate": 0.3, "random_state": 0}
    at_once = SampledClassifier(max_iter=4, **constant).fit(X, y)
    in_two = SampledClassifier(max_iter=2, warm_start=True, **constant).fit(X, y)
    halfway = in_two.coef_.copy()
    assert in_two.fit(X, y).coef_.tobytes() == at_once.coef_.tobytes()
    assert not np.array_equal(halfway, in_two.coef_)
    with pytest.raises(ValueError, match="warm_start=True goes on with the 200 classes"):
        in_two.fit(X[y < 100], y[y < 100])


def test_labels_and_names_of_any_kind(many_classes):
    X = pd.DataFrame(many_classes.X, columns=[f"f{i}" for i in range(40)])
    names = np.array([f"class {i:03}" for i in range(200)])
    by_name = SampledClassifier(max_iter=2, random_state=0).fit(X, names[many_classes.y])
    by_number = SampledClassifier(max_iter=2, random_state=0).fit(many_classes.X, many_classes.y)
    assert by_name.coef_.tobytes() == by_number.coef_.tobytes()
    np.testing.assert_array_equal(by_name.feature_names_in_, X.columns)
    np.testing.assert_array_equal(by_name.predict(X), names[by_number.predict(many_classes.X)])


def test_random_state_decides(many_classes):
    one, same, other = (
        SampledClassifier(max_iter=1, random_state=seed).fit(many_classes.X, many_classes.y)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.coef_, same.coef_)
    assert not np.array_equal(one.coef_, other.coef_)


def test_in_a_pipeline():
    X, y = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), SampledClassifier("softmax", random_state=0))
    assert cross_val_score(model, X, y).mean() > 0.9


def test_progress_is_shown(capsys):
    X, y = load_iris(return_X_y=True)
    SampledClassifier(max_iter=2, verbose=1).fit(X, y)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("[SampledClassifier] epoch 1 of 2: loss ")
    assert second.endswith(" samples/s")


# --- Strange input


@by_loss
def test_all_zero_features_leave_the_class_shares(loss):
    y = np.repeat([0, 1, 2], [50, 30, 20])
    classifier = SampledClassifier(loss, random_state=0).fit(np.zeros((100, 3)), y)
    assert not classifier.coef_.any()
    np.testing.assert_array_equal(classifier.predict(np.zeros((2, 3))), [0, 0])


def test_a_sparse_matrix_without_entries():
    X, y = sparse.csr_matrix((6, 4)), [0, 1, 2, 0, 1, 2]
    classifier = SampledClassifier(random_state=0).fit(X, y)
    assert not classifier.coef_.any()
    assert classifier.predict(X).shape == (6,)


@pytest.mark.parametrize("distinct_noise", [True, False])
def test_a_batch_larger_than_the_data_and_more_noise_than_classes(distinct_noise):
    X, y = load_iris(return_X_y=True)
    classifier = SampledClassifier(
        batch_size=10_000,
        n_negatives=300,
        distinct_noise=distinct_noise,
        max_iter=3,
        random_state=0,
    )
    assert np.isfinite(classifier.fit(X, y).coef_).all()


def test_more_distinct_noise_than_classes_is_all_of_them(many_classes):
    X, y = many_classes.X, many_classes.y
    all_of_them, more = (
        SampledClassifier(n_negatives=n, max_iter=1, random_state=0).fit(X, y) for n in (200, 999)
    )
    assert more.coef_.tobytes() == all_of_them.coef_.tobytes()


def test_distinct_noise_among_classes_that_have_not_occurred():
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    classifier = SampledClassifier(n_negatives=5, learning_rate=0.1, random_state=0)
    for _ in range(20):
        classifier.partial_fit(X, y, classes=np.arange(1000))  # three so far
    assert classifier.score(X, y) > 0.8
    assert np.isfinite(classifier.coef_).all()


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="contains only one class: 'a'"):
        SampledClassifier().fit([[1.0], [2.0]], ["a", "a"])


def test_a_label_that_was_not_announced_is_refused():
    classifier = SampledClassifier()
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        classifier.partial_fit([[1.0]], [0])
    for _ in range(2):  # a first call that fails is no first call
        with pytest.raises(ValueError, match="y has the label 2, which is not among the 2 classes"):
            classifier.partial_fit([[1.0], [2.0]], [0, 2], classes=[0, 1])
    classifier.partial_fit([[1.0], [2.0]], [0, 1], classes=[0, 1])
    assert classifier.n_iter_ == 1


def test_rates_that_cannot_be_are_refused():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="the rate can only fall"):
        SampledClassifier(learning_rate=0.1, min_learning_rate=0.2).fit(X, y)
    with pytest.raises(ValueError, match=r"training has diverged: .* Lower learning_rate"):
        SampledClassifier(learning_rate=1e38).fit(X, y)


def test_a_fit_that_fails_leaves_the_last_one(many_classes):
    fitted = SampledClassifier(max_iter=1, random_state=0).fit(many_classes.X, many_classes.y)
    coef = fitted.coef_.copy()
    with pytest.raises(ValueError, match="Scale the features"):
        fitted.fit(1e30 * many_classes.X, many_classes.y)
    np.testing.assert_array_equal(fitted.coef_, coef)


def test_before_fit_there_is_nothing():
    classifier = clone(SampledClassifier())
    assert not hasattr(classifier, "coef_")
    with pytest.raises(NotFittedError):
        classifier.predict([[1.0]])
