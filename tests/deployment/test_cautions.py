"""What pip would not find, or find in a version that the model cannot take."""

import re

import pytest

from modelserver.deployment.packages.cautions import cautions
from modelserver.deployment.packages.comparison import in_file
from modelserver.deployment.packages.lines import read_lines


@pytest.mark.parametrize(
    ("model", "ours", "advice"),
    [
        ("torch==2.4.0+cu118", "", "--extra-index-url https://download.pytorch.org/whl/cu118 "),
        ("torchvision===0.19+cpu", "", "https://download.pytorch.org/whl/cpu "),
        ("jaxlib==0.4.1+cuda12", "", "or log the model with jaxlib==0.4.1"),
        ("torch==2.4.0+cpu", "torch==2.4.0+cpu", "or log the model with torch==2.4.0"),
        ("scikit-learn==1.2.2", "", "add the line numpy<2 to requirements.txt"),
        ("Scikit_Learn~=1.2.2", "numpy>=1.26", "add the line numpy<2 to requirements.txt"),
        ("pandas==2.1.4", "", "add the line numpy<2 to requirements.txt"),
    ],
)
def test_a_caution(model: str, ours: str, advice: str) -> None:
    (caution,) = cautions(read_lines(model), ours)
    assert f"`{model}`" in caution.found
    assert advice in caution.advice


@pytest.mark.parametrize("line", ["torch==2.4.0+cpu", "jax[cuda] === 0.4.1+cuda12  # ours"])
def test_a_local_version_of_our_own(line: str) -> None:
    (caution,) = cautions(read_lines("numpy\ntorch==2.4.0"), line)
    assert f"PyPI has no `{line.partition('  #')[0]}`" in caution.found
    assert re.search(r", or write (torch==2\.4\.0|jax==0\.4\.1)$", caution.advice)
    comparison = in_file(f"{line}\nnumpy", read_lines("numpy"))
    assert (comparison.faults, comparison.doubts) == ((), (caution.found,))
    assert comparison.edit == caution.advice


@pytest.mark.parametrize(
    ("model", "ours"),
    [
        ("torch==2.4.0+cpu", "--extra-index-url https://download.pytorch.org/whl/cpu"),
        ("torch==2.4.0+cpu", "-f https://host/wheels"),
        ("torch==2.4.0\na===odd\nb==1.*\n./x.whl", ""),
        ("scikit-learn==1.2.2\nnumpy==1.26.4", ""),
        ("scikit-learn==1.2.2", "numpy<2"),
        ("scikit-learn==1.4.2", ""),
        ("scikit-learn>=1.2", ""),
        ("numpy", ""),
    ],
)
def test_no_caution(model: str, ours: str) -> None:
    assert cautions(read_lines(model), ours) == []


def test_the_preflight_warns_and_says_which_line_to_add() -> None:
    comparison = in_file("scikit-learn==1.2.2", read_lines("scikit-learn==1.2.2"))
    assert comparison.faults == ()
    assert comparison.doubts == ("`scikit-learn==1.2.2` is older than NumPy 2, which pip may take",)
    assert comparison.edit == "add the line numpy<2 to requirements.txt"
