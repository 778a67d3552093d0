"""A model's packages against a requirements file and against what is installed."""

from importlib.metadata import version

import pytest

from modelserver.deployment.packages.comparison import Comparison, in_file, installed
from modelserver.deployment.packages.lines import read_lines


@pytest.mark.parametrize(
    ("text", "model", "faults", "doubts"),
    [
        ("a==1\nb>=2", "a==1\nb>=2", (), ()),
        ("a==1", "a>=1\nb==1; os_name == 'amiga'", (), ()),
        ("a>=1", "a==1.5\nb==2", ("b==2 has no line",), ("`a>=1` allows more than a==1.5",)),
        (
            "a==1.8\na==1.9",
            "a==1.9",
            ("the model asks for a==1.9, requirements.txt has `a==1.8`",),
            (),
        ),
        ("mlflow-skinny==3.1", "mlflow==3.1", (), ()),
        (
            "mlflow-skinny>=3",
            "mlflow==3.1",
            (),
            ("`mlflow-skinny>=3` allows more than mlflow==3.1",),
        ),
        ("mlflow==3.1", "mlflow-skinny==3.1", ("mlflow-skinny==3.1 has no line",), ()),
        ("a @ https://h/a", "a @ https://h/a", (), ()),
        ("a @ https://h/a", "a==1", (), ()),
        ("--pre", "--pre\n# a", (), ()),
        ("mlflow==3.17.2\nmlflow>=2.20", "mlflow==3.17.2", (), ()),
        ("mlflow>=2.20\nmlflow==3.17.2", "mlflow==3.17.2", (), ()),
        ("a>=1\na<2\na[x]", "a<2,>=1", (), ()),
        ("a>=1\nA", "a==1", (), ("`a>=1` and `A` allows more than a==1",)),
        ("a==1\nb; os_name == 'amiga'", "a\na>=1\na==1", (), ()),
        ("mlflow-skinny>=3\nmlflow-skinny==3.1", "mlflow==3.1", (), ()),
    ],
)
def test_in_file(text: str, model: str, faults: tuple[str, ...], doubts: tuple[str, ...]) -> None:
    assert in_file(text, read_lines(model)) == Comparison(faults, doubts)


@pytest.mark.parametrize(
    ("text", "model", "edit"),
    [
        ("b\na>=2", "a==1; os_name != 'amiga'", "delete that line"),
        ("pandas>=2.1", "pandas==1.5", "log the model again with pandas>=2.1"),
        ("a", "a\n-r more.txt", "log it again without that line"),
        ("a", "-i https://h", "if it may, add the same line to requirements.txt yourself"),
    ],
)
def test_what_an_update_cannot_mend_is_for_a_person(text: str, model: str, edit: str) -> None:
    comparison = in_file(text, read_lines(model))
    assert comparison.edit == edit
    assert comparison.faults[0].endswith(edit)


def test_installed() -> None:
    lines = "MLflow>=2\nno-such-package==1\npandas==0.1\nother; os_name == 'amiga'"
    assert installed(read_lines(lines)) == Comparison(
        ("no-such-package==1 is not installed",), (f"pandas==0.1 is here as {version('pandas')}",)
    )


def test_all_lines_of_a_package_of_the_model_count() -> None:
    assert installed(read_lines("pandas==0.1\npandas")).doubts == (
        f"pandas==0.1 is here as {version('pandas')}",
    )
