"""`score`: mean log p(center | hidden) of held-out pairs, and searches that need no labels."""

import math
import pickle
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skw2v import Word2VecTransformer, _likelihood
from skw2v._corpus import Corpus
from skw2v._huffman import huffman_paths
from skw2v._parameters import TrainingParameters
from skw2v._reference import training_pairs, training_windows
from skw2v._sampling import keep_thresholds

LOSSES = ["negative_sampling", "nce", "sampled_softmax", "hierarchical_softmax", "softmax"]
ARCHITECTURES = ["skipgram", "cbow"]
by_loss = pytest.mark.parametrize("loss", LOSSES)
by_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)


def small(**parameters):
    defaults = {"n_components": 9, "min_count": 1, "max_iter": 2, "subsample": 0, "window": 3}
    defaults |= {"learning_rate": 0.1, "random_state": 0, "n_jobs": 1}
    return Word2VecTransformer(**(defaults | parameters))


@pytest.fixture(scope="module")
def train_documents(planted):
    return planted.documents[:200]


@pytest.fixture(scope="module")
def held_out(planted):
    return ["", *planted.documents[200:240], "unheard of", "common0"]


def make_corpus(documents):
    token_ids = np.concatenate([*documents, []]).astype(np.int32)
    return Corpus(token_ids, np.cumsum([0, *map(len, documents)], dtype=np.int64))


def encoded(fitted, documents):
    index = fitted.vocabulary_
    return make_corpus([[index[t] for t in d.split() if t in index] for d in documents])


# --- The specification: float64, pair by pair, from fitted attributes alone.


def expected_score(fitted, documents):
    corpus = encoded(fitted, documents)
    keep_threshold = keep_thresholds(fitted.word_counts_, fitted.subsample)
    parameters = TrainingParameters(
        window=fitted.window, dynamic_window=fitted.dynamic_window, seed=0
    )
    windows = training_windows(
        corpus.token_ids, corpus.document_offsets, keep_threshold, parameters, 0
    )
    v = fitted.input_vectors_.astype(np.float64)
    of_context = cache(lambda context: expected_log_probabilities(fitted, v[context]))
    logs = []
    for center_pos, context_pos in windows:
        center, contexts = corpus.token_ids[center_pos], corpus.token_ids[context_pos]
        if fitted.architecture == "skipgram":
            logs += [of_context(context)[center] for context in contexts]
        elif len(contexts):
            logs.append(expected_log_probabilities(fitted, v[contexts].mean(axis=0))[center])
    return math.fsum(logs) / len(logs)


def expected_log_probabilities(fitted, hidden):
    """log p(w | hidden) of every word."""
    x = fitted.output_vectors_.astype(np.float64) @ hidden
    if fitted.loss == "hierarchical_softmax":
        offsets, nodes, labels = huffman_paths(fitted.word_counts_)
        decisions = 1 / (1 + np.exp(-np.where(labels == 1, x[nodes], -x[nodes])))
        return np.log(np.multiply.reduceat(decisions, offsets[:-1]))
    if fitted.loss == "negative_sampling":
        if fitted.noise == "unigram":
            noise = fitted.word_counts_**fitted.noise_exponent
        else:  # ids are ranks: no vocabulary was given
            rank = np.arange(len(x))
            noise = np.log((rank + 2) / (rank + 1))
        scores = x + np.log(noise / noise.sum())
    else:
        scores = x + fitted.output_bias_
    return scores - np.log(np.sum(np.exp(scores)))


@by_loss
@by_architecture
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"subsample": 0.01, "dynamic_window": False},
        {"noise": "log_uniform", "n_components": 15},
        {"noise_exponent": 0.2, "n_components": 16, "window": 20},
    ],
    ids=str,
)
def test_score_is_the_mean_log_probability(loss, architecture, changes, train_documents, held_out):
    fitted = small(loss=loss, architecture=architecture, **changes).fit(train_documents)
    score = fitted.score(held_out)
    assert type(score) is float
    assert score == pytest.approx(expected_score(fitted, held_out), rel=1e-5)


@by_loss
@by_architecture
def test_probabilities_sum_to_one_over_the_vocabulary(loss, architecture, train_documents):
    fitted = small(loss=loss, architecture=architecture).fit(train_documents)
    n_words = len(fitted.vocabulary_)
    hidden = np.concatenate([fitted.input_vectors_[:3], 3 * fitted.input_vectors_[7:9]])
    logs = _likelihood.log_likelihoods(
        np.tile(np.arange(n_words), len(hidden)),
        hidden,
        np.repeat(np.arange(len(hidden)), n_words),
        fitted.word_counts_,
        fitted.output_vectors_,
        fitted.output_bias_,
        TrainingParameters(loss=loss, architecture=architecture),
        n_threads=1,
    )
    assert (logs < 0).all()
    sums = np.exp(logs.reshape(len(hidden), n_words)).sum(axis=1)
    np.testing.assert_allclose(sums, 1, rtol=1e-5)


