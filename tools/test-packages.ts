import type { DebianPackage } from "./packages";

/** What the unit tests try; without them (`npm run test:unit`) those tests are skipped, and say so. */
export const testPackages: DebianPackage[] = [
  {
    package: "openssh-server",
    command: "sshd",
    why: "the transports are tried against a real sshd, on a port of its own",
  },
  { package: "openssh-client", command: "ssh-keygen", why: "the reading of known_hosts is compared with it" },
  { package: "fish", command: "fish", why: "a login shell that a user may have" },
  { package: "tcsh", command: "tcsh", why: "a login shell that a user may have" },
  { package: "chromium", command: "chromium", why: "the page of `hostnet graph` is tried in a real browser" },
  { package: "busybox", command: "busybox", why: "the smallest /bin/sh that a host may have" },
];
