import { literal, onOneLine } from "../../provider/discover/literal";

test.each(["plain", 'a "quote"', "it's", "`$` */", "caf\u00e9 \u2603", "a\nb\u2028c\u202ed\u{e0001}", "\\ \u0000"])(
  "%j is itself when the program is read",
  (text) => {
    const written = literal({ text });
    expect(new Function(`return ${written}`)()).toEqual({ text });
    expect(written).toBe(onOneLine(written));
  },
);
