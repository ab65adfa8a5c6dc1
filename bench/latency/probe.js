// Runs in the viewed page before its own scripts and measures what is shown; docs/measuring.md says
// what "shown" means. It draws nothing on the page and changes nothing of it.
(() => {
  const COLUMNS = 16, ROWS = 4;
  const wallMs = (at) => performance.timeOrigin + at;
  const bench = { samples: [], unread: 0, offerAt: 0, firstAt: 0, socketBytes: 0, connections: [] };
  window.__bench = bench;

  // --- reading the clock -----------------------------------------------------------------------
  const canvas = new OffscreenCanvas(16, 16);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const draw = OffscreenCanvasRenderingContext2D.prototype.drawImage;

  function crc16(bytes) {
    let crc = 0xffff;
    for (const byte of bytes) {
      crc ^= byte << 8;
      for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
    }
    return crc;
  }

  // Wall clock in microseconds modulo 2^48, or null. Layout: src/source/clock_code.h.
  function readClock(picture, height) {
    let side = Math.floor(height / 45);
    side = Math.max(8, side - (side % 2));
    const width = COLUMNS * side, rows = ROWS * side;
    if (canvas.width !== width || canvas.height !== rows) Object.assign(canvas, { width, height: rows });
    draw.call(context, picture, 0, 0, width, rows, 0, 0, width, rows);
    const { data } = context.getImageData(0, 0, width, rows);
    const bytes = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < COLUMNS * ROWS; i++) {
      const x = Math.floor(((i % COLUMNS) + 0.5) * side), y = Math.floor((Math.floor(i / COLUMNS) + 0.5) * side);
      bytes[i >> 3] = (bytes[i >> 3] << 1) | (data[(y * width + x) * 4 + 1] >= 128 ? 1 : 0);
    }
    if (crc16(bytes.slice(0, 6)) !== ((bytes[6] << 8) | bytes[7])) return null;
    return bytes.slice(0, 6).reduce((value, byte) => value * 256 + byte, 0);
  }

  function shown(code, at) {
    if (bench.firstAt === 0) bench.firstAt = at;
    if (code === null) bench.unread++;
    else bench.samples.push([code, wallMs(at)]);
  }

  // --- the <video>: requestVideoFrameCallback runs in the rendering step that shows the frame -----
  const watched = new WeakSet();
  function watch(video) {
    if (watched.has(video)) return;
    watched.add(video);
    const onFrame = () => {
      const at = performance.now();
      shown(readClock(video, video.videoHeight), at);
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

  // --- the canvas: a picture drawn is shown in the rendering step that follows (or is running) -----
  const nextFrame = window.requestAnimationFrame.bind(window);
  let stepAt = 0; // start of the rendering step that is running, 0 outside of one
  window.requestAnimationFrame = (callback) =>
    nextFrame((time) => {
      stepAt ||= performance.now();
      // The step's callbacks are over when the next task runs.
      queueTask(() => { stepAt = 0; });
      callback(time);
    });
  const channel = new MessageChannel();
  const tasks = [];
  channel.port1.onmessage = () => tasks.shift()?.();
  function queueTask(task) {
    tasks.push(task);
    channel.port2.postMessage(0);
  }
  let waiting = null;
  function drawn(picture, width, height) {
    // Thumbnails and icons are not the view.
    if (height < 200 || picture instanceof HTMLVideoElement || width < height) return;
    const code = readClock(picture, height);
    if (stepAt > 0) {
      shown(code, stepAt);
      return;
    }
    // A picture that is drawn over before the step comes is never shown.
    if (waiting === null) {
      nextFrame(() => {
        const at = performance.now(), latest = waiting;
        waiting = null;
        shown(latest.code, at);
      });
    }
    waiting = { code };
  }
  const drawImage = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (picture, ...rest) {
    drawImage.call(this, picture, ...rest);
    if (this.canvas.isConnected) {
      drawn(picture, picture.naturalWidth ?? picture.displayWidth ?? picture.width,
        picture.naturalHeight ?? picture.displayHeight ?? picture.height);
    }
  };
  const transfer = ImageBitmapRenderingContext.prototype.transferFromImageBitmap;
  ImageBitmapRenderingContext.prototype.transferFromImageBitmap = function (bitmap) {
    if (bitmap) drawn(bitmap, bitmap.width, bitmap.height); // it is empty afterwards
    transfer.call(this, bitmap);
  };

  // --- traffic and the moment of the offer -------------------------------------------------------
  const fetch = window.fetch;
  window.fetch = function (input, options) {
    const url = typeof input === 'string' ? input : (input.url ?? String(input));
    if (/\/offer$|\/whep\//.test(url) && bench.offerAt === 0) bench.offerAt = performance.now();
    return fetch.call(this, input, options);
  };
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      bench.connections.push(this);
    }
  };
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      if (bench.offerAt === 0) bench.socketAt ??= performance.now();
      this.addEventListener('message', ({ data }) => {
        bench.socketBytes += typeof data === 'string' ? data.length : (data.byteLength ?? data.size);
      });
    }
  };

  bench.traffic = async () => {
    let bytes = bench.socketBytes, codec = null;
    for (const connection of bench.connections) {
      if (connection.connectionState !== 'connected') continue;
      const stats = await connection.getStats();
      for (const report of stats.values()) {
        if (report.type !== 'inbound-rtp' || report.kind !== 'video') continue;
        bytes += report.bytesReceived + (report.headerBytesReceived ?? 0);
        codec = stats.get(report.codecId)?.mimeType ?? null;
        bench.lost = report.packetsLost;
        bench.jitterBufferMs = (report.jitterBufferDelay / report.jitterBufferEmittedCount) * 1000;
      }
    }
    return { bytes, codec, lost: bench.lost, jitterBufferMs: bench.jitterBufferMs };
  };
})();
