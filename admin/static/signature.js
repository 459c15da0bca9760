// A signature drawn with finger, pen or mouse; kept as a picture when something was drawn.
"use strict";
(() => {
  const frame = document.querySelector("[data-signature]");
  if (!frame) return;
  const canvas = frame.querySelector("canvas");
  const field = document.querySelector("[name=signature]");
  const pen = canvas.getContext("2d");
  frame.hidden = false;
  const clear = () => {
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    Object.assign(pen, { strokeStyle: "#1a2230", lineWidth: 3, lineCap: "round", lineJoin: "round" });
    field.value = "";
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    pen.lineTo(...place(event));
    pen.stroke();
  });
  canvas.addEventListener("pointerup", () => { field.value = canvas.toDataURL("image/png"); });
  frame.querySelector("button").addEventListener("click", clear);
  clear();
})();
