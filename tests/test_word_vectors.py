"""What WordVectors answers: neighbours, similarities, evaluations, files; and what it refuses."""

import copy
import pickle
import re

import numpy as np
import pytest

from skw2v.word_vectors import AnalogyScore, WordPairScore, WordVectors

CAPITALS = {"Athens": "Greece", "Oslo": "Norway", "Rome": "Italy", "Lima": "Peru"}


@pytest.fixture
def compass():
    words = ["north", "northeast", "east", "south", "nowhere"]
    return WordVectors(words, [[0, 2], [1, 1], [3, 0], [0, -1], [0, 0]])


@pytest.fixture
def random_vectors():
    vectors = np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32)
    return WordVectors([f"w{i}" for i in range(300)], vectors)


@pytest.fixture
def capitals():
    """Countries and capitals that differ by one vector, more or less, among other words."""
    rng = np.random.default_rng(0)
    countries = rng.standard_normal((4, 12))
    cities = countries + rng.standard_normal(12) + 0.5 * rng.standard_normal((4, 12))
    others = rng.standard_normal((40, 12))
    words = [*CAPITALS.values(), *CAPITALS, *(f"other{i}" for i in range(40))]
    return WordVectors([word.lower() for word in words], np.vstack([countries, cities, others]))


@pytest.fixture
def capital_questions():
    pairs = list(CAPITALS.items())
    return [(*one, *other) for one in pairs for other in pairs if one is not other]


def test_words_and_rows_can_be_looked_up(compass):
    assert len(compass) == 5
    assert "east" in compass
    assert "up" not in compass
    assert list(compass) == compass.words == ["north", "northeast", "east", "south", "nowhere"]
    assert compass.index["south"] == 3
    assert compass.vectors.dtype == np.float32
    np.testing.assert_array_equal(compass["east"], [3, 0])
    assert repr(compass) == "WordVectors(n_words=5, n_components=2)"


def test_float32_vectors_are_neither_copied_nor_written_to():
    vectors = np.eye(3, dtype=np.float32)
    word_vectors = WordVectors(["a", "b", "c"], vectors)
    assert np.shares_memory(word_vectors.vectors, vectors)
    with pytest.raises(ValueError, match="read-only"):
        word_vectors["a"][0] = 5
    assert vectors.flags.writeable


def test_neighbors_come_by_falling_cosine_without_the_query(compass):
    neighbors = compass.most_similar("northeast", topn=None)
    assert [word for word, _ in neighbors] == ["north", "east", "nowhere", "south"]
    cosines = [cosine for _, cosine in neighbors]
    np.testing.assert_allclose(cosines, [0.5**0.5, 0.5**0.5, 0, -(0.5**0.5)], atol=1e-15)
    assert all(type(cosine) is float for cosine in cosines)


@pytest.mark.parametrize("topn", [0, 1, 7, 298, 299, 300, 10_000, None])
def test_topn_is_the_head_of_the_full_ranking(random_vectors, topn):
    everything = random_vectors.most_similar("w0", topn=None)
    assert len(everything) == 299
    assert random_vectors.most_similar("w0", topn=topn) == everything[:topn]


def test_neighbors_agree_with_plain_numpy(random_vectors):
    unit = random_vectors.vectors / np.linalg.norm(random_vectors.vectors, axis=1, keepdims=True)
    cosines = unit @ (unit[3] + unit[4] - unit[5])
    order = [i for i in np.argsort(-cosines) if i not in (3, 4, 5)]
    neighbors = random_vectors.most_similar(["w3", "w4"], ["w5"], topn=5)
    assert [word for word, _ in neighbors] == [f"w{i}" for i in order[:5]]


@pytest.mark.parametrize("n_components", [1, 2, 3, 15, 16, 17, 33, 97])
def test_ties_are_ordered_by_id_wherever_they_stand(n_components):
    # Enough rows for several blocks; equal rows must get equal sums at any position.
    row = np.random.default_rng(n_components).standard_normal(n_components)
    word_vectors = WordVectors(range(9_001), np.tile(row, (9_001, 1)))
    neighbors = word_vectors.most_similar(4_000, topn=8_500)
    assert [word for word, _ in neighbors] == [i for i in range(8_501) if i != 4_000]
    assert len({cosine for _, cosine in neighbors}) == 1


