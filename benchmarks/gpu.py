"""``python -m benchmarks.gpu``: what must hold on a GPU, and how fast it is there, in at most six minutes.

Each part stands alone: what fails in one is recorded, and the others go on.  Writes a report, prints a table; ends with
0 if all is well, 1 if anything failed, 2 without a device.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import steps
from ganfp.attributors.cnn import CNN
from ganfp.attributors.visnet import VisNet
from ganfp.gans import GANS, OTHERS, config_from, gan_class
from ganfp.gans.base import PRECISIONS
from ganfp.gans.loop import Loop, Seeds
from ganfp.gans.training import HISTORY, Training, largest_difference, load_generator, sample, train
from ganfp.machine import cores
from ganfp.seeding import deterministic
from ganfp.worlds import faces

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 350.0  # of all parts together; what would not end by then is left out
TAKES = {"progan 64 px, a minute": 100.0, "tests": 100.0, "progan 32 px eight": 60.0}  # seconds at most
ANY = 30.0  # of the other parts
STEPS, MEASURED = 50, 2.0  # steps of a comparison, seconds of a measurement
SIDE_BY_SIDE = 8
TESTS = "training gans captured cnn visnet attributors_base attacks prnu content knn".split()
SMALL = dict(resolution=32, latent=64, fmap_base=512, fmap_max=64)  # 64, 64, 32, 16 feature maps
GROWTH = dict(phase_images=512, batch=64, batch_base=512)
BLOCKS = dict(fmap_base=512, fmap_max=128, batch=32, learning_rate=0.005)
GOALS = {"progan 32 px alone": 15_000, "progan 32 px eight": 40_000, "cnn 32 px": 200_000}  # images/s, one H100 or H200
TOLERANCE = 1e-3  # of weights, after STEPS steps of the same numbers in another order


def gan(name: str, **more):
    """A configuration that grows through all its resolutions within the steps of a comparison."""
    own = {"progan": GROWTH, "ddpm": {"rise": 64, "ema_from": 320}}.get(name, {})
    known = {field.name for field in fields(gan_class(name).Config)}
    sizes = {key: value for key, value in SMALL.items() if key in known}
    return config_from(name, {**sizes, **own, "total_images": 10**6, **more})


def noise(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 3, side, side), dtype=np.uint8)


# ---------------------------------------------------------------- parts; each returns what is reported


def machine(device: str) -> dict[str, Any]:
    """The card, its largest matrix products and its copies."""
    card = torch.cuda.get_device_properties(device)
    found = {"name": card.name, "bytes": card.total_memory, "torch": torch.__version__, "cuda": torch.version.cuda}
    side = torch.empty(8192, 8192, device=device)
    for precision in ("float32", "tf32", "bfloat16"):
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        x = side.bfloat16() if precision == "bfloat16" else side
        found[f"{precision} FLOP/s"] = 2 * 8192**3 / steps.duration(lambda x=x: x @ x, device, 0.5)
    torch.backends.cuda.matmul.allow_tf32 = False
    many = torch.empty(2**30, dtype=torch.uint8, device=device)
    found["bytes/s"] = 2 * many.numel() / steps.duration(many.clone, device, 0.5)
    return found


def device_tests(device: str) -> dict[str, Any]:
    """The tests that need a device, in a process of their own."""
    files = [str(path) for name in TESTS if (path := ROOT / "tests" / f"test_{name}.py").is_file()]
    command = [sys.executable, "-m", "pytest", "-q", "-k", "cuda or gpu", "--continue-on-collection-errors", *files]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TAKES["tests"] - 5)
    lines = ended.stdout.splitlines()
    return {"failed": ended.returncode not in (0, 5), "summary": lines[-1:], "output": lines[-40:]}


def gan_twins(name: str, precision: str, device: str) -> dict[str, Any]:
    """The first steps of a GAN, or of the diffusion model, captured, captured once more, and asked for one by one."""

    kind = getattr(gan_class(name), "Training", Training)

    def trained(eager: bool) -> tuple[Loop, list[float]]:
        one = kind(name, gan(name, precision=precision), Seeds.all(1), noise(640, 32), device, eager)
        for _ in range(STEPS):
            one.step()
        one.flush()
        return one, [value for row in one.rows for value in row.values()]

    with deterministic():
        (captured, losses), (again, _), (eager, wanted) = (trained(how) for how in (False, False, True))
    networks = (getattr(one, one.trained[0]) for one in (captured, again, eager))
    found = twins(*networks, losses, wanted)
    return found | {"resolution": eager.resolution}


def network_twins(kind: type, device: str, **settings) -> dict[str, Any]:
    """The same of an attributor."""
    images, names = noise(640, 32), np.array(["a", "b", "c", "d"] * 160)

    def fitted(eager: bool):
        one = kind(**BLOCKS, images=STEPS * BLOCKS["batch"], checks=2, device=device, **settings)
        one.eager = eager
        one.fit(images, names)
        return one, [value for row in one.history_ for value in row.values()]

    (captured, losses), (again, _), (eager, wanted) = (fitted(how) for how in (False, False, True))
    return twins(captured.network_, again.network_, eager.network_, losses, wanted)


def twins(captured, again, eager, losses: list[float], wanted: list[float]) -> dict[str, Any]:
    apart, repeated = largest_difference(captured, eager), largest_difference(captured, again)
    loss = float(np.abs(np.subtract(losses, wanted)).max())
    return {"weights": apart, "losses": loss, "again": repeated, "failed": not apart <= TOLERANCE or repeated > 0}


def gan_speed(name: str, precision: str, device: str) -> dict[str, Any]:
    """Images per second of a GAN's step at 32 px, captured and eager, and what of the card that is."""
    config = gan(name, precision=precision)
    images = steps.stable_stage(config, 32).batch * config.critic_steps
    with deterministic():
        return speed(lambda eager: steps.gan_step(name, config, 32, device, eager), images, precision, device)


