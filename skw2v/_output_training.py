"""Epochs of an output layer: rates, noise and orders of samples; the one caller of its kernels.

What is trained, `OutputRows`, is kept between calls and goes on from where it was.

The rate is a normalised one [1]_. With s the largest power of two not above the root mean square
length of a row of X, the bias is the weight of a feature that is always s. No sigmoid or softmax
bends its loss by more than 1/4 with a score, so at a `learning_rate` of 1 a step is as long as
Newton's for one mean sample where the loss bends most::

    step = learning_rate / (1/4 * (mean squared length + s ** 2))
    coef += step * residual * x        intercept += step * residual * s ** 2

So features ten times as long give coefficients a tenth as large, and the same predictions.

The samples of a batch all meet the rows as they were before it. If a class is the true one of many
of them, their steps add up to more than any one of them would have done. So where the largest class
has more expected samples in a batch than MOST_STALE, the step is divided by the ratio of the two.
A class's score s bends its loss, per sample of the class, by at most 1/2 under a softmax: 1/4 from
being true and as much from being another's competitor. Under NCE noise adds up to 1, whatever k is:
``k q sigmoid'(s - log(k q))`` is largest for large k, where it nears exp(s), the probability.

References
----------
.. [1] Nagumo, Noda, "A learning method for system identification", IEEE Transactions on Automatic
       Control 12(3), 1967: normalised least mean squares.
"""

import math
import time
from dataclasses import dataclass

import numpy as np

from skw2v._distinct import distinct_lengths, distinct_table, log_lengths
from skw2v._output_layer import MAX_GROUP, OutputLayer, aligned_rows, permutation, square_lengths
from skw2v._sampling import (
    alias_table,
    initial_biases,
    keep_thresholds,
    log_expected_counts,
    noise_probabilities,
)
from skw2v._training import learning_rates

BLOCK = 16  # floats; a row of the kernels has a whole number of blocks
LARGEST_CURVATURE = 0.25
# Expected samples of one class in a batch that still take whole steps. On iris, wine, breast cancer
# and digits, scaled and as they are, rates of 0.1 to 1 train with these; with eight times as many,
# NCE oscillates at 0.25.
MOST_STALE = {"nce": 2, "sampled_softmax": 8, "softmax": 8}
LEAST_WORK = 2**22  # multiplications of a batch for which another thread is worth waiting for
LENGTH_RANGE = (2.0**-40, 2.0**40)  # of a row of X: float32 holds products of three such numbers
MULTIPLICATIONS_A_CALL = 2**30  # some tenths of a second: then Python may answer Ctrl-C


@dataclass(frozen=True)
class OutputParameters:
    """How an output layer is trained."""

    loss: str = "nce"
    n_negatives: int = 20
    noise: str = "unigram"
    noise_exponent: float = 0.75
    distinct_noise: bool = True
    remove_accidental_hits: bool | str = "auto"
    learning_rate: float = 1.0
    min_learning_rate: float = 1e-3
    max_iter: int = 20
    batch_size: int = 64

    @property
    def removes_hits(self):
        """Is noise equal to the true class left out? "auto": as TensorFlow's functions do."""
        if self.remove_accidental_hits == "auto":
            return self.loss == "sampled_softmax"
        return bool(self.remove_accidental_hits)

    def n_sampled(self, n_classes):
        """Noise classes of a sample; 0 where all classes are its targets."""
        if self.loss == "softmax":
            return 0
        return min(self.n_negatives, n_classes) if self.distinct_noise else self.n_negatives

    def group_size(self, n_classes):
        """Samples that share their noise: so many that a batch has at least as many noise classes
        as true ones, or MAX_GROUP. All classes are everybody's.

        On 50,000 classes (benchmarks/output_layer.py, two seeds) 20 noise classes for every sample,
        4 or 16 samples gave the sampled softmax .595, .594 and .594, NCE .546, .546 and .547, in
        3.1, 1.2 and 0.7 microseconds a sample; 5 of them .569, .569 and .573, and .535, .534 and
        .537.
        """
        n_sampled = self.n_sampled(n_classes)
        are_all = n_sampled == 0 or (self.distinct_noise and n_sampled == n_classes)
        return MAX_GROUP if are_all else min(n_sampled, MAX_GROUP)


