"""All objectives learn one known distribution, draw by draw, with the reference's own steps."""

import matplotlib.pyplot as plt
import numpy as np
from planted import LOSSES

from skw2v._parameters import TrainingParameters
from skw2v._reference import Vectors, primitive_scores, train_targets
from skw2v._reference_objectives import log_probabilities, n_output_rows, target_chooser
from skw2v._sampling import noise_probabilities

WORD_COUNTS = np.array([400, 250, 150, 80, 50, 30, 25, 15])
TRUE = np.array([0.06, 0.3, 0.02, 0.2, 0.25, 0.01, 0.04, 0.12])  # p(word | this context)
N_STEPS, EVERY = 2500, 25
HIDDEN = np.full((1, 4), 0.5)  # one context, held fixed


def learn(loss, centers, rng):
    """Sum of exp(score) over the words as training goes on, and the probabilities at its end."""
    n_words = len(WORD_COUNTS)
    parameters = TrainingParameters(loss=loss, n_negatives=5)
    choose = target_chooser(WORD_COUNTS, parameters)
    noise = noise_probabilities(WORD_COUNTS, parameters.noise, parameters.noise_exponent)
    noise_ids = rng.choice(n_words, size=(N_STEPS, parameters.n_negatives), p=noise)
    n_rows = n_output_rows(loss, n_words)
    vectors = Vectors(None, np.zeros((n_rows, HIDDEN.shape[1])), np.zeros(n_rows))
    sums = []
    for i in range(N_STEPS):
        train_targets(HIDDEN, vectors, choose(int(centers[i]), noise_ids[i]), 1 / (1 + i / 50))
        if i % EVERY == 0:
            scores = primitive_scores(HIDDEN, vectors.output_vectors, vectors.output_bias)
            sums.append(np.exp(scores).sum())
    return sums, np.exp(log_probabilities(HIDDEN, vectors, WORD_COUNTS, parameters))[0]


def distribution():
    rng = np.random.default_rng(0)
    centers = rng.choice(len(TRUE), size=N_STEPS, p=TRUE)
    seen = np.bincount(centers, minlength=len(TRUE)) / N_STEPS
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=[1.1, 1])
    for i, (loss, name) in enumerate(LOSSES.items()):
        sums, learned = learn(loss, centers, rng)
        if loss != "hierarchical_softmax":  # its scores are those of choices, not of words
            left.plot(np.arange(0, N_STEPS, EVERY), sums, color=f"C{i}", linewidth=1.5)
        apart = 0.03 * (i - 2)  # side by side, where they agree
        right.plot(seen * (1 + apart), learned, "o", color=f"C{i}", markersize=4.5, label=name)
    left.axhline(1, color="C6", linewidth=1, linestyle="--", zorder=0)
    left.set(xlabel="step", ylabel="sum of exp(score) over all words", yscale="log")
    left.yaxis.set_major_formatter("{x:g}")
    ends = [0.006, 0.4]
    right.plot(ends, ends, color="C6", linewidth=1, linestyle="--", zorder=0)
    right.set(xlabel="share of the draws", ylabel="probability by the model")
    right.set(xscale="log", yscale="log")
    right.xaxis.set_major_formatter("{x:g}")
    right.yaxis.set_major_formatter("{x:g}")
    right.legend()
