"""Words per second of skw2v beside gensim, on the same encoded text, in one process tree.

    python benchmarks/throughput.py --data FOLDER
    python benchmarks/throughput.py --quick --only skipgram-100-2

For each case (architecture-n_components-threads) the contestants take turns, each run in a fresh
process, and the table shows the median of the repeats. gensim has two fast modes, a file in
LineSentence format and lists of tokens; both run, and the ratio is to the better one.

"raw words/s" are in-vocabulary words of the text times epochs per second of training.
"effective words/s" are those that subsampling is expected to keep: the same share for both.
"""

import argparse
import fnmatch
import itertools
import statistics
import tempfile
from pathlib import Path

from _common import (
    LEARNING_RATES,
    SETTINGS,
    PreparedText,
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
        help="cases to run, as in skipgram-100-2 or 'cbow-*'",
    )
    parser.add_argument("--no-peer", action="store_true", help="run skw2v alone")
    parser.add_argument("--no-skw2v", action="store_true", help="run the peer alone")
    args = parser.parse_args()
    if args.quick:
        args.words, args.repeats = 1_000_000, 1
    return args


def cases(patterns: list[str] | None) -> list[tuple[str, int, int]]:
    every = itertools.product(("skipgram", "cbow"), (100, 300), (1, 2))
    chosen = [
        case
        for case in every
        if patterns is None
        or any(fnmatch.fnmatch("-".join(map(str, case)), pattern) for pattern in patterns)
    ]
    if not chosen:
        raise SystemExit(f"no case matches --only {' '.join(patterns)}; cases look like cbow-300-1")
    return chosen


def measure(
    text: PreparedText, case: tuple[str, int, int], contestants: list[str], repeats: int
) -> dict[str, list[float]]:
    """Raw words per second of every repeat and contestant, the contestants taking turns."""
    architecture, n_components, n_threads = case
    settings = SETTINGS.replace(
        architecture=architecture,
        n_components=n_components,
        learning_rate=LEARNING_RATES[architecture][-1],
        max_iter=1,
    )
    rates = {contestant: [] for contestant in contestants}
    for seed in range(repeats):
        for contestant in contestants:
            seconds, n_tokens = in_fresh_process(
                seconds_of, contestant, text, settings, n_threads=n_threads, seed=seed
            )
            rates[contestant].append(n_tokens / seconds)
            print(
                f"  {'-'.join(map(str, case))} {contestant}, run {seed + 1} of {repeats}: "
                f"{seconds:.2f} s, {n_tokens / seconds / 1e6:.3f} M words/s",
                flush=True,
            )
    return rates


def row(case: tuple[str, int, int], rates: dict[str, list[float]], share: float) -> list[str]:
    def shown(contestant):
        if contestant not in rates:
            return "-"
        runs = rates[contestant]
        median = f"{statistics.median(runs) / 1e6:.3f}"
        return (
            f"{median} ({min(runs) / 1e6:.3f}-{max(runs) / 1e6:.3f})" if len(runs) > 1 else median
        )

    medians = {contestant: statistics.median(runs) for contestant, runs in rates.items()}
    ours = medians.pop("skw2v", None)
    best_peer = max(medians.values(), default=None)
    effective = [f"{v * share / 1e6:.3f}" if v else "-" for v in (best_peer, ours)]
    ratio = f"{ours / best_peer:.1f} x" if ours and best_peer else "-"
    columns = [*GENSIM_MODES, "skw2v"]
    return ["-".join(map(str, case)), *map(shown, columns), ratio, *effective]


def main() -> None:
    args = parse_arguments()
    contestants = [] if args.no_peer else list(GENSIM_MODES)
    contestants += [] if args.no_skw2v else ["skw2v"]
    chosen = cases(args.only)
    print(machine_line())
    print(settings_line())
    rates = ", ".join(f"{name} {choices[-1]}" for name, choices in LEARNING_RATES.items())
    print(f"1 epoch; learning_rate: {rates}; table's rows: architecture-n_components-threads")
    if max(n_threads for *_, n_threads in chosen) > available_cores():
        print(f"warning: this process may use {available_cores()} cores only", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        text = prepare(load_text(args), Path(folder), n_tokens=args.words or None)
        share = in_fresh_process(kept_share, text, SETTINGS)
        print(text.describe())
        print(f"subsampling keeps {share:.3f} of them (expected; these are the effective words)")
        print(f"alternating runs, each in a fresh process; medians of {args.repeats}", flush=True)
        rows = [row(case, measure(text, case, contestants, args.repeats), share) for case in chosen]

    header = [
        "million words/s",
        *(f"gensim {mode}, raw" for mode in GENSIM_MODES),
        "skw2v, raw",
        "ratio to best",
        "gensim's best, effective",
        "skw2v, effective",
    ]
    print("\n" + table(header, rows))


if __name__ == "__main__":
    main()
