const compile = `require("@swc/core").transformFileSync(file, { swcrc: false, jsc: { target: "es2022",
  parser: { syntax: "typescript" } }, module: { type: "commonjs", ignoreDynamic: true } }).code`;

/** A script for a process of its own (`node -e`), which compiles what it requires as jest does. */
export const inTypeScript = (script: string) =>
  `require.extensions[".ts"] = (module, file) => module._compile(${compile}, file);\n${script}`;
