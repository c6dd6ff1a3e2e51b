"""How well trained vectors predict the words of other documents: mean log p(center | hidden).

The training loss can't compare models: with fewer noise words, or a shorter tree, there is less to
get wrong. Here every loss has to spread one probability over the whole vocabulary.

Held-out pairs are those that training would make of the documents. Their randomness (subsampling,
window sizes) is fixed, so that a score depends on the model and the documents alone.
"""

from itertools import islice
from math import gcd

import numpy as np

from skw2v import _kernels, _sampling
from skw2v._huffman import huffman_paths
from skw2v._training import BIASED_LOSSES, BLOCK

MAX_PAIRS = 10_000

# The draws of training's generator that say which tokens are kept and how far windows reach.
_SEED, _POSITION, _EPOCH = 0, 0, 0

# Both bound memory: the copy of output vectors that is scored at once, and the pairs whose paths
# are gathered at once.
_FLOATS_AT_ONCE = 2**24
_PAIRS_AT_ONCE = 2**10


def mean_log_likelihood(
    corpus, word_counts, input_vectors, output_vectors, output_bias, parameters, *, n_threads
):
    """Mean log p(center | hidden) over the pairs of a corpus, or over MAX_PAIRS of them.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
        Held-out documents, encoded with the vocabulary that was trained.
    word_counts : ndarray of int64, shape (n_words,)
        How often each word occurs in the training documents.
    input_vectors, output_vectors, output_bias : ndarray of float32
        What was trained; see `skw2v._training.TrainedVectors`.
    parameters : skw2v._training.TrainingParameters
        What they were trained with. The seed has no part in the score.
    n_threads : int
        Threads to use at most; the result does not depend on it.

    Returns
    -------
    mean : float
        Natural logarithm. Skip-gram: over pairs of center and context; CBOW: over windows. NaN if
        the model has diverged.

    Raises
    ------
    ValueError
        If the corpus has no pair.
    """
    keep_threshold = _sampling.keep_thresholds(word_counts, parameters.subsample)
    windows = spread_windows(corpus, keep_threshold, parameters)
    if parameters.architecture == "skipgram":
        center_ids, hidden, hidden_of = skipgram_hidden(windows, input_vectors, MAX_PAIRS)
    else:
        center_ids, hidden, hidden_of = cbow_hidden(windows, input_vectors, MAX_PAIRS)
    if not len(center_ids):
        raise ValueError(_describe_lack(corpus, parameters))
    # A model that has diverged is not an error: its score is nan, which a search ranks last.
    with np.errstate(invalid="ignore"):
        log_probabilities = log_likelihoods(
            center_ids,
            hidden,
            hidden_of,
            word_counts,
            output_vectors,
            output_bias,
            parameters,
            n_threads=n_threads,
        )
        # Normalisers are sums of float32 products: next to certainty they may fall a little short.
        return float(np.mean(np.minimum(log_probabilities, 0.0)))


# --- Which pairs


def spread_windows(corpus, keep_threshold, parameters):
    """Yield the windows of the first epoch of training with seed 0, far from each other first.

    Centers come in the order 0, s, 2 s, ... modulo the number of tokens, with s near the golden
    section of it: any first part of that order lies evenly over the corpus.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
    keep_threshold : ndarray of uint32, shape (n_words,)
        From `skw2v._sampling.keep_thresholds`.
    parameters : skw2v._training.TrainingParameters

    Yields
    ------
    center_id : int
    context_ids : list of int
        At least one, from left to right.
    """
    token_ids, document_offsets = corpus.token_ids, corpus.document_offsets
    n_tokens = corpus.n_tokens

    def half_window(position):
        """How far the window of a position reaches; 0 if its token is dropped."""
        bits = _kernels.random_bits(_SEED, _POSITION, _EPOCH, position)
        if bits & 0xFFFFFFFF > keep_threshold[token_ids[position]]:
            return 0
        window = parameters.window
        return 1 + ((bits >> 32) * window >> 32) if parameters.dynamic_window else window

    step = n_tokens * 610 // 987
    while gcd(step, n_tokens) > 1:
        step += 1
    for position in (i * step % n_tokens for i in range(n_tokens)):
        reach = half_window(position)
        if not reach:
            continue
        document = np.searchsorted(document_offsets, position, side="right") - 1
        begin, end = document_offsets[document : document + 2].tolist()
        left = islice(filter(half_window, range(position - 1, begin - 1, -1)), reach)
        right = islice(filter(half_window, range(position + 1, end)), reach)
        context_pos = [*reversed(list(left)), *right]
        if context_pos:
            yield int(token_ids[position]), token_ids[context_pos].tolist()


def skipgram_hidden(windows, input_vectors, max_pairs):
    """Centers of the first pairs, and what they are predicted from: one context each.

    Returns
    -------
    center_ids : ndarray of int64, shape (n_pairs,)
    hidden : ndarray of float32, shape (n_hidden, n_components)
        Each context word once.
    hidden_of : ndarray of int64, shape (n_pairs,)
        Which row of `hidden` each center is predicted from.
    """
    pairs = ((center_id, context) for center_id, contexts in windows for context in contexts)
    pairs = np.array(list(islice(pairs, max_pairs)), dtype=np.int64).reshape(-1, 2)
    context_ids, hidden_of = np.unique(pairs[:, 1], return_inverse=True)
    return pairs[:, 0], input_vectors[context_ids], hidden_of


