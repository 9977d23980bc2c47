"""A Dask cluster against one machine: what the scheduler costs, and what is lost when workers die.

    python -m benchmarks.cluster --kills 20

Builds the GANs of profile smoke in processes, then on a cluster of as many workers, and prints the ratio; then again
and again, each time with a worker killed at a random moment, and counts the builds that ended with the same bytes.
"""

import argparse
import os
import random
import signal
import tempfile
import threading
import time
from pathlib import Path

from ganfp.gans import GANS, training
from ganfp.runs import archive, building, cluster
from ganfp.runs.run import begin
from ganfp.runs.store import DONE, Store


def wanted():
    run = begin("smoke", "faces")
    return [*(run.gan("progan", seed) for seed in range(1, 5)), *map(run.gan, GANS)]


def contents(store: Store) -> dict[str, bytes]:
    """What is the same whenever it was made."""
    files = [path for folder in archive.artifacts(store) for path in folder.rglob("*") if path.is_file()]
    return {str(p.relative_to(store.root)): p.read_bytes() for p in files if p.name not in (DONE, training.HISTORY)}


def built(folder: str, **how) -> tuple[Store, float]:
    store = Store(folder)
    return store, building.build(wanted(), store, quiet=True, **how)


def main(workers: int, kills: int, seed: int) -> None:
    from distributed import Client

    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch, cluster.local(workers) as address:
        serial, plain = built(f"{scratch}/serial", jobs=workers)
        os.environ[cluster.SCHEDULER] = address
        _, took = built(f"{scratch}/cluster")
        print(f"processes {plain:.1f} s, cluster {took:.1f} s, ratio {took / plain:.3f}")
        equal, partial = 0, 0
        with Client(address, set_as_default=False) as client:
            for attempt in range(kills):

                def kill(moment: float) -> None:
                    time.sleep(moment)
                    os.kill(rng.choice(list(client.run(os.getpid).values())), signal.SIGKILL)

                killer = threading.Thread(target=kill, args=[rng.uniform(0, took)])
                killer.start()
                store, _ = built(f"{scratch}/{attempt}")
                killer.join()
                equal += contents(store) == contents(serial)
                partial += len(list(Path(store.root).glob("*/*.part")))
                client.wait_for_workers(workers)
        print(f"{kills} builds with a worker killed: {equal} with the same bytes, {partial} unfinished artifacts left")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in {"workers": 3, "kills": 20, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    main(**vars(parser.parse_args()))
