"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const token = document.querySelector('meta[name="page-token"]').content;
  const EVERY_MS = 500;
  const LATER_MS = [1500, 4000, 8000];
  let shown = null;   // the last state
  let acting = false;

  async function ask(path, body) {
    const headers = {"X-Blindscore-Token": token, "Content-Type": "application/json"};
    const reply = await fetch(path, body === undefined ? {headers} : {method: "POST", headers, body: JSON.stringify(body)});
    const answer = await reply.json();
    if (!reply.ok) throw new Error(answer.detail);
    return answer;
  }

  function make(tag, text, kind) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  function tell(text, wrong) {
    byId("status").textContent = text;
    byId("status").classList.toggle("wrong", Boolean(wrong));
  }

  // A list that is rebuilt only when it changed keeps its place and what was chosen in it.
  function fill(select, values, labels) {
    const before = select.value;
    if ([...select.options].map((o) => o.value).join("\n") !== values.join("\n")) {
      select.replaceChildren(...values.map((value, k) => {
        const option = make("option", labels[k]);
        option.value = value;
        return option;
      }));
    }
    if (values.includes(before)) select.value = before;
  }

  const person = () => Number(byId("person").value || 0);

  function buttons() {
    const up = shown !== null && !acting;
    const answered = shown !== null && shown.wallet.verdict !== null;
    for (const id of ["design", "person", "serve"]) byId(id).disabled = !up;
    byId("fetch").disabled = !up || answered || shown.wallet.fetched;
    byId("apply").disabled = !up || answered;
  }

  function received(id, list) {
    const items = list.map((one) => {
      const item = make("li");
      const line = !one.at ? "from no wallet of this page" : one.login ? `logged in as ${one.login}` : "nobody logged in";
      const again = one.times > 1 ? `, said ${one.times} times` : "";
      item.append(make("p", `${one.at} ${one.kind}: ${one.bytes.toLocaleString("en")} bytes, ${line}${again}`.trim()));
      if (one.body) item.append(make("code", one.body, "body"));
      item.append(make("p", one.logged ? "Its own log:" : "Its log has no line of this."));
      if (one.logged) item.append(make("code", one.logged, "logged"));
      return item;
    });
    byId(id).replaceChildren(...(items.length ? items : [make("li", "Nothing yet.")]));
  }

  function wallet(own) {
    byId("wallet-said").textContent = own.said;
    const facts = [["Legal id", own.legal_id]];
    if (own.score !== null) {
      const needed = own.threshold === null ? "signed by the lender" : `${own.threshold} are needed`;
      facts.push(["Score", `${own.score} points, ${needed}`]);
    }
    if (own.fetched) {
      facts.push(["Answer", own.verdict === null ? "not asked for yet" : own.verdict ? "approved" : "refused"]);
    }
    byId("wallet-facts").replaceChildren(...facts.flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
    byId("wallet-lacks").textContent = own.lacks;
    byId("wallet-more").hidden = !own.reasons;
    if (!own.reasons) return;
    byId("reasons").replaceChildren(...own.reasons.map((r) => make("li", `${r.feature} (${r.bin}): ${r.lost} points`)));
    fill(byId("feature"), own.features.map((f) => f.feature), own.features.map((f) => f.feature));
    bins();
  }

  function bins() {
    const feature = shown.wallet.features.find((f) => f.feature === byId("feature").value);
    const labels = feature.bins.map((bin, k) => (k === feature.own ? `${bin} (as it is)` : bin));
    const select = byId("bin");
    if (select.dataset.of !== `${shown.design} ${shown.person} ${feature.feature}`) {
      select.dataset.of = `${shown.design} ${shown.person} ${feature.feature}`;
      select.replaceChildren();
      fill(select, labels.map((_, k) => String(k)), labels);
      select.value = String(feature.own);
      byId("what-if-said").textContent = "";
    }
  }

  function draw(state) {
    shown = state;
    fill(byId("design"), state.designs, state.designs);
    byId("design").value = state.design;
    fill(byId("person"), state.people.map((_, k) => String(k)), state.people.map((who, k) => `${k + 1}: ${who}`));
    fill(byId("on"), state.parties, state.parties);
    wallet(state.wallet);
    for (const name of ["bank", "lender"]) {
      byId(`${name}-said`).textContent = state[name].said;
      received(`${name}-received`, state[name].received);
    }
    const third = state.third;
    byId("third").hidden = third === null;
    document.querySelector("main").classList.toggle("five", third !== null);
    if (third !== null) {
      byId("h-third").textContent = `The ${third.name}`;
      byId("third-said").textContent = third.said;
      received("third-received", third.received);
      byId("third-kept").replaceChildren(...(third.kept.length ? third.kept.map(table) : [make("p", "No row yet.")]));
    }
    byId("state-said").textContent = state.state.said;
    const wire = state.state.wire.map((one) => {
      const item = make("li");
      item.append(make("p", `to ${one.to}: ${one.up.toLocaleString("en")} bytes up, ${one.down.toLocaleString("en")} down, ${one.packets} pieces`));
      item.append(make("code", one.content));
      return item;
    });
    byId("state-wire").replaceChildren(...(wire.length ? wire : [make("li", "Nothing yet.")]));
    buttons();
  }

  // What parties say to each other after an answer goes on by their clocks.
  const later = () => { for (const ms of LATER_MS) setTimeout(() => acting || refresh().catch(() => {}), ms); };
  const refresh = async () => draw(await ask(`api/state?person=${person()}`));

  // While somebody acts, the windows are drawn again and again, so that bytes appear as they arrive.
  async function act(words, done, path, body) {
    acting = true;
    buttons();
    tell(words);
    let going = true;
    const watch = (async () => {
      while (going) {
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
        if (going && path !== "api/design") await refresh().catch(() => {});
      }
    })();
    try {
      await ask(path, body);
      going = false;
      await watch;
      acting = false;
      await refresh();
      tell(done());
      later();
    } catch (error) {
      going = false;
      acting = false;
      tell(error.message, true);
      await refresh().catch(() => {});
    }
    buttons();
  }

  function cells(row) {
    const line = make("tr");
    line.append(...row.map((cell) => make("td", cell.text, cell.says)));
    return line;
  }

  function table(found) {
    const whole = make("div");
    whole.append(make("p", `${found.place}: ${found.found} of ${found.total} rows found, ${found.shown.length} shown`, "caption"));
    const box = make("div", undefined, "scroll");
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", found.place);
    const made = make("table");
    made.setAttribute("aria-label", found.place);
    const head = make("thead");
    const titles = make("tr");
    titles.append(...found.columns.map((name) => {
      const title = make("th", name);
      title.scope = "col";
      return title;
    }));
    head.append(titles);
    const body = make("tbody");
    body.append(...found.shown.map(cells));
    made.append(head, body);
    box.append(made);
    whole.append(box);
    return whole;
  }

  byId("design").addEventListener("change", () => {
    const design = byId("design").value;
    byId("order-answer").replaceChildren();
    act(`Starting the parties of ${design}; this takes up to a minute.`, () => `${design}: the parties are up.`, "api/design", {design});
  });
  byId("person").addEventListener("change", () => {
    byId("order-answer").replaceChildren();
    refresh().then(() => tell("Another person holds the wallet now."), (error) => tell(error.message, true));
  });
  byId("fetch").addEventListener("click", () =>
    act("The wallet asks the log and the sources.", () => "The sources have signed.", "api/fetch", {person: person()}));
  byId("apply").addEventListener("click", () =>
    act("The wallet applies; the answer leaves at the lender's deadline.",
      () => `The lender answered: ${shown.wallet.verdict ? "approved" : "refused"}.`, "api/apply", {person: person()}));
  byId("feature").addEventListener("change", bins);
  byId("what-if").addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = byId("what-if-said");
    try {
      const asked = {person: person(), feature: byId("feature").value, bin: Number(byId("bin").value)};
      const answer = await ask("api/what-if", asked);
      said.textContent = `The score would be ${answer.score} in place of ${shown.wallet.score}; ${shown.wallet.threshold} are needed. Nobody was asked.`;
    } catch (error) {
      said.textContent = error.message;
    }
  });
  byId("order").addEventListener("submit", async (event) => {
    event.preventDefault();
    const box = byId("order-answer");
    try {
      const on = byId("on").value;
      const answer = await ask("api/order", {on, person: byId("whom").value === "one" ? person() : null});
      const files = answer.files.map((one) => make("li", `${one.file}: names ${one.named}, figures of ${one.read}`));
      const list = make("ul");
      list.append(...files);
      box.replaceChildren(make("p", answer.said, "said"), ...answer.tables.map(table), ...(files.length ? [make("p", "Other files:"), list] : []));
    } catch (error) {
      box.replaceChildren(make("p", error.message));
    }
  });

  refresh().then(() => tell("The parties are up."), (error) => tell(error.message, true));
})();
