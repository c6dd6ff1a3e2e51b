"""Documents classified by skw2v's features, beside TF-IDF and the mean of gensim's vectors.

    python benchmarks/classification.py                  # the table, and what it reaches
    python benchmarks/classification.py --sets R8 TREC-6 --seeds 1
    python benchmarks/classification.py --part settings  # how the parameters were chosen

Everything is learned from the training part of a set: the vectors, too. Everything is chosen there:
the parameters of the training, once for all sets, by `--part settings`; the best pooling, and in
every set each contestant's C, by cross-validation at the start of each run. The test part is scored
once, with what was chosen.

Both libraries train on the same tokens with the same parameters. Trainings run side by side, one
thread each.
"""

import argparse
import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from _common import (
    SETTINGS,
    TABLES,
    ResultCache,
    Settings,
    add_data_argument,
    add_run_arguments,
    data_folder,
    machine_line,
    side_by_side,
)
from _contestants import CLUSTERED, SIZES_BESIDE_TFIDF, Contestant, accuracies
from _textclass import N_FOLDS, SETS, count_training_part

# Chosen by --part settings.
DOCUMENT_SETTINGS = SETTINGS.replace(
    n_components=200, window=10, max_iter=20, learning_rate=0.05, min_count=1
)
VARIATIONS = (
    {},
    {"max_iter": 5},
    {"max_iter": 10},
    {"max_iter": 40},
    {"n_components": 100},
    {"n_components": 300},
    {"window": 5},
    {"window": 15},
    {"learning_rate": 0.025},
    {"min_count": 2},
    {"min_count": 5},
    # word2vec.c's and gensim's, for skip-gram
    {"n_components": 100, "window": 5, "max_iter": 5, "learning_rate": 0.025, "min_count": 5},
)

MAJORITY = Contestant("majority")
TFIDF = Contestant("tfidf")
GENSIM = Contestant("gensim", "mean", "input")
USUAL_GENSIM = Contestant("gensim as usual", "mean", "input")
PEERS = (MAJORITY, TFIDF, USUAL_GENSIM, GENSIM)
MEAN = Contestant("skw2v", "mean", "input")
# Beside gensim's mean without the chance that lies in the choice of C.
SAME_C = f"{MEAN.name}, with gensim's C"
EMBEDDINGS = ("input", "sum", "concat")
POOLINGS = (
    "mean",
    "max",
    "mean+max+min",
    "tfidf",
    "sif",
    "scdv",
    "vlawe",
    "vlawe 300",
    "vlawe 300 & mean+max+min",
    "vlawe_order 300",
    "vlawe_order 300 & mean+max+min",
    "vlawe_order 300+bag_of_words",
    "vlawe_order 300+bag_of_words & mean+max+min",
)
# Clusters make many columns: with the one vector that costs least.
OURS = tuple(
    Contestant("skw2v", pooling, one)
    for pooling in POOLINGS
    for one in EMBEDDINGS
    if one == "input" or not CLUSTERED & set(Contestant("skw2v", pooling).poolings)
)
MEANS = tuple(one for one in OURS if one.pooling == "mean")
VARIED = (MEAN, Contestant("skw2v", "mean", "concat"), Contestant("skw2v", "tfidf", "concat"))

LARGE = 100_000  # training words; smaller sets are too small for vectors of their own
# Of the folds that a training part is cut into, as many are validated on as it takes to have this
# many documents: all of a small set's, one of a large one's.
N_VALIDATED = 3_500
CV_SEED = 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    parser.add_argument("--part", choices=("test", "settings"), default="test")
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=list(SETS))
    parser.add_argument("--poolings", nargs="+", choices=POOLINGS, default=list(POOLINGS))
    add_run_arguments(parser)
    return parser.parse_args()


# --------------------------------------------------------------------------------------------- runs


