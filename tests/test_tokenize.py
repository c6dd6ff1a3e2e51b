"""Texts to ids in C: the tokens, and their numbers, are those of `re` and a dictionary."""

import math
import re
import sys
from array import array
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skw2v import _numbering
from skw2v._analyzer import build_analyzer
from skw2v._corpus import build_corpus, encode, read_documents, unknown_share
from skw2v._numbering import find_documents, number_documents
from skw2v._tokenize import LOWERED_IN_CONTEXT, Scanner, TokenTable
from skw2v._vocabulary import Vocabulary, index_of

PATTERN = r"(?u)\b\w\w+\b"
ALL = [chr(code) for code in range(sys.maxunicode + 1)]
# What decides a border, a width or a lowercase: 1, 2 and 4 bytes a character in Python, 1 to 4 in
# UTF-8; letters, digits, an underscore, marks that combine, surrogates.
TELLING = "aZ09_ .'-\n\0\x7f\x80\xa0éÉßµÿǅΑΣσςİıſK１५٠中あ़́\ud800\udfff𝔘𐐀𐐨😀\U0010ffff"
texts = st.text(st.sampled_from(TELLING)) | st.text(st.characters(exclude_categories=()))


def analyzer(**changes):
    defaults = {
        "input": "content",
        "encoding": "utf-8",
        "decode_error": "strict",
        "strip_accents": None,
        "lowercase": True,
        "preprocessor": None,
        "tokenizer": None,
        "stop_words": None,
        "token_pattern": PATTERN,
        "analyzer": "word",
    }
    return build_analyzer(**defaults | changes)


ANALYZE = analyzer()


def numbered(lists):
    """Distinct tokens, numbers and offsets of lists of tokens, by a dictionary."""
    numbers = {}
    token_ids = [numbers.setdefault(token, len(numbers)) for tokens in lists for token in tokens]
    return list(numbers), token_ids, [0, *accumulate(map(len, lists))]


def found(documents, analyze=ANALYZE, n_threads=1):
    tokens, token_ids, offsets = number_documents(documents, analyze, n_threads=n_threads)
    return list(tokens), token_ids.tolist(), offsets.tolist()


def by_re(documents, pattern=PATTERN, lowercase=True):
    lowered = [document.lower() if lowercase else document for document in documents]
    return numbered([re.findall(pattern, document) for document in lowered])


@pytest.fixture
def threads_for_anything(monkeypatch):
    """Let threads share even the shortest text."""
    monkeypatch.setattr(_numbering, "_LEAST_PARALLEL", 0)


# --- Which tokens


@given(st.lists(texts, max_size=5), st.booleans())
@settings(max_examples=400)
def test_tokens_and_numbers_are_those_of_re(documents, lowercase):
    analyze = analyzer(lowercase=lowercase)
    assert analyze.scan is not None
    assert found(documents, analyze) == by_re(documents, lowercase=lowercase)


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("around", ["x{}", "{}x", "x{}y", " {}"])
def test_every_character_is_what_python_says_it_is(around, lowercase):
    documents = [" ".join(map(around.format, ALL))]
    assert found(documents, analyzer(lowercase=lowercase)) == by_re(documents, lowercase=lowercase)


def test_only_two_characters_have_no_lowercase_of_their_own():
    special = [c for c in ALL if len(c.lower()) != 1 or f"a{c}".lower() != "a" + c.lower()]
    assert special == sorted(LOWERED_IN_CONTEXT)
    # So that a text that Python has lowercased may be lowercased again.
    assert all(c.lower().lower() == c.lower() for c in ALL)


@pytest.mark.parametrize(
    "text", ["ΟΔΟΣ ΟΔΟΣ. ΣΑΣ Σ ΑΣ'Α", "İstanbul DİYARBAKIR İİ", "ΟΔΟΣ İ 𐐀𐐀", "a\u0345Σ b"]
)
def test_sigma_and_dotted_i_are_lowercased_in_context(text):
    assert found([text, text.lower()]) == by_re([text, text.lower()])


@pytest.mark.parametrize("prefix", ["", "(?u)"])
@pytest.mark.parametrize(
    "pattern", [r"\w+", r"\b\w+\b", r"\w\w+", r"\b\w\w+\b", r"\w{2,}", r"\b\w{2,}\b"]
)
def test_patterns_that_are_runs_of_word_characters_are_scanned(pattern, prefix):
    documents = ["a bb ccc_d é éé x é1 中 中中 𐐀 𐐀𐐀", "_", "1 22"]
    analyze = analyzer(token_pattern=prefix + pattern)
    assert analyze.scan is not None
    assert found(documents, analyze) == by_re(documents, prefix + pattern)


