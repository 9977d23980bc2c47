// "Guess first": the reader names the source before anybody else does.

function guessing(explorer) {
  const { page } = explorer, known = page.owners.flatMap((owner, i) => (page.classes.includes(owner) ? [i] : []));
  const box = explorer.find(".ex-guess-on"), panel = explorer.find(".ex-guess"), score = explorer.find(".ex-score");
  const next = explorer.find(".ex-next"), tally = { asked: 0, reader: 0, network: 0 };
  explorer.find(".ex-guess-switch").hidden = !known.length;
  const buttons = page.classes.map(name => element("button", { type: "button", textContent: explorer.readable(name), onclick: () => guess(name) }));
  explorer.find(".ex-buttons").append(...buttons);

  const another = () => {
    const number = known[Math.floor(Math.random() * known.length)];
    buttons.forEach(button => { button.disabled = false; button.className = ""; });
    next.hidden = true;
    explorer.find(".ex-reset").click();
    Object.assign(explorer.state, { secret: true });
    return explorer.choose(explorer.imageOf(number), page.owners[number], "An image of a source that you are to name");
  };

  const guess = async name => {
    const { owner } = explorer.state;
    await explorer.change({ secret: false });
    buttons.forEach((button, k) => {
      button.disabled = true;
      button.className = page.classes[k] === owner ? "ex-right" : page.classes[k] === name ? "ex-wrong" : "";
    });
    tally.asked++;
    tally.reader += name === owner;
    tally.network += page.classes[largest(explorer.shown.probabilities)] === owner;
    const of = `of ${tally.asked}`;
    score.textContent = `${name === owner ? "Right" : `No, ${explorer.readable(owner)}`}. You: ${tally.reader} ${of}, the `
      + `network: ${tally.network} ${of}; by chance: 1 in ${page.classes.length}.`;
    next.hidden = false;
    next.focus();
  };

  next.onclick = another;
  box.onchange = () => {
    panel.hidden = !box.checked;
    for (const part of [".ex-sources", ".ex-thumbs", ".ex-button"]) explorer.find(part).classList.toggle("ex-gone", box.checked);
    score.textContent = "";
    Object.assign(tally, { asked: 0, reader: 0, network: 0 });
    if (box.checked) another();
    else explorer.change({ secret: false });
  };
}
