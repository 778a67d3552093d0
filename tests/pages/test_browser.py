"""The pages as people use them: in a real browser, at the root of a server and under a prefix, with
the network closed. Whatever the browser reports as an error fails the test."""

import io
import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from playwright.sync_api import Page, expect
from starlette.applications import Starlette

import example_test
from modelserver.app import create_app
from modelserver.hosting.settings import read_settings
from tests.support.browser import deployed
from tests.support.processes import free_port
from tests.support.serving import serving
from tests.support.zoo import SCALARS, SCHEMAS, Echo, SlowModel, save_pyfunc

pytestmark = pytest.mark.repeats

Base = Callable[..., str]
Open = Callable[..., Page]

HOWS = ("root", "stripped", "root_path")

NOT_400 = re.compile("^Failed to load resource: .* 400 ")
"""The browser reports every answer that is an error, also one that the page shows."""


@pytest.mark.parametrize("how", HOWS)
def test_swagger_ui_predicts_the_example(how: str, base: Base, visit: Open) -> None:
    page = visit(base("wine", how), "docs")
    operation = page.locator(".opblock", has_text="/invocations").first
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response")
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    expect(answer).to_contain_text('"cultivar 1"')
    expect(operation.locator(".request-url")).to_contain_text(f"{base('wine', how)}invocations")


@pytest.mark.parametrize("how", HOWS)
def test_redoc_renders_and_searches(how: str, base: Base, visit: Open) -> None:
    page = visit(base("wine", how), "redoc")
    expect(page.get_by_role("heading", name="wine", exact=False).first).to_be_visible()
    page.get_by_role("tab", name="curl").first.click()
    expect(page.get_by_text(f"curl '{base('wine', how)}invocations'").first).to_be_visible()
    page.get_by_placeholder("Search...").fill("prediction")
    expect(page.locator("[data-role='search:results']")).to_contain_text("Predict")


@pytest.mark.parametrize("how", HOWS)
def test_the_form_predicts_the_example(how: str, base: Base, visit: Open) -> None:
    page = visit(base("wine", how))
    expect(page.get_by_label("alcohol")).to_have_value("14.23")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("1 row.")
    expect(page.get_by_role("region", name="Predictions")).to_contain_text("cultivar 1")


@pytest.mark.parametrize("name", [*(n for n in SCHEMAS if n != "no_signature"), "chat"])
def test_every_models_example_predicts(name: str, base: Base, visit: Open) -> None:
    page = visit(base(name))
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^\d+ rows?\.$"))


@pytest.mark.parametrize("name", ["hint_numbers", "hint_texts", "hint_people", "hint_example"])
def test_models_typed_by_hints(name: str, base: Base, visit: Open) -> None:
    test_every_models_example_predicts(name, base, visit)


def test_a_wrong_value_marks_its_field(base: Base, visit: Open) -> None:
    page = visit(base("wine"), allowed=NOT_400)
    field = page.get_by_label("magnesium")
    field.fill("100.5")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("column 'magnesium'")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(
        "long Expected a whole number of 64 bits, found a number with a fraction."
    )
    field.fill("100")
    field.press("Enter")
    expect(page.get_by_role("status")).to_have_text("1 row.")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert")).to_be_empty()


def test_a_missing_column_and_a_wrong_param_mark_their_fields(base: Base, visit: Open) -> None:
    page = visit(base("wine"), allowed=NOT_400)
    page.get_by_label("alcohol").fill("")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_label("alcohol")).to_have_attribute("aria-invalid", "true")
    page = visit(base("with_params"), allowed=NOT_400)
    page.get_by_label("count").fill("many")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_label("count")).to_have_attribute("aria-invalid", "true")


def test_an_emptied_optional_column_is_null_and_a_param_its_default(
    base: Base, visit: Open
) -> None:
    page = visit(base("all_optional"))
    for name in SCALARS:
        field = page.get_by_label(re.compile(f"^{name}"))
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option("")
        else:
            field.fill("")
    assert json.loads(sent_by(page))["dataframe_records"] == [{"id": 1} | dict.fromkeys(SCALARS)]
    expect(page.get_by_role("status")).to_have_text("1 row.")
    page = visit(base("with_params"))
    page.get_by_label("count").fill("")
    assert "params" not in json.loads(sent_by(page))


