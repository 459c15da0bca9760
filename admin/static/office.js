// Gatehouse's own script: asks before what can't be undone, keyboard, pickers, tick boxes, inline edit.
// Every page works without it, less comfortably. No inline code anywhere: the page's policy forbids it.
"use strict";
(() => {
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const token = () => document.body.dataset.token;

  // Questions: <form data-confirm="…"> is sent only after Yes.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const question = form.dataset.confirm;
    if (!question || form.dataset.confirmed) return;
    event.preventDefault();
    const dialog = find("#asking");
    find("p", dialog).textContent = question;
    dialog.returnValue = "no";
    dialog.showModal();
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "yes") {
        if (!event.submitter) form.reset(); // a choice that would have taken effect at once
        return;
      }
      form.dataset.confirmed = "1";
      if (!form.elements.confirmed) {
        const field = Object.assign(document.createElement("input"), { type: "hidden", name: "confirmed", value: "1" });
        form.append(field);
      }
      form.requestSubmit(event.submitter || undefined);
    }, { once: true });
  });

  // A form is sent once: a second click on the same button does nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || (form.method || "get") === "get" || form.method === "dialog") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });
  window.addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => { delete form.dataset.sent; }));

  // Choices that take effect at once; empty filters stay out of the address.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]") && event.target.form) event.target.form.requestSubmit();
  });
  all("form[data-filters]").forEach((form) => form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  }));

  // Menus close on Escape and on a click elsewhere.
  document.addEventListener("click", (event) => all("details.drop[open], details.person[open]").forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  }));


  // On a narrow screen the tabs scroll sideways: the one of this page is to be seen.
  find(".tabs > ul > li > [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

  // How much waits stands beside the entries of the menu; asked at most once a minute.
  const showWaiting = (counts) => all(".entries [data-entry]").forEach((entry) => {
    const badge = find(".waits", entry), count = counts[entry.dataset.entry] || 0;
    badge.textContent = count > 99 ? "99+" : count;
    badge.hidden = !count;
  });
  if (find(".entries")) {
    const key = `waiting:${document.body.dataset.person}`;
    let known = null;
    try { known = JSON.parse(sessionStorage.getItem(key)); } catch { /* no storage: ask */ }
    if (known) showWaiting(known.counts);
    if (!known || Date.now() - known.at > 60_000) {
      fetch("/inbox/counts", { headers: { Accept: "application/json" } })
        .then((answer) => (answer.ok ? answer.json() : null))
        .then((counts) => {
          if (!counts) return;
          showWaiting(counts);
          try { sessionStorage.setItem(key, JSON.stringify({ counts, at: Date.now() })); } catch { /* full */ }
        })
        .catch(() => {});
    }
  }

  // Ticked rows show the bar of actions.
  const ticks = () => all('input[name="rowid"]');
  const showTicked = () => {
    const bar = find(".acting");
    if (!bar) return;
    const count = ticks().filter((box) => box.checked).length;
    bar.hidden = !count;
    find("[data-ticked]", bar).textContent = count ? String(count) : "";
    ticks().forEach((box) => box.closest("tr")?.classList.toggle("ticked", box.checked));
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick-all]")) ticks().forEach((box) => { box.checked = event.target.checked; });
    if (event.target.matches('[data-tick-all], input[name="rowid"]')) showTicked();
  });
  window.addEventListener("pageshow", showTicked);

  // The rows of a list are remembered, so that a record opened from it knows its neighbours and the way back.
  const tab = (() => { try { return sessionStorage; } catch { return null; } })();
  const [, screen, page] = location.pathname.split("/");
  if (tab && find("table[data-list]")) {
    const ids = all("table[data-list] tr[data-id]").map((row) => row.dataset.id);
    tab.setItem(`list:${screen}`, JSON.stringify({ ids, back: location.pathname + location.search }));
  }
  const neighbours = find("[data-neighbours]");
  if (tab && neighbours && page === "details") {
    const { ids = [], back = "" } = JSON.parse(tab.getItem(`list:${screen}`) || "{}");
    const id = new URLSearchParams(location.search).get("id");
    const place = ids.indexOf(id);
    if (place >= 0 && back.startsWith(`/${screen}/`)) {
      neighbours.hidden = false;
      find("[data-back]", neighbours).href = back;
      all("[data-step]", neighbours).forEach((link) => {
        const other = ids[place + Number(link.dataset.step)];
        if (other) link.href = `${location.pathname}?id=${other}`;
      });
    }
  }

  // On a phone a table that would have to be pushed sideways becomes cards, as lists are.
  const stack = () => all("table.list.plain").forEach((table) => {
    if (table.classList.contains("stacked") || !matchMedia("(max-width: 640px)").matches) return;
    const frame = table.closest(".table-frame");
    if (!frame || frame.scrollWidth <= frame.clientWidth + 1) return;
    const names = all("thead th", table).map((head) => head.textContent.trim());
    all("tbody tr", table).forEach((row) => [...row.cells].forEach((cell, index) => {
      if (!cell.dataset.label) cell.dataset.label = names[index] || "";
      if (!index) cell.classList.add("first");
    }));
    table.classList.add("stacked");
  });
  stack();
  window.addEventListener("resize", stack);
  all(".views [aria-current]").forEach((tab) => { tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 16; });

  // Long work: the page asks how far it is and goes on when it is done.
  all("[data-poll]").forEach((card) => {
    const ask = async () => {
      const answer = await fetch(card.dataset.poll, { headers: { Accept: "application/json" } }).catch(() => null);
      const told = answer?.ok ? await answer.json() : { is_working: true };
      if (!told.is_working) { location.replace(card.dataset.next || location.href); return; }
      const bar = find("progress", card);
      if (told.done) { bar.max = told.total; bar.value = told.done; }
      const words = find("[data-done]", card);
      if (words && told.total) words.textContent = `${told.done || 0} / ${told.total}`;
      setTimeout(ask, 700);
    };
    ask();
  });

  // A chosen file is named beside its button in the page's own language, not the browser's.
  document.addEventListener("change", (event) => {
    const told = event.target.matches(".file input") && find("output", event.target.closest(".file"));
    if (told) told.textContent = [...event.target.files].map((file) => file.name).join(", ");
  });

  // Keyboard.
  let here = -1;
  const rows = () => all("table[data-list] tbody tr, .hits li");
  const go = (step) => {
    const list = rows();
    if (!list.length) return;
    list[here]?.classList.remove("here");
    here = Math.min(Math.max(here + step, 0), list.length - 1);
    list[here].classList.add("here");
    list[here].scrollIntoView({ block: "nearest" });
    find("td.first a, a", list[here])?.focus({ preventScroll: true });
  };
  const press = (key) => {
    const target = find(`[data-key="${key}"]`);
    if (!target) return false;
    if (target.matches("input")) { target.focus(); target.select(); }
    else if (target.matches("summary")) { target.parentElement.open = true; find("a, button, input", target.nextElementSibling)?.focus(); }
    else target.click();
    return true;
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") all("details.drop[open], details.person[open]").forEach((menu) => { menu.open = false; });
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && find('[data-key="/"]')) { event.preventDefault(); press("/"); return; }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s" && find('[data-key="save"]')) { event.preventDefault(); press("save"); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const step = { ArrowDown: "next", ArrowRight: "next", j: "next", ArrowUp: "previous", ArrowLeft: "previous", k: "previous" }[event.key];
    const isTyping = event.target.closest("input, select, textarea, [contenteditable], dialog");
    if (step && (!isTyping || (event.target.matches("input[data-key]") && /Up|Down/.test(event.key))) && press(step)) { event.preventDefault(); return; }
    if (event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable], dialog")) return;
    if (event.key === "?") { find("#help")?.showModal(); return; }
    if (event.key === "j" || event.key === "k") { go(event.key === "j" ? 1 : -1); event.preventDefault(); return; }
    if (event.key === "x" && rows()[here]) {
      const box = find('input[name="rowid"]', rows()[here]);
      if (box) { box.checked = !box.checked; box.dispatchEvent(new Event("change", { bubbles: true })); }
      return;
    }
    if (["/", "n", "e", "f", "b", "d", "[", "]", "u", "i", "z", "1", "2", "3", "4", "5"].includes(event.key) && press(event.key)) event.preventDefault();
  });
  find("[data-help]")?.addEventListener("click", () => find("#help").showModal());

  // Pickers: a box that looks up rows and keeps the chosen one's id in the hidden field beside it.
  all("[data-picker]").forEach((picker, number) => {
    const [hidden, box] = [find('input[type="hidden"]', picker), find("input[role=combobox]", picker)];
    const list = document.createElement("ul");
    list.id = `picker-${number}`;
    list.setAttribute("role", "listbox");
    list.hidden = true;
    list.setAttribute("aria-label", box.getAttribute("aria-label") || box.labels?.[0]?.textContent.trim() || box.placeholder);
    picker.append(list);
    box.setAttribute("aria-controls", list.id);
    let chosen = -1, wait = 0, asked = 0;
    const close = () => { list.hidden = true; box.setAttribute("aria-expanded", "false"); chosen = -1; };
    const take = (item) => {
      hidden.value = item.dataset.value; box.value = item.textContent; box.setCustomValidity(""); close();
      hidden.dispatchEvent(new Event("change", { bubbles: true }));
      if ("submits" in picker.dataset) box.form.requestSubmit();
    };
    const mark = (step) => {
      const items = [...list.children];
      if (!items.length) return;
      chosen = (chosen + step + items.length) % items.length;
      items.forEach((item, index) => item.setAttribute("aria-selected", String(index === chosen)));
      box.setAttribute("aria-activedescendant", items[chosen].id);
      items[chosen].scrollIntoView({ block: "nearest" });
    };
    const look = async () => {
      const mine = ++asked;
      const url = new URL(picker.dataset.picker, location.href);
      url.searchParams.set("query", box.value.trim());
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok || mine !== asked) return;
      list.replaceChildren(...(await answer.json()).map(([value, text], index) => {
        const item = Object.assign(document.createElement("li"), { id: `${list.id}-${index}`, textContent: text });
        item.dataset.value = value;
        item.setAttribute("role", "option");
        item.addEventListener("mousedown", (event) => { event.preventDefault(); take(item); });
        return item;
      }));
      list.hidden = !list.children.length;
      box.setAttribute("aria-expanded", String(!list.hidden));
      chosen = -1;
      if (box.value.trim() && list.children.length) mark(1);
    };
    // What was typed in full and not chosen is taken when it names exactly one record.
    const takeNamed = async () => {
      const typed = box.value.trim();
      if (hidden.value || !typed) return;
      const url = new URL(picker.dataset.picker, location.href);
      url.searchParams.set("query", typed);
      url.searchParams.set("named", "1");
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok || hidden.value || box.value.trim() !== typed) return;
      const named = await answer.json();
      if (named.length === 1) {
        [hidden.value, box.value] = named[0];
        hidden.dispatchEvent(new Event("change", { bubbles: true }));
        if ("submits" in picker.dataset) box.form.requestSubmit();
      } else box.setCustomValidity(named.length ? picker.dataset.several : picker.dataset.none);
    };
    box.addEventListener("input", () => { hidden.value = ""; box.setCustomValidity(""); clearTimeout(wait); wait = setTimeout(look, 120); });
    box.addEventListener("click", () => { if (!hidden.value) look(); });
    box.addEventListener("blur", () => {
      clearTimeout(wait); asked += 1;
      close();
      takeNamed();
      if (!box.value && "submits" in picker.dataset && picker.dataset.had) box.form.requestSubmit();
    });
    if (hidden.value) picker.dataset.had = "1";
    box.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); list.hidden ? look() : mark(event.key === "ArrowDown" ? 1 : -1); }
      else if (event.key === "Enter" && !list.hidden && chosen >= 0) { event.preventDefault(); take(list.children[chosen]); }
      else if (event.key === "Escape") close();
    });
  });

  // Inline edit: a double click or Enter on a cell that may be changed.
  const edit = (cell) => {
    if (cell.dataset.open) return;
    const row = cell.closest("tr");
    const before = cell.innerHTML;
    const box = Object.assign(document.createElement("input"), { value: cell.textContent.trim().replace(/^–$/, "") });
    box.setAttribute("aria-label", cell.dataset.label);
    cell.dataset.open = "1";
    cell.replaceChildren(box);
    box.focus();
    box.select();
    const end = (html) => { delete cell.dataset.open; cell.innerHTML = html; };
    const save = async () => {
      const body = new URLSearchParams({ id: row.dataset.id, row_version: row.dataset.version, name: cell.dataset.edit, [cell.dataset.edit]: box.value });
      const answer = await fetch(new URL("ajax/update/", location.href.split("?")[0]), { method: "POST", body, headers: { "X-CSRF-Token": token(), Accept: "application/json" } });
      const told = await answer.json().catch(() => ({ error: answer.statusText }));
      if (!answer.ok) { box.setCustomValidity(told.error || ""); box.reportValidity(); return; }
      row.dataset.version = told.row_version;
      end(told.html);
    };
    box.addEventListener("input", () => box.setCustomValidity(""));
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); save(); }
      if (event.key === "Escape") end(before);
      event.stopPropagation();
    });
  };
  document.addEventListener("dblclick", (event) => { const cell = event.target.closest("td[data-edit]"); if (cell) edit(cell); });
  document.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("td[data-edit]")) edit(event.target); });

  all("form[data-form]").forEach((form) => {
    (find(".wrong :is(input, select, textarea)", form) || find("input:not([type=hidden]), select, textarea", form))?.focus({ preventScroll: true });
  });
})();
