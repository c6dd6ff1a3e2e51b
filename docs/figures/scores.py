"""Five losses on one text: their own loss curves, and the held-out score that compares them."""

import matplotlib.pyplot as plt
import numpy as np
from planted import LOSSES, SHARES, TOPIC_SIZE, planted_documents

from skw2v import Word2VecTransformer

N_EPOCHS = [1, 2, 4, 8]


def scores():
    documents = planted_documents(900)
    train, held_out = documents[:700], documents[700:]
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=[1, 1.25])
    for loss, name in LOSSES.items():
        fitted = [
            Word2VecTransformer(
                loss=loss,
                n_components=16,
                subsample=0,
                max_iter=n_epochs,
                learning_rate=0.05,
                random_state=0,
                n_jobs=1,
            ).fit(train)
            for n_epochs in N_EPOCHS
        ]
        left.plot(range(1, N_EPOCHS[-1] + 1), fitted[-1].loss_curve_, marker="o", markersize=4)
        score = [model.score(held_out) for model in fitted]
        right.plot(N_EPOCHS, score, marker="o", markersize=4, label=name)
    places = np.concatenate(held_out) % TOPIC_SIZE  # of the words in their topics
    right.axhline(np.log(SHARES[places]).mean(), color="C6", linewidth=1, linestyle="--")
    left.set(xlabel="epoch", ylabel="mean loss", ylim=(0, None))
    left.set_title("each loss by its own measure")
    right.set(xlabel="epochs trained", ylabel="mean log p(center | context)")
    right.set_title("score on other documents")
    right.legend(loc="lower right")
