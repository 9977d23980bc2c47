"""What a profile takes, counted before it is begun; devices that are chosen, and how many artifacts share one."""

import sys

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from benchmarks import gpu, steps
from ganfp import machine
from ganfp.attributors.cnn import CNN
from ganfp.attributors.visnet import VisNet
from ganfp.cli import main
from ganfp.gans import GANS, config_from
from ganfp.runs import planning
from ganfp.runs.planning import Line

SIZE = dict(resolution=16, latent=8, fmap_base=128, fmap_max=16, total_images=4096, batch=8)


@pytest.mark.parametrize("name", GANS)
def test_operations_are_those_of_a_step_that_is_carried_out(name):
    config = config_from(name, {**SIZE, **(dict(phase_images=64, batch_base=64) if name == "progan" else {})})
    stage = steps.stable_stage(config, 16)
    carried_out = steps.operations(steps.gan_step(name, config, 16, "cpu")) / (stage.batch * config.critic_steps)
    found = planning.step_operations(name, planning._at(config, 16), 16)
    assert found == pytest.approx(carried_out, rel=0.1)  # generated images that two losses share are counted once


def test_images_of_a_growing_gan_are_all_counted():
    config = config_from("progan", {**SIZE, "phase_images": 100, "total_images": 640, "batch_base": 64})
    assert [planning._shown(config, side) for side in (4, 8, 16)] == [100, 200, 340]


def test_what_cannot_fit_is_refused():
    lines = [Line("gan", 2, 1e15, 0.1, 5e9, 2e9), Line("sample", 9, 0.0, 0.0, 6e9, 0.0)]
    planning.check(lines, free_disk=11e9, memory=2e9)
    with pytest.raises(ValueError, match="take 11 GB of disk, of which 10 are free"):
        planning.check(lines, free_disk=10e9, memory=2e9)
    with pytest.raises(ValueError, match="gan: one takes 2 GB of memory, and the device has 1"):
        planning.check(lines, free_disk=11e9, memory=1e9)


def test_the_command_prints_a_line_for_each_kind(tmp_path, monkeypatch):
    monkeypatch.setenv("GANFP_STORE", str(tmp_path))
    result = CliRunner().invoke(main, ["plan", "--profile", "smoke", "--dataset", "faces"])
    assert result.exit_code == 0, result.output
    kinds = [line.split()[0] for line in result.output.splitlines()]
    assert {"artifact", "gan", "sample", "attributor", "immunised"} <= set(kinds) and "hours on" in result.output
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
    several = [gpu.gan_twins("progan", "float32", "cpu"), gpu.network_twins(CNN, "cpu", optimiser="muon")]
    for found in (*several, gpu.network_twins(VisNet, "cpu")):
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
