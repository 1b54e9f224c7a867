"use strict";
// Shows the rows of long tables, page by page. Rows are data: they only ever become text.
(() => {
  const PAGE = 50;
  const SEPARATOR = /(?<=[/_:])(?=[\p{L}\p{N}_])|(?<=\.)(?=\p{L})/u;
  const HUMP = /(?<=[/_:])(?=[\p{L}\p{N}_])|(?<=\.)(?=\p{L})|(?<=\p{Ll})(?=\p{Lu})/u;
  const LONG = 20;
  const COMMAND = /`((?:(?:dataware|cdk|aws|pip|uv) |--)[^`]+)`/;
  const number = new Intl.NumberFormat("en");

  // A line may end after the separators of a name, and within a long one before a capital letter.
  const breakable = (text) => text.split(/(?<=\s)/).flatMap((word) =>
    word.split(word.length < LONG ? SEPARATOR : HUMP)
      .flatMap((part, at) => (at === 0 ? [part] : [document.createElement("wbr"), part])));

  class Rows {
    constructor(table) {
      this.table = table;
      this.form = table.querySelector("form");
      this.body = table.querySelector("tbody");
      this.shown = table.querySelector(".shown");
      this.heads = Array.from(table.querySelectorAll("thead th"), (head) => head.textContent);
      this.styles = JSON.parse(table.dataset.styles);
      this.at = 0;
      this.form.hidden = false;
      this.form.addEventListener("submit", (event) => event.preventDefault());
      this.form.addEventListener("input", () => this.go(0));
      this.form.elements.back.addEventListener("click", () => this.go(this.at - PAGE));
      this.form.elements.on.addEventListener("click", () => this.go(this.at + PAGE));
      this.form.elements.back.disabled = true;
    }

    // Reading a hundred thousand rows takes longer than anything else here, so it waits for a wish.
    read() {
      if (this.rows === undefined) {
        const data = JSON.parse(this.table.querySelector("script").textContent);
        this.terms = data.terms;
        this.rows = data.rows;
        this.texts = data.rows.map((row) => row.map((cell) => this.text(cell)).join("\n").toLowerCase());
      }
    }

    lines(cell, style) {
      if (typeof cell === "number") return [[style, this.terms[cell]]];
      return typeof cell === "string" ? [[style, cell]] : cell;
    }

    text(cell) {
      return this.lines(cell, "").map((line) => line[1]).join("\n");
    }

    chosen() {
      const find = this.form.elements.find.value.trim().toLowerCase();
      const wanted = Array.from(this.form.querySelectorAll("select"))
        .filter((select) => select.value !== "")
        .map((select) => [Number(select.name), this.terms.indexOf(select.value)]);
      const fits = (row, n) =>
        (find === "" || this.texts[n].includes(find)) && wanted.every(([column, term]) => row[column] === term);
      return this.rows.filter(fits);
    }

    go(at) {
      this.read();
      const rows = this.chosen();
      this.at = at < 0 || at >= rows.length ? 0 : at;
      const some = rows.slice(this.at, this.at + PAGE);
      this.body.replaceChildren(...some.map((row) => this.row(row)));
      const of = number.format(rows.length);
      this.shown.textContent = rows.length === 0
        ? "No row fits."
        : `${number.format(this.at + 1)} to ${number.format(this.at + some.length)} of ${of}.`;
      this.form.elements.back.disabled = this.at === 0;
      this.form.elements.on.disabled = this.at + PAGE >= rows.length;
    }

    row(cells) {
      const row = document.createElement("tr");
      row.setAttribute("role", "row");
      row.append(...cells.map((cell, column) => this.cell(cell, column)));
      return row;
    }

    // Commands stand as code instead of in backticks, as in the rows that are in the page.
    prose(text) {
      return text.split(COMMAND).map((part, at) => {
        if (at % 2 === 0) return breakable(part);
        const code = document.createElement("code");
        code.append(...breakable(part));
        return [code];
      }).flat();
    }

    cell(cell, column) {
      const made = document.createElement(column === 0 ? "th" : "td");
      made.setAttribute("role", column === 0 ? "rowheader" : "cell");
      if (column === 0) made.setAttribute("scope", "row");
      else made.dataset.label = this.heads[column];
      for (const [style, text] of this.lines(cell, this.styles[column])) {
        if (text === "") continue;
        const line = document.createElement("div");
        line.className = style === "tag" ? `tag ${text}` : style;
        if (style === "tag") line.textContent = text;
        else if (style === "code" || style === "strong") line.append(...breakable(text));
        else line.append(...this.prose(text));
        made.append(line);
      }
      return made;
    }
  }

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const long = [];
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (data.length > 8 && !parentElement.closest("script, svg, select, .tag")) long.push(texts.currentNode);
  }
  long.forEach((text) => text.replaceWith(...breakable(text.data)));

  document.querySelectorAll(".table").forEach((table) => {
    if (table.querySelector("form")) new Rows(table);
  });

  // What is folded away on the screen is wanted on paper.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    opened.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((details) => { details.open = false; }));
})();
