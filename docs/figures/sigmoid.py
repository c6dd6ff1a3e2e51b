"""The logistic loss and its slope, from `primitive_loss`, beside squared errors."""

import matplotlib.pyplot as plt
import numpy as np

from skw2v._reference import primitive_loss, primitive_residual


def sigmoid():
    score = np.linspace(-6, 6, 601)
    loss = np.array([primitive_loss(np.array([[s]]), 1.0, 1.0, "sigmoid") for s in score])
    slope = -primitive_residual(score, 1.0, 1.0, "sigmoid")  # sigma(s) - 1
    chance = slope + 1
    curves = [
        (r"logistic: $-\log\,\sigma(s)$", loss, slope),
        (r"squared, of the score: $(1 - s)^2$", (1 - score) ** 2, 2 * (score - 1)),
        (r"squared, of the sigmoid: $(1 - \sigma(s))^2$", slope**2, -2 * slope**2 * chance),
    ]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), sharex=True)
    for name, value, derivative in curves:
        left.plot(score, value, label=name)
        right.plot(score, derivative)
    left.set(xlabel="score of a true pair, $s$", ylabel="loss", ylim=(-0.15, 6.3))
    right.set(xlabel="score of a true pair, $s$", ylabel="slope of the loss", ylim=(-2.1, 2.1))
    right.axhline(0, color="#b8c2cc", linewidth=0.8, zorder=0)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
