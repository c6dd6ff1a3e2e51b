"""The C kernels held to the float64 reference, one instruction set at a time."""

from typing import NamedTuple

import numpy as np
import pytest

from skw2v import _kernels, _pool
from skw2v._reference import (
    INIT,
    NOISE,
    POSITION,
    initial_input_vectors,
    random_bits,
    stream_key,
)
from skw2v._reference import primitive as reference_primitive
from skw2v._reference_pooling import (
    aggregated_residuals,
    composite_vectors,
    nearest_clusters,
    pool_reference,
    scdv_reference,
    sif_means,
    sif_reference,
    tfidf_reference,
)

ISAS = _kernels.available_isas()
DIMENSIONS = [1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 100, 300]
N_HIDDEN = range(1, _kernels.MAX_GROUP + 1)
N_TARGETS = [*range(1, 10), 16, 17, 40]
# Rows have entries of size 1 and below, steps sum up to 120 products of them: a few of float32's
# roundings (1.2e-7) each. The largest error seen is 1.2e-6; a forgotten lane costs 1e-2 and more.
TOLERANCE = {"rtol": 5e-6, "atol": 5e-6}

by_isa = pytest.mark.parametrize("isa", ISAS)
by_dimension = pytest.mark.parametrize("n_components", DIMENSIONS)


# --- Randomness


def test_golden_random_bits():
    # The numbers that test_reference.py has worked out by unbounded integers.
    assert _kernels.random_bits(42, NOISE, 1, 0) == 0xC6CC343DAA0F53BF
    assert _kernels.random_bits(42, NOISE, 1, 1) == 0x8C5D59F082132129


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**64 - 1])
@pytest.mark.parametrize("purpose", [POSITION, NOISE, INIT])
def test_random_bits_are_the_reference(seed, purpose):
    for epoch in (0, 1, 99):
        for counter in (0, 1, 2**32, 2**63 - 1):
            expected = int(random_bits(stream_key(seed, purpose, epoch), counter))
            assert _kernels.random_bits(seed, purpose, epoch, counter) == expected


@by_dimension
@pytest.mark.parametrize("n_threads", [1, 3])
def test_initial_vectors_are_the_reference_to_the_bit(n_components, n_threads):
    vectors, output = np.full((2, 37, padded(n_components, 16)), np.nan, dtype=np.float32)
    _kernels.init_vectors(vectors, output, n_components, 2**32 - 1, n_threads)
    expected = initial_input_vectors(37, n_components, 2**32 - 1)
    assert vectors[:, :n_components].tobytes() == expected.tobytes()
    assert not vectors[:, n_components:].any()
    assert not output.any()


# --- The primitive


class Case(NamedTuple):
    n_components: int
    n_hidden: int
    n_targets: int
    softmax: bool = False
    weighted: bool = False  # some targets stand for two or three
    biased: bool = False
    shifted: bool = False  # by offsets
    apart: bool = False  # the hidden rows stay; their change is gathered elsewhere

    @property
    def link(self):
        return "softmax" if self.softmax else "sigmoid"

    @property
    def n_columns(self):
        """Of a row, bias included; what follows is padding."""
        return self.n_components + self.biased


class Outcome(NamedTuple):
    """What a step leaves behind; rows with their padding and their neighbours."""

    hidden: np.ndarray
    targets: np.ndarray
    change: np.ndarray
    loss: float


class Expected(NamedTuple):
    """The same by the reference, without padding and neighbours."""

    hidden: np.ndarray
    targets: np.ndarray
    change: np.ndarray
    biases: np.ndarray
    loss: float


