"""The interface that every attribution method keeps: checks, probabilities, files."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from ganfp.attributors import Attributor, attributor_class, chosen, load
from ganfp.attributors.calibration import fit_temperature, softmax

SIZE = 16
NAMES = ("beta", "alpha", "gamma")


def sources(count: int, seed: int) -> tuple[np.ndarray, list[str]]:
    """Grey images of varying brightness, each with its source's fixed pattern and a little noise."""
    patterns = np.random.default_rng(7).normal(0, 6, (len(NAMES), 3, SIZE, SIZE))
    rng = np.random.default_rng(seed)
    which = rng.integers(0, len(NAMES), count)
    which[: len(NAMES)] = np.arange(len(NAMES))
    grey = rng.normal(128, 3, (count, 3, 1, 1)) + rng.normal(0, 2, (count, 3, SIZE, SIZE))
    images = np.clip(np.rint(grey + patterns[which]), 0, 255).astype(np.uint8)
    return images, [NAMES[i] for i in which]


TRAIN, VALIDATION, TEST = sources(120, 1), sources(60, 2), sources(60, 3)


@pytest.fixture(scope="module", params=["knn", "eigenface", "prnu"])
def fitted(request) -> Attributor:
    if request.param == "prnu":
        pytest.importorskip("pywt", reason="PRNU needs PyWavelets")
    return attributor_class(request.param)().fit(*TRAIN, validation=VALIDATION)


def damage(path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(content)


def test_scores_probabilities_and_prediction_agree(fitted):
    images, labels = TEST
    scores, shares = fitted.scores(images), fitted.predict_proba(images)
    assert fitted.classes_.tolist() == sorted(NAMES)
    assert scores.shape == shares.shape == (len(images), 3) and scores.dtype == np.float32
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-12)
    assert (fitted.predict(images) == fitted.classes_[scores.argmax(axis=1)]).all()
    if fitted.method != "knn":  # there vote shares can tie where scores do not
        assert (shares.argmax(axis=1) == scores.argmax(axis=1)).all()
    assert fitted.scores(images[:0]).shape == fitted.predict_proba(images[:0]).shape == (0, 3)
    assert json.loads(json.dumps(fitted.chosen_)) == fitted.chosen_


def test_one_pass_says_it_all(fitted, monkeypatch):
    images = TEST[0]
    expected = fitted.scores(images), fitted.predict_proba(images), fitted.predict(images)
    passes, ask = [], type(fitted)._scores
    monkeypatch.setattr(type(fitted), "_scores", lambda self, some: passes.append(1) or ask(self, some))
    found = fitted.attribute(images)
    assert len(passes) == 1 and found.features is None
    for got, want in zip((found.scores, found.probabilities, found.labels), expected, strict=True):
        np.testing.assert_array_equal(got, want)
    assert (found.classes[found.columns] == found.labels).all()


def test_names_have_columns(fitted):
    assert fitted.columns(["gamma", "alpha"]).tolist() == [2, 0]
    with pytest.raises(ValueError, match="not among the training labels: omega"):
        fitted.columns(["alpha", "omega"])


def test_a_saved_attributor_knows_no_device(fitted, tmp_path):
    fitted.save(tmp_path)
    sidecar = tmp_path / "model.json"
    meta = json.loads(sidecar.read_text())
    assert "device" not in meta["config"]
    meta["config"]["device"] = "cuda:7"
    sidecar.write_text(json.dumps(meta))
    assert load(tmp_path).device == "cpu"
    for use in (lambda: load(tmp_path, device="cuda:99"), lambda: type(fitted)(device="cuda:99").fit(*TRAIN)):
        with pytest.raises(ValueError, match="device 'cuda:99' cannot be used here"):
            use()


