"""EmbeddingClassifier among scikit-learn's own: checks, pipelines, searches, files, callbacks."""

import copy
import pickle
import re
from inspect import signature

import numpy as np
import pytest
from numeric_adapter import NumericClassifier
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks, estimator_html_repr, get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from sklearn.utils.validation import check_is_fitted
from test_embedding_classifier import assert_same_bits, by_loss, small
from test_persistence import ROUND_TRIPS

from skw2v import EmbeddingClassifier, Word2VecTransformer


@pytest.fixture(scope="module")
def task(planted):
    return planted.documents[:200], np.array(planted.labels[:200])


# --- Its checks


@pytest.mark.parametrize(
    "check",
    [
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_estimator_tags_renamed",
        "check_get_params_invariance",
        "check_mixin_order",
        "check_no_attributes_set_in_init",
        "check_param_validation",
        "check_parameters_default_constructible",
        "check_set_params",
        "check_valid_tag_types",
    ],
)
def test_checks_that_read_no_data(check):
    getattr(estimator_checks, check)("EmbeddingClassifier", EmbeddingClassifier())


def numeric(**parameters):
    return NumericClassifier(
        **{"n_components": 5, "max_iter": 20, "random_state": 0, "n_jobs": 1} | parameters
    )


NUMERIC = [
    numeric(),
    numeric(loss="ova"),
    numeric(loss="hierarchical_softmax"),
    numeric(loss="nce", ngram_range=(1, 2)),
]
EXPECTED_FAILED_CHECKS = {
    "check_sample_weight_equivalence_on_dense_data": "It shuffles the documents of one of two "
    "estimators, and training draws their order. Without the shuffle they are the same: "
    "test_classifier_fitting.py::test_a_weight_is_a_number_of_repetitions.",
}
CHECKS = parametrize_with_checks(
    NUMERIC, expected_failed_checks=lambda estimator: EXPECTED_FAILED_CHECKS
)


