"""What a search over the parameters of a pipeline costs beside the trainings it needs.

    python benchmarks/searches.py

On the docstrings that `skw2v.datasets.load_docstrings` finds, without any download:

- the share of a fit that finding tokens takes, from text and from `EncodedDocuments`;
- a grid of 8 candidates that differ in `embedding` and `pooling` alone, with `memory`, beside one
  of a single candidate: medians of alternating repeats;
- GridSearchCV, RandomizedSearchCV and HalvingGridSearchCV over a pipeline.
"""

import argparse
import statistics
import tempfile
import time

from _common import available_cores, machine_line, table

MOST_TIME = 1.5  # of 8 candidates, in times of one
MOST_SHARE = 0.1  # of finding tokens in a fit


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--repeats", type=int, default=3, help="default: %(default)s")
    parser.add_argument(
        "--epochs", type=int, nargs="+", default=[5, 20], help="default: %(default)s"
    )
    return parser.parse_args()


def seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def share_of_analysis(documents, encoded, repeats: int) -> str:
    from skw2v import Word2VecTransformer

    model = Word2VecTransformer(random_state=0)
    runs = [
        (
            seconds(lambda: model.encode(documents)),
            seconds(lambda: model.fit(documents)),
            seconds(lambda: model.fit(encoded)),
        )
        for _ in range(repeats)
    ]
    analysis, from_text, from_encoded = (
        statistics.median(column) for column in zip(*runs, strict=True)
    )
    return (
        f"finding tokens: {analysis:.2f} s, {analysis / from_text:.0%} of a fit from text "
        f"({from_text:.2f} s; above {MOST_SHARE:.0%} it is to be avoidable); "
        f"a fit from EncodedDocuments: {from_encoded:.2f} s"
    )


def grid_seconds(X, y, grid: dict, epochs: int) -> float:
    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    from skw2v import Word2VecTransformer

    with tempfile.TemporaryDirectory() as folder:
        transformer = Word2VecTransformer(max_iter=epochs, random_state=0, memory=folder)
        search = GridSearchCV(
            make_pipeline(transformer, RidgeClassifier()), grid, cv=3, refit=False
        )
        return seconds(lambda: search.fit(X, y))


def grids(X, y, epochs: int, repeats: int) -> list[str]:
    one = {"word2vectransformer__embedding": ["input"]}
    eight = {
        "word2vectransformer__embedding": ["input", "output", "sum", "concat"],
        "word2vectransformer__pooling": ["mean", "max"],
    }
    runs = [
        (grid_seconds(X, y, one, epochs), grid_seconds(X, y, eight, epochs)) for _ in range(repeats)
    ]
    of_one, of_eight = (statistics.median(column) for column in zip(*runs, strict=True))
    ratio = of_eight / of_one
    held = "yes" if ratio <= MOST_TIME else "NO"
    return [
        str(epochs),
        f"{of_one:.2f}",
        f"{of_eight:.2f}",
        f"{ratio:.2f} x",
        f"{MOST_TIME} x",
        held,
    ]


def searches(X, y) -> str:
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV
    from sklearn.pipeline import make_pipeline

    from skw2v import Word2VecTransformer

    pipeline = make_pipeline(Word2VecTransformer(random_state=0, max_iter=2), RidgeClassifier())
    windows = {"word2vectransformer__window": [2, 5, 10]}
    halving = HalvingGridSearchCV(
        pipeline,
        windows,
        resource="word2vectransformer__max_iter",
        min_resources=2,
        max_resources=8,
        factor=2,
        cv=3,
    )
    rows = []
    for search in (
        GridSearchCV(pipeline, windows, cv=3, n_jobs=2),
        RandomizedSearchCV(pipeline, windows, n_iter=2, cv=3, random_state=0),
        halving,
    ):
        spent = seconds(lambda search=search: search.fit(X, y))
        chosen = ", ".join(f"{k.split('__')[1]}={v}" for k, v in search.best_params_.items())
        rows.append([type(search).__name__, f"{spent:.1f}", f"{search.best_score_:.3f}", chosen])
    return table(["search", "seconds", "accuracy", "chosen"], rows)


def main() -> None:
    from skw2v import Word2VecTransformer
    from skw2v.datasets import load_docstrings

    args = parse_arguments()
    corpus = load_docstrings()
    encoded = Word2VecTransformer().encode(corpus.data)
    print(machine_line())
    print(f"{encoded!r}, {len(set(corpus.target))} classes; {available_cores()} cores")
    print(share_of_analysis(corpus.data, encoded, args.repeats), flush=True)
    header = ["epochs", "1 candidate, s", "8 candidates, s", "ratio", "allowed", "held"]
    print("\nembedding x pooling with memory, from EncodedDocuments, 3 folds, RidgeClassifier")
    print(table(header, [grids(encoded, corpus.target, n, args.repeats) for n in args.epochs]))
    print("\n" + searches(encoded, corpus.target))


if __name__ == "__main__":
    main()
