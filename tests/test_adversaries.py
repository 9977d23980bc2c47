"""Adversaries: they stay within what they are allowed, in bytes, and do what they say."""

import numpy as np
import pytest
import torch

from ganfp import adversaries
from ganfp.adversaries import pgd, rounded, scorer
from ganfp.attributors import attributor_class

SIDE, EACH = 16, 40
SMALL = {"fmap_base": 64, "fmap_max": 8, "images": 640, "batch": 16, "learning_rate": 0.005, "checks": 1, "flip": False}
OTHERS = {"knn": {}, "eigenface": {}, "prnu": {"sigma": 2.0, "levels": 1}}
SETTINGS = OTHERS | {"cnn": SMALL, "visnet": SMALL | {"images": 64}}


@pytest.fixture(scope="module")
def data(one_thread):
    """Three sources: noise on grey, and two patterns on it."""
    rng = np.random.default_rng(0)
    x = rng.normal(128, 20, (3 * EACH, 3, SIDE, SIDE))
    board = 16.0 * (np.indices((SIDE, SIDE)).sum(axis=0) % 2)
    stripes = 16.0 * (np.arange(SIDE) % 2)
    labels = np.repeat(["board", "none", "stripes"], EACH)
    x[labels == "board"] += board
    x[labels == "stripes"] += stripes
    return x.round().clip(0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module")
def fitted(data):
    return {method: attributor_class(method)(**settings).fit(*data) for method, settings in SETTINGS.items()}


@pytest.fixture(params=SETTINGS)
def attributor(fitted, request):
    return fitted[request.param]


@pytest.mark.parametrize("norm", adversaries.NORMS)
@pytest.mark.parametrize("strength", [1, 2.5, 8])
def test_every_image_stays_within_its_ball_and_is_bytes(attributor, data, norm, strength):
    images, labels = data[0][::6], data[1][::6]
    before = images.copy()
    after = pgd(attributor, images, attributor.columns(labels), strength, norm=norm, steps=3)
    assert after.dtype == np.uint8 and after.shape == images.shape and (images == before).all()
    change = after.astype(float) - images
    size = np.abs(change).max() if norm == "linf" else np.sqrt((change**2).mean(axis=(1, 2, 3))).max()
    assert 0 < size <= strength


@pytest.mark.parametrize("goal", adversaries.GOALS)
def test_it_lowers_the_margin_and_its_seed_decides(attributor, data, goal):
    images, labels = data[0][::6], data[1][::6]
    true = attributor.columns(labels)
    columns, sign = (true, 1) if goal == "removal" else ((true + 1) % 3, -1)
    score = scorer(attributor, images)

    def margin(x):
        with torch.no_grad():
            return sign * adversaries.margins(score(torch.from_numpy(x).float()), torch.from_numpy(columns))

    after = pgd(attributor, images, columns, 4, goal, steps=4, seed=1)
    assert (margin(after) < margin(images)).float().mean() > 0.9
    assert (after == pgd(attributor, images, columns, 4, goal, steps=4, seed=1)).all()


@pytest.mark.parametrize("norm", adversaries.NORMS)
@pytest.mark.parametrize("goal", adversaries.GOALS)
def test_who_adapts_stays_within_the_ball_and_deceives_more(fitted, data, goal, norm):
    cnn, images = fitted["cnn"], data[0][::6]
    true = cnn.attribute(images).columns
    columns = true if goal == "removal" else (true + 1) % 3
    deceived = []
    for attack in (pgd, adversaries.adaptive):
        after = attack(cnn, images, columns, 5, goal, norm, steps=2)
        change = after.astype(float) - images
        assert (np.abs(change).max() if norm == "linf" else np.sqrt((change**2).mean(axis=(1, 2, 3))).max()) <= 5
        deceived.append(((cnn.attribute(after).columns != columns) == (goal == "removal")).sum())
    assert deceived[0] <= deceived[1]


def test_who_adapts_aims_at_every_other_source_and_leaves_alone_what_is_deceived(fitted, data, monkeypatch):
    cnn, images = fitted["cnn"], data[0][::6]
    true = cnn.attribute(images).columns
    other, asked = images[true != true[0]][0], []

    def helpless_but_once(attributor, some, aim, strength, goal, *settings):
        asked.append((goal, aim))
        return np.concatenate([other[None], some[1:]]) if len(asked) == 1 else some

    monkeypatch.setattr(adversaries, "pgd", helpless_but_once)
    after = adversaries.adaptive(cnn, images, true, 2)
    assert (after[0] == other).all() and (after[1:] == images[1:]).all()
    assert [goal for goal, _ in asked] == ["removal", "forgery", "forgery"]
    assert (asked[0][1] == true).all()
    assert {*zip(true[1:], asked[1][1], strict=True), *zip(true[1:], asked[2][1], strict=True)} == {
        (a, b) for a in range(3) for b in range(3) if a != b
    }


@pytest.mark.parametrize("method", ["eigenface", "prnu", "cnn", "visnet"])
def test_the_function_with_a_gradient_is_the_attributor(fitted, data, method):
    images = data[0][::10]
    with torch.no_grad():
        found = scorer(fitted[method], images)(torch.from_numpy(images).float())
    np.testing.assert_allclose(found.numpy(), fitted[method].scores(images), rtol=1e-3, atol=1e-4)


def test_what_stands_for_votes_is_the_mean_distance_of_the_nearest(fitted, data):
    images = data[0][:2]
    found = scorer(fitted["knn"], images)(torch.from_numpy(images).float())
    for c, name in enumerate(fitted["knn"].classes_):
        mine = data[0][data[1] == name].reshape(EACH, -1).astype(float)
        for i, image in enumerate(images.reshape(2, -1)):
            nearest = np.sort(((mine - image) ** 2).sum(axis=1))[: adversaries.NEIGHBOURS]
            assert float(found[i, c]) == pytest.approx(-nearest.mean(), rel=1e-4)


def test_against_a_linear_score_it_finds_the_corner_of_the_cube(data):
    """Of two classes the best change is known: every value goes as far as it may, by the sign of the weights."""
    two = data[1] != "none"
    linear = attributor_class("eigenface")().fit(data[0][two], data[1][two])
    images, columns = data[0][two][:5], linear.columns(data[1][two][:5])
    after = pgd(linear, images, columns, 3, steps=6)
    direction = np.sign(linear.weights_[1 - columns] - linear.weights_[columns]).reshape(images.shape)
    assert ((images > 2) & (images < 253)).all()
    assert (after == images + 3 * direction).mean() > 0.995


def textbook(model, images, columns, strength, goal, norm, steps, seed):
    """PGD as Madry et al. print it: up the cross-entropy from a random start, rounded at the end, towards the image."""
    logits = scorer(model, images)
    x, wanted = torch.from_numpy(images).float(), torch.from_numpy(columns)
    random = torch.Generator().manual_seed(seed)
    change = strength * (2 * torch.rand(x.shape, generator=random) - 1) / (1 if norm == "linf" else 2)
    for _ in range(steps):
        change.requires_grad_()
        loss = torch.nn.functional.cross_entropy(logits(x + change), wanted, reduction="sum")
        (slope,) = torch.autograd.grad(loss if goal == "removal" else -loss, change)
        step = 2.5 * strength / steps
        with torch.no_grad():
            if norm == "linf":
                change = (change + step * slope.sign()).clamp(-strength, strength)
            else:
                change = change + step * slope / slope.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(1e-12)
                change = change / (change.square().mean(dim=(1, 2, 3), keepdim=True).sqrt() / strength).clamp(1)
    return (x + change.detach().trunc()).clamp(0, 255).to(torch.uint8).numpy()


@pytest.mark.parametrize(("norm", "strength", "steps"), [("linf", 3, 7), ("linf", 6, 20), ("l2", 1.5, 7), ("l2", 3, 9)])
@pytest.mark.parametrize("goal", adversaries.GOALS)
@pytest.mark.parametrize("method", ["eigenface", "cnn", "visnet"])
def test_it_is_no_weaker_than_the_textbook(fitted, data, method, goal, norm, strength, steps):
    """At strengths, steps and starts that no page has, on images that were named rightly."""
    model, (images, labels) = fitted[method], data
    images = images[(model.predict(images) == labels)][::5]
    true = model.attribute(images).columns
    columns = true if goal == "removal" else (true + 1) % 3
    after = [attack(model, images, columns, strength, goal, norm, steps, seed=8) for attack in (pgd, textbook)]
    ours, theirs = (((model.attribute(x).columns != columns) == (goal == "removal")).sum() for x in after)
    assert ours >= theirs - 1  # another start may find one more


def test_rounding_never_leaves_the_ball():
    x = torch.full((4, 3, 8, 8), 250.0)
    change = 6 * (torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) - 0.2)
    for strength in (0.4, 1, 1.5, 3):
        done = rounded(x, change, strength, "l2")
        assert (done == done.round()).all() and done.max() <= 255
        assert ((done - x).square().mean(dim=(1, 2, 3)).sqrt() <= strength).all()


