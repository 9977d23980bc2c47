"""The attribution network and its training."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ganfp.attributors import Attributor, neural
from ganfp.attributors.cnn import CNN
from ganfp.attributors.network import AttributionNetwork
from ganfp.attributors.neural import rate
from ganfp.attributors.summary import layers
from ganfp.images import to_float
from ganfp.layers import count_parameters
from ganfp.paper import published as paper
from ganfp.runs import profiles

TINY = dict(fmap_base=128, fmap_max=16, images=4000, batch=16, learning_rate=0.003, checks=5, seed=3)


def sources(count, seed):
    """Smooth pictures; source b carries a faint fixed pattern."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(60, 190, (2 * count, 3, 1, 1)) + np.zeros((2 * count, 3, 16, 16))
    pattern = np.random.default_rng(0).choice([-10, 10], (3, 16, 16))
    base[count:] += pattern
    return base.round().astype(np.uint8), np.repeat(["a", "b"], count)


@pytest.fixture(scope="module")
def fitted():
    return CNN(**TINY).fit(*sources(100, 1), validation=sources(40, 2))


def test_parameters_and_operations_at_profile_paper_and_one_step():
    size = profiles.load("paper").methods["cnn"]
    for classes in (5, 11):
        network = AttributionNetwork(128, classes, size.fmap_base, size.fmap_max)
        assert count_parameters(network) == paper.load()["parameters"][f"classifier, {classes} classes"]
    assert sum(x.macs for x in layers(network, 3, 128, 128)) == 577_508_864  # 577.5 million
    optimiser = torch.optim.Adam(network.parameters(), size.learning_rate, (0.0, 0.99))
    images, codes = torch.randn(2, 3, 128, 128), torch.tensor([0, 1])
    before = F.cross_entropy(network(images), codes)
    before.backward()
    optimiser.step()
    assert F.cross_entropy(network(images), codes) < before


def test_output_shapes_follow_figure_2a():
    found = layers(AttributionNetwork(128, 11), 3, 128, 128)
    ends = [x.output for x in found if "mean" in x.kind or x.kind == "dense"]
    assert ends == [(32, 64, 64), (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512,), (11,)]


def test_learns_a_faint_pattern_and_keeps_its_best_check(fitted):
    images, labels = sources(100, 4)
    assert (fitted.predict(images) == labels).mean() > 0.9
    best = max(check["accuracy"] for check in fitted.history_)
    assert fitted.chosen_["validation_accuracy"] == best


def test_scores_are_features_times_fingerprints(fitted):
    images, _ = sources(5, 5)
    bias = fitted.network_.classify.bias.detach().numpy()
    expected = fitted.features(images) @ fitted.fingerprints_.T + bias
    np.testing.assert_allclose(fitted.scores(images), expected, atol=1e-4)


def test_same_seed_same_weights_and_another_seed_another(fitted):
    again = CNN(**TINY).fit(*sources(100, 1), validation=sources(40, 2))
    other = CNN(**{**TINY, "seed": 4}).fit(*sources(100, 1), validation=sources(40, 2))
    assert np.array_equal(again.fingerprints_, fitted.fingerprints_)
    assert not np.array_equal(other.fingerprints_, fitted.fingerprints_)


def test_round_trip_through_files(fitted, tmp_path):
    fitted.save(tmp_path)
    images, _ = sources(5, 6)
    loaded = Attributor.load(tmp_path)
    assert isinstance(loaded, CNN) and np.array_equal(loaded.scores(images), fitted.scores(images))


def test_test_labels_play_no_part():
    images, labels = sources(20, 7)
    short = {**TINY, "images": 200}
    one = CNN(**short).fit(images, labels)
    assert one.temperature_ == 1 and one.chosen_ == {}  # without validation nothing is chosen


def test_prediction_does_not_depend_on_the_batch(fitted, monkeypatch):
    images, _ = sources(20, 8)
    whole = fitted.scores(images)
    monkeypatch.setitem(neural.PREDICT_PIXELS, "cpu", 7 * fitted.resolution_**2)
    np.testing.assert_allclose(fitted.scores(images), whole, atol=1e-4)