def test_what_was_chosen_is_read_without_the_weights(fitted, tmp_path):
    fitted.save(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    assert chosen(tmp_path) == fitted.chosen_
    with pytest.raises(FileNotFoundError, match="model.json"):
        chosen(tmp_path / "nowhere")


def test_fine_tuning_sees_changed_images_under_equal_numbers(fitted, tmp_path):
    fitted.save(tmp_path)
    images, labels = TRAIN
    seen = {}

    def change(some, numbers):
        seen.update({name: numbers[np.array(labels) == name].tolist() for name in NAMES})
        return 255 - some

    tuned = load(tmp_path).fine_tune(images, labels, change, VALIDATION)
    assert all(numbers == list(range(labels.count(name))) for name, numbers in seen.items())
    by_hand = type(fitted)().fit(255 - images, labels, VALIDATION)
    np.testing.assert_array_equal(tuned.scores(TEST[0]), by_hand.scores(TEST[0]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_what_a_gpu_fitted_answers_alike_on_the_cpu(fitted, tmp_path):
    there = type(fitted)(device="cuda").fit(*TRAIN, validation=VALIDATION)
    there.save(tmp_path)
    np.testing.assert_allclose(load(tmp_path).scores(TEST[0]), there.scores(TEST[0]), atol=1e-3)
    np.testing.assert_allclose(there.scores(TEST[0]), fitted.scores(TEST[0]), atol=1e-3)


def test_every_method_finds_a_plain_pattern(fitted):
    images, labels = TEST
    assert (fitted.predict(images) == np.array(labels)).mean() > 0.95


def test_a_second_fit_gives_the_same_scores(fitted):
    again = type(fitted)().fit(*TRAIN, validation=VALIDATION)
    assert again.chosen_ == fitted.chosen_ and again.temperature_ == fitted.temperature_
    np.testing.assert_array_equal(again.scores(TEST[0]), fitted.scores(TEST[0]))


def test_scores_do_not_depend_on_the_company(fitted):
    images = TEST[0]
    alone = np.concatenate([fitted.scores(images[i : i + 1]) for i in range(8)])
    np.testing.assert_allclose(fitted.scores(images)[:8], alone, atol=1e-4)


def test_saved_and_loaded_is_the_same(fitted, tmp_path):
    fitted.save(tmp_path)
    loaded = Attributor.load(tmp_path)
    assert type(loaded) is type(fitted) and loaded.classes_.tolist() == fitted.classes_.tolist()
    assert loaded.chosen_ == fitted.chosen_ and loaded.temperature_ == fitted.temperature_
    np.testing.assert_array_equal(loaded.scores(TEST[0]), fitted.scores(TEST[0]))
    np.testing.assert_array_equal(loaded.predict_proba(TEST[0]), fitted.predict_proba(TEST[0]))
    loaded.save(tmp_path)  # over the old pair, from what was loaded
    np.testing.assert_array_equal(Attributor.load(tmp_path).scores(TEST[0]), fitted.scores(TEST[0]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model.safetensors"]


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_a_damaged_or_missing_file_is_named(fitted, tmp_path, name):
    fitted.save(tmp_path)
    damage(tmp_path / name, -3 if name == "model.safetensors" else 0)
    with pytest.raises(ValueError, match=name):
        Attributor.load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        Attributor.load(tmp_path)


def test_an_image_of_another_size_is_refused(fitted):
    with pytest.raises(ValueError, match="32 px.*fitted on 16 px"):
        fitted.scores(np.zeros((2, 3, 32, 32), np.uint8))
    with pytest.raises(ValueError, match="validation images are 32 px"):
        type(fitted)().fit(*TRAIN, validation=(np.zeros((1, 3, 32, 32), np.uint8), ["alpha"]))


def test_unfitted_says_so(fitted, tmp_path):
    fresh = type(fitted)()
    for use in (fresh.scores, fresh.predict, fresh.predict_proba):
        with pytest.raises(NotFittedError, match=type(fitted).__name__):
            use(TEST[0])
    with pytest.raises(NotFittedError):
        fresh.save(tmp_path)


def test_a_failed_fit_leaves_nothing_that_looks_fitted(fitted):
    other = type(fitted)().fit(*TRAIN)
    with pytest.raises(ValueError):
        other.fit(TRAIN[0], ["alpha"] * len(TRAIN[0]))
    with pytest.raises(NotFittedError):
        other.predict(TEST[0])


@pytest.mark.parametrize(
    ("images", "labels", "error", "message"),
    [
        (TRAIN[0] / 255.0, TRAIN[1], TypeError, "uint8"),
        (TRAIN[0].transpose(0, 2, 3, 1), TRAIN[1], ValueError, "channels first"),
        (TRAIN[0][..., :8], TRAIN[1], ValueError, "square"),
        (TRAIN[0], TRAIN[1][:-1], ValueError, "119 labels for 120 images"),
        (TRAIN[0], [0] * 120, TypeError, "sequence of str"),
        (TRAIN[0], ["alpha"] * 120, ValueError, "at least two"),
    ],
)
def test_fit_says_what_is_wrong(images, labels, error, message):
    with pytest.raises(error, match=message):
        attributor_class("prnu")().fit(images, labels)


def test_fit_says_what_is_wrong_with_the_validation():
    images, labels = VALIDATION
    with pytest.raises(ValueError, match="not among the training labels: omega"):
        attributor_class("prnu")().fit(*TRAIN, validation=(images[:2], ["alpha", "omega"]))
    with pytest.raises(ValueError, match="validation is empty"):
        attributor_class("prnu")().fit(*TRAIN, validation=(images[:0], []))


def test_an_interrupted_save_keeps_the_old_model(tmp_path, monkeypatch):
    model = attributor_class("prnu")().fit(*TRAIN)
    model.save(tmp_path)
    before = model.scores(TEST[0])

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("ganfp.attributors.base.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        model.save(tmp_path)
    np.testing.assert_array_equal(Attributor.load(tmp_path).scores(TEST[0]), before)


def test_load_refuses_another_class_and_unknown_settings(tmp_path):
    attributor_class("prnu")().fit(*TRAIN).save(tmp_path)
    with pytest.raises(ValueError, match="holds a PRNU, not a KNN"):
        attributor_class("knn").load(tmp_path)
    with pytest.raises(ValueError, match="model.json.*'strength'"):
        Attributor.load(tmp_path, strength=3)
    meta = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**meta, "method": "oracle"}))
    with pytest.raises(ValueError, match="model.json.*'oracle'"):
        Attributor.load(tmp_path)


def test_unknown_method_lists_the_known():
    with pytest.raises(ValueError, match="'svm'.*eigenface, knn, .*prnu"):
        attributor_class("svm")


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 1e3), signal=st.floats(0.0, 3.0))
def test_temperature_minimises_the_smoothed_log_loss(seed, scale, signal):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, 50)
    scores = scale * (signal * np.eye(4)[codes] + rng.normal(size=(50, 4)))
    temperature = fit_temperature(scores, codes)
    targets = (np.eye(4)[codes] * 50 + 1 / 4) / 51

    def loss(t: float) -> float:
        return -(targets * np.log(np.maximum(softmax(scores, t), 1e-300))).sum()

    grid = [loss(scale * t) for t in np.geomspace(1e-2, 1e3, 300)]
    assert loss(temperature) <= min(grid) * (1 + 1e-6)
    assert fit_temperature(10 * scores, codes) == pytest.approx(10 * temperature, rel=1e-3)


def test_perfect_separation_keeps_a_finite_temperature():
    codes = np.arange(100) % 4
    shares = softmax(np.eye(4)[codes], fit_temperature(np.eye(4)[codes], codes))
    assert 0.95 < shares.max() < 1 - 1 / 200


def test_who_hardly_errs_is_told_to_be_neither_surer_nor_less_sure_than_that():
    """Labels are drawn from the softmax of three times the scores: the true temperature is 1 / 3."""
    gaps, n = [], 12_000
    for seed in range(8):
        rng = np.random.default_rng(seed)
        logits = rng.normal(size=(n, 6)) + rng.lognormal(2.8, 0.6, (n, 1)) * np.eye(6)[rng.integers(6, size=n)]
        codes = (softmax(logits).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
        sure = softmax(logits[2000:] / 3, fit_temperature(logits[:2000] / 3, codes[:2000])).max(axis=1)
        gaps.append(sure.mean() - (logits[2000:].argmax(axis=1) == codes[2000:]).mean())
    assert abs(np.mean(gaps)) < 0.003  # one label more for each class instead of for all: 0.0095
