import { connect, type Socket } from "node:net";
import { HostnetError } from "../model/errors";

/**
 * How long each address of a name is tried before the next: Node's 250 ms is less than some hosts are away. Long enough
 * for a packet that is lost, which the kernel sends again after a second, and short where an address leads nowhere.
 */
const addressMs = 2000;

/**
 * A socket of our own for ssh2, which never sets TCP_NODELAY: with it from the first byte an exec on a LAN takes 2 ms,
 * without 44 ms. It also gives us a deadline for the dial alone, and something that can be destroyed for certain.
 */
export function dialTcp(host: string, port: number, deadline: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const left = Math.max(1, deadline - performance.now());
    const autoSelectFamilyAttemptTimeout = Math.ceil(Math.min(addressMs, left / 2));
    const socket = connect({ host, port, noDelay: true, autoSelectFamily: true, autoSelectFamilyAttemptTimeout });
    const fail = (why: string, cause?: unknown) => {
      socket.destroy();
      clearTimeout(timer);
      reject(new HostnetError("UNREACHABLE", `${host} port ${port}: ${why}`, { cause }));
    };
    const timer = setTimeout(
      () => fail("no answer in time", Object.assign(new Error("connect timed out"), { code: "ETIMEDOUT" })),
      left,
    );
    socket.on("error", (error: NodeJS.ErrnoException) => fail(reasonOf(error), error));
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(socket.unref());
    });
  });
}

const reasons: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ETIMEDOUT: "no answer in time",
  ECONNRESET: "connection reset",
  ENOTFOUND: "the name is not known",
  EAI_AGAIN: "the name cannot be looked up now",
};

function reasonOf(error: NodeJS.ErrnoException): string {
  // Happy eyeballs: one error for each address tried.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return reasons[first?.code ?? ""] ?? first?.message ?? "cannot be reached";
}
