// The desk's page: the severity proposed while facts are ticked, and what is open in the household.
// Without it the page works the same; the server judges in any case.
"use strict";
(() => {
  const form = document.querySelector("form[data-intake]");
  if (!form) return;
  const make = (name, text, ...children) => {
    const element = document.createElement(name);
    if (text) element.textContent = text;
    element.append(...children);
    return element;
  };
  const ask = async (address, values) => {
    const url = new URL(address, location.href);
    for (const [name, value] of Object.entries(values)) if (value) url.searchParams.set(name, value);
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    return answer.ok ? answer.json() : null;
  };

  // Severity, its reason and its deadlines.
  const proposal = document.getElementById("proposal");
  const facts = [...form.querySelectorAll(".ticks input, [name=household_count], [name=loss_amount]")];
  let asked = 0;
  const propose = async () => {
    const mine = ++asked;
    const values = Object.fromEntries(facts.map((box) => [box.name, box.type === "checkbox" ? (box.checked ? "1" : "") : box.value.trim()]));
    const told = await ask(form.dataset.intake, values);
    if (mine !== asked) return;
    proposal.hidden = !told;
    if (!told) return;
    proposal.querySelector("b").textContent = told.label;
    proposal.querySelector("span > span").textContent = `${proposal.dataset.because} ${told.reason}`;
    proposal.querySelector("ul").replaceChildren(...told.clocks.map((clock) => make("li", `${clock.clock}: ${clock.due}`)));
    if (told.warning) proposal.querySelector("ul").append(make("li", told.warning));
    proposal.className = `flash ${told.tone || "info"}`;
  };
  let wait = 0;
  form.addEventListener("input", (event) => {
    if (facts.includes(event.target)) { clearTimeout(wait); wait = setTimeout(propose, 120); }
  });
  propose();

  // Who lives there, what is open: a repeat or a bill is one click.
  const box = document.getElementById("household");
  const choice = (group, value, text, field, label) => {
    const input = Object.assign(document.createElement("input"), { type: "radio", name: group, value });
    input.checked = !value;
    input.addEventListener("change", () => {
      const picker = form.querySelector(`[name="${field}"]`);
      picker.value = value;
      picker.parentElement.querySelector("[role=combobox]").value = value ? label : "";
      if (field === "repeat_of") {
        const tick = form.querySelector("[name=is_repeat]");
        tick.checked = Boolean(value);
        tick.dispatchEvent(new Event("input", { bubbles: true }));
      }
    });
    const line = make("label", "", input, ` ${text}`);
    line.className = "tick";
    return line;
  };
  const unit = form.querySelector("[name=unit]");
  const household = async () => {
    box.hidden = !unit.value;
    if (!unit.value) return;
    const told = await ask(form.dataset.household, { unit_id: unit.value });
    if (!told) { box.hidden = true; return; }
    const name = form.querySelector("[name=complainant]");
    if (told.resident && !name.value) name.value = told.resident;
    const parts = [make("p", `${box.dataset.lives} ${told.resident || "–"} `)];
    if (told.file) parts[0].append(Object.assign(make("a", box.dataset.file), { href: told.file, target: "_blank" }));
    for (const hint of told.hints) parts.push(make("p", hint));
    if (told.tickets.length) {
      parts.push(make("p", box.dataset.open), choice("same", "", box.dataset.new, "repeat_of", ""));
      for (const one of told.tickets) parts.push(choice("same", one.id, `${one.number} · ${one.at} · ${one.state} · ${one.statement}`, "repeat_of", one.number));
    } else parts.push(make("p", box.dataset.none));
    if (told.invoices.length) {
      parts.push(make("p", box.dataset.bills), choice("bill", "", box.dataset.noBill, "invoice", ""));
      for (const one of told.invoices) parts.push(choice("bill", one.id, `${one.number} · ${one.balance}`, "invoice", one.number));
    }
    box.replaceChildren(...parts);
  };
  // Known incidents that fit what is typed: what to say, and F2 joins to the next of them.
  const going = document.getElementById("incidents");
  if (going) {
    const chosen = form.querySelector("[name=incident]");
    const category = form.querySelector("[name=category]");
    let fitting = [], lookups = 0;
    const show = () => going.querySelectorAll("[data-id]").forEach((card) => card.setAttribute("aria-current", String(card.dataset.id === chosen.value)));
    const take = (value) => { chosen.value = value; chosen.dispatchEvent(new Event("input", { bubbles: true })); show(); };
    const look = async () => {
      const mine = ++lookups;
      const found = await ask(going.dataset.address, { unit_id: unit.value, category: category.value });
      if (mine !== lookups || !found) return;
      fitting = found.map((one) => String(one.id));
      going.hidden = !found.length;
      going.replaceChildren(make("b", going.dataset.title), ...found.map((one) => {
        const join = Object.assign(make("button", going.dataset.join), { type: "button", className: "button small" });
        join.append(" ", make("kbd", "F2"));
        join.addEventListener("click", () => take(chosen.value === String(one.id) ? "" : String(one.id)));
        const card = make("div", "", make("p", "", make("b", one.title), ` · ${one.kind} · ${one.phase} · ${one.time}`));
        if (one.staff) card.append(make("p", `${going.dataset.staff}: ${one.staff}`));
        for (const said of one.say) card.append(Object.assign(make("p", `${going.dataset.say}: ${said.words}`), { lang: said.lang }));
        card.append(make("p", "", join));
        card.className = "flash info incident";
        card.dataset.id = one.id;
        return card;
      }));
      show();
    };
    document.addEventListener("keydown", (event) => {
      if (event.key !== "F2" || event.ctrlKey || event.altKey || event.metaKey || !fitting.length) return;
      event.preventDefault();
      take(["", ...fitting][(["", ...fitting].indexOf(chosen.value) + 1) % (fitting.length + 1)]);
    });
    unit.addEventListener("change", look);
    category.addEventListener("change", look);
    chosen.addEventListener("change", show);
    look();
  }
  unit.addEventListener("change", household);
  if (unit.value) household();
})();
