// Panels: controls over pictures that were drawn beforehand, one for each combination of values.
function coursePanel(place) {
  const panel = JSON.parse(place.dataset.panel);
  const picture = document.createElement("img");
  const inputs = [];
  const redraw = () => {
    picture.src = place.dataset.folder + inputs.map((input) => input.value).join("-") + ".webp";
    const now = panel.controls.map((control, i) => control.label + " " + control.values[inputs[i].value]).join(", ");
    const moved = panel.controls.some((control, i) => control.start != inputs[i].value);
    picture.alt = moved ? "For " + now + ". At the start: " + panel.alt : panel.alt;
  };
  const row = document.createElement("div");
  row.className = "course-controls";
  for (const control of panel.controls) {
    const label = document.createElement("label");
    const words = control.values.some((value) => isNaN(value));
    const input = document.createElement(words ? "select" : "input");
    const output = document.createElement("output");
    if (words) {
      control.values.forEach((value, i) => input.add(new Option(value, i)));
    } else {
      Object.assign(input, { type: "range", min: 0, max: control.values.length - 1, step: 1 });
    }
    input.value = control.start;
    const say = () => {
      output.textContent = words ? "" : control.values[input.value];
      if (!words) input.setAttribute("aria-valuetext", control.values[input.value]);
    };
    input.addEventListener("input", () => { say(); redraw(); });
    say();
    label.append(control.label + " ", input, " ", output);
    row.append(label);
    inputs.push(input);
  }
  place.append(row, picture);
  if (panel.others.length) {
    const note = document.createElement("p");
    note.textContent = "In the notebook you also move: " + panel.others.join(", ") + ".";
    place.append(note);
  }
  redraw();
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".course-panel").forEach(coursePanel);
  for (const part of document.querySelectorAll("article table, article .math, div.output")) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0; // so that keys can scroll it
  }
  for (const summary of document.querySelectorAll("nav summary:not([aria-label])")) {
    summary.setAttribute("aria-label", "Pages of " + summary.closest("li").querySelector("a").textContent.trim());
  }
});