@pytest.mark.parametrize(
    "changes",
    [
        {"token_pattern": r"[a-z]+"},
        {"token_pattern": r"(?a)\b\w\w+\b"},
        {"token_pattern": r"(?i)\b\w\w+\b"},
        {"token_pattern": r"\b(\w)\w+\b"},
        {"token_pattern": re.compile(r"\b\w\w+\b", re.ASCII)},
        {"tokenizer": str.split},
        {"preprocessor": str.upper},
        {"analyzer": str.split},
    ],
)
def test_other_analyzers_are_not(changes):
    analyze = analyzer(**changes)
    assert analyze.scan is None
    documents = ["Ein été, EIN Été", "été"]
    assert found(documents, analyze) == numbered(list(map(analyze, documents)))


@pytest.mark.parametrize(
    "changes",
    [
        {"strip_accents": "unicode"},
        {"strip_accents": "ascii"},
        {"strip_accents": str.upper},
        {"strip_accents": "unicode", "lowercase": False},
        {"stop_words": ["the", "été", "not there", 7]},
        {"stop_words": "english", "token_pattern": r"\w+"},
        {"stop_words": ["ete"], "strip_accents": "unicode"},
    ],
)
def test_accents_and_stop_words_go_as_in_python(changes):
    documents = ["The été of THE cat", "ÉTÉ in the Ete", b"the caf\xc3\xa9", "the"]
    analyze = analyzer(**changes)
    assert analyze.scan is not None
    assert found(documents, analyze) == numbered(list(map(analyze, documents)))


def test_strings_with_methods_of_their_own_are_asked():
    class Shouting(str):
        def lower(self):
            return self.upper()

    assert found([Shouting("one two"), "One"]) == (["ONE", "TWO", "one"], [0, 1, 2], [0, 2, 3])


@pytest.mark.parametrize(
    "length", [7, 8, 9, 15, 16, 17, 24, 63, 64, 65, 1023, 1024, 1025, 5000, 100_000]
)
@pytest.mark.parametrize("letter", ["a", "é", "中", "𐐨"])
def test_borders_and_long_words(length, letter):
    """Texts are scanned in pieces of 1,024 characters, 64 at a time; keys hold 16 bytes."""
    word = letter * length
    documents = [word, f"{word}x {word}", "." * (length - 1) + "bb", f"b {word} b" * 3, f"{word}."]
    assert found(documents) == by_re(documents)


@given(st.binary(max_size=40), st.integers(0, 90), st.integers(1000, 1030))
def test_words_across_the_borders_of_pieces(spaces, offset, n):
    """Each byte says how long the next word is."""
    text = "." * offset + " ".join("w" * (b % 70) for b in spaces).rjust(n) + " the end"
    assert found([text, text[1:]]) == by_re([text, text[1:]])


def test_tokens_that_begin_alike_are_told_apart():
    words = [
        stem + "".join(end)
        for stem in ("aaaaaaa", "a" * 15, "a" * 33)
        for end in ("", "a", "b", "ab", "é", "ba")
    ]
    documents = [" ".join(words), " ".join(reversed(words)) * 2]
    assert found(documents) == by_re(documents)


def test_the_table_grows(global_random_seed):
    random = np.random.default_rng(global_random_seed)
    words = [
        f"w{i}" if i % 3 else f"a-long_word_{i}é" for i in random.integers(40_000, size=60_000)
    ]
    documents = [" ".join(words[i : i + 500]) for i in range(0, len(words), 500)]
    assert found(documents) == by_re(documents)


# --- Documents of every kind


def test_texts_bytes_and_ready_tokens_are_numbered_together():
    ready = ["bb", "not one token", "", "\0", "nul\0", "nul", "\ud800", "a" * 9, "𐐨"]
    documents = [
        ["aa", "bb"],
        "BB cc",
        ready,
        b"dd Aa",
        np.array(["cc", "ee"]),
        "",
        "ee \ud800x 𐐨𐐨",
    ]
    expected = [["aa", "bb"], ["bb", "cc"], ready, ["dd", "aa"], ["cc", "ee"], [], ["ee", "𐐨𐐨"]]
    for order in (slice(None), slice(None, None, -1)):
        assert found(documents[order]) == numbered(expected[order])


def test_ready_tokens_keep_what_are_stop_words_in_texts():
    analyze = analyzer(stop_words=["the"])
    assert found(["the cat", ["the", "cat"], "the"], analyze)[:2] == (["cat", "the"], [0, 1, 0])


@pytest.mark.parametrize("block", [1, 10, 1 << 22])
def test_documents_are_named_wherever_a_block_ends(block, monkeypatch):
    monkeypatch.setattr(_numbering, "_BLOCK", block)
    with pytest.raises(TypeError, match="document 3 has int tokens, the documents before it"):
        found(["", "text", "", [1]])
    with pytest.raises(TypeError, match="document 4 has str tokens, the documents before it"):
        found(["", ". a", [1], "", "text"])
    assert found(["", [1, 2], "a", [2]]) == ([1, 2], [0, 1, 1], [0, 0, 2, 2, 3])
    ints = Vocabulary.uncounted([1, 2])
    with pytest.raises(TypeError, match="document 2 has str tokens, the vocabulary has int"):
        find_documents(["a", [2], "text"], ANALYZE, ints)


