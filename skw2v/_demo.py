"""``python -m skw2v demo``: which subpackage does a docstring come from?

Every number it prints was measured by the run that prints it.
"""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skw2v import Word2VecTransformer
from skw2v._threads import effective_n_threads
from skw2v.datasets import load_docstrings

# Looked up and drawn as far as the vocabulary has them.
_WORDS = ("eigenvalue", "sparse", "thread", "spline", "gaussian", "regression", "socket", "xml")

# Chosen by cross-validation on the training set, for both kinds of features alike.
_WINDOW = 10
_C_WORD2VEC = 0.03
_C_TFIDF = 30.0


@dataclass(frozen=True)
class _Plan:
    """How much the demo does."""

    max_iter: int = 10
    n_components: tuple = (50, 100)
    embeddings: tuple = ("input", "output", "sum", "concat")
    poolings: tuple = ("mean", "max")
    n_folds: int = 3
    n_classes: int | None = None
    n_neighbors: int = 6


_FULL = _Plan()
_QUICK = _Plan(
    max_iter=3,
    n_components=(8, 16),
    embeddings=("input", "concat"),
    poolings=("mean",),
    n_folds=2,
    n_classes=10,
    n_neighbors=3,
)


def run(*, output="word_map.png", quick=False, n_jobs=None):
    """Run the demo, and print what it finds.

    Parameters
    ----------
    output : str, default="word_map.png"
        Where to write the word map; the ending decides the format.
    quick : bool, default=False
        A few classes and tiny models: shows that everything works, in seconds.
    n_jobs : int, default=None
        Processes of the grid search. None: one for every fold, as far as there are cores.

    Returns
    -------
    status : int
        0.
    """
    started = time.perf_counter()
    plan = _QUICK if quick else _FULL
    if n_jobs is None:
        # With no more processes than folds, two of them never train on the same fold at a time.
        n_jobs = min(plan.n_folds, joblib.cpu_count())
    train, test = _load(plan)
    _train_once(plan, train)
    search = _search(plan, train, n_jobs)
    _compare(plan, search, train, test, n_jobs)
    transformer = search.best_estimator_[0]
    word_vectors = transformer.word_vectors(transformer.embedding)
    neighbors = _find_neighbors(plan, word_vectors)
    _draw_map(word_vectors, neighbors, output)
    print(f"\nAll of it took {time.perf_counter() - started:.0f} s.")
    return 0


def _load(plan):
    _print_heading("Which subpackage does a docstring come from?")
    started = time.perf_counter()
    train, test = load_docstrings(subset="train"), load_docstrings(subset="test")
    seconds = time.perf_counter() - started
    if plan.n_classes is not None:
        train, test = (_keep_first_classes(part, plan.n_classes) for part in (train, test))
    documents = train.data + test.data
    n_words = sum(len(document.split()) for document in documents)
    versions = ", ".join(f"{name} {version}" for name, version in train.versions.items())
    names = [train.target_names[target] for target in sorted(set(train.target))]
    print(f"Docstrings of {versions},")
    print(f"read from their sources in {seconds:.1f} s: {len(documents):,} documents,")
    print(f"{n_words:,} words, {len(names)} classes from {names[0]} to {names[-1]}.")
    for name, part in (("training set", train), ("test set", test)):
        print(f"  {name:12} {len(part.data):6,} documents of {len(set(part.modules)):,} modules")
    print("No module is in both sets: the docstrings of a module repeat each other's sentences.")
    return train, test


def _keep_first_classes(part, n_classes):
    kept = np.flatnonzero(part.target < n_classes)
    part.data = [part.data[i] for i in kept]
    part.modules = [part.modules[i] for i in kept]
    part.target = part.target[kept]
    return part


def _make_transformer(plan, **parameters):
    return Word2VecTransformer(window=_WINDOW, max_iter=plan.max_iter, random_state=0, **parameters)


def _make_classifier(C):
    return LogisticRegression(C=C, tol=1e-3, max_iter=1000)


def _make_folds(plan):
    return StratifiedGroupKFold(n_splits=plan.n_folds)


def _train_once(plan, train):
    _print_heading("Training word vectors once")
    transformer = _make_transformer(plan, n_components=max(plan.n_components))
    # The clock is for training: regular expressions stay out of it.
    analyze = TfidfVectorizer().build_analyzer()
    documents = [analyze(document) for document in train.data]
    started = time.perf_counter()
    transformer.fit(documents)
    seconds = time.perf_counter() - started
    counts, losses = transformer.word_counts_, transformer.loss_curve_
    n_words, n_epochs = int(counts.sum()), transformer.n_iter_
    print(f"The training set has {n_words:,} words in a vocabulary of {len(counts):,}.")
    print(
        f"{n_epochs} epochs over them, {max(plan.n_components)} components, {_WINDOW} words of "
        f"context on each side:\n{seconds:.2f} s on {effective_n_threads(None)} threads, "
        f"{n_words * n_epochs / seconds:,.0f} words per second."
    )
    print(f"Mean loss of a pair: {losses[0]:.3f} in the first epoch, {losses[-1]:.3f} in the last.")


