"""A training of documents and their classes under way: the other trainer, beside that of words."""

from dataclasses import dataclass

import numpy as np

from skw2v import _kernels, _sampling
from skw2v._layout import choose_document_layout
from skw2v._parameters import BIASED_LOSSES
from skw2v._trainer import RowTrainer, objective

# How long the classes' random vectors are at the start. From zero, as in fastText, table and layer
# wait for each other, and documents of a hundred words spend their first epochs on that. A table
# that starts from vectors of elsewhere has something to say at once: then classes start from zero,
# and owe nothing to chance.
CLASS_VECTOR_LENGTH = 4.0


@dataclass(frozen=True, eq=False)
class Labels:
    """The classes of documents: document d has ``classes[offsets[d]:offsets[d + 1]]``.

    Attributes
    ----------
    offsets : ndarray of shape (n_documents + 1,), int64
    classes : ndarray of shape (n_labels,), int32
    counts : ndarray of shape (n_classes,), float64
        The weight of the documents of each class.
    n_documents : float
        The weight of all.
    """

    offsets: np.ndarray
    classes: np.ndarray
    counts: np.ndarray
    n_documents: float


@dataclass(frozen=True, eq=False)
class DrawnDocuments:
    """The documents of an epoch in turn, none of them empty.

    Attributes
    ----------
    order : ndarray of shape (n_drawn,), int64
    lengths : ndarray of shape (n_drawn,), int64
        Tokens of each.
    """

    order: np.ndarray
    lengths: np.ndarray

    @property
    def n_documents(self):
        return len(self.order)

    @property
    def n_tokens(self):
        return int(self.lengths.sum())


class DocumentTrainer(RowTrainer):
    """An embedding table and an output layer while they train.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
        The documents; ids are rows of the table.
    labels : Labels
        Their classes: one each, or under loss "ova" any number.
    n_inputs : int
        Rows of the table.
    parameters : skw2v._parameters.TrainingParameters
        What they say of windows and subsampling is not used.
    n_threads : int
        Threads to use at most; the result does not depend on it.
    start : TrainedVectors, default=None
        Goes on from there. None: starts afresh.
    init : skw2v._transfer.StartingRows, default=None
        What the first rows of the table start from instead. None: nothing is known of them.
    expected_size : (float, float), default=None
        How many documents and tokens an epoch will draw, about. None: all of the corpus, once.
    layout : skw2v._layout.Layout, default=None
        None takes `choose_document_layout`'s; another one is for tests and measurements.
    isa : str, default=None
        Instruction set of the kernels. None: the best, or what SKW2V_ISA names.
    """

    def __init__(
        self,
        corpus,
        labels,
        n_inputs,
        parameters,
        *,
        n_threads,
        start=None,
        init=None,
        expected_size=None,
        layout=None,
        isa=None,
    ):
        n_classes = len(labels.counts)
        n_documents, n_tokens = expected_size or (corpus.n_documents, corpus.n_tokens)
        if layout is None:
            layout = choose_document_layout(n_documents, n_tokens, parameters)
        tree_counts = bias_start = None
        if parameters.loss == "hierarchical_softmax":
            tree_counts = start.tree_counts if start else labels.counts
        if parameters.loss == "ova":
            bias_start = _sampling.initial_log_odds(labels.counts, labels.n_documents)
        elif parameters.loss in BIASED_LOSSES:
            everything = _sampling.keep_thresholds(labels.counts, 0)
            bias_start = _sampling.initial_biases(labels.counts, everything)
        super().__init__(
            n_inputs,
            n_classes,
            parameters,
            bias_start=bias_start,
            tree_counts=tree_counts,
            n_threads=n_threads,
            start=start,
            init=init,
            n_spare_columns=1,
        )
        self._layout = layout
        self._engine = _kernels.Engine(
            corpus.token_ids,
            corpus.document_offsets,
            None,
            self._input.padded,
            self._output.padded,
            labels=(labels.offsets, labels.classes),
            seed=parameters.seed,
            architecture="document",
            cbow_gradient="exact",
            window=1,
            dynamic_window=False,
            curvature_column=parameters.n_components + self._is_biased,
            group_size=1,
            n_shards=layout.n_shards,
            shard_tokens=layout.shard_tokens,
            frozen=self._frozen,
            isa=isa,
            **objective(
                labels.counts,
                parameters,
                layout.pool_size,
                bias_start=self._bias_start,
                tree_counts=tree_counts,
                kept=labels.counts,
                steps=layout.shard_tokens * n_documents / max(n_tokens, 1),
            ),
        )

    def _fill(self, start, init):
        super()._fill(start, init)
        if start is not None or init is not None:
            return
        d = self.parameters.n_components
        rows = self._output.padded
        nothing = np.empty((0, self._output.stride), dtype=np.float32)
        _kernels.init_vectors(
            rows, nothing, d, self.parameters.seed, self._n_threads, self._input.n_rows
        )
        rows[:, :d] *= np.float32(CLASS_VECTOR_LENGTH * np.sqrt(12 * d))  # from +-.5 / d

    def run_epoch(self, drawn, rates_of, on_call=None):
        """Train once through documents.

        Parameters
        ----------
        drawn : DrawnDocuments
        rates_of : callable
            From the number of rounds to the learning rate of each.
        on_call : callable, default=None
            Called about ten times a second with the share of the epoch that is done.

        Returns
        -------
        loss : float
            Mean loss of a document; 0 if there is none.
        """
        loss = 0.0
        if drawn.n_documents:
            self._engine.start_epoch(
                self.n_iter, drawn.order, shares(drawn.lengths, self._layout.shard_tokens)
            )
            loss = self._run(rates_of, on_call)
        return self._end_epoch(loss)


def shares(lengths, shard_tokens):
    """Where each share of documents in turn begins, and the last one ends.

    A share begins with the first document at or after each multiple of `shard_tokens` tokens, so
    that all have about as many.

    Parameters
    ----------
    lengths : ndarray of shape (n_documents,), int64
        At least 1 each.
    shard_tokens : int

    Returns
    -------
    places : ndarray of shape (n_shares + 1,), int64

    Examples
    --------
    >>> from skw2v._document_trainer import shares
    >>> shares([2, 2, 2, 7, 1], shard_tokens=4)
    array([0, 2, 4, 5])
    """
    ends = np.cumsum(lengths)
    begins = ends - lengths
    places = np.searchsorted(begins, np.arange(0, ends[-1], shard_tokens))
    return np.unique(np.append(places, len(lengths)))
