"""A document's weight is how often it stands in the corpus."""

import tracemalloc
from collections import Counter
from fractions import Fraction
from itertools import chain, repeat

import numpy as np
import pytest
from corpus_checks import ANALYZE, corpora, outcome, same_corpus, same_vocabulary, weights
from hypothesis import given, settings
from hypothesis import strategies as st

from skw2v import _numbering, encoded_documents
from skw2v._corpus import Corpus, build_corpus, encode
from skw2v._vocabulary import Vocabulary

weighted_corpora = corpora.flatmap(
    lambda documents: st.tuples(
        st.just(documents),
        st.lists(weights, min_size=len(documents), max_size=len(documents)),
        st.lists(st.integers(0, 3), min_size=len(documents), max_size=len(documents)),
    )
)


@pytest.mark.parametrize("block_size", [1, 3, 1 << 16])
@given(weighted_corpora, st.integers(1, 3), st.none() | st.integers(1, 4), st.booleans())
@settings(max_examples=60)
def test_a_weight_is_how_often_a_document_stands_there(
    block_size, weighted, min_count, max_features, choose
):
    documents, _, times = weighted
    chosen = list("abcxyz") if choose else None
    repeated = list(chain.from_iterable(map(repeat, documents, times)))
    parameters = {"vocabulary": chosen, "min_count": min_count, "max_features": max_features}
    expected = outcome(lambda: build_corpus(repeated, ANALYZE, **parameters))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_numbering, "_BLOCK", block_size)
        patch.setattr(encoded_documents, "_BLOCK", block_size)
        built = outcome(
            lambda: build_corpus(
                documents, ANALYZE, document_weight=np.array(times, dtype=float), **parameters
            )
        )
        if not isinstance(expected[0], Vocabulary):
            assert not isinstance(built[0], Vocabulary)
            return
        vocabulary, corpus = built
        same_corpus(corpus.repeated(np.array(times)), expected[1])
    same_vocabulary(vocabulary, expected[0])
    assert corpus.n_documents == len(documents)
    same_corpus(corpus, encode(documents, ANALYZE, expected[0]))


@given(weighted_corpora, st.sampled_from([0.05, 0.5, 1, 3]), st.none() | st.integers(1, 4))
@settings(max_examples=100)
def test_weights_may_be_fractions(weighted, min_count, max_features):
    documents, weight, _ = weighted
    exact = Counter()
    for document, each in zip(documents, weight, strict=True):
        for token in document:
            exact[token] += Fraction(each)
    sums = {token: float(count) for token, count in exact.items()}
    ranked = sorted((-count, token) for token, count in sums.items() if count >= min_count)
    expected = [token for _, token in ranked][:max_features]
    built = outcome(
        lambda: build_corpus(
            documents,
            ANALYZE,
            min_count=min_count,
            max_features=max_features,
            document_weight=np.array(weight),
        )
    )
    if not expected:
        assert built[0] is ValueError
        assert "vocabulary is empty" in built[1]
        return
    vocabulary, corpus = built
    assert vocabulary.words == expected
    np.testing.assert_allclose(
        vocabulary.counts, [sums[word] for word in expected], rtol=1e-15, atol=1e-300
    )
    whole = all(each.is_integer() for each in weight)
    assert vocabulary.counts.dtype == (np.int64 if whole else np.float64)
    assert corpus.n_documents == len(documents)


def test_ten_times_a_tenth_is_one():
    weight = np.full(10, 0.1)
    vocabulary, _ = build_corpus(["word"] * 10, ANALYZE, min_count=1, document_weight=weight)
    assert vocabulary.counts.tolist() == [1.0]


def test_weighted_counts_do_not_depend_on_the_order_of_the_documents(global_random_seed):
    random = np.random.default_rng(global_random_seed)
    documents = np.array(["aa", "bb", "cc", "aa bb cc"], dtype=object)[random.integers(4, size=500)]
    weight = random.exponential(size=500) * 10.0 ** random.integers(-8, 8, size=500)
    expected, _ = build_corpus(documents, ANALYZE, min_count=1, document_weight=weight)
    for _ in range(5):
        order = random.permutation(500)
        vocabulary, _ = build_corpus(
            documents[order], ANALYZE, min_count=1, document_weight=weight[order]
        )
        same_vocabulary(vocabulary, expected)


def test_a_document_of_weight_0_is_absent_from_the_vocabulary_and_present_in_the_corpus():
    documents = ["one two", "three", "two"]
    weight = np.array([1.0, 0.0, 2.0])
    vocabulary, corpus = build_corpus(documents, ANALYZE, min_count=1, document_weight=weight)
    assert vocabulary.words == ["two", "one"]
    assert vocabulary.counts.tolist() == [3, 1]
    assert corpus.document_offsets.tolist() == [0, 2, 2, 3]
    for chosen, message in (
        (None, "vocabulary is empty: no token in 1 documents with a weight above 0"),
        (["one"], "none of the 1 words .* occurs in the 1 documents with a weight above 0"),
    ):
        with pytest.raises(ValueError, match=message):
            build_corpus(
                ["one", ""], ANALYZE, vocabulary=chosen, document_weight=np.array([0.0, 1.0])
            )


@pytest.mark.parametrize("weight", [5e-324, 1e-300, 1e300, 2.0**62])
def test_extreme_weights_are_counted(weight):
    documents = ["one one two", ""]
    vocabulary, _ = build_corpus(
        documents, ANALYZE, vocabulary=["one", "two"], document_weight=np.array([weight, 0.5])
    )
    assert vocabulary.counts.tolist() == [2 * weight, weight]
    vocabulary, _ = build_corpus(
        documents, ANALYZE, min_count=1, document_weight=np.array([1, weight])
    )
    assert vocabulary.counts.tolist() == [2, 1]


def test_a_corpus_where_each_document_stands_once_is_itself():
    corpus = Corpus(np.array([4, 5, 6], dtype=np.int32), np.array([0, 1, 1, 3]))
    assert corpus.repeated(np.ones(3, dtype=np.int64)) is corpus
    doubled = corpus.repeated(np.array([2, 3, 0]))
    assert doubled.token_ids.tolist() == [4, 4]
    assert doubled.document_offsets.tolist() == [0, 1, 2, 2, 2, 2]
    assert doubled.token_ids.flags.writeable
    none = corpus.repeated(np.zeros(3, dtype=np.int64))
    assert (none.n_documents, none.n_tokens) == (0, 0)


def test_repeating_takes_four_bytes_a_token(global_random_seed):
    random = np.random.default_rng(global_random_seed)
    lengths = random.integers(40, size=2_000)
    lengths[7] = 100_000
    offsets = np.append(0, np.cumsum(lengths))
    corpus = Corpus(random.integers(9, size=offsets[-1], dtype=np.int32), offsets)
    times = random.poisson(1.0, size=2_000)
    times[7] = 5
    tracemalloc.start()
    repeated = corpus.repeated(times)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    pieces = np.split(corpus.token_ids, offsets[1:-1])
    expected = np.concatenate([np.tile(piece, n) for piece, n in zip(pieces, times, strict=True)])
    np.testing.assert_array_equal(repeated.token_ids, expected)
    assert peak <= 4 * repeated.n_tokens + 0.8e6
