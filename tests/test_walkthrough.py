"""A newcomer follows the page on deployment, block by block, in order.

What stands for something of the reader's own is replaced; the rest runs as it is written.
"""

import re
import sys
from collections.abc import Iterator

import pytest

from tests.connect.publisher import PREDICTED, Publisher, publishing
from tests.processes import ROOT, Server

BLOCKS = re.findall(r"```bash\n(.*?)```", (ROOT / "docs" / "connect.md").read_text(), re.S)

# What the newcomer's machine has beside the project: a name for git, no way to a package registry,
# since everything is installed already, and the environment that make uses.
MACHINE = {
    "GIT_AUTHOR_NAME": "n",
    "GIT_AUTHOR_EMAIL": "n@example.com",
    "GIT_COMMITTER_NAME": "n",
    "GIT_COMMITTER_EMAIL": "n@example.com",
    "PIP_NO_INDEX": "1",
    "VIRTUAL_ENV": sys.prefix,
}


@pytest.fixture(scope="module")
def newcomer(
    tmp_path_factory: pytest.TempPathFactory, wine_registry: Server
) -> Iterator[Publisher]:
    """Somebody with a clone of the project, whose model is registered as `wine`."""
    folder = tmp_path_factory.mktemp("newcomer")
    with publishing(folder, wine_registry.url) as publisher:
        cloned = publisher.run("git init -q && git add -A && git commit -q -m clone", **MACHINE)
        assert cloned.returncode == 0, cloned.stdout
        yield publisher


def test_every_block_does_what_it_says(newcomer: Publisher) -> None:
    exports = ""
    for block in BLOCKS:
        own = {
            "https://connect.example.com": newcomer.connect.url,
            "your-key": newcomer.connect.publisher_key,
            "my-model/": "wine/",
            "the-guid": next(iter(newcomer.connect.contents), ""),
        }
        for written, meant in own.items():
            block = block.replace(written, meant)
        done = newcomer.run(f"set -e\n{exports}{block}", **MACHINE)
        assert done.returncode == 0, f"{block}\n{done.stdout}"
        exports += "".join(line for line in block.splitlines(True) if line.startswith("export "))
    assert newcomer.predict() == PREDICTED
    assert newcomer.health()["state"] == "ready"
    assert len(newcomer.content.bundles) == 2  # deployed, and updated
    assert newcomer.content.active is newcomer.content.bundles["102"]
    requirements = (newcomer.project / "requirements.txt").read_text()
    assert re.search(r"^scikit-learn==", requirements, re.M)
