"""Recipes: keys that change exactly when the result does."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ganfp import gans, metrics
from ganfp.gans.progan import ProGANConfig
from ganfp.gans.training import Seeds
from ganfp.runs import code
from ganfp.runs.recipes import base
from ganfp.runs.recipes.attacked import Attack, Immunised, MixedFormats
from ganfp.runs.recipes.attribution import Evaluation, Fit
from ganfp.runs.recipes.extractors import ContentNetwork, PerceptualTrunk
from ganfp.runs.recipes.features import Embedding, Features, Ratios
from ganfp.runs.recipes.gans import GAN, Subset
from ganfp.runs.recipes.images import Images
from ganfp.runs.recipes.samples import Sample, Setup, Source
from ganfp.worlds import faces
from ganfp.worlds.rows import Rows

IMAGES = Images("faces", 8, 60, 8, 4, 8)
TINY = ProGANConfig(8, latent=8, fmap_base=64, fmap_max=8, phase_images=16, total_images=64, batch=4, batch_base=32)
GAN_1 = GAN(IMAGES, "progan", TINY, Seeds.all(1))


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
    sets = [np.asarray(Subset(i).of(numbered(n), 20)).ravel() for i in range(21)]
    base = sets[0]
    assert base.tolist() == list(range(20))
    for i, found in enumerate(sets):
        assert (found == base).sum() == 20 - i and (found[: 20 - i] == base[: 20 - i]).all()
        assert not set(found[20 - i :]) & set(base)
        assert set(sets[i - 1][20 - i + 1 :]) <= set(found) or not i
    with pytest.raises(ValueError, match="from 0 to the 20 images"):
        Subset(21).of(numbered(n), 20)


def test_a_gan_sees_the_number_of_images_that_is_asked_for(tmp_path):
    from ganfp.runs import building

    fewer = replace(IMAGES, base=15)
    real = np.load(building.make(fewer, tmp_path) / base.IMAGES)

    def seen(images, subset):
        return np.asarray(replace(GAN_1, images=images, subset=subset).training_set(lambda _: tmp_path / "x"))

    (tmp_path / "x").mkdir()
    np.save(tmp_path / "x" / base.IMAGES, real)
    assert (seen(fewer, None) == real[:15]).all() and (seen(IMAGES, None) == real[:40]).all()
    assert (seen(fewer, Subset(1)) == real[[*range(14), 39]]).all()
    assert (seen(IMAGES, Subset(1)) == real[[*range(19), 39]]).all()
    assert replace(IMAGES, base=30).base_of(40) == 20  # too few for two sets apart: half of them


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
        assert Subset(i).first_seen(30, 5) == min(np.flatnonzero(order >= 30 - i))
    assert Subset(0).first_seen(30, 5) == 30


def test_a_subset_and_a_save_path_change_the_key():
    assert replace(GAN_1, subset=Subset(1)).key != GAN_1.key
    for gan, equal in ((GAN_1, True), (replace(GAN_1, name="sngan"), False)):  # ProGAN's official habit is ours
        assert (Sample(gan, "test", 5, save_path="official").key == Sample(gan, "test", 5).key) == equal


def test_what_is_held_out_is_drawn_apart_from_what_gans_of_any_size_see(tmp_path):
    from ganfp.runs import building
    from ganfp.worlds import SPLITS

    found = {}
    for recipe in (IMAGES, replace(IMAGES, count=100)):
        images = np.load(building.make(recipe, tmp_path) / base.IMAGES)
        found[recipe.count] = {name: recipe.part(images, name) for name in SPLITS}
    small, large = found[60], found[100]
    assert (large["gan"][:40] == small["gan"]).all()
    for name in ("train", "validation", "test"):
        assert (small[name] == large[name]).all() and len(small[name])
        assert not (small[name][:, None] == large["gan"][None]).all(axis=(2, 3, 4)).any()


def test_a_users_file_is_known_by_its_content_not_its_path():
    assert replace(IMAGES, path="here.npz").key == IMAGES.key


def test_descriptions_are_plain_json():
    assert json.loads(json.dumps(GAN_1.describe())) == GAN_1.describe()


def test_a_setup_needs_a_sample_of_every_source_per_split():
    setup = Setup("seeds", (Source("real", IMAGES), Source("ProGAN_seed_1", GAN_1)), 4, 2, 3)
    assert [sample.origin for sample in setup.part("test")] == [IMAGES, GAN_1]
    assert list(setup.labels("validation")) == ["real", "real", "ProGAN_seed_1", "ProGAN_seed_1"]
    fit = Fit("knn", setup)
    assert {need.split for need in fit.needs()} == {"train", "validation"}  # never the test images


def test_real_splits_are_disjoint_and_latents_are_too(tmp_path):
    from ganfp.runs import building
    from ganfp.runs.store import Store

    store = Store(tmp_path)
    origins = (IMAGES, GAN_1, replace(GAN_1, replica=1))
    samples = [Sample(origin, split, 4) for origin in origins for split in ("train", "test")]
    for recipe in building.closure(samples):
        building.make(recipe, tmp_path)
    found = [np.load(store.folder(sample) / base.IMAGES) for sample in samples]
    everything = np.concatenate(found).reshape(24, -1)
    assert len(np.unique(everything, axis=0)) == 24  # twins are equal generators, yet show different images
    real = np.load(store.folder(IMAGES) / base.IMAGES)
    gan = IMAGES.part(real, "gan")
    assert not (gan[:, None] == found[0][None]).all(axis=(2, 3, 4)).any()


@pytest.fixture
def edited(monkeypatch):
    """Change a module's text as the digests see it: edited("gans.progan", "old", "new")."""
    read = code.source

    def edit(module, old, new):
        assert old in read(f"ganfp.{module}")
        changed = read(f"ganfp.{module}").replace(old, new, 1)
        monkeypatch.setattr(code, "source", lambda name: changed if name == f"ganfp.{module}" else read(name))
        forget()

    def forget():
        code.digest.cache_clear()
        code.statements.cache_clear()

    yield edit
    forget()