def test_query_may_be_a_word_a_vector_or_several_of_both(compass):
    one = compass.most_similar("north")
    assert compass.most_similar(["north"]) == one
    assert compass.most_similar(np.array(["north"])) == one
    assert compass.most_similar(positive=["north"], negative=[]) == one

    by_vector = compass.most_similar(np.array([0.0, 5.0]), topn=1)
    assert by_vector == [("north", 1.0)]  # a vector is no word: nothing is left out
    assert compass.most_similar(np.array([[0.0, 1.0], [2.0, 0.0]]), topn=1)[0][0] == "northeast"
    mixed = compass.most_similar(["north", np.array([2.0, 0.0])], topn=1)
    assert mixed == [("northeast", pytest.approx(1.0))]
    assert compass.most_similar(negative="south", topn=1)[0][0] == "north"
    assert compass.most_similar(["north", "east"], "north", topn=1)[0][0] == "northeast"


def test_directions_are_added_not_lengths(compass):
    # |east| is three times |northeast|; the sum must lie halfway between them all the same.
    cosines = [compass.similarity(word, np.array([2**0.5 + 1, 1])) for word in compass]
    by_words = [cosine for _, cosine in compass.most_similar(["east", "northeast"], topn=None)]
    assert by_words == pytest.approx([cosines[0], cosines[4], cosines[3]])


def test_similarity_is_symmetric_and_agrees_with_similarities(random_vectors):
    row = random_vectors.similarities("w3")
    assert row.shape == (300,)
    assert row.dtype == np.float64
    for i in range(0, 300, 37):
        assert random_vectors.similarity("w3", f"w{i}") == row[i]
        assert random_vectors.similarity(f"w{i}", "w3") == row[i]
    assert random_vectors.similarity("w3", "w3") == pytest.approx(1.0)
    assert row.max() <= 1.0
    by_vector = random_vectors.similarities(random_vectors["w3"])
    np.testing.assert_allclose(by_vector, row, rtol=0, atol=1e-15)


def test_zero_vectors_are_similar_to_nothing(compass):
    assert compass.similarity("north", "nowhere") == 0.0
    assert compass.similarity("nowhere", "nowhere") == 0.0
    assert compass.similarities("nowhere").tolist() == [0.0] * 5
    assert compass.most_similar(["north", "south"], topn=2) == [("northeast", 0.0), ("east", 0.0)]
    assert compass.most_similar(np.zeros(2), topn=1) == [("north", 0.0)]


@pytest.mark.parametrize("scale", [1e-44, 1e-30, 1e30, 2e38])
def test_lengths_at_float32_limits_do_not_matter(scale):
    vectors = np.array([[1, 0], [1, 1], [0, -1]]) * scale
    word_vectors = WordVectors(["a", "b", "c"], vectors)
    assert word_vectors.similarity("a", "b") == pytest.approx(0.5**0.5)
    assert word_vectors.similarity("a", vectors[1]) == pytest.approx(0.5**0.5)
    assert word_vectors.similarity("b", "c") == pytest.approx(-(0.5**0.5))
    questions = [("c", "a", "a", "b")]
    assert word_vectors.evaluate_analogies(questions).accuracy == 1.0


def test_integer_words_are_words():
    word_vectors = WordVectors(np.array([10, 20, 30]), np.array([[1, 0], [1, 1], [0, 1]]))
    assert word_vectors.words == [10, 20, 30]
    assert type(word_vectors.words[0]) is int
    assert word_vectors.most_similar(10, topn=1) == [(20, pytest.approx(0.5**0.5))]
    assert word_vectors.most_similar(np.array([10, 30]), topn=1)[0][0] == 20
    assert word_vectors.similarity(np.int64(10), 30) == 0.0


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "northeats",
            "the word 'northeats' is not among the 5 known words; "
            "close matches: 'northeast', 'north'",
        ),
        ("NORTH", "close matches: 'north', 'northeast'"),
        ("xyz", "the word 'xyz' is not among the 5 known words"),
        (7, "the word 7 is not among the 5 known words, which are str, like 'north'"),
    ],
)
def test_unknown_word_is_a_key_error_that_helps(compass, word, message):
    for ask in (compass.__getitem__, compass.most_similar, compass.similarities):
        with pytest.raises(KeyError, match=re.escape(message)) as raised:
            ask(word)
        assert raised.type is KeyError


def test_text_asked_of_integer_words_is_told_so():
    with pytest.raises(KeyError, match="which are int, like 10"):
        WordVectors([10, 20], np.eye(2))["10"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "nothing to compare with"),
        ({"positive": "north", "topn": -1}, ValueError, "non-negative int or None, got -1"),
        ({"positive": "north", "topn": 2.5}, ValueError, "non-negative int or None, got 2.5"),
        ({"positive": np.ones(3)}, ValueError, r"shape \(2,\), got an array of shape \(3,\)"),
        ({"positive": [0.5, 0.5]}, ValueError, r"shape \(2,\), got an array of shape \(\)"),
        ({"positive": np.array([np.nan, 1])}, ValueError, "NaN or infinity"),
        ({"positive": [("north", 0.5)]}, TypeError, r"a word or a vector .*got \('north', 0.5\)"),
    ],
)
def test_wrong_queries_are_explained(compass, arguments, error, message):
    with pytest.raises(error, match=message):
        compass.most_similar(**arguments)


