// A small Internet of network namespaces: a public network, and private ones behind routers that
// translate addresses (nftables, masquerade). Everything is gone when the test is over.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Documentation addresses (RFC 5737), so that nothing takes them for private ones.
export const PUBLIC = '203.0.113';
export const RELAY = `${PUBLIC}.1`;
const NOBODY = `${PUBLIC}.254`;

const doorProgram = fileURLToPath(new URL('door.mjs', import.meta.url));

const run = (command, ...args) =>
  execFileSync(command, args.map(String), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const ip = (...args) => run('ip', ...args);

function endNamespace(name) {
  for (const pid of ip('netns', 'pids', name).split('\n').filter(Boolean)) {
    try { process.kill(Number(pid), 'SIGKILL'); } catch { /* it ended by itself */ }
  }
  ip('netns', 'del', name);
}

// What a test that was killed could not take away itself.
function sweep() {
  for (const name of existsSync('/run/netns') ? readdirSync('/run/netns') : []) {
    const owner = name.match(/^owtest-(\d+)-/)?.[1];
    if (owner && !existsSync(`/proc/${owner}`)) endNamespace(name);
  }
}

/** Why there can be no such network on this machine, or false: as node:test takes `skip`. */
export function whyNoInternet() {
  if (process.getuid() !== 0) return 'network namespaces need root';
  for (const [tool, option, from] of [['ip', '-V', 'iproute2'], ['nft', '-v', 'nftables'], ['turnserver', '--version', 'coturn'], ['openssl', 'version', 'openssl']]) {
    try {
      execFileSync(tool, [option], { stdio: 'ignore' });
    } catch (error) {
      if (error.code === 'ENOENT') return `${tool} is missing (Debian: ${from})`;
    }
  }
  const name = `owtest-${process.pid}-try`;
  try {
    ip('netns', 'add', name);
    try {
      ip('-n', name, 'link', 'add', 'br0', 'type', 'bridge');
      run('ip', 'netns', 'exec', name, 'nft', 'add table ip lab; add chain ip lab leaving { type nat hook postrouting priority 100; }; add rule ip lab leaving masquerade');
    } finally {
      ip('netns', 'del', name);
    }
    return false;
  } catch (error) {
    return `network namespaces, bridges or NAT are not to be had: ${String(error.stderr ?? error.message).trim()}`;
  }
}

export class Internet {
  #names = new Set();
  #children = new Set();
  #links = 0;
  #endings = [];

  /** Ends with the test `t`. */
  constructor(t) {
    sweep();
    this.folder = mkdtempSync(join(tmpdir(), 'owtest-'));
    t.after(() => this.close());
    this.#add('net');
    ip('-n', this.name('net'), 'link', 'add', 'br0', 'type', 'bridge');
    ip('-n', this.name('net'), 'addr', 'add', `${RELAY}/24`, 'dev', 'br0');
    ip('-n', this.name('net'), 'link', 'set', 'br0', 'up');
    // What is sent to nobody's address is lost on the way, as on the real Internet, not refused at
    // once: coturn ends a session that it cannot send for.
    ip('-n', this.name('net'), 'neigh', 'add', NOBODY, 'lladdr', '02:00:00:00:00:01', 'dev', 'br0', 'nud', 'permanent');
    ip('-n', this.name('net'), 'route', 'add', 'default', 'via', NOBODY);
  }

  name(place) { return `owtest-${process.pid}-${place}`; }

  #add(place) {
    ip('netns', 'add', this.name(place));
    this.#names.add(this.name(place));
    ip('-n', this.name(place), 'link', 'set', 'lo', 'up');
  }

  // Devices `a` and `b` in two places, joined.
  #join(placeA, a, placeB, b) {
    ip('link', 'add', a, 'netns', this.name(placeA), 'type', 'veth', 'peer', 'name', b, 'netns', this.name(placeB));
    ip('-n', this.name(placeA), 'link', 'set', a, 'up');
    ip('-n', this.name(placeB), 'link', 'set', b, 'up');
  }

  /** A machine on the public network. */
  addPublic(place, number) {
    this.#add(place);
    const port = `port${this.#links++}`;
    this.#join('net', port, place, 'wan');
    ip('-n', this.name('net'), 'link', 'set', port, 'master', 'br0');
    ip('-n', this.name(place), 'addr', 'add', `${PUBLIC}.${number}/24`, 'dev', 'wan');
    ip('-n', this.name(place), 'route', 'add', 'default', 'via', RELAY);
    return `${PUBLIC}.${number}`;
  }

  /**
   * A machine in a private network behind a router at the public address `number`. A symmetric router
   * takes another port for every destination. Returns the private address.
   */
  addPrivate(place, number, { symmetric = false } = {}) {
    const router = `${place}-router`, inside = `10.${number}.0.2`;
    this.addPublic(router, number);
    this.#add(place);
    this.#join(router, 'lan', place, 'lan');
    ip('-n', this.name(router), 'addr', 'add', `10.${number}.0.1/24`, 'dev', 'lan');
    ip('-n', this.name(place), 'addr', 'add', `${inside}/24`, 'dev', 'lan');
    ip('-n', this.name(place), 'route', 'add', 'default', 'via', `10.${number}.0.1`);
    run('ip', 'netns', 'exec', this.name(router), 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    this.rules(router, `
      table ip lab {
        chain leaving { type nat hook postrouting priority 100; oifname "wan" masquerade${symmetric ? ' fully-random' : ''}; }
        # As home routers do. An unasked packet that got this far would take the translation that the
        # machine within is about to be given.
        chain arriving {
          type filter hook input priority 0;
          iifname "wan" ct state established,related accept;
          iifname "wan" drop;
        }
        chain through {
          type filter hook forward priority 0;
          iifname "wan" ct state established,related accept;
          iifname "wan" drop;
        }
      }`);
    return inside;
  }

  rules(place, text) {
    const file = join(this.folder, 'rules');
    writeFileSync(file, text);
    run('ip', 'netns', 'exec', this.name(place), 'nft', '-f', file);
  }

  /** Drops what a private machine sends to the public network and that matches, as "meta l4proto udp". */
  block(place, what) {
    this.rules(`${place}-router`, `insert rule ip lab through iifname "lan" ${what} drop`);
  }

  /** The words before a command that run it in a place. */
  prefix(place) { return ['ip', 'netns', 'exec', this.name(place)]; }

  /** A program of one word that runs another in a place, for who starts programs itself. */
  wrapper(place, program) {
    const file = join(this.folder, `run-in-${place}`);
    writeFileSync(file, `#!/bin/sh\nexec ${this.prefix(place).join(' ')} ${program} "$@"\n`, { mode: 0o755 });
    return file;
  }

  /** An authority of its own and a certificate by it for an IP address: the files' names. */
  certificate(name, address) {
    const [ca, caKey, key, request, cert, extensions] =
      ['ca.pem', 'ca.key', 'key', 'request', 'pem', 'extensions'].map((end) => join(this.folder, `${name}.${end}`));
    const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    run('openssl', 'req', '-x509', ...fresh, '-keyout', caKey, '-out', ca, '-subj', '/CN=Test authority', '-days', 2);
    run('openssl', 'req', ...fresh, '-keyout', key, '-out', request, '-subj', '/CN=relay');
    writeFileSync(extensions, `subjectAltName=IP:${address}\n`);
    run('openssl', 'x509', '-req', '-in', request, '-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-out', cert, '-days', 2,
      '-extfile', extensions);
    return { ca, cert, key };
  }

  /**
   * Coturn on the public network, with time-limited credentials made from `secret`; on port 5349 by TLS
   * too when there is a `certificate`. `sendsOn`: it serves nobody on its `port` but names the server on
   * that one.
   */
  startTurn(secret, certificate, { port = 3478, sendsOn } = {}) {
    const tls = certificate
      ? [`--cert=${certificate.cert}`, `--pkey=${certificate.key}`, '--tls-listening-port=5349'] : ['--no-tls'];
    const opened = certificate ? /(TLS|TCP\/TLS)\S* listener opened on \S*:5349|TLS\S* listener opened on/i
      : /TCP listener opened on|listener opened on : /i;
    const words = [...this.prefix('net'), 'turnserver', '-n', '--no-cli', ...tls, '--no-dtls', '--use-auth-secret',
      `--static-auth-secret=${secret}`, '--realm=overwatch.test', `--listening-ip=${RELAY}`, `--relay-ip=${RELAY}`,
      `--pidfile=${join(this.folder, `turn-${port}.pid`)}`, `--userdb=${join(this.folder, `turn-${port}.db`)}`,
      `--listening-port=${port}`, ...(sendsOn ? [`--alternate-server=${RELAY}:${sendsOn}`] : []), '--log-file=stdout', '--verbose'];
    const child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#children.add(child);
    const turn = { log: '' };
    return new Promise((resolve, reject) => {
      const look = (data) => {
        turn.log += data;
        if (opened.test(turn.log)) resolve(turn);
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      child.once('error', reject);
      child.once('close', (code) => reject(new Error(`turnserver ended (${code}):\n${turn.log.slice(-2000)}`)));
    });
  }

  /**
   * Lets `place` and this test reach a port of loopback in `serverPlace` past the network: the page and
   * the API are served on loopback only. In `place` it is the same port of its own loopback.
   */
  async openDoor(serverPlace, place, port) {
    this.door = join(this.folder, 'door');
    for (const [where, ends] of [[serverPlace, [this.door, port]], [place, [port, this.door]]]) {
      const words = [...this.prefix(where), process.execPath, doorProgram, ...ends.map(String)];
      const child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
      this.#children.add(child);
      await once(child.stdout, 'data');
    }
  }

  /** GET through the door: the answer's JSON. */
  ask(path) {
    return new Promise((resolve, reject) => {
      request({ socketPath: this.door, path, headers: { host: 'localhost' } }, (response) => {
        let body = '';
        response.on('data', (part) => (body += part));
        response.on('end', () => resolve(JSON.parse(body)));
      }).on('error', reject).end();
    });
  }

  /** Something to be ended before the network goes; the last named is ended first. */
  endsWith(ending) { this.#endings.push(ending); }

  async close() {
    try {
      for (const ending of this.#endings.reverse()) await ending();
    } finally {
      this.#demolish();
    }
  }

  #demolish() {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const name of this.#names) endNamespace(name);
    this.#names.clear();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
