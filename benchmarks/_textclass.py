"""Sets of labelled documents, and the accuracy of a classifier on the mean of their words' vectors.

The vectors are those of the training documents alone: what a pipeline learns that has no other
text.
"""

import json
import lzma
import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _common import Settings

SETS = {
    "20 Newsgroups": "20newsgroups_bydate",
    "R8": "reuters_r8",
    "R52": "reuters_r52",
    "Ohsumed": "ohsumed_single_23",
    "SST-2": "sst2_sentences",
    "TREC-6": "trec6",
    "clickbait": "clickbait",
    "SMS spam": "sms_spam",
}

# Where a set comes without a test part, it is this share of each class, drawn with this seed.
TEST_SHARE = 0.2
SPLIT_SEED = 0

# Into how many folds a training part is cut.
N_FOLDS = 3


class Documents(NamedTuple):
    """Texts and their labels."""

    texts: list[str]
    labels: np.ndarray

    def take(self, places: np.ndarray) -> "Documents":
        return Documents([self.texts[place] for place in places], self.labels[places])


def read_split(folder: Path, name: str) -> tuple[Documents, Documents]:
    """The training and the test part of a set; a part for development is left out."""
    from sklearn.model_selection import train_test_split

    with lzma.open(folder / "textclass" / f"{SETS[name]}.jsonl.xz", "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    documents = Documents(
        [record["text"] for record in records], np.array([record["label"] for record in records])
    )
    splits = np.array([record["split"] for record in records])
    train, test = np.flatnonzero(splits == "train"), np.flatnonzero(splits == "test")
    if not len(train):
        train, test = train_test_split(
            np.arange(len(splits)),
            test_size=TEST_SHARE,
            random_state=SPLIT_SEED,
            stratify=documents.labels,
        )
    return documents.take(train), documents.take(test)


def read_fold(folder: Path, name: str, fold: int) -> tuple[Documents, Documents]:
    """One fold of the training part, by which parameters are chosen: the rest, and the fold."""
    from sklearn.model_selection import StratifiedKFold

    documents, _ = read_split(folder, name)
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=SPLIT_SEED)
    with warnings.catch_warnings():  # R52 has classes of fewer documents than folds
        warnings.filterwarnings("ignore", message="The least populated class")
        train, validation = list(folds.split(documents.texts, documents.labels))[fold]
    return documents.take(train), documents.take(validation)


def count_training_part(folder: Path, name: str) -> tuple[int, int]:
    """Documents and tokens of the training part."""
    from sklearn.feature_extraction.text import CountVectorizer

    analyze, (documents, _) = CountVectorizer().build_analyzer(), read_split(folder, name)
    return len(documents.texts), sum(len(analyze(text)) for text in documents.texts)


def test_accuracy(
    folder: Path, name: str, settings: Settings, *, seed: int, embeddings: Sequence[str]
) -> dict[str, float]:
    """The share of test documents classified rightly, for each embedding of one training."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from skw2v import Word2VecTransformer

    train, test = read_split(folder, name)
    transformer = Word2VecTransformer(**asdict(settings), random_state=seed, n_jobs=1)
    transformer.fit(train.texts)
    accuracy = {}
    for embedding in embeddings:
        transformer.set_params(embedding=embedding)  # never retrains
        features = transformer.transform(train.texts)
        if not np.isfinite(features).all():
            accuracy[embedding] = math.nan  # training diverged
            continue
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        classifier.fit(features, train.labels)
        accuracy[embedding] = float(
            classifier.score(transformer.transform(test.texts), test.labels)
        )
    return accuracy
