"""Pictures: a map of words, and the course of the loss.

They follow scikit-learn's displays: `from_...` computes and draws, the object keeps what was
computed, `plot` draws it again. matplotlib is imported when something is drawn, and not before.
"""

import numpy as np

from ._word_map import choose_words, place_labels, project

__all__ = ["LossCurveDisplay", "WordMapDisplay"]

# Okabe and Ito's colours, told apart with any kind of colour vision; without their yellow, which
# no text is readable in. The first is for what belongs to no group.
_GREY = "#5f6b76"
_PALETTE = ["#0072b2", "#d55e00", "#009e73", "#a6559d", "#b07d00", "#3a9bd6", "#333333", "#8c510a"]


class WordMapDisplay:
    """Words on a plane, near where their vectors are alike.

    Use :meth:`from_word_vectors` to make one. Distances on the map are no more than a hint: two
    dimensions cannot keep those of a hundred.

    Parameters
    ----------
    xy : array-like of shape (n_words, 2)
        Positions.
    words : sequence of str or int, length n_words
        Words, the most important first: where labels have no room, the later ones are left out.
    labels : sequence of length n_words, default=None
        The group of each word, None for a word of no group. Groups have a colour each, and a
        legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the map.
    figure_ : matplotlib Figure
        Figure that holds the axes.
    points_ : list of matplotlib PathCollection
        The points of each group, in the order of the legend.
    text_ : list of matplotlib Text, length n_words
        The labels, in the order of the words. Labels without room are invisible.

    Examples
    --------
    >>> from skw2v import WordVectors
    >>> from skw2v.display import WordMapDisplay
    >>> word_vectors = WordVectors(["one", "two", "cat", "dog"], [[3, 1], [3, 2], [1, 4], [0, 4]])
    >>> groups = {"numbers": ["one", "two"], "animals": ["cat", "dog"]}
    >>> display = WordMapDisplay.from_word_vectors(word_vectors, groups=groups)
    >>> display.xy.shape
    (4, 2)
    >>> display.figure_.savefig("words.png")  # doctest: +SKIP
    """

    def __init__(self, *, xy, words, labels=None):
        self.xy = xy
        self.words = words
        self.labels = labels

    @classmethod
    def from_word_vectors(
        cls,
        word_vectors,
        words=None,
        *,
        n_words=80,
        groups=None,
        projection="pca",
        ax=None,
        text_kwargs=None,
        **kwargs,
    ):
        """Project words onto a plane and draw them.

        The vectors are scaled to length 1 first, so that the map shows what cosines see.

        Parameters
        ----------
        word_vectors : WordVectors
            Words and vectors, as `Word2VecTransformer.word_vectors` gives them.
        words : sequence of str or int, default=None
            Words to draw, the most important first. None: those of `groups`, else the first
            `n_words` words, which are the most frequent of a fitted vocabulary.
        n_words : int, default=80
            How many words to draw where neither `words` nor `groups` names them.
        groups : mapping of name to words, or sequence with the name of each word, default=None
            Words to colour alike, in a mapping the most important of each group first. A word of
            two groups belongs to the first; a word of none, or of the group None, is grey.
        projection : {"pca", "tsne"} or transformer, default="pca"
            ``"pca"`` keeps the directions in which these words differ most; ``"tsne"`` starts
            from there and keeps neighbours together, at the price of everything else; it needs 4
            words or more. Neither draws random numbers: the same words give the same map. A
            transformer that is fitted is used as it is, with its `transform`; another is cloned,
            and fitted on these words. It has to return two columns.
        ax : matplotlib Axes, default=None
            Axes to draw on. None: a new figure.
        text_kwargs : dict, default=None
            Passed to `matplotlib.axes.Axes.annotate` for the labels, over the defaults.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.scatter`, over the defaults.

        Returns
        -------
        display : WordMapDisplay
            The map, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        KeyError
            If a word is unknown.
        ValueError
            If there is nothing to draw, `groups` has another length than `words`, or `projection`
            is or returns something else than the above.
        """
        _import_pyplot(f"{cls.__name__}.from_word_vectors")
        words, labels = choose_words(word_vectors, words, n_words, groups)
        vectors = np.array([word_vectors[word] for word in words], dtype=np.float64)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.where(lengths > 0, lengths, 1)
        xy = project(vectors, projection)
        display = cls(xy=xy, words=words, labels=labels)
        return display.plot(ax=ax, text_kwargs=text_kwargs, **kwargs)

    def plot(self, ax=None, *, text_kwargs=None, **kwargs):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; its limits are set here, so that labels can be placed. None: a new
            figure.
        text_kwargs : dict, default=None
            Passed to `matplotlib.axes.Axes.annotate` for the labels, over the defaults.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.scatter`, over the defaults.

        Returns
        -------
        display : WordMapDisplay
            The object itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        plt = _import_pyplot(f"{type(self).__name__}.plot")
        own_figure = ax is None
        if own_figure:
            _, ax = plt.subplots(figsize=(10, 7.5), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure

        xy = np.asarray(self.xy, dtype=np.float64)
        labels = [None] * len(self.words) if self.labels is None else list(self.labels)
        colors = _colors(labels)
        self.points_ = []
        for label, color in colors.items():
            members = [i for i, of_word in enumerate(labels) if of_word == label]
            name = "other" if label is None else str(label)
            style = {"s": 18, "color": color, "linewidths": 0, "zorder": 2, "label": name}
            self.points_.append(ax.scatter(*xy[members].T, **style | kwargs))
        _dress(ax)
        obstacles = []
        if set(colors) != {None}:
            # Beside the map in a figure of our own; in a foreign one that may leave no room there.
            place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1)} if own_figure else {}
            obstacles.append(ax.legend(frameon=False, handletextpad=0.2, **place))

        self.text_ = self._label(ax, xy, [colors[label] for label in labels], text_kwargs)
        # A layout engine moves the axes at the first drawing; labels are placed after that.
        self.figure_.canvas.figure.draw_without_rendering()
        place_labels(ax, xy, self.text_, [item.get_window_extent() for item in obstacles])
        return self

    def _label(self, ax, xy, colors, text_kwargs):
        """One label for each word, to the right of its point; none of them in the layout."""
        from matplotlib.patheffects import withStroke

        halo = [withStroke(linewidth=2.5, foreground=ax.get_facecolor())]
        style = {"fontsize": 9, "textcoords": "offset points", "annotation_clip": True, "zorder": 3}
        texts = []
        for word, point, color in zip(self.words, xy, colors, strict=True):
            given = style | {"color": color, "path_effects": halo} | (text_kwargs or {})
            # parse_math: a word may hold dollar signs and means no formula by them.
            text = ax.annotate(str(word), point, xytext=(0, 0), parse_math=False, **given)
            text.set_in_layout(False)
            texts.append(text)
        return texts


class LossCurveDisplay:
    """The mean loss of each epoch.

    Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Mean loss of each epoch.
    name : str, default=None
        What the legend calls the curve. None: no legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curve.
    figure_ : matplotlib Figure
        Figure that holds the axes.
    line_ : matplotlib Line2D
        The curve.

    Examples
    --------
    >>> from skw2v.display import LossCurveDisplay
    >>> display = LossCurveDisplay(loss_curve=[2.5, 2.1, 1.9], name="window=5").plot()
    >>> display.ax_.get_xlabel()
    'Epoch'
    """

    def __init__(self, *, loss_curve, name=None):
        self.loss_curve = loss_curve
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, *, name=None, ax=None, **kwargs):
        """Draw the `loss_curve_` of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with `loss_curve_`: a Word2VecTransformer, for one.
        name : str, default=None
            What the legend calls the curve. None: no legend.
        ax : matplotlib Axes, default=None
            Axes to draw on, which may hold other curves. None: a new figure.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.plot`, over the defaults.

        Returns
        -------
        display : LossCurveDisplay
            The curve, drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        sklearn.exceptions.NotFittedError
            If the estimator has no `loss_curve_` yet.
        """
        from sklearn.utils.validation import check_is_fitted

        _import_pyplot(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator, "loss_curve_")
        return cls(loss_curve=estimator.loss_curve_, name=name).plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, name=None, **kwargs):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on, which may hold other curves. None: a new figure.
        name : str, default=None
            What the legend calls the curve. None: the name given before.
        **kwargs : dict
            Passed to `matplotlib.axes.Axes.plot`, over the defaults.

        Returns
        -------
        display : LossCurveDisplay
            The object itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        plt = _import_pyplot(f"{type(self).__name__}.plot")
        from matplotlib.ticker import MaxNLocator

        if ax is None:
            _, ax = plt.subplots(layout="constrained")
        name = self.name if name is None else name
        style = {"marker": "o", "markersize": 4} | ({} if name is None else {"label": name})
        epochs = np.arange(1, len(self.loss_curve) + 1)
        (self.line_,) = ax.plot(epochs, self.loss_curve, **style | kwargs)
        ax.set(xlabel="Epoch", ylabel="Mean loss per true pair")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(axis="y", alpha=0.3)
        if name is not None:
            ax.legend(frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _import_pyplot(caller):
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} needs matplotlib, which is not installed; to get it, run: "
            "pip install skw2v[plot]"
        ) from error
    return plt


def _colors(labels):
    """Group to colour, in the order the groups come; the group None is grey and comes last."""
    groups = [label for label in dict.fromkeys(labels) if label is not None]
    colors = {label: _PALETTE[i % len(_PALETTE)] for i, label in enumerate(groups)}
    return colors | ({None: _GREY} if None in labels else {})


def _dress(ax):
    """Equal scales, room at the edges, and no numbers: coordinates mean nothing by themselves."""
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.06)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_color("#cccccc")
