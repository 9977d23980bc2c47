// The page's data: base64 of gzip of the byte planes of a safetensors file (see export.py).

async function unpacked(base64) {
  const text = atob(base64), packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const file = new Uint8Array(planes.length), quarter = planes.length / 4;
  for (let plane = 0; plane < 4; plane++)
    for (let i = 0; i < quarter; i++) file[4 * i + plane] = planes[plane * quarter + i];
  return file.buffer;
}

// safetensors: the header's length in 8 bytes, a JSON header, the arrays.
function tensorsOf(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true)), start = 8 + length;
  const { __metadata__: metadata, ...entries } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const kinds = { F32: Float32Array, U8: Uint8Array }, tensors = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(entries))
    tensors[name] = { shape, data: new kinds[dtype](buffer.slice(start + from, start + to)) };
  return { page: JSON.parse(metadata.page), tensors };
}
