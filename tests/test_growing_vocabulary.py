"""Vocabularies that grow from batch to batch."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest
from corpus_checks import ANALYZE, corpora, decode, outcome, same_corpus, same_vocabulary
from hypothesis import given, settings
from hypothesis import strategies as st

from skw2v import EncodedDocuments
from skw2v._corpus import build_corpus, grow_vocabulary, read_documents
from skw2v._vocabulary import Vocabulary

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