def sent_by(page: Page) -> str:
    """What the form sends."""
    with page.expect_request("**/invocations") as request:
        page.get_by_role("button", name="Predict", exact=True).click()
    return str(request.value.post_data)


def test_json_that_is_none_is_not_sent(base: Base, visit: Open) -> None:
    page = visit(base("nested"))
    page.get_by_label("person").fill("{name: 1}")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("person is not JSON")
    expect(page.get_by_label("person")).to_be_focused()
    page.get_by_role("button", name="Back to the example").click()
    expect(page.get_by_label("person")).to_have_value('{"age": 1, "name": "text"}')
    expect(page.get_by_label("person")).not_to_have_attribute("aria-invalid", "true")


def test_numbers_stay_exact_both_ways(base: Base, visit: Open) -> None:
    page = visit(base("one_long"))
    page.get_by_label("n", exact=True).fill("9007199254740993")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("region", name="Predictions")).to_contain_text("int 9007199254740993")
    page = visit(base("returns"))
    page.get_by_label("how").fill("big_integer")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("cell", name=str(2**70))).to_be_visible()


@pytest.mark.parametrize(
    ("output", "cells"),
    [
        ("frame", ["0", "1", "x", "0.5", "1", "2", "y", "1.5"]),
        ("matrix", ["0", "1.0", "2.0", "1", "3.0", "4.0"]),
        ("dict_arrays", ["0", "1", "1", "2"]),
        ("dict", ["a", "[\n  1,\n  2\n]", "b", '{\n  "c": null\n}']),
        ("list", ["0", "1", "1", "2.5", "2", "a", "3", "", "4", "true"]),
        ("text", ["0", "hello"]),
        ("none", ["0", ""]),
        ("empty", []),
    ],
)
def test_answers_of_every_shape_are_tables(
    output: str, cells: list[str], base: Base, visit: Open
) -> None:
    page = visit(base("returns"))
    page.get_by_label("how").fill(output)
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.locator("#answer tbody :is(th, td)")).to_have_text(cells, use_inner_text=False)


def test_a_csv_file_is_predicted_and_downloads(base: Base, visit: Open, tmp_path: Path) -> None:
    table, _ = example_test.wine_table()
    table.to_csv(tmp_path / "wines.csv", index=False)
    page = visit(base("wine"))
    page.get_by_label("CSV file").set_input_files(tmp_path / "wines.csv")
    page.get_by_role("button", name="Predict the file").click()
    expect(page.get_by_role("status")).to_have_text(
        "178 rows; the first 100 are shown, the download has all."
    )
    expect(page.locator("#answer tbody tr")).to_have_count(100)
    lines = downloaded(page, "wines-predictions.csv", SHEET).decode().split("\r\n")
    assert lines[:2] == ["row,prediction", "0,cultivar 1"]
    assert lines[178].startswith("177,cultivar ")
    assert lines[179:] == [""]


SHEET = "CSV for spreadsheets"


