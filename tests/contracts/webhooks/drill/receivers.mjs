// Right receivers on Node's standard library: GitHub and Stripe. Prints its address; ends with its standard input.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const [scheme, secret] = [process.argv[2], process.env.WEBHOOK_SECRET];
const LARGEST_BYTES = 1024 * 1024;
const WINDOW_SECONDS = 300;
const effects = [];
const seen = new Set();

const mac = (message) => createHmac("sha256", secret).update(message).digest("hex");

function equal(left, right) {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}

const checks = {
  github: (headers, body) => equal(headers["x-hub-signature-256"] ?? "", `sha256=${mac(body)}`),
  stripe: (headers, body) => {
    const pairs = (headers["stripe-signature"] ?? "").split(",").map((part) => part.split("="));
    const stamp = pairs.find(([name]) => name === "t")?.[1] ?? "";
    const expected = mac(Buffer.concat([Buffer.from(`${stamp}.`), body]));
    const fits = pairs.some(([name, value]) => name === "v1" && equal(value, expected));
    return fits && Math.abs(Date.now() / 1000 - Number(stamp)) <= WINDOW_SECONDS;
  },
};

function taken(headers, body) {
  if (body.length > LARGEST_BYTES) return 413;
  if (!checks[scheme](headers, body)) return 401;
  let event;
  try {
    event = JSON.parse(body.toString("utf8"));
  } catch {
    return 400;
  }
  const id = scheme === "github" ? headers["x-github-delivery"] : event.id;
  const key = id ?? mac(body);
  if (!seen.has(key)) {
    seen.add(key);
    effects.push(key);
  }
  return 200;
}

const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.end(JSON.stringify(effects));
    return;
  }
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    response.statusCode = taken(request.headers, Buffer.concat(parts));
    response.end();
  });
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/hook`));
process.stdin.on("end", () => process.exit(0)).resume();
