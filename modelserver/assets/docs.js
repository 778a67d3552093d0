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

// Controls that Swagger UI leaves without a name.
const NAMES = {
  textarea: "Request body",
  ".servers select": "Server",
  ".examples-select select": "Example",
};

new MutationObserver(() => {
  for (const [selector, name] of Object.entries(NAMES)) {
    for (const control of document.querySelectorAll(`#docs ${selector}:not([aria-label])`)) {
      control.setAttribute("aria-label", name);
    }
  }
}).observe(document.getElementById("docs"), { childList: true, subtree: true });
