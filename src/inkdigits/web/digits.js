// One digit as a card: the glyph that the network saw, its ten probabilities, the runner-up, why, and what it is instead; a number as text.

import { guessOf, percent, shownDigit, stateOf } from "./readings.js";

/** Make an element: `make("p", { class: "note" }, "text", child…)`. Text is always text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A number's text; each of its digits as it stands, doubtful ones told apart. */
export function numberShown(number) {
  const whole = make("span", { class: "number" });
  let place = 0;
  for (const character of number.text) {
    const digit = /[0-9?]/.test(character) ? number.digits[place] : null;
    if (digit && shownDigit(digit) === character) {
      whole.append(make("span", { "data-state": digit.corrected ? "sure" : stateOf(digit) }, character));
      place++;
    } else whole.append(character);
  }
  return whole;
}

/** The card of a digit; `look` is its glyph and map, either may be missing; `onCorrect(value)` is called when a person says what it is. */
export function card(digit, look, { onCorrect = null, collects = false } = {}) {
  const state = stateOf(digit);
  const shown = shownDigit(digit);
  const said = digit.corrected ? "as you say" : digit.value === null ? `${guessOf(digit)}? ${percent(digit.confidence)}` : percent(digit.confidence);
  const whole = make("article", { class: "card", "data-state": digit.corrected ? "sure" : state, "aria-label": `Digit ${shown}, ${said}` });
  whole.append(make("header", {}, make("span", { class: "value" }, shown), make("span", { class: "sureness" }, said)));
  const body = make("div", { class: "card-body" });
  if (look?.glyph) body.append(pictured(look));
  body.append(bars(digit));
  whole.append(body, make("p", { class: "next" }, nextBest(digit)));
  if (onCorrect) whole.append(corrections(digit, onCorrect, collects));
  return whole;
}

function nextBest(digit) {
  const [value, probability] = digit.alternatives[1];
  return `Next best: ${value}, ${percent(probability)}`;
}

function pictured(look) {
  const canvas = make("canvas", { class: "glyph", width: 28, height: 28, role: "img", "aria-label": "What the network saw, 28 by 28 pixels" });
  paint(canvas, look, false);
  const figure = make("div", { class: "pictured" }, canvas);
  if (look.why) {
    const why = make("button", { class: "why", "aria-pressed": "false", title: "Shows which places spoke for this digit" }, "Why?");
    why.addEventListener("click", () => {
      const on = why.getAttribute("aria-pressed") !== "true";
      why.setAttribute("aria-pressed", String(on));
      canvas.setAttribute("aria-label", on ? "What spoke for this digit: bright places count most" : "What the network saw, 28 by 28 pixels");
      paint(canvas, look, on);
    });
    figure.append(why);
  }
  return figure;
}

/** Paint a glyph, under the map of what spoke for it if asked: from dark blue over red to yellow. */
function paint(canvas, look, why) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(28, 28);
  for (let i = 0; i < 784; i++) {
    const ink = look.glyph[Math.floor(i / 28)][i % 28];
    const heat = why ? look.why[Math.floor(i / 28)][i % 28] / 255 : 0;
    const colour = why ? hot(heat) : [0, 0, 0];
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = why ? 0.75 * colour[c] + 0.5 * ink : ink;
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

const hot = (h) => [255 * Math.min(1, 1.6 * h), 255 * Math.max(0, 1.5 * h - 0.55), 90 * Math.max(0, 1 - Math.abs(3.2 * h - 1))];

function bars(digit) {
  const probabilities = new Map(digit.alternatives);
  const told = digit.alternatives.slice(0, 3).map(([value, p]) => `${value}: ${percent(p)}`);
  const list = make("div", { class: "bars", role: "img", "aria-label": `Probabilities: ${told.join(", ")}` });
  const best = digit.alternatives[0][0];
  for (let value = 0; value < 10; value++) {
    const bar = make("span", { class: "bar", title: `${value}: ${percent(probabilities.get(value))}` });
    bar.style.setProperty("--p", probabilities.get(value).toFixed(4));
    list.append(make("span", { class: value === best ? "column best" : "column", "aria-hidden": "true" }, bar, make("span", { class: "label" }, String(value))));
  }
  return list;
}

function corrections(digit, onCorrect, collects) {
  const buttons = Array.from({ length: 10 }, (_, value) =>
    make("button", { class: "digit", "aria-label": `It is ${value}`, "aria-pressed": String(digit.value === value), onclick: () => onCorrect(value) }, String(value)),
  );
  const said = collects ? "It is (kept, to learn from)" : "It is";
  return make("details", { class: "correct" }, make("summary", {}, "Correct"), make("div", { class: "ten", role: "group", "aria-label": said }, ...buttons));
}
