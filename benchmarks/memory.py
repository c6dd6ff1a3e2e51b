"""How far fitting grows a process that has imported skw2v and holds the documents.

    python benchmarks/memory.py --data FOLDER

The budget, beside which the measured peak stands:

    1.15 * (4 bytes a token + 8 bytes * n_words * padded n_components + 1.2 * counting dictionary)

tokens are the in-vocabulary ones; n_components is padded to a multiple of 16 (64 bytes of float32),
and 8 bytes are two matrices; the counting dictionary maps every distinct token of the documents to
its count and is measured by building it in a process of its own. Linux only: the peak is the
kernel's VmHWM, set back to the present size before `fit`.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import NamedTuple

from _common import (
    LEARNING_RATES,
    SETTINGS,
    add_data_argument,
    in_fresh_process,
    load_text,
    machine_line,
    settings_line,
    table,
)
from _memory import STATUS, memory, release_free_memory, reset_peak

MARGIN = 1.15


class Fit(NamedTuple):
    growth: int
    n_tokens: int
    n_words: int


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    parser.add_argument("--architecture", choices=tuple(LEARNING_RATES), default="skipgram")
    parser.add_argument("--n-components", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--threads", type=int, help="n_jobs (default: all)")
    parser.add_argument("--documents", type=int, help="the first so many (default: all)")
    return parser.parse_args()


def fit_growth(path: Path, architecture: str, n_components: int, n_threads: int | None) -> Fit:
    """Peak growth of one epoch of `fit` on the documents in `path`, in bytes."""
    from skw2v import Word2VecTransformer

    documents = read_documents(path)
    estimator = Word2VecTransformer(
        architecture=architecture,
        n_components=n_components,
        window=SETTINGS.window,
        n_negatives=SETTINGS.n_negatives,
        subsample=SETTINGS.subsample,
        min_count=SETTINGS.min_count,
        max_iter=1,
        random_state=0,
        n_jobs=n_threads,
    )
    before = reset_peak()
    estimator.fit(documents)
    growth = memory("VmHWM") - before
    counts = estimator.word_counts_
    return Fit(growth, int(sum(counts)), len(counts))


def counting_dictionary_growth(path: Path) -> int:
    """Bytes by which a dictionary of all tokens and their counts grows a process."""
    from sklearn.feature_extraction.text import CountVectorizer

    analyze = CountVectorizer().build_analyzer()  # the transformer's default analysis
    documents = read_documents(path)
    before = reset_peak()
    counts = {}
    for document in documents:
        for token in analyze(document):
            counts[token] = counts.get(token, 0) + 1
    release_free_memory()
    return memory("VmRSS") - before


def read_documents(path: Path) -> list[str]:
    # Line by line: reading all at once would leave a heap of freed memory that fit then fills
    # without growing the process.
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def main() -> None:
    args = parse_arguments()
    if not STATUS.exists():
        raise SystemExit("memory.py reads /proc, which only Linux has")
    print(machine_line())
    print(settings_line())
    text = load_text(args)
    documents = text.documents[: args.documents]
    print(
        f"text: {text.name}, {len(documents):,} documents as a list of str; "
        f"architecture={args.architecture}, 1 epoch, the transformer's default analyzer",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.jsonl"
        with open(path, "w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(document) + "\n" for document in documents)
        dictionary = in_fresh_process(counting_dictionary_growth, path)
        rows = []
        for n_components in args.n_components:
            fit = in_fresh_process(fit_growth, path, args.architecture, n_components, args.threads)
            token_bytes = 4 * fit.n_tokens
            vector_bytes = 8 * fit.n_words * -(-n_components // 16) * 16
            budget = MARGIN * (token_bytes + vector_bytes + 1.2 * dictionary)
            parts = (token_bytes, vector_bytes, 1.2 * dictionary, budget, fit.growth)
            rows.append(
                [
                    str(n_components),
                    f"{fit.n_tokens:,}",
                    f"{fit.n_words:,}",
                    *(f"{part / 2**20:.1f}" for part in parts),
                    f"{fit.growth / budget:.2f}",
                ]
            )
    header = [
        "n_components",
        "tokens",
        "words",
        "tokens, MiB",
        "vectors, MiB",
        "1.2 dictionary, MiB",
        "budget, MiB",
        "peak growth, MiB",
        "of budget",
    ]
    print("\n" + table(header, rows))


if __name__ == "__main__":
    main()
