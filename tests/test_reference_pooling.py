"""The reference's poolings: numbers by hand."""

import numpy as np
import pytest

from skw2v._reference_pooling import (
    aggregated_residuals,
    combined_vectors,
    composite_vectors,
    document_frequencies,
    first_direction,
    nearest_clusters,
    pool_reference,
    scdv_reference,
    sif_means,
    sif_reference,
    sif_weights,
    smooth_idf,
    sparsity_threshold,
    tfidf_reference,
)

VECTORS = np.array([[5.0, 2.0], [2.0, -2.0], [-1.0, -3.0]], dtype=np.float32)
TOKEN_IDS, OFFSETS = np.array([2, 0, 1, 2]), np.array([0, 3, 3, 4])  # [2 0 1], [], [2]


def test_embeddings_combine_the_two_matrices():
    v, u = np.array([[1.0, 2.0]]), np.array([[3.0, -4.0]])
    combined = {
        embedding: combined_vectors(v, u, embedding).tolist()
        for embedding in ("input", "output", "sum", "mean", "concat")
    }
    assert combined == {
        "input": [[1, 2]],
        "output": [[3, -4]],
        "sum": [[4, -2]],
        "mean": [[2, -1]],
        "concat": [[1, 2, 3, -4]],
    }


@pytest.mark.parametrize(
    ("pooling", "features"),
    [
        ("mean", [[2, -1], [0, 0], [-1, -3]]),
        ("sum", [[6, -3], [0, 0], [-1, -3]]),
        ("max", [[5, 2], [0, 0], [-1, -3]]),
    ],
)
def test_pooling_by_hand(pooling, features):
    assert pool_reference(TOKEN_IDS, OFFSETS, VECTORS, pooling).tolist() == features


def test_document_frequencies_by_hand():
    frequencies, n_documents = document_frequencies(
        np.array([0, 0, 1, 0]), np.array([0, 3, 4, 4]), 3, [2, 1, 0.5]
    )
    assert frequencies.tolist() == [3, 2, 0]
    assert n_documents == 3.5


def test_idf_by_hand():
    # Words in each of 7 documents, in 3, in 1 and in none: 8 / 8, 8 / 4, 8 / 2, 8 / 1.
    expected = 1 + np.log([1, 2, 4, 8])
    np.testing.assert_allclose(smooth_idf(np.array([7, 3, 1, 0]), 7), expected, rtol=1e-15)


def test_tfidf_by_hand():
    # (2 (-1, -3) + 1 (5, 2) + 1 (2, -2)) / 4; a document of one word is that word.
    features = tfidf_reference(TOKEN_IDS, OFFSETS, VECTORS, idf=np.array([1, 1, 2]))
    assert features.tolist() == [[1.25, -1.5], [0, 0], [-1, -3]]


def test_sif_weights_by_hand():
    # Shares of .9, .1 and 0.
    assert sif_weights([9, 1, 0], a=0.1) == pytest.approx([0.1, 0.5, 1])


def test_sif_by_hand():
    # ((-1, -3) / 2 + (5, 2) + (2, -2)) / 3 is (2.1666, -0.5).
    means = sif_means(TOKEN_IDS, OFFSETS, VECTORS, np.array([1, 1, 0.5]))
    np.testing.assert_allclose(means, [[6.5 / 3, -0.5], [0, 0], [-0.5, -1.5]], rtol=1e-15)
    # Most of the weight is on the first axis; without it the second remains.
    rows, direction = np.array([[3.0, 0.0], [0.0, 1.0], [2.0, 0.0]]), [1, 0]
    assert np.abs(first_direction(rows, np.ones(3))) == pytest.approx(direction)
    assert np.abs(first_direction(rows, np.array([0, 1, 0.2]))) == pytest.approx([0, 1])
    assert sif_reference(np.array([[3.0, 4.0]]), np.array([0.6, 0.8])) == pytest.approx(0)
    assert sif_reference(np.array([[5.0, 0.0]]), np.array([0.6, 0.8])) == pytest.approx(
        np.array([[3.2, -2.4]])
    )


