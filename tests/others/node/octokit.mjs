// GitHub's own @octokit/webhooks as a receiver that acts once. Prints its address; ends with its standard input.
import { createServer } from "node:http";
import { Webhooks, createNodeMiddleware } from "@octokit/webhooks";

const webhooks = new Webhooks({ secret: process.env.WEBHOOK_SECRET, log: { debug() {}, info() {}, warn() {}, error() {} } });
const seen = new Set();
webhooks.onAny(({ id }) => {
  seen.add(id);
});
const middleware = createNodeMiddleware(webhooks, { path: "/hook" });

const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.end(JSON.stringify([...seen]));
    return;
  }
  middleware(request, response);
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/hook`));
process.stdin.on("end", () => process.exit(0)).resume();
