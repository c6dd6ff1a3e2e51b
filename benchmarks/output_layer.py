"""SampledClassifier on many classes, beside a full softmax in NumPy: seconds an epoch, accuracy.

    python benchmarks/output_layer.py

All learn the same samples for as many epochs: features about the centers of 50,000 classes, whose
counts follow Zipf's law. Contestants take turns, each in a fresh process:

- NumPy: minibatches of the whole softmax in float32 BLAS, scores, exponentials and two matrix
  products, at the fastest of a few batch sizes (found on one batch of each);
- skw2v with loss="softmax": the same, by our kernels;
- skw2v with the sampled losses.

Rates are those of SampledClassifier for all, at the best of `--rates` for the accuracy of each.
Time is that of the training alone, per epoch, the median over rates; the ratio is to NumPy's.
"""

import argparse
import statistics
import time
from typing import NamedTuple

import numpy as np
from _common import available_cores, in_fresh_process, machine_line, table

LEAST_RATIO = 20.0
SEED = 1


class Problem(NamedTuple):
    """How samples are drawn."""

    n_samples: int
    n_test: int
    n_classes: int
    n_features: int
    noise: float

    def draw(self):
        """X, y, X_test, y_test; the same in every process."""
        rng = np.random.default_rng(SEED)
        shares = 1 / np.arange(1, self.n_classes + 1)
        y = rng.choice(self.n_classes, self.n_samples + self.n_test, p=shares / shares.sum())
        X = rng.standard_normal((self.n_classes, self.n_features), dtype=np.float32)[y]
        for first in range(0, len(y), 10_000):
            part = X[first : first + 10_000]
            part += self.noise * rng.standard_normal(part.shape, dtype=np.float32)
        n = self.n_samples
        return X[:n], y[:n], X[n:], y[n:]


