// What is shown of an answer.

const percent = share => `${(100 * share).toFixed(1)}\u00a0%`;
const signed = value => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
const largest = values => values.indexOf(Math.max(...values));

const PICTURES = {
  residual: ["Residual", "What a denoiser takes away: noise and fine pattern."],
  fingerprint: ["Image fingerprint", "What visNet would change in the image."],
  spectrum: ["Its spectrum", "Slow waves in the middle, pixel patterns at the rim."],
  response: ["Where it responds", ""],
  seen: ["What the network sees", ""],
};

const NOTES = [
  ["probability", "The network gives every source a probability; together they make 100 %."],
  ["visnet", "visNet and PRNU compare the image's own fingerprint with that of each source, by correlation."],
  ["visnet", "Press a fingerprint to see where in the image it responds."],
];

// Made once: the table's rows and the pictures' frames.
function frames(explorer) {
  const { page, size } = explorer, readers = page.readers;
  const method = name => readers.findIndex(reader => reader.method === name);
  const models = method("visnet") >= 0 ? method("visnet") : method("prnu");
  explorer.columns = { probability: "network", visnet: "visNet", prnu: "PRNU" };
  for (const name of ["visnet", "prnu"]) if (method(name) < 0) delete explorer.columns[name];
  const head = [models < 0 ? "" : "finger\u00adprint", "source", ...Object.values(explorer.columns)];
  explorer.find("thead").append(element("tr", {}, ...head.map(text => element("th", { scope: "col", textContent: text }))));
  explorer.rows = page.classes.map((name, k) => {
    const row = element("tr"), cells = {}, picture = element("td");
    if (models >= 0) {
      const { data } = explorer.tensors[`${models}.models`], canvas = element("canvas", { className: "ex-model" });
      paintSigned(canvas, data.subarray(k * 3 * size * size, (k + 1) * 3 * size * size), size);
      picture.append(method("visnet") < 0 ? canvas : look(explorer, name, k, canvas));
    }
    row.append(picture, element("th", { scope: "row", textContent: explorer.readable(name) }));
    for (const column of Object.keys(explorer.columns)) {
      cells[column] = { bar: element("i"), text: element("span") };
      row.append(element("td", { className: `ex-bar ex-${column}` }, element("b", {}, cells[column].bar), cells[column].text));
    }
    explorer.find("tbody").append(row);
    return { row, cells };
  });
  explorer.find(".ex-note").textContent = NOTES.filter(([column]) => column in explorer.columns).map(([, text]) => text).join(" ");
  explorer.pictures = {};
  for (const [name, [title, text]] of Object.entries(PICTURES)) {
    if (method("visnet") < 0 && ["fingerprint", "response"].includes(name)) continue;
    const canvas = element("canvas"), words = element("span", { textContent: text });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", title);
    explorer.find(".ex-inside .ex-pictures").append(
      element("figure", {}, canvas, element("figcaption", {}, element("strong", { textContent: title }), words)));
    explorer.pictures[name] = { canvas, words };
  }
}

function look(explorer, name, k, canvas) {
  const button = element("button", { type: "button", className: "ex-look" }, canvas);
  button.setAttribute("aria-label", `Where does the image respond to the fingerprint of ${explorer.readable(name)}?`);
  button.onclick = () => explorer.change({ target: explorer.state.target === k ? null : k });
  return button;
}

function show(explorer, found) {
  const { size, state, pictures, page } = explorer, main = explorer.find(".ex-main");
  paintPixels(main, found.pixels, size);
  main.setAttribute("role", "img");
  main.setAttribute("aria-label", `${state.name}, enlarged pixel by pixel${explorer.cursor ? "; arrow keys move the brush, space wipes" : ""}`);
  if (explorer.cursor) cursorOn(explorer, main);
  paintSigned(pictures.residual.canvas, found.residual, size);
  paintSpectrum(pictures.spectrum.canvas, found.spectrum, size);
  if (found.visnet) {
    const target = state.target ?? largest(found.probabilities), name = explorer.readable(page.classes[target]);
    paintSigned(pictures.fingerprint.canvas, found.visnet.fingerprint, size);
    paintResponse(pictures.response.canvas, found.visnet.responses[target], size);
    const sum = signed(found.visnet.correlations[target]);
    pictures.response.words.textContent = state.secret ? "Guess first."
      : `To the fingerprint of ${name}: orange speaks for it, blue against it; together ${sum}.`;
    pictures.response.canvas.style.visibility = state.secret ? "hidden" : "";
  }
  showSeen(explorer, found);
  explorer.rows.forEach(({ row, cells }, k) => {
    const values = { probability: found.probabilities, visnet: found.visnet?.correlations, prnu: found.prnu?.correlations };
    for (const [column, { bar, text }] of Object.entries(cells)) {
      const value = values[column][k], full = column === "probability" ? 1 : Math.max(0.2, ...values[column]);
      const share = Math.max(0, value) / full;
      bar.style.width = state.secret ? "0" : `${100 * share}%`;
      text.textContent = state.secret ? "?" : column === "probability" ? percent(value) : signed(value);
      text.classList.toggle("ex-top", !state.secret && k === largest(values[column]));
    }
    row.classList.toggle("ex-true", !state.secret && page.classes[k] === state.owner);
    row.querySelector("button")?.setAttribute("aria-pressed", String(state.target === k));
  });
  explorer.find(".ex-verdict").textContent = verdict(explorer, found);
}

function showSeen(explorer, { seen }) {
  const reader = explorer.page.readers[explorer.state.reader], { canvas, words } = explorer.pictures.seen;
  const isHigh = reader.layers?.some(layer => layer.kind === "high");
  if (isHigh) paintSigned(canvas, seen.data, seen.size);
  else paintPixels(canvas, seen.data.map(value => Math.min(255, Math.max(0, (value + 1) * 127.5))), seen.size);
  const boosted = reader.layers?.some(layer => layer.kind === "boost") ? " Its fine detail is made louder." : "";
  words.textContent = `${reader.group}: ${reader.label}.${boosted}`;
}

function verdict(explorer, { probabilities }) {
  const { state, page } = explorer, top = largest(probabilities), owner = explorer.readable(state.owner);
  if (state.secret) return "Who made it? Look at the pixels, at the residual, at the spectrum; then say a name.";
  const said = `The network says: ${explorer.readable(page.classes[top])}, ${percent(probabilities[top])}.`;
  if (page.classes[top] === state.owner) return `${said} That is right.`;
  if (page.classes.includes(state.owner)) return `${said} That is wrong: it is ${owner}.`;
  return `${said} It can only name one of the ${page.classes.length} sources that it knows, whoever made the image.`;
}
