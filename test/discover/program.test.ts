import type { Plan } from "../../provider/discover/plan";
import { programOf } from "../../provider/discover/program";

const plan = (name: string): Plan => ({ host: { name, args: { address: "192.0.2.1" } }, resources: [], comments: [] });
const names = (hosts: string[], form?: "fragment") => programOf(hosts.map(plan), form).map(({ name }) => name);

test("each host has a file of its own, also where capitals are small letters, or its name is the program's", () => {
  const hosts = ["a.b", "a-b", "N1", "n1", "index"];
  expect(names(hosts)).toEqual(["index.ts", "a-b.ts", "a-b-2.ts", "N1.ts", "n1-2.ts", "index-2.ts"]);
  expect(names(["a.b", "a-b"], "fragment")).toEqual(["hostnet-a-b.ts", "hostnet-a-b-2.ts"]);
  const [index] = programOf(hosts.map(plan));
  expect(index?.text).toBe(
    'import "./a-b";\nimport "./a-b-2";\nimport "./N1";\nimport "./n1-2";\nimport "./index-2";\n',
  );
});

test("a name on a host does not end the comment that it stands in: what follows would be program", () => {
  const name = "q\u2028boom()//\rboom()//\nboom()//\u0085\u202e";
  const [file] = programOf([{ ...plan("n1"), comments: [`not declared: openvswitch ${name} (no resource may)`] }]);
  expect(file?.text).toContain("// not declared: openvswitch q?boom()//?boom()//?boom()//?? (no resource may)\n");
});
