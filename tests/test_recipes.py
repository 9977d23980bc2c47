"""Recipes: keys that change exactly when the result does, and versions that follow the code."""

import ast
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import ganfp
from ganfp.gans.progan import ProGANConfig
from ganfp.gans.training import Seeds
from ganfp.runs import recipes
from ganfp.runs.recipes import GAN, Images, Recipe, Sample, Setup, Source, base
from ganfp.worlds.rows import Rows

PACKAGE = Path(ganfp.__file__).parent
DIGESTS = Path(__file__).with_name("code_digests.json")

IMAGES = Images("faces", 8, 60, 8, 4, 8)
TINY = ProGANConfig(8, latent=8, fmap_base=64, fmap_max=8, phase_images=16, total_images=64, batch=4, batch_base=32)
GAN_1 = GAN(IMAGES, "progan", TINY, Seeds.all(1))


def kinds():
    return sorted(Recipe.__subclasses__(), key=lambda kind: kind.kind)


def test_equal_descriptions_have_equal_keys():
    again = GAN(Images("faces", 8, 60, 8, 4, 8), "progan", replace(TINY), Seeds(1, 1, 1))
    assert again.key == GAN_1.key and again == GAN_1


@pytest.mark.parametrize(
    "other",
    [
        replace(GAN_1, replica=1),
        replace(GAN_1, seeds=Seeds(1, 1, 2)),
        replace(GAN_1, config=replace(GAN_1.config, drift=0.002)),
        replace(GAN_1, images=replace(IMAGES, count=61)),
        replace(GAN_1, images=replace(IMAGES, digest="x")),
    ],
)
def test_whatever_matters_changes_the_key(other):
    assert other.key != GAN_1.key
    assert Sample(other, "test", 5).key != Sample(GAN_1, "test", 5).key


def numbered(n):
    """Images that hold their own number."""
    return np.arange(n, dtype=np.uint8)[:, None, None, None]


@pytest.mark.parametrize("n", [40, 41])
def test_subsets_are_nested_and_exchange_in_place(n):
    sets = [np.asarray(recipes.Subset(i).of(numbered(n))).ravel() for i in range(21)]
    base = sets[0]
    assert base.tolist() == list(range(20))
    for i, found in enumerate(sets):
        assert (found == base).sum() == 20 - i and (found[: 20 - i] == base[: 20 - i]).all()
        assert not set(found[20 - i :]) & set(base)
        assert set(sets[i - 1][20 - i + 1 :]) <= set(found) or not i
    with pytest.raises(ValueError, match="from 0 to the 20 images"):
        recipes.Subset(21).of(numbered(n))


def test_rows_are_an_array_in_another_order_without_a_copy():
    array = np.random.default_rng(0).integers(0, 256, (9, 3, 2, 2), dtype=np.uint8)
    rows = Rows(array, [4, 1, 8, 8])
    assert rows.shape == (4, 3, 2, 2) and rows.dtype == np.uint8 and len(rows) == 4
    for index in (slice(1, 3), np.array([3, 0]), 2, -1):
        assert np.array_equal(rows[index], array[[4, 1, 8, 8]][index])
    assert np.array_equal(np.asarray(rows), array[[4, 1, 8, 8]]) and rows.array is array


def test_the_first_exchanged_image_is_where_the_training_shows_it():
    from ganfp.gans.training import Training

    images = np.zeros((30, 3, 8, 8), np.uint8)
    order = Training("progan", TINY, Seeds.all(5), images).indices(np.arange(30))
    for i in (1, 2, 10, 30):
        assert recipes.Subset(i).first_seen(30, 5) == min(np.flatnonzero(order >= 30 - i))
    assert recipes.Subset(0).first_seen(30, 5) == 30


def test_a_subset_and_a_save_path_change_the_key():
    assert replace(GAN_1, subset=recipes.Subset(1)).key != GAN_1.key
    assert Sample(GAN_1, "test", 5, save_path="official").key != Sample(GAN_1, "test", 5).key


def test_what_is_held_out_is_drawn_apart_from_what_gans_of_any_size_see(tmp_path):
    from ganfp.runs import building
    from ganfp.worlds import SPLITS

    found = {}
    for recipe in (IMAGES, replace(IMAGES, count=100)):
        images = np.load(building.make(recipe, tmp_path) / recipes.IMAGES)
        found[recipe.count] = {name: recipe.part(images, name) for name in SPLITS}
    small, large = found[60], found[100]
    assert (large["gan"][:40] == small["gan"]).all()
    for name in ("train", "validation", "test"):
        assert (small[name] == large[name]).all() and len(small[name])
        assert not (small[name][:, None] == large["gan"][None]).all(axis=(2, 3, 4)).any()


