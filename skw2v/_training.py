"""From the encoded corpus to trained vectors: the one caller of the training kernels.

`train` runs the rounds of a layout epoch by epoch, and hands control back to Python several times a
second, so that Ctrl-C works and progress can be shown. Nothing here depends on the number of
threads except how many of them run a round.
"""

import time
from dataclasses import dataclass

import numpy as np

from skw2v import _kernels, _sampling
from skw2v._huffman import huffman_paths
from skw2v._layout import choose_layout, n_hot_nodes

# A call into the kernels lasts about this long, so that an interrupt is never far away.
SECONDS_PER_CALL = 0.1
FLOATS_PER_INIT = 2**24
BLOCK = 16  # rows are padded to 64 bytes

SAMPLED_LOSSES = ("negative_sampling", "nce", "sampled_softmax")
BIASED_LOSSES = ("nce", "sampled_softmax", "softmax")


# Raised whenever the same corpus and parameters train to other bits: results that were kept under
# the old number are then not found.
REVISION = 3


# Not slotted: pickles keep these by name, so that a later field cannot shift an earlier one.
@dataclass(frozen=True)
class TrainingParameters:
    """What determines the trained vectors, besides the corpus."""

    architecture: str = "skipgram"
    cbow_gradient: str = "word2vec"
    loss: str = "negative_sampling"
    noise: str = "unigram"
    remove_accidental_hits: bool | str = "auto"
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

    @property
    def removes_hits(self):
        """Is noise that equals the center skipped?

        "auto": as word2vec.c, and as TensorFlow's functions of these names do by default.
        """
        if self.remove_accidental_hits == "auto":
            return self.loss != "nce"
        return self.remove_accidental_hits


@dataclass(frozen=True)
class TrainedVectors:
    """Input and output vectors, float32 (n_words, n_components), and the mean loss per epoch.

    Hierarchical softmax has output vectors for the n_words - 1 nodes of its tree instead. The
    output bias, one for each output vector, is zero for losses that have none.
    """

    input_vectors: np.ndarray
    output_vectors: np.ndarray
    output_bias: np.ndarray
    loss_curve: np.ndarray
    n_iter: int


