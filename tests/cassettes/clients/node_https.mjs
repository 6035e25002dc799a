// Ask for paths with Node's http and https and an agent of its own, as SDKs do; print what came as JSON.
import http from 'node:http';
import https from 'node:https';
import zlib from 'node:zlib';

const [base, ...paths] = process.argv.slice(2);
const module = base.startsWith('https:') ? https : http;
const agent = new module.Agent({ keepAlive: true });

function ask(url, options, body) {
  return new Promise((resolve, reject) => {
    const request = module.request(url, { agent, ...options }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const whole = Buffer.concat(parts);
        const plain = response.headers['content-encoding'] === 'gzip' ? zlib.gunzipSync(whole) : whole;
        resolve([response.statusCode, plain.toString('base64')]);
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

const answers = [];
for (const path of paths) answers.push(await ask(base + path, {}, undefined));
answers.push(await ask(`${base}/v1/orders`, { method: 'POST' }, 'one,two'));
console.log(JSON.stringify(answers));
agent.destroy();
