package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"smsbridge/internal/store/migration"
)

// harmful is what a replica of the version before may not survive. Its statements name the table or
// the column, write no value for a new one, or meet rows that they did not expect. A rewriting of
// many rows holds it up as well.
var (
	harmful = regexp.MustCompile(`(?i)\b(DROP (TABLE|COLUMN)|RENAME|ALTER COLUMN|UPDATE|` +
		`DELETE FROM)\b`)
	added   = regexp.MustCompile(`(?i)\bADD COLUMN\b`)
	filled  = regexp.MustCompile(`(?i)\bDEFAULT\b`)
	unique  = regexp.MustCompile(`(?i)\bCREATE UNIQUE INDEX \w+\s+ON (\w+)`)
	comment = regexp.MustCompile(`(?m)--.*$`)
)

// stops reports whether a migration may stop the replicas of the version before. A table that it
// makes itself is unknown to them.
func stops(migration string) bool {
	_, up, _ := strings.Cut(migration, "-- +goose Up")
	up, _, _ = strings.Cut(up, "-- +goose Down")
	up = comment.ReplaceAllString(up, "")
	for statement := range strings.SplitSeq(up, ";") {
		bounds := unique.FindStringSubmatch(statement)
		switch {
		case harmful.MatchString(statement),
			added.MatchString(statement) && !filled.MatchString(statement),
			bounds != nil && !strings.Contains(up, "CREATE TABLE "+bounds[1]+" ("):
			return true
		}
	}
	return false
}

// Ensure that replicas of the version before can work on while a newer one migrates, and later.
// The migrations of the list are older than that rule.
func TestMigrationsLetTheVersionBeforeWorkOn(t *testing.T) {
	files, err := fs.Glob(migration.Files, "*.sql")
	require.NoError(t, err)
	var found []string
	for _, name := range files {
		text, err := fs.ReadFile(migration.Files, name)
		require.NoError(t, err)
		if stops(string(text)) {
			found = append(found, name)
		}
	}
	require.Equal(t, []string{
		"00008_verify_report.sql", "00009_consent.sql", "00011_asker.sql", "00014_packed_mail.sql",
	}, found)
}

// Ensure that no migration changes that a database may have: such a database gets no second look.
// Who adds a migration names it here, with the digest that this test then tells.
func TestMigrationsStayAsTheyAre(t *testing.T) {
	files, err := fs.Glob(migration.Files, "*.sql")
	require.NoError(t, err)
	all := sha256.New()
	for _, name := range files {
		text, err := fs.ReadFile(migration.Files, name)
		require.NoError(t, err)
		all.Write(text)
	}
	require.Equal(t, "00030_text_case.sql", files[len(files)-1])
	require.Equal(t, "712410e6b88db046727a7d7186ee863b8494d552072100ae72b7f08c4f6261e1",
		hex.EncodeToString(all.Sum(nil)))
}
