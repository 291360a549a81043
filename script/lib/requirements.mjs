// Joins the ids in docs/requirements.md with the tests that carry them. Called by script/requirements.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const document = 'docs/requirements.md';
const mode = process.argv[2] ?? '--list';
if (!['--list', '--write', '--check'].includes(mode)) {
  console.error('usage: script/requirements [--write | --check]');
  process.exit(2);
}

const shownBy = new Map(); // id → set of test names
const show = (id, test) => shownBy.set(id, (shownBy.get(id) ?? new Set()).add(test));

for (const file of filesUnder('tests', 'web')) {
  const text = readFileSync(file, 'utf8');
  if (!/\bS\d-\d+\b/.test(text)) continue;
  if (file.endsWith('.cs')) readCSharp(text);
  else readScript(basename(file), text);
}

const before = readFileSync(document, 'utf8');
const groups = []; // {title, rows: [{id, exempt, covered}]}
const known = new Set();
const after = before.split('\n').map(line => {
  if (line.startsWith('## ')) groups.push({ title: line.slice(3), rows: [] });
  const row = line.match(/^(\| (S\d-\d+) \| .* \|)([^|]*)\|$/);
  if (!row) return line;

  const [, start, id, cell] = row;
  const tests = [...(shownBy.get(id) ?? [])].sort();
  const exempt = cell.trim().startsWith('exempt:');
  known.add(id);
  groups.at(-1).rows.push({ id, exempt, covered: tests.length > 0 });
  return exempt ? line : `${start} ${tests.map(test => `\`${test}\``).join(', ') || '—'} |`;
}).join('\n');

const unknown = [...shownBy].filter(([id]) => !known.has(id)).map(([id, tests]) => `${id} (${[...tests].join(', ')})`);
if (unknown.length) console.log(`Named by a test, but not in ${document}: ${unknown.join('; ')}`);

if (mode === '--write') {
  writeFileSync(document, after);
} else if (mode === '--check') {
  if (after !== before) console.log(`${document} is out of date: run script/requirements --write`);
  process.exitCode = after !== before || unknown.length ? 1 : 0;
} else {
  list();
}

function list() {
  const sum = { covered: 0, exempt: 0, open: 0 };
  for (const { title, rows } of groups.filter(group => group.rows.length)) {
    const exempt = rows.filter(row => row.exempt).length;
    const open = rows.filter(row => !row.exempt && !row.covered).map(row => row.id);
    const covered = rows.length - exempt - open.length;
    sum.covered += covered;
    sum.exempt += exempt;
    sum.open += open.length;
    console.log(`${title}: ${covered} covered, ${open.length} not covered, ${exempt} exempt`);
    for (let i = 0; i < open.length; i += 12) console.log(`  ${open.slice(i, i + 12).map(id => id.padEnd(6)).join(' ').trimEnd()}`);
    console.log();
  }
  console.log(`${sum.covered} covered, ${sum.open} not covered, ${sum.exempt} exempt`);
}

function filesUnder(...folders) {
  return folders.flatMap(folder => walk(folder)).filter(path => /\.(cs|ts|tsx|mjs)$/.test(path));
}

function walk(folder) {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // not there yet
  }
  return entries.flatMap(entry => {
    if (entry.isDirectory()) return ['node_modules', 'dist', 'bin', 'obj'].includes(entry.name) ? [] : walk(join(folder, entry.name));
    return [join(folder, entry.name)];
  });
}

// Attributes stand before the member they describe, and script/format keeps the indentation true: a method belongs to
// the nearest type above it that is indented less.
function readCSharp(text) {
  const types = [];
  let attributes = '';
  let open = false;
  for (const line of text.split('\n')) {
    if (/^\s*\/\//.test(line)) continue;
    const indent = line.search(/\S/);
    let declaration = line;
    if (open || /^\s*\[/.test(line)) {
      attributes += line;
      const brackets = attributes.replace(/"(?:\\.|[^"\\])*"/g, '');
      open = brackets.split('[').length > brackets.split(']').length;
      declaration = line.replace(/^.*\]\s*(?=public\b|internal\b)/, '');
      if (declaration === line) continue;
    }

    const type = declaration.match(/^\s*(?:(?:public|internal|private|protected|abstract|sealed|static|partial|file)\s+)*(?:class|record|struct)\s+(\w+)/);
    const method = type ? null : declaration.match(/^\s*public\s+[^=;{(]*?(\w+)\s*(?:<[^(]*>)?\(/);
    if (!type && !method) continue;
    if (type) {
      while (types.length && types.at(-1).indent >= indent) types.pop();
      types.push({ name: type[1], indent });
    }
    const owner = type ? type[1] : types.findLast(candidate => candidate.indent < indent)?.name;
    const name = type ? owner : `${owner}.${method[1]}`;
    // A test that never runs shows nothing.
    const skipped = /\bSkip\s*=\s*["$@]/.test(attributes) && !/\bSkip(When|Unless)\s*=/.test(attributes);
    if (!skipped) for (const id of idsOf(attributes)) show(id, name);
    attributes = '';
  }
}

function idsOf(attributes) {
  const traits = attributes.matchAll(/\bTrait\(\s*"Requirement"\s*,\s*"(S\d-\d+)"\s*\)/g);
  const compact = attributes.matchAll(/\bRequirement\(([^)]*)\)/g);
  return [...[...traits].map(match => match[1]), ...[...compact].flatMap(match => match[1].match(/\bS\d-\d+\b/g) ?? [])];
}

function readScript(file, text) {
  const titles = /\b(?:test|it|describe)(?:\.(?!skip|todo|fixme)\w+)*(?:\((?:[^()]|\([^()]*\))*\)|`[^`]*`)?\s*\(\s*(["'`])((?:\\.|(?!\1)[^\\])*)\1/g;
  for (const [, , title] of text.matchAll(titles)) {
    const name = title.replace(/[[(]?\bS\d-\d+\b[\])]?,?\s*/g, '').replace(/[|`]/g, ' ').replace(/^[:\s]+|[:\s]+$/g, '');
    for (const id of title.match(/\bS\d-\d+\b/g) ?? []) show(id, `${file}: ${name}`);
  }
}
