/** A resource as a program declares it, taken from the state that the program left. */
export interface Declared {
  urn: string;
  type: string;
  name: string;
  custom: boolean;
  parent?: string;
  inputs: Record<string, unknown>;
  /** The resources whose outputs each input was made of. */
  dependencies: Record<string, string[]>;
  /** Those that it waits for besides. */
  dependsOn: string[];
}

/** What `pulumi stack export` prints; only what is read. */
export interface Exported {
  deployment: { resources: StateResource[] };
}

interface StateResource {
  urn: string;
  type: string;
  custom?: boolean;
  parent?: string;
  inputs?: Record<string, unknown>;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
}

/** What the program declared, each after all that it needs, as the engine writes them down. */
export function declaredIn({ deployment }: Exported): Declared[] {
  const own = deployment.resources.filter(({ type }) => !type.startsWith("pulumi:"));
  const names = new Set(own.map(({ urn }) => urn));
  return own.map(({ urn, type, custom = false, parent, inputs = {}, ...state }) => {
    const { __provider, ...given } = inputs;
    const dependencies = state.propertyDependencies ?? {};
    const byProperty = new Set(Object.values(dependencies).flat());
    return {
      urn,
      type,
      name: urn.split("::").slice(3).join("::"),
      custom,
      parent: parent !== undefined && names.has(parent) ? parent : undefined,
      inputs: given,
      dependencies,
      dependsOn: (state.dependencies ?? []).filter((each) => !byProperty.has(each)),
    };
  });
}
