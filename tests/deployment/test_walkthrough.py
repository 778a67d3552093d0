"""A newcomer follows what the README and the page on Connect say of deployment, block by block.

What stands for something of the reader's own is replaced; the rest runs as it is written.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.connect.publisher import PREDICTED, Publisher, publishing
from tests.support.processes import ROOT

README = (ROOT / "README.md").read_text().partition("## Deploy to Posit Connect")[2]
PAGES = README.partition("\n## ")[0] + (ROOT / "docs" / "connect.md").read_text()

# What the newcomer's machine has beside the project: a name for git, no way to a package registry,
# since everything is installed already, and the environment that make uses.
MACHINE = {
    "GIT_AUTHOR_NAME": "n",
    "GIT_AUTHOR_EMAIL": "n@example.com",
    "GIT_COMMITTER_NAME": "n",
    "GIT_COMMITTER_EMAIL": "n@example.com",
    "PIP_NO_INDEX": "1",
    "VIRTUAL_ENV": sys.prefix,
    # Warns of a file that is opened without an encoding: the default is not UTF-8 on Windows.
    "PYTHONWARNDEFAULTENCODING": "1",
}


@pytest.fixture
def newcomer(tmp_path: Path, light: str, wine_registry: str) -> Iterator[Publisher]:
    """Somebody with a clone of the project, whose model is registered as `light`."""
    with publishing(tmp_path, wine_registry) as publisher:
        cloned = publisher.run("git init -q && git add -A && git commit -q -m clone", **MACHINE)
        assert cloned.returncode == 0, cloned.stdout
        yield publisher


def blocks() -> list[str]:
    """What both pages have is done once."""
    found = re.findall(r"```bash\n(.*?)```", PAGES, re.S)
    return list(dict.fromkeys(re.sub(" +# .*", "", block) for block in found))


@pytest.mark.repeats
def test_every_block_does_what_it_says(newcomer: Publisher) -> None:
    exports = ""
    for block in blocks():
        own = {
            "https://connect.example.com": newcomer.connect.url,
            "your-key": newcomer.connect.publisher_key,
            "my-model/": "light/",
            "the-guid": next(iter(newcomer.connect.contents), ""),
        }
        for written, meant in own.items():
            block = block.replace(written, meant)
        done = newcomer.run(f"set -e\n{exports}{block}", **MACHINE)
        assert done.returncode == 0, f"{block}\n{done.stdout}"
        assert not re.search(r"modelserver/\S+ EncodingWarning", done.stdout)
        exports += "".join(line for line in block.splitlines(True) if line.startswith("export "))
    assert newcomer.predict() == PREDICTED
    assert newcomer.health()["state"] == "ready"
    assert len(newcomer.content.bundles) == 3
    assert newcomer.content.active is list(newcomer.content.bundles.values())[-1]
    requirements = (newcomer.project / "requirements.txt").read_text()
    assert re.search(r"^scikit-learn==", requirements, re.M)