def train(corpus, word_counts, parameters, *, n_threads, on_epoch=None, layout=None, isa=None):
    """Train word vectors on an encoded corpus.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
        The encoded documents.
    word_counts : array-like of int, shape (n_words,)
        How often each word occurs, by id.
    parameters : TrainingParameters
        What to train, and how.
    n_threads : int
        Threads to use at most; the result does not depend on it.
    on_epoch : callable, default=None
        Called after each epoch with its index, its mean loss and the tokens trained in a second.
    layout : skw2v._layout.Layout, default=None
        None takes `choose_layout`'s; another one is for tests and measurements.
    isa : str, default=None
        Instruction set of the kernels. None: the best, or what SKW2V_ISA names.

    Returns
    -------
    trained : TrainedVectors

    Raises
    ------
    ValueError
        If no word occurs at all.
    """
    word_counts = np.ascontiguousarray(word_counts, dtype=np.int64)
    if not word_counts.any():
        raise ValueError(
            f"nothing to learn: none of the {len(word_counts)} words occurs in the documents; "
            "pass documents that contain words of the vocabulary"
        )
    keep_threshold = _sampling.keep_thresholds(word_counts, parameters.subsample)
    if layout is None:
        layout = choose_layout(corpus.n_tokens, word_counts, keep_threshold, parameters)
    n_words, d = len(word_counts), parameters.n_components
    is_biased = parameters.loss in BIASED_LOSSES
    n_outputs = n_words - (parameters.loss == "hierarchical_softmax")
    input_rows, output_rows = _Rows(n_words, d + is_biased), _Rows(n_outputs, d + is_biased)
    rows_at_once = max(1, FLOATS_PER_INIT // input_rows.stride)
    for first in range(0, n_words, rows_at_once):
        rows = slice(first, first + rows_at_once)
        _kernels.init_vectors(
            input_rows.padded[rows],
            output_rows.padded[rows],
            d,
            parameters.seed,
            n_threads,
            first,
            is_biased,
        )
    engine = _kernels.Engine(
        corpus.token_ids,
        corpus.document_offsets,
        keep_threshold,
        input_rows.padded,
        output_rows.padded,
        seed=parameters.seed,
        architecture=parameters.architecture,
        cbow_gradient=parameters.cbow_gradient,
        window=parameters.window,
        dynamic_window=parameters.dynamic_window,
        group_size=layout.group_size,
        n_shards=layout.n_shards,
        shard_tokens=layout.shard_tokens,
        isa=isa,
        **objective(word_counts, keep_threshold, parameters, layout),
    )
    team = _Team(n_threads)
    loss_curve = np.zeros(parameters.max_iter)
    for epoch in range(parameters.max_iter):
        started = time.perf_counter()
        engine.start_epoch(epoch)
        _run_epoch(engine, learning_rates(engine.n_rounds, epoch, parameters), team)
        loss, n_pairs = engine.epoch_loss()
        loss_curve[epoch] = loss / n_pairs if n_pairs else 0.0
        if on_epoch is not None:
            seconds = time.perf_counter() - started
            on_epoch(epoch, loss_curve[epoch], corpus.n_tokens / seconds)
    del engine
    output_bias = np.zeros(n_outputs, dtype=np.float32)
    if is_biased:
        output_bias[:] = _sampling.initial_biases(word_counts, keep_threshold)
        output_bias += output_rows.padded[:, d]
    return TrainedVectors(
        input_rows.compacted(d),
        output_rows.compacted(d),
        output_bias,
        loss_curve,
        parameters.max_iter,
    )


def objective(word_counts, keep_threshold, parameters, layout):
    """What `Engine` has to know of the loss: keyword arguments."""
    loss, n_words = parameters.loss, len(word_counts)
    chosen = {
        "loss": loss,
        "remove_hits": parameters.removes_hits,
        "n_negatives": 0,
        "pool_size": 0,
    }
    offsets = np.zeros(n_words, dtype=np.float32)
    if loss in SAMPLED_LOSSES:
        noise = _sampling.noise_probabilities(
            word_counts, parameters.noise, parameters.noise_exponent
        )
        chosen["n_negatives"] = parameters.n_negatives
        chosen["pool_size"] = layout.pool_size
        chosen["noise"] = _sampling.alias_table(noise)
        offsets = _sampling.log_expected_counts(noise, parameters.n_negatives)
    if loss in BIASED_LOSSES:
        # The kernels train the biases' change since the start.
        chosen["bias_column"] = parameters.n_components
        chosen["offsets"] = offsets - _sampling.initial_biases(word_counts, keep_threshold)
    if loss == "softmax":
        chosen["hot_rows"] = (0, n_words)
    if loss == "hierarchical_softmax":
        paths = huffman_paths(word_counts)
        steps = 2 * paths.nodes + paths.labels.astype(np.int32)
        chosen["paths"] = (paths.offsets, steps)
        n_hot = n_hot_nodes(paths, word_counts, keep_threshold, layout)
        chosen["hot_rows"] = (n_words - 1 - n_hot, n_words - 1)
    return chosen


def learning_rates(n_rounds, epoch, parameters):
    """The rate of each round of an epoch: linear over all rounds, never below the minimum."""
    total = n_rounds * parameters.max_iter
    progress = (epoch * n_rounds + np.arange(n_rounds)) / total
    span = parameters.learning_rate - parameters.min_learning_rate
    rates = parameters.learning_rate - span * progress
    return np.maximum(rates, parameters.min_learning_rate).astype(np.float32)


def _run_epoch(engine, rates, team):
    """Run all rounds, in calls of about SECONDS_PER_CALL each."""
    done, step = 0, 1
    while done < len(rates):
        n_rounds = min(max(1, step // 4) if team.on_trial else step, len(rates) - done)
        started = time.perf_counter()
        engine.run(rates[done : done + n_rounds], team.n_threads)
        seconds = max(time.perf_counter() - started, 1e-9)
        done += n_rounds
        if not team.on_trial:
            # At most double: the first rounds (cold caches) say little about the ones to come.
            step = max(1, int(n_rounds * min(2.0, SECONDS_PER_CALL / seconds)))
        team.report(n_rounds / seconds, seconds)


class _Team:
    """How many threads run the next rounds: all of them, or fewer while the machine is busy.

    Threads that meet at a barrier twice a round run at the pace of the one that waits for a core.
    Where other processes want the cores, fewer threads are faster, and since the vectors do not
    depend on their number we are free to change it: now and then a call runs with half or twice as
    many, and the faster number stays. On an idle machine the trials get rare (they cost below 1 %).
    """

    FIRST_TRIAL, LONGEST_WAIT = 1.0, 8.0  # seconds
    SHORTEST_SAMPLE = 0.01  # seconds; the speed of a shorter call is chance

    def __init__(self, n_threads):
        self.most = self.n_threads = self._settled = n_threads
        self._speed = 0.0  # rounds per second of the settled number, smoothed
        self._wait = self._until_trial = self.FIRST_TRIAL
        self._up = False

    @property
    def on_trial(self):
        """Does the next call try another number of threads?"""
        return self.n_threads != self._settled

    def report(self, speed, seconds):
        """Take note of a call's speed and set ``n_threads`` for the next one."""
        if self.most == 1 or (seconds < self.SHORTEST_SAMPLE and not self.on_trial):
            return
        if self.on_trial:
            if speed > self._speed:
                self._settled, self._speed, self._wait = self.n_threads, speed, self.FIRST_TRIAL
            else:
                self.n_threads = self._settled
                self._wait = min(2 * self._wait, self.LONGEST_WAIT)
            self._until_trial = self._wait
            return
        if speed < 0.6 * self._speed:  # something else has come up
            self._until_trial = 0.0
            self._wait = self.FIRST_TRIAL
        self._speed = speed if self._speed == 0.0 else 0.5 * (self._speed + speed)
        self._until_trial -= seconds
        if self._until_trial <= 0.0:
            self._up = self._settled < self.most and (not self._up or self._settled == 1)
            tried = 2 * self._settled if self._up else max(1, self._settled // 2)
            self.n_threads = min(tried, self.most)


class _Rows:
    """A float32 matrix with rows aligned and padded to 64 bytes, that compacts in place."""

    def __init__(self, n_rows, n_columns):
        self.n_rows = n_rows
        self.stride = -(-n_columns // BLOCK) * BLOCK
        self._memory = np.empty(n_rows * self.stride + BLOCK, dtype=np.float32)
        start = -(self._memory.ctypes.data // 4) % BLOCK
        self.padded = self._memory[start : start + n_rows * self.stride].reshape(
            n_rows, self.stride
        )

    def compacted(self, n_columns, rows_at_once=4096):
        """The first columns of the matrix, C-contiguous, in the same memory."""
        memory, padded = self._memory, self.padded
        self._memory = self.padded = None
        for first in range(0, self.n_rows, rows_at_once):
            block = padded[first : first + rows_at_once, :n_columns]
            begin = first * n_columns
            memory[begin : begin + block.size] = block.ravel()
            del block
        del padded
        memory.resize(self.n_rows * n_columns, refcheck=False)
        return memory.reshape(self.n_rows, n_columns)
