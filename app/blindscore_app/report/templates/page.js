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
  const form = byId("order-form");
  if (form) form.addEventListener("submit", (event) => {
    event.preventDefault();
    const design = byId("order-design").value;
    const party = byId("order-party").value;
    const found = ledger.rows.filter((row) => row.design === design && row.coalition === party);
    const order = found.find((row) => row.capability === "disclose");
    const answer = byId("order-answer");
    answer.replaceChildren();
    if (!order) {
      answer.append(element("p", "Not measured for this design and party."));
      return;
    }
    const bound = order.bound === null ? "no bound" : `at most ${(Math.ceil(order.bound * 100 - 1e-9) / 100).toFixed(2)} for any attack`;
    answer.append(element("p",
      `One order exposes ${order.people_exposed} of ${ledger.meta.people} people by name ` +
      `(${share(order.advantage)}, 95% ${share(order.low)} to ${share(order.high)}; ${bound}).`));
    const parties = party.split("+");
    const sees = ledger.designs.find((one) => one.design === design).sees || [];
    for (const view of sees.filter((one) => parties.includes(one.role))) {
      const kept = view.stored.length ? view.stored.join(", ") : "nothing readable";
      answer.append(element("p", `Found at the ${view.role}: ${kept}` +
        (view.opaque_bytes ? `; and ${view.opaque_bytes} bytes a person that nobody there can read.` : ".")));
    }
    const traits = found.filter((row) => row.capability === "profile");
    if (traits.length) {
      const table = document.createElement("table");
      table.append(element("caption", "What their records then give away of each person, from 0 (guessing) to 1 (certain)"));
      const head = table.createTHead().insertRow();
      for (const name of ["secret", "with the records", "95%", "control: public knowledge alone"]) {
        const cell = element("th", name);
        cell.scope = "col";
        head.append(cell);
      }
      const body = table.createTBody();
      for (const row of traits) {
        const line = body.insertRow();
        const name = element("th", row.secret);
        name.scope = "row";
        line.append(name, element("td", share(row.advantage)), element("td", `${share(row.low)} to ${share(row.high)}`),
          element("td", row.control === null ? "–" : share(row.control)));
      }
      answer.append(table);
    }
    if (order.reason) answer.append(element("p", `Why: ${order.reason}.`));
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
