"""A fitted estimator's state: trained vectors as attributes, and as what is pickled."""

import inspect
from dataclasses import replace

import numpy as np

from skw2v._parameters import BIASED_LOSSES
from skw2v._trainer import TrainedVectors
from skw2v._training import best_epoch

# Raised when what a fitted estimator keeps changes its meaning; `readable_state` then translates.
STATE_REVISION = 3

# What `TrainedVectors` and the estimator both have: the former's name to the latter's.
_SHARED = {
    "input_vectors": "input_vectors_",
    "output_vectors": "output_vectors_",
    "output_bias": "output_bias_",
    "loss_curve": "loss_curve_",
}


def fitted_attributes(
    vocabulary, parameters, trained, frequencies, learned_poolings, words_seen=0, pending=None
):
    """The attributes of an estimator that has been trained so far.

    Parameters
    ----------
    vocabulary : skw2v._vocabulary.Vocabulary
    parameters : skw2v._parameters.TrainingParameters
    trained : skw2v._trainer.TrainedVectors
    frequencies : skw2v._document_features.DocumentFrequencies or None
        None: not known, since training went on from a pickle that had none.
    learned_poolings : dict
        By the names of poolings, for these vectors.
    words_seen : int, default=0
        How many words of the vocabulary `partial_fit` has trained.
    pending : dict, default=None
        Token to count, of what `partial_fit` has seen that is not a word yet. None: nothing.

    Returns
    -------
    attributes : dict
    """
    return {
        "_vocabulary": vocabulary,
        "_trained_with": parameters,
        "_trained": trained,
        "_frequencies": frequencies,
        "_learned_poolings": learned_poolings,
        "_words_seen": words_seen,
        "_pending": pending or {},
        "vocabulary_": vocabulary.index,
        "word_counts_": vocabulary.counts,
        "input_vectors_": trained.input_vectors,
        "output_vectors_": trained.output_vectors,
        "output_bias_": trained.output_bias,
        "loss_curve_": trained.loss_curve,
        "n_iter_": trained.n_iter,
    } | attributes_of_early_stopping(trained)


def attributes_of_early_stopping(trained):
    """What an estimator tells of the scores of held-out documents; nothing where none were held
    out."""
    scores = trained.validation_scores
    if scores is None:
        return {}
    best = best_epoch(scores)
    return {
        "validation_scores_": scores,
        "best_epoch_": best,
        "best_validation_score_": float(scores[best]),
    }


def writable_state(state):
    """An estimator's state as it is pickled: every array once.

    The vectors are attributes, and part of what training goes on from. pickle notices that they
    are the same arrays, joblib and skops write both, and load both.

    Parameters
    ----------
    state : dict

    Returns
    -------
    state : dict
        For `readable_state`.
    """
    state = state | {"_state_revision": STATE_REVISION}
    if "_trained" in state:
        shared = {
            name: None
            for name, attribute in _SHARED.items()
            if getattr(state["_trained"], name) is state.get(attribute)
        }
        state["_trained"] = replace(state["_trained"], **shared)
    return state


def readable_state(estimator_class, state):
    """A pickled estimator's state as this version reads it.

    Parameters
    ----------
    estimator_class : type
    state : dict
        From `writable_state`, with the revision that wrote it as "_state_revision"; the first one
        wrote none.

    Returns
    -------
    state : dict
        Without the revision. Parameters that are newer than the pickle have their defaults.

    Raises
    ------
    ValueError
        If a newer version has written it.
    """
    revision = state.get("_state_revision", 0)
    state = check_revision(estimator_class, state, STATE_REVISION)
    if revision == 0 and "input_vectors_" in state:
        biased = state["_trained_with"].loss in BIASED_LOSSES
        bias = state["output_bias_"]
        state["_trained"] = TrainedVectors(
            state["input_vectors_"],
            state["output_vectors_"],
            bias,
            state["loss_curve_"],
            state["n_iter_"],
            bias_start=bias if biased else None,
            bias_change=np.zeros_like(bias) if biased else None,
            tree_counts=state["word_counts_"],
        )
        state |= {"_words_seen": 0, "_pending": {}}
    if revision < 3 and "input_vectors_" in state:
        state |= {"_frequencies": None, "_learned_poolings": {}}
    if "_trained" in state:
        shared = {
            name: state[attribute]
            for name, attribute in _SHARED.items()
            if getattr(state["_trained"], name) is None
        }
        state["_trained"] = replace(state["_trained"], **shared)
    return state


def check_revision(estimator_class, state, latest):
    """A pickled estimator's state without its revision, which must not be above the latest.

    Parameters
    ----------
    estimator_class : type
    state : dict
    latest : int

    Returns
    -------
    state : dict
        Parameters that are newer than the pickle have their defaults.

    Raises
    ------
    ValueError
        If a newer version has written it.
    """
    state = dict(state)
    revision = state.pop("_state_revision", 0)
    if revision > latest:
        raise ValueError(
            f"this {estimator_class.__name__} was pickled by a newer skw2v (state {revision}, here "
            f"{latest}); load it with that version, or fit it again"
        )
    signature = inspect.signature(estimator_class).parameters.values()
    defaults = {parameter.name: parameter.default for parameter in signature}
    return defaults | state
