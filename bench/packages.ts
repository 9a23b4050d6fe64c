import type { DebianPackage } from "../tools/packages";

/** What the benchmark's hosts are made of. */
export const packages: DebianPackage[] = [
  { package: "openssh-server", command: "sshd", why: "the benchmark's hosts are real SSH servers" },
  { package: "openssh-client", command: "ssh-keygen", why: "makes their keys" },
  { package: "iproute2", command: "ip", why: "makes the network between them, and checks what was deployed" },
  { package: "util-linux", command: "unshare", why: "keeps them apart from this machine" },
];
