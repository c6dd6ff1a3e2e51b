"""What the benchmarks share: settings, text, fresh processes, tables and a line about the machine.

Every measurement compares like with like, so everything that could differ is fixed here:

- `SETTINGS` is the one object that `throughput.py` and `quality.py` train with and print;
- `prepare` encodes the text once. Both libraries get the same words of the vocabulary in the same
  order, cut into the same documents; words outside the vocabulary are gone before either sees them;
- `in_fresh_process` runs each measurement in a process of its own, so that no run inherits the
  caches, the heap or the threads of the one before; `side_by_side` does so for several at once,
  for what is not timed.
"""

import argparse
import hashlib
import itertools
import json
import lzma
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

# gensim trains on at most 10,000 words of a document and drops the rest in silence
# (MAX_SENTENCE_LEN in gensim/models/word2vec_inner.pyx). Longer documents are cut into pieces of
# this length for both libraries, so that nothing is dropped and both see the same borders.
PEER_DOCUMENT_LIMIT = 10_000

# word2vec.c's defaults: 0.025 for skip-gram, 0.05 for CBOW. CBOW implementations that do not divide
# the gradient by the size of the context prefer the lower rate, so quality.py tries both.
LEARNING_RATES = {"skipgram": (0.025,), "cbow": (0.025, 0.05)}


@dataclass(frozen=True)
class Settings:
    """Training parameters, in skw2v's words, translated for each library."""

    architecture: str = "skipgram"
    cbow_gradient: str = "word2vec"
    loss: str = "negative_sampling"
    noise: str = "unigram"
    n_components: int = 100
    window: int = 5
    dynamic_window: bool = True
    n_negatives: int = 5
    noise_exponent: float = 0.75
    subsample: float = 1e-3
    min_count: int = 5
    learning_rate: float = 0.025
    min_learning_rate: float = 1e-4
    max_iter: int = 5

    def training_parameters(self, seed: int):
        """The settings as skw2v's `TrainingParameters`; min_count has acted on the vocabulary."""
        from skw2v._parameters import TrainingParameters

        parameters = asdict(self)
        del parameters["min_count"]
        return TrainingParameters(seed=seed, **parameters)

    def gensim_parameters(self, seed: int, n_threads: int) -> dict[str, Any]:
        """The settings as keyword arguments of `gensim.models.Word2Vec`.

        hs=1 alone would train hierarchical softmax and negative sampling at once.
        """
        if self.loss not in ("negative_sampling", "hierarchical_softmax"):
            raise ValueError(f"gensim does not have loss={self.loss!r}")
        hierarchical = self.loss == "hierarchical_softmax"
        return {
            "sg": int(self.architecture == "skipgram"),
            "hs": int(hierarchical),
            "vector_size": self.n_components,
            "window": self.window,
            "shrink_windows": self.dynamic_window,
            "negative": 0 if hierarchical else self.n_negatives,
            "ns_exponent": self.noise_exponent,
            "sample": self.subsample,
            "min_count": self.min_count,
            "alpha": self.learning_rate,
            "min_alpha": self.min_learning_rate,
            "epochs": self.max_iter,
            "cbow_mean": 1,
            "seed": seed,
            "workers": n_threads,
        }

    def replace(self, **changes) -> "Settings":
        return replace(self, **changes)


SETTINGS = Settings()


# What the tables vary, and so is printed beside each figure instead of once.
VARIED = ("architecture", "n_components", "learning_rate", "max_iter")


def settings_line(*also_varied: str) -> str:
    """What every run of a benchmark shares, in one line that is the same for all of them."""
    varied = {*VARIED, *also_varied}
    shown = (f"{name}={value}" for name, value in asdict(SETTINGS).items() if name not in varied)
    return "settings: " + ", ".join(shown)


# ------------------------------------------------------------------------------------------- text


class Text(NamedTuple):
    """Documents, how they become tokens, and a name for the table's head."""

    name: str
    documents: list[str]
    analyze: Callable[[str], list[str]]

    def first(self, n_tokens: int) -> "Text":
        """The first documents, until they have `n_tokens` tokens: a small text of its own."""
        n_before = 0
        for place, document in enumerate(self.documents):
            if n_before >= n_tokens:
                return self._replace(documents=self.documents[:place])
            n_before += len(self.analyze(document))
        return self


