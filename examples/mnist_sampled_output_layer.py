r"""
A sampled output layer on MNIST
===============================

How much accuracy does a classifier lose if its last layer learns from the true class and one
sampled class, instead of all ten?

A hidden layer of 1,024 features stays as it is. It is learned without labels, as by Coates, Lee and
Ng [1]_: k-means on patches of the training images, and how much each patch of an image is like each
of 64 centers, summed over 4 × 4 fields. On top of it come a softmax, and
:class:`skw2v.SampledClassifier` with the losses of noise-contrastive estimation (NCE) and of the
sampled softmax, with 1, 2, 5 and 9 sampled classes. Ten classes are too few for sampling to pay:
this is about what it costs, not what it saves.

With the four files of MNIST in ``FOLDER/images/mnist`` [2]_, where FOLDER is named by ``--data`` or
``SKW2V_DATA``, this is the whole of it (some minutes)::

    python examples/mnist_sampled_output_layer.py --data FOLDER

On MNIST that prints, as mean test accuracies in % over three seeds:

========  =====  ===============  =====  ===============
          20 epochs               60 epochs
--------  ----------------------  ----------------------
sampled   NCE    sampled softmax  NCE    sampled softmax
========  =====  ===============  =====  ===============
1         98.63  98.69            98.64  98.84
2         98.60  98.75            98.66  98.82
5         98.57  98.86            98.69  98.81
9         98.57  98.85            98.66  98.76
softmax   98.82                   98.76
========  =====  ===============  =====  ===============

So one sampled class is enough here. The sampled softmax loses 0.13 with one class in 20 epochs, and
nothing in 60 or with five classes. Sampled classes are distinct, so nine are nearly all ten, and
the sampled softmax with nine is nearly the softmax. NCE stays 0.1 to 0.25 below it however much
noise it gets: it asks of each class whether it is the one, which is another loss and not a noisier
softmax. Drawn with replacement (``distinct_noise=False``) NCE comes to the same accuracies within
0.03, and the sampled softmax within 0.06.

Without it, the digits that scikit-learn brings along show the way: 8 × 8 pixels, and as many
features.

.. [1] Coates, Lee, Ng, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning",
       AISTATS 2011.
.. [2] LeCun, Cortes, Burges, "The MNIST database of handwritten digits"; the names begin with
       ``train-images-idx3-ubyte``.
"""

import argparse
import gzip
import os
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skw2v import SampledClassifier

parser = argparse.ArgumentParser(description="A sampled output layer on MNIST")
parser.add_argument("--data", default=os.environ.get("SKW2V_DATA"), metavar="FOLDER")
parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--n-jobs", type=int, default=1)
args, _ = parser.parse_known_args()

# %%
# The images
# ----------
# MNIST has its own split. Nothing below looks at the test images before the table.


def read_idx(folder, name):
    (path,) = folder.glob(f"{name}-ubyte*")
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    n_dimensions = content[3]
    shape = np.frombuffer(content, ">i4", n_dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_dimensions).reshape(shape)


folder = Path(args.data or "", "images", "mnist")
if folder.is_dir():
    images_train, y_train, images_test, y_test = (
        read_idx(folder, f"{part}-{kind}")
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    )
    patch_size, margin = 8, 2
else:
    images, y = load_digits(return_X_y=True)
    images_train, images_test, y_train, y_test = train_test_split(
        images.reshape(-1, 8, 8), y, test_size=0.3, random_state=0, stratify=y
    )
    patch_size, margin = 3, 1
# Ink is 1, whatever the format makes of it.
images_train, images_test = (images / images_train.max() for images in (images_train, images_test))
print(f"{len(y_train):,} images to learn from, {len(y_test):,} to test, {images_train[0].shape}")

# %%
# The hidden layer
# ----------------
# Patches get mean 0 and about length 1, and are whitened. A patch and a center are alike by
# :math:`\max(0, p^\top c - 1/2)`. Of the sum over a field the square root is taken, so that one
# long stroke does not drown the others. How large patches are, how many fields there are and what
# is taken for likeness was chosen on 6,000 of the training images, learning from 12,000 others.


