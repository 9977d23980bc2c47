"""Some rows of an array, in an order of their own, read only when they are asked for."""

import numpy as np


class Rows:
    """What ``array[order]`` would be, without the copy: a training set may be larger than memory.

    array: (N, ...), usually a memory map; order: (M,) whole numbers.  ``rows[i]`` with numbers or a slice is an array.
    """

    def __init__(self, array: np.ndarray, order: np.ndarray) -> None:
        self.array, self.order = array, np.asarray(order)
        self.shape, self.dtype = (len(self.order), *array.shape[1:]), array.dtype

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index) -> np.ndarray:
        return self.array[self.order[index]]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self.array[self.order], dtype)
