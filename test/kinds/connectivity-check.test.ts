import { connectivityCheck as check } from "../../provider/kinds/connectivity-check";
import { HostnetError } from "../../provider/model/errors";
import { validate } from "../../provider/validate";
import { answers, netns } from "./answers";

const context = { mark: "hostnet:a1b2:c3", owner: "a1b2", was: [] };

const want = (args: object) => {
  const { value, failures } = validate(check.args, { namespace: "blue", to: "10.0.1.2", ...args });
  expect(failures).toEqual([]);
  return value as never;
};

const probeOf = (args: object) => check.observe(want(args)).find((section) => section.key.startsWith("probe:"));

/** The words behind the script's own arguments. */
const program = (args: object) => probeOf(args)?.argv.slice(11);

/** What the check says of a host's answer. */
function verdict(args: object, stdout: string) {
  const parsed = want(args);
  const sections = check.observe(parsed);
  const key = sections.find((section) => section.key.startsWith("probe:"))?.key ?? "";
  const found = check.find(parsed, answers(sections, { netns: netns("blue"), [key]: stdout }));
  try {
    return { steps: check.converge(parsed, found, context), facts: found?.facts };
  } catch (error) {
    return { code: (error as HostnetError).code, text: (error as HostnetError).summary };
  }
}

// Recorded: iputils 20221126, iproute2 6.1, Linux 6.18.
const passed = `@reachable 0
PING 10.0.1.2 (10.0.1.2) 56(84) bytes of data.
64 bytes from 10.0.1.2: icmp_seq=1 ttl=64 time=0.055 ms

--- 10.0.1.2 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 406ms
rtt min/avg/max/mdev = 0.055/0.171/0.405/0.164 ms
`;
const lost = (more = "") =>
  `PING 10.0.1.2 (10.0.1.2) 56(84) bytes of data.\n${more}\n--- 10.0.1.2 ping statistics ---\n3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 410ms\n`;
const links = (flags = ["UP", "LOWER_UP"]) =>
  `@links ${JSON.stringify([{ ifname: "d0", flags, mtu: 1500, addr_info: [{ local: "10.0.1.1" }] }])}\n`;
const direct = '@route [{"dst":"10.0.1.2","dev":"d0","prefsrc":"10.0.1.1","flags":[],"uid":0,"cache":[]}]\n';
const routed = '@route [{"dst":"10.0.1.2","gateway":"10.0.1.9","dev":"d0","flags":[],"uid":0,"cache":[]}]\n';
const neighbour = (dst: string, state: string) => `@neighbours [{"dst":"${dst}","dev":"d0","state":["${state}"]}]\n`;
const failure = (said: string, ...rest: string[]) => `@unreachable 1\n${said}${rest.join("")}`;

describe("asks", () => {
  test.each<[object, string]>([
    [{}, "ping -n -c 3 -i 0.2 -W 1 10.0.1.2"],
    [
      { source: "10.0.1.1", device: "d0", size: 1500, dontFragment: true, count: 1 },
      "ping -n -c 1 -i 0.2 -W 1 -I d0 -I 10.0.1.1 -M do -s 1472 10.0.1.2",
    ],
    [{ to: "fd00::2", size: 1500 }, "ping -n -c 3 -i 0.2 -W 1 -s 1452 fd00::2"],
    [{ protocol: "arp", device: "d0", source: "10.0.1.1" }, "arping -c 1 -w 2 -s 10.0.1.1 -I d0 10.0.1.2"],
  ])("%j", (args, words) => expect(program(args)?.join(" ")).toBe(words));

  test("python for tcp and udp, values as arguments", () => {
    const argv = program({ protocol: "tcp", port: 22, source: "10.0.1.1" });
    expect([argv?.[0], argv?.slice(3)]).toEqual(["python3", ["tcp", "10.0.1.2", "22", "10.0.1.1", "", "1", "2"]]);
  });

  test("slowly, in the namespace, and each question once", () => {
    expect(probeOf({})).toMatchObject({ namespace: "blue" });
    expect(probeOf({ triggers: ["1"] })?.key).toBe(probeOf({ triggers: ["2"] })?.key);
    expect(probeOf({})?.key).not.toBe(probeOf({ timeout: 20 })?.key);
  });

  test.each<[object, number]>([
    [{}, 12], // the time, and a last try of 3 packets
    [{ count: 100, timeout: 600 }, 621],
    [{ protocol: "arp", device: "d0", count: 10 }, 21],
    [{ protocol: "tcp", port: 22, count: 10 }, 31],
    [{ protocol: "udp", port: 53, count: 10 }, 51],
  ])("%j, for so many seconds: %p", (args, seconds) => expect(probeOf(args)?.slow).toBe(seconds));
});

