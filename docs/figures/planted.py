"""What the figures share: a small text whose probabilities are known, and names of the losses."""

import random

import numpy as np

N_TOPICS, TOPIC_SIZE = 8, 20
SHARES = 1 / np.arange(1, TOPIC_SIZE + 1)
SHARES /= SHARES.sum()  # of each of its words in a topic

LOSSES = {
    "softmax": "softmax",
    "sampled_softmax": "sampled softmax",
    "negative_sampling": "negative sampling",
    "nce": "NCE",
    "hierarchical_softmax": "hierarchical softmax",
}


def planted_documents(n_documents):
    """Documents of 12 words, all from one of eight topics of 20 words; a word is an int."""
    draw = random.Random(0)
    topics = [range(topic * TOPIC_SIZE, (topic + 1) * TOPIC_SIZE) for topic in range(N_TOPICS)]
    return [draw.choices(topics[i % N_TOPICS], SHARES, k=12) for i in range(n_documents)]
