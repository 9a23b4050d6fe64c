import type { Update } from "./sample";

/** What the samples of supervised processes have in common; `service` names the unit. */

/** Its unit is changed, and it is started anew by it. `unit` is the file. */
export const restarted = (service: string, unit: string) => (change: string) =>
  `sed -i '${change}' ${unit} && systemctl daemon-reload && systemctl restart ${service}.service`;

export const running = (service: string): Update => ({
  to: false,
  apart: true,
  shows: `systemctl is-active ${service}.service`,
  expect: /^inactive$/m,
  removed: /^active$/m,
  drift: `systemctl start ${service}.service`,
});
