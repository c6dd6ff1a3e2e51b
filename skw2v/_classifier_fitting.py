"""What `EmbeddingClassifier` does to fit: parameters and documents in, attributes out.

As in `_fitting`, nothing here changes the estimator.
"""

from dataclasses import replace
from functools import partial

import numpy as np
from sklearn.utils import check_random_state

from skw2v import _kernels
from skw2v._analyzer import check_documents
from skw2v._callbacks import FitTasks
from skw2v._class_scores import class_scores, hidden_rows
from skw2v._classes import class_weights, named_classes, read_labels
from skw2v._corpus import build_corpus, encode, read_documents
from skw2v._document_trainer import DocumentTrainer, DrawnDocuments, Labels
from skw2v._ngrams import check_ngram_range, make_ngrams, with_ngrams
from skw2v._parameters import (
    TrainingParameters,
    check_document_weight,
    check_learning_rates,
    gone_on_with,
    without_ignored,
)
from skw2v._progress import Progress, no_progress
from skw2v._state import attributes_of_early_stopping
from skw2v._threads import effective_n_threads
from skw2v._training import EarlyStopping, Watch, hold_out, run_epochs
from skw2v._transfer import check_some_known, starting_rows, starting_vectors

# Purpose of the generator's draws, beside those of the kernels (kernels/rng.h) and of _training.py.
_PURPOSE_REPEATS, _PURPOSE_ORDER = 5, 6

_FIXED_ONCE_TRAINED = ("n_components", "loss")


def fit(model, X, y, sample_weight):
    """Learn an embedding table and an output layer.

    Parameters
    ----------
    model : EmbeddingClassifier
    X, y, sample_weight
        As for its method.

    Returns
    -------
    attributes : dict
    """
    parameters = _parameters(model)
    starting = starting_vectors(model.init, parameters.n_components)
    n_threads = effective_n_threads(model.n_jobs)
    documents = _read(model, X)
    labels = read_labels(y, len(documents), parameters.loss)
    weight = _document_weight(model, y, labels, sample_weight)
    held_out = None
    if model.early_stopping:
        weight = np.ones(len(documents)) if weight is None else weight
        held_out = hold_out(weight, model.validation_fraction, parameters.seed)
        weight = np.where(held_out, 0.0, weight)
    vocabulary, ngrams, corpus, init = _learn_table(model, documents, weight, starting)
    of_classes = _labels(labels, weight)
    trainer = DocumentTrainer(
        corpus,
        of_classes,
        ngrams.n_rows,
        parameters,
        n_threads=n_threads,
        init=init,
        expected_size=_expected_size(corpus, weight),
    )
    draw = partial(_draw, corpus, weight, parameters.seed)
    _check_something_drawn(corpus, weight)
    watch = None
    if held_out is not None:
        stopping = EarlyStopping(None, model.n_iter_no_change, model.tol)
        (rows,) = np.nonzero(held_out)
        score = partial(_accuracy, corpus, labels, rows, parameters.loss, n_threads)
        watch = Watch(stopping, trainer, lambda trainer: score(trainer.snapshot()))
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    tasks = FitTasks(model, parameters.max_iter, {"X": X, "y": y, "metadata": metadata})
    attributes_of = partial(_attributes, labels, of_classes, vocabulary, ngrams, parameters)
    with _shown(model, corpus, weight) as progress:

        def end_epoch(report):
            progress.end_epoch(report.epoch, report.loss, report.words_per_second, report.score)
            return tasks.end_epoch(lambda: attributes_of(report.snapshot()))

        trained = run_epochs(
            trainer,
            draw,
            watch=watch,
            on_epoch_begin=tasks.begin_epoch,
            on_call=progress.advance,
            on_epoch=end_epoch,
        )
    attributes = attributes_of(trained)
    tasks.end(lambda: attributes)
    return attributes


