// The case table: rows for the chosen organ and measure, sorted and filtered, added as one scrolls; a case's organs.
(() => {
  "use strict";
  const AT_ONCE = 100;
  const ON_PAPER = 300;
  const data = JSON.parse(document.getElementById("case-data").textContent);
  const table = document.getElementById("case-table");
  const form = document.getElementById("case-controls");
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const names = data.sets.length ? ["case", "role", "set"] : ["case", "role"];
  const measures = ["DSC", "NSD", "confidence"];
  const none = data.rounds.map(() => null);
  let chosen = [];
  let sorted = { column: -1, ascending: true };
  let opened = null;

  const number = (value) => (value === null ? "–" : (value / data.perOne).toFixed(3));
  const title = (round) => data.titles[data.rounds.indexOf(Number(round))];
  const signed = (value) => (value > 0 ? "+" : "") + number(value).replace("-", "−");
  const change = (scores) => {
    const known = scores.slice(0, data.chain).filter((score) => score !== null);
    return known.length < 2 ? null : known[known.length - 1] - known[0];
  };
  const decision = (item, round) => {
    const [decided, reason, masked] = item.decisions[round] ?? [];
    return decided === undefined ? null : [decided, reason, masked].map((place) => data.texts[place]);
  };
  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // What is searched, and what a pseudo-label is filtered by, of each case.
  for (const item of data.cases) {
    const decided = Object.keys(item.decisions).map((round) => [round, decision(item, round)]);
    item.text = [item.case, ...decided.flatMap(([, words]) => words)].join("\n").toLowerCase();
    item.decided = decided.map(([round, [word]]) => `${word} in ${title(round)}`);
  }
  const decided = [...new Set(data.cases.flatMap((item) => item.decided))];
  decided.sort((left, right) => left.localeCompare(right, "en", { numeric: true }));
  form.elements.decision.append(...decided.map((text) => new Option(text)));
  form.elements.decision.parentElement.hidden = !decided.length;

  const scores = (item) => item.scores[form.elements.measure.value]?.[Number(form.elements.organ.value)] ?? none;

  const row = (item) => {
    const button = element("button", { type: "button", textContent: item.case });
    button.setAttribute("aria-expanded", "false");
    const made = element("tr", { item }, element("th", { scope: "row" }, button));
    names.slice(1).forEach((name) => made.append(element("td", { className: "name", textContent: item[name] })));
    scores(item).forEach((score, place) => {
      const words = decision(item, data.rounds[place]);
      const cell = element("td", { textContent: number(score) });
      if (words) cell.append(element("small", { className: words[0], textContent: words[0] }));
      made.append(cell);
    });
    const difference = change(scores(item));
    made.append(element("td", { textContent: difference === null ? "–" : signed(difference) }));
    return made;
  };

  const more = (count = AT_ONCE) => {
    const there = body.querySelectorAll("tr:not(.detail)").length;
    body.append(...chosen.slice(there, there + Math.max(count, 0)).map(row));
    const shown = Math.min(there + Math.max(count, 0), chosen.length);
    form.elements.shown.textContent = `${chosen.length} of ${data.cases.length} cases`
      + (shown < chosen.length ? `; the first ${shown} are below, more as you scroll` : "");
  };

  // Missing values stand last in either direction.
  const compare = (left, right) => {
    if (left === null || right === null) return (left === null) - (right === null);
    return sorted.ascending ? left - right : right - left;
  };
  const byName = new Intl.Collator("en", { numeric: true }).compare;

  const update = () => {
    const text = form.elements.text.value.trim().toLowerCase();
    const wanted = names.slice(1).map((name) => [name, form.elements[name].value]).filter(([, value]) => value !== "");
    const decided = form.elements.decision.value;
    chosen = data.cases.filter((item) => item.text.includes(text) && (!decided || item.decided.includes(decided))
      && wanted.every(([name, value]) => item[name] === value));
    if (sorted.column >= 0) {
      const { column, ascending } = sorted;
      const value = (item) => {
        if (column < names.length) return item[names[column]];
        return column === headings.length - 1 ? change(scores(item)) : scores(item)[column - names.length];
      };
      const keyed = chosen.map((item) => [value(item), item]);
      const order = column < names.length ? (left, right) => (ascending ? 1 : -1) * byName(left, right) : compare;
      chosen = keyed.sort(([left], [right]) => order(left, right)).map(([, item]) => item);
    }
    opened = null;
    body.replaceChildren();
    table.parentElement.scrollTop = 0;
    more();
  };

  const organs = (item) => {
    const known = measures.filter((measure) => measure in item.scores);
    const rounds = data.rounds.map((round, place) => [round, place])
      .filter(([, place]) => known.some((measure) => item.scores[measure].some((row) => row[place] !== null)));
    const cells = (organ) => known.flatMap((measure) => rounds.map(([, place]) => number(item.scores[measure][organ][place])));
    const line = (tag, texts) => element("tr", {}, ...texts.map((textContent, place) =>
      element(place ? tag : "th", { textContent })));
    const titles = known.flatMap((measure) => rounds.map(([round]) => `${measure}, ${title(round)}`));
    return element("table", {}, line("th", ["organ", ...titles]),
      ...data.organs.map((organ, place) => line("td", [organ, ...cells(place)])));
  };

  const reasons = (item) => Object.keys(item.decisions).map((round) => {
    const [decided, reason, masked] = decision(item, round);
    const text = `: ${reason || "no reason given"}${masked ? `. Left out of the loss: ${masked}` : ""}.`;
    return element("li", {}, element("b", { textContent: `${title(round).replace(/^r/, "R")}, ${decided}` }), text);
  });

  const maps = (item) => item.maps.map(([title, path]) => element("li", {}, `${data.texts[title]}: `,
    element("code", { textContent: data.texts[path].replaceAll("{}", item.case) })));

  const detail = (item) => {
    const inner = element("td", { colSpan: headings.length });
    if (Object.keys(item.decisions).length) inner.append(element("ul", {}, ...reasons(item)));
    if (Object.keys(item.scores).length) inner.append(organs(item));
    if (item.maps.length) {
      const view = element("button", { type: "button", className: "view", textContent: "Open in the viewer" });
      view.dataset.view = item.case;
      inner.append(view);
    }
    if (item.maps.length) inner.append(element("p", { textContent: "Label maps" }), element("ul", {}, ...maps(item)));
    return element("tr", { className: "detail" }, inner);
  };

  const close = () => {
    body.querySelector(".detail")?.remove();
    opened?.setAttribute("aria-expanded", "false");
    opened = null;
  };

  headings.forEach((heading, column) => heading.firstElementChild.addEventListener("click", () => {
    const ascending = sorted.column === column ? !sorted.ascending : column < names.length || column === headings.length - 1;
    sorted = { column, ascending };
    headings.forEach((other, place) => {
      other.setAttribute("aria-sort", place !== column ? "none" : ascending ? "ascending" : "descending");
    });
    update();
  }));
  body.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.dataset.view) return;
    const wasOpen = button === opened;
    close();
    if (wasOpen) return;
    const at = button.closest("tr");
    at.after(detail(at.item));
    button.setAttribute("aria-expanded", "true");
    opened = button;
  });
  const box = table.parentElement;
  box.addEventListener("scroll", () => {
    if (box.scrollTop + box.clientHeight > box.scrollHeight - 600) more();
  });
  addEventListener("beforeprint", () => {
    more(ON_PAPER - body.querySelectorAll("tr:not(.detail)").length);
    const left = chosen.length - ON_PAPER;
    document.getElementById("case-paper").textContent = left > 0 ? `${left} more rows are in the file alone:` : "";
  });
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.reset();
  update();
})();
