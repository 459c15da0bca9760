/* Draws every <canvas data-chart="bar" data-labels="[…]" data-values="[…]"> in the page's own colours.
   The table behind a chart stands beside it in the page, so nothing is only in the picture. */
"use strict";
document.querySelectorAll("canvas[data-chart]").forEach((canvas) => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const grid = { color: colour("--line") };
  const ticks = { color: colour("--soft"), font: { family: getComputedStyle(document.body).fontFamily } };
  new Chart(canvas, {
    type: canvas.dataset.chart,
    data: {
      labels: JSON.parse(canvas.dataset.labels),
      datasets: [{
        data: JSON.parse(canvas.dataset.values).map(Number),
        backgroundColor: colour("--accent"),
        borderColor: colour("--accent"),
        borderRadius: 4,
        maxBarThickness: 46,
      }],
    },
    options: {
      animation: false,
      maintainAspectRatio: true,
      plugins: { legend: { display: false } },
      scales: { x: { grid, ticks }, y: { grid, ticks, beginAtZero: true, suggestedMax: Number(canvas.dataset.most) || undefined } },
    },
  });
});
