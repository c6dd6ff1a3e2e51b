"""Every formula of training in plain NumPy float64: the specification that tests compare with.

The parts of one training step, from the random bits upward: which tokens are kept, their windows,
their noise, and the one primitive that moves rows. ``_reference_objectives`` has the targets of a
window, ``_reference_training`` puts it all together into epochs, rounds and shards. Nothing here is
fast, and nothing here is called by the estimator.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

# --- Randomness: a counter-based generator (SplitMix64), so that any draw can be made by itself.

GOLDEN = 0x9E3779B97F4A7C15
POSITION, NOISE, INIT = 0, 1, 2  # purposes of a stream
WORD_MASK = 2**64 - 1
COIN_MASK = np.uint64(0xFFFFFFFF)


def mix64(bits):
    """SplitMix64's finaliser, a bijection of 64-bit words (Steele, Lea, Flood, OOPSLA 2014)."""
    z = np.array(bits, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z ^= z >> np.uint64(30)
        z *= np.uint64(0xBF58476D1CE4E5B9)
        z ^= z >> np.uint64(27)
        z *= np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return z


def stream_key(seed, purpose, epoch):
    """Key of the stream of one purpose in one epoch; INIT uses epoch 0."""
    purpose_key = int(mix64((seed + GOLDEN * (purpose + 1)) & WORD_MASK))
    return int(mix64((purpose_key + GOLDEN * (epoch + 1)) & WORD_MASK))


def random_bits(key, counter):
    """64 random bits for each counter; the stream of SplitMix64 seeded with `key`."""
    counter = np.asarray(counter, dtype=np.uint64)
    with np.errstate(over="ignore"):
        return mix64(np.uint64(key) + np.uint64(GOLDEN) * (counter + np.uint64(1)))


def scale_to(bits, n):
    """The high half of `bits` as an integer in 0..n-1 (Lemire's multiply and shift)."""
    return ((bits >> np.uint64(32)) * np.uint64(n) >> np.uint64(32)).astype(np.int64)


def initial_input_vectors(n_words, n_components, seed):
    """Uniform in (-0.5, 0.5) / n_components, float32; keyed on seed, row and column."""
    counter = np.arange(n_words * n_components).reshape(n_words, n_components)
    bits = random_bits(stream_key(seed, INIT, 0), counter)
    uniform = ((bits >> np.uint64(40)).astype(np.float64) + 0.5) / 2**24 - 0.5
    return (uniform / n_components).astype(np.float32)


# --- What is trained: kept tokens, windows, noise. None of it knows of shards but the noise.


class Window(NamedTuple):
    """One kept token and its contexts, as positions in the token stream."""

    center_pos: int
    context_pos: np.ndarray  # left to right


def kept_tokens(token_ids, keep_threshold, seed, epoch):
    """Mask of the tokens that survive subsampling in one epoch, shape (n_tokens,)."""
    bits = random_bits(stream_key(seed, POSITION, epoch), np.arange(len(token_ids)))
    return (bits & COIN_MASK) <= keep_threshold[token_ids]


def half_windows(n_tokens, window, dynamic_window, seed, epoch):
    """Half-window of every position: 1..window with equal chance, or always `window`."""
    if not dynamic_window:
        return np.full(n_tokens, window, dtype=np.int64)
    bits = random_bits(stream_key(seed, POSITION, epoch), np.arange(n_tokens))
    return 1 + scale_to(bits, window)


def training_windows(token_ids, document_offsets, keep_threshold, parameters, epoch):
    """Windows of one epoch, in the order of their centers.

    A window reaches over kept tokens, as in word2vec.c, and never leaves its document. A kept token
    without any neighbour has a window without contexts, which trains nothing.

    Returns
    -------
    windows : list of Window, one for each kept token
    """
    seed = parameters.seed
    kept = kept_tokens(token_ids, keep_threshold, seed, epoch)
    half = half_windows(len(token_ids), parameters.window, parameters.dynamic_window, seed, epoch)
    windows = []
    for start, stop in pairwise(document_offsets):
        positions = start + np.flatnonzero(kept[start:stop])
        for i, center_pos in enumerate(positions):
            b = half[center_pos]
            left, right = positions[max(i - b, 0) : i], positions[i + 1 : i + 1 + b]
            windows.append(Window(int(center_pos), np.concatenate([left, right])))
    return windows


def training_pairs(token_ids, document_offsets, keep_threshold, parameters, epoch, owned=None):
    """Pairs of one epoch as (center id, context id), in the order of centers, then contexts.

    Parameters
    ----------
    owned : range of int, optional
        Only centers at these positions; all by default.

    Returns
    -------
    pairs : ndarray of int64, shape (n_pairs, 2)
    """
    windows = training_windows(token_ids, document_offsets, keep_threshold, parameters, epoch)
    pairs = [
        (token_ids[window.center_pos], token_ids[context_pos])
        for window in windows
        if owned is None or window.center_pos in owned
        for context_pos in window.context_pos
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def noise_pool(alias_threshold, alias, seed, epoch, shard_number, pool_size):
    """The noise words of one shard in one round, shape (pool_size,).

    `shard_number` is ``round * n_shards + shard``.
    """
    draws = shard_number * pool_size + np.arange(pool_size)
    bits = random_bits(stream_key(seed, NOISE, epoch), draws)
    slot = scale_to(bits, len(alias))
    return np.where((bits & COIN_MASK) <= alias_threshold[slot], slot, alias[slot])


def window_noise(pool, window_number, n_negatives):
    """Noise words of the shard's window number `window_number`: the pool, taken in turn.

    A window is a kept center that has a context.
    """
    return pool[(window_number * n_negatives + np.arange(n_negatives)) % len(pool)]


# --- The primitive: every architecture and every objective is one operation on rows.


class Step(NamedTuple):
    """What one call of the primitive changes, and the loss before the change."""

    hidden_change: np.ndarray  # (n_hidden, n_components)
    target_change: np.ndarray  # (n_targets, n_components)
    bias_change: np.ndarray  # (n_targets,), for objectives that have biases
    loss: float
    first_loss: float  # the part of the first target; 0 under a softmax, whose loss has no parts


def primitive_scores(hidden, targets, biases=0.0, offsets=0.0):
    """Scores of every hidden row against every target, shape (n_hidden, n_targets)."""
    return hidden @ targets.T + biases - offsets


def primitive_loss(scores, labels, weights, link):
    """Sum of the losses of all hidden rows.

    "sigmoid": one logistic loss for each target, times its weight. "softmax": the cross-entropy of
    the labels and the softmax over the targets, each of which stands `weights` times in the
    normaliser; the label is that of one of them. A hidden row with several true targets, labels
    adding up to n, has n such losses.
    """
    if link == "sigmoid":
        return float(np.sum(weights * (np.logaddexp(0.0, scores) - labels * scores)))
    return float(np.sum(labels * (_log_normaliser(scores, weights) - scores)))


def primitive_residual(scores, labels, weights, link):
    """The loss's gradient with respect to the scores, negated, shape (n_hidden, n_targets)."""
    if link == "sigmoid":
        return weights * (labels - np.exp(-np.logaddexp(0.0, -scores)))
    share = weights * np.exp(scores - _log_normaliser(scores, weights))
    return labels - np.sum(labels, axis=-1, keepdims=True) * share


def _log_normaliser(scores, weights):
    return np.logaddexp.reduce(scores + np.log(weights), axis=-1, keepdims=True)


def primitive(hidden, targets, labels, weights, rate, *, biases=0.0, offsets=0.0, link="sigmoid"):
    """One gradient step on hidden rows, target rows and biases, all from the values before it.

    ========================= =========================== ================== ==========
    objective                 targets                     offsets            link
    ========================= =========================== ================== ==========
    negative sampling         center, noise               0                  sigmoid
    NCE (has biases)          center, noise               log(k q(w))        sigmoid
    sampled softmax (biases)  center, noise               log(k q(w))        softmax
    hierarchical softmax      Huffman path, y = 1 - code  0                  sigmoid
    softmax (has biases)      the whole vocabulary        0                  softmax
    ========================= =========================== ================== ==========

    Parameters
    ----------
    hidden : ndarray of shape (n_hidden, n_components)
    targets : ndarray of shape (n_targets, n_components)
    labels : ndarray of shape (n_targets,), or (n_hidden, n_targets)
        One for all hidden rows, or one for each.
    weights : ndarray of shape (n_targets,)
    rate : float
        The learning rate.
    biases, offsets : ndarray of shape (n_targets,) or float, default=0.0
    link : {"sigmoid", "softmax"}, default="sigmoid"

    Returns
    -------
    step : Step
    """
    scores = primitive_scores(hidden, targets, biases, offsets)
    gradient = rate * primitive_residual(scores, labels, weights, link)
    first_loss = 0.0
    if link == "sigmoid":
        first_loss = primitive_loss(scores[:, :1], labels[:1], weights[:1], link)
    return Step(
        hidden_change=gradient @ targets,
        target_change=gradient.T @ hidden,
        bias_change=gradient.sum(axis=0),
        loss=primitive_loss(scores, labels, weights, link),
        first_loss=first_loss,
    )


# --- An architecture chooses hidden rows and scatters their change.


class Vectors(NamedTuple):
    """What is trained; the functions below change it in place."""

    input_vectors: np.ndarray  # (n_words, n_components)
    output_vectors: np.ndarray  # (n_output, n_components)
    output_bias: np.ndarray  # (n_output,): zeros where the objective fits none


def train_targets(hidden, vectors, targets, rate):
    """One step on the targets of a window; what the hidden rows shall change by is in the Step."""
    step = primitive(
        hidden,
        vectors.output_vectors[targets.ids],
        targets.labels,
        targets.weights,
        rate,
        biases=vectors.output_bias[targets.ids],
        offsets=targets.offsets,
        link=targets.link,
    )
    vectors.output_vectors[targets.ids] += step.target_change
    if targets.fits_bias:
        vectors.output_bias[targets.ids] += step.bias_change
    return step


def context_groups(context_ids, group_size):
    """Split a window's contexts into runs of at most `group_size` distinct words.

    The contexts of a run are trained at once. A word never meets itself in a run: several gradients
    from the same stale row would overshoot.
    """
    groups = [[]]
    for context_id in context_ids:
        if context_id in groups[-1] or len(groups[-1]) == group_size:
            groups.append([])
        groups[-1].append(context_id)
    return [np.array(group, dtype=np.int64) for group in groups if group]


def add_to_inputs(vectors, ids, changes, frozen):
    """Add to input rows, as often as their ids occur; what is for `frozen` ids is lost."""
    moves = ~np.isin(ids, frozen)
    np.add.at(vectors.input_vectors, ids[moves], changes[moves])


def train_skipgram_window(vectors, context_ids, targets, rate, group_size, frozen=()):
    """Train one window in place; every context is a hidden row. Returns loss, true part, pairs."""
    loss, true_loss = 0.0, 0.0
    for group in context_groups(context_ids, group_size):
        step = train_targets(vectors.input_vectors[group], vectors, targets, rate)
        add_to_inputs(vectors, group, step.hidden_change, frozen)
        loss += step.loss
        true_loss += step.first_loss
    return loss, true_loss, len(context_ids)


def train_skipgram_by_context(vectors, center_ids_of, targets, rate, group_size, frozen=()):
    """Train a shard's pairs in place where all windows have the same targets: the full softmax.

    Every context is a hidden row with all the centers whose windows hold it as its true targets, at
    most `group_size` at a time. Rows are trained in groups like the contexts of a window. The pairs
    and their gradients are those of `train_skipgram_window`; what differs is how many of them are
    computed from the same values.

    Parameters
    ----------
    vectors : Vectors
    center_ids_of : list of (int, list of int)
        The contexts from left to right, each with the ids of its centers, from left to right.
    targets : Targets
        All words. The labels are not used.
    rate : float
    group_size : int
    frozen : sequence of int, default=()
        Words whose input vectors stay.

    Returns
    -------
    loss : float
    n_pairs : int
    """
    rows = [
        (context_id, center_ids[start : start + group_size])
        for context_id, center_ids in center_ids_of
        for start in range(0, len(center_ids), group_size)
    ]
    loss, start = 0.0, 0
    for group in context_groups([context_id for context_id, _ in rows], group_size):
        labels = np.zeros((len(group), len(targets.ids)))
        for row, (_, center_ids) in enumerate(rows[start : start + len(group)]):
            np.add.at(labels[row], center_ids, 1.0)
        start += len(group)
        hidden = vectors.input_vectors[group]
        step = train_targets(hidden, vectors, targets._replace(labels=labels), rate)
        add_to_inputs(vectors, group, step.hidden_change, frozen)
        loss += step.loss
    return loss, sum(len(center_ids) for _, center_ids in rows)


def cbow_context_change(hidden_change, context_ids, cbow_gradient):
    """What each context occurrence receives of the change of the mean, shape (n_components,).

    "exact" is the gradient of the mean. "word2vec" hands every occurrence the whole change, as
    Mikolov's code does (see Irsoy, Benton, Stratos, "Corrected CBOW performs as well as
    skip-gram", 2021); where words repeat it is damped, so that the mean moves by `hidden_change`
    and no further.
    """
    n_contexts = len(context_ids)
    if cbow_gradient == "exact":
        return hidden_change / n_contexts
    multiplicity = np.unique(context_ids, return_counts=True)[1]
    return hidden_change * (n_contexts / np.sum(multiplicity**2))


def train_cbow_window(vectors, context_ids, targets, rate, cbow_gradient, frozen=()):
    """Train one window in place; the hidden row is the contexts' mean. Returns as skip-gram's."""
    if len(context_ids) == 0:
        return 0.0, 0.0, 0
    hidden = vectors.input_vectors[context_ids].mean(axis=0, keepdims=True)
    step = train_targets(hidden, vectors, targets, rate)
    change = cbow_context_change(step.hidden_change[0], context_ids, cbow_gradient)
    changes = np.tile(change, (len(context_ids), 1))
    add_to_inputs(vectors, context_ids, changes, frozen)
    return step.loss, step.first_loss, 1
