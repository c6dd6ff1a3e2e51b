"""What the pictures show, and that nothing but drawing needs matplotlib."""

import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.manifold import TSNE

from skw2v.display import LossCurveDisplay, WordMapDisplay
from skw2v.word_vectors import WordVectors


@pytest.fixture(autouse=True)
def pyplot():
    """pyplot that shows nothing, and forgets its figures after each test."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


@pytest.fixture
def word_vectors():
    """Three tight groups of twenty words."""
    rng = np.random.default_rng(0)
    centers = np.repeat(3 * rng.standard_normal((3, 10)), 20, axis=0)
    words = [f"{name}{i}" for name in ("red", "green", "blue") for i in range(20)]
    return WordVectors(words, centers + 0.3 * rng.standard_normal((60, 10)))


@pytest.fixture
def groups(word_vectors):
    names = ("red", "green", "blue")
    return {name: [w for w in word_vectors.words if w.startswith(name)] for name in names}


class Fitted(BaseEstimator):
    def __init__(self, loss_curve=None):
        self.loss_curve = loss_curve

    def fit(self, X=None, y=None):
        self.loss_curve_ = np.array(self.loss_curve)
        return self


def visible_boxes(display):
    display.figure_.draw_without_rendering()
    texts = [text for text in display.text_ if text.get_visible()]
    return [text.get_window_extent() for text in texts]


def test_map_keeps_what_it_shows(word_vectors, pyplot):
    display = WordMapDisplay.from_word_vectors(word_vectors, n_words=12)
    assert display.words == word_vectors.words[:12]
    assert display.xy.shape == (12, 2)
    assert display.labels is None
    assert [text.get_text() for text in display.text_] == display.words
    (points,) = display.points_
    np.testing.assert_array_equal(points.get_offsets(), display.xy)
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_legend() is None
    assert pyplot.get_fignums() == [display.figure_.number]


def test_map_draws_on_given_axes_and_again(word_vectors, pyplot):
    _, (left, right) = pyplot.subplots(1, 2)
    display = WordMapDisplay.from_word_vectors(word_vectors, n_words=5, ax=left)
    assert display.ax_ is left
    assert display.plot(ax=right) is display
    assert display.ax_ is right
    assert len(pyplot.get_fignums()) == 1


def test_map_draws_on_a_subfigure(word_vectors, pyplot):
    subfigure = pyplot.figure().subfigures(1, 2)[0]
    display = WordMapDisplay.from_word_vectors(word_vectors, n_words=5, ax=subfigure.subplots())
    assert display.figure_ is subfigure


@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_groups_lie_apart_and_the_map_is_the_same_every_time(word_vectors, groups, projection):
    display = WordMapDisplay.from_word_vectors(word_vectors, groups=groups, projection=projection)
    labels = np.array(display.labels)
    means = np.array([display.xy[labels == name].mean(axis=0) for name in groups])
    nearest = np.linalg.norm(display.xy[:, None] - means, axis=2).argmin(axis=1)
    assert [list(groups)[i] for i in nearest] == display.labels
    again = WordMapDisplay.from_word_vectors(word_vectors, groups=groups, projection=projection)
    np.testing.assert_array_equal(again.xy, display.xy)


def test_map_shows_directions_not_lengths(word_vectors):
    lengths = np.random.default_rng(0).uniform(0.1, 10, size=(60, 1))
    stretched = WordVectors(word_vectors.words, word_vectors.vectors * lengths)
    one, other = (WordMapDisplay.from_word_vectors(x).xy for x in (word_vectors, stretched))
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_projection_may_be_a_transformer(word_vectors):
    unfitted = PCA(2, svd_solver="full")
    by_name = WordMapDisplay.from_word_vectors(word_vectors, n_words=30).xy
    by_object = WordMapDisplay.from_word_vectors(word_vectors, n_words=30, projection=unfitted).xy
    np.testing.assert_allclose(by_object, by_name)
    assert not hasattr(unfitted, "components_")

    fitted = PCA(2).fit(word_vectors.vectors)
    before = fitted.components_.copy()
    xy = WordMapDisplay.from_word_vectors(word_vectors, n_words=30, projection=fitted).xy
    unit = word_vectors.vectors[:30].astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    np.testing.assert_allclose(xy, fitted.transform(unit), atol=1e-6)
    np.testing.assert_array_equal(fitted.components_, before)

    tsne = TSNE(2, perplexity=5, method="exact", max_iter=250, random_state=0)
    display = WordMapDisplay.from_word_vectors(word_vectors, n_words=20, projection=tsne)
    assert display.xy.shape == (20, 2)

    class NoEstimator:
        def fit_transform(self, vectors):
            return vectors[:, :2]

    display = WordMapDisplay.from_word_vectors(word_vectors, projection=NoEstimator())
    assert np.abs(display.xy).max() <= 1


@pytest.mark.parametrize(
    ("projection", "message"),
    [
        ("umap", "expected projection to be 'pca', 'tsne' or a transformer .* got 'umap'"),
        (PCA(3), r"array of shape \(60, 2\), got one of shape \(60, 3\) from PCA"),
        (None, "expected projection to be .* got None"),
    ],
)
def test_wrong_projections_are_explained(word_vectors, projection, message):
    with pytest.raises(ValueError, match=message):
        WordMapDisplay.from_word_vectors(word_vectors, projection=projection)


@pytest.mark.parametrize("n_words", [1, 2, 3])
def test_very_few_words_and_components_make_a_map(n_words):
    vectors = np.arange(1.0, n_words + 1).reshape(-1, 1)
    display = WordMapDisplay.from_word_vectors(WordVectors(range(n_words), vectors))
    assert np.isfinite(display.xy).all()
    with pytest.raises(ValueError, match=f"needs 4 words or more, got {n_words}"):
        WordMapDisplay.from_word_vectors(WordVectors(range(n_words), vectors), projection="tsne")


@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_zero_and_equal_vectors_make_a_map(projection):
    for vectors in (np.zeros((5, 3)), np.ones((5, 3)), np.ones((5, 1))):
        word_vectors = WordVectors(["a", "b", "c", "d", "e"], vectors)
        display = WordMapDisplay.from_word_vectors(word_vectors, projection=projection)
        assert np.isfinite(display.xy).all()


def test_groups_have_a_colour_each_and_a_legend(word_vectors, groups):
    display = WordMapDisplay.from_word_vectors(word_vectors, groups=groups)
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["red", "green", "blue"]
    assert len(display.points_) == 3
    color_of = {}
    for label, text in zip(display.labels, display.text_, strict=True):
        color_of.setdefault(label, set()).add(text.get_color())
    assert all(len(colors) == 1 for colors in color_of.values())
    assert len(set.union(*color_of.values())) == 3


def test_every_group_is_early_in_line_for_a_label(word_vectors, groups):
    display = WordMapDisplay.from_word_vectors(word_vectors, groups=groups)
    assert display.words[:4] == ["red0", "green0", "blue0", "red1"]
    assert sorted(display.words) == sorted(word_vectors.words)


def test_words_may_be_of_no_group_or_of_two(word_vectors):
    groups = {"warm": ["red0", "red1"], "any": ["red1", "blue0"]}
    words = ["blue0", "green0", "red1", "red0", "blue0"]
    display = WordMapDisplay.from_word_vectors(word_vectors, words, groups=groups)
    assert display.words == ["blue0", "green0", "red1", "red0"]
    assert display.labels == ["any", None, "warm", "warm"]
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["any", "warm", "other"]


def test_groups_may_be_a_name_for_each_word(word_vectors):
    words = ["red0", "green0", "red0", "red1"]
    groups = np.array(["R", "G", "second", "R"])
    display = WordMapDisplay.from_word_vectors(word_vectors, words, groups=groups)
    assert display.words == ["red0", "green0", "red1"]
    assert display.labels == ["R", "G", "R"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"words": ["red0", "pink"]}, KeyError, "'pink' is not among the 60 known words"),
        ({"words": "red0"}, ValueError, "got the single word 'red0'"),
        ({"words": []}, ValueError, "no words to draw"),
        ({"n_words": 0}, ValueError, "no words to draw"),
        ({"words": ["red0"], "groups": ["a", "b"]}, ValueError, "each of the 1 words, got 2"),
        ({"groups": {"red": "red0"}}, ValueError, "words in the group 'red', got a str"),
    ],
)
def test_wrong_words_and_groups_are_explained(word_vectors, arguments, error, message):
    with pytest.raises(error, match=message):
        WordMapDisplay.from_word_vectors(word_vectors, **arguments)


@pytest.mark.parametrize("own_axes", [False, True])
@pytest.mark.parametrize("dpi", [60, 100, 200])
def test_labels_cover_neither_each_other_nor_the_legend(
    word_vectors, groups, own_axes, dpi, pyplot
):
    ax = pyplot.subplots(figsize=(6, 5))[1] if own_axes else None
    display = WordMapDisplay.from_word_vectors(word_vectors, groups=groups, ax=ax)
    display.figure_.set_dpi(dpi)  # as savefig(dpi=...) does
    boxes = visible_boxes(display)
    assert 3 <= len(boxes) < 60  # tight groups: some labels have no room
    boxes.append(display.ax_.get_legend().get_window_extent())
    for i, box in enumerate(boxes):
        shrunk = box.padded(-1.0)  # whole pixels of text differ a little between resolutions
        assert not any(shrunk.overlaps(other.padded(-1.0)) for other in boxes[:i])
    frame = display.ax_.get_window_extent().padded(1.0)
    assert all(frame.contains(*box.min) and frame.contains(*box.max) for box in boxes[:-1])


def test_dollars_and_underscores_are_text(tmp_path):
    words = ["$x^$", "a_b", r"\frac", "$"]
    display = WordMapDisplay.from_word_vectors(WordVectors(words, np.eye(4)))
    display.figure_.savefig(tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 1000


def test_looks_can_be_changed(word_vectors):
    display = WordMapDisplay.from_word_vectors(
        word_vectors, n_words=5, text_kwargs={"fontsize": 14}, s=99, color="black"
    )
    assert display.text_[0].get_fontsize() == 14
    assert display.points_[0].get_sizes().tolist() == [99]


def test_loss_curve_has_a_point_for_each_epoch():
    display = LossCurveDisplay.from_estimator(Fitted([2.5, 2.0, 1.9]).fit())
    assert display.line_.get_xdata().tolist() == [1, 2, 3]
    assert display.line_.get_ydata().tolist() == [2.5, 2.0, 1.9]
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_legend() is None


def test_loss_curves_share_axes(pyplot):
    first = LossCurveDisplay.from_estimator(Fitted([2.5, 2.0]).fit(), name="a")
    second = LossCurveDisplay.from_estimator(
        Fitted([2.4]).fit(), name="b", ax=first.ax_, linestyle="--"
    )
    assert second.ax_ is first.ax_
    legend = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert legend == ["a", "b"]
    assert second.line_.get_linestyle() == "--"
    assert len(pyplot.get_fignums()) == 1


def test_loss_curve_needs_a_fitted_estimator():
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(Fitted([1.0]))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: WordMapDisplay.from_word_vectors(WordVectors(["a"], [[1]])),
        lambda: WordMapDisplay(xy=[[0, 0]], words=["a"]).plot(),
        lambda: LossCurveDisplay.from_estimator(Fitted([1.0]).fit()),
        lambda: LossCurveDisplay(loss_curve=[1.0]).plot(),
    ],
)
def test_without_matplotlib_the_error_says_how_to_get_it(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"needs matplotlib.*pip install skw2v\[plot\]"):
        draw()


def test_matplotlib_is_imported_by_drawing_alone(run_python):
    program = """
import sys, skw2v.display
from skw2v.word_vectors import WordVectors
WordVectors(["a", "b"], [[1], [2]]).most_similar("a")
skw2v.display.LossCurveDisplay(loss_curve=[1.0])
print([name for name in ("matplotlib", "sklearn.manifold") if name in sys.modules])
"""
    assert run_python(program).strip() == "[]"
