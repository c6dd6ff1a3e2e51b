"""One pair and one noise word, forward and backward, in the numbers of `primitive`."""

import matplotlib.pyplot as plt
import numpy as np

from skw2v._reference import primitive, primitive_loss, primitive_residual, primitive_scores

HIDDEN = np.array([[1.0, 1.0]])
TARGETS = np.array([[1.0, -1.0], [2.0, -1.0]])  # the center's row, a noise word's row
LABELS = np.array([1.0, 0.0])
FORWARD, BACKWARD = "C0", "C1"


def written(values):
    """A number, or the components of a vector."""
    numbers = [f"{value:.2f}".replace("-", "−") for value in np.ravel(values)]
    return numbers[0] if len(numbers) == 1 else f"({', '.join(numbers)})"


def box(ax, x, y, name, value, gradient):
    ax.text(
        x,
        y,
        name,
        ha="center",
        va="center",
        fontsize=12,
        zorder=3,
        bbox={"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": "C6"},
    )
    ax.text(x, y + 0.42, written(value), ha="center", va="bottom", color=FORWARD)
    ax.text(x, y - 0.42, written(gradient), ha="center", va="top", color=BACKWARD)


def both_ways():
    scores = primitive_scores(HIDDEN, TARGETS)
    slopes = -primitive_residual(scores, LABELS, np.ones(2), "sigmoid")[0]
    # At rate 1 a step is the negated gradient.
    step = primitive(HIDDEN, TARGETS, LABELS, np.ones(2), rate=1.0)
    losses = [primitive_loss(scores[:, [i]], LABELS[i], 1.0, "sigmoid") for i in (0, 1)]

    _, ax = plt.subplots(figsize=(9, 4.3))
    box(ax, 0, 0, "$h = v_o$", HIDDEN, -step.hidden_change)
    for i, (y, word) in enumerate([(1.5, "c"), (-1.5, "n")]):
        box(ax, 1.5, y * 1.45, f"$v'_{word}$", TARGETS[i], -step.target_change[i])
        ax.plot([0, 3.2, 6, 8.4], [0, y, y, 0], color="#7a8794", linewidth=1)
        ax.plot([1.5, 3.2], [y * 1.45, y], color="#7a8794", linewidth=1)
        box(ax, 3.2, y, f"$s_{word} = h \\cdot v'_{word}$", scores[0, i], slopes[i])
        sign = "" if word == "c" else "-"
        box(ax, 6, y, f"$-\\log\\,\\sigma({sign}s_{word})$", losses[i], 1)
    box(ax, 8.4, 0, "$L$", step.loss, 1)
    ax.text(8.9, 2.6, "forward: values", color=FORWARD, ha="right")
    ax.text(8.9, 2.25, "backward: gradients", color=BACKWARD, ha="right")
    ax.set(xlim=(-1, 9.1), ylim=(-3, 3))
    ax.axis("off")
