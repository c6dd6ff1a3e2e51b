"""Every loss in skw2v's default layout beside its own one-shard sequential run; and its speed.

    python benchmarks/losses.py --data FOLDER --cache losses.json
    python benchmarks/losses.py --data FOLDER --cache losses.json --loss nce --skip-timing

Shards of a round do not see each other's changes. What that costs is the difference between the
default layout and one shard after the other, with the same noise pools and groups: the mean over
the seeds of WordSim-353, SimLex-999 and analogies may lie TOLERANCES below. Where the layout's rule
chooses that very layout, there is nothing to compare, and the row says so.

These trainings run side by side, one thread each: their result does not depend on the threads.
Then, one at a time and taking turns, the same losses run on 1 and 2 threads for their speed.

The softmax goes through its whole vocabulary for every pair, so it gets a shorter text of the most
frequent words, and is scored on the questions about those.
"""

import argparse
import json
import statistics
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

from _common import (
    LEARNING_RATES,
    SETTINGS,
    PreparedText,
    ResultCache,
    Settings,
    add_data_argument,
    available_cores,
    data_folder,
    in_fresh_process,
    load_text,
    machine_line,
    prepare,
    settings_line,
    side_by_side,
    table,
)
from _scores import MEASURES, score_vectors
from _trainers import seconds_of, timed_training

LOSSES = ("negative_sampling", "nce", "sampled_softmax", "hierarchical_softmax", "softmax")
# What a mean may lie below the sequential run's.
TOLERANCES = {"WordSim-353": 0.015, "analogies": 0.01}
SEQUENTIAL_TOKENS = 128  # a shard of the sequential run
THREADS = (1, 2)
LEAST_SPEEDUP = 1.6
SOFTMAX_TIMING_SHARE = 5  # the softmax is timed on one word in so many of its text


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    parser.add_argument("--loss", nargs="+", choices=LOSSES, default=list(LOSSES))
    parser.add_argument(
        "--architecture", nargs="+", choices=tuple(LEARNING_RATES), default=list(LEARNING_RATES)
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=SETTINGS.max_iter)
    parser.add_argument("--words", type=int, default=0, help="words of the text, 0: all (default)")
    parser.add_argument(
        "--softmax-words", type=int, default=500_000, help="of its text (default: %(default)s)"
    )
    parser.add_argument(
        "--softmax-vocabulary", type=int, default=3000, help="most frequent (default: %(default)s)"
    )
    parser.add_argument(
        "--timing-words", type=int, default=4_000_000, help="1 epoch (default: %(default)s)"
    )
    parser.add_argument("--repeats", type=int, default=3, help="of the timing (default: 3)")
    parser.add_argument(
        "--processes", type=int, default=available_cores(), help="trainings side by side"
    )
    parser.add_argument("--skip-quality", action="store_true")
    parser.add_argument("--skip-timing", action="store_true")
    parser.add_argument(
        "--cache", type=Path, metavar="FILE", help="JSON file that keeps the scores of every run"
    )
    return parser.parse_args()


# ---------------------------------------------------------------------------------------- quality


class Run(NamedTuple):
    """One training; of these the table has the mean over the seeds."""

    loss: str
    architecture: str
    sequential: bool
    seed: int

    def settings(self, epochs: int) -> Settings:
        return SETTINGS.replace(
            loss=self.loss,
            architecture=self.architecture,
            learning_rate=LEARNING_RATES[self.architecture][-1],
            max_iter=epochs,
        )


def layouts(text: PreparedText, settings: Settings):
    """skw2v's layout for a text, and the same with one shard that trains alone."""
    from skw2v._layout import choose_layout
    from skw2v._sampling import keep_thresholds

    counts = text.counts()
    keep = keep_thresholds(counts, settings.subsample)
    layout = choose_layout(text.n_tokens, counts, keep, settings.training_parameters(seed=0))
    return layout, replace(layout, n_shards=1, shard_tokens=SEQUENTIAL_TOKENS)


