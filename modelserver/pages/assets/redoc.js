"use strict";

// ReDoc draws a small logo from its maker's server, and leaves it out when that fails. React sets
// an image's source in two ways; here both refuse one from elsewhere before it is asked for.
const { setAttribute } = Element.prototype;
const source = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");

function guarded(image, url, set) {
  if (new URL(url, location.href).origin === location.origin || url.startsWith("data:")) set();
  else setTimeout(() => image.dispatchEvent(new Event("error")));
}

HTMLImageElement.prototype.setAttribute = function (name, value) {
  const set = () => setAttribute.call(this, name, value);
  if (name === "src") guarded(this, value, set);
  else set();
};
Object.defineProperty(HTMLImageElement.prototype, "src", {
  ...source,
  set(url) {
    guarded(this, url, () => source.set.call(this, url));
  },
});

const OPTIONS = {
  sanitize: true, // descriptions come from whoever logged the model
  downloadUrls: [
    { title: "openapi.json", url: "openapi.json" },
    { title: "openapi.yaml", url: "openapi.yaml" },
  ],
  theme: {
    typography: {
      fontFamily: "system-ui, sans-serif",
      headings: { fontFamily: "system-ui, sans-serif" },
      code: { fontFamily: "ui-monospace, monospace" },
    },
  },
};

const element = document.getElementById("redoc");
const base = new URL(".", location.href).href.replace(/\/$/, "");

// The samples of calls are written for a server that they cannot know.
function withBase(document) {
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path)) {
      for (const sample of operation["x-codeSamples"] ?? []) {
        sample.source = sample.source.replaceAll(element.dataset.server, base);
      }
    }
  }
  return document;
}

async function show() {
  const answer = await fetch("openapi.json");
  if (!answer.ok) throw new Error(`openapi.json: status ${answer.status}`);
  Redoc.init(withBase(await answer.json()), OPTIONS, element);
}

show().catch((error) => {
  element.replaceChildren(Object.assign(document.createElement("p"), { textContent: error.message }));
});