def network_speed(device: str, **settings) -> dict[str, Any]:
    """The same of our network, in the batches that pay on a GPU."""
    values = {**BLOCKS, "batch": 256, **settings}
    with deterministic():
        return speed(lambda eager: steps.attribution_step(32, 6, values, device, eager), 256, "float32", device)


def speed(made: Callable[[bool], Callable[[], None]], images: int, precision: str, device: str) -> dict[str, Any]:
    captured = made(False)
    taken = per_step(captured, device)
    del captured
    eager = made(True)
    slow = per_step(eager, device)
    peak = steps.peak(device, precision)
    return {
        "images/s": images / taken, "eager images/s": images / slow, "times": slow / taken,
        "of matrix peak": steps.operations(eager) / taken / peak,
        "of bandwidth": steps.traffic(eager) / taken / copies(device),
        "kernels": steps.kernels(eager), "peak bytes": torch.cuda.max_memory_allocated(device),
    }  # fmt: skip


def per_step(step: Callable[[], None], device: str) -> float:
    """Mean seconds of a step that is not waited for."""
    for _ in range(steps.WARM_UP + 40):
        step()
    torch.cuda.synchronize(device)
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < MEASURED:
        for _ in range(20):
            step()
        count += 20
    torch.cuda.synchronize(device)
    return (time.perf_counter() - started) / count


def copies(device: str) -> float:
    many = torch.empty(2**28, dtype=torch.uint8, device=device)
    return 2 * many.numel() / steps.duration(many.clone, device, 0.1)


def side_by_side(device: str) -> dict[str, Any]:
    """Trainings of ProGAN at 32 px in threads of one process, a stream each."""
    config, counts, errors = gan("progan"), [0] * SIDE_BY_SIDE, []
    ready, ended = threading.Barrier(SIDE_BY_SIDE + 1), threading.Event()

    def work(i: int) -> None:
        try:
            with torch.cuda.device(device), torch.cuda.stream(torch.cuda.Stream(device)):
                step = steps.gan_step("progan", config, 32, device)
                for _ in range(40):
                    step()
                torch.cuda.current_stream().synchronize()
                ready.wait(40)
                while not ended.is_set():
                    for _ in range(10):
                        step()
                    torch.cuda.current_stream().synchronize()
                    counts[i] += 10
        except Exception:
            errors.append(traceback.format_exc())
            ready.abort()

    with deterministic():
        workers = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(SIDE_BY_SIDE)]
        for worker in workers:
            worker.start()
        try:
            ready.wait(40)
            before, started = sum(counts), time.perf_counter()
            time.sleep(8)
            rate = (sum(counts) - before) / (time.perf_counter() - started)
        except threading.BrokenBarrierError:
            rate = 0.0
        ended.set()
        for worker in workers:
            worker.join(5)
    batch = steps.stable_stage(config, 32).batch
    return {"images/s": rate * batch, "trainings": SIDE_BY_SIDE, "failed": bool(errors), "errors": errors[:1]}


