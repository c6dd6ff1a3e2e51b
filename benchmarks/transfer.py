"""Few labels: vectors of a large text as the start of a small one's, and alone.

    python benchmarks/transfer.py                        # the tables
    python benchmarks/transfer.py --sets TREC-6 --labels 50 1000 --seeds 1 --epochs 1

Word2VecTransformer learns vectors from enwiki_17m, once. Then, for each set, features come from
them, from vectors of the set's own training texts, or from vectors that start as the former and
train on the latter (`init`, `trainable`). Word vectors need no labels: all training texts are there
for them. Only as many documents as the table says have a label for the classifier; they are drawn
by the seed, by class. The rows "labels" are EmbeddingClassifier, whose table learns from the labels
themselves: from nothing, or from enwiki_17m's vectors. What has to be chosen (C, or the
EmbeddingClassifier's learning rate and epochs) is chosen by cross-validation on the labelled
documents alone. The test part is scored once for each figure.
"""

import argparse
import json
import statistics
import warnings
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _classifier import CLASSIFIER, NORMALISED, STANDARDISED
from _common import (
    TABLES,
    ResultCache,
    Settings,
    add_data_argument,
    add_run_arguments,
    data_folder,
    load_text,
    machine_line,
    side_by_side,
)
from _contestants import tfidf_vectorizer
from _textclass import SETS, Documents, read_split
from classification import DOCUMENT_SETTINGS

N_FOLDS = 3
# What EmbeddingClassifier is tried with; 3.0 diverges on TREC-6.
TABLE_GRID = {"learning_rate": [0.1, 0.3, 1.0], "max_iter": [20, 100]}
ALL = 0  # documents with a label: as many as there are


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=["SST-2", "TREC-6"])
    parser.add_argument("--methods", nargs="+", choices=tuple(METHODS), default=list(METHODS))
    parser.add_argument(
        "--labels", type=int, nargs="+", default=[50, 200, 1000, ALL], help="0: all documents'"
    )
    parser.add_argument("--epochs", type=int, default=5, help="over enwiki_17m")
    parser.add_argument(
        "--models",
        type=Path,
        metavar="FOLDER",
        default=Path("models"),
        help="keeps what was trained on enwiki_17m (default: ./models)",
    )
    add_run_arguments(parser)
    return parser.parse_args()


# ------------------------------------------------------------------------------------------ methods


class Case(NamedTuple):
    """A set, the large text's model, and the seed of all that is drawn."""

    train: Documents
    test: Documents
    teacher: object  # a fitted Word2VecTransformer
    seed: int


# From the places of the documents that have a label to the accuracy on the test part.
Learner = Callable[[np.ndarray], float]


def tfidf(case: Case) -> Learner:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = tfidf_vectorizer().fit(case.train.texts)
    features = [vectorizer.transform(part.texts) for part in (case.train, case.test)]
    classifier = make_pipeline(LogisticRegression(**CLASSIFIER))
    return partial(accuracy, case, *features, classifier, {"logisticregression__C": NORMALISED})


def mean_vectors(case: Case, transformer) -> Learner:
    """The mean of a fitted transformer's vectors, as every pipeline would have it."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features = [transformer.transform(part.texts) for part in (case.train, case.test)]
    classifier = make_pipeline(StandardScaler(), LogisticRegression(**CLASSIFIER))
    return partial(accuracy, case, *features, classifier, {"logisticregression__C": STANDARDISED})


def large_text_alone(case: Case) -> Learner:
    return mean_vectors(case, case.teacher)


def trained_on_the_set(case: Case, *, starts: bool, trainable: str = "all") -> Learner:
    from skw2v import Word2VecTransformer

    transformer = Word2VecTransformer(
        **asdict(DOCUMENT_SETTINGS),
        init=case.teacher if starts else None,
        trainable=trainable,
        random_state=case.seed,
        n_jobs=1,
    )
    return mean_vectors(case, transformer.fit(case.train.texts))


def table(case: Case, *, starts: bool, trainable: str = "all") -> Learner:
    """An embedding table and its output layer, trained on the labels.

    A table that starts from the large text has all words of it, and all of the set's training
    texts: those that no labelled document has are there for the test part. One that starts from
    nothing has learned nothing of such words, so it has those of the labelled documents.
    """
    from skw2v import EmbeddingClassifier

    classifier = EmbeddingClassifier(
        n_components=case.teacher.n_components,
        init=case.teacher if starts else None,
        vocabulary=known_words(case) if starts else None,
        trainable=trainable,
        random_state=case.seed,
        n_jobs=1,
    )
    texts, test_texts = (np.array(part.texts, dtype=object) for part in (case.train, case.test))
    return partial(accuracy, case, texts, test_texts, classifier, TABLE_GRID)


def known_words(case: Case) -> list[str]:
    """The words of the large text and of the set's training texts."""
    from sklearn.feature_extraction.text import CountVectorizer

    of_the_set = CountVectorizer().fit(case.train.texts).vocabulary_
    return [*case.teacher.vocabulary_, *sorted(of_the_set.keys() - case.teacher.vocabulary_.keys())]


