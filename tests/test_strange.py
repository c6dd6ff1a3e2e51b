"""Small and strange corpora: finite numbers, no crash, no hang."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skw2v import Word2VecTransformer

ARCHITECTURES = ["skipgram", "cbow"]
# Trained vectors rarely have components above 3 or so; a model that has overshot has many.
SANE = 50


def fit(documents, **parameters):
    """Fit, look at everything it learned, and transform."""
    transformer = Word2VecTransformer(**{"min_count": 1, "random_state": 0} | parameters)
    features = transformer.fit_transform(documents)
    for values in (
        transformer.input_vectors_,
        transformer.output_vectors_,
        transformer.loss_curve_,
    ):
        assert np.isfinite(values).all()
        assert np.abs(values).max() < SANE
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


@settings(max_examples=40)
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
    architecture=st.sampled_from(ARCHITECTURES),
    window=st.integers(1, 50),
    n_components=st.integers(1, 33),
    subsample=st.sampled_from([0, 1e-9, 1e-3, 1]),
    embedding=st.sampled_from(["input", "concat"]),
)
def test_any_handful_of_tokens_will_do(
    documents, architecture, window, n_components, subsample, embedding
):
    fit(
        documents,
        architecture=architecture,
        window=window,
        n_components=n_components,
        subsample=subsample,
        embedding=embedding,
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("window", [5, 50])
def test_a_thousand_copies_of_one_document_stay_finite(planted, architecture, window):
    copy = " ".join(f"copy{i}" for i in range(40))
    documents = planted.documents[:1500] + [copy] * 1000 + planted.documents[1500:]
    fit(
        documents,
        architecture=architecture,
        window=window,
        learning_rate=0.1,
        n_components=20,
        max_iter=2,
    )


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_one_token_ten_thousand_times_inside_ordinary_text(planted, architecture):
    documents = list(planted.documents)
    documents[1500] = " ".join([documents[1500], "again " * 10_000, documents[1501]])
    fit(documents, architecture=architecture, window=10, learning_rate=0.05, n_components=50)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_only_copies_of_one_document(architecture):
    fit(["one two three four five six"] * 1000, architecture=architecture, learning_rate=0.1)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
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


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_documents_of_one_token_have_no_pairs(architecture):
    transformer = fit(["alone", "single", "alone"], architecture=architecture, n_components=4)
    assert np.abs(transformer.input_vectors_).max() <= 0.5 / 4
    assert not transformer.output_vectors_.any()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_empty_documents_among_others_change_nothing(planted, architecture):
    documents = planted.documents[:200]
    with_empty = [part for document in documents for part in ("", document, "", "?!")]
    one, two = (
        fit(docs, architecture=architecture, n_components=10) for docs in (documents, with_empty)
    )
    np.testing.assert_array_equal(one.input_vectors_, two.input_vectors_)
    assert not two.transform(with_empty)[::4].any()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_all_words_subsampled_away(planted, architecture):
    transformer = fit(
        planted.documents[:200], architecture=architecture, subsample=1e-300, n_components=4
    )
    assert not transformer.output_vectors_.any()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_window_longer_than_every_document(planted, architecture):
    fit(planted.documents[:200], architecture=architecture, window=10**6, n_components=4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_one_component_one_document_one_epoch(architecture):
    fit(["two words"], architecture=architecture, n_components=1, max_iter=1)


def test_odd_tokens(planted):
    tokens = ["", " ", "\x00", "\n", "a" * 10_000, "\U0001f600", "é", "e\u0301", "\ud800"]
    transformer = fit([tokens * 3, tokens[::-1]], n_components=4)
    assert len(transformer.vocabulary_) == len(tokens)
