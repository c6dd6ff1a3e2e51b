"""Which words go on a map, where they lie, and where their labels find room.

The work behind `WordMapDisplay`, in the order it is done.
"""

from collections.abc import Mapping
from itertools import zip_longest

import numpy as np

# Where a label may go around its point, best first: direction in points, alignment.
_PLACES = [
    ((1, 0), "left", "center"),
    ((-1, 0), "right", "center"),
    ((0, 1), "center", "bottom"),
    ((0, -1), "center", "top"),
    ((0.7, 0.7), "left", "bottom"),
    ((0.7, -0.7), "left", "top"),
    ((-0.7, 0.7), "right", "bottom"),
    ((-0.7, -0.7), "right", "top"),
]

_MISSING = object()


def choose_words(word_vectors, words, n_words, groups):
    """The distinct words to draw, and the group of each, or None where there are no groups."""
    if isinstance(words, str):
        raise ValueError(f"expected a sequence of words, got the single word {words!r}")
    if isinstance(groups, Mapping):
        group_of = {}
        for name, members in groups.items():
            if isinstance(members, str):
                raise ValueError(f"expected a sequence of words in the group {name!r}, got a str")
            for word in members:
                group_of.setdefault(word, name)
        if words is None:
            # The first of every group, then the second: no group is last in line for a label.
            ranks = zip_longest(*groups.values(), fillvalue=_MISSING)
            words = [word for rank in ranks for word in rank if word is not _MISSING]
        words = list(dict.fromkeys(words))
        labels = [group_of.get(word) for word in words]
    else:
        words = word_vectors.words[:n_words] if words is None else list(words)
        labels = None
        if groups is not None:
            if len(groups) != len(words):
                raise ValueError(
                    f"expected a group for each of the {len(words)} words, got {len(groups)}"
                )
            group_of = dict(zip(reversed(words), reversed(list(groups)), strict=True))
            labels = [group_of[word] for word in dict.fromkeys(words)]
        words = list(dict.fromkeys(words))
    if not words:
        raise ValueError("no words to draw; pass some as words or groups, or n_words of 1 or more")
    return words, labels


def project(vectors, projection):
    """Positions on the plane, float64 of shape (n_words, 2)."""
    if isinstance(projection, str) and projection == "pca":
        return _principal_plane(vectors)
    if isinstance(projection, str) and projection == "tsne":
        from sklearn.manifold import TSNE

        if len(vectors) < 4:
            raise ValueError(f"projection='tsne' needs 4 words or more, got {len(vectors)}")
        perplexity = min(30.0, (len(vectors) - 1) / 3)
        start = _principal_plane(vectors)
        start *= 1e-4 / max(start[:, 0].std(), 1e-12)  # as TSNE scales its own start by PCA
        # The approximation is for thousands of points; below, the exact method is as fast.
        method = "exact" if len(vectors) <= 500 else "barnes_hut"
        tsne = TSNE(perplexity=perplexity, init=start.astype(np.float32), method=method)
        return tsne.fit_transform(vectors.astype(np.float32)).astype(np.float64)
    if not hasattr(projection, "fit_transform"):
        raise ValueError(
            "expected projection to be 'pca', 'tsne' or a transformer with fit_transform, got "
            f"{projection!r}"
        )
    xy = np.asarray(_apply_transformer(projection, vectors), dtype=np.float64)
    if xy.shape != (len(vectors), 2):
        raise ValueError(
            f"expected projection to return an array of shape ({len(vectors)}, 2), got one of "
            f"shape {xy.shape} from {projection!r}; set its n_components=2"
        )
    return xy


def _apply_transformer(transformer, vectors):
    from sklearn.base import clone
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(transformer)
        use_as_it_is = hasattr(transformer, "transform")
    except (NotFittedError, TypeError, AttributeError):  # the latter two: not an estimator
        use_as_it_is = False
    if use_as_it_is:
        return transformer.transform(vectors)
    return clone(transformer, safe=False).fit_transform(vectors)


def _principal_plane(vectors):
    """Scores of the first two principal components; zeros for one that does not exist."""
    from sklearn.decomposition import PCA

    xy = np.zeros((len(vectors), 2))
    n_components = min(2, *vectors.shape)
    # The whole decomposition: no randomness, and at most a few hundred rows.
    pca = PCA(n_components, svd_solver="full")
    if len(vectors) > 1:
        with np.errstate(invalid="ignore"):  # shares of a variance of 0, which nobody asks for
            xy[:, :n_components] = pca.fit_transform(vectors)
    return xy


def place_labels(ax, xy, texts, obstacles):
    """Put each label where it covers nothing, the first words first; hide it where it cannot be."""
    frame = ax.get_window_extent()
    pixels = ax.figure.dpi / 72  # of a point
    gap = 1.5 * pixels  # at either side, so that neighbours on a line don't read as one word
    dots = ax.transData.transform(xy)
    taken = np.array([box.extents for box in obstacles]).reshape(-1, 4)
    for i, text in enumerate(texts):
        others = np.delete(dots, i, axis=0)
        for (right, up), horizontal, vertical in _PLACES:
            text.set_position((5 * right, 5 * up))
            text.set(horizontalalignment=horizontal, verticalalignment=vertical)
            left, bottom, width, height = text.get_window_extent().bounds
            box = np.array([left, bottom, left + width, bottom + height])
            box[[0, 2]] += -gap, gap
            inside = box[0] >= frame.x0 and box[1] >= frame.y0
            inside = inside and box[2] <= frame.x1 and box[3] <= frame.y1
            if inside and not _overlaps(box, taken) and not _covers(box, others, 2 * pixels):
                taken = np.vstack([taken, box])
                break
        else:
            text.set_visible(False)


def _overlaps(box, boxes):
    return bool(np.any(np.all((boxes[:, :2] < box[2:]) & (boxes[:, 2:] > box[:2]), axis=1)))


def _covers(box, points, margin):
    return bool(np.any(np.all((points > box[:2] - margin) & (points < box[2:] + margin), axis=1)))
