// A real SMTP server for the tests: prints "listening <port>", then one JSON line per message it accepted.
//
//   node smtp-server.mjs [--auth user:pass] [--starttls cert.pem key.pem] [--reject-rcpt] [--drop-after-data] [--hang]
import { readFileSync } from 'node:fs';
import { SMTPServer } from 'smtp-server';

const argv = process.argv.slice(2);
const has = (flag) => argv.includes(flag);
const after = (flag, offset = 1) => argv[argv.indexOf(flag) + offset];

const auth = has('--auth') ? after('--auth') : null;
const starttls = has('--starttls')
  ? { cert: readFileSync(after('--starttls')), key: readFileSync(after('--starttls', 2)) }
  : null;

const disabled = ['AUTH', 'STARTTLS'].filter((command) => !(command === 'AUTH' ? auth : starttls));

const server = new SMTPServer({
  ...starttls,
  disabledCommands: disabled,
  authOptional: !auth,
  allowInsecureAuth: !starttls,
  authMethods: ['LOGIN', 'PLAIN'],
  disableReverseLookup: true,
  closeTimeout: 100,

  onAuth({ username, password }, session, done) {
    if (`${username}:${password}` === auth) {
      done(null, { user: username });
    } else {
      done(Object.assign(new Error('Invalid credentials'), { responseCode: 535 }));
    }
  },

  onMailFrom(address, session, done) {
    // A server that hangs never answers MAIL FROM.
    if (!has('--hang')) {
      done();
    }
  },

  onRcptTo(address, session, done) {
    done(has('--reject-rcpt') ? Object.assign(new Error('No such mailbox'), { responseCode: 550 }) : null);
  },

  onData(stream, session, done) {
    let raw = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk) => {
      raw += chunk;
    });
    stream.on('end', () => {
      if (has('--drop-after-data')) {
        // The message has arrived whole, but its sender never learns what became of it.
        for (const connection of server.connections) {
          connection._socket.destroy();
        }
        return;
      }

      console.log(JSON.stringify({
        from: session.envelope.mailFrom.address,
        to: session.envelope.rcptTo.map((recipient) => recipient.address),
        user: session.user ?? null,
        secure: session.secure,
        raw,
      }));
      done();
    });
  },
});

// A client that breaks off is the test's own doing.
server.on('error', (error) => console.error(error.message));
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.server.address().port}`));
process.on('SIGTERM', () => process.exit(0));
process.stdin.on('end', () => process.exit(0)).resume();
