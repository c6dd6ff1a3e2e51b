"""EmbeddingClassifier: what it learns, what it answers, and from which documents."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score

from skw2v import EmbeddingClassifier, Word2VecTransformer, WordVectors
from skw2v._reference import Vectors
from skw2v._reference_objectives import log_probabilities

LOSSES = ["softmax", "ova", "nce", "sampled_softmax", "hierarchical_softmax"]
by_loss = pytest.mark.parametrize("loss", LOSSES)
ARRAYS = ("embedding_vectors_", "ngram_vectors_", "class_vectors_", "intercept_", "loss_curve_")


def small(**parameters):
    return EmbeddingClassifier(
        **{"n_components": 10, "max_iter": 5, "random_state": 0, "n_jobs": 1} | parameters
    )


def assert_same_bits(found, expected):
    assert found.vocabulary_ == expected.vocabulary_
    for name in ARRAYS:
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name


@pytest.fixture(scope="module")
def task(planted):
    """Documents to learn from and to predict, of ten topics."""
    return (
        planted.documents[:600],
        np.array(planted.labels[:600]),
        planted.documents[600:800],
        np.array(planted.labels[600:800]),
    )


@pytest.fixture(scope="module")
def fitted(task):
    """A fitted model for every loss."""
    return {loss: small(loss=loss).fit(task[0], task[1]) for loss in LOSSES}


# --- What it learns, and what it answers


@by_loss
def test_it_learns(fitted, task, loss):
    assert fitted[loss].score(task[2], task[3]) > 0.95  # chance is 0.1
    curve = fitted[loss].loss_curve_
    assert curve[-1] < curve[0]
    assert (len(curve), fitted[loss].n_iter_) == (5, 5)


@by_loss
def test_attributes_have_the_shapes_that_are_promised(fitted, loss):
    model = fitted[loss]
    n_outputs = 9 if loss == "hierarchical_softmax" else 10
    assert model.classes_.tolist() == [*range(10)]
    assert model.embedding_vectors_.shape == (len(model.vocabulary_), 10)
    assert model.ngram_vectors_.shape == (0, 10)
    assert model.class_vectors_.shape == (n_outputs, 10)
    assert model.intercept_.shape == (n_outputs,)
    assert model.intercept_.any() == (loss != "hierarchical_softmax")
    assert all(getattr(model, name).dtype == np.float32 for name in ARRAYS[:-1])
    assert not hasattr(model, "validation_scores_")


@by_loss
def test_probabilities_are_those_of_the_formula(fitted, task, loss):
    model, documents = fitted[loss], [*task[2][:40], "", "nothing known"]
    rows = [[model.vocabulary_[w] for w in d.split() if w in model.vocabulary_] for d in documents]
    table = model.embedding_vectors_.astype(np.float64)
    hidden = np.array([table[ids].mean(axis=0) if ids else np.zeros(10) for ids in rows])
    vectors = Vectors(None, model.class_vectors_, model.intercept_)
    counts = np.bincount(task[1])
    if loss == "ova":
        odds = 1 / (1 + np.exp(-hidden @ vectors.output_vectors.T - vectors.output_bias))
        expected = odds / odds.sum(axis=1, keepdims=True)
    else:
        expected = np.exp(log_probabilities(hidden, vectors, counts, model._trained_with))
    found = model.predict_proba(documents)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(model.predict_log_proba(documents), np.log(found))
    np.testing.assert_array_equal(model.predict(documents), found.argmax(axis=1))
    scores = model.decision_function(documents)
    assert scores.shape == (42, 10)
    np.testing.assert_array_equal(scores.argmax(axis=1), found.argmax(axis=1))
    if loss == "hierarchical_softmax":
        np.testing.assert_allclose(np.exp(scores), found, rtol=1e-4, atol=1e-7)
    else:
        products = hidden @ vectors.output_vectors.T + vectors.output_bias
        np.testing.assert_allclose(scores, products, rtol=1e-4, atol=1e-4)


@by_loss
def test_two_classes_have_one_score(task, loss):
    model = small(loss=loss).fit(task[0], task[1] < 5)
    scores, probabilities = model.decision_function(task[2]), model.predict_proba(task[2])
    assert scores.shape == (200,)
    assert probabilities.shape == (200, 2)
    np.testing.assert_array_equal(model.predict(task[2]), scores > 0)
    if loss != "ova":  # whose two are regressions of their own
        expected = np.log(probabilities[:, 1]) - np.log(probabilities[:, 0])
        np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-4)


def test_a_document_without_known_words_is_of_the_commonest_class(task):
    labels = np.where(np.arange(600) % 4 == 0, task[1], 3)
    for loss in ("softmax", "ova", "nce", "sampled_softmax"):
        model = small(loss=loss).fit(task[0], labels)
        assert model.predict(["", "unknown"]).tolist() == [3, 3]


def test_documents_without_known_words_are_passed_over(task):
    documents, labels = task[0][:100], task[1][:100]
    model = small().fit([*documents, "", ""], [*labels, 0, 1])
    assert model.score(documents, labels) > 0.9
    assert np.isfinite(model.loss_curve_).all()
    with pytest.raises(ValueError, match="none of the 1 words of the given vocabulary"):
        small(vocabulary=["absent"]).fit(documents, labels)


def test_no_documents_have_no_classes(fitted):
    assert fitted["softmax"].predict([]).shape == (0,)
    assert fitted["softmax"].predict_proba([]).shape == (0, 10)


# --- Several classes a document


@pytest.fixture(scope="module")
def several(task):
    """A matrix with the topic, and with whether the first word is a common one."""
    documents, topics = task[0], task[1]
    common = ["common0" in document for document in documents]
    return np.column_stack([np.eye(10, dtype=int)[topics], common])


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.coo_matrix])
def test_several_classes_a_document(task, several, container):
    model = small(loss="ova", max_iter=10).fit(task[0], container(several))
    predicted = model.predict(task[0])
    assert predicted.dtype == np.int64
    assert set(np.unique(predicted)) == {0, 1}
    assert accuracy_score(several, predicted) > 0.9
    assert model.score(task[0], several) == accuracy_score(several, predicted)
    assert model.classes_.tolist() == [*range(11)]
    probabilities, scores = model.predict_proba(task[0]), model.decision_function(task[0])
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-scores.astype(float))), rtol=1e-6)
    np.testing.assert_array_equal(predicted, probabilities > 0.5)
    assert_same_bits(model, small(loss="ova", max_iter=10).fit(task[0], several))


def test_two_columns_are_two_answers(task, several):
    model = small(loss="ova").fit(task[0], several[:, -2:])
    assert model.decision_function(task[2]).shape == (200, 2)
    assert model.predict(task[2]).shape == (200, 2)


def test_documents_may_have_no_class_at_all(task):
    y = np.zeros((600, 2), dtype=int)
    y[task[1] == 0, 0] = 1
    model = small(loss="ova", max_iter=10).fit(task[0], y)
    assert accuracy_score(y, model.predict(task[0])) > 0.98
    nobody = small(loss="ova").fit(task[0], np.zeros((600, 2), dtype=int))
    assert not nobody.predict(task[0]).any()


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "ova"])
def test_an_indicator_matrix_needs_ova(task, several, loss):
    with pytest.raises(ValueError, match=rf"loss='{loss}' takes one; set loss=\"ova\""):
        small(loss=loss).fit(task[0], several)


def test_class_weight_is_not_for_several_classes(task, several):
    with pytest.raises(ValueError, match="class_weight='balanced' is for one class a document"):
        small(loss="ova", class_weight="balanced").fit(task[0], several)


# --- n-grams


def test_pairs_of_words_know_their_order():
    """Every document has the same words, so only their order tells."""
    rng = np.random.default_rng(0)
    fillers = ["it", "was", "really", "so"]
    documents, labels = [], []
    for i in range(200):
        words = list(rng.permutation(fillers))
        words.insert(rng.integers(0, 5), ["not good", "good not"][i % 2])
        documents.append(" ".join(words))
        labels.append(i % 2)
    pairs = small(ngram_range=(1, 2), max_iter=10).fit(documents[:150], labels[:150])
    assert pairs.score(documents[150:], labels[150:]) > 0.95
    alone = small(ngram_range=(2, 2), max_iter=10).fit(documents[:150], labels[:150])
    assert alone.score(documents[150:], labels[150:]) > 0.95
    words = small(max_iter=10).fit(documents[:150], labels[:150])
    assert len(set(words.predict(documents))) == 1
    assert len(pairs.ngram_vectors_) > 10
    assert pairs.embedding_vectors_.shape == words.embedding_vectors_.shape


def test_few_buckets_share_rows(task):
    model = small(ngram_range=(1, 3), n_buckets=7).fit(task[0], task[1])
    assert model.ngram_vectors_.shape == (7, 10)
    assert model.score(task[2], task[3]) > 0.8


@pytest.mark.parametrize(
    "ngram_range", [(2, 1), (0, 1), (1,), (1, 2, 3), (1, 2.0), (True, 2), ("1", "2")]
)
def test_a_range_that_is_none_is_refused(task, ngram_range):
    with pytest.raises(ValueError, match=r"ngram_range=.* expected the lengths"):
        small(ngram_range=ngram_range).fit(task[0], task[1])


# --- What the table starts from, and what of it moves


@pytest.fixture(scope="module")
def teachers(task, fitted):
    documents = task[0][:200]
    words = Word2VecTransformer(n_components=10, min_count=1, max_iter=1, random_state=0)
    words.fit(documents)
    vectors = words.word_vectors()
    some = dict(list(zip(vectors.words, vectors.vectors, strict=True))[::2])
    nce = Word2VecTransformer(
        n_components=10, min_count=1, max_iter=1, random_state=0, loss="nce", architecture="cbow"
    )
    return {
        "transformer": words,
        "frozen transformer": FrozenEstimator(words),
        "transformer with biases": nce.fit(documents),
        "classifier": fitted["softmax"],
        "vectors": vectors,
        "mapping": some,
        "pair": (vectors.words, vectors.vectors),
    }


def start_of(teacher):
    """Word to vector."""
    if isinstance(teacher, dict):
        return teacher
    if isinstance(teacher, tuple):
        teacher = WordVectors(*teacher)
    elif not isinstance(teacher, WordVectors):
        teacher = teacher.word_vectors()
    return dict(zip(teacher.words, teacher.vectors, strict=True))


TEACHERS = [
    "transformer",
    "frozen transformer",
    "transformer with biases",
    "classifier",
    "vectors",
    "mapping",
    "pair",
]


@pytest.mark.parametrize("teacher", TEACHERS)
@pytest.mark.parametrize("trainable", ["all", "new", "none"])
def test_the_table_starts_from_vectors_and_what_is_trainable_moves(
    task, teachers, teacher, trainable
):
    given = start_of(teachers[teacher])
    model = small(init=teachers[teacher], trainable=trainable, ngram_range=(1, 2), max_iter=1)
    model.fit(task[0], task[1])
    words = [word for word in model.vocabulary_ if word in given]
    found = model.embedding_vectors_[[model.vocabulary_[word] for word in words]]
    start = np.array([given[word] for word in words])
    assert len(words) > 100
    if trainable == "all":
        assert (found != start).any(axis=1).all()
    else:
        assert found.tobytes() == start.tobytes()
    at_start = np.abs(model.ngram_vectors_).max() <= 0.5 / 10
    assert at_start == (trainable == "none")
    assert model.class_vectors_.any()


@by_loss
def test_more_classes_than_words_leave_output_vectors_alone(teachers, loss):
    """Those of the words that `init` brings are not those of classes."""
    documents = [["t0w0", "t1w0"], ["t1w0"]] * 30
    labels = np.arange(60) % 20
    ways = [teachers["transformer with biases"], teachers["transformer with biases"].word_vectors()]
    found = [small(loss=loss, init=init, max_iter=2).fit(documents, labels) for init in ways]
    assert_same_bits(*found)
    again = small(loss=loss, init=ways[1], max_iter=2).fit(documents, labels)
    assert_same_bits(again, found[0])


@by_loss
def test_a_frozen_table_learns_by_its_output_layer(task, teachers, loss):
    model = small(loss=loss, init=teachers["classifier"], trainable="none", max_iter=3)
    model.fit(task[0], task[1])
    assert model.score(task[2], task[3]) > 0.95
    random = small(loss=loss, trainable="none", max_iter=1).fit(task[0], task[1])
    assert np.abs(random.embedding_vectors_).max() <= 0.5 / 10


def test_it_can_be_what_word_vectors_start_from(task, fitted):
    model = Word2VecTransformer(
        n_components=10, min_count=1, max_iter=1, init=fitted["ova"], trainable="none"
    ).fit(task[0])
    words = list(model.vocabulary_)
    rows = [fitted["ova"].vocabulary_[word] for word in words]
    np.testing.assert_array_equal(model.input_vectors_, fitted["ova"].embedding_vectors_[rows])


def test_an_init_that_does_not_fit_is_refused(task):
    documents, labels = task[0], task[1]
    with pytest.raises(ValueError, match="init has vectors of 3 components, but n_components=10"):
        small(init={"t0w0": [1.0, 2.0, 3.0]}).fit(documents, labels)
    with pytest.raises(ValueError, match=r"init has none of the 3[0-9]{2} words"):
        small(init={"elsewhere": np.zeros(10)}).fit(documents, labels)
    with pytest.raises(NotFittedError, match=r"init=EmbeddingClassifier\(...\) is not fitted"):
        small(init=small()).fit(documents, labels)


# --- Documents


def test_documents_in_any_container_train_the_same(task):
    documents, labels = task[0][:200], task[1][:200]
    expected = small(ngram_range=(1, 2)).fit(documents, labels)
    encoded = small().encode(documents)
    tokens = [document.split() for document in documents]
    for X in (encoded, tokens, iter(documents), pd.Series(documents), np.array(documents)):
        assert_same_bits(small(ngram_range=(1, 2)).fit(X, labels), expected)
    scores = expected.decision_function(documents)
    for X in (encoded, tokens, iter(documents), pd.Series(documents)):
        np.testing.assert_array_equal(expected.decision_function(X), scores)


def test_item_ids_are_words(task):
    def number(word):  # that sorts as the word does
        return int.from_bytes(word.encode().ljust(8, b"\0"), "big")

    model = small().fit([[number(w) for w in document.split()] for document in task[0]], task[1])
    expected = small().fit(task[0], task[1])
    assert [*model.vocabulary_] == [number(word) for word in expected.vocabulary_]
    np.testing.assert_array_equal(model.embedding_vectors_, expected.embedding_vectors_)
    assert model.predict([[number("t7w0")]]) == expected.predict(["t7w0"]) == [7]


def test_documents_and_labels_must_be_as_many(task):
    with pytest.raises(ValueError, match="600 documents and 599 rows of y"):
        small().fit(task[0], task[1][:-1])


def test_word_vectors_are_the_table(fitted):
    model = fitted["softmax"]
    vectors = model.word_vectors()
    assert list(vectors.words) == list(model.vocabulary_)
    np.testing.assert_array_equal(vectors.vectors, model.embedding_vectors_)
    topics = [word.split("w")[0] for word, _ in vectors.most_similar("t3w0", topn=5)]
    assert topics.count("t3") >= 4


def test_unfitted_it_says_so(task):
    for method in ("predict", "predict_proba", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(small(), method)(task[2])
    with pytest.raises(NotFittedError):
        small().word_vectors()
    assert not hasattr(small(), "embedding_vectors_")


# --- Peers


def test_it_is_as_good_as_fasttext(task, tmp_path):
    fasttext = pytest.importorskip("fasttext")
    path = tmp_path / "task.txt"
    lines = (f"__label__{y} {x}\n" for x, y in zip(task[0], task[1], strict=True))
    path.write_text("".join(lines), encoding="utf-8")
    parameters = {"dim": 10, "epoch": 5, "lr": 1.0, "thread": 1, "minCount": 1, "verbose": 0}
    peer = fasttext.train_supervised(str(path), **parameters)
    predicted = [found[0] for found in peer.predict(list(task[2]))[0]]
    truth = [f"__label__{y}" for y in task[3]]
    of_peer = np.mean([p == t for p, t in zip(predicted, truth, strict=True)])
    assert of_peer > 0.9
    assert abs(small().fit(task[0], task[1]).score(task[2], task[3]) - of_peer) < 0.03
