"""Which words are drawn as noise, and how often a frequent word is kept.

Every table here is built from operations that IEEE 754 rounds correctly (+, -, *, /, sqrt), from
exact integers, or from Python's software decimals. NumPy's ``power``, ``log`` and ``exp``, and the
C library's ``pow``, change their last bits with the CPU, and with them the words that are drawn.

A random draw is 64 bits wide: its high half picks a slot, its low half (32 bits, "the coin") is
compared with an unsigned 32-bit threshold, and the comparison is ``coin <= threshold``. So a
threshold ``t`` stands for the probability ``(t + 1) / 2**32``: certainty can be written, zero
cannot, and the least one is ``2**-32``.
"""

import math
from decimal import Context, Decimal

import numpy as np

COIN_SIDES = 2**32
LOG_2_HIGH = float.fromhex("0x1.62e42feep-1")  # short, so that its multiples are exact
LOG_2_LOW = float.fromhex("0x1.a39ef35793c76p-33")


def noise_probabilities(counts, noise, exponent):
    """Probability of each word as noise: the table behind the parameter `noise`.

    Parameters
    ----------
    counts : array-like of shape (n_words,)
    noise : {"unigram", "log_uniform"}
        `noise_distribution` or `log_uniform_distribution`.
    exponent : float
        Of "unigram"; "log_uniform" has none.

    Returns
    -------
    probabilities : ndarray of float64, shape (n_words,)
    """
    if noise == "unigram":
        return noise_distribution(counts, exponent)
    if noise == "log_uniform":
        return log_uniform_distribution(counts)
    raise ValueError(f"noise must be 'unigram' or 'log_uniform', got {noise!r}")


def noise_distribution(counts, exponent):
    """Probability of each word as noise, proportional to ``counts ** exponent``.

    Parameters
    ----------
    counts : array-like of shape (n_words,)
        How often each word occurs, fractions allowed. A word that never occurs gets probability
        zero, whatever the exponent.
    exponent : float
        0.75 in word2vec [1]_; 0 is uniform over the words that occur. Negative values prefer rare
        words, which suits recommendation [2]_.

    Returns
    -------
    probabilities : ndarray of float64, shape (n_words,)
        Their sum is one up to rounding.

    Raises
    ------
    ValueError
        If no word occurs at all.

    References
    ----------
    .. [1] Mikolov et al., "Distributed Representations of Words and Phrases and their
           Compositionality", NeurIPS 2013.
    .. [2] Caselles-Dupré, Lesaint, Royo-Letelier, "Word2vec applied to recommendation:
           hyperparameters matter", RecSys 2018.

    Examples
    --------
    >>> from skw2v._sampling import noise_distribution
    >>> noise_distribution([81, 16, 0], 0.75).round(4).tolist()
    [0.7714, 0.2286, 0.0]
    """
    counts = np.asarray(counts)
    if not np.any(counts > 0):
        raise ValueError(
            f"no noise can be drawn: none of the {len(counts)} words occurs in the documents; "
            "pass documents that contain words of the vocabulary"
        )
    if exponent == 0.75:
        root = np.sqrt(counts.astype(np.float64))
        weights = root * np.sqrt(root)
    else:
        weights = _decimal_power(counts, exponent)
    # fsum is correctly rounded, so the total does not depend on the order NumPy adds in.
    return weights / math.fsum(weights.tolist())


def _decimal_power(counts, exponent):
    """``counts ** exponent`` up to a common factor that makes the largest weight one."""
    distinct, positions = np.unique(counts, return_inverse=True)
    occurring = [Decimal(count) for count in distinct.tolist() if count > 0]
    heaviest = occurring[-1] if exponent >= 0 else occurring[0]
    context = Context(prec=30)
    power = Decimal(float(exponent))
    weights = [
        float(context.power(context.divide(count, heaviest), power)) if power else 1.0
        for count in occurring
    ]
    return np.array([0.0] * (len(distinct) - len(occurring)) + weights)[positions]


