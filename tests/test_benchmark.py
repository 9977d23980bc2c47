"""The step that trains against the plain one, and what is counted; never how long anything takes."""

import pytest
import torch
from click.testing import CliRunner

from benchmarks import steps as benchmark
from ganfp import layers
from ganfp.cli import main
from ganfp.gans import GANS, config_from
from ganfp.gans.losses import gradient_penalty

SIZE = dict(resolution=16, latent=16, fmap_base=256, fmap_max=32, total_images=4096, batch=8, learning_rate=0.0)
GROWTH = dict(phase_images=8, batch_base=32)
TOLERANCE = 1e-4  # of the gradient of each weight tensor, by its norm


def config(name):
    return config_from(name, {**SIZE, **(GROWTH if name == "progan" else {})})


def gradients(step):
    step()
    trained = step.__self__
    return {
        f"{part}.{key}": value.grad
        for part in ("generator", "critic")
        for key, value in getattr(trained, part).named_parameters()
        if value.grad is not None
    }


@pytest.mark.parametrize(("name", "resolution"), [("progan", 4), ("progan", 8), *((name, 16) for name in GANS)])
def test_a_step_has_the_gradients_of_the_plain_step(name, resolution):
    with benchmark.plain():
        expected = gradients(benchmark.gan_step(name, config(name), resolution, "cpu"))
    found = gradients(benchmark.gan_step(name, config(name), resolution, "cpu"))
    assert found.keys() == expected.keys()
    largest = max(value.norm() for value in expected.values())
    for key, value in expected.items():
        error = (found[key] - value).norm() / (value.norm() + 1e-3 * largest)
        assert error < TOLERANCE, (key, float(error))


def test_operations_of_a_double_backward_pass_are_counted():
    weight = torch.randn(8, 8, 3, 3, requires_grad=True)
    real, fake = torch.randn(2, 4, 8, 6, 6)
    mix = torch.full((4, 1, 1, 1), 0.5)
    once = 2 * 4 * 8 * 8 * 9 * 6 * 6  # of the convolution itself

    def step():
        penalty = gradient_penalty(
            lambda x: layers.convolve(x, weight, None, padding=1).square().sum((1, 2, 3)), real, fake, mix
        )
        penalty.backward()

    # the convolution and its gradient, then the two gradients of each
    assert benchmark.operations(step) == (1 + 1 + 2 + 2) * once


def test_bench_prints_one_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(benchmark, "MATRIX", 64)
    result = CliRunner().invoke(main, ["bench", "--profile", "smoke", "--seconds", "0.001"])
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.output.splitlines()[2:]]
    assert [row[0] for row in rows].count("ProGAN") == 2 * 3 and len(rows) == 2 * (3 + 3 + 1)
    assert all(float(row[-1]) > 0 for row in rows)
