import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { declareHost, onOneHost } from "./helpers/declare";
import { footprint, host, mustOnHost, onHost } from "./helpers/lab";
import { createStack, type OperationResult, type Stack } from "./helpers/stack";

/**
 * What goes wrong with a host: each error has its code and names host, resource, cause and remedy, in time. One `up`
 * meets all hosts that cannot be used, others all that a host lacks: `--continue-on-error` goes on to the next.
 */
const folder = mkdtempSync(join(tmpdir(), "hostnet-failures-"));
const keys = ["stranger", "guest", "other-host"].map((name) => {
  const path = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
  return path;
});
const [stranger = "", guest = "", otherHost = ""] = keys;
const publicKey = (path: string) => readFileSync(`${path}.pub`, "utf8").trim();

let stack: Stack;
let silent: Server;
const sockets: Socket[] = [];
let before: unknown;

beforeAll(async () => {
  before = await footprint("n1");
  stack = await createStack({ program: onOneHost("n1", "") });
  // It accepts connections and never says a word, as a host does whose sshd hangs.
  silent = createServer((socket) => sockets.push(socket.on("error", () => {})));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
}, 900_000);

afterAll(async () => {
  await stack?.dispose();
  for (const socket of sockets) socket.destroy();
  silent?.close();
  rmSync(folder, { recursive: true, force: true });
}, 900_000);

const goOn = { expectFailure: true, args: ["--continue-on-error"] };

/** The error of a resource, as the user reads it. */
const errorOf = ({ diagnostics }: OperationResult, name: string) =>
  diagnostics
    .filter(({ severity, urn }) => severity === "error" && urn?.endsWith(`::${name}`))
    .map(({ message }) => message)
    .join("\n");

it("of a host that cannot be used", async () => {
  const { address, port } = host("n1");
  const [none, changed] = [join(folder, "none"), join(folder, "changed")];
  writeFileSync(none, "");
  writeFileSync(changed, `[${address}]:${port} ${publicKey(otherHost)}\n`);
  // A user who may log in and not become root; and `ip` out of root's way.
  await mustOnHost(
    "n1",
    `useradd -m -s /bin/bash guest && install -d -m 700 -o guest ~guest/.ssh &&
     echo '${publicKey(guest)}' >~guest/.ssh/authorized_keys && chown guest ~guest/.ssh/authorized_keys &&
     mv "$(readlink -f "$(command -v ip)")" /root/ip.away`,
  );
  const named = (name: string, extra: object) =>
    declareHost("n1", { name, ...extra }).replace('Host("n1"', `Host("${name}"`);
  const hosts: [name: string, extra: object, error: RegExp, remedy: RegExp][] = [
    ["refused", { port: 1, connectTimeout: 3 }, /connection refused \[UNREACHABLE\]/, /address, port/],
    [
      "silent",
      { port: (silent.address() as { port: number }).port, connectTimeout: 3 },
      /no answer in time \[UNREACHABLE\]/,
      /address, port/,
    ],
    ["wrong-key", { privateKeyPath: stranger }, /user "\w+" is refused; tried .*stranger.* \[AUTH\]/, /user, key/],
    [
      "unknown",
      { knownHostsPath: none },
      /host key of .* SHA256:.* is not known .* \[HOST_KEY_UNKNOWN\]/,
      /hostKey: "SHA256:/,
    ],
    [
      "changed",
      { knownHostsPath: changed },
      /is not the one that is known: .* \[HOST_KEY_MISMATCH\]/,
      /why the key is another/,
    ],
    ["guest", { user: "guest", privateKeyPath: guest }, /sudo: .*password.* \[BECOME\]/, /guest ALL=\(root\) NOPASSWD/],
    ["no-ip", {}, /the host has no ip \[MISSING_TOOL\]/, /apt install iproute2/],
  ];
  try {
    stack.write(
      `const hostnet = require("pulumi-hostnet");\n${hosts.map(([name, extra]) => `${named(name, extra)};`).join("\n")}`,
    );
    const started = Date.now();
    const result = await stack.up(goOn);
    const seconds = (Date.now() - started) / 1000;
    expect(result.failed).toBe(hosts.length);
    for (const [name, , error, remedy] of hosts) {
      const said = errorOf(result, name);
      expect(said).toMatch(new RegExp(`${name}: .*`));
      expect(said).toMatch(error);
      expect(said).toMatch(new RegExp(`next: .*${remedy.source}`));
      expect(said).not.toMatch(/\n\s+at /);
    }
    expect(seconds).toBeLessThan(200);
  } finally {
    await mustOnHost(
      "n1",
      "PATH=$PATH:/root; mv /root/ip.away /usr/bin/ip; for i in $(seq 300); do userdel -r guest 2>/dev/null; id guest >/dev/null 2>&1 || exit 0; sleep 0.1; done; userdel guest",
    );
  }
  expect(await footprint("n1")).toEqual(before);
}, 900_000);

it("of a host that lacks something, and the rest is made all the same", async () => {
  const program = onOneHost(
    "n1",
    `new hostnet.OvsBridge("fa-ovs", { host });
     new hostnet.Macvlan("fa-mv", { host, parent: "${host("n1").interfaces.external}" });
     new hostnet.Namespace("fa-ns", { host });`,
  );
  await mustOnHost(
    "n1",
    "mv /usr/bin/ovs-vsctl /root/; echo 'install macvlan /bin/false' >/etc/modprobe.d/fa.conf; modprobe -r macvtap macvlan; true",
  );
  try {
    stack.write(program);
    const lacking = await stack.up(goOn);
    expect(errorOf(lacking, "fa-ovs")).toMatch(
      /n1: OvsBridge fa-ovs: the host has no ovs-vsctl \[MISSING_TOOL\]\s+next: .*apt install openvswitch-switch/,
    );
    expect(errorOf(lacking, "fa-mv")).toMatch(
      /n1: Macvlan fa-mv \S+: .*Unknown device type.* \[MISSING_FEATURE\]\s+step: ip link add .*type macvlan.*\(exit status \d\)\s+next: .*modprobe/s,
    );
    expect(lacking.resources.find(({ name }) => name === "fa-ns")).toMatchObject({ op: "create", failed: false });
    await mustOnHost("n1", "mv /root/ovs-vsctl /usr/bin/; systemctl stop openvswitch-switch ovs-vswitchd ovsdb-server");
    const stopped = await stack.up(goOn);
    expect(errorOf(stopped, "fa-ovs")).toMatch(
      /n1: OvsBridge fa-ovs: Open vSwitch's database does not answer \[READ_FAILED\][\s\S]*next: .*systemctl start openvswitch-switch/,
    );
  } finally {
    await onHost(
      "n1",
      "[ -e /root/ovs-vsctl ] && mv /root/ovs-vsctl /usr/bin/; rm -f /etc/modprobe.d/fa.conf; systemctl start openvswitch-switch",
    );
  }
  expect(await stack.up()).toMatchObject({ failed: 0 });
  expect(await mustOnHost("n1", "ovs-vsctl list-br; ip -br link show type macvlan")).toMatch(/fa-ovs[\s\S]*fa-mv/);
  await stack.destroy();
}, 900_000);
