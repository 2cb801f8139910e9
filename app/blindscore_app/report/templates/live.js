"use strict";
(() => {
  const form = document.getElementById("live-form");
  if (!form) return;
  const ledger = JSON.parse(document.getElementById("ledger").textContent);
  const sliders = ledger.meta.person.sliders;
  const said = document.getElementById("live-said");

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const features = {};
    sliders.forEach((slider, k) => { features[slider.feature] = Number(document.getElementById(`live-${k}`).value); });
    const started = performance.now();
    let answers;
    try {
      const reply = await fetch("api/score", {
        method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({features}),
      });
      answers = await reply.json();
      if (!reply.ok) throw new Error(typeof answers.detail === "string" ? answers.detail : "the values were refused");
    } catch (error) {
      said.textContent = `Not scored: ${error.message}.`;
      return;
    }
    for (const answer of answers) {
      const line = document.querySelector(`#person-table tr[data-design="${CSS.escape(answer.design)}"]`);
      const reasons = answer.reasons.map((part) => `${part.feature} \u2212${part.lost}`);
      if (answer.rule) reasons.unshift(`rule outside the scorecard ${answer.rule > 0 ? "+" : "\u2212"}${Math.abs(answer.rule)}`);
      const put = (part, text) => { line.querySelector(`[data-part="${part}"]`).textContent = text; };
      put("score", String(answer.score));
      put("decision", `${answer.approved ? "approved" : "refused"} (at ${answer.threshold})`);
      put("reasons", reasons.join(", ") || "nothing");
    }
    said.textContent = `Scored anew under ${answers.length} designs in ${Math.round(performance.now() - started)} ms.`;
  });
})();
