"""What the tests of corpora share: documents to draw, and what it means to be the same."""

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from skw2v._analyzer import build_analyzer

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
