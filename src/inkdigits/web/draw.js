// The sheet to draw on: strokes come from mouse, finger or pen; at every pause the whole sheet is read.

import * as api from "./api.js";
import { card } from "./digits.js";
import { correct, digitsOf, pageText } from "./readings.js";

const LARGEST = 800; // longest side of the picture that is sent, in pixels
const TALL = 90; // height of the tallest stroke in it: four times what the network sees, and quick to read
const MARGIN = 24; // white around the ink, in pixels of the sheet
const $ = (id) => document.getElementById(id);

export function startDrawing({ collects, copy }) {
  const canvas = $("canvas");
  const context = canvas.getContext("2d");
  let strokes = []; // each {width, points: [[x, y], …]}, in CSS pixels
  let current = null;
  let page = null;
  let asking = null;
  let again = false;
  let origin = null; // how the sent picture lies on the sheet
  let corrections = []; // what a person said: each {made, value}, where `made` are the strokes of the digit
  const say = (sentence) => ($("draw-note").textContent = sentence);

  function fit() {
    const { width, height } = canvas.getBoundingClientRect();
    if (!width) return; // hidden
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    repaint();
  }

  function repaint() {
    context.clearRect(0, 0, canvas.width, canvas.height);
    const ink = getComputedStyle(canvas).color;
    for (const stroke of strokes) trace(context, stroke, ink);
  }

  function place(event) {
    const { left, top } = canvas.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (current || (event.pointerType === "mouse" && event.button !== 0)) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    current = { id: event.pointerId, width: Number($("pen").value), points: [place(event)] };
    strokes.push(current);
    repaint();
    settle();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (current?.id !== event.pointerId) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) current.points.push(place(one));
    repaint();
  });
  const lift = (event) => {
    if (current?.id !== event.pointerId) return;
    current = null;
    performance.mark("pause");
    readSheet();
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("touchmove", (event) => event.preventDefault(), { passive: false }); // no scrolling under the finger

  /** What can be pressed, and whether the hint is in the way. */
  function settle() {
    const empty = strokes.length === 0;
    $("hint").hidden = !empty;
    $("undo").disabled = $("clear").disabled = empty;
    $("draw-copy").disabled = !page?.text;
  }

  $("undo").addEventListener("click", () => {
    strokes.pop();
    changed();
  });
  $("clear").addEventListener("click", () => {
    strokes = [];
    changed();
  });
  $("draw-copy").addEventListener("click", () => copy(page.text, $("draw-note")));
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && !$("draw").hidden && strokes.length) $("undo").click();
  });

  function changed() {
    repaint();
    settle();
    readSheet();
  }

  async function readSheet() {
    if (strokes.length === 0) {
      asking?.abort();
      show(null);
      return;
    }
    if (asking) {
      again = true; // one question at a time; the newest sheet is asked about when it is answered
      return;
    }
    asking = new AbortController();
    try {
      const sent = exported(strokes);
      const answer = await api.look(sent.blob, { rotate: "0", signal: asking.signal, onBusy: () => strokes.length && say(api.WAITING) });
      if (strokes.length) {
        origin = sent;
        correctAgain(answer.page);
        show(answer);
      }
    } catch (error) {
      if (error.name !== "AbortError") say(error.code === "gone" ? "" : error.message);
    } finally {
      asking = null;
    }
    if (again) {
      again = false;
      readSheet();
    }
  }

  function show(answer) {
    page = answer?.page ?? null;
    $("mark").hidden = true;
    $("drawn").textContent = page ? page.text || "–" : "";
    $("drawn").classList.toggle("several", Boolean(page && page.text.length > 6));
    const cards = page ? digitsOf(page).map((digit, i) => cardOf(digit, answer.digits[i], answer)) : [];
    $("drawn-digits").replaceChildren(...cards);
    say(page && !page.text ? "No digit is to be seen here." : "");
    settle();
    performance.mark("shown");
  }

  function cardOf(digit, look, answer) {
    const onCorrect = (value) => {
      const made = strokesOf(digit);
      corrections = [...corrections.filter((one) => !isSame(one.made, made)), { made, value }];
      correct(page, digit, value);
      if (collects && look.glyph) api.keep(look.glyph, value).catch((error) => say(error.message));
      show(answer);
    };
    const one = card(digit, look, { onCorrect, collects });
    for (const enter of ["mouseenter", "focusin"]) one.addEventListener(enter, () => point(digit));
    for (const leave of ["mouseleave", "focusout"]) one.addEventListener(leave, () => ($("mark").hidden = true));
    return one;
  }

  /** A digit's box on the sheet, a little wider. */
  function onSheet(digit) {
    const [x, y, width, height] = digit.box.map((value) => value / origin.scale);
    return [x + origin.x - 6, y + origin.y - 6, width + 12, height + 12];
  }

  /** Frame a digit on the sheet. */
  function point(digit) {
    const [left, top, width, height] = onSheet(digit).map((value) => `${value}px`);
    Object.assign($("mark").style, { left, top, width, height });
    $("mark").hidden = false;
  }

  /** The strokes that a digit is made of: those that lie in its box for the most part. */
  function strokesOf(digit) {
    const [left, top, width, height] = onSheet(digit);
    const isInside = ([x, y]) => x > left && x < left + width && y > top && y < top + height;
    return origin.strokes.filter(({ points }) => points.filter(isInside).length > points.length / 2);
  }

  /** What a person said of a digit holds as long as its strokes are the same, whatever is drawn beside it. */
  function correctAgain(page) {
    for (const digit of digitsOf(page)) {
      const made = strokesOf(digit);
      const said = made.length && corrections.find((one) => isSame(one.made, made));
      if (said) correct(page, digit, said.value);
    }
  }

  new ResizeObserver(fit).observe(canvas);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  api.onGone((gone) => {
    if (gone) asking?.abort(); // it may hang for long
    else readSheet();
  });
  fit();
}

