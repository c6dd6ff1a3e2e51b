"""Documents to ids, in one pass and in place."""

import os
import subprocess
import sys
import tracemalloc
from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pytest
from corpus_checks import (
    ANALYZE,
    assert_sound,
    corpora,
    decode,
    outcome,
    same_corpus,
    same_vocabulary,
    weights,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from skw2v import _numbering
from skw2v._analyzer import analyze_documents
from skw2v._corpus import Corpus, build_corpus, encode, read_documents
from skw2v._vocabulary import Vocabulary


@pytest.fixture(params=[1, 3, 1 << 16], ids="block of {}".format)
def block(request, monkeypatch):
    """The stream is handled in blocks: borders must not show."""
    monkeypatch.setattr(_numbering, "_BLOCK", request.param)


@pytest.mark.parametrize("block_size", [1, 3, 1 << 16])
@given(corpora, st.integers(1, 4), st.none() | st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_documents_keep_their_words_in_order(block_size, documents, min_count, max_features):
    counter = Counter(token for document in documents for token in document)
    frequent = [(-count, token) for token, count in counter.items() if count >= min_count]
    expected = [token for _, token in sorted(frequent)][:max_features]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_numbering, "_BLOCK", block_size)
        if not expected:
            with pytest.raises(ValueError, match="vocabulary is empty"):
                build_corpus(documents, ANALYZE, min_count=min_count, max_features=max_features)
            return
        vocabulary, corpus = build_corpus(
            documents, ANALYZE, min_count=min_count, max_features=max_features
        )
        again = encode(documents, ANALYZE, vocabulary)
    assert vocabulary.words == expected
    assert vocabulary.counts.tolist() == [counter[token] for token in expected]
    assert_sound(vocabulary, corpus)
    kept = [[token for token in document if token in vocabulary.index] for document in documents]
    assert decode(vocabulary, corpus) == kept
    np.testing.assert_array_equal(again.token_ids, corpus.token_ids)
    np.testing.assert_array_equal(again.document_offsets, corpus.document_offsets)


@given(corpora, st.permutations("abcdxyz"))
@settings(max_examples=60, deadline=None)
def test_a_given_vocabulary_keeps_its_ids_and_its_absent_words(documents, words):
    counter = Counter(token for document in documents for token in document)
    if not counter.keys() & set(words):
        with pytest.raises(ValueError, match="none of the 7 words of the given vocabulary"):
            build_corpus(documents, ANALYZE, vocabulary=words)
        return
    vocabulary, corpus = build_corpus(documents, ANALYZE, vocabulary=words)
    assert vocabulary.words == words
    assert vocabulary.counts.tolist() == [counter[word] for word in words]
    assert_sound(vocabulary, corpus)
    kept = [[token for token in document if token in words] for document in documents]
    assert decode(vocabulary, corpus) == kept


def test_min_count_and_max_features_do_not_touch_a_given_vocabulary():
    given_words = {"cat": 1, "dog": 0, "emu": 2}
    vocabulary, corpus = build_corpus(
        ["cat dog cat"], ANALYZE, vocabulary=given_words, min_count=9, max_features=1
    )
    assert vocabulary.words == ["dog", "cat", "emu"]
    assert vocabulary.counts.tolist() == [1, 2, 0]
    assert corpus.token_ids.tolist() == [1, 0, 1]


def test_counts_are_those_of_countvectorizer(block):
    documents = ["The cat sat", "", b"the Dog", "a cat and the cat", "Ünïcode ünïcode"]
    vocabulary, corpus = build_corpus(documents, ANALYZE, min_count=1)
    peer = CountVectorizer().fit(documents)
    assert sorted(vocabulary.words) == peer.get_feature_names_out().tolist()
    totals = np.asarray(peer.transform(documents).sum(axis=0)).ravel()
    assert [
        totals[peer.vocabulary_[word]] for word in vocabulary.words
    ] == vocabulary.counts.tolist()
    assert np.diff(corpus.document_offsets).tolist() == [3, 0, 2, 4, 2]


@pytest.mark.parametrize(
    "contain",
    [
        tuple,
        lambda documents: np.array(documents),
        lambda documents: np.array(documents, dtype=object),
        pd.Series,
        lambda documents: pd.Series(
            documents, dtype=object, index=range(9, 9 - len(documents), -1)
        ),
        pl.Series,
        iter,
        lambda documents: (document for document in documents),
        lambda documents: [document.split() for document in documents],
        lambda documents: [np.array(document.split(), dtype=object) for document in documents],
        lambda documents: pd.Series([document.split() for document in documents]),
        lambda documents: pl.Series([document.split() for document in documents]),
    ],
)
def test_the_container_does_not_matter(contain):
    documents = ["one two two", "", "three two one", "four"]
    expected_vocabulary, expected = build_corpus(documents, ANALYZE, min_count=1)
    vocabulary, corpus = build_corpus(contain(documents), ANALYZE, min_count=1)
    assert vocabulary.words == expected_vocabulary.words == ["two", "one", "four", "three"]
    np.testing.assert_array_equal(corpus.token_ids, expected.token_ids)
    np.testing.assert_array_equal(corpus.document_offsets, expected.document_offsets)


@pytest.mark.parametrize("chosen", [None, ["one", "two"]])
def test_documents_are_read_and_analysed_once(chosen):
    analysed = []

    def analyze(document):
        analysed.append(document)
        return document.split()

    documents = ["one two", "two", ""]
    build_corpus(iter(documents), analyze, vocabulary=chosen, min_count=1)
    assert analysed == documents


def test_integer_tokens_rank_as_numbers():
    documents = [np.array([10, 9]), [100, 9], (), [np.int8(10), 100]]
    vocabulary, corpus = build_corpus(documents, ANALYZE, min_count=1)
    assert vocabulary.words == [9, 10, 100]
    assert {type(word) for word in vocabulary.words} == {int}
    assert decode(vocabulary, corpus) == [[10, 9], [100, 9], [], [10, 100]]


def test_empty_documents_are_kept(block):
    vocabulary, corpus = build_corpus(
        ["", "rare", "aa aa", "", "aa rare2", ""], ANALYZE, min_count=2
    )
    assert vocabulary.words == ["aa"]
    assert corpus.n_documents == 6
    assert corpus.document_offsets.tolist() == [0, 0, 0, 2, 2, 3, 3]


def test_a_long_document_is_not_cut():
    tokens = [f"w{i % 7}" for i in range(200_000)]
    vocabulary, corpus = build_corpus([["w1"], tokens, ["w2"]], ANALYZE)
    assert corpus.document_offsets.tolist() == [0, 1, 200_001, 200_002]
    assert decode(vocabulary, corpus)[1] == tokens


def test_unknown_tokens_are_left_out_of_new_documents(block):
    vocabulary, _ = build_corpus(["one two one"], ANALYZE, min_count=1)
    corpus = encode(["zero", "two zero one", "", "ONE"], ANALYZE, vocabulary)
    assert corpus.token_ids.tolist() == [1, 0, 0]
    assert corpus.document_offsets.tolist() == [0, 0, 2, 2, 3]


def test_no_documents_can_be_encoded_but_not_learned_from():
    vocabulary, _ = build_corpus(["one"], ANALYZE, min_count=1)
    corpus = encode([], ANALYZE, vocabulary)
    assert corpus.document_offsets.tolist() == [0]
    assert (corpus.n_documents, corpus.n_tokens, corpus.token_ids.dtype) == (0, 0, np.int32)
    for chosen in (None, ["one"]):
        with pytest.raises(ValueError, match="no documents: at least one is needed"):
            build_corpus([], ANALYZE, vocabulary=chosen)


def test_documents_without_tokens_are_refused():
    with pytest.raises(ValueError, match="vocabulary is empty: no token in 2 documents"):
        build_corpus(["", "a b c"], ANALYZE, min_count=1)


def test_too_high_a_min_count_says_what_to_do():
    with pytest.raises(ValueError, match="none of the 2 distinct tokens occurs min_count=5 times"):
        build_corpus(["one two one"], ANALYZE)


def test_more_words_than_32_bits_can_number_are_refused(monkeypatch):
    monkeypatch.setattr(_numbering, "_MAX_ID", 2)
    build_corpus(["aa bb cc"], ANALYZE, min_count=1)
    with pytest.raises(ValueError, match="more than 3 distinct tokens: ids are 32-bit"):
        build_corpus(["aa bb cc dd"], ANALYZE, min_count=1)


def test_kinds_of_tokens_do_not_mix():
    with pytest.raises(TypeError, match="document 1 has int tokens, the documents before it have"):
        build_corpus(["text", [1, 2]], ANALYZE, min_count=1)
    vocabulary, _ = build_corpus([[1, 2]], ANALYZE, min_count=1)
    with pytest.raises(TypeError, match="document 0 has str tokens, the vocabulary has int tokens"):
        encode([["1", "2"]], ANALYZE, vocabulary)
    with pytest.raises(TypeError, match="document 0 has str tokens, the vocabulary has int tokens"):
        build_corpus(["text"], ANALYZE, vocabulary=[1, 2])


def test_bad_documents_are_named_in_fit_and_transform():
    vocabulary, _ = build_corpus(["text"], ANALYZE, min_count=1)
    with pytest.raises(TypeError, match="document 1 is None"):
        build_corpus(["text", None], ANALYZE)
    with pytest.raises(TypeError, match="document 1 is None"):
        encode(["text", None], ANALYZE, vocabulary)
    with pytest.raises(UnicodeDecodeError, match=r"\(document 1\)"):
        encode(["text", b"\xff"], ANALYZE, vocabulary)


def test_ids_do_not_depend_on_string_hashes():
    script = (
        "from skw2v._corpus import build_corpus\n"
        "texts = [[f'w{(i * j) % 17}' for i in range(40)] for j in range(9)]\n"
        "for given in (None, {f'w{i}' for i in range(12)}):\n"
        "    words, corpus = build_corpus(texts, list, vocabulary=given, max_features=9)\n"
        "    print(words.index, words.counts, corpus.token_ids.tolist())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("n_distinct", [1_000, 60_000])
def test_peak_memory_is_four_bytes_a_token_beside_the_counting_dictionary(n_distinct):
    n_tokens = 600_000
    tokens = [f"w{i}" for i in range(n_distinct)]
    order = np.random.default_rng(0).integers(n_distinct, size=n_tokens).tolist()
    documents = [
        [tokens[i] for i in order[start : start + 200]] for start in range(0, n_tokens, 200)
    ]

    def peak(action):
        tracemalloc.start()
        kept = action()
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used, kept

    # 256 onwards: smaller integers exist already and cost nothing.
    dictionary, _ = peak(lambda: dict(zip(tokens, range(256, 256 + n_distinct), strict=True)))
    used, (vocabulary, corpus) = peak(lambda: build_corpus(documents, ANALYZE, min_count=5))
    assert corpus.n_tokens > 0.9 * n_tokens
    assert len(vocabulary) > 0.9 * n_distinct
    assert used <= 1.15 * (4 * n_tokens + 1.2 * dictionary) + 0.5e6


def test_the_corpus_is_cut_to_its_own_size():
    documents = [[f"rare{i}" for i in range(50_000)], ["word"] * 1_000]
    tracemalloc.start()
    _, corpus = build_corpus(documents, ANALYZE)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert corpus.n_tokens == 1_000
    assert held < 20_000


def test_ready_tokens_of_the_caller_are_left_alone():
    documents = [["one", "two"], ["one"]]
    build_corpus(documents, ANALYZE, min_count=2)
    assert documents == [["one", "two"], ["one"]]
    assert list(analyze_documents(documents, ANALYZE)) == documents


def test_a_corpus_knows_its_size():
    corpus = Corpus(np.zeros(3, dtype=np.int32), np.array([0, 2, 3]))
    assert (corpus.n_tokens, corpus.n_documents) == (3, 2)


@given(corpora, st.data(), st.integers(1, 3), st.none() | st.integers(1, 4))
@settings(max_examples=100)
def test_encoded_documents_give_what_the_documents_give(documents, data, min_count, max_features):
    rows = data.draw(st.lists(st.integers(0, len(documents) - 1), max_size=12))
    chosen = data.draw(st.none() | st.permutations("abcxyz"))
    weight = data.draw(st.none() | st.lists(weights, min_size=len(rows), max_size=len(rows)))
    raw = [documents[row] for row in rows]
    encoded = read_documents(documents, ANALYZE)[rows]
    held = encoded.token_ids.copy(), encoded.document_offsets.copy()

    def build(documents):
        return build_corpus(
            documents,
            ANALYZE,
            vocabulary=chosen,
            min_count=min_count,
            max_features=max_features,
            document_weight=weight and np.array(weight),
        )

    expected = outcome(lambda: build(raw))
    built = outcome(lambda: build(encoded))
    np.testing.assert_array_equal(encoded.token_ids, held[0])
    np.testing.assert_array_equal(encoded.document_offsets, held[1])
    if not isinstance(expected[0], Vocabulary):
        assert built == expected
        return
    vocabulary, corpus = built
    same_vocabulary(vocabulary, expected[0])
    same_corpus(corpus, expected[1])
    assert corpus.token_ids.flags.writeable
    assert not np.shares_memory(corpus.token_ids, encoded.token_ids)
    everything = read_documents(documents, ANALYZE)
    same_corpus(encode(everything, ANALYZE, vocabulary), encode(documents, ANALYZE, vocabulary))


def test_encoded_documents_are_never_analysed():
    encoded = read_documents(["one two", "two"], ANALYZE)
    vocabulary, _ = build_corpus(encoded, None, min_count=1)
    build_corpus(encoded, None, vocabulary=["one"])
    assert encode(encoded, None, vocabulary).token_ids.tolist() == [1, 0, 0]


def test_each_distinct_token_is_looked_up_once():
    class Counted(dict):
        n_lookups = 0

        def get(self, *arguments):
            self.n_lookups += 1
            return super().get(*arguments)

    index = Counted(one=0, two=1)
    encoded = read_documents([["one", "two", "one"]] * 100, list)
    corpus = encode(encoded, None, Vocabulary(["one", "two"], np.array([1, 1]), index))
    assert corpus.n_tokens == 300
    assert index.n_lookups == 2


def test_kinds_of_encoded_tokens_do_not_mix():
    vocabulary, _ = build_corpus([[1, 2]], ANALYZE, min_count=1)
    encoded = read_documents(["", "1 2 tokens", "text"], ANALYZE)
    with pytest.raises(TypeError, match="document 1 has str tokens, the vocabulary has int tokens"):
        encode(encoded, ANALYZE, vocabulary)
    assert encode(encoded[:1], ANALYZE, vocabulary).document_offsets.tolist() == [0, 0]
    with pytest.raises(TypeError, match="document 1 has int tokens, the documents before it"):
        read_documents(["text", [1]], ANALYZE)


def test_numbering_documents_costs_four_bytes_a_token():
    documents = [[f"w{i % 50}" for i in range(100_000)]] * 6
    tracemalloc.start()
    encoded = read_documents(documents, ANALYZE)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    _, corpus = build_corpus(encoded, ANALYZE)
    copied = tracemalloc.get_traced_memory()[1] - held
    tracemalloc.stop()
    size = 4 * 600_000
    assert corpus.n_tokens == 600_000
    assert held <= 1.1 * size
    assert peak <= 1.1 * size + 2e6  # and a list of one document's ids
    assert copied <= 1.1 * size + 0.5e6
