/** A host with one supervised process, in the form that systemd 252, procps and dnsmasq 2.90 gave on Debian 12. */
export const inode = "4026532246";

export const hostAnswers = (name: string, files: Record<string, string>, process: string, more: object = {}) => ({
  services: Object.entries(files)
    .flatMap(([file, text]) =>
      text
        .replace(/\n$/, "")
        .split("\n")
        .map((line) => `/run/pulumi-hostnet/services/${name}/${file}:${line}\n`),
    )
    .join(""),
  units: `MainPID=189\nId=${name}.service\nActiveState=active\n`,
  processes: [
    "      1       0 4026531840 Wed Nov 25 11:00:01 2026 /lib/systemd/systemd",
    `    189       1 ${inode} Wed Nov 25 11:00:39 2026 ${process}`,
    "    200     150 4026531840 Wed Nov 25 11:00:40 2026 ps -ww -eo pid=,ppid=,netns=,lstart=,args=",
  ].join("\n"),
  "netns-inodes": `${inode} -r--r--r-- 1 0 0 0 Nov 29 18:22 blue\n`,
  netns: [{ name: "blue" }],
  ...more,
});
