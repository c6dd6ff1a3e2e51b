"""Documents trained in rounds of shards: as good as one after the other, and faster on two threads?

    python benchmarks/document_rounds.py --data FOLDER

- Accuracy on the test part, `EmbeddingClassifier`'s defaults but for what the tables name: one
  shard alone, which trains one document after the other, beside the default layout and others.
  Layouts of a seed share the start and the order of the documents. The error is that of the mean
  over the seeds; where a test part has few documents, its own chance is in it.
- Seconds of the epochs on 1 and 2 threads, which take turns, each run in a fresh process; and of
  one shard alone.

Without a folder of data the set is the docstrings.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
from _common import (
    TABLES,
    ResultCache,
    add_data_argument,
    add_run_arguments,
    data_folder,
    in_fresh_process,
    machine_line,
    side_by_side,
)
from _textclass import SETS, Documents, read_split

LOSSES = ("softmax", "ova")
# From short documents to long ones.
DEFAULT_SETS = (
    *("clickbait", "TREC-6", "SMS spam", "SST-2"),
    *("R8", "R52", "Ohsumed", "20 Newsgroups"),
)
MOST_DIFFERENCE = 0.3  # points of accuracy
LEAST_SPEEDUP = 1.6  # on two threads
LONE_SHARD_TOKENS, POOL_SIZE = 512, 32


class Rounds(NamedTuple):
    """A layout: shards of a round, and documents of a shard as far as all are of equal length."""

    n_shards: int
    n_documents: int

    @property
    def name(self) -> str:
        return f"{self.n_shards} x {self.n_documents}"


# None: what the corpus and the parameters choose.
LAYOUTS = {
    "one shard": Rounds(1, 0),
    "default": None,
    **{
        r.name: r
        for r in (Rounds(2, 32), Rounds(4, 16), Rounds(4, 32), Rounds(8, 8), Rounds(16, 8))
    },
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    add_run_arguments(parser)
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=list(DEFAULT_SETS))
    parser.add_argument("--loss", nargs="+", choices=LOSSES, default=list(LOSSES))
    parser.add_argument("--layouts", nargs="+", choices=tuple(LAYOUTS), default=list(LAYOUTS))
    parser.add_argument("--epochs", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--repeats", type=int, default=3, help="of times (default: %(default)s)")
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    args = parser.parse_args()
    if data_folder(args) is None:
        args.sets = ["docstrings"]
    return args


def read(folder: Path | None, name: str) -> tuple[Documents, Documents]:
    """Training and test part."""
    if folder is not None:
        return read_split(folder, name)
    from skw2v.datasets import load_docstrings

    parts = [load_docstrings(subset=subset) for subset in ("train", "test")]
    train, test = (Documents(part.data, part.target) for part in parts)
    return train, test


def layout_of(rounds: Rounds, n_documents: int, n_tokens: int):
    from skw2v._layout import Layout

    if rounds.n_shards == 1:
        return Layout(1, LONE_SHARD_TOKENS, POOL_SIZE, 1)
    shard_tokens = max(1, int(rounds.n_documents * n_tokens / n_documents))
    return Layout(rounds.n_shards, shard_tokens, POOL_SIZE, 1)


def fitted(train: Documents, layout: str, *, loss: str, epochs: int, seed: int, n_threads: int):
    """An `EmbeddingClassifier`, and the layout that it was trained in."""
    from skw2v import EmbeddingClassifier, _document_trainer

    model = EmbeddingClassifier(loss=loss, max_iter=epochs, random_state=seed, n_jobs=n_threads)
    chosen = []
    choose = _document_trainer.choose_document_layout

    def layout_for(n_documents, n_tokens, parameters):
        rounds = LAYOUTS[layout]
        if rounds is None:
            chosen.append(choose(n_documents, n_tokens, parameters))
        else:
            chosen.append(layout_of(rounds, n_documents, n_tokens))
        return chosen[-1]

    with patch.object(_document_trainer, "choose_document_layout", layout_for):
        model.fit(train.texts, train.labels)
    return model, chosen[-1]


# ---------------------------------------------------------------------------------------- accuracy


def test_accuracies(
    folder, name: str, loss: str, seed: int, layouts: Sequence[str], epochs: int
) -> list[float]:
    """The share of the test documents classified rightly, for each layout."""
    train, test = read(folder, name)
    scores = []
    for layout in layouts:
        model, _ = fitted(train, layout, loss=loss, epochs=epochs, seed=seed, n_threads=1)
        scores.append(float(np.mean(model.predict(test.texts) == test.labels)))
    return scores


def accuracies(args: argparse.Namespace) -> None:
    cache = ResultCache(args.cache)
    layouts = list(dict.fromkeys(["one shard", *args.layouts]))

    def key(name, loss, seed, layout):
        return f"{name}|{loss}|{layout}|{seed}|{args.epochs}"

    calls = []
    for name in args.sets:
        for loss in args.loss:
            for seed in args.seeds:
                missing = [n for n in layouts if cache.get(key(name, loss, seed, n)) is None]
                cell = {"name": name, "loss": loss, "seed": seed, "layouts": missing}
                if missing:
                    calls.append(cell | {"folder": data_folder(args), "epochs": args.epochs})
    started = time.perf_counter()
    results = side_by_side(test_accuracies, calls, args.processes)
    for done, (place, found) in enumerate(results, start=1):
        name, loss, seed, of = (calls[place][k] for k in ("name", "loss", "seed", "layouts"))
        for layout, score in zip(of, found, strict=True):
            cache.put(key(name, loss, seed, layout), score)
        seconds = time.perf_counter() - started
        print(f"{done}/{len(calls)} in {seconds:.0f} s", end="\r", flush=True)

    def scores(**cell):
        return 100 * np.array([cache.get(key(seed=seed, **cell)) for seed in args.seeds])

    others = [layout for layout in args.layouts if layout != "one shard"]
    rows, worst = [], {}
    for name in args.sets:
        for loss in args.loss:
            alone = scores(name=name, layout="one shard", loss=loss)
            row = [f"{name}, {loss}", f"{alone.mean():.2f}"]
            for layout in others:
                more = scores(name=name, layout=layout, loss=loss) - alone
                worst[layout] = min(worst.get(layout, np.inf), more.mean())
                row.append(f"{more.mean():+.2f} ± {error_of_mean(more):.2f}")
            rows.append(row)
    rows.append(["the least", "", *(f"{worst[layout]:+.2f}" for layout in others)])
    print(f"\naccuracy in %, {len(args.seeds)} seeds, and points more than one shard alone")
    print(TABLES[args.format](["", "one shard", *others], rows))
    held = [layout for layout in others if worst[layout] >= -MOST_DIFFERENCE]
    print(
        f"never {MOST_DIFFERENCE} points below one shard: {', '.join(held) or 'none'}", flush=True
    )


def error_of_mean(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan


# ------------------------------------------------------------------------------------------- times


class Timed(NamedTuple):
    """The seconds of the epochs, the words they went through, and the layout."""

    seconds: float
    n_words: int
    n_documents: int
    layout: tuple[int, int]  # shards, tokens of a shard


def timed(folder, name: str, layout: str, loss: str, epochs: int, n_threads: int) -> Timed:
    from _epochs import epochs_timed

    train, _ = read(folder, name)
    with epochs_timed() as seconds:
        model, used = fitted(train, layout, loss=loss, epochs=epochs, seed=0, n_threads=n_threads)
    n_words = epochs * int(model.word_counts_.sum())
    return Timed(seconds[0], n_words, len(train.texts), (used.n_shards, used.shard_tokens))


def times(args: argparse.Namespace) -> None:
    contestants = {"one shard": ("one shard", 1), "1 thread": ("default", 1)}
    contestants["2 threads"] = ("default", 2)
    rows = []
    for name in args.sets:
        for loss in args.loss:
            runs = {contestant: [] for contestant in contestants}
            for _ in range(args.repeats):
                for contestant, (layout, n_threads) in contestants.items():
                    runs[contestant].append(
                        in_fresh_process(
                            timed, data_folder(args), name, layout, loss, args.epochs, n_threads
                        )
                    )
            medians = {
                contestant: statistics.median(run.seconds for run in of)
                for contestant, of in runs.items()
            }
            run = runs["2 threads"][0]
            n_shards, shard_tokens = run.layout
            rows.append(
                [
                    f"{name}, {loss}",
                    f"{run.n_words / args.epochs / run.n_documents:.0f}",
                    f"{n_shards} x {shard_tokens}",
                    *(median_and_range([run.seconds for run in of]) for of in runs.values()),
                    f"{run.n_words / medians['2 threads'] / 1e6:.1f}",
                    f"{medians['1 thread'] / medians['2 threads']:.2f} x",
                    f"{medians['one shard'] / medians['2 threads']:.2f} x",
                ]
            )
    print(f"\nseconds of {args.epochs} epochs, medians of {args.repeats}; one shard on one thread")
    header = ["", "words of a document", "shards x tokens", *contestants, "million words/s"]
    header += ["speed-up", "beside one shard"]
    print(TABLES[args.format](header, rows))
    print(f"speed-up wanted: {LEAST_SPEEDUP} x", flush=True)


def median_and_range(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


PARTS = {"accuracy": accuracies, "times": times}


def main() -> None:
    args = parse_arguments()
    print(machine_line())
    print(f"settings: the defaults of EmbeddingClassifier, max_iter={args.epochs}", flush=True)
    for part in args.part:
        PARTS[part](args)


if __name__ == "__main__":
    main()
