"""Answers check themselves, students' notebooks hold no solution, and every student's set is another."""

import re
from copy import deepcopy

import nbformat
import numpy as np
import pytest
from click.testing import CliRunner
from IPython.core.interactiveshell import InteractiveShell

from ganfp import notebooks, teaching
from ganfp.cli import main
from ganfp.teaching import Wrong, check

PATHS = notebooks.by_name()
LABS = [name for name in PATHS if name.startswith("lab")]


def with_answers(path):
    """The code cells of a notebook from the first answer of each exercise on: (answer, its check) pairs."""
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return [(cell, after) for cell, after in zip(cells, cells[1:], strict=False) if "BEGIN SOLUTION" in cell]


EXERCISES = [(name, i) for name, path in PATHS.items() for i in range(len(with_answers(path)))]
CHAPTERS = [name for name, _ in EXERCISES if name not in LABS]


def namespace(name, upto):
    """What an exercise finds: in a chapter nothing but what its cells import, in a lab the answers before it."""
    from ganfp.teaching import ANSWERS, STRANGER

    found = {"np": np, "check": check, "STRANGER": STRANGER, "ANSWERS": ANSWERS}
    if name == "lab2":
        import io

        from PIL import Image

        from ganfp import attack

        few = np.random.default_rng(0).integers(0, 256, (3, 3, 16, 16)).astype(np.uint8)
        found |= {"io": io, "Image": Image, "attack": attack, "train": [few, few]}
    for answer, test in with_answers(PATHS[name])[:upto]:
        exec(answer, found)
        exec(test, found)
    return found


def test_there_are_enough_exercises_and_each_page_has_one():
    assert len(CHAPTERS) >= 12 and len(EXERCISES) >= 24
    assert {name for name in PATHS if name not in LABS} == set(CHAPTERS)
    assert len(LABS) == 3


@pytest.mark.parametrize(("name", "i"), EXERCISES)
def test_a_solution_passes_its_check(name, i, capsys):
    names = namespace(name, i)
    answer, test = with_answers(PATHS[name])[i]
    exec(answer, names)
    exec(test, names)
    assert "Right:" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "i"), EXERCISES)
def test_a_wrong_answer_gets_a_hint(name, i):
    names = namespace(name, i)
    answer, test = with_answers(PATHS[name])[i]
    exec(answer, names)
    asked = re.findall(r"^check\(\n? *(\w+)", test, re.M)
    for function in {*asked} & {*re.findall(r"^def (\w+)", answer, re.M)}:
        right = names[function]

        def nearly(*given, right=right):
            found = right(*given)
            changed = np.asarray(found)
            if changed.dtype.kind in "OU":
                return np.full(changed.shape, "nobody")
            return ~changed if changed.dtype == bool else changed + 1

        nearly.__name__ = function
        with pytest.raises(Wrong, match=rf"(?s){function}\(.* gives .* was expected\. \w"):
            exec(test, names | {function: nearly})


@pytest.mark.parametrize(("name", "i"), EXERCISES)
def test_an_answer_that_is_not_written_is_asked_for(name, i):
    names = namespace(name, i)
    student = teaching.without_solutions(nbformat.read(PATHS[name], as_version=4))
    cells = [cell.source for cell in student.cells if cell.cell_type == "code"]
    places = [k for k, cell in enumerate(cells) if "...  # your answer" in cell]
    exec(cells[places[i]], names)
    with pytest.raises(Wrong, match="write your answer"):
        exec(cells[places[i] + 1], names)


NEARLY_RIGHT = [  # answers that once passed: what they change in the solution
    ("lab1", "correlation(one, each) for", "abs(correlation(one, each)) for"),
    ("lab2", "> 3 * n", ">= 3 * n"),
    ("lab2", "image.tobytes() in known for", "image in train for"),
    ("s4_3", "reshape(height // 2", "reshape(2"),
    ("s4_4", "lost > 0", "lost > 1"),
    ("s4_5", "np.abs(np.fft.fft2(fingerprint - fingerprint.mean()))", "np.fft.fft2(fingerprint - fingerprint.mean())"),
    ("sB", "mean.mean(axis=(1, 2), keepdims=True)", "mean.mean()"),
    ("x2", "image.astype(float)", "image"),
    ("x2", " / steps[~across].mean()", ""),
    ("x4", " | (image == 255)", ""),
    ("x4", "any(axis=0)", "any(axis=1)"),
    ("x8", "len(others) * share", "max(others) * share"),
    ("x9", "clip(0, 255)", "clip(1, 255)"),
]