class Run(NamedTuple):
    """One contestant's classifier on one set: on a fold of the training part, or on the test part.

    `settings` and `seed` are those of the training, None where nothing is drawn.
    """

    name: str
    fold: int | None
    contestant: Contestant
    settings: Settings | None
    seed: int | None
    grid: tuple[float, ...]

    @classmethod
    def of(cls, name, fold, contestant, settings, seed, grid) -> "Run":
        if contestant.source in ("majority", "tfidf"):
            settings = seed = None
        return cls(name, fold, contestant, settings, seed, tuple(grid))

    @property
    def training(self) -> tuple:
        """What runs share that need only one training."""
        return self.name, self.fold, self.contestant.source, self.settings, self.seed

    def key(self, c: float) -> str:
        settings = asdict(self.settings) if self.settings else None
        parts = [self.name, self.fold, self.contestant.name, settings, self.seed, c]
        return json.dumps(parts, sort_keys=True)


def run_training(folder: Path, runs: Sequence[Run]) -> list[dict[float, float]]:
    """Accuracies by C of runs with one training."""
    from threadpoolctl import threadpool_limits

    name, fold, _, settings, seed = runs[0].training
    contestants, grids = [run.contestant for run in runs], [run.grid for run in runs]
    with threadpool_limits(1):
        return accuracies(folder, name, fold, contestants, grids, settings, seed)


class Bench:
    """Runs what is asked for, remembers accuracies, and chooses by those of the folds."""

    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.folder = data_folder(args)
        self.cache = ResultCache(args.cache)
        counts = {name: count_training_part(self.folder, name) for name in args.sets}
        self.n_documents = {name: n_documents for name, (n_documents, _) in counts.items()}
        self.n_words = {name: n_words for name, (_, n_words) in counts.items()}

    def run(self, runs: Sequence[Run]) -> None:
        """Fill the cache: one process for each training."""
        trainings: dict[tuple, list[Run]] = {}
        for run in dict.fromkeys(runs):
            if any(self.cache.get(run.key(c)) is None for c in run.grid):
                trainings.setdefault(run.training, []).append(run)
        # The longest first, so that none is left alone at the end.
        groups = sorted(trainings.values(), key=lambda group: -self.n_words[group[0].name])
        calls = [{"folder": self.folder, "runs": group} for group in groups]
        for n_done, (place, results) in enumerate(
            side_by_side(run_training, calls, self.args.processes), start=1
        ):
            for run, by_c in zip(groups[place], results, strict=True):
                for c, accuracy in by_c.items():
                    self.cache.put(run.key(c), accuracy)
            name, fold, source, _, seed = groups[place][0].training
            part = "test" if fold is None else f"fold {fold}"
            print(f"  {n_done} of {len(calls)}: {name}, {part}, {source}, seed {seed}", flush=True)

    def fold_runs(self, name: str, contestant: Contestant, settings: Settings) -> list[Run]:
        n_folds = min(N_FOLDS, math.ceil(N_VALIDATED * N_FOLDS / self.n_documents[name]))
        return [
            Run.of(name, fold, contestant, settings, CV_SEED, contestant.grid)
            for fold in range(n_folds)
        ]

    def cross_validated(
        self, name: str, contestant: Contestant, settings: Settings
    ) -> tuple[float, float]:
        """The best mean accuracy over the folds, and its C."""
        runs = self.fold_runs(name, contestant, settings)
        # As many right documents in other folds are the same mean but for the last bit.
        means = {
            c: round(statistics.mean(self.cache.get(run.key(c)) for run in runs), 9)
            for c in contestant.grid
        }
        c = max(means, key=means.__getitem__)  # the smallest of equals
        return means[c], c

    def test_runs(
        self,
        name: str,
        contestant: Contestant,
        settings: Settings,
        c_of: Contestant | None = None,
    ) -> list[Run]:
        """Runs on the test part, one for each seed, with the C of `c_of` (None: its own)."""
        _, c = self.cross_validated(name, c_of or contestant, settings)
        return [Run.of(name, None, contestant, settings, seed, (c,)) for seed in self.args.seeds]

    def tested(self, runs: Sequence[Run]) -> list[float]:
        """Accuracies on the test part."""
        return [self.cache.get(run.key(*run.grid)) for run in runs]

    def average(self, contestant: Contestant, settings: Settings) -> float:
        """The cross-validated accuracy, averaged over the sets."""
        return statistics.mean(
            self.cross_validated(name, contestant, settings)[0] for name in self.args.sets
        )

    def cross_validate(
        self, contestants: Sequence[Contestant], settings: Sequence[Settings]
    ) -> None:
        self.run(
            [
                run
                for name in self.args.sets
                for contestant in contestants
                for one in settings
                for run in self.fold_runs(name, contestant, one)
            ]
        )


