// Files come in however a person gives them: chosen, dropped (folders too), pasted, photographed.

/** Call `taken([{file, name, error}, …])` for all that is given; `error` says why something cannot be read, if so. */
export function takeFiles({ drop, inputs, taken }) {
  for (const input of inputs) {
    input.addEventListener("change", () => {
      taken(sorted([...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name }))));
      input.value = ""; // the same file may be chosen again
    });
  }
  let inside = 0; // enter and leave come for every element under way
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => {
    if (holdsFiles(event)) drop.classList.toggle("over", ++inside > 0);
  });
  document.addEventListener("dragleave", (event) => {
    if (holdsFiles(event)) drop.classList.toggle("over", --inside > 0);
  });
  document.addEventListener("dragover", (event) => {
    if (holdsFiles(event)) event.preventDefault();
  });
  document.addEventListener("drop", async (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    inside = 0;
    drop.classList.remove("over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const files = [...event.dataTransfer.files].map((file) => ({ file, name: file.name }));
    taken(sorted(entries.some((entry) => entry.isDirectory) ? (await Promise.all(entries.map(inEntry))).flat() : files));
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])].map((file) => ({ file, name: file.name || "pasted" }));
    if (files.length) {
      event.preventDefault();
      taken(files);
    }
  });
}

/** All pictures in a dropped folder and in its folders; what cannot be opened is one that failed, and costs no other. */
async function inEntry(entry) {
  const name = entry.fullPath.replace(/^\//, "");
  const failed = { file: new File([], name), name, error: `This ${entry.isFile ? "file" : "folder"} cannot be opened.` };
  if (entry.isFile) return [await new Promise((done) => entry.file((file) => done({ file, name }), () => done(failed)))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done) => reader.readEntries(done, () => done(null))); // a hundred at a time
    if (some === null) found.push(failed);
    if (!some?.length) return found;
    found.push(...(await Promise.all(some.map(inEntry))).flat());
  }
}

// page9 before page10; hidden files of systems are no photos
const sorted = (files) =>
  files.filter(({ name }) => !/(^|\/)(\.|Thumbs\.db$|desktop\.ini$)/i.test(name)).sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
