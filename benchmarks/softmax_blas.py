"""Softmax over a small vocabulary, beside minibatches in NumPy: words per second at equal loss.

    python benchmarks/softmax_blas.py --data FOLDER

Both train skip-gram with the whole softmax on the same pairs, from the same start, with the same
linear schedule of the learning rate; every contestant tries the same rates, since a batch
may prefer another rate than single steps do. NumPy gets its pairs ready-made, outside the clock;
skw2v makes them while it trains. A batch's gradients are summed, all from the values before it, so
larger batches are faster and, from some size on, worse.

"plain" gives every pair of a batch a row of its own. "distinct" has one row for each distinct
context word of the batch: pairs that share it share its probabilities. The step is the same up to
rounding, and large batches have less to compute.

The loss is measured in one way for all, in float64: the mean of -log p(center | context) over the
pairs of a held-out text. A batch size counts if its loss, at its best rate, is at most EXCESS above
skw2v's at its best rate; the ratio is to the fastest that counts.
"""

import argparse
import math
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
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
from _trainers import timed_training

EXCESS = 0.005
LEAST_RATIO = 1.0
SEED = 1
WAYS = ("plain", "distinct")
SAFE_SUMS = (1e-30, 1e30)  # float32 holds 1e-38 to 3e38
SPARSE_FROM = 64  # pairs in a batch; below it np.subtract.at is faster


class Contestant(NamedTuple):
    """skw2v, or minibatches of one size made in one way."""

    way: str
    batch_size: int = 0

    def __str__(self) -> str:
        return f"{self.way} {self.batch_size}" if self.batch_size else self.way


class Result(NamedTuple):
    seconds: float
    loss: float


