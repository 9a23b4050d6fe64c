import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { checkHostKey, fingerprint, knownKeyTypes } from "../../provider/host/known-hosts";
import { matches, parseKnownHosts } from "../../provider/host/known-hosts-file";
import type { Target } from "../../provider/host/target";

const folder = mkdtempSync(join(tmpdir(), "hostnet-known-"));
afterAll(() => rmSync(folder, { recursive: true }));

const makeKey = (type: string, name: string): { line: string; key: Buffer; print: string } => {
  const path = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "", "-f", path]);
  const line = readFileSync(`${path}.pub`, "utf8").trim();
  const print = execFileSync("ssh-keygen", ["-lf", `${path}.pub`], { encoding: "utf8" }).split(" ")[1] ?? "";
  return { line, key: Buffer.from(line.split(" ")[1] ?? "", "base64"), print };
};
const ours = makeKey("ed25519", "ours");
const other = makeKey("ed25519", "other");
const ecdsa = makeKey("ecdsa", "ecdsa");

let files = 0;
const file = (...lines: string[]) => {
  const path = join(folder, `known_${files++}`);
  writeFileSync(path, lines.join("\n"));
  return path;
};
const target = (more: Partial<Target>, ...lines: string[]) =>
  ({
    name: "node1",
    address: "host.example",
    hostKeyName: "host.example",
    port: 22,
    hostKeys: [],
    knownHostsPaths: lines.length ? [file(...lines)] : [],
    ...more,
  }) as unknown as Target;
const verdict = (wanted: Target, key = ours.key) =>
  checkHostKey(wanted, key).then(
    () => "known",
    (error) => error.code,
  );

test("fingerprint: as ssh-keygen prints it", () => {
  for (const { key, print } of [ours, other, ecdsa]) expect(fingerprint(key)).toBe(print);
});

describe("pins", () => {
  test.each([
    ["its fingerprint", [ours.print], "known"],
    ["its fingerprint, padded", [`${ours.print}=`], "known"],
    ["its key line with a comment", [`${ours.line} me@there`], "known"],
    ["one of several", [other.line, ours.print], "known"],
    ["another fingerprint", [other.print], "HOST_KEY_MISMATCH"],
    ["another key line", [other.line], "HOST_KEY_MISMATCH"],
    ["a fingerprint cut short", [ours.print.slice(0, 20)], "HOST_KEY_MISMATCH"],
  ])("%s", async (_, hostKeys, expected) => {
    expect(await verdict(target({ hostKeys }, `host.example ${other.line}`))).toBe(expected);
  });

  test("known_hosts does not help against a pin", async () => {
    expect(await verdict(target({ hostKeys: [other.print] }, `host.example ${ours.line}`))).toBe("HOST_KEY_MISMATCH");
  });
});

