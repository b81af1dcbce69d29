// The server: requests go out, answers or sentences for people come back; it is noticed when the server is gone, and when it is back.

const PATIENCE = 20; // how often a busy server is asked again

/** Something that a person is told. */
export class Told extends Error {
  constructor(sentence, code) {
    super(sentence);
    this.code = code;
  }
}

const SENTENCES = {
  damaged: "This picture is damaged: it cannot be opened.",
  too_large: "This file is too large to be sent.",
  too_many_pixels: "This picture has too many pixels. A smaller one, or a part of it, will do.",
  too_many_marks: "There is too much on this picture: it does not look like a page of numbers.",
  timeout: "This picture took too long to read. A smaller one will do.",
  busy: "The server is busy. Try again in a moment.",
  refused: "The server refused this request.",
};

const listeners = new Set();
let isGone = false;

/** Call `listener(gone)` whenever the server goes or comes back. */
export const onGone = (listener) => listeners.add(listener);

function setGone(gone) {
  if (gone === isGone) return;
  isGone = gone;
  for (const listener of listeners) listener(gone);
  if (gone) knock();
}

async function knock() {
  while (isGone) {
    await sleep(1500);
    try {
      if ((await fetch("livez", { cache: "no-store" })).ok) setGone(false);
    } catch {
      // still gone
    }
  }
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function ask(path, options = {}) {
  for (let tries = 0; ; tries++) {
    let answer;
    try {
      answer = await fetch(path, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      setGone(true);
      throw new Told("The server does not answer.", "gone");
    }
    setGone(false);
    if (answer.ok) return answer;
    const { error } = await answer.json().catch(() => ({ error: { code: "internal", detail: answer.statusText } }));
    if (error.code === "busy" && tries < (options.patience ?? PATIENCE)) {
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

export const model = async () => (await ask("v1/model")).json();

/** The page, and for each digit its glyph and what spoke for it; with crops, each number cut out of the picture. */
export const look = async (blob, { signal, rotate = "auto", crops = false } = {}) =>
  (await ask(`v1/look?rotate=${rotate}&crops=${crops}`, { ...picture(blob), signal })).json();

/** The page, and each number cut out of the picture: {page, crops}. */
export async function read(blob) {
  const { crops, ...page } = await (await ask("v1/read?crops=true", picture(blob))).json();
  return { page, crops };
}

const json = (value) => ({ method: "POST", body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });

/** All pages as a table: a Blob. */
export const table = async (pages, format) => (await ask(`v1/table?format=${format}`, json({ pages }))).blob();

export const keep = (glyph, label) => ask("v1/corrections", json({ glyph, label }));
