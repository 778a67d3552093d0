"""Tags of bodies."""

from modelserver.scoring.answering.tags import Tagged


def test_a_tag_is_strong_and_of_the_bytes() -> None:
    assert Tagged.of(b"").tag == '"e3b0c44298fc1c149afbf4c8996fb924"'
    assert Tagged.of(b"").body == b""
    assert Tagged.of(b"a").tag != Tagged.of(b"b").tag
