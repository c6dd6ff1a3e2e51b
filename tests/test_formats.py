"""What word2vec's text format keeps, what it refuses, and what a failed save leaves behind."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from skw2v.formats import (
    read_analogy_questions,
    read_word2vec_text,
    read_word_pairs,
    write_word2vec_text,
)

WORDS = ["the", "naïve", "東京", "no\xa0break", "line\u2028separator", "#1", "</s>"]


@pytest.fixture
def vectors():
    return np.random.default_rng(0).standard_normal((len(WORDS), 5)).astype(np.float32)


@pytest.mark.parametrize("name", ["vectors.txt", "vectors.txt.gz"])
@pytest.mark.parametrize("as_path", [str, Path])
def test_words_and_vectors_come_back_unchanged(tmp_path, vectors, name, as_path):
    path = as_path(tmp_path / name)
    write_word2vec_text(path, WORDS, vectors)
    words, loaded = read_word2vec_text(path)
    assert words == WORDS
    assert loaded.dtype == np.float32
    assert loaded.flags.c_contiguous
    assert loaded.tobytes() == vectors.tobytes()


def test_every_kind_of_float32_comes_back_to_the_bit(tmp_path):
    bits = np.random.default_rng(1).integers(0, 2**32, size=60_000, dtype=np.uint32)
    values = bits.view(np.float32)
    values = values[np.isfinite(values)]
    limits = np.finfo(np.float32)
    edges = [0.0, -0.0, limits.max, -limits.max, limits.tiny, limits.smallest_subnormal, 1e-4, 0.1]
    values = np.concatenate([np.array(edges, dtype=np.float32), values])
    values = values[: len(values) // 8 * 8].reshape(-1, 8)
    path = tmp_path / "vectors.txt"
    write_word2vec_text(path, range(len(values)), values)
    assert read_word2vec_text(path)[1].tobytes() == values.tobytes()


def test_text_is_the_shortest_that_reads_back(tmp_path):
    path = tmp_path / "vectors.txt"
    write_word2vec_text(path, ["a"], np.array([[0.1, 1 / 3, -2, 1e-20]]))
    assert path.read_bytes() == b"1 4\na 0.1 0.33333334 -2.0 1e-20\n"


def test_integer_tokens_come_back_as_strings(tmp_path):
    path = tmp_path / "vectors.txt"
    write_word2vec_text(path, [7, -1], np.eye(2))
    assert read_word2vec_text(path)[0] == ["7", "-1"]


def test_compressed_files_of_equal_vectors_are_equal(tmp_path, vectors):
    for name in ["a.gz", "b.gz"]:
        write_word2vec_text(tmp_path / name, WORDS, vectors)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert (tmp_path / "a.gz").read_bytes()[4:8] == bytes(4)  # no time of writing


def test_reader_takes_what_word2vec_writes(tmp_path):
    # word2vec.c ends each row with a space; other writers end lines as Windows does.
    path = tmp_path / "vectors.txt"
    path.write_bytes(b"2 2\r\n</s> 0.5 -1 \r\nthe 1e-3 2 \r\n\r\n")
    words, vectors = read_word2vec_text(path)
    assert words == ["</s>", "the"]
    np.testing.assert_array_equal(vectors, np.array([[0.5, -1], [1e-3, 2]], dtype=np.float32))


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("New York", r"'New York' \(row 1\) holds white space"),
        ("tab\tbed", r"'tab\\tbed' \(row 1\) holds white space"),
        ("new\nline", r"'new\\nline' \(row 1\) holds white space"),
        ("", r"'' \(row 1\) is empty"),
        ("\ud800", r"'\\ud800' \(row 1\) cannot be encoded as UTF-8"),
        ("a", r"'a' comes twice: rows 0 and 1"),
    ],
)
def test_save_names_the_word_it_cannot_write(tmp_path, word, problem):
    with pytest.raises(ValueError, match=problem):
        write_word2vec_text(tmp_path / "vectors.txt", ["a", word], np.eye(2))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("vectors", "problem"),
    [
        (np.eye(3), r"n_words=2 .* got shape \(3, 3\)"),
        (np.ones(2), r"got shape \(2,\)"),
        (np.empty((2, 0)), r"got shape \(2, 0\)"),
        ([[0.0], [np.nan]], r"vector of 'b' \(row 1\) holds NaN"),
        ([[0.0], [1e39]], r"vector of 'b' \(row 1\) holds"),
    ],
)
def test_save_refuses_vectors_that_do_not_fit(tmp_path, vectors, problem):
    with pytest.raises(ValueError, match=problem):
        write_word2vec_text(tmp_path / "vectors.txt", ["a", "b"], vectors)


@pytest.mark.parametrize("name", ["vectors.txt", "vectors.txt.gz"])
def test_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, name):
    path = tmp_path / name
    write_word2vec_text(path, ["old"], np.ones((1, 1)))
    before = path.read_bytes()

    def disk_full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(OSError, match="No space left"):
        write_word2vec_text(path, ["new"], np.ones((1, 1)))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_save_into_a_missing_folder_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder .*missing does not exist"):
        write_word2vec_text(tmp_path / "missing" / "vectors.txt", ["a"], np.ones((1, 1)))


def test_saved_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    write_word2vec_text(tmp_path / "vectors.txt", ["a"], np.ones((1, 1)))
    assert (tmp_path / "vectors.txt").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_save_through_a_link_writes_the_file_it_points_to(tmp_path):
    (tmp_path / "real.txt").touch()
    link = tmp_path / "link.txt"
    try:
        link.symlink_to("real.txt")
    except OSError:
        pytest.skip("no symbolic links here")
    write_word2vec_text(link, ["a"], np.ones((1, 1)))
    assert link.is_symlink()
    assert (tmp_path / "real.txt").read_bytes() == b"1 1\na 1.0\n"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "line 1: expected the header 'n_words n_components'"),
        (b"\na 1\n", "line 1: expected the header"),
        (b"two 2\na 1 2\n", "line 1: expected the header .* the line is 'two 2'"),
        (b"0 2\n", "line 1: expected the header .* two positive integers"),
        (b"the 0.1 0.2 0.3\n", "line 1: expected the header .*without header, such as GloVe's"),
        (b"2 2\na 1 2\nb 1\n", "line 3: expected a word and 2 values, got 2 fields; the line is"),
        (b"2 2\na 1 2\nb 1 2 3\n", "line 3: expected a word and 2 values, got 4 fields"),
        (b"2 2\na 1 2\n\nb 1 2\n", "line 3: expected a word and 2 values, got 0 fields"),
        (b"2 2\na 1 2\nb 1 x\n", "line 3: expected numbers: .*'x'"),
        (b"3 1\na 1\nb 2\n", "the header says 3 words, but the file ends after 2"),
        (b"1 1\na 1\nb 2\n", "line 3: the header says 1 words, but the file goes on"),
        (b"3 1\na 1\nb 2\na 3\n", "line 4: the word 'a' stands already in line 2"),
        (b"2 1\na 1\nb nan\n", "line 3: the vector of 'b' holds NaN"),
        (b"2 1\na 1\nb 1e39\n", "line 3: the vector of 'b' .* exceeds float32's range"),
        (b"1 1\n\xff\xfe 1\n", "line 2: the word is not UTF-8"),
        (b"1 2\nword \x00\x00\x80?\x00\x00\x00@", "line 2: .* word2vec's binary format"),
        (b"900000000000 900000000000\na 1\n", "line 2: expected a word and 900000000000 values"),
        (b"900000000000 1\na 1\n", "the header says 900000000000 words, but the file ends after 1"),
    ],
)
def test_load_names_the_line_and_what_was_expected(tmp_path, content, problem):
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"vectors\.txt.*{problem}"):
        read_word2vec_text(path)


def test_load_of_a_compressed_file_cut_short_says_so(tmp_path, vectors):
    path = tmp_path / "vectors.txt.gz"
    write_word2vec_text(path, WORDS, vectors)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="damaged or cut short"):
        read_word2vec_text(path)
    path.write_bytes(b"7 5\n")
    with pytest.raises(ValueError, match=r"expected a whole gzip file"):
        read_word2vec_text(path)


def test_load_of_a_missing_file_is_the_usual_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_word2vec_text(tmp_path / "vectors.txt")


@pytest.mark.parametrize("name", ["vectors.txt", "vectors.txt.gz"])
def test_gensim_reads_what_we_write_and_we_read_what_gensim_writes(tmp_path, vectors, name):
    models = pytest.importorskip("gensim.models")
    ours, theirs = tmp_path / f"ours-{name}", tmp_path / f"theirs-{name}"
    write_word2vec_text(ours, WORDS, vectors)

    keyed = models.KeyedVectors.load_word2vec_format(str(ours))
    assert keyed.index_to_key == WORDS
    assert keyed.vectors.tobytes() == vectors.tobytes()

    keyed.save_word2vec_format(str(theirs))
    words, loaded = read_word2vec_text(theirs)
    assert words == WORDS
    assert loaded.tobytes() == vectors.tobytes()


def test_analogy_questions_come_in_sections(tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text("a b c d\n: capitals\nAthens Greece Oslo Norway\n\n: gram1 x\ne f g h\n")
    assert read_analogy_questions(path) == {
        "all": [("a", "b", "c", "d")],
        "capitals": [("Athens", "Greece", "Oslo", "Norway")],
        "gram1 x": [("e", "f", "g", "h")],
    }


def test_analogy_line_without_four_words_is_named(tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text(": s\na b c d\na b c\n")
    with pytest.raises(ValueError, match=r"line 3: expected four words .* got 3; the line is"):
        read_analogy_questions(path)


@pytest.mark.parametrize(
    "text",
    [
        "love\tsex\t6.77\nstock\tCD\t1\n",
        "# comment\n# Word 1\tWord 2\tHuman (mean)\nlove\tsex\t6.77\nstock\tCD\t1\n",
        "Word 1,Word 2,Human (mean)\nlove,sex,6.77\nstock,CD,1\n",
        "love sex 6.77 noun\n\nstock  CD 1 noun\n",
        "\ufeffword1\tword2\tscore\r\nlove\tsex\t6.77\r\nstock\tCD\t1\r\n",
    ],
    ids=["tabs", "comments", "commas and header", "spaces and columns", "Windows"],
)
def test_word_pairs_are_read_from_the_usual_layouts(tmp_path, text):
    path = tmp_path / "pairs.txt"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_word_pairs(path) == [("love", "sex", 6.77), ("stock", "CD", 1.0)]


@pytest.mark.parametrize("line", ["old new", "old new adjective 1.58", "old\tnew\tnan"])
def test_word_pair_without_a_score_is_named(tmp_path, line):
    path = tmp_path / "pairs.txt"
    path.write_text(f"a b 1\n{line}\n")
    with pytest.raises(ValueError, match="line 2: expected two words and a finite number"):
        read_word_pairs(path)


def test_evaluation_files_may_be_compressed(tmp_path):
    path = tmp_path / "pairs.tsv.gz"
    path.write_bytes(gzip.compress(b"a\tb\t1.5\n"))
    assert read_word_pairs(path) == [("a", "b", 1.5)]
