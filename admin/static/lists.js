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
  if (page && isOurs) all(`a[data-back], .tabs a[href="/${screen}/"], a.back`).forEach((link) => { link.href = known.back; });

  if (page && isOurs) all(`form[action="/${screen}/delete/"]`).forEach((form) => {
    if (!form.elements.url) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "url", value: known.back }));
  });

  // The totals of what is filtered, where the page does not know them yet.
  const count = find("[data-totals]");
  if (count) fetch(count.dataset.totals, { headers: { Accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : null)).then((told) => { if (told) count.textContent = told.text; }).catch(() => {});

  // The list knows whether it is on a phone: columns are remembered for each.
  const kind = matchMedia("(max-width: 640px)").matches ? "phone" : "desk";
  if (!document.cookie.split("; ").includes(`device=${kind}`)) document.cookie = `device=${kind}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;

  // Columns: up and down in the menu; what is ticked there goes in that order.
  const columns = find("form[data-columns]");
  const listed = () => { columns.elements.columns.value = all("[data-column]:checked", columns).map((box) => box.value).join(","); };
  columns?.addEventListener("change", (event) => { if (event.target.matches("[data-column]")) listed(); });
  columns?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]"), item = button?.closest("li");
    if (!item) return;
    if (button.dataset.move === "-1") item.previousElementSibling?.before(item); else item.nextElementSibling?.after(item);
    button.focus();
    listed();
  });

  // Columns: drawn wider or narrower at their right edge, by Alt and the arrows on a heading too.
  const heads = list ? all("thead th", list) : [];
  const remember = async () => {
    const widths = Object.fromEntries(heads.filter((head) => head.dataset.columnName).map((head) => [head.dataset.columnName, Math.round(head.getBoundingClientRect().width)]));
    await fetch(`/${screen}/arrange/`, { method: "POST", body: new URLSearchParams({ widths: JSON.stringify(widths) }), headers: { "X-CSRF-Token": document.body.dataset.token, Accept: "application/json" } });
  };
  const fix = () => {
    if (list.classList.contains("sized")) return;
    const widths = heads.map((head) => head.getBoundingClientRect().width);
    find("colgroup", list)?.remove();
    const group = document.createElement("colgroup");
    widths.forEach((width) => { const col = document.createElement("col"); col.style.width = `${width}px`; group.append(col); });
    list.prepend(group);
    list.classList.add("sized");
  };
  const resize = (head, width) => { fix(); find("colgroup", list).children[heads.indexOf(head)].style.width = `${Math.min(Math.max(width, 40), 1200)}px`; };
  let wait = 0;
  list?.addEventListener("pointerdown", (event) => {
    if (!event.target.matches("[data-grip]")) return;
    event.preventDefault();
    const head = event.target.closest("th"), from = event.clientX, width = head.getBoundingClientRect().width;
    event.target.setPointerCapture(event.pointerId);
    const move = (to) => resize(head, width + to.clientX - from);
    event.target.addEventListener("pointermove", move);
    event.target.addEventListener("pointerup", () => { event.target.removeEventListener("pointermove", move); remember(); }, { once: true });
  });
  list?.addEventListener("keydown", (event) => {
    const head = event.altKey && ["ArrowLeft", "ArrowRight"].includes(event.key) && event.target.closest("th[data-column-name]");
    if (!head) return;
    event.preventDefault();
    event.stopPropagation();
    resize(head, head.getBoundingClientRect().width + (event.key === "ArrowRight" ? 16 : -16));
    clearTimeout(wait);
    wait = setTimeout(remember, 400);
  });

  // A record beside the list: `p`, or Shift and a click on its row; Escape and the button close it.
  const peek = find("#peek");
  let opener = null;
  const close = () => { if (!peek.hidden) { peek.hidden = true; peek.replaceChildren(); opener?.focus(); } };
  const look = async (row) => {
    const answer = await fetch(`/${screen}/peek/?${new URLSearchParams({ id: row.dataset.id, url: here })}`);
    if (!answer.ok) return;
    opener = find("td.first a", row);
    all("tr.here", list).forEach((other) => other.classList.remove("here"));
    row.classList.add("here");
    peek.innerHTML = await answer.text();
    peek.hidden = false;
    peek.focus();
  };
  if (peek && list) {
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
      if (event.key !== "p" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable], dialog")) return;
      const row = find("tr.here", list) || event.target.closest("tr[data-id]") || find("tr[data-id]", list);
      if (row) { event.preventDefault(); look(row); }
    });
    const offer = find("#peek-button").content.firstElementChild;
    if (kind === "desk") list.addEventListener("mouseover", (event) => { // one button, in the row under the mouse
      const cell = event.target.closest("tbody tr[data-id]")?.querySelector("td.first");
      if (cell && offer.parentElement !== cell) cell.append(offer);
    });
    list.addEventListener("click", (event) => {
      const button = event.target.closest("[data-peek]");
      const row = button?.closest("tr") || (event.shiftKey && !event.target.closest("input, a, button") && event.target.closest("tr[data-id]"));
      if (row) { event.preventDefault(); look(row); }
    });
    peek.addEventListener("click", (event) => { if (event.target.closest("[data-peek-close]")) close(); });
  }

  // A list comes back where it was scrolled to.
  const place = `place:${here}`;
  if (list) {
    const came = new URL(document.referrer || "/", location.href);
    const isBack = sent || came.origin === location.origin && came.pathname.startsWith(`/${screen}/`) && came.pathname !== location.pathname;
    if (isBack) window.scrollTo(0, read(place, 0));
    window.addEventListener("pagehide", () => write(place, window.scrollY));
  }
})();