def partial_fit(model, X, y, classes, sample_weight):
    """Train once through a batch of a stream.

    Parameters
    ----------
    model : EmbeddingClassifier
    X, y, classes, sample_weight
        As for its method.

    Returns
    -------
    attributes : dict
    """
    if model.early_stopping:
        raise ValueError(
            "partial_fit sees a batch once, so it cannot stop early; set early_stopping=False"
        )
    parameters = _parameters(model)
    n_threads = effective_n_threads(model.n_jobs)
    goes_on = model.__sklearn_is_fitted__()
    names = None if classes is None else named_classes(classes)
    if goes_on:
        parameters = gone_on_with(parameters, model._trained_with, _FIXED_ONCE_TRAINED)
        if names is not None and not np.array_equal(names, model.classes_):
            raise ValueError(
                f"classes={classes!r:.60} are not those of the first call, {model.classes_!r:.60}; "
                "leave them out, or start afresh with fit"
            )
        names = model.classes_
    documents = _read(model, X)
    labels = read_labels(y, len(documents), parameters.loss, names)
    if goes_on and labels.is_multilabel != model._is_multilabel:
        raise ValueError(
            "y is an indicator matrix in one call of partial_fit and one class a document in "
            "another; pass the same kind in all"
        )
    weight = _document_weight(model, y, labels, sample_weight)
    of_classes = _labels(labels, weight)
    if goes_on:
        vocabulary, ngrams, start = model._vocabulary, model._ngrams, model._trained
        corpus = encode_documents(model, documents)
        seen, init = model._seen, None
        of_classes = replace(
            of_classes,
            counts=of_classes.counts + seen.counts,
            n_documents=of_classes.n_documents + seen.n_documents,
        )
    else:
        start = None
        starting = starting_vectors(model.init, parameters.n_components)
        vocabulary, ngrams, corpus, init = _learn_table(model, documents, weight, starting)
    trainer = DocumentTrainer(
        corpus,
        of_classes,
        ngrams.n_rows,
        parameters,
        n_threads=n_threads,
        start=start,
        init=init,
        expected_size=_expected_size(corpus, weight),
    )
    drawn = _draw(corpus, weight, parameters.seed, trainer.n_iter)
    rate = np.float32(parameters.learning_rate)
    trainer.run_epoch(drawn, lambda n_rounds: np.full(n_rounds, rate))
    return _attributes(labels, of_classes, vocabulary, ngrams, parameters, trainer.finish())


def encode_documents(model, X):
    """Documents as rows of the table: words that are known, and n-grams."""
    n_threads = effective_n_threads(model.n_jobs)
    words = encode(
        check_documents(X), model._build_analyzer(), model._vocabulary, n_threads=n_threads
    )
    return with_ngrams(words, model._ngrams, n_threads=n_threads)


def _parameters(model):
    check_learning_rates(model)
    hits = model.remove_accidental_hits
    return without_ignored(
        TrainingParameters(
            architecture="document",
            loss=model.loss,
            noise=model.noise,
            remove_accidental_hits=hits if hits == "auto" else bool(hits),
            n_components=int(model.n_components),
            n_negatives=int(model.n_negatives),
            noise_exponent=float(model.noise_exponent),
            learning_rate=float(model.learning_rate),
            min_learning_rate=float(model.min_learning_rate),
            max_iter=int(model.max_iter),
            seed=int(check_random_state(model.random_state).randint(2**31 - 1)),
            trainable=model.trainable,
        )
    )


def _learn_table(model, documents, weight, starting):
    """Which rows there are, the documents as rows, and what words start from."""
    n_threads = effective_n_threads(model.n_jobs)
    vocabulary, words = build_corpus(
        documents,
        model._build_analyzer(),
        vocabulary=model.vocabulary,
        min_count=model.min_count,
        max_features=model.max_features,
        document_weight=weight,
        n_threads=n_threads,
    )
    init = starting_rows(starting, vocabulary.words)
    check_some_known(init, vocabulary.words, starting)
    if init is not None:  # its output vectors are those of words, not of classes
        init = replace(init, output_vectors=None, output_bias=None)
    ngram_range = check_ngram_range(model.ngram_range)
    trained_part = words if weight is None else words.repeated((weight > 0).astype(np.int64))
    ngrams = make_ngrams(trained_part, len(vocabulary), ngram_range, model.n_buckets)
    return vocabulary, ngrams, with_ngrams(words, ngrams, n_threads=n_threads), init