@pytest.mark.parametrize(
    ("words", "vectors", "error", "message"),
    [
        ("ab", np.eye(2), TypeError, "expected a sequence of words, got the single 'ab'"),
        (["a", 1], np.eye(2), TypeError, "both str and int"),
        (["a", 1.5], np.eye(2), TypeError, "sequence of words .*1.5"),
        (["a", "b", "a"], np.eye(3), ValueError, "'a' comes at least twice: rows 0 and 2"),
        (["a", "b"], np.eye(3), ValueError, r"n_words=2 .*got shape \(3, 3\)"),
        (["a", "b"], np.ones(2), ValueError, r"got shape \(2,\)"),
        (["a", "b"], np.empty((2, 0)), ValueError, r"got shape \(2, 0\)"),
        ([], np.empty((0, 2)), ValueError, r"got shape \(0, 2\)"),
        (["a", "b"], [[1, 2], [np.inf, 0]], ValueError, r"vector of 'b' \(row 1\) holds NaN"),
        (["a", "b"], [[1, 2], [1e39, 0]], ValueError, r"vector of 'b' .*beyond float32's range"),
    ],
)
def test_wrong_words_and_vectors_are_explained(words, vectors, error, message):
    with pytest.raises(error, match=message):
        WordVectors(words, vectors)


@pytest.mark.parametrize("after_a_query", [False, True])
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_and_pickles_answer_alike(compass, after_a_query, duplicate):
    if after_a_query:
        compass.most_similar("north")
    same = duplicate(compass)
    assert same.words == compass.words
    assert same.vectors.tobytes() == compass.vectors.tobytes()
    assert same.most_similar("north") == compass.most_similar("north")


def test_saved_vectors_load_as_they_were(tmp_path, random_vectors):
    random_vectors.save(tmp_path / "vectors.txt.gz")
    loaded = WordVectors.load(str(tmp_path / "vectors.txt.gz"))
    assert loaded.words == random_vectors.words
    assert loaded.vectors.tobytes() == random_vectors.vectors.tobytes()


def test_analogies_are_counted_by_section(compass):
    sections = {
        "turn": [("north", "east", "south", "northeast"), ("south", "north", "east", "northeast")],
        "none": [("north", "up", "east", "south")],
        "given word as answer": [("north", "east", "east", "east")],
    }
    assert compass.evaluate_analogies(sections) == AnalogyScore(
        accuracy=1 / 3,
        n_correct=1,
        n_questions=3,
        n_skipped=1,
        sections={"turn": (1, 2), "none": (0, 0), "given word as answer": (0, 1)},
    )


def test_no_word_of_the_question_is_its_answer():
    # The word nearest to b + c - a is a; but d, far off as it is, is the only one left to choose.
    word_vectors = WordVectors(["a", "b", "c", "d"], [[1, 0], [1, 1], [1, -1], [-1, 0.1]])
    assert word_vectors.evaluate_analogies([("a", "b", "c", "d")]).accuracy == 1.0


def test_analogies_of_planted_pairs_are_solved_as_most_similar_does(capitals, capital_questions):
    score = capitals.evaluate_analogies(capital_questions)
    right = [
        capitals.most_similar([b.lower(), c.lower()], [a.lower()], topn=1)[0][0] == answer.lower()
        for a, b, c, answer in capital_questions
    ]
    assert score.n_questions == 12
    assert score.n_correct == sum(right)
    assert score.n_correct >= 6
    assert score.sections == {"all": (sum(right), 12)}


def test_analogy_batches_do_not_change_the_score(capitals, capital_questions, monkeypatch):
    score = capitals.evaluate_analogies(capital_questions)
    monkeypatch.setattr("skw2v._evaluation._BATCH", 5 * len(capitals))
    assert capitals.evaluate_analogies(capital_questions) == score


def test_restrict_leaves_out_later_words():
    words = ["man", "king", "woman", "queen", "decoy"]
    vectors = [[1, 0, 0], [1, 0, 2], [0, 1, 0], [0, 1, 1], [-0.3, 1, 1.5]]
    word_vectors = WordVectors(words, vectors)
    question = [("man", "king", "woman", "queen")]
    assert word_vectors.evaluate_analogies(question, restrict=None).accuracy == 0.0
    assert word_vectors.evaluate_analogies(question, restrict=4).accuracy == 1.0
    with pytest.raises(ValueError, match=r"none of the 1 questions .* raise restrict=3"):
        word_vectors.evaluate_analogies(question, restrict=3)
    with pytest.raises(ValueError, match="positive int or None, got 0"):
        word_vectors.evaluate_analogies(question, restrict=0)