class Result(NamedTuple):
    seconds: float  # an epoch
    accuracy: float
    batch_size: int


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--samples", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--test-samples", type=int, default=5000, help="default: %(default)s")
    parser.add_argument("--classes", type=int, default=50_000, help="default: %(default)s")
    parser.add_argument("--features", type=int, default=300, help="default: %(default)s")
    parser.add_argument("--noise", type=float, default=2.5, help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--n-negatives", type=int, nargs="+", default=[20, 100])
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--rates", type=float, nargs="+", default=[1.0, 8.0])
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    return parser.parse_args()


# ---------------------------------------------------------------------------------- NumPy's softmax


class NumpySoftmax:
    """Weights (n_classes, n_features + 1), the last column times `constant` the biases."""

    def __init__(self, rows, batch_size: int):
        self.rows = rows
        self._start = rows.start
        self._weights = np.zeros((len(rows.counts), rows.n_features + 1), dtype=np.float32)
        self._scores = np.empty((batch_size, len(rows.counts)), dtype=np.float32)
        self._change = np.empty_like(self._weights)

    def step(self, X, y, rate) -> None:
        X = np.column_stack([X, np.full(len(X), self.rows.constant, dtype=np.float32)])
        scores = np.matmul(X, self._weights.T, out=self._scores[: len(X)])
        scores += self._start
        scores -= scores.max(axis=1, keepdims=True)
        sums = np.exp(scores, out=scores).sum(axis=1)
        scores[np.arange(len(y)), y] -= sums
        X *= (rate / sums)[:, np.newaxis]
        self._weights -= np.matmul(scores.T, X, out=self._change)

    def predict(self, X):
        coef, biases = self._weights[:, :-1], self._weights[:, -1] * self.rows.constant
        biases = biases + self._start
        blocks = np.array_split(X, max(1, len(X) // 256))
        return np.concatenate([(part @ coef.T + biases).argmax(axis=1) for part in blocks])


def run_numpy(problem: Problem, rate: float, args: argparse.Namespace) -> Result:
    from threadpoolctl import threadpool_limits

    from skw2v._output_training import (
        OutputParameters,
        OutputRows,
        mean_square_length,
        step_of_unit_rate,
    )
    from skw2v._training import learning_rates

    X, y, X_test, y_test = problem.draw()
    counts = np.bincount(y, minlength=problem.n_classes)
    parameters = OutputParameters("softmax", learning_rate=rate, max_iter=args.epochs)
    rows = OutputRows(X.shape[1], counts, mean_square_length(X, len(X), 1), SEED)
    with threadpool_limits(args.threads, user_api="blas"):
        seconds = {}
        for size in args.batch_sizes:
            model = NumpySoftmax(rows, size)
            for _ in range(2):  # the first one wakes threads and touches memory
                began = time.perf_counter()
                model.step(X[:size], y[:size], np.float32(0))
                seconds[size] = (time.perf_counter() - began) / size
            del model
        size = min(seconds, key=seconds.get)
        model, unit = NumpySoftmax(rows, size), step_of_unit_rate(rows, size, "softmax")
        began = time.perf_counter()
        for epoch in range(args.epochs):
            order = np.random.default_rng(epoch).permutation(len(y))
            rates = learning_rates(-(-len(y) // size), epoch, parameters) * np.float32(unit)
            for number, step in enumerate(rates):
                batch = order[number * size : (number + 1) * size]
                model.step(X[batch], y[batch], step)
        seconds = (time.perf_counter() - began) / args.epochs
        return Result(seconds, float(np.mean(model.predict(X_test) == y_test)), size)


# -------------------------------------------------------------------------------------------- skw2v


def run_skw2v(
    problem: Problem, rate: float, args: argparse.Namespace, loss: str, n_negatives: int
) -> Result:
    from skw2v import SampledClassifier

    X, y, X_test, y_test = problem.draw()
    classifier = SampledClassifier(
        loss,
        n_negatives=n_negatives,
        learning_rate=rate,
        max_iter=args.epochs,
        random_state=SEED,
        n_jobs=args.threads,
    )
    began = time.perf_counter()
    classifier.fit(X, y)
    seconds = (time.perf_counter() - began) / args.epochs
    accuracy = classifier.score(X_test, y_test)
    return Result(seconds, float(accuracy), classifier.batch_size)


def main() -> None:
    args = parse_arguments()
    problem = Problem(args.samples, args.test_samples, args.classes, args.features, args.noise)
    contestants = {"NumPy, softmax": (run_numpy, {}), "skw2v, softmax": (run_skw2v, {})}
    contestants["skw2v, softmax"][1].update(loss="softmax", n_negatives=1)
    for loss in ("nce", "sampled_softmax"):
        for n_negatives in args.n_negatives:
            chosen = {"loss": loss, "n_negatives": n_negatives}
            contestants[f"skw2v, {loss}, {n_negatives} sampled"] = (run_skw2v, chosen)
    print(machine_line())
    print(
        f"{args.classes:,} classes x {args.features} features, {args.samples:,} samples, "
        f"{args.epochs} epochs, {args.threads} of {available_cores()} cores"
    )
    _, y, _, y_test = problem._replace(n_features=1).draw()
    print(
        f"majority {np.mean(y_test == np.bincount(y).argmax()):.3f}; classes of "
        f"{np.mean(np.isin(y_test, y)):.3f} of the test samples occur in training"
    )
    results = {name: [] for name in contestants}
    for rate in args.rates:
        for name, (run, chosen) in contestants.items():
            result = in_fresh_process(run, problem, rate, args, **chosen)
            results[name].append(result)
            print(f"  rate {rate}, {name}: {result}", flush=True)
    seconds = {
        name: statistics.median(result.seconds for result in found)
        for name, found in results.items()
    }
    ratio = {name: seconds["NumPy, softmax"] / one for name, one in seconds.items()}
    header = ["", "batch", "s/epoch", "times as fast as NumPy", "test accuracy"]
    print()
    print(
        table(
            header,
            [
                [
                    name,
                    str(found[0].batch_size),
                    f"{seconds[name]:.3f}",
                    f"{ratio[name]:.1f}",
                    f"{max(result.accuracy for result in found):.3f}",
                ]
                for name, found in results.items()
            ],
        )
    )
    least = min(ratio[name] for name in ratio if "sampled" in name)
    held = "yes" if least >= LEAST_RATIO else "NO"
    print(f"\nevery sampled loss is at least {LEAST_RATIO:.0f} times as fast: {held} ({least:.0f})")


if __name__ == "__main__":
    main()
