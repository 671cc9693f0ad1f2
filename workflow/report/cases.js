// The case table: fills it for the chosen organ and measure, sorts, filters, and opens a case's organs.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("case-data").textContent);
  const table = document.getElementById("case-table");
  const form = document.getElementById("case-controls");
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const rows = [...body.rows].map((element, place) => ({ element, item: data.cases[place], values: [] }));
  const names = data.sets.length ? ["case", "role", "set"] : ["case", "role"];
  let sorted = { column: -1, ascending: true };

  const number = (value) => (value === null ? "–" : value.toFixed(3));
  const signed = (value) => (value === null ? "–" : (value > 0 ? "+" : "") + value.toFixed(3).replace("-", "−"));
  const change = (scores) => {
    const [first, last] = [scores[0], scores[scores.length - 1]];
    return scores.length < 2 || first === null || last === null ? null : last - first;
  };

  const fill = () => {
    const organ = Number(form.elements.organ.value);
    for (const row of rows) {
      const scores = row.item.scores[form.elements.measure.value][organ];
      row.values = [...names.map((name) => row.item[name]), ...scores, change(scores)];
      scores.forEach((score, place) => { row.element.cells[place + names.length].textContent = number(score); });
      row.element.cells[scores.length + names.length].textContent = signed(change(scores));
    }
  };

  const filter = () => {
    const text = form.elements.text.value.trim().toLowerCase();
    const wanted = names.slice(1).map((name) => [name, form.elements[name].value]).filter(([, value]) => value !== "");
    let shown = 0;
    for (const { element, item } of rows) {
      element.hidden = !item.case.toLowerCase().includes(text) || wanted.some(([name, value]) => item[name] !== value);
      shown += !element.hidden;
    }
    form.elements.shown.textContent = `${shown} of ${rows.length} cases`;
  };

  // Missing values stand last in either direction.
  const compare = (left, right) => {
    if (left === null || right === null) return (left === null) - (right === null);
    const order = typeof left === "string" ? left.localeCompare(right, "en", { numeric: true }) : left - right;
    return sorted.ascending ? order : -order;
  };

  const sort = () => {
    if (sorted.column < 0) return;
    rows.sort((left, right) => compare(left.values[sorted.column], right.values[sorted.column]));
    body.append(...rows.map((row) => row.element));
    headings.forEach((heading, place) => {
      const direction = sorted.ascending ? "ascending" : "descending";
      heading.setAttribute("aria-sort", place === sorted.column ? direction : "none");
    });
  };

  const close = () => {
    body.querySelectorAll(".detail").forEach((row) => row.remove());
    body.querySelectorAll("[aria-expanded=true]").forEach((button) => button.setAttribute("aria-expanded", "false"));
  };

  const line = (tag, texts) => {
    const row = document.createElement("tr");
    texts.forEach((text, place) => {
      const cell = document.createElement(place === 0 ? "th" : tag);
      cell.textContent = text;
      row.append(cell);
    });
    return row;
  };

  const open = (row, button) => {
    const inner = document.createElement("table");
    const titles = ["DSC", "NSD"].flatMap((measure) => data.rounds.map((round) => `${measure}, round ${round}`));
    inner.append(line("th", ["organ", ...titles]));
    data.organs.forEach((organ, place) => {
      const scores = ["DSC", "NSD"].flatMap((measure) => row.item.scores[measure][place].map(number));
      inner.append(line("td", [organ, ...scores]));
    });
    if ((window.viewableCases || []).includes(row.item.case)) {
      const view = Object.assign(document.createElement("button"), { type: "button", textContent: "Open in the viewer" });
      view.className = "view";
      view.dataset.view = row.item.case;
      inner.createCaption().append(view);
    }
    const detail = document.createElement("tr");
    detail.className = "detail";
    detail.insertCell().append(inner);
    detail.cells[0].colSpan = headings.length;
    row.element.after(detail);
    button.setAttribute("aria-expanded", "true");
  };

  headings.forEach((heading, column) => heading.firstElementChild.addEventListener("click", () => {
    const ascending = sorted.column === column ? !sorted.ascending : column < names.length || column === headings.length - 1;
    sorted = { column, ascending };
    close();
    sort();
  }));
  body.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.dataset.view) return;
    const wasOpen = button.getAttribute("aria-expanded") === "true";
    close();
    if (!wasOpen) open(rows.find((row) => row.element.contains(button)), button);
  });
  form.addEventListener("input", () => { close(); fill(); filter(); sort(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.reset();
  fill();
  filter();
})();