def test_normalisers_of_a_vocabulary_in_blocks(monkeypatch):
    draw = np.random.RandomState(0)
    hidden, output_vectors = draw.randn(20, 16).astype("f"), draw.randn(203, 16).astype("f")
    bias = draw.randn(203).astype("f")
    scores = hidden.astype(np.float64) @ output_vectors.T.astype(np.float64) + bias
    expected = np.log(np.exp(scores).sum(axis=1))
    for floats_at_once in (2**20, 32 * 100, 1):
        monkeypatch.setattr(_likelihood, "_FLOATS_AT_ONCE", floats_at_once)
        found = _likelihood._log_normalizers(hidden, output_vectors, bias, 1)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


# --- Which pairs


@settings(max_examples=60)
@given(
    documents=st.lists(st.lists(st.integers(0, 4), max_size=40), min_size=1, max_size=12).filter(
        any
    ),
    window=st.integers(1, 20),
    dynamic_window=st.booleans(),
    subsample=st.sampled_from([0.0, 0.3, 0.01, 1e-9]),
)
def test_windows_are_those_of_training(documents, window, dynamic_window, subsample):
    corpus = make_corpus(documents)
    keep_threshold = keep_thresholds(np.bincount(corpus.token_ids), subsample)
    parameters = TrainingParameters(window=window, dynamic_window=dynamic_window, seed=0)
    expected = training_windows(
        corpus.token_ids, corpus.document_offsets, keep_threshold, parameters, 0
    )
    found = _likelihood.spread_windows(corpus, keep_threshold, parameters)
    assert sorted(found) == sorted(
        (corpus.token_ids[w.center_pos], corpus.token_ids[w.context_pos].tolist())
        for w in expected
        if len(w.context_pos)
    )


