// What a page says, as people want it: plain functions over the JSON of /v1/read, nothing of the browser.

export const DOUBTFUL = 0.95; // confidence below which a digit is shown as doubtful

export const digitsOf = (page) => page.numbers.flatMap((number) => number.digits);

/** sure, doubtful, or unsure (not vouched for) */
export function stateOf(digit) {
  if (digit.value === null) return "unsure";
  return digit.confidence < DOUBTFUL ? "doubtful" : "sure";
}

export const guessOf = (digit) => digit.value ?? digit.alternatives[0][0];

export const shownDigit = (digit) => (digit.value === null ? "?" : String(digit.value));

/** A number's text from its digits and the marks between them. */
export function textOf(number) {
  const marks = new Map(number.marks.map(([after, mark]) => [after, mark]));
  return (marks.get(0) ?? "") + number.digits.map((digit, i) => shownDigit(digit) + (marks.get(i + 1) ?? "")).join("");
}

export function linesOf(page) {
  const lines = new Map();
  for (const number of page.numbers) lines.set(number.line, [...(lines.get(number.line) ?? []), number]);
  return [...lines.values()];
}

/** The page's text after corrections: a line of numbers a line. */
export const pageText = (page) => linesOf(page).map((line) => line.map((number) => number.text).join(" ")).join("\n");

/** Put a person's word in the place of a digit's reading. */
export function correct(page, digit, value) {
  digit.corrected = true;
  digit.value = value;
  digit.confidence = 1;
  const number = page.numbers.find((n) => n.digits.includes(digit));
  number.text = textOf(number);
  number.confidence = number.digits.reduce((p, d) => (d.value === null ? p : p * d.confidence), 1);
  page.text = pageText(page);
}

export function percent(p) {
  if (p > 0.999 && p < 1) return "> 99.9 %";
  if (p < 0.001) return "< 0.1 %";
  const shown = p * 100;
  return `${shown >= 99.5 && shown < 100 ? shown.toFixed(1) : shown >= 10 ? Math.round(shown) : shown.toFixed(1)} %`;
}

/** What became of one photo: failed, none (no digits), check, sure, or waiting. */
export function fateOf(entry) {
  if (entry.error) return "failed";
  if (!entry.page) return "waiting";
  const states = digitsOf(entry.page).map(stateOf);
  if (states.length === 0) return "none";
  return states.every((state) => state === "sure") ? "sure" : "check";
}

export const FATES = { failed: "failed", none: "no digits", check: "to check", sure: "read", waiting: "waiting" };
const ORDER = ["check", "none", "failed", "sure", "waiting"];

/** Doubtful first; within that as they came. */
export const byDoubt = (a, b) => ORDER.indexOf(fateOf(a)) - ORDER.indexOf(fateOf(b)) || a.order - b.order;
