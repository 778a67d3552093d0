"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null, // the default asks a validator on the internet
  requestSnippetsEnabled: true,
  displayRequestDuration: true,
});

// What Swagger UI leaves without a name, or out of the keyboard's reach.
const MISSING = [
  ["textarea", "aria-label", "Request body"],
  [".servers select", "aria-label", "Server"],
  [".examples-select select", "aria-label", "Example"],
  [".parameters select", "aria-label", "Value of the parameter"],
  ["pre", "tabindex", "0"],
];

new MutationObserver(() => {
  for (const [selector, attribute, value] of MISSING) {
    for (const element of document.querySelectorAll(`#docs ${selector}:not([${attribute}])`)) {
      element.setAttribute(attribute, value);
    }
  }
}).observe(document.getElementById("docs"), { childList: true, subtree: true });
