import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expandPath } from "../../provider/host/paths";
import { parse, parseHop, sshOptions } from "../../provider/host/ssh-config";

const home = mkdtempSync(join(tmpdir(), "hostnet-home-"));
afterAll(() => rmSync(home, { recursive: true }));
const env = { HOME: home, PATH: process.env.PATH, SSH_AUTH_SOCK: "/run/agent.sock" };
/** ssh takes `~` for the home of passwd, whatever HOME says. */
const passwd = userInfo().homedir;
let files = 0;
const config = (text: string) => {
  const path = join(home, `config_${files++}`);
  writeFileSync(path, text);
  return path;
};
/** What the file alone says of a host. */
const said = (text: string, alias = "web") => sshOptions({ alias, file: config(text) }, env);

describe("what the file says, and nothing else", () => {
  test("an empty file says nothing", async () => {
    expect(await said("")).toEqual({});
  });

  test("another host's block says nothing", async () => {
    expect(await said("Host other\n Port 1\n User x\n IdentityFile /k\n ProxyJump j\n")).toEqual({});
  });

  test("everything, expanded", async () => {
    const text = `Host web
      HostName 192.0.2.1
      Port 2222
      User ops
      IdentityFile ~/.ssh/%h-%r
      IdentityFile /keys/%n_%p%%
      IdentityAgent ~/agent.sock
      IdentitiesOnly yes
      UserKnownHostsFile ~/known "/a b/known" /c
      GlobalKnownHostsFile none
      HostKeyAlias alias
      ProxyJump a@one:2200,two
      ConnectTimeout 7`;
    expect(await said(text)).toEqual({
      hostName: "192.0.2.1",
      port: 2222,
      user: "ops",
      identityFiles: [`${passwd}/.ssh/192.0.2.1-ops`, "/keys/web_2222%"],
      identityAgent: `${passwd}/agent.sock`,
      identitiesOnly: true,
      knownHosts: [`${passwd}/known`, "/a b/known", "/c"],
      hostKeyAlias: "alias",
      proxyJump: ["a@one:2200", "two"],
      proxyCommand: undefined,
      connectTimeout: 7,
    });
  });

  test("also what is ssh's own default", async () => {
    expect(await said(`Host *\n Port 22\n User ${userInfo().username}\n ConnectTimeout none`)).toMatchObject({
      port: 22,
      user: userInfo().username,
    });
  });

  test("`none` is an answer", async () => {
    expect(await said("ProxyJump none\nIdentityFile none\nIdentityAgent none")).toMatchObject({
      proxyJump: [],
      identityFiles: [],
      identityAgent: "none",
    });
    expect(await said("ProxyCommand none")).toMatchObject({ proxyJump: [] });
  });

  test("a proxy command", async () => {
    expect(await said("ProxyCommand nc %h %p")).toMatchObject({ proxyCommand: "nc %h %p", proxyJump: [] });
  });

  test.each([
    ["SSH_AUTH_SOCK", "/run/agent.sock"],
    ["$SSH_AUTH_SOCK", "/run/agent.sock"],
    ["$HOSTNET_NO_SUCH_VARIABLE", "none"],
  ])("IdentityAgent %s", async (value, expected) => {
    expect((await said(`IdentityAgent ${value}`)).identityAgent).toBe(expected);
  });

  test("a file that is missing or wrong is an error that says so", async () => {
    const missing = sshOptions({ alias: "web", file: join(home, "nope") }, env);
    await expect(missing).rejects.toMatchObject({ code: "INVALID", message: expect.stringContaining("ENOENT") });
    await expect(said("Nonsense 1")).rejects.toMatchObject({
      code: "INVALID",
      details: { stderr: expect.stringMatching(/nonsense/i) },
    });
  });

  test("a path that could be a second option of the config is refused", async () => {
    const odd = join(home, 'x" y');
    writeFileSync(odd, "");
    await expect(sshOptions({ alias: "web", file: odd }, env)).rejects.toMatchObject({ code: "INVALID" });
  });
});

describe("the user's own config", () => {
  test("port and user that are known better count in Match and tokens", async () => {
    const path = config("Match user ops\n IdentityFile /of-%r-%p\n");
    const text = execFileSync("ssh", ["-G", "-F", path, "-p", "99", "-l", "ops", "--", "web"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect(parse(text, { alias: "web" }, env)).toMatchObject({ port: 99, user: "ops", identityFiles: ["/of-ops-99"] });
  });

  test("what ssh would do without a config", async () => {
    const options = await sshOptions({ alias: "Host.Example" }, env);
    expect(options).toMatchObject({ hostName: "host.example", port: 22, user: userInfo().username });
    expect(options.identityFiles).toContain(`${passwd}/.ssh/id_ed25519`);
    expect(options.knownHosts?.length).toBe(4);
    expect(options.proxyJump).toEqual([]);
  });

  test("asked once a process", async () => {
    const folder = join(home, "bin");
    mkdirSync(folder);
    const log = join(home, "log");
    writeFileSync(join(folder, "ssh"), `#!/bin/sh\necho "$@" >>${log}\necho port 1\n`, { mode: 0o755 });
    const counted = { HOME: home, PATH: `${folder}:/usr/bin:/bin` };
    const many = Array.from({ length: 20 }, () => sshOptions({ alias: "web", port: 1, user: "u" }, counted));
    expect(await Promise.all(many)).toEqual(Array(20).fill(expect.objectContaining({ port: 1 })));
    expect(execFileSync("cat", [log], { encoding: "utf8" })).toBe("-G -T -p 1 -l u -- web\n");
  });

  test("without ssh nothing is known", async () => {
    expect(await sshOptions({ alias: "web" }, { HOME: home, PATH: "/nowhere" })).toEqual({});
  });
});

test.each([
  ["host", { address: "host" }],
  ["u@host", { address: "host", user: "u" }],
  ["u@corp@host:22", { address: "host", user: "u@corp", port: 22 }],
  ["[2001:db8::1]:22", { address: "2001:db8::1", port: 22 }],
  ["2001:db8::1", { address: "2001:db8::1" }],
  ["u@2001:db8::1", { address: "2001:db8::1" }],
  ["ssh://u@host:2200", { address: "host", user: "u", port: 2200 }],
])("hop %s", (text, expected) => {
  expect(parseHop(text)).toMatchObject(expected);
});

test("expandPath", () => {
  const cases = ["~", "~/a", "/a~", "~u/a", "$" + "{HOME}/a", "$" + "{NO_SUCH}/a", "a"];
  const expected = [home, `${home}/a`, "/a~", "~u/a", `${home}/a`, "$" + "{NO_SUCH}/a", "a"];
  expect(cases.map((path) => expandPath(path, env))).toEqual(expected);
});
