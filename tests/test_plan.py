"""What a profile takes, counted before it is begun; devices that are chosen, and how many artifacts share one."""

import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from benchmarks import gpu, rates, steps
from ganfp import machine
from ganfp.attributors.cnn import CNN
from ganfp.attributors.visnet import VisNet
from ganfp.cli import main
from ganfp.gans import GANS, config_from
from ganfp.gans.training import Seeds
from ganfp.runs import building, operations, planning, room
from ganfp.runs.recipes.attribution import Fit
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.gans import GAN
from ganfp.runs.recipes.images import Images
from ganfp.runs.recipes.samples import Setup, Source
from ganfp.runs.store import Store

SIZE = dict(resolution=16, latent=8, fmap_base=128, fmap_max=16, total_images=4096, batch=8)


@pytest.mark.parametrize("name", GANS)
def test_operations_are_those_of_a_step_that_is_carried_out(name):
    config = config_from(name, {**SIZE, **(dict(phase_images=64, batch_base=64) if name == "progan" else {})})
    stage = steps.stable_stage(config, 16)
    carried_out = steps.operations(steps.gan_step(name, config, 16, "cpu")) / (stage.batch * config.critic_steps)
    found = operations.step_operations(name, operations.at(config, 16), 16)
    assert found == pytest.approx(carried_out, rel=0.1)  # generated images that two losses share are counted once


def test_images_of_a_growing_gan_are_all_counted():
    config = config_from("progan", {**SIZE, "phase_images": 100, "total_images": 640, "batch_base": 64})
    assert [operations.images_shown(config, side) for side in (4, 8, 16)] == [100, 200, 340]


@dataclass(frozen=True)
class Stone(Recipe):
    """A recipe of so many core-seconds, or of a GPU."""

    kind = "stone"
    name: str
    weight: float
    on: tuple[Recipe, ...] = ()
    gpu: bool = False

    def cost(self):
        return self.weight

    def make(self, folder, paths, device, progress):
        time.sleep(self.weight)
        (folder / "stone").touch()  # an artifact without a file counts as damaged


@pytest.fixture
def rated(monkeypatch):
    """A card of one operation a second that is half used by one training alone; a core is as fast as costs say."""
    rates = {**planning.rates(), "start": 0.0, "task": 0.0, "step": 1.0}
    monkeypatch.setattr(planning, "rates", lambda: rates)
    monkeypatch.setattr(planning, "_speed", lambda: 1.0)
    monkeypatch.setattr(
        operations, "work", lambda r: operations.Work(r.weight, 2 * r.weight) if r.gpu else operations.Work()
    )


def hours(recipes, workers):
    found = planning.schedule(building.closure(recipes), planning.Workers.read(workers))
    return 3600 * found.hours, 3600 * found.chain


def test_a_schedule_of_cores_is_the_one_on_paper(rated):
    chain = Stone("c", 3, (Stone("b", 2, (Stone("a", 1),)),))
    assert hours([chain], "9xcore") == pytest.approx((6, 6))
    assert hours([Stone(str(i), 1) for i in range(5)], "2xcore") == pytest.approx((3, 1))
    assert hours([Stone("long", 4), *(Stone(str(i), 1) for i in range(4))], "2xcore") == pytest.approx((4, 4))
    assert hours([], "2xcore") == (0, 0)


def test_a_gpu_is_shared_and_one_alone_does_not_fill_it(rated):
    some = [Stone(str(i), 10, gpu=True) for i in range(4)]
    assert hours(some[:1], "1xH100") == pytest.approx((20, 20))
    assert hours(some[:2], "1xH100") == pytest.approx((20, 20))
    assert hours(some, "1xH100") == pytest.approx((40, 20)) and hours(some, "2xH100") == pytest.approx((20, 20))
    assert hours([*some, Stone("core", 7)], "1xH100") == pytest.approx((40, 20))


@pytest.mark.parametrize("text", ["8", "8xA100", "0xH100", "-1xcore", "xcore"])
def test_workers_that_nobody_has_measured_are_refused(text):
    with pytest.raises(ValueError, match="workers must be a number of core, H200, H100, such as 8xH100"):
        planning.Workers.read(text)


