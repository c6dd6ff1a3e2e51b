"""examples/what_an_embedding_layer_learns.py runs where there is no data, and prints its tables."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent.parent / "examples" / "what_an_embedding_layer_learns.py"
WAYS = [
    "labels alone",
    "word2vec, then LogisticRegression",
    "word2vec, frozen table",
    "word2vec, trained on",
]


@pytest.fixture(scope="module")
def printed():
    """What the program prints; every test below reads this one run."""
    pytest.importorskip("matplotlib")
    if not PROGRAM.exists():
        pytest.skip("the examples are in the source, not in the wheel")
    environment = {k: v for k, v in os.environ.items() if k != "SKW2V_DATA"}
    run = subprocess.run(
        [sys.executable, PROGRAM],
        env=environment | {"MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def tables(printed):
    """The three tables: first column to the figures of its row."""
    _, *parts = printed.split("\n\n")
    return [
        {
            name: [float(figure) for figure in re.findall(r"-?\d\.\d{3}", figures)]
            for name, figures in re.findall(r"^(\S.*?)  +(.*\.\d{3}.*)$", part, re.MULTILINE)
        }
        for part in parts
    ]


def test_every_way_is_better_with_all_labels_than_the_larger_class(printed, tables):
    accuracy = tables[0]
    share = float(re.search(r"larger class has (\d\.\d{3})", printed).group(1))
    assert list(accuracy) == WAYS
    for figures in accuracy.values():
        assert len(figures) == 3
        assert share < figures[-1] <= 1


def test_more_labels_hurt_no_way(tables):
    for figures in tables[0].values():  # what there is to read depends on what is installed
        assert figures[0] < figures[-1] + 0.05


def test_pairs_are_compared_in_every_table(tables):
    compared = tables[1]
    assert list(compared) == [
        "counts of words",
        "labels alone",
        "word2vec",
        "word2vec, trained on",
    ]
    for same_meaning, same_class, nearer, error in compared.values():
        assert -1 <= same_meaning <= 1
        assert -1 <= same_class <= 1
        assert 0 <= nearer <= 1
        assert error > 0
    # What the pairs do not share, so that a table cannot find them by it.
    assert compared["counts of words"][2] < 0.7


def test_three_sentences_are_compared_in_two_tables(tables):
    assert [len(figures) for figures in tables[2].values()] == [3, 3]
