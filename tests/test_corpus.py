"""Documents to ids, in one pass and in place."""

import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from fractions import Fraction
from itertools import chain, pairwise, repeat

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from skw2v import EncodedDocuments, _numbering, encoded_documents
from skw2v._analyzer import analyze_documents, build_analyzer
from skw2v._corpus import Corpus, build_corpus, encode, grow_vocabulary, read_documents
from skw2v._vocabulary import Vocabulary

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

weights = st.sampled_from([0.0, 1.0, 2.0, 3.0]) | st.sampled_from([0.0, 0.1, 0.25, 1.5, 1e-9, 1e9])
corpora = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=12), min_size=1, max_size=12)


def decode(vocabulary, corpus):
    """The tokens of each document, read back from the ids."""
    bounds = corpus.document_offsets
    return [
        [vocabulary.words[i] for i in corpus.token_ids[start:stop]]
        for start, stop in pairwise(bounds)
    ]


def same_corpus(corpus, expected):
    np.testing.assert_array_equal(corpus.token_ids, expected.token_ids)
    np.testing.assert_array_equal(corpus.document_offsets, expected.document_offsets)
    assert corpus.token_ids.dtype == np.int32
    assert corpus.document_offsets.dtype == np.int64


def same_vocabulary(vocabulary, expected):
    assert vocabulary.words == expected.words
    assert list(vocabulary.index.items()) == list(expected.index.items())
    np.testing.assert_array_equal(vocabulary.counts, expected.counts)
    assert vocabulary.counts.dtype == expected.counts.dtype


def outcome(action):
    """What it returns, or the error it raises."""
    try:
        return action()
    except (TypeError, ValueError) as error:
        return type(error), str(error)


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


batches = st.lists(
    st.tuples(corpora, st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=4
)


@given(batches, st.integers(1, 6), st.none() | st.integers(1, 5), st.booleans())
@settings(max_examples=150)
def test_a_stream_grows_the_vocabulary(batches, min_count, max_features, whole):
    words, counter, waiting = [], Counter(), Counter()
    vocabulary, pending = Vocabulary.uncounted(), {}
    for documents, grow, weighted, is_encoded in batches:
        each = 2 if whole else 0.5
        weight = np.full(len(documents), each, dtype=float) if weighted else None
        before = vocabulary.words.copy(), vocabulary.counts.copy(), vocabulary.index.copy()
        pending_before = dict(pending)
        grown, corpus, still_pending = grow_vocabulary(
            vocabulary,
            read_documents(documents, ANALYZE) if is_encoded else documents,
            ANALYZE,
            pending,
            min_count=min_count,
            max_features=max_features,
            document_weight=weight,
            grow=grow,
        )
        # What was passed has not changed.
        assert (vocabulary.words, vocabulary.index, pending) == (
            before[0],
            before[2],
            pending_before,
        )
        np.testing.assert_array_equal(vocabulary.counts, before[1])
        # The same, with one Counter of words and one of the rest.
        for token in chain.from_iterable(documents):
            if token in words:
                counter[token] += each if weighted else 1
            elif grow:
                waiting[token] += each if weighted else 1
        if grow:
            joining = sorted(
                (token for token, count in waiting.items() if count >= min_count),
                key=lambda token: (-waiting[token], token),
            )
            if max_features is not None:
                joining = joining[: max_features - len(words)]
            words += joining
            counter.update({token: waiting.pop(token) for token in joining})
        assert grown.words == words
        assert grown.index == {word: i for i, word in enumerate(words)}
        assert grown.counts.tolist() == [counter[word] for word in words]
        assert grown.counts.dtype in (np.int64, np.float64)
        if whole:
            assert grown.counts.dtype == np.int64
        assert still_pending == waiting
        kept = [[token for token in document if token in words] for document in documents]
        assert decode(grown, corpus) == kept
        vocabulary, pending = grown, still_pending


@given(corpora, st.integers(1, 4), st.none() | st.integers(1, 4))
@settings(max_examples=60)
def test_one_batch_gives_the_vocabulary_of_its_documents(documents, min_count, max_features):
    limits = {"min_count": min_count, "max_features": max_features}
    expected = outcome(lambda: build_corpus(documents, ANALYZE, **limits))
    vocabulary, corpus, _ = grow_vocabulary(
        Vocabulary.uncounted(), documents, ANALYZE, {}, **limits
    )
    if not isinstance(expected[0], Vocabulary):
        assert len(vocabulary) == 0
        assert corpus.n_tokens == 0
        return
    same_vocabulary(vocabulary, expected[0])
    same_corpus(corpus, expected[1])


def test_tokens_join_when_there_is_room_for_them_again():
    vocabulary, _, pending = grow_vocabulary(
        Vocabulary.uncounted(), ["bb bb aa aa cc"], ANALYZE, {}, min_count=2, max_features=1
    )
    assert (vocabulary.words, pending) == (["aa"], {"bb": 2, "cc": 1})
    vocabulary, _, pending = grow_vocabulary(
        vocabulary, ["dd"], ANALYZE, pending, min_count=2, max_features=None
    )
    assert (vocabulary.words, vocabulary.counts.tolist()) == (["aa", "bb"], [2, 2])
    assert pending == {"cc": 1, "dd": 1}


def test_a_stream_has_one_kind_of_tokens_and_documents_in_every_batch():
    limits = {"min_count": 2, "max_features": None}
    vocabulary, _, pending = grow_vocabulary(Vocabulary.uncounted(), ["one"], ANALYZE, {}, **limits)
    assert (len(vocabulary), pending) == (0, {"one": 1})
    for batch in ([[1]], read_documents([[1]], ANALYZE)):
        with pytest.raises(TypeError, match="document 0 has int tokens"):
            grow_vocabulary(vocabulary, batch, ANALYZE, pending, **limits)
    for grow in (False, True):
        with pytest.raises(ValueError, match="no documents: at least one is needed"):
            grow_vocabulary(vocabulary, [], ANALYZE, pending, grow=grow, **limits)
    assert isinstance(read_documents([[1]], ANALYZE), EncodedDocuments)