def made():
    """Recipes of many kinds, new ones whose keys are not known yet."""
    images = replace(IMAGES)
    gan, other = (GAN(images, name, TINY, Seeds.all(1)) for name in ("progan", "sngan"))
    setup = Setup("x", (Source("real", images), Source("a", gan)), 4, 2, 3)
    content = ContentNetwork("faces", 8, 10, ())
    knn, cnn = Fit("knn", setup), Fit("cnn", setup)
    features = Features(content, setup)
    return {
        "images": images, "gan": gan, "sngan": other, "sample": Sample(gan, "test", 5), "knn": knn, "cnn": cnn,
        "evaluation": Evaluation(cnn, setup), "immunised": Immunised(cnn, Attack("noise")), "content": content,
        "leak": Fit("knn", MixedFormats("x", setup.sources, 4, 2, 3, jpegs=("a",))), "features": features,
        "ratios": Ratios(features, setup, 0), "embedding": Embedding(features, setup, 2, 5.0, 0),
    }  # fmt: skip


def keys():
    return {name: recipe.key for name, recipe in made().items()}


FITS = {"knn", "cnn", "evaluation", "immunised", "leak"}
OF_SAMPLES = {"sample", "features", "ratios", "embedding"} | FITS
OF_GANS = {"gan", "sngan"} | OF_SAMPLES
ALL = {"images", "content"} | OF_GANS


@pytest.mark.parametrize(
    ("module", "old", "new", "changed"),
    [
        ("gans.progan", "x = pixel_norm(", "x = (", OF_GANS - {"sngan"}),
        ("gans.sngan", "torch.tanh(", "torch.sin(", {"sngan"}),
        ("layers", "SLOPE = 0.2", "SLOPE = 0.3", OF_GANS),  # of a module that the GAN's module imports
        ("worlds.faces", "_ZOOM = 1.14", "_ZOOM = 1.15", ALL),
        ("worlds.bedrooms", "_LOOK_AT = 0.95", "_LOOK_AT = 0.96", set()),
        ("attributors.knn", "SHARE = 0.1", "SHARE = 0.2", {"knn", "leak"}),
        ("attributors.network", "import Tensor", "import Tensor, Tensor", {"cnn", "evaluation", "immunised"}),
        ("features.imagenet", "SIDE = ", "SIDE = 2 * ", {"features", "ratios", "embedding"}),  # imported in a function
        ("attacks", "import numpy", "import numpy as numpy, numpy", {"immunised", "leak"}),
        # a recipe's own code, and that of another in the same file
        ("runs.recipes.features", "init=\"pca\"", "init=\"random\"", {"embedding"}),
        ("runs.recipes.attacked", "np.save(folder / IMAGES, attacks", "np.save(folder / IMAGES, 1 + attacks", {"leak"}),
        ("runs.recipes.gans", "len(images) - self.swapped", "self.swapped", OF_GANS),
        # what changes no result
        ("gans.base", "SMALLEST = 4  # side", "SMALLEST = 4  # length", set()),
        ("gans.base", "\"\"\"Feature maps at a resolution.\"\"\"", "\"\"\"Width.\"\"\"", set()),
        ("gans.base", "SMALLEST = 4", "SMALLEST    =   (4)", set()),
        ("runs.recipes.gans", "return 5e-9", "return 6e-9", set()),  # a cost
        ("gans", "1.0),", "2.0),", set()),
        ("runs.store", "PROGRESS = ", "PROGRESS = 2 * ", set()),
    ],
)
def test_whatever_changes_a_result_changes_the_key(edited, module, old, new, changed):
    before = keys()
    edited(module, old, new)
    after = keys()
    assert {name for name in before if before[name] != after[name]} == changed


