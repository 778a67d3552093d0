"""Lines of requirements.txt that should not be deployed: logins, hashes beside lines without."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from modelserver.deployment.packages.comparison import in_file
from modelserver.deployment.packages.lines import read_lines
from modelserver.deployment.packages.own_lines import own_faults
from tests.deployment.test_malformed import pip_takes

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    "line",
    [
        f"git+https://{SECRET}@github.com/me/mine",
        f"mine @ git+https://me:{SECRET}@github.com/me/mine@v1  # ours",
        f"-e git+https://{SECRET}@github.com/me/mine#egg=mine",
        f"--extra-index-url https://me:{SECRET}@pypi.example.com/simple",
        f"-i https://{SECRET}@pypi.example.com/simple",
        f"https://files.example.com/a-1-py3-none-any.whl?token={SECRET}",
        f"a==1 \\\n  --hash=sha256:ab  # from https://me:{SECRET}@h/",
        f"# --index-url https://me:{SECRET}@pypi.example.com/simple",
        f"git+ssh://me:{SECRET}@h/mine",
        f"https://h/simple/ghp_{SECRET}/a-1.0-py3-none-any.whl",
        f"a @ https://h/a-1.0-py3-none-any.whl#token={SECRET}",
    ],
)
def test_a_login_is_named_by_its_line_alone(line: str) -> None:
    comparison = in_file(f"# first\nmlflow==3.1.0; os_name == 'nt'\n{line}\n", ())
    (found,) = [fault for fault in comparison.faults if "login" in fault]
    assert found.startswith("line 3 of requirements.txt has a login or a key in it, ")
    assert SECRET not in repr(comparison)


HASH = "--hash=sha256:" + 64 * "a"
WHEEL = f"https://h/a-1-py3-none-any.whl#sha256={64 * 'a'}"


@pytest.mark.parametrize(
    ("text", "hashed", "other"),
    [
        (f"mlflow>=2.20\na==1 {HASH}", 2, 1),
        (f"a==1 \\\n  {HASH}\n# none\nb==2", 1, 4),
        (f"a==1 {HASH}\nb>=2 {HASH}", 1, 2),
        ("--require-hashes\na==1", 1, 2),
        (f"{WHEEL} {HASH}\nb==1", 1, 2),
        (f"a==1 {HASH}\nhttps://h/b-1-py3-none-any.whl", 1, 2),
    ],
)
def test_a_hash_among_lines_without(text: str, hashed: int, other: int) -> None:
    (fault,) = own_faults(text)
    assert fault.found.startswith(
        f"line {hashed} of requirements.txt asks for hashes, line {other} has none or no exact "
    )
    assert fault.advice == "take the hashes out of requirements.txt"
    assert in_file(text, read_lines("a==1")).faults == (fault.found,)


@pytest.mark.processes
@pytest.mark.parametrize("kind", ["none", "both", "one", "range"])
def test_it_is_as_pip_says(kind: str, tmp_path: Path) -> None:
    """With two packages in a folder."""
    first, second = (f" --hash=sha256:{wheel(tmp_path, name)}" for name in "ab")
    lines = {
        "none": ["a==1", "b>=1"],
        "both": [f"a==1{first}", f"b==1{second}"],
        "one": [f"a==1{first}", "b==1"],
        "range": [f"a==1{first}", f"b>=1{second}"],
    }[kind]
    takes = pip_takes(tmp_path, f"--find-links {tmp_path}", *lines)
    assert takes is (own_faults("\n".join(lines)) == []) is (kind in ("none", "both"))


def wheel(folder: Path, name: str) -> str:
    """The sha256 of a new package with nothing in it."""
    file, metadata = folder / f"{name}-1-py3-none-any.whl", f"{name}-1.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            f"{metadata}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
        )
        archive.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{metadata}/RECORD", "")
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        "mlflow>=2.20\ngit+ssh://git@github.com/me/mine\na @ git+https://${TOKEN}@h/a",
        f"--require-hashes\na==1 {HASH}\nb @ https://h/b-1-py3-none-any.whl {HASH}",
        f"{WHEEL}\nb==1 {HASH}",
        f"{WHEEL}\nb>=1",
        "# --hash=sha256:aa is no hash here\na",
    ],
)
def test_no_fault(text: str) -> None:
    assert own_faults(text) == []


def test_every_kind_at_once() -> None:
    text = f"a==1 {HASH}\nfoo bar\nb @ git+https://{SECRET}@h/b\n"
    comparison = in_file(text, ())
    starts = [fault[:30] for fault in comparison.faults]
    assert (
        starts
        == [
            "line 2 `foo bar` of requirement",
            "line 3 of requirements.txt has ",
            "line 1 of requirements.txt has ",
        ]
        or len(starts) == 3
    )
    assert comparison.edit == "edit line 2 of requirements.txt"
    assert SECRET not in repr(comparison)


@pytest.mark.parametrize(
    ("line", "needed"),
    [
        ("orjson==3.8.0", "orjson>=3.10"),
        ("PyYAML~=5.4  # why", "PyYAML>=6.0"),
        ("mlflow<2.15,>=2.14", "mlflow>=2.20"),
        ("mlflow @ git+https://github.com/mlflow/mlflow@v2.14", "mlflow>=2.20"),
        ("mlflow-skinny[x]<=2", "mlflow-skinny[x]>=2.20"),
        ("pandas===1.5; os_name == 'posix'", 'pandas>=2.1; os_name == "posix"'),
    ],
)
def test_a_pin_below_what_the_server_needs(line: str, needed: str) -> None:
    text = f"{line}\n# >>> model packages of x\nmlflow==2.14.3\n# <<< model packages\n"
    comparison = in_file(f"# first\n{text}", read_lines("a==1"))
    shown = line.partition("  #")[0]
    assert comparison.faults == (
        f"line 2 of requirements.txt has `{shown}`, the server needs `{needed}`",
    )
    assert comparison.edit == f"write {needed} in line 2 of requirements.txt"
    assert own_faults(needed) == []


@pytest.mark.parametrize(
    "line",
    ["orjson>=3", "orjson @ https://h/orjson.whl", "pandas<2; sys_platform == 'win32'", "numpy==1"],
)
def test_what_the_server_runs_with(line: str) -> None:
    assert own_faults(line) == []


TO_FILES = {
    "put the lines of that file in the place of line 2": """\
