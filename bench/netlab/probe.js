// Runs in the viewed page before its own scripts. Keeps for each picture that the <video> shows:
// clock code (src/source/clock_code.h) or null, time of the rendering step, size. Unlike the probe of
// the latency bench it reads the clock out of pictures of any size: senders make them smaller when
// the path gets narrow.
(() => {
  const HEIGHT = 540, SIDE = 12, COLUMNS = 16, ROWS = 4;
  const bench = { samples: [], connections: [] };
  window.__netlab = bench;

  const canvas = new OffscreenCanvas(COLUMNS * SIDE, ROWS * SIDE);
  const context = canvas.getContext('2d', { willReadFrequently: true });

  function crc16(bytes) {
    let crc = 0xffff;
    for (const byte of bytes) {
      crc ^= byte << 8;
      for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
    }
    return crc;
  }

  function readClock(video) {
    const scale = video.videoHeight / HEIGHT;
    context.drawImage(video, 0, 0, canvas.width * scale, canvas.height * scale, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const bytes = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < COLUMNS * ROWS; i++) {
      const x = ((i % COLUMNS) + 0.5) * SIDE, y = (Math.floor(i / COLUMNS) + 0.5) * SIDE;
      bytes[i >> 3] = (bytes[i >> 3] << 1) | (data[(y * canvas.width + x) * 4 + 1] >= 126 ? 1 : 0);
    }
    if (crc16(bytes.slice(0, 6)) !== ((bytes[6] << 8) | bytes[7])) return null;
    return bytes.slice(0, 6).reduce((value, byte) => value * 256 + byte, 0);
  }

  const watched = new WeakSet();
  function watch(video) {
    if (watched.has(video)) return;
    watched.add(video);
    const onFrame = () => {
      const at = performance.timeOrigin + performance.now();
      bench.samples.push([readClock(video), at, video.videoWidth, video.videoHeight]);
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }
  const source = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'srcObject');
  Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
    ...source,
    set(stream) {
      source.set.call(this, stream);
      if (stream && this instanceof HTMLVideoElement) watch(this);
    },
  });

  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      bench.connections.push(this);
    }
  };
  // What the browser itself says of the stream that it receives.
  bench.inbound = async () => {
    for (const connection of bench.connections) {
      if (connection.connectionState !== 'connected') continue;
      const stats = await connection.getStats();
      for (const report of stats.values()) {
        if (report.type === 'inbound-rtp' && report.kind === 'video') {
          return { ...report, codec: stats.get(report.codecId)?.mimeType };
        }
      }
    }
    return null;
  };
})();
