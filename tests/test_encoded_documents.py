"""Documents numbered once: read back, sliced as scikit-learn slices, carried to other processes."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import Parallel, delayed
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    train_test_split,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.utils import _safe_indexing, check_consistent_length, indexable, resample, shuffle
from sklearn.utils.validation import _num_samples

from skw2v import EncodedDocuments, Word2VecTransformer, encoded_documents
from skw2v._corpus import read_documents

LISTS = [["the", "cat"], [], ["a", "dog", "the", "dog"], ["cat"], []]

words = st.lists(st.sampled_from("abcdefg"), max_size=7)
numbers = st.lists(st.integers(-5, 5), max_size=7)
corpora = st.lists(words, max_size=8) | st.lists(numbers, max_size=8)


@pytest.fixture
def encoded():
    return read_documents(LISTS, list)


def rows_of(n_documents):
    """Keys that choose documents of a 1-D array of that length."""
    bounds = st.none() | st.integers(-n_documents - 1, n_documents + 1)
    steps = st.none() | st.sampled_from([-3, -1, 1, 2])
    keys = st.builds(slice, bounds, bounds, steps)
    keys |= st.lists(st.booleans(), min_size=n_documents, max_size=n_documents).map(
        lambda mask: np.array(mask, dtype=bool)
    )
    if n_documents:
        ints = st.lists(st.integers(-n_documents, n_documents - 1), max_size=2 * n_documents)
        keys |= ints.map(lambda rows: np.array(rows, dtype=np.int32))
    return keys


@given(corpora)
def test_documents_are_read_back(documents):
    encoded = read_documents(iter(documents), list)
    assert list(encoded) == documents
    assert [encoded[i] for i in range(len(documents))] == documents
    assert encoded.tokens == list(dict.fromkeys(token for tokens in documents for token in tokens))
    assert encoded.token_ids.dtype == np.int32
    assert encoded.document_offsets.dtype == np.int64
    assert np.diff(encoded.document_offsets).tolist() == list(map(len, documents))
    assert len(encoded) == len(documents)
    assert encoded.shape == (len(documents),)


@pytest.mark.parametrize("block", [1, 3, 1 << 14])
@given(corpora, st.data())
def test_documents_are_chosen_like_those_of_an_array(block, documents, data):
    key = data.draw(rows_of(len(documents)))
    encoded = read_documents(documents, list)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoded_documents, "_BLOCK", block)
        chosen = encoded[key]
    assert isinstance(chosen, EncodedDocuments)
    assert chosen.tokens is encoded.tokens
    array = np.empty(len(documents), dtype=object)
    array[:] = documents
    assert list(chosen) == list(array[key])
    assert not np.shares_memory(chosen.token_ids, encoded.token_ids)
    assert list(_safe_indexing(encoded, key)) == list(array[key])


@pytest.mark.parametrize("position", [2, -3, np.int32(2), np.array(2), (2, ...)])
def test_an_integer_gives_one_document(encoded, position):
    assert encoded[position] == ["a", "dog", "the", "dog"]


@pytest.mark.parametrize(
    "key",
    [
        pd.Series([False, True, False, True, False]),
        [False, True, False, True, False],
        [1, 3],
        ([1, 3], ...),
        slice(1, 4, 2),
        range(1, 4, 2),
    ],
)
def test_what_numpy_takes_for_a_key_will_do(encoded, key):
    assert list(encoded[key]) == [[], ["cat"]]


def test_no_documents_may_be_chosen(encoded):
    for key in ([], slice(0), np.zeros(5, dtype=bool)):
        none = encoded[key]
        assert list(none) == []
        assert none.shape == (0,)
        assert none.document_offsets.tolist() == [0]
        assert repr(none) == "EncodedDocuments(n_documents=0, n_tokens=0, n_distinct=4)"


@pytest.mark.parametrize(
    "key", [5, -6, [5], "0", None, 1.0, True, (0, 1), [[0, 1]], np.ones(4, dtype=bool)]
)
def test_documents_that_are_not_there_are_refused(encoded, key):
    with pytest.raises(IndexError):
        encoded[key]


def test_the_error_for_a_missing_document_says_how_many_there_are(encoded):
    with pytest.raises(IndexError, match="there is no document 5 among 5 documents"):
        encoded[5]


def test_they_cannot_be_changed(encoded):
    for documents in (encoded, encoded[1:], pickle.loads(pickle.dumps(encoded))):
        for name in ("tokens", "token_ids", "document_offsets", "shape"):
            with pytest.raises(AttributeError):
                setattr(documents, name, None)
        with pytest.raises(ValueError, match="read-only"):
            documents.token_ids[0] = 1
        with pytest.raises(ValueError, match="read-only"):
            documents.document_offsets[0] = 1
        with pytest.raises(TypeError):
            documents[0] = ["cat"]


def test_they_show_their_size(encoded):
    assert repr(encoded) == "EncodedDocuments(n_documents=5, n_tokens=7, n_distinct=4)"
    assert repr(encoded[:2]) == "EncodedDocuments(n_documents=2, n_tokens=2, n_distinct=4)"


def test_encoding_again_changes_nothing(encoded):
    assert read_documents(encoded, list) is encoded


@pytest.mark.parametrize("carry", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy])
def test_copies_are_equal(encoded, carry):
    for documents in (encoded, encoded[2:], encoded[[3, 0]]):
        carried = carry(documents)
        assert carried.tokens == documents.tokens
        assert list(carried) == list(documents)
        assert joblib.hash(carried) == joblib.hash(documents)


def test_a_hash_is_that_of_the_content(encoded, run_python, tmp_path):
    again = read_documents(["the cat", "", "a dog the dog", "cat", ""], str.split)
    assert joblib.hash(again) == joblib.hash(encoded)
    assert joblib.hash(encoded[1:4]) == joblib.hash(encoded[[1, 2, 3]])
    others = [encoded[1:], encoded[::-1], read_documents([*LISTS[:4], ["cat"]], list)]
    assert len({joblib.hash(documents) for documents in [encoded, *others]}) == 4
    joblib.dump(encoded, tmp_path / "encoded")
    mapped = joblib.load(tmp_path / "encoded", mmap_mode="r")
    assert joblib.hash(mapped) == joblib.hash(encoded)
    assert joblib.hash(mapped[1:]) == joblib.hash(encoded[1:])
    printed = run_python(
        "import joblib; from skw2v._corpus import read_documents\n"
        f"print(joblib.hash(read_documents({LISTS}, list)))",
        PYTHONHASHSEED="1",
    )
    assert printed.strip() == joblib.hash(encoded)


def test_they_can_be_made_from_numbers(encoded):
    ids, offsets = np.array([0, 1, 2, 3, 0, 3, 1]), [0, 2, 2, 6, 7, 7]
    made = EncodedDocuments(("the", "cat", "a", "dog"), ids, offsets)
    assert list(made) == LISTS
    assert joblib.hash(made) == joblib.hash(encoded)
    ids[:] = 0
    assert list(made) == LISTS
    assert list(EncodedDocuments([], [], [0])) == []
    assert list(EncodedDocuments(np.array([7, 9]), [1], [0, 0, 1])) == [[], [9]]


@pytest.mark.parametrize(
    ("tokens", "ids", "offsets", "error", "message"),
    [
        ("ab", [0], [0, 1], TypeError, "expected a sequence of distinct tokens, got the single"),
        (["a", 1], [0], [0, 1], TypeError, "the sequence of tokens has both str and int tokens"),
        (["a", "b", "a"], [0], [0, 1], ValueError, "distinct tokens, but 'a' comes at least twice"),
        (["a", "b"], [0, 2], [0, 2], ValueError, "token_ids has 2, .* 2 tokens: expected 0 to 1"),
        (["a", "b"], [0, -1], [0, 2], ValueError, "token_ids has -1"),
        (["a", "b"], [0, 2**32], [0, 2], ValueError, "token_ids has 4294967296"),
        (["a"], [0.0], [0, 1], ValueError, "token_ids has dtype float64, expected integers"),
        (["a"], [[0]], [0, 1], ValueError, r"token_ids has shape \(1, 1\), expected one dim"),
        (["a"], [0], [], ValueError, "document_offsets must start with 0"),
        (["a"], [0], [1], ValueError, "document_offsets must start with 0"),
        (["a"], [0], [0, 2], ValueError, r"the number of token_ids, 1; got \[0 2\]"),
        (["a"], [0], [0, 1, 0, 1], ValueError, "never fall"),
        (["a"], [0], [0, 0.5, 1], ValueError, "document_offsets has dtype float64"),
    ],
)
def test_numbers_that_make_no_documents_are_refused(tokens, ids, offsets, error, message):
    with pytest.raises(error, match=message):
        EncodedDocuments(tokens, ids, offsets)


@pytest.fixture(scope="module")
def topics(planted):
    lists = [document.split() for document in planted.documents[:240]]
    return lists, read_documents(lists, list), np.array(planted.labels[:240])


def small(**parameters):
    return Word2VecTransformer(
        **{"n_components": 8, "min_count": 1, "max_iter": 1, "random_state": 0, "n_jobs": 1}
        | parameters
    )


@pytest.mark.parametrize(
    "splitter",
    [KFold(3), KFold(3, shuffle=True, random_state=0), StratifiedKFold(3), TimeSeriesSplit(3)],
    ids=lambda splitter: type(splitter).__name__,
)
def test_splitters_split_them(topics, splitter):
    lists, encoded, labels = topics
    for (train, test), (expected_train, expected_test) in zip(
        splitter.split(encoded, labels), splitter.split(lists, labels), strict=True
    ):
        np.testing.assert_array_equal(train, expected_train)
        assert list(encoded[test]) == [lists[i] for i in expected_test]


def test_the_tools_of_scikit_learn_take_them(topics):
    lists, encoded, labels = topics
    assert _num_samples(encoded) == 240
    check_consistent_length(encoded, labels)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        check_consistent_length(encoded, labels[1:])
    assert indexable(encoded, labels, None)[0] is encoded
    split = train_test_split(encoded, lists, labels, random_state=0, stratify=labels)
    for chosen, expected in (split[0:4:2], split[1:4:2]):
        assert isinstance(chosen, EncodedDocuments)
        assert list(chosen) == expected
    assert list(train_test_split(encoded, shuffle=False)[1]) == lists[180:]
    for choose in (shuffle, resample):
        chosen, expected = choose(encoded, lists, random_state=0)
        assert isinstance(chosen, EncodedDocuments)
        assert list(chosen) == expected
    groups = np.arange(240) // 4
    for _, test in GroupKFold(3).split(encoded, labels, groups):
        assert list(_safe_indexing(encoded, test)) == [lists[i] for i in test]


def test_a_search_over_them_is_one_over_the_documents(topics, tmp_path):
    lists, encoded, labels = topics
    model = make_pipeline(
        FeatureUnion([("mean", small()), ("max", small(pooling="max"))]),
        GaussianNB(),
        memory=str(tmp_path),
    )
    grid = {"featureunion__mean__window": [1, 5], "featureunion__mean__min_count": [1, 3]}
    results = [
        GridSearchCV(model, grid, cv=2).fit(X, labels).cv_results_["mean_test_score"]
        for X in (lists, encoded)
    ]
    np.testing.assert_array_equal(*results)
    unsupervised = [
        GridSearchCV(small(), {"window": [2, 5]}, cv=2).fit(X).cv_results_["mean_test_score"]
        for X in (lists, encoded)
    ]
    np.testing.assert_array_equal(*unsupervised)
    pipeline = make_pipeline(small(), GaussianNB())
    for evaluate in (cross_val_score, cross_val_predict):
        np.testing.assert_array_equal(
            evaluate(pipeline, encoded, labels, cv=2), evaluate(pipeline, lists, labels, cv=2)
        )
    curves = [
        learning_curve(
            pipeline, X, labels, cv=2, train_sizes=[0.5, 1.0], shuffle=True, random_state=0
        )[2]
        for X in (lists, encoded)
    ]
    np.testing.assert_array_equal(*curves)


def test_other_processes_get_the_same_documents(topics):
    lists, encoded, _ = topics
    results = [
        GridSearchCV(small(), {"window": [2, 5]}, cv=2, n_jobs=n_jobs, refit=False)
        .fit(X)
        .cv_results_["mean_test_score"]
        for X, n_jobs in ((lists, None), (encoded, 2))
    ]
    np.testing.assert_array_equal(*results)
    # Arrays above `max_nbytes` reach the workers as memory maps.
    calls = (delayed(joblib.hash)(documents) for documents in (encoded, encoded[9:]))
    hashes = Parallel(n_jobs=2, max_nbytes=100)(calls)
    assert hashes == [joblib.hash(encoded), joblib.hash(encoded[9:])]


def test_other_estimators_read_them_as_token_sequences(topics):
    lists, encoded, _ = topics
    counters = [CountVectorizer(analyzer=list).fit(X) for X in (lists, encoded)]
    assert counters[0].vocabulary_ == counters[1].vocabulary_
    assert (counters[0].transform(lists) != counters[1].transform(encoded)).nnz == 0
