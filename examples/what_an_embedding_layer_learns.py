r"""
Is an embedding layer trained like word2vec?
============================================

No. Both are a table with a row of numbers for every word, and both are trained by gradient descent.
What differs is the question. An embedding layer, as :class:`~skw2v.EmbeddingClassifier` has one, is
trained with the rest of a network by back-propagation of the task's loss: its rows learn what the
task needs. word2vec, :class:`~skw2v.Word2VecTransformer`, predicts the words around a word: its
rows learn in what company words occur, and so what they mean. No label is asked for.

Two things should follow, and this program measures both:

- two texts that say the same in other words lie together in the table of word2vec, while the task's
  table knows their class alone;
- with few labels, a table that *starts* from word2vec beats one that starts from nothing.

.. code-block:: console

   $ pip install skw2v[examples]
   $ python examples/what_an_embedding_layer_learns.py --data FOLDER

FOLDER, or else the environment variable SKW2V_DATA, may name a folder with
``textclass/clickbait.jsonl.xz``: 32,000 headlines, half of them clickbait
(https://github.com/bhargaviparanjape/clickbait), an object with "text" and "label" on each line.
Without it the docstrings of two parts of scipy show the way; they are too few to settle anything.
"""

import argparse
import json
import lzma
import os
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

from skw2v import EmbeddingClassifier, Word2VecTransformer
from skw2v.datasets import load_docstrings

# %%
# Texts, and sentences that say the same
# --------------------------------------
#
# The pairs below are written by hand, with words that occur in the texts, before anything was
# trained, and none was taken out or changed afterwards. The two of a pair are of one class and
# share no word but small ones, so no table can find them by their spelling.

HEADLINES = {
    "non_clickbait": [
        ("Bomb blast kills soldiers in Baghdad", "Explosion leaves troops dead in Iraq"),
        ("Oil prices rise", "Crude costs climb"),
        ("Strong earthquake shakes Indonesia", "Powerful quake hits Java"),
        ("Senate passes health care bill", "Lawmakers approve medical insurance legislation"),
        ("Stocks tumble on Wall Street", "Shares fall in New York market"),
        ("Australian prime minister resigns", "Kevin Rudd steps down as leader in Canberra"),
        ("Police arrest suspect in murder case", "Man detained over killing"),
        ("Plane crash kills dozens", "Jet goes down, passengers dead"),
        ("Wildfires force evacuations in California", "Residents flee bushfire near Los Angeles"),
        ("Manchester United win league title", "Football club takes championship"),
        ("Company cuts thousands of jobs", "Firm to lay off workers"),
        ("Israeli army attacks Gaza", "Military strikes Palestinian targets"),
    ],
    "clickbait": [
        ("17 Adorable Puppies That Will Make You Smile", "Cute Dogs To Brighten Your Day"),
        ("Which Harry Potter Character Are You", "Find Out Who You'd Be At Hogwarts"),
        ("21 Delicious Chocolate Desserts To Bake", "Yummy Brownie And Cookie Recipes"),
        ("Things Only People With Anxiety Understand", "What It's Like To Worry All The Time"),
        ("How Well Do You Know Beyoncé", "A Quiz For True Fans Of Queen Bey"),
        ("Kim Kardashian Looked Stunning", "The Gorgeous Dress Kanye West's Wife Wore"),
        ("Gift Ideas For Your Boyfriend This Christmas", "Holiday Presents To Buy Your Husband"),
        ("Hilarious Tweets About Being A Mom", "Funny Twitter Jokes Every Parent Gets"),
        ("Horror Movies To Watch On Halloween", "Scary Films For A Spooky Night"),
        ("Easy Hairstyles For Long Curls", "Simple Braids To Try On Your Hair"),
        ("What Your Zodiac Sign Says About Love", "Your Horoscope Reveals Who You Should Date"),
        ("Struggles Of Being A Short Girl", "Problems Tiny Women Know All Too Well"),
    ],
}
DOCSTRINGS = {
    "scipy.sparse": [
        ("number of nonzero entries", "count of stored elements"),
        ("solve a linear system", "find x such that the equations hold"),
        ("eigenvalues of a symmetric matrix", "spectrum of a Hermitian operator"),
        ("shortest path in a graph", "minimum distance from one node to another"),
        ("transpose the rows and columns", "reverse the axes"),
        ("a compressed row format", "csr"),
    ],
    "scipy.stats": [
        ("mean of the sample", "average of observations"),
        ("generate random numbers", "draw variates"),
        ("the null hypothesis is rejected", "evidence from a small p-value"),
        ("confidence interval of a parameter", "bounds around an estimate"),
        ("correlation between variables", "association of x with y"),
        ("density of a Gaussian", "pdf of the normal distribution"),
    ],
}


