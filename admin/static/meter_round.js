// The sheet of a meter round: Enter stores a value at once, tells its usage and goes to the next meter.
// What could not be sent stays in its box and is tried again; without this script each row is a form of its own.
"use strict";
(() => {
  const sheet = document.querySelector("[data-round]");
  if (!sheet) return;
  const forms = [...sheet.querySelectorAll("form.row")];
  const box = (form) => form.elements.value;
  const state = (form) => `${box(form).value.trim()}|${form.elements.is_estimated.checked}`;
  const stored = new Map(forms.map((form) => [form, state(form)]));
  const tell = (form, words, tone) => {
    const row = form.closest("tr");
    row.querySelector("[data-told]").textContent = words;
    row.classList.toggle("odd", tone === "warn");
    row.classList.toggle("wrong", tone === "bad");
  };
  const count = () => {
    sheet.querySelector("[data-done]").textContent = String(forms.filter((form) => form.dataset.stored).length);
  };
  forms.forEach((form) => { if (form.closest("tr").querySelector("[data-used]").textContent.trim() !== "–") form.dataset.stored = "1"; });

  const save = async (form) => {
    const sent = state(form);
    if (sent === stored.get(form) || !box(form).value.trim()) return;
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" } });
    } catch {
      tell(form, sheet.dataset.unsaved, "bad");
      return;
    }
    const said = await answer.json().catch(() => ({ error: answer.statusText }));
    if (state(form) !== sent) return; // typed on meanwhile: that is sent by itself
    if (!answer.ok) { tell(form, said.error, "bad"); return; }
    stored.set(form, sent);
    form.dataset.stored = "1";
    form.closest("tr").querySelector("[data-used]").textContent = said.used;
    tell(form, said.words, said.tone);
    form.dispatchEvent(new Event("stored"));
    count();
  };
  forms.forEach((form, place) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      save(form);
      const next = forms[place + 1];
      if (next) { box(next).focus(); box(next).select(); } else box(form).blur();
    });
    box(form).addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const other = step && forms[place + step];
      if (other) { event.preventDefault(); box(other).focus(); box(other).select(); }
    });
    form.addEventListener("change", () => save(form));
  });
  window.addEventListener("online", () => forms.forEach(save));
})();
