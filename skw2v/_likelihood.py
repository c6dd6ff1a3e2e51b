"""How well trained vectors predict the words of other documents: mean log p(center | hidden).

The training loss can't compare models: with fewer noise words, or a shorter tree, there is less to
get wrong. Here every loss has to spread one probability over the whole vocabulary.

Held-out pairs are those that training would make of the documents. Their randomness (subsampling,
window sizes) is fixed, so that a score depends on the model and the documents alone.
"""

from itertools import chain, islice
from math import gcd

import numpy as np

from skw2v import _kernels, _sampling
from skw2v._huffman import huffman_paths
from skw2v._parameters import BIASED_LOSSES
from skw2v._rows import BLOCK

MAX_PAIRS = 10_000

# The draws of training's generator that say which tokens are kept and how far windows reach.
_SEED, _POSITION, _EPOCH = 0, 0, 0

# Both bound memory: the copy of output vectors that is scored at once, and the pairs whose paths
# are gathered at once.
_FLOATS_AT_ONCE = 2**24
_PAIRS_AT_ONCE = 2**10


class HeldOutPairs:
    """The pairs of held-out documents, or MAX_PAIRS of them, to score models of one vocabulary on.

    Parameters
    ----------
    corpus : skw2v._corpus.Corpus
        Held-out documents, encoded with the vocabulary that is trained.
    word_counts : ndarray of shape (n_words,)
        How often each word occurs in the training documents.
    parameters : skw2v._parameters.TrainingParameters
        What the models are trained with. The seed has no part in the score.

    Raises
    ------
    ValueError
        If the corpus has no pair.
    """

    def __init__(self, corpus, word_counts, parameters):
        keep_threshold = _sampling.keep_thresholds(word_counts, parameters.subsample)
        windows = spread_windows(corpus, keep_threshold, parameters)
        choose = skipgram_pairs if parameters.architecture == "skipgram" else cbow_pairs
        self._center_ids, self._context_ids, self._hidden_of = choose(windows, MAX_PAIRS)
        if not len(self._center_ids):
            raise ValueError(_describe_lack(corpus, parameters))
        self._word_counts, self._parameters = word_counts, parameters

    def mean_log_likelihood(self, trained, *, n_threads):
        """Mean log p(center | hidden).

        Parameters
        ----------
        trained : skw2v._trainer.TrainedVectors
        n_threads : int
            Threads to use at most; the result does not depend on it.

        Returns
        -------
        mean : float
            Natural logarithm. Skip-gram: over pairs of center and context; CBOW: over windows. NaN
            if the model has diverged.
        """
        is_tree = self._parameters.loss == "hierarchical_softmax"
        # A model that has diverged is not an error: its score is nan, which a search ranks last.
        with np.errstate(invalid="ignore"):
            log_probabilities = log_likelihoods(
                self._center_ids,
                hidden_vectors(self._context_ids, trained.input_vectors),
                self._hidden_of,
                trained.tree_counts if is_tree else self._word_counts,
                trained.output_vectors,
                trained.output_bias,
                self._parameters,
                n_threads=n_threads,
            )
            # Normalisers are sums of float32 products: next to certainty they may fall a little
            # short.
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
    parameters : skw2v._parameters.TrainingParameters

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


def skipgram_pairs(windows, max_pairs):
    """Centers of the first pairs, and what they are predicted from: one context each.

    Returns
    -------
    center_ids : ndarray of int64, shape (n_pairs,)
    context_ids : list of list of int, n_hidden of them
        The words whose input vectors' mean is a hidden vector: here one, and each one once.
    hidden_of : ndarray of int64, shape (n_pairs,)
        Which of them each center is predicted from.
    """
    pairs = ((center_id, context) for center_id, contexts in windows for context in contexts)
    pairs = np.array(list(islice(pairs, max_pairs)), dtype=np.int64).reshape(-1, 2)
    context_ids, hidden_of = np.unique(pairs[:, 1], return_inverse=True)
    return pairs[:, 0], context_ids[:, np.newaxis].tolist(), hidden_of


def cbow_pairs(windows, max_pairs):
    """Centers of the first windows, and what they are predicted from: all of the context.

    Returns as `skipgram_pairs`; here every center has its own list.
    """
    chosen = list(islice(windows, max_pairs))
    center_ids = np.array([center_id for center_id, _ in chosen], dtype=np.int64)
    return center_ids, [contexts for _, contexts in chosen], np.arange(len(chosen))


def hidden_vectors(context_ids, input_vectors):
    """The mean input vector of each list of words, float32 (n_hidden, n_components)."""
    lengths = np.fromiter(map(len, context_ids), np.int64, len(context_ids))
    rows = input_vectors[np.fromiter(chain.from_iterable(context_ids), np.int64, lengths.sum())]
    sums = np.add.reduceat(rows, np.cumsum(lengths) - lengths, axis=0, dtype=np.float64)
    return (sums / lengths[:, np.newaxis]).astype(np.float32)


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
    center_ids, hidden_of : ndarray of int64, shape (n_pairs,)
        From `skipgram_pairs` or `cbow_pairs`.
    hidden : ndarray of float32, shape (n_hidden, n_components)
        From `hidden_vectors`.
    word_counts : ndarray of shape (n_words,)
        What the noise comes from, or the tree.
    output_vectors, output_bias : ndarray of float32
        See `skw2v._trainer.TrainedVectors`.
    parameters : skw2v._parameters.TrainingParameters
    n_threads : int

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
