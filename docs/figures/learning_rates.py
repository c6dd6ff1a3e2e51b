"""Real trainings at rates from far too low to far too high."""

import matplotlib.pyplot as plt
import numpy as np
from planted import planted_documents

from skw2v import Word2VecTransformer


def loss_curve(documents, learning_rate, **parameters):
    return (
        Word2VecTransformer(
            n_components=16,
            subsample=0,
            max_iter=5,
            learning_rate=learning_rate,
            min_learning_rate=learning_rate / 100,
            random_state=0,
            n_jobs=1,
            **parameters,
        )
        .fit(documents)
        .loss_curve_
    )


def learning_rates():
    documents = planted_documents(800)
    _, (by_epoch, by_rate) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=[1, 1.25])
    for rate in (0.002, 0.02, 0.2):
        curve = loss_curve(documents, rate)
        by_epoch.plot(range(1, 6), curve, marker="o", markersize=4, label=f"rate {rate}")
    by_epoch.set(xlabel="epoch", ylabel="mean loss per pair", ylim=(0, None), xticks=range(1, 6))
    by_epoch.legend()
    rates = np.geomspace(0.001, 4, 19)
    at_height = by_rate.get_xaxis_transform()  # y from 0 to 1, whatever the losses
    for window, place in [(2, 0.93), (10, 0.87)]:
        last = np.array([loss_curve(documents, rate, window=window)[-1] for rate in rates])
        learned = np.isfinite(last) & (last < 100)
        style = {"marker": "o", "markersize": 4, "label": f"window {window}"}
        (line,) = by_rate.plot(rates[learned], last[learned], **style)
        crosses = np.full(np.sum(~learned), place)
        by_rate.plot(rates[~learned], crosses, "x", color=line.get_color(), transform=at_height)
    by_rate.text(0.4, 0.9, "diverged", transform=at_height, ha="right", va="center")
    by_rate.legend(loc="lower left")
    by_rate.set(xlabel="learning rate", ylabel="mean loss, epoch 5", xscale="log", ylim=(0, 5))
    by_rate.xaxis.set_major_formatter("{x:g}")
