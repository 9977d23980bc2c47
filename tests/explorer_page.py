"""The explorer's page as somebody uses it in a browser: by mouse, keyboard and files."""

import numpy as np

KEYS = {"ArrowRight": {"windowsVirtualKeyCode": 39}, " ": {"windowsVirtualKeyCode": 32}}


class Page:
    """An open page, which JavaScript knows as ``e``."""

    def __init__(self, chromium, address, width=1200):
        self.chromium = chromium
        self.events = chromium.open(address, width)
        self.js("explorer.then(e => { window.e = e })")
        self.side = self.js("e.size")

    def js(self, expression):
        return self.chromium.evaluate(expression)

    def settle(self):
        self.js("new Promise(done => setTimeout(done, 20)).then(() => e.settled).then(() => 0)")

    def set(self, name, position):
        self.pull(f"[name=ex-{name}]", position)
        self.settle()

    def pull(self, slider, position):
        self.js(f"{{ const s = e.find({slider!r}); s.value = {position}; s.dispatchEvent(new Event('input')) }}")

    def click(self, selector, nth=0):
        self.js(f"e.root.querySelectorAll({selector!r})[{nth}].click()")
        self.settle()

    def key(self, name, text=""):
        for kind in ("keyDown", "keyUp"):
            self.chromium.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, text=text, **KEYS[name])
        self.settle()

    def give(self, path):
        root = self.chromium.call("DOM.getDocument")["root"]["nodeId"]
        node = self.chromium.call("DOM.querySelector", nodeId=root, selector=".ex-button input")["nodeId"]
        self.chromium.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)
        self.js("new Promise(done => setTimeout(done, 150)).then(() => 0)")
        self.settle()

    def text(self, selector):
        return self.js(f"e.find({selector!r}).textContent")

    def pixels(self, which="shown.pixels"):
        return np.array(self.js(f"[...e.{which}]"), np.uint8).reshape(3, self.side, self.side)

    def answers(self, number, rows):
        """What the reader of a number says of images of the drawer: a dictionary of each."""
        ask = f"Promise.all({list(rows)}.map(i => e.ask(e.imageOf(i), {number})))"
        fields = "p: f.probabilities, v: f.visnet.correlations, r: f.prnu.correlations, s: f.scores, ms: milliseconds"
        return self.js(f"{ask}.then(all => all.map(({{ found: f, milliseconds }}) => ({{ {fields} }})))")