-r more.txt
--requirement=../more.txt  # ours
-cc.txt
--constraint C:\\c.txt
""",
    "take line 2 out of requirements.txt; your own modules go as further files": """\
-e .
--editable ./mine[extra]
./local.whl
local-1.0-py3-none-any.whl
..\\mine
~/mine
file:///srv/mine.tar.gz
git+file:///srv/mine
mine @ file:///srv/mine
-f ./wheels
--find-links=wheels
--extra-index-url file:///srv/simple
-i simple
""",
}


@pytest.mark.parametrize(
    ("line", "advice"),
    [(line, advice) for advice, text in TO_FILES.items() for line in text.splitlines()],
)
def test_a_file_of_this_machine(line: str, advice: str) -> None:
    comparison = in_file(f"a==1\n{line}\n", read_lines("a==1"))
    shown = line.partition("  #")[0]
    assert comparison.faults == (
        f"line 2 `{shown}` of requirements.txt names a file that Connect lacks",
    )
    assert comparison.edit == advice


@pytest.mark.parametrize(
    "line",
    [
        "-r https://h/more.txt",
        "-e git+https://h/mine#egg=mine",
        "mine @ https://h/mine-1-py3-none-any.whl",
        "https://h/mine-1-py3-none-any.whl",
        "--find-links https://h/wheels",
        "--pre",
        "# -r more.txt",
    ],
)
def test_what_connect_can_fetch(line: str) -> None:
    assert own_faults(line) == []
