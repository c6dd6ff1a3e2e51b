"""Which words get a vector, in which order; and vocabularies that the user gives."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skw2v._vocabulary import Vocabulary, add_counts, rank_words, read_vocabulary

counters = st.dictionaries(st.text(max_size=3), st.integers(1, 5), min_size=1) | st.dictionaries(
    st.integers(), st.integers(1, 5), min_size=1
)


def rank(counter, min_count=1, max_features=None):
    counts = np.fromiter(counter.values(), dtype=np.int64)
    return rank_words(list(counter), counts, min_count, max_features)


@given(counters, st.integers(1, 3), st.none() | st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_words_rank_by_falling_count_then_by_token(counter, min_count, max_features):
    expected = sorted(
        (token for token, count in counter.items() if count >= min_count),
        key=lambda token: (-counter[token], token),
    )[:max_features]
    if not expected:
        with pytest.raises(ValueError, match="vocabulary is empty"):
            rank(counter, min_count, max_features)
        return
    words, provisional_ids = rank(counter, min_count, max_features)
    assert words == expected
    assert [list(counter)[i] for i in provisional_ids] == expected


def test_max_features_keeps_the_smaller_token_of_a_tie():
    assert rank({"c": 2, "b": 2, "a": 1}, max_features=1)[0] == ["b"]


def test_what_does_not_occur_is_no_word():
    counts = np.array([0.0, 0.5, 0.0, 0.75])
    words, provisional_ids = rank_words(["a", "b", "c", "d"], counts, 0, None)
    assert (words, provisional_ids.tolist()) == (["d", "b"], [3, 1])
    with pytest.raises(ValueError, match="none of the 2 distinct tokens occurs min_count=1 times"):
        rank_words(["a", "b", "c", "d"], counts, 1, None)


def test_new_words_join_behind_the_old_ones():
    vocabulary = Vocabulary(["m"], np.array([9]), {"m": 0})
    grown, pending = add_counts(
        vocabulary,
        {"z": 2, "k": 1},
        ["a", "z", "m", "b", "c", "d"],
        np.array([1, 1, 4, 3, 3, 0]),
        min_count=3,
        max_features=3,
    )
    assert grown.words == ["m", "b", "c"]
    assert grown.counts.tolist() == [13, 3, 3]
    assert grown.index == {"m": 0, "b": 1, "c": 2}
    assert pending == {"z": 3, "k": 1, "a": 1}
    assert (vocabulary.words, vocabulary.counts.tolist()) == (["m"], [9])


def test_counts_are_whole_until_a_fraction_is_counted():
    vocabulary = Vocabulary(["m"], np.array([9]), {"m": 0})
    for count, pending, expected in (
        (1, {}, np.int64),
        (0.5, {}, np.float64),
        (1, {"new": 0.5}, np.float64),
    ):
        counts = np.array([count, count])
        grown, _ = add_counts(vocabulary, pending, ["m", "new"], counts, 0.1, None)
        assert grown.counts.tolist() == [9 + count, pending.get("new", 0) + count]
        assert grown.counts.dtype == expected
    assert Vocabulary.uncounted().counts.dtype == np.int64


def test_the_empty_vocabulary_error_says_how_many_words_missed_min_count():
    message = (
        "vocabulary is empty: none of the 37 distinct tokens occurs min_count=5 times; "
        "lower min_count or pass more documents"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        rank({f"word{i}": 4 for i in range(37)}, min_count=5)


@pytest.mark.parametrize(
    "vocabulary",
    [
        ["b", "a", "c"],
        ("b", "a", "c"),
        np.array(["b", "a", "c"]),
        np.array(["b", "a", "c"], dtype=object),
        pd.Index(["b", "a", "c"]),
        {"a": 1, "b": 0, "c": 2},
        {"a": np.int64(1), np.str_("b"): np.int32(0), "c": 2},
        {"b": 0, "a": 1, "c": 2}.keys(),
    ],
    ids=lambda vocabulary: type(vocabulary).__name__,
)
def test_a_given_vocabulary_keeps_its_ids(vocabulary):
    words = read_vocabulary(vocabulary)
    assert words == ["b", "a", "c"]
    assert {type(word) for word in words} == {str}


@pytest.mark.parametrize("make", [set, frozenset])
def test_a_set_is_sorted(make):
    assert read_vocabulary(make(["b", "a", "c"])) == ["a", "b", "c"]
    assert read_vocabulary(make([10, 9, 100])) == [9, 10, 100]


def test_integer_words_become_plain_int():
    words = read_vocabulary(np.array([7, 5], dtype=np.uint8))
    assert words == [7, 5]
    assert {type(word) for word in words} == {int}


@pytest.mark.parametrize(
    ("vocabulary", "error", "message"),
    [
        ([], ValueError, "empty vocabulary passed to fit"),
        ({}, ValueError, "empty vocabulary passed to fit"),
        (["a", "b", "a"], ValueError, "Duplicate term in vocabulary: 'a'"),
        ({"a": 0, "b": 0}, ValueError, "repeated indices: 'a' and 'b' both have 0"),
        ({"a": 0, "b": 2}, ValueError, "gives 'b' the id 2: .* 2 words must be .* 0 to 1"),
        ({"a": 0, "b": -1}, ValueError, "gives 'b' the id -1"),
        ({"a": 0, "b": "1"}, ValueError, "gives 'b' the id '1'"),
        ({"a": 0, "b": 1.0}, ValueError, r"gives 'b' the id 1\.0"),
        ("text", ValueError, "vocabulary='text': expected a list of tokens or a mapping"),
        (5, ValueError, "vocabulary=5: expected"),
        (["a", 1], TypeError, "the vocabulary has both str and int tokens"),
        ({"a", 1}, TypeError, "the vocabulary has both str and int tokens"),
        (["a", None], TypeError, "the vocabulary has None .* as token 1, expected str or int"),
        ([True, False], TypeError, "the vocabulary has True"),
    ],
)
def test_a_vocabulary_that_gives_no_ids_is_refused(vocabulary, error, message):
    with pytest.raises(error, match=message):
        read_vocabulary(vocabulary)


def test_a_vocabulary_has_a_length_and_pickles():
    vocabulary = Vocabulary(["b", "a"], np.array([3, 1]), {"b": 0, "a": 1})
    assert len(vocabulary) == 2
    copy = pickle.loads(pickle.dumps(vocabulary))
    assert copy.words == vocabulary.words
    assert copy.index == vocabulary.index
    assert copy.counts.tolist() == [3, 1]
