"""An output layer on features in plain NumPy float64: the specification that tests compare with.

The same primitive as in ``_reference``, with a sample as a hidden row that stays: what
`SampledClassifier` trains, draw for draw. Nothing here is fast or called by the estimator.
"""

from fractions import Fraction
from functools import partial
from typing import NamedTuple

import numpy as np

from skw2v._distinct import UNIT, distinct_lengths
from skw2v._reference import (
    COIN_MASK,
    NOISE,
    POSITION,
    primitive,
    random_bits,
    scale_to,
    stream_key,
)
from skw2v._reference_objectives import (
    nce_targets,
    removes_hits,
    sampled_softmax_targets,
    softmax_targets,
)
from skw2v._sampling import alias_table, log_expected_counts, noise_probabilities

MAX_GROUP = 16
MOST_STALE = {"nce": 2, "sampled_softmax": 8, "softmax": 8}


class Layer(NamedTuple):
    """Weights, biases and each epoch's mean loss."""

    coef: np.ndarray  # (n_classes, n_features)
    intercept: np.ndarray  # (n_classes,)
    loss_curve: list


def sample_order(n_samples, seed, epoch):
    """The order of an epoch's samples: from the end, each place swaps with one up to it."""
    order = np.arange(n_samples)
    bits = random_bits(stream_key(seed, POSITION, epoch), np.arange(n_samples))
    for place in range(n_samples - 1, 0, -1):
        other = scale_to(bits[place : place + 1], place + 1)[0]
        order[[place, other]] = order[[other, place]]
    return order


def group_noise(position, n_negatives, table, seed, epoch):
    """Classes drawn for the group whose first sample has that position in the epoch."""
    threshold, alias = table
    counter = position * n_negatives + np.arange(n_negatives)
    bits = random_bits(stream_key(seed, NOISE, epoch), counter)
    slot = scale_to(bits, len(alias))
    return np.where((bits & COIN_MASK) <= threshold[slot], slot, alias[slot])


def group_distinct_noise(position, lengths, seed, epoch):
    """The same of distinct classes: one from each unit of the line on which classes lie.

    Parameters
    ----------
    lengths : array-like of int, shape (n_classes,)
        As from `distinct_lengths`.
    """
    ends = np.cumsum(lengths).tolist()
    n_draws = ends[-1] // UNIT
    bits = random_bits(stream_key(seed, NOISE, epoch), position * n_draws + np.arange(n_draws))
    drawn = []
    for unit, (high, coin) in enumerate((int(r) >> 32, int(r & COIN_MASK)) for r in bits):
        begin, after = unit * UNIT, 0
        border = next(c for c, end in enumerate(ends) if end > begin)
        before = begin - (ends[border - 1] if border else 0)
        if before:
            after = ends[border] - begin
            if border != drawn[-1] and Fraction(coin, UNIT) < Fraction(after, UNIT - before):
                drawn.append(border)
                continue
        place = begin + after + (high * (UNIT - after) >> 32)
        drawn.append(next(c for c, end in enumerate(ends) if end > place))
    return np.array(drawn)


def batch_changes(x, labels, targets_of, coef, intercept):
    """The loss of a batch and its gradients, negated, with respect to coef and intercept.

    Parameters
    ----------
    x : ndarray of shape (n, n_features)
    labels : ndarray of shape (n,)
    targets_of : callable
        From the place of a sample in the batch to its `Targets`.
    coef : ndarray of shape (n_classes, n_features)
    intercept : ndarray of shape (n_classes,)

    Returns
    -------
    loss : float
    coef_change : ndarray of shape (n_classes, n_features)
    intercept_change : ndarray of shape (n_classes,)
    """
    loss, coef_change, intercept_change = 0.0, np.zeros_like(coef), np.zeros_like(intercept)
    for i in range(len(labels)):
        targets = targets_of(i)
        step = primitive(
            x[i : i + 1],
            coef[targets.ids],
            targets.labels,
            targets.weights,
            1.0,
            biases=intercept[targets.ids],
            offsets=targets.offsets,
            link=targets.link,
        )
        coef_change[targets.ids] += step.target_change
        intercept_change[targets.ids] += step.bias_change
        loss += step.loss
    return loss, coef_change, intercept_change


def normalised_step(X, counts, batch_size, loss):
    """What a residual is multiplied with at a learning rate of 1, and the constant's square."""
    mean_square = np.mean(np.sum(X**2, axis=1))
    constant = 2.0 ** np.floor(np.log2(np.sqrt(mean_square)))
    expected = batch_size * counts.max() / counts.sum()
    stale = max(1.0, expected / MOST_STALE[loss])
    return 4.0 / ((mean_square + constant**2) * stale), constant**2


def train_output_layer(X, labels, n_classes, parameters, seed):
    """Train from zero weights, and the log shares of the classes as biases.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    labels : ndarray of int, shape (n_samples,)
        Every class occurs.
    n_classes : int
    parameters : object with the attributes of OutputParameters
    seed : int

    Returns
    -------
    layer : Layer
    """
    n_samples, counts = len(labels), np.bincount(labels, minlength=n_classes)
    coef, intercept = np.zeros((n_classes, X.shape[1])), np.log(counts / n_samples)
    batch_size, k = min(parameters.batch_size, n_samples), parameters.n_negatives
    if parameters.distinct_noise:
        k = min(k, n_classes)
    unit, square = normalised_step(X, counts, batch_size, parameters.loss)
    group_size = MAX_GROUP if parameters.distinct_noise and k == n_classes else min(k, MAX_GROUP)
    if parameters.loss != "softmax":
        noise = noise_probabilities(counts, parameters.noise, parameters.noise_exponent)
        if parameters.distinct_noise:
            lengths = distinct_lengths(noise, k)
            log_expected = np.log(lengths / UNIT)
            draw = partial(group_distinct_noise, lengths=lengths, seed=seed)
        else:
            log_expected = log_expected_counts(noise, k).astype(np.float64)
            draw = partial(group_noise, n_negatives=k, table=alias_table(noise), seed=seed)
        choose = nce_targets if parameters.loss == "nce" else sampled_softmax_targets
    n_batches = -(-n_samples // batch_size)
    fall = (parameters.learning_rate - parameters.min_learning_rate) / (
        n_batches * parameters.max_iter
    )
    loss_curve = []
    for epoch in range(parameters.max_iter):
        order, total = sample_order(n_samples, seed, epoch), 0.0
        for batch in range(n_batches):
            first = batch * batch_size
            samples = order[first : first + batch_size]
            own = labels[samples]

            def targets_of(i, own=own, first=first, epoch=epoch):
                if parameters.loss == "softmax":
                    return softmax_targets(own[i], n_classes)
                position = first + i // group_size * group_size
                drawn = draw(position, epoch=epoch)
                return choose(own[i], drawn, log_expected, removes_hits(parameters))

            loss, coef_change, intercept_change = batch_changes(
                X[samples], own, targets_of, coef, intercept
            )
            rate = parameters.learning_rate - fall * (epoch * n_batches + batch)
            coef = coef + rate * unit * coef_change
            intercept = intercept + rate * unit * square * intercept_change
            total += loss
        loss_curve.append(total / n_samples)
    return Layer(coef, intercept, loss_curve)
