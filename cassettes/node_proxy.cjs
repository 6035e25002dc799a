// Loaded by `interlock record` into a Node program: its fetch, http and https go through HTTPS_PROXY.
// Node reads that variable by itself from version 24 on; before, neither fetch nor http knows a proxy.
'use strict';

const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const tls = require('node:tls');

const proxy = process.env.HTTPS_PROXY && new URL(process.env.HTTPS_PROXY);

// A tunnel to host:port; `secure` holds the options of TLS, or is null for none.
function tunnel(host, port, secure, done) {
  const socket = net.connect(Number(proxy.port), proxy.hostname);
  let answer = Buffer.alloc(0);
  const fail = (error) => {
    socket.destroy();
    done(error);
  };
  socket.once('error', fail);
  socket.on('data', function read(part) {
    answer = Buffer.concat([answer, part]);
    if (!answer.includes('\r\n\r\n')) return;
    socket.removeListener('data', read);
    const line = answer.toString('latin1').split('\r\n', 1)[0];
    if (!/^HTTP\/1\.[01] 2/.test(line)) return fail(new Error(`the recording proxy refused ${host}:${port}: ${line}`));
    socket.removeListener('error', fail);
    if (!secure) return done(null, socket);
    const wrapped = tls.connect({ ...secure, socket });
    wrapped.once('error', done);
    wrapped.once('secureConnect', () => {
      wrapped.removeListener('error', done);
      done(null, wrapped);
    });
  });
  const authority = net.isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
}

function once(done) {
  let called = false;
  return (...results) => {
    if (called) return;
    called = true;
    done(...results);
  };
}

if (proxy) {
  for (const [module, isSecure, usual] of [[http, false, 80], [https, true, 443]]) {
    const direct = module.Agent.prototype.createConnection;
    module.Agent.prototype.createConnection = function (options, created) {
      const host = options.host || options.hostname || 'localhost';
      const port = Number(options.port || usual);
      const toProxy = host === proxy.hostname && port === Number(proxy.port);
      if (options.socketPath || toProxy || typeof created !== 'function') {
        return direct.call(this, options, created);
      }
      const named = options.servername || (net.isIP(host) ? '' : host);
      const { socket, path, ...rest } = options;
      tunnel(host, port, isSecure && { ...rest, servername: named, ALPNProtocols: ['http/1.1'] }, once(created));
    };
  }

  // fetch is undici, built in. Its dispatcher is global and says its own class; `connect` is undici's documented port.
  const key = Symbol.for('undici.globalDispatcher.1');
  void globalThis.Response; // loads it
  const current = globalThis[key];
  if (current) {
    const Agent = current.constructor;
    globalThis[key] = new Agent({
      connect({ hostname, host, port, protocol, servername }, done) {
        const secure = protocol === 'https:';
        const name = hostname || host;
        const options = { servername: servername || (net.isIP(name) ? '' : name), ALPNProtocols: ['http/1.1'] };
        tunnel(name, Number(port || (secure ? 443 : 80)), secure && options, once(done));
      },
    });
  }
}
