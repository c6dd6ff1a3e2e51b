"""Noise that does not repeat itself: how likely a class is among n distinct ones, and their draw.

TensorFlow's samplers with ``unique=True`` draw classes of probability q until n different ones have
come, and report ``1 - (1 - q)**tries`` as a class's expected count: how likely it was to come in as
many tries as it took. That number is itself chance, so the count is an estimate which jitters from
draw to draw; and where little of q is left, the draw takes long. Here `tries` is the number, any
real one, at which the expected counts add up to n, and the draw makes them exact:

    The classes lie on a line in the order of their ids, each as long as its expected count: n units
    of length. From each unit one class is drawn, in proportion to its length there. One that lies
    across two units and was drawn from the first is left out of the second; else it is the likelier
    in the second, so that its chances add up to its length.

That is Deville's systematic sampling [1]_: n draws, each of which remembers the last one alone.
With n = 1 it draws from q; with all classes, each has an expected count of 1. Sets are drawn
otherwise than by TensorFlow: neighbours rarely come together. The mean gradient of NCE, a sum over
classes, cannot tell; the sampled softmax sees noise that is spread out.

Lengths are whole multiples of ``1 / UNIT``, so what is reported is what is drawn.

References
----------
.. [1] Deville, "Une nouvelle (encore une!) méthode de tirage à probabilités inégales", INSEE 9804,
       1998; in English in Chauvet, "On a characterization of ordered pivotal sampling",
       Bernoulli 18(4), 2012.
"""

import numpy as np

from skw2v._sampling import COIN_SIDES, natural_exp, natural_log

UNIT = COIN_SIDES
MOST_STEPS = 200  # of Newton's method; Zipf's law needs five, a wild distribution twenty


def distinct_lengths(probabilities, n_draws):
    """How often each class is among `n_draws` distinct ones, in units of ``1 / UNIT``.

    Parameters
    ----------
    probabilities : array-like of float, shape (n_classes,)
        Of a single draw; their sum is one. Raised to the least that `alias_table` can give.
    n_draws : int
        From 1 to n_classes.

    Returns
    -------
    lengths : ndarray of int64, shape (n_classes,)
        From 1 to UNIT; their sum is ``n_draws * UNIT``.

    Examples
    --------
    >>> from skw2v._distinct import UNIT, distinct_lengths
    >>> (distinct_lengths([0.5, 0.3, 0.2], 1) / UNIT).round(4).tolist()
    [0.5, 0.3, 0.2]
    >>> (distinct_lengths([0.5, 0.3, 0.2], 2) / UNIT).round(4).tolist()
    [0.8696, 0.6494, 0.481]
    >>> (distinct_lengths([0.5, 0.3, 0.2], 3) / UNIT).tolist()
    [1.0, 1.0, 1.0]
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    n_classes = len(probabilities)
    if n_draws == n_classes:
        return np.full(n_classes, UNIT, dtype=np.int64)
    drawn = np.maximum(probabilities, 1.0 / (n_classes * float(COIN_SIDES)))
    log_miss = natural_log(np.maximum(1.0 - drawn, 2.0**-60))
    # Newton's method. Some draws certainly repeat, so `n_draws` tries are too few; and the sum is
    # concave in tries, so that no step goes too far.
    tries = float(n_draws)
    for _ in range(MOST_STEPS):
        missed = natural_exp(tries * log_miss)
        lengths = np.rint((1.0 - missed) * UNIT).astype(np.int64)
        lacking = n_draws * UNIT - int(lengths.sum())
        if lacking <= 0:  # by what is rounded up
            break
        tries -= lacking / UNIT / np.cumsum(log_miss * missed)[-1]  # np.sum has no fixed order
    return _corrected(np.clip(lengths, 1, UNIT), n_draws * UNIT)


def _corrected(lengths, total):
    """Lengths from 1 to UNIT that add up to `total`; the longest bear the difference."""
    excess = int(lengths.sum()) - total
    order = np.argsort(-lengths, kind="stable")
    room = lengths[order] - 1 if excess > 0 else UNIT - lengths[order]
    borne = np.clip(abs(excess) - (np.cumsum(room) - room), 0, room)
    corrected = lengths.copy()
    corrected[order] -= borne if excess > 0 else -borne
    return corrected


def distinct_table(lengths):
    """Table that draws one class from each unit of the line.

    A draw of 64 random bits ``r`` for unit t looks at the class that lies across its beginning,
    ``first[t]``, of which the length ``before`` is in the unit before and ``after`` in this one. If
    it was not drawn there, it is here with the probability ``after / (UNIT - before)``: if
    ``(r & 0xffffffff) * (UNIT - before) < after * 2**32``. Else the class is the one at
    ``t * UNIT + after + ((r >> 32) * (UNIT - after) >> 32)``. Where a class begins with the unit,
    none lies across, and `after` is 0.

    Parameters
    ----------
    lengths : ndarray of int64, shape (n_classes,)
        As from `distinct_lengths`.

    Returns
    -------
    borders : ndarray of int64, shape (n_classes + 1,)
        Class c lies on the line from ``borders[c]`` up to ``borders[c + 1]``.
    first : ndarray of int32, shape (n_draws + 1,)
        The class at the beginning of each unit, and the last class.

    Examples
    --------
    >>> from skw2v._distinct import UNIT, distinct_table
    >>> borders, first = distinct_table(UNIT * np.array([2, 3, 2, 1]) // 4)
    >>> (borders / UNIT).tolist(), first.tolist()
    ([0.0, 0.5, 1.25, 1.75, 2.0], [0, 1, 3])
    """
    borders = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=borders[1:])
    begins = np.arange(0, borders[-1] + 1, UNIT)
    first = np.searchsorted(borders[1:], begins, side="right")
    return borders, np.minimum(first, len(lengths) - 1).astype(np.int32)


def log_lengths(lengths):
    """Log of the expected counts, float32: natural logarithms of ``lengths / UNIT``."""
    return natural_log(lengths / float(UNIT)).astype(np.float32)
