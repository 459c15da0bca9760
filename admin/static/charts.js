/* Draws every <canvas data-chart="bar|line" data-labels="[…]" data-series='[{"label":…,"values":[…]}]'> in the
   page's own colours, with a dashed line at data-target. The table behind a chart stands beside it in the page,
   so nothing is only in the picture; a click on a bar leads where its line of the table does (data-links).
   Series differ by dash and point as well as by colour. */
"use strict";
(() => {
  const PAPER = { "--line": "#bbb", "--soft": "#333", "--accent": "#0f766e", "--info": "#1d4ed8", "--warn": "#854d0e" };
  const charts = [];

  function paint(canvas, isPaper) {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => (isPaper ? PAPER[name] : style.getPropertyValue(name).trim());
    const face = { family: getComputedStyle(document.body).fontFamily };
    const labels = JSON.parse(canvas.dataset.labels);
    const unit = canvas.dataset.unit || "";
    const isLine = canvas.dataset.chart === "line";
    const marks = [
      { colour: colour("--accent"), dash: [], point: "circle" },
      { colour: colour("--info"), dash: [2, 3], point: "rect" },
    ];
    const datasets = JSON.parse(canvas.dataset.series).map(({ label, values }, number) => {
      const mark = marks[number % marks.length];
      return {
        label, data: values, backgroundColor: mark.colour, borderColor: mark.colour, borderRadius: 4, maxBarThickness: 46,
        borderDash: mark.dash, pointStyle: mark.point, pointRadius: 4, borderWidth: isLine ? 2 : 0, tension: 0, spanGaps: true,
      };
    });
    if (canvas.dataset.target) {
      const target = Number(canvas.dataset.target);
      datasets.push({
        type: "line", label: `${canvas.dataset.targetLabel} ${target}${unit}`, data: labels.map(() => target),
        borderColor: colour("--warn"), backgroundColor: "transparent", borderDash: [7, 4], borderWidth: 2, pointRadius: 0, pointStyle: "line",
      });
    }
    const links = JSON.parse(canvas.dataset.links || "[]");
    const led = (points) => (points.length ? links[points[0].index] : "");
    const isCounted = datasets.every(({ data }) => data.every((value) => Number.isInteger(Number(value))));
    const axis = { grid: { color: colour("--line") }, ticks: { color: colour("--soft"), font: face } };
    return new Chart(canvas, {
      type: canvas.dataset.chart,
      data: { labels, datasets },
      options: {
        animation: false,
        interaction: { mode: "index", intersect: false },
        onClick: (_event, points) => { if (led(points)) location.assign(led(points)); },
        onHover: (event, points) => { event.native.target.style.cursor = led(points) ? "pointer" : "default"; },
        maintainAspectRatio: false,
        plugins: {
          legend: { display: datasets.length > 1, labels: { color: colour("--soft"), font: face, usePointStyle: true, boxWidth: 8, boxHeight: 8 } },
          tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.formattedValue}${unit}` } },
        },
        scales: { x: axis, y: { ...axis, beginAtZero: true, ticks: { ...axis.ticks, precision: isCounted ? 0 : undefined, callback: (value) => `${value.toLocaleString()}${unit}` } } },
      },
    });
  }

  function draw(isPaper) {
    charts.splice(0).forEach((chart) => chart.destroy());
    document.querySelectorAll("canvas[data-chart]").forEach((canvas) => charts.push(paint(canvas, isPaper)));
  }

  draw(false);
  addEventListener("beforeprint", () => draw(true));
  addEventListener("afterprint", () => draw(false));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(false));
})();
