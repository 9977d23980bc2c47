"""CramerGAN: the energy distance of learned features (Bellemare et al. 2017)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganfp.gans.base import Numbers, Stage
from ganfp.gans.dcgan import DCGANConfig, FeatureGAN
from ganfp.gans.losses import cramer_critic, cramer_generator, cramer_witness


@dataclass(frozen=True)
class CramerGANConfig(DCGANConfig):
    """What a CramerGAN is and how it is trained; the defaults are the paper's (official code, 128 px)."""


class CramerGAN(FeatureGAN):
    """The two losses."""

    Config = CramerGANConfig
    fakes = 2  # generated images are compared with others

    def critic_loss(self, critic: nn.Module, real: Tensor, fake: Tensor, stage: Stage, numbers: Numbers):
        """The energy distance's surrogate with its gradient penalty.

        That is taken between real images and the generated ones compared with them; the official code's: the others.
        """
        h_real, h_fake, h_other = critic(torch.cat([real, fake])).chunk(3)
        loss = cramer_critic(h_real, h_fake, h_other)
        penalty = self.penalty(lambda x: cramer_witness(critic(x), h_other), real, fake[: len(real)], numbers)
        return loss + self.config.gradient_penalty * penalty, {"distance": -loss, "penalty": penalty}

    def generator_loss(self, critic: nn.Module, fake: Tensor, stage: Stage, real: Tensor) -> Tensor:
        return cramer_generator(*critic(torch.cat([real, fake])).chunk(3))