class Task(NamedTuple):
    """Documents of two classes, pairs that say the same, and how much to do with them."""

    texts: list[str]
    labels: np.ndarray
    test_texts: list[str]
    test_labels: np.ndarray
    pairs: dict[str, list[tuple[str, str]]]
    label_counts: list[int]  # how many documents have a label
    seeds: list[int]


def load_headlines(path):
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        headlines = [json.loads(line) for line in lines]
    texts = [one["text"] for one in headlines]
    labels = np.array([one["label"] for one in headlines])
    texts, test_texts, labels, test_labels = train_test_split(
        texts, labels, test_size=0.2, random_state=0, stratify=labels
    )
    counts = [50, 200, 1000, len(texts)]
    return Task(texts, labels, test_texts, test_labels, HEADLINES, counts, [1, 2, 3])


def load_small():
    parts = []
    for subset in ("train", "test"):
        loaded = load_docstrings(subset=subset)
        names = np.array(loaded.target_names)[loaded.target]
        (places,) = np.nonzero(np.isin(names, list(DOCSTRINGS)))
        parts += [[loaded.data[place] for place in places], names[places]]
    return Task(*parts, DOCSTRINGS, [20, 100, len(parts[0])], [1])


parser = argparse.ArgumentParser()
parser.add_argument("--data", default=os.environ.get("SKW2V_DATA", ""))
file = Path(parser.parse_args().data, "textclass", "clickbait.jsonl.xz")
task = load_headlines(file) if file.exists() else load_small()
print(f"{len(task.texts):,} texts to learn from, {len(task.test_texts):,} to test")
_, class_counts = np.unique(task.test_labels, return_counts=True)
print(f"the larger class has {class_counts.max() / class_counts.sum():.3f} of these")

# %%
# Four ways to a table
# --------------------
#
# - **labels alone**: a table from scratch, trained with its output layer on the labelled texts;
# - **word2vec, then LogisticRegression**: word2vec on all training texts, without their labels, and
#   a logistic regression on the means of its vectors, with them;
# - **word2vec, frozen table**: the same vectors in the table of an ``EmbeddingClassifier``, of
#   which only the output layer learns;
# - **word2vec, trained on**: a table that starts there and learns from the labels.
#
# Each has one setting, the same for any number of labels and not tuned to them; a few labels are
# gone through more often, for they are seen more seldom.

N_COMPONENTS = 100


def learn_words(seed):
    return Word2VecTransformer(n_components=N_COMPONENTS, random_state=seed).fit(task.texts)


def embedding_classifier(n_labels, seed, **start):
    return EmbeddingClassifier(
        n_components=N_COMPONENTS,
        learning_rate=0.3,
        max_iter=100 if n_labels <= 1000 else 20,
        random_state=seed,
        **start,
    )


def classifiers(word2vec, n_labels, seed):
    """The four, not fitted but for word2vec."""
    # All words that word2vec has, so that those without a labelled text are there for the test.
    start = {"init": word2vec, "vocabulary": word2vec.vocabulary_}
    make = embedding_classifier
    return {
        "labels alone": make(n_labels, seed),
        "word2vec, then LogisticRegression": word2vec,
        "word2vec, frozen table": make(n_labels, seed, **start, trainable="none"),
        "word2vec, trained on": make(n_labels, seed, **start, trainable="all"),
    }


def draw_labelled(n_labels, seed):
    everything = np.arange(len(task.texts))
    if n_labels == len(everything):
        return everything
    drawn, _ = train_test_split(
        everything, train_size=n_labels, random_state=seed, stratify=task.labels
    )
    return drawn


def accuracy(model, labelled):
    """On the test texts, with the labels of these training texts."""
    texts, labels = [task.texts[place] for place in labelled], task.labels[labelled]
    if isinstance(model, EmbeddingClassifier):
        return model.fit(texts, labels).score(task.test_texts, task.test_labels)
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    regression.fit(model.transform(texts), labels)
    return regression.score(model.transform(task.test_texts), task.test_labels)


