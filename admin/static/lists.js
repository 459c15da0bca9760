// Lists and the records opened from them: ticks that outlast a page, the way back, neighbours.
"use strict";
(() => {
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const tab = (() => { try { sessionStorage.getItem("x"); return sessionStorage; } catch { return null; } })();
  const read = (key, otherwise) => { try { return JSON.parse(tab?.getItem(key)) ?? otherwise; } catch { return otherwise; } };
  const write = (key, value) => { try { tab?.setItem(key, JSON.stringify(value)); } catch { /* no room */ } };
  const [, screen, page] = location.pathname.split("/");

  // Ticked rows show the bar of actions. They are kept for each list and filter, over pages, records and forms,
  // until they are cleared or what was asked for is done.
  const TICKS = `ticks:${document.body.dataset.person}:`, USED = "ticks-sent";
  const sent = tab?.getItem(USED);
  if (sent && (!page || find("[data-ticks-used]"))) {
    tab.removeItem(USED);
    if (find(".flash.good, [data-ticks-used]")) tab.removeItem(TICKS + sent);
  }
  const acting = find("#acting");
  const bar = acting && find(".acting", acting);
  if (bar) {
    const name = acting.dataset.ticks, key = TICKS + name;
    const boxes = () => all('input[name="rowid"]', find("table[data-list]") || document);
    const whole = find("[data-tick-matching]", bar);
    let ticked = new Set(read(key, [])), isWhole = false;
    const show = () => {
      boxes().forEach((box) => {
        box.checked = isWhole || ticked.has(box.value);
        box.closest("tr")?.classList.toggle("ticked", box.checked);
      });
      const here = boxes().filter((box) => box.checked).length;
      const elsewhere = ticked.size - boxes().filter((box) => ticked.has(box.value)).length;
      bar.hidden = !ticked.size && !isWhole;
      find("[data-ticked]", bar).textContent = isWhole ? "" : String(ticked.size);
      find("[data-matching]", bar).hidden = !isWhole;
      find("[data-elsewhere]", bar).hidden = isWhole || !elsewhere;
      find("[data-elsewhere] b", bar).textContent = String(elsewhere);
      if (whole) whole.hidden = isWhole;
      const every = find("[data-tick-all]");
      if (every) { every.checked = here > 0 && here === boxes().length; every.indeterminate = here > 0 && !every.checked; }
    };
    const keep = () => { if (ticked.size) write(key, [...ticked]); else tab?.removeItem(key); show(); };
    document.addEventListener("change", (event) => {
      const isAll = event.target.matches("[data-tick-all]");
      if (!isAll && !event.target.matches('table[data-list] input[name="rowid"]')) return;
      isWhole = false;
      (isAll ? boxes() : [event.target]).forEach((box) => ticked[event.target.checked ? "add" : "delete"](box.value));
      keep();
    });
    find("[data-tick-none]", bar).addEventListener("click", () => { ticked.clear(); isWhole = false; keep(); });
    whole?.addEventListener("click", () => { isWhole = true; show(); });
    acting.addEventListener("formdata", (event) => {
      const data = event.formData;
      if (isWhole) { data.delete("rowid"); data.set("all_matching", whole.dataset.tickMatching); return; }
      const here = new Set(boxes().map((box) => box.value));
      ticked.forEach((id) => { if (!here.has(id)) data.append("rowid", id); });
    });
    acting.addEventListener("submit", () => tab?.setItem(USED, name));
    window.addEventListener("pageshow", () => { ticked = new Set(read(key, [])); isWhole = false; show(); });
  }

  // The rows of a list are remembered, so that a record opened from it knows its neighbours and the way back.
  const list = find("table[data-list]");
  const here = location.pathname + location.search;
  if (find("[data-acting], table[data-list]") && !page) {
    const ids = list ? all("tr[data-id]", list).map((row) => row.dataset.id) : [];
    write(`list:${screen}`, { ids, back: here });
  }
  const known = read(`list:${screen}`, { ids: [], back: "" });
  const isOurs = typeof known.back === "string" && known.back.startsWith(`/${screen}/`);
  const neighbours = find("[data-neighbours]");
  if (neighbours && page === "details") {
    const place = known.ids.indexOf(new URLSearchParams(location.search).get("id"));
    if (place >= 0 && isOurs) {
      neighbours.hidden = false;
      all("[data-step]", neighbours).forEach((link) => {
        const other = known.ids[place + Number(link.dataset.step)];
        if (other) link.href = `${location.pathname}?id=${other}`;
      });
    }
  }

  // Links to the list from its records and forms lead back to the same page, filter and order.
  if (page && isOurs) all(`a[data-back], .crumbs a[href="/${screen}/"], a.back`).forEach((link) => { link.href = known.back; });

  if (page && isOurs) all(`form[action="/${screen}/delete/"]`).forEach((form) => {
    if (!form.elements.url) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "url", value: known.back }));
  });

  // A list comes back where it was scrolled to.
  const place = `place:${here}`;
  if (list) {
    const came = new URL(document.referrer || "/", location.href);
    const isBack = sent || came.origin === location.origin && came.pathname.startsWith(`/${screen}/`) && came.pathname !== location.pathname;
    if (isBack) window.scrollTo(0, read(place, 0));
    window.addEventListener("pagehide", () => write(place, window.scrollY));
  }
})();
