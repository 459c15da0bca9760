/* The cashier's page: change to give back, and a form that is sent once however often it is clicked.
   (The server posts a form once by its key whatever the browser does.) */
"use strict";
const tendered = document.querySelector("[data-tendered]");
if (tendered) {
  const amount = document.getElementById(tendered.dataset.tendered);
  const change = document.querySelector("[data-change]");
  const show = () => {
    const rest = Math.round(Number(tendered.value) * 100) - Math.round(Number(amount.value) * 100);
    change.textContent = tendered.value && rest >= 0 ? (rest / 100).toFixed(2) : "—";
  };
  tendered.addEventListener("input", show);
  amount.addEventListener("input", show);
}
document.querySelectorAll("form[data-once]").forEach((form) =>
  form.addEventListener("submit", () => {
    const button = form.querySelector("button.main");
    setTimeout(() => { button.disabled = true; }, 0);
    setTimeout(() => { button.disabled = false; }, 8000);
  }));
