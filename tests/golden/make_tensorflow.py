"""Write tensorflow.json: losses and gradients of TensorFlow's own sampled losses.

TensorFlow is no dependency of the tests. Run this where tensorflow-cpu is installed::

    python tests/golden/make_tensorflow.py

It draws nothing by chance: the noise words are given, as ``sampled_values``.
"""

import itertools
import json
from pathlib import Path

N_WORDS = 6
CENTER = 2
COUNTS = [40, 21, 13, 8, 5, 1]
INPUTS = [[0.7, -1.3, 0.2], [-0.4, 0.9, 1.6]]  # two contexts of one center
WEIGHTS = [
    [0.3, 1.1, -0.8],
    [-1.2, 0.4, 0.5],
    [0.9, -0.7, 1.4],
    [0.1, 0.6, -1.5],
    [1.7, -0.2, 0.3],
    [-0.5, -1.6, 0.8],
]
BIASES = [0.25, -0.5, 1.0, -1.25, 0.75, 0.125]
LOSSES = ["nce_loss", "sampled_softmax_loss"]
NOISES = {
    "distinct": [0, 4, 5],
    "repeats": [1, 0, 1, 1, 3],
    "one hit": [3, 2, 0, 0, 4],
    "two hits": [2, 3, 2, 0, 0, 4],
    "only hits": [2, 2],
}


def make(tf):
    """All cases, as JSON takes them."""
    return {
        "made_with": f"tensorflow {tf.__version__}",
        "inputs": INPUTS,
        "weights": WEIGHTS,
        "biases": BIASES,
        "center": CENTER,
        "cases": [
            {"loss": loss, "noise_name": name, "remove_hits": remove}
            | sampled_loss(tf, loss, noise, remove_accidental_hits=remove)
            for loss, (name, noise), remove in itertools.product(
                LOSSES, NOISES.items(), (False, True)
            )
        ],
        "defaults": {loss: sampled_loss(tf, loss, NOISES["one hit"]) for loss in LOSSES},
        "log_uniform": [log_uniform(tf, *sizes) for sizes in ((1, 1), (6, 4), (50, 5))],
    }


def sampled_loss(tf, loss, noise, **options):
    """Losses of both contexts, and the gradients of their sum."""
    share = [count**0.75 for count in COUNTS]
    expected = [len(noise) * value / sum(share) for value in share]
    inputs, weights, biases = (
        tf.Variable(value, dtype=tf.float64) for value in (INPUTS, WEIGHTS, BIASES)
    )
    with tf.GradientTape() as tape:
        losses = getattr(tf.nn, loss)(
            weights,
            biases,
            labels=tf.constant([[CENTER]] * len(INPUTS), dtype=tf.int64),
            inputs=inputs,
            num_sampled=len(noise),
            num_classes=N_WORDS,
            num_true=1,
            sampled_values=(
                tf.constant(noise, dtype=tf.int64),
                tf.constant([[expected[CENTER]]] * len(INPUTS), dtype=tf.float64),
                tf.constant([expected[word] for word in noise], dtype=tf.float64),
            ),
            **options,
        )
    gradients = tape.gradient(losses, [inputs, weights, biases])
    d_inputs, d_weights, d_biases = (
        tf.convert_to_tensor(gradient).numpy().tolist() for gradient in gradients
    )
    return {
        "noise": noise,
        "expected_counts": expected,
        "losses": losses.numpy().tolist(),
        "d_inputs": d_inputs,
        "d_weights": d_weights,
        "d_biases": d_biases,
    }


def log_uniform(tf, n_words, n_draws):
    """Expected counts of all words under TensorFlow's log-uniform sampler (in its float32)."""
    expected = tf.random.log_uniform_candidate_sampler(
        true_classes=tf.constant([list(range(n_words))], dtype=tf.int64),
        num_true=n_words,
        num_sampled=n_draws,
        unique=False,
        range_max=n_words,
    ).true_expected_count
    return {"n_draws": n_draws, "expected_counts": expected.numpy()[0].tolist()}


def main():
    import tensorflow as tf

    text = json.dumps(make(tf), indent=1)
    Path(__file__).with_name("tensorflow.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
