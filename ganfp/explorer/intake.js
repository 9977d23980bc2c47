// A dropped file becomes what `folder:` makes of it (ganfp/worlds/files.py): decoded, its largest centred square, the
// exact mean over the area of each new pixel; never enlarged.

const opened = blob => createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });

function contextOf(width, height) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  return canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
}

function canvasOf(pixels, size) {  // uint8 (3, R, R)
  const context = contextOf(size, size), image = context.createImageData(size, size), area = size * size;
  for (let i = 0; i < area; i++) image.data.set([pixels[i], pixels[area + i], pixels[2 * area + i], 255], 4 * i);
  context.putImageData(image, 0, 0);
  return context.canvas;
}

function planar(bitmap, size) {
  const context = contextOf(size, size), area = size * size, pixels = new Uint8Array(3 * area);
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, size, size);
  for (let i = 0; i < area; i++) for (let c = 0; c < 3; c++) pixels[c * area + i] = data[4 * i + c];
  return pixels;
}

// What a browser would convert without a word, and the library refuses.
function refusal(file, name) {
  const png = file[0] === 0x89 && file[1] === 0x50, jpeg = file[0] === 0xff && file[1] === 0xd8;
  if (png && file[24] > 8) return `${name} has more than 8 bits per channel; save it as 8-bit RGB or greyscale`;
  for (let at = 2; jpeg && at + 9 < file.length && file[at] === 0xff; at += 2 + file[at + 2] * 256 + file[at + 3]) {
    const frame = file[at + 1] >= 0xc0 && file[at + 1] <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(file[at + 1]);
    if (frame && file[at + 9] === 4) return `${name} has colour mode CMYK; save it as 8-bit RGB or greyscale`;
  }
  return "";
}

async function taken(file, resolution) {
  const bytes = new Uint8Array(await file.arrayBuffer()), why = refusal(bytes, file.name);
  if (why) throw new Error(why);
  let bitmap;
  try { bitmap = await opened(file); } catch { throw new Error(`${file.name} is not an image that this browser can read`); }
  const { width, height } = bitmap, side = Math.min(width, height);
  if (side < resolution)
    throw new Error(`${file.name} is ${width} x ${height} px: too small for ${resolution} px; images are never enlarged`);
  const left = Math.floor((width - side) / 2), top = Math.floor((height - side) / 2);
  return { pixels: await areaMean(bitmap, left, top, side, resolution, file.name), width, height };
}

const STRIP = 32;  // rows at a time: a photograph of any size fits into memory, and the page goes on meanwhile

async function areaMean(bitmap, left, top, side, resolution, name) {
  const area = resolution * resolution, totals = new Float64Array(3 * area), context = contextOf(side, STRIP);
  const shares = Array.from({ length: side }, (_, old) => {  // of an old pixel in the new ones, in side-ths
    const found = [];
    for (let now = Math.floor(old * resolution / side); now * side < (old + 1) * resolution; now++)
      found.push([now, Math.min((now + 1) * side, (old + 1) * resolution) - Math.max(now * side, old * resolution)]);
    return found;
  });
  context.globalCompositeOperation = "copy";
  for (let y = 0, strip; y < side; y++) {
    if (y % STRIP === 0) {
      const height = Math.min(STRIP, side - y);
      context.drawImage(bitmap, left, top + y, side, height, 0, 0, side, height);
      strip = context.getImageData(0, 0, side, height).data;
      await new Promise(done => setTimeout(done));
    }
    const data = strip.subarray(4 * side * (y % STRIP)), row = new Float64Array(3 * resolution);
    for (let x = 0; x < side; x++) {
      if (data[4 * x + 3] < 255)
        throw new Error(`${name} has transparent pixels, whose colours a browser does not tell; save it without them`);
      for (const [now, share] of shares[x])
        for (let c = 0; c < 3; c++) row[c * resolution + now] += share * data[4 * x + c];
    }
    for (const [now, share] of shares[y])
      for (let c = 0; c < 3; c++)
        for (let x = 0; x < resolution; x++) totals[c * area + now * resolution + x] += share * row[c * resolution + x];
  }
  return Uint8Array.from(totals, total => Math.floor((2 * total + side ** 2) / (2 * side ** 2)));
}
