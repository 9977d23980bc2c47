from collections import Counter

import pytest

from ganfp.paper import published as paper
from ganfp.paper.record import published_records

# Typed from the paper's text, not from published.yml: (table, row, column, data set, metric, printed number).
PRINTED = [
    ("1", "kNN", "CelebA", "faces", "accuracy", 28.00),
    ("1", "PRNU", "LSUN", "bedrooms", "accuracy", 67.84),
    ("1", "Ours", "CelebA", "faces", "accuracy", 99.43),
    ("1", "Inception", "LSUN", "bedrooms", "fd_ratio", 5.27),
    ("1", "Our fingerprint", "CelebA", "faces", "fd_ratio", 454.76),
    ("2", "Eigenface", "CelebA", "faces", "accuracy", 27.98),
    ("2", "PRNU", "CelebA", "faces", "accuracy", 92.28),
    ("2", "Ours", "LSUN", "bedrooms", "accuracy", 97.66),
    ("2", "Inception", "CelebA", "faces", "fd_ratio", 1.08),
    ("2", "Our fingerprint", "LSUN", "bedrooms", "fd_ratio", 39.96),
    ("3", "kNN", "LSUN", "bedrooms", "accuracy", 10.58),
    ("3", "Eigenface", "CelebA", "faces", "accuracy", 23.12),
    ("3", "PRNU", "CelebA", "faces", "accuracy", 89.40),
    ("3", "Ours", "CelebA", "faces", "accuracy", 99.14),
    ("3", "Ours", "LSUN", "bedrooms", "accuracy", 97.04),
    ("3", "Our fingerprint", "CelebA", "faces", "fd_ratio", 80.28),
    ("4", "1", "L-f", "faces", "accuracy", 99.14),
    ("4", "2", "H-f", "faces", "accuracy", 98.64),
    ("4", "4", "L-f", "bedrooms", "accuracy", 91.08),
    ("4", "16", "H-f", "bedrooms", "accuracy", 80.58),
    ("4", "32", "L-f", "faces", "accuracy", 26.58),
    ("4", "32", "H-f", "bedrooms", "accuracy", 54.50),
    ("5", "128", "Ours", "faces", "accuracy", 99.34),
    ("5", "24", "Ours", "bedrooms", "accuracy", 88.36),
    ("5", "10", "Ours", "bedrooms", "accuracy", 18.26),
    ("5", "3", "Ours", "faces", "accuracy", 13.42),
    ("6", "kNN", "CelebA", "faces", "accuracy", 11.99),
    ("6", "PRNU", "LSUN", "bedrooms", "accuracy", 74.49),
    ("6", "Ours", "CelebA", "faces", "accuracy", 99.93),
    ("6", "Inception", "LSUN", "bedrooms", "fd_ratio", 1.22),
    ("6", "Our fingerprint", "LSUN", "bedrooms", "fd_ratio", 6.27),
    ("7", "PRNU", "noise atk", "faces", "accuracy", 57.88),
    ("7", "PRNU", "relighting dfs", "faces", "accuracy", 87.02),
    ("7", "Ours", "compression atk", "faces", "accuracy", 8.77),
    ("7", "Ours", "cropping dfs", "faces", "accuracy", 98.28),
    ("7", "Ours", "combination dfs", "faces", "accuracy", 72.64),
    ("8", "PRNU", "blur dfs", "bedrooms", "accuracy", 30.79),
    ("8", "PRNU", "combination dfs", "bedrooms", "accuracy", 16.89),
    ("8", "Ours", "noise atk", "bedrooms", "accuracy", 11.80),
    ("8", "Ours", "cropping atk", "bedrooms", "accuracy", 86.20),
    ("8", "Ours", "relighting atk", "bedrooms", "accuracy", 62.21),
]


@pytest.mark.parametrize("table, row, column, dataset, metric, printed", PRINTED)
def test_printed_numbers(table, row, column, dataset, metric, printed):
    assert paper.value(table, row, column, dataset, metric) == printed


