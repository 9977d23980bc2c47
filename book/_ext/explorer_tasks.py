"""``{explorer-tasks}``: three things to try on the explorer, and, folded, what the run that the pages show answers."""

import numpy as np
from explorer import ATTACKS, BANDS, IMMUNISED, PATCHES, STRANGER, WHOLE, exhibit, run_shown
from sphinx.util.docutils import SphinxDirective

from ganfp.attacks import attack
from ganfp.paper.table import readable

QUALITIES = range(100, 4, -1)  # of the slider, as it is pulled

TASKS = """\
1. **Wash it off.** Choose {name}. Pull *JPEG* slowly to the right. At which quality does the network first name another
   source, and which? Leave the slider there and press *immunised to JPEG*, then *all of them*.
2. **Where is it?** Choose {name} again, without an attack. Which of the networks that see a part of the image still
   know its maker? Then take the brush: wipe the middle, *Undo*, and wipe everything but the middle.
3. **A stranger.** Choose *a stranger*, an image that none of the sources made. Who is said to have made it, and how
   sure is the network? What could it have answered instead?

```{{admonition}} What this run answers
:class: dropdown

1. {washed}
2. {known}
3. {given}
```
"""


class ExplorerTasks(SphinxDirective):
    def run(self):
        run = run_shown(self.env.srcdir)
        return [] if run is None else self.parse_text_to_nodes(tasks(exhibit(run)))


def tasks(shown):
    """The tasks as Markdown; about an image of the second GAN that, if there is one, a defence wins back."""
    first, owners = shown.readers[0].attributor, np.array(shown.owners)
    gans = [name for name in first.classes_ if name != "real"]
    owner = gans[1 % len(gans)]
    places = np.flatnonzero(owners == owner)
    turns = [turn(first, shown.images[i], owner) for i in places]
    immune = network(shown, "compression")
    kept = [bool(q) and said(immune, shown.images[i], q) == owner for i, q in zip(places, turns, strict=True)]
    best = max(range(len(places)), key=lambda i: (kept[i], -turns[i]))
    image, quality = shown.images[places[best]], turns[best]
    lost, still = np.count_nonzero(turns), sum(kept)
    counts = f"JPEG makes {lost} images of this source another's; of these the latter knows {still}."
    return TASKS.format(
        name=f"**{shown.names[places[best]]}**",
        washed=f"{washed(shown, image, quality)} {counts}" if quality else "At no quality on the slider.",
        known=f"{known_by(shown, image, owner)} {regions(first, image, owner)}",
        given=given(first, shown.images[owners == STRANGER]),
    )


def network(shown, attack=""):
    """The network that sees the whole image, as trained or immunised to an attack."""
    wanted = (IMMUNISED, ATTACKS.get(attack, attack)) if attack else (WHOLE, "as trained")
    return next(r.attributor for r in shown.readers if (r.group, r.label) == wanted)


def compressed(image, *qualities):
    return np.concatenate([attack("compression", image[None], 0, low=quality, high=quality) for quality in qualities])


def said(attributor, image, quality):
    return attributor.predict(compressed(image, quality))[0]


def turn(attributor, image, owner):
    """The first quality at which an image, (3, R, R), is given to another; 0 for none, or if it is so without JPEG."""
    wrong = attributor.predict(compressed(image, *QUALITIES)) != owner
    right = attributor.predict(image[None])[0] == owner
    return QUALITIES[int(wrong.argmax())] if right and wrong.any() else 0


def washed(shown, image, quality):
    """What the plain network says where it first errs, and the immunised ones there."""
    plain, all_of_them, jpeg = (
        readable(said(network(shown, attack), image, quality)) for attack in ("", "combination", "compression")
    )
    return (
        f"At quality {quality} it says {plain}; that is with the encoder that Python uses, and a browser's may differ"
        f" by some steps. There the network that is immunised to all attacks says {all_of_them}, and the one that is"
        f" immunised to JPEG {jpeg}."
    )


def known_by(shown, image, owner):
    """Which networks that see a part of the image name the owner, and with which probability."""
    lines = []
    for reader in (r for r in shown.readers if r.group in {*BANDS.values(), PATCHES}):
        found = reader.attributor.attribute(image[None])
        share = 100 * found.probabilities[0, reader.attributor.columns([owner])[0]]
        knows = "knows it" if found.labels[0] == owner else "does not"
        lines.append(f"{reader.group.lower()} {reader.label}, {knows} ({share:.0f} %)")
    return f"The network that sees {'; '.join(lines)}."


def regions(attributor, image, owner):
    """The owner's probability with the middle wiped, as the page's brush wipes, and with all the rest."""
    size = image.shape[-1]
    smooth, middle = attack("blur", image[None], 0, sides=(9,))[0], np.zeros((size, size), bool)
    middle[size // 4 : -(size // 4), size // 4 : -(size // 4)] = True
    both = np.stack([np.where(middle, smooth, image), np.where(middle, image, smooth)])
    face, rest = 100 * attributor.predict_proba(both)[:, attributor.columns([owner])[0]]
    return (
        f"With the middle {size // 2} × {size // 2} px wiped, the network that sees all gives the maker {face:.0f} %;"
        f" with everything but these, {rest:.0f} %."
    )


def given(attributor, strangers):
    """Whom the strangers are given to."""
    found = attributor.attribute(strangers)
    counts = [f"{(found.labels == c).sum()} to {readable(c)}" for c in found.classes if (found.labels == c).any()]
    sure = 100 * found.probabilities.max(axis=1)
    how = f"with {sure.min():.0f} to {sure.max():.0f} %"
    return (
        f"Of {len(strangers)} strangers the network gives {', '.join(counts)}, {how}. It has no other answer: it was"
        " trained to name one of the sources, and a probability says how these compare with each other, not whether it"
        " is any of them."
    )


def setup(app):
    app.add_directive("explorer-tasks", ExplorerTasks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