test("passes, and tells what it saw", () => {
  expect(verdict({}, passed)).toEqual({ steps: [], facts: { sent: 3, received: 3, rttAvg: 0.171 } });
  expect(verdict({ expect: "unreachable" }, `@unreachable 2\nping: connect: Network is unreachable\n`)).toMatchObject({
    steps: [],
  });
});

describe("says where the path ends", () => {
  test.each<[string, string, object?]>([
    [
      "no route to 10.0.1.2 in namespace blue",
      failure(
        "ping: connect: Network is unreachable\n",
        "@route RTNETLINK answers: Network is unreachable \n",
        links(),
      ),
    ],
    [
      "a route of type blackhole stands for 10.0.1.2 in namespace blue",
      failure("ping: connect: Invalid argument\n", "@route RTNETLINK answers: Invalid argument \n", links()),
    ],
    [
      "10.0.1.2 does not answer ARP on d0 (neighbour FAILED) (3 sent, 0 answered within 10 s)",
      failure(
        lost("From 10.0.1.1 icmp_seq=1 Destination Host Unreachable"),
        direct,
        neighbour("10.0.1.2", "FAILED"),
        links(),
      ),
    ],
    [
      "the router 10.0.1.9 does not answer ARP on d0 (neighbour INCOMPLETE)",
      failure(lost(), routed, neighbour("10.0.1.9", "INCOMPLETE"), links()),
    ],
    [
      "d0 is down in namespace blue",
      failure(lost(), "@route RTNETLINK answers: Network is unreachable \n", links(["BROADCAST"])),
      { device: "d0" },
    ],
    ["d0 has no carrier", failure(lost(), direct, neighbour("10.0.1.2", "FAILED"), links(["UP", "NO-CARRIER"]))],
    ["there is no device d7 in namespace blue", failure("ping: unknown iface: d7\n", links()), { device: "d7" }],
    [
      "no device in namespace blue has the source address 10.0.1.7",
      failure("ping: bind: Cannot assign requested address\n", direct, links()),
      { source: "10.0.1.7" },
    ],
    [
      "message too long: MTU 1458 on d0",
      failure(lost("ping: local error: message too long, mtu=1458"), direct, links()),
    ],
    [
      "message too long: 10.0.1.9 lets 1400 bytes through",
      failure(lost("From 10.0.1.9 icmp_seq=1 Frag needed and DF set (mtu = 1400)"), routed, links()),
    ],
    [
      "10.0.1.9 says: Destination Net Unreachable",
      failure(lost("From 10.0.1.9 icmp_seq=1 Destination Net Unreachable"), routed, links()),
    ],
    [
      "no answer; packets leave by d0 to the router 10.0.1.9 (neighbour REACHABLE), and are lost beyond",
      failure(lost(), routed, neighbour("10.0.1.9", "REACHABLE"), links()),
    ],
    [
      "10.0.1.2 does not answer ARP on d0 (1 sent, 0 answered within 10 s)",
      failure(
        "ARPING 10.0.1.2 from 10.0.1.1 d0\nSent 1 probes (1 broadcast(s))\nReceived 0 response(s)\n",
        direct,
        links(),
      ),
      { protocol: "arp", device: "d0" },
    ],
    [
      "tcp port 22 of 10.0.1.2 from namespace blue is not reachable: Connection refused",
      failure("Connection refused\n1 packets transmitted, 0 received, 100% packet loss\n", direct, links()),
      { protocol: "tcp", port: 22 },
    ],
  ])("%s", (text, stdout, args = {}) => {
    const { code, text: said } = verdict(args, stdout);
    expect(code).toBe("CHECK_FAILED");
    expect(said).toContain(text);
  });

  test("some answers are neither reachable nor unreachable", () => {
    const partly = passed.replace("@reachable", "@partly").replace("3 received, 0%", "2 received, 33%");
    expect(verdict({}, partly + direct + links()).text).toMatch(/answers come for some only.*\(3 sent, 2 answered/);
    expect(verdict({ expect: "unreachable" }, partly).code).toBe("CHECK_FAILED");
  });
});

test("what should be unreachable and is not, and what cannot be tried", () => {
  expect(verdict({ expect: "unreachable" }, passed).text).toBe(
    "10.0.1.2 from namespace blue is reachable, and is expected not to be (3 sent, 3 answered within 10 s)",
  );
  const bad = "@unreachable 2\nping: SO_BINDTODEVICE nope: No such device\n";
  expect(verdict({ expect: "unreachable", device: "nope" }, bad).text).toMatch(
    /cannot be tried: ping: SO_BINDTODEVICE/,
  );
  expect(verdict({}, "@unreachable 127\nsh: 4: ping: not found\n").code).toBe("MISSING_TOOL");
  const parsed = want({ namespace: "red" });
  const found = check.find(parsed, answers(check.observe(parsed), { netns: netns("blue") }));
  expect(() => check.converge(parsed, found, context)).toThrow(/there is no namespace red/);
});

describe("inquires", () => {
  const host = { name: "n1", machineId: "m1" } as never;
  const other = { name: "n2", machineId: "m2" };
  const silent = failure(lost(), direct, neighbour("10.0.1.2", "REACHABLE"), links());

  /** Whom it asks first, and again when it is told that somebody does not answer. */
  function inquiry(args: object, stdout: string) {
    const parsed = want(args);
    const sections = check.observe(parsed);
    const key = sections.find((section) => section.key.startsWith("probe:"))?.key ?? "";
    const found = check.find(parsed, answers(sections, { netns: netns("blue"), [key]: stdout }));
    if (!check.inquire || !found) throw new Error("it does not inquire");
    const asks = check.inquire(parsed, found, host, { mark: "", owner: "", was: [] });
    const asked: string[][] = [];
    let turn = asks.next();
    while (!turn.done) {
      asked.push(turn.value.map((question) => question.host.name));
      turn = asks.throw(new HostnetError("CONNECTION_LOST", "n2 is away"));
    }
    const last = turn.value;
    const converge = () => check.converge(parsed, last, context);
    return { asked, converge };
  }

  test.each<[string, object, string, string[][]]>([
    ["its own host where packets leave that", {}, silent, [["n1"]]],
    [
      "the others too, each machine once, and without them when one does not answer",
      { hosts: [other, host] },
      silent,
      [["n1", "n2"], ["n1"]],
    ],
    ["no machine that is gone", { hosts: [{ ...other, decommissioned: true }] }, silent, [["n1"]]],
    ["nobody where all is well", { hosts: [other] }, passed, []],
    [
      "nobody where the host itself knows",
      { hosts: [other] },
      failure(lost("ping: local error: message too long, mtu=1458"), direct, links()),
      [],
    ],
    ["nobody of what is to be unreachable", { expect: "unreachable" }, passed, []],
  ])("%s", (_title, args, stdout, hosts) => expect(inquiry(args, stdout).asked).toEqual(hosts));

  test("and says what it knows when a host does not answer", () => {
    expect(inquiry({ hosts: [other] }, silent).converge).toThrow(
      /packets leave by d0 .*, and are lost beyond; more is not to be seen: n2 is away/,
    );
  });
});
