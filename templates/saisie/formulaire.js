"use strict";
// Les règles sont celles du contrat de la source : mêmes bornes, mêmes listes, mêmes motifs que la porte.
const spec = JSON.parse(document.getElementById("spec").textContent);
const form = document.getElementById("form");
const INT = /^[+-]?[0-9]{1,18}$/;
const NUMBER = /^[+-]?(?:[0-9]{1,15}(?:[.][0-9]{0,40})?|[.][0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?$/;
const WALL = /^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]$/;
let kept = {};  // ce qu'une annonce reprise garde : son numéro, le moment de la première saisie
let before = null;  // les réponses de l'annonce qui vient d'être enregistrée dans cette page

const control = (name) => document.getElementById(name);
const number = (text) => Number(text.trim());
const now = () => new Date().toISOString().slice(0, 19) + "Z";

function written(name) {
  const rule = spec.fields[name], one = control(name);
  const text = one.value.trim();
  if (rule.type === "longitude" || rule.type === "latitude") return text.replace(",", ".");
  return rule.type === "int" ? text.replace(/[\s\u00a0\u202f]/g, "") : text;
}

function broken(name, text, unread) {
  const rule = spec.fields[name];
  if (unread) return "illisible:" + name;
  if (text === "") return rule.required ? "manquant:" + name : "";
  const within = (value) => value >= rule.minimum && value <= rule.maximum ? "" : "hors_bornes:" + name;
  switch (rule.type) {
    case "enum": return rule.values.some(([code]) => code === text) ? "" : "hors_liste:" + name;
    case "id": return new RegExp("^(?:" + rule.pattern + ")$").test(text) ? "" : "hors_forme:" + name;
    case "int": return INT.test(text) ? within(number(text)) : "illisible:" + name;
    case "longitude":
    case "latitude": return NUMBER.test(text) ? within(number(text)) : "illisible:" + name;
    default: {
      const found = WALL.exec(text);
      if (!found || new Date(text + "Z").getUTCDate() !== Number(found[3])) return "illisible:" + name;
      const year = Number(found[1]);
      return year >= spec.since && year <= spec.until ? "" : "hors_bornes:" + name;
    }
  }
}

function between(texts) {
  for (const check of spec.checks) {
    const [one, other] = [texts[check.field], texts[check.other]];
    if (!one || !other) continue;
    const [a, b] = spec.fields[check.field].type === "timestamp" ? [one, other] : [number(one), number(other)];
    if (check.at_least ? a < b : a > b) return { name: check.field, reason: check.reason };
  }
  return null;
}

function faults() {
  const texts = {}, found = [];
  for (const name of spec.asked) {
    texts[name] = written(name);
    const reason = broken(name, texts[name], control(name).validity.badInput);
    if (reason) found.push({ name, reason });
  }
  if (found.length === 0) {
    const one = between(texts);
    if (one) found.push(one);
  }
  const [east, north] = spec.point;
  if (found.length === 0 && east && Boolean(texts[east]) !== Boolean(texts[north])) {
    found.push({ name: texts[east] ? north : east, reason: "manquant:" + (texts[east] ? north : east) });
  }
  return { texts, found };
}

function show(found) {
  for (const name of spec.asked) {
    const mine = found.filter((one) => one.name === name);
    control(name).setAttribute("aria-invalid", String(mine.length > 0));
    control(name + "-why").textContent = mine.map((one) => said(one)).join(" ");
  }
  const box = document.getElementById("faults");
  box.hidden = found.length === 0;
  box.replaceChildren();
  if (found.length === 0) return;
  const head = document.createElement("p");
  head.textContent = found.length === 1 ? "Un point à corriger :" : found.length + " points à corriger :";
  const list = document.createElement("ul");
  for (const one of found) {
    const item = document.createElement("li"), link = document.createElement("a");
    link.href = "#" + one.name;
    link.dataset.reason = one.reason;
    link.textContent = spec.fields[one.name].label + " : " + said(one);
    link.addEventListener("click", (event) => { event.preventDefault(); control(one.name).focus(); });
    item.append(link);
    list.append(item);
  }
  box.append(head, list);
  box.focus();
}

function said(one) {
  const [kind] = one.reason.split(":"), rule = spec.fields[one.name];
  if (kind === "incoherent") return spec.checks.find((check) => check.reason === one.reason).said;
  if (kind === "hors_bornes" && rule.type !== "timestamp") {
    return "doit aller de " + rule.minimum + " à " + rule.maximum + ".";
  }
  if (kind === "hors_bornes") return "l'année doit aller de " + spec.since + " à " + spec.until + ".";
  return { manquant: "à remplir.", illisible: "ne se lit pas.", hors_liste: "n'est pas dans la liste.",
           hors_forme: "n'a pas la forme attendue." }[kind];
}

function drawn() {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  return "PAR-" + Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}

function record(texts) {
  const at = now(), row = {};
  row[spec.id] = kept[spec.id] || drawn();
  row[spec.entered] = kept[spec.entered] || at;
  row[spec.revised] = at > row[spec.entered] ? at : row[spec.entered];
  for (const name of spec.asked) {
    if (texts[name] === "") continue;
    const numeric = ["int", "longitude", "latitude"].includes(spec.fields[name].type);
    row[name] = numeric ? number(texts[name]) : texts[name];
  }
  return row;
}

function save(row) {
  const text = JSON.stringify({ [spec.records]: [row] }, null, 1) + "\n";
  const link = document.createElement("a");
  link.download = "saisie_" + row[spec.revised].replace(/[-:TZ]/g, "") + "_" + row[spec.id].slice(4) + ".json";
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  document.body.append(link);
  link.click();
  link.remove();
  return link.download;
}

const which = document.getElementById("which");

// Une page gardée ouverte sert à un deuxième événement : sous le numéro du premier, il l'effacerait.
function another(texts) {
  return before !== null && [spec.start, spec.kind, spec.zone].some((name) => texts[name] !== before[name]);
}

function keep(texts) {
  const row = record(texts);
  kept = { [spec.id]: row[spec.id], [spec.entered]: row[spec.entered] };
  before = texts;
  which.hidden = true;
  document.getElementById("done").textContent = "Fichier enregistré : " + save(row) + ". Le remettre à la ville.";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { texts, found } = faults();
  show(found);
  document.getElementById("done").textContent = "";
  which.hidden = true;
  if (found.length > 0) return;
  if (!another(texts)) { keep(texts); return; }
  which.hidden = false;
  which.focus();
});

