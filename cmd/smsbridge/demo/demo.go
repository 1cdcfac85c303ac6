// Package demo shows the bridge to a person who has no account at any provider: a stage, and a
// page about it.
//
// The stage is a real bridge between the simulators of Mailgun, Twilio and an identity
// provider, on ports of their own. They speak HTTP to each other. The page has a sign-up form,
// a phone to type on, the mails and the timeline. [Stage.PlayOnce] plays one sign-up without a
// page.
//
// It promises that nothing leaves this machine and that nothing is kept. The page needs no
// login, because it is on loopback; it refuses forms of other sites and requests to names that
// other sites could have pointed here.
//
// The package does not know how a bridge is put together. The caller passes the function that
// opens one, so that the demo and `smsbridge serve` run the same bridge.
package demo

import (
	"context"
	"log/slog"
	"net"

	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// Bridge is a bridge whose database is open.
type Bridge struct {
	Store *store.Store
	// Serve sets the bridge to work and serves requests until ctx ends; then it closes the
	// database. It closes the listeners: that of the bridge, that of the pages for operators, and
	// that of the metrics.
	Serve func(ctx context.Context, listener, pages, metrics net.Listener) error
}

// Config says what a stage is made of.
type Config struct {
	// OpenBridge opens a bridge with settings that the stage has made.
	OpenBridge func(ctx context.Context, settings tenant.Settings, log *slog.Logger) (Bridge, error)
	// IdPHosts are hosts on this machine, as host:port, that links may lead to beside the
	// simulated identity provider.
	IdPHosts []string
	Log      *slog.Logger // the bridge's
}

const (
	// Phone is the phone that signs up when a caller names none.
	Phone = "+4512345678"
	// Example is an address that another identity provider may use: any prefix and any domain will do.
	Example = "acme+4512345678@sms.acme.example"
)