SKW2V = Contestant("skw2v")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    parser.add_argument("--words", type=int, default=300_000, help="default: %(default)s")
    parser.add_argument(
        "--held-out", type=int, default=50_000, help="words after these (default: %(default)s)"
    )
    parser.add_argument("--vocabulary", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--n-components", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=1, help="default: %(default)s")
    parser.add_argument(
        "--batch-sizes", type=int, nargs="+", default=[16, 64, 128, 256, 512, 1024, 4096]
    )
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--rates", type=float, nargs="+", default=[0.025, 0.05, 0.1])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    return parser.parse_args()


# ------------------------------------------------------------------------------ NumPy's minibatches


class Minibatches:
    """Skip-gram with the softmax over all words, a batch of pairs at a time, in float32.

    `hidden` and `targets` are the input and output vectors. The last column of `targets` holds the
    biases, and that of `hidden` ones, so that the matrix products have the biases in them.
    """

    def __init__(
        self, input_vectors: np.ndarray, biases: np.ndarray, batch_size: int, distinct: bool
    ):
        n_words, n_components = input_vectors.shape
        self.hidden = np.ones((n_words, n_components + 1), dtype=np.float32)
        self.hidden[:, :-1] = input_vectors
        self.targets = np.zeros_like(self.hidden)
        self.targets[:, -1] = biases
        self._change = np.empty_like(self.targets)
        self._ones = np.ones(n_words, dtype=np.float32)
        self._scores = np.empty((batch_size, n_words), dtype=np.float32)
        self._distinct = distinct

    def step(self, contexts: np.ndarray, centers: np.ndarray, rate: np.float32) -> None:
        if self._distinct:
            ids, row, count = np.unique(contexts, return_inverse=True, return_counts=True)
            count = count.astype(np.float32)
        else:
            ids, row, count = contexts, np.arange(len(contexts)), np.float32(1)
        hidden = self.hidden[ids]
        residuals, sums = self._exponentials(hidden)
        # What is now exp(score) becomes sum / count * (count * probability - labels), in the few
        # places that have a label; the factor on the left is left to the narrow matrices.
        np.subtract.at(
            residuals.reshape(-1), row * residuals.shape[1] + centers, (sums / count)[row]
        )
        factor = (rate * count / sums)[:, np.newaxis]
        hidden_change = residuals @ self.targets[:, :-1]
        hidden_change *= factor
        hidden *= factor
        self.targets -= np.matmul(residuals.T, hidden, out=self._change)
        self._move_hidden(ids, hidden_change)

    def _exponentials(self, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """exp(scores) up to a factor for each row, and the rows' sums."""
        scores = np.matmul(hidden, self.targets.T, out=self._scores[: len(hidden)])
        # Subtracting each row's largest score first costs two more passes over the largest matrix.
        # The sums tell afterwards whether it was needed.
        sums = np.exp(scores, out=scores) @ self._ones
        if not (SAFE_SUMS[0] < sums.min() and sums.max() < SAFE_SUMS[1]):
            np.matmul(hidden, self.targets.T, out=scores)
            scores -= scores.max(axis=1, keepdims=True)
            sums = np.exp(scores, out=scores) @ self._ones
        return scores, sums

    def _move_hidden(self, ids: np.ndarray, change: np.ndarray) -> None:
        if self._distinct:
            self.hidden[ids, :-1] -= change
        elif len(ids) < SPARSE_FROM:
            np.subtract.at(self.hidden[:, :-1], ids, change)
        else:
            from scipy.sparse import csc_matrix

            one_hot = csc_matrix(
                (np.ones(len(ids), dtype=np.float32), ids, np.arange(len(ids) + 1)),
                shape=(len(self.hidden), len(ids)),
            )
            self.hidden[:, :-1] -= one_hot @ change


def run_numpy(
    text: PreparedText,
    settings: Settings,
    pairs: Path,
    held_out: Path,
    contestant: Contestant,
    n_threads: int,
) -> Result:
    from threadpoolctl import threadpool_limits

    from skw2v._reference import initial_input_vectors
    from skw2v._sampling import initial_biases, keep_thresholds
    from skw2v._training import learning_rates

    parameters = settings.training_parameters(SEED)
    vectors = initial_input_vectors(text.n_words, settings.n_components, SEED)
    biases = initial_biases(text.counts(), keep_thresholds(text.counts(), settings.subsample))
    epochs = [np.load(pairs / f"{epoch}.npy") for epoch in range(settings.max_iter)]
    size = contestant.batch_size
    model = Minibatches(vectors, biases, size, contestant.way == "distinct")
    with threadpool_limits(n_threads, user_api="blas"), np.errstate(all="ignore"):
        model.step(*epochs[0][:, :size], np.float32(0))  # wakes the threads, changes nothing
        start = time.perf_counter()
        for epoch, (centers, contexts) in enumerate(epochs):
            rates = learning_rates(-(-len(centers) // size), epoch, parameters)
            for number, rate in enumerate(rates):
                batch = slice(number * size, (number + 1) * size)
                model.step(contexts[batch], centers[batch], rate)
        seconds = time.perf_counter() - start
    hidden, targets = model.hidden[:, :-1], model.targets[:, :-1]
    return Result(seconds, held_out_loss(hidden, targets, model.targets[:, -1], np.load(held_out)))


# ------------------------------------------------------------------------------ skw2v, and the loss


def run_skw2v(text: PreparedText, settings: Settings, held_out: Path, n_threads: int) -> Result:
    seconds, trained = timed_training(text, settings, n_threads=n_threads, seed=SEED)
    vectors = trained.input_vectors, trained.output_vectors, trained.output_bias
    return Result(seconds, held_out_loss(*vectors, np.load(held_out)))


def held_out_loss(
    hidden: np.ndarray, targets: np.ndarray, biases: np.ndarray, pairs: np.ndarray
) -> float:
    """Mean of -log softmax over the pairs (centers, contexts), in float64."""
    centers, contexts = pairs
    with np.errstate(all="ignore"):
        scores = hidden.astype(np.float64) @ targets.T.astype(np.float64) + biases
        scores -= scores.max(axis=1, keepdims=True)
        log_sums = np.log(np.exp(scores).sum(axis=1))
    return float(np.mean(log_sums[contexts] - scores[contexts, centers]))


def write_pairs(folder: Path, text: PreparedText, settings: Settings, held_out: PreparedText):
    """The pairs of every epoch, and of the words of `held_out` after those of `text`."""
    from skw2v._reference import training_pairs
    from skw2v._sampling import keep_thresholds

    parameters = settings.training_parameters(SEED)
    keep = keep_thresholds(text.counts(), settings.subsample)
    tokens, offsets = text.token_ids(), text.document_offsets()
    for epoch in range(settings.max_iter):
        pairs = training_pairs(tokens, offsets, keep, parameters, epoch)
        np.save(folder / f"{epoch}.npy", np.ascontiguousarray(pairs.T))
    offsets = held_out.document_offsets() - text.n_tokens
    offsets = np.concatenate([[0], offsets[offsets > 0]])
    pairs = training_pairs(held_out.token_ids()[text.n_tokens :], offsets, keep, parameters, 0)
    np.save(folder / "held_out.npy", np.ascontiguousarray(pairs.T))
    return len(pairs)


# ---------------------------------------------------------------------------------------- the table


class Summary(NamedTuple):
    """One contestant: the speeds of all its runs, and its losses by rate."""

    speeds: list[float]
    losses: list[float]

    @property
    def speed(self) -> float:
        return statistics.median(self.speeds)

    @property
    def best_loss(self) -> float:
        return min((loss for loss in self.losses if math.isfinite(loss)), default=math.inf)


def summaries(args, text, settings, pairs, contestants, n_threads) -> dict[Contestant, Summary]:
    """Every contestant at every rate, taking turns; the rates are the repeats of the timing."""
    found = {contestant: Summary([], []) for contestant in contestants}
    for rate in args.rates:
        at_rate = settings.replace(learning_rate=rate)
        for contestant in contestants:
            held_out = pairs / "held_out.npy"
            if contestant == SKW2V:
                result = in_fresh_process(run_skw2v, text, at_rate, held_out, n_threads)
            else:
                result = in_fresh_process(
                    run_numpy, text, at_rate, pairs, held_out, contestant, n_threads
                )
            speed = text.n_tokens * settings.max_iter / result.seconds
            found[contestant].speeds.append(speed)
            found[contestant].losses.append(result.loss)
            print(
                f"  {n_threads} threads, rate {rate}, {contestant}: {result.seconds:.2f} s, "
                f"{speed:,.0f} words/s, loss {result.loss:.4f}",
                flush=True,
            )
    return found


def report(found: dict[Contestant, Summary], rates: list[float], ways: list[str]) -> str:
    ours = found[SKW2V]
    allowed = ours.best_loss * (1 + EXCESS)
    rows = [
        [
            str(contestant),
            f"{one.speed:,.0f} ({min(one.speeds):,.0f}-{max(one.speeds):,.0f})",
            # Guessing uniformly costs the logarithm of the vocabulary's size, about 7.
            *(f"{loss:.4f}" if loss < 100 else "diverged" for loss in one.losses),
            "yes" if one.best_loss <= allowed else "no",
            f"{ours.speed / one.speed:.2f} x",
        ]
        for contestant, one in found.items()
    ]
    header = ["", "words/s", *(f"loss at {rate}" for rate in rates), "equal loss", "skw2v is"]
    lines = [table(header, rows), ""]
    for way in ways:
        equal = {
            contestant: one
            for contestant, one in found.items()
            if contestant.way == way and one.best_loss <= allowed
        }
        if not equal:
            lines.append(f"{way}: no batch size has a loss of at most {allowed:.4f}")
            continue
        fastest = max(equal, key=lambda contestant: equal[contestant].speed)
        ratio = ours.speed / equal[fastest].speed
        held = "yes" if ratio >= LEAST_RATIO else "NO"
        lines.append(
            f"{fastest} is the fastest with a loss of at most {allowed:.4f}; skw2v's speed is "
            f"{ratio:.2f} x its (at least {LEAST_RATIO} x: {held})"
        )
    return "\n".join(lines)


def main() -> None:
    args = parse_arguments()
    settings = SETTINGS.replace(
        loss="softmax",
        n_components=args.n_components,
        max_iter=args.epochs,
        learning_rate=LEARNING_RATES["skipgram"][0],
    )
    contestants = [
        SKW2V,
        *(Contestant(way, size) for size in args.batch_sizes for way in args.ways),
    ]
    print(machine_line())
    print(settings_line("loss", "n_negatives", "noise", "noise_exponent"))
    print(f"loss=softmax, n_components={settings.n_components}, max_iter={settings.max_iter}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole, limit = load_text(args), {"max_features": args.vocabulary}
        text = prepare(whole, folder / "text", n_tokens=args.words, **limit)
        held_out = prepare(whole, folder / "held_out", n_tokens=args.words + args.held_out, **limit)
        n_pairs = write_pairs(folder, text, settings, held_out)
        print(text.describe())
        print(f"held out: the {held_out.n_tokens - text.n_tokens:,} words after, {n_pairs:,} pairs")
        for n_threads in args.threads:
            if n_threads > available_cores():
                print(f"\n{n_threads} threads left out: {available_cores()} cores usable")
                continue
            found = summaries(args, text, settings, folder, contestants, n_threads)
            print(f"\n{n_threads} threads\n\n{report(found, args.rates, args.ways)}\n", flush=True)


if __name__ == "__main__":
    main()