def _search(plan, train, n_jobs):
    _print_heading("Grid search over embedding, pooling and n_components")
    grid = {
        "word2vectransformer__embedding": plan.embeddings,
        "word2vectransformer__pooling": plan.poolings,
        "word2vectransformer__n_components": plan.n_components,
    }
    print("Word2VecTransformer, StandardScaler, LogisticRegression; accuracy in cross-validation")
    print(f"on the training set: {plan.n_folds} folds, no module in two of them.\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        pipeline = make_pipeline(
            _make_transformer(plan, memory=folder), StandardScaler(), _make_classifier(_C_WORD2VEC)
        )
        search = GridSearchCV(pipeline, grid, cv=_make_folds(plan), n_jobs=n_jobs)
        started = time.perf_counter()
        search.fit(train.data, train.target, groups=train.modules)
        seconds = time.perf_counter() - started
        # One of these for everything that joblib.Memory keeps.
        n_trained = len(list(Path(folder).rglob("output.pkl")))
    results = search.cv_results_
    print("  embedding  pooling  n_components  accuracy")
    for i in np.argsort(results["rank_test_score"], kind="stable"):
        embedding, pooling, n_components = (results[f"param_{name}"][i] for name in grid)
        mean, spread = results["mean_test_score"][i], results["std_test_score"][i]
        print(f"  {embedding:9}  {pooling:7}  {n_components:12}  {mean:.3f} ± {spread:.3f}")
    n_fits = len(results["params"]) * search.n_splits_ + 1
    print(
        f"\n{n_fits} fits in {seconds:.0f} s, on {n_trained} trainings: embedding and pooling "
        "belong to transform,\nand memory= keeps trained vectors."
    )
    return search


def _compare(plan, search, train, test, n_jobs):
    _print_heading("Beside TF-IDF, on the same split")
    tfidf = make_pipeline(TfidfVectorizer(sublinear_tf=True), _make_classifier(_C_TFIDF))
    cv_accuracies = cross_val_score(
        tfidf,
        train.data,
        train.target,
        groups=train.modules,
        cv=_make_folds(plan),
        n_jobs=n_jobs,
    )
    tfidf.fit(train.data, train.target)
    pipeline = search.best_estimator_
    best = pipeline[0]
    majority = np.bincount(train.target).argmax()
    rows = [
        (
            f"word2vec ({best.embedding}, {best.pooling}, {best.n_components})",
            f"{pipeline[-1].n_features_in_:,}",
            search.best_score_,
            pipeline.score(test.data, test.target),
        ),
        (
            "TF-IDF",
            f"{tfidf[-1].n_features_in_:,}",
            cv_accuracies.mean(),
            tfidf.score(test.data, test.target),
        ),
        (
            "always the commonest class",
            "0",
            np.mean(train.target == majority),
            np.mean(test.target == majority),
        ),
    ]
    print(f"  {'':28}  features  training set  test set")
    print(f"  {'':28}            (folds)")
    for name, n_features, on_folds, on_test in rows:
        print(f"  {name:28}  {n_features:>8}  {on_folds:12.3f}  {on_test:8.3f}")


def _find_neighbors(plan, word_vectors):
    _print_heading("Neighbours, by the best word vectors above")
    neighbors = {
        word: [near for near, _ in word_vectors.most_similar([word], topn=plan.n_neighbors)]
        for word in _WORDS
        if word in word_vectors
    }
    for word, near in neighbors.items():
        print(f"  {word:12} {', '.join(near)}")
    if not neighbors:
        print(f"  None of {', '.join(_WORDS)} is in the vocabulary.")
    return neighbors


def _draw_map(word_vectors, neighbors, output):
    _print_heading("Word map")
    # A window is not wanted here, even where there is a screen.
    os.environ.setdefault("MPLBACKEND", "Agg")
    from skw2v.display import WordMapDisplay

    groups = {word: [word, *near] for word, near in neighbors.items()} or None
    try:
        display = WordMapDisplay.from_word_vectors(word_vectors, groups=groups, projection="tsne")
    except ImportError as error:
        print(f"Not drawn. {error}")
        return
    display.figure_.savefig(output)
    print(f"Written to {output}")


def _print_heading(title):
    print(f"\n{title}\n{'-' * len(title)}", flush=True)
