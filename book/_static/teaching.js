/* Meanings of terms stay within the window and whatever else cuts them off, and Escape puts them away (WCAG 1.4.13). */
for (const term of document.querySelectorAll(".glossed")) {
  const meaning = term.querySelector("[role=tooltip]");
  const place = () => {
    meaning.style.marginLeft = "";
    let right = document.documentElement.clientWidth;
    for (let box = term.parentElement; box; box = box.parentElement) {
      if (getComputedStyle(box).overflowX !== "visible") right = Math.min(right, box.getBoundingClientRect().right);
    }
    const over = meaning.getBoundingClientRect().right - (right - 8);
    if (over > 0) meaning.style.marginLeft = `${-over}px`;
  };
  for (const event of ["mouseenter", "focusin"]) term.addEventListener(event, place);
  for (const event of ["mouseleave", "focusout"]) term.addEventListener(event, () => term.classList.remove("dismissed"));
}
addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelectorAll(".glossed:is(:hover, :focus-within)").forEach((term) => term.classList.add("dismissed"));
});
