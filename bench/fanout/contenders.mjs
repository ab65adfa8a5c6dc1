// The servers of the fan-out bench. Each is started on one core with a stream of 1 Mbit/s, and knows
// how a viewer of the swarm is signalled in.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const KBPS = 1000;
export const FPS = 30;

// What is to go when the bench ends, however it ends.
const children = new Set(), folders = new Set();

export function cleanUp() {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

export function pinned(core, command, args, options) {
  const child = spawn('taskset', ['-c', String(core), command, ...args], options);
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

function makeFolder(prefix) {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  folders.add(folder);
  return folder;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

async function freeUdpPort() {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

export async function end(child) {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exited;
  clearTimeout(timer);
}

const attribute = (sdp, name) => sdp.match(new RegExp(`^a=${name}:(.*?)\\r?$`, 'm'))?.[1];

// The first UDP candidate on this machine.
function candidate(sdp) {
  const found = [...sdp.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host/gim)];
  const best = found.find(([, ip]) => ip === '127.0.0.1') ?? found.find(([, ip]) => !ip.includes(':'));
  if (!best) throw new Error(`no candidate in ${sdp}`);
  return { ip: best[1], port: best[2] };
}

const place = (sdp) => ({ ufrag: attribute(sdp, 'ice-ufrag'), pwd: attribute(sdp, 'ice-pwd'), ...candidate(sdp) });

const head = 'v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n';

// A video section of the swarm, as of a browser. `repeats` is the payload type of RTX, `extensions` are
// lines of an id and a URI.
function section(swarm, { payload, repeats, mid, setup, extensions = [] }) {
  return [
    `m=video 9 UDP/TLS/RTP/SAVPF ${[payload, repeats].filter(Boolean).join(' ')}`, 'c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0',
    `a=ice-ufrag:${swarm.ufrag}`, `a=ice-pwd:${swarm.pwd}`, `a=fingerprint:sha-256 ${swarm.fingerprint}`,
    `a=setup:${setup}`, `a=mid:${mid}`, ...extensions.map((extension) => `a=extmap:${extension}`),
    'a=recvonly', 'a=rtcp-mux', 'a=rtcp-rsize',
    `a=rtpmap:${payload} H264/90000`, `a=rtcp-fb:${payload} nack`, `a=rtcp-fb:${payload} nack pli`,
    `a=rtcp-fb:${payload} transport-cc`,
    `a=fmtp:${payload} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f`,
    ...(repeats ? [`a=rtpmap:${repeats} rtx/90000`, `a=fmtp:${repeats} apt=${payload}`] : []), '',
  ].join('\r\n');
}

// A section for the data channel that records come by.
const channel = (swarm, mid) => [
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'c=IN IP4 0.0.0.0', `a=ice-ufrag:${swarm.ufrag}`, `a=ice-pwd:${swarm.pwd}`,
  `a=fingerprint:sha-256 ${swarm.fingerprint}`, 'a=setup:actpass', `a=mid:${mid}`, 'a=sctp-port:5000', 'a=max-message-size:262144', '',
].join('\r\n');

// -- ours --

// Of Chromium's offer, those that the server sends.
const extensions = [
  '2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  '3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  '4 urn:ietf:params:rtp-hdrext:sdes:mid',
  '5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
];

async function overwatch(core) {
  const folder = makeFolder('overwatch-fanout-');
  const workflow = {
    id: 'fanout', name: 'Fan-out', version: '1.0',
    nodes: [
      { id: 'pattern', type: 'testPattern', position: { x: 0, y: 0 },
        data: { width: 960, height: 540, fps: FPS, objects: 12 } },
      { id: 'view', type: 'videoPreviewWebRTC', position: { x: 300, y: 0 },
        data: { bitratePreset: 'custom', minBitrate: KBPS, startBitrate: KBPS, maxBitrate: KBPS, adaptive: false } },
    ],
    edges: [{ id: 'e', source: 'pattern', target: 'view' }],
  };
  writeFileSync(join(folder, 'workflow.json'), JSON.stringify(workflow));
  const binary = process.env.OVERWATCH_BINARY ?? join(root, 'build/src/app/overwatch');
  const child = pinned(core, binary,
    ['run', join(folder, 'workflow.json'), '--port', '0', '--media-port', '0', '--media-threads', '1', '--log-file', 'none', '--data-folder', 'none',
      '--log-level', 'warn'],
    { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (bytes) => { log = (log + bytes).slice(-20000); });
  let url;
  for (let i = 0; i < 200 && !url; i++) {
    url = log.match(/http:\/\/[^\s/]+/)?.[0];
    if (!url) await sleep(50);
    if (child.exitCode !== null) throw new Error(`Overwatch did not start:\n${log}`);
  }
  url ??= await listeningUrl(child.pid);
  return {
    pid: child.pid,
    swarm: { transportCc: 3, role: 'controlling' },
    async join(swarm) {
      const offer = (swarm.records > 0 ? head.replace('BUNDLE 0', 'BUNDLE 0 1') : head)
        + section(swarm, { payload: 102, repeats: 103, mid: '0', setup: 'actpass', extensions })
        + (swarm.records > 0 ? channel(swarm, '1') : '');
      const response = await fetch(`${url}/whep/view`,
        { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: offer });
      const answer = await response.text();
      if (response.status === 503 || response.status === 429) return undefined; // too many at once
      if (response.status !== 201) throw new Error(`${response.status}: ${answer}`);
      return place(answer);
    },
    log: () => log,
    stop: () => end(child),
  };
}

// Where nothing is logged, the port is found by its owner.
async function listeningUrl(pid) {
  for (let i = 0; i < 100; i++) {
    const { stdout } = spawnSync('ss', ['-Hltnp'], { encoding: 'utf8' });
    for (const line of stdout.split('\n').filter((text) => text.includes(`pid=${pid},`))) {
      const url = `http://127.0.0.1:${line.match(/:(\d+)\s/)?.[1]}`;
      const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(500) }).catch(() => undefined);
      if (response) return url;
    }
    await sleep(100);
  }
  throw new Error('Overwatch does not listen');
}

// -- Janus' streaming plugin, fed by RTP --

function janusFiles(folder, httpPort, rtpPort, rtcpless) {
  writeFileSync(join(folder, 'janus.jcfg'), `
general: { configs_folder = "${folder}"; debug_level = 3; admin_secret = "x"; session_timeout = 0 }
certificates: {}
media: { ipv6 = false; rtp_port_range = "20000-32000" }
nat: { ice_lite = true; ice_enforce_list = "127.0.0.1"; ignore_mdns = true; full_trickle = false; ice_ignore_list = "" }
plugins: { disable = "libjanus_audiobridge.so,libjanus_echotest.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_videoroom.so,libjanus_voicemail.so,libjanus_lua.so,libjanus_duktape.so" }
transports: { disable = "libjanus_websockets.so,libjanus_rabbitmq.so,libjanus_pfunix.so,libjanus_mqtt.so,libjanus_nanomsg.so" }
events: { broadcast = false }
`);
  writeFileSync(join(folder, 'janus.transport.http.jcfg'), `
general: { json = "compact"; base_path = "/janus"; http = true; port = ${httpPort}; ip = "127.0.0.1"; https = false }
admin: { admin_http = false; admin_https = false }
`);
  writeFileSync(join(folder, 'janus.plugin.streaming.jcfg'), `
view: {
  type = "rtp"; id = 1; description = "bench"; audio = false; video = true;
  videoport = ${rtpPort}; videopt = 102; videortpmap = "H264/90000"; ${rtcpless}
  videofmtp = "profile-level-id=42e01f;packetization-mode=1"; videobufferkf = false
}
`);
}

async function janus(core, otherCore) {
  const folder = makeFolder('janus-fanout-');
  const httpPort = await freePort(), rtpPort = await freeUdpPort();
  janusFiles(folder, httpPort, rtpPort, 'videoiface = "lo";');
  const child = pinned(core, 'janus', ['-F', folder, '-C', join(folder, 'janus.jcfg')],
    { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes) => { log = (log + bytes).slice(-20000); });
  // The encoder is not part of Janus: it runs on the swarm's core.
  const feeder = pinned(otherCore, 'ffmpeg', ['-loglevel', 'error', '-re', '-f', 'lavfi', '-i',
    `testsrc2=size=960x540:rate=${FPS},noise=alls=12:allf=t`, '-c:v', 'libx264', '-preset', 'ultrafast',
    '-tune', 'zerolatency', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p', '-b:v', `${KBPS}k`, '-maxrate', `${KBPS}k`,
    '-bufsize', `${KBPS / 10}k`, '-g', String(FPS * 10), '-payload_type', '102', '-f', 'rtp',
    `rtp://127.0.0.1:${rtpPort}?pkt_size=1150`], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${httpPort}/janus`;
  const call = async (path, body) => {
    const response = await fetch(url + path, body && {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ transaction: Math.random().toString(36).slice(2), ...body }),
    });
    return response.json();
  };
  let session;
  for (let i = 0; i < 100 && !session; i++) {
    await sleep(100);
    session = await call('', { janus: 'create' }).then((answer) => answer.data.id, () => undefined);
    if (child.exitCode !== null) break;
  }
  if (!session) {
    await end(feeder);
    await end(child);
    throw new Error(`Janus did not start:\n${log}`);
  }
  const waiting = new Map(); // handle → what to do with its offer
  let stopped = false;
  (async () => { // one session, its events come by long polls
    while (!stopped) {
      const events = await fetch(`${url}/${session}?maxev=10`).then((response) => response.json())
        .catch(() => []); // it ends
      for (const event of [events].flat())
        if (event.jsep && waiting.has(event.sender)) {
          waiting.get(event.sender)(event.jsep.sdp);
          waiting.delete(event.sender);
        }
    }
  })();
  return {
    pid: child.pid,
    swarm: { transportCc: 0, role: 'controlled' },
    async join(swarm) {
      const { data } = await call(`/${session}`, { janus: 'attach', plugin: 'janus.plugin.streaming' });
      const offered = new Promise((resolve) => { waiting.set(data.id, resolve); });
      await call(`/${session}/${data.id}`, { janus: 'message', body: { request: 'watch', id: 1 } });
      const offer = await Promise.race([offered, sleep(5000)]);
      if (!offer) throw new Error(`Janus makes no offer:\n${log}`);
      const payload = offer.match(/^m=video \d+ \S+ (\d+)/m)[1];
      const repeats = offer.match(/^a=rtpmap:(\d+) rtx/m)?.[1];
      const accepted = [...offer.matchAll(/^a=extmap:(.*?)\r?$/gm)].map(([, extension]) => extension);
      const mid = attribute(offer, 'mid');
      const answer = head.replace('BUNDLE 0', `BUNDLE ${mid}`) + section(swarm, { payload, repeats, mid, setup: 'active', extensions: accepted });
      await call(`/${session}/${data.id}`,
        { janus: 'message', body: { request: 'start' }, jsep: { type: 'answer', sdp: answer } });
      return place(offer);
    },
    log: () => log,
    async stop() {
      stopped = true;
      await end(feeder);
      await end(child);
    },
  };
}

export const contenders = { overwatch, janus };

// Those that can be started here. Janus is a package of Debian 12, and of 13 none.
export function installed() {
  const { error } = spawnSync('janus', ['--help'], { stdio: 'ignore' });
  return Object.keys(contenders).filter((name) => name !== 'janus' || !error);
}
