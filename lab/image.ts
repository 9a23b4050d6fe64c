import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codename, imageAptOptions, imageSources } from "./apt";
import { withLock } from "./lock";
import { cacheRoot, guestFiles } from "./paths";
import { run, secondsSince } from "./run";

/** What the machines have installed: all that seed.md's layouts and their proofs need, so that nothing is fetched later. */
const guestPackages = [
  ...["linux-image-amd64", "systemd-sysv", "udev", "dbus", "kmod", "procps", "busybox-static", "less"],
  ...["openssh-server", "sudo", "fish", "python3", "jq", "socat", "netcat-openbsd"],
  ...["iproute2", "openvswitch-switch", "bridge-utils", "ethtool", "nftables", "iptables", "conntrack"],
  ...[
    "dnsmasq",
    "lldpd",
    "udhcpc",
    "tcpdump",
    "iperf3",
    "iputils-arping",
    "iputils-ping",
    "iputils-tracepath",
    "wireguard-tools",
  ],
];

/** Drivers that no virtual machine has, half of the image; and what nobody reads in the lab. */
const left = ["gpu", "media", "infiniband", "iio", "staging", "net/wireless", "scsi", "ata", "hwmon", "input", "isdn"];
const excluded = [
  ...[...left, "mtd", "nvme", "usb", "thunderbolt", "comedi"].map((each) => `/lib/modules/*/kernel/drivers/${each}/*`),
  ...["/lib/modules/*/kernel/sound/*", "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"],
];

const diskSize = "3G";

export interface Image {
  folder: string;
  disk: string;
  kernel: string;
  initrd: string;
}

/** The image for this recipe, built if it is not in the cache. Throws with mmdebstrap's last words when that fails. */
export async function ensureImage(log: (line: string) => void): Promise<Image> {
  const image = imageIn(join(cacheRoot(), await recipeHash()));
  if (existsSync(image.folder)) return image;
  const waiting = () => log("another process builds the lab's image; waiting for it");
  await withLock(join(cacheRoot(), "build.lock"), waiting, async () => {
    if (existsSync(image.folder)) return;
    const start = Date.now();
    log(`building the machines' image: Debian "${codename}" by mmdebstrap (about 80 s, once)…`);
    const building = join(cacheRoot(), "building");
    await runAsRoot(["rm", "-rf", building]);
    await mkdir(building, { recursive: true, mode: 0o700 });
    await build(imageIn(building));
    await rename(building, image.folder);
    log(`image built in ${secondsSince(start)}: ${image.folder}`);
  });
  return image;
}

function imageIn(folder: string): Image {
  return { folder, disk: join(folder, "base.ext4"), kernel: join(folder, "vmlinuz"), initrd: join(folder, "initrd") };
}

/** Only what shapes the image counts, so that a change elsewhere in the lab needs no rebuild. */
async function recipeHash(): Promise<string> {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([codename, guestPackages, excluded, diskSize, makeDisk]));
  const files = await readdir(guestFiles(), { recursive: true, withFileTypes: true });
  for (const path of files
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name))
    .sort()) {
    hash.update(path.slice(guestFiles().length)).update(await readFile(path));
  }
  return hash.digest("hex").slice(0, 16);
}

/**
 * From the file system as a tar to the disk and what QEMU boots. Extended attributes: ping has its capability there. No
 * devices: only root can make them, and the kernel makes its own. No journal: no machine's disk is needed again.
 */
const makeDisk = `set -e
mkdir root
tar -xf root.tar -C root --numeric-owner --xattrs --xattrs-include='*' --exclude='./dev/*'
rm root.tar
mv root/boot/lab-vmlinuz vmlinuz
mv root/boot/lab-initrd initrd
mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -m 0 -L root -d root base.ext4 ${diskSize}
rm -rf root`;

async function build(image: Image): Promise<void> {
  const inFolder = (name: string) => join(image.folder, name);
  await writeFile(inFolder("sources.list"), await imageSources());
  const place = ["s,^rootfs/,,", "s,^\\(init\\|customize\\)$,opt/hostnet-lab/\\1,"].map(
    (each) => `--transform=${each}`,
  );
  const members = ["rootfs/etc", "init", "customize"];
  const owner = ["--owner=0", "--group=0", "--mode=u=rwX,go=rX"];
  await run("tar", ["-C", guestFiles(), "-cf", inFolder("files.tar"), ...owner, ...place, ...members]);

  const isRoot = process.getuid?.() === 0;
  const options = [
    ...(await imageAptOptions()).map((each) => `--aptopt=${each}`),
    ...excluded.map((each) => `--dpkgopt=path-exclude=${each}`),
    `--customize-hook=tar-in ${inFolder("files.tar")} /`,
    '--customize-hook=chroot "$1" sh /opt/hostnet-lab/customize',
  ];
  const args = ["--variant=minbase", `--mode=${isRoot ? "root" : "unshare"}`, `--include=${guestPackages.join(",")}`];
  await run("mmdebstrap", [...args, ...options, codename, inFolder("root.tar"), inFolder("sources.list")], {
    // The kernel's package would make Debian's initramfs, half a minute for what nobody boots.
    env: { INITRD: "No" },
    cwd: "/",
    // Its whole log would bury the reason.
    stderr: { file: inFolder("mmdebstrap.log") },
  }).catch(async (error: Error) => {
    const words = (await readFile(inFolder("mmdebstrap.log"), "utf8")).trim().split("\n").slice(-15).join("\n");
    throw new Error(`The lab's image could not be built. mmdebstrap's last words:\n${words}`, { cause: error });
  });
  await runAsRoot(["sh", "-c", makeDisk], image.folder);
}

/**
 * Without root: in a user namespace that maps us to root and other owners to our subordinate ids. (fakeroot loses the
 * type of files with capabilities.)
 */
async function runAsRoot([program = "", ...args]: string[], cwd = "/"): Promise<void> {
  const mapped = ["--map-root-user", "--map-auto", program, ...args];
  await (process.getuid?.() === 0 ? run(program, args, { cwd }) : run("unshare", mapped, { cwd }));
}
