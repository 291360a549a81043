// A second opinion on our access tokens, by a library that is not ours.
// Usage: node verify-jwt.mjs <jwt> <jwks: JSON text or http URL> <issuer> <audience>
// Prints the payload as JSON and exits 0; prints the error's code and exits 1.
import { createLocalJWKSet, createRemoteJWKSet, jwtVerify } from 'jose';

const [token, jwks, issuer, audience] = process.argv.slice(2);
if (!audience) {
  console.error('usage: verify-jwt.mjs <jwt> <jwks> <issuer> <audience>');
  process.exit(2);
}

try {
  const keys = /^https?:/.test(jwks) ? createRemoteJWKSet(new URL(jwks)) : createLocalJWKSet(JSON.parse(jwks));
  const { payload } = await jwtVerify(token, keys, { issuer, audience, algorithms: ['ES256'], typ: 'at+jwt' });
  console.log(JSON.stringify(payload));
} catch (error) {
  console.log(error.code ?? error.name);
  process.exitCode = 1;
}
