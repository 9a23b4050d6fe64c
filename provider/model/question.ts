import type { Section } from "./command";

/** A Host as a kind knows it: what it is called and which machine it is. How it is reached is not for a kind to know. */
export interface KnownHost {
  name: string;
  machineId: string;
  decommissioned?: boolean;
}

/** What an inquiry wants to know of a host. */
export interface Question {
  host: KnownHost;
  sections: Section[];
}
