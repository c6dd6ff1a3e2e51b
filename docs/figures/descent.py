"""Gradient descent on one pair with vectors of one component, step by step by `primitive`."""

import matplotlib.pyplot as plt
import numpy as np

from skw2v._reference import primitive, primitive_loss

SHARE = 0.7  # of the times that the pair was seen, how often its label was 1
LIMIT = 3


def loss_at(score):
    return primitive_loss(np.array([[score]]), SHARE, 1.0, "sigmoid")


def path(start, rate, n_steps):
    """Positions (h, v') and losses, from the start on."""
    h, v = start
    positions, losses = [], []
    for _ in range(n_steps + 1):
        step = primitive(np.array([[h]]), np.array([[v]]), np.array([SHARE]), np.ones(1), rate)
        positions.append((h, v))
        losses.append(step.loss)
        h, v = h + step.hidden_change.item(), v + step.target_change.item()
    return np.array(positions).T, losses


def descent():
    _, (ground, curve) = plt.subplots(1, 2, figsize=(10, 4.2), width_ratios=[1, 1.25])
    axis = np.linspace(-LIMIT, LIMIT, 121)
    losses = np.vectorize(loss_at)(np.multiply.outer(axis, axis))
    levels = np.r_[0.615:0.7:0.02, 0.75:2.5:0.15]
    ground.contour(axis, axis, losses, levels, colors="#b8c2cc", linewidths=0.8)
    # The starts are mirror images of each other, so the losses can be compared.
    for rate, start in [(0.05, (2, -0.5)), (0.6, (-2, 0.5)), (2.4, (0.5, -2)), (4, (-0.5, 2))]:
        positions, losses = path(start, rate, 30)
        ground.plot(*start, marker="o", markersize=7, color="C6", fillstyle="none")
        if losses[-1] > losses[0]:
            positions = positions[:, :4]  # what runs away
        ground.plot(*positions, marker="o", markersize=3, linewidth=1.2, label=f"rate {rate:g}")
        curve.plot(losses, marker="o", markersize=3, linewidth=1.2, label=f"rate {rate:g}")
    optimum = np.log(SHARE / (1 - SHARE))
    arm = axis[axis > optimum / LIMIT]
    for sign in (-1, 1):
        ground.plot(sign * arm, sign * optimum / arm, color="C6", linewidth=1, linestyle="--")
    ground.plot(0, 0, marker="x", color="C6")
    ground.annotate("saddle", (0, 0), xytext=(-5, -13), textcoords="offset points", ha="right")
    ground.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal")
    ground.set(xlabel="$h$", ylabel="$v'$")
    ground.set_title("loss over one component of each vector")
    curve.axhline(loss_at(optimum), color="C6", linewidth=1, linestyle="--")
    curve.set(xlabel="step", ylabel="loss", yscale="log", ylim=(0.57, 12))
    curve.set_yticks([0.6, 1, 2, 5, 10])
    curve.yaxis.set_major_formatter("{x:g}")
    curve.minorticks_off()
    curve.set_title("loss before each step")
    curve.legend()
