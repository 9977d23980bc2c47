// The layers of the networks (ganfp/attributors/network.py, autoencoder.py, pyramid.py).
// A map is {channels, size, data}: square, channel by channel, row by row.

const mirrored = (i, size) => (i < 0 ? -i : i >= size ? 2 * size - 2 - i : i);  // about the outermost pixel

function padded(plane, size, pad) {
  const wide = size + 2 * pad, out = new Float64Array(wide * wide);
  for (let y = 0; y < wide; y++) {
    const row = mirrored(y - pad, size) * size;
    for (let x = 0; x < wide; x++) out[y * wide + x] = plane[row + mirrored(x - pad, size)];
  }
  return out;
}

const planeOf = (map, channel) => map.data.subarray(channel * map.size ** 2, (channel + 1) * map.size ** 2);

function convolve(map, { weight, bias, slope }) {  // 3 x 3, mirrored borders, then LeakyReLU
  const { channels, size } = map, out = weight.shape[0], wide = size + 2, area = size * size;
  const inputs = Array.from({ length: channels }, (_, c) => padded(planeOf(map, c), size, 1));
  const result = new Float32Array(out * area), sum = new Float64Array(area), w = weight.data;
  for (let o = 0; o < out; o++) {
    sum.fill(bias.data[o]);
    for (let c = 0; c < channels; c++) {
      const p = inputs[c], k = (o * channels + c) * 9;
      const a = w[k], b = w[k + 1], d = w[k + 2], e = w[k + 3], f = w[k + 4], g = w[k + 5];
      const h = w[k + 6], i = w[k + 7], j = w[k + 8];
      for (let y = 0; y < size; y++) {
        let r = y * wide, s = r + wide, t = s + wide, at = y * size;
        for (const end = at + size; at < end; at++, r++, s++, t++)
          sum[at] += a * p[r] + b * p[r + 1] + d * p[r + 2] + e * p[s] + f * p[s + 1] + g * p[s + 2]
            + h * p[t] + i * p[t + 1] + j * p[t + 2];
      }
    }
    for (let at = 0; at < area; at++) result[o * area + at] = sum[at] < 0 ? slope * sum[at] : sum[at];
  }
  return { channels: out, size, data: result };
}

function dense(map, { weight, bias, slope }) {
  const [rows, columns] = weight.shape, data = new Float32Array(rows);
  for (let o = 0; o < rows; o++) {
    let sum = bias.data[o];
    for (let i = 0; i < columns; i++) sum += weight.data[o * columns + i] * map.data[i];
    data[o] = sum < 0 ? slope * sum : sum;
  }
  return { channels: rows, size: 1, data };
}

// A value for each channel and place: value(plane, x, y, plane's size).
function mapped(map, size, value) {
  const data = new Float32Array(map.channels * size * size);
  for (let c = 0, at = 0; c < map.channels; c++) {
    const plane = planeOf(map, c);
    for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) data[at++] = value(plane, x, y, map.size);
  }
  return { channels: map.channels, size, data };
}

function halve(map) {
  return mapped(map, map.size / 2, (p, x, y, n) => {
    const at = 2 * y * n + 2 * x;
    return (p[at] + p[at + 1] + p[at + n] + p[at + n + 1]) / 4;
  });
}

const double = map => mapped(map, 2 * map.size, (p, x, y, n) => p[(y >> 1) * n + (x >> 1)]);
const average = map => mapped({ ...map }, 1, p => p.reduce((a, b) => a + b, 0) / p.length);

const BINOMIAL = [1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16], SMALL_BINOMIAL = [1 / 4, 2 / 4, 1 / 4];

function smoothed(map, row, stride = 1, gain = 1) {
  const pad = row.length >> 1, wide = map.size + 2 * pad, size = Math.ceil(map.size / stride);
  const planes = new Map();
  return mapped(map, size, (plane, x, y) => {
    if (!planes.has(plane)) planes.set(plane, padded(plane, map.size, pad));
    const p = planes.get(plane);
    let sum = 0;
    for (let i = 0; i < row.length; i++)
      for (let j = 0; j < row.length; j++) sum += row[i] * row[j] * p[(stride * y + i) * wide + stride * x + j];
    return gain * sum;
  });
}

const down = map => smoothed(map, BINOMIAL, 2);
const up = map => smoothed(mapped(map, 2 * map.size, (p, x, y, n) => (x % 2 || y % 2 ? 0 : p[(y * n + x) / 2])), BINOMIAL, 1, 4);
const less = (a, b, factor = 1) => ({ ...a, data: a.data.map((value, i) => value - factor * b.data[i]) });
const high = map => less(map, up(down(map)));

function boost(map, { gain }) {
  const low = smoothed(map, SMALL_BINOMIAL);
  return { ...map, data: map.data.map((value, i) => low.data[i] + gain * (value - low.data[i])) };
}

const tanh = map => ({ ...map, data: map.data.map(Math.tanh) });
const LAYERS = { convolve, dense, halve, double, average, down, high, boost, tanh };
const FRONT = new Set(["down", "high", "boost"]);

// What the last layer gives, and what the layers after the front end see.
function run(layers, tensors, map) {
  let seen = map;
  for (const { kind, weight, ...options } of layers) {
    if (weight) Object.assign(options, { weight: tensors[weight], bias: tensors[weight + ".bias"] });
    map = LAYERS[kind](map, options);
    if (FRONT.has(kind)) seen = map;
  }
  return { map, seen };
}
