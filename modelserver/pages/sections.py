"""The parts of a ready model's page: its form, the choices for it, its calls, its signature.

In: what the page asks for and shows, as frozen values. Out: HTML.
"""

from collections.abc import Sequence
from typing import Final

from modelserver.describing.questionnaire import Field, Questionnaire
from modelserver.describing.snippets import ENDPOINT, Call
from modelserver.pages.markup import Html, filled, joined
from modelserver.types.names import shortened

LONGEST_EXAMPLE: Final = 80
"""The most characters of an example value in a table; the form shows the whole value."""

NO_SIGNATURE: Final = Html(
    "<p>The model was logged without a signature: it does not say what it takes and returns.</p>\n"
)

MANY: Final = 24
"""A form with more fields shows them in a box that scrolls."""

FIELD: Final = """\
<div class="field$wide">
<label for="$id">$label$optional</label>
$control
<p class="hint" id="$id-hint">$hint</p>
<p class="fault" id="$id-fault"></p>
</div>
"""

ATTRIBUTES: Final = (
    'id="$id" data-part="$part" data-name="$name" data-control="$control"$optional '
    'aria-describedby="$id-hint $id-fault" autocomplete="off"'
)

INPUT: Final = (
    '<input $attributes value="$value" placeholder="$placeholder" inputmode="$mode" '
    'spellcheck="false">'
)

TEXTAREA: Final = (
    '<textarea $attributes rows="$rows" placeholder="$placeholder" spellcheck="false">\n'
    "$value</textarea>"
)

CHOICE: Final = """\
<div class="field">
<label for="choice-$name">$label</label>
<select id="choice-$name" name="$name" autocomplete="off">$options</select>
</div>
"""

OPTION: Final = '<option value="$value" data-extension="$extension">$label</option>'

URL: Final = '<span class="base">$url</span>/invocations<span class="query"></span>'

SAMPLE: Final = """\
<section class="sample" id="call-$number">
<h3>$label</h3>
<pre tabindex="0"><code>$start<span class="end"$ends>$printed</span></code></pre>
</section>
"""

NO_SAMPLES: Final = Html(
    "<p>There is no call to copy: the model has no example that it predicts. "
    '<a href="redoc">ReDoc</a> says what a request may look like.</p>\n'
)

TABLE: Final = """\
<h3 id="table-$key">$title</h3>
<div class="scroll" role="region" aria-labelledby="table-$key" tabindex="0">
<table><thead><tr>$heads</tr></thead>
<tbody>
$rows</tbody></table></div>
"""


def fields_html(asked: Questionnaire) -> Html:
    """The form: fields for the input, then those for the params. A form for a whole request body
    needs no fields for params, since the body contains them."""
    columns = _fieldset([_field(asked, "column", *item) for item in enumerate(asked.fields)])
    params = _fieldset([_field(asked, "param", *item) for item in enumerate(asked.params)])
    if not asked.params or asked.sends == "body":
        return columns
    return filled(
        "$columns<fieldset><legend>Params</legend>"
        '<p class="hint">Left empty, the default holds.</p>$params</fieldset>',
        columns=columns,
        params=params,
    )


def _fieldset(fields: Sequence[Html]) -> Html:
    size = " many" if len(fields) > MANY else ""
    return filled('<div class="fields$size">$fields</div>', size=size, fields=joined(fields))


def _field(asked: Questionnaire, part: str, position: int, field: Field) -> Html:
    label = f"Column {field.name}" if asked.sends == "rows" and part == "column" else field.name
    id_ = f"{part}-{position}"
    default = f" · default {_short(field.example) or 'none'}" if part == "param" else ""
    return filled(
        FIELD,
        id=id_,
        wide=" wide" if field.control == "json" else "",
        label=label,
        optional="" if field.required or part == "param" else Html(" <small>optional</small>"),
        control=_control(part, id_, field),
        hint=field.type + default,
    )


