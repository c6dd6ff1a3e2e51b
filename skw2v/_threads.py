"""How many threads a parallel region may use: the one place that decides it.

The result never depends on the answer (see `skw2v._training`), only the time does.
"""

import multiprocessing
import os
import threading
from functools import cache

import joblib
from joblib.parallel import get_active_backend
from threadpoolctl import ThreadpoolController, threadpool_limits

from skw2v import _kernels

_forked = False


def _remember_fork():
    global _forked
    _forked = True


# libgomp's threads do not survive fork(), but its bookkeeping does: the first parallel region of a
# child waits for them for ever if any ran in the parent, ours or another library's on the same
# runtime. Whether one ran cannot be asked, so a forked child always works on one thread.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_remember_fork)


def effective_n_threads(n_jobs):
    """Translate `n_jobs` into a number of threads.

    Parameters
    ----------
    n_jobs : int or None
        None and -1 mean every thread that may be used here, -2 all but one of them and so on; a
        positive number means itself.

    Returns
    -------
    n_threads : int
        At least 1. Always 1 where skw2v was built without OpenMP, and in a process that was
        forked after skw2v had been imported: an OpenMP runtime does not survive a fork.

    Raises
    ------
    ValueError
        If `n_jobs` is 0.

    Notes
    -----
    "Every thread that may be used" is the smaller of OpenMP's own limit, which follows
    OMP_NUM_THREADS, threadpoolctl and joblib's `inner_max_num_threads`, and the cores that this
    process may use, which follows CPU affinity and the quota of a container.

    So a search and its estimators together use no more threads than there are cores, as long as the
    search has no more workers than that. joblib gives each of its default backend's n workers an
    OMP_NUM_THREADS of 1/n of the cores, unless the variable is set already: then every worker gets
    as many as it says. Workers of the backends "threading" and "multiprocessing" have no such limit
    and cannot learn how many they are: one thread each, unless `n_jobs` is positive. Threads that
    are not joblib's are not noticed.

    Examples
    --------
    >>> from skw2v._threads import effective_n_threads
    >>> effective_n_threads(1)
    1
    """
    if n_jobs == 0:
        raise ValueError(
            "n_jobs is 0, which is no number of threads; pass a positive int, None or -1 for every "
            "thread, or -2 for all but one."
        )
    if _forked or not _kernels.openmp_enabled():
        return 1
    if n_jobs is not None and n_jobs > 0:
        return int(n_jobs)
    if _beside_unlimited_workers():
        return 1
    available = min(_kernels.max_threads(), joblib.cpu_count())
    return max(1, available + 1 + (-1 if n_jobs is None else int(n_jobs)))


def one_blas_thread():
    """A context in which BLAS and scikit-learn work on one thread, in the whole process.

    What they add up depends on how many threads they have. The result of our own kernels never
    does, and they go on with as many as they are told.
    """
    return threadpool_limits(1)


def one_thread_for_products():
    """A context in which NumPy's products work on one thread, entered in microseconds.

    `one_blas_thread` takes 3 ms to look for the libraries of the process. NumPy's own is there from
    its import on, so once is enough for it; not for what scikit-learn and SciPy load later.
    """
    return _libraries().limit(limits=1)


@cache
def _libraries():
    return ThreadpoolController()


def _beside_unlimited_workers():
    """Is this a worker of joblib that joblib has not told how many threads it may use?

    What a worker can see of the `Parallel` that started it is its depth, in the backend that nested
    calls would use. Workers of "loky", which are told, run in the main thread of their process; a
    pool's run in other threads ("threading") or in daemonic processes ("multiprocessing").
    """
    backend, _ = get_active_backend()
    in_pool = (
        threading.current_thread() is not threading.main_thread()
        or multiprocessing.current_process().daemon
    )
    return bool(backend.nesting_level) and in_pool
