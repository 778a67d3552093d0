"""Filling templates."""

from modelserver.pages.markup import Html, escaped, filled, joined, template


def test_values_are_escaped_and_markup_is_kept() -> None:
    assert filled("<p title='$a'>$b</p>", a="'\"&<", b=Html("<b>x</b>")) == (
        "<p title='&#x27;&quot;&amp;&lt;'><b>x</b></p>"
    )


def test_values_are_not_read_as_templates() -> None:
    assert filled("$a $b", a="$b ${b} $$", b=1) == "$b ${b} $$ 1"


def test_joined() -> None:
    assert joined(["<", Html("<br>")], ", ") == "&lt;, <br>"
    assert isinstance(joined([]), Html)


def test_escaped_markup_stays_as_it_is() -> None:
    assert escaped(escaped("<")) == "&lt;"


def test_template_files() -> None:
    assert template("page.html").startswith("<!doctype html>")