def _control(part: str, id_: str, field: Field) -> Html:
    attributes = filled(
        ATTRIBUTES,
        id=id_,
        part=part,
        name=field.name,
        control=field.control,
        optional="" if field.required else " data-optional",
    )
    # The page sends a param only if a person sets it; the server fills in the others' defaults.
    value = "" if part == "param" else field.example
    if field.control == "boolean":
        return _select(attributes, field, value, "default" if part == "param" else "(empty)")
    is_long = field.control == "json" or "\n" in value
    return filled(
        TEXTAREA if is_long else INPUT,
        attributes=attributes,
        value=value,
        placeholder=_short(field.example),
        rows=_rows(value),
        mode="decimal" if field.control == "number" else "text",
    )


def _select(attributes: Html, field: Field, value: str, nothing: str) -> Html:
    options = [*([] if field.required else [""]), "true", "false"]
    items = [
        filled(
            '<option value="$option"$selected>$label</option>',
            option=option,
            selected=Html(" selected") if option == value else "",
            label=option or nothing,
        )
        for option in options
    ]
    return filled("<select $attributes>$items</select>", attributes=attributes, items=joined(items))


def _rows(value: str) -> int:
    return min(max(value.count("\n") + 1, 2), 18)


def choices_html(asked: Questionnaire) -> Html:
    """What a person may choose: the method of the model, and the format of the answer. A choice
    with one option is left out; the first option is what holds without a choice."""
    methods = [filled(OPTION, value=name, label=name, extension="") for name in asked.methods]
    formats = [
        filled(OPTION, value=row.name, label=row.title, extension=row.extension)
        for row in asked.formats
    ]
    selects = [
        filled(CHOICE, name=name, label=label, options=joined(options))
        for name, label, options in (("method", "Method", methods), ("format", "Answer", formats))
        if len(options) > 1
    ]
    return filled('<div class="fields choices">$selects</div>\n', selects=joined(selects))


def samples_html(calls: Sequence[Call], base_url: str) -> Html:
    """The example call in each language, with the server's own URL."""
    if not calls:
        return NO_SAMPLES
    url = filled(URL, url=base_url)
    samples = joined(_sample(number, call, url) for number, call in enumerate(calls))
    return filled('<div class="samples">\n$samples</div>\n', samples=samples)


def _sample(number: int, call: Call, url: Html) -> Html:
    ends = (filled(' data-$name="$end"', name=name, end=end) for name, end in call.ends.items())
    return filled(
        SAMPLE,
        number=number,
        label=call.label,
        start=joined(call.start.split(ENDPOINT), url),
        ends=joined(ends),
        printed=call.ends["json"],
    )


def signature_html(asked: Questionnaire) -> Html:
    """The tables of inputs, params and outputs; a table without rows is left out."""
    tables = [
        _table("inputs", "Inputs", asked.inputs, ("Name", "Type", "Required", "Example")),
        _table("params", "Params", asked.params, ("Name", "Type", "Default")),
        _table("outputs", "Outputs", asked.outputs, ("Name", "Type")),
    ]
    return joined(tables) or NO_SIGNATURE


def _table(key: str, title: str, fields: Sequence[Field], heads: Sequence[str]) -> Html:
    if not fields:
        return Html()
    return filled(
        TABLE,
        key=key,
        title=title,
        heads=joined(filled('<th scope="col">$head</th>', head=head) for head in heads),
        rows=joined(_row(field, heads) for field in fields),
    )


def _row(field: Field, heads: Sequence[str]) -> Html:
    cells = {
        "Type": filled("<code>$type</code>", type=field.type),
        "Required": "yes" if field.required else "optional",
        "Example": filled("<code>$text</code>", text=_short(field.example)),
        "Default": filled("<code>$text</code>", text=_short(field.example) or "none"),
    }
    return filled(
        '<tr><th scope="row">$name</th>$rest</tr>\n',
        name=field.name or "(unnamed)",
        rest=joined(filled("<td>$cell</td>", cell=cells[head]) for head in heads[1:]),
    )


def _short(text: str) -> str:
    return shortened(text, LONGEST_EXAMPLE)
