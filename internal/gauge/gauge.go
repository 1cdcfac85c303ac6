// Package gauge reads from the database how it is with the bridge, for Prometheus and for the
// monitor of health.
//
// It is for cmd. It promises that what it reads is bounded and found by an index. However often it
// is asked, it reads once in a few seconds.
package gauge

import (
	"context"
	"errors"
	"sync"
	"time"

	"smsbridge/internal/limit"
	"smsbridge/internal/store"
	"smsbridge/internal/tenant"
)

const (
	// Fresh is how long a reading is good.
	Fresh = 4 * time.Second
	// patience bounds one reading.
	patience = 3 * time.Second
)

// Disk is how much of a disk is free. The zero Disk is one that is not known, as that of another
// machine.
type Disk struct{ Free, Size uint64 }

// Reading is how it is with the bridge.
type Reading struct {
	At       time.Time
	Days     []limit.Day
	Breakers []string // routes whose breaker is open
	Held     []string // what an operator holds
	Queue    store.Queue
	Size     int64 // of the database, in bytes
	Nodes    []store.Node
	Disk     Disk
	// ClockAhead is how much later it is for certain at the database than here.
	ClockAhead time.Duration
}

// Reader reads. Set all fields but the last before Read is called.
type Reader struct {
	Store    *store.Store
	Settings tenant.Settings
	Now      func() time.Time
	Disk     func() Disk

	mu   sync.Mutex
	last Reading
	err  error
	at   time.Time
}

// Use has it read by other settings than those of the start.
func (r *Reader) Use(s tenant.Settings) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Settings, r.at = s, time.Time{}
}

// fingerprint is that of the settings in use.
func (r *Reader) fingerprint() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Settings.Fingerprint
}

// Read returns how it is now, or was a few seconds ago.
func (r *Reader) Read(ctx context.Context) (Reading, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.Now()
	if age := now.Sub(r.at); !r.at.IsZero() && age >= 0 && age < Fresh {
		return r.last, r.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	r.last, r.err = r.read(ctx)
	r.at = now
	return r.last, r.err
}

func (r *Reader) read(ctx context.Context) (Reading, error) {
	found := Reading{Disk: r.Disk()}
	err := r.Store.Read(ctx, func(ctx context.Context, view store.View) error {
		found.At = view.Now()
		var errs [4]error
		found.Days, errs[0] = limit.Days(ctx, view, r.Settings.Tenants.All())
		found.Breakers, errs[1] = limit.Breakers(ctx, view)
		found.Held, errs[2] = limit.HeldNow(ctx, view)
		found.Nodes, errs[3] = store.Nodes(ctx, view)
		return errors.Join(errs[:]...)
	})
	if err == nil {
		found.Queue, err = r.Store.Queue(ctx)
	}
	if err == nil {
		found.Size, err = r.Store.Size(ctx)
	}
	if err == nil {
		found.ClockAhead, err = r.Store.ClockAhead(ctx)
	}
	return found, err
}
