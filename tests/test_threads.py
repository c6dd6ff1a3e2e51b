"""How many threads are used, and that nothing hangs where threads, forks and signals meet."""

import os
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import joblib
import pytest
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info, threadpool_limits

from skw2v import _kernels, _threads
from skw2v._threads import effective_n_threads

needs_openmp = pytest.mark.skipif(not _kernels.openmp_enabled(), reason="built without OpenMP")

SMALL_FIT = """
import hashlib, os, signal, sys, time
import numpy as np
from skw2v import Word2VecTransformer
from skw2v._threads import effective_n_threads

draw = np.random.RandomState(0)
documents = draw.randint(300, size=(1000, 20)).tolist()
documents = [[int(token) for token in document] for document in documents]

def fit(n_jobs):
    transformer = Word2VecTransformer(n_components=16, max_iter=1, random_state=0, n_jobs=n_jobs)
    return hashlib.sha256(transformer.fit_transform(documents).tobytes()).hexdigest()
"""


@pytest.fixture
def machine(monkeypatch):
    """Pretend to be another machine."""

    def pretend(openmp=True, openmp_threads=8, cores=8, forked=False):
        kernels = SimpleNamespace(
            openmp_enabled=lambda: openmp, max_threads=lambda: openmp_threads if openmp else 1
        )
        monkeypatch.setattr(_threads, "_kernels", kernels)
        monkeypatch.setattr(joblib, "cpu_count", lambda: cores)
        monkeypatch.setattr(_threads, "_forked", forked)

    return pretend


def test_n_jobs_counts_as_in_scikit_learn(machine):
    machine()
    wanted = {None: 8, -1: 8, -2: 7, -8: 1, -20: 1, 1: 1, 3: 3, 12: 12}
    assert {n_jobs: effective_n_threads(n_jobs) for n_jobs in wanted} == wanted
    with pytest.raises(ValueError, match=r"n_jobs is 0.*pass a positive int, None or -1"):
        effective_n_threads(0)


def test_the_lower_limit_holds(machine):
    machine(openmp_threads=2)
    assert [effective_n_threads(n_jobs) for n_jobs in (None, -2, 4)] == [2, 1, 4]
    machine(cores=3)
    assert [effective_n_threads(n_jobs) for n_jobs in (None, -2, 4)] == [3, 2, 4]


def test_one_thread_without_openmp_and_after_a_fork(machine):
    for traits in ({"openmp": False}, {"forked": True}):
        machine(**traits)
        assert [effective_n_threads(n_jobs) for n_jobs in (None, -1, 4)] == [1, 1, 1]


@needs_openmp
def test_threadpoolctl_limits_none_and_all():
    with threadpool_limits(1, user_api="openmp"):
        assert [effective_n_threads(n_jobs) for n_jobs in (None, -1, 2)] == [1, 1, 2]


@needs_openmp
def test_omp_num_threads_limits_none_and_all(run_python):
    printed = run_python(
        SMALL_FIT + "print([effective_n_threads(n_jobs) for n_jobs in (None, -1, 2)])",
        OMP_NUM_THREADS="1",
    )
    assert printed.strip() == "[1, 1, 2]"


@needs_openmp
@pytest.mark.parametrize("limit", [{"OMP_THREAD_LIMIT": "2"}, {"OMP_DYNAMIC": "true"}], ids=str)
def test_fewer_threads_than_asked_for_do_not_hang(run_python, limit):
    """OpenMP may give less than n_jobs; nobody may wait for threads that are not there."""
    printed = run_python(SMALL_FIT + "print(fit(4), fit(1))", timeout=30, **limit)
    assert len(set(printed.split())) == 1


def _fit_in_worker():
    namespace = {}
    exec(SMALL_FIT, namespace)
    return effective_n_threads(None), namespace["fit"](None)


