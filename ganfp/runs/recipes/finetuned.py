"""Generators that are trained on from where another one stopped (page x6)."""

from dataclasses import dataclass, replace
from operator import attrgetter
from typing import ClassVar

from ganfp.files import read_tensors
from ganfp.gans import training
from ganfp.runs.recipes.base import Recipe
from ganfp.runs.recipes.gans import GAN
from ganfp.seeding import deterministic


@dataclass(frozen=True)
class FineTuned(Recipe):
    """A finished GAN that is shown about ``seen`` images more, in another order, with other latents and new optimisers.

    ``generator`` and ``critic`` hold the weights of ``gan``, which may be shipped.  The learning rate is a tenth of the
    first and stays, and the average of the weights is a short one: at the end of a long training both hardly move.
    """

    kind = "finetuned"
    generator: Recipe
    critic: Recipe
    gan: GAN
    seen: int
    seed: int

    replica: ClassVar[int] = 0
    name = property(attrgetter("gan.name"))
    resolution = property(attrgetter("gan.resolution"))

    def needs(self) -> list[Recipe]:
        return [self.generator, self.critic, self.gan.images]

    def modules(self) -> tuple[str, ...]:
        return self.gan.modules()

    def cost(self) -> float:
        return self.gan.cost() * self.seen / self.gan.config.total_images

    def make(self, folder, paths, device, progress) -> None:
        before = self.gan.config
        config = replace(before, learning_rate=before.learning_rate / 10, decay_from=1.0, ema=0.9)
        seeds = training.Seeds.all(self.seed)
        with deterministic():
            more = training.Training(self.gan.name, config, seeds, self.gan.training_set(paths), device)
            weights, _ = read_tensors(paths(self.generator) / training.GENERATOR, device)
            for network in (more.generator, more.average):
                network.load_state_dict(weights)
            more.critic.load_state_dict(read_tensors(paths(self.critic) / training.CRITIC, device)[0])
            more.seen = before.total_images
            while (done := more.seen - before.total_images) < self.seen:
                progress(done / self.seen)
                more.step()
        more.export_generator(folder)
