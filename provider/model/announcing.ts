import type { Process } from "./processes";

/**
 * All addresses at once, and nobody waits: arping sends its first packet as it starts, and is there for as many seconds as
 * it has packets. It outlives our connection, so a shell that hangs up must not end it. Nobody answers: without -w it would
 * wait a second for it after the last packet. $0 the device, $1 how often, then addresses.
 */
export const announcing = `
count=$1; wait=$((count > 1 ? count - 1 : 1)); shift; trap '' HUP
for address; do arping -q -U -c "$count" -w "$wait" -I "$0" "$address" >/dev/null 2>&1 & done
`.trim();

/** A process of the above. It holds nothing and ends by itself: a namespace may go before it. */
export const isAnnouncing = ({ args }: Process) => args.startsWith("arping -q -U -c ");
