// Attacks of one strength (Section 4.4; ganfp/attacks.py, relighting.py): uint8 (3, R, R) in and out.

function toByte(value) {  // to nearest, halves to even
  const rounded = Math.round(value);
  return Math.min(255, Math.max(0, rounded - value === 0.5 && rounded % 2 ? rounded - 1 : rounded));
}

const bytes = values => Uint8Array.from(values, toByte);

function* planesOf(pixels, size) {
  for (let c = 0; c < 3; c++) yield [pixels.subarray(c * size * size, (c + 1) * size * size), c * size * size];
}

function noise(pixels, size, deviation, seed) {  // the same grain, louder, wherever the slider stands
  let state = seed >>> 0;
  const uniform = () => {  // mulberry32
    state = state + 0x6d2b79f5 >>> 0;
    let t = Math.imul(state ^ state >>> 15, state | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return bytes(Float64Array.from(pixels, value => value + deviation * normal()));
}

function blur(pixels, size, side) {  // Gaussian, OpenCV's sigma for a kernel of that side, mirrored borders
  const radius = (side - 1) / 2, sigma = 0.3 * (radius - 1) + 0.8;
  const weights = Array.from({ length: side }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)));
  const total = weights.reduce((a, b) => a + b, 0), out = new Float64Array(pixels.length);
  for (const [plane, start] of planesOf(pixels, size)) {
    const wide = padded(plane, size, radius), span = size + 2 * radius, rows = new Float64Array(span * size);
    for (let y = 0; y < span; y++)
      for (let x = 0; x < size; x++)
        for (let i = 0; i < side; i++) rows[y * size + x] += weights[i] * wide[y * span + x + i] / total;
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++)
        for (let i = 0; i < side; i++) out[start + y * size + x] += weights[i] * rows[(y + i) * size + x] / total;
  }
  return bytes(out);
}

function crop(pixels, size, share) {  // the middle is cut out and resized back, bilinearly
  const lost = Math.max(1, Math.round(share * size)), kept = size - lost, start = Math.floor(lost / 2);
  const places = Array.from({ length: size }, (_, i) => {
    const at = start + Math.min(Math.max((i + 0.5) * kept / size - 0.5, 0), kept - 1), first = Math.floor(at);
    return [first, Math.min(first + 1, size - 1), at - first];
  });
  const out = new Float64Array(pixels.length);
  for (const [plane, begin] of planesOf(pixels, size))
    places.forEach(([top, bottom, down], y) => places.forEach(([left, right, along], x) => {
      const row = at => plane[at * size + left] * (1 - along) + plane[at * size + right] * along;
      out[begin + y * size + x] = row(top) * (1 - down) + row(bottom) * down;
    }));
  return bytes(out);
}

// ---- relighting: a ratio image of two lightings, nine harmonics each (ganfp/relighting.py)

const C = [0.886227, 1.023327, 0.247708, 0.858086, 0.429043];
const LAMBERT = [Math.PI, ...Array(3).fill(2 * Math.PI / 3), ...Array(5).fill(Math.PI / 4)];
const DARKEST = 0.2, RATIO = [0.4, 2.5];

function lamp(azimuth, elevation, key) {  // degrees, degrees, the lamp's share of all light
  const a = azimuth * Math.PI / 180, e = elevation * Math.PI / 180;
  const x = Math.cos(e) * Math.sin(a), y = Math.sin(e), z = Math.cos(e) * Math.cos(a);
  const toward = [C[0], C[1] * z, C[1] * x, C[1] * y, C[2] * (2 * z * z - x * x - y * y),
    C[3] * x * z, C[3] * y * z, C[4] * (x * x - y * y), C[3] * x * y];
  return toward.map((value, k) => key * value / LAMBERT[k] + (k ? 0 : (1 - key) / C[0]));
}

function shading(light, basis, area) {
  const found = new Float64Array(area);
  light.forEach((weight, k) => { for (let i = 0; i < area; i++) found[i] += weight * basis[k * area + i]; });
  const mean = Math.max(found.reduce((a, b) => a + b, 0) / area, 1e-6);
  return found.map(value => Math.max(value / mean, DARKEST));
}

function relight(pixels, size, azimuth, tensors, elevation = 20, key = 0.6) {
  const area = size * size, basis = tensors["light.basis"].data, fit = tensors["light.fit"].data;
  const next = shading(lamp(azimuth, elevation, key), basis, area), out = new Float64Array(pixels.length);
  for (const [plane, start] of planesOf(pixels, size)) {
    const light = LAMBERT.map((_, k) => plane.reduce((sum, value, i) => sum + fit[k * area + i] * value / 255, 0));
    const old = shading(light, basis, area);
    plane.forEach((value, i) => { out[start + i] = value * Math.min(Math.max(next[i] / old[i], RATIO[0]), RATIO[1]); });
  }
  return bytes(out);
}

// ---- JPEG: the browser's own encoder and decoder

async function compress(pixels, size, quality) {
  const canvas = canvasOf(pixels, size);
  const blob = await new Promise(done => canvas.toBlob(done, "image/jpeg", quality / 100));
  return planar(await opened(blob), size);
}

// All of them, in the order of the paper's combination; a strength of null leaves an attack out.
async function attacked(pixels, size, { relighting, cropping, blurring, compression, noise: grain }, tensors, seed) {
  if (relighting !== null) pixels = relight(pixels, size, relighting, tensors);
  if (cropping !== null) pixels = crop(pixels, size, cropping / 100);
  if (blurring !== null) pixels = blur(pixels, size, blurring);
  if (compression !== null) pixels = await compress(pixels, size, compression);
  return grain === null ? pixels : noise(pixels, size, grain, seed);
}

// The image, blurred beyond all fine detail where the mask says: what a brush leaves.
function wiped(pixels, size, mask) {
  if (!mask.some(Boolean)) return pixels;
  const smooth = blur(pixels, size, 9);
  return pixels.map((value, i) => (mask[i % (size * size)] ? smooth[i] : value));
}
