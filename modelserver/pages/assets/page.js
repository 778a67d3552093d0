// The landing page's script. Without it everything is readable; with it the page knows its own URL,
// has tabs and copy buttons, sends the form, shows the answer, and follows the state of the model.

const LONGEST_TABLE = 100; // rows shown; a download has all
const LONGEST_TEXT = 20_000; // bytes shown of a file of text
const PAUSES = { loading: 2000, failed: 5000, unconfigured: 10000 }; // ms between looks at the state

// JSON's own grammar of numbers: what fits is sent as typed, so that no digit gets lost on the way.
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

const find = (selector) => document.querySelector(selector);
const findAll = (selector) => [...document.querySelectorAll(selector)];

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// ---- The page's own URL, in the samples

function correctUrls() {
  const base = new URL(".", location.href).href.replace(/\/$/, "");
  for (const span of findAll(".base")) span.textContent = base;
}

// ---- The choices of a method and of a format: the first option of each is what holds without it

const choices = () => findAll(".choices select");
const chosenFormat = () => find("#choice-format")?.selectedOptions[0];

// `include`: the columns of a file that are to stand beside the predictions, as the server reads it.
function query(include = "") {
  const chosen = choices().filter(({ selectedIndex }) => selectedIndex > 0);
  const pairs = [...chosen, ...(include ? [{ name: "include", value: include }] : [])];
  return pairs.length ? `?${new URLSearchParams(pairs.map(({ name, value }) => [name, value]))}` : "";
}

function showChoices() {
  for (const span of findAll(".query")) span.textContent = query();
  for (const span of findAll(".end")) span.textContent = span.dataset[chosenFormat()?.value ?? "json"];
}

// ---- Copying

async function copy(pre, button) {
  try {
    await navigator.clipboard.writeText(pre.textContent);
  } catch { // not offered without TLS, nor in some frames
    getSelection().selectAllChildren(pre);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

function addCopyButtons() {
  for (const pre of findAll(".sample > pre")) {
    const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", () => copy(pre, button));
    pre.after(button);
  }
}

// ---- Tabs (https://www.w3.org/WAI/ARIA/apg/patterns/tabs/)

function select(tabs, chosen) {
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
  }
}

function addTabs(samples, group) {
  const list = make("div");
  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", "Language");
  const tabs = [...samples.children].map((panel, position) => {
    const heading = panel.querySelector("h3");
    panel.id ||= `sample-${group}-${position}`;
    const tab = make("button", { type: "button", id: `${panel.id}-tab`, textContent: heading.textContent });
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", tab.id);
    heading.hidden = true;
    return tab;
  });
  list.append(...tabs);
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) select(tabs, tab);
  });
  list.addEventListener("keydown", (event) => {
    const last = tabs.length - 1;
    const now = tabs.indexOf(event.target);
    const next = {
      ArrowRight: now === last ? 0 : now + 1, ArrowLeft: now === 0 ? last : now - 1, Home: 0, End: last,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    select(tabs, tabs[next]);
    tabs[next].focus();
  });
  samples.before(list);
  select(tabs, tabs[0]);
}

// ---- From what is typed to a request

class Fault extends Error {
  constructor(message, details = []) {
    super(message);
    this.details = details;
  }
}

function jsonOf(control) {
  const text = control.value;
  switch (control.dataset.control) {
    case "boolean": return text;
    case "number": return NUMBER.test(text.trim()) ? text.trim() : JSON.stringify(text);
    case "text": return JSON.stringify(text);
    default: return checkedJson(control, text);
  }
}

function checkedJson(control, text) {
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    const { part, name } = control.dataset;
    const detail = { [part]: name, expected: "JSON", found: "text that is none" };
    throw new Fault(`${name} is not JSON: ${error.message}`, [detail]);
  }
}

const isOptional = (control) => control.dataset.optional !== undefined;

// An empty text is a value where a text is required; elsewhere nothing typed is no value.
function hasValue(control) {
  return control.value.trim() !== "" || (control.dataset.control === "text" && !isOptional(control));
}

// A required column without a value is left out, so that the server says that it is missing.
const isSent = (column) => hasValue(column) || isOptional(column);

function controlsOf(form, part) {
  return [...form.querySelectorAll(`[data-part=${part}]`)];
}

const jsonOrNull = (control) => (hasValue(control) ? jsonOf(control) : "null");
const member = (control) => `${JSON.stringify(control.dataset.name)}: ${jsonOrNull(control)}`;

