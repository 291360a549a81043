// Reads an OpenAPI document from standard input and says what is wrong with it; exit code 1 when anything is.
import { Validator } from '@seriousme/openapi-schema-validator';

let text = '';
for await (const chunk of process.stdin) text += chunk;
const { valid, errors } = await new Validator().validate(JSON.parse(text));
if (!valid) console.log(typeof errors === 'string' ? errors : JSON.stringify(errors, null, 2));
process.exitCode = valid ? 0 : 1;