for (const [id, fresh] of [["same", false], ["other", true]]) {
  document.getElementById(id).addEventListener("click", () => {
    const { texts, found } = faults();
    show(found);
    if (found.length > 0) return;
    if (fresh) kept = {};
    keep(texts);
  });
}

function lasting(start, end) {
  const hours = (new Date(end) - new Date(start)) / 3600000;
  if (Number.isNaN(hours) || hours < 0) return "";
  if (hours < 48) return " Il dure " + String(Math.round(hours * 10) / 10).replace(".", ",") + " heure" + (hours < 2 ? "." : "s.");
  return " Il dure " + Math.round(hours / 24) + " jours.";
}

function lead() {
  const start = written(spec.start), told = document.getElementById("lead");
  const due = spec.due[written(spec.kind)];
  const hours = (new Date(start) - new Date()) / 3600000;
  if (!start || Number.isNaN(hours)) { told.textContent = ""; return; }
  const days = Math.floor(hours / 24);
  const until = lasting(start, written(spec.end));
  const early = hours < 0 ? "L'événement a déjà commencé."
    : days < 2 ? "Annoncé moins de deux jours avant." : "Annoncé " + days + " jours avant.";
  told.textContent = early + until + (due === undefined ? ""
    : hours >= due ? " La ville a le temps de prendre la première mesure."
    : " La première mesure est due " + due + " heures avant : prévenez aussi la ville directement.");
}
form.addEventListener("change", lead);

const place = document.getElementById("venue");
if (place) {
  place.addEventListener("change", () => {
    const one = spec.venues[Number(place.value)];
    if (place.value === "" || !one) return;
    control(spec.zone).value = one.zone;
    control(spec.point[0]).value = String(one.longitude);
    control(spec.point[1]).value = String(one.latitude);
  });
}

// Le point du lieu connu ne va pas avec un autre quartier : il l'emporterait sur lui.
if (place) {
  control(spec.zone).addEventListener("change", () => {
    const one = spec.venues[Number(place.value)];
    if (place.value === "" || !one || one.zone === control(spec.zone).value) return;
    place.value = "";
    for (const name of spec.point) control(name).value = "";
  });
}

document.getElementById("again").addEventListener("change", async (event) => {
  const told = document.getElementById("taken"), [file] = event.target.files;
  if (!file) return;
  try {
    const [row] = JSON.parse(await file.text())[spec.records];
    const id = String(row[spec.id] ?? ""), at = String(row[spec.entered] ?? "");
    if (broken(spec.id, id, false) || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(at)) throw new Error("form");
    for (const name of spec.asked) control(name).value = row[name] === undefined ? "" : String(row[name]);
    kept = { [spec.id]: id, [spec.entered]: at };
    before = null;
    which.hidden = true;
    told.textContent = "Annonce reprise : ce qui sera enregistré remplacera la précédente.";
    lead();
  } catch {
    told.textContent = "Ce fichier n'a pas été enregistré par ce formulaire : rien n'a été repris.";
  }
});
