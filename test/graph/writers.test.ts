import { layoutOf } from "../../provider/graph/build";
import { dotOf } from "../../provider/graph/dot";
import { mermaidOf } from "../../provider/graph/mermaid";
import { render } from "../../provider/graph/render";
import { cloud, drawn } from "./network";

const odd = 'a"b<c>&\\d';

test("SVG by Graphviz has every name, the tags and the key", async () => {
  // Graphviz writes a hyphen as a character reference.
  const svg = (await render(cloud(2, 1), "svg")).replaceAll("&#45;", "-");
  for (const text of ["br-int", "br-tun", "guest1", "10.0.1.1/16", "tag 10", "gre, key 100"]) {
    expect(svg).toContain(`>${text}</text>`);
  }
  expect(svg).not.toContain("<script");
});

test("DOT keeps names whole, whatever is in them", () => {
  const dot = dotOf(layoutOf([drawn(odd, "LinuxBridge", { name: "br0" })]));
  expect(dot).toContain('"host a\\"b<c>&\\\\d"');
  expect(dot).toContain('label=<<B>a"b&lt;c&gt;&amp;\\d</B>>');
});

test("Mermaid has boxes in boxes, wires of four kinds, and drift by class", () => {
  const { drawn: resources, on } = cloud(2, 1);
  resources.push(drawn("n1", "Macvlan", { name: "mv", parent: "eth1" }, { change: "gone" }));
  expect(mermaidOf(layoutOf(resources, on))).toMatchInlineSnapshot(`
"flowchart LR
  subgraph n1["<b>n1</b>"]
    n2["<b>eth1</b><br/>Interface<br/>10.199.0.1/24"]
    n3["<b>br-int</b><br/>OvsBridge"]
    n4["<b>br-tun</b><br/>OvsBridge"]
    n5["<b>port1</b><br/>VethPair"]
    n6["<b>mv</b><br/>Macvlan<br/>mode bridge"]
    n7["<b>gre-2</b><br/>OvsTunnel"]
    subgraph n8["guest1"]
      n9["<b>eth0</b><br/>VethPair<br/>10.0.0.1/16"]
      n10>"Route default via 10.0.255.254<br/>Sysctl net.ipv4.ip_forward value 0"]
    end
  end
  subgraph n11["<b>n2</b>"]
    n12["<b>eth1</b><br/>Interface<br/>10.199.0.2/24"]
    n13["<b>br-int</b><br/>OvsBridge"]
    n14["<b>br-tun</b><br/>OvsBridge"]
    n15["<b>port1</b><br/>VethPair"]
    n16["<b>gre-1</b><br/>OvsTunnel"]
    subgraph n17["guest1"]
      n18["<b>eth0</b><br/>VethPair<br/>10.0.1.1/16"]
      n19>"Route default via 10.0.255.254<br/>Sysctl net.ipv4.ip_forward value 0"]
    end
  end
  n3 === n4
  n7 --- n4
  n9 === n5
  n5 -- "tag 10" --- n3
  n13 === n14
  n16 --- n14
  n18 === n15
  n15 -- "tag 10" --- n13
  n6 -.- n2
  n7 <-. "gre, key 100" .-> n16
  classDef gone stroke:#c62828,stroke-width:3px,stroke-dasharray:5
  class n6 gone
"
`);
});

test("the page cannot be left by what stands in it", async () => {
  const html = await render(
    { drawn: [drawn("h", "Sysctl", { key: "net.core.x", value: "</script><b>" })], on: [] },
    "html",
  );
  expect(html.match(/<\/script>/g)).toHaveLength(2);
});
