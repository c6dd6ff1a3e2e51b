"""n-grams of words as rows of the table."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skw2v import _ngrams
from skw2v._corpus import Corpus
from skw2v._ngrams import check_ngram_range, make_ngrams, with_ngrams

N_WORDS = 6
corpora = st.lists(st.lists(st.integers(0, N_WORDS - 1), max_size=9), max_size=8)
ranges = st.tuples(st.integers(1, 4), st.integers(0, 3)).map(lambda r: (r[0], r[0] + r[1]))


def make_corpus(documents):
    ids = np.array([word for document in documents for word in document], dtype=np.int32)
    return Corpus(ids, np.cumsum([0, *map(len, documents)], dtype=np.int64))


def documents_of(corpus):
    return [part.tolist() for part in np.split(corpus.token_ids, corpus.document_offsets[1:-1])]


def splitmix64(state):
    state = (state + 0x9E3779B97F4A7C15) % 2**64
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    state = (state ^ state >> 27) * 0x94D049BB133111EB % 2**64
    return state ^ state >> 31


def bucket_of(words, n_buckets):
    value = 0
    for word in words:
        value = splitmix64((value + word) % 2**64)
    return value % n_buckets


def buckets_of(document, ngram_range, n_buckets):
    """Those of the n-grams beyond words, the shorter ones first, each length from left to right."""
    return [
        bucket_of(document[start : start + n], n_buckets)
        for n in range(max(ngram_range[0], 2), ngram_range[1] + 1)
        for start in range(len(document) - n + 1)
    ]


def expand(documents, ngram_range, n_buckets, row_of):
    """Words, if these count, and n-grams that have a row."""
    return [
        (document if ngram_range[0] == 1 else [])
        + [row_of[b] for b in buckets_of(document, ngram_range, n_buckets) if b in row_of]
        for document in documents
    ]


@given(corpora, corpora, ranges, st.sampled_from([1, 2, 13, 2_000_000]))
def test_documents_have_their_n_grams(seen, others, ngram_range, n_buckets):
    ngrams = make_ngrams(make_corpus(seen), N_WORDS, ngram_range, n_buckets)
    used = sorted({b for document in seen for b in buckets_of(document, ngram_range, n_buckets)})
    assert ngrams.buckets.tolist() == used
    assert ngrams.n_rows == N_WORDS + len(used)
    row_of = {bucket: N_WORDS + place for place, bucket in enumerate(used)}
    for documents in (seen, others):  # n-grams of the others may be unknown
        found = with_ngrams(make_corpus(documents), ngrams)
        assert found.token_ids.dtype == np.int32
        assert found.document_offsets.dtype == np.int64
        assert found.n_documents == len(documents)
        expected = expand(documents, ngram_range, n_buckets, row_of)
        assert (documents_of(found) if documents else []) == expected


def test_by_hand():
    corpus = make_corpus([[0, 1, 0, 1], [2], [], [1, 0]])
    ngrams = make_ngrams(corpus, 3, (1, 2), 2_000_000)
    ab, ba = (bucket_of(pair, 2_000_000) for pair in ([0, 1], [1, 0]))
    assert ngrams.buckets.tolist() == sorted([ab, ba])
    row_ab, row_ba = 3 + (ab > ba), 3 + (ba > ab)
    expected = [[0, 1, 0, 1, row_ab, row_ba, row_ab], [2], [], [1, 0, row_ba]]
    assert documents_of(with_ngrams(corpus, ngrams)) == expected
    # (2, 0) and (0, 2) are not known.
    assert documents_of(with_ngrams(make_corpus([[2, 0, 2]]), ngrams)) == [[2, 0, 2]]


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
def test_a_documents_rows_do_not_depend_on_the_others(n_threads, monkeypatch):
    """Many n-grams are looked up by several threads in a table of all buckets, few are searched."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 60, size=2000)
    documents = np.split(rng.integers(0, 3000, size=lengths.sum()), np.cumsum(lengths)[:-1])
    corpus = make_corpus(documents)
    ngrams = make_ngrams(make_corpus(documents[::2]), 3000, (1, 3), 2**20)
    alone = [with_ngrams(make_corpus([document]), ngrams).token_ids for document in documents]
    monkeypatch.setattr(_ngrams, "_LEAST_PARALLEL", 0)
    together = with_ngrams(corpus, ngrams, n_threads=n_threads)
    assert np.array_equal(together.token_ids, np.concatenate(alone))
    assert np.diff(together.document_offsets).tolist() == [len(rows) for rows in alone]
    most = sum(max(length - n + 1, 0) for length in lengths for n in (1, 2, 3))
    assert ngrams.n_buckets * _ngrams._LEAST_SHARE < together.n_tokens < most  # some are not known


def test_words_alone_are_the_corpus_itself():
    corpus = make_corpus([[0, 1], [1]])
    ngrams = make_ngrams(corpus, 2, (1, 1), 10)
    assert with_ngrams(corpus, ngrams) is corpus
    assert ngrams.n_rows == 2


def test_other_n_grams_mostly_have_other_buckets():
    words = np.arange(300)
    pairs = np.array(np.meshgrid(words, words)).reshape(2, -1).T.ravel().tolist()
    corpus = Corpus(np.array(pairs, np.int32), np.arange(0, len(pairs) + 1, 2))
    n_used = len(make_ngrams(corpus, 300, (2, 2), 2**20).buckets)
    expected = 2**20 * -np.expm1(-90_000 / 2**20)  # of as many draws
    assert abs(n_used - expected) < 5 * np.sqrt(90_000 - expected)


@pytest.mark.parametrize("given", [(1, 1), [2, 3], (np.int64(1), np.int32(2))], ids=str)
def test_a_range_is_two_lengths(given):
    found = check_ngram_range(given)
    assert found == tuple(given)
    assert [type(n) for n in found] == [int, int]


@pytest.mark.parametrize("given", [(2, 1), (0, 1), (1,), (1, 2, 3), (1, 2.0), (True, 2), "12"])
def test_anything_else_is_refused(given):
    with pytest.raises(
        ValueError, match=r"expected the lengths of the shortest and of the longest"
    ):
        check_ngram_range(given)
