import { html, raw } from "hono/html";
import type { Json } from "./document.ts";

type Text = ReturnType<typeof raw> | ReturnType<typeof html>;

const STYLE = `
:root { color-scheme: light dark; --ink: #17232b; --soft: #54646f; --paper: #fff; --card: #f2f5f7; --line: #d5dde2; --water: #116079 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3eaee; --soft: #9fb0ba; --paper: #11191e; --card: #1a252c; --line: #2d3b44; --water: #6cc5e0 }
}
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
a { color: var(--water) }
details { margin: .5rem 0; padding: .5rem .75rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem }
summary { cursor: pointer; overflow-wrap: anywhere }
code, pre { font: .9em/1.45 ui-monospace, monospace }
pre { overflow-x: auto; padding: .5rem; border: 1px solid var(--line); border-radius: .25rem }
b { color: var(--water) }
table { border-collapse: collapse; width: 100% }
th, td { padding: .25rem .5rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
.soft { color: var(--soft) }
`;

/** The document as one page for people, without a script. */
export function documentPage(document: Json): string {
  const operations = Object.entries(document["paths"] as Record<string, Record<string, Json>>)
    .flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation }))
    );
  const info = document["info"] as Json;
  const groups = (document["tags"] as { name: string }[]).map(({ name }) => name);
  const sections = groups.map((group) =>
    html`<h2>${group}</h2>${
      operations.filter(({ operation }) => (operation["tags"] as string[]).includes(group))
        .map(({ path, method, operation }) => section(path, method, operation))
    }`
  );
  return String(html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Headwater HTTP API</title>
        <style>${raw(STYLE)}</style>
      </head>
      <body>
    <h1>Headwater HTTP API</h1>
    <p>Version ${info["version"]}. ${info["description"]}</p>
    <p><a href="openapi.json">openapi.json</a> · <a href="/console/">console</a></p>
    ${sections}
      </body>
    </html>
  `);
}

function section(path: string, method: string, operation: Json): Text {
  const parameters = operation["parameters"] as Json[];
  const responses = operation["responses"] as Record<string, { content: Record<string, { schema: Json }> }>;
  const body = operation["requestBody"] as { content: Record<string, { schema: Json }> } | undefined;
  return html`
    <details id="${operation["operationId"]}">
    <summary><b>${method}</b> <code>${path}</code> <span class="soft">${operation["summary"]}</span></summary>
    ${operation["description"] === undefined ? "" : html`<p>${operation["description"]}</p>`}
    ${parameters.length === 0 ? "" : html`
      <table>
        <thead>
          <tr>
            <th>parameter</th>
            <th>in</th>
            <th>meaning</th>
          </tr>
        </thead>
        <tbody>
      ${parameters.map(parameterRow)}</tbody>
      </table>
    `}
    ${body === undefined ? "" : html`<p>Send:</p>${content(body.content)}`}
    <p>Answer:</p>${content(responses["200"]?.content ?? {})}
    </details>
  `;
}

function parameterRow(parameter: Json): Text {
  const values = (parameter["schema"] as Json)["enum"] as string[] | undefined;
  return html`
    <tr>
      <td><code>${parameter["name"]}</code></td>
      <td>${parameter["in"]}</td>
      <td>${parameter["description"] ?? ""} ${values === undefined
        ? ""
        : html`<span class="soft">${values.join(", ")}</span>`}</td>
    </tr>
  `;
}

function content(types: Record<string, { schema: Json }>): Text[] {
  return Object.entries(types).map(([type, { schema }]) =>
    type === "application/json" ? html`<pre>${shape(schema, "")}</pre>` : html`<p><code>${type}</code></p>`
  );
}

/** A schema as its values look. */
function shape(schema: Json, indent: string): string {
  const allOf = schema["allOf"] as Json[] | undefined;
  if (allOf !== undefined) {
    const properties = Object.assign({}, ...allOf.map((part) => part["properties"]));
    const required = allOf.flatMap((part) => part["required"] as string[] | undefined ?? []);
    return shape({ type: "object", properties, required }, indent);
  }
  const anyOf = schema["anyOf"] as Json[] | undefined;
  if (anyOf !== undefined) return anyOf.map((part) => shape(part, indent)).join(" | ");
  if (schema["const"] !== undefined) return JSON.stringify(schema["const"]);
  const values = schema["enum"] as unknown[] | undefined;
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(" | ");
  const inner = `${indent}  `;
  if (schema["type"] === "array") return `[${shape(schema["items"] as Json, indent)}, …]`;
  const properties = schema["properties"] as Record<string, Json> | undefined;
  if (properties !== undefined) {
    const always = new Set(schema["required"] as string[] | undefined);
    const lines = Object.entries(properties).map(([name, value]) =>
      `${inner}"${name}"${always.has(name) ? "" : "?"}: ${shape(value, inner)}`
    );
    return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n${indent}}`;
  }
  if (schema["type"] === "object") return "{ name: value, … }";
  const type = schema["type"] as string | readonly string[] | undefined;
  return typeof type === "string" ? type : type?.join(" | ") ?? "anything";
}