const INPUTS = {
  records: (columns) => `"dataframe_records": [{${columns.filter(isSent).map(member).join(", ")}}]`,
  rows: (columns) => `"inputs": [[${columns.map(jsonOrNull).join(", ")}]]`,
  inputs: ([value]) => `"inputs": ${jsonOf(value)}`,
};

function bodyOf(form) {
  const { sends } = form.dataset;
  const columns = controlsOf(form, "column");
  if (sends === "body") return jsonOf(columns[0]);
  const params = controlsOf(form, "param").filter(hasValue).map(member).join(", ");
  return `{${INPUTS[sends](columns)}${params && `, "params": {${params}}`}}`;
}

// ---- From an answer to values; numbers stay as the server wrote them, where the browser can

function exactly(key, value, context) {
  return typeof value === "number" && context && JSON.rawJSON ? JSON.rawJSON(context.source) : value;
}

const isRaw = (value) => Boolean(JSON.isRawJSON?.(value));
const isNumber = (value) => typeof value === "number" || isRaw(value);
const isNested = (value) => typeof value === "object" && value !== null && !isRaw(value);
const isObject = (value) => isNested(value) && !Array.isArray(value);

function textOf(value, indent) {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, indent);
}

const noAnswer = (answer, why) => new Fault(`The answer has status ${answer.status}${why}.`);

async function jsonAnswer(answer) {
  try {
    return JSON.parse(await answer.text(), exactly);
  } catch {
    throw noAnswer(answer, " and is not JSON");
  }
}

async function predict({ body, type, include }) {
  const headers = { "Content-Type": type, Accept: "application/json" };
  let answer;
  try {
    answer = await fetch(`invocations${query(include)}`, { method: "POST", headers, body });
  } catch {
    throw new Fault("The server could not be reached.");
  }
  if (answer.ok) return answer;
  const value = await jsonAnswer(answer);
  throw value?.message ? new Fault(value.message, value.details) : noAnswer(answer, "");
}

// ---- From predictions to a table of texts: names of columns, rows of values

function tableOf(predictions) {
  if (isObject(predictions)) return tableOfColumns(predictions);
  if (!Array.isArray(predictions)) return { names: ["prediction"], rows: [[predictions]] };
  if (predictions.length && predictions.every(isObject)) {
    const names = [...new Set(predictions.flatMap(Object.keys))];
    return { names, rows: predictions.map((row) => names.map((name) => row[name])) };
  }
  if (predictions.length && predictions.every(Array.isArray)) {
    const width = predictions.reduce((widest, row) => Math.max(widest, row.length), 0);
    return { names: Array.from({ length: width }, (_, position) => String(position)), rows: predictions };
  }
  return { names: ["prediction"], rows: predictions.map((value) => [value]) };
}

function tableOfColumns(columns) {
  const names = Object.keys(columns);
  const lengths = new Set(names.map((name) => (Array.isArray(columns[name]) ? columns[name].length : -1)));
  if (lengths.size !== 1 || lengths.has(-1)) return { names, rows: [names.map((name) => columns[name])] };
  const rows = Array.from({ length: [...lengths][0] }, (_, row) => names.map((name) => columns[name][row]));
  return { names, rows };
}

const cell = (value) => make("td", { textContent: textOf(value, 2), className: isNested(value) ? "json" : "" });
const head = (scope, textContent) => make("th", { scope, textContent });

// One row of several values stands upright: a name and a value on each line.
function upright(names, [row]) {
  const lines = names.map((name, column) => make("tr", {}, head("row", name), cell(row[column])));
  return make("table", {}, make("tbody", {}, ...lines));
}

function level(names, rows) {
  const lines = rows.slice(0, LONGEST_TABLE).map((row, number) => make(
    "tr", {}, head("row", number), ...names.map((_, column) => cell(row[column])),
  ));
  const heads = make("tr", {}, ...["Row", ...names].map((name) => head("col", name)));
  return make("table", {}, make("thead", {}, heads), make("tbody", {}, ...lines));
}

function shownTable({ names, rows }) {
  const isUpright = rows.length === 1 && names.length > 1;
  const region = make("div", { className: "scroll", tabIndex: 0 }, (isUpright ? upright : level)(names, rows));
  region.setAttribute("role", "region");
  region.setAttribute("aria-label", "Predictions");
  return region;
}

// ---- The shown table as CSV for spreadsheets: with row numbers, and no text starts a formula. The
// server's own CSV, under "Answer", is for programs

const inCsv = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

