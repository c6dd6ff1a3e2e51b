"""WordSim-353, SimLex-999 and Google analogies of skw2v beside gensim, several seeds each.

    python benchmarks/quality.py --data FOLDER --peer-cache peer.json

Both libraries train on the same encoded text with the same settings; one implementation,
`skw2v.word_vectors.WordVectors`, scores both, on words in the same order. The table shows
mean +- standard deviation (min to max) over the seeds. CBOW runs at two learning rates and is
compared at each library's better one. Every run has a process of its own.

gensim trains on lists of tokens here: its `corpus_file` mode sets the learning rate from one
thread's share of the words against all words, so with two threads the rate falls half as far in
every epoch and jumps back down at the next.
"""

import argparse
import itertools
import json
import statistics
import tempfile
from dataclasses import asdict
from pathlib import Path

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
    table,
)
from _scores import score_vectors
from _trainers import train_by_name

# What a mean may lie below gensim's.
TOLERANCES = {"WordSim-353": 0.015, "SimLex-999": 0.015, "analogies": 0.01}
CONTESTANTS = {"gensim": "lists", "skw2v": "skw2v"}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=SETTINGS.max_iter)
    parser.add_argument("--n-components", type=int, default=SETTINGS.n_components)
    parser.add_argument(
        "--architecture", nargs="+", choices=tuple(LEARNING_RATES), default=list(LEARNING_RATES)
    )
    parser.add_argument("--words", type=int, default=0, help="words of the text, 0: all (default)")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--skip-peer", action="store_true", help="train skw2v alone")
    parser.add_argument("--skip-skw2v", action="store_true", help="train the peer alone")
    parser.add_argument(
        "--peer-cache",
        type=Path,
        metavar="FILE",
        help="JSON file that keeps the peer's scores by settings, seed and text; with it a run "
        "that was stopped goes on where it was",
    )
    return parser.parse_args()


def train_and_score(
    contestant: str,
    text: PreparedText,
    settings: Settings,
    folder: Path,
    *,
    n_threads: int,
    seed: int,
) -> dict[str, float | str]:
    """Scores of one training run; under "seconds" and "scored" how long, and on what."""
    run = train_by_name(
        CONTESTANTS[contestant], text, settings, n_threads=n_threads, seed=seed, keep_vectors=True
    )
    return {**score_vectors(text.words(), run.vectors, folder), "seconds": run.seconds}


def cache_key(text: PreparedText, settings: Settings, seed: int) -> str:
    from importlib.metadata import version

    parts = {"gensim": version("gensim"), "text": text.fingerprint, "seed": seed}
    return json.dumps({**parts, **asdict(settings)}, sort_keys=True)


def train_all(args: argparse.Namespace, text: PreparedText, contestants: list[str]) -> dict:
    """Scores of every run, a list in order of seed under (contestant, architecture, rate)."""
    cache = ResultCache(args.peer_cache)
    results = {}
    for settings in every_settings(args):
        for seed, contestant in itertools.product(args.seeds, contestants):
            key = cache_key(text, settings, seed) if contestant == "gensim" else None
            scores = cache.get(key)
            note = "" if scores is None else " (cached)"
            if scores is None:
                scores = in_fresh_process(
                    train_and_score,
                    contestant,
                    text,
                    settings,
                    data_folder(args),
                    n_threads=args.threads,
                    seed=seed,
                )
            if contestant == "gensim":
                cache.put(key, scores)
            run = (contestant, settings.architecture, settings.learning_rate)
            results.setdefault(run, []).append(scores)
            shown = ", ".join(f"{measure} {scores[measure]:.3f}" for measure in TOLERANCES)
            print(
                f"  {contestant} {settings.architecture} {settings.learning_rate} seed {seed}: "
                f"{shown}, {scores['seconds']:.0f} s{note}",
                flush=True,
            )
    return results


def every_settings(args: argparse.Namespace) -> list[Settings]:
    return [
        SETTINGS.replace(
            max_iter=args.epochs,
            n_components=args.n_components,
            architecture=architecture,
            learning_rate=learning_rate,
        )
        for architecture in args.architecture
        for learning_rate in LEARNING_RATES[architecture]
    ]


def summary(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.3f}"
    if len(values) == 1:
        return mean
    return f"{mean} +- {statistics.stdev(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def means(runs: list[dict[str, float]]) -> dict[str, float]:
    return {measure: statistics.mean(run[measure] for run in runs) for measure in TOLERANCES}


def better_rate(results: dict, contestant: str, architecture: str) -> float:
    """The rate with the greatest sum of the three means."""
    rates = [rate for who, kind, rate in results if (who, kind) == (contestant, architecture)]
    return max(rates, key=lambda rate: sum(means(results[contestant, architecture, rate]).values()))


def comparison(results: dict, architectures: list[str]) -> list[list[str]]:
    rows = []
    for architecture in architectures:
        rates = {who: better_rate(results, who, architecture) for who in CONTESTANTS}
        scores = {who: means(results[who, architecture, rates[who]]) for who in CONTESTANTS}
        for measure, tolerance in TOLERANCES.items():
            peer, ours = scores["gensim"][measure], scores["skw2v"][measure]
            rows.append(
                [
                    f"{architecture}, {measure}",
                    f"{peer:.3f} (rate {rates['gensim']})",
                    f"{ours:.3f} (rate {rates['skw2v']})",
                    f"{ours - peer:+.3f}",
                    f"-{tolerance}",
                    "yes" if ours - peer >= -tolerance else "NO",
                ]
            )
    return rows


def main() -> None:
    args = parse_arguments()
    if data_folder(args) is None:
        raise SystemExit("quality.py needs --data or SKW2V_DATA; see benchmarks/README.md")
    skipped = {"gensim": args.skip_peer, "skw2v": args.skip_skw2v}
    contestants = [contestant for contestant in CONTESTANTS if not skipped[contestant]]
    print(machine_line())
    print(settings_line())
    print(
        f"n_components={args.n_components}, max_iter={args.epochs}, learning_rate: "
        f"{LEARNING_RATES}, seeds {args.seeds}, {args.threads} threads"
    )
    with tempfile.TemporaryDirectory() as folder:
        text = prepare(load_text(args), Path(folder), n_tokens=args.words or None)
        print(text.describe(), flush=True)
        results = train_all(args, text, contestants)

    rows = [
        [
            f"{contestant} {architecture}, learning_rate={rate}",
            *(summary([run[measure] for run in runs]) for measure in TOLERANCES),
            f"{statistics.mean(run['seconds'] for run in runs):.0f} s",
        ]
        for (contestant, architecture, rate), runs in results.items()
    ]
    print("\nscored: " + next(iter(results.values()))[0]["scored"])
    print("\n" + table(["mean +- std (range)", *TOLERANCES, "training"], rows))
    if len(contestants) == 2:
        header = ["means, better rate", "gensim", "skw2v", "difference", "allowed", "held"]
        print("\n" + table(header, comparison(results, args.architecture)))


if __name__ == "__main__":
    main()