def _read(model, X):
    return read_documents(
        check_documents(X), model._build_analyzer(), n_threads=effective_n_threads(model.n_jobs)
    )


def _document_weight(model, y, labels, sample_weight):
    weight = check_document_weight(sample_weight, len(labels.offsets) - 1)
    of_class = class_weights(model.class_weight, y, labels)
    if weight is None or of_class is None:
        return weight if of_class is None else of_class
    return weight * of_class


def _labels(labels, weight):
    n_documents = len(labels.offsets) - 1 if weight is None else float(weight.sum())
    return Labels(labels.offsets, labels.classes, labels.counts(weight), float(n_documents))


def _draw(corpus, weight, seed, epoch):
    """The documents of an epoch: as many times as they weigh, in an order of its own.

    A fraction is drawn anew: 1.3 is twice with probability 0.3, else once.
    """
    lengths = np.diff(corpus.document_offsets)
    times = (lengths > 0).astype(np.int64)
    if weight is not None:
        draws = _kernels.uniforms(seed, _PURPOSE_REPEATS, epoch, len(weight))
        times *= np.floor(weight + draws).astype(np.int64)
    documents = np.repeat(np.arange(corpus.n_documents), times)
    keys = _kernels.uniforms(seed, _PURPOSE_ORDER, epoch, len(documents))
    order = documents[_sorted_places(keys)]
    return DrawnDocuments(order, lengths[order])


def _sorted_places(keys):
    """A stable argsort of keys that hardly ever are equal: then an unstable one, ten times as fast,
    can only give the same."""
    places = np.argsort(keys)
    if (np.diff(keys[places]) > 0).all():
        return places
    return np.argsort(keys, kind="stable")


def _expected_size(corpus, weight):
    """Documents and tokens of an epoch, in expectation."""
    if weight is None:
        return corpus.n_documents, corpus.n_tokens
    return float(weight.sum()), float(np.diff(corpus.document_offsets) @ weight)


def _check_something_drawn(corpus, weight):
    there = np.diff(corpus.document_offsets) > 0
    if not (there if weight is None else there & (weight > 0)).any():
        raise ValueError(
            "nothing to learn: no document has a word of the vocabulary; pass documents that "
            "contain words of it"
        )


def _accuracy(corpus, labels, rows, loss, n_threads, trained):
    """The share of held-out documents whose classes are predicted, all of them and no other."""
    chosen = np.zeros(corpus.n_documents, dtype=np.int64)
    chosen[rows] = 1
    corpus = corpus.repeated(chosen)
    scores = class_scores(hidden_rows(corpus, trained.input_vectors, n_threads), trained, loss)
    if not np.isfinite(scores).all():
        return np.nan
    if not labels.is_multilabel:
        return float(np.mean(scores.argmax(axis=1) == labels.classes[rows]))
    truth = np.zeros(scores.shape, dtype=bool)
    for i, row in enumerate(rows):
        truth[i, labels.classes[labels.offsets[row] : labels.offsets[row + 1]]] = True
    return float(np.mean(((scores > 0) == truth).all(axis=1)))


def _attributes(labels, of_classes, vocabulary, ngrams, parameters, trained):
    return {
        "_vocabulary": vocabulary,
        "_ngrams": ngrams,
        "_trained_with": parameters,
        "_trained": trained,
        "_is_multilabel": labels.is_multilabel,
        # What goes on counting; the documents' own labels are not kept.
        "_seen": replace(of_classes, offsets=None, classes=None),
        "classes_": labels.names,
        "vocabulary_": vocabulary.index,
        "word_counts_": vocabulary.counts,
        "loss_curve_": trained.loss_curve,
        "n_iter_": trained.n_iter,
    } | attributes_of_early_stopping(trained)


def _shown(model, corpus, weight):
    if not model.verbose:
        return no_progress
    _, n_words = _expected_size(corpus, weight)
    return Progress(type(model).__name__, model.max_iter, words_per_epoch=int(n_words))
