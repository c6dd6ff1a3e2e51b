"""Small and strange corpora: finite numbers, no crash, no hang."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skw2v import Word2VecTransformer

ARCHITECTURES = ["skipgram", "cbow"]
SAMPLED_LOSSES = ["negative_sampling", "nce", "sampled_softmax"]
LOSSES = [*SAMPLED_LOSSES, "hierarchical_softmax", "softmax"]
by_loss = pytest.mark.parametrize("loss", LOSSES)
by_sampled_loss = pytest.mark.parametrize("loss", SAMPLED_LOSSES)
by_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)
# Trained vectors rarely have components above 3 or so; a model that has overshot has many.
SANE = 50


def fit(documents, **parameters):
    """Fit, look at everything it learned, and transform."""
    transformer = Word2VecTransformer(**{"min_count": 1, "random_state": 0} | parameters)
    features = transformer.fit_transform(documents)
    for values in (
        transformer.input_vectors_,
        transformer.output_vectors_,
        transformer.output_bias_,
        transformer.loss_curve_,
    ):
        assert np.isfinite(values).all()
        assert np.abs(values).max(initial=0) < SANE
    assert np.isfinite(features).all()
    assert len(features) == len(documents)
    return transformer


def random_documents(seed, n_words, n_tokens, longest):
    """Zipfian documents of 0 to `longest` tokens."""
    draw = np.random.RandomState(seed)
    tokens = draw.choice(
        n_words, n_tokens, p=1 / np.arange(1, n_words + 1) / sum(1 / np.arange(1, n_words + 1))
    )
    cuts = np.cumsum(draw.randint(longest + 1, size=n_tokens // longest))
    return [part.tolist() for part in np.split(tokens, cuts)]


@by_loss
@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000),
    n_words=st.integers(1, 20),
    longest=st.sampled_from([1, 5, 50, 2000]),
    architecture=st.sampled_from(ARCHITECTURES),
    window=st.integers(1, 50),
    learning_rate=st.floats(1e-3, 0.1),
    n_components=st.sampled_from([1, 2, 15, 16, 17, 100]),
    n_negatives=st.integers(1, 20),
    dynamic_window=st.booleans(),
    subsample=st.sampled_from([0, 1e-3, 1e-1]),
)
@example(0, 1, 2000, "cbow", 50, 0.1, 100, 20, False, 0)
@example(0, 2, 2000, "skipgram", 50, 0.1, 100, 5, False, 0)
@example(0, 5, 2000, "skipgram", 50, 0.1, 100, 5, True, 0)
@example(0, 5, 2000, "cbow", 20, 0.1, 100, 5, False, 0)
@example(0, 20, 2000, "skipgram", 50, 0.1, 1, 20, False, 0)
def test_tiny_vocabularies_stay_finite(
    loss,
    seed,
    n_words,
    longest,
    architecture,
    window,
    learning_rate,
    n_components,
    n_negatives,
    dynamic_window,
    subsample,
):
    fit(
        random_documents(seed, n_words, 3000, longest),
        loss=loss,
        architecture=architecture,
        window=window,
        learning_rate=learning_rate,
        n_components=n_components,
        n_negatives=n_negatives,
        dynamic_window=dynamic_window,
        subsample=subsample,
        max_iter=3,
    )


@settings(max_examples=40)
@given(
    documents=st.lists(st.lists(st.integers(-3, 3), max_size=8), min_size=1, max_size=8).filter(
        any
    ),
    loss=st.sampled_from(LOSSES),
    architecture=st.sampled_from(ARCHITECTURES),
    window=st.integers(1, 50),
    n_components=st.integers(1, 33),
    subsample=st.sampled_from([0, 1e-9, 1e-3, 1]),
)
def test_any_handful_of_tokens_will_do(
    documents, loss, architecture, window, n_components, subsample
):
    fit(
        documents,
        loss=loss,
        architecture=architecture,
        window=window,
        n_components=n_components,
        subsample=subsample,
        embedding="input" if loss == "hierarchical_softmax" else "concat",
    )


@by_loss
@by_architecture
@pytest.mark.parametrize("window", [5, 50])
def test_many_copies_of_one_document_stay_finite(planted, loss, architecture, window):
    copy = " ".join(f"copy{i}" for i in range(40))
    documents = planted.documents[:500] + [copy] * 500 + planted.documents[500:1000]
    fit(
        documents,
        loss=loss,
        architecture=architecture,
        window=window,
        learning_rate=0.1,
        n_components=20,
        max_iter=2,
    )


@by_loss
@by_architecture
def test_one_token_ten_thousand_times_inside_ordinary_text(planted, loss, architecture):
    documents = planted.documents[:1000]
    documents[500] = " ".join([documents[500], "again " * 10_000, documents[501]])
    fit(
        documents,
        loss=loss,
        architecture=architecture,
        window=10,
        learning_rate=0.05,
        n_components=30,
    )


@by_loss
@by_architecture
def test_only_copies_of_one_document(loss, architecture):
    documents = ["one two three four five six"] * 1000
    fit(documents, loss=loss, architecture=architecture, subsample=0, learning_rate=0.1)


@by_loss
@by_architecture
def test_the_only_word_is_certain(loss, architecture):
    documents = [["word"] * 50] * 40
    transformer = fit(
        documents, loss=loss, architecture=architecture, subsample=0, learning_rate=0.1
    )
    assert transformer.score(documents) == pytest.approx(0, abs=1e-5)


@by_loss
@by_architecture
def test_of_two_words_each_predicts_the_other(loss, architecture):
    documents = [["one", "two"]] * 500
    transformer = fit(
        documents, loss=loss, architecture=architecture, subsample=0, learning_rate=0.1
    )
    assert -0.3 < transformer.score(documents) < 1e-5  # -log(2) from a coin


@pytest.mark.parametrize(
    ("loss", "noise"),
    [(loss, noise) for loss in SAMPLED_LOSSES for noise in ("unigram", "log_uniform")]
    + [("hierarchical_softmax", "unigram"), ("softmax", "unigram")],
)
@by_architecture
def test_words_that_never_occur_stay_where_they_start(loss, noise, architecture):
    never = [f"never{i}" for i in range(40)]
    documents = [list("ababacab")] * 200
    transformer = fit(
        documents,
        vocabulary=[*never[:20], "c", "a", "b", *never[20:]],
        loss=loss,
        noise=noise,
        architecture=architecture,
        subsample=0,
        learning_rate=0.1,
        n_components=10,
    )
    occurs = transformer.word_counts_ > 0
    assert np.flatnonzero(occurs).tolist() == [20, 21, 22]
    assert np.abs(transformer.input_vectors_[~occurs]).max() <= 0.5 / 10
    assert (np.abs(transformer.input_vectors_[occurs]).max(axis=1) > 0.5 / 10).all()
    # A coin for all 43 words would get -3.8.
    assert -1.5 < transformer.score(documents) < 1e-5
    assert -30 < transformer.score([["a", never[0]], [never[1], "b"]]) < -2


@by_sampled_loss
@by_architecture
@pytest.mark.parametrize("remove_accidental_hits", [True, False])
def test_more_noise_words_than_there_are_words(loss, architecture, remove_accidental_hits):
    documents = [["one", "two", "three", "two"]] * 200
    transformer = fit(
        documents,
        loss=loss,
        architecture=architecture,
        remove_accidental_hits=remove_accidental_hits,
        n_negatives=50,
        subsample=0,
    )
    first, last = transformer.loss_curve_[[0, -1]]
    assert last < first < 51 * np.log(2)
    assert -np.log(3) < transformer.score(documents) < 1e-5


@by_loss
@by_architecture
def test_a_high_learning_rate_is_borne(planted, loss, architecture):
    """Eight times the default."""
    fit(
        planted.documents[:500],
        loss=loss,
        architecture=architecture,
        learning_rate=0.2,
        n_components=10,
    )


@by_loss
@by_architecture
def test_a_model_that_diverges_says_so(planted, loss, architecture):
    transformer = Word2VecTransformer(
        loss=loss,
        architecture=architecture,
        learning_rate=1e4,
        n_components=4,
        random_state=0,
        n_jobs=1,
    ).fit(planted.documents[:200])
    assert not np.isfinite(transformer.input_vectors_).all()
    assert not np.isfinite(transformer.loss_curve_[-1])
    assert not np.isfinite(transformer.score(planted.documents[:5]))


@by_architecture
def test_the_last_words_of_a_very_long_document_train(architecture):
    draw = np.random.RandomState(0)
    document = draw.randint(1000, size=200_000)
    document[-200:] = draw.randint(1000, 1010, size=200)
    transformer = fit(
        [document],
        architecture=architecture,
        n_components=10,
        max_iter=1,
        subsample=0,
        min_learning_rate=0.025,
    )
    last = [transformer.vocabulary_[word] for word in range(1000, 1010)]
    # Where vectors start; only a word that is in a window leaves it.
    assert (np.abs(transformer.input_vectors_[last]).max(axis=1) > 0.5 / 10).all()


@by_loss
@by_architecture
def test_documents_of_one_token_have_no_pairs(loss, architecture):
    transformer = fit(
        ["alone", "single", "alone"], loss=loss, architecture=architecture, n_components=4
    )
    assert np.abs(transformer.input_vectors_).max() <= 0.5 / 4
    assert not transformer.output_vectors_.any()
    assert not transformer.loss_curve_.any()


@by_loss
@by_architecture
def test_empty_documents_among_others_change_nothing(planted, loss, architecture):
    documents = planted.documents[:200]
    with_empty = [part for document in documents for part in ("", document, "", "?!")]
    one, two = (
        fit(docs, loss=loss, architecture=architecture, n_components=10)
        for docs in (documents, with_empty)
    )
    np.testing.assert_array_equal(one.input_vectors_, two.input_vectors_)
    np.testing.assert_array_equal(one.output_bias_, two.output_bias_)
    assert not two.transform(with_empty)[::4].any()


@by_loss
@by_architecture
def test_all_words_subsampled_away(planted, loss, architecture):
    transformer = fit(
        planted.documents[:200],
        loss=loss,
        architecture=architecture,
        subsample=1e-300,
        n_components=4,
    )
    assert not transformer.output_vectors_.any()


@by_loss
@by_architecture
def test_window_longer_than_every_document(planted, loss, architecture):
    transformer = fit(
        planted.documents[:200],
        loss=loss,
        architecture=architecture,
        window=10**6,
        subsample=0,
        n_components=4,
    )
    assert transformer.loss_curve_[-1] < transformer.loss_curve_[0]


@by_loss
@by_architecture
def test_one_component_one_document_one_epoch(loss, architecture):
    fit(["two words"], loss=loss, architecture=architecture, n_components=1, max_iter=1)


def test_odd_tokens(planted):
    tokens = ["", " ", "\x00", "\n", "a" * 10_000, "\U0001f600", "é", "e\u0301", "\ud800"]
    transformer = fit([tokens * 3, tokens[::-1]], n_components=4)
    assert len(transformer.vocabulary_) == len(tokens)