def test_a_users_file_is_known_by_its_content_not_its_path():
    assert replace(IMAGES, path="here.npz").key == IMAGES.key


def test_a_new_version_is_a_new_key(monkeypatch):
    before = replace(GAN_1).key
    monkeypatch.setattr(GAN, "version", GAN.version + 1)
    assert replace(GAN_1, replica=0).key != before


def test_descriptions_are_plain_json():
    assert json.loads(json.dumps(GAN_1.describe())) == GAN_1.describe()


def test_a_setup_needs_a_sample_of_every_source_per_split():
    setup = Setup("seeds", (Source("real", IMAGES), Source("ProGAN_seed_1", GAN_1)), 4, 2, 3)
    assert [sample.origin for sample in setup.part("test")] == [IMAGES, GAN_1]
    assert list(setup.labels("validation")) == ["real", "real", "ProGAN_seed_1", "ProGAN_seed_1"]
    fit = recipes.Fit("knn", setup)
    assert {need.split for need in fit.needs()} == {"train", "validation"}  # never the test images


def test_real_splits_are_disjoint_and_latents_are_too(tmp_path):
    from ganfp.runs import building
    from ganfp.runs.store import Store

    store = Store(tmp_path)
    origins = (IMAGES, GAN_1, replace(GAN_1, replica=1))
    samples = [Sample(origin, split, 4) for origin in origins for split in ("train", "test")]
    for recipe in building.closure(samples):
        building.make(recipe, tmp_path)
    found = [np.load(store.folder(sample) / recipes.IMAGES) for sample in samples]
    everything = np.concatenate(found).reshape(24, -1)
    assert len(np.unique(everything, axis=0)) == 24  # twins are equal generators, yet show different images
    real = np.load(store.folder(IMAGES) / recipes.IMAGES)
    gan = IMAGES.part(real, "gan")
    assert not (gan[:, None] == found[0][None]).all(axis=(2, 3, 4)).any()


def code_digest(kind: type[Recipe]) -> str:
    """Digest of the syntax of the modules behind a kind: comments, docstrings and layout do not count."""
    digest = hashlib.sha256()
    for name in sorted({"recipes", *kind.code} - {"recipes"}):
        path = PACKAGE.joinpath(*name.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, clean=False):
                node.body = node.body[1:]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:16]


def current() -> dict[str, dict]:
    return {kind.kind: {"version": kind.version, "code": code_digest(kind)} for kind in kinds() if kind.code}


@pytest.mark.parametrize("kind", [k for k in kinds() if k.code], ids=lambda k: k.kind)
def test_a_kinds_version_changes_with_the_code_behind_it(kind):
    known = json.loads(DIGESTS.read_text())[kind.kind]
    if known["code"] != code_digest(kind):
        assert kind.version > known["version"], (
            f"the code behind {kind.kind!r} ({', '.join(kind.code)}) has changed but its version is still "
            f"{kind.version}: "
            f"stale artifacts would be used. If results change, raise {kind.__name__}.version; "
            f"then, in either case, run: python {Path(__file__).name}"
        )
        pytest.fail(f"record the new code of {kind.kind!r}: python tests/{Path(__file__).name}")
    assert kind.version == known["version"]


if __name__ == "__main__":
    DIGESTS.write_text(json.dumps(current(), indent=1) + "\n")
    print(f"recorded {len(current())} kinds in {DIGESTS.name}")


def test_many_images_are_joined_in_a_file_that_leaves_nothing_behind(tmp_path, monkeypatch):
    parts = [np.random.default_rng(i).integers(0, 256, (n, 3, 4, 4), dtype=np.uint8) for i, n in enumerate((5, 7, 1))]
    expected = np.concatenate(parts)
    assert not isinstance(base.joined(parts, tmp_path), np.memmap)
    monkeypatch.setattr(base, "IN_MEMORY", 0)
    monkeypatch.setattr(base, "ROWS_AT_A_TIME", 2)
    found = base.joined(parts, tmp_path)
    assert isinstance(found, np.memmap) and found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)
    assert not list(tmp_path.iterdir())
