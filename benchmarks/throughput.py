"""Words per second of skw2v beside gensim, on the same encoded text, in one process tree.

    python benchmarks/throughput.py --data FOLDER
    python benchmarks/throughput.py --quick --only skipgram-100-2

For each case (architecture-n_components-threads, and -loss unless it is negative sampling) the
contestants take turns, each run in a fresh process, and the table shows the median of the repeats.
gensim has two fast modes, a file in LineSentence format and lists of tokens; both run, and the
ratio is to the better one. NCE and sampled softmax, which gensim does not have, run beside skw2v's
own negative sampling; the second table has the ratio of the times.

"raw words/s" are in-vocabulary words of the text times epochs per second of training.
"effective words/s" are those that subsampling is expected to keep: the same share for both.
"""

import argparse
import fnmatch
import itertools
import statistics
import tempfile
from pathlib import Path
from typing import NamedTuple

from _common import (
    LEARNING_RATES,
    SETTINGS,
    PreparedText,
    Settings,
    add_data_argument,
    available_cores,
    in_fresh_process,
    load_text,
    machine_line,
    prepare,
    settings_line,
    table,
)
from _trainers import GENSIM_MODES, kept_share, seconds_of

ARCHITECTURES = tuple(LEARNING_RATES)
# What the losses that gensim lacks run beside: skw2v itself with this loss.
YARDSTICK = "negative_sampling"
BESIDE_YARDSTICK = ("nce", "sampled_softmax")
MOST_TIME = 1.2  # of the yardstick's
LEAST_SPEED = {"hierarchical_softmax": 5.0}  # of gensim's


class Case(NamedTuple):
    """One row of a table."""

    architecture: str
    n_components: int
    n_threads: int
    loss: str = YARDSTICK

    def __str__(self) -> str:
        return "-".join(map(str, self if self.loss != YARDSTICK else self[:-1]))

    def settings(self) -> Settings:
        return SETTINGS.replace(
            architecture=self.architecture,
            n_components=self.n_components,
            loss=self.loss,
            learning_rate=LEARNING_RATES[self.architecture][-1],
            max_iter=1,
        )

    def contestants(self, *, peer: bool, skw2v: bool) -> list[str]:
        """Who takes turns: names for `seconds_of`, or the yardstick."""
        if self.loss in BESIDE_YARDSTICK:
            return [YARDSTICK, "skw2v"] if skw2v else []
        return [*(GENSIM_MODES if peer else ()), *(["skw2v"] if skw2v else ())]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    parser.add_argument(
        "--words",
        type=int,
        default=4_000_000,
        help="train on the first WORDS in-vocabulary words, 0: all (default: %(default)s)",
    )
    parser.add_argument("--repeats", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="1,000,000 words, one repeat")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="CASE",
        help="cases to run, as in skipgram-100-2, 'cbow-*' or '*-nce'",
    )
    parser.add_argument("--no-peer", action="store_true", help="run skw2v alone")
    parser.add_argument("--no-skw2v", action="store_true", help="run the peer alone")
    args = parser.parse_args()
    if args.quick:
        args.words, args.repeats = 1_000_000, 1
    return args


def cases(patterns: list[str] | None) -> list[Case]:
    product = itertools.product
    every = [
        *itertools.starmap(Case, product(ARCHITECTURES, (100, 300), (1, 2))),
        *itertools.starmap(
            Case, product(ARCHITECTURES, (100,), (2,), (*BESIDE_YARDSTICK, *LEAST_SPEED))
        ),
    ]
    chosen = [
        case
        for case in every
        if patterns is None or any(fnmatch.fnmatch(str(case), pattern) for pattern in patterns)
    ]
    if not chosen:
        raise SystemExit(
            f"no case matches --only {' '.join(patterns)}; they are {', '.join(map(str, every))}"
        )
    return chosen