def test_what_a_build_takes_is_what_its_schedule_says(tmp_path, rated):
    legs = [Stone(str(i), 0.4 + 0.2 * (i % 3)) for i in range(9)]
    recipes = [*legs, Stone("on", 1.0, tuple(legs[:2])), Stone("top", 0.5, tuple(legs[3:]))]
    threads = ThreadPoolExecutor(2)
    taken = building.build(recipes, Store(tmp_path), executor=threads, jobs=2, quiet=True)
    assert taken == pytest.approx(hours(recipes, "2xcore")[0], rel=0.2)


def test_what_cannot_fit_is_refused_before_anything_is_begun(tmp_path, monkeypatch):
    world = Images("faces", 16, 60, 10, 5, 10)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=40_000))
    with pytest.raises(ValueError, match="take 0.0 GB of disk, and 0.0 are free at .*GANFP_STORE"):
        building.build([world], Store(tmp_path / "store"))
    assert not (tmp_path / "store").exists()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=50_000))
    room.check([world], tmp_path, gpu=0)
    gan = GAN(world, "sngan", config_from("sngan", SIZE), Seeds.all(1))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1e9))
    room.check([gan], tmp_path, gpu=gan.memory())
    with pytest.raises(ValueError, match="gan: one takes .* GB of memory, and the GPU has"):
        room.check([gan], tmp_path, gpu=gan.memory() - 1)


def test_bytes_on_disk_are_those_that_are_written(tmp_path, one_thread):
    world, store = Images("faces", 16, 60, 10, 5, 10), Store(tmp_path)
    gan = GAN(world, "sngan", config_from("sngan", {**SIZE, "total_images": 16}), Seeds.all(1))
    setup = Setup("two", (Source("real", world), Source("SNGAN", gan)), 10, 5, 10)
    for recipe in building.closure([Fit("knn", setup)]):
        building.make(recipe, tmp_path)
        assert room.disk(recipe) == pytest.approx(store.info(recipe)["bytes"], rel=0.15, abs=4000)


def test_a_wider_network_takes_more_of_a_gpu():
    setup = Setup("one", (Source("real", Images("faces", 32, 60, 10, 5, 10)),), 10, 5, 10)
    narrow, wide = (Fit("cnn", setup, (("fmap_base", base),)).memory() for base in (512, 1024))
    assert 0 < narrow < wide and Fit("prnu", setup).memory() == 0


def test_the_command_prints_a_line_for_each_kind(tmp_path, monkeypatch):
    monkeypatch.setenv("GANFP_STORE", str(tmp_path))
    result = CliRunner().invoke(main, ["plan", "--profile", "smoke", "--dataset", "faces", "--workers", "8xH100"])
    assert result.exit_code == 0, result.output
    kinds = [line.split()[0] for line in result.output.splitlines()]
    assert {"artifact", "gan", "sample", "attributor", "immunised", "8xH100:"} <= set(kinds)
    assert not list(tmp_path.iterdir())


def test_auto_is_a_gpu_where_there_is_one(monkeypatch):
    for there, expected in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert machine.found("auto") == expected and machine.found("cuda:1") == "cuda:1"


def test_a_gpu_is_shared_by_as_many_as_it_has_room_for(monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 16)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (80e9, 80e9))
    assert machine.jobs("cpu", 1e12) == 16
    assert [machine.jobs("cuda", need) for need in (0, 20e9, 50e9, 1e12)] == [machine.SIDE_BY_SIDE, 3, 1, 1]


# ---------------------------------------------------------------- the check for a GPU machine, without one