# The last number of labels is all of them; the tables it leaves are those compared below.
accuracies, fitted = {}, []
for seed in task.seeds:
    word2vec = learn_words(seed)
    for n_labels in task.label_counts:
        models = classifiers(word2vec, n_labels, seed)
        for name, model in models.items():
            value = accuracy(model, draw_labelled(n_labels, seed))
            accuracies.setdefault((name, n_labels), []).append(value)
    fitted.append(models)

# %%
# With few labels, and with many
# ------------------------------
#
# Accuracy on the test texts, the mean over seeds, which draw the labelled texts too, and its
# standard deviation.


def spread(values):
    mean = f"{np.mean(values):.3f}"
    return f"{mean} ({np.std(values, ddof=1):.3f})" if len(values) > 1 else mean


print(f"\n{'labels':<34}" + "".join(f"{n:>15,}" for n in task.label_counts))
for name in fitted[0]:
    row = "".join(f"{spread(accuracies[name, n]):>15}" for n in task.label_counts)
    print(f"{name:<34}{row}")

# %%
# Which table knows what a sentence says
# --------------------------------------
#
# A sentence is the mean of its words' rows, and two sentences are as near as the cosine of theirs.
# The first of each pair is compared with the second, and with test texts of its class drawn at
# random. *nearer* is how often the second is nearer than those: 0.5 is chance (it is the area under
# the ROC curve of each pair, averaged). Its standard error is over pairs. The first row compares
# counts of words and has no table: what is gained by the small words that two sentences share.

N_OTHERS = 500


def sentences(vocabulary, table, texts):
    """Rows of length 1; of zeros for a sentence without a known word."""
    counts = CountVectorizer(vocabulary=vocabulary).transform(texts)
    return normalize(counts if table is None else counts @ table)


def table_of(model):
    is_classifier = isinstance(model, EmbeddingClassifier)
    return model.vocabulary_, model.embedding_vectors_ if is_classifier else model.input_vectors_


def cosines(vocabulary, table):
    """Of each pair, and of each pair's first with other texts of its class."""
    of_pairs, of_others = [], []
    draw = np.random.default_rng(0)
    for label, pairs in task.pairs.items():
        (places,) = np.nonzero(task.test_labels == label)
        drawn = draw.choice(places, min(N_OTHERS, len(places)), replace=False)
        others = [task.test_texts[place] for place in drawn]
        first, second, others = (
            sentences(vocabulary, table, texts) for texts in (*zip(*pairs, strict=True), others)
        )
        of_pairs.append(np.diag(toarray(first @ second.T)))
        of_others.append(toarray(first @ others.T))
    return np.concatenate(of_pairs), [row for rows in of_others for row in rows]


def toarray(matrix):
    return matrix.toarray() if hasattr(matrix, "toarray") else matrix


def compare(tables):
    """Mean cosine of pairs and of others, and how often the pair is nearer, with its error."""
    means, nearer = [], []
    for vocabulary, table in tables:
        of_pairs, of_others = cosines(vocabulary, table)
        means.append([of_pairs.mean(), np.mean([row.mean() for row in of_others])])
        nearer.append(
            [
                np.mean(pair > others) + np.mean(pair == others) / 2
                for pair, others in zip(of_pairs, of_others, strict=True)
            ]
        )
    of_each_pair = np.mean(nearer, axis=0)
    error = of_each_pair.std(ddof=1) / np.sqrt(len(of_each_pair))
    return *np.mean(means, axis=0), of_each_pair.mean(), error


words = fitted[0]["word2vec, then LogisticRegression"].vocabulary_
pairs = [pair for pairs in task.pairs.values() for pair in pairs]
found = [
    word in words
    for pair in pairs
    for text in pair
    for word in CountVectorizer().build_analyzer()(text)
]
print(f"\n{len(pairs)} pairs; word2vec knows {np.mean(found):.0%} of their words")
compared = {
    "counts of words": [(words, None)],
    "labels alone": [table_of(models["labels alone"]) for models in fitted],
    "word2vec": [table_of(models["word2vec, then LogisticRegression"]) for models in fitted],
    "word2vec, trained on": [table_of(models["word2vec, trained on"]) for models in fitted],
}
print(f"{'mean cosine':<22}{'same meaning':>14}{'same class':>14}{'nearer':>16}")
for name, tables in compared.items():
    same_meaning, same_class, nearer, error = compare(tables)
    shown = f"{nearer:.3f} ± {error:.3f}"
    print(f"{name:<22}{same_meaning:>14.3f}{same_class:>14.3f}{shown:>16}")

