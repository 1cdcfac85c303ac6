package store_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/storetest"
)

var (
	partialIndex = regexp.MustCompile(`(?s) ON (\w+) .* WHERE (.*)$`)
	isOneOf      = regexp.MustCompile(`(\w+) (?:=|IN) `)
)

// Ensure that SQLite prepares a statement once. A partial index may be about purpose = 'app'. Then
// SQLite prepares purpose = $1 anew for each value: one of them could use the index. See
// exprCompareVariable in https://sqlite.org/src/file/src/expr.c. It does not with a CAST, and not
// where the row is found by its id.
func TestPreparedOnce(t *testing.T) {
	rare := map[string]string{
		"callbacksInStateBefore": "an operator looks at callbacks",
		"callbacksInStateAfter":  "an operator looks at callbacks",
	}
	url := storetest.SQLite(t)
	storetest.Open(t, url, nil)
	conn := connect(t, "sqlite", strings.TrimPrefix(url, "sqlite:"))
	about := map[string][]string{} // the columns of the conditions, by table
	for _, index := range lines(t, conn, "SELECT sql FROM sqlite_master WHERE type = 'index'"+
		" AND sql LIKE '% WHERE %'") {
		match := partialIndex.FindStringSubmatch(index)
		require.NotNil(t, match, index)
		for _, column := range isOneOf.FindAllStringSubmatch(match[2], -1) {
			about[match[1]] = append(about[match[1]], column[1])
		}
	}
	require.Contains(t, about["challenge"], "purpose")
	byID := regexp.MustCompile(`\bid = \$\d`)
	for name, statement := range queries(t) {
		_, where, _ := strings.Cut(statement, "WHERE")
		if rare[name] != "" || byID.MatchString(where) {
			continue
		}
		for table, columns := range about {
			if !regexp.MustCompile(`(FROM|UPDATE|JOIN) ` + table + `\b`).MatchString(statement) {
				continue
			}
			for _, column := range columns {
				compared := regexp.MustCompile(`\b` + column + ` = \$\d`)
				require.False(t, compared.MatchString(where), "%s compares %s.%s with a parameter", name,
					table, column)
			}
		}
	}
}
