// Package simulator plays the parties around the bridge: Mailgun, Twilio, Twilio Verify, Flowroute, an identity provider and a person's phone. It is
// for the demo, for every test that would otherwise need an account, and for developers who want to see a webhook arrive.
//
// It promises three things.
//
//   - The protocols are real. Everything goes over HTTP or SMTP on a socket, webhooks carry genuine signatures, and the
//     providers' own client libraries work against it. The package imports nothing of the bridge, so a mistake in the
//     bridge cannot hide in a simulator that shares it.
//   - It cannot be mistaken for the real thing. It listens on loopback, calls loopback only, keeps everything in memory, and
//     makes its keys anew for each run unless it is given some.
//   - It is as rude as the providers may be. What they document loosely or not at all is a knob ("manners"), changeable
//     while it runs: duplicates, delays, lost and late deliveries, refusals, events out of order. The zero value of every
//     knob is the documented, polite behavior.
//
// What it sent is kept as a history to assert on, and its Wait methods return as soon as something has happened, so that no
// test has to sleep.
package simulator
