// Carries TCP connections in and out of a network namespace through a Unix socket, which belongs to
// no namespace: so pages and figures take another way than the media, which is what is to be seen.
//
//   node tests/integ/door.mjs FROM TO        each is a TCP port of 127.0.0.1 or the path of a Unix socket
import { connect, createServer } from 'node:net';

const place = (text) => (/^\d+$/.test(text) ? { port: Number(text), host: '127.0.0.1' } : { path: text });
const [from, to] = process.argv.slice(2).map(place);

createServer((near) => {
  const far = connect(to);
  near.pipe(far).pipe(near);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
}).listen(from, () => console.log('ready'));