def measure(
    text: PreparedText, case: Case, contestants: list[str], repeats: int
) -> dict[str, list[float]]:
    """Raw words per second of every repeat and contestant, the contestants taking turns."""
    settings = case.settings()
    rates = {contestant: [] for contestant in contestants}
    for seed in range(repeats):
        for contestant in contestants:
            name, trained = contestant, settings
            if contestant == YARDSTICK:
                name, trained = "skw2v", settings.replace(loss=YARDSTICK)
            seconds, n_tokens = in_fresh_process(
                seconds_of, name, text, trained, n_threads=case.n_threads, seed=seed
            )
            rates[contestant].append(n_tokens / seconds)
            print(
                f"  {case} {contestant}, run {seed + 1} of {repeats}: "
                f"{seconds:.2f} s, {n_tokens / seconds / 1e6:.3f} M words/s",
                flush=True,
            )
    return rates


def shown(runs: list[float] | None) -> str:
    """Median and range, in millions."""
    if not runs:
        return "-"
    median = f"{statistics.median(runs) / 1e6:.3f}"
    return f"{median} ({min(runs) / 1e6:.3f}-{max(runs) / 1e6:.3f})" if len(runs) > 1 else median


def peer_row(case: Case, rates: dict[str, list[float]], share: float) -> list[str]:
    medians = {contestant: statistics.median(runs) for contestant, runs in rates.items()}
    ours = medians.pop("skw2v", None)
    best_peer = max(medians.values(), default=None)
    effective = [f"{v * share / 1e6:.3f}" if v else "-" for v in (best_peer, ours)]
    ratio = f"{ours / best_peer:.1f} x" if ours and best_peer else "-"
    if ratio != "-" and case.loss in LEAST_SPEED:
        ratio += f" (at least {LEAST_SPEED[case.loss]:g} x)"
    columns = [*GENSIM_MODES, "skw2v"]
    return [str(case), *(shown(rates.get(column)) for column in columns), ratio, *effective]


def yardstick_row(case: Case, rates: dict[str, list[float]]) -> list[str]:
    # Times are to each other as speeds the other way round: both trained the same words.
    ratio = statistics.median(rates[YARDSTICK]) / statistics.median(rates["skw2v"])
    held = "yes" if ratio <= MOST_TIME else "NO"
    return [str(case), *map(shown, rates.values()), f"{ratio:.2f} x", f"{MOST_TIME} x", held]


def main() -> None:
    args = parse_arguments()
    chosen = cases(args.only)
    print(machine_line())
    print(settings_line("loss"))
    rates = ", ".join(f"{name} {choices[-1]}" for name, choices in LEARNING_RATES.items())
    print(
        f"1 epoch; learning_rate: {rates}; rows: architecture-n_components-threads, and -loss "
        f"where it is not {YARDSTICK}"
    )
    if max(case.n_threads for case in chosen) > available_cores():
        print(f"warning: this process may use {available_cores()} cores only", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        text = prepare(load_text(args), Path(folder), n_tokens=args.words or None)
        share = in_fresh_process(kept_share, text, SETTINGS)
        print(text.describe())
        print(f"subsampling keeps {share:.3f} of them (expected; these are the effective words)")
        print(f"alternating runs, each in a fresh process; medians of {args.repeats}", flush=True)
        beside_peer, beside_yardstick = [], []
        for case in chosen:
            contestants = case.contestants(peer=not args.no_peer, skw2v=not args.no_skw2v)
            rates = measure(text, case, contestants, args.repeats)
            if YARDSTICK in rates:
                beside_yardstick.append(yardstick_row(case, rates))
            elif rates:
                beside_peer.append(peer_row(case, rates, share))

    if beside_peer:
        header = [
            "million words/s",
            *(f"gensim {mode}, raw" for mode in GENSIM_MODES),
            "skw2v, raw",
            "ratio to best",
            "gensim's best, effective",
            "skw2v, effective",
        ]
        print("\n" + table(header, beside_peer))
    if beside_yardstick:
        header = ["million words/s", YARDSTICK, "this loss", "its time", "allowed", "held"]
        print("\n" + table(header, beside_yardstick))


if __name__ == "__main__":
    main()
