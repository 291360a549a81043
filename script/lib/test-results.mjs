// Sums the CTRF reports of all test projects. Called by script/test:
//   node test-results.mjs <folder of reports> <exit code of the run> <0, or more when a filter is on> <test project>…
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [folder, runCode, filtered, ...projects] = process.argv.slice(2);
const tests = [];
const errors = [];

for (const project of projects.map(path => basename(path))) {
  try {
    const { results } = JSON.parse(readFileSync(join(folder, `${project}.json`), 'utf8'));
    tests.push(...results.tests);
    if (results.tests.length === 0 && filtered === '0') errors.push(`${project} ran no test`);
    for (const suite of results.extra?.suites ?? []) {
      for (const error of suite.errors ?? []) errors.push(`${project}: ${error.message ?? JSON.stringify(error)}`);
    }
  } catch (error) {
    errors.push(`${project} left no report (${error.code ?? error.message})`);
  }
}

// Whatever neither passed nor failed (skipped, pending, explicit) is shown as skipped, never as passed.
const passed = tests.filter(test => test.status === 'passed');
const failed = tests.filter(test => test.status === 'failed');
const skipped = tests.filter(test => test.status !== 'passed' && test.status !== 'failed');

if (tests.length === 0) errors.push('no test ran');
if (runCode !== '0' && failed.length === 0) errors.push(`the test run ended with exit code ${runCode}`);

const firstLine = text => (text ?? '').split('\n', 1)[0];
console.log();
for (const test of skipped) console.log(`skipped  ${test.name}: ${firstLine(test.extra?.reason ?? test.message) || test.status}`);
for (const test of failed) console.log(`failed   ${test.name}: ${firstLine(test.message)}`);
for (const error of errors) console.log(`error    ${error}`);
console.log(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`);

process.exitCode = failed.length || errors.length ? 1 : 0;
