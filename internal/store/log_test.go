package store

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ensure that River's upkeep may be stopped at any time without an error in the log. Errors of the
// upkeep are logged at any other time, and other errors are logged also while it stops.
func TestStoppedUpkeepIsQuiet(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, test := range map[string]struct {
		ctx    context.Context
		err    string
		logged bool
	}{
		"stopped":                {stopped, "begin: context canceled", false},
		"another error":          {stopped, "disk full", true},
		"not stopped":            {t.Context(), "context canceled", true},
		"neither":                {t.Context(), "disk full", true},
		"stopped without errors": {stopped, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			logger := slog.New(levelHandler{slog.NewJSONHandler(&log, nil), slog.LevelWarn})
			logger.ErrorContext(test.ctx, "upkeep", "error", test.err)
			require.Equal(t, test.logged, log.Len() > 0, log.String())
		})
	}
}
