// Certificates for tests, made by the openssl command.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate for 127.0.0.1 to 127.0.0.3, signed by itself, and its key: { cert, key, folder, renew() }. */
export function certificate(t) {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const cert = join(folder, 'cert.pem'), key = join(folder, 'key.pem');
  const renew = () => execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
    '-nodes', '-days', '1', '-subj', '/CN=overwatch.test', '-addext', 'subjectAltName=IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3',
    '-keyout', key, '-out', cert], { stdio: 'ignore' });
  renew();
  return { cert, key, folder, renew };
}