def cbow_hidden(windows, input_vectors, max_pairs):
    """Centers of the first windows, and what they are predicted from: the mean of the context.

    Returns as `skipgram_hidden`; here every center has its own row of `hidden`.
    """
    center_ids, hidden = [], []
    for center_id, context_ids in islice(windows, max_pairs):
        center_ids.append(center_id)
        hidden.append(input_vectors[context_ids].mean(axis=0, dtype=np.float64))
    hidden = np.array(hidden, dtype=np.float32).reshape(-1, input_vectors.shape[1])
    return np.array(center_ids, dtype=np.int64), hidden, np.arange(len(hidden))


def _describe_lack(corpus, parameters):
    if not corpus.n_tokens:
        return (
            f"nothing to score: none of the {corpus.n_documents} documents has a word of the "
            "vocabulary; pass documents like those that were fitted"
        )
    lack = f"nothing to score: {corpus.n_documents} documents have {corpus.n_tokens} known words"
    if not parameters.subsample:
        return f"{lack}, no two in one document; pass more or longer documents"
    return (
        f"{lack}, of which subsample={parameters.subsample} leaves no two in one document; pass "
        "more or longer documents, or fit with a higher subsample (0 keeps every word)"
    )


# --- How probable they are


def log_likelihoods(
    center_ids,
    hidden,
    hidden_of,
    word_counts,
    output_vectors,
    output_bias,
    parameters,
    *,
    n_threads,
):
    """log p(center | hidden) of each pair, normalised over the vocabulary.

    Hierarchical softmax: the product of the decisions along the path of the center. The others: the
    softmax over all words of ``x + log q`` for negative sampling, whose x estimates
    log(p / q) up to a constant, q being the noise distribution; of ``x + output_bias`` for NCE,
    sampled softmax and softmax, whose scores estimate log p.

    Parameters
    ----------
    center_ids, hidden, hidden_of
        From `skipgram_hidden` or `cbow_hidden`.
    word_counts, output_vectors, output_bias, parameters, n_threads
        As for `mean_log_likelihood`.

    Returns
    -------
    log_probabilities : ndarray of float64, shape (n_pairs,)
    """
    if parameters.loss == "hierarchical_softmax":
        paths = huffman_paths(word_counts)
        return _path_log_likelihoods(center_ids, hidden, hidden_of, output_vectors, paths)
    if parameters.loss in BIASED_LOSSES:
        bias = output_bias
    else:
        noise = _sampling.noise_probabilities(
            word_counts, parameters.noise, parameters.noise_exponent
        )
        bias = _sampling.log_expected_counts(noise, 1)
    scores = _dot_rows(hidden[hidden_of], output_vectors[center_ids]) + bias[center_ids]
    return scores - _log_normalizers(hidden, output_vectors, bias, n_threads)[hidden_of]


def _path_log_likelihoods(center_ids, hidden, hidden_of, output_vectors, paths):
    """Sums of log sigmoid(x) over the nodes with label 1, log sigmoid(-x) over those with 0."""
    log_probabilities = np.empty(len(center_ids))
    for first in range(0, len(center_ids), _PAIRS_AT_ONCE):
        pairs = slice(first, first + _PAIRS_AT_ONCE)
        begin, end = paths.offsets[center_ids[pairs]], paths.offsets[center_ids[pairs] + 1]
        depth = end - begin
        pair_of = np.repeat(np.arange(len(depth)), depth)
        # Places in `paths` of all the nodes, path by path.
        places = np.arange(depth.sum()) + np.repeat(end - np.cumsum(depth), depth)
        x = _dot_rows(hidden[hidden_of[pairs]][pair_of], output_vectors[paths.nodes[places]])
        wrongness = np.logaddexp(0.0, (1.0 - 2.0 * paths.labels[places]) * x)
        log_probabilities[pairs] = 0.0 - np.bincount(pair_of, wrongness, minlength=len(depth))
    return log_probabilities


def _log_normalizers(hidden, output_vectors, bias, n_threads):
    """log sum_w exp(hidden_i . output_vectors_w + bias_w) for each i, float64 (n_hidden,)."""
    n_words, d = output_vectors.shape
    # The bias of a word is the weight of one more component, which is 1 in every hidden row.
    stride = -(-(d + 1) // BLOCK) * BLOCK
    padded = np.zeros((len(hidden), stride), dtype=np.float32)
    padded[:, :d] = hidden
    padded[:, d] = 1.0
    words_at_once = min(n_words, max(1, _FLOATS_AT_ONCE // stride))
    targets = np.zeros((words_at_once, stride), dtype=np.float32)
    log_sums = np.full(len(hidden), -np.inf)
    for first in range(0, n_words, words_at_once):
        block = targets[: n_words - first]
        block[:, :d] = output_vectors[first : first + len(block)]
        block[:, d] = bias[first : first + len(block)]
        log_sums = np.logaddexp(log_sums, _kernels.log_normalizers(padded, block, n_threads))
    return log_sums


def _dot_rows(a, b):
    """Dot products of the rows of two float32 matrices, in float64."""
    return np.einsum("ij,ij->i", a, b, dtype=np.float64)
