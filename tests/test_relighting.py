"""Relighting: spherical harmonics, fits, ratio images; on drawn images with known light, and on photographs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ganfp import relighting as rl
from ganfp.attacks import Draws, attack, relight
from ganfp.features.spectra import radial_power
from ganfp.worlds import bedrooms, faces

PHOTOGRAPHS = Path(__file__).parents[2] / "shared" / "data" / "celeba_faces_32.npz"


@pytest.fixture(scope="module")
def sphere():
    """Random directions as if they were a picture of normals, (3, 40, 50)."""
    x = torch.randn(3, 40, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return x / x.norm(dim=0, keepdim=True)


def test_harmonics_are_orthogonal_with_lamberts_factors():
    # a fine grid over the sphere, with its solid angles
    theta = (torch.arange(400, dtype=torch.float64) + 0.5) * torch.pi / 400
    phi = (torch.arange(800, dtype=torch.float64) + 0.5) * 2 * torch.pi / 800
    theta, phi = theta[:, None].expand(400, 800), phi[None].expand(400, 800)
    normals = torch.stack([theta.sin() * phi.cos(), theta.sin() * phi.sin(), theta.cos()])
    area = theta.sin() * (torch.pi / 400) * (2 * torch.pi / 800)
    basis = rl.harmonics(normals).flatten(1)
    gram = (basis * area.flatten()) @ basis.T
    factors = torch.tensor([torch.pi, *[2 * torch.pi / 3] * 3, *[torch.pi / 4] * 5], dtype=torch.float64)
    assert torch.allclose(gram, torch.diag(factors**2), atol=2e-4)


def test_a_lamp_lights_by_lamberts_law(sphere):
    lights = rl.lamp(*(torch.tensor([v]) for v in (30.0, 20.0, 1.0, 0.0)))
    a, e = np.radians(30), np.radians(20)
    toward = torch.tensor([np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)])
    lambert = (sphere * toward[:, None, None]).sum(0).clamp(min=0)
    found = (lights[0, 0] @ rl.harmonics(sphere).flatten(1)).reshape(40, 50)
    assert (found - lambert).abs().max() < 0.1  # nine terms hold Lambert's law to 10 % of the lamp
    assert (found - lambert).square().mean().sqrt() < 0.04


def test_the_fit_finds_the_light_of_a_plain_surface(sphere):
    lights = torch.rand(4, 3, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    images = (lights @ rl.harmonics(sphere).flatten(1)).reshape(4, 3, 40, 50)
    assert torch.allclose(rl.fit(images, sphere, ridge=0.0), lights, atol=1e-9)
    one_each = sphere.expand(4, 3, 40, 50)
    assert torch.allclose(rl.fit(images, one_each), rl.fit(images, sphere))


def test_an_images_own_light_is_the_identity():
    images = torch.from_numpy(np.concatenate([faces.draw(20, 32, 1), bedrooms.draw(20, 32, 1)]))
    for shape in rl.SHAPES:
        normals = rl.prior(32, shape)
        for i in (0, 25):
            own = rl.fit(images[i : i + 1].double() / 255, normals)
            assert (relight(images[i : i + 1], Draws(0, np.arange(1)), shape=shape, lights=own) == images[i]).all()


def test_bump_or_hollow_makes_no_difference_to_the_light_of_another_image():
    x, y = (torch.from_numpy(faces.draw(8, 32, seed)).double() / 255 for seed in (1, 2))
    bump = rl.prior(32)
    hollow = bump * torch.tensor([-1.0, -1, 1])[:, None, None]
    relit = [rl.relit(x, rl.fit(y, shape), shape) for shape in (bump, hollow)]
    assert torch.allclose(*relit, atol=1e-12)


def test_ratios_and_shadings_keep_their_bounds():
    lights = rl.random_lamps(torch.rand(300, 4, generator=torch.Generator().manual_seed(0)))
    dark = torch.zeros(300, 3, 9, dtype=torch.float64)
    for shape in rl.SHAPES:
        shading = rl.shading(lights, rl.prior(32, shape))
        assert shading.min() >= rl.DARKEST
        ratio = rl.ratio_image(lights.flip(0), lights, rl.prior(32, shape))
        assert ratio.min() >= rl.RATIO[0] and ratio.max() <= rl.RATIO[1]
        assert torch.isfinite(rl.ratio_image(dark, lights, rl.prior(32, shape))).all()  # a black image


def test_lamps_shine_where_they_stand():
    def side(azimuth, elevation):
        lights = rl.lamp(*(torch.tensor([v]) for v in (azimuth, elevation, 0.8, 0.0)))
        return rl.shading(lights, rl.prior(32))[0, 0]

    right, above = side(60.0, 0.0), side(0.0, 50.0)
    assert right[16, 22] > 1.5 * right[16, 9] and above[9, 16] > 1.5 * above[22, 16]


def test_random_lamps_follow_their_law():
    uniform = torch.tensor([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    corners = rl.lamp(
        torch.tensor([-rl.AZIMUTH, rl.AZIMUTH]), torch.tensor(rl.ELEVATION), torch.tensor(rl.KEY),
        torch.tensor([-rl.TINT, rl.TINT]),
    )  # fmt: skip
    assert torch.allclose(rl.random_lamps(uniform), corners, atol=1e-6)
    warm = corners[1]
    assert warm[0, 1] > warm[1, 1] > warm[2, 1] and (corners[0][0] != corners[0][2]).any()


def check_bands(images):
    """Low frequencies change, high ones stay."""
    after = attack("relighting", images, 0)
    before = images.astype(np.float32)
    rings, power = radial_power(before)
    _, change = radial_power(after - before)
    low, high = rings <= 2, rings >= 8
    assert change[low].sum() > 20 * change[high].sum()  # nearly all of the change
    assert change[high].sum() < 0.25 * power[high].sum()
    _, left = radial_power(after.astype(np.float32))
    assert 0.7 < left[high].sum() / power[high].sum() < 1.4


@pytest.mark.parametrize("world", [faces, bedrooms])
def test_low_frequencies_change_and_high_ones_stay(world):
    check_bands(world.draw(100, 32, seed=5))


def test_relighting_comes_nearer_to_the_true_image_under_the_other_light():
    from ganfp.paper import attacked
    from ganfp.runs.run import begin

    study = attacked.relighting_study(begin("smoke"), count=60)
    before, prior, true = (r.value for r in study.records if r.metric == "rms")
    assert true < 0.6 * before and prior < 0.9 * before


@pytest.mark.skipif(not PHOTOGRAPHS.exists(), reason="the photographs are not here")
def test_it_works_on_photographs():
    with np.load(PHOTOGRAPHS) as file:
        images = np.ascontiguousarray(file["images"][:300].transpose(0, 3, 1, 2))
    check_bands(images)
    after = attack("relighting", images, 0)
    assert np.abs(after.astype(float) - images).mean() > 4
    cut = ((after == 0) | (after == 255)).mean() - ((images == 0) | (images == 255)).mean()
    assert cut < 0.06  # few values are lost at the ends