// A column that is kept as it was sent holds texts; one that is a negative number starts no formula.
const isNegative = (text) => /^-\d[\d.,]*([eE][+-]?\d+)?$/.test(text);
const isFormula = (text) => /^[=+\-@\t\r\n]/.test(text) && !isNegative(text);

function csvCell(value) {
  const text = textOf(value);
  return inCsv(!isNumber(value) && isFormula(text) ? `'${text}` : text);
}

function csvOf({ names, rows }) {
  const body = rows.map((row, number) => [String(number), ...names.map((_, column) => row[column])]);
  const text = [["row", ...names], ...body].map((line) => `${line.map(csvCell).join(",")}\r\n`).join("");
  return /^[\x00-\x7f]*$/.test(text) ? text : `\ufeff${text}`; // the mark tells Excel that it is UTF-8
}

function downloadLink(blob, format, download) {
  const href = URL.createObjectURL(blob);
  return make("a", { className: "download", download, href, textContent: `Download as ${format}` });
}

// ---- Showing what came of it

function show(status, ...answer) {
  URL.revokeObjectURL(find("#answer .download")?.href);
  find("#status").textContent = status;
  find("#answer").replaceChildren(...answer);
  find(".result").scrollIntoView({ block: "nearest" });
}

function showPredictions(answer, name) {
  const predictions = isObject(answer) && "predictions" in answer ? answer.predictions : answer;
  const table = tableOf(predictions);
  const count = table.rows.length;
  const rows = `${count.toLocaleString("en")} ${count === 1 ? "row" : "rows"}`;
  const more = count > LONGEST_TABLE ? `; the first ${LONGEST_TABLE} are shown, the download has all` : "";
  const csv = new Blob([csvOf(table)], { type: "text/csv;charset=utf-8" });
  show(`${rows}${more}.`, shownTable(table), downloadLink(csv, "CSV for spreadsheets", `${name}.csv`));
}

const sizeOf = ({ size }) => (size < 1000 ? `${size} bytes` : `${Math.round(size / 1000).toLocaleString("en")} kB`);

// A table in another format, as the server wrote it: text is shown, too.
async function showFile(blob, format, name) {
  const size = `${sizeOf(blob)} of ${format}`;
  const link = downloadLink(blob, format, name);
  if (!/csv|json/.test(blob.type)) return show(`${size}.`, link);
  const isLong = blob.size > LONGEST_TEXT;
  const text = await blob.slice(0, LONGEST_TEXT).text();
  const lines = isLong ? text.slice(0, text.lastIndexOf("\n") + 1) : text;
  const region = make("pre", { tabIndex: 0, textContent: lines });
  region.setAttribute("role", "region");
  region.setAttribute("aria-label", "Predictions");
  show(`${size}${isLong ? "; its first lines are shown, the download has all" : ""}.`, region, link);
}

// Files of other formats begin so: Parquet, Arrow, and Excel, which is a ZIP file.
async function checkIsCsv(file) {
  if (!/^(PAR1|ARROW1|PK\x03\x04)/.test(await file.slice(0, 6).text())) return;
  throw new Fault("The file is no CSV: save it as CSV. Programs can send Parquet and Arrow to /invocations.");
}

async function predictAndShow({ name, ...request }) {
  const format = chosenFormat(); // as it is now: a person may choose another one meanwhile
  const answer = await predict(request);
  if ((format?.value ?? "json") === "json") return showPredictions(await jsonAnswer(answer), name);
  return showFile(await answer.blob(), format.label, `${name}.${format.dataset.extension}`);
}

function faultText({ row, column, param, tensor, expected, found }) {
  const places = Object.entries({ row, column, param, tensor }).filter(([, name]) => name !== undefined);
  const place = places.map(([kind, name]) => `${kind} ${textOf(name)}`).join(", ");
  return `${place}: ${expected === undefined ? found : `expected ${expected}, found ${found}`}`;
}

function mark(form, details) {
  const controls = [...form.querySelectorAll("[data-name]")];
  const marked = details.flatMap((detail) => {
    const control = controls.find(({ dataset }) => textOf(detail[dataset.part]) === dataset.name);
    if (!control) return [];
    control.setAttribute("aria-invalid", "true");
    const text = `Expected ${detail.expected}, found ${detail.found}.`;
    document.getElementById(`${control.id}-fault`).textContent = text;
    return [control];
  });
  marked[0]?.focus();
}

