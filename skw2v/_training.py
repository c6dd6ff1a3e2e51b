"""From the encoded corpus to trained vectors: the one caller of the training kernels.

`train` lays the corpus out in shards and rounds, runs the rounds epoch by epoch, and hands control
back to Python several times a second, so that Ctrl-C works and progress can be shown. Nothing here
depends on the number of threads except how many of them run a round.
"""

import time
from dataclasses import dataclass

import numpy as np

from skw2v import _kernels, _sampling

# A call into the kernels lasts about this long, so that an interrupt is never far away.
SECONDS_PER_CALL = 0.1
BLOCK = 16  # rows are padded to 64 bytes


@dataclass(frozen=True, slots=True)
class TrainingParameters:
    """What determines the trained vectors, besides the corpus."""

    architecture: str = "skipgram"
    cbow_gradient: str = "word2vec"
    loss: str = "negative_sampling"
    n_components: int = 100
    window: int = 5
    dynamic_window: bool = True
    n_negatives: int = 5
    noise_exponent: float = 0.75
    subsample: float = 1e-3
    learning_rate: float = 0.025
    min_learning_rate: float = 1e-4
    max_iter: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainedVectors:
    """Input and output vectors, float32 (n_words, n_components), and the mean loss per epoch."""

    input_vectors: np.ndarray
    output_vectors: np.ndarray
    loss_curve: np.ndarray
    n_iter: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How a corpus is cut: a function of corpus and parameters, never of the threads.

    n_shards train side by side in a round, shard_tokens tokens each; every shard draws pool_size
    noise words; a window's contexts train in groups of at most group_size.
    """

    n_shards: int
    shard_tokens: int
    pool_size: int
    group_size: int


def choose_layout(n_tokens, word_counts, keep_threshold, parameters):
    return Layout(
        n_shards=16, shard_tokens=128, pool_size=max(32, parameters.n_negatives), group_size=16
    )


def train(corpus, word_counts, parameters, *, n_threads, on_epoch=None, layout=None, isa=None):
    word_counts = np.ascontiguousarray(word_counts, dtype=np.int64)
    keep_threshold = _sampling.keep_thresholds(word_counts, parameters.subsample)
    alias_threshold, alias = _sampling.alias_table(
        _sampling.noise_distribution(word_counts, parameters.noise_exponent)
    )
    if layout is None:
        layout = choose_layout(corpus.n_tokens, word_counts, keep_threshold, parameters)
    n_words, d = len(word_counts), parameters.n_components
    input_rows, output_rows = _Rows(n_words, d), _Rows(n_words, d)
    _kernels.init_input_vectors(input_rows.padded, d, parameters.seed, n_threads)
    output_rows.padded[:] = 0.0
    engine = _kernels.Engine(
        corpus.token_ids,
        corpus.document_offsets,
        keep_threshold,
        alias_threshold,
        alias,
        input_rows.padded,
        output_rows.padded,
        seed=parameters.seed,
        architecture=parameters.architecture,
        cbow_gradient=parameters.cbow_gradient,
        window=parameters.window,
        dynamic_window=parameters.dynamic_window,
        n_negatives=parameters.n_negatives,
        pool_size=layout.pool_size,
        group_size=layout.group_size,
        n_shards=layout.n_shards,
        shard_tokens=layout.shard_tokens,
        isa=isa,
    )
    loss_curve = np.zeros(parameters.max_iter)
    for epoch in range(parameters.max_iter):
        started = time.perf_counter()
        engine.start_epoch(epoch)
        _run_epoch(engine, learning_rates(engine.n_rounds, epoch, parameters), n_threads)
        loss, n_pairs = engine.epoch_loss()
        loss_curve[epoch] = loss / n_pairs if n_pairs else 0.0
        if on_epoch is not None:
            seconds = time.perf_counter() - started
            on_epoch(epoch, loss_curve[epoch], corpus.n_tokens / seconds)
    del engine
    return TrainedVectors(
        input_rows.compacted(), output_rows.compacted(), loss_curve, parameters.max_iter
    )


def learning_rates(n_rounds, epoch, parameters):
    """The rate of each round of an epoch: linear over all rounds, never below the minimum."""
    total = n_rounds * parameters.max_iter
    progress = (epoch * n_rounds + np.arange(n_rounds)) / total
    span = parameters.learning_rate - parameters.min_learning_rate
    rates = parameters.learning_rate - span * progress
    return np.maximum(rates, parameters.min_learning_rate).astype(np.float32)


def _run_epoch(engine, rates, n_threads):
    """Run all rounds, in calls of about SECONDS_PER_CALL each."""
    done, step = 0, 1
    while done < len(rates):
        started = time.perf_counter()
        engine.run(rates[done : done + step], n_threads)
        done += step
        seconds = time.perf_counter() - started
        # At most double: the first rounds (cold caches) say little about the ones to come.
        step = max(1, int(step * min(2.0, SECONDS_PER_CALL / max(seconds, 1e-9))))


class _Rows:
    """A float32 matrix with rows aligned and padded to 64 bytes, that compacts in place."""

    def __init__(self, n_rows, n_columns):
        self.n_rows, self.n_columns = n_rows, n_columns
        self.stride = -(-n_columns // BLOCK) * BLOCK
        self._memory = np.empty(n_rows * self.stride + BLOCK, dtype=np.float32)
        start = -(self._memory.ctypes.data // 4) % BLOCK
        self.padded = self._memory[start : start + n_rows * self.stride].reshape(n_rows, -1)

    def compacted(self, rows_at_once=4096):
        """The matrix without its padding, (n_rows, n_columns) and C-contiguous, in the same memory."""
        memory, padded = self._memory, self.padded
        self._memory = self.padded = None
        for first in range(0, self.n_rows, rows_at_once):
            block = padded[first : first + rows_at_once, : self.n_columns]
            begin = first * self.n_columns
            memory[begin : begin + block.size] = block.ravel()
        del padded, block
        memory.resize(self.n_rows * self.n_columns, refcheck=False)
        return memory.reshape(self.n_rows, self.n_columns)