def one_minute(device: str, drawn) -> dict[str, Any]:
    """A ProGAN at 64 px, trained on drawn faces for a minute, resumed once, sampled on the CPU."""
    images = np.concatenate([part.result(timeout=25) for part in drawn])
    sizes = dict(resolution=64, latent=128, fmap_base=2048, fmap_max=128, phase_images=40_000, total_images=10**7)
    config = config_from("progan", {**sizes, "batch": 64, "batch_base": 512, "learning_rate": 0.002})
    with tempfile.TemporaryDirectory() as folder:
        for resume in (False, True):
            train("progan", config, Seeds.all(1), images, Path(folder), device=device, budget=30.0, resume=resume)
        history = json.loads((Path(folder) / HISTORY).read_text("utf-8"))
        _, meta = load_generator(Path(folder), "cpu")
        samples = sample(Path(folder), 16, 0, "cpu")
    last = history["rows"][-1] if history["rows"] else {}
    return {
        "images": history["seen"], "images/s": history["seen"] / history["seconds"], "resolution": meta["resolution"],
        "last": last, "deviation": float(samples.std()), "failed": samples.std() < 5, "drawn": len(images),
    }  # fmt: skip


def parts(device: str, drawn) -> dict[str, Callable[[], dict[str, Any]]]:
    """What is reported, by name, the most telling first."""
    found: dict[str, Callable[[], dict[str, Any]]] = {"machine": lambda: machine(device)}
    for name in (*GANS, *OTHERS):
        found[f"twins {name} float32"] = lambda name=name: gan_twins(name, "float32", device)
    found["twins cnn adam"] = lambda: network_twins(CNN, device)
    found["twins cnn muon"] = lambda: network_twins(CNN, device, optimiser="muon", boost=3.0)
    found["twins cnn patches"] = lambda: network_twins(CNN, device, pool_at=8, band="high")
    found["twins visnet"] = lambda: network_twins(VisNet, device)
    found["progan 32 px alone"] = lambda: gan_speed("progan", "float32", device)
    found["progan 32 px eight"] = lambda: side_by_side(device)
    found["cnn 32 px"] = lambda: network_speed(device)
    found["progan 64 px, a minute"] = lambda: one_minute(device, drawn)
    found["tests"] = lambda: device_tests(device)
    for name in GANS:
        found[f"twins {name} bfloat16"] = lambda name=name: gan_twins(name, "bfloat16", device)
    for name in GANS:
        for precision in PRECISIONS[name == "progan" :]:
            found[f"{name} 32 px {precision}"] = lambda n=name, p=precision: gan_speed(n, p, device)
    return found


# ---------------------------------------------------------------- the command


def line(name: str, found: dict[str, Any]) -> str:
    shown = {key: value for key, value in found.items() if type(value) in (int, float)}
    form = {True: ",.0f", False: ".3g"}
    numbers = "  ".join(f"{key} {value:{form[abs(value) >= 100]}}" for key, value in shown.items())
    goal = f"  (goal {GOALS[name]:,})" if name in GOALS else ""
    state = "FAILED" if found.get("failed") else "ok"
    return f"{state:<7}{name:<26}{numbers}{goal}{'  ' + found['error'].splitlines()[-1] if 'error' in found else ''}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", ".")) / "gpu-check.json")
    asked = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print("no CUDA device here: nothing was checked", file=sys.stderr)
        return 2
    started, report = time.monotonic(), {}
    pool = ProcessPoolExecutor(max(1, cores() - 1), get_context("spawn"))
    drawn = [pool.submit(faces.draw, 128, 64, seed) for seed in range(2 * cores())]
    for name, part in parts(asked.device, drawn).items():
        if time.monotonic() - started + TAKES.get(name, ANY) > SECONDS:
            report[name] = {"left out": "no time"}
            continue
        begun = time.monotonic()
        try:
            torch.cuda.reset_peak_memory_stats(asked.device)
            report[name] = part()
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            report[name] = {"failed": True, "error": said, "trace": traceback.format_exc()}
        report[name]["seconds"] = time.monotonic() - begun
        print(line(name, report[name]), flush=True)
        asked.out.write_text(json.dumps(report, indent=1, default=str) + "\n", "utf-8")
    pool.shutdown(wait=False, cancel_futures=True)
    failed = [name for name, found in report.items() if found.get("failed")]
    print(f"{len(report) - len(failed)} of {len(report)} parts are well; report in {asked.out}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