def data_folder(args: argparse.Namespace) -> Path | None:
    """The folder named by --data or SKW2V_DATA; None where neither is given."""
    named = args.data or os.environ.get("SKW2V_DATA")
    if not named:
        return None
    folder = Path(named)
    if not (folder / "corpus").is_dir():
        raise SystemExit(f"{folder} has no folder named corpus; see benchmarks/README.md")
    return folder


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        metavar="FOLDER",
        help="folder with corpus/ and eval/ (default: $SKW2V_DATA; without either, the docstrings "
        "of the installed numpy, scipy, scikit-learn and standard library are the text)",
    )


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """What the benchmarks with many trainings and no clock have in common."""
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--format", choices=tuple(TABLES), default="rst")
    parser.add_argument(
        "--processes", type=int, default=available_cores(), help="trainings side by side"
    )
    parser.add_argument(
        "--cache", type=Path, metavar="FILE", help="JSON file that keeps the scores of every run"
    )


def load_text(args: argparse.Namespace) -> Text:
    """enwiki_17m where a data folder is named, else the docstrings that every machine has."""
    folder = data_folder(args)
    if folder is not None:
        path = folder / "corpus" / "enwiki_17m.txt.xz"
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            # The text is lowercase a-z already: splitting at spaces is its whole analysis.
            return Text("enwiki_17m", [line.rstrip("\n") for line in lines], str.split)

    from sklearn.feature_extraction.text import CountVectorizer

    from skw2v.datasets import load_docstrings

    return Text("docstrings", list(load_docstrings().data), CountVectorizer().build_analyzer())


@dataclass(frozen=True)
class PreparedText:
    """An encoded text on disk, which child processes load in a moment.

    The vocabulary and its counts are those of the whole text; `n_tokens` words of it are trained
    on. So a run on a part of the text still has the whole vocabulary's cache behaviour.
    """

    folder: Path
    name: str
    n_words: int
    n_tokens: int
    n_documents: int
    n_tokens_whole: int
    n_documents_cut: int
    fingerprint: str

    def token_ids(self) -> np.ndarray:
        return np.load(self.folder / "token_ids.npy")

    def document_offsets(self) -> np.ndarray:
        return np.load(self.folder / "document_offsets.npy")

    def counts(self) -> np.ndarray:
        return np.load(self.folder / "counts.npy")

    def words(self) -> list[str]:
        return json.loads((self.folder / "words.json").read_text("utf-8"))

    @property
    def line_sentences(self) -> Path:
        """The same words as text, one document a line, for gensim's `corpus_file`."""
        return self.folder / "corpus.txt"

    def describe(self) -> str:
        part = "all" if self.n_tokens == self.n_tokens_whole else "the first"
        return (
            f"text: {self.name}, {part} {self.n_tokens:,} in-vocabulary words "
            f"({self.n_documents:,} documents) of {self.n_tokens_whole:,}; vocabulary and counts "
            f"of the whole text: {self.n_words:,} words; {self.n_documents_cut} documents cut at "
            f"{PEER_DOCUMENT_LIMIT:,} words for both libraries (gensim would drop the rest)"
        )


def prepare(
    text: Text, folder: Path, *, n_tokens: int | None = None, max_features: int | None = None
) -> PreparedText:
    """Encode `text` into `folder`; keep its first `n_tokens` in-vocabulary words (None: all).

    The vocabulary has at most `max_features` words, the most frequent (None: all).
    """
    from skw2v._corpus import build_corpus

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, corpus = build_corpus(
        text.documents, text.analyze, min_count=SETTINGS.min_count, max_features=max_features
    )
    n_kept = min(n_tokens or corpus.n_tokens, corpus.n_tokens)
    token_ids = np.ascontiguousarray(corpus.token_ids[:n_kept])
    offsets = np.unique(np.minimum(corpus.document_offsets, n_kept))
    borders = cut_long_documents(offsets, PEER_DOCUMENT_LIMIT)
    words = [str(word) for word in vocabulary.words]
    counts = np.asarray(vocabulary.counts, dtype=np.int64)

    np.save(folder / "token_ids.npy", token_ids)
    np.save(folder / "document_offsets.npy", borders)
    np.save(folder / "counts.npy", counts)
    (folder / "words.json").write_text(json.dumps(words), "utf-8")
    with open(folder / "corpus.txt", "w", encoding="utf-8") as lines:
        for start, stop in itertools.pairwise(borders):
            lines.write(" ".join([words[i] for i in token_ids[start:stop].tolist()]) + "\n")
    return PreparedText(
        folder=folder,
        name=text.name,
        n_words=len(words),
        n_tokens=n_kept,
        n_documents=len(borders) - 1,
        n_tokens_whole=corpus.n_tokens,
        n_documents_cut=int((np.diff(offsets) > PEER_DOCUMENT_LIMIT).sum()),
        fingerprint=hashlib.sha256(
            token_ids.tobytes() + borders.tobytes() + counts.tobytes()
        ).hexdigest()[:16],
    )