# %%
# Three sentences
# ---------------
#
# The first pair of the list and the first sentence of the second, all of one class, among test
# texts: the two leading components of each table's sentences.

(first, second), (third, _) = next(iter(task.pairs.values()))[:2]
three = [first, second, third]
shown = np.random.default_rng(0).permutation(len(task.test_texts))[:1500]
background = [task.test_texts[place] for place in shown]
panels = {
    "EmbeddingClassifier, from labels alone": "labels alone",
    "word2vec, without labels": "word2vec, then LogisticRegression",
}

beside = {1: (-4, 8), 2: (9, -5), 3: (-4, -19)}  # so that numbers of one place are apart
figure, axes = plt.subplots(1, 2, figsize=(10, 5.4), layout="constrained")
print(f"\n{'cosine in':<42}{'1 and 2':>10}{'1 and 3':>10}{'2 and 3':>10}")
for axis, (title, name) in zip(axes, panels.items(), strict=True):
    vocabulary, table = table_of(fitted[0][name])
    rows = sentences(vocabulary, table, background)
    plane = PCA(2).fit(rows)
    for class_name, color in zip(task.pairs, ("#0072b2", "#d55e00"), strict=True):
        of_class = task.test_labels[shown] == class_name
        x, y = plane.transform(rows[of_class]).T
        axis.scatter(x, y, s=6, color=color, alpha=0.25, linewidths=0, label=class_name)
    of_three = sentences(vocabulary, table, three)
    for number, (text, at) in enumerate(
        zip(three, plane.transform(of_three), strict=True), start=1
    ):
        marker = "*" if number < 3 else "s"
        axis.scatter(*at, s=130, color="black", marker=marker, label=f"{number}: {text}")
        axis.annotate(
            str(number), at, xytext=beside[number], textcoords="offset points", fontsize=13
        )
    axis.set(title=title, xticks=[], yticks=[])
    near = of_three @ of_three.T
    print(f"{title:<42}{near[0, 1]:>10.3f}{near[0, 2]:>10.3f}{near[1, 2]:>10.3f}")
legend = figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center")
for handle in legend.legend_handles[:2]:
    handle.set(alpha=1, sizes=[40])
for number, text in enumerate(three, start=1):
    print(f"  {number}: {text}")
plt.show()

# %%
# On the headlines
# ----------------
#
# Where the program above has run on docstrings, that is too little text and too few pairs. This is
# what it prints on the headlines, with ``--data``:
#
# .. code-block:: text
#
#    25,600 texts to learn from, 6,400 to test
#    the larger class has 0.500 of these
#
#    labels                                         50            200          1,000         25,600
#    labels alone                        0.796 (0.027)  0.876 (0.002)  0.926 (0.008)  0.969 (0.000)
#    word2vec, then LogisticRegression   0.952 (0.009)  0.961 (0.001)  0.956 (0.005)  0.973 (0.002)
#    word2vec, frozen table              0.954 (0.010)  0.961 (0.001)  0.957 (0.004)  0.973 (0.001)
#    word2vec, trained on                0.954 (0.008)  0.962 (0.001)  0.967 (0.003)  0.970 (0.000)
#
#    24 pairs; word2vec knows 97% of their words
#    mean cosine             same meaning    same class          nearer
#    counts of words                0.026         0.028   0.509 ± 0.041
#    labels alone                   0.917         0.786   0.431 ± 0.054
#    word2vec                       0.576         0.409   0.884 ± 0.042
#    word2vec, trained on           0.543         0.377   0.838 ± 0.050
#
#    cosine in                                    1 and 2   1 and 3   2 and 3
#    EmbeddingClassifier, from labels alone         1.000     1.000     1.000
#    word2vec, without labels                       0.657     0.280     0.323
#      1: Bomb blast kills soldiers in Baghdad
#      2: Explosion leaves troops dead in Iraq
#      3: Oil prices rise
#
# word2vec has the sentence of the same meaning nearer than 88 of 100 others of its class. For the
# table of labels alone that is a matter of chance: its sentences lie at two places, one for each
# class, and all three of the figure at one of them. (Its mean cosine is higher for pairs than for
# others because some of the others are taken for the other class.) Training on from word2vec on
# all labels keeps most of what the words meant.
#
# With 50 labels a table that starts from word2vec is right 16 points more often. With all of the
# 25,600 labels nothing is left of that: there the labels say enough themselves. In between, at
# 1,000, training the table on is a point better than leaving it as it is.
