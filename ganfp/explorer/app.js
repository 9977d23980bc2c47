// The page's state, and what follows from it: state -> pixels -> the worker's answer -> what is shown.

class Explorer {
  constructor(root, data) {
    Object.assign(this, { root, ...data });  // page: the description; tensors
    this.size = this.page.resolution;
    this.worker = new Worker(URL.createObjectURL(new Blob([WORKER_SOURCE], { type: "text/javascript" })));
    this.waiting = new Map();
    this.worker.onmessage = ({ data: { id, error, ...found } }) => {
      const { done, fail } = this.waiting.get(id);
      this.waiting.delete(id);
      error ? fail(new Error(error)) : done(found);
    };
    this.asked = 0;
    this.state = {
      original: null,   // uint8 (3, R, R), what was chosen
      owner: "",        // where it comes from: a class, another drawer, or "" for a file of the reader's
      name: "",
      mask: new Uint8Array(this.size ** 2),
      strengths: { relighting: null, cropping: null, blurring: null, compression: null, noise: null },
      reader: 0,
      target: null,     // the class whose response is shown; null: the one that the network names
      secret: false,    // whether the reader is to guess first
      grain: 1,         // the seed of the noise
    };
  }

  find(selector) { return this.root.querySelector(selector); }

  readable(name) { return this.page.readable[name] ?? name; }

  imageOf(number) {
    const length = 3 * this.size ** 2;
    return this.tensors.images.data.slice(number * length, (number + 1) * length);
  }

  ask(pixels, reader) {
    return new Promise((done, fail) => {
      this.waiting.set(++this.asked, { done, fail });
      this.worker.postMessage({ id: this.asked, pixels, reader });
    });
  }

  complain(error) { this.find(".ex-complaint").textContent = error.message; }

  choose(original, owner, name) {
    this.state.mask.fill(0);
    return this.change({ original, owner, name, target: null });
  }

  // Only the latest state is worked on: a slider that is dragged never waits for where it was.
  change(changes) {
    Object.assign(this.state, changes);
    this.stale = true;
    this.settled ??= this.work().catch(error => this.complain(error)).finally(() => { this.settled = null; });
    return this.settled;
  }

  async work() {
    while (this.stale) {
      this.stale = false;
      const { original, mask, strengths, reader, grain } = this.state;
      const pixels = await attacked(wiped(original, this.size, mask), this.size, strengths, this.tensors, grain);
      const { found, milliseconds } = await this.ask(pixels, reader);
      this.shown = { pixels, milliseconds, ...found };
      show(this, this.shown);
    }
  }
}

// Unpacks the data and makes the controls; resolves to the explorer once the first image is shown.
async function start(root, base64) {
  let data, explorer;
  try {
    data = await unpacked(base64);
    explorer = new Explorer(root, tensorsOf(data));
  } catch (error) {
    root.querySelector(".ex-verdict").textContent = `This browser cannot run the explorer (${error.message}); a newer one can.`;
    throw error;
  }
  explorer.worker.postMessage({ buffer: data });
  controls(explorer);
  growing(explorer);
  guessing(explorer);
  explorer.find(".ex-all").hidden = false;
  root.querySelector(".ex-thumbs input").click();
  await explorer.settled;
  return explorer;
}
