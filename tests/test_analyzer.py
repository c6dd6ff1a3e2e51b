"""Documents to tokens: CountVectorizer's on any text, clear errors for what is no document."""

import array
import io
import pathlib
import pickle
import re
import warnings
from inspect import signature

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, strip_accents_unicode

from skw2v import Word2VecTransformer
from skw2v._analyzer import analyze_documents, build_analyzer, check_documents

DEFAULTS = {
    name: value
    for name, value in CountVectorizer().get_params().items()
    if name in signature(build_analyzer).parameters
}

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
STRANGE_WORDS = (
    "The İstanbul straße ﬁn naïve ＡＢＣ 中文 हिन्दी ภาษาไทย العَرَبِيَّة Ελλάδα x_1 a don't "
    "e\u0301te\u0301 \u200d 🏳️\u200d🌈 ٣٤ \u212a"
)
strange_words = st.sampled_from(re.findall(r"\S+", STRANGE_WORDS))
texts = any_text | st.lists(strange_words).map(" ".join)


def analyzer(**changes):
    return build_analyzer(**{**DEFAULTS, **changes})


def same_tokens(document, **changes):
    """Tokens of `document`, after a check that CountVectorizer finds the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # stop words that its own tokens cannot match
        expected = list(CountVectorizer(**changes).build_analyzer()(document))
    tokens = analyzer(**changes)(document)
    assert tokens == expected
    assert {type(token) for token in tokens} <= {str}
    return tokens


def split(text):
    return text.split()


def letters(text):
    return iter(text)


def upper_without_a(text):
    return text.upper().replace("A", "")


def field(document):
    return document["text"]


def fields(document):
    return document["text"].split()


@given(texts)
@example("\u0130 \u1e9e ǅ ŉ ﬀ")  # lower-casing that changes the length
@settings(max_examples=300, deadline=None)
def test_tokens_are_those_of_countvectorizer_on_any_text(text):
    same_tokens(text)


@given(
    texts,
    st.fixed_dictionaries(
        {},
        optional={
            "strip_accents": st.sampled_from([None, "ascii", "unicode", strip_accents_unicode]),
            "lowercase": st.booleans(),
            "preprocessor": st.sampled_from([None, upper_without_a]),
            "tokenizer": st.sampled_from([None, split, letters]),
            "stop_words": st.sampled_from([None, "english", ["the", "ete", "中文"], {"a", "x_1"}]),
            "token_pattern": st.sampled_from(
                [r"(?u)\b\w\w+\b", r"\S+", r"\w(\w*)", r"\w*", "(?:a|b)"]
            ),
            "analyzer": st.sampled_from(["word", split, letters]),
            "encoding": st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]),
            "decode_error": st.sampled_from(["strict", "ignore", "replace"]),
        },
    ),
    st.sampled_from([None, "utf-8", "utf-16", "latin-1"]),
)
@settings(max_examples=400, deadline=None)
def test_every_parameter_means_what_it_means_in_countvectorizer(text, parameters, stored_as):
    document = text if stored_as is None else text.encode(stored_as, "replace")
    try:
        CountVectorizer(**parameters).decode(document)
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            analyzer(**parameters)(document)
    else:
        same_tokens(document, **parameters)


def test_a_group_in_the_pattern_is_the_token():
    assert same_tokens("#one two #three", token_pattern=r"#(\w+)") == ["one", "three"]


def test_a_second_group_in_the_pattern_is_refused():
    with pytest.raises(ValueError, match=r"2 capturing groups.*More than 1 capturing group"):
        analyzer(token_pattern=r"(\w)(\w+)")


def test_no_pattern_and_no_tokenizer_is_refused():
    with pytest.raises(ValueError, match="token_pattern=None needs a tokenizer"):
        analyzer(token_pattern=None)
    assert analyzer(token_pattern=None, tokenizer=split)("A b") == ["a", "b"]


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="not a built-in stop list: 'klingon'"):
        analyzer(stop_words="klingon")
    with pytest.raises(ValueError, match="strip_accents='latin'"):
        analyzer(strip_accents="latin")


def test_english_stop_words_are_left_out():
    assert same_tokens("The cat is on the mat", stop_words="english") == ["cat", "mat"]


def test_files_are_read_and_decoded(tmp_path):
    path = tmp_path / "document.txt"
    path.write_bytes("Grün été".encode("latin-1"))
    expected = ["grün", "été"]
    for name in (path, str(path), str(path).encode()):
        assert same_tokens(name, input="filename", encoding="latin-1") == expected
    assert analyzer(input="file", encoding="latin-1")(io.BytesIO(path.read_bytes())) == expected
    assert analyzer(input="file")(io.StringIO("Grün été")) == expected


def test_numpy_strings_are_documents():
    assert same_tokens(np.str_("One two"), lowercase=False, tokenizer=split) == ["One", "two"]


@pytest.mark.parametrize(
    "document",
    [
        ["The", "the", "a", "two words", ""],
        ("The", "the", "a", "two words", ""),
        np.array(["The", "the", "a", "two words", ""]),
        np.array(["The", "the", "a", "two words", ""], dtype=object),
        [np.str_(token) for token in ("The", "the", "a", "two words", "")],
        pd.Series(["The", "the", "a", "two words", ""]),
        pl.Series(["The", "the", "a", "two words", ""]),
    ],
    ids=lambda document: type(document).__name__,
)
@pytest.mark.parametrize(
    "parameters", [{}, {"tokenizer": split}, {"stop_words": "english"}, {"input": "filename"}]
)
def test_ready_tokens_pass_through_unanalysed(document, parameters):
    tokens = analyzer(**parameters)(document)
    assert tokens == ["The", "the", "a", "two words", ""]
    assert {type(token) for token in tokens} == {str}


@pytest.mark.parametrize("document", [["The", "Cat"], ("The", "Cat"), np.array(["The", "Cat"])])
def test_a_callable_analyzer_gets_ready_tokens_as_well(document):
    def lower(tokens):
        return [token.lower() for token in tokens]

    assert analyzer(analyzer=lower)(document) == ["the", "cat"]
    model = Word2VecTransformer(analyzer=lower, min_count=1).fit([document])
    assert set(model.vocabulary_) == {"the", "cat"}


@pytest.mark.parametrize(
    "document",
    [
        [3, -1, 2**70],
        [np.int8(3), np.int64(-1), 2**70],
        np.array([3, -1, 2**70], dtype=object),
        (np.uint8(3), np.intp(-1), 2**70),
    ],
)
def test_integer_tokens_become_plain_int(document):
    tokens = analyzer()(document)
    assert tokens == [3, -1, 2**70]
    assert {type(token) for token in tokens} == {int}


@pytest.mark.parametrize(
    "document", [np.arange(3, dtype=np.uint16), range(3), array.array("h", range(3))]
)
def test_sequences_of_machine_integers_are_ready_tokens(document):
    tokens = analyzer()(document)
    assert tokens == [0, 1, 2]
    assert {type(token) for token in tokens} == {int}


@pytest.mark.parametrize("document", ["", b"", [], (), np.array([]), " \n"])
def test_an_empty_document_has_no_tokens(document):
    assert analyzer()(document) == []


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        (1.0, r"1\.0 \(float\)"),
        (True, r"True \(bool\)"),
        (None, "None"),
        (b"x", "bytes"),
        (("a", "b"), "of type tuple"),
        (float("nan"), "nan"),
    ],
)
def test_tokens_of_another_type_are_refused(token, shown):
    with pytest.raises(
        TypeError, match=f"document 1 has .*{shown}.* as token 2, expected str or i"
    ):
        list(analyze_documents([["a", "b"], ["a", "b", token]], analyzer()))


def test_str_and_int_tokens_do_not_mix():
    with pytest.raises(TypeError, match="document 0 has both str and int tokens"):
        list(analyze_documents([["a", 1]], analyzer()))
    with pytest.raises(
        TypeError, match="document 2 has int tokens, the documents before it have s"
    ):
        list(analyze_documents([["a"], [], [1]], analyzer()))
    with pytest.raises(TypeError, match="document 0 has str tokens, the vocabulary has int tokens"):
        list(analyze_documents(["some text"], analyzer(), token_type=int))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, r"document 2 is None \(NoneType\); expected a str.*replace them by ''"),
        (float("nan"), r"document 2 is nan \(float\); .*drop missing documents"),
        (pd.NA, "document 2 is of type NAType; .*drop missing documents"),
        (3, r"document 2 is 3 \(int\); .*inside a list: \[tokens\]"),
        (np.float32(0.5), "document 2 is .*float32.*"),
        (
            iter(["a", "b"]),
            r"document 2 is of type list_iterator, .*only once; pass list\(tokens\)",
        ),
        ((token for token in "ab"), "document 2 is of type generator, .*only once"),
        ({"a", "b"}, "document 2 is of type set, whose order is not defined"),
        ({"a": 1}, "document 2 is of type dict; expected a str"),
        (bytearray(b"abc"), "document 2 is of type bytearray; expected a str, bytes"),
        (np.array([["a"]]), r"document 2 is an array of shape \(1, 1\)"),
        (np.array("a"), r"document 2 is an array of shape \(\)"),
        (pathlib.Path("a.txt"), "document 2 is of type .*Path; set input='filename'"),
        (io.StringIO("a"), "document 2 is of type StringIO; set input='file'"),
    ],
)
def test_what_is_not_a_document_is_refused_by_position(document, message):
    with pytest.raises(TypeError, match=message):
        list(analyze_documents(["one", b"two", document], analyzer()))


def test_numbers_are_neither_file_names_nor_files():
    with pytest.raises(TypeError, match=r"document 0 is 0 \(int\), expected the name of a file"):
        list(analyze_documents([0], analyzer(input="filename")))
    with pytest.raises(TypeError, match=r"document 0 is 'a\.txt' \(str\), expected an open file"):
        list(analyze_documents(["a.txt"], analyzer(input="file")))


def test_bytes_that_do_not_decode_name_the_document_and_the_way_out():
    documents = ["fine", "Grün".encode("latin-1")]
    with pytest.raises(UnicodeDecodeError) as caught:
        list(analyze_documents(documents, analyzer()))
    message = str(caught.value)
    assert re.search(r"set encoding, now 'utf-8', .*decode_error .*\(document 1\)", message)
    assert type(caught.value.__cause__) is UnicodeDecodeError
    assert caught.value.__cause__.reason == "invalid start byte"
    assert caught.value.object == documents[1]
    assert list(analyze_documents(documents, analyzer(decode_error="ignore"))) == [
        ["fine"],
        ["grn"],
    ]


def test_a_callable_of_the_user_gets_documents_of_any_type():
    document = {"text": "One two"}
    assert same_tokens(document, analyzer=fields) == ["One", "two"]
    assert same_tokens(document, preprocessor=field, tokenizer=split) == ["One", "two"]
    with pytest.raises(TypeError, match="document 0 is None"):
        list(analyze_documents([None], analyzer(analyzer=fields)))


def test_an_error_inside_a_callable_of_the_user_is_kept_and_located():
    with pytest.raises(KeyError) as caught:
        list(analyze_documents([{"text": "a"}, {}], analyzer(analyzer=fields)))
    assert caught.value.__notes__ == ["raised while analysing document 1"]


@pytest.mark.parametrize("returned", [None, 3, {"a", "b"}])
def test_a_tokenizer_that_gives_no_sequence_is_refused(returned):
    with pytest.raises(TypeError, match=r"document 0 gave tokens .*expected a list of tokens"):
        list(analyze_documents(["a b"], analyzer(tokenizer=lambda text: returned)))


def test_the_analyzer_pickles_when_the_callables_do():
    for parameters in (
        {},
        {"stop_words": "english", "strip_accents": "ascii"},
        {"analyzer": split},
    ):
        analyze = pickle.loads(pickle.dumps(analyzer(**parameters)))
        assert analyze("Été the") == analyzer(**parameters)("Été the")


@pytest.mark.parametrize(
    "documents",
    [
        ["a", "b"],
        ("a", "b"),
        [],
        np.array(["a", "b"]),
        np.array(["a", ["b"]], dtype=object),
        pd.Series(["a", "b"]),
        pl.Series(["a", "b"]),
        {1: "a"}.values(),
        (document for document in "ab"),
    ],
    ids=lambda documents: type(documents).__name__,
)
def test_one_dimensional_containers_are_accepted_as_they_are(documents):
    assert check_documents(documents) is documents


@pytest.mark.parametrize(
    ("documents", "error", "message"),
    [
        ("text", ValueError, "Iterable over raw text documents expected, str .*inside a list"),
        (b"text", ValueError, "Iterable over raw text documents expected, bytes object"),
        (np.str_("text"), ValueError, "Iterable over raw text documents expected, str_ object"),
        (np.array("text"), ValueError, r"1-D sequence of documents, got a ndarray of shape \(\)"),
        (np.array([["a", "b"]]), ValueError, r"shape \(1, 2\): .*X\.tolist\(\)"),
        (np.array([["a"], ["b"]]), ValueError, r"shape \(2, 1\): pass its column, X\[:, 0\]"),
        (np.zeros((1, 1, 1)), ValueError, "pass a list of documents"),
        (pd.DataFrame({"text": ["a"]}), ValueError, r"pass its column, X\['text'\] .*Transformer"),
        (pl.DataFrame({"text": ["a"]}), ValueError, r"pass its column, X\['text'\]"),
        (pd.DataFrame({"a": ["a"], "b": ["b"]}), ValueError, "the one column that holds"),
        (sp.csr_array([[1.0]]), TypeError, "Sparse data was passed"),
        (sp.coo_matrix([[1.0]]), TypeError, "Sparse data was passed"),
        ({"a": "b"}, TypeError, r"dict object received; pass list\(X\.values\(\)\)"),
        ({"a", "b"}, TypeError, "set object received, whose order is not defined"),
        (None, TypeError, r"got None \(NoneType\)"),
        (3, TypeError, r"got 3 \(int\)"),
    ],
)
def test_containers_without_one_sequence_of_documents_are_refused(documents, error, message):
    with pytest.raises(error, match=message):
        check_documents(documents)