def test_a_stamp_moves_every_image_as_far_as_said(fitted, data):
    images, marks = data[0][:8], fitted["prnu"].fingerprints_
    after = adversaries.stamped(images, 4, np.repeat(marks[:1], 8, 0), np.repeat(marks[1:2], 8, 0))
    rms = np.sqrt(((after.astype(float) - images) ** 2).mean(axis=(1, 2, 3)))
    np.testing.assert_allclose(rms, 4, atol=0.1)
    before, now = (fitted["prnu"].scores(x)[:, :2] for x in (images, after))
    assert (now[:, 1] - now[:, 0] > before[:, 1] - before[:, 0]).all()


def test_blind_attacks_leave_what_has_nothing_fine_in_it():
    flat = np.full((2, 3, SIDE, SIDE), 77, np.uint8)
    assert (adversaries.denoised(flat) == flat).all() and (adversaries.resampled(flat) == flat).all()


def test_quality_by_hand():
    a = np.zeros((1, 3, 2, 2), np.uint8)
    assert adversaries.psnr(a, a + 1) == pytest.approx(20 * np.log10(255))
    assert adversaries.psnr(a, a) == np.inf


def test_a_network_is_hardened_on_what_deceives_it_then(fitted, data, monkeypatch):
    """What it is shown is within the ball, lowers the margin of what it says itself, and knows no label; the ball
    grows from nothing."""
    cnn, images, shown = fitted["cnn"], data[0][::6], []

    def train(some, labels, change, progress):
        first, early, late = (change(some, np.arange(len(some)) + round(at * cnn.images)) for at in (0.15, 0.4, 0.9))
        assert (first == some).all() and 0 < np.abs(early.astype(int) - images).max() <= 2
        shown.append(late)
        return cnn

    monkeypatch.setattr(cnn, "fine_tune", train)
    for labels in (data[1][::6], data[1][::6][::-1]):
        assert adversaries.harden(cnn, images, labels, 4) is cnn
    assert (shown[0] == shown[1]).all() and 0 < np.abs(shown[0].astype(int) - images).max() <= 4
    said = torch.from_numpy(cnn.attribute(images).columns)
    before, after = (adversaries.margins(torch.from_numpy(cnn.scores(x)), said) for x in (images, shown[0]))
    assert (after < before).float().mean() > 0.9


def test_what_cannot_be_is_refused(fitted, data):
    cnn, images = fitted["cnn"], data[0][:1]
    with pytest.raises(ValueError, match="goal is one of removal, forgery"):
        pgd(cnn, images, np.zeros(1, int), 2, goal="theft")
    with pytest.raises(ValueError, match="strength, in grey levels, and steps must be 1 or more, not 0.5"):
        pgd(cnn, images, np.zeros(1, int), 0.5)
    with pytest.raises(TypeError, match="no gradient is known of object"):
        scorer(object(), images)
