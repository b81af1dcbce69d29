// One photo with a box around each digit; a click or a key chooses one: its card, and what it is instead.

import * as api from "./api.js";
import { card, make, numberShown } from "./digits.js";
import { correct, digitsOf, guessOf, linesOf, shownDigit, stateOf } from "./readings.js";

const $ = (id) => document.getElementById(id);

export function startViewer({ collects, changed, following }) {
  const viewer = { entry: null, open, begin, close };
  let digits = [];
  let boxes = [];
  let chosen = -1;
  let address = null;

  function open(entry, { keep = false } = {}) {
    const same = viewer.entry === entry && address;
    const held = boxes.includes(document.activeElement); // the boxes are made anew: the focus goes along
    viewer.entry = entry;
    $("viewer").hidden = false;
    $("name").textContent = entry.name;
    if (!same) showPicture(entry.file);
    digits = entry.page ? digitsOf(entry.page) : [];
    if (entry.page) $("sheet").style.setProperty("aspect-ratio", `${entry.page.width} / ${entry.page.height}`);
    showBoxes();
    showText();
    if (keep && chosen >= 0) choose(chosen, held);
    else if (!same || !keep) unchoose();
  }

  /** Choose the first doubtful digit, or the first of all. */
  function begin() {
    if (digits.length) choose(Math.max(0, digits.indexOf(doubtfulOf(digits)[0])));
  }

  function close() {
    viewer.entry = null;
    digits = boxes = [];
    $("viewer").hidden = true;
    if (address) URL.revokeObjectURL(address);
    address = null;
    $("picture").removeAttribute("src");
    unchoose();
  }

  function showPicture(file) {
    if (address) URL.revokeObjectURL(address);
    address = URL.createObjectURL(file);
    const picture = $("picture");
    picture.hidden = false;
    $("unseen").hidden = true;
    picture.onerror = () => {
      picture.hidden = true;
      $("unseen").hidden = !viewer.entry?.page;
    };
    picture.src = address;
  }

  function showBoxes() {
    const { page } = viewer.entry;
    boxes = digits.map((digit, i) => {
      const box = make("button", { class: "box", "data-state": digit.corrected ? "sure" : stateOf(digit), onclick: () => choose(i) });
      const [x, y, width, height] = digit.box;
      Object.assign(box.style, part(x, y, width, height, page));
      box.setAttribute("aria-label", `Digit ${i + 1}: ${shownDigit(digit)}${stateOf(digit) === "sure" ? "" : ", doubtful"}`);
      box.append(make("span", { class: "tag", "aria-hidden": "true" }, digit.value === null ? `${guessOf(digit)}?` : String(digit.value)));
      return box;
    });
    $("boxes").replaceChildren(...boxes);
    const doubtful = doubtfulOf(digits).length;
    $("doubtful").textContent = digits.length ? (doubtful ? `${doubtful} doubtful` : "none doubtful") : "";
    $("walk").hidden = digits.length === 0;
    $("keys").hidden = digits.length === 0;
  }

  const percentOf = (value, whole) => `${(100 * value) / whole}%`;
  const part = (x, y, width, height, page) => ({
    left: percentOf(x, page.width),
    top: percentOf(y, page.height),
    width: percentOf(width, page.width),
    height: percentOf(height, page.height),
  });

  const doubtfulOf = (all) => all.filter((digit) => stateOf(digit) !== "sure" && !digit.corrected);

  function showText() {
    const { entry } = viewer;
    if (entry.error) $("read").replaceChildren(make("span", { class: "note" }, entry.error));
    else if (!entry.page) $("read").replaceChildren(make("span", { class: "note" }, "Reading …"));
    else if (!entry.page.numbers.length) $("read").replaceChildren(make("span", { class: "note" }, "No digits were found on this picture."));
    else $("read").replaceChildren(...linesOf(entry.page).map((line) => make("span", { class: "line" }, ...line.map(numberShown))));
  }

  function choose(index, focus = true) {
    chosen = index;
    const digit = digits[index];
    boxes.forEach((box, i) => box.setAttribute("aria-pressed", String(i === index)));
    const one = card(digit, viewer.entry.looks?.[index], { onCorrect: (value) => say(index, value), collects });
    one.querySelector("details").open = true;
    $("chosen").replaceChildren(one);
    if (focus) boxes[index].focus();
  }

  function unchoose() {
    chosen = -1;
    $("chosen").replaceChildren();
  }

  /** A person says what a digit is. */
  function say(index, value) {
    const digit = digits[index];
    const look = viewer.entry.looks?.[index];
    const unsure = digit.value !== value || stateOf(digit) !== "sure";
    correct(viewer.entry.page, digit, value);
    if (collects && look?.glyph && unsure) api.keep(look.glyph, value).catch((error) => ($("photo-note").textContent = error.message));
    showBoxes();
    showText();
    choose(index);
    changed(viewer.entry);
  }

  function walk(step) {
    const places = digits.map((digit, i) => [digit, i]).filter(([digit, i]) => i === chosen || (stateOf(digit) !== "sure" && !digit.corrected)).map(([, i]) => i);
    const at = places.indexOf(chosen);
    const to = places[at < 0 ? (step > 0 ? 0 : places.length - 1) : at + step];
    if (to !== undefined) choose(to);
    else if (step > 0 && !following(viewer.entry) && viewer.entry) $("photo-note").textContent = "No doubtful digit is left.";
  }

  $("next").addEventListener("click", () => walk(1));
  $("previous").addEventListener("click", () => walk(-1));
  // on the whole page: whoever drops a photo has the focus nowhere
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("photo").hidden || isTyping(event.target)) return;
    if (event.key === "n") walk(1);
    else if (event.key === "p") walk(-1);
    else if (/^[0-9]$/.test(event.key) && chosen >= 0) say(chosen, Number(event.key));
    else if (event.key === "Enter" && chosen >= 0 && event.target === boxes[chosen]) {
      event.preventDefault();
      say(chosen, guessOf(digits[chosen]));
      walk(1);
    } else if (event.key === "Escape") unchoose();
  });
  return viewer;
}

const isTyping = (element) => element.matches("input:not([type=file]), textarea, select, [contenteditable]");
