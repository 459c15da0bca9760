// What a holiday that is not yet saved would do to the deadlines of open complaints.
"use strict";
(() => {
  const line = document.getElementById("preview");
  if (!line) return;
  const form = line.closest("form");
  const [day, works] = ["day", "is_working"].map((name) => form.querySelector(`[name=${name}]`));
  let asked = 0;
  const ask = async () => {
    const mine = ++asked;
    if (!day.value) { line.hidden = true; return; }
    const url = new URL(line.dataset.ask, location.href);
    url.search = new URLSearchParams({ day: day.value, is_working: works.checked ? "1" : "", id: line.dataset.id });
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    const told = answer.ok ? await answer.json() : null;
    if (mine !== asked) return;
    line.hidden = !told;
    if (told) line.querySelector("span").textContent = told.text;
  };
  for (const field of [day, works]) field.addEventListener("change", ask);
  ask();
})();
