"""A diffusion model as a source of images, beside the GANs (page x10)."""

from dataclasses import dataclass

from ganfp.runs.recipes.gans import GAN

SECONDS = 6e-11  # of training on one core, per image and squared ``fmap_base`` and pixel, measured at 32 px


@dataclass(frozen=True)
class Diffusion(GAN):
    """A trained diffusion model; its files are those of a GAN, and it is sampled and shipped as one."""

    kind = "diffusion"

    def cost(self) -> float:
        return SECONDS * self.config.total_images * self.config.fmap_base**2
