"""The step of tensors alone: the same numbers as the plain loop, nothing that a graph could not replay, few kernels."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks import steps
from ganfp import layers
from ganfp.attributors.base import Ahead
from ganfp.attributors.cnn import CNN
from ganfp.attributors.neural import made_ahead
from ganfp.attributors.optimisers import MOMENTUM, Muon
from ganfp.attributors.visnet import VisNet
from ganfp.captured import Losses, Rows
from ganfp.gans import GANS, config_from, ddpm
from ganfp.gans.ddpm import DDPMConfig
from ganfp.gans.loop import DivergedError, Seeds, permutation
from ganfp.gans.training import CHECKPOINT, Training
from ganfp.seeding import deterministic, mix

SIZE = dict(resolution=16, latent=8, fmap_base=128, fmap_max=16, batch=8, learning_rate=0.002, decay_from=0.5, ema=0.9)
GROWTH = dict(phase_images=3 * 16, batch_base=64, total_images=300)
BLOCK = 6  # steps whose numbers come together
SEEDS = Seeds(1, 2, 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (70, 3, 16, 16), dtype=np.uint8)


def config(name, **more):
    growth = GROWTH if name == "progan" else {"total_images": 200, "critic_steps": 2}
    return config_from(name, {**SIZE, **growth, **more})


def bytes_of(*networks):
    return [value.detach().contiguous().numpy().tobytes() for one in networks for value in one.state_dict().values()]


# ---------------------------------------------------------------- against the plain loop


def plain_loop(name, config, steps):
    """The training as a textbook writes it: numbers in Python, drawn where they are needed, one image after another."""
    start = Training(name, config, SEEDS, IMAGES)
    gan, generator, critic, average = start.gan, start.generator, start.critic, start.average
    seen, resolution = 0, None
    for iteration in range(steps):
        stage = config.stage(seen)
        if stage.resolution != resolution:
            resolution = stage.resolution
            betas = tuple(map(float, config.betas))
            adams = [torch.optim.Adam(n.parameters(), betas=betas, eps=1e-8, fused=True) for n in (critic, generator)]
        for adam in adams:
            adam.param_groups[0]["lr"] = stage.learning_rate
        random = torch.Generator().manual_seed(mix(SEEDS.noise, iteration))

        def made(latents, stage=stage):
            return torch.cat([generator(z, stage.resolution, stage.blend) for z in latents])

        def down(adam, loss):
            adam.zero_grad()
            loss.backward()
            for parameter in adam.param_groups[0]["params"] if gan.clip else ():
                torch.nn.utils.clip_grad_norm_(parameter, gan.clip)
            adam.step()

        for _ in range(config.critic_steps):
            places = range(seen, seen + stage.batch)
            order = [permutation(len(IMAGES), SEEDS.order, p // len(IMAGES))[p % len(IMAGES)] for p in places]
            real = torch.from_numpy(IMAGES[order]).float()
            if stage.resolution < config.resolution:
                real = F.avg_pool2d(real, config.resolution // stage.resolution).round()
            numbers = gan.numbers(stage, random)
            real = (real / 127.5 - 1).contiguous(memory_format=torch.channels_last)
            real = gan.real(real, stage, numbers)
            with torch.no_grad():
                fake = made(numbers["latents"])
            with layers.weights_fixed():
                loss, _ = gan.critic_loss(critic, real, fake, stage, numbers)
            down(adams[0], loss)
            seen += stage.batch
        critic.requires_grad_(False)
        fake = made([gan.latents(stage.batch, random) for _ in range(gan.fakes)])
        down(adams[1], gan.generator_loss(critic, fake, stage, real))
        critic.requires_grad_(True)
        with torch.no_grad():
            for kept, value in zip(average.parameters(), generator.parameters(), strict=True):
                kept.lerp_(value, 1 - config.ema)
            for kept, value in zip(average.buffers(), generator.buffers(), strict=True):
                kept.copy_(value)
    return bytes_of(generator, critic, average)


@pytest.mark.parametrize(("name", "precision"), [*((name, "float32") for name in GANS), ("progan", "bfloat16")])
def test_the_step_gives_the_bytes_of_the_plain_loop(name, precision, tmp_path, monkeypatch):
    """Through every stage and fade of ProGAN, over the ends of blocks, resumed in the middle of one."""
    monkeypatch.setattr("ganfp.captured.STEPS", BLOCK)
    size, count = config(name, precision=precision), 26 if name == "progan" else BLOCK + 4
    with deterministic():
        expected = plain_loop(name, size, count)
        one = Training(name, size, SEEDS, IMAGES)
        for done in range(count):
            if done == BLOCK + 2:
                one.save(tmp_path / CHECKPOINT)
                one = Training(name, size, SEEDS, IMAGES)
                one.restore(tmp_path / CHECKPOINT)
            one.step()
    assert name != "progan" or size.stage(one.seen).resolution == 16
    assert bytes_of(one.generator, one.critic, one.average) == expected


def test_two_trainings_in_two_threads_do_not_meet():
    def trained(found, name):
        torch.set_num_threads(1)  # it counts for each thread apart, and sums depend on it
        one = Training(name, config(name), SEEDS, IMAGES)
        for _ in range(4):
            one.step()
        found[name] = bytes_of(one.generator, one.critic)

    apart, together = {}, {}
    with deterministic():
        for name in ("progan", "sngan"):
            trained(apart, name)
        threads = [threading.Thread(target=trained, args=(together, name)) for name in apart]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert together == apart


def test_rows_come_back_as_they_were():
    rows = Rows(torch.device("cpu"))
    some = [
        {"a": torch.rand((), dtype=torch.float64) + i, "b": torch.arange(6, dtype=torch.int32).view(2, 3) * i,
         "c": torch.randint(0, 255, (2, 4), dtype=torch.uint8), "d": torch.rand(3)}
        for i in range(5)
    ]  # fmt: skip
    rows.begin(some[0])
    rows.fill(some)
    for wanted in some:
        found = rows.read()
        assert found.keys() == wanted.keys() and all(torch.equal(found[key], wanted[key]) for key in wanted)


def test_a_loss_that_is_not_finite_is_found_long_before_a_row_ends(monkeypatch):
    long = replace(config("progan"), total_images=10**9, phase_images=10**8, batch_base=8)
    one = Training("progan", long, SEEDS, IMAGES)
    with torch.no_grad():
        one.critic.score.bias.fill_(float("nan"))
    monkeypatch.setattr("ganfp.gans.loop.STEPS_BETWEEN_CHECKS", 10)
    with pytest.raises(DivergedError, match="loss is nan after 80 images"):
        for _ in range(11):
            one.step()


# ---------------------------------------------------------------- what a graph could not replay


class NothingLeaves(TorchDispatchMode):
    """Within it a step must not look at a number, ask for a shape that depends on one, or make a tensor of one."""

    FORBIDDEN = (
        "_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero", "masked_select", "_unique", "_unique2",
        "unique_dim", "bincount", "lift_fresh", "repeat_interleave", "randn", "rand", "normal_",
    )  # fmt: skip  # `scalar_tensor` fills where the gradient is, as `clamp` does in its backward pass

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function._schema.name.removeprefix("aten::")
        assert name not in self.FORBIDDEN, f"{name} in the step"
        if name in ("index", "index_put_"):
            indices = [x for x in tree_leaves(args[1]) if isinstance(x, torch.Tensor)]
            assert all(x.dtype != torch.bool for x in indices), "a shape that depends on numbers in the step"
        self.count += 1
        return function(*args, **(kwargs or {}))


@pytest.fixture
def sealed(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the step looks at a tensor from Python")

    for name in ("cpu", "numpy", "tolist", "item", "__bool__", "__float__", "__int__", "__index__", "pin_memory"):
        monkeypatch.setattr(torch.Tensor, name, refuse)


def counted(body):
    """Calls of a step after two others, in which optimisers make what they keep."""
    with NothingLeaves() as mode:
        body()
    return mode.count


def ready(name, resolution, fading):
    one = Training(name, config(name), SEEDS, IMAGES)
    while (stage := one.config.stage(one.seen)).resolution < resolution or (stage.blend < 1) != fading:
        one.seen += 16
    for _ in range(2):
        one.step()
    stage = one.config.stage(one.seen)
    one._coming.fill(one._drawn(stage))
    return lambda: one._body(stage)


@pytest.mark.parametrize(
    ("name", "resolution", "fading"),
    [("progan", 4, False), ("progan", 8, True), *((name, 16, False) for name in GANS)],
)
def test_a_gans_step_is_of_tensors_alone(name, resolution, fading, monkeypatch, request):
    body = ready(name, resolution, fading)
    request.getfixturevalue("sealed")
    counted(body)


def test_a_diffusion_models_step_is_of_tensors_alone(request):
    one = ddpm.Training("ddpm", DDPMConfig(16, 64, 8, total_images=320, batch=8, rise=16, ema_from=16), SEEDS, IMAGES)
    for _ in range(2):
        one.step()
    one._coming.fill(one._drawn(stage := one.config.stage(one.seen)))
    request.getfixturevalue("sealed")
    counted(lambda: one._body(stage))


def test_changes_that_may_be_made_ahead_are_the_same_and_others_wait():
    codes, calls = np.arange(len(IMAGES)) % 2, []

    def inverted(images, numbers):
        calls.append(numbers[0])
        return 255 - images

    def trained(change):
        one = CNN(fmap_base=128, fmap_max=16, batch=8, images=160, checks=1)
        one.resolution_, one.classes_ = 16, np.arange(2)
        one.network_, one._sums = one._built(one._network, 0), Losses(torch.device("cpu"))
        ahead = [len(calls) - number for number in one._steps(IMAGES, codes, 20, change)]
        return bytes_of(one.network_), ahead

    waiting, behind = trained(inverted)
    assert behind == [0] * 20  # each is made in its own step
    calls.clear()
    early, before = trained(Ahead(inverted))
    assert early == waiting and max(before) > 5


def test_items_are_made_while_the_one_before_is_used():
    threads, made = set(), []

    def items():
        for i in range(4):
            threads.add(threading.get_ident())
            made.append(i)
            yield i

    found = made_ahead(items())
    assert next(found) == 0
    while len(made) < 2:
        time.sleep(0.001)
    assert list(found) == [1, 2, 3] and threading.get_ident() not in threads


def test_an_error_in_what_is_made_ahead_is_raised():
    def items():
        yield 1
        raise OSError("the disk is gone")

    found = made_ahead(items())
    next(found)
    with pytest.raises(OSError, match="the disk is gone"):
        next(found)


def fitting(kind, **settings):
    size = dict(fmap_base=128, fmap_max=16, batch=8, images=80, checks=1)
    one = kind(**{**size, **settings})
    one.resolution_, one.classes_ = 16, np.arange(2)
    one.network_, one._sums = one._built(one._network, 0), Losses(torch.device("cpu"))
    training = one._steps(IMAGES, np.arange(len(IMAGES)) % 2, 10, None)
    for _ in range(2):
        next(training)
    return training.gi_frame.f_locals["body"]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (CNN, {}),
        (CNN, {"precision": "bfloat16", "flip": False}),
        (CNN, {"band": "high", "factor": 2}),
        (CNN, {"pool_at": 8, "boost": 3.0}),
        (VisNet, {}),
        (VisNet, {"logits": "inner"}),
    ],
)
def test_an_attributors_step_is_of_tensors_alone(kind, settings, request):
    body = fitting(kind, **settings)
    request.getfixturevalue("sealed")
    counted(body)


KERNELS = {"progan": 680, "sngan": 1010, "cramergan": 845, "mmdgan": 1385}


@pytest.mark.parametrize("name", KERNELS)
def test_a_gans_step_asks_for_no_more_kernels_than_it_did(name):
    assert steps.kernels(ready(name, 16, False)) <= KERNELS[name]


@pytest.mark.parametrize(("kind", "most"), [(CNN, 88), (VisNet, 655)])
def test_an_attributors_step_asks_for_no_more_kernels_than_it_did(kind, most):
    assert steps.kernels(fitting(kind)) <= most


# ---------------------------------------------------------------- optimisers, threads of a GPU


def test_muon_takes_the_steps_of_torchs_own():
    random = torch.Generator().manual_seed(0)
    for shape in ((5, 9), (9, 5)):
        start = torch.randn(shape, generator=random)
        ours, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
        rate = 0.02 * shape[1] ** 0.5
        one, other = Muon([ours], 0.02), torch.optim.Muon([theirs], rate, weight_decay=0.0, momentum=MOMENTUM)
        for _ in range(5):
            ours.grad = torch.randn(shape, generator=random)
            theirs.grad = ours.grad.clone()
            one.step()
            other.step()
        assert torch.equal(ours, theirs)


def test_a_backward_pass_in_another_thread_leaves_out_weights_all_the_same():
    layer, x = layers.EqualConv2d(3, 4), torch.randn(2, 3, 5, 5, requires_grad=True)
    with layers.input_gradients_only():
        y = layer(x).sum()
        thread = threading.Thread(target=lambda: y.backward(retain_graph=True))
        thread.start()
        thread.join()
    assert layer.weight.grad is None and x.grad is not None
    y.backward()
    assert layer.weight.grad is not None
