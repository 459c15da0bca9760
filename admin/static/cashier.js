/* The cashier's page: the sum of the ticked bills or lines, change to give back, one sending a form.
   (The server adds up, checks and posts a form once by its key whatever the browser does.) */
"use strict";
(() => {
  const fen = (text) => Math.round(Number(String(text).replace(/[,，￥¥\s]/g, "")) * 100);
  const yuan = (sum) => (sum / 100).toFixed(2);
  const form = document.querySelector("form[data-cashier]");
  const amount = document.getElementById("amount");
  const tendered = document.querySelector("[data-tendered]");
  const change = document.querySelector("[data-change]");

  const method = document.getElementById("method");
  const cheque = document.querySelector("[data-cheque]");
  const showCheque = () => { if (cheque) cheque.hidden = method.value !== "cheque"; };
  if (method) { method.addEventListener("change", showCheque); showCheque(); }

  const showChange = () => {
    if (!tendered) return;
    const rest = fen(tendered.value) - fen(amount.value);
    change.textContent = tendered.value && rest >= 0 ? yuan(rest) : "—";
  };

  const rows = form ? [...form.querySelectorAll("tr[data-bill]")] : [];
  const tick = (row) => row.querySelector('input[name="pick"]');
  const part = (row) => row.querySelector('input[name^="part_"]');

  const addUp = () => {
    const ticked = rows.filter((row) => tick(row).checked);
    const lines = rows.flatMap((row) => [...row.querySelectorAll("[data-line]:checked")]);
    const sum = ticked.reduce((total, row) => total + fen(part(row).value || row.dataset.bill), 0)
      + lines.reduce((total, line) => total + fen(line.dataset.line), 0);
    if (amount) amount.value = ticked.length + lines.length ? (Number.isFinite(sum) ? yuan(sum) : "") : amount.dataset.asked;
    showChange();
  };

  rows.forEach((row) => {
    const lines = [...row.querySelectorAll("[data-line]")];
    const clear = () => lines.forEach((line) => { line.checked = false; });
    lines.forEach((line) => line.addEventListener("change", () => {
      tick(row).checked = false;
      part(row).value = "";
      addUp();
    }));
    tick(row).addEventListener("change", () => { clear(); addUp(); });
    part(row).addEventListener("input", () => {
      if (part(row).value) { tick(row).checked = true; clear(); }
      addUp();
    });
  });

  if (tendered) {
    tendered.addEventListener("input", showChange);
    amount.addEventListener("input", showChange);
    showChange();
  }
  const payer = document.querySelector("[data-payer-choice]");
  if (payer) payer.addEventListener("change", () => {
    const url = new URL(payer.dataset.payerChoice, location.href);
    url.searchParams.set("payer_id", payer.value);
    location.assign(url);
  });
})();
