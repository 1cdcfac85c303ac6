package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode"
)

// This file says which keys a bridge may start with. What sealing does is in seal.go.

// ParseKeys reads keys as people keep them, each 32 bytes in hex (64 digits) or base64, with
// commas, blanks or line ends between them. The first seals; the others only open what they sealed
// before.
func ParseKeys(text string) ([][]byte, error) {
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	if len(parts) == 0 {
		return nil, errNoKey
	}
	var keys [][]byte
	for _, part := range parts {
		key, err := parseKey(part)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

var errNoKey = errors.New("store: a key is 32 bytes in hex or base64;" +
	" make one with: openssl rand -hex 32")

func parseKey(text string) ([]byte, error) {
	if key, err := hex.DecodeString(text); err == nil && len(key) == KeySize {
		return key, nil
	}
	for _, encoding := range []*base64.Encoding{
		base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding,
	} {
		if key, err := encoding.DecodeString(text); err == nil && len(key) == KeySize {
			return key, nil
		}
	}
	return nil, errNoKey
}

// keysBeside reads the keys that lie beside a SQLite file, or makes one for a file that does not
// exist yet.
func keysBeside(path string) ([][]byte, error) {
	keys, err := keysFound(path)
	if err != nil || keys != nil {
		return keys, err
	}
	key, err := makeKey(path)
	if err != nil {
		return nil, fmt.Errorf("store: making a key: %w", err)
	}
	return [][]byte{key}, nil
}

// keysFound reads the keys that lie beside a SQLite file. It returns none where one may be made. A
// missing key beside an existing file is an error: a new one could not open what the old one
// sealed.
func keysFound(path string) ([][]byte, error) {
	const another = "restore the key from your backup or set SMSBRIDGE_KEY to the one in use"
	there := absent(path) != nil
	keys, err := readKeys(path + ".key")
	switch {
	case err == nil:
		return keys, nil
	case errors.Is(err, errNotInFile) && there:
		return nil, fmt.Errorf("%w: %s", err, another)
	case errors.Is(err, errNotInFile):
		return nil, fmt.Errorf("%w: correct it, or remove it to have the start make one", err)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("store: reading the key: %w", err)
	case there:
		return nil, fmt.Errorf("store: the database %s exists but its key %s does not: %s",
			path, path+".key", another)
	}
	return nil, nil
}

// readKeys reads the keys in a file.
func readKeys(name string) ([][]byte, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	keys, err := ParseKeys(string(text))
	if err != nil {
		return nil, fmt.Errorf("store: the file %s %w", name, errNotInFile)
	}
	return keys, nil
}

// errNotInFile does not say how to make a key, as errNoKey does: another would open nothing.
var errNotInFile = errors.New("has no key of 32 bytes in hex or base64, or not only such keys")

// makeKey makes the key of a SQLite file that does not exist yet. It is on disk before the first
// value is sealed with it. A kill leaves all of it under its name, or nothing. The lock keeps two
// first starts from replacing each other's.
func makeKey(path string) (key []byte, err error) {
	lock, err := lockOf(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	name, part := path+".key", path+".key"+restoring
	key = make([]byte, KeySize)
	rand.Read(key)
	for _, step := range []func() error{
		func() error { return absent(name) },
		func() error { return absent(path) },
		func() error { return makePrivate(part) },
		func() error { return os.WriteFile(part, []byte(hex.EncodeToString(key)+"\n"), 0o600) },
		func() error { return settle(part, name) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return key, nil
}

// take sets the keys that were read from somewhere. The first seals.
func (o *Options) take(keys [][]byte, err error) error {
	if err == nil {
		o.Key, o.OldKeys = keys[0], keys[1:]
	}
	return err
}

// sealer holds the keys that the options give.
func (o *Options) sealer() (sealer, error) {
	return newSealer(append([][]byte{o.Key}, o.OldKeys...)...)
}

// sealedColumn is a column of sealed values. Its table has the columns id and tenant.
type sealedColumn struct {
	table, column string
	binary        bool // its values are bytes, not text
}

// sealedIn are places of sealed values.
type sealedIn []sealedColumn

// sealedColumns are all places of sealed values.
func sealedColumns() sealedIn {
	return sealedIn{
		{table: "mail", column: "body"}, {table: "mail", column: "packed", binary: true},
		{table: "challenge", column: "link"}, {table: "challenge", column: "held_link"},
		{table: "text", column: "body"}, {table: "verification", column: "code"},
		{table: "code_check", column: "code"}, {table: "short_link", column: "link"},
		{table: "opt_out", column: "number"}, {table: "secret", column: "value"},
	}
}

// admit lets a bridge start with its keys, or says which key is missing. A key of which no sealed
// value is left is forgotten. Otherwise a bridge with another key would take sealed mails, links
// and codes for lost, one by one.
func (s sealer) admit(ctx context.Context, conn *sql.DB) error {
	ids, err := keyIDs(ctx, conn)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if s.has(id) {
			continue
		}
		n, err := sealedColumns().count(ctx, conn, id)
		if err != nil {
			return err
		}
		if n > 0 {
			return &KeyError{Missing: id, Given: s.ids(), Values: n}
		}
		if _, err := conn.ExecContext(ctx, "DELETE FROM seal_key WHERE id = $1", id); err != nil {
			return fmt.Errorf("store: forgetting a key: %w", err)
		}
	}
	const note = "INSERT INTO seal_key (id) VALUES ($1) ON CONFLICT DO NOTHING"
	if _, err := conn.ExecContext(ctx, note, s[0].id); err != nil {
		return fmt.Errorf("store: noting the key: %w", err)
	}
	return nil
}

func (s sealer) has(id string) bool { return slices.Contains(s.ids(), id) }

func (s sealer) ids() []string {
	ids := make([]string, len(s))
	for i, key := range s {
		ids[i] = key.id
	}
	return ids
}

// KeyError says that the database holds values that none of the given keys can open. It names keys
// by their ids, which tell nothing about them.
type KeyError struct {
	Missing string   // the id of the key that is needed
	Given   []string // the ids of those that are configured
	Values  int      // how many values the missing key has sealed
}

func (e *KeyError) Error() string {
	return fmt.Sprintf("store: the database has %d values sealed with the key %s, but the"+
		" configured key is %s", e.Values, e.Missing, strings.Join(e.Given, ", "))
}

// keyIDs are the ids of all keys that may have sealed a value.
func keyIDs(ctx context.Context, conn *sql.DB) (ids []string, err error) {
	ids, err = column(ctx, conn, "SELECT id FROM seal_key ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("store: reading the keys' ids: %w", err)
	}
	return ids, nil
}

// keyIDs are the ids of all keys that have sealed a value of these columns, which are text.
func (in sealedIn) keyIDs(ctx context.Context, conn *sql.DB) (ids []string, err error) {
	for _, c := range in {
		found, err := column(ctx, conn, fmt.Sprintf("SELECT DISTINCT substr(%[2]s, 4, 8) FROM %[1]s"+
			" WHERE substr(%[2]s, 1, 3) = 'v1.'", c.table, c.column))
		if err != nil {
			return nil, fmt.Errorf("store: reading the keys' ids: %w", err)
		}
		ids = append(ids, found...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// count is how many values of these columns a key has sealed. It reads whole tables: it is for
// starts and people that have a reason to ask.
func (in sealedIn) count(ctx context.Context, conn *sql.DB, id string) (all int, err error) {
	for _, c := range in {
		var n int
		query := fmt.Sprintf("SELECT COUNT(*) FROM %s WHERE substr(%s, 1, %d) = $1",
			c.table, c.column, len(sealedBy(id)))
		if err := conn.QueryRowContext(ctx, query, c.parameter(sealedBy(id))).Scan(&n); err != nil {
			return 0, fmt.Errorf("store: counting sealed values: %w", err)
		}
		all += n
	}
	return all, nil
}
