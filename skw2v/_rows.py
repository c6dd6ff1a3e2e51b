"""Matrices as the kernels take them: rows aligned and padded."""

import numpy as np

BLOCK = 16  # rows are padded to 64 bytes


class Rows:
    """A float32 matrix with rows aligned and padded to 64 bytes, that compacts in place."""

    def __init__(self, n_rows, n_columns):
        self.n_rows = n_rows
        self.stride = -(-n_columns // BLOCK) * BLOCK
        self._memory = np.empty(n_rows * self.stride + BLOCK, dtype=np.float32)
        start = -(self._memory.ctypes.data // 4) % BLOCK
        self.padded = self._memory[start : start + n_rows * self.stride].reshape(
            n_rows, self.stride
        )

    def compacted(self, n_columns, rows_at_once=4096):
        """The first columns of the matrix, C-contiguous, in the same memory."""
        memory, padded = self._memory, self.padded
        self._memory = self.padded = None
        for first in range(0, self.n_rows, rows_at_once):
            block = padded[first : first + rows_at_once, :n_columns]
            begin = first * n_columns
            memory[begin : begin + block.size] = block.ravel()
            del block
        del padded
        memory.resize(self.n_rows * n_columns, refcheck=False)
        return memory.reshape(self.n_rows, n_columns)
