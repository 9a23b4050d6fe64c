import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import type { Row, Topic } from "./generate-docs";
import { root } from "./root";

/** The components of `hostnet.neutron`, from the comments in their sources, which editors show, too. */
export function componentTopics(): Topic[] {
  return exported().flatMap((name) => {
    const component = declarations.get(name);
    if (!component || !ts.isClassDeclaration(component)) return [];
    const maker = component.members.find(ts.isConstructorDeclaration);
    if (isAbstract(component) || !maker) return [];
    const args = objectsIn(maker.parameters[1]?.type).flatMap(({ members }) => rowsOf(members, "", ""));
    return [{ name, doc: docOf(component), args, outputs: ["Outputs", outputsOf(component)] as const }];
  });
}

const folder = "provider/neutron";

const parse = (file: string) =>
  ts.createSourceFile(file, readFileSync(join(root, folder, file), "utf8"), ts.ScriptTarget.ES2022, true);

type Declaration = ts.ClassDeclaration | ts.InterfaceDeclaration | ts.TypeAliasDeclaration;

const declarations = new Map(
  readdirSync(join(root, folder))
    .flatMap((file) => [...parse(file).statements])
    .filter((one): one is Declaration =>
      [ts.isClassDeclaration, ts.isInterfaceDeclaration, ts.isTypeAliasDeclaration].some((is) => is(one)),
    )
    .map((one) => [one.name?.text ?? "", one]),
);

/** What the folder's index exports, in alphabetical order. */
const exported = () =>
  parse("index.ts")
    .statements.filter(ts.isExportDeclaration)
    .flatMap(({ exportClause }) => (exportClause && ts.isNamedExports(exportClause) ? [...exportClause.elements] : []))
    .map(({ name }) => name.text)
    .sort();

const isAbstract = ({ modifiers = [] as never }: ts.ClassDeclaration) =>
  [...modifiers].some(({ kind }) => kind === ts.SyntaxKind.AbstractKeyword);

function docOf(node: ts.Node): string {
  const [comment] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return (ts.getTextOfJSDocComment(comment?.comment) ?? "").replaceAll("\n", " ");
}

type Member = ts.TypeElement | ts.ClassElement;

/** A row for each property that says its type. `otherwise`: what is said of one that says nothing of itself. */
function rowsOf(members: readonly Member[], prefix: string, otherwise: string): Row[] {
  return members.flatMap((member) => {
    const isProperty = ts.isPropertySignature(member) || ts.isPropertyDeclaration(member);
    if (!isProperty || !member.type) return [];
    const path = `${prefix}${member.name.getText()}`;
    const nested = objectsIn(member.type).flatMap((one) => rowsOf(one.members, `${path}${one.step}.`, one.doc));
    const doc = docOf(member) || otherwise;
    return [{ path, required: !member.questionToken, type: words(member.type), doc }, ...nested];
  });
}

/** What a component tells, with what it has of the classes below it. */
function outputsOf(component: ts.ClassDeclaration): Row[] {
  const [base] = component.heritageClauses?.[0]?.types ?? [];
  const below = declarations.get(base?.expression.getText() ?? "");
  const own = component.members.filter((member) => {
    const hidden = ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected);
    return !hidden && !ts.getJSDocTags(member).some(({ tagName }) => tagName.text === "internal");
  });
  const rows = rowsOf(own, "", "").map(({ required: _, ...row }) => row);
  return [...(below && ts.isClassDeclaration(below) ? outputsOf(below) : []), ...rows];
}

const referred = (type: ts.TypeNode) => (ts.isTypeReferenceNode(type) ? type.typeName.getText() : "");

/** The objects that stand in a type, directly, in a list or by name, and how the way to them goes on. */
function objectsIn(
  type: ts.TypeNode | undefined,
  step = "",
): { members: ts.NodeArray<ts.TypeElement>; step: string; doc: string }[] {
  if (!type) return [];
  if (ts.isTypeLiteralNode(type)) return [{ members: type.members, step, doc: "" }];
  if (ts.isArrayTypeNode(type)) return objectsIn(type.elementType, "[]");
  if (ts.isUnionTypeNode(type)) return type.types.flatMap((one) => objectsIn(one, step));
  if (referred(type) === "Record") return objectsIn((type as ts.TypeReferenceNode).typeArguments?.[1], ".NAME");
  const target = declarations.get(referred(type));
  if (target && ts.isTypeAliasDeclaration(target)) return objectsIn(target.type, step);
  return target && ts.isInterfaceDeclaration(target) ? [{ members: target.members, step, doc: docOf(target) }] : [];
}

/** A type as the other pages have it. */
function words(type: ts.TypeNode | undefined): string {
  if (!type) return "";
  if (ts.isArrayTypeNode(type)) return `list of ${words(type.elementType)}`;
  if (ts.isParenthesizedTypeNode(type)) return words(type.type);
  if (ts.isUnionTypeNode(type)) return [...new Set(type.types.map(words))].join(" or ");
  if (ts.isLiteralTypeNode(type)) return `\`${type.getText().replaceAll('"', "")}\``;
  if (ts.isTypeLiteralNode(type)) return "object";
  if (referred(type) === "Record") return "object by name";
  const target = declarations.get(referred(type));
  if (target && ts.isTypeAliasDeclaration(target)) return words(target.type);
  return target && ts.isInterfaceDeclaration(target) ? "object" : type.getText();
}
