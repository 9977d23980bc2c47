"""The training loop: repeatable, resumable to the same bytes, clear about what went wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from ganfp.gans import config_from, training
from ganfp.gans.loop import DivergedError, Seeds
from ganfp.gans.progan import ProGANConfig
from ganfp.gans.training import Training, load_critic, load_generator, train

CONFIG = ProGANConfig(
    resolution=8, latent=8, fmap_base=64, fmap_max=8, phase_images=64, total_images=320, batch=8, batch_base=64, ema=0.9
)
IMAGES = np.random.default_rng(0).integers(0, 256, (50, 3, 8, 8), dtype=np.uint8)


ONE = Seeds.all(1)


def run(folder, seeds=ONE, images=IMAGES, config=CONFIG, **options):
    return train("progan", config, seeds, images, folder, **options)


def exported(folder):
    return [(folder / name).read_bytes() for name in (training.GENERATOR, training.CRITIC)]


def test_same_seeds_same_bytes_and_each_seed_matters(tmp_path):
    varied = {"a": ONE, "b": Seeds(1, 1, 1), "i": Seeds(2, 1, 1), "n": Seeds(1, 2, 1), "o": Seeds(1, 1, 2)}
    for name, seeds in varied.items():
        assert run(tmp_path / name, seeds)
    a, b, *others = (exported(tmp_path / name) for name in "abino")
    assert a == b
    assert all(a[0] != other[0] for other in others)


@pytest.mark.parametrize(("steps", "precision"), [(1, "float32"), (7, "float32"), (20, "float32"), (7, "bfloat16")])
def test_a_killed_training_resumes_to_the_same_bytes(tmp_path, steps, precision, monkeypatch):
    config = replace(CONFIG, precision=precision)
    run(tmp_path / "whole", config=config)

    class Killed(Exception):
        pass

    def stop(share, calls=[]):  # noqa: B006
        calls.append(share)
        if len(calls) == steps:
            raise Killed

    monkeypatch.setattr(training, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    with pytest.raises(Killed):
        run(tmp_path / "killed", config=config, progress=stop)
    assert run(tmp_path / "killed", config=config, resume=True)
    assert exported(tmp_path / "killed") == exported(tmp_path / "whole")
    rows = [json.loads((tmp_path / name / training.HISTORY).read_text())["rows"] for name in ("killed", "whole")]
    assert rows[0] == rows[1]


def test_budget_stops_early_and_leaves_a_generator_at_its_own_blend(tmp_path):
    config = replace(CONFIG, total_images=10**7, phase_images=10**6)
    assert not run(tmp_path, config=config, budget=0.05)
    generator, meta = load_generator(tmp_path)
    assert 0 < meta["seen"] < config.total_images and meta["resolution"] == 4
    assert training.sample(tmp_path, 5, seed=0).shape == (5, 3, 4, 4)
    with pytest.raises(ValueError, match="budget"):
        run(tmp_path / "x", budget=0)


def test_training_twins_part_when_the_first_swapped_image_is_seen():
    swapped = IMAGES.copy()
    swapped[7] = 255 - swapped[7]
    config = replace(CONFIG, phase_images=10**6, batch_base=8)  # stay at 4 px, 8 images a step
    one, other = (Training("progan", config, Seeds.all(3), images) for images in (IMAGES, swapped))
    first_seen = int(np.flatnonzero(one.indices(np.arange(len(IMAGES))) == 7)[0])

    def equal():
        pairs = zip(one.generator.state_dict().values(), other.generator.state_dict().values(), strict=True)
        return all(torch.equal(a, b) for a, b in pairs)

    while one.seen + 8 <= first_seen:
        one.step()
        other.step()
    assert equal()
    one.step()
    other.step()
    assert not equal()


def test_every_epoch_shows_every_image_once():
    order = Training("progan", CONFIG, Seeds.all(1), IMAGES).indices(np.arange(100))
    assert sorted(order[:50]) == sorted(order[50:]) == list(range(50))
    assert list(order[:50]) != list(order[50:])


def test_average_follows_its_definition():
    trained = Training("progan", CONFIG, Seeds.all(1), IMAGES)
    before = trained.average.first.weight.clone()
    trained.step()
    expected = 0.9 * before + 0.1 * trained.generator.first.weight
    torch.testing.assert_close(trained.average.first.weight, expected, atol=1e-6, rtol=1e-5)


def test_a_loss_that_is_not_finite_is_an_error_and_never_saved(tmp_path):
    trained = Training("progan", CONFIG, Seeds.all(1), IMAGES)
    with torch.no_grad():
        trained.critic.score.bias.fill_(float("nan"))
    with pytest.raises(DivergedError, match="loss is nan after"):
        for _ in range(10):
            trained.step()
    with pytest.raises(DivergedError):
        trained.save(tmp_path / "checkpoint.safetensors")
    assert not list(tmp_path.iterdir())


def test_refuses_to_mix_trainings(tmp_path):
    run(tmp_path, budget=0.05)
    with pytest.raises(FileExistsError, match="resume"):
        run(tmp_path)
    with pytest.raises(ValueError, match="other seeds"):
        run(tmp_path, Seeds.all(2), resume=True)
    with pytest.raises(ValueError, match="uint8"):
        run(tmp_path / "b", images=IMAGES.astype(np.float32))
    with pytest.raises(ValueError, match="fewer than one batch"):
        run(tmp_path / "c", images=IMAGES[:4])


def test_damaged_files_are_named(tmp_path):
    run(tmp_path)
    (tmp_path / training.GENERATOR).write_bytes(b"not a tensor")
    with pytest.raises(ValueError, match="generator.safetensors is damaged"):
        load_generator(tmp_path)
    critic, _ = load_critic(tmp_path)
    assert critic(torch.zeros(4, 3, 8, 8)).shape == (4,)


def test_samples_do_not_depend_on_the_batch(tmp_path, monkeypatch):
    run(tmp_path)
    whole = training.sample(tmp_path, 7, seed=5)
    monkeypatch.setattr(training, "SAMPLING_BATCH", 3)
    few = training.sample(tmp_path, 7, seed=5)
    assert np.abs(whole.astype(int) - few).max() <= 1  # another batch size may round another way


def test_unknown_settings_are_named():
    with pytest.raises(ValueError, match="unknown GAN 'stylegan'; known are progan"):
        config_from("stylegan", {})
    with pytest.raises(ValueError, match="unknown progan settings depth; known are batch"):
        config_from("progan", {"depth": 3})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_same_seeds_same_bytes_on_a_gpu(tmp_path):
    for name in "ab":
        run(tmp_path / name, device="cuda")
    assert exported(tmp_path / "a") == exported(tmp_path / "b")
