package store

import (
	"fmt"
	"log/slog"
	"net/http"

	"riverqueue.com/riverui"
)

// Pages serves River's own pages of the queue below a path: what is in each row, and what each try
// ended with. They read when they are asked, on SQLite by the one connection that writes, and
// nothing of them runs meanwhile. The door that serves them says who may see them, and which of
// their requests may change something.
func (s *Store) Pages(prefix string, log *slog.Logger) (http.Handler, error) {
	// Not started: then no query of theirs is repeated in the background.
	pages, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints: s.engine.pages(), Prefix: prefix, Logger: log,
	})
	if err != nil {
		return nil, fmt.Errorf("store: the queue's own pages: %w", err)
	}
	return pages, nil
}
