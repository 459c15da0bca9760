// What a person types is never lost (goal U7): pages with typed text ask before they are left, a draft of each
// form is kept in this browser until it is saved, and a page whose session has ended waits for signing in again.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const store = (() => { try { localStorage.getItem("x"); return localStorage; } catch { return null; } })();
  const person = document.body.dataset.person;
  const isRefused = Boolean(document.querySelector('.flash.bad[role="alert"], .field.wrong, [data-error]'));
  const DAYS = 7, DAY = 86400000;

  // Drafts, by person and form. Sealed values, passwords and files are never among them.
  const mine = `draft:${person}:`;
  const keys = () => store ? Object.keys(store).filter((key) => key.startsWith(mine)) : [];
  const read = (key) => { try { return JSON.parse(store.getItem(key)); } catch { return null; } };
  const write = (key, draft) => { try { store?.setItem(key, JSON.stringify(draft)); } catch { /* no room: the page still asks */ } };
  const fields = (form) => [...form.elements].filter((each) => each.name && each.matches("input, select, textarea")
    && !("sealed" in each.dataset) && !["password", "file", "submit", "button"].includes(each.type)
    && (each.type !== "hidden" || each.closest("[data-picker]")));
  const typedIn = (form) => fields(form).map((each) => [each.name,
    ["checkbox", "radio"].includes(each.type) ? [each.value, each.checked]
      : each.multiple ? [...each.selectedOptions].map((option) => option.value) : each.value]);
  const nameOf = (form) => {
    const ids = [...form.elements].filter((each) => each.type === "hidden" && ["id", "rowid", "unit_id", "action", "name"].includes(each.name));
    const url = new URL(form.action, location.href);
    return mine + url.pathname + url.search + ids.map((each) => `|${each.name}=${each.value}`).join("");
  };
  const putBack = (form, typed) => {
    const values = typed.slice();
    fields(form).forEach((each) => {
      const place = values.findIndex(([name, value]) => name === each.name && (!["checkbox", "radio"].includes(each.type) || value[0] === each.value));
      if (place < 0) return;
      const [[, value]] = values.splice(place, 1);
      if (["checkbox", "radio"].includes(each.type)) each.checked = value[1];
      else if (each.multiple) [...each.options].forEach((option) => { option.selected = value.includes(option.value); });
      else each.value = value;
    });
    fields(form).forEach((each) => each.dispatchEvent(new Event("change", { bubbles: true })));
  };

  // A draft that was sent is forgotten as soon as a page comes that is no refusal and no error.
  keys().forEach((key) => {
    const draft = read(key);
    if (!draft || Date.now() - draft.at > DAYS * DAY || (draft.isSent && !isRefused)) store.removeItem(key);
    else if (draft.isSent) write(key, { ...draft, isSent: false });
  });
  all("[data-sign-out]").forEach((form) => form.addEventListener("submit", () => keys().forEach((key) => store.removeItem(key))));

  const typedForms = person ? all('form[method="post"]').filter((form) =>
    !form.matches("[data-acting], [data-setting], [data-sign-out], .choices") && !form.querySelector("[type=password]")
    && form.querySelector("textarea, select, input:not([type=hidden])")) : [];
  const waiting = new Set(); // forms with typed text that was not sent
  typedForms.forEach((form) => {
    const key = nameOf(form);
    const isShownAgain = "again" in document.body.dataset && (isRefused || "form" in form.dataset); // as it was typed
    let before = JSON.stringify(typedIn(form));
    let timer = 0;
    const keep = () => {
      clearTimeout(timer);
      if (waiting.has(form)) write(key, { at: Date.now(), typed: typedIn(form) });
    };
    const note = () => {
      if (JSON.stringify(typedIn(form)) === before && !isShownAgain) { waiting.delete(form); store?.removeItem(key); return; }
      waiting.add(form);
      clearTimeout(timer);
      timer = setTimeout(keep, 300);
    };
    form.addEventListener("input", note);
    form.addEventListener("change", (event) => { if (event.isTrusted || event.target.type === "hidden") note(); });
    form.addEventListener("stored", () => { before = JSON.stringify(typedIn(form)); note(); }); // sent by a script
    window.addEventListener("pagehide", keep);
    if (isShownAgain) waiting.add(form);

    const draft = store && read(key);
    if (draft && !isShownAgain && JSON.stringify(draft.typed) !== before) {
      const offer = document.getElementById("draft").content.firstElementChild.cloneNode(true);
      const time = offer.querySelector("time");
      time.dateTime = new Date(draft.at).toISOString();
      time.textContent = new Date(draft.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
      offer.querySelector("[data-restore]").addEventListener("click", () => { putBack(form, draft.typed); offer.remove(); note(); });
      offer.querySelector("[data-discard]").addEventListener("click", () => { store.removeItem(key); offer.remove(); });
      form.before(offer);
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !typedForms.includes(event.target)) return;
    const form = event.target, key = nameOf(form);
    write(key, { at: Date.now(), typed: typedIn(form), isSent: true });
    waiting.delete(form);
  });
  window.addEventListener("beforeunload", (event) => {
    const cell = all("td[data-open] input").some((box) => box.value !== box.defaultValue);
    if (waiting.size || cell) event.preventDefault();
  });

  // A background question of a page whose session has ended: it is asked again once the person is back.
  const plain = window.fetch.bind(window);
  let signingIn = null;
  const untilSignedIn = () => signingIn ??= new Promise((resolve) => {
    const dialog = document.getElementById("ended");
    dialog.showModal();
    const done = () => { window.removeEventListener("focus", done); signingIn = null; dialog.close(); resolve(); };
    window.addEventListener("focus", done);
    dialog.addEventListener("close", done, { once: true });
  });
  window.fetch = async (...asked) => {
    let answer = await plain(...asked);
    if (answer.status === 401 && person) {
      await untilSignedIn();
      answer = await plain(...asked);
    }
    return answer;
  };
})();