@pytest.mark.parametrize(("name", "right", "wrong"), NEARLY_RIGHT)
def test_a_check_notices_what_is_nearly_right(name, right, wrong):
    ((i, answer, test),) = [(i, a, t) for i, (a, t) in enumerate(with_answers(PATHS[name])) if right in a]
    names = namespace(name, i)
    exec(answer.replace(right, wrong), names)
    with pytest.raises(Wrong):
        exec(test, names)


def test_the_first_lab_has_fifteen_lines_and_then_one():
    code = "\n".join(answer for answer, _ in with_answers(PATHS["lab1"]))
    lines = [line for line in code.splitlines() if line and "###" not in line]
    assert len(lines) == 15 + 2  # the sixteenth, and the line that names it


# ---------------------------------------------------------------------------- check


def double(x):
    return 2 * x


def test_a_check_says_what_came_and_what_was_expected():
    with pytest.raises(Wrong, match=re.escape("double(2) gives 4; 5 was expected. Add one.")):
        check(double, ((2,), 5, "Add one."))
    with pytest.raises(Wrong, match=r"double\(None\) stops with TypeError: .*A number\."):
        check(double, ((None,), 5, "A number."))
    with pytest.raises(Wrong, match=re.escape("an array (20,) was expected")):
        check(double, ((np.zeros(19),), np.zeros(20), ""))
    with pytest.raises(Wrong, match=re.escape("They differ first at [3, 1]: 2 in place of 5. Add three.")):
        check(double, ((np.ones((5, 4)),), 2 + 3.0 * (np.arange(20).reshape(5, 4) == 13), "Add three."))
    with pytest.raises(Wrong, match=re.escape("gives [0.5, 1]; 1 was expected")):
        check(list, ((np.array([0.5, 1.0]),), 1, ""))


def test_a_student_sees_the_hint_and_no_traceback(capsys):
    shell = InteractiveShell()
    shell.run_cell("from ganfp.teaching import check\ncheck(abs, ((-2,), 3, 'Try again.'))")
    assert capsys.readouterr().out.strip() == "Not yet. abs(-2) gives 2; 3 was expected. Try again."


@pytest.mark.parametrize(
    ("got", "expected"),
    [(1.0, "1"), ([1, 2], [1, 2, 3]), ([[1], [1, 2]], [1]), (True, "True"), ("ab", "abc"), ([1], 1)],
)
def test_what_differs_in_kind_or_shape_is_wrong(got, expected):
    with pytest.raises(Wrong):
        check(lambda: got, ((), expected, ""))


def test_what_is_near_is_right_and_arguments_are_not_changed():
    given = np.zeros(3)

    def careless(x):
        x += 1
        return x + 1e-9

    check(careless, ((given,), np.ones(3), ""), ((given,), np.ones(3), ""))
    assert (given == 0).all()


# ---------------------------------------------------------------------------- notebooks of a class


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


@pytest.mark.parametrize("name", [*PATHS])
def test_a_students_copy_has_no_solution_and_is_still_a_notebook(name):
    whole = nbformat.read(PATHS[name], as_version=4)
    before = deepcopy(whole)
    student = teaching.without_solutions(whole)
    assert whole == before
    nbformat.validate(student)
    text = text_of(student)
    assert "SOLUTION" not in text and "{solution}" not in text and "{dropdown} Answers" not in text
    words = "\n".join(cell.source for cell in student.cells if cell.cell_type == "markdown")
    assert re.findall(r"`{3,}\{(?!list-table)[a-z-]+\}|\{[a-z:]+\}`", words) == []  # the book's directives and roles
    for answer, _ in with_answers(PATHS[name]):
        for secret in re.findall(r"### BEGIN SOLUTION\n(.*?) *### END SOLUTION", answer, re.S):
            assert secret.strip() not in text
    for cell in student.cells:
        if cell.cell_type == "code":
            compile(cell.source, name, "exec")
    for solution in re.findall(r"^```\{solution\}.*?\n\n(.*?)^```", text_of(whole), re.M | re.S):
        assert solution.strip().splitlines()[0] not in text


