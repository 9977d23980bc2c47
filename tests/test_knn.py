"""kNN against scikit-learn's own classifier; the rules that choose k and break ties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from ganfp.attributors.knn import KNN, candidates, ranking


def images(count: int, seed: int) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    which = rng.integers(0, 3, count)
    pixels = rng.normal(110 + 12 * which[:, None, None, None], 60, (count, 3, 8, 8))
    return np.clip(pixels, 0, 255).astype(np.uint8), [f"source {i}" for i in which]


TRAIN, VALIDATION, TEST = images(200, 0), images(80, 1), images(80, 2)


@pytest.mark.parametrize("k", [1, 4, 9, 200])
def test_equals_scikit_learn(k):
    train, flat = (images.reshape(len(images), -1).astype(float) for images in (TRAIN[0], TEST[0]))
    reference = KNeighborsClassifier(k, algorithm="brute").fit(train, TRAIN[1])
    ours = KNN(neighbours=k).fit(*TRAIN)
    shares = reference.predict_proba(flat)
    np.testing.assert_allclose(ours.predict_proba(TEST[0]), shares, atol=1e-12)
    top = np.sort(shares, axis=1)
    clear = top[:, -1] > top[:, -2]
    assert clear.sum() > 20
    assert (ours.predict(TEST[0]) == reference.predict(flat))[clear].all()


def test_chooses_the_k_that_is_best_on_the_validation_images():
    ours = KNN().fit(*TRAIN, validation=VALIDATION)
    hits = {}
    for k in candidates(200):
        hits[k] = (KNN(neighbours=k).fit(*TRAIN).predict(VALIDATION[0]) == np.array(VALIDATION[1])).mean()
    assert len(set(hits.values())) > 1
    assert ours.chosen_ == {"neighbours": max(hits, key=lambda k: (hits[k], -k))}
    assert KNN().fit(*TRAIN).chosen_ == {"neighbours": 1}


def test_neither_the_size_of_blocks_nor_ties_matter(monkeypatch):
    whole = KNN(neighbours=9).fit(*TRAIN)
    monkeypatch.setattr("ganfp.attributors.knn.VALUES", 17 * 3 * 8 * 8)
    parts = KNN(neighbours=9).fit(*TRAIN)
    np.testing.assert_array_equal(parts.scores(TEST[0]), whole.scores(TEST[0]))
    same = np.repeat(TRAIN[0][:1], 40, axis=0)
    late = KNN(neighbours=1).fit(same, ["b"] + ["a"] * 39)
    assert set(late.predict(same)) == {"b"}  # of images that are equally near the first


def test_candidates_stop_at_a_tenth():
    assert candidates(4) == [1]
    assert candidates(170) == [1, 3, 5, 9, 17]
    assert candidates(10**6)[-2:] == [513, 1025]


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 40), st.integers(2, 6))
def test_most_votes_win_and_ties_go_to_the_nearest(data, k, classes):
    nearest = np.array([data.draw(st.lists(st.integers(0, classes - 1), min_size=k, max_size=k))])
    votes = [(nearest[0] == c).sum() for c in range(classes)]
    expected = next(c for c in nearest[0] if votes[c] == max(votes))
    assert ranking(nearest, classes).astype(np.float32).argmax() == expected


def test_a_tie_over_the_longest_lists_is_still_seen_in_float32():
    nearest = np.array([[2] + [0, 1] * 512, [2] + [1, 0] * 512])  # 0 and 1 tie, one is one rank nearer
    assert ranking(nearest, 3).astype(np.float32).argmax(axis=1).tolist() == [0, 1]


@pytest.mark.parametrize("k", [0, 201])
def test_impossible_k_is_refused(k):
    with pytest.raises(ValueError, match="neighbours.*200 training images"):
        KNN(neighbours=k).fit(*TRAIN)
