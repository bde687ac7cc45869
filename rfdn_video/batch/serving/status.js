"use strict";
// Asks for status.json again and again, and shows it. Names of files only ever become text.

const INTERVAL = 2000;
const byId = (id) => document.getElementById(id);

function make(tag, text = "", className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function bytes(count) {
  if (count === null || count === undefined) return "";
  const power = count < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(count) / 3));
  return `${(count / 1000 ** power).toPrecision(power ? 3 : 12) / 1} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

function nameOf(path, tag = "div") {
  const cut = path.lastIndexOf("/") + 1;
  const element = make(tag, path.slice(cut), "name");
  element.append(make("span", path.slice(0, cut), "faint"));
  return element;
}

function pace(entry) {
  const frames = entry.total ? `frame ${entry.frames} of ${entry.total}` : `frame ${entry.frames}`;
  const parts = [entry.state === "delivering" ? "finished, being moved to its place" : frames];
  if (entry.fps !== null) parts.push(`${entry.fps.toPrecision(3) / 1} frames/s`);
  if (entry.eta_seconds !== null) parts.push(`${duration(entry.eta_seconds)} left`);
  parts.push(`${entry.device ?? ""} (worker ${entry.worker})`);
  if (entry.attempts > 1) parts.push(`attempt ${entry.attempts}`);
  return parts.join(" · ");
}

const PICTURES = {
  before: "before",
  after: "after",
  "detail-before": "its middle before, every pixel larger",
  "detail-after": "its middle after",
};

function newCard(entry) {
  const card = make("li");
  const progress = make("progress");
  progress.setAttribute("aria-label", `progress of ${entry.input}`);
  const pictures = make("div", "", "pictures");
  for (const [name, text] of Object.entries(PICTURES)) {
    const figure = make("figure");
    const image = make("img", "", name);
    image.alt = `a recent frame, ${text}`;
    figure.append(image, make("figcaption", text));
    pictures.append(figure);
  }
  card.append(nameOf(entry.input), progress, make("p", "", "number"), pictures);
  card.id = `file-${entry.id}`;
  return card;
}

function showPictures(card, pictures) {
  card.querySelector(".pictures").hidden = !pictures;
  for (const [name, address] of Object.entries(pictures ?? {})) {
    const image = card.querySelector(`img.${name}`);
    if (image.getAttribute("src") !== address) image.src = address;
  }
}

function showRunning(entries) {
  const list = document.querySelector("#running ul");
  const cards = entries.map((entry) => {
    const card = byId(`file-${entry.id}`) ?? newCard(entry);
    const progress = card.querySelector("progress");
    if (entry.total) progress.value = Math.min(1, entry.frames / entry.total);
    else progress.removeAttribute("value");
    card.querySelector("p").textContent = pace(entry);
    showPictures(card, entry.thumbnails);
    return card;
  });
  if (cards.length !== list.children.length || cards.some((card, index) => card !== list.children[index])) {
    list.replaceChildren(...cards);
  }
  byId("running").hidden = !entries.length;
}

const COLUMNS = {
  failed: [
    ["File", (entry) => nameOf(entry.input, "td")],
    ["Why", (entry) => make("td", entry.reason.replace(`${entry.input}: `, ""), "bad")],
    ["What to do", (entry) => make("td", entry.advice)],
  ],
  queued: [
    ["File", (entry) => nameOf(entry.input, "td")],
    ["Size", (entry) => make("td", bytes(entry.input_bytes), "number")],
  ],
  done: [
    ["File", (entry) => nameOf(entry.input, "td")],
    ["Result", (entry) => make("td", entry.output)],
    ["Size", (entry) => make("td", `${bytes(entry.input_bytes)} → ${bytes(entry.output_bytes)}`, "number")],
    ["Frames", (entry) => make("td", entry.frames ?? "", "number")],
    ["Time", (entry) => make("td", duration(entry.seconds), "number")],
    ["Losses and repairs", (entry) => make("td", entry.notes.join("; ") || "none")],
  ],
};

function rowOf(columns, entry) {
  const row = make("tr");
  row.setAttribute("role", "row");
  for (const [title, cell] of columns) {
    const made = cell(entry);
    made.dataset.label = title;
    made.setAttribute("role", "cell");
    row.append(made);
  }
  return row;
}

// Roles are said in words, as a table whose rows are blocks in a narrow window would lose them.
function tableOf(columns, entries, label) {
  const [table, head, titles, body] = ["table", "thead", "tr", "tbody"].map((tag) => make(tag));
  table.setAttribute("role", "table");
  table.setAttribute("aria-label", label);
  for (const group of [head, body]) group.setAttribute("role", "rowgroup");
  titles.setAttribute("role", "row");
  for (const [title] of columns) {
    const cell = make("th", title);
    cell.scope = "col";
    cell.setAttribute("role", "columnheader");
    titles.append(cell);
  }
  head.append(titles);
  body.append(...entries.map((entry) => rowOf(columns, entry)));
  table.append(head, body);
  return table;
}

const shown = {};

// What has not changed is left alone: somebody may be about to copy a reason.
function showTable(state, entries, count) {
  const section = byId(state);
  const text = JSON.stringify([entries, count]);
  if (shown[state] === text) return;
  shown[state] = text;
  section.hidden = !count;
  const heading = section.querySelector("h2");
  const more = count > entries.length ? [make("p", `and ${count - entries.length} more`, "faint")] : [];
  section.replaceChildren(heading, tableOf(COLUMNS[state], entries, heading.textContent), ...more);
}

function stateOf(status) {
  const run = status.run;
  const clock = (seconds) => new Date(1000 * seconds).toLocaleString();
  if (!run) return ["no batch has begun", "faint"];
  if (status.alive) return [`at work since ${clock(run.started)}, process ${run.pid}`, "good"];
  if (run.ended === null) return [`not seen since ${clock(run.beat)}: it was killed, or hangs`, "bad"];
  if (run.exit_code === null) return [`killed at about ${clock(run.ended)}`, "bad"];
  return [`ended at ${clock(run.ended)} with exit code ${run.exit_code}`, run.exit_code ? "bad" : "good"];
}

function showState([text, className]) {
  const state = byId("state");
  if (state.textContent !== text) state.textContent = text;
  state.className = className;
}

const WORDS = { done: "finished", failed: "failed", running: "running", delivering: "being moved", queued: "waiting" };

function showWhole(status) {
  const share = `${Math.floor(100 * (status.fraction ?? 0))} %`;
  const folder = status.destination.split("/").pop() || status.destination;
  byId("destination").textContent = status.destination;
  document.title = `${share} · ${folder} · rfdn-video`;
  byId("share").textContent = share;
  byId("overall").value = status.fraction ?? 0;
  byId("left").textContent = status.alive && status.eta_seconds !== null ? `${duration(status.eta_seconds)} left` : "";
  const counts = Object.entries(WORDS).filter(([state]) => status.counts[state]);
  byId("counts").replaceChildren(
    ...counts.map(([state, word]) => {
      const pair = make("div");
      pair.append(make("dt", word), make("dd", status.counts[state]));
      return pair;
    }),
  );
}

function show(status) {
  showState(stateOf(status));
  showWhole(status);
  showRunning(status.running);
  for (const state of Object.keys(COLUMNS)) showTable(state, status[state], status.counts[state] ?? 0);
}

async function follow() {
  try {
    const answer = await fetch("status.json", { cache: "no-store" });
    if (!answer.ok) throw new Error((await answer.text()).trim());
    show(await answer.json());
  } catch (error) {
    const silent = "the server does not answer: the batch has ended, or it is out of reach";
    showState([error instanceof TypeError ? silent : error.message, "bad"]);
  }
  setTimeout(follow, document.hidden ? 5 * INTERVAL : INTERVAL);
}

follow();
