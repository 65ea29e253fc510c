// The page of the calls: shows the OpenAPI document of this server, and sends the calls that a person
// tries out. Asks nobody but this server. Knows no job and no dataset.

import { el } from "./text.js";

const METHODS = ["get", "post", "put", "delete"];

/** What a reference leads to. */
function found(api, value) {
  if (!value?.$ref) return value;
  return value.$ref.slice(2).split("/").reduce((part, name) => part[name], api);
}

/** The name of a schema, or what it is. */
function kind(api, schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.anyOf || schema.oneOf) {
    return (schema.anyOf ?? schema.oneOf).map((one) => kind(api, one)).join(" | ");
  }
  if (schema.type === "array") return `${kind(api, schema.items)}[]`;
  const data = schema.properties?.data;
  if (data) return `data: ${kind(api, data)}`;
  return [schema.type ?? "any"].flat().join(" | ");
}

/** An example of a schema: its own, or one made of its parts. */
function example(api, schema) {
  const own = found(api, schema);
  if (own?.examples) return own.examples[0];
  if (own?.const !== undefined) return own.const;
  const choice = own?.anyOf ?? own?.oneOf;
  if (choice) return example(api, choice[0]);
  if (own?.properties) {
    const parts = Object.entries(own.properties).filter(([name]) => name !== "message");
    return Object.fromEntries(parts.map(([name, part]) => [name, example(api, part)]));
  }
  return own?.enum?.[0] ?? null;
}

/** The members of a schema as rows of a table. */
function members(api, schema) {
  const own = found(api, schema);
  const lists = [own, ...(own?.allOf ?? []).map((part) => found(api, part))];
  const rows = lists.flatMap((list) => Object.entries(list?.properties ?? {}));
  if (rows.length === 0) return null;
  return el("table", {}, el("tbody", {}, rows.map(([name, part]) =>
    el("tr", {}, el("td", {}, el("code", {}, name)), el("td", {}, kind(api, part)),
      el("td", {}, part.description ?? "")))));
}

function answers(api, call) {
  return Object.entries(call.responses).flatMap(([status, answer]) => {
    const it = found(api, answer);
    const bodies = Object.entries(it.content ?? {});
    return [
      el("p", {}, el("strong", {}, status), " ", it.description),
      bodies.map(([type, { schema }]) => {
        const data = found(api, schema)?.properties?.data ?? schema;
        const shown = example(api, schema);
        return el("details", {},
          el("summary", {}, type, " ", kind(api, schema)),
          members(api, data),
          shown === null ? null : el("pre", {}, JSON.stringify(shown, null, 2)));
      }),
    ];
  });
}

/** A form that sends the call. */
function attempt(api, path, method, call) {
  const parameters = call.parameters ?? [];
  const fields = new Map(parameters.map((it) => [it, el("input", { name: it.name })]));
  const json = call.requestBody?.content?.["application/json"];
  const isFile = Boolean(call.requestBody?.content?.["multipart/form-data"]);
  const text = json && !isFile
    ? el("textarea", { "aria-label": "Body", value: JSON.stringify(example(api, json.schema) ?? {}, null, 2) })
    : null;
  const file = isFile ? el("input", { type: "file", "aria-label": "File" }) : null;
  const out = el("pre", { hidden: true });
  const send = async (event) => {
    event.preventDefault();
    let address = path.slice(1);
    const query = new URLSearchParams();
    for (const [it, field] of fields) {
      if (it.in === "path") address = address.replace(`{${it.name}}`, encodeURIComponent(field.value));
      else if (field.value !== "") query.set(it.name, field.value);
    }
    if (query.size > 0) address += `?${query}`;
    const options = { method: method.toUpperCase(), headers: {} };
    if (text && text.value.trim() !== "") {
      options.body = text.value;
      options.headers["Content-Type"] = "application/json";
    } else if (file?.files[0]) {
      options.body = new FormData();
      options.body.append("file", file.files[0]);
    }
    out.hidden = false;
    out.textContent = "…";
    try {
      const answer = await fetch(address, options);
      out.textContent = `${answer.status} ${answer.statusText}\n${pretty(await start(answer))}`;
    } catch (fault) {
      out.textContent = `The server did not answer: ${fault.message}`;
    }
  };
  return el("form", { onsubmit: send },
    [...fields].map(([it, field]) => el("label", {}, el("code", {}, it.name), " ", field, " ",
      it.description ?? kind(api, it.schema))),
    text, file, el("p", {}, el("button", { type: "submit" }, "Send")), out);
}

/** The beginning of an answer, which may be a stream that does not end. */
async function start(answer, most = 20000) {
  const reader = answer.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  const end = Date.now() + 3000;
  let text = "";
  while (text.length < most && Date.now() < end) {
    const late = new Promise((done) => setTimeout(() => done({ done: true }), 3000));
    const { value, done } = await Promise.race([reader.read(), late]);
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  reader.cancel();
  return text.slice(0, most);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function shown(api, path, method, call) {
  const inside = el("div", {});
  const fill = () => {
    if (inside.childElementCount > 0) return;
    inside.append(el("p", {}, call.description ?? "It needs no key."),
      el("h3", {}, "Answers"), ...answers(api, call).flat(),
      el("h3", {}, "Try it"), attempt(api, path, method, call));
  };
  return el("details", { class: "call", id: call.operationId, ontoggle: fill },
    el("summary", {}, el("span", { class: "method" }, method.toUpperCase()), " ",
      el("code", {}, path), " ", call.summary), inside);
}

async function show() {
  const place = document.getElementById("calls");
  try {
    const answer = await fetch("openapi.json");
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const api = await answer.json();
    const groups = new Map();
    for (const [path, item] of Object.entries(api.paths)) {
      for (const method of METHODS.filter((it) => item[it])) {
        const [tag] = item[method].tags;
        groups.set(tag, [...(groups.get(tag) ?? []), shown(api, path, method, item[method])]);
      }
    }
    for (const [tag, calls] of groups) place.append(el("h2", {}, tag), ...calls);
  } catch (fault) {
    place.append(el("p", { role: "alert" }, `The calls cannot be shown: ${fault.message}. Load the page again.`));
  }
  place.setAttribute("aria-busy", "false");
}

show();