def test_what_is_no_string_is_refused():
    for action in (TokenTable().number, lambda items: scanner().scan(items, array("i"))):
        with pytest.raises(TypeError, match="expected str, got int"):
            action([1])


# --- Threads


def scanner(table=None, learns=True):
    table = TokenTable() if table is None else table
    return Scanner(table, learns=learns, lowercase=True, shortest=2)


@given(
    st.lists(
        st.lists(st.sampled_from(["Aa", "bb", "cc", "dd.", "é", "éa", "中中", "𐐀𐐀", "x" * 30])),
        max_size=9,
    ),
    st.integers(2, 7),
)
@settings(max_examples=60)
def test_same_numbers_at_any_number_of_threads(words, n_threads):
    documents = list(map(" ".join, words))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_numbering, "_LEAST_PARALLEL", 0)
        assert found(documents, n_threads=n_threads) == by_re(documents)


@pytest.mark.parametrize("n_threads", [2, 3, 7])
def test_one_long_text_is_shared_by_threads(n_threads, threads_for_anything, global_random_seed):
    random = np.random.default_rng(global_random_seed)
    words = [f"w{i}" for i in random.geometric(0.002, size=20_000)]
    documents = [" ".join(words), " Σ ".join(words), "é" * 3000 + " bb"]
    assert found(documents, n_threads=n_threads) == by_re(documents)
    vocabulary = Vocabulary.uncounted([words[0], "nowhere"])
    one, several = (
        find_documents(documents, ANALYZE, vocabulary, n_threads=n) for n in (1, n_threads)
    )
    assert one[0] == several[0]
    assert one[2] == several[2] == 2 * len(words) + 2 - len(one[0])


# --- Known words


@given(st.lists(texts, max_size=4), st.data())
@settings(max_examples=100)
def test_only_words_of_the_vocabulary_get_an_id(documents, data):
    tokens, token_ids, offsets = by_re(documents)
    words = data.draw(st.lists(st.sampled_from([*tokens, "nowhere"]), unique=True))
    vocabulary = Vocabulary.uncounted(words or ["nowhere"])
    found_ids, found_offsets, n_unknown = find_documents(documents, ANALYZE, vocabulary)
    known = [tokens[i] in vocabulary.index for i in token_ids]
    assert [vocabulary.words[i] for i in found_ids] == [
        tokens[i] for i in token_ids if tokens[i] in vocabulary.index
    ]
    assert found_offsets.tolist() == [sum(known[:stop]) for stop in offsets]
    assert n_unknown == len(token_ids) - sum(known)


def test_the_share_of_unknown_tokens_counts_every_kind_of_document():
    vocabulary, _ = build_corpus(["one two"], ANALYZE, min_count=1)
    documents = ["one zero", ["zero", "one"], b"two", np.array(["zero"]), ""]
    assert unknown_share(documents, ANALYZE, vocabulary) == 3 / 6
    assert unknown_share(iter(["zero", "two"]), ANALYZE, vocabulary) == 1 / 2
    encoded = read_documents(documents, ANALYZE)
    assert unknown_share(encoded, ANALYZE, vocabulary) == 3 / 6
    assert math.isnan(unknown_share(["a . b"], ANALYZE, vocabulary))


def test_a_vocabulary_makes_its_table_once():
    vocabulary, corpus = build_corpus(["one two"], ANALYZE, min_count=1)
    assert vocabulary.table is vocabulary.table
    assert list(vocabulary.table) == vocabulary.words
    assert index_of(vocabulary.table) == vocabulary.index
    again = encode(["one two"], ANALYZE, vocabulary)
    assert again.token_ids.tolist() == corpus.token_ids.tolist()


def test_a_table_gives_back_what_it_was_given():
    tokens = ["", "a", "a\0", "é", "中", "𐐨", "\ud800\udc00", "\ud800", "x" * 300, "a b"]
    table = TokenTable(tokens + tokens[::-1])
    assert list(table) == tokens
    assert table.number(["a\0", "new"]) == [2, len(tokens)]
    with pytest.raises(IndexError, match="there is no token 12 among 11"):
        table[12]


def test_numbers_do_not_depend_on_the_seed_of_hashes(run_python):
    code = (
        "from skw2v._tokenize import TokenTable\n"
        "words = [f'word{i * 7919 % 997}' for i in range(3000)]\n"
        "print(TokenTable().number(words))"
    )
    assert run_python(code, PYTHONHASHSEED="1") == run_python(code, PYTHONHASHSEED="2")


def test_nothing_gives_nothing():
    assert scanner().scan([], array("i")).tolist() == []
    assert found([]) == ([], [], [0])
    assert found(["", ""]) == ([], [], [0, 0, 0])
