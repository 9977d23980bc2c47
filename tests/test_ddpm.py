"""The diffusion model: its sampler is exact where its network is, and its training resumes to the same bytes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganfp.files import read_tensors
from ganfp.gans import ddpm, training
from ganfp.gans.ddpm import DDPMConfig
from ganfp.gans.loop import Seeds
from ganfp.runs import building, shipping
from ganfp.runs.recipes.diffusion import Diffusion
from ganfp.runs.recipes.images import Images
from ganfp.runs.recipes.samples import Sample
from ganfp.runs.store import Store

CONFIG = DDPMConfig(16, 64, 8, total_images=32, batch=8, rise=16, ema_from=16, steps=3)
POINT = 0.5 * torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(7))


def exact(z, angles):
    """v of a world that has a single image: what is not the image in z is the noise."""
    c, s = (f(angles)[:, None, None, None] for f in (torch.cos, torch.sin))
    return c * (z - c * POINT) / s - s * POINT


@pytest.mark.parametrize("steps", [1, 3, 20])
def test_an_exact_network_ends_on_the_image_with_any_number_of_steps(monkeypatch, steps):
    monkeypatch.setattr(ddpm.Network, "forward", lambda self, z, angles: exact(z, angles))
    model = ddpm.DDPM(replace(CONFIG, steps=steps))
    made = ddpm.Generator(model.config)(model.latents(4, torch.Generator().manual_seed(0)))
    np.testing.assert_allclose(made, POINT.expand_as(made), atol=1e-4)


def test_the_loss_of_an_exact_network_is_zero_and_of_none_the_power_of_v():
    random = torch.Generator().manual_seed(1)
    x, noise = POINT.expand(5, -1, -1, -1), torch.randn(5, 3, 16, 16, generator=random)
    angles = 0.1 + 1.3 * torch.rand(5, generator=random)
    assert float(ddpm.loss(exact, x, angles, noise)) < 1e-9
    c, s = (f(angles).view(5, 1, 1, 1) for f in (torch.cos, torch.sin))
    nothing = ddpm.loss(lambda z, a: torch.zeros_like(z), x, angles, noise)
    assert float(nothing) == pytest.approx(float((c * noise - s * x).square().mean()), rel=1e-5)


def images(count=20):
    return np.random.default_rng(0).integers(0, 256, (count, 3, 16, 16), dtype=np.uint8)


def test_a_training_that_was_stopped_ends_with_the_same_bytes(tmp_path, one_thread):
    training.train("ddpm", CONFIG, Seeds.all(1), images(), tmp_path / "whole")
    half = ddpm.Training("ddpm", CONFIG, Seeds.all(1), images())
    half.step(), half.step(), half.step()
    half.save(tmp_path / "parts" / training.CHECKPOINT)
    training.train("ddpm", CONFIG, Seeds.all(1), images(), tmp_path / "parts", resume=True)
    whole, parts = ((tmp_path / name / training.GENERATOR).read_bytes() for name in ("whole", "parts"))
    assert whole == parts


def test_each_seed_matters(one_thread):
    def weights(seeds):
        one = ddpm.Training("ddpm", CONFIG, seeds, images())
        one.step()
        return torch.cat([p.detach().flatten() for p in one.network.parameters()])

    first = weights(Seeds(1, 1, 1))
    assert all((weights(other) != first).any() for other in (Seeds(2, 1, 1), Seeds(1, 2, 1), Seeds(1, 1, 2)))


def test_the_average_is_the_network_until_it_begins(one_thread):
    one = ddpm.Training("ddpm", CONFIG, Seeds.all(1), images())
    for _ in range(3):
        one.step()
        assert training.largest_difference(one.network, one.average) == 0
    one.step()
    assert one.seen == 32 and training.largest_difference(one.network, one.average) > 0


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"images must be uint8 \(N, 3, 16, 16\), not uint8 \(2, 3, 8, 8\)"):
        training.train("ddpm", CONFIG, Seeds.all(1), images()[:2, :, :8, :8], tmp_path)
    with pytest.raises(ValueError, match="resolution must be a power of two and at least 16"):
        DDPMConfig(resolution=8)


def test_it_is_made_sampled_and_shipped_as_a_gan_is(tmp_path, one_thread):
    world = Images("faces", 16, 60, 10, 5, 10)
    recipe, store = Diffusion(world, ddpm.NAME, CONFIG, Seeds.all(1)), Store(tmp_path / "store")
    sample = Sample(recipe, "test", 6)
    for one in building.closure([sample]):
        building.make(one, store.root)
    made = np.load(store.folder(sample) / "images.npy")
    assert made.dtype == np.uint8 and made.shape == (6, 3, 16, 16)
    path = shipping.ship(recipe, store, tmp_path / "shipped")
    assert path.name == "faces-DDPM-seed-1.safetensors"
    assert {value.dtype for value in read_tensors(path)[0].values()} == {torch.float16}
    found = shipping.find(recipe, where=[tmp_path / "shipped"])
    other = replace(sample, origin=found)
    for one in building.closure([other]):
        building.make(one, store.root)
    again = np.load(store.folder(other) / "images.npy").astype(int)
    assert np.abs(again - made).mean() < 2
