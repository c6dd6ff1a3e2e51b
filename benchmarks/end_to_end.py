"""Raw strings to features: skw2v beside the usual recipe with gensim, stage by stage, in one run.

    python benchmarks/end_to_end.py --data FOLDER
    python benchmarks/end_to_end.py --only '*-ids' --repeats 5
    python benchmarks/end_to_end.py --documents 2000 --repeats 1

The recipe is what one finds in tutorials: tokens by `re`, counted by `Counter`,
`gensim.models.Word2Vec` on the lists of tokens, and the mean of the vectors of each document's
words in a loop. Stages:

    ids        documents -> tokens, vocabulary and the ids of every document's words
    fit        documents -> fitted vectors
    transform  documents -> features, with the vectors at hand
    all        fit and transform, one after the other

Every measurement has a fresh process that holds the documents already, the contestants take turns,
and the table has medians. The peak is how far a stage grows its process (Linux).
"""

import argparse
import fnmatch
import json
import lzma
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from _common import (
    SETTINGS,
    Settings,
    add_data_argument,
    available_cores,
    data_folder,
    in_fresh_process,
    machine_line,
    settings_line,
    table,
)
from _memory import STATUS, memory, reset_peak

PATTERN = r"(?u)\b\w\w+\b"
CONTESTANTS = ("recipe", "skw2v")
STAGES = {"ids": ("ids",), "train": ("fit", "transform", "all")}


class Stage(NamedTuple):
    seconds: float
    peak: int  # bytes, 0 where it is not known


