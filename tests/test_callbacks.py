"""scikit-learn's callbacks (1.9 and newer): a task for every epoch."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skw2v import Word2VecTransformer

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")


def small(**parameters):
    return Word2VecTransformer(
        **{"n_components": 8, "min_count": 1, "max_iter": 4, "random_state": 0} | parameters
    )


class Recorder:
    """Writes down what it hears; stops after epoch `stop_after`."""

    def __init__(self, stop_after=None):
        self.heard, self.curves, self.features, self.data = [], [], [], []
        self.stop_after = stop_after

    def setup(self, estimator, context):
        self.heard.append("setup")

    def teardown(self, estimator, context):
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, metadata=None):
        self.heard.append(("begin", context.task_name, context.task_id))
        self.data.append((X, metadata))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.heard.append(("end", context.task_name, context.task_id))
        if context.task_name == "epoch":
            self.curves.append(fitted_estimator.loss_curve_)
            self.features.append(fitted_estimator.transform(["t0w0 t1w0"]))
            return context.task_id == self.stop_after
        return False


@pytest.fixture
def documents(planted):
    return planted.documents[:200]


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_every_epoch_is_a_task(method, documents):
    recorder = Recorder()
    model = small(max_iter=2).set_callbacks(recorder)
    getattr(model, method)(documents)
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
    assert recorder.data[0][0] is documents


def test_the_estimator_so_far_can_be_used(documents):
    recorder = Recorder()
    model = small().set_callbacks(recorder).fit(documents)
    assert [len(curve) for curve in recorder.curves] == [1, 2, 3, 4]
    np.testing.assert_array_equal(recorder.curves[-1], model.loss_curve_)
    np.testing.assert_array_equal(recorder.features[-1], model.transform(["t0w0 t1w0"]))
    assert not np.array_equal(recorder.features[0], recorder.features[-1])


@pytest.mark.parametrize(
    "pooling", ["tfidf", "sif", "scdv", "vlawe", "vlawe_order", "bag_of_words"]
)
def test_the_estimator_so_far_has_learned_its_pooling(documents, pooling):
    recorder = Recorder()
    model = small(pooling=pooling, n_clusters=3).set_callbacks(recorder).fit(documents)
    assert len(recorder.features) == 4
    assert not abs(recorder.features[-1] - model.transform(["t0w0 t1w0"])).max()


def test_training_goes_on_from_the_estimator_so_far(documents):
    class Checkpoint(Recorder):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            self.so_far = fitted_estimator

    checkpoint = Checkpoint()
    small(max_iter=2).set_callbacks(checkpoint).fit(documents)
    expected = small(max_iter=2).fit(documents).partial_fit(documents)
    found = checkpoint.so_far.partial_fit(documents)
    np.testing.assert_array_equal(found.input_vectors_, expected.input_vectors_)


def test_under_early_stopping_the_estimator_so_far_is_that_of_the_best_epoch(documents):
    class Scores(Recorder):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            if context.task_name == "epoch":
                self.features.append(fitted_estimator.transform(["t0w0 t1w0"]))
                self.curves.append(fitted_estimator.validation_scores_)
            return False

    recorder = Scores()
    model = small(early_stopping=True, max_iter=60, learning_rate=0.2).set_callbacks(recorder)
    model.fit(documents)
    for epoch, scores in enumerate(recorder.curves):
        np.testing.assert_array_equal(scores, model.validation_scores_[: epoch + 1])
    assert model.best_epoch_ < model.n_iter_ - 1
    for features in recorder.features[model.best_epoch_ :]:
        np.testing.assert_array_equal(features, model.transform(["t0w0 t1w0"]))


def test_true_from_a_hook_stops_training(documents):
    model = small().set_callbacks(Recorder(stop_after=1)).fit(documents)
    assert model.n_iter_ == len(model.loss_curve_) == 2
    recorder = Recorder()
    small().set_callbacks(recorder).fit(documents)
    np.testing.assert_array_equal(model.transform(["t0w0 t1w0"]), recorder.features[1])


def test_weights_are_metadata(documents):
    recorder, weights = Recorder(), [2.0] * len(documents)
    small(max_iter=1).set_callbacks(recorder).fit(documents, sample_weight=weights)
    assert recorder.data[0][1]["sample_weight"] is weights


def test_memory_does_not_answer_in_their_place(documents, tmp_path):
    small(memory=tmp_path).fit(documents)
    recorder = Recorder(stop_after=0)
    assert small(memory=tmp_path).set_callbacks(recorder).fit(documents).n_iter_ == 1
    assert small(memory=tmp_path).fit(documents).n_iter_ == 4


def test_an_error_still_tears_down(documents):
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("no more")

    recorder = Failing()
    model = small().set_callbacks(recorder)
    with pytest.raises(RuntimeError, match="no more"):
        model.fit(documents)
    assert recorder.heard[-1] == "teardown"
    assert not hasattr(model, "input_vectors_")


def test_scikit_learns_progress_bar_shows_the_epochs_of_a_pipeline(documents, planted, capsys):
    pytest.importorskip("rich")
    model = make_pipeline(small(max_iter=3), LogisticRegression(max_iter=300))
    model.set_callbacks(callback.ProgressBar())
    model.fit(documents, planted.labels[: len(documents)])
    shown = capsys.readouterr().out
    assert "Word2VecTransformer - fit" in shown


def test_scikit_learns_own(documents, planted, capsys):
    labels = planted.labels[: len(documents)]
    monitor = callback.ScoringMonitor(scoring="accuracy")
    model = make_pipeline(small(max_iter=2), LogisticRegression(max_iter=300))
    model.set_callbacks(monitor)
    model.fit(documents, labels)

    def neg_loss(estimator, X, y):
        return -estimator.loss_curve_[-1]

    monitor = callback.ScoringMonitor(scoring={"neg_loss": neg_loss})
    fitted = small(max_iter=3).set_callbacks(monitor).fit(documents, labels)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    np.testing.assert_array_equal([row["neg_loss"] for row in rows], -fitted.loss_curve_)