def downloaded(page: Page, name: str, title: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download as {title}", exact=True).click()
    assert download.value.suggested_filename == name
    return download.value.path().read_bytes()


def upload(page: Page, file: Path, text: str | bytes) -> None:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Predict the file").click()


KEPT = "Keep the file's columns beside the predictions"


def test_the_columns_of_a_file_are_kept(base: Base, visit: Open, tmp_path: Path) -> None:
    page = visit(base("delicate"))
    box = page.get_by_role("checkbox", name=KEPT)
    expect(box).not_to_be_checked()
    expect(box).to_have_accessible_description(
        "Also an id or other columns that the model does not take."
    )
    box.focus()
    page.keyboard.press("Space")
    upload(page, tmp_path / "t.csv", "id;a;b;how;place\n007;1;2;x;-1,5\n008;3;4,5;y;=x\n")
    answer = page.get_by_role("region", name="Predictions")
    expect(answer.get_by_role("columnheader")).to_have_text(
        ["Row", "id", "a", "b", "how", "place", "prediction"]
    )
    expect(answer.get_by_role("cell")).to_have_text(
        ["007", "1.0", "2.0", "x", "-1,5", "3.0", "008", "3.0", "4.5", "y", "=x", "7.5"]
    )
    assert downloaded(page, "t-predictions.csv", SHEET).decode() == (
        'row,id,a,b,how,place,prediction\r\n0,007,1.0,2.0,x,"-1,5",3.0\r\n'
        "1,008,3.0,4.5,y,'=x,7.5\r\n"
    )
    page.get_by_label("Answer").select_option("CSV")
    page.get_by_role("button", name="Predict the file").click()
    expect(page.get_by_role("region", name="Predictions")).to_contain_text("id,a,b,how,place,pred")
    box.uncheck()
    upload(page, tmp_path / "t.csv", "a,b,how\n1,2,x\n")
    expect(page.get_by_role("region", name="Predictions")).to_have_text("prediction 3.0")


NAMES = ["id", "the, place", 'a "b"', " é 日本"]


def test_columns_that_the_model_does_not_take_can_be_kept(
    base: Base, visit: Open, tmp_path: Path
) -> None:
    """By a button beside what is wrong, which keeps them alone; with the keyboard, too."""
    page = visit(base("delicate"), allowed=NOT_400)
    table = pd.DataFrame([[1, *"wxyz", 2, "x"]], columns=["a", *NAMES, "b", "how"])
    upload(page, tmp_path / "t.csv", table.to_csv(index=False))
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("unknown columns: 'id', ")
    expect(problem).to_contain_text("The model takes: 'a', 'b', 'how'.")
    expect(problem).not_to_contain_text("include")
    button = problem.get_by_role("button")
    expect(button).to_have_text(
        'Keep “id”, “the, place”, “a "b"”, “ é 日本” beside the predictions'
    )
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("1 row.")
    expect(page.locator("#answer th")).to_have_text([*NAMES, "prediction"])
    expect(page.locator("#answer td")).to_have_text([*"wxyz", "3.0"])
    expect(problem).to_be_empty()
    expect(page.get_by_role("button", name="Predict the file")).to_be_focused()
    expect(page.get_by_role("checkbox", name=KEPT)).not_to_be_checked()


@pytest.mark.parametrize("names", [[f"c{n}" for n in range(30)], ["c" * 100]])
def test_if_not_all_names_are_known_all_columns_are_kept(
    names: list[str], base: Base, visit: Open, tmp_path: Path
) -> None:
    page = visit(base("delicate"), allowed=NOT_400)
    header = ",".join(["a", "b", "how", *names])
    upload(page, tmp_path / "t.csv", f"{header}\n{'1,' * (len(names) + 2)}1\n")
    page.get_by_role("button", name=KEPT).click()
    expect(page.locator("#answer th")).to_have_text(["a", "b", "how", *names, "prediction"])


def test_nothing_is_offered_that_would_not_help(base: Base, visit: Open, tmp_path: Path) -> None:
    page = visit(base("delicate"), allowed=NOT_400)
    problem = page.get_by_role("alert")
    for text in ("id,a,how\n1,2,x\n", "id,a,b,how\n1,2,x,x\n", "a,b,how\n1,x,x\n"):
        upload(page, tmp_path / "t.csv", text)
        expect(problem).to_contain_text(re.compile("missing columns|expected a number"))
        expect(problem.get_by_role("button")).to_have_count(0)
    upload(page, tmp_path / "t.csv", "id,a,b,how\n1,2,3,x\n")
    expect(problem.get_by_role("button")).to_have_count(1)
    (tmp_path / "other.csv").write_text("a,b,how\n1,2,x\n")
    page.get_by_label("CSV file").set_input_files(tmp_path / "other.csv")
    expect(problem).to_be_empty()


def test_a_misspelt_column_is_not_offered_where_all_are_kept(
    base: Base, visit: Open, tmp_path: Path
) -> None:
    page = visit(base("imputed"), allowed=NOT_400)
    problem = page.get_by_role("alert")
    for is_kept in (False, True):
        page.get_by_role("checkbox", name=KEPT).set_checked(is_kept)
        upload(page, tmp_path / f"{is_kept}.csv", "id,a,B\n7,1,2\n")
        expect(problem).to_contain_text("'B' (did you mean 'b'?)")
        expect(problem.get_by_role("button")).to_have_count(0 if is_kept else 1)


@pytest.mark.parametrize("name", ["unnamed_mixed", "no_signature"])
def test_without_names_of_columns_none_can_be_kept(name: str, base: Base, visit: Open) -> None:
    page = visit(base(name))
    expect(page.get_by_label("CSV file")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)


@pytest.mark.parametrize("how", HOWS)
def test_another_method_is_asked(how: str, base: Base, visit: Open) -> None:
    page = visit(base("wine", how))
    page.get_by_label("Method").select_option("predict_proba")
    page.get_by_role("button", name="Predict", exact=True).click()
    answer = page.get_by_role("region", name="Predictions")
    expect(answer.get_by_role("rowheader")).to_have_text([f"cultivar {n}" for n in (1, 2, 3)])


TEXTS = {
    "CSV": "prediction\r\ncultivar 1\r\n",
    "NDJSON": '{"prediction":"cultivar 1"}\n',
}


@pytest.mark.parametrize("title", TEXTS)
def test_an_answer_of_text_is_shown_and_downloads(title: str, base: Base, visit: Open) -> None:
    page = visit(base("wine"))
    page.get_by_label("Answer").select_option(title)
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("status")).to_have_text(f"{len(TEXTS[title])} bytes of {title}.")
    shown = page.get_by_role("region", name="Predictions").text_content() or ""
    assert shown == TEXTS[title]
    assert downloaded(page, f"prediction.{title.lower()}", title).decode() == shown


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("Parquet", pd.read_parquet),
        ("Arrow", lambda file: pa.ipc.open_stream(file).read_pandas()),
    ],
)
def test_binary_answers_download(
    title: str, read: Callable[[io.BytesIO], pd.DataFrame], base: Base, visit: Open
) -> None:
    page = visit(base("wine"))
    page.get_by_label("Method").select_option("predict_proba")
    page.get_by_label("Answer").select_option(title)
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(f" of {title}.")
    expect(page.get_by_role("region", name="Predictions")).to_have_count(0)
    name = {"Parquet": "prediction.parquet", "Arrow": "prediction.arrows"}[title]
    table = read(io.BytesIO(downloaded(page, name, title)))
    assert list(table) == [f"cultivar {n}" for n in (1, 2, 3)]
    assert len(table) == 1


