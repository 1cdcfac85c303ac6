// Package simulator holds the parties around the bridge, one package each:
//
//   - mailgun: receives mails, and posts them to the bridge.
//   - twilio: sends texts, and has the phones that reply.
//   - twilioverify: Twilio Verify, which texts codes and checks them.
//   - flowroute: another carrier of texts.
//   - idp: an identity provider; it sends the mails that verify an address and serves their links.
//   - collector: a collector of traces, as OpenTelemetry has it.
//   - loopback: the server and the connections that all of them use.
//
// They are for the demo, for every test that would otherwise need an account, and for
// developers who want to see a webhook arrive. They promise three things.
//
//   - The protocols are real. Everything goes over HTTP or SMTP on a socket, webhooks carry
//     genuine signatures, and the providers' own client libraries work against it. No package
//     here imports anything of the bridge, so a mistake in the bridge cannot hide in a
//     simulator that shares it.
//   - They cannot be mistaken for the real providers. They listen on loopback, call loopback
//     only, keep everything in memory, and make new keys for each run unless a caller gives
//     them some.
//   - They are as rude as the providers may be. What a provider documents loosely or not at all
//     is a knob ("manners"), which a caller can change at any time: duplicates, delays, lost
//     and late deliveries, refusals, events out of order. The zero value of every knob is the
//     documented, polite behavior.
//
// Each keeps a history of what it sent, for tests to check. Its Wait methods return as soon as
// something has happened, so that no test has to sleep.
//
// A package imports another only where the parties do business: Verify's texts arrive at the
// phones of twilio.
package simulator
