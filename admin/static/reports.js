/* Widths of bars: a style attribute would break the page's content security policy. */
"use strict";
document.querySelectorAll("[data-width]").forEach((part) => { part.style.width = `${Math.min(Number(part.dataset.width), 100)}%`; });
document.querySelectorAll("[data-left]").forEach((mark) => { mark.style.left = `${Math.min(Number(mark.dataset.left), 100)}%`; });
