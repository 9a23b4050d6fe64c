import { linkShape } from "../model/link-args";
import { linkKind } from "../model/link-kind";
import { between } from "../model/scalars";

export const dummy = linkKind({
  name: "Dummy",
  type: "dummy",
  doc: "A device that leads nowhere: what is sent by it is dropped, and counts as sent. It has a carrier as long as it is up, whatever becomes of the network cards, so that it is the place of addresses that are the host's own: a router's, an anycast service's. One that is there already, as the `dummy0` of a kernel that makes one with its module (`numdummies`), is taken over with `adopt: true`.",
  common: {
    // dummy_setup: max_mtu 0, which is none.
    mtu: between(68, 0x7fff_ffff)
      .optional()
      .describe("Largest packet in bytes, 68 to 2147483647. Default: the kernel's, 1500."),
    arp: linkShape.arp.describe("Answer ARP. Kernel default: false, as nobody is there to ask."),
  },
  options: {},
  traits: { noArp: true },
  reset: { arp: false },
  // Where the module makes a dummy0 by itself, the creation of a device of that name would load it, and find its name taken.
  load: () => [{ argv: ["modprobe", "dummy", "numdummies=0"], mayFail: true }],
});
