/** Where services have what they read and write: a folder each, that only root may list. Gone after a reboot, as they are. */
export const servicesFolder = "/run/pulumi-hostnet/services";

/**
 * `hostnet-dhcp:blue:eth0`: the same whoever makes it, so that two stacks meet. ':' is in no name of a namespace or
 * device, and a unit's name may have it.
 */
export const serviceName = (what: string, namespace: string | undefined, name?: string) =>
  [`hostnet-${what}`, ...(namespace ? [namespace] : name ? [] : ["-"]), ...(name ? [name] : [])].join(":");

export const unitName = (name: string) => `${name}.service`;

export const folderOf = (name: string) => `${servicesFolder}/${name}`;

/** The unit's text; a link in /run/systemd/system leads here. */
export const fileOf = (name: string) => `${folderOf(name)}/${unitName(name)}`;

/** What brings the process back on a host without systemd. */
export const supervisor = (name: string) => `${folderOf(name)}/supervise`;

/** $1 is the service's folder; the command follows. */
export const supervisorText = `# Runs a command again and again, until it is told to end.
folder=$1
shift
umask 077
child=
trap 'kill "$child" 2>/dev/null; wait "$child"; exit 0' TERM
exec </dev/null >/dev/null 2>&1
while :; do
  "$@" 2>"$folder/log" &
  child=$!
  wait "$child"
  sleep 1 &
  child=$!
  wait "$child"
done
`;