# ------------------------------------------------------------------------------------------- tables


Table = tuple[str, list[str], list[list[str]]]  # title, header, rows


def cell(values: Sequence[float]) -> str:
    mean = f"{statistics.mean(values):.3f}"
    return f"{mean} ({statistics.stdev(values):.3f})" if len(set(values)) > 1 else mean


def settings_part(bench: Bench) -> None:
    """Cross-validated accuracy of a few contestants, one parameter of the training at a time."""
    variations = [DOCUMENT_SETTINGS.replace(**changes) for changes in VARIATIONS]
    bench.cross_validate(VARIED, variations)
    for contestant in VARIED:
        rows = [
            [
                ", ".join(f"{key}={value}" for key, value in changes.items()) or "as chosen",
                *(
                    f"{bench.cross_validated(name, contestant, settings)[0]:.3f}"
                    for name in bench.args.sets
                ),
                f"{bench.average(contestant, settings):.3f}",
            ]
            for changes, settings in zip(VARIATIONS, variations, strict=True)
        ]
        title = f"Cross-validated on the training part: {contestant.name}"
        show(bench, title, ["settings", *bench.args.sets, "mean"], rows)


def test_part(bench: Bench) -> None:
    """Test accuracy of every contestant, and what of the aim is reached."""
    settings, names = DOCUMENT_SETTINGS, bench.args.sets
    ours = [one for one in OURS if one.pooling in bench.args.poolings]
    # The words themselves are what TF-IDF has: the best pooling is one of vectors alone.
    of_vectors = [one for one in ours if "bag_of_words" not in one.poolings] or list(MEANS)
    with_words = [one for one in ours if one not in of_vectors]
    bench.cross_validate([*PEERS, *ours, *MEANS], [settings])

    def best_of(contestants: Sequence[Contestant]) -> Contestant:
        return max(contestants, key=lambda one: bench.average(one, settings))

    best, best_mean = best_of(of_vectors), best_of(MEANS)
    best_with_words = best_of(with_words).name if with_words else None
    unions = [best._replace(beside_tfidf=size) for size in SIZES_BESIDE_TFIDF]
    bench.cross_validate(unions, [settings])

    def best_in(name: str, contestants: Sequence[Contestant]) -> Contestant:
        return max(contestants, key=lambda one: bench.cross_validated(name, one, settings)[0])

    # A row of the table is a contestant in each set; the union's size is chosen as C is.
    rows = {one.name: dict.fromkeys(names, one) for one in (*PEERS, *MEANS, *ours)}
    best_row, union_row = best.name, f"{best.name} beside TF-IDF"
    rows["chosen in each set"] = {name: best_in(name, of_vectors) for name in names}
    rows[union_row] = {name: best_in(name, unions) for name in names}
    rows[SAME_C] = dict.fromkeys(names, MEAN)
    c_of = {SAME_C: GENSIM}
    runs = {
        label: {
            name: bench.test_runs(name, one, settings, c_of.get(label)) for name, one in row.items()
        }
        for label, row in rows.items()
    }
    bench.run([run for row in runs.values() for of_set in row.values() for run in of_set])
    accuracy = {
        label: {name: bench.tested(of_set) for name, of_set in row.items()}
        for label, row in runs.items()
    }
    means = {
        label: {name: statistics.mean(values) for name, values in by_set.items()}
        for label, by_set in accuracy.items()
    }
    cells = [
        [
            label + (" (best)" if label in (best_row, best_with_words) else ""),
            *(cell(accuracy[label][name]) for name in names),
            f"{statistics.mean(means[label].values()):.3f}",
        ]
        for label in rows
    ]
    show(bench, "Test accuracy", ["features", *names, "mean"], cells)
    cells = [
        [label, *(chosen(of_set[0]) for of_set in row.values())] for label, row in runs.items()
    ]
    title = "Chosen by cross-validation: C, and x how large beside TF-IDF"
    show(bench, title, ["features", *names], cells)
    of_sets = [f"{name}: {one.name}" for name, one in rows["chosen in each set"].items()]
    print("\nChosen in each set:", "; ".join(of_sets), end="\n\n")
    for line in reached(means, best_row, best_mean.name, union_row, best_with_words, bench.n_words):
        print(line)


