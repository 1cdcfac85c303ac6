package main

import (
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"smsbridge/internal/store"
)

// resealed: the first key has sealed anew what the others had sealed.
func storyResealed(ts *testscript.TestScript, _ bool, _ []string) {
	keys, err := store.ParseKeys(ts.Getenv("SMSBRIDGE_KEY"))
	ts.Check(err)
	options := store.Options{URL: ts.Getenv("SMSBRIDGE_DATABASE"), Key: keys[0], OldKeys: keys[1:]}
	ctx, cancel := patience()
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		uses, err := store.Keys(ctx, options)
		ts.Check(err)
		if !slices.ContainsFunc(uses[1:], func(u store.KeyUse) bool { return u.Values > 0 }) {
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("an old key still seals something: %+v", uses)
		case <-tick.C:
		}
	}
}
