"""What `fit`, `partial_fit` and `fit_pooling` do: parameters and documents in, attributes out.

Nothing here changes the estimator. Its attributes are set in one go when all is done, so that
neither an error nor Ctrl-C leaves a half of them.
"""

import os

import numpy as np
from sklearn.utils.validation import check_memory

from skw2v._analyzer import check_documents
from skw2v._callbacks import FitTasks
from skw2v._corpus import Corpus, build_corpus, encode, grow_vocabulary, read_documents
from skw2v._document_features import DocumentFrequencies
from skw2v._learned_poolings import (
    Material,
    check_clusters,
    check_some_tokens,
    learn_poolings,
    learn_tfidf,
)
from skw2v._parameters import check_document_weight, gone_on_with, training_parameters
from skw2v._pooling import check_embedding, poolings_of
from skw2v._progress import Progress, no_progress
from skw2v._state import fitted_attributes
from skw2v._subwords import make_subwords
from skw2v._threads import effective_n_threads
from skw2v._training import (
    REVISION,
    EarlyStopping,
    expected_tokens,
    hold_out,
    rate_at,
    train,
    train_on_batch,
)
from skw2v._transfer import check_some_known, starting_rows, starting_vectors
from skw2v._vocabulary import Vocabulary

# Parameters whose values shape the matrices, or say what their numbers mean.
_FIXED_ONCE_TRAINED = ("n_components", "loss", "architecture", "subword", "n_buckets")


def fit(model, X, y, sample_weight):
    """Learn everything from documents, or go on from what has been learned.

    Parameters
    ----------
    model : Word2VecTransformer
    X, y, sample_weight
        As for its method.

    Returns
    -------
    attributes : dict
    encoded : skw2v._corpus.Corpus or EncodedDocuments
        All of X: for `composes_unseen` as documents, with the tokens that were not learned.
    """
    check_embedding(model.embedding, model.loss)
    poolings_of(model.pooling)
    parameters = training_parameters(model)
    goes_on = model.warm_start and model.__sklearn_is_fitted__()
    stream = {}
    if goes_on:
        parameters = gone_on_with(parameters, model._trained_with, _FIXED_ONCE_TRAINED)
        stream = {"words_seen": model._words_seen, "pending": model._pending}
        if parameters.max_iter < model.n_iter_:
            raise ValueError(
                f"max_iter={parameters.max_iter} is below the {model.n_iter_} epochs that have "
                "been trained; with warm_start=True it can only be raised"
            )
    starting = None if goes_on else starting_vectors(model.init, parameters.n_components)
    documents, weight, held_out = _read(model, X, sample_weight, parameters.seed)
    if goes_on:
        vocabulary = model._vocabulary
        corpus = encode(
            documents,
            model._build_analyzer(),
            vocabulary,
            n_threads=effective_n_threads(model.n_jobs),
        )
    else:
        vocabulary, corpus = _build_corpus(model, documents, weight)
    check_clusters(model, len(vocabulary))
    frequencies = model._frequencies if goes_on else None
    if frequencies is None:
        frequencies = DocumentFrequencies.of(corpus, len(vocabulary), weight)
    stopping = None
    if held_out is not None:
        held_out = corpus.repeated(held_out.astype(np.int64))
        stopping = EarlyStopping(held_out, model.n_iter_no_change, model.tol)
    start = model._trained if goes_on else None
    init = starting_rows(starting, vocabulary.words)
    check_some_known(init, vocabulary.words, starting)
    n_done = start.n_iter if start else 0
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    data = {"X": X, "y": y, "metadata": metadata}
    tasks = FitTasks(model, parameters.max_iter - n_done, data)

    def attributes_of(trained):
        material = Material(
            corpus, weight, trained, vocabulary.counts, frequencies, parameters.seed
        )
        learned = learn_poolings(model, material, effective_n_threads(model.n_jobs))
        return fitted_attributes(vocabulary, parameters, trained, frequencies, learned, **stream)

    with _shown(model, n_done, expected_tokens(corpus, weight)) as progress:

        def end_epoch(report):
            progress.end_epoch(report.epoch, report.loss, report.words_per_second, report.score)
            return tasks.end_epoch(lambda: attributes_of(report.snapshot()))

        trained = train_or_remember(
            model.memory if _may_be_remembered(model, goes_on, tasks) else None,
            corpus,
            vocabulary.counts,
            parameters,
            document_weight=weight,
            early_stopping=stopping,
            start=start,
            init=init,
            subwords=_subwords_of(vocabulary, parameters, start),
            n_threads=effective_n_threads(model.n_jobs),
            on_epoch_begin=tasks.begin_epoch,
            on_call=progress.advance,
            on_epoch=end_epoch,
        )
    attributes = attributes_of(trained)
    tasks.end(lambda: attributes)
    return attributes, documents if composes_unseen(model) else corpus


