"""One string for everything a fit produces, the same in this process and in a fresh one."""

import hashlib
import json
import sys
from itertools import islice
from pathlib import Path

from skw2v import EmbeddingClassifier, Word2VecTransformer, _kernels


def fingerprint(documents, n_documents=None, **parameters):
    """Hash of all that `fit`, `transform` and `score` compute from documents.

    They are a re-readable container, of which the first n_documents are taken.
    """
    if n_documents is not None:
        documents = list(islice(documents, n_documents))
    estimator = Word2VecTransformer(
        **{
            "min_count": 1,
            "max_iter": 2,
            "window": 5,
            "learning_rate": 0.025,
            "random_state": 3,
            "embedding": "concat",
        }
        | parameters
    )
    fitted = estimator.fit(documents)
    digest = hashlib.sha256(json.dumps(list(fitted.vocabulary_)).encode())
    for values in (
        fitted.word_counts_,
        fitted.input_vectors_,
        fitted.output_vectors_,
        fitted.output_bias_,
        fitted.loss_curve_,
        fitted.transform(documents),
    ):
        digest.update(values.tobytes())
    digest.update(fitted.score(list(islice(documents, 100))).hex().encode())
    return digest.hexdigest()


def classifier_fingerprint(documents, n_documents=None, **parameters):
    """The same of a classifier that tells ten classes, those of documents in turn."""
    documents = list(islice(documents, n_documents))
    model = EmbeddingClassifier(**{"max_iter": 2, "random_state": 3} | parameters)
    model.fit(documents, [i % 10 for i in range(len(documents))])
    digest = hashlib.sha256(json.dumps(list(model.vocabulary_)).encode())
    for values in (
        model.embedding_vectors_,
        model.ngram_vectors_,
        model.class_vectors_,
        model.intercept_,
        model.loss_curve_,
        model.decision_function(documents),
    ):
        digest.update(values.tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    path, cases = sys.argv[1:]
    documents = json.loads(Path(path).read_text(encoding="utf-8"))
    kinds = {"transformer": fingerprint, "classifier": classifier_fingerprint}
    fingerprints = [kinds[kind](documents, **case) for kind, case in json.loads(cases)]
    print(json.dumps({"isa": _kernels.isa(), "fingerprints": fingerprints}))