@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_checks_of_classifiers(estimator, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # else the check of array dispatch skips itself
    check(estimator)


OTHER_KINDS = {
    "regress|cluster|outlier|transformer|output_transform|names_out": "They do not classify.",
    "check_classifier_not_supporting_multiclass": "For those that know two classes only.",
    "sample_weight": "Chosen by scikit-learn as soon as `fit` takes weights.",
    "check_fit_non_negative": "For estimators that refuse negative numbers.",
    "check_nonsquare_error": "For estimators that take a matrix of distances.",
    "check_sparsify_coefficients|linear_classifier": "For linear models.",
}


def checks_not_chosen():
    """Every check of an estimator that `parametrize_with_checks` does not make for a classifier."""
    chosen = {check.func.__name__ for _, check in estimator_checks_generator(NUMERIC[0])}
    for name, check in vars(estimator_checks).items():
        if name.startswith("check_") and name not in chosen:
            parameters = signature(check).parameters.values()
            required = [each.name for each in parameters if each.default is each.empty]
            if len(required) == 2 and required[0] == "name":  # the other one is an estimator
                yield name


# Some fit a table and predict an array, or the other way round.
@pytest.mark.filterwarnings("ignore:X .* feature names:UserWarning")
@pytest.mark.parametrize(
    ("loss", "check"),
    [
        (loss, name)
        for name in checks_not_chosen()
        if not re.search("|".join(OTHER_KINDS), name)
        for loss in ("softmax", "ova")
        if loss == "ova" or not re.search("multilabel|multioutput", name)
    ],
)
def test_checks_that_scikit_learn_keeps_for_itself(loss, check):
    getattr(estimator_checks, check)("NumericClassifier", numeric(loss=loss))


def test_tags():
    tags = get_tags(small())
    assert tags.estimator_type == "classifier"
    assert tags.input_tags.string
    assert tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array
    assert tags.target_tags.required
    assert tags.classifier_tags.multi_class
    assert not tags.classifier_tags.multi_label
    assert not tags.target_tags.multi_output
    assert not tags.non_deterministic
    assert get_tags(small(loss="ova")).classifier_tags.multi_label


# --- Clones, pipelines, searches


def test_clone_keeps_every_parameter(task):
    model = small(
        loss="nce", ngram_range=(1, 2), init={"word": [0.0] * 10}, class_weight="balanced"
    )
    copied = clone(model)
    assert copied is not model
    assert copied.get_params() == model.get_params()
    teacher = small(max_iter=1).fit(*task)
    assert clone(small(init=teacher)).init is teacher  # which a clone would unfit


def test_a_pipeline_and_a_cross_validation(task):
    strip = FunctionTransformer(
        lambda documents: [text.replace("common", "") for text in documents]
    )
    model = make_pipeline(strip, small(max_iter=10))
    assert cross_val_score(model, *task, cv=2).min() > 0.8
    probabilities = cross_val_predict(model, *task, cv=2, method="predict_proba")
    assert probabilities.shape == (200, 10)


def test_a_grid_search(task):
    grid = {"loss": ["softmax", "ova"], "ngram_range": [(1, 1), (1, 2)]}
    documents = small().encode(task[0])
    results = [
        GridSearchCV(small(), grid, cv=2, scoring="neg_log_loss").fit(X, task[1])
        for X in (task[0], documents)
    ]
    scores = [search.cv_results_["mean_test_score"].tolist() for search in results]
    assert scores[0] == scores[1]
    assert len(set(scores[0])) == 4
    assert results[0].predict(task[0][:3]).shape == (3,)


def test_scikit_learns_scorers(task):
    model = small(max_iter=10).fit(*task)
    for scorer in ("accuracy", "neg_log_loss", "roc_auc_ovr", "top_k_accuracy"):
        assert np.isfinite(get_scorer(scorer)(model, *task))
    binary = small(max_iter=10).fit(task[0], task[1] < 5)
    assert get_scorer("roc_auc")(binary, task[0], task[1] < 5) > 0.95


def test_word_vectors_start_it_in_every_fold(task):
    words = Word2VecTransformer(n_components=10, min_count=1, max_iter=1, random_state=0)
    model = make_pipeline(small(init=words.fit(task[0])))
    assert cross_val_score(model, *task, cv=2).min() > 0.5
    check_is_fitted(words)


# --- Files


@by_loss
@pytest.mark.parametrize("round_trip", [*ROUND_TRIPS, copy.copy, copy.deepcopy])
def test_a_stored_classifier_is_the_same_and_goes_on_the_same(task, round_trip, loss):
    model = small(loss=loss, ngram_range=(1, 2), max_iter=2).fit(*task)
    loaded = round_trip(model)
    assert_same_bits(loaded, model)
    np.testing.assert_array_equal(loaded.predict_proba(task[0]), model.predict_proba(task[0]))
    np.testing.assert_array_equal(loaded.classes_, model.classes_)
    for goes_on in (model, loaded):
        goes_on.partial_fit(*task)
    assert_same_bits(loaded, model)


@pytest.mark.parametrize("round_trip", ROUND_TRIPS)
def test_a_stored_classifier_of_several_classes_knows_so(task, round_trip):
    y = np.eye(10, dtype=int)[task[1]]
    model = small(loss="ova").fit(task[0], y)
    np.testing.assert_array_equal(round_trip(model).predict(task[0]), model.predict(task[0]))


@pytest.mark.parametrize("round_trip", ROUND_TRIPS)
def test_an_unfitted_one_is_stored_too(round_trip):
    loaded = round_trip(small(loss="nce"))
    assert loaded.get_params() == small(loss="nce").get_params()
    assert not hasattr(loaded, "classes_")


def test_a_pickle_of_a_later_version_is_an_error(task):
    model = small(max_iter=1).fit(*task)
    state = model.__getstate__()
    state["_state_revision"] += 1
    with pytest.raises(ValueError, match="was pickled by a newer skw2v"):
        copy.copy(model).__setstate__(state)


def test_skops_has_to_trust_skw2v_and_nothing_else(task):
    skops_io = pytest.importorskip("skops.io")
    untrusted = skops_io.get_untrusted_types(data=skops_io.dumps(small(max_iter=1).fit(*task)))
    assert "skw2v.embedding_classifier.EmbeddingClassifier" in untrusted
    assert {name.split(".")[0] for name in untrusted} == {"skw2v"}


def test_labels_of_documents_are_not_stored(task):
    sizes = [
        len(pickle.dumps(small(max_iter=1, vocabulary=["t0w0", "t1w0"]).fit(X, y)))
        for X, y in (task, (task[0] * 20, np.tile(task[1], 20)))
    ]
    assert sizes[1] - sizes[0] < 100


def test_html_repr_has_no_dead_links(task):
    for model in (small(), small(max_iter=1).fit(*task)):
        html = estimator_html_repr(model)
        assert "EmbeddingClassifier" in html
        assert "href" not in html


# --- Callbacks


class Recorder:
    """Writes down what it hears; stops after epoch `stop_after`."""

    def __init__(self, stop_after=None):
        self.heard, self.answers, self.data = [], [], None
        self.stop_after = stop_after

    def setup(self, estimator, context):
        self.heard.append("setup")

    def teardown(self, estimator, context):
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.heard.append(("begin", context.task_name, context.task_id))
        self.data = self.data or (X, y, metadata)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.heard.append(("end", context.task_name, context.task_id))
        if context.task_name == "epoch":
            self.answers.append(fitted_estimator.decision_function(["t0w0 t1w0"]))
            return context.task_id == self.stop_after
        return False


@pytest.fixture
def callbacks():
    pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")


@pytest.mark.usefixtures("callbacks")
def test_every_epoch_is_a_task(task):
    recorder, weight = Recorder(), np.ones(200)
    model = small(max_iter=2).set_callbacks(recorder).fit(*task, sample_weight=weight)
    assert recorder.heard == [
        "setup",
        ("begin", "fit", 0),
        ("begin", "epoch", 0),
        ("end", "epoch", 0),
        ("begin", "epoch", 1),
        ("end", "epoch", 1),
        ("end", "fit", 0),
        "teardown",
    ]
    assert recorder.data[0] is task[0]
    assert recorder.data[1] is task[1]
    assert recorder.data[2]["sample_weight"] is weight
    np.testing.assert_array_equal(recorder.answers[-1], model.decision_function(["t0w0 t1w0"]))
    assert (recorder.answers[0] != recorder.answers[1]).any()


@pytest.mark.usefixtures("callbacks")
def test_true_from_a_hook_stops_training(task):
    model = small().set_callbacks(Recorder(stop_after=1)).fit(*task)
    assert model.n_iter_ == len(model.loss_curve_) == 2


@pytest.mark.usefixtures("callbacks")
def test_an_error_still_tears_down(task):
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("no more")

    recorder = Failing()
    model = small().set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="no more"):
        model.fit(*task)
    assert recorder.heard[-1] == "teardown"
    assert not hasattr(model, "classes_")


@pytest.mark.usefixtures("callbacks")
def test_scikit_learns_scoring_monitor(task):
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="accuracy")
    model = small(max_iter=3).set_callbacks(monitor).fit(*task)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert rows[-1]["accuracy"] == model.score(*task)
    assert len(rows) == 3
