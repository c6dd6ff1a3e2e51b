"""What to choose: the embedding, the number of negatives, the loss, CBOW's gradient. Measured.

    python benchmarks/choices.py --data FOLDER --cache choices.json
    python benchmarks/choices.py --data FOLDER --cache choices.json --part negatives

The tables of the documentation, in its format. A cell is the mean over the seeds, and in
parentheses the standard deviation. Word vectors of enwiki are scored by WordSim-353, SimLex-999 and
Google analogies; and three sets of documents by the accuracy of a logistic regression on the mean
of a document's vectors, which are trained on the set's own training documents.

Trainings run side by side, one thread each: the result does not depend on the threads.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from _common import (
    LEARNING_RATES,
    SETTINGS,
    TABLES,
    PreparedText,
    ResultCache,
    Settings,
    add_data_argument,
    add_run_arguments,
    data_folder,
    load_text,
    machine_line,
    prepare,
    settings_line,
    side_by_side,
)
from _scores import MEASURES, score_vectors
from _textclass import test_accuracy
from _trainers import timed_training

EMBEDDINGS = ("input", "output", "sum", "mean", "concat")
NEGATIVES = (1, 5, 9, 20)
LOSSES = ("negative_sampling", "nce", "sampled_softmax", "hierarchical_softmax")
# Words of enwiki, each part with a vocabulary of its own, and epochs; 0 is the whole.
SIZES = ((500_000, 5), (500_000, 20), (2_000_000, 5), (0, 5))
# At one rate, the exact gradient moves the input vectors a sixth as far (the mean context has six
# words), so it is tried at a higher rate too.
CBOW_RATES = {"word2vec": (0.025, 0.05, 0.1), "exact": (0.025, 0.05, 0.1, 0.2)}
CBOW_SIZES = ((2_000_000, 10), (0, 5))
# News about eight topics, abstracts of medical papers in 23 classes, the sentiment of sentences.
SETS = ("R8", "Ohsumed", "SST-2")
TEXTCLASS_EPOCHS = 10  # the sets are small
INPUT = ("input",)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add_data_argument(parser)
    parser.add_argument("--part", nargs="+", choices=tuple(PARTS), default=list(PARTS))
    parser.add_argument(
        "--words", type=int, default=0, help="at most so many words of enwiki, 0: all (default)"
    )
    add_run_arguments(parser)
    return parser.parse_args()


# --------------------------------------------------------------------------------------------- runs


class Wiki(NamedTuple):
    """Train on the first `n_words` words of enwiki (0: all) and score the words' vectors."""

    settings: Settings
    n_words: int = 0
    embeddings: tuple[str, ...] = INPUT


class Documents(NamedTuple):
    """Train on a set's training documents and classify its test documents."""

    name: str
    settings: Settings
    embeddings: tuple[str, ...] = INPUT


Job = Wiki | Documents


def skipgram(**changes) -> Settings:
    return SETTINGS.replace(learning_rate=LEARNING_RATES["skipgram"][0], **changes)


def cbow(**changes) -> Settings:
    return SETTINGS.replace(
        **{"architecture": "cbow", "learning_rate": LEARNING_RATES["cbow"][-1], **changes}
    )


def on_documents(settings: Settings, embeddings: tuple[str, ...] = INPUT) -> list[Documents]:
    settings = settings.replace(max_iter=TEXTCLASS_EPOCHS)
    return [Documents(name, settings, embeddings) for name in SETS]


def wiki_scores(
    text: PreparedText, folder: Path, settings: Settings, *, seed: int, embeddings: Sequence[str]
) -> dict[str, dict]:
    from skw2v._pooling import combine_vectors

    _, trained = timed_training(text, settings, n_threads=1, seed=seed)
    matrices = trained.input_vectors, trained.output_vectors
    return {
        embedding: score_vectors(text.words(), combine_vectors(*matrices, embedding), folder)
        for embedding in embeddings
    }


def run_job(folder: Path, job: Job, text: PreparedText | None, seed: int) -> dict:
    """Results by embedding."""
    from threadpoolctl import threadpool_limits

    options = {"seed": seed, "embeddings": job.embeddings}
    with threadpool_limits(1):
        if isinstance(job, Wiki):
            return wiki_scores(text, folder, job.settings, **options)
        return test_accuracy(folder, job.name, job.settings, **options)


