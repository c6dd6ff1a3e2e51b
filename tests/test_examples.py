"""The programs in examples/, on the small data that they have without a folder."""

import re
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
EXAMPLES = Path(__file__).parents[1] / "examples"


def test_mnist_sampled_output_layer(run_python):
    printed = run_python(
        EXAMPLES / "mnist_sampled_output_layer.py", "--seeds", 0, MPLBACKEND="Agg", SKW2V_DATA=""
    )
    rows = re.findall(r"^(\w+) +(all 10|\d) +(\d+\.\d+) ", printed, flags=re.MULTILINE)
    accuracy = {(loss, n): float(percent) for loss, n, percent in rows}
    assert len(accuracy) == 9
    assert accuracy["softmax", "all 10"] > 95
    for loss in ("nce", "sampled_softmax"):
        assert abs(accuracy[loss, "9"] - accuracy["softmax", "all 10"]) < 2
        assert accuracy[loss, "1"] > 90
