import { parseFootprint } from "../../tools/footprint";

const answer = (...sections: [string, string][]) =>
  [...sections, ["end", ""]].map(([name, text]) => `\u001e${name}\n${text}\n`).join("");

test("what changes by itself is left out, what was declared is kept", () => {
  const link = {
    ifindex: 7,
    ifname: "br0",
    mtu: 1500,
    qdisc: "noqueue",
    linkinfo: { info_data: { hello_timer: 1.2, ageing_time: 300 } },
  };
  const footprint = parseFootprint(
    answer(
      ["root link", JSON.stringify([link, {}, { ifname: "gre0" }])],
      ["root addr", JSON.stringify([{ ifname: "eth0", addr_info: [{ local: "10.0.2.15", valid_life_time: 86000 }] }])],
      ["root nft", "table ip t {\n\tcounter packets 12 bytes 840\n}"],
      [
        "sysctl",
        ["ipv4/ip_forward:0", "ipv4/conf/gre0/rp_filter:0", "netfilter/nf_conntrack_count:3", "ipv6/conf/a.7/token:::1"]
          .map((line) => `/proc/sys/net/${line}`)
          .join("\n"),
      ],
      ["units", "session-4.scope\nssh.service\nhostnet-dhcp.service"],
      ["run", "f 600 root /run/openvswitch/ovs-vswitchd.812.ctl\nf 644 root /run/utmp"],
    ),
  );
  expect(footprint).toEqual({
    "root link": [{ ifname: "br0", mtu: 1500, linkinfo: { info_data: { ageing_time: 300 } } }],
    "root addr": [{ ifname: "eth0", addr_info: [{ local: "10.0.2.15" }] }],
    "root nft": ["table ip t {", "\tcounter counter", "}"],
    sysctl: ["net.ipv4.ip_forward = 0", "net.ipv6.conf.a.7.token = ::1"],
    units: ["ssh.service", "hostnet-dhcp.service"],
    run: ["f 600 root /run/openvswitch/ovs-vswitchd.PID.ctl"],
  });
});

test("rows of Open vSwitch lose their uuids, and their order says nothing", () => {
  const table = (...rows: unknown[][]) =>
    JSON.stringify({ headings: ["_uuid", "name", "tag", "controller"], data: rows });
  const ports = (text: string) =>
    parseFootprint(answer(["ovs", [table(), table(), text, ...Array(6).fill(table())].join("\n")]));
  const [a, b] = [
    [["uuid", "1"], "a", 7, ["uuid", "9"]],
    [["uuid", "2"], "b", ["set", []], ["set", []]],
  ];
  const both = [
    { name: "a", tag: 7 },
    { name: "b", tag: ["set", []], controller: ["set", []] },
  ];
  expect(ports(table(a, b))).toMatchObject({ "ovs Port": both, "ovs Bridge": [] });
  expect(ports(table(b, a))).toEqual(ports(table(a, b)));
  expect(() => parseFootprint(answer(["ovs", table(a, b)]))).toThrow();
});

test("an answer that is cut off is refused", () => {
  expect(() => parseFootprint("\u001eroot link\n[]\n")).toThrow("cut off");
});
