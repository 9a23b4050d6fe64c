import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { type Connection, connectionArgs } from "../../provider/host/connection";
import { resolve } from "../../provider/host/resolve";
import { validate } from "../../provider/validate";

const schema = z.strictObject(connectionArgs);
const print = `SHA256:${"a".repeat(43)}`;

describe("arguments", () => {
  test("an address is enough; what ssh config may decide has no default", () => {
    expect(schema.parse({ address: "web" })).toEqual({
      address: "web",
      become: "sudo",
      commandTimeout: 60,
      identity: "machineId",
    });
  });

  test("every argument is documented", () => {
    for (const [name, field] of Object.entries(connectionArgs)) {
      expect([name, field.description?.length ?? 0]).toEqual([name, expect.any(Number)]);
      expect(field.description).toMatch(/^.{20,}\.$/);
    }
  });

  test("the literal key is marked secret", () => {
    expect(connectionArgs.privateKey.meta()).toMatchObject({ secret: true, description: expect.any(String) });
  });

  test.each([
    ["address", "192.0.2.1"],
    ["address", "2001:db8::1"],
    ["address", "fe80::1%eth0"],
    ["address", "::1"],
    ["address", "my_alias-2.example"],
    ["hostKey", print],
    ["hostKey", [print, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@there"]],
    ["privateKeyPath", "~/.ssh/id"],
    ["agent", "/run/agent"],
    ["jumpHosts", ["ops@jump:2200", "[2001:db8::1]:22", { address: "j", user: "u", hostKey: print }]],
    ["jumpHosts", []],
  ])("%s %j", (name, value) => {
    expect(schema.parse({ address: "web", [name]: value })).toMatchObject({ [name]: value });
  });

  test.each([
    ["address", "-oProxyCommand=x", /host name/],
    ["address", "user@host", /without user/],
    ["address", "a b", /host name/],
    ["address", "", /host name/],
    ["port", 0, /1 to 65535/],
    ["port", "22", /number/],
    ["user", "-l", /letters/],
    ["hostKey", "SHA256:short", /fingerprint/],
    ["hostKey", "MD5:aa", /fingerprint/],
    ["hostKey", [], /at least one/],
    ["privateKey", "ssh-ed25519 AAAA", /private key/],
    ["privateKeyPath", "-x", /begin with/],
    ["privateKeyPath", "a\nProxyCommand x", /line breaks/],
    ["passphraseEnv", "a b", /environment variable/],
    ["jumpHosts", ["-oProxyCommand=x"], /user@host:port/],
    ["jumpHosts", ["h:0"], /port must be/],
    ["jumpHosts", [{ address: "j", prt: 1 }], /prt|object with an address/],
    ["become", "su", /'sudo' or 'none'/],
    ["transport", "telnet", /'ssh2'/],
    ["connectTimeout", 0, /1 to 600/],
    ["commandTimeout", 1e6, /1 to 3600/],
    ["identity", "address", /'machineId'/],
  ])("%s %j is refused", (name, value, message) => {
    const { error } = schema.safeParse({ address: "web", [name]: value });
    expect(JSON.stringify(error?.issues)).toMatch(message);
  });
});

test.each(["privateKey", "passphraseEnv"])(
  "what is wrong for %s is not printed: it may be the secret itself",
  (name) => {
    const [failure] = validate(schema, { address: "web", [name]: "correct horse" }).failures;
    expect(failure?.path).toBe(name);
    expect(failure?.reason).toMatch(/^must be .*; given was \[secret\]$/);
  },
);

describe("resolve", () => {
  const home = mkdtempSync(join(tmpdir(), "hostnet-home-"));
  afterAll(() => rmSync(home, { recursive: true }));
  mkdirSync(join(home, ".ssh"));
  writeFileSync(join(home, ".ssh/id_ed25519"), "");
  let files = 0;
  const config = (text: string) => {
    const path = join(home, `config_${files++}`);
    writeFileSync(path, text);
    return path;
  };
  const env = (more: Record<string, string> = {}) => ({ HOME: home, PATH: process.env.PATH, ...more });
  const plain = { HOME: home, PATH: "/nowhere" };
  const connection = (more: Partial<z.input<typeof schema>> = {}): Connection => ({
    name: "node1",
    ...schema.parse({ address: "web", ...more }),
  });

  test("without ssh and without a word: plain defaults", async () => {
    expect(await resolve(connection(), { ...plain, SSH_AUTH_SOCK: "/agent" })).toEqual({
      name: "node1",
      transport: "ssh2",
      address: "web",
      alias: "web",
      hostKeyName: "web",
      port: 22,
      user: userInfo().username,
      privateKeyPaths: [`${home}/.ssh/id_ed25519`],
      agentSocket: "/agent",
      identitiesOnly: false,
      hostKeys: [],
      knownHostsPaths: [
        `${home}/.ssh/known_hosts`,
        `${home}/.ssh/known_hosts2`,
        "/etc/ssh/ssh_known_hosts",
        "/etc/ssh/ssh_known_hosts2",
      ],
      jumpHosts: [],
      become: "sudo",
      connectTimeoutMs: 30_000,
      commandTimeoutMs: 60_000,
    });
  });

  test("what is given holds", async () => {
    const given = connection({
      port: 2222,
      user: "ops",
      privateKeyPath: "~/key",
      agent: "~/agent",
      hostKey: print,
      knownHostsPath: "~/known",
      jumpHosts: [],
      become: "none",
      transport: "openssh",
      connectTimeout: 5,
      commandTimeout: 7,
    });
    expect(await resolve(given, plain)).toMatchObject({
      port: 2222,
      user: "ops",
      privateKeyPaths: [`${home}/key`],
      agentSocket: `${home}/agent`,
      identitiesOnly: true,
      hostKeys: [print],
      knownHostsPaths: [`${home}/known`],
      become: "none",
      transport: "openssh",
      connectTimeoutMs: 5000,
      commandTimeoutMs: 7000,
    });
  });

  test("what is given holds against the user's own config too", async () => {
    const given = connection({
      port: 2222,
      user: "ops",
      privateKeyPath: "/key",
      knownHostsPath: "/known",
      connectTimeout: 5,
    });
    expect(await resolve(given, env())).toMatchObject({
      port: 2222,
      user: "ops",
      privateKeyPaths: ["/key"],
      knownHostsPaths: ["/known"],
      connectTimeoutMs: 5000,
    });
  });

  test.each([
    [undefined, "/agent"],
    [true, "/agent"],
    [false, undefined],
    ["/other", "/other"],
  ])("agent %j", async (agent, socket) => {
    expect((await resolve(connection({ agent }), { ...plain, SSH_AUTH_SOCK: "/agent" })).agentSocket).toBe(socket);
  });

  test("a literal key is the only one offered", async () => {
    const privateKey = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    expect(await resolve(connection({ privateKey }), plain)).toMatchObject({
      privateKey,
      privateKeyPaths: [],
      identitiesOnly: true,
    });
  });

  test("the passphrase comes from the environment, and a variable that is not there is an error", async () => {
    const given = connection({ passphraseEnv: "KEY_PASSPHRASE" });
    expect((await resolve(given, { ...plain, KEY_PASSPHRASE: "x" })).passphrase).toBe("x");
    await expect(resolve(given, plain)).rejects.toMatchObject({ code: "AUTH", message: /KEY_PASSPHRASE/ });
  });

  test("local needs no ssh", async () => {
    const given = connection({ transport: "local", jumpHosts: ["j"] });
    expect(await resolve(given, plain)).toMatchObject({ transport: "local", jumpHosts: [], privateKeyPaths: [] });
  });

  describe("HOSTNET_SSH_CONFIG", () => {
    const with_ = (text: string, more: Partial<z.input<typeof schema>> = {}) =>
      resolve(connection(more), env({ HOSTNET_SSH_CONFIG: config(text) }));
    const stored = {
      port: 2222,
      user: "ops",
      privateKeyPath: "/stored/key",
      knownHostsPath: "/stored/known",
      jumpHosts: ["stored"],
      agent: false,
      hostKey: print,
    };

    test("what it says wins over what is stored, also where it is ssh's default", async () => {
      const path = config("");
      writeFileSync(
        path,
        `Host web\n HostName 192.0.2.1\n Port 22\n User root\n IdentityFile ${path}
        UserKnownHostsFile /here/known\n IdentityAgent /here/agent\n ProxyJump none\n ConnectTimeout 3`,
      );
      const target = await resolve(connection(stored), env({ HOSTNET_SSH_CONFIG: path }));
      expect(target).toMatchObject({
        address: "192.0.2.1",
        hostKeyName: "192.0.2.1",
        alias: "web",
        port: 22,
        user: "root",
        privateKeyPaths: [path],
        identitiesOnly: false,
        knownHostsPaths: ["/here/known"],
        agentSocket: "/here/agent",
        jumpHosts: [],
        connectTimeoutMs: 3000,
        sshConfigPath: path,
        hostKeys: [print],
      });
    });

    test("its ~ is the home folder", async () => {
      const path = config("Host web\n Port 2200\n");
      const there = env({ HOSTNET_SSH_CONFIG: path.replace(home, "~") });
      expect(await resolve(connection(), there)).toMatchObject({ port: 2200, sshConfigPath: path });
    });

    test("what it does not say stays as it is stored", async () => {
      const target = await with_("Host other\n Port 1\n User x\nHost web\n User there", stored);
      expect(target).toMatchObject({
        address: "web",
        port: 2222,
        user: "there",
        privateKeyPaths: ["/stored/key"],
        knownHostsPaths: ["/stored/known"],
        jumpHosts: [{ alias: "stored" }],
      });
      expect(target.agentSocket).toBeUndefined();
    });

    test("HostKeyAlias", async () => {
      expect((await with_("HostKeyAlias the-key")).hostKeyName).toBe("the-key");
    });

    test("jump hosts: each as the config has it, the first one's own before it", async () => {
      const target = await with_(`Host web\n ProxyJump ops@first:2200,second
        Host first\n HostName 192.0.2.7\n ProxyJump zeroth\n
        Host second\n Port 2022\n ProxyJump never\n
        Host zeroth\n User z`);
      expect(target.jumpHosts.map(({ alias, address, port, user }) => [alias, address, port, user])).toEqual([
        ["zeroth", "zeroth", 22, "z"],
        ["first", "192.0.2.7", 2200, "ops"],
        ["second", "second", 2022, userInfo().username],
      ]);
      expect(target.jumpHosts.every(({ jumpHosts, become }) => jumpHosts.length === 0 && become === "none")).toBe(true);
    });

    test("a circle of jump hosts is an error", async () => {
      const circle = with_("Host web\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump a\n");
      await expect(circle).rejects.toMatchObject({ code: "INVALID", message: /circle/, details: { host: "node1" } });
    });

    test("a ProxyCommand is for the openssh transport, unless another one is asked for", async () => {
      expect(await with_("ProxyCommand nc %h %p")).toMatchObject({ transport: "openssh", proxyCommand: "nc %h %p" });
      expect(await with_("ProxyCommand nc %h %p", { transport: "ssh2" })).toMatchObject({ transport: "ssh2" });
      expect(await with_("Host j\n ProxyCommand x", { jumpHosts: ["j"] })).toMatchObject({ transport: "openssh" });
    });
  });

  test("jump hosts that are given: their own keys and pins, the Host's keys after them", async () => {
    const given = connection({
      privateKeyPath: "/key",
      jumpHosts: [
        "ops@a:1",
        { address: "b", port: 2, user: "u", privateKeyPath: "/b", hostKey: [print], knownHostsPath: "/k" },
      ],
    });
    const { jumpHosts } = await resolve(given, plain);
    expect(jumpHosts).toMatchObject([
      { address: "a", port: 1, user: "ops", privateKeyPaths: [`${home}/.ssh/id_ed25519`, "/key"], hostKeys: [] },
      { address: "b", port: 2, user: "u", privateKeyPaths: ["/b"], hostKeys: [print], knownHostsPaths: ["/k"] },
    ]);
  });
});
