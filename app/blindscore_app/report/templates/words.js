"use strict";
// What the scripts of this page share: its data, its words, and how numbers are written.
const ledger = JSON.parse(document.getElementById("ledger").textContent);
ledger.rows = (({keys, texts, lines}) => lines.map((line) => Object.fromEntries(
  keys.map((key, k) => [key, texts[key] ? texts[key][line[k]] : line[k]]))))(ledger.rows);
const words = JSON.parse(document.getElementById("words").textContent);
const byId = (id) => document.getElementById(id);
const say = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
const label = (name) => ledger.labels[name] || name.replaceAll("_", " ");
const signed = (points) => `${points > 0 ? "+" : "\u2212"}${Math.abs(points)}`;
