"""What is left of a gradient after many layers; the gradient at the top comes from `primitive`."""

import matplotlib.pyplot as plt
import numpy as np

from skw2v._reference import primitive, primitive_residual

N_UNITS, N_LAYERS = 64, 25


def sigmoid(z):
    return -primitive_residual(z, 0.0, 1.0, "sigmoid")


ACTIVATIONS = {  # the function, and its derivative as a function of its argument
    "linear": (lambda z: z, np.ones_like),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "ReLU": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
}


def gradient_norms(name, gain):
    """Length of the gradient at each layer's sums, relative to the top, from the top down."""
    activation, derivative = ACTIVATIONS[name]
    rng = np.random.default_rng(0)
    layers = rng.normal(scale=gain / np.sqrt(N_UNITS), size=(N_LAYERS, N_UNITS, N_UNITS))
    sums, hidden = [], rng.normal(size=N_UNITS)
    for weights in layers:
        sums.append(weights @ hidden)
        hidden = activation(sums[-1])
    target = rng.normal(size=(1, N_UNITS)) / np.sqrt(N_UNITS)
    arriving = -primitive(hidden[None], target, np.ones(1), np.ones(1), 1.0).hidden_change[0]
    norms = [np.linalg.norm(arriving)]
    for weights, z in zip(layers[::-1], sums[::-1], strict=True):
        arriving = weights.T @ (arriving * derivative(z))
        norms.append(np.linalg.norm(arriving))
    return np.array(norms) / norms[0]


def layers():
    _, (slopes, depth) = plt.subplots(1, 2, figsize=(10, 3.8), width_ratios=[1, 1.25])
    z = np.linspace(-6, 6, 601)
    for name, color, place in [
        ("linear", "C0", (-5.9, 1.03)),
        ("ReLU", "C2", (4.5, 0.93)),
        ("tanh", "C3", (-2.9, 0.4)),
        ("sigmoid", "C1", (2.1, 0.16)),
    ]:
        slopes.plot(z, ACTIVATIONS[name][1](z), color=color)
        slopes.text(*place, name, color=color)
    slopes.set(xlabel="sum of the inputs, $z$", ylabel="derivative, $f'(z)$", ylim=(-0.05, 1.12))
    slopes.set_title("what a unit lets through backward")
    for name, gain, color, style in [
        ("linear", 1.4, "C0", "-"),
        ("ReLU", np.sqrt(2), "C2", "-"),
        ("tanh", 1.0, "C3", "-"),
        ("linear", 0.7, "C0", "--"),
        ("sigmoid", 1.0, "C1", "-"),
    ]:
        norms = gradient_norms(name, gain)
        depth.plot(norms, color=color, linestyle=style)
        label = f"{name}, weights × {gain:.1f}"
        depth.text(N_LAYERS + 0.4, norms[-1], label, color=color, va="center", fontsize=9)
    depth.set(xlabel="layers below the output", ylabel="length of the gradient", yscale="log")
    depth.set_title("what is left after many layers")
