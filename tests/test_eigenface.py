"""Eigenface against the scikit-learn pipeline that it composes into one affine map."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from ganfp.attributors.eigenface import PENALTIES, VARIANCES, Eigenface

SIZE = 12


def images(count: int, classes: int, seed: int) -> tuple[np.ndarray, list[str]]:
    """Mixtures of a few fixed pictures, as faces are, with a pattern per source."""
    fixed = np.random.default_rng(5)
    basis = fixed.normal(size=(20, 3 * SIZE * SIZE)) * np.geomspace(20, 2, 20)[:, None]
    patterns = fixed.normal(size=(classes, 3 * SIZE * SIZE)) * 8
    rng = np.random.default_rng(seed)
    which = np.arange(count) % classes
    pixels = 128 + rng.normal(size=(count, 20)) @ basis + patterns[which]
    pixels += rng.normal(0, 4, pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8).reshape(-1, 3, SIZE, SIZE), [f"s{i}" for i in which]


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("count", [60, 300])  # fewer and more images than components: both of the SVM's forms
@pytest.mark.parametrize("variance", [0.5, 0.95])
def test_the_affine_map_is_the_pipeline(classes, count, variance):
    train, test = images(count, classes, 0), images(40, classes, 1)
    components = PCA(n_components=variance, whiten=True, svd_solver="full")
    pipeline = make_pipeline(components, LinearSVC(C=1e-2, dual="auto", random_state=0))
    pipeline.fit(train[0].reshape(count, -1).astype(float), train[1])
    expected = pipeline.decision_function(test[0].reshape(40, -1).astype(float))
    ours = Eigenface(variance=variance, penalty=1e-2).fit(*train)
    assert ours.chosen_["components"] == pipeline[0].n_components_
    scores = ours.scores(test[0])
    if classes == 2:
        np.testing.assert_allclose(scores[:, 0], -scores[:, 1])
        scores = scores[:, 1]
    np.testing.assert_allclose(scores, expected, atol=1e-4)
    assert (ours.predict(test[0]) == pipeline.predict(test[0].reshape(40, -1))).all()


def test_chooses_what_is_best_on_the_validation_images():
    train, held, test = images(200, 3, 0), images(90, 3, 1), images(90, 3, 2)
    chosen = Eigenface().fit(*train, validation=held)
    best, reference = -1.0, None
    for variance in VARIANCES:
        for penalty in PENALTIES:
            one = Eigenface(variance=variance, penalty=penalty).fit(*train)
            accuracy = (one.predict(held[0]) == np.array(held[1])).mean()
            if accuracy > best:
                best, reference = accuracy, one
    assert best > 0.6
    assert chosen.chosen_ == reference.chosen_
    np.testing.assert_allclose(chosen.scores(test[0]), reference.scores(test[0]), atol=1e-5)


def test_the_cap_on_components_is_told():
    ours = Eigenface(components=5).fit(*images(100, 2, 0))
    assert ours.chosen_["components"] == 5 and ours.chosen_["explained"] < 0.95


def test_equal_images_are_refused():
    with pytest.raises(ValueError, match="training images are all the same"):
        Eigenface().fit(np.full((4, 3, 8, 8), 9, np.uint8), ["a", "a", "b", "b"])


def test_pca_on_a_draw_is_seeded():
    train, test = images(200, 2, 0), images(20, 2, 1)[0]
    first, again, other = (Eigenface(pca_images=50, seed=seed).fit(*train).scores(test) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3
