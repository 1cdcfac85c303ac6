package store_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
)

// riverQueries are the statements of River's SQLite driver that this bridge's queue runs, by name:
// those for inserting, fetching, ending, rescuing, scheduling and pruning jobs.
func riverQueries(t *testing.T) map[string]string {
	t.Helper()
	const module = "github.com/riverqueue/river/riverdriver/riversqlite"
	folder, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).
		Output()
	require.NoError(t, err)
	all := queriesIn(t, filepath.Join(strings.TrimSpace(string(folder)), "internal", "dbsqlc"))
	used := map[string]string{}
	for _, name := range strings.Fields("jobDeleteBefore jobGetAvailable jobGetStuck jobRescue" +
		" jobScheduleGetEligible jobSetStateIfRunning" +
		" jobInsertFastNoReturning jobInsertFastManyNoReturning") {
		require.Contains(t, all, name)
		used[name] = all[name]
	}
	return used
}

// Ensure that River, too, reads its table of jobs by an index, so that the rows of ended jobs slow
// no fetch. A fetch sorts nothing: it would sort all that waits. The sorts that there are concern
// jobs that run, whose retry is due, or whose hour is over. The statements of its PostgreSQL driver
// ask the same, of the same indexes.
func TestRiverScansNoTable(t *testing.T) {
	url := storetest.SQLite(t)
	storetest.Open(t, url, nil)
	conn := connect(t, "sqlite", strings.TrimPrefix(url, "sqlite:"))
	for name, statement := range riverQueries(t) {
		args := make([]any, parameters(statement))
		for i := range args {
			args[i] = 1
		}
		for _, line := range lines(t, conn, "EXPLAIN QUERY PLAN "+statement, args...) {
			require.NotContains(t, line, "SCAN river_", name)
			if name == "jobGetAvailable" {
				require.NotContains(t, line, "USE TEMP B-TREE", name)
			}
		}
	}
}