def chosen(run: Run) -> str:
    size = run.contestant.beside_tfidf
    return f"{run.grid[0]:g}" + (f", x {size:g}" if size else "")


def reached(
    means: dict[str, dict[str, float]],
    best: str,
    best_mean: str,
    union: str,
    with_words: str | None,
    n_words: dict[str, int],
) -> list[str]:
    """What was to be reached, each in a line that begins with "met" or "MISSED".

    `means` has the accuracy of every row of the table in every set; the others name rows: the best
    pooling of vectors, the mean of the best embedding, the union of the first with TF-IDF, and the
    best list of poolings that has the words, too.
    """
    mean, gensim, usual, tfidf = MEAN.name, GENSIM.name, USUAL_GENSIM.name, TFIDF.name

    def ahead(one: str, other: str) -> dict[str, float]:
        return {name: 100 * (means[one][name] - means[other][name]) for name in n_words}

    def line(met: bool, what: str, figures: dict[str, float]) -> str:
        shown = ", ".join(f"{name} {points:+.1f}" for name, points in figures.items())
        return f"{'met' if met else 'MISSED'}: {what}: {shown}"

    lines = []
    for one in dict.fromkeys((mean, SAME_C, best_mean)):
        points = ahead(one, gensim)
        met = min(points.values()) >= 0
        lines.append(line(met, f"{one} at least equal to gensim's mean everywhere", points))
    for one in filter(None, (best, with_words)):
        for label, peer in (("of the same training", gensim), ("as usual", usual)):
            points = ahead(one, peer)
            average = statistics.mean(points.values())
            what = f"{one} 5 points ahead of gensim's mean, {label}, on average"
            lines.append(line(average >= 5, what, points) + f"; average {average:+.1f}")
        points = ahead(one, tfidf)
        large = {name: points[name] for name, count in n_words.items() if count > LARGE}
        if large:
            average = statistics.mean(large.values())
            what = f"{one} level with TF-IDF on average over more than {LARGE:,} words"
            lines.append(line(average >= 0, what, large) + f"; average {average:+.1f}")
        average = statistics.mean(points.values())
        what = f"{one} within 3 points of TF-IDF on average"
        lines.append(line(average >= -3, what, points) + f"; average {average:+.1f}")
    for one in filter(None, (union, with_words)):
        points = ahead(one, tfidf)
        n_behind = sum(value <= 0 for value in points.values())
        what = f"{one} ahead of TF-IDF alone on all sets but one"
        lines.append(line(n_behind <= 1, what, points) + f"; not ahead on {n_behind}")
    return lines


def show(bench: Bench, title: str, header: list[str], rows: list[list[str]]) -> None:
    print(f"\n{title}\n\n{TABLES[bench.args.format](header, rows)}", flush=True)


def main() -> None:
    args = parse_arguments()
    if data_folder(args) is None:
        raise SystemExit("classification.py needs --data or SKW2V_DATA; see benchmarks/README.md")
    print(machine_line())
    shown = ", ".join(f"{name}={value}" for name, value in asdict(DOCUMENT_SETTINGS).items())
    print(f"settings: {shown}; seeds {args.seeds}")
    bench = Bench(args)
    words = ", ".join(f"{name} {count:,}" for name, count in bench.n_words.items())
    print(f"words for training: {words}")
    {"settings": settings_part, "test": test_part}[args.part](bench)


if __name__ == "__main__":
    main()
