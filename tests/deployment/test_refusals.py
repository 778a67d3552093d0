"""What of a model's requirements file ours does not take over."""

import pytest

from modelserver.deployment.packages.lines import LONGEST, read_lines
from modelserver.deployment.packages.refusals import (
    FOR_ALL,
    LOCAL,
    NOT_LOGGED,
    UNKNOWN,
    WITH_LOGIN,
    is_address,
    refusals,
)

TAKEN = """\
numpy
scikit-learn[a]==1.5; os_name == "posix"  # why
a==1 \\
    --hash=sha256:0a \\
    --hash sha256:0b
a @ https://host/a.whl
a @ git+ssh://git@host/a.git@v1#egg=a
a @ git+ssh://me@host/a.git
a @ git+https://git@host/a.git
a @ git+https://${TOKEN}@host/a.git
a @ git+https://${USER}:${TOKEN}@host/a.git
a @ https://host/a.whl?raw=true

# comment
"""

ADDRESSES = """\
https://host/a-1-py3-none-any.whl
https://host/a.tar.gz#egg=a --hash=sha256:0a
git+https://host/a.git@v1#egg=a
-e git+https://host/a.git#egg=a
--editable=git+https://host/a.git#egg=a
"""

REFUSED = {
    LOCAL: """\
./dist/a.whl
/home/me/a
~/a
C:\\work\\a
mypkg/
subdir/pkg
subdir/pkg[extra]
x.tar.gz
x.WHL
x.zip[extra]
wheels/a-1-py3-none-any.whl
file:///home/me/a
git+file:///home/me/a
a @ file:///home/me/a
a @ ./a
a @ mypkg/
-e .
-e./x
-e git+file:///x
--editable=../a
--edit ./x
""",
    NOT_LOGGED: """\
-r more.txt
-r/etc/passwd
--requirement more.txt
--requirement=more.txt
--req /etc/passwd
--requir=more.txt
-c limits.txt
-c https://host/limits.txt
--constr https://host/limits.txt
-f ./wheels
-fwheels
--find-links=file:///wheels
--find wheels
""",
    FOR_ALL: """\
-i https://host/simple
-ihttps://host/simple
--index-url=https://host/simple
--index https://host/simple
--extra-index-url https://host/simple
--extra https://host/simple
--trusted-host host
-f https://host/wheels
--no-index
--no-binary :all:
--pre
--require-hashes
""",
    WITH_LOGIN: """\
git+https://token@host/a.git
git+https://me:pa55@host/a.git@v1
git+https://me:${A}b@host/a.git
git+ssh://me:pa55@host/a.git
a @ git+https://token@host/a.git
a @ https://host/a.whl?X-Amz-Signature=s
https://host/a.whl?raw=true&sig=s
-e git+https://token@host/a.git#egg=a
--extra-index-url https://me:pa55@host/simple
-i https://token@host/simple
-f https://token@host/wheels
https://host/glpat-abc/a-1.0-py3-none-any.whl
https://host/a.whl#access_token=s
""",
    UNKNOWN: f"""\
; rm -rf /
$(touch x)
`touch x`
nümpy
\ufeffnumpy
numpy numpy
numpy==1.0numpy
numpy -r more.txt
numpy --index-url https://host/simple
numpy --hash=sha256:0a --pre
git+https://host/a -r more.txt
git+git@host:a.git
ftp:x
https://
{"a" * (LONGEST + 1)}
""",
}


def test_taken() -> None:
    assert list(refusals(read_lines(TAKEN + ADDRESSES), [])) == []
    assert [is_address(line) for line in read_lines(ADDRESSES)] == [True] * 5
    assert not any(map(is_address, read_lines(TAKEN)))


@pytest.mark.parametrize(
    ("text", "why"), [(line, why) for why, text in REFUSED.items() for line in text.splitlines()]
)
def test_refused(text: str, why: str) -> None:
    for end in ("", "\n", "  # fine\n"):
        lines = read_lines(f"numpy\n{text}{end}")
        assert list(refusals(lines, [])) == [why.format(lines[1].quoted)]


@pytest.mark.parametrize(
    ("ours", "refused"),
    [
        ("--index-url https://host/simple", 0),
        ("-i   https://host/simple  # ours", 0),
        ("--index-url=https://host/simple", 0),
        ("--index-url https://host/other", 1),
        ("--extra-index-url https://host/simple", 1),
    ],
)
def test_an_option_that_we_have_already(ours: str, refused: int) -> None:
    model = read_lines("-i https://host/simple")
    assert len(list(refusals(model, read_lines(ours)))) == refused


def test_a_file_of_the_same_name_is_another_file() -> None:
    assert len(list(refusals(read_lines("-r more.txt"), read_lines("-r more.txt")))) == 1


def test_a_login_is_not_shown() -> None:
    [reason] = refusals(read_lines("--extra-index-url https://me:pa55@host/simple"), [])
    assert "`--extra-index-url https://…@host/simple`" in reason
