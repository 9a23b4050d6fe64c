import { host, mustOnHost } from "./helpers/lab";

/** What the other tests take for granted of the lab itself. */
const { external, underlay } = host("n2").interfaces;

it("a card that is down, however much is sent to it, holds up nobody else", async () => {
  const up = (device: string, address: string) =>
    `ip link set ${device} up; ip address add ${address}/24 dev ${device}`;
  const away = (...devices: string[]) =>
    devices.map((device) => `ip address flush dev ${device}; ip link set ${device} down`).join("\n");
  try {
    await mustOnHost("n1", `ip -br link show ${external} | grep -w DOWN\n${up(underlay, "10.198.9.1")}`);
    await mustOnHost("n2", `${up(underlay, "10.198.9.2")}\n${up(external, "10.198.8.2")}`);
    // A neighbour that is nowhere, so that all of it is sent. The hub between the machines stood still after 300 frames.
    await mustOnHost("n2", `ip neigh replace 10.198.8.1 lladdr 02:00:00:00:00:01 dev ${external} nud permanent`);
    const sent = `cat /sys/class/net/${external}/statistics/tx_packets`;
    const flood = "for one in 1 2 3 4; do ping -q -i 0.002 -c 250 -W 1 10.198.8.1 >/dev/null & done; wait";
    const count = Number(await mustOnHost("n2", `before=$(${sent}); ${flood}; echo $(($(${sent}) - before))`));
    expect(count).toBeGreaterThanOrEqual(1000);
    expect(await mustOnHost("n2", "ping -c 3 -i 0.2 -W 2 10.198.9.1")).toContain(" 3 received");
  } finally {
    await mustOnHost("n1", away(underlay));
    await mustOnHost("n2", away(underlay, external));
  }
}, 120_000);
