"""Fixtures every test file may use."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

import skw2v

# The same examples on every run: a red test stays red until somebody mends it.
settings.register_profile("skw2v", deadline=None, derandomize=True, database=None)
settings.load_profile("skw2v")


@pytest.fixture(scope="session")
def global_random_seed():
    """A seed that tests must pass with; set SKW2V_TESTS_SEED to try another."""
    return int(os.environ.get("SKW2V_TESTS_SEED", "42"))


@pytest.fixture(scope="session")
def planted(global_random_seed):
    """Documents with topics in them: 3,000 of 16 words, 10 topics of 30 words, 30 common words.

    Attributes: documents (str), labels (the topic of each), topic_of (word -> topic).
    """
    draw = random.Random(global_random_seed)
    topics = [[f"t{topic}w{i}" for i in range(30)] for topic in range(10)]
    common = [f"common{i}" for i in range(30)]
    weights = [1 / (1 + i) for i in range(30)]
    documents, labels = [], []
    for i in range(3000):
        label = i % len(topics)
        words = draw.choices(topics[label], weights, k=12) + draw.choices(common, weights, k=4)
        draw.shuffle(words)
        documents.append(" ".join(words))
        labels.append(label)
    topic_of = {word: topic for topic, words in enumerate(topics) for word in words}
    return SimpleNamespace(documents=documents, labels=labels, topic_of=topic_of)


@pytest.fixture(scope="session")
def run_python():
    """Run a script, or code, in a fresh interpreter that finds this skw2v; returns its output."""

    def run(code, *arguments, timeout=60, **environment):
        script = [code] if isinstance(code, Path) else ["-c", code]
        path = [str(Path(skw2v.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}
        with subprocess.Popen(
            [sys.executable, *script, *map(str, arguments)],
            env=inherited | {"PYTHONPATH": os.pathsep.join(filter(None, path))} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                printed, errors = process.communicate(timeout=timeout)
            except BaseException:
                if hasattr(os, "killpg"):  # with the children that made it hang
                    os.killpg(process.pid, signal.SIGKILL)
                process.kill()
                raise
        assert process.returncode == 0, errors
        return printed

    return run
