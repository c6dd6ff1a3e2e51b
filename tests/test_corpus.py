"""Documents to ids, in one pass and in place."""

import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from skw2v import _corpus
from skw2v._analyzer import analyze_documents, build_analyzer
from skw2v._corpus import Corpus, build_corpus, encode

ANALYZE = build_analyzer(
    input="content",
    encoding="utf-8",
    decode_error="strict",
    strip_accents=None,
    lowercase=True,
    preprocessor=None,
    tokenizer=None,
    stop_words=None,
    token_pattern=r"(?u)\b\w\w+\b",
    analyzer="word",
)

corpora = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=12), min_size=1, max_size=12)


def decode(vocabulary, corpus):
    """The tokens of each document, read back from the ids."""
    bounds = corpus.document_offsets
    return [
        [vocabulary.words[i] for i in corpus.token_ids[start:stop]]
        for start, stop in pairwise(bounds)
    ]


def assert_sound(vocabulary, corpus):
    """What holds for every vocabulary and corpus, however they came about."""
    assert corpus.token_ids.dtype == np.int32
    assert corpus.token_ids.flags.c_contiguous
    assert corpus.token_ids.flags.writeable
    assert corpus.document_offsets.dtype == np.int64
    assert corpus.document_offsets[0] == 0
    assert corpus.document_offsets[-1] == corpus.n_tokens == len(corpus.token_ids)
    assert vocabulary.counts.dtype == np.int64
    assert vocabulary.index == {word: i for i, word in enumerate(vocabulary.words)}
    assert list(vocabulary.index) == vocabulary.words
    np.testing.assert_array_equal(
        np.bincount(corpus.token_ids, minlength=len(vocabulary)), vocabulary.counts
    )


@pytest.fixture(params=[1, 3, 1 << 16], ids="block of {}".format)
def block(request, monkeypatch):
    """The stream is handled in blocks: borders must not show."""
    monkeypatch.setattr(_corpus, "_BLOCK", request.param)


@pytest.mark.parametrize("block_size", [1, 3, 1 << 16])
@given(corpora, st.integers(1, 4), st.none() | st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_documents_keep_their_words_in_order(block_size, documents, min_count, max_features):
    counter = Counter(token for document in documents for token in document)
    frequent = [(-count, token) for token, count in counter.items() if count >= min_count]
    expected = [token for _, token in sorted(frequent)][:max_features]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_corpus, "_BLOCK", block_size)
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
    monkeypatch.setattr(_corpus, "_MAX_ID", 2)
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
