// Photos: one is shown with its digits; of many, a table, doubtful first. What fails is a row, and stops nothing.

import * as api from "./api.js";
import { make, numberShown } from "./digits.js";
import { takeFiles } from "./files.js";
import { FATES, byDoubt, digitsOf, fateOf, linesOf, stateOf } from "./readings.js";
import { startViewer } from "./viewer.js";

const AT_ONCE = 2; // photos under way: as many as the server reads at a time
const $ = (id) => document.getElementById(id);

export function startPhotos({ collects, limits, copy, show }) {
  let entries = []; // each {file, name, order, page, looks, error, row}
  let waiting = [];
  let busy = 0;
  const viewer = startViewer({ collects, changed: refresh, following });

  takeFiles({ drop: $("drop"), inputs: [$("camera"), $("files"), $("folder")], taken });

  function taken(files) {
    if (files.length === 0) return;
    show("photo");
    const fresh = files.map(({ file, name, error = null }, i) => ({ file, name, order: entries.length + i, page: null, looks: null, crops: null, error, row: null }));
    const first = entries.length === 0;
    entries.push(...fresh);
    waiting.push(...fresh.filter((entry) => !entry.error));
    $("drop").classList.add("small");
    $("table-box").hidden = $("many").hidden = entries.length < 2;
    if (first && fresh.length === 1) open(fresh[0]);
    for (const entry of fresh) refresh(entry);
    while (busy < AT_ONCE && waiting.length) work();
  }

  async function work() {
    busy++;
    while (waiting.length) {
      const entry = waiting.shift();
      try {
        await readOne(entry);
      } catch (error) {
        if (["gone", "busy"].includes(error.code)) {
          if (entries.includes(entry)) waiting.unshift(entry); // nothing is wrong with it: it is asked about again
          if (error.code === "gone") break; // when the server is back
          continue;
        }
        entry.error = error.message;
      }
      sayBusy(false);
      refresh(entry);
      if (viewer.entry === entry) viewer.open(entry);
    }
    busy--;
  }

  api.onGone((gone) => {
    if (!gone) while (busy < AT_ONCE && waiting.length) work();
  });

  /** Say that a busy server is waited for, or that it no longer is. */
  function sayBusy(on) {
    if (on || $("photo-note").textContent === api.WAITING) $("photo-note").textContent = on ? api.WAITING : "";
  }

  async function readOne(entry) {
    if (entry.file.type && !entry.file.type.startsWith("image/")) throw new api.Told(noPicture(entry.file.type));
    if (entry.file.size > limits.max_body)
      throw new api.Told(`This file is too large: ${megabytes(entry.file.size)}, at most ${megabytes(limits.max_body)} can be sent.`);
    await entry.file.slice(0, 1).arrayBuffer().catch(() => {
      throw new api.Told("This file cannot be opened: it was moved, or may not be read.");
    });
    const onBusy = () => entries.includes(entry) && sayBusy(true);
    const answer = await (entries.length === 1 ? api.look(entry.file, { crops: true, onBusy }) : api.read(entry.file, { onBusy }));
    Object.assign(entry, { page: answer.page, crops: answer.crops, looks: answer.digits ?? null });
  }

  /** Bring what is shown of an entry, and of all, up to date. */
  function refresh(entry) {
    if (!entries.includes(entry)) return; // forgotten while it was read
    if (entries.length > 1) {
      const row = rowOf(entry);
      if (entry.row) entry.row.replaceWith(row);
      entry.row = row;
      place(entry);
      const done = entries.filter((e) => fateOf(e) !== "waiting");
      const count = (fate) => done.filter((e) => fateOf(e) === fate).length;
      $("progress").max = entries.length;
      $("progress").value = done.length;
      $("progress").hidden = done.length === entries.length;
      const told = [`${count("sure")} read`, `${count("check")} to check`, `${count("none")} without digits`, `${count("failed")} failed`];
      $("count").textContent = `${done.length} of ${entries.length} photos: ${told.join(", ")}`;
    }
    $("downloads").hidden = !entries.some((e) => e.page);
  }

  /** Put a row where it belongs: doubtful first. */
  function place(entry) {
    const after = entries.filter((e) => e !== entry && e.row?.isConnected && byDoubt(e, entry) > 0).sort(byDoubt)[0];
    $("rows").insertBefore(entry.row, after?.row ?? null);
  }

  function rowOf(entry) {
    const fate = fateOf(entry);
    const name = make("button", { class: "link", onclick: () => open(entry, true) }, entry.name);
    const reading = entry.error ? make("span", { class: "note" }, entry.error) : make("span", {}, ...shownPage(entry.page));
    return make("tr", { "data-fate": fate }, make("th", { scope: "row" }, name), make("td", {}, reading), make("td", {}, make("span", { class: "fate" }, FATES[fate])));
  }

  /** A page on one line of the table. */
  function shownPage(page) {
    if (!page?.numbers.length) return page ? ["–"] : [];
    return linesOf(page).flatMap((line, i) => [...(i ? [" | "] : []), ...line.flatMap((number, k) => [...(k ? [" "] : []), numberShown(number)])]);
  }

  const shownText = (page) => (page ? page.text.replaceAll("\n", " | ") || "–" : "");

  async function open(entry, begin = false) {
    viewer.open(entry);
    if (begin) {
      $("viewer").scrollIntoView({ block: "start" });
      viewer.begin();
    }
    if (entry.page && !entry.looks && digitsOf(entry.page).length) {
      try {
        entry.looks = (await api.look(entry.file)).digits;
        if (viewer.entry === entry) viewer.open(entry, { keep: true });
      } catch (error) {
        $("photo-note").textContent = error.message;
      }
    }
  }

  /** Open the next photo that has a doubtful digit; false where there is none. */
  function following(entry) {
    const ordered = [...entries].sort(byDoubt);
    const next = ordered.find((e) => e !== entry && e.page && digitsOf(e.page).some((digit) => stateOf(digit) !== "sure" && !digit.corrected));
    if (next) open(next, true);
    return Boolean(next);
  }

  const named = ({ crops = false } = {}) =>
    entries.map((e) => {
      if (!e.page) return { file: e.name, error: { code: "failed", detail: e.error ?? "not read yet" } };
      return { file: e.name, ...e.page, ...(crops ? { crops: e.crops } : {}) };
    });

  function save(blob, name) {
    const address = URL.createObjectURL(blob);
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  async function saveTable(format) {
    let pages = plain(named({ crops: format === "xlsx" }));
    let said = "";
    if (format === "xlsx" && new Blob([JSON.stringify(pages)]).size > limits.max_json) {
      pages = plain(named());
      said = "These are too many for the pictures of the numbers to be in the spreadsheet too.";
    }
    try {
      save(await api.table(pages, format), `numbers.${format}`);
      $("photo-note").textContent = said;
    } catch (error) {
      $("photo-note").textContent = error.message;
    }
  }

  $("csv").addEventListener("click", () => saveTable("csv"));
  $("xlsx").addEventListener("click", () => saveTable("xlsx"));
  $("json").addEventListener("click", () => save(new Blob([plainText(named())], { type: "application/json" }), "numbers.json"));
  $("copy").addEventListener("click", () => {
    const texts = entries.filter((e) => e.page).map((e) => (entries.length > 1 ? `${e.name}\t${shownText(e.page)}` : e.page.text));
    copy(texts.join("\n"), $("photo-note"));
  });
  $("forget").addEventListener("click", () => {
    entries = [];
    waiting = [];
    viewer.close();
    $("rows").replaceChildren();
    for (const id of ["table-box", "many", "downloads"]) $(id).hidden = true;
    $("photo-note").textContent = "";
    $("drop").classList.remove("small");
    $("files").focus();
  });
}

/** Pages as the API answers them: what this page noted beside is left out. */
const plain = (pages) => JSON.parse(plainText(pages));
const plainText = (pages) => JSON.stringify(pages, (key, value) => (key === "corrected" ? undefined : value), 1);

const noPicture = (type) => (type === "application/pdf" ? "This is a PDF, no picture: on the command line, inkdigits read takes it." : `This is no picture but ${type}.`);

const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
