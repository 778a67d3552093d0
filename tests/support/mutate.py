"""Do the tests notice mistakes? `python -m tests.support.mutate [--seed N] [--sample N]`

A mistake is made in a copy of the code: a comparison turned, a constant one larger, `and` for
`or`. The tests of the pure rooms are run on it: first those that reach its line, then all
of them. Printed are the mistakes that no test noticed, and the share of those that one did.
"""

import argparse
import multiprocessing
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from coverage import CoverageData

from tests.support.equivalent_mutants import is_equivalent

ROOMS: Final = ("types", "reading", "scoring")
TESTS: Final = tuple(f"tests/{room}" for room in ROOMS)

OPERATORS: Final = (
    "NumberReplacer",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceUnaryOperator_Delete_USub",
    "ReplaceUnaryOperator_Delete_Invert",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_Mul_FloorDiv",
    "ReplaceBinaryOperator_FloorDiv_Mul",
    "ReplaceBinaryOperator_BitAnd_BitOr",
)

PYTEST: Final = (
    *("-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider"),
    *("-m", "not processes", "-xq"),
)

PROCESSES: Final = multiprocessing.get_context("forkserver")
"""Each run of the tests is a process that has already imported what takes long."""

OURS: Final = frozenset({"modelserver", "tests", "example_test"})
"""Packages that a run imports anew, from its copy of the code."""

SECONDS: Final = 300
"""Of the processor. A mistake with which the tests need more counts as noticed: they do not end."""

PASSED: Final = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)

PATIENCE: Final = 600
"""Seconds after which a run ends that needs no processor: it waits for what never comes."""

MEMORY: Final = 12 * 1024**3
"""Bytes that a run of the tests may take, since a mistake may ask for any number of them."""

Reaching: TypeAlias = dict[str, dict[int, list[str]]]
"""By file and line, the tests that reach it."""


@dataclass(frozen=True)
class Mutant:
    """A mistake: which operator is applied, and where. Lines are counted from one."""

    path: str
    line: int
    operator: str
    occurrence: int

    @property
    def code(self) -> str:
        """The module with the mistake in it."""
        operator = get_operator(f"core/{self.operator}")()
        return str(mutate_code(Path(self.path).read_text(), operator, self.occurrence))

    @property
    def change(self) -> tuple[str, str, str]:
        """The module, the line as it is, and the line with the mistake in it."""
        lines = Path(self.path).read_text().splitlines(), self.code.splitlines()
        before, after = (text[self.line - 1].strip() for text in lines)
        return self.path.removeprefix("modelserver/"), before, after


def mutants() -> Iterator[Mutant]:
    """All mistakes that can be made in the rooms, in a fixed order."""
    for path in sorted(path for room in ROOMS for path in Path("modelserver", room).rglob("*.py")):
        nodes = list(ast_nodes(get_ast_from_path(path)))
        for name in OPERATORS:
            operator = get_operator(f"core/{name}")()
            places = [place for node in nodes for place in operator.mutation_positions(node)]
            # Of each number there is one that is larger, and then one that is smaller.
            step = 2 if name == "NumberReplacer" else 1
            for occurrence, ((line, _), _) in list(enumerate(places))[::step]:
                yield Mutant(str(path), line, name, occurrence)


def copy_code(folder: Path) -> None:
    """What the tests need, in a folder of its own. Compiled modules are copied too, to save time;
    Python compiles the one that is written anew."""
    for name in ("modelserver", "tests"):
        shutil.copytree(name, folder / name, ignore=shutil.ignore_patterns("node_modules"))
    for file in Path().glob("*.*"):
        if file.is_file():
            shutil.copy2(file, folder)


def run_tests(folder: Path, tests: Sequence[str]) -> bool | None:
    """Whether the tests pass on a copy of the code; None if there are none of these names. One that
    ends the process, or does not end in time, does not pass."""
    process = PROCESSES.Process(target=_run_pytest, args=(str(folder), tests))
    process.start()
    process.join(PATIENCE)
    code = process.exitcode
    process.kill()
    return None if code == pytest.ExitCode.USAGE_ERROR else code in PASSED


def _run_pytest(folder: str, tests: Sequence[str]) -> None:
    """In a process of its own: exits with pytest's code."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.chdir(folder)
    sys.path[0] = folder
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        sys.exit(pytest.main([*PYTEST, "--hypothesis-profile=mutate", *tests]))


def reaching_tests() -> Reaching:
    """For each line of the code, the tests that reach it. Raises `CalledProcessError` if one fails
    without a mistake."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        copy_code(folder)
        (folder / ".coveragerc").write_text(
            "[run]\nsource = modelserver\ndynamic_context = test_function\n"
        )
        command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", *PYTEST]
        subprocess.run([*command, "--hypothesis-profile=quick", *TESTS], cwd=folder, check=True)
        data = CoverageData(str(folder / ".coverage"))
        data.read()
        return {
            str(Path(file).relative_to(folder)): {
                line: [_as_argument(name) for name in names if name.startswith("tests.")]
                for line, names in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }


def _as_argument(context: str) -> str:
    """`tests.types.test_tables.test_cells` as an argument of pytest's."""
    module, _, function = context.rpartition(".")
    return f"{module.replace('.', '/')}.py::{function}"


def verdict(mutant: Mutant, reaching: Reaching) -> str:
    """What became of a mistake: "noticed", "unseen", or "left out" as no mistake anybody could
    make."""
    if is_equivalent(*mutant.change):
        return "left out"
    lines = reaching.get(mutant.path, {})
    found = lines.get(mutant.line) or {test for tests in lines.values() for test in tests}
    room = f"tests/{Path(mutant.path).parts[1]}/"
    nearest = sorted(found, key=lambda test: (not test.startswith(room), test))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        copy_code(folder)
        (folder / mutant.path).write_text(mutant.code)
        for tests in (nearest, TESTS):
            passed = run_tests(folder, tests) if tests else True
            if not passed:
                return "left out" if passed is None else "noticed"
    return "unseen"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=150)
    options = parser.parse_args()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    PROCESSES.set_forkserver_preload(["tests.support.fixtures"])
    chosen = random.Random(options.seed).sample(list(mutants()), options.sample)
    reaching = reaching_tests()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(pool.map(lambda mutant: verdict(mutant, reaching), chosen))
    for mutant, found in zip(chosen, verdicts, strict=True):
        if found == "unseen":
            path, before, after = mutant.change
            print(f"modelserver/{path}:{mutant.line}\n  - {before}\n  + {after}")
    noticed, unseen, left_out = map(verdicts.count, ("noticed", "unseen", "left out"))
    share = noticed / (noticed + unseen)
    print(f"noticed {noticed} of {noticed + unseen}, {share:.1%}; {left_out} are left out")


if __name__ == "__main__":
    main()