def log_uniform_distribution(counts):
    """Probability of each word as noise, from its rank among the counts: about Zipf's law.

    ``P(rank) = log((rank + 2) / (rank + 1)) / log(n_words + 1)``, TensorFlow's
    ``log_uniform_candidate_sampler``, which takes ids to be sorted by falling count.

    Parameters
    ----------
    counts : array-like of shape (n_words,)
        Only their order matters; equal counts are ranked by id. A word that never occurs has its
        place too, behind all others.

    Returns
    -------
    probabilities : ndarray of float64, shape (n_words,)
        Their sum is one up to rounding.

    Examples
    --------
    >>> from skw2v._sampling import log_uniform_distribution
    >>> log_uniform_distribution([16, 0, 81]).round(4).tolist()
    [0.2925, 0.2075, 0.5]
    """
    counts = np.asarray(counts)
    n_words = len(counts)
    rank = np.empty(n_words, dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(n_words)
    # log((r + 2) / (r + 1)) = 2 atanh(1 / (2 r + 3))
    return _twice_atanh(1.0 / (2.0 * rank + 3.0)) / natural_log(n_words + 1)


def log_expected_counts(probabilities, n_draws):
    """Log of how often each word is expected among the noise words of a window.

    The draws are made with replacement, so the expected count is ``n_draws * probability``. (For
    draws without, see `skw2v._distinct`.)

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n_words,)
        Raised to the least that `alias_table` can give, ``1 / (n_words * 2**32)``.
    n_draws : int
        Noise words of a window.

    Returns
    -------
    log_counts : ndarray of float32, shape (n_words,)

    Examples
    --------
    >>> from skw2v._sampling import log_expected_counts
    >>> log_expected_counts([0.75, 0.25, 0.0], 4).round(2)
    array([  1.1 ,   0.  , -21.89], dtype=float32)
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    drawn = np.maximum(probabilities, 1.0 / (len(probabilities) * float(COIN_SIDES)))
    return natural_log(n_draws * drawn).astype(np.float32)


def kept_counts(counts, keep_threshold):
    """Tokens of each word that subsampling is expected to keep.

    Parameters
    ----------
    counts : array-like, shape (n_words,)
    keep_threshold : ndarray of uint32, shape (n_words,)
        As from `keep_thresholds`.

    Returns
    -------
    kept : ndarray of float64, shape (n_words,)

    Examples
    --------
    >>> from skw2v._sampling import keep_thresholds, kept_counts
    >>> kept_counts([400, 1], keep_thresholds([400, 1], 0.001)).round(1).tolist()
    [13.1, 1.0]
    """
    return np.asarray(counts) * ((keep_threshold.astype(np.float64) + 1.0) / COIN_SIDES)


def initial_biases(counts, keep_threshold):
    """Log of each word's share of the tokens that subsampling keeps.

    Where the biases of NCE, sampled softmax and softmax start: a model whose vectors say nothing
    yet then predicts every word as often as it occurs. From zero, NCE spends its first epochs on
    pushing thousands of biases down to about -9, and input and output vectors with them.

    Parameters
    ----------
    counts : array-like of shape (n_words,)
        A word that never occurs counts as half a token, or half as often as the rarest word where
        that is less than once.
    keep_threshold : ndarray of uint32, shape (n_words,)
        As from `keep_thresholds`.

    Returns
    -------
    biases : ndarray of float32, shape (n_words,)

    Examples
    --------
    >>> from skw2v._sampling import initial_biases, keep_thresholds
    >>> initial_biases([3, 1], keep_thresholds([3, 1], 0)).round(3)
    array([-0.288, -1.386], dtype=float32)
    """
    counts = np.asarray(counts)
    least = min(1.0, np.min(counts, where=counts > 0, initial=1.0))
    kept = kept_counts(np.where(counts > 0, counts, 0.5 * least), keep_threshold)
    return natural_log(kept / math.fsum(kept.tolist())).astype(np.float32)


def initial_log_odds(counts, n_documents):
    """Log odds of each class, among documents that may have several or none.

    Where the biases of one versus rest start: a model whose vectors say nothing yet then predicts
    every class as often as it occurs.

    Parameters
    ----------
    counts : array-like of shape (n_classes,)
        In how many documents each class is.
    n_documents : float

    Returns
    -------
    biases : ndarray of float32, shape (n_classes,)
        Of counts that are half a document higher, and that far below the number of documents.

    Examples
    --------
    >>> from skw2v._sampling import initial_log_odds
    >>> initial_log_odds([9.5, 0], 19).round(3)
    array([ 0.   , -3.664], dtype=float32)
    """
    counts = np.asarray(counts, dtype=np.float64)
    return natural_log((counts + 0.5) / (n_documents - counts + 0.5)).astype(np.float32)


def natural_log(x):
    """Natural logarithm in float64, the same bits on every machine, good to about 2 ulp.

    Parameters
    ----------
    x : float or array-like of float
        Positive and finite.

    Returns
    -------
    log : float64 or ndarray of float64, of the shape of `x`

    Examples
    --------
    >>> from skw2v._sampling import natural_log
    >>> float(natural_log(10.0))
    2.302585092994046
    """
    mantissa, exponent = np.frexp(np.asarray(x, dtype=np.float64))
    # Into [sqrt(1/2), sqrt(2)), where the series is fast and log 1 is exactly 0.
    low = mantissa < math.sqrt(0.5)
    mantissa = np.where(low, 2.0 * mantissa, mantissa)
    exponent = np.where(low, exponent - 1, exponent).astype(np.float64)
    small = _twice_atanh((mantissa - 1.0) / (mantissa + 1.0)) + exponent * LOG_2_LOW
    return exponent * LOG_2_HIGH + small


def natural_exp(x):
    """e to the power of x in float64, the same bits on every machine, good to about 2 ulp.

    Parameters
    ----------
    x : array-like of float
        At most 700.

    Returns
    -------
    exp : ndarray of float64, of the shape of `x`

    Examples
    --------
    >>> from skw2v._sampling import natural_exp
    >>> natural_exp([0.0, 1.0, -1e9]).round(12).tolist()
    [1.0, 2.718281828459, 0.0]
    """
    x = np.maximum(np.asarray(x, dtype=np.float64), -800.0)  # far below the least float
    power = np.rint(x / math.log(2.0))
    small = (x - power * LOG_2_HIGH) - power * LOG_2_LOW
    series = 1.0
    for n in range(17, 0, -1):  # 0.35**18 / 18! is below half an ulp of 1
        series = 1.0 + small * series * (1.0 / n)
    return np.ldexp(series, power.astype(np.int32))


def _twice_atanh(z):
    """``2 atanh(z) = log((1 + z) / (1 - z))`` by its series, for abs(z) up to 1/3."""
    square = z * z
    series = 0.0
    for power in range(37, 1, -2):  # z**38 / 39 is below half an ulp of 1
        series = (series + 1.0 / power) * square
    return 2.0 * z + 2.0 * z * series


def alias_table(probabilities):
    """Table that draws a word in constant time (Walker's alias method).

    A draw of 64 random bits ``r`` takes slot ``i = ((r >> 32) * n_words) >> 32`` and yields word
    ``i`` if ``(r & 0xffffffff) <= threshold[i]``, else ``alias[i]``.

    The probabilities are first rounded to multiples of ``1 / (n_words * 2**32)``, at least one each
    (a slot cannot refuse its own word entirely, so that a word of probability zero is drawn once in
    ``n_words * 2**32``); from there on everything is exact integer arithmetic.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n_words,)
        Must sum to one.

    Returns
    -------
    threshold : ndarray of uint32, shape (n_words,)
    alias : ndarray of int32, shape (n_words,)

    Notes
    -----
    Slots are filled by one sweep over the words below the average ("light") and those above
    ("heavy") [1]_: each light slot is topped up by the current heavy word; a heavy word that has
    thereby become light is itself topped up by the next one. Who tops up whom depends on the
    prefix sums of deficits and excesses alone, so the sweep is two binary searches.

    References
    ----------
    .. [1] Hübschle-Schneider, Sanders, "Parallel Weighted Random Sampling", ESA 2019.

    Examples
    --------
    >>> from skw2v._sampling import alias_table
    >>> threshold, alias = alias_table([0.75, 0.25])
    >>> ((threshold + 1.0) / 2**32).tolist(), alias.tolist()
    ([1.0, 0.5], [0, 0])
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    n_words = len(probabilities)
    mass = np.rint(probabilities * n_words * COIN_SIDES).astype(np.int64)
    mass = np.maximum(mass, 1)
    # The likeliest word bears the rounding: at most n_words units, and it has 2**32 or more.
    mass[np.argmax(mass)] += n_words * COIN_SIDES - mass.sum()

    is_light = mass < COIN_SIDES
    light, heavy = np.flatnonzero(is_light), np.flatnonzero(~is_light)
    # deficit[l]: what the first l light slots lack; excess[h]: what heavy words 0..h can give.
    deficit = np.concatenate([[0], np.cumsum(COIN_SIDES - mass[light])])
    excess = np.cumsum(mass[heavy] - COIN_SIDES)

    own = mass.copy()
    alias = np.arange(n_words, dtype=np.int32)
    alias[light] = heavy[np.searchsorted(excess, deficit[:-1], side="right")]
    n_topped_up = np.searchsorted(deficit, excess, side="left")
    own[heavy] = COIN_SIDES + excess - deficit[n_topped_up]
    alias[heavy[:-1]] = heavy[1:]
    return (own - 1).astype(np.uint32), alias


def keep_thresholds(counts, subsample):
    """Threshold under which a token of each word survives subsampling.

    A token is kept iff ``(r & 0xffffffff) <= threshold[word]``; the probability is word2vec.c's
    ``min(1, (sqrt(f / t) + 1) * t / f)`` with ``f`` the word's share of all tokens.

    Parameters
    ----------
    counts : array-like of shape (n_words,)
        A word that never occurs is always kept.
    subsample : float
        The share ``t`` above which words are thinned out; 0 keeps every token.

    Returns
    -------
    thresholds : ndarray of uint32, shape (n_words,)

    References
    ----------
    .. [1] Mikolov et al., "Distributed Representations of Words and Phrases and their
           Compositionality", NeurIPS 2013; the formula is that of the published word2vec.c, which
           differs from the paper's.

    Examples
    --------
    >>> from skw2v._sampling import keep_thresholds
    >>> ((keep_thresholds([400, 1], 0.001) + 1.0) / 2**32).round(3).tolist()
    [0.033, 1.0]
    """
    counts = np.asarray(counts)
    thresholds = np.full(len(counts), COIN_SIDES - 1, dtype=np.uint32)
    occurring = counts > 0
    if subsample == 0 or not occurring.any():
        return thresholds
    share = counts[occurring] / math.fsum(counts.tolist())
    probability = (np.sqrt(share / subsample) + 1.0) * subsample / share
    sides = np.clip(np.ceil(np.minimum(probability, 1.0) * COIN_SIDES), 1, COIN_SIDES)
    thresholds[occurring] = (sides - 1).astype(np.uint32)
    return thresholds