class PatchFeatures(TransformerMixin, BaseEstimator):
    """Likeness of patches to centers, summed over fields: n_centers * n_fields**2 features."""

    def __init__(self, patch_size=8, margin=2, n_centers=64, n_fields=4, random_state=0):
        self.patch_size = patch_size
        self.margin = margin
        self.n_centers = n_centers
        self.n_fields = n_fields
        self.random_state = random_state

    def fit(self, X, y=None):
        random = np.random.default_rng(self.random_state)
        some = X[random.permutation(len(X))[:2000]]
        patches = self._patches(some).reshape(-1, self.patch_size**2)
        patches = patches[random.permutation(len(patches))[:100_000]]
        patches = patches[np.linalg.norm(patches, axis=1) > 0.3]  # with ink
        pca = PCA(0.99, random_state=self.random_state).fit(patches)
        scale = np.sqrt(pca.explained_variance_ + 0.01 * pca.explained_variance_[0])
        self.whitening_ = (pca.components_.T / scale).astype(np.float32)
        centers = (
            MiniBatchKMeans(
                self.n_centers, batch_size=4096, n_init=1, random_state=self.random_state
            )
            .fit(patches @ self.whitening_)
            .cluster_centers_
        )
        centers /= np.linalg.norm(centers, axis=1, keepdims=True)
        self.centers_ = centers.T.astype(np.float32)
        return self

    def transform(self, X):
        features = []
        for first in range(0, len(X), 200):
            alike = self._patches(X[first : first + 200]) @ self.whitening_ @ self.centers_
            alike = np.maximum(alike - 0.5, 0)
            for axis in (1, 2):
                n = alike.shape[axis]
                borders = [round(field * n / self.n_fields) for field in range(self.n_fields)]
                alike = np.add.reduceat(alike, borders, axis=axis)
            features.append(np.sqrt(alike).reshape(len(alike), -1))
        return np.concatenate(features)

    def _patches(self, X):
        margin, size = self.margin, self.patch_size
        X = np.pad(np.asarray(X, np.float32), [(0, 0), (margin, margin), (margin, margin)])
        patches = np.lib.stride_tricks.sliding_window_view(X, (size, size), axis=(1, 2))
        patches = patches.reshape(*patches.shape[:3], -1)
        patches = patches - patches.mean(axis=-1, keepdims=True)
        # A patch without ink stays near zero instead of becoming noise of length 1.
        return patches / (np.linalg.norm(patches, axis=-1, keepdims=True) + 0.3)


began = time.perf_counter()
hidden = make_pipeline(PatchFeatures(patch_size, margin), StandardScaler())
X_train = hidden.fit_transform(images_train)
X_test = hidden.transform(images_test)
print(f"{X_train.shape[1]:,} features, in {time.perf_counter() - began:.0f} s")

# %%
# The output layers
# -----------------
# All with the same epochs, and the default rate and batches of :class:`skw2v.SampledClassifier`.

N_SAMPLED = [1, 2, 5, 9]


def accuracy_and_seconds(**parameters):
    """Test accuracies in %, one a seed, and the least seconds an epoch took."""
    accuracies, seconds = [], []
    for seed in args.seeds:
        classifier = SampledClassifier(
            **parameters, max_iter=args.epochs, random_state=seed, n_jobs=args.n_jobs
        )
        began = time.perf_counter()
        classifier.fit(X_train, y_train)
        seconds.append((time.perf_counter() - began) / classifier.n_iter_)
        accuracies.append(100 * classifier.score(X_test, y_test))
    return np.array(accuracies), min(seconds)


softmax = accuracy_and_seconds(loss="softmax")
sampled = {
    (loss, n): accuracy_and_seconds(loss=loss, n_negatives=n)
    for loss in ("nce", "sampled_softmax")
    for n in N_SAMPLED
}

print(f"\n{'loss':<16} {'sampled':>7} {'accuracy (%)':>20} {'s/epoch':>8}")
for (loss, n), (accuracies, seconds) in [(("softmax", "all 10"), softmax), *sampled.items()]:
    spread = f"{accuracies.min():.2f}-{accuracies.max():.2f}"
    print(f"{loss:<16} {n:>7} {accuracies.mean():>8.2f} {spread:>12} {seconds:>7.3f}")

# %%
# In a picture: the bars are the range over seeds, the dashed line is the softmax.

_, axes = plt.subplots(figsize=(6, 3.5))
axes.axhline(softmax[0].mean(), color="black", linestyle="--", label="softmax, all classes")
for loss, name in [("nce", "NCE"), ("sampled_softmax", "sampled softmax")]:
    accuracies = np.array([sampled[loss, n][0] for n in N_SAMPLED])
    mean = accuracies.mean(axis=1)
    errors = np.array([mean - accuracies.min(axis=1), accuracies.max(axis=1) - mean])
    errors = np.maximum(errors, 0)  # the mean of equal numbers may be rounded away from them
    axes.errorbar(range(len(N_SAMPLED)), mean, errors, marker="o", capsize=3, label=name)
axes.set_xticks(range(len(N_SAMPLED)), N_SAMPLED)
axes.set_xlabel("sampled classes")
axes.set_ylabel("test accuracy (%)")
axes.set_title(f"{len(y_train):,} images, {X_train.shape[1]:,} features, the last layer sampled")
axes.legend()
plt.show()
