"""Documents classified by the mean of their words' vectors, for the benchmarks that choose.

The vectors are those of the training documents alone: what a pipeline learns that has no other
text. Three sets of different nature: news about eight topics, abstracts of medical papers in 23
classes, and the sentiment of single sentences.
"""

import json
import lzma
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from _common import Settings

SETS = {
    "R8": "reuters_r8",
    "Ohsumed": "ohsumed_single_23",
    "SST-2": "sst2_sentences",
}


def read_split(folder: Path, name: str, split: str) -> tuple[list[str], list[str]]:
    """Documents and labels of one part of a set."""
    path = folder / "textclass" / f"{SETS[name]}.jsonl.xz"
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        records = [record for record in map(json.loads, lines) if record["split"] == split]
    return [record["text"] for record in records], [record["label"] for record in records]


def test_accuracy(
    folder: Path, name: str, settings: Settings, *, seed: int, embeddings: Sequence[str]
) -> dict[str, float]:
    """The share of test documents classified rightly, for each embedding of one training."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from skw2v import Word2VecTransformer

    documents, labels = read_split(folder, name, "train")
    test_documents, test_labels = read_split(folder, name, "test")
    transformer = Word2VecTransformer(**asdict(settings), random_state=seed, n_jobs=1)
    transformer.fit(documents)
    accuracy = {}
    for embedding in embeddings:
        transformer.set_params(embedding=embedding)  # never retrains
        features = transformer.transform(documents)
        if not np.isfinite(features).all():
            accuracy[embedding] = math.nan  # training diverged
            continue
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        classifier.fit(features, labels)
        test_features = transformer.transform(test_documents)
        accuracy[embedding] = float(classifier.score(test_features, test_labels))
    return accuracy
