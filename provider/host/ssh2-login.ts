import type { Duplex } from "node:stream";
import { Client } from "ssh2";
import { HostnetError } from "../model/errors";
import { attemptsFor } from "./auth";
import { fingerprint } from "./keys";
import { checkHostKey, knownKeyTypes } from "./known-hosts";
import { Ssh2Connection } from "./ssh2-connection";
import type { Target } from "./target";

/** ssh2's own defaults still offer SHA-1. Order is preference; x25519 costs as much as the NIST curves, and DH far more. */
const algorithms = {
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
  ],
  cipher: [
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
  ],
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"],
  compress: ["none"],
} as const;

const hostKeyAlgorithms = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
] as const;

/** Handshake and authentication over a stream that is open. */
export async function login(
  target: Target,
  stream: Duplex,
  deadline: number,
  keepaliveMs: number | undefined,
  via: Ssh2Connection | undefined,
): Promise<Ssh2Connection> {
  const client = new Client();
  // For ever: ssh2 can emit "error" after "close", which would end the process.
  client.on("error", () => {});
  stream.on("error", () => {});
  let timer: NodeJS.Timeout | undefined;
  try {
    const [known, attempts] = await Promise.all([knownKeyTypes(target), attemptsFor(target)]);
    const hostKey = await new Promise<Buffer>((resolve, reject) => {
      const fail = (code: "UNREACHABLE" | "AUTH", why: string, cause?: unknown, remedy?: string) =>
        reject(new HostnetError(code, `${target.address} port ${target.port}: ${why}`, { cause, remedy }));
      timer = setTimeout(() => fail("UNREACHABLE", "no answer in time"), Math.max(1, deadline - performance.now()));
      let key: Buffer | undefined;
      let greeted = false;
      const tried: string[] = [];
      client.on("handshake", () => {
        greeted = true;
      });
      client.once("ready", () => {
        if (key) resolve(key);
        else fail("UNREACHABLE", "the host proved no key");
      });
      client.on("error", (error: Error & { level?: string; code?: unknown }) => {
        // An agent that fails to sign is reported, and then the next key is tried all the same.
        if (error.level === "agent") return;
        const rejected = error.level === "client-authentication" || (greeted && typeof error.code === "number");
        if (rejected) {
          const what = tried.length ? tried.join(", ") : "nothing";
          return fail("AUTH", `user "${target.user}" is refused; tried ${what} (${error.message})`, error);
        }
        // MaxStartups and PerSourcePenalties look like this; nothing of us was judged yet.
        if (!greeted && /lost before handshake/.test(error.message)) {
          return fail("UNREACHABLE", "the host closed the connection before the handshake", lost());
        }
        const outdated = /no matching/i.test(error.message);
        const remedy = outdated ? 'Set transport: "openssh" if the system\'s ssh can reach it.' : undefined;
        fail("UNREACHABLE", error.message, error, remedy);
      });
      // A login that ends without a word is taken for a refusal: to try again would count against us (PerSourcePenalties).
      client.once("close", () => {
        if (greeted) fail("AUTH", "the host closed the connection during login");
        else fail("UNREACHABLE", "the host closed the connection before login", lost());
      });
      // Of a stream that has ended while the keys were read ssh2 would never say a word.
      if (stream.destroyed || stream.readableEnded) {
        return fail("UNREACHABLE", "the host closed the connection before login", lost());
      }
      const left = [...attempts];
      client.connect({
        sock: stream as never,
        username: target.user,
        readyTimeout: 0, // the timer above
        keepaliveInterval: 0, // ssh2's own timer keeps the process alive: Ssh2Connection has another
        algorithms: { ...mutable(algorithms), serverHostKey: ordered(known, target.unfitKeys) },
        hostVerifier: (offered: Buffer, verify: (valid: boolean) => void) => {
          key = offered;
          checkHostKey(target, offered).then(
            () => verify(true),
            (error: unknown) => {
              reject(error);
              verify(false);
            },
          );
        },
        authHandler: (_methods, _partial, next) => {
          const attempt = left.shift();
          if (attempt) tried.push(attempt.what);
          next(attempt ? attempt.method : (false as never));
        },
      } as Parameters<Client["connect"]>[0]);
    });
    return new Ssh2Connection(client, stream, fingerprint(hostKey), via, keepaliveMs);
  } catch (error) {
    client.end();
    // Client.destroy() does nothing once the socket is half closed.
    stream.destroy();
    throw error instanceof HostnetError ? error : new HostnetError("UNREACHABLE", String(error), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function lost(): Error {
  return Object.assign(new Error("closed before handshake"), { code: "ECONNRESET" });
}

/** Key types that we can check come first: ssh2 may otherwise agree on one that we hold nothing for. */
function ordered(known: string[], unfit: string[] = []) {
  const asked = hostKeyAlgorithms.filter((algorithm) => !unfit.some((type) => algorithm.includes(type)));
  const holds = (algorithm: string) => known.includes(algorithm.startsWith("rsa-sha2") ? "ssh-rsa" : algorithm);
  return asked.sort((a, b) => Number(holds(b)) - Number(holds(a)));
}

function mutable<T extends Record<string, readonly string[]>>(lists: T): { [K in keyof T]: T[K][number][] } {
  return Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, [...list]])) as never;
}
