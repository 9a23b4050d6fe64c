import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Picture } from "../../provider/graph/drawn";
import { render } from "../../provider/graph/render";
import { Chromium, describeChromium } from "./chromium";
import { cloud, drawn } from "./network";

/** HOSTNET_SHOTS=<folder> keeps what the browser has shown, for a person to look at. */
const shots = process.env.HOSTNET_SHOTS;

function drifted(): Picture {
  const { drawn: resources, on } = cloud(2, 1);
  const changed = resources.map((one) =>
    one.title === "n1/port1" ? { ...one, change: "changed" as const, drift: ["tag: declared 10, is 11"] } : one,
  );
  const gone = changed.map((one) => (one.title === "n2/gre-1" ? { ...one, change: "gone" as const } : one));
  return { drawn: [...gone, drawn("n1", "Tap", { name: "stray" }, { change: "undeclared" })], on };
}

describeChromium("the page, in Chromium", () => {
  let chromium: Chromium;
  beforeAll(() => {
    chromium = new Chromium();
  });
  afterAll(() => chromium.close());

  const shot = async (name: string) => {
    if (shots) writeFileSync(join(shots, `${name}.png`), await chromium.screenshot());
  };
  const middle = (selector: string) =>
    chromium.value<{ x: number; y: number }>(`(() => {
      const { x, y, width, height } = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    })()`);
  const view = async () => (await chromium.value<string>(`svg.getAttribute("viewBox")`)).split(" ").map(Number);

  describe("of two nodes with drift", () => {
    beforeAll(async () => chromium.open(await render(drifted(), "html")));
    afterEach(() => expect(chromium.errors).toEqual([]));

    test("shows the whole picture, and what the colours mean", async () => {
      await shot("drift");
      const inside = await chromium.value(`[...document.querySelectorAll("g.node")].every((node) => {
        const box = node.getBoundingClientRect(), frame = document.querySelector("main").getBoundingClientRect();
        return box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
      })`);
      expect(inside).toBe(true);
      expect(await chromium.value(`document.querySelector(".legend").textContent`)).toMatch(/changedgoneundeclared$/);
      // No text is wider than the box that it stands in.
      const wide = await chromium.value(`[...document.querySelectorAll("g.node")].filter((node) => {
        const shape = node.querySelector("path, polygon, ellipse");
        return shape && [...node.querySelectorAll("text")].some((text) => text.getBBox().width > shape.getBBox().width);
      }).map(({ id }) => id)`);
      expect(wide).toEqual([]);
    });

    test("tells what a thing is that is clicked on, and what has drifted", async () => {
      const { x, y } = await middle("[id='n1//port1']");
      await chromium.click(x, y);
      await shot("details");
      const text = await chromium.value<string>(`document.querySelector("aside").innerText`);
      expect(text).toContain("n1 / port1");
      expect(text).toContain("OvsPort n1/port1\n\ntag: declared 10, is 11");
      expect(text).toContain('"bridge": "br-int"');
      const close = await middle("aside button");
      await chromium.click(close.x, close.y);
      expect(await chromium.value(`document.querySelector("aside").hidden`)).toBe(true);
    });

    test("tells of a wire too", async () => {
      const { x, y } = await chromium.value<{ x: number; y: number }>(`(() => {
        const path = [...document.querySelectorAll("g.edge")].find(({ id }) => details[id]?.title === "n1/OvsPatch").querySelector("path");
        const point = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
        return { x: point.x, y: point.y + 3 };
      })()`);
      await chromium.click(x, y);
      expect(await chromium.value(`document.querySelector("aside h3").textContent`)).toBe("OvsPatch n1/OvsPatch");
      const close = await middle("aside button");
      await chromium.click(close.x, close.y);
    });

    test("is drawn nearer by the wheel, where the pointer is, and moved by dragging", async () => {
      const start = await view();
      const { x, y } = await middle("[id='n2//br-tun']");
      await chromium.mouse("Wheel", x, y, -100);
      const nearer = await view();
      expect(nearer[2]).toBeCloseTo((start[2] as number) / 1.15, 3);
      expect((await middle("[id='n2//br-tun']")).x).toBeCloseTo(x, 0);
      await chromium.mouse("Pressed", x, y);
      await chromium.mouse("Moved", x + 60, y + 40);
      await chromium.mouse("Released", x + 60, y + 40);
      const moved = await middle("[id='n2//br-tun']");
      expect([moved.x - x, moved.y - y].map(Math.round)).toEqual([60, 40]);
      const whole = await middle("#whole");
      await chromium.click(whole.x, whole.y);
      expect(await view()).toEqual(start);
    });

    test("finds by any of several words, one after the other", async () => {
      await chromium.value(`search.focus()`);
      await chromium.type("eth0 10.0");
      const devices = ["n1//port1", "n1/guest1/eth0", "n2//port1", "n2/guest1/eth0"];
      // A pair's name is known at both of its ends, and on the wire between them.
      expect(await chromium.value(`hits.map(({ id }) => id).sort().slice(0, 4)`)).toEqual(devices);
      expect(await chromium.value(`count.textContent`)).toBe("6 found");
      await chromium.press("Enter");
      await shot("search");
      expect(await chromium.value(`count.textContent`)).toBe("1 of 6");
      expect(await chromium.value(`document.querySelector("aside").hidden`)).toBe(false);
      await chromium.press("Escape");
      expect(await chromium.value(`[search.value, count.textContent, svg.querySelectorAll(".hit").length]`)).toEqual([
        "",
        "",
        0,
      ]);
    });
  });

  test("of 20 objects and of 300 is laid out in seconds, and shows each", async () => {
    for (const [name, nodes, guests] of [
      ["20", 2, 1],
      ["300", 6, 9],
    ] as const) {
      const picture = cloud(nodes, guests);
      await chromium.open(await render(picture, "html"));
      await shot(name);
      const devices = nodes * (3 + nodes - 1 + 2 * guests);
      const shown = `[...document.querySelectorAll("g.node")].filter(({ id }) => id.split("/").length === 3).length`;
      expect(await chromium.value(shown)).toBe(devices);
    }
    expect(chromium.errors).toEqual([]);
  });
});