def cut_long_documents(offsets: np.ndarray, limit: int) -> np.ndarray:
    """Offsets with a border added after every `limit` tokens of a longer document."""
    pieces = [np.arange(start, stop, limit) for start, stop in itertools.pairwise(offsets)]
    return np.concatenate([*pieces, offsets[-1:]]).astype(np.int64)


# ---------------------------------------------------------------------------------------- running


def in_fresh_process(function: Callable, /, *args, **kwargs):
    """`function(*args, **kwargs)` in a new interpreter that ends with the call."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def side_by_side(
    function: Callable, calls: Sequence[dict[str, Any]], n_processes: int
) -> Iterator[tuple[int, Any]]:
    """The place and result of each call, as they end; every call has a fresh process of its own.

    For results, not for times: processes that run at once take caches and bandwidth from each
    other.
    """
    with ProcessPoolExecutor(
        max_workers=n_processes, mp_context=get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        places = {pool.submit(function, **call): place for place, call in enumerate(calls)}
        for future in as_completed(places):
            yield places[future], future.result()


def available_cores() -> int:
    """Cores this process may use: affinity and container limits count."""
    from joblib import cpu_count

    return cpu_count()


class ResultCache:
    """Results in a JSON file, written after every run; without a path it remembers nothing.

    With a file, a run that was stopped goes on where it was, and a long table can be made in
    pieces. The keys know the data and the settings, not the version of the code.
    """

    def __init__(self, path: Path | None):
        self.path = path
        self.results = json.loads(path.read_text("utf-8")) if path and path.exists() else {}

    def get(self, key: str) -> Any | None:
        return self.results.get(key)

    def put(self, key: str, result: Any) -> None:
        self.results[key] = result
        if self.path:
            self.path.write_text(json.dumps(self.results, indent=1, sort_keys=True), "utf-8")


# --------------------------------------------------------------------------------------- printing


def machine_line() -> str:
    """The processor, and the versions that decide a figure."""
    return (
        f"machine: {_processor()}, {available_cores()} cores usable, {platform.system()} "
        f"{platform.machine()}; Python {platform.python_version()}, "
        f"numpy {_version('numpy')}, gensim {_version('gensim')}, skw2v {_skw2v()}"
    )


def _processor() -> str:
    try:
        fields = dict(
            (part.strip() for part in line.split(":", 1))
            for line in Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
            if ":" in line
        )
    except OSError:
        return platform.processor() or "unknown processor"
    name = fields.get("model name", platform.machine())
    if "cpu family" in fields:
        name += f" (family {fields['cpu family']}, model {fields['model']})"
    return name


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def _skw2v() -> str:
    # Not from the installed metadata: the package may be imported from its source tree.
    import skw2v

    try:
        from skw2v import _kernels
    except ImportError:
        return f"{skw2v.__version__} (kernels not built)"
    threads = "OpenMP" if _kernels.openmp_enabled() else "without OpenMP"
    return f"{skw2v.__version__} ({_kernels.isa()}, {threads})"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up on a terminal; the first column to the left."""
    cells = [list(header), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]

    def line(row):
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "| " + " | ".join([first, *others]) + " |"

    rule = (
        "|" + "|".join("-" * (w + 1) + ("-" if i == 0 else ":") for i, w in enumerate(widths)) + "|"
    )
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])


def rst_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A simple table of reStructuredText, for the documentation."""
    cells = [list(header), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


TABLES = {"rst": rst_table, "markdown": table}
