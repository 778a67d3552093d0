"""The lines of requirements files."""

import pytest
from hypothesis import given, strategies as st

from modelserver.deployment.packages.lines import LONGEST, read_line, read_lines

PIECES = st.sampled_from(
    [
        "pandas>=2",
        " ",
        "\\",
        "\n",
        "\r\n",
        "# c",
        "#",
        "--hash=sha256:ab",
        ";",
        "-r x.txt",
        "é",
        "\f",
    ]
)


@given(st.lists(PIECES).map("".join))
def test_nothing_is_lost(text: str) -> None:
    assert "".join(line.text for line in read_lines(text)) == text


@pytest.mark.parametrize(
    ("text", "name", "marker", "options"),
    [
        ("Scikit_Learn==1.5  # pinned\n", "scikit-learn", "", ""),
        ("uvloop>=0.19; sys_platform != 'win32'", "uvloop", 'sys_platform != "win32"', ""),
        ("mlflow[extras,db] >= 2 , < 4", "mlflow", "", ""),
        ("a @ git+https://host/a.git@v1#egg=a", "a", "", ""),
        ("a==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n", "a", "", None),
        ("-r other.txt", "", "", ""),
        ("--index-url https://host/simple", "", "", ""),
        ("-e git+https://host/a.git#egg=a", "", "", ""),
        ("./a.whl", "", "", ""),
        ("# a==1", "", "", ""),
        ("", "", "", ""),
    ],
)
def test_read_line(text: str, name: str, marker: str, options: str | None) -> None:
    line = read_line(text)
    assert (line.name, line.marker) == (name, marker)
    if options is not None:
        assert line.options == options
    else:
        assert line.options.split() == ["--hash=sha256:aa", "--hash=sha256:bb"]


def test_a_continuation_is_one_line_but_not_after_a_comment() -> None:
    lines = read_lines("a==1 \\\n  --hash=x\nb  # c \\\nd\\")
    assert [line.content for line in lines] == ["a==1   --hash=x", "b", "d"]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a==1  # why", "a==1"),
        ("a @ https://me:pa55@host/a.whl", "a @ https://…@host/a.whl"),
        ("-i https://token@host/a@b", "-i https://…@host/a@b"),
        ("a\x1b[2J", "a�[2J"),
        ("a\t==\t1", "a == 1"),
        ("https://h/ghp_tok123456/a.whl", "https://h/…/a.whl"),
        ("https://h/a.whl#token=s3cr3t", "https://h/a.whl#…"),
        ("git+https://h/a@v1#egg=a", "git+https://h/a@v1#egg=a"),
        ("a" * 120, "a" * 120),
        ("a" * 121, "a" * 119 + "…"),
        (f"https://me:{'s' * 500}@host/a.whl?sig=s", "https://…@host/a.whl?…"),
    ],
)
def test_what_of_a_line_is_shown(text: str, quoted: str) -> None:
    assert read_line(text).quoted == quoted


@pytest.mark.parametrize(
    ("start", "repeated", "end"),
    [
        ("numpy", " ", "x"),
        ("numpy", " ", ""),
        ("numpy", "\t ", "--hash=x"),
        ("numpy --hash=x", " ", "x"),
        ("numpy; ", " ", "os_name"),
        ("numpy @ ", " ", "x y"),
        ("", " #", "x"),
        ("numpy", "\\\n", "x"),
        ("numpy==1", ",==1", ""),
        ("numpy", "[x,", ""),
        ("numpy==", "1", ""),
    ],
)
def test_a_hostile_line_is_read(start: str, repeated: str, end: str) -> None:
    """Where the work grows with the square of the length, this takes many minutes."""
    hostile = start + repeated * 200_000 + end
    assert [line.text for line in read_lines(hostile)] == [hostile]


def test_a_marker_with_many_parentheses() -> None:
    assert read_line(f"numpy; {'(' * (LONGEST - 10)}").requirement is None


def test_blanks_do_not_matter_and_a_long_requirement_is_none() -> None:
    assert read_line(f"numpy{' ' * LONGEST}>= \t 1").name == "numpy"
    assert read_line("a" * LONGEST).name == "a" * LONGEST
    assert read_line("a" * (LONGEST + 1)).requirement is None
    assert read_line("a==1" + " --hash=sha256:ab" * LONGEST).name == "a"


@pytest.mark.parametrize(
    ("line", "specifier"),
    [
        ("a>=1,<2", "<2,>=1"),
        ("-r more.txt", ""),
        ("a @ https://h/a-1.5.0-py3-none-any.whl", "==1.5.0"),
        ("a @ https://h/a-2.4.0%2Bcpu-cp311-cp311-linux_x86_64.whl", "==2.4.0"),
        ("a @ https://h/a-1.5rc1.tar.gz?x=2.0#sha256=ab", "==1.5rc1"),
        ("a @ git+https://h/a-b@v2.14#egg=a", "==2.14"),
        ("a @ https://h/archive/refs/tags/v2.14.3.zip", "==2.14.3"),
        ("a @ https://h/a-1.5.x.zip", ""),
        ("a @ git+https://h/a@main", ""),
        ("a @ https://h/1.whl", ""),
    ],
)
def test_the_versions_that_a_line_allows(line: str, specifier: str) -> None:
    assert str(read_line(line).specifier) == specifier
