"""A training under way: the matrices, and one epoch after the other.

The one caller of the training kernels. It runs the rounds of a layout and hands control back to
Python several times a second, so that Ctrl-C works and progress can be shown. Nothing here depends
on the number of threads except how many of them run a round.
"""

from dataclasses import dataclass

import numpy as np

from skw2v import _kernels, _sampling
from skw2v._huffman import huffman_paths
from skw2v._layout import choose_layout, n_hot_nodes
from skw2v._parameters import BIASED_LOSSES, SAMPLED_LOSSES
from skw2v._rounds import Team, run_rounds
from skw2v._rows import Rows
from skw2v._subwords import Subwords

FLOATS_PER_INIT = 2**24


# Not slotted: pickles keep these by name, so that a later field cannot shift an earlier one.
@dataclass(frozen=True, eq=False)
class TrainedVectors:
    """What training has made so far, and all it needs to go on from there to the bit.

    Attributes
    ----------
    input_vectors, output_vectors : ndarray of shape (n_words, n_components), float32
        Hierarchical softmax has output vectors for the n_words - 1 nodes of its tree instead.
    output_bias : ndarray of shape (n_outputs,), float32
        One for each output vector; zero for losses that have none.
    loss_curve : ndarray of shape (n_iter,), float64
        The mean loss of every epoch.
    n_iter : int
        Epochs trained; the next one draws its random numbers under this number.
    bias_start, bias_change : ndarray of shape (n_outputs,), float32, or None
        Where the biases have started, and how far they have come: `output_bias` is their sum, but
        rounded. None for losses that have none.
    tree_counts : ndarray of shape (n_words,), or None
        The counts that the tree of hierarchical softmax is made from.
    validation_scores : ndarray of shape (n_iter,), float64, or None
        With early stopping: the score of the held-out documents after every epoch, nan where none
        was taken.
    subwords : skw2v._subwords.Subwords, or None
        What the input vectors are made of, the means of the rows of
    subword_vectors : ndarray of shape (n_rows, n_components), float32, or None
    given : ndarray of bool, shape (n_words,), or None
        Whose input vectors the training was given to start from, by `init`. None: nobody's.
    """

    input_vectors: np.ndarray
    output_vectors: np.ndarray
    output_bias: np.ndarray
    loss_curve: np.ndarray
    n_iter: int
    bias_start: np.ndarray | None = None
    bias_change: np.ndarray | None = None
    tree_counts: np.ndarray | None = None
    validation_scores: np.ndarray | None = None
    subwords: Subwords | None = None
    subword_vectors: np.ndarray | None = None
    given: np.ndarray | None = None


