"""How well word vectors answer analogies and rank pairs of words, beside people.

The work behind `WordVectors.evaluate_analogies` and `WordVectors.evaluate_word_pairs`. Words are
compared by their *form*: as text, lower-cased where case is ignored. Of several words of one form
the first takes part, and is a candidate; a *place* is a candidate's number.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from numbers import Integral

import numpy as np

from .formats import read_analogy_questions, read_word_pairs

_BATCH = 2**23  # scores held at a time: 32 MiB


@dataclass(frozen=True)
class AnalogyScore:
    """What `WordVectors.evaluate_analogies` found.

    Attributes
    ----------
    accuracy : float
        ``n_correct / n_questions``.
    n_correct, n_questions : int
        Questions answered rightly, and questions asked.
    n_skipped : int
        Questions not asked, because one of their words does not take part.
    sections : dict of str to tuple of (int, int)
        ``(n_correct, n_questions)`` of each section.
    """

    accuracy: float
    n_correct: int
    n_questions: int
    n_skipped: int
    sections: dict


@dataclass(frozen=True)
class WordPairScore:
    """What `WordVectors.evaluate_word_pairs` found.

    Attributes
    ----------
    spearman : float
        Spearman's rank correlation of similarities and scores.
    n_pairs : int
        Pairs that were compared.
    n_skipped : int
        Pairs that were not, because one of their words does not take part.
    """

    spearman: float
    n_pairs: int
    n_skipped: int


def score_analogies(word_vectors, questions, restrict, case_insensitive):
    """See `WordVectors.evaluate_analogies`."""
    index = _index_forms(word_vectors.words, restrict, case_insensitive)
    place = {form: number for number, form in enumerate(index)}
    sections = _sections(questions)
    asked, section_of, n_skipped = [], [], 0
    for number, quadruples in enumerate(sections.values()):
        for quadruple in quadruples:
            if len(quadruple) != 4:
                raise ValueError(f"expected questions of four words, got {quadruple!r}")
            places = [place.get(_form(word, case_insensitive)) for word in quadruple]
            if None in places:
                n_skipped += 1
            else:
                asked.append(places)
                section_of.append(number)
    if not asked:
        raise ValueError(
            f"none of the {n_skipped} questions has all its four words among the {len(index)} "
            f"that take part; raise restrict={restrict} or train on more text"
        )

    candidates = np.fromiter(index.values(), dtype=np.intp, count=len(index))
    right = _answer(_unit_rows(word_vectors.vectors[candidates]), np.array(asked))
    n_asked = np.bincount(section_of, minlength=len(sections)).tolist()
    n_right = np.bincount(section_of, weights=right, minlength=len(sections)).astype(int).tolist()
    return AnalogyScore(
        accuracy=sum(n_right) / len(asked),
        n_correct=sum(n_right),
        n_questions=len(asked),
        n_skipped=n_skipped,
        sections=dict(zip(sections, zip(n_right, n_asked, strict=True), strict=True)),
    )


def score_word_pairs(word_vectors, pairs, restrict, case_insensitive):
    """See `WordVectors.evaluate_word_pairs`."""
    from scipy.stats import spearmanr  # heavy, and needed here alone

    if isinstance(pairs, str | os.PathLike):
        pairs = read_word_pairs(pairs)
    index = _index_forms(word_vectors.words, restrict, case_insensitive)
    expected, found, n_skipped = [], [], 0
    for first, second, score in pairs:
        ids = [index.get(_form(word, case_insensitive)) for word in (first, second)]
        if None in ids:
            n_skipped += 1
        else:
            expected.append(float(score))
            found.append(word_vectors.similarity(*(word_vectors.words[id_] for id_ in ids)))
    for values, what in (expected, "scores"), (found, "similarities"):
        if len(set(values)) < 2:
            raise ValueError(
                f"the rank correlation is undefined: it takes two different {what} or more, got "
                f"{len(set(values))} in {len(values)} pairs; {n_skipped} pairs were skipped, "
                f"having a word that is not among the {len(index)} that take part"
            )
    return WordPairScore(
        spearman=float(spearmanr(expected, found).statistic),
        n_pairs=len(found),
        n_skipped=n_skipped,
    )


def _index_forms(words, restrict, case_insensitive):
    """Form to the first id that has it, among the first `restrict` words."""
    if restrict is not None and (not isinstance(restrict, Integral) or restrict < 1):
        raise ValueError(f"expected restrict to be a positive int or None, got {restrict!r}")
    index = {}
    for id_, word in enumerate(islice(words, restrict)):
        index.setdefault(_form(word, case_insensitive), id_)
    return index


def _form(word, case_insensitive):
    return str(word).lower() if case_insensitive else str(word)


def _sections(questions):
    if isinstance(questions, str | os.PathLike):
        return read_analogy_questions(questions)
    return questions if isinstance(questions, Mapping) else {"all": questions}


def _unit_rows(vectors):
    """Rows scaled to length 1, zero rows as they are: float32."""
    # Scaled by the largest value first: no square over- or underflows, and every row but a zero
    # row is then of length 1 or more.
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    rows = vectors / np.where(largest > 0, largest, 1)
    return rows / np.maximum(1, np.sqrt(np.einsum("ij,ij->i", rows, rows)))[:, np.newaxis]


def _answer(directions, asked):
    """Which questions, rows of four places, are answered rightly by the rows of `directions`."""
    right = np.empty(len(asked), dtype=bool)
    batch = max(1, _BATCH // len(directions))
    for start in range(0, len(asked), batch):
        a, b, c, answer = asked[start : start + batch].T
        # Thousands of queries at once: the one place where the matrix product of BLAS pays.
        scores = (directions[b] - directions[a] + directions[c]) @ directions.T
        for given in (a, b, c):
            scores[np.arange(len(scores)), given] = -np.inf
        right[start : start + batch] = scores.argmax(axis=1) == answer
    return right