@pytest.mark.parametrize("lengths", [[3000], [10] * 300, [2] * 1500, [1, 2000, 7, 992]], ids=str)
@pytest.mark.parametrize("max_pairs", [1, 7, 200])
def test_a_cap_on_pairs_leaves_them_spread_over_the_corpus(lengths, max_pairs):
    ids = np.arange(3000)
    corpus = make_corpus(np.split(ids, np.cumsum(lengths)[:-1]))
    keep_threshold = keep_thresholds(np.ones(3000), 0)
    parameters = TrainingParameters(window=2, seed=0)
    every_pair = {
        tuple(pair)
        for pair in training_pairs(
            corpus.token_ids, corpus.document_offsets, keep_threshold, parameters, 0
        )
    }
    vectors = np.arange(3000, dtype=np.float32)[:, np.newaxis]

    windows = _likelihood.spread_windows(corpus, keep_threshold, parameters)
    centers, contexts, hidden_of = _likelihood.skipgram_pairs(windows, max_pairs)
    hidden = _likelihood.hidden_vectors(contexts, vectors)
    assert len(centers) == max_pairs
    pairs = list(zip(centers, hidden[hidden_of, 0], strict=True))
    assert len(set(pairs)) == max_pairs
    assert every_pair.issuperset(pairs)
    assert len(np.unique(hidden)) == len(hidden)
    if max_pairs == 200:
        assert np.bincount(centers // 300, minlength=10).min() >= 10

    windows = _likelihood.spread_windows(corpus, keep_threshold, parameters)
    centers, contexts, hidden_of = _likelihood.cbow_pairs(windows, max_pairs)
    hidden = _likelihood.hidden_vectors(contexts, vectors)
    assert len(centers) == len(hidden) == max_pairs
    np.testing.assert_allclose(hidden[:, 0], [np.mean(part) for part in contexts])
    assert hidden_of.tolist() == list(range(max_pairs))


@by_architecture
def test_no_more_pairs_are_scored_than_the_cap(architecture, train_documents, monkeypatch):
    scored = []

    def counting(center_ids, *arguments, **options):
        scored.append(len(center_ids))
        return original(center_ids, *arguments, **options)

    original = _likelihood.log_likelihoods
    monkeypatch.setattr(_likelihood, "log_likelihoods", counting)
    fitted = small(architecture=architecture).fit(train_documents)
    fitted.score(train_documents * 20)
    assert scored == [10_000]
    fitted.score(train_documents[:2])
    assert scored[1] < 200


# --- What the score depends on


@by_loss
@by_architecture
def test_score_is_the_same_bits_at_any_number_of_threads(
    loss, architecture, train_documents, held_out
):
    fitted = small(loss=loss, architecture=architecture).fit(train_documents)
    scores = [fitted.set_params(n_jobs=n).score(held_out) for n in (1, 2, 3, None)]
    assert len(set(scores)) == 1


def test_score_depends_on_model_and_documents_alone(train_documents, held_out):
    fitted = small().fit(train_documents)
    score = fitted.score(held_out)
    assert pickle.loads(pickle.dumps(fitted)).score(held_out) == score
    assert fitted.score(iter(held_out), y=["ignored"]) == score
    assert fitted.set_output(transform="pandas").score(held_out) == score
    for set_since_fit in (
        {"random_state": 5},
        {"random_state": None, "embedding": "concat", "pooling": "max"},
        {"loss": "hierarchical_softmax", "noise": "log_uniform"},
        {"window": 9, "subsample": 1e-9, "architecture": "cbow"},
    ):
        assert fitted.set_params(**set_since_fit).score(held_out) == score
    assert fitted.score(held_out[10:]) != score


@by_loss
def test_score_rises_with_training_from_that_of_a_coin(loss, planted):
    documents, held_out = planted.documents[:1000], planted.documents[1000:1200]
    untrained, short, longer = (
        small(loss=loss, noise_exponent=0, learning_rate=rate, min_learning_rate=0, max_iter=n)
        .fit(documents)
        .score(held_out)
        for rate, n in ((1e-9, 1), (0.05, 1), (0.05, 5))
    )
    n_words = len({word for document in documents for word in document.split()})
    if loss == "negative_sampling":  # the others know the counts: from a tree, or from biases
        assert untrained == pytest.approx(-math.log(n_words), rel=1e-4)
    else:
        assert untrained > -math.log(n_words)
    assert untrained < short < longer < 0


def test_fewer_noise_words_do_not_fool_the_score(planted):
    documents, held_out = planted.documents[:1000], planted.documents[1000:1200]
    one, twenty = (small(n_negatives=k, max_iter=5).fit(documents) for k in (1, 20))
    assert one.loss_curve_[-1] < twenty.loss_curve_[-1] / 3
    assert one.score(held_out) == pytest.approx(twenty.score(held_out), rel=0.1)
    assert -math.log(len(one.vocabulary_)) < one.score(held_out) < 0


@by_loss
@by_architecture
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_model_that_has_diverged_scores_nothing(loss, architecture, value, train_documents):
    fitted = small(loss=loss, architecture=architecture).fit(train_documents)
    fitted.input_vectors_[:, 3] = value
    assert not fitted.score(train_documents) > -np.inf


# --- Searches without labels


def test_grid_search_needs_no_labels(planted):
    grid = {"loss": LOSSES, "n_negatives": [1, 5]}
    search = GridSearchCV(small(max_iter=3), grid, cv=2).fit(planted.documents[:400])
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert search.best_score_ == scores.max()
    assert search.best_estimator_.transform(planted.documents[:3]).shape == (3, 9)
    for loss in ("hierarchical_softmax", "softmax"):  # they have no noise
        of_loss = [
            s
            for s, p in zip(scores, search.cv_results_["params"], strict=True)
            if p["loss"] == loss
        ]
        assert of_loss[0] == of_loss[1]


def test_a_search_prefers_what_has_learned(planted):
    grid = {"learning_rate": [2e-4, 0.05]}
    for output in ("default", "pandas"):
        estimator = small(max_iter=5).set_output(transform=output)
        search = GridSearchCV(
            make_pipeline(estimator),
            {f"word2vectransformer__{name}": values for name, values in grid.items()},
            cv=2,
        ).fit(planted.documents[:400])
        assert search.best_params_ == {"word2vectransformer__learning_rate": 0.05}


# --- Nothing to score


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([], "none of the 0 documents has a word of the vocabulary; pass documents"),
        (["unheard of", ""], "none of the 2 documents has a word of the vocabulary"),
        (["one", "two"], "2 documents have 2 known words.*no two in one document.*longer"),
    ],
)
@by_architecture
def test_without_a_pair_there_is_no_score(documents, message, architecture):
    fitted = small(architecture=architecture).fit(["one two three"])
    with pytest.raises(ValueError, match=message):
        fitted.score(documents)


def test_subsampling_that_leaves_no_pair_is_named():
    fitted = small(subsample=1e-300).fit(["one two three"])
    with pytest.raises(
        ValueError, match=r"subsample=1e-300 leaves no two.*fit with a higher.*0 keeps every"
    ):
        fitted.score(["one two three"])


def test_score_needs_a_fitted_estimator():
    with pytest.raises(NotFittedError):
        small().score(["one two"])


def test_score_checks_parameters_and_documents():
    fitted = small().fit(["one two three"])
    with pytest.raises(ValueError, match="pass one document inside a list"):
        fitted.score("one two")
    with pytest.raises(ValueError, match="The 'n_jobs' parameter of Word2VecTransformer"):
        fitted.set_params(n_jobs=0).score(["one two"])


@by_loss
@by_architecture
def test_the_only_word_is_certain(loss, architecture):
    fitted = small(loss=loss, architecture=architecture).fit(["one one one"])
    assert fitted.score(["one one"]) == pytest.approx(0, abs=1e-6)


@by_loss
def test_a_given_vocabulary_with_words_that_never_occur(loss):
    fitted = small(loss=loss, vocabulary=["never", "two", "one", "nor this"]).fit(
        ["one two one two"] * 50
    )
    assert -20 < fitted.score(["one two", "two one"]) < 0
    assert math.isfinite(fitted.score(["never two"]))
