"""Words made of character n-grams, beside fastText: time, and what unseen words are worth.

    python benchmarks/subwords.py --data FOLDER

- Time from a file with a document on each line to word vectors, the contestants taking turns: the
  one timing here for which both read, count and train.
- Similarity of words that training has not seen: every word of WordSim-353 and SimLex-999 is taken
  out of the text, and its vector comes from its n-grams alone.
- SMS messages, clean and with typing errors that training has not seen: accuracy of logistic
  regression on the mean of a message's word vectors, with n-grams and without.

fastText runs at the same dimensions, window, negatives, subsampling, rate, epochs and threads.
Quality is the mean of several runs, of skw2v's with other seeds.
"""

import argparse
import csv
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from _common import (
    add_data_argument,
    available_cores,
    data_folder,
    in_fresh_process,
    load_text,
    machine_line,
    table,
)

SUBWORD, N_BUCKETS = (3, 6), 2_000_000
LEAST_SPEED = 3.0  # of fastText's
TYPO_SHARE = 0.5  # of the words of a noisy message
SETTINGS = {
    "n_components": 100,
    "window": 5,
    "n_negatives": 5,
    "min_count": 5,
    "subsample": 1e-3,
    "learning_rate": 0.025,
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    parser.add_argument(
        "--words", type=int, default=4_000_000, help="of text (default: %(default)s)"
    )
    parser.add_argument("--epochs", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--repeats", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    args = parser.parse_args()
    if data_folder(args) is None:
        raise SystemExit("name a folder of data: --data FOLDER or SKW2V_DATA")
    return args


# -------------------------------------------------------------------------------------- contestants


def fit_skw2v(path: str, epochs: int, seed: int, n_threads: int, subword=SUBWORD, **changes):
    from skw2v import Word2VecTransformer

    with open(path, encoding="utf-8") as lines:
        return Word2VecTransformer(
            token_pattern=r"(?u)\b\w+\b",
            subword=subword,
            n_buckets=N_BUCKETS,
            max_iter=epochs,
            random_state=seed,
            n_jobs=n_threads,
            **SETTINGS | changes,
        ).fit(list(lines))


def fit_fasttext(path: str, epochs: int, seed: int, n_threads: int, **changes):
    import fasttext  # its Python package takes no seed

    settings = SETTINGS | changes
    return fasttext.train_unsupervised(
        path,
        model="skipgram",
        loss="ns",
        dim=settings["n_components"],
        ws=settings["window"],
        neg=settings["n_negatives"],
        minCount=settings["min_count"],
        t=settings["subsample"],
        lr=settings["learning_rate"],
        epoch=epochs,
        minn=SUBWORD[0],
        maxn=SUBWORD[1],
        bucket=N_BUCKETS,
        thread=n_threads,
        verbose=0,
    )


FIT = {"skw2v": fit_skw2v, "fastText": fit_fasttext}


def seconds_of(contestant: str, path: str, epochs: int, seed: int, n_threads: int) -> float:
    start = time.perf_counter()
    FIT[contestant](path, epochs, seed, n_threads)
    return time.perf_counter() - start


def vectors_of(contestant: str, model, words: Sequence[str]) -> np.ndarray:
    if contestant == "skw2v":
        return model.transform([[word] for word in words])
    return np.array([model.get_word_vector(word) for word in words])


# ------------------------------------------------------------------------------------------- parts


def times(args: argparse.Namespace, lines: list[str], folder: Path) -> None:
    path = folder / "text.txt"
    path.write_text("".join(lines), encoding="utf-8")
    runs = {contestant: [] for contestant in FIT}
    for seed in range(args.repeats):
        for contestant, measured in runs.items():
            measured.append(
                in_fresh_process(seconds_of, contestant, str(path), 1, seed, args.threads)
            )
    medians = {contestant: statistics.median(measured) for contestant, measured in runs.items()}
    rows = [
        [
            contestant,
            f"{medians[contestant]:.2f} ({min(runs[contestant]):.2f}-{max(runs[contestant]):.2f})",
        ]
        for contestant in FIT
    ]
    print(f"\nfile to vectors, 1 epoch, {args.threads} threads")
    print(table(["", "seconds"], rows))
    ratio = medians["fastText"] / medians["skw2v"]
    print(f"fastText takes {ratio:.1f} x the time (at least {LEAST_SPEED:g} x)", flush=True)


def read_pairs(folder: Path) -> dict[str, list[tuple[str, str, float]]]:
    """Word pairs and their similarity, of both sets."""
    pairs = {}
    for name, file in {"WordSim-353": "wordsim353.tsv", "SimLex-999": "simlex999.txt"}.items():
        with open(folder / "eval" / file, encoding="utf-8") as lines:
            rows = csv.reader((line for line in lines if not line.startswith("#")), delimiter="\t")
            pairs[name] = [(a.lower(), b.lower(), float(score)) for a, b, score in rows]
    return pairs


def similarity_of_unseen(contestant: str, pairs, path: str, epochs: int, seed: int, threads: int):
    """Spearman correlation on each set."""
    from scipy.stats import spearmanr

    model = FIT[contestant](path, epochs, seed, threads)
    scores = {}
    for name, rows in pairs.items():
        first, second, similarity = zip(*rows, strict=True)
        a, b = (vectors_of(contestant, model, words) for words in (first, second))
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        cosine = np.einsum("ij,ij->i", a, b) / np.where(lengths > 0, lengths, 1)
        scores[name] = float(spearmanr(cosine, similarity).statistic)
    return scores


def unseen_words(args: argparse.Namespace, lines: list[str], folder: Path) -> None:
    pairs = read_pairs(data_folder(args))
    unseen = {word for rows in pairs.values() for row in rows for word in row[:2]}
    path = folder / "without.txt"
    with open(path, "w", encoding="utf-8") as file:
        for line in lines:
            file.write(" ".join([word for word in line.split() if word not in unseen]) + "\n")
    rows = []
    for contestant in FIT:
        scores = [
            in_fresh_process(
                similarity_of_unseen, contestant, pairs, str(path), args.epochs, seed, args.threads
            )
            for seed in range(args.repeats)
        ]
        rows.append([contestant, *(mean_and_range([s[name] for s in scores]) for name in pairs)])
    print(f"\n{len(unseen):,} words taken out of the text; correlation over {args.repeats} seeds")
    print(table(["", *pairs], rows), flush=True)


def with_typos(message: str, rng: np.random.Generator) -> str:
    """A message in which some words of three letters or more have one error each: a letter that is
    missing, doubled, replaced, or swapped with the next."""
    words = []
    for word in message.split():
        if len(word) >= 3 and rng.random() < TYPO_SHARE:
            i = int(rng.integers(1, len(word) - 1))
            letter = chr(rng.integers(ord("a"), ord("z") + 1))
            word = (
                word[:i] + word[i + 1 :],
                word[:i] + word[i] + word[i:],
                word[:i] + letter + word[i + 1 :],
                word[:i] + word[i + 1] + word[i] + word[i + 2 :],
            )[rng.integers(4)]
        words.append(word)
    return " ".join(words)


def accuracy_on_messages(
    contestant: str, subword: tuple[int, int] | None, data: Path, epochs: int, seed: int
) -> dict[str, float]:
    from _textclass import read_split
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    (train, train_labels), (test, test_labels) = read_split(data, "SMS spam")
    train, test = ([" ".join(text.lower().split()) for text in texts] for texts in (train, test))
    rng = np.random.default_rng(seed)
    noisy = [with_typos(message, rng) for message in test]
    changes = {"min_count": 2}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "messages.txt")
        path.write_text("\n".join(train) + "\n", encoding="utf-8")
        if contestant == "skw2v":
            changes["subword"] = subword
        model = FIT[contestant](str(path), epochs, seed, 1, **changes)

    def features(messages):
        if contestant == "skw2v":
            return model.transform(messages)
        return np.array(
            [
                np.mean([model.get_word_vector(w) for w in m.split()] or [np.zeros(100)], axis=0)
                for m in messages
            ]
        )

    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(features(train), train_labels)
    return {
        "clean": classifier.score(features(test), test_labels),
        "with errors": classifier.score(features(noisy), test_labels),
    }


def typing_errors(args: argparse.Namespace, lines: list[str], folder: Path) -> None:
    rows = []
    for name, contestant, subword in (
        ("skw2v, whole words", "skw2v", None),
        ("skw2v, n-grams", "skw2v", SUBWORD),
        ("fastText, n-grams", "fastText", SUBWORD),
    ):
        scores = [
            in_fresh_process(accuracy_on_messages, contestant, subword, data_folder(args), 20, seed)
            for seed in range(args.repeats)
        ]
        rows.append([name, *(mean_and_range([s[key] for s in scores]) for key in scores[0])])
    print(f"\nSMS messages, 20 epochs; accuracy over {args.repeats} seeds, {TYPO_SHARE:.0%} of the")
    print("words of three letters or more with one typing error")
    print(table(["", "clean", "with errors"], rows), flush=True)


def mean_and_range(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.3f} ({min(values):.3f}-{max(values):.3f})"


PARTS = {"times": times, "unseen": unseen_words, "typos": typing_errors}


def main() -> None:
    args = parse_arguments()
    print(machine_line())
    print("settings:", ", ".join(f"{k}={v}" for k, v in SETTINGS.items()), f"subword={SUBWORD}")
    lines, n_words = [], 0
    for document in load_text(args).documents:
        if n_words >= args.words:
            break
        lines.append(document + "\n")
        n_words += len(document.split())
    print(f"text: the first {n_words:,} words, {len(lines):,} documents", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for part in args.part:
            PARTS[part](args, lines, Path(folder))


if __name__ == "__main__":
    main()
