/* A page that shows how far long work is asks its row twice a second, and is drawn anew at the end. */
"use strict";
(() => {
  const box = document.querySelector("[data-progress]");
  if (!box || box.dataset.state !== "running") return;
  const bar = box.querySelector("progress");
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
      if (!answer.ok) return location.reload();
      const told = await answer.json();
      if (told.state !== "running") return location.reload();
      box.querySelector("[data-done]").textContent = told.done;
      if (told.done) bar.value = told.done;
    } catch { /* the next question may get through */ }
    setTimeout(ask, 500);
  };
  setTimeout(ask, 300);
})();