class Source(NamedTuple):
    """Where the documents of a text come from; child processes read them."""

    name: str
    path: Path | None  # None: the docstrings that every machine has
    n_documents: int | None  # the first so many; None: all

    def documents(self) -> list[str]:
        if self.path is None:
            from skw2v.datasets import load_docstrings

            return list(load_docstrings().data)[: self.n_documents]
        with lzma.open(self.path, "rt", encoding="utf-8") as lines:
            if self.path.name.endswith(".jsonl.xz"):
                documents = [json.loads(line)["text"] for line in lines]
            else:
                documents = [line.rstrip("\n") for line in lines]
        return documents[: self.n_documents]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    parser.add_argument("--threads", type=int, help="of either (default: all cores)")
    parser.add_argument("--repeats", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--documents", type=int, help="the first so many (default: all)")
    parser.add_argument(
        "--only", nargs="+", metavar="ROW", help="rows to measure, as in '*-ids' or enwiki_17m-fit"
    )
    return parser.parse_args()


def sources(args: argparse.Namespace) -> list[Source]:
    folder = data_folder(args)
    if folder is None:
        return [Source("docstrings", None, args.documents)]
    paths = {
        "enwiki_17m": folder / "corpus" / "enwiki_17m.txt.xz",
        "20newsgroups": folder / "textclass" / "20newsgroups_bydate.jsonl.xz",
    }
    return [Source(name, path, args.documents) for name, path in paths.items() if path.exists()]


# ------------------------------------------------------------------------------------ contestants


def recipe_tokens(documents: list[str]) -> list[list[str]]:
    findall = re.compile(PATTERN).findall
    return [findall(document.lower()) for document in documents]


def recipe_ids(documents: list[str], min_count: int) -> tuple[int, int]:
    """Sizes of the vocabulary and of the ids that it gives."""
    lists = recipe_tokens(documents)
    counts = Counter()
    for tokens in lists:
        counts.update(tokens)
    words = [word for word, count in counts.most_common() if count >= min_count]
    index = {word: i for i, word in enumerate(words)}
    ids = [[index[token] for token in tokens if token in index] for tokens in lists]
    return len(words), sum(map(len, ids))


def skw2v_ids(documents: list[str], min_count: int, n_threads: int) -> tuple[int, int]:
    from skw2v import Word2VecTransformer
    from skw2v._corpus import build_corpus

    analyze = Word2VecTransformer()._build_analyzer()
    vocabulary, corpus = build_corpus(documents, analyze, min_count=min_count, n_threads=n_threads)
    return len(vocabulary), corpus.n_tokens


def recipe_fit(documents: list[str], settings: Settings, n_threads: int):
    from gensim.models import Word2Vec

    return Word2Vec(
        sentences=recipe_tokens(documents), **settings.gensim_parameters(0, n_threads)
    ).wv


def recipe_transform(documents: list[str], vectors):
    import numpy as np

    features = np.zeros((len(documents), vectors.vector_size), dtype=np.float32)
    for row, tokens in zip(features, recipe_tokens(documents), strict=True):
        known = [vectors[token] for token in tokens if token in vectors]
        if known:
            row[:] = np.mean(known, axis=0)
    return features


def skw2v_fit(documents: list[str], settings: Settings, n_threads: int):
    from dataclasses import asdict

    from skw2v import Word2VecTransformer

    return Word2VecTransformer(**asdict(settings), random_state=0, n_jobs=n_threads).fit(documents)


# -------------------------------------------------------------------------------------- measuring


def stage(action: Callable) -> tuple[Stage, object]:
    """What `action` costs, and what it returns."""
    before = reset_peak() if STATUS.exists() else 0
    start = time.perf_counter()
    result = action()
    seconds = time.perf_counter() - start
    return Stage(seconds, memory("VmHWM") - before if STATUS.exists() else 0), result


def measure_ids(source: Source, contestant: str, settings: Settings, n_threads: int):
    documents = source.documents()
    arguments = {"min_count": settings.min_count}
    if contestant == "recipe":
        call = recipe_ids
    else:
        call = skw2v_ids
        arguments["n_threads"] = n_threads
    call(documents[:50], **{**arguments, "min_count": 1})  # imports, and what is made once
    ids, sizes = stage(lambda: call(documents, **arguments))
    return {"ids": ids}, sizes


def measure_training(source: Source, contestant: str, settings: Settings, n_threads: int):
    documents = source.documents()
    is_recipe = contestant == "recipe"
    fit_model = recipe_fit if is_recipe else skw2v_fit
    few = settings.replace(min_count=1)
    fit_model(documents[:50], few, n_threads)
    fit, model = stage(lambda: fit_model(documents, settings, n_threads))
    transform, features = stage(
        lambda: recipe_transform(documents, model) if is_recipe else model.transform(documents)
    )
    both = Stage(fit.seconds + transform.seconds, max(fit.peak, transform.peak))
    return {"fit": fit, "transform": transform, "all": both}, features.shape


MEASURES = {"ids": measure_ids, "train": measure_training}


def measure(source: Source, group: str, settings: Settings, n_threads: int, repeats: int):
    """The stages of every run of either contestant; they take turns."""
    runs = {contestant: [] for contestant in CONTESTANTS}
    results = set()
    for _ in range(repeats):
        for contestant in CONTESTANTS:
            stages, result = in_fresh_process(
                MEASURES[group], source, contestant, settings, n_threads
            )
            runs[contestant].append(stages)
            results.add(result)
    # The same words and tokens, or the same shape of features.
    if len(results) > 1:
        raise SystemExit(f"{source.name}: the contestants disagree: {sorted(results)}")
    return runs


def row_of(name: str, stages: dict[str, list[Stage]]) -> list[str]:
    seconds = {c: [s.seconds for s in stages[c]] for c in CONTESTANTS}
    peak = {c: statistics.median(s.peak for s in stages[c]) / 2**20 for c in CONTESTANTS}
    recipe, own = (statistics.median(seconds[c]) for c in CONTESTANTS)
    each = [a / b for a, b in zip(*seconds.values(), strict=True)]
    return [
        name,
        f"{recipe:.2f}",
        f"{own:.3f}",
        f"{recipe / own:.1f} x",
        f"{min(each):.1f} to {max(each):.1f}",
        *(f"{peak[c]:.0f}" for c in CONTESTANTS),
        f"{peak['skw2v'] / peak['recipe']:.2f} x" if peak["recipe"] else "",
    ]


def main() -> None:
    args = parse_arguments()
    n_threads = args.threads or available_cores()
    settings = SETTINGS.replace(max_iter=args.epochs)
    print(machine_line())
    print(settings_line())
    rows = []
    for source in sources(args):
        documents = source.documents()
        print(
            f"text: {source.name}, {len(documents):,} documents, {sum(map(len, documents)):,} "
            f"characters; {n_threads} threads, {args.epochs} epochs, {args.repeats} repeats",
            flush=True,
        )
        del documents
        for group, names in STAGES.items():
            chosen = [
                name
                for name in names
                if args.only is None
                or any(fnmatch.fnmatch(f"{source.name}-{name}", only) for only in args.only)
            ]
            if not chosen:
                continue
            runs = measure(source, group, settings, n_threads, args.repeats)
            for name in chosen:
                stages = {c: [run[name] for run in runs[c]] for c in CONTESTANTS}
                rows.append(row_of(f"{source.name}-{name}", stages))
                print("  " + "  ".join(rows[-1]), flush=True)
    header = ["row", "recipe, s", "skw2v, s", "ratio", "of each pair", "recipe, MiB", "skw2v, MiB"]
    print("\n" + table([*header, "peaks"], rows))


if __name__ == "__main__":
    main()
