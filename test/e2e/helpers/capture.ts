import { mustOnHost } from "./lab";

/** A device to listen on with tcpdump. */
export interface Tap {
  device: string;
  namespace?: string;
  /** `in`, `out` or both, as the device sees it. */
  direction?: "in" | "out" | "inout";
  /** pcap-filter(7). */
  filter: string;
}

/**
 * The packets that tcpdump sees on each device while `action` (root's bash) runs on the host: a list of lines for each.
 * @throws Error when a tcpdump does not listen.
 */
export async function capture(host: string, taps: Tap[], action: string): Promise<string[][]> {
  const listen = taps.map(
    ({ device, namespace, direction = "inout", filter }, index) =>
      `${namespace ? `ip netns exec ${namespace} ` : ""}tcpdump -nn -l -e -vv -i ${device} -Q ${direction} '${filter}' >${index}.out 2>${index}.err & pids="$pids $!"`,
  );
  const script = `
cd "$(mktemp -d)" || exit 1
pids=
${listen.join("\n")}
for file in ${taps.map((_, index) => `${index}.err`).join(" ")}; do
  for try in $(seq 200); do grep -qs 'listening on' "$file" && continue 2; sleep 0.1; done
  cat "$file" >&2; kill $pids; exit 1
done
( ${action} ) >/dev/null 2>&1
sleep 1
kill $pids; wait $pids 2>/dev/null
${taps.map((_, index) => `printf '\\036'; cat ${index}.out`).join("\n")}
rm -rf "$PWD"
`;
  const said = await mustOnHost(host, script);
  // -vv breaks a packet into an unindented line and indented ones.
  return said
    .split("\u001e")
    .slice(1)
    .map((text) => text.split(/\n(?=\S)/).filter((line) => line.trim() !== ""));
}
