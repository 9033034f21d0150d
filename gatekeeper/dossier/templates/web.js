"use strict";
// Sorts and narrows down the table of cases. Without it the page shows the first slice, in the order of the lock.
(() => {
  const table = document.getElementById("cases");
  if (!table) return;
  const { slice, columns } = JSON.parse(document.getElementById("case-data").textContent);
  columns.forEach((column) => { if (column.words) column.codes ??= column.words.map((_, row) => row); });
  const total = columns[0].codes.length;
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const choices = [...document.querySelectorAll("select[data-column]")];
  const more = document.getElementById("case-more");
  const counter = document.getElementById("case-count");
  const written = (number) => number.toLocaleString("en");

  // By what a column sorts: numbers as they are, words by their rank; where there is none, last either way.
  const keys = new Map();
  function keyOf(index) {
    const { values, codes, words } = columns[index];
    if (keys.has(index)) return keys.get(index);
    const ranks = new Float64Array(words ? words.length : 0);
    const ordered = words ? words.map((_, code) => code).sort((one, two) => (words[one] < words[two] ? -1 : 1)) : [];
    ordered.forEach((code, rank) => { ranks[code] = words[code] === "–" ? NaN : rank; });
    keys.set(index, Float64Array.from(values ?? codes, (value) => (values ? value ?? NaN : ranks[value])));
    return keys.get(index);
  }
  const told = ({ values, digits, codes, words }, row) => {
    if (!values) return words[codes[row]];
    return values[row] === null ? "–" : values[row].toFixed(digits).replace("-", "−");
  };

  let sorted = { column: 0, way: 0 };
  let chosen = [];
  let drawn = 0;

  function choose() {
    const wanted = choices.filter(({ value }) => value !== "").map(({ dataset, value }) => [columns[dataset.column].codes, Number(value)]);
    const { column, way } = sorted;
    chosen = Array.from({ length: total }, (_, row) => row).filter((row) => wanted.every(([codes, code]) => codes[row] === code));
    if (way) {
      const key = keyOf(column);
      chosen.sort((one, two) => {
        const [first, second] = [key[one], key[two]];
        if (Number.isNaN(first) || Number.isNaN(second)) return Number.isNaN(first) - Number.isNaN(second);
        return way * (first - second);
      });
    }
    body.replaceChildren();
    drawn = 0;
    draw();
  }

  function draw() {
    const rows = document.createDocumentFragment();
    for (const row of chosen.slice(drawn, drawn + slice)) {
      const line = document.createElement("tr");
      columns.forEach((column, index) => {
        const cell = document.createElement(index ? "td" : "th");
        if (!index) cell.scope = "row";
        if (column.values) cell.className = "right";
        cell.textContent = told(column, row);
        line.append(cell);
      });
      rows.append(line);
    }
    body.append(rows);
    drawn = Math.min(chosen.length, drawn + slice);
    const rest = chosen.length - drawn;
    counter.textContent = `${written(drawn)} of ${written(total)} shown` + (rest ? `; ${written(rest)} more fit` : "");
    more.parentElement.hidden = !rest;
    more.textContent = `Show ${written(Math.min(slice, rest))} more`;
  }

  function sort(column) {
    const way = sorted.column === column && sorted.way ? (sorted.way > 0 ? -1 : 0) : 1;
    sorted = { column, way };
    heads.forEach((head, index) => {
      head.setAttribute("aria-sort", index === column && way ? (way > 0 ? "ascending" : "descending") : "none");
    });
    choose();
  }

  heads.forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(index));
    head.replaceChildren(button);
    head.setAttribute("aria-sort", "none");
  });
  choices.forEach((choice) => choice.addEventListener("change", choose));
  more.addEventListener("click", draw);
  document.getElementById("choose-all").addEventListener("click", () => {
    choices.forEach((choice) => { choice.value = ""; });
    choose();
  });
  document.querySelector(".choices").hidden = false;
  choose();
})();
