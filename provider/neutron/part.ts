import * as pulumi from "@pulumi/pulumi";
import { lastPart } from "../protocol";

/** What all components have: a name of their own, and how messages call them. */
export abstract class Part extends pulumi.ComponentResource {
  /** The component's name within its cloud. */
  readonly name: string;
  /** Its name as a resource: what the names of its children begin with. */
  protected readonly path: string;
  /** As `Network 'blue'`. */
  protected readonly title: string;

  constructor(type: string, path: string, name: string | undefined, opts: pulumi.ComponentResourceOptions) {
    super(`hostnet:neutron:${type}`, path, {}, opts);
    this.path = path;
    this.name = name ?? lastPart(path);
    this.title = titleOf(type, path);
  }
}

export const titleOf = (type: string, path: string) => `${type} '${path}'`;