function showFault(form, fault) {
  if (!(fault instanceof Fault)) throw fault;
  show("");
  const details = fault.details ?? [];
  const said = fault.message.replace(FOR_PROGRAMS, ".").replace(COUNTED, "");
  find("#problem").replaceChildren(make("p", { textContent: said }));
  if (details.length > 1) {
    const items = details.map((detail) => make("li", { textContent: faultText(detail) }));
    find("#problem").append(make("ul", {}, ...items));
  }
  if (mayKeepMore(form) && details.length && details.every(isUnknown)) offerToKeep(details);
  mark(form, details);
}

function clear() {
  find("#problem").replaceChildren();
  for (const control of findAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    document.getElementById(`${control.id}-fault`).textContent = "";
  }
}

// One request at a time: an answer always belongs to what was sent last.
let busy = false;

async function send(form, request) {
  if (busy) return;
  busy = true;
  clear();
  show("Predicting…");
  try {
    await predictAndShow(await request());
  } catch (error) {
    showFault(form, error);
  } finally {
    busy = false;
  }
}

function startForms() {
  find("#try-out").hidden = false;
  const row = find("#row");
  row.addEventListener("submit", (event) => {
    event.preventDefault();
    send(row, () => ({ body: bodyOf(row), type: "application/json", name: "prediction" }));
  });
  row.addEventListener("reset", clear);
  for (const choice of choices()) choice.addEventListener("change", showChoices);
  find("#csv")?.addEventListener("submit", (event) => {
    event.preventDefault();
    predictFile(find("#keep")?.checked ? ALL : "");
  });
  find("#csv")?.addEventListener("change", clear); // what was wrong, and offered, was of another file
}

// ---- A file of a person's own: its columns may stand beside the predictions

const ALL = "inputs"; // what `include` calls all columns
const UNKNOWN = "a column that the model does not take";
const MOST_DETAILS = 20; // the server names no more
const FOR_PROGRAMS = /\. \?include= with their names .*$/; // the page has a button for it
// The number of the faults, which the page lists all.
const COUNTED = / \(and [^()]*details has[^()]*\)/;

function predictFile(include) {
  const [file] = find("#file").files;
  const name = `${file.name.replace(/\.csv$/i, "")}-predictions`;
  send(find("#csv"), async () => {
    await checkIsCsv(file);
    return { body: file, type: "text/csv", name, include };
  });
}

// Where all columns are kept, the server refuses those alone whose names seem to be misspelt.
const mayKeepMore = (form) => form.id === "csv" && find("#keep")?.checked === false;

const isUnknown = ({ found }) => found === UNKNOWN;

// The server shortens a long name with three points; then, and if it does not name all, all are kept.
function offerToKeep(details) {
  const names = details.map(({ column }) => textOf(column));
  const areAll = names.length < MOST_DETAILS && names.every((name) => name && !name.endsWith("…"));
  const kept = areAll ? names.map((name) => `“${name}”`).join(", ") : "the file's columns";
  const button = make("button", { type: "button", textContent: `Keep ${kept} beside the predictions` });
  button.addEventListener("click", () => {
    find("#csv button").focus(); // this one goes
    predictFile(areAll ? names.map(inCsv).join(",") : ALL);
  });
  find("#problem").append(button);
}

// ---- Following the state. The Accept header asks for JSON, but for an answer as soon as a page's

const { state, reason } = document.body.dataset;
const words = (text) => (text ?? "").replace(/\s+/g, " "); // HTML and JSON write line ends differently

async function look() {
  setTimeout(look, PAUSES[state]);
  if (document.hidden) return;
  try {
    const headers = { Accept: "application/json, text/html;q=0.5" };
    const answer = await fetch(".", { headers, cache: "no-store" });
    const now = await answer.json();
    if (now.state !== state || words(now.reason) !== words(reason)) location.reload();
    showTime("#next-try", now.next_try);
    showStep(now.step);
  } catch { // a restart of the server; the next look will tell
  }
}

function showStep(step) {
  const shown = find("#step");
  if (shown && step && shown.textContent !== step) shown.textContent = step;
}

function showTime(selector, moment) {
  const time = find(selector);
  if (!time || !moment) return;
  time.dateTime = moment;
  time.textContent = new Date(moment).toLocaleTimeString();
}

correctUrls();
addCopyButtons();
findAll(".samples").forEach(addTabs);
for (const selector of ["#since", "#next-try"]) showTime(selector, find(selector)?.dateTime);
if (state === "ready") startForms();
else setTimeout(look, PAUSES[state]);
