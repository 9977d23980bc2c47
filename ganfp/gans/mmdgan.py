"""MMDGAN: the maximum mean discrepancy of learned features (Binkowski et al. 2018)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganfp.gans.base import Numbers, Stage
from ganfp.gans.dcgan import DCGANConfig, FeatureGAN
from ganfp.gans.losses import activation_penalty, mmd_critic, mmd_generator, mmd_witness


@dataclass(frozen=True)
class MMDGANConfig(DCGANConfig):
    """What an MMDGAN is and how it is trained; the defaults are the paper's (official code, 128 px)."""

    features: int = 16
    gradient_penalty: float = 1.0
    activation_penalty: float = 1.0
    constant_diagonal: bool = False  # True: the official code's biased distance; see `mmd_generator`


class MMDGAN(FeatureGAN):
    """The two losses."""

    Config = MMDGANConfig

    def critic_loss(self, critic: nn.Module, real: Tensor, fake: Tensor, stage: Stage, numbers: Numbers):
        """Minus the squared discrepancy, with a gradient penalty and a penalty on activations."""
        layers = critic.layers(torch.cat([real, fake]))
        h_real, h_fake = layers[-1].chunk(2)
        loss = mmd_critic(h_real, h_fake, self.config.constant_diagonal)
        penalty = self.penalty(lambda x: mmd_witness(critic(x), h_real, h_fake), real, fake, numbers)
        size = 2 * activation_penalty(layers)  # the mean over real images plus the mean over generated ones
        total = loss + self.config.gradient_penalty * penalty + self.config.activation_penalty * size
        return total, {"distance": -loss, "penalty": penalty, "size": size}

    def generator_loss(self, critic: nn.Module, fake: Tensor, stage: Stage, real: Tensor) -> Tensor:
        return mmd_generator(*critic(torch.cat([real, fake])).chunk(2), self.config.constant_diagonal)
