"""Lines that pip cannot read: found by their numbers, as pip itself finds them."""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from modelserver.deployment.packages.comparison import in_file
from modelserver.deployment.packages.lines import END, START
from modelserver.deployment.packages.merging import Conflict, merge
from modelserver.deployment.packages.own_lines import RULE, malformed

JOINED = "perhaps lines that were joined, "

FAULTS = {
    "skops==0.16.0mlflow==3.17.2": f"{JOINED}`skops==0.16.0` and `mlflow==3.17.2`",
    "numpy==1h5py==3.1requests[socks]<3": (
        f"{JOINED}`numpy==1` and `h5py==3.1` and `requests[socks]<3`"
    ),
    "a==1rc1mlflow==2  # why": f"{JOINED}`a==1rc1` and `mlflow==2`",
    "a==1; os_name=='posix'b==2": f"{JOINED}`a==1; os_name=='posix'` and `b==2`",
    "mlflow==3 pandas==2": f"{JOINED}`mlflow==3` and `pandas==2`",
    "a==1--extra-index-url https://u:p@h": (f"{JOINED}`a==1` and `--extra-index-url https://…@h`"),
    "skops==0.1https://h/a.whl": f"{JOINED}`skops==0.1` and `https://h/a.whl`",
    "a==1# >>> model packages": "perhaps `a==1`",
    "pandas=2.1": "perhaps `pandas==2.1`",
    "pandas=2.1.0=py311_0": "perhaps `pandas==2.1.0`",
    "pandas 2.1": "perhaps `pandas==2.1`",
    "pandas=>2": "perhaps `pandas>=2`",
    '"pandas==2.1",': "perhaps `pandas==2.1`",
    "- pandas>=2": "perhaps `pandas>=2`",
    "pip install pandas==2": "perhaps `pandas==2`",
    "foo bar baz": RULE,
    "numpy --foo": RULE,
    "<<<<<<< HEAD": RULE,
}


@pytest.mark.parametrize("line", FAULTS)
def test_what_a_line_may_have_meant(line: str) -> None:
    (found,) = malformed(f"# first\na==1 \\\n  --hash=sha256:ab\n{line}\nb\n")
    assert found.advice == "edit line 4 of requirements.txt"
    shown = line.partition("  #")[0].replace("u:p@", "…@")
    assert found.found == f"line 4 `{shown}` of requirements.txt is no requirement: {FAULTS[line]}"


@pytest.mark.parametrize("line", ["a @ https://h/a.whlb==2", "./a.whlb==2", "-r base.txtb==2"])
def test_a_requirement_that_was_joined_to_something_else(line: str) -> None:
    (found,) = malformed(line)
    assert found.advice == "edit line 1 of requirements.txt"


@pytest.mark.processes
def test_pip_refuses_joined_lines_and_takes_the_two_that_were_meant(tmp_path: Path) -> None:
    joined = f"pandas=={version('pandas')}mlflow=={version('mlflow')}"
    (found,) = malformed(joined)
    meant = re.findall(r"`(.*?)`", found.found.partition(JOINED)[2])
    assert not pip_takes(tmp_path, joined)
    assert pip_takes(tmp_path, *meant)


def pip_takes(folder: Path, *lines: str) -> bool:
    file = folder / "requirements.txt"
    file.write_text("\n".join(lines))
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--dry-run", "-r", str(file)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


READABLE = """\
a==1.0b1; python_version < "3.9" and os_name == "nt"
A_b[c,d] >= 1, <2  # why
a==1 --hash=sha256:ab --hash=sha256:cd
a @ git+https://h/a@v1.0
https://h/a.whl
-r base.txt
--extra-index-url=https://h/simple
-e .
./dist/a-1-py3-none-any.whl
wheels/a.whl

"""


@pytest.mark.parametrize("line", READABLE.splitlines())
def test_what_is_readable(line: str) -> None:
    assert list(malformed(line)) == []


@given(st.text("a1=.<>,;'\" #-[]/:@\n", max_size=30))
def test_every_text_has_an_answer(text: str) -> None:
    for found in malformed(text):
        number = re.fullmatch(r"edit line (\d+) of requirements.txt", found.advice)
        assert number
        assert text.split("\n")[int(number[1]) - 1]


def test_an_update_stops_and_the_check_says_which_line_to_edit() -> None:
    text = "a==1\nb==1c==2\n"
    with pytest.raises(Conflict) as caught:
        merge(text, (), "m")
    assert str(caught.value).startswith("line 2 `b==1c==2` of requirements.txt is no requirement")
    comparison = in_file(text, ())
    assert comparison.faults == caught.value.reasons
    assert comparison.edit == "edit line 2 of requirements.txt"


def test_lines_of_the_block_are_replaced_anyway() -> None:
    broken = f"a\n{START} of m\nfoo bar\n{END}\nb==1c==2\n"
    with pytest.raises(Conflict, match=r"^line 5 "):
        merge(broken, (), "m")
    assert "foo bar" not in merge(broken.replace("c==2", ""), (), "m")