def train_and_score(
    text: PreparedText, settings: Settings, folder: Path, *, seed: int, sequential: bool
) -> dict[str, float | str]:
    from threadpoolctl import threadpool_limits

    layout = layouts(text, settings)[sequential]
    with threadpool_limits(1):
        seconds, trained = timed_training(text, settings, n_threads=1, seed=seed, layout=layout)
        scores = score_vectors(text.words(), trained.input_vectors, folder)
    return {
        **scores,
        "seconds": seconds,
        "final loss": float(trained.loss_curve[-1]),
        "layout": f"{layout.n_shards} x {layout.shard_tokens} tokens, pool {layout.pool_size}, "
        f"groups of {layout.group_size}",
    }


def quality(args, texts: dict[str, PreparedText], cache: ResultCache) -> dict[Run, dict]:
    """The scores of every run that the tables need."""
    runs, keys, results = [], {}, {}
    for loss in args.loss:
        for architecture in args.architecture:
            chosen, alone = layouts(
                texts[loss], Run(loss, architecture, False, 0).settings(args.epochs)
            )
            for sequential in (False, True) if chosen != alone else (False,):
                runs += [Run(loss, architecture, sequential, seed) for seed in args.seeds]
    for run in runs:
        settings = asdict(run.settings(args.epochs))
        parts = {"text": texts[run.loss].fingerprint, "seed": run.seed, **settings}
        keys[run] = json.dumps({**parts, "sequential": run.sequential}, sort_keys=True)
        scores = cache.get(keys[run])
        if scores is not None:
            results[run] = scores
            print_scores(run, scores, " (cached)")

    missing = [run for run in runs if run not in results]
    calls = [
        {
            "text": texts[run.loss],
            "settings": run.settings(args.epochs),
            "folder": data_folder(args),
            "seed": run.seed,
            "sequential": run.sequential,
        }
        for run in missing
    ]
    for place, scores in side_by_side(train_and_score, calls, args.processes):
        run = missing[place]
        results[run] = scores
        cache.put(keys[run], scores)
        print_scores(run, scores)
    return {run: results[run] for run in runs}


def print_scores(run: Run, scores: dict, note: str = "") -> None:
    shown = ", ".join(f"{measure} {scores[measure]:.3f}" for measure in MEASURES)
    layout = "sequential" if run.sequential else "default"
    print(
        f"  {run.loss} {run.architecture} {layout} seed {run.seed}: {shown}, "
        f"loss {scores['final loss']:.4f}, {scores['seconds']:.0f} s{note}",
        flush=True,
    )


def quality_tables(results: dict[Run, dict]) -> str:
    groups: dict[tuple[str, str, bool], list[dict]] = {}
    for run, scores in results.items():
        groups.setdefault(run[:3], []).append(scores)
    means = {
        group: {measure: statistics.mean(run[measure] for run in runs) for measure in MEASURES}
        for group, runs in groups.items()
    }
    rows, verdicts = [], []
    for (loss, architecture, sequential), runs in groups.items():
        rows.append(
            [
                f"{loss}, {architecture}, {'sequential' if sequential else 'default'}",
                *(mean_and_deviation([run[measure] for run in runs]) for measure in MEASURES),
                f"{statistics.mean(run['final loss'] for run in runs):.4f}",
                runs[0]["layout"],
            ]
        )
        if sequential:
            continue
        alone = means.get((loss, architecture, True))
        for measure, tolerance in TOLERANCES.items():
            ours = means[loss, architecture, False][measure]
            row = [f"{loss}, {architecture}, {measure}"]
            if alone is None:
                verdicts.append([*row, "the default", f"{ours:.3f}", "-", "-", "yes"])
                continue
            difference = ours - alone[measure]
            held = "yes" if difference >= -tolerance else "NO"  # NaN is a NO
            verdicts.append(
                [
                    *row,
                    f"{alone[measure]:.3f}",
                    f"{ours:.3f}",
                    f"{difference:+.3f}",
                    f"-{tolerance}",
                    held,
                ]
            )
    header = ["mean +- std", *MEASURES, "loss, last epoch", "layout"]
    verdict_header = ["means", "sequential", "default", "difference", "allowed", "held"]
    return table(header, rows) + "\n\n" + table(verdict_header, verdicts)