def test_a_class_gets_a_set_for_each_student(tmp_path, run):
    def call(*words):
        return CliRunner().invoke(main, list(words), catch_exceptions=False)

    out = tmp_path / "class"
    assert call("class", str(out), "--students", "3", "--profile", "smoke").exit_code == 0
    folders = {who: sorted((out / who).iterdir()) for who in ("students", "teacher")}
    names = {PATHS[lab].name for lab in LABS}
    blind = []
    for i, (student, teacher) in enumerate(zip(*folders.values(), strict=True), 1):
        assert {p.name for p in student.iterdir()} == names | {teaching.IMAGES}
        assert {p.name for p in teacher.iterdir()} == names | {teaching.IMAGES, teaching.TRUTH}
        for name in names:
            one, other = (nbformat.read(folder / name, as_version=4) for folder in (student, teacher))
            for notebook in (one, other):
                assert f"seed: int = {i}  #" in text_of(notebook) and "profile: str = 'smoke'  #" in text_of(notebook)
            assert "SOLUTION" in text_of(other) and "SOLUTION" not in text_of(one)
        images = np.load(student / teaching.IMAGES)["images"]
        assert images.shape == (30, 3, 16, 16) and images.dtype == np.uint8
        assert (images == np.load(teacher / teaching.IMAGES)["images"]).all()
        blind += [image.tobytes() for image in images]
    assert len(set(blind)) > 0.9 * len(blind)  # two generators of a minute may once make the same image

    refused = CliRunner().invoke(main, ["class", str(out), "--students", "3", "--profile", "smoke"])
    assert refused.exit_code == 1 and "exists already" in refused.output

    truth = teaching.read_names(folders["teacher"][0] / teaching.TRUTH)
    assert len(truth) == 30
    half = np.where(np.arange(30) < 15, truth, "nobody")
    (folders["students"][0] / teaching.ANSWERS).write_text("\n".join(half) + "\n")
    (folders["students"][1] / teaching.ANSWERS).write_text("real\n")
    marks = call("mark", str(out)).output.splitlines()
    assert "15 of 30 right" in marks[0] and "1 answers to 30 images" in marks[1] and "nothing handed in" in marks[2]


def test_the_teachers_answers_are_right(run):
    """Every image of a blind set is found among the images of the source that the teacher's answers name."""
    from ganfp.paper.attribution import seed_setup
    from ganfp.runs.recipes.samples import Sample

    key = 7
    (images, truth), (other, _) = teaching.blind_sets(run, 30, 2, key)
    origins = {s.name: s.origin for s in seed_setup(run).sources} | {teaching.STRANGER: run.generator("sngan")}
    assert set(truth) == set(origins)
    pools = {name: run.sample(Sample(origin, "test", run.profile.real.test, key)) for name, origin in origins.items()}
    for image, name in zip(images, truth, strict=True):
        assert (image == pools[name]).all((1, 2, 3)).any()
    again = teaching.blind_sets(run, 30, 2, key)[0]
    assert (again[0] == images).all() and (again[1] == truth).all()
    assert not np.array_equal(images, other) and not np.array_equal(images, teaching.blind_sets(run, 30, 2, 8)[0][0])


def test_too_many_students_are_refused(run):
    with pytest.raises(ValueError, match="profile smoke has 40 test images of a source, and .* fewer sets"):
        teaching.blind_sets(run, 30, 40, 7)


def test_questions_know_their_answers_only_where_these_are(run, tmp_path):
    images, truth = teaching.questions(run)
    teaching.write_blind(tmp_path, images)
    again, unknown = teaching.questions(run, str(tmp_path / teaching.IMAGES))
    assert (again == images).all() and unknown is None
    teaching.write_blind(tmp_path, images, truth)
    assert (teaching.questions(run, str(tmp_path / teaching.IMAGES))[1] == truth).all()


def test_a_student_can_run_the_blind_lab(run, tmp_path):
    """With the solutions put in, as a student would write them: the answers are handed in beside the images."""
    images, _ = teaching.questions(run)
    teaching.write_blind(tmp_path, images)
    values = {"profile": "smoke", "seed": 0, "blind": teaching.IMAGES, "no parameter": 3}
    source = teaching.parametrised(nbformat.read(PATHS["lab3"], as_version=4), values)
    path = tmp_path / "lab3.ipynb"
    nbformat.write(source, path)
    notebooks.execute(path, tmp_path / "done.ipynb", {}, tmp_path)
    assert len(teaching.read_names(tmp_path / teaching.ANSWERS)) == len(images)