def test_a_key_covers_the_file_of_a_gan_from_elsewhere(monkeypatch):
    monkeypatch.setitem(gans.GANS, "fifth", gans.Entry("test_profiles", "Fifth", "a loss", "tanh", "round", 1.0))
    fifth = GAN(IMAGES, "fifth", TINY, Seeds.all(1))
    before, read = fifth.key, code.source
    monkeypatch.setattr(code, "source", lambda name: read(name) + "x = 1" * (name == "test_profiles"))
    code.digest.cache_clear()
    code.statements.cache_clear()
    assert replace(fifth).key != before


def test_another_renderer_is_another_world_and_other_weights_are_another_extractor(monkeypatch):
    before = keys()
    monkeypatch.setattr(faces, "VERSION", faces.VERSION + 1)
    after = keys()
    assert {name for name in before if before[name] != after[name]} == ALL - {"content"}
    assert PerceptualTrunk("a", "x.pth").key == PerceptualTrunk("a", "y.pth").key != PerceptualTrunk("b", "x.pth").key


def test_weights_are_copied_and_a_file_that_changed_is_refused(tmp_path):
    from ganfp.files import sha256
    from ganfp.runs import building
    from ganfp.runs.store import Store

    file, store = tmp_path / "w.pth", Store(tmp_path / "store")
    file.write_bytes(b"weights")
    weights = PerceptualTrunk(sha256(file), str(file))
    file.write_bytes(b"others")
    with pytest.raises(ValueError, match="w.pth has changed"):
        building.make(weights, store.root)
    file.write_bytes(b"weights")
    building.make(weights, store.root)
    file.unlink()
    assert weights.file(store.folder).read_bytes() == b"weights" and weights.file(store.folder).suffix == ".pth"


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_another_seed_shows_other_held_out_drawings(tmp_path, split):
    from ganfp.runs import building

    real = np.load(building.make(IMAGES, tmp_path) / base.IMAGES)
    shown = [np.load(building.make(Sample(IMAGES, split, 4, seed), tmp_path) / base.IMAGES) for seed in range(3)]
    assert (shown[0] == IMAGES.part(real, split)[:4]).all()
    assert (IMAGES.scene(split).image == IMAGES.part(real, split)).all()
    every = np.concatenate([*shown, IMAGES.part(real, "gan")]).reshape(12 + 40, -1)
    assert len(np.unique(every, axis=0)) == 52


def test_another_seed_cuts_a_users_held_out_images_elsewhere():
    mine = replace(IMAGES, dataset="npz", count=0)
    splits = ("train", "validation", "test")
    cuts = [{name: mine.part(np.arange(60), name, seed).tolist() for name in splits} for seed in range(4)]
    assert cuts[0] == {"train": [*range(40, 48)], "validation": [*range(48, 52)], "test": [*range(52, 60)]}
    for cut in cuts:
        assert sorted(sum(cut.values(), [])) == list(range(40, 60))  # apart, and never the GANs'
        assert mine.part(np.arange(60), "gan", 3).tolist() == list(range(40))
    assert len({tuple(cut["test"]) for cut in cuts}) == 4


def test_ratios_are_those_of_the_features_and_of_the_first_of_each_source(tmp_path):
    recipe = made()["ratios"]
    rng = np.random.default_rng(0)
    recipe = replace(recipe, setup=replace(recipe.setup, test=20), seed=3)
    features, labels = rng.normal(size=(40, 3)), recipe.setup.labels("test")
    np.save(tmp_path / base.FEATURES, features)
    for per_class in (0, 8):
        one = replace(recipe, per_class=per_class)
        one.make(tmp_path, lambda _: tmp_path, "cpu", lambda share: None)
        found = one.load(lambda _: tmp_path)
        rows = np.tile(np.arange(20) < (per_class or 20), 2)
        for convention in ("matched", "paper"):
            expected = metrics.fd_ratio(features[rows], labels[rows], convention, 3, 5)
            assert found[convention] == expected and found[convention].n_intra == (per_class or 20) // 2


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
    monkeypatch.setattr("os.access", lambda path, mode: False)  # as of a lower store that is only read
    np.testing.assert_array_equal(base.joined(parts, tmp_path / "read only"), expected)
