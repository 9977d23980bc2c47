// What a page does by itself: tables that can be filtered, figures that can be enlarged, links that open folded code.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.filterable")) filterable(table);
  for (const figure of document.querySelectorAll(".bd-article figure:not(.sd-card figure)")) enlargeable(figure);
  for (const box of document.querySelectorAll(".pst-scrollable-table-container, .bd-article :is(div.math, pre, .drawing, .text_html)"))
    watch(box);
  addEventListener("load", () => window.MathJax?.startup.promise.then(() => document.querySelectorAll("div.math mjx-container").forEach(watch)));
  for (const toggle of document.querySelectorAll("nav summary")) toggle.setAttribute("aria-label", "Pages below this one");
  for (const list of document.querySelectorAll(".citation-list")) list.removeAttribute("role"); // its items have one of their own
  for (const part of document.querySelectorAll("dt dl, dt dl > dd")) part.setAttribute("role", "presentation"); // a signature in lines
  for (const fold of document.querySelectorAll("details.hide > summary")) fold.removeAttribute("aria-label");
});

/* A row is shown while it holds the words typed, and the section and verdict chosen. */
function filterable(table) {
  const rows = [...table.tBodies[0].rows], box = document.createElement("form"), choices = [];
  box.className = "filter";
  box.setAttribute("role", "search");
  const words = add(box, "input", "Words");
  words.type = "search";
  choices.push(row => row.textContent.toLowerCase().includes(words.value.toLowerCase()));
  if (table.classList.contains("claims-ledger")) {
    const section = select(box, "Section", new Set(rows.map(row => row.cells[1].textContent.trim())));
    choices.push(row => !section.value || row.cells[1].textContent.trim() === section.value);
    const verdicts = ["holds", "is not shown", "is refuted", "is not measured"];
    for (const [name, cell] of [["Reference run", 3], ["This run", 4]]) {
      const verdict = select(box, name, verdicts);
      choices.push(row => !verdict.value || row.cells[cell].textContent.includes(verdict.value));
    }
  }
  const count = document.createElement("output");
  box.append(count);
  const apply = () => {
    for (const row of rows) row.hidden = !choices.every(choice => choice(row));
    count.textContent = `${rows.filter(row => !row.hidden).length} of ${rows.length}`;
  };
  box.addEventListener("input", apply);
  box.addEventListener("submit", event => event.preventDefault());
  apply();
  const around = table.closest(".pst-scrollable-table-container") ?? table;
  around.before(box);
}

function add(box, kind, name) {
  const label = document.createElement("label"), field = document.createElement(kind);
  label.append(name, field);
  box.append(label);
  return field;
}

function select(box, name, values) {
  const field = add(box, "select", name);
  for (const value of ["", ...values]) field.add(new Option(value || "all", value));
  return field;
}

/* A figure in a window of its own, as large as the screen. */
function enlargeable(figure) {
  const shown = figure.querySelector(".drawing, img");
  if (!shown) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "enlarge";
  button.textContent = "Enlarge";
  button.setAttribute("aria-label", "Enlarge " + (figure.querySelector(".caption-number")?.textContent.trim() ?? "figure"));
  const open = () => {
    const dialog = document.createElement("dialog"), close = document.createElement("button");
    dialog.className = "enlarged";
    dialog.setAttribute("aria-label", button.getAttribute("aria-label"));
    close.textContent = "Close";
    const copy = shown.cloneNode(true);
    copy.removeAttribute("style");
    dialog.append(close, copy);
    document.body.append(dialog);
    dialog.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => { dialog.remove(); button.focus(); });
    dialog.showModal();
  };
  button.addEventListener("click", open);
  shown.addEventListener("click", open);
  shown.after(button);
}

/* What is wider than its place says so, and can be reached by keyboard. */
function watch(box) {
  const look = () => {
    const wide = box.scrollWidth > box.clientWidth + 1;
    box.classList.toggle("scrolls", wide);
    if (wide) box.tabIndex = 0; else box.removeAttribute("tabindex");
  };
  new ResizeObserver(look).observe(box);
}
