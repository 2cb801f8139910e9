"use strict";
(() => {
  const ledger = JSON.parse(document.getElementById("ledger").textContent);
  const byId = (id) => document.getElementById(id);
  const share = (value) => value.toFixed(2).replace(/^-(0\.00)$/, "$1");

  function element(tag, text) {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  }

  // Frontier: show one coalition at a time.
  const coalition = byId("coalition");
  coalition.addEventListener("change", () => {
    for (const part of document.querySelectorAll(".coalition")) part.hidden = part.dataset.coalition !== coalition.value;
  });

  // Serve an order: read the rows of the ledger, compute nothing.
  const interval = (row) => {
    const bound = row.bound === null ? "no bound" : `at most ${(Math.ceil(row.bound * 100 - 1e-9) / 100).toFixed(2)} for any attack`;
    return `${share(row.advantage)}, 95% ${share(row.low)} to ${share(row.high)}; ${bound}`;
  };

  function traitTable(traits) {
    const table = document.createElement("table");
    table.append(element("caption", "What the records then give away of each person, from 0 (guessing) to 1 (certain)"));
    const head = table.createTHead().insertRow();
    for (const name of ["secret", "with the records", "95%", "control: public knowledge alone"]) {
      const cell = element("th", name);
      cell.scope = "col";
      head.append(cell);
    }
    const body = table.createTBody();
    for (const row of traits) {
      const name = element("th", row.secret);
      name.scope = "row";
      body.insertRow().append(name, element("td", share(row.advantage)),
        element("td", `${share(row.low)} to ${share(row.high)}`),
        element("td", row.control === null ? "\u2013" : share(row.control)));
    }
    return table;
  }

  function records(values) {
    const list = document.createElement("dl");
    list.className = "record";
    for (const [name, value] of values) list.append(element("dt", name), element("dd", value));
    return list;
  }

  function serve(answer, everybody, design, party) {
    const found = ledger.rows.filter((row) => row.design === design && row.coalition === party);
    const row = found.find((one) => one.capability === (everybody ? "disclose" : "link"));
    if (!row) {
      answer.append(element("p", "Not measured for this design and party."));
      return;
    }
    answer.append(element("p", everybody
      ? `One order exposes ${row.people_exposed} of ${ledger.meta.people} people by name (${interval(row)}).`
      : `The party finds the record of the person named with advantage ${interval(row)}; guessing is right once in ${ledger.meta.people}.`));
    const parties = party.split("+");
    const views = ledger.designs.find((one) => one.design === design).sees;
    for (const view of views.filter((one) => party === "all" || parties.includes(one.role))) {
      const unread = view.opaque_bytes ? `; and ${view.opaque_bytes} bytes a person that nobody there can read.` : ".";
      answer.append(element("p", `Found at the ${view.role}: ${view.stored.join(", ") || "nothing readable"}${unread}`));
      const values = Object.entries(view.record).filter(([name]) => view.stored.includes(name));
      if (!everybody && values.length) answer.append(
        element("p", row.low > 0.5 ? "Of a person so found, for example:" : "Such a record, without a name to it:"), records(values));
    }
    const traits = found.filter((one) => one.capability === "profile");
    if (everybody && traits.length) answer.append(traitTable(traits));
    if (row.reason) answer.append(element("p", `Why: ${row.reason}.`));
  }

  const form = byId("order-form");
  if (form) form.addEventListener("submit", (event) => {
    event.preventDefault();
    const answer = byId("order-answer");
    answer.replaceChildren();
    serve(answer, byId("order-authority").value === "everybody", byId("order-design").value, byId("order-party").value);
  });

  // One person: look the score up among those that the designs' kernels computed.
  const sliders = ledger.meta.person && ledger.meta.person.sliders || [];
  if (!sliders.length) return;
  const inputs = sliders.map((_, k) => byId(`slider-${k}`));
  const people = new Map();
  for (const design of ledger.designs) {
    if (!design.person || !design.person.scores) continue;
    const bytes = Uint8Array.from(atob(design.person.scores), (c) => c.charCodeAt(0));
    people.set(design.design, {...design.person, scores: new DataView(bytes.buffer)});
  }
  const number = (value) => String(Number(value.toPrecision(3)));

  function show() {
    let index = 0;
    sliders.forEach((slider, k) => {
      const at = Number(inputs[k].value);
      index = index * slider.positions.length + at;
      const words = `${number(slider.positions[at])} ${slider.unit}`;
      byId(`said-${k}`).textContent = words;
      inputs[k].setAttribute("aria-valuetext", words);
    });
    for (const line of document.querySelectorAll("#person-table tbody tr")) {
      const person = people.get(line.dataset.design);
      const score = person.scores.getInt16(2 * index, true);
      let total = person.base;
      const lost = [];
      for (const part of person.parts) {
        const k = sliders.findIndex((slider) => slider.feature === part.feature);
        const at = k >= 0 && part.points.length > 1 ? Number(inputs[k].value) : 0;
        total += part.points[at];
        if (part.best > part.points[at]) lost.push([part.best - part.points[at], part.feature]);
      }
      lost.sort((a, b) => b[0] - a[0]);
      const byCard = Math.min(person.high, Math.max(person.low, total));
      const words = lost.slice(0, 4).map(([points, feature]) => `${feature} −${points}`);
      if (score !== byCard) words.unshift(`rule outside the scorecard ${score > byCard ? "+" : "−"}${Math.abs(score - byCard)}`);
      const put = (part, text) => { line.querySelector(`[data-part="${part}"]`).textContent = text; };
      put("score", String(score));
      put("decision", `${score >= person.threshold ? "approved" : "refused"} (at ${person.threshold})`);
      put("reasons", words.join(", ") || "nothing");
    }
  }
  for (const input of inputs) input.addEventListener("input", show);
  show();
})();
