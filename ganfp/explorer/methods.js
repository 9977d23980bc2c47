// What each method says of an image: the network, visNet (Section 3.3) and PRNU, as ganfp/attributors has them.

function standardised(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const centred = Float64Array.from(values, value => value - mean);
  const norm = Math.max(Math.sqrt(centred.reduce((a, b) => a + b * b, 0)), 1e-12);
  return centred.map(value => value / norm);
}

const dot = (a, b) => { let sum = 0; for (let i = 0; i < a.length; i++) sum += a[i] * b[i]; return sum; };

function softmax(scores, temperature) {
  const top = Math.max(...scores), e = Array.from(scores, score => Math.exp((score - top) / temperature));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map(value => value / sum);
}

function modelsOf(tensor) {
  const length = tensor.data.length / tensor.shape[0];
  return Array.from({ length: tensor.shape[0] }, (_, k) => tensor.data.subarray(k * length, (k + 1) * length));
}

// ---- PRNU: the denoising residual of Mihcak et al., scale by scale (ganfp/attributors/prnu.py)

function product(a, b, rows, inner, columns, transposed) {  // a (rows, inner) b, or b's transpose
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += a[i * inner + k] * b[transposed ? j * inner + k : k * columns + j];
      out[i * columns + j] = sum;
    }
  return out;
}

function leastLocalMean(power, size) {
  const wide = size + 8, p = padded(power, size, 4), line = wide + 1, sums = new Float64Array(line * line);
  for (let y = 0; y < wide; y++)  // of everything above and to the left
    for (let x = 0, row = 0; x < wide; x++) {
      row += p[y * wide + x];
      sums[(y + 1) * line + x + 1] = sums[y * line + x + 1] + row;
    }
  const least = new Float64Array(power.length).fill(Infinity);
  for (let radius = 1; radius <= 4; radius++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const top = (y + 4 - radius) * line, low = (y + 5 + radius) * line, left = x + 4 - radius, right = x + 5 + radius;
        const mean = (sums[low + right] - sums[top + right] - sums[low + left] + sums[top + left]) / (2 * radius + 1) ** 2;
        least[y * size + x] = Math.min(least[y * size + x], mean);
      }
  return least;
}

function denoisingResidual(plane, size, sigma, levels, tensors, level = 0) {
  if (level === levels) return new Float64Array(plane.length);
  const forward = tensors[`wavelet.${level}.forward`], back = tensors[`wavelet.${level}.back`].data;
  const both = forward.shape[0], half = both / 2;
  const c = product(forward.data, product(plane, forward.data, size, size, both, true), both, size, both, false);
  const noise = new Float64Array(both * both);
  for (const [top, left] of [[0, 0], [0, half], [half, 0], [half, half]]) {
    const band = new Float64Array(half * half);
    for (let y = 0; y < half; y++) for (let x = 0; x < half; x++) band[y * half + x] = c[(top + y) * both + left + x];
    const low = !top && !left, variance = low ? null : leastLocalMean(band.map(value => value * value), half);
    const kept = low ? denoisingResidual(band, half, sigma, levels, tensors, level + 1)
      : band.map((value, i) => value * sigma ** 2 / Math.max(variance[i], sigma ** 2));
    for (let y = 0; y < half; y++) for (let x = 0; x < half; x++) noise[(top + y) * both + left + x] = kept[y * half + x];
  }
  return product(back, product(noise, back, both, both, size, true), size, both, size, false);
}

// ---- spectra (ganfp/features/spectra.py): power by frequency, mean over colours, 0 in the middle

function spectrum(values, size) {
  const power = new Float64Array(size * size), area = size * size;
  const cos = Array.from({ length: size }, (_, i) => Math.cos(2 * Math.PI * i / size));
  const sin = Array.from({ length: size }, (_, i) => -Math.sin(2 * Math.PI * i / size));
  for (let c = 0; c < values.length / area; c++) {
    const plane = values.subarray(c * area, (c + 1) * area), mean = plane.reduce((a, b) => a + b, 0) / area;
    const re = new Float64Array(area), im = new Float64Array(area);
    for (let y = 0; y < size; y++)
      for (let u = 0; u < size; u++)
        for (let x = 0; x < size; x++) {
          const value = plane[y * size + x] - mean, turn = u * x % size;
          re[y * size + u] += value * cos[turn];
          im[y * size + u] += value * sin[turn];
        }
    for (let u = 0; u < size; u++)
      for (let v = 0; v < size; v++) {
        let a = 0, b = 0;
        for (let y = 0; y < size; y++) {
          const turn = v * y % size, r = re[y * size + u], i = im[y * size + u];
          a += r * cos[turn] - i * sin[turn];
          b += r * sin[turn] + i * cos[turn];
        }
        power[(v + size / 2) % size * size + (u + size / 2) % size] += a * a + b * b;
      }
  }
  const sum = power.reduce((a, b) => a + b, 0) || 1;
  return power.map(value => value / sum);
}

// ---- all of it

function engine({ page, tensors }) {
  const { resolution: size, readers, denoiser } = page, area = size * size;
  const models = readers.map((_, i) => tensors[`${i}.models`] && modelsOf(tensors[`${i}.models`]));
  const units = models.map(found => found && found.map(standardised));
  const visnet = readers.findIndex(reader => reader.method === "visnet");
  const prnu = readers.findIndex(reader => reader.method === "prnu");

  function visible(input, by) {
    const fingerprint = less(run(readers[by].layers, tensors, input).map, input).data, own = standardised(fingerprint);
    const correlations = units[by].map(model => dot(own, model));
    const responses = units[by].map(model => {
      const map = new Float32Array(area);
      for (let i = 0; i < own.length; i++) map[i % area] += own[i] * model[i];
      return map;
    });
    return { fingerprint, correlations, responses };
  }

  function residual(pixels) {
    const out = new Float64Array(pixels.length), { sigma, levels } = denoiser;
    for (let c = 0; c < 3; c++) {
      const plane = Float64Array.from(pixels.subarray(c * area, (c + 1) * area));
      out.set(denoisingResidual(plane, size, sigma, levels, tensors), c * area);
    }
    return out;
  }

  // Of pixels, uint8 (3, R, R), by the reader of a number; without a number the residual alone.
  return (pixels, number) => {
    if (number === undefined) return { residual: residual(pixels) };
    const input = { channels: 3, size, data: Float32Array.from(pixels, value => value / 127.5 - 1) };
    const found = { residual: residual(pixels), seen: input }, reader = readers[number];
    if (visnet >= 0) found.visnet = visible(input, reader.method === "visnet" ? number : visnet);
    if (prnu >= 0) {
      const own = standardised(found.residual);
      found.prnu = { correlations: units[prnu].map(model => Math.max(-1, Math.min(1, dot(own, model)))) };
    }
    if (reader.method === "visnet") {
      const { fingerprint, correlations } = found.visnet;
      const inner = () => models[number].map(model => dot(fingerprint, model) / Math.sqrt(3 * area));
      found.scores = reader.inner ? inner() : correlations.map(value => value / reader.trained_temperature);
    } else if (reader.method === "prnu") {
      found.scores = found.prnu.correlations;
    } else {
      const { map, seen } = run(reader.layers, tensors, input);
      Object.assign(found, { scores: Array.from(map.data), seen });
    }
    found.probabilities = softmax(found.scores, reader.temperature);
    found.spectrum = spectrum(visnet >= 0 ? found.visnet.fingerprint : found.residual, size);
    return found;
  };
}
