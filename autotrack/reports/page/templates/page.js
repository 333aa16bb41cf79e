"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const run = data.run;
  const root = document.documentElement;
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  // -- numbers ---------------------------------------------------------------------------------

  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const powerOfTen = (exponent) =>
    "10" + String(exponent).replace("-", "⁻").replace(/\d/g, (digit) => SUPERSCRIPTS[digit]);

  function number(value, digits = 4) {
    if (Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    if (value === 0) return "0";
    const [mantissa, power] = value.toExponential(digits - 1).split("e");
    const exponent = Number(power);
    if (exponent >= -4 && exponent < 7) {
      const decimals = Math.max(0, digits - 1 - exponent);
      const text = value.toLocaleString("en-US", { maximumFractionDigits: decimals });
      return text.replace("-", "−");
    }
    return `${Number(mantissa)}×${powerOfTen(exponent)}`.replace("-", "−");
  }

  const whole = (value) => Math.round(value).toLocaleString("en-US");

  function duration(seconds) {
    if (seconds < 60) return `${number(seconds, 3)} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
    return `${whole(Math.floor(seconds / 3600))} h ${Math.floor((seconds % 3600) / 60)} min`;
  }

  // -- scales ----------------------------------------------------------------------------------

  function roundValues(low, high, about, whole) {
    const rough = (high - low) / about;
    const power = 10 ** Math.max(Math.floor(Math.log10(rough)), whole ? 0 : -300);
    const step = (whole ? [1, 2, 5, 10] : [1, 2, 2.5, 5, 10]).map((f) => f * power).find((s) => s >= rough * 0.999);
    const values = [];
    for (let i = Math.ceil(low / step - 1e-9); i <= Math.floor(high / step + 1e-9); i++) {
      values.push(i * step);
    }
    return values;
  }

  function logValues(low, high) {
    const first = Math.ceil(low), last = Math.floor(high);
    const values = [];
    if (last > first) {
      const stride = Math.max(1, Math.ceil((last - first + 1) / 6));
      for (let power = first; power <= last; power++) {
        if (power % stride === 0) values.push(10 ** power);
      }
      return values;
    }
    for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
      for (const factor of [1, 2, 5]) {
        const value = factor * 10 ** power;
        if (Math.log10(value) >= low && Math.log10(value) <= high) values.push(value);
      }
    }
    return values.length > 1 ? values : roundValues(10 ** low, 10 ** high, 4);
  }

  function tickLabels(values) {
    const gap = values.length > 1 ? Math.abs(values[1] - values[0]) : Math.abs(values[0]);
    const largest = Math.max(...values.map(Math.abs), 0);
    if (largest && (largest < 1e-3 || largest >= 1e7)) {
      const digits = clamp(3 + Math.floor(Math.log10(largest / gap)), 1, 9);
      return values.map((value) => number(value, digits));
    }
    let decimals = 0;
    while (decimals < 12 && values.some((v) => Math.abs(Number(v.toFixed(decimals)) - v) > 0.01 * gap)) {
      decimals++;
    }
    const format = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    return values.map((v) => (v === 0 ? 0 : v).toLocaleString("en-US", format).replace("-", "−"));
  }

  function stepLabels(values) {
    const largest = Math.max(...values);
    const [unit, letter] = largest >= 2e6 ? [1e6, "M"] : largest >= 1e4 ? [1e3, "k"] : [1, ""];
    return values.map((v) => (v ? `${Number((v / unit).toPrecision(9)).toLocaleString("en-US")}${letter}` : "0"));
  }

  const NICE_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  function timeTicks(low, high) {
    const rough = (high - low) / 7;
    if (rough < 1) return roundValues(low, high, 7).map((v) => [v, `${number(v, 3)} s`]);
    const step = NICE_SECONDS.find((s) => s >= rough) || Math.ceil(rough / 86400) * 86400;
    const ticks = [];
    for (let v = Math.ceil(low / step) * step; v <= high; v += step) {
      const label = step < 60 && v < 60 ? `${v} s`
        : v < 3600 ? `${Math.floor(v / 60)}${step < 60 ? ":" + String(v % 60).padStart(2, "0") : ""} min`
        : `${Math.floor(v / 3600)}${v % 3600 ? ":" + String(Math.floor((v % 3600) / 60)).padStart(2, "0") : ""} h`;
      ticks.push([v, v ? label : "0"]);
    }
    return ticks;
  }

  function lowerBound(values, wanted) {
    let low = 0, high = values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function interpolate(xs, ys, x) {
    const i = clamp(lowerBound(xs, x), 1, xs.length - 1);
    const gap = xs[i] - xs[i - 1];
    return gap ? ys[i - 1] + ((x - xs[i - 1]) / gap) * (ys[i] - ys[i - 1]) : ys[i];
  }

  // -- what all charts share: which part of the run is seen, and in which unit ------------------

  const shared = { low: run.low, high: run.high, mode: "step", cursor: null };
  const modes = [];
  if (run.byEpoch || run.epochs) modes.push("epoch");
  if (!run.byEpoch) modes.push("step");
  if (run.time) modes.push("time");
  shared.mode = modes[0];

  const toUnit = (position) =>
    shared.mode === "time" ? interpolate(run.time.at, run.time.seconds, position) : position;
  const fromUnit = (unit) =>
    shared.mode === "time" ? interpolate(run.time.seconds, run.time.at, unit) : unit;
  const isWhole = () => shared.low === run.low && shared.high === run.high;

  function setView(low, high) {
    const least = run.byEpoch ? 1 : Math.min(2, run.high - run.low);
    let width = clamp(high - low, Math.min(least, run.high - run.low), run.high - run.low);
    const middle = (low + high) / 2;
    shared.low = clamp(middle - width / 2, run.low, run.high - width);
    shared.high = shared.low + width;
    redraw();
  }

  function zoom(factor, about) {
    const centre = about ?? (shared.low + shared.high) / 2;
    setView(centre - (centre - shared.low) * factor, centre + (shared.high - centre) * factor);
  }

  const reset = () => setView(run.low, run.high);

  function move(share) {
    const by = clamp(share * (shared.high - shared.low), run.low - shared.low, run.high - shared.high);
    setView(shared.low + by, shared.high + by);
  }

  function runTicks(pixels) {
    const many = Math.max(2, Math.floor(pixels / 85));
    const low = toUnit(shared.low), high = toUnit(shared.high);
    if (shared.mode === "time") return { name: "Time", ticks: timeTicks(low, high).filter((_, i, all) => all.length <= many + 2 || i % 2 === 0) };
    const epochs = shared.mode === "epoch" ? run.epochs : null;
    if (epochs && !run.byEpoch) {
      const from = Math.max(lowerBound(epochs.starts, shared.low + 1e-9) - 1, 0);
      const to = lowerBound(epochs.starts, shared.high);
      if (to - from > 1 && to - from <= Math.min(14, many * 2)) return spans(epochs, from, to);
      if (to - from > 1) {
        const stride = Math.max(1, ...roundValues(0, to - from, many, true).slice(1, 2));
        const ticks = [];
        for (let i = from; i < to; i++) {
          if (epochs.numbers[i] % stride === 0) ticks.push([epochs.starts[i], whole(epochs.numbers[i])]);
        }
        return { name: "Epoch", ticks };
      }
      const at = epochs.numbers[from];
      return { name: `Step, in epoch ${at}`, ticks: stepTicks(low, high, many) };
    }
    return { name: run.byEpoch ? "Epoch" : "Step", ticks: stepTicks(low, high, many) };
  }

  function stepTicks(low, high, many) {
    const values = roundValues(low, high, many, true).filter((v) => v >= 0);
    const labels = stepLabels(values);
    return values.map((value, i) => [value, labels[i]]);
  }

  function spans(epochs, from, to) {
    const ticks = [];
    for (let i = from; i < to; i++) {
      const start = epochs.starts[i];
      const end = i + 1 < epochs.starts.length ? epochs.starts[i + 1] : Math.max(run.total, start + 1);
      ticks.push([start, ""]);
      const seen = [Math.max(start, shared.low), Math.min(end, shared.high)];
      if (seen[1] > seen[0]) ticks.push([(seen[0] + seen[1]) / 2, whole(epochs.numbers[i]), true]);
      if (i === to - 1) ticks.push([end, ""]);
    }
    return { name: "Epoch", ticks };
  }

  function describe(position, done) {
    const parts = [];
    if (run.byEpoch) parts.push(`epoch ${Math.round(position)}`);
    else {
      if (run.epochs && run.epochs.starts.length) {
        const after = lowerBound(run.epochs.starts, position + (done ? 0 : 1e-6));
        parts.push(`epoch ${run.epochs.numbers[Math.max(after - 1, 0)]}`);
      }
      parts.push(`${done ? "after step" : "step"} ${whole(position)}`);
    }
    if (run.time) parts.push(duration(Math.max(interpolate(run.time.at, run.time.seconds, position), 0)));
    return parts.join(" · ");
  }

  // -- one line --------------------------------------------------------------------------------

  function bytes(text) {
    const raw = atob(text);
    const found = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) found[i] = raw.charCodeAt(i);
    return found.buffer;
  }

  class Line {
    constructor(given) {
      Object.assign(this, { name: given.name, colour: given.colour, dash: given.dash, kind: given.kind, each: given.each || 1, done: given.done });
      this.y = new Float32Array(bytes(given.y));
      this.top = given.high ? new Float32Array(bytes(given.high)) : this.y;
      this.x = places(given.x, given.n);
      this.shown = true;
    }
    range() {
      const from = Math.max(lowerBound(this.x, shared.low) - 1, 0);
      const to = Math.min(lowerBound(this.x, shared.high) + 1, this.x.length);
      return [from, to];
    }
    nearest(position) {
      const i = clamp(lowerBound(this.x, position), 0, this.x.length - 1);
      return i > 0 && position - this.x[i - 1] <= this.x[i] - position ? i - 1 : i;
    }
    said(i, unit) {
      const end = unit ? ` ${unit}` : "";
      if (this.top === this.y || this.top[i] === this.y[i]) return number(this.y[i]) + end;
      return `${number(this.y[i], 3)} – ${number(this.top[i], 3)}${end}`;
    }
  }

  function places(given, n) {
    if (given.values) return new Float32Array(bytes(given.values));
    if (given.wide) return new Float64Array(bytes(given.wide));
    return Float64Array.from({ length: n }, (_, i) => given.first + given.stride * i);
  }

  // -- one chart -------------------------------------------------------------------------------

  class Chart {
    constructor(given) {
      Object.assign(this, { unit: given.unit, log: given.log, zero: given.zero, flags: given.flags, skips: given.skips });
      this.section = byId(given.key);
      this.lines = given.lines.map((line) => new Line(line));
      const find = (selector) => this.section.querySelector(selector);
      this.area = find(".area");
      this.svg = find(".curves");
      this.group = find(".lines");
      [this.rows, this.columns] = this.section.querySelectorAll(".rule");
      this.ylabels = find(".ylabels");
      this.xlabels = find(".xlabels");
      this.xname = find(".xname");
      this.links = [...this.area.querySelectorAll(".flag")];
      this.bands = [...this.svg.querySelectorAll(".bands rect")];
      this.starts = [...this.svg.querySelectorAll(".bands path")];
      this.title = find("h3").textContent.trim();
      this.stale = true;
      this.makeLegend();
      if (given.logs) this.makeLogButton();
      this.listen();
    }

    makeLegend() {
      this.section.querySelectorAll(".legend li").forEach((item, i) => {
        const button = element("button", { type: "button", "aria-pressed": "true", title: "Show or hide this line" });
        button.append(...item.childNodes);
        item.append(button);
        button.removeAttribute("aria-pressed");
        button.addEventListener("click", () => {
          const line = this.lines[i];
          line.shown = !line.shown;
          item.classList.toggle("off", !line.shown);
          button.setAttribute("aria-label", `${line.name}, ${line.shown ? "shown" : "hidden"}`);
          this.draw();
        });
      });
    }

    makeLogButton() {
      const button = element("button", { type: "button", "aria-pressed": String(this.log) }, "Log scale");
      button.addEventListener("click", () => {
        this.log = !this.log;
        button.setAttribute("aria-pressed", String(this.log));
        this.draw();
      });
      this.section.querySelector(".tools").append(button);
    }

    share(position) {
      return (toUnit(position) - this.low) / (this.high - this.low);
    }

    limits() {
      let low = Infinity, high = -Infinity;
      for (const line of this.lines) {
        if (!line.shown) continue;
        const [from, to] = line.range();
        for (let i = from; i < to; i++) {
          const a = line.y[i], b = line.top[i];
          if (Number.isFinite(a) && a < low && !(this.log && a <= 0)) low = a;
          if (Number.isFinite(b) && b > high) high = b;
        }
      }
      if (this.log && high > 0 && low <= high) {
        const room = 0.06 * Math.max(Math.log10(high / low), 0.5);
        return [Math.log10(low) - room, Math.log10(high) + room];
      }
      if (!(low <= high)) return [0, 1];
      if (this.zero) [low, high] = [Math.min(low, 0), Math.max(high, 0)];
      let spread = high - low;
      if (spread <= 1e-6 * Math.max(Math.abs(low), Math.abs(high))) spread = Math.abs(high) || 1;
      return [this.zero && low === 0 ? 0 : low - 0.06 * spread, high + 0.06 * spread];
    }

    height(value) {
      const level = this.log ? (value > 0 ? Math.log10(value) : NaN) : value;
      return 1000 * (1 - (level - this.bottom) / (this.top - this.bottom));
    }

    draw() {
      this.low = toUnit(shared.low);
      this.high = toUnit(shared.high);
      [this.bottom, this.top] = this.limits();
      this.stale = false;
      this.width = this.area.clientWidth || 800;
      this.area.classList.add("drawn");
      this.group.replaceChildren();
      let missing = "";
      for (const line of this.lines) {
        if (!line.shown) continue;
        const look = `c${line.colour} d${line.dash}`;
        const [path, gaps] = this.path(line);
        this.add(`${line.kind} ${look}`, path);
        if (line.kind === "dots") this.add(`points ${look}`, this.dots(line));
        missing += gaps;
      }
      this.add("missing", missing);
      this.add("between", run.between.map((at) => `M${(1000 * this.share(at)).toFixed(1)} 0V1000`).join(""));
      this.add("skips", this.skips.map((at) => `M${(1000 * this.share(at)).toFixed(1)} 1000v-30`).join(""));
      this.drawTicks();
      this.drawFlags();
      this.showCursor();
    }

    add(look, path) {
      const made = document.createElementNS(SVG, "path");
      made.setAttribute("class", look);
      made.setAttribute("d", path);
      this.group.append(made);
    }

    path(line) {
      const [from, to] = line.range();
      const parts = [], missing = [];
      const perPixel = (to - from) / this.width > 1.5;
      let down = false, column = -1, low = 0, high = 0;
      const point = (x, y) => {
        parts.push(`${down ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`);
        down = true;
      };
      const flush = () => {
        if (column < 0 || low > high) return;
        const x = (1000 * column) / this.width;
        point(x, high);
        if (low !== high) point(x, low);
      };
      // a line ends where a training of new weights begins
      let parted = 0;
      for (let i = from; i < to; i++) {
        const known = parted;
        while (line.done ? run.partings[parted] < line.x[i] : run.partings[parted] <= line.x[i]) parted += 1;
        if (parted > known) {
          if (perPixel) flush();
          column = -1;
          down = false;
        }
        const share = this.share(line.x[i]);
        const bottom = this.height(line.y[i]), top = this.height(line.top[i]);
        if (!Number.isFinite(bottom) || !Number.isFinite(top)) {
          if (perPixel) flush();
          column = -1;
          down = false;
          if (!Number.isFinite(line.y[i]) && missing.length < 2000) missing.push(`M${(1000 * share).toFixed(1)} 0V26`);
        } else if (!perPixel) {
          point(1000 * share, bottom);
          if (top !== bottom) point(1000 * share, top);
        } else {
          const at = Math.floor(share * this.width);
          if (at !== column) {
            flush();
            column = at;
            low = Infinity;
            high = -Infinity;
          }
          low = Math.min(low, bottom, top);
          high = Math.max(high, bottom, top);
        }
      }
      if (perPixel) flush();
      return [parts.join(""), missing.join("")];
    }

    dots(line) {
      const [from, to] = line.range();
      const parts = [];
      for (let i = from; i < to; i++) {
        const y = this.height(line.y[i]);
        if (Number.isFinite(y)) parts.push(`M${(1000 * this.share(line.x[i])).toFixed(1)} ${y.toFixed(1)}h.01`);
      }
      return parts.join("");
    }

    drawTicks() {
      const values = this.log ? logValues(this.bottom, this.top) : roundValues(this.bottom, this.top, 5);
      const allPowers = this.log && values.every((v) => Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-9);
      const labels = allPowers && values.some((v) => v < 1e-3 || v > 1e3) ? values.map((v) => powerOfTen(Math.round(Math.log10(v))))
        : this.log ? values.map((v) => number(v, 3)) : tickLabels(values);
      this.rows.setAttribute("d", values.map((v) => `M0 ${this.height(v).toFixed(1)}H1000`).join(""));
      this.ylabels.replaceChildren(...values.map((v, i) => {
        const label = element("span", {}, labels[i]);
        label.style.bottom = `${(100 - this.height(v) / 10).toFixed(2)}%`;
        return label;
      }));
      const { name, ticks } = runTicks(this.width);
      const at = (tick) => (shared.mode === "time" ? (tick[0] - this.low) / (this.high - this.low) : this.share(tick[0]));
      const inside = ticks.filter((tick) => at(tick) >= -0.001 && at(tick) <= 1.001);
      this.columns.setAttribute("d", inside.filter((t) => !t[2]).map((t) => `M${(1000 * at(t)).toFixed(1)} 0V1000`).join(""));
      let reached = -Infinity;
      this.xlabels.replaceChildren(...inside.filter((tick) => {
        const half = 3.8 * tick[1].length + 5, centre = at(tick) * this.width;
        if (!tick[1] || centre - half < reached) return false;
        reached = centre + half;
        return true;
      }).map((tick) => {
        const label = element("span", {}, tick[1]);
        label.style.left = `${(100 * at(tick)).toFixed(2)}%`;
        return label;
      }));
      this.xname.textContent = name;
    }

    drawFlags() {
      const position = (share) => run.low + share * (run.high - run.low);
      this.flags.forEach((flag, i) => {
        const start = this.share(position(flag.at)), end = this.share(position(flag.at + flag.width));
        this.links[i].style.left = `${(100 * start).toFixed(2)}%`;
        this.links[i].hidden = start < -0.001 || start > 1.001;
        this.bands[i].setAttribute("x", (1000 * clamp(start, 0, 1)).toFixed(1));
        this.bands[i].setAttribute("width", (1000 * (clamp(end, 0, 1) - clamp(start, 0, 1))).toFixed(1));
        this.starts[i].setAttribute("d", `M${(1000 * start).toFixed(1)} 0V1000`);
      });
    }

    // -- what the pointer and the keys do --

    listen() {
      const area = this.area;
      area.classList.add("live");
      area.tabIndex = 0;
      area.setAttribute("role", "group");
      area.setAttribute("aria-label", `${this.title}: arrow keys read values, plus and minus zoom, Escape shows all`);
      area.addEventListener("pointermove", (event) => this.pointed(event));
      area.addEventListener("pointerleave", () => this.brush || setCursor(null));
      area.addEventListener("pointerdown", (event) => this.pressed(event));
      area.addEventListener("pointerup", (event) => this.released(event));
      area.addEventListener("pointercancel", () => this.endBrush());
      area.addEventListener("dblclick", reset);
      area.addEventListener("keydown", (event) => this.key(event));
      area.addEventListener("blur", () => setCursor(null));
    }

    at(event) {
      const box = this.area.getBoundingClientRect();
      const share = clamp((event.clientX - box.left) / box.width, 0, 1);
      this.freshen();
      return fromUnit(this.low + share * (this.high - this.low));
    }

    freshen() {
      this.low = toUnit(shared.low);
      this.high = toUnit(shared.high);
      if (this.stale) [this.bottom, this.top] = this.limits();
    }

    pressed(event) {
      if (event.button !== 0 || event.pointerType === "touch" || event.target.closest(".flag")) return;
      this.area.setPointerCapture(event.pointerId);
      this.brush = { from: this.at(event), x: event.clientX, box: element("div", { class: "brush" }) };
    }

    pointed(event) {
      const position = this.at(event);
      if (this.brush && Math.abs(event.clientX - this.brush.x) > 4) {
        const [a, b] = [this.brush.from, position].sort((one, other) => one - other).map((p) => 100 * this.share(p));
        Object.assign(this.brush.box.style, { left: `${a}%`, width: `${b - a}%` });
        this.area.append(this.brush.box);
        this.brush.wide = true;
      }
      setCursor(this, position);
    }

    released(event) {
      const brush = this.brush;
      if (!brush) return;
      this.endBrush();
      if (brush.wide) setView(...[brush.from, this.at(event)].sort((a, b) => a - b));
    }

    endBrush() {
      this.brush?.box.remove();
      this.brush = null;
    }

    key(event) {
      if (event.target !== this.area || event.ctrlKey || event.metaKey || event.altKey) return;
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (way && event.shiftKey) move(way * 0.2);
      else if (way) this.step(way);
      else if (event.key === "+" || event.key === "=") zoom(0.5, shared.cursor?.position);
      else if (event.key === "-" || event.key === "_") zoom(2, shared.cursor?.position);
      else if (event.key === "Escape" || event.key === "0") reset();
      else if (event.key === "Home") this.read(shared.low);
      else if (event.key === "End") this.read(shared.high);
      else return;
      event.preventDefault();
    }

    step(way) {
      const width = shared.high - shared.low;
      const before = shared.cursor?.position ?? (way > 0 ? shared.low : shared.high);
      let next = before + (way * width) / 60;
      const nearby = this.lines.filter((line) => line.shown).map((line) => {
        const i = lowerBound(line.x, before + (way > 0 ? 1e-6 : -1e-6));
        return line.x[way > 0 ? i : i - 1];
      }).filter((x) => x !== undefined && (x - before) * way > 0);
      const closest = nearby.length ? (way > 0 ? Math.min(...nearby) : Math.max(...nearby)) : before;
      if ((closest - next) * way > 0) next = closest;
      this.read(clamp(next, shared.low, shared.high));
    }

    read(position) {
      this.freshen();
      setCursor(this, position);
      const found = this.found(position);
      if (!found) return;
      const values = found.points.map(({ line, i }) => `${line.name} ${line.said(i, this.unit)}`);
      byId("said").textContent = [describe(found.position, found.done), ...values].join(", ");
    }

    found(position) {
      let best = null;
      const points = this.lines.filter((line) => line.shown && line.x.length).map((line) => {
        const i = line.nearest(position), away = Math.abs(line.x[i] - position);
        if (!best || away < best.away) best = { away, position: line.x[i], done: line.done };
        return { line, i };
      });
      return best && { ...best, points };
    }

    showCursor() {
      this.area.querySelectorAll(".cross,.spot,.tip").forEach((old) => old.remove());
      const cursor = shared.cursor;
      if (!cursor) return;
      this.freshen();
      const found = this.found(cursor.position);
      if (!found) return;
      const share = this.share(found.position);
      const cross = element("div", { class: "cross" });
      cross.style.left = `${100 * clamp(this.share(cursor.chart === this ? found.position : cursor.position), 0, 1)}%`;
      this.area.append(cross);
      for (const { line, i } of found.points) this.spot(line, i);
      if (cursor.chart === this) this.tip(found, share);
    }

    spot(line, i) {
      const x = this.share(line.x[i]), y = this.height(line.y[i]);
      if (!(x >= 0 && x <= 1) || !Number.isFinite(y) || line.top[i] !== line.y[i]) return;
      const spot = element("div", { class: "spot" });
      Object.assign(spot.style, { left: `${100 * x}%`, top: `${y / 10}%`, background: `var(--c${line.colour})` });
      this.area.append(spot);
    }

    tip(found, share) {
      const table = element("table");
      for (const { line, i } of found.points) {
        const swatch = document.createElementNS(SVG, "svg");
        swatch.setAttribute("class", "swatch");
        swatch.setAttribute("viewBox", "0 0 26 10");
        const stroke = document.createElementNS(SVG, "path");
        stroke.setAttribute("class", `c${line.colour} d${line.dash} ${line.kind}`);
        stroke.setAttribute("d", "M1 5H25");
        swatch.append(stroke);
        const name = line.each > 1 ? `${line.name} (${whole(line.each)} points)` : line.name;
        const row = element("tr", {}, element("td", {}, swatch), element("td", {}, element("bdi", {}, name)), element("td", {}, line.said(i, this.unit)));
        table.append(row);
      }
      const tip = element("div", { class: "tip" }, element("div", { class: "at" }, describe(found.position, found.done)), table);
      this.area.append(tip);
      const room = this.area.clientWidth, wide = tip.offsetWidth, x = share * room;
      const left = x + 14 + wide <= room ? x + 14 : x - 14 - wide >= -50 ? x - 14 - wide : clamp(x - wide / 2, -40, room - wide);
      tip.style.left = `${left}px`;
    }
  }

  const charts = data.charts.map((given) => new Chart(given));

  function setCursor(chart, position) {
    shared.cursor = chart ? { chart, position } : null;
    schedule(() => charts.forEach((one) => one.showCursor()));
  }

  const redraw = () => schedule(() => {
    charts.forEach((chart) => chart.draw());
    controls.update();
  });

  let due = [];
  function schedule(work) {
    if (!due.length) {
      requestAnimationFrame(() => {
        const now = due;
        due = [];
        now.forEach((one) => one());
      });
    }
    due.push(work);
  }

  // -- controls --------------------------------------------------------------------------------

  function button(text, label, action) {
    const made = element("button", { type: "button", "aria-label": label, title: label }, text);
    made.addEventListener("click", action);
    return made;
  }

  const controls = {
    axes: modes.map((mode) => {
      const words = { epoch: "Epoch", step: "Step", time: "Time" }[mode];
      const made = button(words, `${words} along the bottom`, () => {
        shared.mode = mode;
        redraw();
      });
      made.dataset.mode = mode;
      return made;
    }),
    zooms: [button("−", "Zoom out", () => zoom(2)), button("+", "Zoom in", () => zoom(0.5)), button("All", "Show the whole run", reset)],
    update() {
      this.axes.forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.mode === shared.mode)));
      this.zooms[0].disabled = this.zooms[2].disabled = isWhole();
    },
  };
  const bar = byId("controls");
  if (bar) {
    if (controls.axes.length > 1) bar.append(element("span", { class: "group", role: "group", "aria-label": "Horizontal axis" }, ...controls.axes));
    bar.append(element("span", { class: "group", role: "group", "aria-label": "Zoom" }, ...controls.zooms));
    controls.update();
  }

  // -- findings --------------------------------------------------------------------------------

  function show(link) {
    const target = byId(link.getAttribute("href").slice(1));
    if (!target) return;
    if (link.dataset.low !== undefined) {
      const low = Number(link.dataset.low), high = Number(link.dataset.high);
      const room = Math.max(0.06, 0.4 * (high - low));
      const place = (share) => run.low + share * (run.high - run.low);
      if (high - low > 0.6) reset();
      else setView(place(Math.max(low - room, 0)), place(Math.min(high + room, 1)));
    }
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "center" });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.show");
    if (link) {
      event.preventDefault();
      show(link);
    }
    const flag = event.target.closest?.("a.flag");
    if (flag) {
      const card = byId(flag.getAttribute("href").slice(1));
      card?.classList.add("found");
      setTimeout(() => card?.classList.remove("found"), 2500);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !isWhole()) reset();
  });
  document.querySelectorAll("section.chart .area").forEach((area) => {
    area.addEventListener("dragstart", (event) => event.preventDefault());
  });
  let resized;
  addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(redraw, 120);
  });

  // -- theme and paper -------------------------------------------------------------------------

  const theme = byId("theme");
  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemIsDark.matches);
  function remembered(value) {
    try {
      if (value) localStorage.setItem("autotrack-theme", value);
      return localStorage.getItem("autotrack-theme");
    } catch {
      return null; // a page from disk may have no storage
    }
  }
  function nameTheme() {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours");
  }
  const known = remembered();
  if (known === "dark" || known === "light") root.dataset.theme = known;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remembered(root.dataset.theme);
    nameTheme();
  });
  systemIsDark.addEventListener("change", nameTheme);
  nameTheme();
  document.querySelectorAll(".scripted").forEach((one) => (one.hidden = false));

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open]):not(.values)")];
    opened.forEach((one) => (one.open = true));
  });
  addEventListener("afterprint", () => opened.forEach((one) => (one.open = false)));
})();
