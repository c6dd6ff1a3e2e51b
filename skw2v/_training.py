"""From the encoded corpus to trained vectors: which epochs, at what rate, and when to stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from skw2v import _kernels
from skw2v._corpus import Corpus
from skw2v._likelihood import HeldOutPairs
from skw2v._parameters import TrainingParameters  # noqa: F401  where the first pickles look for it
from skw2v._trainer import Trainer

# Raised whenever the same corpus and parameters train to other bits: results that were kept under
# the old number are then not found.
REVISION = 4

# Purposes of the generator's draws, beside those of the kernels (kernels/rng.h).
_PURPOSE_REPEATS, _PURPOSE_HELD_OUT = 3, 4


@dataclass(frozen=True)
class EarlyStopping:
    """Stop once `n_iter_no_change` epochs in a row have not raised the score by `tol`."""

    held_out: Corpus
    n_iter_no_change: int
    tol: float


@dataclass(frozen=True)
class EpochReport:
    """What there is to say after an epoch."""

    epoch: int  # from 0
    loss: float
    words_per_second: float
    score: float | None  # of the held-out documents, with early stopping
    snapshot: Callable  # returns the TrainedVectors that stopping now would give


def train(
    corpus,
    word_counts,
    parameters,
    *,
    n_threads,
    document_weight=None,
    early_stopping=None,
    start=None,
    init=None,
    subwords=None,
    on_epoch_begin=None,
    on_call=None,
    on_epoch=None,
    layout=None,
    isa=None,
):
    """Train word vectors on an encoded corpus, up to epoch `parameters.max_iter`.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
        The encoded documents.
    word_counts : array-like of shape (n_words,)
        How often each word occurs, by id.
    parameters : skw2v._parameters.TrainingParameters
        What to train, and how.
    n_threads : int
        Threads to use at most; the result does not depend on it.
    document_weight : ndarray of shape (n_documents,), default=None
        How many times in a row each document is trained in an epoch. A fraction is drawn anew in
        every epoch: 1.3 is twice with probability 0.3, else once. None: every one once.
    early_stopping : EarlyStopping, default=None
        None: all epochs.
    start : TrainedVectors, default=None
        Go on from here. None: start afresh.
    on_epoch_begin : callable, default=None
        Called before each epoch.
    on_call : callable, default=None
        Called about ten times a second with the epoch and the share of it that is done.
    on_epoch : callable, default=None
        Called after each epoch with an EpochReport; training stops if it returns True.
    init, subwords, layout, isa
        As for `Trainer`.

    Returns
    -------
    trained : TrainedVectors
        With early stopping those of the best epoch; `n_iter` is how many were trained.

    Raises
    ------
    ValueError
        If no word occurs at all.
    """
    word_counts = np.asarray(word_counts)
    _check_words_occur(word_counts.any() and corpus.n_tokens, word_counts)
    corpus_of = partial(_corpus_of_epoch, corpus, document_weight, parameters.seed)
    if document_weight is not None and not np.any(document_weight % 1):
        corpus = corpus.repeated(document_weight.astype(np.int64))
        corpus_of = partial(_corpus_of_epoch, corpus, None, None)
        document_weight = None
    trainer = Trainer(
        word_counts,
        parameters,
        expected_tokens(corpus, document_weight),
        n_threads=n_threads,
        start=start,
        init=init,
        subwords=subwords,
        layout=layout,
        isa=isa,
    )
    watch = None
    if early_stopping is not None:
        watch = Watch(
            early_stopping,
            trainer,
            _score_of_held_out(early_stopping, trainer, word_counts, n_threads),
        )
        if start is not None:
            watch.go_on(start)
    return run_epochs(
        trainer,
        corpus_of,
        watch=watch,
        on_epoch_begin=on_epoch_begin,
        on_call=on_call,
        on_epoch=on_epoch,
    )


def run_epochs(trainer, data_of, *, watch, on_epoch_begin, on_call, on_epoch):
    """Train up to epoch `max_iter` of the trainer's parameters.

    Parameters
    ----------
    trainer : skw2v._trainer.RowTrainer
    data_of : callable
        From an epoch's index to what the trainer's `run_epoch` takes, which knows its `n_documents`
        and `n_tokens`.
    watch : Watch or None
        Stops early.
    on_epoch_begin, on_call, on_epoch
        As for `train`.

    Returns
    -------
    trained : TrainedVectors
    """
    first_epoch, parameters = trainer.n_iter, trainer.parameters
    n_drawn = 0
    for epoch in range(first_epoch, parameters.max_iter):
        if on_epoch_begin is not None:
            on_epoch_begin()
        started = time.perf_counter()
        data = data_of(epoch)
        n_drawn += data.n_documents
        loss = trainer.run_epoch(
            data,
            partial(learning_rates, epoch=epoch, parameters=parameters),
            None if on_call is None else partial(on_call, epoch),
        )
        words_per_second = data.n_tokens / (time.perf_counter() - started)
        score = watch.look_at() if watch else None
        snapshot = partial(trainer.snapshot, np.array(watch.scores) if watch else None)
        report = EpochReport(epoch, loss, words_per_second, score, snapshot)
        wants_to_stop = on_epoch is not None and on_epoch(report)
        if wants_to_stop or (watch and watch.has_seen_enough):
            break
    else:
        n_epochs = parameters.max_iter - first_epoch
        if not n_drawn and n_epochs:
            raise ValueError(
                f"nothing to learn: sample_weight is so small that no document was drawn in "
                f"{n_epochs} epochs; multiply the weights by a common factor"
            )
    return trainer.finish(np.array(watch.scores) if watch else None)


def train_on_batch(
    corpus,
    word_counts,
    parameters,
    *,
    n_threads,
    rates,
    document_weight=None,
    start=None,
    init=None,
    subwords=None,
):
    """Train once through a batch of a stream.

    Parameters
    ----------
    corpus, word_counts, parameters, n_threads, document_weight, start, init, subwords
        As for `train`; the counts are those of the stream so far.
    rates : (float, float)
        Learning rate at the beginning and at the end of the batch.

    Returns
    -------
    trained : TrainedVectors

    Raises
    ------
    ValueError
        If no word has occurred yet. Later batches may be without any.
    """
    _check_words_occur(word_counts.any(), word_counts)
    n_iter = start.n_iter if start else 0
    corpus = _corpus_of_epoch(corpus, document_weight, parameters.seed, n_iter)
    trainer = Trainer(
        word_counts,
        parameters,
        corpus.n_tokens,
        n_threads=n_threads,
        start=start,
        init=init,
        subwords=subwords,
    )
    trainer.run_epoch(
        corpus, lambda n_rounds: np.linspace(*rates, n_rounds, endpoint=False, dtype=np.float32)
    )
    return trainer.finish()


def learning_rates(n_rounds, epoch, parameters):
    """The rate of each round of an epoch: linear over all rounds, never below the minimum."""
    total = n_rounds * parameters.max_iter
    progress = (epoch * n_rounds + np.arange(n_rounds)) / total
    return rate_at(progress, parameters).astype(np.float32)


def rate_at(progress, parameters):
    """The learning rate when that share of all training is done; the minimum beyond its end."""
    span = parameters.learning_rate - parameters.min_learning_rate
    return np.maximum(parameters.learning_rate - span * progress, parameters.min_learning_rate)


def expected_tokens(corpus, document_weight):
    """How many tokens an epoch has, in expectation."""
    if document_weight is None:
        return corpus.n_tokens
    return int(np.diff(corpus.document_offsets) @ document_weight)


def best_epoch(scores):
    """The first epoch with the highest score. nan, of a model that has diverged or was not scored,
    is worse than any number."""
    return int(np.argmax(np.where(np.isnan(scores), -np.inf, scores)))


def hold_out(document_weight, fraction, seed):
    """Choose documents that are not trained, for early stopping.

    Parameters
    ----------
    document_weight : ndarray of shape (n_documents,)
        Documents of weight 0 are as if absent.
    fraction : float
        Of the documents; at least one, and never all.
    seed : int

    Returns
    -------
    held_out : ndarray of bool, shape (n_documents,)

    Raises
    ------
    ValueError
        If there are fewer than two documents.
    """
    (there,) = np.nonzero(document_weight)
    if len(there) < 2:
        raise ValueError(
            f"early_stopping=True holds out documents to score, but there is {len(there)} with a "
            "weight above 0; pass more documents or set early_stopping=False"
        )
    # Rounded first: 0.07 of 100 is 7, not the 7.000000000000001 that floats make of it.
    n_held_out = min(int(np.ceil(round(fraction * len(there), 9))), len(there) - 1)
    order = np.argsort(_kernels.uniforms(seed, _PURPOSE_HELD_OUT, 0, len(there)), kind="stable")
    held_out = np.zeros(len(document_weight), dtype=bool)
    held_out[there[order[:n_held_out]]] = True
    return held_out


def _check_words_occur(they_do, word_counts):
    if not they_do:
        raise ValueError(
            f"nothing to learn: none of the {len(word_counts)} words occurs in the documents; "
            "pass documents that contain words of the vocabulary"
        )


def _corpus_of_epoch(corpus, document_weight, seed, epoch):
    if document_weight is None:
        return corpus
    draws = _kernels.uniforms(seed, _PURPOSE_REPEATS, epoch, len(document_weight))
    return corpus.repeated(np.floor(document_weight + draws).astype(np.int64))


def _score_of_held_out(early_stopping, trainer, word_counts, n_threads):
    """From a trainer to the score of the held-out documents."""
    held_out = early_stopping.held_out
    try:
        pairs = HeldOutPairs(held_out, word_counts, trainer.parameters)
    except ValueError as error:
        raise ValueError(
            f"early_stopping=True holds out {held_out.n_documents} of the documents, and there "
            f"is {error}; or raise validation_fraction, or set early_stopping=False"
        ) from None
    return lambda trainer: pairs.mean_log_likelihood(trainer.snapshot(), n_threads=n_threads)


class Watch:
    """Scores the held-out documents after every epoch, and has the trainer keep the best one's
    vectors.

    Parameters
    ----------
    settings : EarlyStopping
    trainer : skw2v._trainer.RowTrainer
    score : callable
        From the trainer to a number, of which more is better.
    """

    def __init__(self, settings, trainer, score):
        self.scores = []
        self._settings, self._trainer, self._score = settings, trainer, score
        self._best = -np.inf
        self._n_without_gain = 0

    def go_on(self, start):
        """The vectors to go on from are the best so far: of the best epoch, or the last one."""
        score = self._score(self._trainer)
        epoch, scores = start.n_iter - 1, np.full(start.n_iter, np.nan)
        if start.validation_scores is not None:
            epoch = best_epoch(start.validation_scores)
            if start.validation_scores[epoch] == score:  # of the same documents and parameters
                scores = start.validation_scores
        self.scores = scores.tolist()
        self.scores[epoch] = score
        if score > self._best:  # else it is not a number
            self._best = score
            self._trainer.keep()

    def look_at(self):
        """Score an epoch that has ended."""
        score = self._score(self._trainer)
        self.scores.append(score)
        # A score that is not a number has not gained either.
        gained = score >= self._best + self._settings.tol
        self._n_without_gain = 0 if gained else self._n_without_gain + 1
        if score > self._best:
            self._best = score
            self._trainer.keep()
        return score

    @property
    def has_seen_enough(self):
        return self._n_without_gain > self._settings.n_iter_no_change