@pytest.mark.parametrize("beginning", [b"PAR1", b"ARROW1\0\0", b"PK\x03\x04"])
def test_a_file_that_is_no_csv(beginning: bytes, base: Base, visit: Open, tmp_path: Path) -> None:
    (tmp_path / "wines").write_bytes(beginning + b"\xff\0")
    page = visit(base("wine"))
    page.get_by_label("CSV file").set_input_files(tmp_path / "wines")
    page.get_by_role("button", name="Predict the file").click()
    expect(page.locator("#problem")).to_have_text(
        "The file is no CSV: save it as CSV. Programs can send Parquet and Arrow to /invocations."
    )


def test_of_a_long_text_the_first_lines_are_shown(base: Base, visit: Open, tmp_path: Path) -> None:
    table, _ = example_test.wine_table()
    pd.concat([table] * 10).to_csv(tmp_path / "wines.csv", index=False, sep=";")
    page = visit(base("wine"))
    page.get_by_label("Answer").select_option("NDJSON")
    page.get_by_label("CSV file").set_input_files(tmp_path / "wines.csv")
    page.get_by_role("button", name="Predict the file").click()
    expect(page.get_by_role("status")).to_have_text(
        "50 kB of NDJSON; its first lines are shown, the download has all."
    )
    shown = page.get_by_role("region", name="Predictions").text_content() or ""
    assert 19_900 < len(shown) <= 20_000
    assert shown.endswith("}\n")
    content = downloaded(page, "wines-predictions.ndjson", "NDJSON")
    assert len(content.splitlines()) == 10 * len(table)


def test_errors_are_shown_whatever_is_chosen(base: Base, visit: Open) -> None:
    page = visit(base("wine"), allowed=NOT_400)
    page.get_by_label("Answer").select_option("Parquet")
    page.get_by_label("magnesium").fill("100.5")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("column 'magnesium'")