def test_loky_workers_share_the_cores():
    in_parallel = joblib.Parallel(n_jobs=2, backend="loky")
    workers = in_parallel(joblib.delayed(_fit_in_worker)() for _ in range(2))
    n_threads, digest = _fit_in_worker()
    assert [digest for _, digest in workers] == [digest, digest]
    assert all(n <= max(1, n_threads // 2) for n, _ in workers)


class Recorder(BaseEstimator):
    """An estimator that records how many threads its fit would have used, and where."""

    def __init__(self, n_jobs=None):
        self.n_jobs = n_jobs

    def fit(self, X, y=None):
        self.n_threads_ = effective_n_threads(self.n_jobs)
        self.process_ = os.getpid()
        return self

    def record(self, X, y=None):
        return {"n_threads": self.n_threads_, "process": self.process_}


def search(n_workers, backend, n_jobs):
    """The threads that each fit of a search over these values of n_jobs would use, and where."""
    recorded = GridSearchCV(
        Recorder(),
        {"n_jobs": n_jobs},
        scoring=Recorder.record,
        cv=4,
        refit=False,
        n_jobs=n_workers,
        error_score="raise",
    )
    with joblib.parallel_config(backend):
        results = recorded.fit(range(8)).cv_results_

    def every(name):
        return [results[f"split{i}_test_{name}"].astype(int).tolist() for i in range(4)]

    return every("n_threads"), every("process")


@pytest.mark.parametrize("n_workers", [2, 4])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_search_and_its_estimators_use_no_more_threads_than_cores(
    monkeypatch, backend, n_workers
):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # joblib hands it on as it is
    n_threads, processes = search(n_workers, backend, [None, -1, -2])
    share = max(1, joblib.cpu_count() // n_workers)
    assert all(1 <= n <= share for of_fold in n_threads for n in of_fold)
    in_this_process = {process == os.getpid() for of_fold in processes for process in of_fold}
    assert in_this_process == {backend == "threading"}


def test_a_search_on_one_worker_leaves_every_thread_to_the_estimator():
    everything = effective_n_threads(None)
    for backend in "loky", "threading":
        assert search(1, backend, [None, -1])[0] == [[everything, everything]] * 4


@needs_openmp
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_positive_n_jobs_holds_in_a_search_too(backend):
    assert search(2, backend, [1, 3])[0] == [[1, 3]] * 4


def test_a_worker_thread_of_joblib_uses_one_thread(machine):
    machine()
    in_parallel = joblib.Parallel(n_jobs=2, backend="threading")
    n_jobs = [None, -1, -2, 4]
    workers = in_parallel(joblib.delayed(effective_n_threads)(n) for n in n_jobs)
    assert workers == [1, 1, 1, 4]


def test_threads_that_are_not_joblibs_may_use_all(machine):
    """Such as a server's or a notebook's."""
    machine()
    with ThreadPoolExecutor(1) as executor:
        assert executor.submit(effective_n_threads, None).result() == 8


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_a_pool_use_one_thread_however_they_start(run_python, tmp_path, method):
    """They are not told how many to use; only forked ones have `_forked` to know it from."""
    script = tmp_path / "script.py"
    script.write_text(
        """
import multiprocessing
import sys
import joblib
from skw2v._threads import effective_n_threads

if __name__ == "__main__":
    if sys.argv[1] in multiprocessing.get_all_start_methods():
        in_parallel = joblib.Parallel(n_jobs=2, backend="multiprocessing")
        print(in_parallel(joblib.delayed(effective_n_threads)(None) for _ in range(2)))
    else:
        print([1, 1])
"""
    )
    printed = run_python(script, method, JOBLIB_START_METHOD=method)
    assert printed.strip() == "[1, 1]"


@needs_openmp
def test_inner_max_num_threads_holds():
    with joblib.parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
        limits = joblib.Parallel()(joblib.delayed(effective_n_threads)(None) for _ in range(2))
    assert limits == [1, 1]


@pytest.mark.parametrize("parent_fits", [True, False])
def test_a_forked_child_does_not_hang(run_python, parent_fits):
    printed = run_python(
        SMALL_FIT
        + f"""
if not hasattr(os, "fork"):
    print("no fork no fork")
    sys.exit()
in_parent = fit(2) if {parent_fits} else None
read, write = os.pipe()
child = os.fork()
if not child:
    os.write(write, "".join({{fit(None), fit(2)}}).encode())
    os._exit(0)
os.waitpid(child, 0)
in_child = os.read(read, 1000).decode()
after = fit(2)
print(in_child == after and (in_parent or after) == after)
""",
        timeout=30,
    )
    assert printed.split()[0] in ("True", "no")


def test_a_pool_of_forked_processes_does_not_hang(run_python):
    printed = run_python(
        SMALL_FIT
        + """
import multiprocessing
if "fork" in multiprocessing.get_all_start_methods():
    expected = fit(2)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        print(set(pool.map(fit, [None, 2, -1])) == {expected})
else:
    print(True)
""",
        timeout=30,
    )
    assert printed.strip() == "True"


def test_threads_of_python_may_fit_at_once():
    in_parallel = joblib.Parallel(n_jobs=3, backend="threading")
    digests = in_parallel(joblib.delayed(_fit_in_worker)() for _ in range(3))
    assert len({digest for _, digest in digests}) == 1


@pytest.mark.parametrize(
    ("architecture", "loss"),
    [
        ("skipgram", "negative_sampling"),
        ("cbow", "negative_sampling"),
        ("skipgram", "softmax"),
        ("cbow", "hierarchical_softmax"),
    ],
)
def test_ctrl_c_is_heard_within_a_second_and_leaves_the_estimator_as_it_was(
    run_python, architecture, loss
):
    printed = run_python(
        SMALL_FIT
        + f"""
import threading
signal.signal(signal.SIGINT, signal.default_int_handler)
transformer = Word2VecTransformer(max_iter=1, random_state=0).fit(documents)
before = {{name: value for name, value in vars(transformer).items() if name.endswith("_")}}
features = transformer.transform(documents)
# Rounds as slow as they get: wide windows, much noise, long vectors.
transformer.set_params(
    architecture="{architecture}", loss="{loss}", max_iter=10**6, n_components=500, window=50,
    n_negatives=20
)
sent = []

def interrupt():
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)

threading.Timer(0.7, interrupt).start()
try:
    transformer.fit(documents)
except KeyboardInterrupt:
    print(time.monotonic() - sent[0])
after = {{name: value for name, value in vars(transformer).items() if name.endswith("_")}}
assert after.keys() == before.keys()
assert all(after[name] is before[name] for name in before)
assert (transformer.transform(documents) == features).all()
""",
        timeout=60,
    )
    assert float(printed) < 1


def blas_threads():
    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


@pytest.mark.skipif(not blas_threads(), reason="threadpoolctl does not know this BLAS")
@pytest.mark.parametrize("context", [_threads.one_blas_thread, _threads.one_thread_for_products])
def test_products_on_one_thread(context):
    for _ in range(2):
        with threadpool_limits(2, user_api="blas"):
            assert set(blas_threads()) == {2}
            with context():
                assert 1 in blas_threads()
            assert set(blas_threads()) == {2}
