"use strict";
// Rows are made when they are looked at: as markup, five thousand of them would take seconds to open.
// Every text is set as text. Nothing is fetched.
(() => {
  const PAGE = 50;
  const SIGNS = { added: "+", changed: "~", removed: "\u2212", kept: "" };
  const list = document.getElementById("list");
  if (!list) return;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const { texts: names, rows } = read("heads");
  // What stands inside is read when somebody opens a row, or searches.
  let texts, bodies;
  const within = (index) => {
    if (bodies === undefined) ({ texts, rows: bodies } = read("bodies"));
    return bodies[index];
  };
  const form = document.querySelector("form.filters");
  const search = document.getElementById("search");
  const status = document.getElementById("shown");
  const more = document.getElementById("more");
  const open = document.getElementById("open");
  const haystacks = new Array(rows.length);
  let matching = rows.map((_, index) => index);
  let made = 0;
  let expanded = false;

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // What stands between backticks is a name.
  function prose(className, text) {
    const made = element("span", className);
    const parts = text.split("`");
    parts.forEach((part, index) => {
      const isName = index % 2 === 1 && index + 1 < parts.length;
      if (part) made.append(isName ? element("code", "", part) : part);
    });
    return made;
  }

  function haystack(index) {
    if (haystacks[index] === undefined) {
      const [row, body] = [rows[index], within(index)];
      const all = [...(body.u || [])];
      for (const part of body.p || []) {
        all.push(part.n, part.r);
        for (const [path, before, after] of part.v || []) all.push(path, ...before, ...after);
      }
      for (const sentence of body.a || []) for (const [, text] of sentence) all.push(text);
      const found = [names[row.n], names[row.r], ...all.map((text) => texts[text])];
      haystacks[index] = found.map((text) => text ?? "").join("\n").toLowerCase();
    }
    return haystacks[index];
  }

  function side(lines, className, label) {
    const cell = element("td", className);
    if (lines.length === 0) {
      cell.append(element("span", "none", "nothing"));
      return cell;
    }
    const pre = element("pre");
    pre.append(element("span", "hidden", label), lines.map((line) => texts[line]).join("\n"));
    cell.append(pre);
    return cell;
  }

  function difference(part) {
    const table = element("table", "difference");
    table.append(element("caption", "hidden", `Differences of ${texts[part.n] ?? "the entity itself"}`));
    const head = element("tr");
    for (const title of ["What", "Live", "Desired"]) {
      const cell = element("th", "", title);
      cell.scope = "col";
      head.append(cell);
    }
    const body = element("tbody");
    for (const [path, before, after] of part.v) {
      const line = element("tr");
      const name = element("th", "", texts[path]);
      name.scope = "row";
      line.append(name, side(before, "before", "goes: "), side(after, "after", "comes: "));
      body.append(line);
    }
    const top = element("thead");
    top.append(head);
    table.append(top, body);
    return table;
  }

  function fill(body, index) {
    if (body.childElementCount > 0) return;
    const row = within(index);
    for (const words of row.u || []) {
      const line = element("p", "unmet", "Not met: ");
      line.append(prose("", texts[words]));
      body.append(line);
    }
    if (row.a) {
      const access = element("ul", "access");
      for (const sentence of row.a) {
        const item = element("li");
        for (const [kind, text] of sentence) item.append(kind === "c" ? element("code", "", texts[text]) : prose("", texts[text]));
        access.append(item);
      }
      body.append(element("p", "label", "Access"), access);
    }
    if (row.p) {
      const parts = element("ul", "parts");
      for (const part of row.p) {
        const item = element("li", part.f);
        if (part.n !== undefined) {
          const line = element("p");
          const sign = element("span", "sign", SIGNS[part.f]);
          sign.setAttribute("aria-hidden", "true");
          line.append(sign, element("span", "hidden", `${part.f}: `), element("code", "", texts[part.n]));
          if (part.r !== undefined) line.append(" ", prose("reason", `because ${texts[part.r]}`));
          if (part.d) line.append(" ", element("span", "badge bad", "destructive"));
          item.append(line);
        }
        if (part.v) {
          const scroll = element("div", "scroll");
          scroll.append(difference(part));
          item.append(scroll);
        }
        parts.append(item);
      }
      body.append(parts);
    }
  }

  function make(index) {
    const row = rows[index];
    const item = element("li", `row ${row.f}`);
    const details = element("details");
    const summary = element("summary");
    const sign = element("span", "sign", SIGNS[row.f]);
    sign.setAttribute("aria-hidden", "true");
    summary.append(sign, element("span", "hidden", `${row.f}: `), element("code", "", names[row.n]));
    for (const tag of row.t || []) {
      const words = { destructive: "destructive", access: "access gained", lost: "access lost", unmet: "not met" }[tag] ?? tag;
      summary.append(" ", element("span", { destructive: "badge bad", lost: "badge" }[tag] ?? "badge warn", words));
    }
    if (row.r !== undefined) summary.append(" ", prose("reason", names[row.r]));
    const body = element("div", "body");
    details.append(summary, body);
    details.addEventListener("toggle", () => { if (details.open) fill(body, index); });
    if (expanded) { fill(body, index); details.open = true; }
    item.append(details);
    return item;
  }

  function grow(number) {
    const until = Math.min(matching.length, made + number);
    const fragment = document.createDocumentFragment();
    while (made < until) fragment.append(make(matching[made++]));
    list.append(fragment);
    const left = matching.length - made;
    more.hidden = left === 0;
    more.textContent = `Show ${Math.min(PAGE, left)} more of ${left}`;
  }

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = { f: new Set(), k: new Set(), t: new Set() };
    for (const box of form.querySelectorAll("input:checked")) wanted[box.name].add(box.value);
    matching = [];
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index];
      if (wanted.f.size && !wanted.f.has(row.f)) continue;
      if (wanted.k.size && !wanted.k.has(row.k)) continue;
      if (wanted.t.size && !(row.t || []).some((tag) => wanted.t.has(tag))) continue;
      if (words.length) {
        const text = haystack(index);
        if (!words.every((word) => text.includes(word))) continue;
      }
      matching.push(index);
    }
    made = 0;
    list.replaceChildren();
    grow(PAGE);
    status.textContent = `${matching.length} of ${rows.length}`;
  }

  function expand(all) {
    expanded = all;
    open.textContent = all ? "Collapse all" : "Expand all";
    for (const details of list.querySelectorAll("details")) details.open = all;
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  open.addEventListener("click", () => expand(!expanded));
  more.addEventListener("click", () => {
    const first = made;
    grow(PAGE);
    list.children[first]?.querySelector("summary").focus();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      search.focus();
    }
  });
  // What is printed is everything that matches, open.
  addEventListener("beforeprint", () => { grow(matching.length); expand(true); });
  addEventListener("afterprint", () => { expand(false); filter(); });
  filter();

  // Of the map: what is tied to the box under the pointer.
  const map = document.querySelector(".map svg");
  if (map) {
    const ties = [...map.querySelectorAll(".tie")].map((tie) => [tie, tie.dataset.ends.split(" ")]);
    const nodes = new Map([...map.querySelectorAll(".node")].map((node) => [node.dataset.node, node]));
    const light = (node) => {
      map.classList.toggle("lit", Boolean(node));
      for (const other of nodes.values()) other.classList.remove("near");
      for (const [tie] of ties) tie.classList.remove("near");
      if (!node) return;
      const reached = new Set([node.dataset.node]);
      // Through a group, both ways: what leads here, and where it leads.
      for (const forward of [true, false]) {
        let ends = new Set([node.dataset.node]);
        while (ends.size) {
          const next = new Set();
          for (const [tie, [from, to]] of ties) {
            const [here, there] = forward ? [from, to] : [to, from];
            if (!ends.has(here)) continue;
            tie.classList.add("near");
            reached.add(there);
            next.add(there);
          }
          ends = next;
        }
      }
      for (const name of reached) nodes.get(name)?.classList.add("near");
    };
    map.addEventListener("pointerover", (event) => light(event.target.closest(".node")));
    map.addEventListener("pointerleave", () => light(null));
  }
})();
