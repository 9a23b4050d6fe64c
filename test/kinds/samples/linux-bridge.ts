import type { Sample } from "../sample";

const shows = (word: string) => `ip -d link show dev s-br | grep -o '${word} [^ ]*'`;

/** An option of `ip link … type bridge` with a value other than its default, as `ip -d` prints it. */
const option = (to: unknown, word: string, printed: string | number, byDefault: string | number) => ({
  to,
  shows: shows(word),
  expect: new RegExp(`^${word} ${printed}$`, "m"),
  removed: new RegExp(`^${word} ${byDefault}$`, "m"),
});

export const linuxBridge: Sample = {
  kind: "LinuxBridge",
  args: { name: "s-br" },
  exists: "ip -d link show dev s-br | grep -qw bridge",
  vanish: "ip link del s-br",
  updates: {
    stp: { ...option(true, "stp_state", 1, 0), drift: "ip link set s-br type bridge stp_state 0" },
    priority: { ...option(4096, "priority", 4096, 32768), drift: "ip link set s-br type bridge priority 8192" },
    forwardDelay: { ...option(4, "forward_delay", 400, 1500), drift: "ip link set s-br type bridge forward_delay 900" },
  },
  replaces: { name: "s-br2" },
  invalid: [
    { args: { name: "a-name-of-16-char" }, path: "name", text: /1 to 15/ },
    { args: { mtu: 67 }, path: "mtu", text: /68 to 65535.*67/ },
    { args: { forwardDelay: 1 }, path: "forwardDelay", text: /2 to 30/ },
  ],
};