describe("known_hosts", () => {
  const line = (hosts: string, { line } = ours) => `${hosts} ${line}`;
  test.each<[string, string[], string, Partial<Target>?]>([
    ["a name", [line("host.example")], "known"],
    ["a name in capitals", [line("HOST.Example")], "known", { hostKeyName: "Host.EXAMPLE", address: "Host.EXAMPLE" }],
    ["one of several names", [line("a,host.example,b")], "known"],
    ["nothing", ["# host.example", "", "garbage", "host.example ssh-ed25519"], "HOST_KEY_UNKNOWN"],
    ["another name", [line("host.example.org"), line("xhost.example")], "HOST_KEY_UNKNOWN"],
    ["comment, tabs, CRLF", ["# x\r", `  host.example\t${ours.line} comment\r`], "known"],
    ["patterns", [line("*.example")], "known"],
    ["a question mark", [line("h?st.example")], "known"],
    ["a negated pattern", [line("*.example,!host.example")], "HOST_KEY_UNKNOWN"],
    ["a negation that does not concern us", [line("!x.example,*.example")], "known"],
    ["another key of the type", [line("host.example", other)], "HOST_KEY_MISMATCH"],
    ["only a key of another type", [line("host.example", ecdsa)], "HOST_KEY_MISMATCH"],
    ["several keys, ours among them", [line("host.example", ecdsa), line("host.example")], "known"],
    ["a port", [line("[host.example]:2222")], "known", { port: 2222 }],
    ["another port", [line("[host.example]:2223")], "HOST_KEY_UNKNOWN", { port: 2222 }],
    ["a port in brackets is not port 22", [line("[host.example]:2222")], "HOST_KEY_UNKNOWN"],
    ["the name without the port, as ssh has it", [line("host.example")], "known", { port: 2222 }],
    ["another key under the bare name", [line("host.example", other)], "HOST_KEY_UNKNOWN", { port: 2222 }],
    [
      "another key under the port, ours under the name",
      [line("[host.example]:2222", other), line("host.example")],
      "HOST_KEY_MISMATCH",
      { port: 2222 },
    ],
    ["an alias has no port", [line("alias")], "known", { port: 2222, hostKeyName: "alias" }],
    ["another key under an alias", [line("alias", other)], "HOST_KEY_MISMATCH", { port: 2222, hostKeyName: "alias" }],
    ["IPv6", [line("[2001:db8::1]:2222")], "known", { port: 2222, address: "2001:db8::1", hostKeyName: "2001:db8::1" }],
    ["a revoked key, although known", [line("host.example"), `@revoked ${line("*")}`], "HOST_KEY_MISMATCH"],
    ["another key is revoked", [line("host.example"), `@revoked ${line("*", other)}`], "known"],
    ["an authority is no host key", [`@cert-authority ${line("*")}`], "HOST_KEY_UNKNOWN"],
    ["an unknown marker", [`@other ${line("*")}`], "HOST_KEY_UNKNOWN"],
    ["a line whose type lies", [`host.example ssh-rsa ${ours.line.split(" ")[1]}`], "HOST_KEY_UNKNOWN"],
  ])("%s", async (_, lines, expected, more = {}) => {
    expect(await verdict(target(more, ...lines))).toBe(expected);
  });

  test("several files: the first that knows is enough, one that revokes wins", async () => {
    const known = file(line("host.example"));
    const missing = join(folder, "missing");
    expect(await verdict(target({ knownHostsPaths: [missing, file(""), known] }))).toBe("known");
    expect(await verdict(target({ knownHostsPaths: [known, file(`@revoked ${line("*")}`)] }))).toBe(
      "HOST_KEY_MISMATCH",
    );
  });

  test("a file that cannot be read proves nothing", async () => {
    const known = file(line("host.example"));
    expect(await verdict(target({ knownHostsPaths: [known, folder] }))).toBe("HOST_KEY_UNKNOWN");
    const closed = file("");
    chmodSync(closed, 0);
    if (process.getuid?.() !== 0)
      expect(await verdict(target({ knownHostsPaths: [known, closed] }))).toBe("HOST_KEY_UNKNOWN");
  });

  test("errors say the fingerprint and what to do", async () => {
    await expect(checkHostKey(target({ port: 2222 }, ""), ours.key)).rejects.toMatchObject({
      code: "HOST_KEY_UNKNOWN",
      details: { host: "node1", remedy: expect.stringContaining(`hostKey: "${ours.print}"`) },
      message: expect.stringMatching(/host\.example port 2222, ssh-ed25519 SHA256:\S+, is not known/),
    });
    await expect(checkHostKey(target({}, line("host.example", other)), ours.key)).rejects.toMatchObject({
      code: "HOST_KEY_MISMATCH",
      message: expect.stringContaining(`ssh-ed25519 ${other.print} (${folder}`),
    });
  });
});

test("knownKeyTypes: what we can check, for the order in which keys are asked for", async () => {
  const both = [`host.example ${ecdsa.line}`, `host.example ${ours.line}`, `@revoked host.example ${other.line}`];
  expect(await knownKeyTypes(target({}, ...both))).toEqual(["ecdsa-sha2-nistp256", "ssh-ed25519"]);
  expect(await knownKeyTypes(target({ port: 2222 }, ...both))).toEqual(["ecdsa-sha2-nistp256", "ssh-ed25519"]);
  expect(await knownKeyTypes(target({ hostKeys: [ecdsa.line] }, ...both))).toEqual(["ecdsa-sha2-nistp256"]);
  expect(await knownKeyTypes(target({ hostKeys: [ecdsa.line, ours.print] }, ...both))).toEqual([]);
  expect(await knownKeyTypes(target({}, ""))).toEqual([]);
});

describe("the same as ssh-keygen", () => {
  const host = fc.constantFrom("a", "ab", "a.b", "b.a", "10.0.0.1", "[a]:2222", "[a.b]:22", "2001:db8::1");
  const pattern = fc.oneof(host, fc.stringMatching(/^!?[ab.*?[\]:2]{1,6}$/));
  const hosts = fc.array(pattern, { minLength: 1, maxLength: 4 }).map((list) => list.join(","));
  const knows = (path: string, name: string) => spawnSync("ssh-keygen", ["-F", name, "-f", path]).status === 0;
  const weKnow = (path: string, name: string) =>
    parseKnownHosts(readFileSync(path, "utf8"), path).some((entry) => matches(entry, name));

  test("property: -F finds what we find", () => {
    fc.assert(
      fc.property(fc.array(hosts, { minLength: 1, maxLength: 4 }), host, (lines, name) => {
        const path = file(...lines.map((list) => `${list} ${ours.line}`), "");
        expect(weKnow(path, name)).toBe(knows(path, name));
      }),
      { numRuns: 80 },
    );
  }, 60_000);

  test("property: -H hashes what we find again", () => {
    fc.assert(
      fc.property(fc.uniqueArray(host, { minLength: 1, maxLength: 5 }), host, (names, name) => {
        const path = file(...names.map((one) => `${one} ${ours.line}`), "");
        const before = weKnow(path, name);
        execFileSync("ssh-keygen", ["-H", "-f", path], { stdio: "ignore" });
        expect(readFileSync(path, "utf8")).toMatch(/^(\|1\|\S+ ssh-ed25519 \S+\s*)+$/);
        expect(weKnow(path, name)).toBe(before);
        expect(knows(path, name)).toBe(before);
      }),
      { numRuns: 30 },
    );
  }, 60_000);
});