const isSame = (some, others) => some.length === others.length && some.every((one) => others.includes(one));

function trace(context, { width, points }, colour) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  const [x, y] = points[0];
  if (points.length < 3) {
    context.moveTo(x, y);
    context.lineTo(...points[points.length - 1].map((v) => v + 0.01));
  } else {
    context.moveTo(x, y);
    for (let i = 1; i < points.length - 1; i++) {
      const [ax, ay] = points[i];
      const [bx, by] = points[i + 1];
      context.quadraticCurveTo(ax, ay, (ax + bx) / 2, (ay + by) / 2);
    }
    context.lineTo(...points[points.length - 1]);
  }
  context.stroke();
}

/** The part of the sheet that has ink, black on white, no larger than need be; and where it lies on the sheet. */
function exported(strokes) {
  const xs = strokes.flatMap((s) => s.points.map(([x]) => x));
  const ys = strokes.flatMap((s) => s.points.map(([, y]) => y));
  const room = MARGIN + Math.max(...strokes.map((s) => s.width));
  const x = Math.min(...xs) - room;
  const y = Math.min(...ys) - room;
  const width = Math.max(...xs) + room - x;
  const height = Math.max(...ys) + room - y;
  const tallest = Math.max(...strokes.map(({ points }) => Math.max(...points.map(([, y]) => y)) - Math.min(...points.map(([, y]) => y))));
  const scale = Math.min(1, LARGEST / Math.max(width, height), TALL / Math.max(tallest, 1));
  const picture = document.createElement("canvas");
  picture.width = Math.ceil(width * scale);
  picture.height = Math.ceil(height * scale);
  const context = picture.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, picture.width, picture.height);
  context.setTransform(scale, 0, 0, scale, -x * scale, -y * scale);
  for (const stroke of strokes) trace(context, stroke, "#000");
  // not toBlob: Chromium encodes when it has nothing else to do, or after a second
  const png = atob(picture.toDataURL("image/png").split(",")[1]);
  const blob = new Blob([Uint8Array.from(png, (character) => character.charCodeAt(0))], { type: "image/png" });
  return { blob, x, y, scale, strokes: [...strokes] };
}