def mean_and_deviation(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.3f}"
    return f"{mean} +- {statistics.stdev(values):.3f}" if len(values) > 1 else mean


# ------------------------------------------------------------------------------------------ speed


def timing(args, texts: dict[str, PreparedText]) -> list[list[str]]:
    rows = []
    for loss in args.loss:
        for architecture in args.architecture:
            settings = Run(loss, architecture, False, 0).settings(epochs=1)
            speeds: dict[int, list[float]] = {n_threads: [] for n_threads in THREADS}
            for _ in range(args.repeats):
                for n_threads, runs in speeds.items():
                    seconds, n_tokens = in_fresh_process(
                        seconds_of, "skw2v", texts[loss], settings, n_threads=n_threads, seed=0
                    )
                    runs.append(n_tokens / seconds)
            medians = {n_threads: statistics.median(runs) for n_threads, runs in speeds.items()}
            speedup = medians[2] / medians[1]
            rows.append(
                [
                    f"{loss}, {architecture}",
                    *(
                        f"{medians[n] / 1e6:.3f} ({min(speeds[n]) / 1e6:.3f}-"
                        f"{max(speeds[n]) / 1e6:.3f})"
                        for n in THREADS
                    ),
                    f"{speedup:.2f} x",
                    f"{LEAST_SPEEDUP} x",
                    "yes" if speedup >= LEAST_SPEEDUP else "NO",
                ]
            )
            print("  " + ", ".join(rows[-1]), flush=True)
    return rows


def prepared(args, whole, folder: Path, n_tokens: int, n_softmax_tokens: int) -> dict:
    """The text of every loss that was asked for; the softmax has one of its own."""
    texts = {}
    if set(args.loss) - {"softmax"}:
        text = prepare(whole, folder / "whole", n_tokens=n_tokens or None)
        print(text.describe(), flush=True)
        texts = dict.fromkeys(args.loss, text)
    if "softmax" in args.loss:
        texts["softmax"] = prepare(
            whole,
            folder / "softmax",
            n_tokens=n_softmax_tokens,
            max_features=args.softmax_vocabulary,
        )
        print(f"softmax: {texts['softmax'].describe()}", flush=True)
    return texts


def main() -> None:
    args = parse_arguments()
    if data_folder(args) is None:
        raise SystemExit("losses.py needs --data or SKW2V_DATA; see benchmarks/README.md")
    print(machine_line())
    print(settings_line("loss"))
    rates = ", ".join(f"{name} {LEARNING_RATES[name][-1]}" for name in args.architecture)
    print(f"n_components={SETTINGS.n_components}, max_iter={args.epochs}, learning_rate: {rates}")
    whole = load_text(args)
    if not args.skip_quality:
        with tempfile.TemporaryDirectory() as folder:
            texts = prepared(args, whole, Path(folder), args.words, args.softmax_words)
            results = quality(args, texts, ResultCache(args.cache))
        for scored in dict.fromkeys(scores["scored"] for scores in results.values()):
            print(f"scored: {scored}")
        print("\n" + quality_tables(results) + "\n", flush=True)
    if not args.skip_timing:
        if available_cores() < max(THREADS):
            raise SystemExit(f"{max(THREADS)} threads: {available_cores()} cores are usable here")
        with tempfile.TemporaryDirectory() as folder:
            n_softmax_tokens = args.softmax_words // SOFTMAX_TIMING_SHARE
            texts = prepared(args, whole, Path(folder), args.timing_words, n_softmax_tokens)
            print(f"1 epoch, fresh processes that take turns; medians of {args.repeats}")
            rows = timing(args, texts)
        header = ["million words/s", "1 thread", "2 threads", "speed-up", "at least", "held"]
        print("\n" + table(header, rows))


if __name__ == "__main__":
    main()
