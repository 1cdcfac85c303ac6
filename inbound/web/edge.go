// Package web is what the doors of the bridge share: the transaction of a request, forms, JSON,
// presented keys, files of the program, problem details, and the line of log for each request.
//
// It is for package inbound and the rooms below it. It knows no provider, no door and no rule.
// It promises that a caller waits at most CommitWait for the database and for Twilio Verify's
// verdict. Nothing of a request reaches the log unless a door names it, and a panic of a handler
// becomes a 503.
package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"smsbridge/internal/meter"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

// CommitWait is how long a caller waits for the database, and in the same time for Twilio Verify's
// verdict on a code. After that the caller hears that it should retry, or that there is no verdict
// yet.
const CommitWait = 8 * time.Second

// Edge is what every door is given.
type Edge struct {
	Store    *store.Store
	Settings tenant.Settings
	Log      *slog.Logger
	Now      func() time.Time // judges how fresh a signature is, and how long a retry must wait
	Meter    *meter.Meter     // counts requests; nil counts none
	// how long a caller waits for Twilio Verify's verdict, at most CommitWait; 0 is CommitWait
	Patience time.Duration
	// how long a caller waits to hear whether a provider took a code; 0 is SendWait
	SendWait time.Duration
}

// Looks are the methods of a path that only shows something. Monitors ask with HEAD, too.
func Looks() []string { return []string{http.MethodGet, http.MethodHead} }

// Used notes which of a setting's keys proved a request, counted from 1. 0 is none of them.
func (e Edge) Used(slug, setting string, place int) {
	if place > 0 {
		e.Meter.Used(meter.Key{Tenant: slug, Setting: setting, Which: strconv.Itoa(place)})
	}
}

// SendWait is how long the caller of a door waits to hear whether a provider took a code, if the
// door says that at once. Most providers say it within a second.
const SendWait = 3 * time.Second

// AwaitSend returns a context that bounds that wait.
func (e Edge) AwaitSend(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, cmp.Or(e.SendWait, SendWait))
}

// Await returns a context that bounds the wait for Twilio Verify's verdict. It ends with ctx, which
// is Bound's, and at the latest after Patience.
func (e Edge) Await(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, cmp.Or(e.Patience, CommitWait))
}

// Bound returns a context that ends with ctx, and at the latest after CommitWait. A door uses it
// when one request needs several steps.
func Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, CommitWait)
}

// Commit runs f in a transaction of s and returns its value once that is on disk, at the latest
// after CommitWait. The store may run f more than once, so f has no other effect.
func Commit[T any](ctx context.Context, s *store.Store,
	f func(ctx context.Context, tx *store.Tx) (T, error),
) (T, error) {
	ctx, cancel := Bound(ctx)
	defer cancel()
	var value T
	err := s.Do(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		value, err = f(ctx, tx)
		return err
	})
	return value, err
}

// Read runs f, which only reads, and returns its value, at the latest after CommitWait.
func Read[T any](ctx context.Context, s *store.Store,
	f func(ctx context.Context, view store.View) (T, error),
) (T, error) {
	ctx, cancel := Bound(ctx)
	defer cancel()
	var value T
	err := s.Read(ctx, func(ctx context.Context, view store.View) (err error) {
		value, err = f(ctx, view)
		return err
	})
	return value, err
}