def test_a_loss_that_is_not_finite_is_an_error():
    with pytest.raises(FloatingPointError, match="learning_rate"):
        CNN(**{**TINY, "learning_rate": 1e30, "images": 320}).fit(*sources(20, 1))


def test_reads_images_as_the_generators_write_them():
    network = AttributionNetwork(8, 2, 64, 8)
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    assert network(to_float(images)).shape == (2, 2)
    with pytest.raises(ValueError, match="power of two"):
        AttributionNetwork(20, 2)


def test_fine_tuning_goes_on_from_the_weights_and_shows_changed_images(fitted, tmp_path):
    fitted.save(tmp_path)
    negative = sources(40, 6)
    negative = (255 - negative[0], negative[1])
    seen = []

    def change(images, numbers):
        seen.extend(numbers.tolist())
        return 255 - images

    tuned = CNN.load(tmp_path, images=1600, learning_rate=0.001)
    start = {name: value.clone() for name, value in tuned.network_.state_dict().items()}
    tuned.fine_tune(*sources(100, 1), change, negative)
    assert seen == list(range(1600))  # a number of its own for each showing
    assert (tuned.predict(negative[0]) == negative[1]).mean() > 0.9
    moved = [
        float((value - start[name]).norm() / start[name].norm()) for name, value in tuned.network_.state_dict().items()
    ]
    assert 0 < np.median(moved) < 0.5
    again = CNN.load(tmp_path, images=1600, learning_rate=0.001)
    again.fine_tune(*sources(100, 1), lambda images, _: 255 - images, negative)
    assert all(
        torch.equal(a, b) for a, b in zip(*(x.network_.state_dict().values() for x in (tuned, again)), strict=True)
    )
    with pytest.raises(ValueError, match="not among the training labels: c"):
        again.fine_tune(sources(1, 1)[0], ["a", "c"], change)


def test_the_learning_rate_rises_and_falls_on_lines():
    assert [rate(step, 8, 0.25, 0.5) for step in range(1, 9)] == [0.5, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    assert {rate(step, 8, 0.0, 0.0) for step in range(1, 9)} == {1}
    assert [rate(step, 4, 0.0, 1.0) for step in range(1, 5)] == [1, 0.75, 0.5, 0.25]
    with pytest.raises(ValueError, match="decay"):
        CNN(**{**TINY, "rise": 0.6, "decay": 0.5}).fit(*sources(8, 1))


def test_progress_is_told_and_one_pass_gives_features_too(fitted):
    told: list[float] = []
    CNN(**{**TINY, "images": 160}).fit(*sources(20, 1), progress=told.append)
    assert told == [step / 10 for step in range(1, 11)]
    images, _ = sources(5, 5)
    found = fitted.attribute(images)
    np.testing.assert_array_equal(found.features, fitted.features(images))
    np.testing.assert_allclose(found.scores, fitted._scores(images), atol=1e-6)
    assert fitted.attribute(images[:0]).features.shape == (0, found.features.shape[1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_fits_repeats_itself_and_its_weights_load_on_the_cpu(tmp_path):
    settings = {**TINY, "device": "cuda"}
    one, again = (CNN(**settings).fit(*sources(100, 1), validation=sources(40, 2)) for _ in range(2))
    images, labels = sources(100, 4)
    assert np.array_equal(one.fingerprints_, again.fingerprints_) and one.score(images, labels) > 0.8
    one.save(tmp_path)
    np.testing.assert_allclose(Attributor.load(tmp_path).scores(images), one.scores(images), atol=1e-2)
    tuned = CNN.load(tmp_path, device="cuda", images=320)
    tuned.fine_tune(*sources(100, 1), lambda images, numbers: 255 - images, sources(40, 2))
    assert np.isfinite(tuned.scores(images)).all()
