// The final account of the unit that is chosen in the form, as of the day that stands there.
"use strict";
(() => {
  const form = document.querySelector("form[data-account]");
  if (!form) return;
  const [unit, day] = ["unit", "on"].map((name) => form.querySelector(`[name=${name}]`));
  let asked = 0;
  const show = async () => {
    const mine = ++asked;
    if (!unit.value || !day.value) return;
    const url = new URL(form.dataset.account, location.href);
    url.search = new URLSearchParams({ unit_id: unit.value, on: day.value });
    const answer = await fetch(url);
    if (!answer.ok || mine !== asked) return;
    const told = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("account");
    if (told && mine === asked) document.getElementById("account").replaceChildren(...told.childNodes);
  };
  for (const field of [unit, day]) field.addEventListener("change", show);
})();
