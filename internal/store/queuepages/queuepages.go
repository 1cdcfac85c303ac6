// Package queuepages serves River's own pages of the job queue, for the door of operators. It is no
// part of store, so that the programs that test a rule do not link the pages.
//
// It promises that nothing of the pages runs while no operator looks. Who may see them, and which
// of their requests may change something, is decided by the door.
package queuepages

import (
	"fmt"
	"log/slog"
	"net/http"

	"riverqueue.com/riverui"

	"smsbridge/internal/store"
)

// New serves the pages below a path: what is in each row of the queue, and what each try ended
// with. They read when they are asked, on SQLite by the one connection that writes.
func New(queue store.QueueClients, prefix string, log *slog.Logger) (http.Handler, error) {
	// Not started: then no query of theirs is repeated in the background.
	o := &riverui.HandlerOpts{Prefix: prefix, Logger: log}
	if queue.SQLite != nil {
		o.Endpoints = riverui.NewEndpoints(queue.SQLite, nil)
	} else {
		o.Endpoints = riverui.NewEndpoints(queue.PostgreSQL, nil)
	}
	pages, err := riverui.NewHandler(o)
	if err != nil {
		return nil, fmt.Errorf("queuepages: %w", err)
	}
	return pages, nil
}
