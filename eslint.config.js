// ESLint for the JavaScript of the browser components. `npx eslint .` after `npm ci`; the app itself needs no Node.
import js from "@eslint/js";

// What the components use of the browser. No name of the network is among them: nothing may leave the user's machine.
const browser = Object.fromEntries(
  [
    "AbortController",
    "CustomEvent",
    "Event",
    "Image",
    "IntersectionObserver",
    "MutationObserver",
    "ResizeObserver",
    "URL",
    "URLSearchParams",
    "cancelAnimationFrame",
    "clearTimeout",
    "console",
    "document",
    "getComputedStyle",
    "matchMedia",
    "navigator",
    "requestAnimationFrame",
    "setTimeout",
    "window",
  ].map((name) => [name, "readonly"]),
);

// Captions hold file names and class names that a user chose: they are text, never HTML.
const html = ["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({
  property,
  message: "Build elements and set textContent: captions hold text that a user chose.",
}));

const network = ["fetch", "XMLHttpRequest", "WebSocket", "EventSource"].map((name) => ({
  name,
  message: "A component asks nothing of the network.",
}));

const networkOfWindow = [
  ...network.map(({ name: property, message }) => ({ object: "window", property, message })),
  { object: "navigator", property: "sendBeacon", message: "A component asks nothing of the network." },
];

export default [
  { ignores: [".*/", "venv/", "build/", "dist/", "site/"] },
  js.configs.recommended,
  {
    files: ["pages/components/static/**/*.js"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "array-callback-return": "error",
      "default-case-last": "error",
      eqeqeq: ["error", "always"],
      "max-lines": ["error", { max: 300 }],
      "no-console": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-restricted-globals": ["error", ...network],
      "no-restricted-properties": ["error", ...html, ...networkOfWindow],
      "no-restricted-syntax": [
        "error",
        { selector: "ImportDeclaration, ImportExpression", message: "Streamlit loads a component as one file." },
      ],
      "no-shadow": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-use-before-define": ["error", { functions: false }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
];