def partial_fit(model, X, sample_weight):
    """Train once through a batch of a stream.

    Parameters
    ----------
    model : Word2VecTransformer
    X, sample_weight
        As for its method.

    Returns
    -------
    attributes : dict
    """
    check_embedding(model.embedding, model.loss)
    poolings_of(model.pooling)
    if model.early_stopping:
        raise ValueError(
            "partial_fit sees a batch once, so it cannot stop early; set early_stopping=False"
        )
    if model.grow_vocabulary and model.loss == "hierarchical_softmax":
        raise ValueError(
            "grow_vocabulary=True does not go with loss='hierarchical_softmax': the tree over "
            "the words cannot grow once its nodes are trained"
        )
    parameters = training_parameters(model)
    start, words_seen, pending = None, 0, {}
    if model.__sklearn_is_fitted__():
        parameters = gone_on_with(parameters, model._trained_with, _FIXED_ONCE_TRAINED)
        start, words_seen, pending = model._trained, model._words_seen, model._pending
    starting = None if start else starting_vectors(model.init, parameters.n_components)
    documents, weight, _ = _read(model, X, sample_weight, parameters.seed)
    if start is None and not model.grow_vocabulary:
        vocabulary, corpus = _build_corpus(model, documents, weight)
    else:
        vocabulary, corpus, pending = grow_vocabulary(
            model._vocabulary if start else Vocabulary.uncounted(model.vocabulary),
            documents,
            model._build_analyzer(),
            pending,
            min_count=model.min_count,
            max_features=model.max_features,
            document_weight=weight,
            grow=model.grow_vocabulary,
            n_threads=effective_n_threads(model.n_jobs),
        )
        if not len(vocabulary):
            raise ValueError(
                f"vocabulary is empty: no token occurs min_count={model.min_count} times in the "
                "first batch; lower min_count, pass a larger batch or a vocabulary"
            )
    new_words = vocabulary.words[len(model._vocabulary) if start else 0 :]
    if start and new_words:
        starting = starting_vectors(model.init, parameters.n_components)
    init = starting_rows(starting, new_words)
    if not start:
        check_some_known(init, new_words, starting)
    n_words = expected_tokens(corpus, weight)
    rates = (parameters.learning_rate,) * 2
    if model.total_words is not None:
        done = np.array([words_seen, words_seen + n_words]) / model.total_words
        rates = rate_at(done, parameters)
    trained = train_on_batch(
        corpus,
        vocabulary.counts,
        parameters,
        n_threads=effective_n_threads(model.n_jobs),
        rates=rates,
        document_weight=weight,
        start=start,
        init=init,
        subwords=_subwords_of(vocabulary, parameters, start),
    )
    frequencies = DocumentFrequencies.of(corpus, len(vocabulary), weight)
    if start is not None:  # from a pickle that had none there is nothing to add to
        frequencies = model._frequencies and model._frequencies.plus(frequencies)
    return fitted_attributes(
        vocabulary,
        parameters,
        trained,
        frequencies,
        # The others would have to look at all the batches again.
        {"tfidf": learn_tfidf(frequencies)} if frequencies else {},
        words_seen=words_seen + n_words,
        pending=pending,
    )


