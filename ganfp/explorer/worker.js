// The worker: first the data, then one answer for each request.
let answer;
onmessage = ({ data }) => {
  if (data.buffer) { answer = engine(tensorsOf(data.buffer)); return; }
  const start = performance.now();
  try {
    postMessage({ id: data.id, found: answer(data.pixels, data.reader), milliseconds: performance.now() - start });
  } catch (error) {
    postMessage({ id: data.id, error: String(error) });
  }
};