def test_the_samples_follow_the_choice(base: Base, visit: Open) -> None:
    page = visit(base("wine"))
    code = page.locator(".sample pre")
    before = code.all_text_contents()
    page.get_by_label("Method").select_option("predict_proba")
    page.get_by_label("Answer").select_option("Parquet")
    for text in code.all_text_contents():
        assert f"{base('wine')}invocations?method=predict_proba&format=parquet" in text
        assert "predictions.parquet" in text
    page.get_by_label("Method").select_option("predict")
    page.get_by_label("Answer").select_option("JSON")
    assert code.all_text_contents() == before


def test_a_chat_has_nothing_to_choose(base: Base, visit: Open) -> None:
    page = visit(base("chat"))
    expect(page.get_by_role("combobox")).to_have_count(0)


def test_a_file_with_faults_names_them(base: Base, visit: Open, tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text("a,b\n1,2\nx,y\n")
    page = visit(base("two_longs"), allowed=NOT_400)
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Predict the file").click()
    expect(page.get_by_role("alert").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("alert").get_by_role("listitem").first).to_contain_text("row 1")


def test_downloads_are_safe_in_spreadsheets(base: Base, visit: Open) -> None:
    page = visit(base("hint_texts"))
    page.get_by_role("textbox", name="inputs").fill(
        r'["=1+1", "-2", "-2+a", "a\"b", "c,d", "é", "\nx"]'
    )
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("7 rows.")
    content = downloaded(page, "prediction.csv", SHEET)
    assert content.decode() == (
        '\ufeffrow,prediction\r\n0,\'=1+1\r\n1,-2\r\n2,\'-2+A\r\n3,"A""B"\r\n4,"C,D"\r\n5,É\r\n'
        '6,"\'\nX"\r\n'
    )


@pytest.mark.parametrize("how", HOWS)
def test_samples_have_the_pages_own_url_and_are_copied(how: str, base: Base, visit: Open) -> None:
    page = visit(base("wine", how), permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"curl '{base('wine', how)}invocations' ")
    assert copied == page.locator("#call-0 pre").text_content()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()


def test_copying_where_the_clipboard_is_closed(base: Base, visit: Open) -> None:
    page = visit(base("wine"), permissions=["clipboard-read"])
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("getSelection().toString()").startswith("curl ")


def test_tabs_by_keyboard(base: Base, visit: Open) -> None:
    page = visit(base("wine"))
    tab = {name: page.get_by_role("tab", name=name, exact=True) for name in TABS}
    tab["curl"].focus()
    for key, name in [
        ("ArrowRight", "Python"),
        ("ArrowLeft", "curl"),
        ("ArrowLeft", "PowerShell"),
        ("ArrowRight", "curl"),
        ("End", "PowerShell"),
        ("Home", "curl"),
        ("a", "curl"),
    ]:
        page.keyboard.press(key)
        expect(tab[name]).to_be_focused()
        expect(page.get_by_role("tab", selected=True)).to_have_text(name)
        expect(page.get_by_role("tabpanel")).to_have_count(1)
        expect(page.get_by_role("tabpanel", name=name)).to_be_visible()


TABS = ("curl", "Python", "R", "PowerShell")


def test_everything_by_keyboard(base: Base, visit: Open) -> None:
    page = visit(base("one_long"))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("n", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("1 row.")


def test_without_a_script_all_samples_are_there(base: Base, visit: Open) -> None:
    page = visit(base("wine", "root_path"), java_script_enabled=False)
    for name in TABS:
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    assert page.locator("pre").count() == len(TABS)
    expect(page.locator("pre").first).to_contain_text("/content/3f1c/invocations")
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("how", ["stripped", "root_path"])
@pytest.mark.parametrize(("path", "page_path"), [("docs/", "docs"), ("redoc/", "redoc")])
def test_slashes_lead_to_the_page(
    how: str, path: str, page_path: str, base: Base, visit: Open
) -> None:
    assert visit(base("wine", how), path).url == base("wine", how) + page_path


def test_names_of_every_kind(visit: Open, tmp_path: Path) -> None:
    names = [
        '"quoted"',
        "</script><img src=x onerror=alert(1)>",
        "it's",
        "é 日本 🍷",
        "a b",
        "$x {y}",
    ]
    names += ["<b>&amp;", "__proto__", "constructor", "back\\slash", "0"]
    save_pyfunc(tmp_path / "model", Echo(), signature=ModelSignature(wide_schema(names)))
    with deployed(app_for(tmp_path / "model"), "root") as url:
        page = visit(url, allowed=NOT_400)
        for name in names:
            expect(page.get_by_label(name, exact=True)).to_have_value("0.5")
        page.get_by_role("button", name="Predict", exact=True).click()
        answer = page.get_by_role("region", name="Predictions")
        for name in names:
            expect(answer).to_contain_text(json.dumps(name, ensure_ascii=False))
        page.get_by_label(names[1]).fill("wrong")
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(page.get_by_label(names[1])).to_have_attribute("aria-invalid", "true")
        expect(page.locator("[aria-invalid]")).to_have_count(1)


def wide_schema(names: Iterable[str]) -> Schema:
    return Schema([ColSpec(DataType.double, name) for name in names])


def app_for(path: Path) -> Starlette:
    return create_app(read_settings({"MODEL_URI": str(path)}))


def test_a_thousand_columns(visit: Open, tmp_path: Path) -> None:
    schema = wide_schema(f"column {number}" for number in range(1000))
    save_pyfunc(tmp_path / "model", Echo(), signature=ModelSignature(schema))
    with deployed(app_for(tmp_path / "model"), "root") as url:
        page = visit(url)
        expect(page.get_by_label("column 999")).to_have_value("0.5")
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(page.get_by_role("status")).to_have_text("1 row.")


def test_the_page_follows_a_model_that_loads(visit: Open, slow_model: SlowModel) -> None:
    with deployed(app_for(slow_model.path), "stripped") as url:
        page = visit(url)
        expect(page.get_by_text("Loading", exact=True)).to_be_visible()
        expect(page.get_by_role("progressbar")).to_be_visible()
        expect(page.get_by_text("loading the model")).to_be_visible()
        slow_model.go()
        expect(page.get_by_text("Ready, with a warning")).to_be_visible()  # it has no signature


def test_the_page_follows_a_model_that_comes_late(
    model_path: Callable[[str], Path], visit: Open, tmp_path: Path
) -> None:
    with deployed(app_for(tmp_path / "model"), "stripped") as url:
        page = visit(url, allowed=re.compile("^Failed to load resource: .* 503 "))
        expect(page.get_by_text("Failed", exact=True)).to_be_visible()
        expect(page.get_by_text("there is no folder model")).to_be_visible()
        shutil.copytree(model_path("wine"), tmp_path / "model")
        expect(page.get_by_text("Ready", exact=True)).to_be_visible(timeout=90_000)


def test_the_page_follows_a_restart_with_a_model(
    model_path: Callable[[str], Path], visit: Open
) -> None:
    port = free_port()
    with serving(create_app(read_settings({})), port=port) as url:
        page = visit(f"{url}/", allowed=re.compile("ERR_CONNECTION|^http"))
        expect(page.get_by_text("Not configured")).to_be_visible()
        page.get_by_role("tab", name="PowerShell").click()
        expect(page.get_by_text('$env:MODEL_URI = "models:/my-model/1"')).to_be_visible()
    with serving(app_for(model_path("wine")), port=port):
        expect(page.get_by_text("Ready", exact=True)).to_be_visible()


def test_with_an_api_key_the_browser_logs_in(
    model_path: Callable[[str], Path], visit: Open
) -> None:
    """The key is the password; the page and its requests are then sent with it."""
    key = "canary-key-4711-8f3a"
    settings = read_settings({"MODEL_URI": str(model_path("wine")), "API_KEY": key})
    with deployed(create_app(settings), "root") as url:
        page = visit(url, http_credentials={"username": "me", "password": key})
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(page.get_by_role("status")).to_have_text("1 row.")
        page.goto(f"{url}docs")
        expect(page.locator(".opblock", has_text="/invocations").first).to_be_visible()
