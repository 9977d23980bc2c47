"""ProGAN: its size at the paper's profile, its growth, its loss."""

import numpy as np
import pytest
import torch

from ganfp.gans.progan import Critic, Generator, ProGAN, ProGANConfig, enlarge, gradient_penalty, mixing_weights
from ganfp.gans.training import Seeds, Training
from ganfp.layers import count_parameters
from ganfp.runs import profiles

SMALL = ProGANConfig(resolution=16, latent=8, fmap_base=64, fmap_max=8, phase_images=100, total_images=1000, batch=4)


def test_parameters_at_profile_paper_and_one_step():
    config = profiles.load("paper").gans["progan"]
    assert count_parameters(Generator(config)) == 22_933_394  # the official 22.93 million
    assert count_parameters(Critic(config)) == 22_941_313  # 22.94 million
    images = np.random.default_rng(0).integers(0, 256, (512, 3, 128, 128), dtype=np.uint8)
    training = Training("progan", config, Seeds.all(1), images)
    training.config = Short(config)
    training.step()
    training.flush()  # raises unless every loss is finite
    assert training.seen == 2 and training.resolution == 128


class Short:
    """A configuration at its last stage, with two images a step."""

    def __init__(self, config):
        self.config = config

    def __getattr__(self, name):
        return getattr(self.config, name)

    def stage(self, seen):
        from ganfp.gans.base import Stage

        return Stage(128, 1.0, 2, self.config.learning_rate_128)


def test_the_papers_schedule():
    config = ProGANConfig()
    seen = [0, 599_999, 600_000, 900_000, 1_200_000, 5_400_000, 5_700_000, 6_000_000, 11_999_999]
    stages = [config.stage(n) for n in seen]
    assert [s.resolution for s in stages] == [4, 4, 8, 8, 8, 128, 128, 128, 128]
    assert [s.blend for s in stages] == [1, 1, 0, 0.5, 1, 0, 0.5, 1, 1]
    assert [config.stage(n).batch for n in (0, 600_000, 1_800_000, 3_000_000, 4_200_000, 5_400_000)] == [
        512, 256, 128, 64, 32, 32,
    ]  # fmt: skip
    assert stages[0].learning_rate == 0.001 and stages[-1].learning_rate == 0.0015


def test_fade_in_begins_and_ends_without_a_jump():
    torch.manual_seed(0)
    generator, critic = Generator(SMALL), Critic(SMALL)
    z = torch.randn(4, 8)
    torch.testing.assert_close(generator(z, 8, blend=0.0), enlarge(generator(z, 4)))
    torch.testing.assert_close(generator(z, 8, blend=1 - 1e-7), generator(z, 8), atol=1e-5, rtol=1e-5)
    small = torch.randn(4, 3, 8, 8)
    torch.testing.assert_close(critic(enlarge(small), blend=0.0), critic(small), atol=1e-5, rtol=1e-5)


def test_gradient_penalty_of_a_critic_whose_slope_is_known():
    random = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 6, 3, 4, 4, generator=random)
    slope = 3 / 48**0.5  # the gradient of slope * sum(x) over 48 pixels has norm 3
    penalty = gradient_penalty(lambda x: slope * x.flatten(1).sum(1), real, fake, mixing_weights(6, random))
    assert penalty.item() == pytest.approx((3 - 1) ** 2, rel=1e-5)


def test_generator_learns_in_the_direction_of_the_critic():
    torch.manual_seed(0)
    gan, generator, critic = ProGAN(SMALL), Generator(SMALL), Critic(SMALL)
    stage = SMALL.stage(10**6)
    z = gan.latents(8, torch.Generator().manual_seed(0))
    before = critic(generator(z)).mean()
    optimiser = torch.optim.Adam(generator.parameters(), 1e-3, betas=(0.0, 0.99))
    gan.generator_loss(critic, generator(z), stage).backward()
    optimiser.step()
    assert critic(generator(z)).mean() > before


def test_refuses_impossible_settings():
    with pytest.raises(ValueError, match="power of two"):
        ProGANConfig(resolution=48)
    with pytest.raises(ValueError, match="multiples of 4"):
        ProGANConfig(resolution=16, batch=6, batch_base=64)