def test_without_a_device_the_check_says_so(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main([]) == 2 and "no CUDA device" in capsys.readouterr().err


def test_twins_on_a_cpu_are_the_same(monkeypatch):
    monkeypatch.setattr(gpu, "STEPS", 4)
    monkeypatch.setattr(gpu, "SMALL", {**gpu.SMALL, "fmap_base": 128, "fmap_max": 16})
    monkeypatch.setattr(gpu, "GROWTH", dict(phase_images=16, batch=8, batch_base=8))
    monkeypatch.setattr(gpu, "BLOCKS", {**gpu.BLOCKS, "fmap_base": 128, "fmap_max": 16, "batch": 8})
    several = [gpu.gan_twins(name, "float32", "cpu") for name in ("progan", "ddpm")]
    several += [gpu.network_twins(CNN, "cpu", optimiser="muon"), gpu.network_twins(VisNet, "cpu")]
    for found in several:
        assert not found["failed"] and found["weights"] == found["losses"] == found["again"] == 0.0


def test_twins_that_differ_fail():
    one, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    assert gpu.twins(one, one, other, [1.0], [1.0])["failed"] and gpu.twins(one, other, one, [1.0], [1.0])["failed"]


def test_a_part_that_fails_does_not_stop_the_others(monkeypatch, tmp_path, capsys):
    def broken():
        raise RuntimeError("out of order")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: None)
    monkeypatch.setattr(gpu, "ProcessPoolExecutor", lambda *_: type("Pool", (), {
        "submit": lambda *_: None, "shutdown": lambda *_, **__: None})())  # fmt: skip
    monkeypatch.setattr(gpu, "parts", lambda *_: {"a": broken, "b": lambda: {"images/s": np.float64(3.0).item()}})
    assert gpu.main(["--out", str(tmp_path / "report.json")]) == 1
    said = capsys.readouterr().out
    assert "FAILED a" in said and "out of order" in said and "images/s 3" in said and "1 of 2 parts are well" in said
    assert "gpu" in sys.modules["benchmarks.gpu"].__name__ and (tmp_path / "report.json").is_file()


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(1, 2.5), (10, 20.5)], (0.5, 2)),  # half a second each, and two for each of cost
        ([(10, 20.5), (1, 2.5)], (0.5, 2)),
        ([(1, 1), (10, 20)], (0, 2)),  # nothing takes less than no time
        ([(0.1, 0.6)], (0.5, 1)),  # one size alone: what is beyond its cost is taken to be the same at every size
        ([(4, 2)], (0, 0.5)),
        ([(0, 0.2)], (0.2, 0)),
    ],
)
def test_rates_are_the_line_through_two_sizes(points, expected):
    assert rates.line(points) == pytest.approx(expected)


def test_rates_are_read_from_a_store_and_serve_the_plan(tmp_path, monkeypatch, one_thread):
    world, store = Images("faces", 16, 60, 10, 5, 10), Store(tmp_path)
    fit = Fit("knn", Setup("one", (Source("real", world),), 10, 5, 10))
    building.make(world, tmp_path)
    monkeypatch.setattr(rates.sections, "needs", lambda runs: [fit])
    found = rates.measured("smoke", str(tmp_path))
    assert found == {"images": (world.cost(), store.info(world)["seconds"])}  # what is not there is not measured
    each, rate = rates.line([found["images"]])
    monkeypatch.setattr(planning, "rates", lambda: {"costs": {"images": (each, rate)}})
    assert planning.core_seconds(world) == pytest.approx(store.info(world)["seconds"])
    assert planning.core_seconds(fit) == fit.cost() and planning.sort(fit) == "attributor knn"


def test_progress_goes_by_planned_seconds_and_says_nothing_of_the_end_at_first(tmp_path, monkeypatch, capsys):
    done = {}
    store = SimpleNamespace(share=lambda recipe: done.get(recipe.name, 0.0))
    monkeypatch.setattr(building, "SECONDS_BETWEEN_LINES", 0)
    with building._bar({Stone("short", 1): 1.0, Stone("long", 1): 99.0}, store, quiet=False) as show:
        for done["long"], said in ((0.005, "0 %"), (0.5, "50 %")):
            show([])
            line = capsys.readouterr().err
            assert said in line and ("? left" in line) == (said == "0 %")


def test_a_build_says_how_long_what_is_missing_takes(tmp_path, monkeypatch):
    monkeypatch.setenv("GANFP_STORE", str(tmp_path))
    monkeypatch.setattr("ganfp.runs.run.Run.build", lambda self, wanted, jobs: 0.0)
    said = CliRunner().invoke(main, ["build", "--profile", "smoke", "--dataset", "faces", "--jobs", "1"]).output
    assert re.search(r"profile smoke: \d{3} artifacts to make; about \d+ seconds on 1 core, by measured rates", said)
