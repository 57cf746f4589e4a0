"use strict";
(() => {
  const get = (id) => document.getElementById(id);
  const summary = JSON.parse(get("summary").textContent);
  const rows = JSON.parse(get("rows").textContent);
  // The positions in a row, and the sides.
  const AT = 0, SIDE = 1, KIND = 2, LAYER = 3, NAME = 4, CODE = 5, WIRE = 6, SIZE = 7, DONE = 8, DETAIL = 9;
  const SIDES = ["sent", "received", "here"];
  const SENT = 0, RECEIVED = 1;
  // The layers before it are the link, RLPx and the base protocol.
  const FIRST_PROTOCOL = 3;
  const EXTRA_ROWS = 8;

  const number = new Intl.NumberFormat("en");
  const count = (value) => (value === null ? "–" : number.format(value));
  const seconds = (nanos) => (nanos / 1e9).toFixed(nanos < 1e12 ? 6 : 3);
  const time = (nanos) => {
    if (nanos === null) return "never";
    if (nanos === 0) return "at once";
    if (nanos < 1e6) return `${(nanos / 1e3).toFixed(1)} µs`;
    return nanos < 1e9 ? `${(nanos / 1e6).toFixed(3)} ms` : `${number.format(nanos / 1e9)} s`;
  };
  const plural = (value, noun) => `${number.format(value)} ${noun}${value === 1 ? "" : "s"}`;

  // Text of a recording goes into the page only through here, as text.
  function element(tag, className, ...children) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...children);
    return made;
  }

  function showHeader() {
    const { ours, theirs, cause, stage } = summary;
    const peer = theirs.hello ? theirs.hello.client : "a peer that has not said Hello";
    const [from, to] = summary.dialled ? [ours.client, peer] : [peer, ours.client];
    get("title").textContent = `${from} → ${to}`;
    document.title = `Link: ${from} → ${to}`;
    get("ending").textContent = cause ? `Ended by ${cause.by}: ${cause.text}` : `Not ended; the stage is ${stage}`;
    get("verdict").textContent = summary.verdict.join("\n");
    get("verdict").className = summary.same ? "good" : "bad";
    get("omitted").hidden = summary.omitted === 0;
    get("omitted").textContent = `The first ${count(rows.length)} rows are shown; ${count(summary.omitted)} more are not. The figures are those of the whole link.`;
  }

  function showFigures() {
    const [trips, least, mean, greatest] = summary.trips;
    const [pings, pongs] = summary.pings;
    const total = (side) => summary.traffic.reduce((sum, row) => sum + row[side][0], 0);
    const figures = [
      ["sent-messages", count(total(1)), "messages sent"],
      ["received-messages", count(total(2)), "messages received"],
      ["sent-bytes", count(summary.bytes[0]), "bytes sent"],
      ["received-bytes", count(summary.bytes[1]), "bytes received"],
      ["pings", `${count(pongs)} of ${count(pings)}`, "Pings answered"],
      ["round-trip", trips ? time(mean) : "–", trips > 1 ? `mean round trip, ${time(least)} to ${time(greatest)}` : "round trip"],
      ["refusals", count(summary.refusals), "calls refused"],
      ["duration", `${seconds(summary.duration)} s`, "from start to end"],
    ];
    get("figures").append(...figures.map(([id, value, label]) => {
      const shown = element("b", "", value);
      shown.id = id;
      return element("div", "figure", shown, element("span", "", label));
    }));
  }

  function table(caption, head, body) {
    const cell = (tag) => (value) => element(tag, typeof value === "number" ? "number" : "", typeof value === "number" ? count(value) : value);
    const line = (tag) => (cells) => {
      const made = element("tr");
      made.append(...cells.map(cell(tag)));
      return made;
    };
    return element("table", "", element("caption", "", caption), ...head.map(line("th")), ...body.map(line("td")));
  }

  function showTables() {
    const { ours, theirs, traffic, pings, timeouts, layers } = summary;
    const offered = theirs.hello ? theirs.hello.capabilities.join(" ") : "–";
    const claim = theirs.id ? (theirs.proven ? theirs.id : `${theirs.id} (claimed, not proven)`) : "–";
    get("tables").append(
      table("Nodes", [["", "this node", "peer"]], [
        ["client", ours.client, theirs.hello ? theirs.hello.client : "–"],
        ["offers", layers.slice(FIRST_PROTOCOL).join(" "), offered],
        ["id", ours.id, claim],
      ]),
      table("Traffic of the shared protocols", [["", "sent", "in the clear", "on the wire", "received", "in the clear", "on the wire"]],
        traffic.map(([name, sent, received]) => [name, ...sent, ...received])),
      table("Pings", [["", "Pings", "Pongs"]], [["sent", pings[0], pings[3]], ["received", pings[2], pings[1]]]),
      table("Timeouts", [], timeouts.map(([name, limit]) => [name, time(limit)])),
      element("p", "", summary.tally),
    );
  }

  // The rows that the filters leave, by their positions.
  let left = rows.map((_, index) => index);
  let chosen = null;

  function chips(id, names, column) {
    const counts = new Array(names.length).fill(0);
    rows.forEach((row) => counts[row[column]]++);
    const wanted = names.map(() => true);
    names.forEach((name, index) => {
      if (counts[index] === 0) return;
      const box = element("input");
      box.type = "checkbox";
      box.checked = true;
      box.value = name;
      box.addEventListener("change", () => {
        wanted[index] = box.checked;
        filter();
      });
      get(id).append(element("label", "chip", box, `${name} `, element("i", "", count(counts[index]))));
    });
    return wanted;
  }

  function filter() {
    left = [];
    rows.forEach((row, index) => {
      if (layerWanted[row[LAYER]] && kindWanted[row[KIND]]) left.push(index);
    });
    get("nothing").hidden = left.length > 0;
    get("scroll").scrollTop = 0;
    resize();
  }

  // What completes a row: bytes leave, a message is handed out to its protocol, a refused message is taken.
  function end(row) {
    if (summary.kinds[row[KIND]] === "refused") return row[CODE] === null ? "" : "taken";
    if (row[SIDE] === SENT) return "left";
    return row[SIDE] === RECEIVED && summary.kinds[row[KIND]] === "message" && row[LAYER] >= FIRST_PROTOCOL ? "handed out" : "";
  }
  const until = (row) => (row[DONE] === null ? `not ${end(row)}` : time(row[DONE] - row[AT]));

  const hue = (layer) => (layer < FIRST_PROTOCOL ? layer : FIRST_PROTOCOL + ((layer - FIRST_PROTOCOL) % 4));

  function show(index) {
    const row = rows[index];
    const isFrame = row[SIDE] === SENT || row[SIDE] === RECEIVED;
    const kind = summary.kinds[row[KIND]];
    const prefix = kind === "refused" || kind === "skipped" ? `${kind}: ` : "";
    const text = element("span", "text", prefix + row[NAME]);
    if (row[DETAIL]) text.append(element("small", "", ` · ${row[DETAIL]}`));
    const made = element("div", `row ${SIDES[row[SIDE]]} ${kind}${index === chosen ? " chosen" : ""}`,
      element("span", "time", seconds(row[AT])),
      element("span", "lane", element("span", isFrame ? "arrow" : "note", text)),
      element("span", "bytes", row[WIRE] === null ? "" : count(row[WIRE])),
      element("span", "bytes", row[SIZE] === null ? "" : count(row[SIZE])),
      element("span", "done", end(row) && until(row)));
    made.style.setProperty("--hue", `var(--hue${hue(row[LAYER])})`);
    made.setAttribute("role", "option");
    made.setAttribute("aria-selected", index === chosen);
    made.addEventListener("click", () => choose(index));
    return made;
  }

  let height = 0, drawn = "";

  // Only the rows in view are in the document.
  function draw() {
    const scroll = get("scroll");
    const first = Math.max(0, Math.floor(scroll.scrollTop / height) - EXTRA_ROWS);
    const last = Math.min(left.length, Math.ceil((scroll.scrollTop + scroll.clientHeight) / height) + EXTRA_ROWS);
    if (drawn === `${first} ${last} ${chosen}`) return;
    drawn = `${first} ${last} ${chosen}`;
    get("window").style.top = `${first * height}px`;
    get("window").replaceChildren(...left.slice(first, last).map(show));
  }

  function resize() {
    height = parseInt(getComputedStyle(document.documentElement).getPropertyValue("--row"), 10);
    get("space").style.height = `${left.length * height}px`;
    drawn = "";
    draw();
  }

  function choose(index) {
    chosen = index;
    const row = rows[index];
    const parts = [
      `${seconds(row[AT])} s`,
      `${SIDES[row[SIDE]]}, ${summary.kinds[row[KIND]]}`,
      `${summary.layers[row[LAYER]]} ${row[NAME]}`,
    ];
    if (row[CODE] !== null) parts.push(`code 0x${row[CODE].toString(16)}`);
    if (row[WIRE] !== null) parts.push(`${plural(row[WIRE], "byte")} on the wire`);
    if (row[SIZE] !== null) parts.push(`${plural(row[SIZE], "byte")} in the clear`);
    if (end(row)) parts.push(row[DONE] === null ? until(row) : `${end(row)} ${until(row) === "at once" ? "" : "after "}${until(row)}`);
    if (row[DETAIL]) parts.push(row[DETAIL]);
    get("chosen").textContent = parts.join(" · ");
    draw();
  }

  function move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || left.length === 0) return;
    event.preventDefault();
    const at = left.indexOf(chosen);
    const next = Math.min(left.length - 1, Math.max(0, at + step));
    const scroll = get("scroll");
    const top = next * height;
    scroll.scrollTop = Math.min(top, Math.max(scroll.scrollTop, top + height - scroll.clientHeight));
    choose(left[next]);
  }

  showHeader();
  showFigures();
  showTables();
  const layerWanted = chips("layers", summary.layers, LAYER);
  const kindWanted = chips("kinds", summary.kinds, KIND);
  get("scroll").addEventListener("scroll", () => requestAnimationFrame(draw));
  get("scroll").addEventListener("keydown", move);
  new ResizeObserver(resize).observe(get("scroll"));
  resize();
})();