# The sum of a column notices any mistyped digit; summed by hand from the text.
@pytest.mark.parametrize(
    "table, dataset, total",
    [
        ("1", "faces", 28.00 + 53.28 + 86.61 + 99.43 + 2.36 + 454.76),
        ("1", "bedrooms", 36.30 + 67.84 + 98.58 + 5.27 + 226.59),
        ("2", "faces", 11.46 + 27.98 + 92.28 + 99.50 + 1.08 + 111.41),
        ("2", "bedrooms", 10.72 + 70.55 + 97.66 + 1.64 + 39.96),
        ("3", "faces", 10.88 + 23.12 + 89.40 + 99.14 + 1.10 + 80.28),
        ("3", "bedrooms", 10.58 + 69.73 + 97.04 + 1.29 + 36.48),
        ("6", "faces", 11.99 + 26.69 + 93.50 + 99.93 + 1.04 + 15.63),
        ("6", "bedrooms", 10.35 + 74.49 + 98.16 + 1.22 + 6.27),
    ],
)
def test_column_sums(table, dataset, total):
    values = [r.value for r in published_records(table) if r.dataset == dataset]
    assert sum(values) == pytest.approx(total, abs=1e-9)


def test_number_of_cells_and_no_duplicates():
    # 6 rows x 2 less LSUN's Eigenface; 6 x 4; 6 x 2; 2 x 12
    assert Counter(r.table for r in published_records()) == dict.fromkeys("1236", 11) | {
        "4": 24, "5": 12, "7": 24, "8": 24
    }  # fmt: skip
    cells = [(r.table, r.dataset, r.row, r.column, r.metric) for r in published_records()]
    assert len(set(cells)) == len(cells) == 128


def test_records_are_those_of_the_paper():
    for r in published_records():
        assert r.profile == "paper" and r.paper == r.value and r.ci_low is None and r.ci_high is None
        assert r.classes == (5 if r.table == "1" else 11)
        known_n = r.metric == "accuracy" and r.table != "6"
        assert r.n == (10_000 * r.classes if known_n else None)
    assert {r.dataset for r in published_records("7")} == {"faces"}
    assert {r.dataset for r in published_records("8")} == {"bedrooms"}


def test_setups_are_consistent():
    numbers = paper.load()
    for setup in numbers["setups"].values():
        assert setup["train"] == setup["classes"] * numbers["images_per_source"]["train"]
        assert setup["test"] in (None, setup["classes"] * numbers["images_per_source"]["test"])
    assert paper.chance("architectures") == 20
    assert paper.chance("seeds") == pytest.approx(9.09, abs=0.001)
    assert len(numbers["ladder"]) + 1 == numbers["setups"]["training_sets"]["classes"]


def test_classifier_parameters_differ_by_the_last_layer():
    counts = paper.load()["parameters"]
    assert counts["classifier, 11 classes"] - counts["classifier, 5 classes"] == 6 * (512 + 1)
    assert counts["visNet, one model fingerprint"] == 128 * 128 * 3


def test_what_the_paper_does_not_print_is_none():
    assert paper.value("1", "Eigenface", "LSUN", "bedrooms") is None
    assert paper.value("3", "Our visNet", "CelebA", "faces") is None
    assert paper.value("3", "Ours", dataset="npz:mine.npz") is None
    assert paper.value("7", "Ours", "noise atk", "bedrooms") is None
    assert paper.value("4", "3", "H-f", "faces") is None
    with pytest.raises(ValueError, match="no table '9'.*1, 2, 3"):
        paper.value("9", "Ours")


def test_originals_and_missing_columns_find_the_same_numbers():
    assert paper.value("3", "Ours", dataset="celeba") == paper.value("3", "Ours", "CelebA", "faces") == 99.14
    assert paper.value("5", "24", "", "lsun") == 88.36
    assert paper.value("4", "2", None, "faces") is None  # two columns: which one?


@pytest.mark.parametrize(
    "label, key",
    [
        ("celeba:img_align_celeba", "faces"), ("lsun:bedroom_train_lmdb", "bedrooms"), ("faces", "faces"),
        ("npz:celeba", ""), ("folder:faces", ""), ("celebs:x", ""), ("", ""),
    ],
)  # fmt: skip
def test_the_label_of_a_run_finds_its_numbers_by_what_is_before_the_path(label, key):
    from ganfp.paper.record import original

    assert paper.stands_for(label) == key
    assert original(label) == {"faces": "CelebA", "bedrooms": "LSUN", "": label}[key]
    assert paper.value("3", "Ours", dataset=label) == {"faces": 99.14, "bedrooms": 97.04, "": None}[key]