class RowTrainer:
    """Input and output rows while they train, whoever says what on.

    A subclass makes `_make_engine` and runs epochs.

    Parameters
    ----------
    n_inputs : int
        Input rows.
    bias_start : ndarray of shape (n_targets,), float32, or None
        Where biases start. None: there are none.
    tree_counts : ndarray of shape (n_targets,), or None
        Of the Huffman tree, whose nodes the output rows then are.
    n_targets : int
        What can be predicted.
    n_spare_columns : int, default=0
        Columns of a row that are the engine's own.
    parameters, n_threads, start, init, subwords
        As for `Trainer`.
    """

    def __init__(
        self,
        n_inputs,
        n_targets,
        parameters,
        *,
        bias_start,
        tree_counts,
        n_threads,
        start,
        init,
        subwords=None,
        n_spare_columns=0,
    ):
        self.parameters = parameters
        self.n_iter = start.n_iter if start else 0
        self.loss_curve = start.loss_curve.tolist() if start else []
        self._is_biased = bias_start is not None
        self._bias_start = bias_start
        self._is_tree = tree_counts is not None
        self._tree_counts = tree_counts
        n_columns = parameters.n_components + self._is_biased + n_spare_columns
        self._input = Rows(n_inputs, n_columns)
        self._output = Rows(n_targets - self._is_tree, n_columns)
        self._subwords, self._n_threads = subwords, n_threads
        self._parts = Rows(subwords.n_rows, n_columns) if subwords else None
        self._given = None  # whose input rows were given to start from
        self._fill(start, init)
        self._frozen = _frozen(parameters.trainable, self._given, n_inputs)
        self._kept = None  # copies of what is trained, of the epoch worth keeping
        self._engine = None
        self._team = Team(n_threads)

    @property
    def _trained_rows(self):
        """The two matrices that training changes, the first of which input vectors come from."""
        return (self._parts or self._input).padded, self._output.padded

    def _fill(self, start, init):
        """Give every row its start."""
        input_rows, output_rows = self._trained_rows
        d = self.parameters.n_components
        rows_at_once = max(1, FLOATS_PER_INIT // self._input.stride)
        for first in range(0, len(input_rows), rows_at_once):
            rows = slice(first, first + rows_at_once)
            _kernels.init_vectors(
                input_rows[rows],
                output_rows[rows],
                d,
                self.parameters.seed,
                self._n_threads,
                first,
                self._is_biased,
            )
        output_rows[len(input_rows) :] = 0.0  # classes may be more than rows
        if init is not None:
            n_before = len(start.input_vectors) if start else 0
            self._fill_given(n_before + np.flatnonzero(init.known), init)
        if start is not None:
            self._fill_trained(start)

    def _fill_given(self, words, init):
        """What `init` has for these words."""
        d = self.parameters.n_components
        self._given = np.zeros(self._input.n_rows, dtype=bool)
        self._given[words] = True
        self._input.padded[words, :d] = init.input_vectors
        if init.output_vectors is not None and not self._is_tree:
            self._output.padded[words, :d] = init.output_vectors
        if init.output_bias is not None and self._is_biased:
            self._bias_start[words] = init.output_bias

    def _fill_trained(self, start):
        """What there is of an earlier training."""
        input_rows, output_rows = self._trained_rows
        d = self.parameters.n_components
        if start.given is not None:
            if self._given is None:
                self._given = np.zeros(self._input.n_rows, dtype=bool)
            self._given[: len(start.given)] = start.given
        if self._subwords:
            input_rows[start.subwords.rows_in(self._subwords), :d] = start.subword_vectors
        else:
            input_rows[: len(start.input_vectors), :d] = start.input_vectors
        output_rows[: len(start.output_vectors), :d] = start.output_vectors
        if self._is_biased:
            output_rows[: len(start.bias_change), d] = start.bias_change
            self._bias_start[: len(start.bias_start)] = start.bias_start

    def _run(self, rates_of, on_call):
        """Run the engine's epoch; the mean loss of a true pair."""
        run_rounds(self._engine, rates_of(self._engine.n_rounds), self._team, on_call)
        loss, n_pairs = self._engine.epoch_loss()
        return loss / n_pairs if n_pairs else 0.0

    def _end_epoch(self, loss):
        self.n_iter += 1
        self.loss_curve.append(loss)
        return loss

    def keep(self):
        """Remember the vectors as they are now, for `finish`."""
        if self._kept is None:
            self._kept = [rows.copy() for rows in self._trained_rows]
        else:
            for kept, rows in zip(self._kept, self._trained_rows, strict=True):
                kept[:] = rows

    def snapshot(self, validation_scores=None):
        """What `finish` would return now, as copies; without scores the vectors as they are now."""
        d, rows = self.parameters.n_components, self._trained_rows
        if validation_scores is not None and self._kept is not None:
            rows = self._kept
        input_rows, output_rows = (part[:, :d].copy() for part in rows)
        subword_vectors = None
        if self._subwords:
            self._compose(rows[0])
            subword_vectors, input_rows = input_rows, self._input.padded[:, :d].copy()
        return self._trained(
            input_rows, output_rows, self._bias_change(rows[1]), validation_scores, subword_vectors
        )

    def finish(self, validation_scores=None):
        """The vectors that `keep` has remembered, or else as they are now.

        They take over the trainer's memory: it cannot go on.
        """
        self._engine = None
        if self._kept is not None:
            for kept, rows in zip(self._kept, self._trained_rows, strict=True):
                rows[:] = kept
            self._kept = None
        d = self.parameters.n_components
        bias_change = self._bias_change(self._output.padded)
        subword_vectors = None
        if self._subwords:
            self._compose(self._parts.padded)
            subword_vectors = self._parts.compacted(d)
        return self._trained(
            self._input.compacted(d),
            self._output.compacted(d),
            bias_change,
            validation_scores,
            subword_vectors,
        )

    def _compose(self, subword_rows):
        """Make every input row: in training only those of the words at hand are made."""
        _kernels.compose(
            self._subwords.part_offsets,
            self._subwords.parts,
            subword_rows,
            self._input.padded,
            self._n_threads,
            bias_column=self.parameters.n_components if self._is_biased else -1,
        )

    def _bias_change(self, output_rows):
        return output_rows[:, self.parameters.n_components].copy() if self._is_biased else None

    def _trained(
        self, input_vectors, output_vectors, bias_change, validation_scores, subword_vectors
    ):
        output_bias = np.zeros(len(output_vectors), dtype=np.float32)
        if self._is_biased:
            output_bias = self._bias_start + bias_change
        return TrainedVectors(
            input_vectors,
            output_vectors,
            output_bias,
            np.array(self.loss_curve),
            self.n_iter,
            self._bias_start,
            bias_change,
            self._tree_counts,
            validation_scores,
            self._subwords,
            subword_vectors,
            self._given,
        )


class Trainer(RowTrainer):
    """Word vectors while they train.

    Parameters
    ----------
    word_counts : ndarray of shape (n_words,)
        How often each word occurs, by id: for subsampling and noise.
    parameters : skw2v._parameters.TrainingParameters
    n_tokens : int
        Tokens of an epoch, roughly: for the layout.
    n_threads : int
        Threads to use at most; the result does not depend on it.
    start : TrainedVectors, default=None
        Goes on from there; words beyond the ones it has start afresh. None: all do.
    init : skw2v._transfer.StartingRows, default=None
        What the words beyond those of `start` start from instead. None: nothing is known of them.
    subwords : skw2v._subwords.Subwords, default=None
        What the words are made of. None: they are wholes.
    layout : skw2v._layout.Layout, default=None
        None takes `choose_layout`'s; another one is for tests and measurements.
    isa : str, default=None
        Instruction set of the kernels. None: the best, or what SKW2V_ISA names.
    """

    def __init__(
        self,
        word_counts,
        parameters,
        n_tokens,
        *,
        n_threads,
        start=None,
        init=None,
        subwords=None,
        layout=None,
        isa=None,
    ):
        word_counts = np.ascontiguousarray(word_counts)
        keep_threshold = _sampling.keep_thresholds(word_counts, parameters.subsample)
        if layout is None:
            layout = choose_layout(n_tokens, word_counts, keep_threshold, parameters)
        tree_counts = None
        if parameters.loss == "hierarchical_softmax":
            tree_counts = start.tree_counts if start else word_counts
        bias_start = None
        if parameters.loss in BIASED_LOSSES:
            bias_start = _sampling.initial_biases(word_counts, keep_threshold)
        super().__init__(
            len(word_counts),
            len(word_counts),
            parameters,
            bias_start=bias_start,
            tree_counts=tree_counts,
            n_threads=n_threads,
            start=start,
            init=init,
            subwords=subwords,
        )
        kernel_objective = word_objective(
            word_counts, keep_threshold, parameters, layout, self._bias_start, self._tree_counts
        )
        self._make_engine = lambda corpus: _kernels.Engine(
            corpus.token_ids,
            corpus.document_offsets,
            keep_threshold,
            self._input.padded,
            self._output.padded,
            seed=parameters.seed,
            architecture=parameters.architecture,
            cbow_gradient=parameters.cbow_gradient,
            window=parameters.window,
            dynamic_window=parameters.dynamic_window,
            group_size=layout.group_size,
            n_shards=layout.n_shards,
            shard_tokens=layout.shard_tokens,
            subwords=(subwords.part_offsets, subwords.parts, self._parts.padded)
            if subwords
            else None,
            frozen=self._frozen,
            isa=isa,
            **kernel_objective,
        )
        self._corpus = None

    def run_epoch(self, corpus, rates_of, on_call=None):
        """Train once through a corpus.

        Parameters
        ----------
        corpus : skw2v._corpus.Corpus
        rates_of : callable
            From the number of rounds to the learning rate of each.
        on_call : callable, default=None
            Called about ten times a second with the share of the epoch that is done.

        Returns
        -------
        loss : float
            Mean loss of a true pair; 0 if the corpus has none.
        """
        loss = 0.0
        if corpus.n_tokens:
            if corpus is not self._corpus:
                self._engine = None  # its memory first
                self._engine, self._corpus = self._make_engine(corpus), corpus
            self._engine.start_epoch(self.n_iter)
            loss = self._run(rates_of, on_call)
        return self._end_epoch(loss)


def _frozen(trainable, given, n_words):
    """Which input rows stay as they are, as the kernels take it; None: all of them are trained."""
    if trainable == "none":
        return np.ones(n_words, dtype=np.uint8)
    if trainable == "new" and given is not None:
        return given.view(np.uint8)
    return None


def objective(
    counts, parameters, pool_size, *, bias_start=None, tree_counts=None, kept=None, steps=None
):
    """What `Engine` has to know of the loss: keyword arguments.

    Parameters
    ----------
    counts : ndarray of shape (n_targets,)
        How often each target occurs: for noise.
    parameters : skw2v._parameters.TrainingParameters
    pool_size : int
        Noise words of a shard.
    bias_start : ndarray of shape (n_targets,), float32, default=None
        Where biases start; losses without biases need none.
    tree_counts : ndarray of shape (n_targets,), default=None
        What the Huffman tree is made from.
    kept : ndarray of shape (n_targets,), default=None
        How often each target is trained; with `steps`, how many of them a shard trains, it says
        which nodes of the tree are hot.
    steps : float, default=None
    """
    loss, n_targets = parameters.loss, len(counts)
    chosen = {
        "loss": loss,
        "remove_hits": parameters.removes_hits,
        "n_negatives": 0,
        "pool_size": 0,
    }
    offsets = np.zeros(n_targets, dtype=np.float32)
    if loss in SAMPLED_LOSSES:
        noise = _sampling.noise_probabilities(counts, parameters.noise, parameters.noise_exponent)
        chosen["n_negatives"] = parameters.n_negatives
        chosen["pool_size"] = pool_size
        chosen["noise"] = _sampling.alias_table(noise)
        offsets = _sampling.log_expected_counts(noise, parameters.n_negatives)
    if bias_start is not None:
        # The kernels train the biases' change since the start.
        chosen["bias_column"] = parameters.n_components
        chosen["offsets"] = offsets - bias_start
    if loss in ("softmax", "ova"):
        chosen["hot_rows"] = (0, n_targets)
    if loss == "hierarchical_softmax":
        paths = huffman_paths(tree_counts)
        chosen["paths"] = (paths.offsets, 2 * paths.nodes + paths.labels.astype(np.int32))
        n_hot = n_hot_nodes(paths, kept, steps)
        chosen["hot_rows"] = (n_targets - 1 - n_hot, n_targets - 1)
    return chosen


def word_objective(
    word_counts, keep_threshold, parameters, layout, bias_start=None, tree_counts=None
):
    """`objective` of a training of words.

    Biases start at `bias_start` (None: where new ones do), and the Huffman tree is that of
    `tree_counts` (None: of `word_counts`).
    """
    if bias_start is None and parameters.loss in BIASED_LOSSES:
        bias_start = _sampling.initial_biases(word_counts, keep_threshold)
    kept = _sampling.kept_counts(word_counts, keep_threshold)
    return objective(
        word_counts,
        parameters,
        layout.pool_size,
        bias_start=bias_start,
        tree_counts=word_counts if tree_counts is None else tree_counts,
        kept=kept,
        steps=layout.shard_tokens * kept.sum() / word_counts.sum(),
    )
