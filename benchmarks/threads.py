"""Words per second of skw2v at 1, 2, 4, 8 and 16 threads, as far as the machine has the cores.

    python benchmarks/threads.py --data FOLDER

The runs take turns, each in a fresh process. Efficiency is the speed-up over one thread divided by
the number of threads. All runs of a seed must end with the same bytes; the last line says so.
"""

import argparse
import hashlib
import statistics
import tempfile
from pathlib import Path

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
from _trainers import train_skw2v


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    parser.add_argument(
        "--threads",
        type=int,
        nargs="+",
        default=[1, 2, 4, 8, 16],
        help="numbers above the cores this process may use are left out (default: 1 2 4 8 16)",
    )
    parser.add_argument("--architecture", choices=tuple(LEARNING_RATES), default="skipgram")
    parser.add_argument("--n-components", type=int, default=100)
    parser.add_argument("--words", type=int, default=0, help="words of the text, 0: all (default)")
    parser.add_argument(
        "--epochs", type=int, default=1, help="more for a short text (default: %(default)s)"
    )
    parser.add_argument("--repeats", type=int, default=3, help="default: %(default)s")
    return parser.parse_args()


def timed_digest(text: PreparedText, settings: Settings, n_threads: int) -> tuple[float, str]:
    """Words per second of one run, and a digest of the vectors it ended with."""
    run = train_skw2v(text, settings, n_threads=n_threads, seed=0, keep_vectors=True)
    return run.words_per_second, hashlib.sha256(run.vectors.tobytes()).hexdigest()


def main() -> None:
    args = parse_arguments()
    settings = SETTINGS.replace(
        architecture=args.architecture,
        n_components=args.n_components,
        learning_rate=LEARNING_RATES[args.architecture][-1],
        max_iter=args.epochs,
    )
    cores = available_cores()
    counts = [n for n in args.threads if n <= cores]
    if not counts:
        raise SystemExit(f"--threads: this process may use {cores} cores only; name fewer threads")
    print(machine_line())
    print(settings_line())
    print(
        f"architecture={settings.architecture}, n_components={settings.n_components}, "
        f"learning_rate={settings.learning_rate}, max_iter={settings.max_iter}"
    )

    speeds = {n: [] for n in counts}
    digests = set()
    with tempfile.TemporaryDirectory() as folder:
        text = prepare(load_text(args), Path(folder), n_tokens=args.words or None)
        print(text.describe(), flush=True)
        for _ in range(args.repeats):
            for n_threads in counts:
                speed, digest = in_fresh_process(timed_digest, text, settings, n_threads)
                speeds[n_threads].append(speed)
                digests.add(digest)

    medians = {n: statistics.median(runs) for n, runs in speeds.items()}
    base = medians[counts[0]] / counts[0]
    rows = [
        [
            str(n),
            f"{median / 1e6:.2f}",
            f"{min(speeds[n]) / 1e6:.2f}-{max(speeds[n]) / 1e6:.2f}",
            f"{median / base:.2f} x",
            f"{median / base / n:.2f}",
        ]
        for n, median in medians.items()
    ]
    header = ["threads", "million words/s", "range", "speed-up", "efficiency"]
    print("\n" + table(header, rows))
    print(
        f"\nthe vectors of all {args.repeats * len(counts)} runs are the same bytes"
        if len(digests) == 1
        else f"\nFAILED: {len(digests)} different results; the thread count must not matter"
    )


if __name__ == "__main__":
    main()
