package store_test

import (
	"database/sql"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store"
	"smsbridge/internal/store/storetest"
)

// queries are the generated statements, by name.
func queries(t *testing.T) map[string]string {
	t.Helper()
	found := statementsIn(t, "db")
	require.Greater(t, len(found), 70)
	return found
}

// statementsIn are the statements that sqlc has generated into a folder, by name.
func statementsIn(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.sql.go"))
	require.NoError(t, err)
	found := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				return true
			}
			statement, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			found[spec.Names[0].Name] = statement
			return false
		})
	}
	return found
}

var parameter = regexp.MustCompile(`\$(\d+)`)

// parameters is the number of parameters of a statement.
func parameters(statement string) (n int) {
	for _, match := range parameter.FindAllStringSubmatch(statement, -1) {
		number, _ := strconv.Atoi(match[1])
		n = max(n, number)
	}
	return n
}

// lines are the rows of a query, each with its columns joined.
func lines(t *testing.T, conn *sql.Conn, query string, args ...any) (all []string) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), query, args...)
	require.NoError(t, err, query)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		values, pointers := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		require.NoError(t, rows.Scan(pointers...))
		all = append(all, strings.TrimSpace(fmt.Sprint(values[len(values)-1])))
	}
	require.NoError(t, rows.Err())
	return all
}

func connect(t *testing.T, driver, source string) *sql.Conn {
	t.Helper()
	database, err := sql.Open(driver, source)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, database.Close()) })
	conn, err := database.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

// few is how many sorts of a plan find no index in their order, and why they stay small. What only
// sorts rows that are equal in an index does not count.
type few struct {
	sorts int
	why   string
}

func sortsFew() map[string]few {
	return map[string]few{
		"eventsOf":               {1, "one row has few events"},
		"lastTextOfVerification": {1, "a verification has a few texts at most"},
		"listVerifications":      {1, "the texts of each, as in lastTextOfVerification"},
		"showVerification":       {1, "the texts of one, as in lastTextOfVerification"},
		"promptOfChallenge":      {1, "a question has a few texts at most"},
		"mailFunnel":             {1, "it is asked hour by hour, and counts each mail once"},
	}
}

// readsAll are the queries that read whole tables, and why they may.
func readsAll() map[string]string {
	const why = "an operator asks for one phone now and then, and no flow pays for an index by phone"
	return map[string]string{
		"mailsOfPhone": why, "challengesOfPhone": why, "textsOfPhone": why, "repliesOfPhone": why,
		"verificationsOfPhone": why, "phonesOfChallenge": why, "phonesOfMail": why, "phonesOfReply": why,
		"phonesOfText":         why,
		"phonesOfVerification": why,
	}
}

// Ensure that SQLite reads no table from end to end, whatever is asked, and sorts none: all of them
// grow.
func TestSQLiteScansNoTable(t *testing.T) {
	url := storetest.SQLite(t)
	storetest.Open(t, url, nil)
	conn := connect(t, "sqlite", strings.TrimPrefix(url, "sqlite:"))
	for name, statement := range queries(t) {
		if readsAll()[name] != "" {
			continue
		}
		args := make([]any, parameters(statement))
		for i := range args {
			args[i] = 1
		}
		plan := lines(t, conn, "EXPLAIN QUERY PLAN "+statement, args...)
		for _, line := range plan {
			reads := strings.HasPrefix(line, "SCAN") && line != "SCAN CONSTANT ROW" // no table at all
			require.False(t, reads, "%s: %s", name, line)
			require.NotContains(t, line, "AUTOMATIC", "%s reads a table to make an index", name)
		}
		require.LessOrEqual(t, sorts(plan), sortsFew()[name].sorts, "%s: %v", name, plan)
	}
}