class Bench:
    """Runs jobs for every seed, and remembers their results."""

    def __init__(self, args: argparse.Namespace, folder: Path):
        self.args = args
        self.folder = folder
        self.cache = ResultCache(args.cache)
        self._whole = None
        self.scored: dict[int, str] = {}  # number of words to what their vectors were scored on
        self._texts: dict[int, PreparedText] = {}

    def text(self, n_words: int) -> PreparedText:
        """The first words of enwiki, encoded with the vocabulary of just these."""
        limit = min((n for n in (n_words, self.args.words) if n), default=0)
        if limit not in self._texts:
            self._whole = self._whole or load_text(self.args)
            text = self._whole.first(limit) if limit else self._whole
            self._texts[limit] = prepare(text, self.folder / str(limit))
            print(self._texts[limit].describe(), flush=True)
        return self._texts[limit]

    def run(self, jobs: Sequence[Job]) -> dict[Job, list[dict]]:
        """The results of every job by embedding, a list in the order of the seeds."""
        seeds = self.args.seeds
        missing = [
            (job, seed)
            for job in dict.fromkeys(jobs)
            for seed in seeds
            if any(self.cache.get(key) is None for key in self._keys(job, seed).values())
        ]
        calls = [
            {
                "folder": data_folder(self.args),
                "job": job,
                "text": self.text(job.n_words) if isinstance(job, Wiki) else None,
                "seed": seed,
            }
            for job, seed in missing
        ]
        for n_done, (place, results) in enumerate(
            side_by_side(run_job, calls, self.args.processes), start=1
        ):
            job, seed = missing[place]
            for embedding, key in self._keys(job, seed).items():
                self.cache.put(key, results[embedding])
            print(f"  {n_done} of {len(missing)}: {self._name(job)}, seed {seed}", flush=True)
        results = {
            job: [
                {name: self.cache.get(key) for name, key in self._keys(job, seed).items()}
                for seed in seeds
            ]
            for job in jobs
        }
        for job in jobs:
            if isinstance(job, Wiki):
                n_tokens = self.text(job.n_words).n_tokens
                self.scored[n_tokens] = results[job][0]["input"]["scored"]
        return results

    def _keys(self, job: Job, seed: int) -> dict[str, str]:
        data = self.text(job.n_words).fingerprint if isinstance(job, Wiki) else job.name
        parts = {"data": data, "seed": seed, **asdict(job.settings)}
        return {
            embedding: json.dumps({**parts, "embedding": embedding}, sort_keys=True)
            for embedding in job.embeddings
        }

    def _name(self, job: Job) -> str:
        data = f"{self.text(job.n_words).n_tokens:,} words" if isinstance(job, Wiki) else job.name
        settings = job.settings
        return (
            f"{data}, {settings.architecture}, {settings.loss}, {settings.n_negatives} negatives, "
            f"{settings.cbow_gradient}, rate {settings.learning_rate}, {settings.max_iter} epochs"
        )


# ------------------------------------------------------------------------------------------- tables


def cell(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.3f}"
    return f"{mean} ({statistics.stdev(values):.3f})" if len(values) > 1 else mean


def wiki_cells(runs: list[dict], embedding: str = "input") -> list[str]:
    return [cell([run[embedding][measure] for run in runs]) for measure in MEASURES]


def document_cells(
    results: dict[Job, list[dict]], jobs: Sequence[Documents], embedding: str = "input"
) -> list[str]:
    return [cell([run[embedding] for run in results[job]]) for job in jobs]


Table = tuple[str, list[str], list[list[str]]]  # title, header, rows


def embedding_part(bench: Bench) -> list[Table]:
    plans = {}
    for settings in (skipgram(), cbow()):
        jobs = on_documents(settings, EMBEDDINGS)
        plans[settings.architecture] = Wiki(settings, embeddings=EMBEDDINGS), jobs
    results = bench.run([job for wiki, jobs in plans.values() for job in (wiki, *jobs)])
    rows = [
        [
            f"{architecture}, {embedding}",
            *wiki_cells(results[wiki], embedding),
            *document_cells(results, jobs, embedding),
        ]
        for architecture, (wiki, jobs) in plans.items()
        for embedding in EMBEDDINGS
    ]
    return [("Which vector of a word", ["embedding", *MEASURES, *SETS], rows)]


