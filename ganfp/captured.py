"""Work that is the same in every step: run as it is on a CPU, captured once as a CUDA graph and replayed on a GPU.

A step is about a thousand small kernels, and a GPU does them faster than Python can ask for them: replayed, the step
of ProGAN at 32 px takes an eighth of the time.  What changes from step to step comes in :class:`Rows`.
"""

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

WARM_UP = 2  # steps before the capture: libraries and optimisers make what they keep
STEPS = 32  # that are drawn and sent together
BYTES = 2**26  # but no more than these, or a single step's
STEPS_BETWEEN_CHECKS = 250  # of losses for being finite, at most
_one_at_a_time = threading.Lock()  # a capture must not see another one begin


def resident(array: np.ndarray, device: torch.device) -> Tensor:
    """An array on the device, where nobody writes to it; on a CPU the very array, which may be a file."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(np.asarray(array)).to(device)


class Captured:
    """A function whose work is the same each time, of tensors that stay where they are.

    It runs as it is on a CPU, always if ``eager``, and in the first :data:`WARM_UP` calls, which count like the others.
    On a GPU it has a stream of its own, in order with the current one before and after it.
    """

    def __init__(self, body: Callable[[], None], device: torch.device, eager: bool = False) -> None:
        self._body, self._eager = body, eager or device.type != "cuda"
        self._stream = None if self._eager else torch.cuda.Stream(device)
        self._calls, self._graph = 0, None

    def __call__(self) -> None:
        try:
            if self._stream is None:
                self._body()
            else:
                current = torch.cuda.current_stream(self._stream.device)
                self._stream.wait_stream(current)
                with torch.cuda.stream(self._stream):
                    self._captured()
                current.wait_stream(self._stream)
        except torch.OutOfMemoryError as error:
            error.add_note("the GPU has no room for this beside what it holds: fewer --jobs, or a smaller batch")
            raise

    def _captured(self) -> None:
        if self._graph is None and self._calls >= WARM_UP:
            self._capture()
        self._calls += 1
        if self._graph is None:
            self._body()
        else:
            self._graph.replay()

    def _capture(self) -> None:
        with _one_at_a_time:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                self._body()
            self._graph = graph


class Rows:
    """What each of the next steps takes from the CPU, drawn and sent together; a step reads its row where it is.

    A row is tensors by name, of the same types and shapes in each; those of eight bytes an entry come first.
    """

    def __init__(self, device: torch.device) -> None:
        self.device, self.left = device, 0  # rows not yet read
        self._place = torch.zeros(1, dtype=torch.int64, device=device)
        self._sent: torch.cuda.Event | None = None

    def begin(self, like: Mapping[str, Tensor]) -> None:
        """Forget what is there; rows are like this one from now on."""
        self._like = {name: (tensor.dtype, tensor.shape) for name, tensor in like.items()}
        self._words = [tensor.numel() * tensor.element_size() // 4 for tensor in like.values()]
        self.capacity = max(1, min(STEPS, BYTES // (4 * sum(self._words))))
        self._rows = torch.empty(self.capacity, sum(self._words), device=self.device)
        self.left = 0

    def fill(self, rows: Sequence[Mapping[str, Tensor]]) -> None:
        """Replace what has been read; waits for a GPU that is more than these rows behind."""
        packed = torch.stack([torch.cat([x.reshape(-1).view(torch.float32) for x in row.values()]) for row in rows])
        if self.device.type == "cuda":
            if self._sent is not None:
                self._sent.synchronize()
            packed, self._sent = packed.pin_memory(), torch.cuda.Event()
        self._rows[: len(rows)].copy_(packed, non_blocking=True)
        self._place.zero_()
        if self._sent is not None:
            self._sent.record()
        self.left = len(rows)

    def read(self) -> dict[str, Tensor]:
        """The tensors of the next row, a part of the captured work."""
        row = self._rows.index_select(0, self._place)[0]
        self._place.add_(1)
        parts = zip(self._like.items(), row.split(self._words), strict=True)
        return {name: part.view(dtype).view(shape) for (name, (dtype, shape)), part in parts}


class Losses:
    """Losses of several steps, added up where they are computed and read seldom: to read them is to wait for a GPU."""

    def __init__(self, device: torch.device) -> None:
        self.names: list[str] = []
        self.totals = torch.zeros(0, device=device)
        self.steps = 0  # added up

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Add those of a step, each (), a part of the captured work; the caller counts the step."""
        if not self.names:
            self.names, self.totals = list(losses), torch.zeros(len(losses), device=self.totals.device)
        self.totals.add_(torch.stack([loss.detach() for loss in losses.values()]))

    def means(self) -> dict[str, float]:
        """The mean of each."""
        return {name: total / self.steps for name, total in zip(self.names, self.totals.tolist(), strict=True)}

    def clear(self) -> None:
        self.totals.zero_()
        self.steps = 0