# What a method learns without labels it learns when it is called.
METHODS: dict[str, Callable[[Case], Learner]] = {
    "TF-IDF": tfidf,
    "the set's texts": partial(trained_on_the_set, starts=False),
    "enwiki alone": large_text_alone,
    "enwiki, then all": partial(trained_on_the_set, starts=True, trainable="all"),
    "enwiki, then new": partial(trained_on_the_set, starts=True, trainable="new"),
    "enwiki, then none": partial(trained_on_the_set, starts=True, trainable="none"),
    "labels": partial(table, starts=False),
    "enwiki, labels all": partial(table, starts=True, trainable="all"),
    "enwiki, labels new": partial(table, starts=True, trainable="new"),
    "enwiki, labels none": partial(table, starts=True, trainable="none"),
}


def accuracy(case: Case, features, test_features, classifier, grid, places: np.ndarray) -> float:
    """Of a classifier with the best parameters of `grid`, over folds of these places."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=case.seed)
    search = GridSearchCV(classifier, grid, cv=folds)
    with warnings.catch_warnings():  # classes of fewer documents than folds; L-BFGS at its limit
        warnings.simplefilter("ignore")
        search.fit(features[places], case.train.labels[places])
    return float(search.score(test_features, case.test.labels))


# --------------------------------------------------------------------------------------------- runs


def large_text_settings(epochs: int) -> Settings:
    return DOCUMENT_SETTINGS.replace(min_count=5, max_iter=epochs)


def teacher_file(args: argparse.Namespace) -> Path:
    """The model of the large text, trained at the first call."""
    import joblib

    from skw2v import Word2VecTransformer

    settings = large_text_settings(args.epochs)
    path = args.models / f"enwiki_17m_{settings.n_components}_{settings.max_iter}.joblib"
    if not path.exists():
        args.models.mkdir(parents=True, exist_ok=True)
        text = load_text(args)
        teacher = Word2VecTransformer(**asdict(settings), random_state=0, verbose=1)
        joblib.dump(teacher.fit(text.documents), path)
    return path


def draw_places(labels: np.ndarray, n: int, seed: int) -> np.ndarray:
    """The places of so many documents, the classes in the shares that they have in all."""
    from sklearn.model_selection import StratifiedShuffleSplit

    if n == ALL or n >= len(labels):
        return np.arange(len(labels))
    split = StratifiedShuffleSplit(1, train_size=n, random_state=seed)
    return np.sort(next(split.split(labels, labels))[0])


def run(folder: Path, teacher: Path, name: str, method: str, seed: int, labels: list[int]):
    """Accuracies of a method on a set, for each number of labels."""
    import joblib
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        train, test = read_split(folder, name)
        learn = METHODS[method](Case(train, test, joblib.load(teacher), seed))
        return [learn(draw_places(train.labels, n, seed)) for n in labels]


def shown(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.3f}"
    return f"{mean} ({statistics.stdev(values):.3f})" if len(set(values)) > 1 else mean


def main() -> None:
    args = parse_arguments()
    folder = data_folder(args)
    if folder is None:
        raise SystemExit("transfer.py needs a data folder: --data or $SKW2V_DATA")
    teacher = teacher_file(args)
    cache = ResultCache(args.cache)

    def key(name, method, seed, n):
        return json.dumps([name, method, seed, n, args.epochs])

    calls = []
    for name in args.sets:
        for method in args.methods:
            for seed in args.seeds:
                missing = [n for n in args.labels if cache.get(key(name, method, seed, n)) is None]
                if missing:
                    case = {"name": name, "method": method, "seed": seed, "labels": missing}
                    calls.append({"folder": folder, "teacher": teacher} | case)
    for n_done, (place, scores) in enumerate(side_by_side(run, calls, args.processes), start=1):
        call = calls[place]
        case = call["name"], call["method"], call["seed"]
        for n, score in zip(call["labels"], scores, strict=True):
            cache.put(key(*case, n), score)
        print(f"  {n_done} of {len(calls)}: {', '.join(map(str, case))}", flush=True)

    print(machine_line())
    print(f"large text: enwiki_17m, {large_text_settings(args.epochs)}")
    print(f"sets: {DOCUMENT_SETTINGS}; seeds {args.seeds}: mean (standard deviation)")
    for name in args.sets:
        rows = [
            [
                method,
                *(
                    shown([cache.get(key(name, method, seed, n)) for seed in args.seeds])
                    for n in args.labels
                ),
            ]
            for method in args.methods
        ]
        header = ["vectors", *("all labels" if n == ALL else f"{n} labels" for n in args.labels)]
        print(f"\n{name}: accuracy on the test part\n{TABLES[args.format](header, rows)}")


if __name__ == "__main__":
    main()
