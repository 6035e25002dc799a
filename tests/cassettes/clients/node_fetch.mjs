// Ask for paths with Node's own fetch; print what came as JSON: status, and the body in base64.
const [base, ...paths] = process.argv.slice(2);
const answers = [];
const keep = async (response) => {
  const body = Buffer.from(await response.arrayBuffer()).toString('base64');
  answers.push([response.status, body]);
};
for (const path of paths) await keep(await fetch(base + path));
await keep(await fetch(`${base}/v1/orders`, { method: 'POST', body: 'one,two' }));
console.log(JSON.stringify(answers));
