"""
Thai has no spaces between words: give Word2VecTransformer a tokenizer
======================================================================

.. code-block:: console

    pip install skw2v[examples]
    python examples/thai_without_spaces.py [FOLDER]

The regular expression that finds English words cuts Thai at its vowel signs and keeps whole phrases
together. A word segmenter is a function from a string to a list of words, and that is what
`tokenizer=` takes: here "newmm" of PyThaiNLP, which looks words up in a dictionary.

FOLDER, or else SKW2V_DATA, may name a folder with textclass/th_wisesight.jsonl.xz, 26,737 messages
from social media with their sentiment (https://github.com/PyThaiNLP/wisesight-sentiment; an object
with "text" and "label" on each line). Without it a few sentences of our own show the way; they are
too few to learn from.
"""

import json
import lzma
import os
import sys
from pathlib import Path

from pythainlp.tokenize import word_tokenize
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skw2v import Word2VecTransformer

SENTENCES = {
    "pos": [
        "อาหารร้านนี้อร่อยมาก",
        "ก๋วยเตี๋ยวอร่อยมากและราคาถูก",
        "ร้านนี้บริการดีมาก",
        "พนักงานพูดจาดีและบริการดี",
        "กาแฟหอมอร่อยราคาถูก",
        "ชอบร้านนี้มากอาหารอร่อย",
        "ห้องพักสะอาดและพนักงานดีมาก",
        "ชอบกาแฟร้านนี้มาก",
    ],
    "neg": [
        "อาหารร้านนี้ไม่อร่อยเลย",
        "ก๋วยเตี๋ยวไม่อร่อยและราคาแพง",
        "ร้านนี้บริการแย่มาก",
        "พนักงานพูดจาไม่ดีและบริการแย่",
        "กาแฟไม่หอมราคาแพง",
        "ไม่ชอบร้านนี้เลยอาหารแพง",
        "ห้องพักไม่สะอาดและพนักงานแย่มาก",
        "ไม่ชอบกาแฟร้านนี้เลย",
    ],
}


def segment(text):
    """The words of a Thai text; spaces between phrases are no words."""
    return word_tokenize(text, engine="newmm", keep_whitespace=False)


def load_messages():
    """Texts, labels, and how often a word must occur to be learned."""
    folder = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SKW2V_DATA")
    path = Path(folder or "", "textclass", "th_wisesight.jsonl.xz")
    if len(sys.argv) > 1 and not path.exists():
        raise SystemExit(f"there is no {path}")
    if not path.exists():
        pairs = [(text, label) for label, texts in SENTENCES.items() for text in texts]
        return *zip(*pairs, strict=True), 1
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        messages = [json.loads(line) for line in lines]
    return [one["text"] for one in messages], [one["label"] for one in messages], 2


def main():
    texts, labels, min_count = load_messages()
    train_texts, test_texts, train_labels, test_labels = train_test_split(
        texts, labels, test_size=0.25, random_state=0, stratify=labels
    )
    print(f"{len(train_texts):,} messages to learn from, {len(test_texts):,} to test")
    regular_expression = CountVectorizer().build_analyzer()
    print("by token_pattern: " + " | ".join(regular_expression(SENTENCES["pos"][0])))
    print("by PyThaiNLP:     " + " | ".join(segment(SENTENCES["pos"][0])))

    majority = DummyClassifier().fit(train_texts, train_labels)
    print(
        f"{'accuracy of the most frequent class':<40} {majority.score(test_texts, test_labels):.3f}"
    )

    tokenizers = {
        "words found by token_pattern": {},
        "words found by PyThaiNLP": {"tokenizer": segment, "token_pattern": None},
    }
    for name, parameters in tokenizers.items():
        vectors = Word2VecTransformer(
            **parameters,
            min_count=min_count,
            window=10,
            max_iter=20,
            learning_rate=0.05,
            embedding="concat",
            random_state=0,
        )
        classifier = make_pipeline(
            vectors, StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)
        )
        classifier.fit(train_texts, train_labels)
        print(f"{'accuracy by ' + name:<40} {classifier.score(test_texts, test_labels):.3f}")

    words = vectors.word_vectors()
    for word in ("อร่อย", "แพง", "กาแฟ"):  # tasty, expensive, coffee
        if word not in words:
            continue
        neighbours = ", ".join(other for other, _ in words.most_similar(word, topn=5))
        print(f"near {word}: {neighbours}")


if __name__ == "__main__":
    main()
