// An OpenID provider that others wrote (oidc-provider), over TLS on loopback, with the paths of one of ours.
// Usage: node oidc.mjs '{"port":1,"cert":"FILE","key":"FILE","issuer":"https://…","routes":{…},"client_id":"…","client_secret":"…","auth":"…","seconds":1}'
import { readFileSync } from "node:fs";
import https from "node:https";
import Provider from "oidc-provider";

const told = JSON.parse(process.argv[2]);
const provider = new Provider(told.issuer, {
  clients: [
    {
      client_id: told.client_id,
      client_secret: told.client_secret,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: told.auth,
    },
  ],
  clientAuthMethods: ["client_secret_basic", "client_secret_post"],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
  routes: told.routes,
  ttl: { ClientCredentials: told.seconds },
});
const tls = { cert: readFileSync(told.cert), key: readFileSync(told.key) };
https.createServer(tls, provider.callback()).listen(told.port, "127.0.0.1");
