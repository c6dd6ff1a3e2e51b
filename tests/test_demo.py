"""``python -m skw2v``, with the demo's quick plan."""

import re
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from skw2v import WordVectors, _demo
from skw2v.__main__ import main
from skw2v.datasets import load_docstrings

N_CLASSES = _demo._QUICK.n_classes

needs_matplotlib = pytest.mark.skipif(find_spec("matplotlib") is None, reason="needs matplotlib")


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    return tmp_path_factory.mktemp("demo") / "map.png"


@pytest.fixture(scope="module")
def printed(picture):
    """What the demo prints; every test below reads this one run."""
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("builtins.print", lambda *words, **_: lines.append(" ".join(words)))
        status = main(["demo", "--quick", "--n-jobs", "1", "--output", str(picture)])
    assert status == 0
    if "matplotlib" in sys.modules:
        import matplotlib.pyplot as plt

        plt.close("all")
    return "\n".join(lines)


@pytest.fixture
def word_vectors():
    vectors = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    return WordVectors(["sparse", "thread", *"abcdefghij"], vectors)


def numbers_of(pattern, text):
    """Return the groups of a pattern that has to match once, without thousands separators."""
    (groups,) = re.findall(pattern, text)
    groups = (groups,) if isinstance(groups, str) else groups
    return [float(number.replace(",", "")) for number in groups]


def test_counts_the_documents_it_reads(printed):
    train, test = load_docstrings(subset="train"), load_docstrings(subset="test")
    n_train, n_test = np.sum(train.target < N_CLASSES), np.sum(test.target < N_CLASSES)
    assert numbers_of(r"([\d,]+) documents,", printed) == [n_train + n_test]
    assert numbers_of(r"training set +([\d,]+) documents", printed) == [n_train]
    assert numbers_of(r"test set +([\d,]+) documents", printed) == [n_test]


def test_words_per_second_are_words_times_epochs_over_seconds(printed):
    (n_words,) = numbers_of(r"training set has ([\d,]+) words", printed)
    (n_epochs,) = numbers_of(r"(\d+) epochs over them", printed)
    seconds, rate = numbers_of(r"([\d.]+) s on \d+ threads, ([\d,]+) words per second", printed)
    # The seconds are printed to two digits after the point.
    assert n_words * n_epochs / (seconds + 0.006) <= rate
    assert rate * (seconds - 0.006) <= n_words * n_epochs


def test_table_has_every_candidate_and_is_sorted_by_score(printed):
    rows = re.findall(r"^  (input|concat) +(mean) +(8|16)  (0\.\d{3}) ± 0\.\d{3}$", printed, re.M)
    assert len({row[:3] for row in rows}) == len(rows) == 4
    scores = [float(row[3]) for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_each_n_components_trains_once_a_fold(printed):
    # 2 embeddings, 2 n_components, 2 folds, and the best candidate on all the training set.
    assert "9 fits in" in printed
    assert "on 5 trainings" in printed


def test_word2vec_stands_beside_tfidf_and_guessing(printed):
    table = re.findall(r"^  (\S.*?)  +[\d,]+ +(0\.\d{3}) +(0\.\d{3})$", printed, re.M)
    accuracies = {name: (float(on_folds), float(on_test)) for name, on_folds, on_test in table}
    guessing = accuracies.pop("always the commonest class")
    assert accuracies.keys() == {"TF-IDF", next(n for n in accuracies if n.startswith("word2vec"))}
    assert all(on_folds > guessing[0] for on_folds, _ in accuracies.values())
    train, test = load_docstrings(subset="train"), load_docstrings(subset="test")
    y_train, y_test = train.target[train.target < N_CLASSES], test.target[test.target < N_CLASSES]
    majority = np.bincount(y_train).argmax()
    assert guessing[0] == pytest.approx(np.mean(y_train == majority), abs=6e-4)
    assert guessing[1] == pytest.approx(np.mean(y_test == majority), abs=6e-4)


def test_shows_neighbours_of_words_of_the_vocabulary(printed):
    assert re.search(r"^  sparse +\w+, \w+, \w+$", printed, re.M)


@needs_matplotlib
def test_writes_a_picture(printed, picture):
    assert f"Written to {picture}" in printed
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_a_sentence_replaces_the_picture(
    word_vectors, picture, monkeypatch, tmp_path, capsys
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    _demo._draw_map(word_vectors, {"sparse": ["a", "b", "c"]}, tmp_path / "map.png")
    assert re.search(r"Not drawn\. .*matplotlib.*pip install", capsys.readouterr().out)
    assert not list(tmp_path.iterdir())


def test_words_out_of_the_vocabulary_are_left_out(word_vectors, capsys):
    neighbors = _demo._find_neighbors(_demo._QUICK, word_vectors)
    assert list(neighbors) == ["sparse", "thread"]
    assert "eigenvalue" not in capsys.readouterr().out
    nothing = WordVectors(["a", "b"], word_vectors.vectors[:2])
    assert _demo._find_neighbors(_demo._QUICK, nothing) == {}
    assert "None of eigenvalue, " in capsys.readouterr().out


def test_a_missing_folder_is_reported_before_the_work(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["demo", "--output", str(tmp_path / "missing" / "map.png")])
    assert stopped.value.code == 2
    assert "there is no folder" in capsys.readouterr().err


def test_a_command_is_asked_for(capsys):
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_help_needs_nothing_but_the_command_line():
    script = (
        "import sys; sys.argv = ['skw2v', 'demo', '--help']\n"
        "import runpy\n"
        "try: runpy.run_module('skw2v', run_name='__main__')\n"
        "except SystemExit as stopped: assert not stopped.code\n"
        "assert 'sklearn' not in sys.modules"
    )
    command = [sys.executable, "-c", script]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
    assert "--quick" in completed.stdout