def test_case_counts_only_when_asked(compass):
    assert compass.evaluate_analogies([("NORTH", "East", "South", "east")]).n_questions == 1
    with pytest.raises(ValueError, match="none of the 1 questions"):
        compass.evaluate_analogies([("NORTH", "East", "South", "east")], case_insensitive=False)
    pairs = [("North", "east", 1), ("north", "northeast", 2), ("south", "north", 0)]
    assert compass.evaluate_word_pairs(pairs, case_insensitive=False).n_skipped == 1
    assert compass.evaluate_word_pairs(pairs).n_skipped == 0


def test_of_words_that_differ_in_case_the_first_takes_part():
    words = ["us", "US", "me", "you", "we"]
    word_vectors = WordVectors(words, [[1, 0], [0, 1], [1, 1], [-1, 1], [-1, 0]])
    pairs = [("US", "me", 2), ("US", "you", 1), ("US", "we", 0)]
    assert word_vectors.evaluate_word_pairs(pairs).spearman == pytest.approx(1.0)
    # With "US" itself the first two would tie.
    case_sensitive = word_vectors.evaluate_word_pairs(pairs, case_insensitive=False)
    assert case_sensitive.spearman < 0.99


def test_questions_of_wrong_length_are_shown(compass):
    with pytest.raises(ValueError, match=r"four words, got \('north', 'east', 'south'\)"):
        compass.evaluate_analogies([("north", "east", "south")])


def test_word_pairs_give_a_rank_correlation(compass):
    pairs = [("north", "northeast", 9), ("north", "east", 3), ("north", "south", -40)]
    pairs.append(("north", "up", 5))
    score = compass.evaluate_word_pairs(pairs)
    assert score == WordPairScore(spearman=pytest.approx(1.0), n_pairs=3, n_skipped=1)
    reversed_ = [(a, b, -score) for a, b, score in pairs]
    assert compass.evaluate_word_pairs(reversed_).spearman == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("up", "down", 1)], "got 0 in 0 pairs; 1 pairs were skipped"),
        ([("north", "east", 1)], "two different scores or more, got 1 in 1 pairs"),
        ([("north", "east", 1), ("north", "south", 1)], "different scores .*got 1 in 2 pairs"),
        ([("north", "east", 1), ("east", "north", 2)], "different similarities .*got 1 in 2 pairs"),
    ],
)
def test_undefined_correlation_is_an_error_not_a_nan(compass, pairs, message):
    with pytest.raises(ValueError, match=message):
        compass.evaluate_word_pairs(pairs)


def test_integer_words_can_be_evaluated():
    word_vectors = WordVectors([1, 2, 3, 4], [[1, 0], [1, 1], [0, 1], [-1, 1]])
    assert word_vectors.evaluate_analogies([(1, 2, 3, 4)]).n_questions == 1
    assert word_vectors.evaluate_word_pairs([(1, 2, 5.0), ("1", "4", 2.0)]).n_pairs == 2


def test_scores_agree_with_gensim(tmp_path, capitals, capital_questions):
    models = pytest.importorskip("gensim.models")
    keyed = models.KeyedVectors(vector_size=12)
    keyed.add_vectors(capitals.words, capitals.vectors)

    questions = tmp_path / "questions.txt"
    rows = [" ".join(question) for question in capital_questions]
    rows = [": capitals", *rows[:6], "Athens Greece Paris France", ": more", *rows[6:]]
    questions.write_text("\n".join(rows))
    accuracy, sections = keyed.evaluate_word_analogies(str(questions))
    score = capitals.evaluate_analogies(questions)
    assert score.accuracy == accuracy
    assert score.n_skipped == 1
    for section in sections[:-1]:
        n_correct, n_wrong = len(section["correct"]), len(section["incorrect"])
        assert score.sections[section["section"]] == (n_correct, n_correct + n_wrong)
    assert 0 < accuracy < 1

    pairs = tmp_path / "pairs.tsv"
    rng = np.random.default_rng(1)
    rows = [f"Other{i}\tother{i + 1}\t{rng.integers(5)}" for i in range(40)]
    pairs.write_text("# Word 1\tWord 2\tHuman (mean)\n" + "\n".join(rows) + "\n")
    _, spearman, skipped_percentage = keyed.evaluate_word_pairs(str(pairs))
    score = capitals.evaluate_word_pairs(pairs)
    assert score.spearman == pytest.approx(spearman[0], abs=1e-12)
    assert score.n_skipped == 1
    assert skipped_percentage == pytest.approx(100 / 40)