class OutputRows:
    """The weights of all classes, as the kernels have them, and what training has seen so far.

    Attributes
    ----------
    padded : ndarray of float32, shape (n_classes, stride)
        Weights of the features, then that of the constant, then zeros, of which there is one.
    start : ndarray of float32, shape (n_classes,)
        Biases before training: the log of each class's share of the samples. The column of the
        constant has their change alone, because float32 is fine near zero.
    constant : float
    mean_square : float
        Mean squared length of the rows of X in the first call, with the constant.
    counts : ndarray of int64, shape (n_classes,)
        Samples of each class so far.
    seed : int
    n_epochs : int
        Over all calls: the randomness is keyed on them.
    """

    def __init__(self, n_features, counts, mean_square, seed):
        n_classes = len(counts)
        self.n_features = n_features
        self.padded = aligned_rows(n_classes, -(-(n_features + 2) // BLOCK) * BLOCK)
        self.padded.fill(0.0)
        self.start = initial_biases(counts, keep_thresholds(counts, 0))
        self.counts = counts
        self.constant = _power_of_two_near_root(mean_square)
        self.mean_square = mean_square + self.constant**2
        self.seed = seed
        self.n_epochs = 0

    def copy(self):
        """Rows of their own, with all else the same."""
        other = object.__new__(OutputRows)
        other.__dict__ |= vars(self) | {"padded": aligned_rows(*self.padded.shape)}
        other.padded[:] = self.padded
        return other

    @property
    def weights(self):
        """A view, ndarray of float32, shape (n_classes, n_features)."""
        return self.padded[:, : self.n_features]

    @property
    def biases(self):
        """ndarray of float32, shape (n_classes,)."""
        return self.start + self.padded[:, self.n_features] * np.float32(self.constant)


def _power_of_two_near_root(square):
    return 1.0 if square == 0 else 2.0 ** ((math.frexp(square)[1] - 1) // 2)


def as_samples(X):
    """X without scikit-learn: the dense array, or (row offsets, columns, values) of CSR.

    Parameters
    ----------
    X : ndarray, C-contiguous, float32 or float64, or sparse CSR

    Returns
    -------
    samples : ndarray or tuple
    """
    if isinstance(X, np.ndarray):
        return X
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    columns = X.indices.astype(np.int32, copy=False)
    with np.errstate(over="ignore"):  # what is too large has a length that is refused
        values = X.data.astype(np.float32, copy=False)
    return X.indptr.astype(np.int64), columns, values


def _in_blocks(samples, n_features, constant):
    """CSR rows of whole blocks, as the kernels take them, with the constant as a feature."""
    offsets, columns, values = samples
    lengths = np.diff(offsets)
    begins = np.zeros_like(offsets)
    np.cumsum(-(-(lengths + 1) // BLOCK) * BLOCK, out=begins[1:])
    padded_columns = np.full(begins[-1], n_features + 1, dtype=np.int32)
    padded_values = np.zeros(begins[-1], dtype=np.float32)
    place = np.arange(offsets[-1]) + np.repeat(begins[:-1] - offsets[:-1], lengths)
    padded_columns[place], padded_values[place] = columns, values
    place = begins[:-1] + lengths
    padded_columns[place], padded_values[place] = n_features, constant
    return begins, padded_columns, padded_values


def mean_square_length(samples, n_samples, n_threads):
    """Mean squared length of the rows of X.

    Raises
    ------
    ValueError
        If it is outside of what float32 can train on.
    """
    squares = np.empty(n_samples)
    square_lengths(samples, squares, n_threads)
    mean = math.fsum(squares.tolist()) / n_samples if np.isfinite(squares).all() else math.inf
    low, high = LENGTH_RANGE
    if mean and not low <= math.sqrt(mean) <= high:
        raise ValueError(
            f"the rows of X have a root mean square length of {math.sqrt(mean):.3g}; training is "
            f"in float32 and needs one between {low:.1g} and {high:.1g}. Scale the features, with "
            "sklearn.preprocessing.StandardScaler or MaxAbsScaler, say."
        )
    return mean


def train_epochs(rows, samples, labels, parameters, *, n_threads, constant_rate=False, isa=None):
    """Train for `max_iter` epochs, in place; yields after each.

    Parameters
    ----------
    rows : OutputRows
        Its counts include the samples.
    samples : ndarray or tuple
        As from `as_samples`.
    labels : ndarray of int32, shape (n_samples,)
    parameters : OutputParameters
    n_threads : int
        The result does not depend on it.
    constant_rate : bool, default=False
        Else it falls linearly to `min_learning_rate`.
    isa : str, default=None
        None: the best instruction set there is.

    Yields
    ------
    loss : float
        Mean of the epoch's loss over samples, each when its turn came.
    samples_per_second : float
    """
    n_samples, n_classes = len(labels), len(rows.counts)
    n_sampled = parameters.n_sampled(n_classes)
    offsets = np.zeros(-(-n_classes // 8) * 8, dtype=np.float32)
    offsets[:n_classes] -= rows.start
    noise = None
    if n_sampled:
        noise, log_expected = _noise_table(rows.counts, n_sampled, parameters)
        offsets[:n_classes] += log_expected
    if isinstance(samples, tuple):
        samples = _in_blocks(samples, rows.n_features, rows.constant)
    layer = OutputLayer(
        rows.padded,
        samples,
        labels,
        offsets,
        n_features=rows.n_features,
        constant=rows.constant,
        noise=noise,
        softmax=parameters.loss != "nce",
        n_negatives=n_sampled,
        remove_hits=parameters.removes_hits,
        batch_size=parameters.batch_size,
        group_size=parameters.group_size(n_classes),
        isa=isa,
    )
    batch_size = min(parameters.batch_size, n_samples)
    n_batches = -(-n_samples // batch_size)
    targets = 1 + n_sampled if n_sampled else n_classes
    work = 2 * batch_size * targets * rows.padded.shape[1]
    batches_a_call = max(1, MULTIPLICATIONS_A_CALL // work)
    step = step_of_unit_rate(rows, batch_size, parameters.loss)
    n_threads = max(1, min(n_threads, work // LEAST_WORK))
    for epoch in range(parameters.max_iter):
        began = time.perf_counter()
        if constant_rate:
            rates = np.full(n_batches, parameters.learning_rate)
        else:
            rates = learning_rates(n_batches, epoch, parameters).astype(np.float64)
        rates = (rates * step).astype(np.float32)
        order = permutation(rows.seed, rows.n_epochs, n_samples)
        loss = 0.0
        for first in range(0, n_batches, batches_a_call):
            begin, end = first * batch_size, (first + batches_a_call) * batch_size
            loss += layer.run(
                order[begin:end],
                rates[first : first + batches_a_call],
                seed=rows.seed,
                epoch=rows.n_epochs,
                position=begin,
                n_threads=n_threads,
            )
        rows.n_epochs += 1
        if not math.isfinite(loss):
            raise ValueError(
                f"training has diverged: the loss of epoch {epoch + 1} is {loss}. Lower "
                f"learning_rate={parameters.learning_rate} or batch_size={parameters.batch_size}."
            )
        yield loss / n_samples, n_samples / (time.perf_counter() - began)


def _noise_table(counts, n_sampled, parameters):
    """What draws the noise, as `OutputLayer` takes it; the log of each class's expected count."""
    probabilities = noise_probabilities(counts, parameters.noise, parameters.noise_exponent)
    if not parameters.distinct_noise:
        return alias_table(probabilities), log_expected_counts(probabilities, n_sampled)
    lengths = distinct_lengths(probabilities, n_sampled)
    return distinct_table(lengths), log_lengths(lengths)


def step_of_unit_rate(rows, batch_size, loss):
    """What a learning rate is multiplied with: see the top of this file."""
    expected = batch_size * int(rows.counts.max()) / int(rows.counts.sum())
    stale = max(1.0, expected / MOST_STALE[loss])
    return 1.0 / (LARGEST_CURVATURE * rows.mean_square * stale)