// Ensure that PostgreSQL has an index for whatever is asked, also with a plan that knows no value.
func TestPostgreSQLScansNoTable(t *testing.T) {
	url := storetest.PostgreSQL(t)
	storetest.Open(t, url, nil)
	conn := connect(t, "pgx", url)
	exec := func(statement string) {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	exec("SET plan_cache_mode = force_generic_plan")
	// With so few rows PostgreSQL would rather read a table than look up what it needs.
	for _, way := range []string{"seqscan", "hashjoin", "mergejoin"} {
		exec("SET enable_" + way + " = off")
	}
	for _, table := range lines(t, conn, "SELECT table_name FROM information_schema.tables"+
		" WHERE table_schema = 'public' AND table_name !~ '^(river_|goose_)'") {
		columns := lines(t, conn, "SELECT CASE WHEN column_name = 'state' THEN"+
			" CASE $1 WHEN 'verification' THEN '''pending''' WHEN 'text' THEN '''sending'''"+
			" ELSE '''open''' END"+
			" WHEN data_type = 'bigint' THEN 'n' WHEN data_type = 'bytea' THEN 'NULL'"+
			" ELSE '''x'' || n' END"+
			" FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position", table)
		exec("INSERT INTO " + table + " SELECT " + strings.Join(columns, ",") +
			" FROM generate_series(1, 1000) n")
		exec("ANALYZE " + table)
	}
	for name, statement := range queries(t) {
		if readsAll()[name] != "" {
			continue
		}
		plan := planned(t, conn, statement)
		if sorts(plan) > sortsFew()[name].sorts {
			// And it would rather sort so few than read an index in order.
			exec("SET enable_sort = off")
			exec("SET enable_bitmapscan = off")
			plan = planned(t, conn, statement)
			exec("RESET enable_sort")
			exec("RESET enable_bitmapscan")
			require.LessOrEqual(t, sorts(plan), sortsFew()[name].sorts, "%s: %v", name, plan)
		}
		for i, line := range plan {
			require.NotContains(t, line, "Seq Scan", name)
			if strings.Contains(line, "Index Scan") || strings.Contains(line, "Index Only Scan") {
				require.Less(t, i+1, len(plan), "%s: %v", name, plan)
				require.Contains(t, plan[i+1], "Index Cond:", "%s: %v", name, plan)
			}
		}
	}
}

// planned is PostgreSQL's plan of a statement that is asked with any values.
func planned(t *testing.T, conn *sql.Conn, statement string) []string {
	t.Helper()
	_, err := conn.ExecContext(t.Context(), "PREPARE asked AS "+statement)
	require.NoError(t, err, statement)
	execute := "EXPLAIN (COSTS off) EXECUTE asked"
	if n := parameters(statement); n > 0 {
		execute += "(" + strings.Repeat("NULL,", n-1) + "NULL)"
	}
	plan := lines(t, conn, execute)
	_, err = conn.ExecContext(t.Context(), "DEALLOCATE asked")
	require.NoError(t, err)
	return plan
}

// sorts counts what a plan of either database sorts without an index. Rows that are equal in an
// index are few.
func sorts(plan []string) (n int) {
	for _, line := range plan {
		line = strings.TrimLeft(line, " ->")
		ties := strings.HasPrefix(line, "USE TEMP B-TREE FOR LAST ")
		if line == "Sort" || strings.HasPrefix(line, "USE TEMP B-TREE") && !ties {
			n++
		}
	}
	return n
}

// Ensure that a query is found in the file of its table.
func TestQueriesAreFiledByTable(t *testing.T) {
	table := regexp.MustCompile(`(?:INSERT INTO|UPDATE|FROM) (\w+)`)
	files, err := filepath.Glob("query/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		named := strings.Split(string(text), "-- name: ")
		require.Empty(t, named[0], name)
		for _, query := range named[1:] {
			found := table.FindStringSubmatch(query)
			require.NotNil(t, found, query)
			require.Equal(t, strings.TrimSuffix(filepath.Base(name), ".sql"), found[1], query)
		}
	}
}

// Ensure that a View has every query that reads, and none that writes.
func TestViewHasAllThatReads(t *testing.T) {
	view, reads := reflect.TypeFor[store.View](), map[string]bool{"now": true, "moment": true,
		"open": true, "unpack": true, "pseudonym": true, "fingerprint": true}
	for name, statement := range queries(t) {
		_, body, _ := strings.Cut(statement, "\n")
		for strings.HasPrefix(body, "--") {
			_, body, _ = strings.Cut(body, "\n")
		}
		if strings.HasPrefix(body, "SELECT") {
			reads[name] = true
		}
	}
	for i := range view.NumMethod() {
		name := view.Method(i).Name
		require.True(t, reads[strings.ToLower(name[:1])+name[1:]], "%s writes", name)
	}
	require.Equal(t, len(reads), view.NumMethod(), "a query that reads is missing in View")
}

// Ensure that whatever reads the timeline is a query that a Tx answers with its own events, too.
func TestReadersOfEvents(t *testing.T) {
	reading := regexp.MustCompile(`(FROM|JOIN) event\b`)
	var found []string
	for name, statement := range queries(t) {
		if reading.MatchString(statement) && !strings.Contains(statement, "DELETE FROM event") {
			found = append(found, name)
		}
	}
	require.ElementsMatch(t, []string{"eventsAfter", "eventsOf"}, found,
		"give Tx a method of that name that writes the waiting events first")
}
