"""Two rings: no line parts them; a line over chosen or learned basis functions does."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from skw2v._reference import primitive, primitive_scores

SIDES = ListedColormap(["#fbe3d3", "#d6e8f5"])  # where the model says "outer", "inner"
LIMIT = 2.5


def two_rings(n_points=130):
    """Points of the plane and their labels: 1 on the inner ring, 0 on the outer."""
    rng = np.random.default_rng(0)
    labels = np.arange(n_points) % 2
    radius = np.where(labels == 1, 0.8, 1.9) + rng.normal(scale=0.13, size=n_points)
    angle = 2 * np.pi * (np.arange(n_points) + rng.uniform(-1, 1, n_points)) / n_points
    return np.c_[radius * np.cos(angle), radius * np.sin(angle)], labels


def with_one(x):
    """A constant 1 beside the columns: its weight is the bias."""
    return np.c_[x, np.ones(len(x))]


def plane(points, _):
    return with_one(points)


def squares(points, _):
    return with_one(points**2)


def hidden_layer(points, units):
    return with_one(np.tanh(with_one(points) @ units))


def fit(basis, points, labels, n_steps=1000, rate=0.02):
    """Gradient descent on the weights of the output, and on those of the hidden layer."""
    units = np.random.default_rng(2).normal(size=(3, 3))  # x1, x2 and 1 to three units
    row = np.zeros((1, basis(points, units).shape[1]))
    for _ in range(n_steps):
        hidden = basis(points, units)
        arriving, row_change = np.zeros_like(hidden), np.zeros_like(row)
        for label in (0.0, 1.0):
            members = labels == label
            step = primitive(hidden[members], row, np.array([label]), np.ones(1), rate)
            arriving[members] = step.hidden_change
            row_change += step.target_change
        if basis is hidden_layer:  # what arrives at the units goes on, times tanh' = 1 - tanh**2
            before_tanh = (arriving * (1 - hidden**2))[:, :-1]
            units = units + with_one(points).T @ before_tanh
        row += row_change
    return lambda x: primitive_scores(basis(x, units), row)[:, 0], units


def shade(ax, score, low, high):
    """Colour the two sides of a model over a square of the axes; the score is 0 between them."""
    axis = np.linspace(low, high, 300)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    scores = score(grid).reshape(300, 300)
    ax.contourf(axis, axis, scores > 0, [-0.5, 0.5, 1.5], cmap=SIDES, zorder=0)
    ax.contour(axis, axis, scores, [0], colors="C6", linewidths=1.5, zorder=1)


def scatter(ax, xy, labels):
    for label, name in [(1, "inner ring"), (0, "outer ring")]:
        style = {"s": 14, "color": f"C{1 - label}", "linewidths": 0, "zorder": 2}
        ax.scatter(*xy[labels == label].T, label=name, **style)


def rings():
    points, labels = two_rings()
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.9))
    titles = ["the plane itself", "the same points over $x_1^2$ and $x_2^2$", "three learned units"]
    for ax, basis, title in zip(axes, [plane, squares, hidden_layer], titles, strict=True):
        score, units = fit(basis, points, labels)
        right = np.mean((score(points) > 0) == labels)
        ax.set_title(f"{title}: {right:.0%} right")
        if basis is squares:
            scatter(ax, points**2, labels)
            shade(ax, lambda xy, score=score: score(np.sqrt(xy)), 0, LIMIT**2)
            ax.set(xlabel="$x_1^2$", ylabel="$x_2^2$", xlim=(0, 5.5), ylim=(0, 5.5))
        else:
            scatter(ax, points, labels)
            shade(ax, score, -LIMIT, LIMIT)
            ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT))
        if basis is hidden_layer:
            x = np.array([-LIMIT, LIMIT])
            for a, b, c in units.T:
                ax.plot(x, -(a * x + c) / b, color="C6", linewidth=1, linestyle=":")
        ax.set(aspect="equal", xticks=[], yticks=[])
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2)
