"""EmbeddingClassifier: labels, weights, streams, early stopping, and what an error leaves."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from test_embedding_classifier import ARRAYS, LOSSES, assert_same_bits, by_loss, small

from skw2v import _classifier_fitting, _document_trainer
from skw2v._training import hold_out


@pytest.fixture(scope="module")
def task(planted):
    return planted.documents[:300], np.array(planted.labels[:300])


@pytest.fixture(scope="module")
def later(planted):
    return planted.documents[300:600], np.array(planted.labels[300:600])


# --- Labels


def names(i):
    return ["b", "a", "B", "ab", "", "10", "9", "é", "z", "y"][i]


@pytest.mark.parametrize(
    "name",
    [
        names,
        lambda i: i % 2 == 0,
        lambda i: 3 - 2 * i,
        float,
        lambda i: np.uint8(i + 200),
    ],
    ids=["str", "bool", "int", "float", "uint8"],
)
def test_labels_are_whatever_can_be_sorted(task, name):
    documents, topics = task
    labels = np.array([name(i) for i in topics])
    model = small().fit(documents, labels)
    assert model.classes_.tolist() == sorted({name(i) for i in range(10)})
    assert model.classes_.dtype == labels.dtype
    predicted = model.predict(documents)
    assert predicted.dtype == labels.dtype
    assert np.mean(predicted == labels) > 0.95
    order = model.predict_proba(documents).argmax(axis=1)
    np.testing.assert_array_equal(model.classes_[order], predicted)


@pytest.mark.parametrize(
    "container", [list, tuple, pd.Series, lambda y: pd.Series(y, dtype="category")]
)
def test_labels_come_in_any_container(task, container):
    labels = [names(i) for i in task[1]]
    model = small().fit(task[0], container(labels))
    assert_same_bits(model, small().fit(task[0], np.array(labels)))
    assert set(model.predict(task[0])) <= set(labels)


def test_a_column_of_labels_is_taken_with_a_warning(task):
    with pytest.warns(UserWarning, match="column-vector y was passed"):
        model = small().fit(task[0], task[1][:, np.newaxis])
    assert model.predict(task[0]).shape == (300,)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        (["a"] * 300, "at least 2 classes, but the data contains only one class: 'a'"),
        (np.linspace(0, 1, 300), "Unknown label type: continuous"),
        (np.array([[1, 2], [3, 4]] * 150), "Unknown label type: multiclass-multioutput; expected"),
        ([np.nan] * 300, "Input y contains NaN"),
        ([1.0, np.inf] * 150, "Input y contains infinity"),
        (np.arange(299) % 5, "300 documents and 299 rows of y"),
    ],
)
def test_labels_that_are_none_are_refused(task, labels, message):
    model = small()
    with pytest.raises(ValueError, match=message):
        model.fit(task[0], labels)
    assert not hasattr(model, "classes_")


# --- Weights


@pytest.fixture(scope="module")
def weights():
    return np.random.default_rng(0).integers(0, 4, size=300)


@by_loss
def test_a_weight_is_a_number_of_repetitions(task, weights, loss):
    documents, labels = task
    weighted = small(loss=loss, ngram_range=(1, 2)).fit(documents, labels, sample_weight=weights)
    repeated = small(loss=loss, ngram_range=(1, 2)).fit(
        np.repeat(documents, weights), np.repeat(labels, weights)
    )
    assert_same_bits(weighted, repeated)
    np.testing.assert_array_equal(weighted.word_counts_, repeated.word_counts_)


@by_loss
def test_a_weight_of_zero_is_absent(task, loss):
    documents, labels = task
    weighted = small(loss=loss, ngram_range=(1, 2)).fit(
        [*documents, "only here", "t0w0 only"],
        [*labels, 0, 1],
        sample_weight=[1.0] * 300 + [0.0] * 2,
    )
    assert "only" not in weighted.vocabulary_
    assert_same_bits(weighted, small(loss=loss, ngram_range=(1, 2)).fit(documents, labels))


def test_fractions_are_repetitions_in_expectation(task):
    documents, labels = task
    weight = np.where(labels < 5, 1.9, 0.3)
    model = small(max_iter=1).fit(documents, labels, sample_weight=weight)
    starts = np.log(np.bincount(labels, weight) / weight.sum())
    np.testing.assert_allclose(model._trained.bias_start, starts, rtol=1e-5)
    assert_same_bits(model, small(max_iter=1).fit(documents, labels, sample_weight=weight))


def test_balanced_classes_weigh_alike(task):
    documents, labels = task
    rare = np.where(np.arange(300) % 10 == 0, labels, 3)  # of which topic 0 has most
    hidden = ["", "unknown"]
    plain = small(max_iter=1, trainable="none").fit(documents, rare == 3)
    balanced = small(max_iter=1, trainable="none", class_weight="balanced")
    balanced.fit(documents, rare == 3)
    assert plain.predict_proba(hidden)[0, 1] > 0.8
    assert abs(balanced.predict_proba(hidden)[0, 1] - 0.5) < 0.1
    by_hand = small(max_iter=1, trainable="none", class_weight={False: 5.0, True: 5 / 9})
    n_rare = np.sum(rare != 3)
    by_hand.set_params(class_weight={False: 150 / n_rare, True: 150 / (300 - n_rare)})
    assert_same_bits(by_hand.fit(documents, rare == 3), balanced)


def test_class_weight_times_sample_weight(task, weights):
    documents, labels = task
    both = small(class_weight={i: 2.0 if i else 1.0 for i in range(10)})
    both.fit(documents, labels, sample_weight=weights)
    expected = small().fit(
        documents, labels, sample_weight=weights * np.where(labels == 0, 1.0, 2.0)
    )
    assert_same_bits(both, expected)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([np.nan] * 300, "nan"),
        ([np.inf] * 300, "inf"),
        ([-1.0] * 300, "-1"),
        ([1.0] * 299, "299"),
        ([0.0] * 300, "every sample_weight is zero"),
    ],
)
def test_weights_that_are_none_are_refused(task, weight, message):
    with pytest.raises(ValueError, match=message):
        small().fit(*task, sample_weight=weight)


def test_a_class_of_weight_zero_is_a_class_all_the_same(task):
    documents, labels = task
    for loss in LOSSES:
        model = small(loss=loss).fit(documents, labels, sample_weight=labels != 3)
        assert model.classes_.tolist() == [*range(10)]
        assert 3 not in model.predict(documents)


# --- Streams


@by_loss
def test_a_stream_learns(task, later, loss):
    model = small(loss=loss)
    for start in [0, 100, 200] * 6:
        batch = slice(start, start + 100)
        model.partial_fit(task[0][batch], task[1][batch], classes=range(10))
    assert model.n_iter_ == len(model.loss_curve_) == 18
    assert model.score(*later) > 0.7  # chance is 0.1


@by_loss
def test_partial_fit_goes_on_after_fit(task, later, loss):
    model = small(loss=loss, ngram_range=(1, 2), max_iter=2).fit(*task)
    rows, classes = len(model.embedding_vectors_), model.classes_
    before = model.loss_curve_.tolist()
    untouched = model.ngram_vectors_.copy()
    assert model.partial_fit(*later) is model
    assert (model.n_iter_, model.loss_curve_[:2].tolist()) == (3, before)
    assert len(model.embedding_vectors_) == rows
    assert model.classes_ is classes
    assert (model.ngram_vectors_ != untouched).any()
    assert model.loss_curve_[2] < before[0]


def test_partial_fit_is_the_first_epoch_at_the_full_rate(task):
    rate = {"learning_rate": 0.5, "min_learning_rate": 0.5, "max_iter": 1}
    for loss in LOSSES:
        assert_same_bits(
            small(loss=loss, **rate).partial_fit(*task), small(loss=loss, **rate).fit(*task)
        )


def test_classes_may_come_later(task):
    documents, labels = task
    first, words = labels < 4, sorted({word for text in documents for word in text.split()})
    some = [document for document, is_first in zip(documents, first, strict=True) if is_first]
    for loss in LOSSES:
        model = small(loss=loss, vocabulary=words)
        model.partial_fit(some, labels[first], classes=np.arange(10)[::-1])
        assert model.classes_.tolist() == [*range(10)]
        assert set(model.predict(documents)) <= {0, 1, 2, 3}
        for _ in range(10):
            model.partial_fit(documents, labels)
        assert 9 in model.predict(documents)


@by_loss
def test_rows_that_init_gave_stay_as_the_stream_goes_on(task, later, loss):
    given = {f"t{topic}w0": np.full(10, topic) for topic in range(10)}
    model = small(loss=loss, init=given, trainable="new", ngram_range=(1, 2))
    for documents, labels in (task, later, task):
        before = model.embedding_vectors_.copy() if hasattr(model, "classes_") else None
        model.partial_fit(documents, labels)
        rows = model.embedding_vectors_[[model.vocabulary_[word] for word in given]]
        np.testing.assert_array_equal(rows, [*given.values()])
        assert before is None or (model.embedding_vectors_ != before).any()


def test_a_batch_may_have_no_known_word(task):
    for loss in LOSSES:
        model = small(loss=loss).partial_fit(*task)
        table = model.embedding_vectors_.tobytes()
        model.partial_fit(["unknown", ""], [0, 1]).partial_fit([], [])
        assert model.embedding_vectors_.tobytes() == table
        assert model.loss_curve_[1:].tolist() == [0.0, 0.0]


def test_several_classes_in_a_stream(task):
    documents, labels = task
    y = np.eye(10, dtype=int)[labels]
    model = small(loss="ova", learning_rate=0.5)
    for matrix in (y, sparse.csr_array(y), y, y):
        model.partial_fit(documents, matrix)
    assert model.score(documents, y) > 0.8
    with pytest.raises(ValueError, match="pass the same kind in all"):
        model.partial_fit(documents, labels)
    with pytest.raises(ValueError, match="y has 9 columns, and there are 10 classes"):
        model.partial_fit(documents, y[:, 1:])
    single = small(loss="ova").partial_fit(documents, labels)
    with pytest.raises(ValueError, match="pass the same kind in all"):
        single.partial_fit(documents, y)
    with pytest.raises(ValueError, match=r"numbers of its columns, 0 to 9; leave classes out"):
        small(loss="ova").partial_fit(documents, y, classes=[*range(1, 11)])


@pytest.mark.parametrize(
    ("changes", "labels", "how", "message"),
    [
        ({}, [77] * 300, {}, r"y contains 77, which is none of the 10 classes; name all"),
        ({}, ["a", "b"] * 150, {}, "y contains 'a', which is none of the 10"),
        ({}, None, {"classes": [1, 2]}, "are not those of the first call"),
        ({}, None, {"classes": [1]}, r"classes=\[1\]: a classifier needs at least 2 classes"),
        ({"early_stopping": True}, None, {}, "set early_stopping=False"),
        ({"n_components": 3}, None, {}, "n_components=3 from a model .* n_components=10"),
        ({"loss": "nce"}, None, {}, "loss='nce' from a model that was trained with loss='softmax'"),
    ],
)
def test_a_stream_that_changes_its_mind_is_refused(task, changes, labels, how, message):
    model = small(max_iter=1).partial_fit(*task).set_params(**changes)
    before = vars(model).copy()
    with pytest.raises(ValueError, match=message):
        model.partial_fit(task[0], task[1] if labels is None else labels, **how)
    assert all(vars(model)[name] is value for name, value in before.items())


def test_one_class_is_refused_in_a_first_batch_too(task):
    with pytest.raises(ValueError, match="only one class: 1"):
        small().partial_fit(task[0], [1] * 300)
    model = small().partial_fit(task[0], [1] * 300, classes=[1, 2])
    assert model.predict(task[0][:2]).tolist() == [1, 1]


# --- Early stopping


@pytest.mark.parametrize("several", [False, True])
def test_it_keeps_the_best_epoch(task, several):
    documents, topics = task
    rng = np.random.default_rng(0)
    noisy = np.where(rng.random(300) < 0.3, rng.integers(0, 10, size=300), topics)
    labels = np.eye(10, dtype=int)[noisy] if several else noisy
    model = small(
        loss="ova" if several else "softmax",
        early_stopping=True,
        max_iter=50,
        n_iter_no_change=2,
        learning_rate=2.0,
        validation_fraction=0.2,
    ).fit(documents, labels)
    scores = model.validation_scores_
    assert model.n_iter_ == len(scores) == len(model.loss_curve_) < 50
    assert model.best_epoch_ == np.argmax(scores) < model.n_iter_ - 1
    assert model.best_validation_score_ == scores.max()
    out = hold_out(np.ones(300), 0.2, model._trained_with.seed)
    held = [document for document, is_out in zip(documents, out, strict=True) if is_out]
    assert len(held) == 60
    assert model.score(held, labels[out]) == model.best_validation_score_


def test_held_out_documents_are_not_trained(task):
    model = small(early_stopping=True, max_iter=1, ngram_range=(1, 2)).fit(*task)
    out = hold_out(np.ones(300), 0.1, model._trained_with.seed)
    expected = small(max_iter=1, ngram_range=(1, 2)).fit(*task, sample_weight=~out)
    assert_same_bits(model, expected)


def test_a_fit_without_early_stopping_forgets_the_scores(task):
    model = small(early_stopping=True, max_iter=2).fit(*task)
    assert len(model.validation_scores_) == 2
    model.set_params(early_stopping=False).fit(*task)
    for name in ("validation_scores_", "best_epoch_", "best_validation_score_"):
        assert not hasattr(model, name)


# --- The same bits, and what an error leaves


@by_loss
def test_same_bits_at_any_number_of_threads(task, loss):
    changes = {"loss": loss, "ngram_range": (1, 2), "n_components": 20, "learning_rate": 0.5}
    one = small(**changes).fit(*task)
    scores = one.decision_function(task[0])
    for n_jobs in (2, 3, 8, None, -1):
        other = small(**changes | {"n_jobs": n_jobs}).fit(*task)
        assert_same_bits(other, one)
        np.testing.assert_array_equal(other.decision_function(task[0]), scores)


def test_the_random_state_is_all_that_chance_is(task):
    assert_same_bits(small().fit(*task), small().fit(*task))
    other = small(random_state=1).fit(*task)
    assert (other.embedding_vectors_ != small().fit(*task).embedding_vectors_).any()
    generators = [small(random_state=np.random.RandomState(3)).fit(*task) for _ in range(2)]
    assert_same_bits(*generators)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_interruption_leaves_the_estimator_as_it_was(task, later, monkeypatch, method, error):
    model, fresh = small().fit(*task), small()
    before, scores = vars(model).copy(), model.decision_function(later[0])
    bits = [getattr(model, name).tobytes() for name in ARRAYS]

    def interrupted(self, drawn, *arguments, **how):
        run_epoch(self, drawn, *arguments, **how)
        raise error

    run_epoch = _document_trainer.DocumentTrainer.run_epoch
    monkeypatch.setattr(_document_trainer.DocumentTrainer, "run_epoch", interrupted)
    for estimator in (model, fresh):
        with pytest.raises(error):
            getattr(estimator, method)(*later)
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())
    assert [getattr(model, name).tobytes() for name in ARRAYS] == bits
    np.testing.assert_array_equal(model.decision_function(later[0]), scores)
    assert not hasattr(fresh, "classes_")


def test_a_rate_that_rises_is_refused(task):
    with pytest.raises(ValueError, match=r"min_learning_rate=2 .* the rate can only fall"):
        small(learning_rate=1, min_learning_rate=2).fit(*task)


def test_weights_so_small_that_nothing_is_drawn_are_refused(task):
    documents = [" ".join([document] * 50) for document in task[0]]
    with pytest.raises(ValueError, match="no document was drawn in 1 epochs"):
        small(max_iter=1).fit(documents, task[1], sample_weight=np.full(300, 1e-3))


def test_verbose_shows_every_epoch(task, capsys):
    small(max_iter=3, verbose=1, early_stopping=True).fit(*task)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        f"[EmbeddingClassifier] epoch {epoch} of 3" for epoch in (1, 2, 3)
    ]
    assert all("loss" in line and "score" in line for line in lines)
    small(max_iter=3).fit(*task)
    assert capsys.readouterr().out == ""


def test_the_learning_rate_falls_from_epoch_to_epoch(task, monkeypatch):
    rates = []

    def noted(self, drawn, rates_of, on_call=None):
        rates.append(rates_of(4))
        return run_epoch(self, drawn, rates_of, on_call)

    run_epoch = _document_trainer.DocumentTrainer.run_epoch
    monkeypatch.setattr(_classifier_fitting.DocumentTrainer, "run_epoch", noted)
    small(max_iter=2, learning_rate=0.8, min_learning_rate=0.0).fit(*task)
    np.testing.assert_allclose(np.concatenate(rates), np.linspace(0.8, 0, 8, endpoint=False), 1e-6)
