"""What several version specifiers allow together."""

import pytest
from hypothesis import given, strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from modelserver.deployment.packages.lines import common, is_exact


@pytest.mark.parametrize(
    ("specifiers", "expected"),
    [
        ([">=2.1", "==2.2.3"], "==2.2.3"),
        (["==2.2.3", ">=2.1", "<3"], "==2.2.3"),
        (["==2.1.0+cu118", ">=2"], "==2.1.0+cu118"),
        (["===2.2", ">=2"], "===2.2"),
        (["", "==1.0rc1"], "==1.0rc1"),
        (["", ""], ""),
        ([">=2", "<3"], ">=2,<3"),
        (["==2.2.*", "!=2.2.0"], "==2.2.*,!=2.2.0"),
        ([">2.0", "<2.0.2"], ">2.0,<2.0.2"),
        ([">=2.2", "!=2.2.*"], ">=2.2,!=2.2.*"),
        (["<1"], "<1"),
        (["~=1.4", ">=1.4.2"], "~=1.4,>=1.4.2"),
        (["==1.5.3", ">=2.1"], None),
        (["==1.0", "==1.1"], None),
        ([">=2", "<2"], None),
        (["~=1.4", ">=2"], None),
        (["==2.2.*", ">=2.3"], None),
        (["===odd", "==1"], None),
    ],
)
def test_common(specifiers: list[str], expected: str | None) -> None:
    found = common([SpecifierSet(text) for text in specifiers])
    assert found == (None if expected is None else SpecifierSet(expected))


VERSIONS = st.builds("{}.{}".format, st.integers(0, 3), st.integers(0, 3))
PARTS = st.builds("{}{}".format, st.sampled_from([">=", "<=", ">", "<", "==", "!="]), VERSIONS)


@given(st.lists(PARTS, min_size=1, max_size=4), VERSIONS)
def test_what_all_allow_is_not_refused(parts: list[str], version: str) -> None:
    specifiers = [SpecifierSet(part) for part in parts]
    allowed = all(specifier.contains(version) for specifier in specifiers)
    found = common(specifiers)
    assert not allowed or (found is not None and found.contains(version))


@given(st.lists(PARTS, min_size=1, max_size=4))
def test_what_is_refused_has_no_version(parts: list[str]) -> None:
    specifiers = [SpecifierSet(part) for part in parts]
    if common(specifiers) is None:
        versions = [Version(f"{a}.{b}.{c}") for a in range(5) for b in range(5) for c in range(3)]
        every = SpecifierSet(",".join(parts))
        assert not any(every.contains(version) for version in versions)


@pytest.mark.parametrize(
    ("text", "expected"), [("==1", True), ("===1", True), ("==1.*", False), (">=1", False)]
)
def test_is_exact(text: str, expected: bool) -> None:
    assert is_exact(SpecifierSet(text)) is expected
