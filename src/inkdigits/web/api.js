// The server: requests go out, answers or sentences for people come back; it is noticed when the server is gone, and when it is back.

const PATIENCE = 20; // how often a busy server is asked again
const LATE = 30_000; // milliseconds; the server has answered long before, or it is gone
const KNOCK_LATE = 5_000; // the same for a knock, which is answered at once
const QUIET = 5_000; // after so long without an answer the server is knocked at

/** Something that a person is told. */
export class Told extends Error {
  constructor(sentence, code) {
    super(sentence);
    this.code = code;
  }
}

export const WAITING = "The server is busy; this waits for its turn …";

const SENTENCES = {
  damaged: "This picture is damaged: it cannot be opened.",
  too_large: "This file is too large to be sent.",
  too_many_pixels: "This picture has too many pixels. A smaller one, or a part of it, will do.",
  too_many_pages: "This file has several pages. Each can be read as a picture of its own.",
  too_many_marks: "There is too much on this picture: it does not look like a page of numbers.",
  timeout: "This picture took too long to read. A smaller one will do.",
  busy: "The server is busy. Try again in a moment.",
  refused: "The server refused this request.",
};

const listeners = new Set();
let isGone = false;
let heard = Date.now();

/** Call `listener(gone)` whenever the server goes or comes back. */
export const onGone = (listener) => listeners.add(listener);

function setGone(gone) {
  if (!gone) heard = Date.now();
  if (gone === isGone) return;
  isGone = gone;
  for (const listener of listeners) listener(gone);
}

/** Notice when the server is gone, at a page too that nothing is done at, and when it is back. */
export async function watch() {
  for (;;) {
    await sleep(1500);
    if (!isGone && (document.hidden || Date.now() - heard < QUIET)) continue;
    try {
      if ((await fetch("livez", { cache: "no-store", signal: within(KNOCK_LATE) })).ok) setGone(false);
    } catch {
      setGone(true);
    }
  }
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** A signal that says stop after some time, or when another says so. */
function within(ms, other) {
  const end = new AbortController(); // AbortSignal.any would do it too, which phones of 2023 do not have
  setTimeout(() => end.abort(), ms);
  other?.addEventListener("abort", () => end.abort());
  return end.signal;
}

const asJson = (answer) => answer.json();

/** What `take` makes of the answer; `onBusy` is called whenever a busy server has to be asked again. */
async function ask(path, { signal, onBusy, ...options } = {}, take = asJson) {
  for (let tries = 0; ; tries++) {
    signal?.throwIfAborted();
    let answer, told;
    try {
      answer = await fetch(path, { ...options, signal: within(LATE, signal) });
      if (answer.ok) told = await take(answer);
    } catch (error) {
      if (signal?.aborted) throw error;
      setGone(true);
      throw new Told("The server does not answer.", "gone");
    }
    setGone(false);
    if (answer.ok) return told;
    const { error } = await answer.json().catch(() => ({ error: { code: "internal", detail: answer.statusText } }));
    if (error.code === "busy" && tries < PATIENCE) {
      onBusy?.();
      await sleep(1000 * Number(answer.headers.get("Retry-After") ?? 1) * (0.5 + Math.random()));
      continue;
    }
    throw new Told(sentence(error), error.code);
  }
}

function sentence({ code, detail }) {
  if (code === "unsupported") return `This cannot be read here: ${detail}.`;
  const first = SENTENCES[code];
  return first ? `${first} (${detail})` : detail;
}

const picture = (blob) => ({ method: "POST", body: blob, headers: { "Content-Type": blob.type.startsWith("image/") ? blob.type : "image/unknown" } });

export const model = () => ask("v1/model");

/** The page, and for each digit its glyph and what spoke for it; with crops, each number cut out of the picture. */
export const look = (blob, { signal, onBusy, rotate = "auto", crops = false } = {}) =>
  ask(`v1/look?rotate=${rotate}&crops=${crops}`, { ...picture(blob), signal, onBusy });

/** The page, and each number cut out of the picture: {page, crops}. */
export async function read(blob, { onBusy } = {}) {
  const { crops, ...page } = await ask("v1/read?crops=true", { ...picture(blob), onBusy });
  return { page, crops };
}

const json = (value) => ({ method: "POST", body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });

/** All pages as a table: a Blob. */
export const table = (pages, format) => ask(`v1/table?format=${format}`, json({ pages }), (answer) => answer.blob());

let kept = Promise.resolve();

/** Have a correction kept; one after the other, since the last word on a digit is the one that counts. */
export function keep(glyph, label) {
  const now = kept.then(() => ask("v1/corrections", json({ glyph, label })));
  kept = now.catch(() => {});
  return now;
}
