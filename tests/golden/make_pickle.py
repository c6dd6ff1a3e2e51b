"""Store a fitted transformer as the installed version pickles it: ``python make_pickle.py``.

Writes transformer_<state>.pickle and, beside it, the features that it gives; test_persistence.py
loads every such file. Run it once for each revision of the pickled state, with the code that writes
it, and keep the files.
"""

import json
import pickle
import sys
from pathlib import Path

from skw2v import Word2VecTransformer

DOCUMENTS = ["the cat sat on the mat", "the dog sat on the cat", "a dog and a cat"] * 20


def main(revision):
    model = Word2VecTransformer(
        n_components=4,
        min_count=2,
        loss="nce",
        random_state=0,
        max_iter=2,
        pooling=["mean", "tfidf", "sif", "scdv"],  # revisions 0 to 2 know "mean" alone
        n_clusters=2,
    )
    features = model.fit_transform(DOCUMENTS)[:3].toarray().tolist()
    folder = Path(__file__).parent
    (folder / f"transformer_{revision}.pickle").write_bytes(pickle.dumps(model, protocol=4))
    expected = {"documents": DOCUMENTS[:3], "features": features, "score": model.score(DOCUMENTS)}
    (folder / f"transformer_{revision}.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
