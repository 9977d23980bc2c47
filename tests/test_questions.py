"""Twenty questions of a first-time reader: what is typed into the search leads to the answer with one click."""

import re
from urllib.parse import quote

import pytest

QUESTIONS = {  # what is asked: what is typed, where the answer stands, and words of it
    "where is Figure 31?": ("Figure 31", "notebooks/sC_bedrooms.html#fig-31", r"Figure 31"),
    "what does 0.74 in Table 7 rest on?": ("Table 7", "notebooks/s4_4_immunizability.html#tab-7", r"code:"),
    "which claim was refuted?": ("refuted", "book/conclusion.html", r"[Cc]ontent hardly tells"),
    "what is a fade-in?": ("fade-in", "book/glossary.html#term-fade-in", r"mixed in step by step"),
    "what is Equation 4?": ("Equation 4", "notebooks/s3_3_fingerprint_network.html#equation-eq-4", r"\(4\)"),
    "what does JPEG do in Table 8?": ("Table 8", "notebooks/s4_4_immunizability.html#tab-8", r"[Cc]ompression"),
    "who made the generators, and how long?": ("generators", "book/reading.html", r"NVIDIA H200.* minutes"),
    "how do I rerun it with another seed?": ("another seed", "book/rerun.html", r"ganfp notebook s4_2 -p seed 3"),
    "how do I bring my own images?": ("own images", "book/rerun.html", r"-p dataset folder:"),
    "what can a court not conclude?": ("court", "book/conclusion.html", r"not the probability that this image"),
    "where does the conclusion end?": ("limitations", "book/conclusion.html", r"sources are a closed set"),
    "is a diffusion model recognised?": ("diffusion model", "notebooks/x10_diffusion.html", r"diffusion"),
    "what is an EER?": ("EER", "book/glossary.html#term-EER", r"[Ee]qual error rate"),
    "what is TPR at 1 %?": ("TPR", "book/glossary.html#term-TPR", r"1 % of the false pairs"),
    "where is the code of Table 5?": ("Table 5", "notebooks/s4_3_persistence.html#tab-5", r"code:"),
    "how do I cite it?": ("cite", "book/index.html", r"@inproceedings"),
    "may I use it?": ("license", "book/index.html", r"Licence: MIT"),
    "what happens to a source that nobody knows?": ("unknown source", "notebooks/x5_open_world.html", r"threshold"),
    "how many images does a fingerprint need?": ("how many images", "notebooks/lab1_prnu.html", r"How many images"),
    "is there a plan for a lesson?": ("lesson plan", "book/teach.html", r"0-10"),
}
FOUND = """
new Promise(done => {
    const links = () => [...document.querySelectorAll('#search-results ul.search li a')].map(link => link.href);
    const ended = () => /finished|found|did not match/i.test(document.querySelector('#search-results').innerText);
    const look = () => ended() ? done(links().slice(0, 3)) : setTimeout(look, 20);
    look();
})
"""


@pytest.mark.parametrize("asked", QUESTIONS)
def test_two_clicks_answer_a_question(asked, html, chromium):
    typed, there, answer = QUESTIONS[asked]
    chromium.open(f"{(html / 'search.html').as_uri()}?q={quote(typed)}", 1280)
    places = [re.sub(r"\?highlight=[^#]*", "", link) for link in chromium.evaluate(FOUND)]
    page, _, label = there.partition("#")
    assert [p for p in places if p.startswith((html / page).as_uri()) and p.endswith(label)], places
    text = (html / page).read_text("utf-8")
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text[text.index(f'id="{label}"') if label else 0 :]))
    assert re.search(answer, shown)