def negatives_part(bench: Bench) -> list[Table]:
    plans = {}
    for n_negatives in NEGATIVES:
        settings = skipgram(n_negatives=n_negatives)
        plans[n_negatives] = Wiki(settings), on_documents(settings)
    results = bench.run([job for wiki, jobs in plans.values() for job in (wiki, *jobs)])
    rows = [
        [str(n_negatives), *wiki_cells(results[wiki]), *document_cells(results, jobs)]
        for n_negatives, (wiki, jobs) in plans.items()
    ]
    return [("Number of negatives, skip-gram", ["n_negatives", *MEASURES, *SETS], rows)]


def loss_part(bench: Bench) -> list[Table]:
    wikis = {
        (n_words, epochs, loss): Wiki(skipgram(loss=loss, max_iter=epochs), n_words)
        for n_words, epochs in SIZES
        for loss in LOSSES
    }
    documents = {loss: on_documents(skipgram(loss=loss)) for loss in LOSSES}
    results = bench.run([*wikis.values(), *(job for jobs in documents.values() for job in jobs)])
    wiki_rows = [
        [words_and_epochs(bench, n_words, epochs), loss, *wiki_cells(results[job])]
        for (n_words, epochs, loss), job in wikis.items()
    ]
    document_rows = [[loss, *document_cells(results, jobs)] for loss, jobs in documents.items()]
    return [
        ("Loss and size of the text, skip-gram", ["words", "loss", *MEASURES], wiki_rows),
        (f"Loss, skip-gram, {TEXTCLASS_EPOCHS} epochs", ["loss", *SETS], document_rows),
    ]


def cbow_part(bench: Bench) -> list[Table]:
    settings = {
        (gradient, rate): cbow(cbow_gradient=gradient, learning_rate=rate)
        for gradient, rates in CBOW_RATES.items()
        for rate in rates
    }
    wikis = {
        (n_words, epochs, *key): Wiki(one.replace(max_iter=epochs), n_words)
        for n_words, epochs in CBOW_SIZES
        for key, one in settings.items()
    }
    documents = {key: on_documents(one) for key, one in settings.items()}
    results = bench.run([*wikis.values(), *(job for jobs in documents.values() for job in jobs)])
    wiki_rows = [
        [words_and_epochs(bench, n_words, epochs), gradient, str(rate), *wiki_cells(results[job])]
        for (n_words, epochs, gradient, rate), job in wikis.items()
    ]
    document_rows = [
        [gradient, str(rate), *document_cells(results, jobs)]
        for (gradient, rate), jobs in documents.items()
    ]
    header = ["cbow_gradient", "learning_rate"]
    return [
        ("CBOW's gradient and rate", ["words", *header, *MEASURES], wiki_rows),
        (f"CBOW, {TEXTCLASS_EPOCHS} epochs", [*header, *SETS], document_rows),
    ]


def words_and_epochs(bench: Bench, n_words: int, epochs: int) -> str:
    return f"{bench.text(n_words).n_tokens / 1e6:.1f} M x {epochs}"


PARTS = {
    "embedding": embedding_part,
    "negatives": negatives_part,
    "loss": loss_part,
    "cbow": cbow_part,
}


def main() -> None:
    args = parse_arguments()
    if data_folder(args) is None:
        raise SystemExit("choices.py needs --data or SKW2V_DATA; see benchmarks/README.md")
    print(machine_line())
    print(settings_line("loss", "cbow_gradient", "n_negatives"))
    print(
        f"n_components={SETTINGS.n_components}, n_negatives={SETTINGS.n_negatives}, "
        f"learning_rate: {LEARNING_RATES['skipgram'][0]} for skip-gram, "
        f"{LEARNING_RATES['cbow'][-1]} for CBOW, max_iter: {SETTINGS.max_iter} on enwiki and "
        f"{TEXTCLASS_EPOCHS} on documents, where a table does not say otherwise; seeds {args.seeds}"
    )
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, Path(folder))
        tables = [one for part in args.part for one in PARTS[part](bench)]
    for n_tokens, scored in bench.scored.items():
        print(f"{n_tokens:,} words, scored: {scored}")
    for title, header, rows in tables:
        print(f"\n{title}\n\n{TABLES[args.format](header, rows)}")


if __name__ == "__main__":
    main()
