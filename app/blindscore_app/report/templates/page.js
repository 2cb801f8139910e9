"use strict";
(() => {
  const share = (value) => value.toFixed(2).replace(/^-(0\.00)$/, "$1");

  function element(tag, text) {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  }

  // Sections are closed until asked for: by a door, by an address, or for printing.
  const open = (id) => {
    const section = id && byId(id);
    if (section && section.matches("details.section")) section.open = true;
  };
  const follow = () => open(decodeURIComponent(location.hash.slice(1)));
  addEventListener("hashchange", follow);
  for (const link of document.querySelectorAll(".doors a")) link.addEventListener("click", () => open(link.hash.slice(1)));
  follow();
  addEventListener("beforeprint", () => {
    for (const section of document.querySelectorAll("details.section:not([open])")) {
      section.open = true;
      section.dataset.printed = "";
    }
  });
  addEventListener("afterprint", () => {
    for (const section of document.querySelectorAll("details[data-printed]")) {
      section.open = false;
      delete section.dataset.printed;
    }
  });

  // Frontier: show one coalition at a time.
  const coalition = byId("coalition");
  coalition.addEventListener("change", () => {
    for (const part of document.querySelectorAll(".coalition")) part.hidden = part.dataset.coalition !== coalition.value;
  });

  // Serve an order: read the rows of the ledger, compute nothing.
  const interval = (row) => {
    const bound = row.bound === null ? say("no_bound")
      : say("bounded", {bound: share(row.bound)});
    return say("interval", {value: share(row.advantage), low: share(row.low), high: share(row.high), bound});
  };

  function traitTable(traits) {
    const table = document.createElement("table");
    table.append(element("caption", say("gives_away")));
    const head = table.createTHead().insertRow();
    for (const name of [say("secret"), say("with_records"), "95%", say("public")]) {
      const cell = element("th", name);
      cell.scope = "col";
      head.append(cell);
    }
    const body = table.createTBody();
    for (const row of traits) {
      const name = element("th", row.secret);
      name.scope = "row";
      body.insertRow().append(name, element("td", share(row.advantage)),
        element("td", `${share(row.low)}\u2013${share(row.high)}`),
        element("td", row.control === null ? "\u2013" : share(row.control)));
    }
    return table;
  }

  function records(values) {
    const list = document.createElement("dl");
    list.className = "record";
    for (const [name, value] of values) list.append(element("dt", label(name)), element("dd", value));
    return list;
  }

  // What an order by name finds at one party: by the name that its records carry, else by the attack on that party alone.
  function byName(answer, design, view) {
    const who = ledger.parties[view.role];
    if (view.keyed_by === "legal id") {
      answer.append(element("p", say("named", {who})));
      return true;
    }
    const own = ledger.rows.find((row) => row.design === design && row.coalition === view.role
      && row.capability === "link" && row.secret === "name");
    const attacked = own ? say("attacked", {interval: interval(own), people: ledger.meta.people}) : say("not_attacked");
    answer.append(element("p", `${say("nameless", {who})} ${attacked}`));
    return Boolean(own) && own.surely;
  }

  function serve(answer, everybody, design, party) {
    const found = ledger.rows.filter((row) => row.design === design && row.coalition === party);
    const row = found.find((one) => one.capability === (everybody ? "disclose" : "link"));
    if (!row) {
      answer.append(element("p", say("not_measured")));
      return;
    }
    if (everybody) answer.append(element("p", say("exposes",
      {exposed: row.people_exposed, people: ledger.meta.people, interval: interval(row)})));
    const parties = party.split("+");
    const views = ledger.designs.find((one) => one.design === design).sees;
    for (const view of views.filter((one) => party === "all" || parties.includes(one.role))) {
      const named = everybody ? false : byName(answer, design, view);
      const unread = view.opaque_bytes ? `; ${say("unread", {bytes: view.opaque_bytes})}.` : ".";
      const fields = view.stored.map(label).join(", ") || say("nothing");
      const whose = everybody ? `${ledger.parties[view.role]}: ` : "";
      answer.append(element("p", `${whose}${say("found", {fields})}${unread}`));
      const values = Object.entries(view.record).filter(([name]) => view.stored.includes(name));
      if (!everybody && values.length) answer.append(
        element("p", say(named ? "of_found" : "of_nameless")), records(values));
    }
    const traits = found.filter((one) => one.capability === "profile");
    if (everybody && traits.length) answer.append(traitTable(traits));
    if (everybody && row.reason) answer.append(element("p", say("why", {reason: row.reason})));
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
    if (!design.person || design.person.scores === undefined) continue;
    const bytes = Uint8Array.from(atob(ledger.tables[design.person.scores]), (c) => c.charCodeAt(0));
    const reasons = Uint8Array.from(atob(ledger.tables[design.person.reasons]), (c) => c.charCodeAt(0));
    people.set(design.design, {...design.person, scores: new DataView(bytes.buffer), reasons});
  }
  const number = (value) => String(Number(value.toPrecision(3)));

  function show() {
    let index = 0;
    sliders.forEach((slider, k) => {
      const at = Number(inputs[k].value);
      index = index * slider.positions.length + at;
      const value = `${number(slider.positions[at])} ${slider.unit}`;
      byId(`said-${k}`).textContent = value;
      inputs[k].setAttribute("aria-valuetext", value);
    });
    for (const line of document.querySelectorAll("#person-table tbody tr")) {
      const person = people.get(line.dataset.design);
      const score = person.scores.getInt16(2 * index, true);
      const pointsOf = (part) => part.points[part.slider === null ? 0
        : Number(inputs[sliders.findIndex((slider) => slider.feature === part.slider)].value)];
      const total = person.parts.reduce((sum, part) => sum + pointsOf(part), person.base);
      const byCard = Math.min(person.high, Math.max(person.low, total));
      const most = person.reasons.length / (person.scores.byteLength / 2);
      const reasons = Array.from(person.reasons.subarray(index * most, (index + 1) * most))
        .filter((place) => place < person.parts.length)
        .map((place) => person.parts[place])
        .map((part) => `${label(part.feature)} −${part.best - pointsOf(part)}`);
      if (score !== byCard) reasons.unshift(say("rule", {points: signed(score - byCard)}));
      const put = (part, text) => { line.querySelector(`[data-part="${part}"]`).textContent = text; };
      put("score", String(score));
      put("decision", say(score >= person.threshold ? "approved" : "refused", {threshold: person.threshold}));
      put("reasons", reasons.join(", ") || say("costs_nothing"));
    }
  }
  for (const input of inputs) input.addEventListener("input", show);
  show();
})();
