// Looks for what a careful reader with a screen reader, a keyboard or weak eyes would stumble over.
const found = [];
const say = (what, node) => found.push(`${what}: ${node.outerHTML.slice(0, 120)}`);
const shown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !node.closest(".unseen, [aria-hidden=true]");

const parse = (text) => {
  const canvas = parse.canvas ||= Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = text;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return { r, g, b, a: a / 255 };
};
const over = (top, below) => ({
  r: top.r * top.a + below.r * (1 - top.a),
  g: top.g * top.a + below.g * (1 - top.a),
  b: top.b * top.a + below.b * (1 - top.a),
  a: 1,
});
const ground = (node) => {
  const layers = [];
  for (let at = node; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    layers.push(colour);
    if (colour.a === 1) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
};
const light = ({ r, g, b }) => {
  const [x, y, z] = [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const contrast = (a, b) => {
  const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};

for (const node of document.body.querySelectorAll("*")) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.nodeValue.trim());
  if (!own || !shown(node) || node.closest("svg, option, script")) continue;
  const style = getComputedStyle(node);
  const below = ground(node);
  const ratio = contrast(over(parse(style.color), below), below);
  const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) say(`contrast ${ratio.toFixed(2)}`, node);
}
for (const node of document.querySelectorAll(".icon")) {
  if (!shown(node.parentElement)) continue;
  const below = ground(node.parentElement);
  const ratio = contrast(parse(getComputedStyle(node.parentElement).color), below);
  if (ratio < 3) say(`icon contrast ${ratio.toFixed(2)}`, node);
}

let level = 0;
for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
  const now = Number(heading.nodeName[1]);
  if (now > level + 1) say("a heading level is left out", heading);
  level = now;
}
if (document.querySelectorAll("h1").length !== 1) found.push("there must be one h1");
for (const tag of ["main", "header.top", "footer"]) if (document.querySelectorAll(tag).length !== 1) found.push(`there must be one ${tag}`);
if (!document.documentElement.lang) found.push("no language");
if (!document.title) found.push("no title");

for (const field of document.querySelectorAll("input, select, textarea")) if (!field.labels.length) say("no label", field);
for (const node of document.querySelectorAll("a, button, summary")) if (!(node.getAttribute("aria-label") || node.textContent).trim()) say("no name", node);
for (const svg of document.querySelectorAll("svg")) {
  const named = svg.getAttribute("aria-label") || (svg.getAttribute("aria-labelledby") || "").split(" ").some((id) => document.getElementById(id)?.textContent.trim());
  if (svg.getAttribute("aria-hidden") !== "true" && !(svg.getAttribute("role") === "img" && named)) say("a drawing without words", svg);
}
for (const table of document.querySelectorAll("table")) {
  if (!table.querySelector("thead th[scope=col]") || !table.querySelector("tbody th[scope=row]")) say("a table without headers", table);
}
for (const node of document.querySelectorAll("[aria-labelledby]")) for (const id of node.getAttribute("aria-labelledby").split(" ")) if (!document.getElementById(id)) say("labelled by nothing", node);
const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`the id ${id} comes twice`);
for (const row of document.querySelectorAll("[data-state]")) if (!row.textContent.toLowerCase().includes(row.dataset.state) && row.dataset.state !== "without an answer yet") say("a state that is not text", row);
for (const node of document.querySelectorAll("a, button, select, input, summary")) {
  const box = node.getBoundingClientRect();
  const inline = getComputedStyle(node).display === "inline";
  if (shown(node) && !inline && box.height > 0 && box.height < 24) say(`only ${box.height} px high`, node);
}
return found;
