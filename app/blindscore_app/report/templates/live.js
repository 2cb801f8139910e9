"use strict";
(() => {
  const form = byId("live-form");
  if (!form) return;
  const sliders = ledger.meta.person.sliders;
  const said = byId("live-said");

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const features = {};
    sliders.forEach((slider, k) => { features[slider.feature] = Number(byId(`live-${k}`).value); });
    const started = performance.now();
    let answers;
    try {
      const reply = await fetch("api/score", {
        method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({features}),
      });
      answers = await reply.json();
      if (!reply.ok) throw new Error(typeof answers.detail === "string" ? answers.detail : say("values_refused"));
    } catch (error) {
      said.textContent = say("not_scored", {reason: error.message});
      return;
    }
    for (const answer of answers) {
      const line = document.querySelector(`#person-table tr[data-design="${CSS.escape(answer.design)}"]`);
      const reasons = answer.reasons.map((part) => `${label(part.feature)} \u2212${part.lost}`);
      if (answer.rule) reasons.unshift(say("rule", {points: signed(answer.rule)}));
      const put = (part, text) => { line.querySelector(`[data-part="${part}"]`).textContent = text; };
      put("score", String(answer.score));
      put("decision", say(answer.approved ? "approved" : "refused", {threshold: answer.threshold}));
      put("reasons", reasons.join(", ") || say("costs_nothing"));
    }
    said.textContent = say("scored", {designs: answers.length, ms: Math.round(performance.now() - started)});
  });
})();
