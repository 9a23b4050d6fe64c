import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../../tools/root";

const { files }: { files: string[] } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const texts = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).filter((name) =>
  /\.md$/.test(name),
);
const pages = ["README.md", ...texts.map((name) => join("docs", name))];
const links = pages.flatMap((page) =>
  [...readFileSync(join(root, page), "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, to = ""]) => ({
    from: page,
    to: join(dirname(page), to),
  })),
);

test("every link of the documentation leads to something that the package has", () => {
  expect(links.length).toBeGreaterThan(50);
  const isPacked = (path: string) => files.some((kept) => path === kept || path.startsWith(`${kept}/`));
  expect(links.filter(({ to }) => !existsSync(join(root, to)) || !isPacked(to))).toEqual([]);
});
