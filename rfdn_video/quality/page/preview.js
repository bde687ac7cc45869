"use strict";

(() => {
  const element = (id) => document.getElementById(id);
  const stage = element("stage");
  const buttons = [...document.querySelectorAll("#views button")];
  const layersOf = (button) => [...button.parentElement.querySelectorAll(".layers img")];
  const names = layersOf(buttons[0]).map((image) => image.dataset.name);
  const largest = 32, step = 1.25, nudge = 2, grip = 20;

  // The point of the picture in the middle of every pane, and CSS pixels a pixel of the picture, are shared by all panes.
  const state = {
    view: Math.max(0, buttons.findIndex((button) => "first" in button.dataset)),
    left: 0,
    right: Math.min(2, names.length - 1),
    split: 50,
    flipped: null, // or the side that is shown alone
    grid: false,
    fitted: true,
    zoom: 1,
    x: 0,
    y: 0,
  };

  const size = () => {
    const { width, height } = buttons[state.view].dataset;
    return { width: Number(width), height: Number(height) };
  };
  const panes = () => [...stage.querySelectorAll(".pane")];
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  function build() {
    const layers = layersOf(buttons[state.view]);
    const shown = state.grid ? names.map((_, index) => index) : [state.left, state.right];
    const columns = state.grid ? Math.ceil(Math.sqrt(shown.length)) : 1;
    const rows = state.grid ? Math.ceil(shown.length / columns) : 1;
    const { width, height } = size();
    stage.className = state.grid ? "grid" : "slider";
    stage.style.setProperty("--columns", columns);
    stage.style.setProperty("--shape", (columns * width) / (rows * height));
    stage.replaceChildren(...shown.map((index, position) => pane(layers[index], !state.grid && position === 1)));
    if (!state.grid) {
      const divider = document.createElement("div");
      divider.className = "divider";
      stage.append(divider);
    }
    buttons.forEach((button, index) => button.setAttribute("aria-current", String(index === state.view)));
    element("caption").textContent = buttons[state.view].dataset.caption;
    element("grid").setAttribute("aria-pressed", String(state.grid));
    element("split").hidden = state.grid;
    for (const id of ["left", "right", "flip"]) element(id).disabled = state.grid;
    element("left").value = String(state.left);
    element("right").value = String(state.right);
    if (state.fitted) fit(); else place();
    divide();
  }

  function pane(layer, onRight) {
    const box = document.createElement("div");
    const image = document.createElement("img");
    const name = document.createElement("span");
    box.className = "pane";
    image.src = layer.src;
    image.alt = layer.alt;
    name.className = onRight ? "name right" : "name";
    name.textContent = layer.dataset.name;
    box.append(image, name);
    return box;
  }

  function place() {
    const { width, height } = size();
    state.x = clamp(state.x, 0, width);
    state.y = clamp(state.y, 0, height);
    for (const box of panes()) {
      const image = box.firstChild;
      const left = box.clientWidth / 2 - state.x * state.zoom;
      const top = box.clientHeight / 2 - state.y * state.zoom;
      image.style.transform = `translate(${left}px, ${top}px) scale(${state.zoom})`;
      image.classList.toggle("enlarged", state.zoom * devicePixelRatio >= 2);
    }
    element("zoom").textContent = `${Math.round(100 * state.zoom * devicePixelRatio)} %`;
  }

  function divide() {
    if (state.grid) return;
    const split = { left: 100, right: 0 }[state.flipped] ?? state.split;
    const [left, right] = panes();
    left.style.clipPath = `inset(0 ${100 - split}% 0 0)`;
    right.style.clipPath = `inset(0 0 0 ${split}%)`;
    stage.querySelector(".divider").style.left = `${split}%`;
    element("split").value = String(state.split);
    element("flip").setAttribute("aria-pressed", String(state.flipped !== null));
  }

  function fit() {
    const { width, height } = size();
    const box = panes()[0];
    state.fitted = true;
    state.zoom = Math.min(box.clientWidth / width, box.clientHeight / height);
    state.x = width / 2;
    state.y = height / 2;
    place();
  }

  function zoomTo(zoom, box, clientX, clientY) {
    const to = clamp(zoom, 0.1, largest);
    if (box) { // what is under the pointer stays there
      const frame = box.getBoundingClientRect();
      const fromMiddle = [clientX - frame.left - frame.width / 2, clientY - frame.top - frame.height / 2];
      state.x += fromMiddle[0] * (1 / state.zoom - 1 / to);
      state.y += fromMiddle[1] * (1 / state.zoom - 1 / to);
    }
    state.zoom = to;
    state.fitted = false;
    place();
  }

  function split(percent) {
    state.split = clamp(percent, 0, 100);
    state.flipped = null;
    divide();
  }

  function flip() {
    state.flipped = state.flipped === "left" ? "right" : "left";
    divide();
  }

  function show(view) {
    state.view = (view + buttons.length) % buttons.length;
    build();
  }

  function choose(side, index) {
    state[side] = index;
    build();
  }

  function toggleGrid() {
    state.grid = !state.grid;
    build();
  }

  const pointers = new Map();
  let dividing = false;

  function pressed(event) {
    if (event.button) return;
    const frame = stage.getBoundingClientRect();
    const divider = frame.left + (frame.width * state.split) / 100;
    dividing = !state.grid && state.flipped === null && pointers.size === 0 && Math.abs(event.clientX - divider) < grip;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    stage.setPointerCapture(event.pointerId);
    stage.classList.add("moving");
  }

  function moved(event) {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (dividing) {
      const frame = stage.getBoundingClientRect();
      split((100 * (now.x - frame.left)) / frame.width);
    } else {
      if (other) {
        const apart = (point) => Math.hypot(point.x - other.x, point.y - other.y);
        const box = panes().find((each) => each.contains(document.elementFromPoint(other.x, other.y))) ?? panes()[0];
        zoomTo(state.zoom * (apart(now) / Math.max(apart(before), 1)), box, other.x, other.y);
      } else {
        state.x -= (now.x - before.x) / state.zoom;
        state.y -= (now.y - before.y) / state.zoom;
        state.fitted = false;
        place();
      }
    }
    pointers.set(event.pointerId, now);
  }

  function released(event) {
    pointers.delete(event.pointerId);
    if (pointers.size === 0) {
      dividing = false;
      stage.classList.remove("moving");
    }
  }

  function wheeled(event) {
    if (!event.ctrlKey && !event.metaKey) return; // else the page scrolls
    event.preventDefault();
    const box = event.target.closest(".pane") ?? panes()[0];
    zoomTo(state.zoom * Math.exp(-event.deltaY / 300), box, event.clientX, event.clientY);
  }

  const actions = {
    f: flip,
    " ": flip,
    "+": () => zoomTo(state.zoom * step),
    "=": () => zoomTo(state.zoom * step),
    "-": () => zoomTo(state.zoom / step),
    1: () => zoomTo(1 / devicePixelRatio),
    0: fit,
    g: toggleGrid,
    n: () => show(state.view + 1),
    p: () => show(state.view - 1),
    r: () => choose("right", (state.right + 1) % names.length),
    ArrowLeft: () => split(state.split - nudge),
    ArrowRight: () => split(state.split + nudge),
  };

  function keyed(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const action = actions[key];
    const own = event.target.matches("select, summary") || (key === " " && event.target.matches("button"));
    const slides = event.target === element("split") && key.startsWith("Arrow");
    if (!action || own || slides || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }

  document.documentElement.classList.add("js");
  element("viewer").hidden = false;
  for (const id of ["left", "right"]) {
    element(id).append(...names.map((name, index) => new Option(name, String(index))));
    element(id).addEventListener("change", (event) => choose(id, Number(event.target.value)));
  }
  buttons.forEach((button, index) => button.addEventListener("click", () => show(index)));
  element("split").addEventListener("input", (event) => split(Number(event.target.value)));
  element("flip").addEventListener("click", flip);
  element("grid").addEventListener("click", toggleGrid);
  element("in").addEventListener("click", actions["+"]);
  element("out").addEventListener("click", actions["-"]);
  element("one").addEventListener("click", actions[1]);
  element("fit").addEventListener("click", fit);
  stage.addEventListener("pointerdown", pressed);
  stage.addEventListener("pointermove", moved);
  stage.addEventListener("pointerup", released);
  stage.addEventListener("pointercancel", released);
  stage.addEventListener("wheel", wheeled, { passive: false });
  document.addEventListener("keydown", keyed);
  window.addEventListener("resize", () => (state.fitted ? fit() : place()));
  build();
})();
