"""One implementation of the three measures of word vectors, for every benchmark that has them."""

import math
from pathlib import Path

import numpy as np

MEASURES = ("WordSim-353", "SimLex-999", "analogies")
ANALOGY_WORDS = 30_000


def score_vectors(words: list[str], vectors: np.ndarray, folder: Path) -> dict[str, float | str]:
    """The scores of word vectors, words by falling count; under "scored" on how many questions.

    Vectors of a training that diverged (NaN or infinity) have no scores: each is NaN.
    """
    from skw2v.word_vectors import WordVectors

    if not np.isfinite(vectors).all():
        return {**dict.fromkeys(MEASURES, math.nan), "scored": "nothing: training diverged"}
    word_vectors = WordVectors(words, vectors)
    evaluation = folder / "eval"
    pairs = {
        "WordSim-353": word_vectors.evaluate_word_pairs(evaluation / "wordsim353.tsv"),
        "SimLex-999": word_vectors.evaluate_word_pairs(evaluation / "simlex999.txt"),
    }
    analogies = word_vectors.evaluate_analogies(
        evaluation / "questions-words.txt", restrict=ANALOGY_WORDS
    )
    return {
        **{measure: float(score.spearman) for measure, score in pairs.items()},
        "analogies": float(analogies.accuracy),
        "scored": ", ".join(
            [
                *(f"{score.n_pairs} pairs of {measure}" for measure, score in pairs.items()),
                f"{analogies.n_questions:,} analogies in the first {ANALOGY_WORDS:,} words",
            ]
        ),
    }
