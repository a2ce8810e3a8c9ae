// An OpenID provider on loopback: any name signs in with any password. Prints its address and ends with its input.
// PORT: where it listens, if that must be known before. REDIRECT: the page that people are sent back to.
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const key = (type, options, alg) => {
  const { privateKey } = generateKeyPairSync(type, options)
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: alg }
}
const client = (alg) => ({
  client_id: `heng-${alg}`,
  client_secret: process.env.CLIENT_SECRET,
  redirect_uris: [process.env.REDIRECT ?? 'https://award.example/oidc'],
  id_token_signed_response_alg: alg,
})

const server = createServer()
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, {
    clients: [client('RS256'), client('ES256')],
    jwks: { keys: [key('rsa', { modulusLength: 2048 }, 'RS256'), key('ec', { namedCurve: 'P-256' }, 'ES256')] },
    cookies: { keys: [process.env.CLIENT_SECRET] },
    pkce: { required: () => true },
    ttl: { IdToken: 60 },
  })
  server.on('request', provider.callback())
  console.log(issuer)
})
process.stdin.resume().on('end', () => process.exit())
