// The page: two ways to give it something to read, and word of whether the server is there.

import * as api from "./api.js";
import { startDrawing } from "./draw.js";
import { startPhotos } from "./photo.js";

const $ = (id) => document.getElementById(id);
const TABS = ["draw", "photo"];

function show(name) {
  for (const tab of TABS) {
    const on = tab === name;
    $(tab).hidden = !on;
    $(`tab-${tab}`).setAttribute("aria-selected", String(on));
    $(`tab-${tab}`).tabIndex = on ? 0 : -1;
  }
  if (location.hash !== `#${name}`) history.replaceState(null, "", `#${name}`);
}

function startTabs() {
  for (const [i, name] of TABS.entries()) {
    const tab = $(`tab-${name}`);
    tab.addEventListener("click", () => show(name));
    tab.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
      const other = TABS[(i + 1) % TABS.length];
      show(other);
      $(`tab-${other}`).focus();
    });
  }
  show(TABS.find((name) => location.hash === `#${name}`) ?? "draw");
}

/** Copy text; without HTTPS, as on a phone in the same network, the clipboard is only reached the old way. */
async function copy(text, note) {
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copyTheOldWay(text);
    note.textContent = "Copied.";
  } catch {
    note.textContent = "Your browser does not let this page copy.";
  }
}

function copyTheOldWay(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "aside";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("refused");
}

api.onGone((gone) => {
  $("gone").hidden = !gone;
  $("gone").textContent = gone ? "The server does not answer: it was stopped, or the network is gone. What you have stays here; reading goes on when it is back." : "";
});

async function start() {
  startTabs();
  api.watch();
  const model = await patiently(api.model);
  if (model.collects) $("privacy").textContent = "Pictures are read by the machine that serves this page. Digits that you correct are kept there, to learn from.";
  $("model").textContent = `Read by “${model.name}”, inkdigits ${model.version}.`;
  startDrawing({ collects: model.collects, copy });
  startPhotos({ collects: model.collects, limits: model.limits, copy, show });
  document.body.dataset.ready = "yes";
}

/** Ask until there is an answer. */
async function patiently(ask) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (error.code !== "gone") $("gone").textContent = error.message;
      $("gone").hidden = false;
      await new Promise((done) => setTimeout(done, 1500));
    }
  }
}

start();
