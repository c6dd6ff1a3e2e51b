"""How much memory a process holds, and held at most: Linux only, from /proc."""

import ctypes
import gc
from pathlib import Path

STATUS = Path("/proc/self/status")


def release_free_memory() -> None:
    """Give freed memory back to the system, so that its reuse shows up as growth."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc
    if trim is not None:
        trim(0)


def reset_peak() -> int:
    """Set the peak back to the present resident size, and return that, in bytes."""
    release_free_memory()
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def memory(field: str) -> int:
    for line in STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"{STATUS} has no {field}")