def fit_pooling(model, X, sample_weight):
    """Learn what the poolings that are set need, for the vectors that there are.

    Parameters
    ----------
    model : Word2VecTransformer
    X, sample_weight
        As for its method.

    Returns
    -------
    attributes : dict
    """
    check_embedding(model.embedding, model._trained_with.loss)
    check_clusters(model, len(model._vocabulary))
    n_threads = effective_n_threads(model.n_jobs)
    documents = read_documents(check_documents(X), model._build_analyzer(), n_threads=n_threads)
    weight = check_document_weight(sample_weight, len(documents))
    vocabulary = model._vocabulary
    corpus = encode(documents, model._build_analyzer(), vocabulary)
    check_some_tokens(model, corpus)
    frequencies = model._frequencies
    if frequencies is None:
        frequencies = DocumentFrequencies.of(corpus, len(vocabulary), weight)
    seed = model._trained_with.seed
    material = Material(corpus, weight, model._trained, vocabulary.counts, frequencies, seed)
    learned = learn_poolings(model, material, n_threads)
    return {"_frequencies": frequencies, "_learned_poolings": model._learned_poolings | learned}


def composes_unseen(model):
    """Does `transform` make vectors for unseen words? They are input vectors."""
    return model.subword is not None and model.embedding == "input"


def _read(model, X, sample_weight, seed):
    """The documents, their weights in training (None: all 1), and which are held out."""
    documents = check_documents(X)
    is_plain = sample_weight is None and not model.early_stopping
    if not is_plain or composes_unseen(model):
        documents = read_documents(
            documents, model._build_analyzer(), n_threads=effective_n_threads(model.n_jobs)
        )
    if is_plain:
        return documents, None, None
    weight = check_document_weight(sample_weight, len(documents))
    if not model.early_stopping:
        return documents, weight, None
    weight = np.ones(len(documents)) if weight is None else weight
    held_out = hold_out(weight, model.validation_fraction, seed)
    return documents, np.where(held_out, 0.0, weight), held_out


def _build_corpus(model, documents, document_weight):
    return build_corpus(
        documents,
        model._build_analyzer(),
        vocabulary=model.vocabulary,
        min_count=model.min_count,
        max_features=model.max_features,
        document_weight=document_weight,
        n_threads=effective_n_threads(model.n_jobs),
    )


def _subwords_of(vocabulary, parameters, start):
    if parameters.subword is None:
        return None
    buckets = start.subwords.buckets if start else ()
    return make_subwords(vocabulary.words, parameters.subword, parameters.n_buckets, buckets)


def _shown(model, first_epoch, words_per_epoch):
    if not model.verbose:
        return no_progress
    return Progress(
        type(model).__name__,
        model.max_iter,
        first_epoch=first_epoch,
        words_per_epoch=words_per_epoch,
    )


# --- Trainings that are kept


def _may_be_remembered(model, goes_on, tasks):
    """Can this training be read instead, or be read later? One without a seed comes only once."""
    return not (goes_on or tasks.is_heard or model.random_state is None)


def train_or_remember(memory, corpus, word_counts, parameters, **options):
    """`train`, or what it returned the last time for the same corpus and parameters.

    Parameters
    ----------
    memory : str, path-like, object with the joblib.Memory interface, or None
        As the estimator's parameter; None always trains.
    corpus, word_counts, parameters, **options
        As for `train`.

    Returns
    -------
    trained : skw2v._trainer.TrainedVectors
    """
    memory = os.fspath(memory) if isinstance(memory, os.PathLike) else memory
    stopping = options.pop("early_stopping", None)
    if stopping is not None:  # in terms of arrays and numbers
        held_out = stopping.held_out
        stopping = (
            held_out.token_ids,
            held_out.document_offsets,
            int(stopping.n_iter_no_change),
            float(stopping.tol),
        )
    cached_train = check_memory(memory).cache(_train, ignore=["unseen"])
    weight, init, subwords = (
        options.pop(name, None) for name in ("document_weight", "init", "subwords")
    )
    return cached_train(
        corpus.token_ids,
        corpus.document_offsets,
        word_counts,
        init,
        subwords,
        parameters,
        weight,
        stopping,
        REVISION,
        unseen=options,
    )


def _train(
    token_ids, offsets, word_counts, init, subwords, parameters, weight, stopping, revision, unseen
):
    """`train` in terms of all that its result depends on, which is what `memory` keys on."""
    if stopping is not None:
        stopping = EarlyStopping(Corpus(*stopping[:2]), *stopping[2:])
    return train(
        Corpus(token_ids, offsets),
        word_counts,
        parameters,
        document_weight=weight,
        early_stopping=stopping,
        init=init,
        subwords=subwords,
        **unseen,
    )
