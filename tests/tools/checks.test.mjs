// The checks of ./test must find what they look for.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const tools = fileURLToPath(new URL('../../tools', import.meta.url));

function tree(t, files) {
  const root = mkdtempSync(join(tmpdir(), 'overwatch-checks-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

const breaches = {
  'a stage that includes another': ['src/vision/a.c', '#include "encode/h264.h"\n'],
  'core that includes a stage': ['src/core/a.h', '# include "source/source.h"\n'],
  'the sender that includes a socket header': ['src/rtc/a.c', '#include <sys/socket.h>\n'],
  'the sender that includes threads': ['src/rtc/a.c', '#include <pthread.h>\n'],
  'the network room that includes the workflow': ['src/net/a.c', '#include "workflow/view.h"\n'],
  'a library in the wrong room': ['src/xray/a.c', '  #include <libavcodec/avcodec.h>\n'],
  'a header without its room': ['src/core/a.c', '#include "clock.h"\n'],
  'a room that is not in the table': ['src/extra/a.c', 'int a;\n'],
};

for (const [name, [file, text]] of Object.entries(breaches)) {
  test(`check-layers finds ${name}`, (t) => {
    const { status, stdout } = spawnSync(join(tools, 'check-layers'), [tree(t, { [file]: text })], { encoding: 'utf8' });
    assert.equal(status, 1, stdout);
    assert.match(stdout, new RegExp(`${file}:1: `));
  });
}

test('check-layers lets through what the table allows', (t) => {
  const root = tree(t, {
    'src/core/clock.c': '#include "core/clock.h"\n#include <time.h>\n',
    'src/net/a.c': '#include "rtc/session.h"\n#include <sys/socket.h>\n#include <libwebsockets.h>\n',
    'src/app/a.c': '#include "api/api.h"\n#include "vision/model.h"\n',
  });
  const { status, stdout } = spawnSync(join(tools, 'check-layers'), [root], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /3 files read, 0 breaches/);
});

const impure = {
  clock_gettime: '#include <time.h>\nlong f(void) { struct timespec t; clock_gettime(0, &t); return t.tv_sec; }\n',
  sendto: '#include <sys/socket.h>\nlong f(void) { return sendto(0, "", 0, 0, 0, 0); }\n',
  pthread_create: '#include <pthread.h>\nint f(void) { return pthread_create(0, 0, 0, 0); }\n',
  getrandom: '#include <sys/random.h>\nlong f(void) { char c; return getrandom(&c, 1, 0); }\n',
  clock_now_us: 'long clock_now_us(void);\nlong f(void) { return clock_now_us(); }\n',
};

function checkPure(t, text) {
  const root = tree(t, { 'a.c': text });
  mkdirSync(join(root, 'src/rtc'), { recursive: true });
  execFileSync('cc', ['-w', '-c', join(root, 'a.c'), '-o', join(root, 'src/rtc/a.o')]);
  return spawnSync(join(tools, 'check-rtc-pure'), [root], { encoding: 'utf8' });
}

for (const [name, text] of Object.entries(impure)) {
  test(`check-rtc-pure finds ${name}`, (t) => {
    const { status, stdout } = checkPure(t, text);
    assert.equal(status, 1, stdout);
    assert.match(stdout, new RegExp(`refers to ${name}`));
  });
}

test('check-rtc-pure lets pure code through, and not an empty folder', (t) => {
  assert.equal(checkPure(t, '#include <string.h>\nlong f(const char *s) { return (long)strlen(s); }\n').status, 0);
  assert.equal(spawnSync(join(tools, 'check-rtc-pure'), [tree(t, { 'src/rtc/x': '' })]).status, 1);
});
