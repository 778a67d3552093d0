"""A model's packages in our requirements.txt: one line each, everything else as it was."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from modelserver.deployment.packages.comparison import Comparison, in_file
from modelserver.deployment.packages.floors import raised
from modelserver.deployment.packages.lines import END, START, read_lines
from modelserver.deployment.packages.matches import quoted_lines
from modelserver.deployment.packages.merging import ASIDE, Conflict, differences, merge
from tests.support.connect.environment import needed

ROOT = Path(__file__).parents[2]
FILE = ROOT / "requirements.txt"

OURS = """\
# what the server needs
mlflow>=2.20
pandas>=2.1  # tables
uvloop>=0.19; sys_platform != "win32"
"""

HEAD = f"{START} of models:/m/1, made by `python main.py update`; edits here are lost"


def merged(text: str, model: str, **aliases: str) -> str:
    return merge(text, read_lines(model), "models:/m/1", aliases)


def block(text: str) -> list[str]:
    """The lines between the marks."""
    return text.partition(HEAD + "\n")[2].partition(END)[0].splitlines()


def test_what_a_person_sees() -> None:
    assert (
        merged(OURS, "mlflow==3.1.0\nscikit-learn==1.5.0\npandas==2.2.3")
        == f"""\
# what the server needs
{ASIDE}mlflow>=2.20
{ASIDE}pandas>=2.1  # tables
uvloop>=0.19; sys_platform != "win32"
{HEAD}
mlflow==3.1.0
scikit-learn==1.5.0
pandas==2.2.3
{END}
"""
    )


@pytest.mark.parametrize(
    ("ours", "model", "lines"),
    [
        ("pandas>=2.1", "pandas==2.2.3", ["pandas==2.2.3"]),
        ("PANDAS>=2.1", "Pandas==2.2.3", ["Pandas==2.2.3"]),
        ("scikit_learn", "scikit-learn==1.5", ["scikit-learn==1.5"]),
        ("a>=1", "a", ["a>=1"]),
        ("a>=1", "a<2", ["a<2,>=1"]),
        ("a==1.0 --hash=sha256:aa", "a==1.0", ["a==1.0 --hash=sha256:aa"]),
        ("a==1.0 \\\n  --hash=sha256:aa", "a>=1", ["a==1.0 \\", "  --hash=sha256:aa"]),
        ("a[x]>=1", "a[y]==2", ["a[x,y]==2"]),
        ("a @ git+https://h/a", "a==1", ["a @ git+https://h/a"]),
        ("a>=1", "a @ https://h/a.whl", ["a @ https://h/a.whl"]),
        ("a>=1; python_version < '4'", "a==1", ["a==1"]),
        ("a>=1; python_version<'4'", "a==2; python_version < '4'", ["a==2; python_version < '4'"]),
        ("a>=1; os_name == 'nt'", "a==2; os_name == 'posix'", ["a==2; os_name == 'posix'"]),
        ("a @ https://h/a.whl ; os_name == 'nt'", "a==1", ["a==1"]),
        ("", "mlflow==3.1\nmlflow\nmlflow>=2", ["mlflow==3.1"]),
        ("", "https://h/a.whl --hash=sha256:ab", ["https://h/a.whl --hash=sha256:ab"]),
        ("https://h/a.whl", "https://h/a.whl\na", ["a"]),
        ("--extra-index-url https://h  # ours", "--extra-index-url https://h\na", ["a"]),
        ("-i https://h", "--index-url=https://h\na", ["a"]),
        ("", "-e git+https://h/a#egg=a", ["-e git+https://h/a#egg=a"]),
        ("", "a==1 \\\n\nb==2\\", ["a==1 ", "b==2"]),
        ("", f"a==1 \\\n{END}\nb==2", ["a==1", "b==2"]),
        ("", "# only a comment\n\n", []),
    ],
)
def test_block(ours: str, model: str, lines: list[str]) -> None:
    text = merged(ours, model)
    assert block(text) == lines
    assert merged(text, model) == text


def test_the_reason_for_another_mlflow_stays_where_our_own_line_is_stricter() -> None:
    (raised_line,) = map(raised, read_lines("mlflow==2.14.3"))
    why = "# what the server needs; the model asks for mlflow==2.14.3"
    for ours, wanted in (("mlflow>=2.20", "mlflow>=2.20"), ("mlflow>=3.1", "mlflow>=2.20,>=3.1")):
        assert block(merged(ours, raised_line.text)) == [f"{wanted}  {why}"]


def test_markers_that_differ_keep_both_lines() -> None:
    text = merged("a>=1\n", "a==2; os_name == 'posix'")
    assert text.startswith("a>=1\n" + START)


CONFLICTS = [
    (
        "pandas>=2.1  # tables",
        "pandas==1.5.3",
        "the model asks for `pandas==1.5.3`, the server needs `pandas>=2.1`; "
        "log the model again with pandas>=2.1",
    ),
    (
        "",
        "fastapi==0.95\nstarlette==0.26",
        "the model asks for `starlette==0.26`, the server needs `starlette>=0.40`; "
        "log the model again with starlette>=0.40 and a fastapi that allows it",
    ),
    (
        "# ours\na @ https://h/a-1.5.0-py3-none-any.whl",
        "a==1.4.0",
        "the model asks for `a==1.4.0`, line 2 of requirements.txt has "
        "`a @ https://h/a-1.5.0-py3-none-any.whl`; delete that line",
    ),
    ("", "a==1\na==2", "the model asks for `a==1` and `a==2`; log it again with one of them"),
    (
        "# ours\nb\na @ https://h/1.whl",
        "a @ https://h/2.whl",
        "the model asks for `a @ https://h/2.whl`, "
        "line 3 of requirements.txt has `a @ https://h/1.whl`; delete that line",
    ),
    (
        "a>=2",
        "a==1; os_name == 'posix'",
        "the model asks for `a==1; os_name == 'posix'`, "
        "line 1 of requirements.txt has `a>=2`; delete that line",
    ),
    (
        "a<2\na>=1\na==1.5  # tried by us",
        "a==1.7",
        "the model asks for `a==1.7`, "
        "line 3 of requirements.txt has `a==1.5  # tried by us`; delete that line",
    ),
    (
        "a<2\nb\na>1.5",
        "a<=1.5,>=1.5\nb",
        "the model asks for `a<=1.5,>=1.5`, "
        "line 3 of requirements.txt has `a>1.5`; delete that line",
    ),
    (
        "a<2,>=1.6\nb\na<=1.4",
        "a==1.5",
        "the model asks for `a==1.5`, "
        "lines 1 and 3 of requirements.txt have `a<2,>=1.6` and `a<=1.4`; delete those lines",
    ),
]


@pytest.mark.parametrize(("ours", "model", "reason"), CONFLICTS)
def test_conflicts(ours: str, model: str, reason: str) -> None:
    with pytest.raises(Conflict) as caught:
        merged(ours, model)
    assert str(caught.value) == reason.replace("  # tried by us", "")


def test_every_conflict_is_reported() -> None:
    with pytest.raises(Conflict) as caught:
        merged("a>2\nb>2\nc>2", "a==1\nb==1\nc==3")
    assert len(caught.value.reasons) == 2
    found = differences("a>2\nb>2\nc>2", read_lines("a==1\nb==1\nc==3"))
    assert found.reasons == caught.value.reasons


def test_the_numbers_are_those_of_the_file_with_its_block() -> None:
    text = merged("first\n", "a==1\nb==1") + "a>=1\n"
    again = merged(text, "a==1")
    (number,) = (n for n, line in enumerate(again.splitlines(), 1) if line == f"{ASIDE}a>=1")
    with pytest.raises(Conflict, match=rf"line {number} of requirements.txt has `a>=1`; delete"):
        merged(again, "a==0.1")


@pytest.mark.parametrize(
    ("ours", "model", "rest"),
    [
        ("a==1.8\na==1.9", "a==1.9", []),
        ("a==1.8", "a==1.9", []),
        ("a==1.8 --hash=sha256:ab", "a==1.9", []),
        ("a==1.8\na<2", "a==1.9", [f"{ASIDE}a<2"]),
        ("a==1.8", "a==1.9; os_name == 'posix'", []),
        ("mlflow==3.1\nmlflow>=2.20", "mlflow==3.2", [f"{ASIDE}mlflow>=2.20"]),
        ("mlflow==3.1\nmlflow==3.2", "mlflow==3.2", [f"{ASIDE}mlflow==3.2"]),
        ("mlflow<3,>=2\nmlflow>=2.20", "mlflow==3.2", [f"{ASIDE}mlflow>=2.20"]),
        ("mlflow==2.22\npandas==2.2", "mlflow==3.2", [f"{ASIDE}mlflow==2.22", "pandas==2.2"]),
        ("a==1.8\nb==1", "a @ https://h/a.whl", [f"{ASIDE}a==1.8", "b==1"]),
    ],
)
def test_pins_of_older_models_give_way(ours: str, model: str, rest: list[str]) -> None:
    text = merged(ours, model)
    assert text.partition(HEAD)[0].splitlines() == rest
    assert merged(text, model) == text


def test_the_next_model_begins_with_our_own_lines() -> None:
    first = merged(OURS, "mlflow==3.1.0\npandas==2.2.3")
    assert merged(first, "scikit-learn==1.5") == merged(OURS, "scikit-learn==1.5")


def test_the_block_stays_where_it_is() -> None:
    text = merged("a>=1\n", "b==1") + "c>=1\n"
    again = merged(text, "b==2\nc==1")
    assert again == f"a>=1\n{HEAD}\nb==2\nc==1\n{END}\n{ASIDE}c>=1\n"


def test_frozen_lines_below_the_block_are_kept_as_they_are() -> None:
    """What the page on Connect tells for builds that repeat, with this environment."""
    frozen = "".join(f"{name}=={package.version}\n" for name, package in needed(FILE).items())
    model = "\n".join(f"{name}=={version(name)}" for name in ("mlflow", "pandas", "scikit-learn"))
    text = merged(FILE.read_text(), model) + frozen
    assert in_file(text, read_lines(model)) == Comparison()
    again = merged(text, model)
    assert in_file(again, read_lines(model)) == Comparison()
    kept = [line for line in frozen.splitlines() if line not in model.splitlines()]
    assert again.splitlines()[-len(kept) :] == kept


def test_aliases_replace_our_line() -> None:
    text = merged(OURS, "mlflow-skinny", mlflow="mlflow-skinny")
    assert block(text) == ["mlflow-skinny>=2.20"]
    assert f"{ASIDE}mlflow>=2.20" in text


MODEL_A = "mlflow==3.1.0\npandas==2.2.3\nscikit-learn==1.5.0"


def older_recipe(text: str, model: str) -> str:
    """`cat model >> file; sort -u file`."""
    return "".join(f"{line}\n" for line in sorted({*text.splitlines(), *model.splitlines()}))


@pytest.mark.parametrize("before", [OURS, merged(OURS, "numpy==2.0"), merged(OURS, MODEL_A)])
def test_a_file_of_the_older_recipe_is_tidied(before: str) -> None:
    tidy = merged(older_recipe(before, MODEL_A), MODEL_A)
    assert block(tidy) == MODEL_A.splitlines()
    assert (tidy.count(START), tidy.count(END)) == (1, 1)
    outside = tidy.partition(HEAD)[0].splitlines()
    assert [line for line in outside if re.match("mlflow|pandas|scikit", line)] == []
    # The next model is not held to the versions of this one.
    assert "mlflow==3.2.0" in merged(tidy, "mlflow==3.2.0\nscikit-learn==1.6.0")


def test_the_servers_last_line_is_put_aside_not_dropped() -> None:
    text = merged("pandas==2.2.3\nnumpy==2.0\n", "pandas==2.2.3\nnumpy==2.0")
    assert text.startswith(f"{ASIDE}pandas==2.2.3\n{START}")


def test_what_is_there_twice_is_named_once() -> None:
    assert quoted_lines(read_lines("a==1\na==2\na==1  # why")) == "`a==1` and `a==2`"


NAMES = st.sampled_from(["mlflow", "pandas", "Scikit_Learn", "a.b", "numpy"])
SPECS = st.sampled_from(["", ">=1", "==1.5", "==2.0", "<3", "[x]>=1", " @ https://h/x.whl"])
ENDS = st.sampled_from(["", "  # why", "; os_name == 'posix'", " --hash=sha256:aa", " \\\n  --pre"])
PACKAGES = st.builds("{}{} {}".format, NAMES, SPECS, ENDS)
OTHERS = st.sampled_from(
    [
        "",
        "# note",
        "-r base.txt",
        "-c limits.txt",
        "--index-url https://h/s",
        "-e ./local",
        "./x.whl",
    ]
)
FILES = st.lists(PACKAGES | OTHERS, max_size=8)
MODELS = st.lists(st.builds("{}{}".format, NAMES, SPECS), max_size=5).map("\n".join)


@given(FILES, MODELS, MODELS, st.sampled_from(["\n", "\r\n"]))
def test_merging(file: list[str], first: str, second: str, newline: str) -> None:
    text = "".join(f"{line}\n" for line in file).replace("\n", newline)
    try:
        once = merged(text, first)
        then = merged(once, second)
    except Conflict:
        return
    assert merged(once, first) == once
    assert merged(then, second) == then
    outside = "".join(re.split(rf"{START}(?s:.*){END}\r?\n", once))
    others = [line.text for line in read_lines(text) if not line.requirement]
    kept = [line.text for line in read_lines(outside) if not line.requirement]
    assert [line for line in kept if not line.startswith(ASIDE)] == others
    names = [line.name for line in read_lines(once) if line.name and not line.marker]
    wanted = {line.name for line in read_lines(first) if line.name}
    assert [names.count(name) for name in wanted] == [1] * len(wanted)


PIECES = st.sampled_from(
    ["a", "==1", "==2", "\n", "\n", "\\\n", "\\", "\r", "\f", " ", "#", "-r x", END, f"{START} x"]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_nothing_slips_out_of_the_block(model: str) -> None:
    """However the model's lines continue or end, pip reads a package a line, and our own lines."""
    try:
        text = merged("first\nlast", model)
    except Conflict:
        return
    head, inside, tail = re.split(rf"{re.escape(HEAD)}\n|{END}\n", text)
    assert (head, tail) == ("first\nlast\n", "")
    assert all(line.requirement for line in read_lines(inside) if line.content)
    assert merged(text, "") == merged("first\nlast", "")
