"""Numbers in hand-written prose: each comes from the paper, from a preset, from a manifest or from the code."""

import json
import re

import pytest
from test_book import ROOT

from ganfp import CNN, inversion
from ganfp.paper import judge
from ganfp.paper.record import published_records, reference_records
from ganfp.runs import profiles, shipping

PAGES = [*sorted(ROOT.glob("notebooks/*.ipynb")), *sorted(ROOT.glob("book/*.md")), ROOT / "README.md"]


def prose(path):
    """The Markdown of a page, white space made one blank."""
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join("".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == "markdown")
    return " ".join(text.split())


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_percentage_to_two_decimals_is_one_that_the_paper_printed(page):
    """What a run measured is glued or shown by code: by hand it would outlive the run."""
    printed = {f"{number:.2f}" for r in published_records() for number in (r.value, r.chance) if number is not None}
    found = set(re.findall(r"(?<![\d.])\d+\.\d\d(?= %)", prose(page)))
    assert found <= printed, f"{page.name} has numbers of no paper: {sorted(found - printed)}"


def test_what_pages_say_of_profiles_is_what_the_presets_say():
    def said(name, *texts):
        (page,) = (p for p in PAGES if p.stem.startswith(name))
        assert all(text in prose(page) for text in texts), (page.name, texts)

    networks = {name: CNN(**vars(profiles.load(name).methods["cnn"])) for name in profiles.names() if name != "smoke"}
    as_official = [name for name, cnn in networks.items() if cnn.optimiser == "adam" and cnn.boost == 1 and cnn.flip]
    assert as_official == ["paper"]
    said("s3_1", "profile `paper` keeps the paper's")
    said("discrepancies", "In profile `paper` it is trained as in the official code.", "The same in profile `paper`.")

    reference, quick = profiles.load("reference"), profiles.load("quick")
    gan, early = reference.gans["progan"], reference.early.progan
    steps = range(0, gan.total_images, gan.phase_images)
    grown = next(n for n in steps if gan.stage(n).resolution == reference.resolution and gan.stage(n).blend == 1)
    said("x1_", f"after {grown:,} images, so at {reference.snapshots[0]:,}", f"Up to {early.total_images:,} images")
    said("x1_", f"batches of {early.batch};", f"batches of {gan.batch},")
    held = quick.real.train + quick.real.validation + quick.real.test
    said("rerun", f"`quick` holds out {held:,} images", f"at least {held + held // 2:,} in all")
    shown = 100_000_000 // max(cnn.images for name, cnn in networks.items() if name != "paper")
    assert shown >= 300 and networks["paper"].images == 100_000_000  # "hundreds of times shorter"


def test_what_pages_say_of_the_shipped_generators_is_what_their_manifest_says():
    entries = [e for e in shipping.manifest(shipping.folder()) if "DDPM" not in e["file"]]
    on_gpu = [e for e in entries if e["device"] == "cuda"]
    assert len(on_gpu) == 18 and all("ProGAN" in e["file"] and e["seconds"] < 6.5 * 60 for e in on_gpu)
    assert len(entries) - len(on_gpu) == 9 and all("2 cores" in e["hardware"] for e in entries if e not in on_gpu)
    text = prose(ROOT / "book" / "reading.md")
    assert "The 18 ProGANs" in text and "in less than six and a half minutes" in text and "The other nine GANs" in text


def test_an_inversion_takes_some_hundreds_of_passes():
    (page,) = ROOT.glob("notebooks/x8_*.ipynb")
    before, after = inversion.STEPS
    assert 200 <= inversion.STARTS * before + inversion.KEPT * after < 1000 and "some hundreds of passes" in prose(page)


@pytest.mark.parametrize("id", list(judge.claims()))
def test_numbers_of_a_verdict_have_minus_signs_and_name_the_worlds_without_any(id):
    one = judge.claims()[id]
    verdict = judge.judge(one, reference_records())
    assert not re.search(r"(?<![\w\])–-])-\d", verdict.numbers), verdict.numbers
    if verdict.holds is not None:
        silent = [name for name, outcome in verdict.by_dataset.items() if outcome == judge.NOT_MEASURED]
        assert "measured;" not in verdict.numbers
        assert all(name in verdict.numbers for name in silent if name in judge.DRAWN)
        assert not re.search("not measured on .*(celeba|eurosat)", verdict.numbers)


def test_a_claim_that_the_numbers_suggested_says_so():
    assert "exploratory" in judge.claims()["inversion-compressed"].text
    (page,) = ROOT.glob("notebooks/x8_*.ipynb")
    assert "**exploratory**" in prose(page)
