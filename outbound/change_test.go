package outbound

import (
	"database/sql"
	"strings"

	"github.com/stretchr/testify/require"
)

// exec changes the database behind the store's back.
func (w *world) exec(statement string, args ...any) {
	w.t.Helper()
	if w.changer == nil {
		driver, source := "pgx", w.databaseURL
		if path, ok := strings.CutPrefix(w.databaseURL, "sqlite:"); ok {
			// It overwrites what it deletes, as the store does.
			driver = "sqlite"
			source = "file:" + path + "?_pragma=busy_timeout(60000)&_pragma=secure_delete(ON)"
		}
		db, err := sql.Open(driver, source)
		require.NoError(w.t, err)
		w.t.Cleanup(func() { require.NoError(w.t, db.Close()) })
		w.changer = db
	}
	_, err := w.changer.ExecContext(w.t.Context(), statement, args...)
	require.NoError(w.t, err)
}