def padded(n, block):
    return -(-n // block) * block


def every_shape(n_components):
    """Two cases for each shape, of opposite variants; all 32 variants come by in turn."""
    for n_hidden in N_HIDDEN:
        for i, n_targets in enumerate(N_TARGETS):
            variant = (len(N_TARGETS) * n_hidden + i + n_components) * 11 % 32
            for bits in (variant, 31 - variant):
                flags = [bool(bits >> bit & 1) for bit in range(5)]
                yield Case(n_components, n_hidden, n_targets, *flags)


def draw_problem(case, scale=1.0):
    """Rows between two sentinels each, with zeros as padding, and what goes with the targets."""
    rng = np.random.default_rng(case)
    d, n_targets = case.n_components, case.n_targets

    def rows(n):
        matrix = np.zeros((n + 2, padded(case.n_columns, 16)), dtype=np.float32)
        matrix[[0, -1]] = 7.0
        matrix[1:-1, :d] = rng.standard_normal((n, d)) * d**-0.25  # scores of size 1
        return matrix

    def per_target(values):
        return np.pad(np.asarray(values, dtype=np.float32), (0, padded(n_targets, 8) - n_targets))

    hidden, targets = rows(case.n_hidden), rows(n_targets)
    hidden[1:-1] *= np.float32(scale)
    if case.biased:
        hidden[1:-1, d] = 1.0
        targets[1:-1, d] = rng.standard_normal(n_targets)
    weights = rng.integers(1, 4, n_targets) if case.weighted else np.ones(n_targets)
    weights[0] = 1  # the true target stands for itself alone
    return {
        "hidden": hidden,
        "targets": targets,
        "label": per_target(np.arange(n_targets) == 0),
        "weight": per_target(weights),
        "offset": per_target(rng.standard_normal(n_targets)) if case.shifted else None,
        "change": rows(case.n_hidden) if case.apart else None,
    }


def step(problem, case, isa, learning_rate, true_targets=None):
    problem = {name: None if a is None else a.copy() for name, a in problem.items()}
    hidden, targets, change = (problem.pop(name) for name in ("hidden", "targets", "change"))
    loss = _kernels.primitive(
        hidden[1:-1],
        targets[1:-1],
        problem["label"],
        problem["weight"],
        offset=problem["offset"],
        bias_column=case.n_components if case.biased else -1,
        learning_rate=learning_rate,
        link=case.link,
        change=None if change is None else change[1:-1],
        true_targets=true_targets,
        isa=isa,
    )
    return Outcome(hidden, targets, change, loss)


def expected_outcome(problem, case, learning_rate, labels=None):
    d, n_targets = case.n_components, case.n_targets
    hidden, targets = (problem[name][1:-1, :d].astype(float) for name in ("hidden", "targets"))

    biases = problem["targets"][1:-1, d].astype(float) if case.biased else 0.0

    def per_target(name):
        return problem[name][:n_targets].astype(float) if problem[name] is not None else 0.0

    reference = reference_primitive(
        hidden,
        targets,
        per_target("label") if labels is None else labels,
        per_target("weight"),
        learning_rate,
        biases=biases,
        offsets=per_target("offset"),
        link=case.link,
    )
    change = None
    if case.apart:
        change = problem["change"][1:-1, :d] + reference.hidden_change
    else:
        hidden = hidden + reference.hidden_change
    return Expected(
        hidden,
        targets + reference.target_change,
        change,
        biases + reference.bias_change,
        reference.loss,
    )


def assert_close(outcome, expected, case, rtol, atol):
    d = case.n_components
    found = {
        "hidden": outcome.hidden[1:-1, :d],
        "targets": outcome.targets[1:-1, :d],
        "change": outcome.change[1:-1, :d] if case.apart else None,
        "biases": outcome.targets[1:-1, d] if case.biased else None,
        "loss": outcome.loss,
    }
    for name, array in found.items():
        if array is not None:
            np.testing.assert_allclose(
                array, getattr(expected, name), rtol=rtol, atol=atol, err_msg=f"{name} of {case}"
            )


@by_isa
@by_dimension
def test_the_primitive_is_the_reference(isa, n_components):
    rate = 0.5  # so that what a step adds weighs as much as what was there
    for case in every_shape(n_components):
        problem = draw_problem(case)
        outcome = step(problem, case, isa, rate)
        assert_close(outcome, expected_outcome(problem, case, rate), case, **TOLERANCE)


@by_isa
@by_dimension
def test_the_primitive_writes_its_rows_and_nothing_else(isa, n_components):
    for case in every_shape(n_components):
        problem = draw_problem(case)
        outcome = step(problem, case, isa, learning_rate=0.5)
        for rows in (outcome.hidden, outcome.targets, outcome.change):
            if rows is not None:
                assert not rows[1:-1, case.n_columns :].any(), case  # padding
                assert (rows[[0, -1]] == 7.0).all(), case  # sentinels
        if case.apart:
            assert outcome.hidden.tobytes() == problem["hidden"].tobytes(), case
        if case.biased and case.apart:  # the constant unit has no change
            assert not outcome.change[1:-1, n_components].any(), case
        elif case.biased:  # and stays what it is
            assert (outcome.hidden[1:-1, n_components] == 1.0).all(), case


@pytest.mark.skipif(not {"avx2", "avx512"} <= {*ISAS}, reason="needs AVX2 and AVX-512")
@by_dimension
def test_avx2_and_avx512_step_to_the_same_bits(n_components):
    for case in every_shape(n_components):
        for scale in (1.0, 100.0):
            problem = draw_problem(case, scale)
            narrow, wide = (step(problem, case, isa, 0.025) for isa in ("avx2", "avx512"))
            for name in ("hidden", "targets", "change"):
                one, other = getattr(narrow, name), getattr(wide, name)
                assert one is other is None or one.tobytes() == other.tobytes(), (name, case)
            assert narrow.loss == wide.loss, case


@by_isa
@pytest.mark.parametrize("softmax", [False, True], ids=["sigmoid", "softmax"])
@pytest.mark.parametrize("largest", [100.0, 1e4])
def test_the_primitive_stays_finite_at_huge_scores(isa, softmax, largest):
    for n_components in (1, 17, 100):
        for n_targets in (1, 6, 9):
            case = Case(n_components, 5, n_targets, softmax=softmax, weighted=True)
            problem = draw_problem(case)
            scores = problem["hidden"][1:-1] @ problem["targets"][1:-1].T
            problem["hidden"][1:-1] *= largest / np.abs(scores).max()
            outcome = step(problem, case, isa, learning_rate=0.5)
            expected = expected_outcome(problem, case, 0.5)
            # float32 knows a score of 1e4 to 1e-3, so a probability between two such to 1e-4 (the
            # rate is 0.5), and that share of a hidden row of size 1e4 goes to the target.
            assert_close(outcome, expected, case, rtol=1e-5, atol=1e-8 * largest**2)


@by_isa
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_the_sigmoid_and_its_loss_over_all_magnitudes(isa, label):
    scores = np.concatenate([np.linspace(-100, 100, 2001), [-1e4, 1e4, 0.0, -0.0, 1e-30]])
    hidden, targets = np.zeros((2, 1, 16), dtype=np.float32)
    one, weight = np.zeros((2, 8), dtype=np.float32)
    one[0], weight[0] = label, 1.0
    for score in scores.astype(np.float32):
        hidden[0, 0], targets[0, 0] = score, 1.0
        loss = _kernels.primitive(hidden, targets, one, weight, learning_rate=1.0, isa=isa)
        score = float(score)
        gradient = label - np.exp(-np.logaddexp(0.0, -score))
        assert hidden[0, 0] - score == pytest.approx(gradient, abs=2e-7 + 1.2e-7 * abs(score))
        assert loss == pytest.approx(np.logaddexp(0.0, score) - label * score, abs=2e-7, rel=2e-7)


@by_isa
def test_the_loss_carries_any_weight(isa):
    """In a tiny vocabulary one noise word may stand for all draws of a window."""
    for weight in (1, 15, 20, 127, 128, 1000):
        for n_hidden in (1, 2, 3, 16):
            hidden, targets = np.zeros((n_hidden, 16), np.float32), np.zeros((2, 16), np.float32)
            label, weights = np.zeros((2, 8), dtype=np.float32)
            label[0], weights[:2] = 1.0, [1.0, weight]
            loss = _kernels.primitive(hidden, targets, label, weights, learning_rate=0.1, isa=isa)
            expected = n_hidden * (1 + weight) * np.log(2)
            assert loss == pytest.approx(expected, rel=1e-6), (weight, n_hidden)


@by_isa
def test_a_true_target_may_stand_for_several_in_the_softmax(isa):
    case = Case(17, 3, 5, softmax=True, weighted=True)
    problem = draw_problem(case)
    problem["weight"][0] = 3.0
    outcome = step(problem, case, isa, learning_rate=0.5)
    assert_close(outcome, expected_outcome(problem, case, 0.5), case, **TOLERANCE)


@by_isa
@pytest.mark.parametrize("n_targets", [1, 3, 8, 9, 70, 600])
def test_hidden_rows_may_have_several_true_targets_each(isa, n_targets):
    rng = np.random.default_rng(n_targets)
    for n_hidden in (1, 2, 5, 16):
        case = Case(17, n_hidden, n_targets, softmax=True, weighted=True, biased=True, shifted=True)
        problem = draw_problem(case)
        true_targets = [
            rng.integers(0, n_targets, size=rng.integers(0, 6)).tolist() for _ in range(n_hidden)
        ]
        labels = np.array([np.bincount(t, minlength=n_targets) for t in true_targets], dtype=float)
        outcome = step(problem, case, isa, 0.5, true_targets=true_targets)
        expected = expected_outcome(problem, case, 0.5, labels=labels)
        assert_close(outcome, expected, case, rtol=2e-5, atol=1e-5)  # sums of up to five


@by_isa
@pytest.mark.parametrize("n_targets", [1, 7, 8, 511, 512, 513, 1500])
def test_normalizers_are_sums_over_all_targets(isa, n_targets):
    rng = np.random.default_rng(n_targets)
    for n_hidden in (1, 2, 15, 16, 17, 40):
        hidden = rng.standard_normal((n_hidden, 32)).astype(np.float32)
        targets = rng.standard_normal((n_targets, 32)).astype(np.float32)
        scores = hidden.astype(float) @ targets.T.astype(float)
        expected = np.logaddexp.reduce(scores, axis=1)
        for n_threads in (1, 3):
            found = _kernels.log_normalizers(hidden, targets, n_threads, isa=isa)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


# --- Pooling


@by_isa
@pytest.mark.parametrize("pooling", ["mean", "sum", "max", "min"])
@pytest.mark.parametrize("n_components", [1, 17, 100])
def test_pooling_is_the_reference_at_any_number_of_threads(isa, pooling, n_components, monkeypatch):
    monkeypatch.setenv("SKW2V_ISA", isa)
    rng = np.random.default_rng(3)
    sizes = [0, 1, 0, 0, 5, 300, 2, 0]
    token_ids = rng.integers(0, 50, sum(sizes)).astype(np.int32)
    offsets = np.cumsum([0, *sizes])
    vectors = rng.standard_normal((50, n_components)).astype(np.float32)
    expected = pool_reference(token_ids, offsets, vectors, pooling)
    for n_threads in (1, 2, 20):
        out = np.full(expected.shape, np.nan, dtype=np.float32)
        _pool.pool(token_ids, offsets, vectors, pooling, out, n_threads)
        # Gathered in float64 and rounded once.
        np.testing.assert_array_equal(out, expected.astype(np.float32))
    # Beside what other poolings have put there.
    out = np.full((len(sizes), 3 * n_components), -7, dtype=np.float32)
    _pool.pool(token_ids, offsets, vectors, pooling, out, 2, column=n_components)
    np.testing.assert_array_equal(np.split(out, 3, axis=1)[1], expected.astype(np.float32))
    assert (np.delete(out, np.s_[n_components : 2 * n_components], axis=1) == -7).all()


def weighted_documents(n_components):
    """Documents of 0 to 9 tokens and one long one; vectors and weights of 50 words."""
    rng = np.random.default_rng(4)
    sizes = [*range(10), 0, 500]
    token_ids = rng.integers(0, 50, sum(sizes)).astype(np.int32)
    vectors = rng.standard_normal((50, n_components)).astype(np.float32)
    return token_ids, np.cumsum([0, *sizes]), vectors, rng.uniform(0.1, 3, 50)


@by_isa
@by_dimension
def test_weights_and_what_is_removed_are_the_reference(isa, n_components, monkeypatch):
    monkeypatch.setenv("SKW2V_ISA", isa)
    *documents, weights = weighted_documents(n_components)
    direction = weights[np.arange(n_components) % 50]
    direction /= np.linalg.norm(direction)
    expected = {
        "weighted_mean": tfidf_reference(*documents, weights),
        "mean": sif_means(*documents, weights),
        "sum": pool_reference(
            *documents, lambda ids: weights[ids] @ documents[2][ids].astype(np.float64)
        ),
    }
    for pooling, rows in expected.items():
        for removed in (None, direction):
            out = np.full(rows.shape, np.nan, dtype=np.float32)
            _pool.pool(*documents, pooling, out, 2, weights=weights, removed=removed)
            left = rows if removed is None else sif_reference(rows, removed)
            # Gathered in float64, but in another order, and rounded once.
            np.testing.assert_allclose(out, left, rtol=1.2e-7, atol=1e-7 * np.abs(rows).max())


def clusters_of_words(rng, n_clusters):
    """Each of 50 words in one cluster or in two: as arrays of entries, and as one array."""
    shares = np.zeros((50, n_clusters))
    for word in range(50):
        some = rng.choice(n_clusters, min(n_clusters, 1 + word % 2), replace=False)
        shares[word, some] = rng.uniform(0.1, 1, len(some))
    words, clusters = shares.nonzero()
    offsets = np.searchsorted(words, np.arange(51))
    return (offsets, clusters.astype(np.int32), shares[words, clusters]), shares


@by_isa
@pytest.mark.parametrize("n_components", [1, 7, 8, 17, 100])
@pytest.mark.parametrize("n_clusters", [1, 5, 20])
def test_clusters_are_the_reference(isa, n_components, n_clusters, monkeypatch):
    monkeypatch.setenv("SKW2V_ISA", isa)
    *documents, _ = weighted_documents(n_components)
    entries, shares = clusters_of_words(np.random.default_rng(5), n_clusters)
    rows = composite_vectors(*documents, shares, np.ones(50))
    for threshold in (0.0, 0.05):
        found = np.empty((0, 0))
        for n_threads in (1, 3):
            columns = np.full(rows.shape, -1, dtype=np.int32)
            values = np.full(rows.shape, np.nan, dtype=np.float32)
            n_kept = np.empty(len(rows), dtype=np.int64)
            occurrences = np.zeros((n_threads, 50), dtype=np.int32)
            _pool.pool_clusters(
                *documents, *entries, n_clusters, threshold, occurrences, columns, values, n_kept
            )
            assert not occurrences.any()
            before, found = found, np.zeros(rows.shape, dtype=np.float32)
            for i, n in enumerate(n_kept):
                assert (np.diff(columns[i, :n]) > 0).all()
                assert (np.abs(values[i, :n]) >= threshold).all()
                assert values[i, :n].all()
                found[i, columns[i, :n]] = values[i, :n]
        assert found.tobytes() == before.tobytes()
        expected = scdv_reference(rows, threshold)
        np.testing.assert_allclose(found, expected, rtol=1.2e-7, atol=1e-7)


def hard_clusters(n_components, n_clusters):
    """Centers, each word's cluster and scale; the last word is a vector of zeros."""
    *documents, weights = weighted_documents(n_components)
    documents[2][-1] = 0
    rng = np.random.default_rng(6)
    centers = rng.standard_normal((n_clusters, n_components)).astype(np.float32)
    nearest, lengths = np.empty(50, dtype=np.int32), np.empty(50)
    _pool.nearest_centers(documents[2], centers, nearest, lengths, 2)
    return documents, weights, centers, nearest, lengths


@by_isa
@pytest.mark.parametrize("n_components", [1, 7, 8, 17, 100])
def test_nearest_centers_are_the_references(isa, n_components, monkeypatch):
    monkeypatch.setenv("SKW2V_ISA", isa)
    documents, _, centers, nearest, lengths = hard_clusters(n_components, 20)
    assert nearest[-1] == -1
    vectors = documents[2][:-1].astype(np.float64)
    np.testing.assert_array_equal(nearest[:-1], nearest_clusters(vectors, centers))
    np.testing.assert_allclose(lengths[:-1], np.linalg.norm(vectors, axis=1), rtol=1e-14)
    assert lengths[-1] == 0
    for row in (0, 7, 49):  # alone
        one, length = np.empty(1, dtype=np.int32), np.empty(1)
        _pool.nearest_centers(documents[2][row : row + 1], centers, one, length, 1)
        assert (one[0], length[0]) == (nearest[row], lengths[row])


def test_the_first_of_equally_near_centers_is_taken():
    centers = np.float32([[0, 3], [1, 0], [1, 0], [1, 0]])
    nearest = np.empty(2, dtype=np.int32)
    _pool.nearest_centers(np.float32([[5, 0], [0, 1]]), centers, nearest, np.empty(2), 1)
    assert nearest.tolist() == [1, 1]  # (0, 1) is 2 from (0, 3), and 1.41 from (1, 0)


def pool_residuals(documents, weights, centers, nearest, lengths, n_threads, neighbor_share=0.0):
    width = centers.size
    columns = np.empty((12, width), dtype=np.int32)
    values, n_kept = np.empty((12, width), dtype=np.float32), np.empty(12, dtype=np.int64)
    scales = np.zeros(50)
    scales[:-1] = 1 / lengths[:-1]
    _pool.pool_clusters(
        *documents,
        np.append(np.arange(50), 49),  # each in one, the last in none
        nearest[:-1],
        weights,
        len(centers),
        0.0,
        np.zeros((n_threads, 50), dtype=np.int32),
        columns,
        values,
        n_kept,
        scales=scales,
        centers=centers,
        center_share=0.5,
        neighbor_share=neighbor_share,
        times_weights=1 + np.log(np.arange(1, 501)),
    )
    rows = np.zeros((12, width), dtype=np.float32)
    for row, n, at, those in zip(rows, n_kept, columns, values, strict=True):
        row[at[:n]] = those[:n]
    return rows


@by_isa
@pytest.mark.parametrize("n_components", [1, 7, 8, 17, 100])
@pytest.mark.parametrize("n_clusters", [1, 5, 20])
@pytest.mark.parametrize("neighbor_share", [0, 0.35])
def test_residuals_are_the_reference(isa, n_components, n_clusters, neighbor_share, monkeypatch):
    monkeypatch.setenv("SKW2V_ISA", isa)
    given = documents, weights, centers, nearest, _ = hard_clusters(n_components, n_clusters)
    expected = aggregated_residuals(
        *documents, nearest, centers, weights, neighbor_share=neighbor_share
    )
    for n_threads in (1, 3):
        found = pool_residuals(*given, n_threads, neighbor_share)
        np.testing.assert_allclose(found, expected, rtol=1.2e-7, atol=1e-7)


def test_every_instruction_set_pools_the_same_bits(monkeypatch):
    *documents, weights = weighted_documents(33)
    entries, _ = clusters_of_words(np.random.default_rng(5), 5)
    found = set()
    for isa in ISAS:
        monkeypatch.setenv("SKW2V_ISA", isa)
        out = np.empty((12, 33), dtype=np.float32)
        _pool.pool(*documents, "weighted_mean", out, 1, weights=weights, removed=weights[:33])
        columns = np.zeros((12, 165), dtype=np.int32)
        values = np.zeros((12, 165), dtype=np.float32)
        n_kept = np.empty(12, dtype=np.int64)
        occurrences = np.zeros((1, 50), dtype=np.int32)
        _pool.pool_clusters(*documents, *entries, 5, 0.0, occurrences, columns, values, n_kept)
        kept = [row[:n].tobytes() for row, n in zip(values, n_kept, strict=True)]
        residuals = pool_residuals(*hard_clusters(33, 5), 1, neighbor_share=0.35)
        found.add((out.tobytes(), *kept, residuals.tobytes()))
    assert len(found) == 1


# --- Choice of the instruction set


def test_the_best_instruction_set_is_chosen_unless_one_is_named(monkeypatch):
    monkeypatch.delenv("SKW2V_ISA", raising=False)
    assert _kernels.isa() == ISAS[0]
    assert ISAS[-1] == "baseline"
    for name in ISAS:
        monkeypatch.setenv("SKW2V_ISA", name)
        assert _kernels.isa() == name
    monkeypatch.setenv("SKW2V_ISA", "")
    assert _kernels.isa() == ISAS[0]


def test_an_unknown_instruction_set_is_an_error_that_names_the_known(monkeypatch):
    monkeypatch.setenv("SKW2V_ISA", "sse9")
    with pytest.raises(ValueError, match=r"SKW2V_ISA='sse9' is not available.*baseline.*Unset it"):
        _kernels.isa()
