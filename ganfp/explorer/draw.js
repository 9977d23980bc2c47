// Arrays as pictures.

function paint(canvas, width, height, colour) {  // colour(i) gives [red, green, blue] of pixel i
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) image.data.set([...colour(i), 255], 4 * i);
  context.putImageData(image, 0, 0);
}

function paintPixels(canvas, pixels, size) {
  const area = size * size;
  paint(canvas, size, size, i => [pixels[i], pixels[area + i], pixels[2 * area + i]]);
}

// Signed values around mid-grey, three standard deviations to black and white; a flat picture stays grey.
function paintSigned(canvas, values, size) {
  const area = size * size, mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const level = value => 128 + 127 * value / (3 * deviation + 1e-9);
  paint(canvas, size, size, i => [level(values[i]), level(values[area + i]), level(values[2 * area + i])]);
}

const BLEND = (from, to, share) => from.map((value, c) => value + (to[c] - value) * share);
const PAPER = [247, 246, 242], WARM = [180, 70, 30], COLD = [30, 80, 130];

// For the source above white, orange; against it, blue.
function paintResponse(canvas, values, size) {
  const top = Math.max(...Array.from(values, Math.abs)) || 1;
  paint(canvas, size, size, i => BLEND(PAPER, values[i] > 0 ? WARM : COLD, Math.sqrt(Math.abs(values[i]) / top)));
}

// Power on a logarithmic scale, over four powers of ten.
function paintSpectrum(canvas, power, size) {
  const top = Math.log10(Math.max(...power) || 1);
  paint(canvas, size, size, i => BLEND([12, 18, 22], [255, 236, 190], Math.max(0, 1 + (Math.log10(power[i] || 1e-99) - top) / 4)));
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
