import { SignJWT } from 'jose' // or any other library for JWT

const secret = new TextEncoder().encode(process.env.DOWNLINK_SECRET)

/** What your own server gives to a page of someone who has logged in. */
function tokenFor(user: string): Promise<string> {
  return new SignJWT({ downlink: { read: ['news.**', 'user.{sub}.**'] } })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime('15 min')
    .sign(secret)
}

console.log(await tokenFor('alice'))
