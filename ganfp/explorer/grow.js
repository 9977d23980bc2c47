// How a fingerprint is found: the residuals of more and more images of one source, averaged (PRNU).

function growing(explorer) {
  const { page, size, tensors } = explorer, section = explorer.find(".ex-grow");
  const prnu = page.readers.findIndex(reader => reader.method === "prnu");
  const of = name => page.owners.flatMap((owner, i) => (owner === name ? [i] : []));
  const known = page.classes.filter(name => of(name).length > 1);
  if (prnu < 0 || !known.length) { section.remove(); return; }
  const [sofar, whole] = section.querySelectorAll("canvas"), slider = section.querySelector("input");
  const words = section.querySelector(".ex-grown"), residuals = new Map();
  const length = 3 * size * size, { data } = tensors[`${prnu}.models`];
  const models = page.classes.map((_, k) => data.subarray(k * length, (k + 1) * length));
  let name = known[0];

  const draw = async () => {
    if (!residuals.has(name)) residuals.set(name, of(name).map(i => explorer.ask(explorer.imageOf(i))));
    const asked = name, count = Number(slider.value);
    const found = (await Promise.all(residuals.get(asked).slice(0, count))).map(answer => answer.found.residual);
    if (asked !== name || count !== Number(slider.value)) return;
    const mean = found[0].map((_, i) => found.reduce((sum, one) => sum + one[i], 0) / count);
    paintSigned(sofar, mean, size);
    paintSigned(whole, models[page.classes.indexOf(name)], size);
    const correlations = models.map(model => correlation(mean, model)), own = correlations[page.classes.indexOf(name)];
    const rival = Math.max(...correlations.filter((_, k) => page.classes[k] !== name));
    words.textContent = `${count} image${count > 1 ? "s" : ""}: correlation ${signed(own)}; with the next source's ${signed(rival)}`;
    slider.setAttribute("aria-valuetext", words.textContent);
    explorer.grown = { name, count, correlations };
  };

  section.querySelector("fieldset").append(...known.map((one, i) => chip("ex-growing", explorer.readable(one), !i, () => {
    name = one;
    slider.max = of(name).length;
    draw();
  })));
  slider.max = of(name).length;
  slider.oninput = draw;
  draw();
}

function correlation(a, b) {
  const mean = values => values.reduce((x, y) => x + y, 0) / values.length, p = mean(a), q = mean(b);
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) { ab += (a[i] - p) * (b[i] - q); aa += (a[i] - p) ** 2; bb += (b[i] - q) ** 2; }
  return ab / Math.sqrt(aa * bb || 1);
}