def test_scdv_by_hand():
    # Word 0 in the first cluster, word 1 in the second, word 2 in both.
    shares = np.array([[1, 0], [0, 1], [0.5, 0.5]])
    rows = composite_vectors(TOKEN_IDS, OFFSETS, VECTORS, shares, idf=np.array([1, 2, 4]))
    first = np.array([5 - 2, 2 - 6, 4 - 2, -4 - 6])
    np.testing.assert_allclose(rows[0], first / np.sqrt(9 + 16 + 4 + 100), rtol=1e-15)
    np.testing.assert_allclose(rows[2], np.array([-1, -3, -1, -3]) / np.sqrt(20), rtol=1e-15)
    assert not rows[1].any()


def test_what_scdv_drops_by_hand():
    rows = np.array([[-0.5, 0.1, 0.25], [0, 0, 0], [-0.1, 0.5, 0.03]])
    # Smallest -.5 and -.1, on average -.3; largest .25 and .5, .375; their mean is .3375.
    assert sparsity_threshold(rows, np.ones(3), share=0.5) == pytest.approx(0.16875)
    assert sparsity_threshold(rows, np.array([1, 9, 0])) == pytest.approx(0.04 * 0.375)
    kept = scdv_reference(rows, 0.1)
    assert kept.tolist() == [[-0.5, 0.1, 0.25], [0, 0, 0], [-0.1, 0.5, 0]]


def test_nearest_clusters_by_hand():
    # Of length 1: (.6, .8), (0, -1), (.8, .6), each with its square distance from the centers.
    vectors = np.array([[3.0, 4.0], [0.0, -0.1], [8.0, 6.0]])
    centers = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, -2.0]])
    assert nearest_clusters(vectors, centers).tolist() == [1, 0, 0]  # .4 < .8; 2 < 4, 5; .4 < .8


def test_aggregated_residuals_by_hand():
    """Three words in two clusters, one of them twice, and one of zeros."""
    vectors = np.array([[3.0, 4.0], [0.0, 2.0], [-5.0, 0.0], [0.0, 0.0]])
    clusters, centers = np.array([0, 0, 1, 1]), np.array([[0.2, 0.8], [-0.4, 0.6]])
    token_ids, offsets = np.array([2, 0, 1, 0, 3, 3]), np.array([0, 4, 5, 5, 6])
    idf = np.array([1, 2, 3, 4])
    rows = aggregated_residuals(token_ids, offsets, vectors, clusters, centers, idf)
    twice = 1 + np.log(2)
    # (.6, .8) - (.1, .4), 1 + log 2 times, and twice (0, 1) - (.1, .4); thrice (-1, 0) - (-.2, .3)
    first = np.array([0.5 * twice - 0.2, 0.4 * twice + 1.2, -2.4, -0.9])
    np.testing.assert_allclose(rows[0], first / np.linalg.norm(first), rtol=1e-14)
    assert not rows[1:].any()
    # Without their whole centers.
    rows = aggregated_residuals(token_ids, offsets, vectors, clusters, centers, idf, center_share=1)
    first = np.array([0.4 * twice - 0.4, 0.4, -1.8, -1.8])
    np.testing.assert_allclose(rows[0], first / np.linalg.norm(first), rtol=1e-14)


def test_neighbors_by_hand():
    """Two documents of the same words in another order; a word twice, and one of zeros."""
    vectors = np.array([[0.0, 0.0, 5.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    clusters, centers, idf = np.array([0, 1, 1]), np.zeros((2, 3)), np.array([1, 2, 3])
    token_ids, offsets = np.array([0, 1, 0, 2, 0, 0, 2, 1]), np.array([0, 4, 8])
    rows = aggregated_residuals(
        token_ids, offsets, vectors, clusters, centers, idf, neighbor_share=0.5
    )
    once = (1 + np.log(2)) / 2
    # Word 0 is (0, 0, 1); as the one before another it is (1, 0, 0), as the one after (0, 1, 0).
    # Word 1 is (0, 1, 0), (0, 0, 1) and (1, 0, 0). Word 2 is nothing, and brings nobody.
    first = [0.5 * once, 0, (2 + 0.5) * once, 0.5 * 2, 2 + 0.5 * 2, 0]
    # 0 1 0 2: in cluster 0 there is a 1 after and a 1 before, in cluster 1 a 0 on either side.
    second = [0.5 * once, 0.5 * once, 2 * once, 0, 2, 0]
    # 0 0 2 1: in cluster 0 there is a 0 after and a 0 before, in cluster 1 nothing.
    np.testing.assert_allclose(rows[0], first / np.linalg.norm(first), rtol=1e-14)
    np.testing.assert_allclose(rows[1], second / np.linalg.norm(second), rtol=1e-14)
