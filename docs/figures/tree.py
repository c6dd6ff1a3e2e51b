"""The Huffman tree of a few words, from `huffman_paths`."""

import matplotlib.pyplot as plt
import numpy as np

from skw2v._huffman import huffman_paths

COUNTS = {"the": 60, "of": 33, "cat": 12, "dog": 9, "sat": 7, "mat": 5, "log": 4}
FOLLOWED = "dog"


def ways(counts):
    """For each word the inner nodes from the root down, and the label at each."""
    offsets, nodes, labels = huffman_paths(list(counts.values()))
    return {
        word: (nodes[start:stop].tolist(), labels[start:stop].astype(int).tolist())
        for word, start, stop in zip(counts, offsets, offsets[1:], strict=False)
    }


def tree():
    paths = ways(COUNTS)
    leaves = sorted(paths, key=lambda word: paths[word][1], reverse=True)  # label 1 to the left
    below = {}  # the places of the leaves under each inner node
    for place, word in enumerate(leaves):
        for node in paths[word][0]:
            below.setdefault(node, []).append(place)
    _, ax = plt.subplots(figsize=(8.5, 3.9))
    middle = {"ha": "center", "va": "center"}
    for place, word in enumerate(leaves):
        nodes, labels = paths[word]
        color, width, front = ("C1", 2.2, 3) if word == FOLLOWED else ("#7a8794", 1, 1)
        x = [(below[node][0] + below[node][-1]) / 2 for node in nodes] + [place]
        ax.plot(x, -np.arange(len(x)), color=color, linewidth=width, zorder=front)
        for depth, (node, label) in enumerate(zip(nodes, labels, strict=True)):
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
            halfway = (x[depth] + x[depth + 1]) / 2
            ax.text(halfway, -depth - 0.5, label, color=color, zorder=front, bbox=box, **middle)
            box = {"boxstyle": "circle,pad=0.3", "facecolor": "#eaf2f8", "edgecolor": "C0"}
            ax.text(x[depth], -depth, node, zorder=4, bbox=box, **middle)
        text = f"{word}\n{COUNTS[word]}"
        ax.text(place, -len(nodes) - 0.1, text, color=color, ha="center", va="top")
    ax.set(xlim=(-0.5, len(leaves) - 0.5), ylim=(-5.9, 0.4))
    ax.axis("off")
