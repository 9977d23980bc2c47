// The controls: drawer, file, brush, sliders, readers.

const SLIDERS = {  // strength: of a position, 0 being none
  noise: ["Noise", 40, at => at / 2, value => `deviation ${value} of 255`],
  blurring: ["Blur", 4, at => 2 * at + 1, value => `${value} × ${value} px`],
  cropping: ["Cropping", 30, at => at, value => `${value} % of the side`],
  compression: ["JPEG", 96, at => 101 - at, value => `quality ${value}`],
  relighting: ["Another light", 33, at => 5 * at - 85, value => (value ? `${Math.abs(value)}° from the ${value < 0 ? "left" : "right"}` : "from the front")],
};
const NONE = "none";

function chip(group, text, checked, chosen, title = "") {
  const input = element("input", { type: "radio", name: group, checked, onchange: chosen });
  return element("label", { title }, input, element("span", {}, text));
}

function controls(explorer) {
  frames(explorer);
  drawer(explorer);
  file(explorer);
  sliders(explorer);
  readers(explorer);
  brush(explorer);
}

function drawer(explorer) {
  const { page, size } = explorer, owners = [...new Set(page.owners)], thumbs = explorer.find(".ex-thumbs");
  const open = owner => {
    thumbs.querySelectorAll("label").forEach(label => label.remove());
    page.owners.forEach((other, number) => {
      if (other !== owner) return;
      const pixels = explorer.imageOf(number), canvas = element("canvas"), name = page.names[number];
      paintPixels(canvas, pixels, size);
      const label = chip("ex-thumb", canvas, false, () => explorer.choose(pixels, owner, name), name);
      label.firstChild.setAttribute("aria-label", name);
      thumbs.append(label);
    });
  };
  const sources = explorer.find(".ex-sources");
  owners.forEach((owner, i) => sources.append(chip("ex-source", explorer.readable(owner), !i, () => {
    open(owner);
    thumbs.querySelector("input").click();
  })));
  sources.hidden = owners.length < 2;
  open(owners[0]);
}

function file(explorer) {
  const complaint = explorer.find(".ex-complaint");
  const take = async one => {
    complaint.textContent = "";
    try {
      const { pixels, width, height } = await taken(one, explorer.size), size = explorer.size;
      explorer.root.querySelectorAll(".ex-thumbs input").forEach(input => { input.checked = false; });
      await explorer.choose(pixels, "", one.name);
      if (width !== size || height !== size)
        complaint.textContent = `${one.name} was cut to its middle square and reduced from ${width} × ${height} px to `
          + `${size} × ${size}, which destroys most of a fingerprint.`;
    } catch (error) {
      explorer.complain(error);
    }
  };
  explorer.take = take;
  explorer.find("input[type=file]").onchange = ({ target }) => { if (target.files.length) take(target.files[0]); target.value = ""; };
  explorer.root.ondragover = event => { event.preventDefault(); explorer.root.classList.add("ex-over"); };
  explorer.root.ondragleave = () => explorer.root.classList.remove("ex-over");
  explorer.root.ondrop = event => {
    event.preventDefault();
    explorer.root.classList.remove("ex-over");
    if (event.dataTransfer.files.length && !explorer.find(".ex-guess-on").checked) take(event.dataTransfer.files[0]);
  };
}

function sliders(explorer) {
  const place = explorer.find(".ex-sliders"), made = [];
  for (const [name, [label, max, strength, words]] of Object.entries(SLIDERS)) {
    const input = element("input", { type: "range", min: 0, max, value: 0, name: `ex-${name}` });
    const output = element("output", { textContent: NONE });
    input.oninput = () => {
      const at = Number(input.value), value = at ? strength(at) : null, text = at ? words(value) : NONE;
      output.textContent = text;
      input.setAttribute("aria-valuetext", text);
      explorer.change({ strengths: { ...explorer.state.strengths, [name]: value } });
    };
    input.setAttribute("aria-valuetext", NONE);
    place.append(element("label", { className: "ex-slider" }, element("span", { textContent: label }), input, output));
    made.push(input);
  }
  explorer.find(".ex-reset").onclick = () => made.forEach(input => { input.value = 0; input.oninput(); });
}

function readers(explorer) {
  const all = explorer.page.readers, shown = all.some(reader => reader.method === "cnn") ? "cnn" : all[0].method;
  const groups = new Map(), first = all.findIndex(reader => reader.method === shown);
  all.forEach((reader, number) => {
    if (reader.method !== shown) return;
    if (!groups.has(reader.group)) groups.set(reader.group, element("fieldset", { className: "ex-chips" }, element("legend", { textContent: reader.group })));
    groups.get(reader.group).append(chip("ex-reader", reader.label, number === first, () => explorer.change({ reader: number })));
  });
  explorer.state.reader = first;
  explorer.find(".ex-readers").append(...groups.values());
  explorer.find(".ex-readers").hidden = all.filter(reader => reader.method === shown).length < 2;
}

function brush(explorer) {
  const canvas = explorer.find(".ex-main"), size = explorer.size, radius = size / 12, box = explorer.find(".ex-brush");
  const dab = (x, y) => {
    for (let i = 0; i < size * size; i++)
      if (Math.hypot(i % size + 0.5 - x, Math.floor(i / size) + 0.5 - y) <= radius) explorer.state.mask[i] = 1;
    explorer.change({});
  };
  const at = event => {
    const frame = canvas.getBoundingClientRect();
    return [(event.clientX - frame.left) * size / frame.width, (event.clientY - frame.top) * size / frame.height];
  };
  box.onchange = () => {
    canvas.classList.toggle("ex-brushed", box.checked);
    explorer.cursor = box.checked ? [size / 2, size / 2] : null;
    canvas.tabIndex = box.checked ? 0 : -1;
    explorer.change({});
  };
  canvas.onpointerdown = event => { if (box.checked) { canvas.setPointerCapture(event.pointerId); dab(...at(event)); } };
  canvas.onpointermove = event => { if (box.checked && event.buttons) dab(...at(event)); };
  canvas.onkeydown = event => {
    const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], " ": [0, 0] }[event.key] ?? [];
    if (!box.checked || x === undefined) return;
    event.preventDefault();
    explorer.cursor = explorer.cursor.map((value, i) => Math.min(size - 0.5, Math.max(0.5, value + [x, y][i])));
    if (event.key === " ") dab(...explorer.cursor);
    else explorer.change({});
  };
  explorer.find(".ex-unwipe").onclick = () => { explorer.state.mask.fill(0); explorer.change({}); };
}

function cursorOn(explorer, canvas) {  // for those who paint with the keyboard
  if (document.activeElement !== canvas) return;
  const context = canvas.getContext("2d"), [x, y] = explorer.cursor;
  context.fillStyle = "#ff7a1a";
  context.fillRect(Math.floor(x), Math.floor(y), 1, 1);
}
