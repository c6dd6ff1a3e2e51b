"""`EmbeddingClassifier` beside the supervised mode of fastText: time and accuracy.

    python benchmarks/supervised.py --data FOLDER

The set has about the size and the shape of AG News: pieces of about 40 words of the texts of
20 Newsgroups by date, labelled with the family of their group (comp, rec, sci, misc; talk with soc
and alt). Training pieces come from training texts alone. Without a folder the pieces are those of
docstrings, labelled with their package.

Both learn from a file with a document on each line, its tokens found before and joined by blanks,
in an order drawn for each seed: fastText does not shuffle. They have the same dimensions, epochs,
words and pairs, buckets, loss (softmax) and threads, and each has the best of the same learning
rates on a fifth of the training texts. They take turns, each run in a fresh process.

- "seconds": from the file to the trained model. fastText's `train_supervised`; lines into strings
  and labels, and `fit`.
- "epochs": training alone. Of fastText what remains after its seconds for no epochs at all.
"""

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _common import (
    add_data_argument,
    available_cores,
    data_folder,
    in_fresh_process,
    machine_line,
    table,
)

PIECE_WORDS = 40
VALIDATION = 5  # every so manieth training text
N_COMPONENTS, N_BUCKETS = 100, 2_000_000
LEAST_SPEED = 3.0  # of fastText's
MOST_DIFFERENCE = 0.5  # points of accuracy
# Groups of religion and politics, which 20 Newsgroups has under three roofs.
SAME_FAMILY = {"soc": "talk", "alt": "talk"}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    parser.add_argument(
        "--ngrams", type=int, nargs="+", default=[1, 2], help="words of the longest"
    )
    parser.add_argument(
        "--threads", type=int, nargs="+", default=sorted({1, min(2, available_cores())})
    )
    parser.add_argument("--epochs", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--rates", type=float, nargs="+", default=[0.1, 0.25, 0.5, 1.0, 2.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    return parser.parse_args()


# --------------------------------------------------------------------------------------------- set


class Piece(NamedTuple):
    """A document of the set, and the number of the text it is cut from."""

    label: str
    tokens: list[str]
    text: int


def cut(texts: Sequence[str], labels: Sequence[str]) -> list[Piece]:
    """Every text in pieces of equal length, as near to PIECE_WORDS words as it goes."""
    from sklearn.feature_extraction.text import CountVectorizer

    analyze = CountVectorizer().build_analyzer()
    pieces = []
    for number, (text, label) in enumerate(zip(texts, labels, strict=True)):
        tokens = analyze(text)
        borders = np.linspace(0, len(tokens), max(1, round(len(tokens) / PIECE_WORDS)) + 1)
        for start, stop in zip(borders[:-1].astype(int), borders[1:].astype(int), strict=True):
            if start < stop:
                pieces.append(Piece(label, tokens[start:stop], number))
    return pieces


def load_pieces(folder: Path | None) -> tuple[str, list[Piece], list[Piece]]:
    """Name, training and test pieces."""
    if folder is not None:
        from _textclass import read_split

        parts = read_split(folder, "20 Newsgroups")
        families = [[label.partition(".")[0] for label in part.labels] for part in parts]
        labels = [[SAME_FAMILY.get(family, family) for family in part] for part in families]
        return "20 Newsgroups", *(
            cut(part.texts, of_part) for part, of_part in zip(parts, labels, strict=True)
        )

    from skw2v.datasets import load_docstrings

    parts = [load_docstrings(subset=subset) for subset in ("train", "test")]
    return "docstrings", *(
        cut(part.data, [part.target_names[t].partition(".")[0] for t in part.target])
        for part in parts
    )


def write(pieces: Sequence[Piece], path: Path, seed: int) -> str:
    """As fastText reads them, in an order of the seed's own."""
    with open(path, "w", encoding="utf-8") as file:
        for place in np.random.default_rng(seed).permutation(len(pieces)):
            piece = pieces[place]
            file.write(f"__label__{piece.label} {' '.join(piece.tokens)}\n")
    return str(path)


def read(path: str) -> tuple[list[str], list[str]]:
    """Documents and labels."""
    documents, labels = [], []
    with open(path, encoding="utf-8") as file:
        for line in file:
            label, _, document = line.partition(" ")
            documents.append(document)
            labels.append(label)
    return documents, labels


# -------------------------------------------------------------------------------------- contestants


class Training(NamedTuple):
    """What both are told."""

    rate: float
    ngrams: int
    epochs: int
    n_threads: int
    seed: int
    epochs_apart: bool = False  # are the seconds of the epochs asked for?


class Run(NamedTuple):
    """Seconds from the file to the model, those of the epochs, and the share of right answers."""

    seconds: float
    epoch_seconds: float
    accuracy: float


def run_skw2v(train: str, test: str, training: Training) -> Run:
    from _epochs import epochs_timed

    from skw2v import EmbeddingClassifier

    model = EmbeddingClassifier(
        ngram_range=(1, training.ngrams),
        n_buckets=N_BUCKETS,
        n_components=N_COMPONENTS,
        learning_rate=training.rate,
        max_iter=training.epochs,
        random_state=training.seed,
        n_jobs=training.n_threads,
    )
    with epochs_timed() as of_epochs:
        start = time.perf_counter()
        model.fit(*read(train))
        seconds = time.perf_counter() - start
    documents, labels = read(test)
    return Run(seconds, of_epochs[0], float(np.mean(model.predict(documents) == labels)))


def run_fasttext(train: str, test: str, training: Training) -> Run:
    import fasttext  # its Python package takes no seed

    def timed(epochs: int):
        start = time.perf_counter()
        model = fasttext.train_supervised(
            input=train,
            dim=N_COMPONENTS,
            epoch=epochs,
            lr=training.rate,
            wordNgrams=training.ngrams,
            bucket=N_BUCKETS,
            minCount=1,
            loss="softmax",
            thread=training.n_threads,
            verbose=0,
        )
        return time.perf_counter() - start, model

    seconds, model = timed(training.epochs)
    _, accuracy, _ = model.test(test)  # precision of the one label it says
    del model
    without_epochs = timed(0)[0] if training.epochs_apart else math.nan
    return Run(seconds, seconds - without_epochs, accuracy)


RUN = {"skw2v": run_skw2v, "fastText": run_fasttext}


# ------------------------------------------------------------------------------------------- parts


def choose_rates(args, train: Sequence[Piece], folder: Path) -> dict[tuple[str, int], float]:
    """The best rate of each contestant and length of n-grams."""
    is_validation = [piece.text % VALIDATION == 0 for piece in train]
    parts = [[p for p, v in zip(train, is_validation, strict=True) if v == part] for part in (0, 1)]
    paths = [write(part, folder / f"rates-{i}.txt", seed=0) for i, part in enumerate(parts)]
    accuracies = {
        (contestant, ngrams): [
            in_fresh_process(
                RUN[contestant], *paths, Training(rate, ngrams, args.epochs, 1, seed=0)
            ).accuracy
            for rate in args.rates
        ]
        for ngrams in args.ngrams
        for contestant in RUN
    }
    print(f"\nlearning rates: accuracy in % on every {VALIDATION}th training text")
    rows = [
        [f"{contestant}, n-grams to {ngrams}", *(f"{100 * score:.2f}" for score in scores)]
        for (contestant, ngrams), scores in accuracies.items()
    ]
    print(table(["", *map(str, args.rates)], rows), flush=True)
    return {key: args.rates[int(np.argmax(scores))] for key, scores in accuracies.items()}


def compare(args, rates, paths: Sequence[str], test: str, n_words: int) -> None:
    """Contestants in turn, for each length of n-grams and number of threads."""
    rows, verdicts = [], []
    for ngrams in args.ngrams:
        for n_threads in args.threads:
            runs = {contestant: [] for contestant in RUN}
            for seed, path in zip(args.seeds, paths, strict=True):
                for contestant, measured in runs.items():
                    training = Training(
                        rates[contestant, ngrams], ngrams, args.epochs, n_threads, seed, True
                    )
                    measured.append(in_fresh_process(RUN[contestant], path, test, training))
            for contestant, measured in runs.items():
                speed = n_words * args.epochs / median(measured, "epoch_seconds")
                rows.append(
                    [
                        f"n-grams to {ngrams}, {n_threads} threads, {contestant}",
                        f"{rates[contestant, ngrams]:g}",
                        median_and_range([run.seconds for run in measured]),
                        median_and_range([run.epoch_seconds for run in measured]),
                        f"{speed / 1e6:.2f}",
                        mean_and_range([100 * run.accuracy for run in measured]),
                    ]
                )
            verdicts.append([f"n-grams to {ngrams}, {n_threads} threads", *verdict(runs)])
    print(f"\n{args.epochs} epochs, {len(paths)} seeds: medians of times, mean of accuracies")
    header = ["", "rate", "seconds", "epochs", "million words/s", "accuracy in %"]
    print(table(header, rows))
    print(f"\ntraining at least {LEAST_SPEED:g} x, within {MOST_DIFFERENCE:g} points")
    header = ["", "fastText's epochs", "from file to model", "skw2v's points more", "held"]
    print(table(header, verdicts), flush=True)


def verdict(runs: dict[str, list[Run]]) -> list[str]:
    """How many times as long fastText takes, by how much its accuracy differs, and if the times of
    the epochs and the accuracies hold."""
    whole, epochs = (
        median(runs["fastText"], name) / median(runs["skw2v"], name)
        for name in ("seconds", "epoch_seconds")
    )
    more = 100 * (
        statistics.mean(run.accuracy for run in runs["skw2v"])
        - statistics.mean(run.accuracy for run in runs["fastText"])
    )
    held = epochs >= LEAST_SPEED and abs(more) <= MOST_DIFFERENCE
    return [f"{epochs:.1f} x", f"{whole:.1f} x", f"{more:+.2f}", "yes" if held else "NO"]


def median(runs: Sequence[Run], name: str) -> float:
    return statistics.median(getattr(run, name) for run in runs)


def median_and_range(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def mean_and_range(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def main() -> None:
    args = parse_arguments()
    print(machine_line())
    name, train, test = load_pieces(data_folder(args))
    n_words = sum(len(piece.tokens) for piece in train)
    print(
        f"text: {name} in pieces; {len(train):,} to train on, of {n_words / len(train):.1f} words, "
        f"{len({token for piece in train for token in piece.tokens}):,} different ones; "
        f"{len(test):,} to test; {len({piece.label for piece in train})} classes\n"
        f"settings: n_components={N_COMPONENTS}, n_buckets={N_BUCKETS}, min_count=1, softmax",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rates = choose_rates(args, train, folder)
        paths = [write(train, folder / f"train-{seed}.txt", seed) for seed in args.seeds]
        compare(args, rates, paths, write(test, folder / "test.txt", seed=0), n_words)


if __name__ == "__main__":
    main()
