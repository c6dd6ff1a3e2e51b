"""Clusters of word vectors."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from skw2v._clusters import cluster_centers, soft_clusters
from skw2v._reference_pooling import mixture_shares, nearest_clusters


def as_array(soft):
    shape = len(soft.word_offsets) - 1, soft.n_clusters
    return sparse.csr_array((soft.weights, soft.clusters, soft.word_offsets), shape=shape).toarray()


@pytest.fixture
def planted_vectors():
    """Five clusters of 40 words, far from each other for their width."""
    rng = np.random.default_rng(0)
    centers = 3 * rng.standard_normal((5, 8))
    cluster = np.repeat(np.arange(5), 40)
    return (centers[cluster] + rng.standard_normal((200, 8)) / 2).astype(np.float32), cluster


def test_planted_clusters_are_found(planted_vectors, global_random_seed):
    vectors, cluster = planted_vectors
    shares = as_array(soft_clusters(vectors, np.ones(200), 5, global_random_seed))
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    found = shares.argmax(axis=1)
    assert [len(set(found[cluster == k])) for k in range(5)] == [1] * 5
    assert len(set(found)) == 5


def test_shares_are_the_mixtures(planted_vectors, monkeypatch):
    """By the formula, from what the mixture has learned."""
    vectors = planted_vectors[0] + np.float32(2)  # not centred, where scaling might move them
    fitted = []

    class Mixture(GaussianMixture):
        def fit(self, X):
            fitted.append(super().fit(X))
            return self

    monkeypatch.setattr("sklearn.mixture.GaussianMixture", Mixture)
    weights = np.linspace(1, 3, 200)
    soft = soft_clusters(vectors, weights, 7, seed=1)
    (mixture,) = fitted
    scaled = vectors.astype(float) / np.sqrt(np.mean(vectors.astype(float) ** 2))
    shares = mixture_shares(scaled, mixture.weights_, mixture.means_, mixture.covariances_)
    np.testing.assert_allclose(as_array(soft), weights[:, None] * shares, rtol=1e-6, atol=1e-12)
    assert len(soft.weights) < 7 * 200
    assert (np.diff(soft.word_offsets) > 1).any()  # some words are in two


def test_shares_do_not_depend_on_the_scale_of_the_vectors(planted_vectors):
    vectors, _ = planted_vectors
    expected = as_array(soft_clusters(vectors, np.ones(200), 6, 0))
    for scale in (2.0**-20, 2.0**20):
        found = as_array(soft_clusters(vectors * np.float32(scale), np.ones(200), 6, 0))
        np.testing.assert_array_equal(found, expected)


def test_same_bits_whatever_the_threads(planted_vectors):
    vectors, _ = planted_vectors
    found = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            found.append(soft_clusters(vectors, np.ones(200), 6, 3))
    assert found[0].weights.tobytes() == found[1].weights.tobytes()
    assert found[0].clusters.tobytes() == found[1].clusters.tobytes()


@pytest.mark.parametrize("vectors", [np.zeros((6, 3)), np.ones((6, 3)), np.eye(6)[:, :3]], ids=str)
def test_words_with_the_same_vector_are_in_the_same_clusters(vectors):
    shares = as_array(soft_clusters(vectors.astype(np.float32), np.ones(6), 4, 0))
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    for word in range(6):
        same = (vectors == vectors[word]).all(axis=1)
        np.testing.assert_allclose(shares[same] - shares[word], 0, atol=1e-12)


def test_one_cluster_has_every_word():
    soft = soft_clusters(np.ones((1, 4), dtype=np.float32), np.array([2.5]), 1, 0)
    assert as_array(soft).tolist() == [[2.5]]


# --- Hard ones


def spherical(planted_vectors):
    vectors, cluster = planted_vectors
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, vectors / lengths, cluster


def test_centers_are_the_weighted_means_of_planted_clusters(planted_vectors, global_random_seed):
    """Of vectors of length 1, a word counting the square root of its occurrences."""
    vectors, units, cluster = spherical(planted_vectors)
    counts = np.random.default_rng(1).integers(1, 100, 200)
    found = cluster_centers(vectors, counts, 5, global_random_seed)
    means = [
        np.average(units[cluster == k], axis=0, weights=np.sqrt(counts[cluster == k]))
        for k in range(5)
    ]
    near = nearest_clusters(units, found)
    assert [len(set(near[cluster == k])) for k in range(5)] == [1] * 5
    np.testing.assert_allclose(found[near[[0, 40, 80, 120, 160]]], means, rtol=0, atol=1e-6)


def test_centers_are_of_frequent_words_alone(planted_vectors, monkeypatch):
    vectors, _, cluster = spherical(planted_vectors)
    counts = np.where(cluster == 3, 1, 5)
    monkeypatch.setattr("skw2v._clusters.N_WORDS_OF_CENTERS", 160)
    found = cluster_centers(vectors, counts, 4, 0)
    others = cluster_centers(vectors[cluster != 3], counts[cluster != 3], 4, 0)
    np.testing.assert_array_equal(found, others)
    # More clusters than that need more words.
    assert len(np.unique(cluster_centers(vectors, counts, 170, 0), axis=0)) == 170


def test_centers_do_not_depend_on_the_lengths_of_the_vectors(planted_vectors):
    vectors = planted_vectors[0]
    expected = cluster_centers(vectors, np.ones(200), 6, 0)
    lengths = np.float32(2.0) ** np.arange(-100, 100)[:, None] / 4
    np.testing.assert_array_equal(cluster_centers(vectors * lengths, np.ones(200), 6, 0), expected)


def test_same_centers_whatever_the_threads(planted_vectors):
    vectors = np.tile(planted_vectors[0], (5, 1)) + np.float32(0.1)
    found = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            found.append(cluster_centers(vectors, np.arange(1000), 6, 3).tobytes())
    assert found[0] == found[1]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("vectors", [np.zeros((6, 3)), np.ones((6, 3)), np.eye(6)[:, :3]], ids=str)
def test_words_with_the_same_vector_have_centers_all_the_same(vectors):
    centers = cluster_centers(vectors.astype(np.float32), np.arange(6), 4, 0)
    assert centers.shape == (4, 3)
    assert np.isfinite(centers).all()
