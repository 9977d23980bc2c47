"""All GANs: their size in the paper, one step, repeatability, sampling, settings."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ganfp.gans import GANS, config_from, gan_class, training
from ganfp.gans.base import PRECISIONS
from ganfp.gans.resample import DownConv2d, UpConv2d, enlarge, reduce
from ganfp.gans.training import Seeds, Training, train
from ganfp.images import quantise, to_float
from ganfp.layers import count_parameters

NAMES = list(GANS)
FIXED = [name for name in NAMES if name != "progan"]  # of one resolution from start to end
SIZE = dict(latent=8, fmap_base=64, fmap_max=8, total_images=48, batch=8, critic_steps=2)
GROWTH = dict(phase_images=8, batch_base=32)
each_gan_and_resolution = pytest.mark.parametrize(("name", "resolution"), [(n, r) for n in NAMES for r in (16, 32)])


def small(name, resolution=16, **settings):
    growth = GROWTH if name == "progan" else {}
    return config_from(name, {"resolution": resolution, **SIZE, **growth, **settings})


def images(resolution, count=40):
    return np.random.default_rng(0).integers(0, 256, (count, 3, resolution, resolution), dtype=np.uint8)


def started(name, resolution=16, **settings):
    return Training(name, small(name, resolution, **settings), Seeds.all(1), images(resolution))


def run(name, folder, resolution=16, precision="float32", **options):
    config = small(name, resolution, precision=precision)
    return train(name, config, Seeds.all(1), images(resolution), folder, **options)


def exported(folder: Path):
    return [(folder / name).read_bytes() for name in (training.GENERATOR, training.CRITIC)]


# ---------------------------------------------------------------- the paper's size


def conv(into, out, kernel, bias=True):
    return into * out * kernel**2 + bias * out


def dense(into, out):
    return into * out + out


def norm(channels):
    return 2 * channels


def up(into, out, bias):
    return norm(into) + conv(into, out, 3, bias) + norm(out) + conv(out, out, 3) + conv(into, out, 1)


def down(into, out):
    return conv(into, into, 3) + conv(into, out, 3) + conv(into, out, 1)


def steps(widths):
    return zip(widths, widths[1:], strict=False)


# counted from the official networks' layers at 128 px; SNGAN's critic without its unused embedding of one class
def sngan_generator():
    blocks = sum(up(a, b, bias=True) for a, b in steps([1024, 1024, 512, 256, 128, 64]))
    return dense(128, 4 * 4 * 1024) + blocks + norm(64) + conv(64, 3, 3)


def sngan_critic():
    first = conv(3, 64, 3) + conv(64, 64, 3) + conv(3, 64, 1)
    last = 2 * conv(1024, 1024, 3)
    return first + sum(down(a, b) for a, b in steps([64, 128, 256, 512, 1024])) + last + dense(1024, 1)


def dcgan_generator():
    blocks = sum(up(a, b, bias=False) for a, b in steps([1024, 512, 256, 128, 64]))
    return dense(100, 4 * 4 * 1024) + blocks + norm(64) + conv(64, 3, 5)


def dcgan_critic(features):
    return sum(conv(a, b, 5) for a, b in steps([3, 64, 128, 256, 512, 1024])) + dense(4 * 4 * 1024, features)


@pytest.mark.parametrize(
    ("name", "generator", "critic", "by_layer"),
    [
        ("sngan", 32_150_787, 29_017_857, (sngan_generator(), sngan_critic())),
        ("cramergan", 11_764_035, 21_609_344, (dcgan_generator(), dcgan_critic(256))),
        ("mmdgan", 11_764_035, 17_676_944, (dcgan_generator(), dcgan_critic(16))),
    ],
)
def test_parameters_at_the_papers_size(name, generator, critic, by_layer, monkeypatch):
    monkeypatch.setattr(torch.nn.init, "trunc_normal_", lambda *_, **__: None)  # slow, and no matter here
    assert by_layer == (generator, critic)
    config = gan_class(name).Config()
    assert count_parameters(gan_class(name).Generator(config)) == generator
    assert count_parameters(gan_class(name).Critic(config)) == critic


@pytest.mark.parametrize("name", FIXED)
def test_the_papers_training(name):
    config = gan_class(name).Config()
    assert config.total_images == 150_000 * config.critic_steps * config.batch
    assert {config.stage(seen).resolution for seen in (0, config.total_images)} == {128}
    rates = [config.stage(int(share * config.total_images)).learning_rate for share in (0, 0.8, 0.9, 0.95, 1)]
    shares = [1, 1, 0.5, 0.25, 0] if name == "sngan" else [1] * 5
    assert rates == pytest.approx([(2e-4 if name == "sngan" else 1e-4) * share for share in shares])


@pytest.mark.parametrize("name", GANS)
def test_the_rate_of_any_gan_falls_to_zero_if_it_is_asked_to(name):
    config = config_from(name, {"resolution": 16, "total_images": 1000, "decay_from": 0.6, "learning_rate": 0.01})
    rates = [config.stage(seen).learning_rate for seen in (0, 600, 800, 1000)]
    assert rates == pytest.approx([0.01, 0.01, 0.005, 0])


def test_labels_are_the_papers():
    assert [entry.label for entry in GANS.values()] == ["ProGAN", "SNGAN", "CramerGAN", "MMDGAN"]


# ---------------------------------------------------------------- training


@each_gan_and_resolution
def test_one_step_moves_both_networks(name, resolution):
    trained = started(name, resolution)
    networks = trained.generator, trained.critic
    before = [{key: value.clone() for key, value in network.named_parameters()} for network in networks]
    trained.step()
    trained.flush()  # raises unless every loss is finite
    for network, old in zip(networks, before, strict=True):
        parameters = dict(network.named_parameters())
        assert all(torch.isfinite(value).all() for value in parameters.values())
        moved = {key: not torch.equal(value, old[key]) for key, value in parameters.items()}
        assert any(moved.values()) if name == "progan" else all(moved.values()), moved


@pytest.mark.parametrize("precision", PRECISIONS)
@each_gan_and_resolution
def test_a_killed_training_resumes_to_the_same_bytes(name, resolution, precision, tmp_path, monkeypatch):
    class Killed(Exception):
        pass

    def stop(share):
        if share > 0.4:
            raise Killed

    monkeypatch.setattr(training, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    assert run(name, tmp_path / "whole", resolution, precision)
    with pytest.raises(Killed):
        run(name, tmp_path / "killed", resolution, precision, progress=stop)
    assert run(name, tmp_path / "killed", resolution, precision, resume=True)
    assert exported(tmp_path / "killed") == exported(tmp_path / "whole")


@pytest.mark.parametrize("name", NAMES)
def test_lower_precision_is_for_the_networks_alone(name):
    gradients, losses = {}, {}
    for precision in PRECISIONS:
        trained = started(name, 16, precision=precision, fmap_base=256, fmap_max=32, learning_rate=0.0)
        trained.step()
        losses[precision] = {name: torch.tensor(value) for name, value in trained.rows[-1].items()}
        parameters = [*trained.generator.parameters(), *trained.critic.parameters()]
        assert {value.dtype for value in (*parameters, trained._losses.totals)} == {torch.float32}
        gradients[precision] = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
        image = trained.average(trained.gan.latents(1, torch.Generator().manual_seed(0)))
        assert (image != image.bfloat16()).any()  # a finished generator computes in float32
    full, low = (gradients[precision] for precision in PRECISIONS)
    assert 0 < (full - low).norm() < 0.2 * full.norm()
    torch.testing.assert_close(losses["bfloat16"], losses["float32"], rtol=0.1, atol=0.1)


@each_gan_and_resolution
def test_samples_depend_on_their_latents_alone(name, resolution, tmp_path, monkeypatch):
    run(name, tmp_path, resolution)
    whole = training.sample(tmp_path, 7, seed=5)
    assert whole.shape == (7, 3, resolution, resolution) and whole.std() > 0
    monkeypatch.setattr(training, "SAMPLING_BATCH", 3)
    few = training.sample(tmp_path, 7, seed=5)
    assert np.abs(whole.astype(int) - few).max() <= 1  # another batch size may round another way
    critic, _ = training.load_critic(tmp_path)
    assert len(critic(to_float(whole[:4]))) == 4


@pytest.mark.parametrize("name", FIXED)
def test_seeds_of_weights_and_latents_matter(name):
    def weights(seeds):
        trained = Training(name, small(name), seeds, images(16))
        trained.step()
        return trained.critic.state_dict().values()

    one, *others = map(weights, (Seeds(1, 1, 1), Seeds(2, 1, 1), Seeds(1, 2, 1)))
    assert not any(all(map(torch.equal, one, other)) for other in others)


@pytest.mark.parametrize("name", FIXED)
def test_squashed_outputs_stay_in_range(name):
    gan = gan_class(name)(small(name))
    network = gan.Generator(gan.config)
    torch.nn.init.normal_(network.to_rgb.weight, std=10)
    output = network(gan.latents(64, torch.Generator().manual_seed(0)))
    assert -1 <= output.min() < -0.9 and 0.9 < output.max() <= 1


@pytest.mark.parametrize("name", FIXED)
def test_without_a_moving_average_the_generator_is_exported_as_it_is(name):
    trained = started(name)
    trained.step()
    pairs = zip(trained.average.state_dict().values(), trained.generator.state_dict().values(), strict=True)
    assert all(torch.equal(average, value) for average, value in pairs)


def test_the_gradient_of_each_weight_is_clipped_by_itself():
    large, small_one = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(2))
    loss = (torch.tensor([3.0, 4.0]) * large).sum() + (torch.tensor([0.3, 0.4]) * small_one).sum()
    training._update(torch.optim.SGD([large, small_one], lr=1.0), loss, clip=1.0)
    torch.testing.assert_close(large.detach(), torch.tensor([-0.6, -0.8]))
    torch.testing.assert_close(small_one.detach(), torch.tensor([-0.3, -0.4]))
    assert [gan_class(name)(small(name)).clip for name in NAMES] == [None, None, 1.0, 1.0]


def test_cramergan_compares_generated_images_with_others():
    trained = started("cramergan")
    stage = trained.config.stage(0)
    fake = trained._fake(trained.gan.numbers(stage, torch.Generator().manual_seed(0))["latents"], stage)
    one, other = fake.chunk(2)
    assert len(one) == trained.config.batch and not torch.equal(one, other)


def test_a_moving_average_is_an_option():
    trained = started("sngan", ema=0.9)
    before = trained.average.to_rgb.weight.clone()
    trained.step()
    torch.testing.assert_close(trained.average.to_rgb.weight, torch.lerp(before, trained.generator.to_rgb.weight, 0.1))


# ---------------------------------------------------------------- what is special to one


def test_spectral_norm_of_every_weight_of_sngans_critic_is_one():
    trained = started("sngan", 32, fmap_base=512, fmap_max=64)
    trained.critic.eval()
    layers = [layer for layer in trained.critic.modules() if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear))]
    assert len(layers) == 3 + 2 * 3 + 3 + 1 - 1  # 32, 16, 8 px, the last block without a shortcut, the score
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.1)


def test_dequantisation_stays_within_a_grey_level():
    uint8, random = images(16), torch.Generator().manual_seed(0)
    numbers = {"noise": torch.rand(uint8.shape, generator=random)}
    noisy = gan_class("sngan")(small("sngan")).real(to_float(uint8), None, numbers)
    assert np.array_equal(quantise(noisy).numpy(), uint8)
    assert ((noisy - to_float(uint8)).abs() > 0.4 / 127.5).any()
    plain = gan_class("sngan")(small("sngan", dequantise=False)).real(to_float(uint8), None, random)
    assert torch.equal(plain, to_float(uint8))


@pytest.mark.parametrize("setting", [dict(penalty_norm="height"), dict(constant_diagonal=True)])
def test_official_quirks_are_options(setting):
    trained, quirky = started("mmdgan"), started("mmdgan", **setting)
    trained.step()
    quirky.step()
    assert not torch.equal(trained.critic.dense.weight, quirky.critic.dense.weight)


def test_gradient_penalty_of_the_feature_gans_is_per_unit_of_their_own_pixels():
    gan = gan_class("cramergan")(small("cramergan"))
    real, fake = torch.zeros(2, 4, 3, 16, 16)
    slope = 5 / 768**0.5  # along each of 3 x 16 x 16 pixels in [0, 1]: a norm of 5

    def witness(x):
        return slope * ((x + 1) / 2).flatten(1).sum(1)

    assert gan.penalty(witness, real, fake, {"mix": torch.rand(4, 1, 1, 1)}).item() == pytest.approx(16, rel=1e-5)


def test_fused_resampling_is_resampling_and_convolution():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, 6)
    for fused, plain in (
        (UpConv2d(3, 5), lambda layer: F.conv2d(enlarge(x), layer.weight, layer.bias, padding=1)),
        (DownConv2d(3, 5), lambda layer: reduce(F.conv2d(x, layer.weight, layer.bias, padding=1))),
    ):
        torch.testing.assert_close(fused(x), plain(fused), atol=1e-5, rtol=1e-5)


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        *((name, {"resolution": 48}, "power of two") for name in NAMES),
        *((name, {"resolution": 4}, "at least 8") for name in FIXED),
        *((name, {"precision": "float16"}, "precision must be float32 or bfloat16, not 'float16'") for name in NAMES),
        *((name, {"batch": 1}, "batch must be at least 2") for name in FIXED),
        *((name, {"ema": 1.0}, "ema must be") for name in FIXED),
        *((name, {"drift": 0.1}, f"unknown {name} settings drift; known are .*batch, ") for name in FIXED),
        ("sngan", {"decay_from": 1.5}, "decay_from must be from 0 to 1, not 1.5"),
        ("cramergan", {"penalty_norm": "width"}, "penalty_norm must be image or height, not 'width'"),
        ("mmdgan", {"clip": 0.0}, "clip must be positive"),
    ],
)
def test_impossible_settings_are_named(name, settings, message):
    with pytest.raises(ValueError, match=message):
        small(name, **settings)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_bytes_on_a_gpu(name, precision, tmp_path):
    for folder in "ab":
        run(name, tmp_path / folder, precision=precision, device="cuda")
    assert exported(tmp_path / "a") == exported(tmp_path / "b")
