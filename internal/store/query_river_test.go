package store_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
)

// The queue's statements are River's own. But its rows are ours: they grow with what the bridge
// does, and stay for a while. So what a running queue asks again and again is held to the same.

// unasked are statements that scan or sort river_job, and that no running bridge makes. They are
// for River's own pages, its command, and callers that look jobs up.
func unasked() map[string]bool {
	return map[string]bool{
		"jobCountByAllStates": true, "jobCountByQueueAndState": true, "jobDeleteMany": true,
		"jobGetByKindMany": true, "jobKindList": true, "jobList": true,
	}
}

// queueSortsFew is sortsFew for River's statements.
func queueSortsFew() map[string]few {
	return map[string]few{
		"jobCancel":                {1, "one job"},
		"jobDelete":                {1, "one job"},
		"jobDeleteBefore":          {1, "what became too old in the half minute since the last time"},
		"jobGetByIDMany":           {1, "a batch"},
		"jobGetCancelRequested":    {1, "jobs at work: as many as there are workers"},
		"jobGetStuck":              {1, "jobs at work"},
		"jobRetry":                 {1, "one job"},
		"jobSchedule":              {2, "what became due in the five seconds since the last time"},
		"jobScheduleGetEligible":   {1, "the same on SQLite, and what waits for its time"},
		"jobSetStateIfRunningMany": {1, "a batch of jobs that ended"},
	}
}

// queueStatements are River's statements about its jobs, as one of its drivers asks them.
func queueStatements(t *testing.T, driver string) map[string]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}",
		"github.com/riverqueue/river/riverdriver/"+driver).Output()
	require.NoError(t, err)
	folder := filepath.Join(strings.TrimSpace(string(out)), "internal", "dbsqlc")
	found := statementsIn(t, folder)
	for name, statement := range found {
		if !strings.Contains(statement, "river_job") || !strings.HasPrefix(name, "job") ||
			strings.HasPrefix(name, "jobInsert") || unasked()[name] {
			delete(found, name)
		}
	}
	for _, name := range []string{"jobGetAvailable", "jobGetStuck", "jobDeleteBefore"} {
		require.Contains(t, found, name, "River has moved its statements")
	}
	return found
}

// Ensure that on SQLite the queue finds its jobs by an index.
func TestSQLiteScansNoJobs(t *testing.T) {
	url := storetest.SQLite(t)
	storetest.Open(t, url, nil)
	conn := connect(t, "sqlite", strings.TrimPrefix(url, "sqlite:"))
	numbered := regexp.MustCompile(`\?(\d*)`)
	for name, statement := range queueStatements(t, "riversqlite") {
		args := make([]any, len(numbered.FindAllString(statement, -1)))
		for i := range args {
			args[i] = 1
		}
		plan := lines(t, conn, "EXPLAIN QUERY PLAN "+statement, args...)
		for _, line := range plan {
			require.NotContains(t, line, "SCAN river_job", name)
		}
		require.LessOrEqual(t, sorts(plan), queueSortsFew()[name].sorts, "%s: %v", name, plan)
		if name == "jobDeleteBefore" { // not all that have ended
			require.Contains(t, strings.Join(plan, "\n"), "(state=? AND finalized_at<?)")
		}
	}
}

// Ensure that on PostgreSQL the queue finds its jobs by an index.
func TestPostgreSQLScansNoJobs(t *testing.T) {
	url := storetest.PostgreSQL(t)
	storetest.Open(t, url, nil)
	conn := connect(t, "pgx", url)
	for _, statement := range []string{
		"SET plan_cache_mode = force_generic_plan", "SET enable_seqscan = off",
		`INSERT INTO river_job (args, kind, max_attempts, state, finalized_at)
			SELECT '{}', 'sweep', 6, 'completed', now() - n * interval '1 second'
			FROM generate_series(1, 20000) n`,
		"ANALYZE river_job",
	} {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	jobsByIndex := regexp.MustCompile(`Index (Only )?Scan using \w+ on river_job`)
	for name, statement := range queueStatements(t, "riverpgxv5") {
		if name == "jobDeleteBefore" {
			continue // PostgreSQL plans it by its times, which say how little is too old
		}
		plan := planned(t, conn, statement)
		for i, line := range plan {
			require.NotContains(t, line, "Seq Scan on river_job", "%s: %v", name, plan)
			if jobsByIndex.MatchString(line) {
				require.Less(t, i+1, len(plan), "%s: %v", name, plan)
				require.Contains(t, plan[i+1], "Index Cond:", "%s: %v", name, plan)
			}
		}
		require.LessOrEqual(t, sorts(plan), queueSortsFew()[name].sorts, "%s: %v", name, plan)
	}
}
